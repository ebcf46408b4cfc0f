//! The way up: towards a pod of which each container has been started once.
//!
//! The pause first, its volumes filled, then started; members are made meanwhile and started once it runs. What must be
//! made anew is made before the old one is stopped, so that a request that the engine refuses costs nothing.
//!
//! Not here: starting again what ends later.

use super::action::{Action, Why};
use super::decide::{FailedInit, Input, target};
use super::down::{remove, stop};
use super::seen::{SeenContainer, State};
use crate::record::hash;
use crate::spec::{Container, Desired, RestartPolicy};

/// What to do now.
pub(super) fn actions(input: &Input<'_>) -> Vec<Action> {
    let Some(desired) = input.desired else {
        return Vec::new();
    };
    let mut actions = Vec::new();
    if !input.seen.network {
        actions.push(Action::CreateNetwork);
    }
    match pause(input, desired) {
        Pause::Replace(why) => actions.extend(replace_pause(input, why)),
        Pause::Create { attempt, why } => actions.push(Action::CreatePause { attempt, why }),
        Pause::Keep(pause) => {
            let others = other_pauses(input, pause);
            if !others.is_empty() {
                return others;
            }
            let filled = is_filled(input, desired);
            actions.extend(pause_steps(input, pause, filled));
            // All are made at once; each is started in its turn.
            let mut turn = true;
            for container in &desired.pod.init_containers {
                let of_it = init(input, container, pause, turn);
                actions.extend(match of_it {
                    Some(of_it) => of_it,
                    None => member(
                        input,
                        desired,
                        container,
                        pause,
                        Turn { filled, come: turn },
                    ),
                });
                turn &= has_completed(input, container, pause);
            }
            for container in &desired.pod.containers {
                let turn = Turn { filled, come: turn };
                actions.extend(member(input, desired, container, pause, turn));
            }
            actions.extend(unwanted(input, desired));
        }
    }
    actions
}

/// Whether the goal is reached, provided that nothing is left to do.
pub(super) fn is_reached(input: &Input<'_>) -> bool {
    let Some(desired) = input.desired else {
        return false;
    };
    let started = |c: &Container| {
        let member = input.seen.member(&c.name);
        member.is_some_and(|m| matches!(m.state, State::Running | State::Exited(_)))
    };
    let leaving = input
        .seen
        .containers
        .iter()
        .any(|c| c.state == State::Removing);
    let runs = input.seen.pause().is_some_and(SeenContainer::is_running);
    let pause = input.seen.pause();
    let completed = |c: &Container| pause.is_some_and(|pause| has_completed(input, c, pause));
    runs && !leaving
        && desired.pod.init_containers.iter().all(completed)
        && desired.pod.containers.iter().all(started)
}

/// The init container for which nothing after it can start.
pub(super) fn failed_init(input: &Input<'_>) -> Option<FailedInit> {
    let pod = &input.desired?.pod;
    let pause = input.seen.pause()?;
    let stuck = |c: &&Container| !has_completed(input, c, pause);
    let container = pod.init_containers.iter().find(stuck)?;
    match input.seen.member(&container.name)?.state {
        State::Exited(code) => Some(FailedInit {
            container: container.name.clone(),
            code,
        }),
        _ => None,
    }
}

/// Whether an init container of this pause has ended well.
fn has_completed(input: &Input<'_>, container: &Container, pause: &SeenContainer) -> bool {
    let current = input.seen.member(&container.name);
    current.is_some_and(|c| c.state == State::Exited(0) && joins(c, pause))
}

fn joins(container: &SeenContainer, pause: &SeenContainer) -> bool {
    container
        .joined
        .as_ref()
        .is_none_or(|joined| *joined == pause.id)
}

/// What an init container needs once it has been started; `None`: it has not been, and needs what any container does.
/// It runs once for each pause (kubelet: once for each sandbox), and again where it failed.
fn init(
    input: &Input<'_>,
    container: &Container,
    pause: &SeenContainer,
    turn: bool,
) -> Option<Vec<Action>> {
    let current = input
        .seen
        .member(&container.name)
        .filter(|c| joins(c, pause))?;
    let policy = input.desired.map(|desired| desired.pod.restart_policy);
    let fails = ended(input, current).is_some_and(|code| code != 0);
    if fails
        && policy != Some(RestartPolicy::Never)
        && let Some(again) = again(input, container, pause, current)
    {
        return Some(vec![again]);
    }
    match current.state {
        State::Running if turn && !input.is_busy(current) => {
            let mut actions = older(input, current);
            actions.push(Action::Await(target(current)));
            Some(actions)
        }
        State::Running | State::Exited(_) => Some(older(input, current)),
        State::Created if fails => Some(Vec::new()),
        State::Created | State::Removing => None,
    }
}

/// The code with which a container has ended; one that could not be started counts as ended.
fn ended(input: &Input<'_>, container: &SeenContainer) -> Option<i64> {
    /// Docker: a start that was refused.
    const NOT_STARTED: i64 = 128;
    match container.state {
        State::Exited(code) => Some(code),
        State::Created => {
            let life = input.life.as_ref()?;
            life.ended
                .contains_key(&container.id)
                .then_some(NOT_STARTED)
        }
        State::Running | State::Removing => None,
    }
}

/// One that has ended, made anew for that. Where nobody keeps the pod alive, only what had ended before the command began
/// is; else after what is to be waited.
fn again(
    input: &Input<'_>,
    container: &Container,
    pause: &SeenContainer,
    ended: &SeenContainer,
) -> Option<Action> {
    let restart = match &input.life {
        None if input.ended_before.contains(&ended.id) => None,
        None => return None,
        Some(life) => {
            let times = life.ended.get(&ended.id)?;
            Some(life.back_off.after(ended.identity.restart, times))
        }
    };
    Some(Action::Create {
        container: container.name.clone(),
        attempt: ended.identity.attempt + 1,
        pause: pause.id.clone(),
        why: Why::Ended,
        restart,
    })
}

/// Those that had the place of a container before it, and have ended. Of one that was started again the last is kept, for
/// what it said.
fn older(input: &Input<'_>, current: &SeenContainer) -> Vec<Action> {
    let name = &current.identity.container;
    let is_older = |c: &&SeenContainer| {
        c.identity.container == *name
            && c.identity.attempt < current.identity.attempt
            && matches!(c.state, State::Exited(_) | State::Created)
            && !input.is_busy(c)
    };
    let mut older: Vec<_> = input.seen.members().filter(is_older).collect();
    older.sort_by_key(|c| std::cmp::Reverse(c.identity.attempt));
    let n_kept = usize::from(current.identity.restart.is_some());
    let gone = older.into_iter().skip(n_kept);
    gone.map(|c| remove(c, Why::Replaced)).collect()
}

/// Whether what is waited before a start is over.
fn is_due(input: &Input<'_>, container: &SeenContainer) -> bool {
    let now = input.life.as_ref().map(|life| life.now);
    let restart = container.identity.restart;
    now.zip(restart)
        .is_none_or(|(now, restart)| restart.not_before <= now)
}

/// The next start that is waited for.
pub(super) fn wake(input: &Input<'_>) -> Option<u64> {
    let waiting = input
        .seen
        .members()
        .filter(|c| c.state == State::Created && !is_due(input, c));
    waiting
        .filter_map(|c| Some(c.identity.restart?.not_before))
        .min()
}

/// Whether a container may start.
#[derive(Debug, Clone, Copy)]
struct Turn {
    /// The volumes hold what they should.
    filled: bool,
    /// All init containers before it have ended well.
    come: bool,
}

/// What becomes of the pause container.
enum Pause<'a> {
    Keep(&'a SeenContainer),
    Create { attempt: u32, why: Why },
    Replace(Why),
}

fn pause<'a>(input: &Input<'a>, desired: &Desired) -> Pause<'a> {
    let Some(pause) = input.seen.pause() else {
        // A member without its pause can never start again.
        return if input.seen.containers.is_empty() {
            Pause::Create {
                attempt: 0,
                why: Why::Missing,
            }
        } else {
            Pause::Replace(Why::NewPause)
        };
    };
    let uid = input.seen.record.as_ref().map(|record| &record.uid);
    if uid.is_some_and(|uid| *uid != pause.identity.uid)
        || pause.identity.hash != hash::pause(&desired.pod)
    {
        return Pause::Replace(Why::Changed);
    }
    if input.lost.contains(&pause.id) {
        return Pause::Replace(Why::NotStarted);
    }
    match pause.state {
        State::Created | State::Running => Pause::Keep(pause),
        State::Exited(_) => Pause::Replace(Why::Ended),
        State::Removing => Pause::Replace(Why::NewPause),
    }
}

/// A new pause means new members: all of the old pod goes first, in order.
fn replace_pause(input: &Input<'_>, why: Why) -> Vec<Action> {
    let running: Vec<_> = input.seen.members().filter(|c| c.is_running()).collect();
    if !running.is_empty() {
        return running
            .into_iter()
            .map(|c| stop(c, None, Why::NewPause))
            .collect();
    }
    let members: Vec<_> = input.seen.members().collect();
    if !members.is_empty() {
        return members
            .into_iter()
            .filter(|c| c.state != State::Removing)
            .map(|c| remove(c, Why::NewPause))
            .collect();
    }
    let pauses: Vec<_> = input.seen.containers.iter().collect();
    pauses
        .into_iter()
        .filter(|c| c.state != State::Removing)
        .map(|c| remove(c, why))
        .collect()
}

/// A pod has one pause container. Of two that a race has left, the later one counts, and the other has its ports.
fn other_pauses(input: &Input<'_>, pause: &SeenContainer) -> Vec<Action> {
    let others = input
        .seen
        .containers
        .iter()
        .filter(|c| c.identity.is_pause() && c.id != pause.id);
    others
        .filter(|c| c.state != State::Removing)
        .map(|c| remove(c, Why::Replaced))
        .collect()
}

/// Whether the volumes hold what is desired.
fn is_filled(input: &Input<'_>, desired: &Desired) -> bool {
    let filled = input
        .seen
        .record
        .as_ref()
        .and_then(|record| record.filled.as_ref());
    !desired.needs_fill() || filled.is_some_and(|filled| *filled == hash::payload(desired))
}

fn pause_steps(input: &Input<'_>, pause: &SeenContainer, filled: bool) -> Vec<Action> {
    let id = || pause.id.clone();
    match (pause.state, filled) {
        (State::Created, false) => vec![Action::Fill { pause: id() }],
        (State::Created, true) if input.seen.network => vec![Action::Start(target(pause))],
        // Nothing was ever filled in: nobody can be reading.
        (State::Running, false) if never_filled(input) => vec![Action::Fill { pause: id() }],
        (State::Running, false) => vec![Action::Refill { pause: id() }],
        _ => Vec::new(),
    }
}

fn never_filled(input: &Input<'_>) -> bool {
    input
        .seen
        .record
        .as_ref()
        .is_none_or(|record| record.filled.is_none())
}

/// What one container of the pod needs.
fn member(
    input: &Input<'_>,
    desired: &Desired,
    container: &Container,
    pause: &SeenContainer,
    turn: Turn,
) -> Vec<Action> {
    let made = |attempt, why| Action::Create {
        container: container.name.clone(),
        attempt,
        pause: pause.id.clone(),
        why,
        restart: None,
    };
    // An engine without sub-paths of its own mounts the file itself, which must be there before.
    if !turn.filled
        && container
            .mounts
            .iter()
            .any(|mount| !mount.sub_path.is_empty())
    {
        return Vec::new();
    }
    let Some(current) = input.seen.member(&container.name) else {
        return vec![made(0, Why::Missing)];
    };
    if current.state == State::Removing {
        return vec![made(current.identity.attempt + 1, Why::Missing)];
    }
    if let Some(why) = why_anew(input, desired, container, pause, current) {
        return vec![made(current.identity.attempt + 1, why)];
    }
    let code = ended(input, current);
    if code.is_some_and(|code| is_to_run_again(desired.pod.restart_policy, code)) {
        if let Some(again) = again(input, container, pause, current) {
            return vec![again];
        }
        if current.state == State::Created {
            return Vec::new();
        }
    }
    let is_older = |c: &&SeenContainer| {
        c.identity.container == container.name && c.id != current.id && c.is_running()
    };
    let running: Vec<_> = input.seen.members().filter(is_older).collect();
    match current.state {
        // The old one has the ports: it goes first.
        State::Created if !running.is_empty() => running
            .into_iter()
            .map(|c| stop(c, None, Why::Replaced))
            .collect(),
        State::Created
            if pause.is_running()
                && turn.filled
                && turn.come
                && input.seen.network
                && is_due(input, current) =>
        {
            vec![Action::Start(target(current))]
        }
        State::Created if current.identity.restart.is_some() => older(input, current),
        State::Created => Vec::new(),
        _ if input.is_busy(current) => Vec::new(),
        _ => running
            .into_iter()
            .map(|c| stop(c, None, Why::Replaced))
            .chain(older(input, current))
            .collect(),
    }
}

/// Why a container that is there is made anew.
fn why_anew(
    input: &Input<'_>,
    desired: &Desired,
    container: &Container,
    pause: &SeenContainer,
    current: &SeenContainer,
) -> Option<Why> {
    let image = input.images.get(&container.image);
    if current
        .joined
        .as_ref()
        .is_some_and(|joined| *joined != pause.id)
    {
        Some(Why::NewPause)
    } else if current.identity.hash != hash::container(&desired.pod, container) {
        Some(Why::Changed)
    } else if image.is_some_and(|image| image.id != current.image) {
        Some(Why::NewImage)
    } else {
        None
    }
}

/// Kubernetes: `spec.restartPolicy`.
fn is_to_run_again(policy: RestartPolicy, code: i64) -> bool {
    match policy {
        RestartPolicy::Always => true,
        RestartPolicy::OnFailure => code != 0,
        RestartPolicy::Never => false,
    }
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
