//! The `v1` Pod, with its status, of what one list call tells (kubelet: `generateAPIPodStatus`, `getPhase`).
//!
//! Not here: columns and words of a table (`output`).

use k8s_openapi::api::core::v1;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff::Timestamp;

use super::seen::{SeenContainer, State};
use crate::record::Identity;
use crate::spec::RestartPolicy;

/// The pods that these containers are, in the order of their names.
#[must_use]
pub fn pods(containers: &[SeenContainer]) -> Vec<v1::Pod> {
    let mut keys: Vec<_> = containers.iter().map(SeenContainer::pod).collect();
    keys.sort();
    keys.dedup();
    let of_pod = |key| {
        containers
            .iter()
            .filter(|c| c.pod() == key)
            .collect::<Vec<_>>()
    };
    keys.into_iter()
        .filter_map(|key| pod(&of_pod(key)))
        .collect()
}

/// One pod, of all its containers.
fn pod(containers: &[&SeenContainer]) -> Option<v1::Pod> {
    let newest = &containers
        .iter()
        .max_by_key(|c| c.identity.generation)?
        .identity;
    let pauses = containers.iter().filter(|c| c.identity.is_pause());
    let pause = pauses.max_by_key(|c| c.identity.attempt).copied();
    let names = names(newest, containers);
    let runs = pause.is_some_and(SeenContainer::is_running);
    let inits: Vec<v1::ContainerStatus> = newest
        .init_containers
        .iter()
        .map(|name| init(name, containers))
        .collect();
    let initialized = inits.iter().all(|status| status.ready);
    // kubelet: what waits for init containers is not being created.
    let reason = if initialized {
        "ContainerCreating"
    } else {
        "PodInitializing"
    };
    let statuses: Vec<v1::ContainerStatus> = names
        .iter()
        .map(|name| container(name, containers, runs, reason))
        .collect();
    let created = containers
        .iter()
        .map(|c| c.created)
        .min()
        .unwrap_or_default();
    let phase = phase(&inits, &statuses, newest.restart_policy);
    let ip = pause.and_then(|pause| pause.ip.clone());
    // Members may run on where their pause has gone: without its network they are no pod.
    let lost = !runs
        && containers
            .iter()
            .any(|c| !c.identity.is_pause() && c.is_running());
    let spec_of = |name: &String| spec(name, current(containers, name));
    Some(v1::Pod {
        metadata: ObjectMeta {
            name: Some(newest.pod.name.clone()),
            namespace: Some(newest.pod.namespace.clone()),
            uid: Some(newest.uid.clone()),
            creation_timestamp: Timestamp::from_second(created).ok().map(Time),
            generation: i64::try_from(newest.generation).ok(),
            ..Default::default()
        },
        spec: Some(v1::PodSpec {
            init_containers: given(newest.init_containers.iter().map(&spec_of).collect()),
            containers: names.iter().map(&spec_of).collect(),
            restart_policy: Some(format!("{:?}", newest.restart_policy)),
            termination_grace_period_seconds: i64::try_from(newest.grace_period).ok(),
            ..Default::default()
        }),
        status: Some(v1::PodStatus {
            conditions: Some(conditions(runs, initialized, &statuses, &phase)),
            reason: lost.then(|| "SandboxChanged".to_owned()),
            message: lost.then(|| {
                "the pause container does not run: `podctl up` makes the pod anew".to_owned()
            }),
            phase: Some(phase),
            pod_ips: ip.clone().map(|ip| vec![v1::PodIP { ip }]),
            pod_ip: ip,
            init_container_statuses: given(inits),
            container_statuses: Some(statuses),
            start_time: Timestamp::from_second(created).ok().map(Time),
            ..Default::default()
        }),
    })
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

fn current<'a>(containers: &[&'a SeenContainer], name: &str) -> Option<&'a SeenContainer> {
    let named = containers.iter().filter(|c| c.identity.container == name);
    named.max_by_key(|c| c.identity.attempt).copied()
}

/// The last one that has ended before it, where that was the reason for it.
fn before<'a>(containers: &[&'a SeenContainer], of: &SeenContainer) -> Option<&'a SeenContainer> {
    let is_before = |c: &&&SeenContainer| {
        c.identity.container == of.identity.container && c.identity.attempt < of.identity.attempt
    };
    of.identity.restart?;
    let older = containers.iter().filter(is_before);
    older.max_by_key(|c| c.identity.attempt).copied()
}

fn spec(name: &str, seen: Option<&SeenContainer>) -> v1::Container {
    v1::Container {
        name: name.to_owned(),
        image: seen.map(|seen| seen.image_name.clone()),
        ..Default::default()
    }
}

/// An init container is ready once it has ended well.
fn init(name: &str, containers: &[&SeenContainer]) -> v1::ContainerStatus {
    let status = container(name, containers, false, "PodInitializing");
    let seen = current(containers, name);
    v1::ContainerStatus {
        ready: seen.is_some_and(|seen| seen.state == State::Exited(0)),
        ..status
    }
}

/// `waiting_for`: the reason of one that has not been started.
fn container(
    name: &str,
    containers: &[&SeenContainer],
    pause_runs: bool,
    waiting_for: &str,
) -> v1::ContainerStatus {
    let seen = current(containers, name);
    let before = seen.and_then(|seen| before(containers, seen));
    let (state, n_waited_for) = match seen {
        Some(seen) => match seen.state {
            State::Running => (running(), 0),
            State::Exited(code) => (terminated(seen, code), 0),
            State::Created if seen.identity.restart.is_some() => (backing_off(seen), 1),
            State::Created | State::Removing => (waiting(waiting_for, None), 0),
        },
        None => (waiting(waiting_for, None), 0),
    };
    let last = before.and_then(|before| match before.state {
        State::Exited(code) => Some(terminated(before, code)),
        _ => None,
    });
    let attempt = seen.map_or(0, |seen| seen.identity.attempt);
    let ready = pause_runs && state.running.is_some();
    v1::ContainerStatus {
        name: name.to_owned(),
        started: Some(state.running.is_some()),
        state: Some(state),
        last_state: last,
        ready,
        restart_count: i32::try_from(attempt.saturating_sub(n_waited_for)).unwrap_or(i32::MAX),
        image: seen.map(|seen| seen.image_name.clone()).unwrap_or_default(),
        image_id: seen.map(|seen| seen.image.clone()).unwrap_or_default(),
        container_id: seen.map(|seen| format!("docker://{}", seen.id)),
        ..Default::default()
    }
}

fn running() -> v1::ContainerState {
    v1::ContainerState {
        running: Some(v1::ContainerStateRunning::default()),
        ..Default::default()
    }
}

fn waiting(reason: &str, message: Option<String>) -> v1::ContainerState {
    v1::ContainerState {
        waiting: Some(v1::ContainerStateWaiting {
            reason: Some(reason.to_owned()),
            message,
        }),
        ..Default::default()
    }
}

/// kubelet: `doBackOff`.
fn backing_off(container: &SeenContainer) -> v1::ContainerState {
    let identity = &container.identity;
    let delay = identity.restart.map_or(0, |restart| restart.delay);
    let message = format!(
        "back-off {}s restarting failed container={} pod={}_{}({})",
        delay.div_ceil(1000),
        identity.container,
        identity.pod.name,
        identity.pod.namespace,
        identity.uid
    );
    waiting("CrashLoopBackOff", Some(message))
}

fn terminated(container: &SeenContainer, code: i64) -> v1::ContainerState {
    v1::ContainerState {
        terminated: Some(v1::ContainerStateTerminated {
            exit_code: i32::try_from(code).unwrap_or(i32::MAX),
            reason: Some(if code == 0 { "Completed" } else { "Error" }.to_owned()),
            container_id: Some(format!("docker://{}", container.id)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// kubelet: `getPhase`.
fn phase(
    inits: &[v1::ContainerStatus],
    statuses: &[v1::ContainerStatus],
    policy: RestartPolicy,
) -> String {
    let failed = |status: &v1::ContainerStatus| {
        let ended = status
            .state
            .as_ref()
            .and_then(|state| state.terminated.as_ref());
        ended.is_some_and(|ended| ended.exit_code != 0)
    };
    if policy == RestartPolicy::Never && inits.iter().any(failed) {
        return "Failed".to_owned();
    }
    if !inits.iter().all(|init| init.ready) {
        return "Pending".to_owned();
    }
    let states = || statuses.iter().filter_map(|status| status.state.as_ref());
    let codes: Vec<i32> = states()
        .filter_map(|s| s.terminated.as_ref())
        .map(|t| t.exit_code)
        .collect();
    // One that is started again is not waited for: it has run.
    let waits = |status: &v1::ContainerStatus| {
        let state = status.state.as_ref();
        state.is_some_and(|state| state.waiting.is_some()) && status.last_state.is_none()
    };
    let phase = if statuses.iter().any(waits) {
        "Pending"
    } else if states().any(|state| state.running.is_some()) || policy == RestartPolicy::Always {
        "Running"
    } else if codes.iter().all(|code| *code == 0) {
        "Succeeded"
    } else if policy == RestartPolicy::Never {
        "Failed"
    } else {
        "Running"
    };
    phase.to_owned()
}

fn conditions(
    runs: bool,
    initialized: bool,
    statuses: &[v1::ContainerStatus],
    phase: &str,
) -> Vec<v1::PodCondition> {
    let ready = !statuses.is_empty() && statuses.iter().all(|status| status.ready);
    let reason = match phase {
        "Succeeded" => "PodCompleted",
        "Failed" => "PodFailed",
        _ => "ContainersNotReady",
    };
    let condition = |name: &str, holds: bool, reason: Option<&str>| v1::PodCondition {
        type_: name.to_owned(),
        status: if holds { "True" } else { "False" }.to_owned(),
        reason: reason.filter(|_| !holds).map(str::to_owned),
        ..Default::default()
    };
    vec![
        condition("PodReadyToStartContainers", runs, None),
        condition("Initialized", initialized, Some("ContainersNotInitialized")),
        condition("Ready", ready, Some(reason)),
        condition("ContainersReady", ready, Some(reason)),
        condition("PodScheduled", true, None),
    ]
}

/// What `kubectl get pods` shows of a pod (kubectl: `printPod`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// Containers that are ready.
    pub n_ready: usize,
    /// Containers.
    pub n_containers: usize,
    /// STATUS.
    pub status: String,
    /// RESTARTS.
    pub n_restarts: i32,
}

/// The columns of a pod.
#[must_use]
pub fn columns(pod: &v1::Pod) -> Columns {
    let status = pod.status.clone().unwrap_or_default();
    let containers = status.container_statuses.unwrap_or_default();
    let mut word = status.reason.clone().or(status.phase).unwrap_or_default();
    let inits = status.init_container_statuses.unwrap_or_default();
    if let Some((i, init)) = inits.iter().enumerate().find(|(_, init)| !init.ready) {
        return Columns {
            n_ready: 0,
            n_containers: containers.len(),
            status: status
                .reason
                .unwrap_or_else(|| initializing(i, inits.len(), init)),
            n_restarts: inits.iter().map(|init| init.restart_count).sum(),
        };
    }
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
    if status.reason.is_some() {
        word = status.reason.unwrap_or_default();
    }
    Columns {
        n_ready: containers
            .iter()
            .filter(|container| container.ready)
            .count(),
        n_containers: containers.len(),
        status: word,
        n_restarts: containers
            .iter()
            .map(|container| container.restart_count)
            .sum(),
    }
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

#[cfg(test)]
mod tests {
    use super::super::seen::tests::{member, pause};
    use super::*;
    use crate::record::labels::Restart;

    fn check(policy: RestartPolicy, containers: &[SeenContainer], expected: &str) {
        let mut containers = containers.to_vec();
        for container in &mut containers {
            container.identity.restart_policy = policy;
        }
        let pods = pods(&containers);
        let Columns {
            n_ready,
            n_containers,
            status,
            n_restarts,
        } = columns(&pods[0]);
        let phase = pods[0]
            .status
            .as_ref()
            .and_then(|s| s.phase.clone())
            .unwrap_or_default();
        assert_eq!(
            format!("{phase}: {n_ready}/{n_containers} {status} {n_restarts}"),
            expected
        );
    }

    #[test]
    fn a_pod_is_shown_as_kubectl_does() {
        use RestartPolicy::{Always, Never, OnFailure};
        use State::{Created, Exited, Running};
        let two = |a, b| vec![pause(Running), member("a", a), member("b", b)];
        check(Always, &two(Running, Running), "Running: 2/2 Running 0");
        check(
            Always,
            &two(Running, Created),
            "Pending: 1/2 ContainerCreating 0",
        );
        check(Always, &two(Running, Exited(1)), "Running: 1/2 Error 0");
        check(
            OnFailure,
            &two(Running, Exited(0)),
            "Running: 1/2 NotReady 0",
        );
        check(
            Never,
            &two(Exited(0), Exited(0)),
            "Succeeded: 0/2 Completed 0",
        );
        check(Never, &two(Exited(0), Exited(7)), "Failed: 0/2 Completed 0");
        check(Never, &two(Exited(7), Exited(0)), "Failed: 0/2 Error 0");
        check(
            OnFailure,
            &two(Exited(7), Exited(0)),
            "Running: 0/2 Error 0",
        );
    }

    #[test]
    fn a_container_that_is_not_there_is_waited_for() {
        let containers = [pause(State::Running), member("a", State::Running)];
        check(
            RestartPolicy::Always,
            &containers,
            "Pending: 1/2 ContainerCreating 0",
        );
    }

    #[test]
    fn init_containers_are_shown_as_kubectl_does() {
        use RestartPolicy::{Always, Never};
        use State::{Created, Exited, Running};
        let with = |first, second, app| {
            let mut all = vec![
                pause(Running),
                member("one", first),
                member("two", second),
                member("a", app),
                member("b", app),
            ];
            for container in &mut all {
                container.identity.init_containers = vec!["one".into(), "two".into()];
            }
            all
        };
        check(
            Always,
            &with(Running, Created, Created),
            "Pending: 0/2 Init:0/2 0",
        );
        check(
            Always,
            &with(Exited(0), Running, Created),
            "Pending: 0/2 Init:1/2 0",
        );
        check(
            Always,
            &with(Exited(3), Created, Created),
            "Pending: 0/2 Init:Error 0",
        );
        check(
            Never,
            &with(Exited(3), Created, Created),
            "Failed: 0/2 Init:Error 0",
        );
        check(
            Always,
            &with(Exited(0), Exited(0), Running),
            "Running: 2/2 Running 0",
        );
        let pods = pods(&with(Running, Created, Created));
        let status = pods[0].status.clone().expect("a status");
        let conditions = status.conditions.expect("conditions");
        assert_eq!(conditions[1].status, "False");
        assert_eq!(
            conditions[1].reason.as_deref(),
            Some("ContainersNotInitialized")
        );
        let app = &status.container_statuses.expect("containers")[0];
        let waiting = app.state.clone().and_then(|state| state.waiting);
        assert_eq!(
            waiting.and_then(|w| w.reason).as_deref(),
            Some("PodInitializing")
        );
    }

    #[test]
    fn one_that_waits_to_be_started_again_is_shown_as_kubectl_does() {
        use State::{Created, Exited, Running};
        let again = |state, delay| {
            let mut again = member("a", state);
            again.id = "a-1".into();
            again.identity.attempt = 3;
            again.identity.restart = Some(Restart {
                delay,
                not_before: 0,
            });
            again
        };
        let pod = |again| {
            let mut ended = member("a", Exited(3));
            ended.identity.attempt = 2;
            vec![pause(Running), ended, again, member("b", Running)]
        };
        let waits = pod(again(Created, 20_000));
        check(
            RestartPolicy::Always,
            &waits,
            "Running: 1/2 CrashLoopBackOff 2",
        );
        let runs = pod(again(Running, 20_000));
        check(RestartPolicy::Always, &runs, "Running: 2/2 Running 3");
        let status = pods(&waits)[0].status.clone().expect("a status");
        let a = &status.container_statuses.expect("containers")[0];
        let state = a.state.clone().and_then(|state| state.waiting);
        assert_eq!(
            state.and_then(|state| state.message).as_deref(),
            Some("back-off 20s restarting failed container=a pod=web_default(u)")
        );
        let last = a.last_state.clone().and_then(|last| last.terminated);
        assert_eq!(last.map(|last| last.exit_code), Some(3));
    }

    #[test]
    fn members_without_their_pause_are_no_running_pod() {
        let containers = [
            pause(State::Exited(137)),
            member("a", State::Running),
            member("b", State::Running),
        ];
        check(
            RestartPolicy::Always,
            &containers,
            "Running: 0/2 SandboxChanged 0",
        );
    }
}
