//! Decisions about a pod that is kept alive.

use super::*;
use crate::reconcile::Until;
use crate::record::labels::Restart;

#[test]
fn what_was_killed_is_made_anew_once_it_is_known_that_its_pause_lives() {
    let desired = desired();
    let at = |now, code, alone, pause: SeenContainer, expected: &[&str]| {
        let containers = vec![pause, member("a", Exited(code)), member("b", Running)];
        let times = Ended {
            started: 1000,
            finished: 5000,
            alone,
        };
        let case = Case {
            goal: Goal::Live(Until::Stopped),
            now,
            ended: BTreeMap::from([("a-0".to_owned(), times)]),
            ..Case::up(&desired, seen(&desired, containers))
        };
        case.check(expected);
    };
    at(5000, 1, false, pause(Running), &["create a: ended"]);
    at(5000, 137, true, pause(Running), &["create a: ended"]);
    at(5299, 137, false, pause(Running), &[]);
    at(5300, 137, false, pause(Running), &["create a: ended"]);
    at(5100, 137, false, pause(Exited(137)), &["stop b: new pause"]);
}

fn live(desired: &Desired, containers: Vec<SeenContainer>) -> Case<'_> {
    Case {
        goal: Goal::Live(Until::Stopped),
        ..Case::up(desired, seen(desired, containers))
    }
}

#[test]
fn a_pause_that_has_lost_its_network_is_brought_back_into_it() {
    let desired = desired();
    let mut containers = whole();
    containers[0].connected = false;
    let mut case = live(&desired, containers);
    case.check(&["connect pause to the network"]);
    // The network itself may be gone.
    case.seen.network = false;
    case.check(&["create network"]);
}

#[test]
fn what_was_removed_by_hand_counts_as_restarted() {
    let desired = desired();
    let containers = vec![pause(Running), member("b", Running)];
    let attempts = BTreeMap::from([("a".to_owned(), 3)]);
    let seen = seen(&desired, containers);
    let images = BTreeMap::from([("busybox".to_owned(), image())]);
    let mut input = Input::of_look(&desired, &images, &seen);
    (input.goal, input.life.attempts) = (Goal::Live(Until::Stopped), &attempts);
    let decision = decide(&input);
    let [
        crate::reconcile::Action::Create {
            container, attempt, ..
        },
    ] = &decision.actions[..]
    else {
        panic!("{:?}", decision.actions);
    };
    assert_eq!((container.as_str(), *attempt), ("a", 4));
    // What its image's name meant may be gone too.
    let nothing = BTreeMap::new();
    input.images = &nothing;
    let actions = decide(&input).actions;
    let lines: Vec<String> = actions.iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["pull the image of a"]);
}

#[test]
fn what_was_never_started_leaves_its_place_and_its_number() {
    let mut new = desired();
    let old = desired();
    new.pod.containers[0].env.push(EnvVar {
        name: "X".into(),
        value: Text::Plain("1".into()),
    });
    let containers = vec![pause(Running), member("a", Created), member("b", Running)];
    let case = Case {
        goal: Goal::Live(Until::Stopped),
        ..Case::up(&new, seen(&old, containers))
    };
    case.check(&["remove a: changed"]);
}

#[test]
fn a_supervisor_keeps_the_network_for_the_next_pod() {
    let desired = desired();
    let mut now = seen(&desired, vec![]);
    (now.deletion, now.network_stays) = (true, true);
    Case::down(&desired, now.clone()).check(&["remove record"]);
    now.network_stays = false;
    Case::down(&desired, now).check(&["remove network"]);
}

#[test]
fn who_waits_for_a_pod_waits_until_it_is_up_or_cannot_come_up_any_more() {
    let ended = |policy, code| {
        let mut desired = desired();
        desired.pod.restart_policy = policy;
        let containers = vec![
            pause(Running),
            member("a", Exited(code)),
            member("b", Running),
        ];
        let times = Ended {
            started: 1000,
            finished: 5000,
            alone: true,
        };
        let case = Case {
            goal: Goal::Live(Until::Ready { gives_up: false }),
            now: 5001,
            ended: BTreeMap::from([("a-0".to_owned(), times)]),
            ..Case::up(&desired, seen(&desired, containers))
        };
        case.check(&["reached"]);
    };
    let third = Some(Restart {
        delay: 20_000,
        not_before: 25_000,
    });
    // A container that has done its work is no fault; one that has failed for good is one that nothing mends.
    ended(RestartPolicy::Never, 0);
    ended(RestartPolicy::Never, 1);
    ended(RestartPolicy::OnFailure, 0);
    // One that does nothing but crash may yet come up, for as long as somebody said that they would wait.
    let waits = |gives_up, is_over| {
        let mut desired = desired();
        desired.pod.restart_policy = RestartPolicy::Always;
        let mut containers = vec![pause(Running), member("a", Created), member("b", Running)];
        containers[1].identity.restart = third;
        let case = Case {
            goal: Goal::Live(Until::Ready { gives_up }),
            now: 5001,
            ..Case::up(&desired, seen(&desired, containers))
        };
        case.check(if is_over { &["reached"] } else { &[] });
    };
    waits(true, true);
    waits(false, false);
}

#[test]
fn the_step_of_a_back_off_is_kept_where_the_pause_is_made_anew() {
    let desired = desired();
    let restart = |generation| {
        let mut now = pause(Running);
        (now.id, now.identity.attempt) = ("POD-1".to_owned(), 1);
        // It was ended with its pause.
        let mut before = member("a", Exited(137));
        before.identity.restart = Some(Restart {
            delay: 10_000,
            not_before: 15_000,
        });
        let mut a = member("a", Exited(3));
        (a.id, a.identity.attempt) = ("a-1".to_owned(), 1);
        a.joined = Some(now.id.clone());
        a.identity.generation = generation;
        let mut b = member("b", Running);
        b.joined.clone_from(&a.joined);
        let times = Ended {
            started: 15_000,
            finished: 20_000,
            alone: false,
        };
        let case = Case {
            goal: Goal::Live(Until::Stopped),
            now: 21_000,
            ended: BTreeMap::from([("a-0".to_owned(), times), ("a-1".to_owned(), times)]),
            ..Case::up(&desired, seen(&desired, vec![now, before, a, b]))
        };
        let mut actions = case.decide().actions.into_iter();
        actions.find_map(|action| match action {
            Action::Create { restart, .. } => restart,
            _ => None,
        })
    };
    let generation = member("a", Running).identity.generation;
    assert_eq!(
        restart(generation).map(|restart| restart.delay),
        Some(20_000)
    );
    // Whoever has asked for another life since begins at the beginning.
    assert_eq!(
        restart(generation + 1).map(|restart| restart.delay),
        Some(0)
    );
}
