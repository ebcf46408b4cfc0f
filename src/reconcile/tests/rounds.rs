//! All containers begin again: kubelet: NB-RULES-06 to NB-RULES-10.

use super::*;
use crate::record::labels::Restart;
use crate::spec::restart::RestartRule;

/// The pod `web` of `one`, the sidecar `side`, `a` and `b`, where 42 begins a round, whoever ends with it.
fn ruled() -> Desired {
    let mut desired = desired();
    desired.pod.init_containers = pod(&["one", "side"]).containers;
    desired.pod.init_containers[1].sidecar = true;
    desired.pod.restart_policy = RestartPolicy::Never;
    let Desired { pod, .. } = &mut desired;
    for container in pod.init_containers.iter_mut().chain(&mut pod.containers) {
        container.restarts.rules = vec![RestartRule {
            all: true,
            not_in: false,
            codes: vec![42],
        }];
    }
    desired
}

/// The attempt that a container has been made for a round.
fn in_round(round: u32, name: &str, attempt: u32, state: State) -> SeenContainer {
    let mut member = member(name, state);
    member.id = format!("{name}-{attempt}");
    member.identity.attempt = attempt;
    member.identity.round = round;
    member.identity.restart = (attempt > 0).then_some(Restart::AT_ONCE);
    member.identity.sidecars = vec!["side".into()];
    member
}

fn check(containers: Vec<SeenContainer>, expected: &[&str]) {
    let desired = ruled();
    let ended = containers
        .iter()
        .filter(|c| matches!(c.state, Exited(_)))
        .map(|c| (c.id.clone(), Ended::default()))
        .collect();
    let case = Case {
        goal: Goal::Live(crate::reconcile::Until::Stopped),
        ended,
        ..Case::up(&desired, seen(&desired, containers))
    };
    case.check(expected);
}

#[test]
fn an_exit_that_a_rule_names_makes_all_begin_again_in_order() {
    let first = |one, side, a, b| {
        vec![
            pause(Running),
            in_round(0, "one", 0, one),
            in_round(0, "side", 0, side),
            in_round(0, "a", 0, a),
            in_round(0, "b", 0, b),
        ]
    };
    let with = |mut before: Vec<SeenContainer>, one, side, a, b| {
        before.push(in_round(1, "one", 1, one));
        before.push(in_round(1, "side", 1, side));
        before.push(in_round(1, "a", 1, a));
        before.push(in_round(1, "b", 1, b));
        before
    };
    // All are made before any is ended.
    check(
        first(Exited(0), Running, Exited(42), Running),
        &[
            "create one: all containers begin again",
            "create side: all containers begin again",
            "create a: all containers begin again",
            "create b: all containers begin again",
        ],
    );
    let second = |one, side, a, b| {
        let first = first(Exited(0), Exited(42), Exited(42), Exited(42));
        with(first, one, side, a, b)
    };
    // All of the round before are ended before any of this one is started.
    let ending = first(Exited(0), Running, Exited(42), Running);
    check(
        with(ending, Created, Created, Created, Created),
        &[
            "stop side: all containers begin again",
            "stop b: all containers begin again",
        ],
    );
    // Those that were ended begin no further round, whatever they end with.
    check(second(Created, Created, Created, Created), &["start one#1"]);
    check(
        second(Exited(0), Created, Created, Created),
        &["start side#1"],
    );
    check(
        second(Exited(0), Running, Created, Created),
        &["start a#1", "start b#1"],
    );
    check(second(Exited(0), Running, Running, Running), &[]);
}

#[test]
fn what_has_not_been_started_has_its_place_in_the_next_round() {
    check(
        vec![
            pause(Running),
            in_round(0, "one", 0, Exited(42)),
            in_round(0, "side", 0, Created),
            in_round(0, "a", 0, Created),
            in_round(1, "b", 0, Created),
        ],
        // `b` is of that round already.
        &[
            "create one: all containers begin again",
            "remove side: all containers begin again",
            "remove a: all containers begin again",
        ],
    );
}
