//! Decisions about a pod that is kept alive.

use super::*;
use crate::reconcile::Until;

#[test]
fn what_was_killed_is_made_anew_once_it_is_known_that_its_pause_lives() {
    let desired = desired();
    let at = |now, code, pause: SeenContainer, expected: &[&str]| {
        let containers = vec![pause, member("a", Exited(code)), member("b", Running)];
        let times = Ended {
            started: 1000,
            finished: 5000,
        };
        let case = Case {
            goal: Goal::Live(Until::Stopped),
            now,
            ended: BTreeMap::from([("a-0".to_owned(), times)]),
            ..Case::up(&desired, seen(&desired, containers))
        };
        case.check(expected);
    };
    at(5000, 1, pause(Running), &["create a: ended"]);
    at(5299, 137, pause(Running), &[]);
    at(5300, 137, pause(Running), &["create a: ended"]);
    at(5100, 137, pause(Exited(137)), &["stop b: new pause"]);
}
