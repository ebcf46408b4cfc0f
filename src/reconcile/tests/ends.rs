//! A pod that has come to its end, by itself, by its deadline or by hands.

use super::*;
use crate::reconcile::Until;

const LIVE: Goal = Goal::Live(Until::Stopped);

fn ended() -> Vec<SeenContainer> {
    vec![
        pause(Running),
        member("a", Exited(0)),
        member("b", Exited(0)),
    ]
}

#[test]
fn past_its_deadline_nothing_is_started_by_whomever() {
    let mut desired = desired();
    desired.pod.active_deadline = Some(5);
    for goal in [Goal::Up, LIVE] {
        let check = |containers, now, expected: &[&str]| {
            Case {
                goal,
                began: Some(1000),
                now,
                ..Case::up(&desired, seen(&desired, containers))
            }
            .check(expected);
        };
        check(
            whole(),
            6000,
            &["stop a: the pod is over", "stop b: the pod is over"],
        );
        let reached: &[&str] = if goal == LIVE { &[] } else { &["reached"] };
        check(ended(), 6000, reached);
    }
}

#[test]
fn a_deadline_after_its_end_says_nothing() {
    let mut desired = desired();
    desired.pod.restart_policy = RestartPolicy::Never;
    desired.pod.active_deadline = Some(5);
    let over = |end, timed_out| {
        let case = Case {
            goal: LIVE,
            began: Some(1000),
            now: 6000,
            end,
            timed_out,
            ..Case::up(&desired, seen(&desired, ended()))
        };
        case.decide().over
    };
    assert_eq!(over(None, false), Some(Over::Succeeded));
    assert_eq!(over(Some(Over::Succeeded), false), Some(Over::Succeeded));
    assert_eq!(over(None, true), Some(Over::Deadline));
}

#[test]
fn what_is_removed_of_a_pod_that_has_ended_is_not_missed() {
    let mut desired = desired();
    desired.pod.restart_policy = RestartPolicy::Never;
    for goal in [Goal::Up, LIVE] {
        let check = |end, expected: &[&str]| {
            Case {
                goal,
                end,
                ..Case::up(&desired, seen(&desired, vec![pause(Running)]))
            }
            .check(expected);
        };
        check(None, &["create a: missing", "create b: missing"]);
        let reached: &[&str] = if goal == LIVE { &[] } else { &["reached"] };
        check(Some(Over::Succeeded), reached);
        check(Some(Over::Failed), reached);
    }
}

#[test]
fn what_is_to_be_made_anew_has_not_ended() {
    let mut desired = desired();
    desired.pod.restart_policy = RestartPolicy::Never;
    let check = |containers, outdated, expected: &[&str]| {
        Case {
            goal: LIVE,
            outdated,
            ..Case::up(&desired, seen(&desired, containers))
        }
        .check(expected);
    };
    check(ended(), &[], &[]);
    check(ended(), &["a-0"], &["create a: new image"]);
    let mut with_new_pause = ended();
    with_new_pause[0].identity.attempt = 1;
    with_new_pause[0].id = "POD-1".into();
    let all = ["create a: new pause", "create b: new pause"];
    check(with_new_pause, &[], &all);
}

#[test]
fn an_ended_pod_has_a_pause_to_read_its_record_through() {
    let desired = desired();
    for goal in [Goal::Up, LIVE] {
        Case {
            goal,
            end: Some(Over::Succeeded),
            ..Case::up(&desired, seen(&desired, vec![member("a", Exited(0))]))
        }
        .check(&["create pause: missing"]);
    }
}

#[test]
fn only_what_would_be_made_anew_is_outdated() {
    let desired = with_inits();
    let mut before = member("a", Exited(0));
    (before.id, before.image) = ("a-before".into(), "sha256:0".into());
    let mut now = member("a", Running);
    now.identity.attempt = 1;
    let mut init = member("one", Exited(0));
    init.image = "sha256:0".into();
    let seen = seen(&desired, vec![pause(Running), init, before, now]);
    let images = BTreeMap::from([("busybox".to_owned(), image())]);
    assert!(seen.outdated(&desired.pod, &images).is_empty());
}

/// The machine was started anew: its pause is dead, and stays so.
#[test]
fn what_has_ended_with_an_init_container_has_failed_again_and_again() {
    let mut desired = with_inits();
    desired.pod.restart_policy = RestartPolicy::Never;
    let containers = vec![
        pause(Exited(0)),
        member("one", Exited(3)),
        member("two", Created),
        member("a", Created),
        member("b", Created),
    ];
    Case {
        end: Some(Over::Failed),
        ..Case::up(&desired, seen(&desired, containers))
    }
    .check(&["failed: one 3"]);
}

#[test]
fn a_stopped_pod_has_a_pause_to_read_its_record_through() {
    let mut desired = desired();
    desired.pod.stopped = true;
    for goal in [Goal::Up, LIVE] {
        Case {
            goal,
            ..Case::up(&desired, seen(&desired, vec![]))
        }
        .check(&["create pause: missing"]);
    }
}

#[test]
fn what_was_ended_of_a_stopped_pod_has_not_failed() {
    let mut desired = with_inits();
    desired.pod.stopped = true;
    let containers = vec![
        pause(Exited(0)),
        member("one", Exited(143)),
        member("two", Created),
        member("a", Created),
    ];
    Case::up(&desired, seen(&desired, containers)).check(&["reached"]);
}

#[test]
fn a_clock_that_was_set_back_is_not_waited_for() {
    let desired = desired();
    let times = Ended {
        started: 9_000_000,
        finished: 9_000_500,
        alone: false,
    };
    let mut waits = member("b", Created);
    waits.identity.restart = Some(Restart {
        delay: 10_000,
        not_before: 9_000_000,
    });
    let containers = vec![pause(Running), member("a", Exited(137)), waits];
    Case {
        goal: LIVE,
        now: 1000,
        ended: BTreeMap::from([("a-0".to_owned(), times)]),
        ..Case::up(&desired, seen(&desired, containers))
    }
    .check(&["create a: ended", "start b"]);
}
