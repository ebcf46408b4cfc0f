//! Whether a pod has come to its end: nothing of it is to be started any more (kubelet: `getPhase`, `activeDeadlineHandler`).
//!
//! Not here: what is ended then (`up`), the words of a status (`status`).

use super::decide::Input;
use super::restart::is_to_run_again;
use super::seen::{SeenContainer, State};
use crate::record::hash;
use crate::spec::{Container, Desired};

/// How a pod has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// All app containers have ended well.
    Succeeded,
    /// One has not.
    Failed,
    /// Its time was over before (`activeDeadlineSeconds`).
    Deadline,
    /// Somebody stopped it.
    Stopped,
}

impl Over {
    /// Of a pod whose containers have all ended for good.
    #[must_use]
    pub fn of_end(failed: bool) -> Self {
        if failed {
            Self::Failed
        } else {
            Self::Succeeded
        }
    }
}

/// The end that a pod has come to. A changed pod has a life before it.
pub(super) fn over(input: &Input<'_>) -> Option<Over> {
    let desired = input.desired?;
    if desired.pod.stopped {
        return Some(Over::Stopped);
    }
    // kubelet: a pod that has come to its end does not begin again.
    if input.life.end.is_some() {
        return input.life.end;
    }
    let by_itself = || by_itself(input, desired);
    if deadline(input).is_some_and(|deadline| deadline <= input.life.now) {
        // What has ended before has not been ended by that.
        let before = if input.life.timed_out {
            None
        } else {
            by_itself()
        };
        return before.or(Some(Over::Deadline));
    }
    by_itself()
}

/// The end that its containers have come to.
fn by_itself(input: &Input<'_>, desired: &Desired) -> Option<Over> {
    let pause = input.seen.pause()?;
    if pause.identity.hash != hash::pause(&desired.pod) {
        return None;
    }
    let code = |container: &Container| end(input, desired, container);
    let mut inits = desired.pod.init_containers.iter().filter(|c| !c.sidecar);
    if inits.any(|container| code(container).is_some_and(|code| code != 0)) {
        return Some(Over::Failed);
    }
    let of_last = input.ends_with.and_then(|name| desired.pod.container(name));
    if let Some(code) = of_last.and_then(code) {
        return Some(Over::of_end(code != 0));
    }
    let codes: Option<Vec<i64>> = desired.pod.containers.iter().map(code).collect();
    Some(Over::of_end(codes?.iter().any(|code| *code != 0)))
}

/// The code with which a container has ended for good. What is to be made anew for another reason has not.
pub(super) fn end(input: &Input<'_>, desired: &Desired, container: &Container) -> Option<i64> {
    let current = input.seen.member(&container.name)?;
    let is_of_pause = input.seen.pause().is_none_or(|pause| current.joins(pause));
    if !is_of_pause || input.seen.is_outdated(current) {
        return None;
    }
    let code = input.life.code(current)?;
    let is_init = desired.pod.init_containers.contains(container);
    let again = is_to_run_again(&desired.pod, container, code) && !(is_init && code == 0);
    let same = current.identity.hash == hash::container(&desired.pod, container);
    (same && !again).then_some(code)
}

/// Whether an app container has failed for good, so that the pod will never be ready.
pub(super) fn has_failed(input: &Input<'_>) -> bool {
    input.desired.is_some_and(|desired| {
        let mut ends = desired.pod.containers.iter();
        ends.any(|c| end(input, desired, c).is_some_and(|code| code != 0))
    })
}

/// Whether a container has ended three times in a row, so that who waits for the pod to be ready need not wait longer.
pub(super) fn crash_loops(input: &Input<'_>) -> bool {
    let waited = input.life.back_off.first.saturating_mul(2);
    let mut members = input.seen.members();
    members.any(|c| {
        let restart = c.identity.restart;
        c.state == State::Created && restart.is_some_and(|restart| restart.delay >= waited)
    })
}

/// When its time is over, in the engine's milliseconds since 1970.
pub(super) fn deadline(input: &Input<'_>) -> Option<u64> {
    let seconds = input.desired?.pod.active_deadline?;
    let began = input.life.began?;
    Some(began.saturating_add(seconds.saturating_mul(1000)))
}

/// The members that are to be ended now, where what is told apart must end one after the other: app containers together, then
/// sidecars, the last first (kubelet: `terminationOrdering`).
pub(super) fn first_to_end<'a>(members: &[&'a SeenContainer]) -> Vec<&'a SeenContainer> {
    let running = || members.iter().copied().filter(|c| c.is_running());
    let apps: Vec<_> = running().filter(|c| !c.identity.is_sidecar()).collect();
    if !apps.is_empty() {
        return apps;
    }
    let place = |c: &SeenContainer| {
        let mut names = c.identity.sidecars.iter();
        names.position(|name| *name == c.identity.container)
    };
    let last = running().max_by_key(|c| place(c));
    running()
        .filter(|c| last.is_some_and(|last| last.identity.container == c.identity.container))
        .collect()
}

/// Whether a container has ended.
pub(super) fn has_exited(container: &SeenContainer) -> bool {
    matches!(container.state, State::Exited(_))
}
