//! The columns of `kubectl get pods` (kubectl: `printPod`).
//!
//! Not here: the table (`output::table`).

use k8s_openapi::api::core::v1;

use crate::record::told::STOPPED;

/// What `kubectl get pods` shows of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// Containers that are ready, sidecars among them.
    pub n_ready: usize,
    /// Containers, sidecars among them.
    pub n_containers: usize,
    /// STATUS.
    pub status: String,
    /// RESTARTS.
    pub n_restarts: i32,
}

/// The columns of a pod.
#[must_use]
pub fn columns(pod: &v1::Pod) -> Columns {
    let columns = columns_of_life(pod);
    if pod.metadata.deletion_timestamp.is_some() {
        let status = "Terminating".to_owned();
        return Columns { status, ..columns };
    }
    columns
}

fn columns_of_life(pod: &v1::Pod) -> Columns {
    let status = pod.status.clone().unwrap_or_default();
    let containers = status.container_statuses.unwrap_or_default();
    let inits = status.init_container_statuses.unwrap_or_default();
    let (sidecars, others): (Vec<_>, Vec<_>) =
        inits.iter().partition(|init| is_sidecar(pod, &init.name));
    let counted = || sidecars.iter().copied().chain(&containers);
    let n_ready = counted().filter(|container| container.ready).count();
    let n_containers = counted().count();
    let waits = |init: &&v1::ContainerStatus| {
        let is_sidecar = is_sidecar(pod, &init.name);
        !if is_sidecar {
            init.started == Some(true)
        } else {
            init.ready
        }
    };
    let ended = matches!(status.phase.as_deref(), Some("Succeeded"));
    let stuck = inits.iter().position(|init| waits(&init) && !ended);
    let begun = containers.iter().any(|container| {
        let state = container.state.as_ref();
        container.last_state.is_some() || state.is_some_and(|state| state.waiting.is_none())
    });
    if let Some(i) = stuck.filter(|_| !begun) {
        let word = initializing(i, inits.len(), &inits[i]);
        return Columns {
            n_ready,
            n_containers,
            status: status.reason.unwrap_or(word),
            n_restarts: others
                .iter()
                .chain(&sidecars)
                .map(|init| init.restart_count)
                .sum(),
        };
    }
    let mut word = status.reason.clone().or(status.phase).unwrap_or_default();
    let mut has_running = false;
    for container in containers.iter().rev() {
        let state = container.state.clone().unwrap_or_default();
        if let Some(reason) = state.waiting.and_then(|waiting| waiting.reason) {
            word = reason;
        } else if let Some(reason) = state.terminated.and_then(|ended| ended.reason) {
            word = reason;
        } else if state.running.is_some() {
            has_running = true;
        }
    }
    if word == "Completed" && has_running {
        let all_ready = containers.iter().all(|container| container.ready);
        word = if all_ready { "Running" } else { "NotReady" }.to_owned();
    }
    // What a person can act on goes before what a container is in.
    if let Some(reason @ (super::SANDBOX_CHANGED | STOPPED)) = status.reason.as_deref() {
        word = reason.to_owned();
    }
    Columns {
        n_ready,
        n_containers,
        status: word,
        n_restarts: counted().map(|container| container.restart_count).sum(),
    }
}

/// Kubernetes: an init container with `restartPolicy: Always`.
fn is_sidecar(pod: &v1::Pod, name: &str) -> bool {
    let spec = pod.spec.as_ref();
    let inits = spec.and_then(|spec| spec.init_containers.as_ref());
    let mut inits = inits.into_iter().flatten();
    inits.any(|init| init.name == name && init.restart_policy.as_deref() == Some("Always"))
}

/// kubectl: `Init:0/2` while one of them is at work, `Init:Error` where one has failed.
fn initializing(i: usize, n: usize, init: &v1::ContainerStatus) -> String {
    let state = init.state.clone().unwrap_or_default();
    let waiting = state.waiting.and_then(|waiting| waiting.reason);
    let reason = state.terminated.and_then(|ended| ended.reason).or(waiting);
    match reason.filter(|reason| reason != "PodInitializing") {
        Some(reason) => format!("Init:{reason}"),
        None => format!("Init:{i}/{n}"),
    }
}
