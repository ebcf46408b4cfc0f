//! The way up: towards a pod of which each container has been started once, and which is kept alive from then on.
//!
//! The pause first, its volumes filled, then started; members are made meanwhile and started once it runs, each in its turn.
//!
//! Not here: the steps of one container (`member`) and of the pause (`pause`), when a pod is over (`over`).

use super::action::{Action, Why};
use super::decide::{FailedInit, Input};
use super::down::{remove, stop};
use super::health::Hook;
use super::member::{self, Place, member};
use super::over::{self, Over, first_to_end};
use super::pause::{self, Pause};
use super::round::{Sandbox, follows_one};
use super::seen::{SeenContainer, State};
use crate::spec::{Container, Desired};

/// What to do now.
pub(super) fn actions(input: &Input<'_>, over: Option<Over>) -> Vec<Action> {
    let Some(desired) = input.desired else {
        return Vec::new();
    };
    match over {
        Some(Over::Stopped) => return stopping(input),
        // kubelet: nothing of it is started any more.
        Some(Over::Deadline) => return ending(input),
        Some(_) if input.goal.is_live() || input.life.end.is_some() => return ending(input),
        _ => {}
    }
    let mut actions = Vec::new();
    if !input.seen.network {
        actions.push(Action::CreateNetwork);
    }
    match pause::pause(input, desired) {
        Pause::Replace(why) => actions.extend(pause::replace(input, why)),
        Pause::Create { attempt, why } => actions.push(Action::CreatePause { attempt, why }),
        Pause::Keep(pause) => {
            let others = pause::others(input, pause);
            if !others.is_empty() {
                return others;
            }
            let filled = pause::is_filled(input, desired, pause);
            actions.extend(pause::steps(input, pause, filled));
            let sandbox = Sandbox::new(input, pause);
            actions.extend(members(input, desired, sandbox, filled));
            actions.extend(unwanted(input, desired));
            actions.extend(pause::older(input, pause));
        }
    }
    actions
}

/// All are made at once; each is started in its turn.
fn members(
    input: &Input<'_>,
    desired: &Desired,
    sandbox: Sandbox<'_>,
    filled: bool,
) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut place = Place {
        desired,
        sandbox,
        filled,
        turn: !sandbox.is_being_left(input),
    };
    // kubelet: once app containers have begun, nothing of them waits for init containers any more, and one that was removed does
    // not run again.
    let begun = has_begun(input, desired, sandbox);
    for container in &desired.pod.init_containers {
        if container.sidecar {
            actions.extend(member(input, container, place));
        } else if !begun || input.seen.member(&container.name).is_some() {
            actions.extend(member::init(input, container, place));
        }
        place.turn &= lets_go_on(input, container, sandbox);
    }
    place.turn |= begun;
    for container in &desired.pod.containers {
        actions.extend(member(input, container, place));
        place.turn &= !holds_back(input, container, sandbox);
    }
    actions
}

/// Whether each container has been started once, provided that nothing is left to do.
pub(super) fn is_started(input: &Input<'_>) -> bool {
    let Some(desired) = input.desired else {
        return false;
    };
    let leaving = input
        .seen
        .containers
        .iter()
        .any(|c| c.state == State::Removing);
    let Some(pause) = input.seen.pause().filter(|pause| pause.is_running()) else {
        return false;
    };
    let pod = &desired.pod;
    let started = |c: &Container| {
        let member = input.seen.member(&c.name);
        member.map_or(input.life.end.is_some(), |member| match member.state {
            State::Running => !is_hooking(input, member),
            State::Exited(_) => true,
            State::Created => {
                member.identity.restart.is_some() || input.life.code(member).is_some()
            }
            State::Removing => false,
        })
    };
    let sandbox = Sandbox::new(input, pause);
    let begun = has_begun(input, desired, sandbox);
    let mut inits = pod.init_containers.iter();
    let is_past = |c: &Container| {
        let needless = begun && (input.goal.is_live() || !c.sidecar);
        let is_gone = input.life.end.is_some() && input.seen.member(&c.name).is_none();
        needless || is_gone || lets_go_on(input, c, sandbox)
    };
    !leaving && inits.all(is_past) && pod.containers.iter().all(started)
}

/// Whether it has come up: kubelet's condition `Ready`, but for app containers that have ended well and are not to run again.
pub(super) fn is_ready(input: &Input<'_>) -> bool {
    let Some(desired) = input.desired else {
        return false;
    };
    let pod = &desired.pod;
    let ready = |c: &Container| {
        let member = input.seen.member(&c.name);
        member.is_some_and(|member| input.life.is_ready(member))
    };
    let is_done = |c: &Container| over::end(input, desired, c) == Some(0);
    pod.sidecars().all(ready) && pod.containers.iter().all(|c| ready(c) || is_done(c))
}

/// The init container for which nothing after it can start.
pub(super) fn failed_init(input: &Input<'_>) -> Option<FailedInit> {
    let pod = &input.desired?.pod;
    let sandbox = Sandbox::new(input, input.seen.pause()?);
    let stuck = |c: &&Container| !lets_go_on(input, c, sandbox);
    let container = pod.init_containers.iter().find(stuck)?;
    match input.seen.member(&container.name)?.state {
        State::Exited(code) => Some(FailedInit {
            container: container.name.clone(),
            code,
        }),
        _ => None,
    }
}

/// Whether what comes after an init container of this pause may start: it has ended well; a sidecar has started (kubelet:
/// `computeInitContainerActions`).
fn lets_go_on(input: &Input<'_>, container: &Container, sandbox: Sandbox<'_>) -> bool {
    let current = input.seen.member(&container.name);
    current.filter(|c| sandbox.has(c)).is_some_and(|c| {
        if container.sidecar {
            input.life.is_started(c)
        } else {
            c.state == State::Exited(0)
        }
    })
}

/// Whether an app container of this pause and round has been started before.
fn has_begun(input: &Input<'_>, desired: &Desired, sandbox: Sandbox<'_>) -> bool {
    let began = |c: &SeenContainer| {
        sandbox.has(c) && (c.is_running() || over::has_exited(c) || follows_one(input, c))
    };
    let mut members = input.seen.members();
    members.any(|c| {
        let name = &c.identity.container;
        began(c) && desired.pod.containers.iter().any(|app| app.name == *name)
    })
}

/// Whether the app containers after this one wait for its `postStart` hook (kubelet: `SyncPod` starts one after the other, and
/// each start ends with its hook).
fn holds_back(input: &Input<'_>, container: &Container, sandbox: Sandbox<'_>) -> bool {
    if container.lifecycle.post_start.is_none() {
        return false;
    }
    let current = input.seen.member(&container.name);
    current
        .filter(|c| sandbox.has(c))
        .is_none_or(|c| match c.state {
            State::Created => !follows_one(input, c) && input.life.code(c).is_none(),
            State::Running => is_hooking(input, c),
            State::Exited(_) | State::Removing => false,
        })
}

/// Whether its `postStart` hook has not ended.
fn is_hooking(input: &Input<'_>, container: &SeenContainer) -> bool {
    let health = input.life.health.get(&container.id);
    health.is_some_and(|health| health.post_start == Hook::Due)
}

/// Of a pod that is over, what still runs is ended. A pause is there, though it may not run: the record is read through it.
fn ending(input: &Input<'_>) -> Vec<Action> {
    let members: Vec<_> = input.seen.members().collect();
    let last = first_to_end(&members);
    if last.is_empty() && input.seen.pause().is_none() {
        let (attempt, why) = (0, Why::Missing);
        return vec![Action::CreatePause { attempt, why }];
    }
    last.into_iter().map(|c| stop(c, None, Why::Over)).collect()
}

/// Of a pod that is stopped, the pause ends last: with it go the pod's ports and address.
fn stopping(input: &Input<'_>) -> Vec<Action> {
    let members = ending(input);
    if !members.is_empty() {
        return members;
    }
    let pauses = input
        .seen
        .containers
        .iter()
        .filter(|c| c.identity.is_pause());
    pauses
        .filter(|c| c.is_running())
        .map(|c| stop(c, None, Why::Over))
        .collect()
}

/// Whether nothing of the pod runs.
pub(super) fn is_stopped(input: &Input<'_>) -> bool {
    !input.seen.containers.iter().any(SeenContainer::is_running)
}

/// Containers that the pod no longer has.
fn unwanted(input: &Input<'_>, desired: &Desired) -> Vec<Action> {
    let unwanted = |c: &&SeenContainer| desired.pod.container(&c.identity.container).is_none();
    let members = input.seen.members().filter(unwanted);
    members
        .filter_map(|c| match c.state {
            State::Running => Some(stop(c, None, Why::NotWanted)),
            State::Created | State::Exited(_) => Some(remove(c, Why::NotWanted)),
            State::Removing => None,
        })
        .collect()
}
