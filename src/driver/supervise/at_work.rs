//! Whether a command seems to be at work on a pod, and how long it may do nothing before it counts as gone.
//!
//! Not here: what the supervisor does then (`keep`).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::engine::{Engine, EngineError};
use crate::reconcile::{Input, Seen, SeenContainer, decide};
use crate::record::hash;
use crate::spec::lifecycle::Handler;
use crate::spec::{Desired, ImageFacts};

/// A command that has done nothing for so long is gone, where it does not wait for a container to end.
pub(super) const QUIET: Duration = Duration::from_secs(2);
/// A hook that is an HTTP request has been answered by then.
const LONGEST_HTTP_HOOK: Duration = Duration::from_mins(1);

/// Whether an `up` would have nothing left to do.
pub(super) fn is_whole(
    desired: &Desired,
    images: &BTreeMap<String, ImageFacts>,
    seen: &Seen,
) -> bool {
    let decision = decide(&Input::of_look(desired, images, seen));
    decision.reached && hooking(seen).next().is_none()
}

/// The containers whose `postStart` hook a command may be running: it has not told that they have been started.
fn hooking(seen: &Seen) -> impl Iterator<Item = &SeenContainer> {
    let told = seen.record.as_ref().map(|record| &record.told.containers);
    let is_started = move |c: &SeenContainer| {
        let standing = told.and_then(|told| told.get(&c.id));
        standing.is_some_and(|standing| standing.started)
    };
    let running = seen.members().filter(|c| c.is_running());
    running.filter(move |c| c.identity.care.post_start && !is_started(c))
}

/// Whether a hook runs, as a command in its container: it may take its time, and goes on where who began it is gone.
pub(super) async fn is_running_a_hook(engine: &Engine, seen: &Seen) -> Result<bool, EngineError> {
    for container in hooking(seen) {
        if engine.runs_commands(&container.id).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How long a command that is at work may do nothing: it may wait for a container to end, or for a hook that is no command.
pub(super) fn patience(desired: &Desired, seen: &Seen) -> Duration {
    let hook = |c: &SeenContainer| {
        let container = desired.pod.container(&c.identity.container)?;
        match container.lifecycle.post_start.as_ref()? {
            Handler::Exec(_) => None,
            Handler::Sleep(seconds) => Some(Duration::from_secs(*seconds)),
            Handler::Http(_) => Some(LONGEST_HTTP_HOOK),
        }
    };
    let hooks = hooking(seen).filter_map(hook).max().unwrap_or_default();
    let running = seen.members().filter(|c| c.is_running());
    let pod = &desired.pod;
    let is_of_old_pod = seen
        .pause()
        .is_none_or(|p| p.identity.hash != hash::pause(pod));
    let is_wanted = |c: &SeenContainer| {
        let container = pod.container(&c.identity.container);
        let wanted = container.map(|container| hash::container(pod, container));
        let counts = seen.member(&c.identity.container);
        wanted.as_ref() == Some(&c.identity.hash)
            && counts.is_some_and(|counts| counts.id == c.id)
            && !seen.is_outdated(c)
    };
    let ending = running.filter(|c| pod.stopped || is_of_old_pod || !is_wanted(c));
    let graces = ending.map(|c| c.identity.grace_period);
    QUIET + hooks + Duration::from_secs(graces.max().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::State;
    use crate::reconcile::seen::tests::{member, pause};
    use crate::record::hash::tests::pod;
    use crate::record::{Record, Told, Wish};
    use crate::spec::Payload;

    #[test]
    fn a_command_may_wait_for_those_that_it_ends_and_for_no_others() {
        let desired = Desired {
            pod: pod(&["a", "b"]),
            manifest: serde_json::Value::Null,
            payload: Payload::new(),
        };
        let made = |name| {
            let mut made = member(name, State::Running);
            let container = desired.pod.container(name).expect("one");
            made.identity.hash = hash::container(&desired.pod, container);
            made.identity.grace_period = 30;
            made
        };
        let mut pause = pause(State::Running);
        pause.identity.hash = hash::pause(&desired.pod);
        let record = Record {
            uid: String::new(),
            wish: Wish::new(&desired, &[], 2, ""),
            filled: None,
            payload: None,
            superseded: Vec::new(),
            told: Told::default(),
        };
        let whole = Seen {
            containers: vec![pause, made("a"), made("b")],
            record: Some(record),
            ..Seen::default()
        };
        let longest = |change: &dyn Fn(&mut Seen)| {
            let mut seen = whole.clone();
            change(&mut seen);
            patience(&desired, &seen)
        };
        let grace = Duration::from_secs(30);
        // Made for a wish before, and as the later one wants it.
        assert_eq!(
            longest(&|seen| seen.containers[1].identity.generation = 0),
            QUIET
        );
        assert_eq!(
            longest(&|seen| seen.containers[1].identity.hash.clear()),
            QUIET + grace
        );
        assert_eq!(
            longest(&|seen| seen.containers[0].identity.hash.clear()),
            QUIET + grace
        );
        let outdated = |seen: &mut Seen| {
            let record = seen.record.as_mut().expect("one");
            record.wish.outdated.insert(seen.containers[1].id.clone());
        };
        assert_eq!(longest(&outdated), QUIET + grace);
        assert_eq!(
            longest(&|seen| seen.containers[1].identity.container.clear()),
            QUIET + grace
        );
        let replaced = |seen: &mut Seen| {
            let mut next = made("a");
            (next.id, next.identity.attempt, next.state) = ("a-1".into(), 1, State::Created);
            seen.containers.push(next);
        };
        assert_eq!(longest(&replaced), QUIET + grace);
    }
}
