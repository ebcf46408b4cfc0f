//! How the containers of a pod have come up, of what the engine and the record tell.
//!
//! Not here: drawing it (`timeline`).

use k8s_openapi::api::core::v1;

use crate::driver::observe::Described;
use crate::output::timeline::{Step, Way};

/// From the first container's creation on.
pub(super) fn ways(described: &Described) -> Vec<Way> {
    let created = described.begun.values().map(|begun| begun.created);
    let first = created.min().unwrap_or_default();
    let status = described.pod.status.clone().unwrap_or_default();
    let inits = status.init_container_statuses.unwrap_or_default();
    let apps = status.container_statuses.unwrap_or_default();
    let all = inits.iter().chain(&apps);
    all.map(|status| way(described, status, first)).collect()
}

fn way(described: &Described, status: &v1::ContainerStatus, first: u64) -> Way {
    let since = |time: u64| time.saturating_sub(first);
    let begun = described.begun.get(&status.name);
    let started = begun.and_then(|begun| begun.started).map(since);
    let id = status.container_id.as_deref().unwrap_or_default();
    let standing = described
        .told
        .containers
        .get(id.trim_start_matches("docker://"));
    let ready = standing.and_then(|standing| standing.ready_at).map(since);
    let runs = status.started == Some(true);
    Way {
        container: status.name.clone(),
        create: begun.map(|begun| Step::Done(since(begun.created))),
        start: started.map(Step::Done),
        // Whoever has no probes is ready at once; an init container, once it has ended well, which is not told here.
        ready: ready.or(started.filter(|_| standing.is_none() && runs && status.ready)),
        ..Way::default()
    }
}
