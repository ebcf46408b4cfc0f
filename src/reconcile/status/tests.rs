//! Pods as tables of text: what was seen of their containers, and what `kubectl get pods` would show.

use super::super::seen::State;
use super::super::seen::tests::{member, pause};
use super::*;
use crate::record::labels::{Care, Restart};
use crate::record::told::{Reason, Standing};
use crate::spec::RestartPolicy;

/// Without details, and with nothing told.
fn of(containers: &[SeenContainer]) -> Vec<v1::Pod> {
    pods(containers, &BTreeMap::new(), &BTreeMap::new())
}

fn check(policy: RestartPolicy, containers: &[SeenContainer], expected: &str) {
    let mut containers = containers.to_vec();
    for container in &mut containers {
        container.identity.restart_policy = policy;
    }
    let pods = of(&containers);
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
fn a_pod_that_is_being_taken_down_is_terminating_whatever_is_left_of_it() {
    let containers = [pause(State::Running), member("a", State::Running)];
    let mut pod = of(&containers).swap_remove(0);
    pod.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
    let Columns {
        n_ready, status, ..
    } = columns(&pod);
    assert_eq!((n_ready, status.as_str()), (1, "Terminating"));
}

#[test]
fn a_pod_that_is_being_taken_down_is_never_pending_again() {
    let two = |state| {
        [
            pause(State::Running),
            member("a", state),
            member("b", state),
        ]
    };
    let phase = |left: &[SeenContainer], before: &[SeenContainer]| {
        let mut pod = of(left).swap_remove(0);
        let phase = phase_of(before).unwrap_or_default();
        let deletion = Deletion {
            since: 0,
            grace_period: 30,
            phase,
        };
        mark(&mut pod, &deletion);
        pod.status.and_then(|status| status.phase)
    };
    let gone = [pause(State::Removing)];
    assert_eq!(
        phase(&gone, &two(State::Running)).as_deref(),
        Some("Running")
    );
    let pending = phase(&gone, &two(State::Created));
    assert_eq!(pending.as_deref(), Some("Pending"));
}

#[test]
fn a_pod_lacks_what_was_not_made_or_not_started() {
    let lacks = |containers: &[SeenContainer]| lacks_any(containers, &containers[0]);
    let [pause, a, b] = [
        pause(State::Running),
        member("a", State::Running),
        member("b", State::Exited(1)),
    ];
    assert!(!lacks(&[pause.clone(), a.clone(), b.clone()]));
    assert!(lacks(&[pause, a]));
    assert!(lacks(&[member("b", State::Created), b]));
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

/// kubelet: NB-INIT-01, NB-INIT-03.
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
    let pods = of(&with(Running, Created, Created));
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
            not_before: 1_000_000,
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
    let status = of(&waits)[0].status.clone().expect("a status");
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

/// The pod of `a` and `b` with a sidecar, of which this is told.
fn with_sidecar(states: [State; 4], policy: RestartPolicy) -> Vec<SeenContainer> {
    let names = ["side", "prepare", "a", "b"];
    let mut all: Vec<SeenContainer> = names
        .into_iter()
        .zip(states)
        .map(|(name, state)| member(name, state))
        .chain([pause(State::Running)])
        .collect();
    for container in &mut all {
        container.identity.init_containers = vec!["side".into(), "prepare".into()];
        container.identity.sidecars = vec!["side".into()];
        container.identity.restart_policy = policy;
    }
    all
}

#[test]
fn a_sidecar_counts_among_the_ready_and_not_for_the_end() {
    use RestartPolicy::{Always, Never};
    use State::{Created, Exited, Running};
    let show = |states, policy, expected: &str| {
        check(policy, &with_sidecar(states, policy), expected);
    };
    show(
        [Running, Exited(0), Running, Running],
        Always,
        "Running: 3/3 Running 0",
    );
    show(
        [Running, Running, Created, Created],
        Always,
        "Pending: 1/3 Init:1/2 0",
    );
    show(
        [Created, Created, Created, Created],
        Always,
        "Pending: 0/3 Init:0/2 0",
    );
    show(
        [Exited(1), Exited(0), Exited(0), Exited(0)],
        Never,
        "Succeeded: 0/3 Completed 0",
    );
    show(
        [Running, Exited(0), Exited(3), Exited(0)],
        Never,
        "Failed: 1/3 Error 0",
    );
}

#[test]
fn probes_decide_what_is_started_and_ready() {
    let told = |started, ready| {
        let mut all = vec![pause(State::Running), member("a", State::Running)];
        for container in &mut all {
            container.identity.containers = vec!["a".into()];
            container.identity.care = Care {
                startup: true,
                readiness: true,
                ..Care::default()
            };
        }
        let standing = Standing {
            started,
            ready,
            ..Standing::default()
        };
        let told = Told {
            containers: BTreeMap::from([("a-0".to_owned(), standing)]),
            ..Told::default()
        };
        let key = all[0].pod().clone();
        let pods = pods(&all, &BTreeMap::new(), &BTreeMap::from([(key, told)]));
        let status = pods[0].status.clone().expect("a status");
        let a = &status.container_statuses.expect("containers")[0];
        let ready = &status.conditions.expect("conditions")[2];
        (
            a.started,
            a.ready,
            ready.status.clone(),
            ready.message.clone(),
        )
    };
    let unready = || Some("containers with unready status: [a]".to_owned());
    let no = || "False".to_owned();
    assert_eq!(told(false, false), (Some(false), false, no(), unready()));
    assert_eq!(told(true, false), (Some(true), false, no(), unready()));
    assert_eq!(told(true, true), (Some(true), true, "True".into(), None));
}

#[test]
fn a_pod_past_its_deadline_has_failed_and_says_why() {
    let mut all = vec![pause(State::Running), member("a", State::Exited(137))];
    for container in &mut all {
        container.identity.containers = vec!["a".into()];
    }
    let told = Told {
        ended: Some(Reason {
            reason: "DeadlineExceeded".into(),
            message: "late".into(),
        }),
        ..Told::default()
    };
    let key = all[0].pod().clone();
    let pods = pods(&all, &BTreeMap::new(), &BTreeMap::from([(key, told)]));
    let status = pods[0].status.clone().expect("a status");
    assert_eq!(status.phase.as_deref(), Some("Failed"));
    assert_eq!(status.reason.as_deref(), Some("DeadlineExceeded"));
    assert_eq!(columns(&pods[0]).status, "Error");
}
