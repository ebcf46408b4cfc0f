//! How the containers of a pod have come up, of what the engine and the record tell.
//!
//! Not here: drawing it (`timeline`).

use k8s_openapi::api::core::v1;

use crate::driver::observe::Described;
use crate::output::timeline::Way;

/// From the first container's creation on.
pub(super) fn ways(described: &Described) -> Vec<Way> {
    let begun = described
        .created
        .values()
        .min()
        .copied()
        .unwrap_or_default();
    let status = described.pod.status.clone().unwrap_or_default();
    let inits = status.init_container_statuses.unwrap_or_default();
    let apps = status.container_statuses.unwrap_or_default();
    let all = inits.iter().chain(&apps);
    all.map(|status| way(described, status, begun)).collect()
}

fn way(described: &Described, status: &v1::ContainerStatus, begun: u64) -> Way {
    let since = |time: u64| time.saturating_sub(begun);
    let created = described.created.get(&status.name).map(|time| since(*time));
    let started = started(status).map(since);
    let id = status.container_id.as_deref().unwrap_or_default();
    let standing = described
        .told
        .containers
        .get(id.trim_start_matches("docker://"));
    let ready = standing.and_then(|standing| standing.ready_at).map(since);
    Way {
        container: status.name.clone(),
        start: created.zip(started),
        // Whoever has no probes is ready at once.
        ready: ready.or(started.filter(|_| standing.is_none() && status.ready)),
        ..Way::default()
    }
}

fn started(status: &v1::ContainerStatus) -> Option<u64> {
    let state = status.state.as_ref()?;
    let running = state
        .running
        .as_ref()
        .and_then(|running| running.started_at.as_ref());
    let ended = state
        .terminated
        .as_ref()
        .and_then(|ended| ended.started_at.as_ref());
    u64::try_from(running.or(ended)?.0.as_millisecond()).ok()
}
