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
/// It runs once for each pause (kubelet: once for each sandbox), and again where it failed before this command.
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
    let again = |code: i64| {
        let policy = input.desired.map(|desired| desired.pod.restart_policy);
        code != 0
            && policy != Some(RestartPolicy::Never)
            && input.ended_before.contains(&current.id)
    };
    let older = input.seen.members().filter(|c| {
        let is_older = c.identity.container == container.name && c.id != current.id;
        is_older && matches!(c.state, State::Exited(_))
    });
    let older = older.map(|c| remove(c, Why::Replaced));
    match current.state {
        State::Running if turn && !input.is_busy(current) => {
            Some(older.chain([Action::Await(target(current))]).collect())
        }
        State::Exited(code) if again(code) => Some(vec![Action::Create {
            container: container.name.clone(),
            attempt: current.identity.attempt + 1,
            pause: pause.id.clone(),
            why: Why::Ended,
        }]),
        State::Running | State::Exited(_) => Some(older.collect()),
        State::Created | State::Removing => None,
    }
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
    let create = |attempt, why| Action::Create {
        container: container.name.clone(),
        attempt,
        pause: pause.id.clone(),
        why,
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
        return vec![create(0, Why::Missing)];
    };
    if current.state == State::Removing {
        return vec![create(current.identity.attempt + 1, Why::Missing)];
    }
    if let Some(why) = why_anew(input, desired, container, pause, current) {
        return vec![create(current.identity.attempt + 1, why)];
    }
    let older = |c: &&SeenContainer| {
        c.identity.container == container.name && c.id != current.id && c.state != State::Removing
    };
    let (running, ended): (Vec<_>, Vec<_>) = input
        .seen
        .members()
        .filter(older)
        .partition(|c| c.is_running());
    match current.state {
        // The old one has the ports: it goes first.
        State::Created if !running.is_empty() => running
            .into_iter()
            .map(|c| stop(c, None, Why::Replaced))
            .collect(),
        State::Created if pause.is_running() && turn.filled && turn.come && input.seen.network => {
            vec![Action::Start(target(current))]
        }
        State::Created => Vec::new(),
        _ if input.is_busy(current) => Vec::new(),
        _ => running
            .into_iter()
            .map(|c| stop(c, None, Why::Replaced))
            .chain(ended.into_iter().map(|c| remove(c, Why::Replaced)))
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
    } else if is_to_run_again(desired.pod.restart_policy, current.state)
        && input.ended_before.contains(&current.id)
    {
        Some(Why::Ended)
    } else {
        None
    }
}

/// Kubernetes: `spec.restartPolicy`.
fn is_to_run_again(policy: RestartPolicy, state: State) -> bool {
    match (policy, state) {
        (RestartPolicy::Always, State::Exited(_)) => true,
        (RestartPolicy::OnFailure, State::Exited(code)) => code != 0,
        _ => false,
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
