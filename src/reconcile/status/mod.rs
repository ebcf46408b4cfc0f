//! The `v1` Pod, with its status, of what was seen and told (kubelet: `generateAPIPodStatus`).
//!
//! Not here: words of a table (`output`).

mod columns;
mod container;
mod events;
mod phase;
mod qos;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff::Timestamp;

use super::seen::{Details, SeenContainer, State};
use crate::record::told::STOPPED;
use crate::record::{Deletion, Identity, Told};
use crate::spec::PodKey;
pub use columns::{Columns, columns};
use container::{container, init};
pub use events::events;
use phase::Parts;
pub use qos::qos_class;

/// The reason of a pod whose pause container is gone while members run (kubelet: the event of that name).
const SANDBOX_CHANGED: &str = "SandboxChanged";

/// The pods that these containers are, in the order of their names. `details`: of containers, by id, as far as they were asked
/// for; `told`: what who drives the pods has told.
#[must_use]
pub fn pods(
    containers: &[SeenContainer],
    details: &BTreeMap<String, Details>,
    told: &BTreeMap<PodKey, Told>,
) -> Vec<v1::Pod> {
    let mut keys: Vec<_> = containers.iter().map(SeenContainer::pod).collect();
    keys.sort();
    keys.dedup();
    let nothing = Told::default();
    let of_pod = |key: &PodKey| {
        let view = View {
            containers: containers.iter().filter(|c| c.pod() == key).collect(),
            details,
            told: told.get(key).unwrap_or(&nothing),
        };
        let newest = view.containers.iter().max_by_key(|c| c.identity.generation);
        let created = view.containers.iter().map(|c| c.created).min();
        Some(pod(&view, &newest?.identity, created?))
    };
    keys.into_iter().filter_map(of_pod).collect()
}

/// A pod that has a record and no container, or none any more; `began`: in seconds since 1970.
#[must_use]
pub fn without_containers(identity: &Identity, began: i64) -> v1::Pod {
    let view = View {
        containers: Vec::new(),
        details: &BTreeMap::new(),
        told: &Told::default(),
    };
    pod(&view, identity, began)
}

/// The pod's namespace and name.
#[must_use]
pub fn key(pod: &v1::Pod) -> PodKey {
    let metadata = pod.metadata.clone();
    PodKey::new(
        metadata.namespace.unwrap_or_default(),
        metadata.name.unwrap_or_default(),
    )
}

/// Marks a pod that is being taken down (kubelet: `Terminating`).
pub fn mark(pod: &mut v1::Pod, deletion: &Deletion) {
    let end = deletion
        .since
        .saturating_add(deletion.grace_period.saturating_mul(1000));
    let end = i64::try_from(end).ok();
    let end = end.and_then(|end| Timestamp::from_millisecond(end).ok());
    pod.metadata.deletion_timestamp = end.map(Time);
    pod.metadata.deletion_grace_period_seconds = i64::try_from(deletion.grace_period).ok();
    // kubelet: what has begun is never pending again. Containers that are gone already look as if they had not been made.
    let status = pod.status.as_mut();
    if let Some(status) = status.filter(|status| status.phase.as_deref() == Some("Pending"))
        && !deletion.phase.is_empty()
    {
        status.phase = Some(deletion.phase.clone());
    }
}

/// The phase of the pod that these containers are; `None`: they are none.
#[must_use]
pub fn phase_of(containers: &[SeenContainer]) -> Option<String> {
    let pods = pods(containers, &BTreeMap::new(), &BTreeMap::new());
    pods.into_iter().next()?.status?.phase
}

/// Whether the pod of this container lacks others, or it has itself not been started.
#[must_use]
pub fn lacks_any(containers: &[SeenContainer], container: &SeenContainer) -> bool {
    let is_there = |name: &&String| {
        let mut of_pod = containers.iter().filter(|c| c.pod() == container.pod());
        of_pod.any(|c| c.identity.container == **name)
    };
    container.state == State::Created || !container.identity.members().all(|name| is_there(&name))
}

/// Whether it has come to its end, and is there to be looked at.
#[must_use]
pub fn has_ended(pod: &v1::Pod) -> bool {
    if pod.metadata.deletion_timestamp.is_some() {
        return false;
    }
    let status = pod.status.as_ref();
    let phase = status.and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// Whether somebody has stopped it, and not started it again.
#[must_use]
pub fn is_stopped(pod: &v1::Pod) -> bool {
    let status = pod.status.as_ref();
    status.and_then(|status| status.reason.as_deref()) == Some(STOPPED)
}

/// All that is known of one pod.
struct View<'a> {
    containers: Vec<&'a SeenContainer>,
    details: &'a BTreeMap<String, Details>,
    told: &'a Told,
}

impl<'a> View<'a> {
    /// The container of this name that counts.
    fn current(&self, name: &str) -> Option<&'a SeenContainer> {
        let containers = self.containers.iter();
        let named = containers.filter(|c| c.identity.container == name);
        named.max_by_key(|c| c.identity.attempt).copied()
    }

    /// The names of those that have ended and are to run again.
    fn again(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .containers
            .iter()
            .map(|c| &c.identity.container)
            .collect();
        names.dedup();
        let runs_again = |name: &&String| {
            let current = self.current(name);
            current.is_some_and(|c| match c.state {
                State::Exited(code) => c.identity.runs_again(code),
                _ => false,
            })
        };
        names.into_iter().filter(runs_again).cloned().collect()
    }

    /// Whether one of its containers had failed when the pod had come to its end, which nothing has followed since.
    fn has_failed(&self) -> Option<bool> {
        let generation = self.told.generation;
        let failed = self.told.has_failed(generation)?;
        let mut members = self.containers.iter().filter(|c| !c.identity.is_pause());
        let goes_on = members.any(|c| c.is_running() || c.identity.generation > generation);
        (!goes_on).then_some(failed)
    }

    /// Whether containers of a round before are still running; `None`: there has been one round.
    fn is_restarting(&self) -> Option<bool> {
        let rounds = self.containers.iter().map(|c| c.identity.round);
        let round = rounds.max().filter(|round| *round > 0)?;
        let mut members = self.containers.iter().filter(|c| !c.identity.is_pause());
        Some(members.any(|c| c.is_running() && c.identity.round < round))
    }

    fn pause(&self) -> Option<&'a SeenContainer> {
        let pauses = self.containers.iter().filter(|c| c.identity.is_pause());
        pauses.max_by_key(|c| c.identity.attempt).copied()
    }
}

/// One pod, of all its containers, at its newest generation. `created`: the oldest of them, in seconds since 1970.
fn pod(view: &View<'_>, newest: &Identity, created: i64) -> v1::Pod {
    let names = names(newest, &view.containers);
    let sandbox = view.pause().is_some_and(SeenContainer::is_running);
    let is_sidecar = |name: &String| newest.sidecars.contains(name);
    let of_init = |name: &String| {
        if is_sidecar(name) {
            container(view, name, sandbox, "PodInitializing")
        } else {
            init(view, name, sandbox)
        }
    };
    let inits: Vec<v1::ContainerStatus> = newest.init_containers.iter().map(of_init).collect();
    let (sidecars, others): (Vec<_>, Vec<_>) =
        inits.iter().partition(|status| is_sidecar(&status.name));
    let parts = |containers| Parts {
        inits: others.clone(),
        sidecars: sidecars.clone(),
        containers,
        again: view.again(),
        sandbox,
        ended: view
            .told
            .ended
            .as_ref()
            .is_some_and(|told| told.reason != STOPPED),
        restarting: view.is_restarting(),
        has_failed: view.has_failed(),
    };
    // kubelet: what waits for init containers is not being created.
    let waiting_for = if parts(&[]).is_initialized() {
        "ContainerCreating"
    } else {
        "PodInitializing"
    };
    let statuses: Vec<v1::ContainerStatus> = names
        .iter()
        .map(|name| container(view, name, sandbox, waiting_for))
        .collect();
    let parts = parts(&statuses);
    let phase = parts.phase();
    let conditions = parts.conditions(phase);
    let told = view.told.began.map(|began| began / 1000);
    let began = told.map_or(created, |began| i64::try_from(began).unwrap_or(created));
    // Containers are made anew, the pod is not.
    let created = created.min(began);
    let ip = view.pause().and_then(|pause| pause.ip.clone());
    let host_ip = view.pause().and_then(|pause| pause.host_ip.clone());
    let (reason, message) = reason(view, sandbox);
    v1::Pod {
        metadata: ObjectMeta {
            name: Some(newest.pod.name.clone()),
            namespace: Some(newest.pod.namespace.clone()),
            uid: Some(newest.uid.clone()),
            creation_timestamp: Timestamp::from_second(created).ok().map(Time),
            generation: i64::try_from(newest.generation).ok(),
            ..Default::default()
        },
        spec: Some(spec(view, newest, &names)),
        status: Some(v1::PodStatus {
            conditions: Some(conditions),
            reason,
            message,
            phase: Some(phase.to_owned()),
            host_ips: host_ip.clone().map(|ip| vec![v1::HostIP { ip }]),
            host_ip,
            pod_ips: ip.clone().map(|ip| vec![v1::PodIP { ip }]),
            pod_ip: ip,
            init_container_statuses: given(inits),
            container_statuses: Some(statuses),
            start_time: Timestamp::from_second(began).ok().map(Time),
            ..Default::default()
        }),
    }
}

/// Why the whole pod is as it is. Members may run on where their pause has gone: without its network they are no pod.
fn reason(view: &View<'_>, sandbox: bool) -> (Option<String>, Option<String>) {
    let told = view.told.ended.as_ref();
    let mut members = view.containers.iter().filter(|c| !c.identity.is_pause());
    let lost = !sandbox && members.any(|c| c.is_running());
    match told {
        Some(told) => (Some(told.reason.clone()), Some(told.message.clone())),
        None if lost => {
            let message = "the pause container does not run: `podctl up` makes the pod anew";
            (Some(SANDBOX_CHANGED.to_owned()), Some(message.to_owned()))
        }
        None => (None, None),
    }
}

/// An empty list is left out.
fn given<T>(list: Vec<T>) -> Option<Vec<T>> {
    Some(list).filter(|list| !list.is_empty())
}

/// The pod's containers at its newest generation, in the order of the manifest.
fn names(newest: &Identity, containers: &[&SeenContainer]) -> Vec<String> {
    if !newest.containers.is_empty() {
        return newest.containers.clone();
    }
    let members = containers.iter().filter(|c| !c.identity.is_pause());
    let mut names: Vec<String> = members.map(|c| c.identity.container.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// As much of the spec as labels tell.
fn spec(view: &View<'_>, newest: &Identity, names: &[String]) -> v1::PodSpec {
    let container = |name: &String| v1::Container {
        name: name.clone(),
        image: view.current(name).map(|seen| seen.image_name.clone()),
        restart_policy: newest.sidecars.contains(name).then(|| "Always".to_owned()),
        ..Default::default()
    };
    v1::PodSpec {
        init_containers: given(newest.init_containers.iter().map(container).collect()),
        containers: names.iter().map(container).collect(),
        restart_policy: Some(format!("{:?}", newest.restart_policy)),
        termination_grace_period_seconds: i64::try_from(newest.grace_period).ok(),
        ..Default::default()
    }
}
