//! The pause container: whether the one that is there can stay, and its steps up to running.
//!
//! Not here: its members (`up`, `member`).

use super::action::{Action, Why};
use super::decide::{Input, target};
use super::down::{remove, stop};
use super::over::first_to_end;
use super::seen::{SeenContainer, State};
use crate::record::{Filled, hash};
use crate::spec::Desired;

/// What becomes of the pause container.
pub(super) enum Pause<'a> {
    Keep(&'a SeenContainer),
    Create { attempt: u32, why: Why },
    Replace(Why),
}

/// One that cannot stay is ended, and another takes its place; it is removed later (see [`older`]).
pub(super) fn pause<'a>(input: &Input<'a>, desired: &Desired) -> Pause<'a> {
    let pause = input.seen.pause();
    let why = match pause.map(|pause| (pause, why_anew(input, desired, pause))) {
        Some((pause, None)) => return Pause::Keep(pause),
        Some((_, Some(why))) => why,
        None => Why::Missing,
    };
    // A member that runs without its pause can never start again.
    if input.seen.containers.iter().any(SeenContainer::is_running) {
        return Pause::Replace(why);
    }
    let attempt = pause.map_or(0, |pause| pause.identity.attempt + 1);
    Pause::Create { attempt, why }
}

fn why_anew(input: &Input<'_>, desired: &Desired, pause: &SeenContainer) -> Option<Why> {
    let uid = input.seen.record.as_ref().map(|record| &record.uid);
    if uid.is_some_and(|uid| *uid != pause.identity.uid)
        || pause.identity.hash != hash::pause(&desired.pod)
    {
        return Some(Why::Changed);
    }
    if input.lost.contains(&pause.id) {
        return Some(Why::NotStarted);
    }
    match pause.state {
        State::Created | State::Running => None,
        State::Exited(_) => Some(Why::Ended),
        State::Removing => Some(Why::NewPause),
    }
}

/// A new pause means new members: the old ones are ended first, in order, and their pause last. What is left of them goes once
/// others are in their places, for they know how often each has been started.
pub(super) fn replace(input: &Input<'_>, why: Why) -> Vec<Action> {
    let members: Vec<_> = input.seen.members().collect();
    let running = first_to_end(&members);
    if !running.is_empty() {
        return running
            .into_iter()
            .map(|c| stop(c, None, Why::NewPause))
            .collect();
    }
    running_pauses(input).map(|c| stop(c, None, why)).collect()
}

fn running_pauses<'a>(input: &Input<'a>) -> impl Iterator<Item = &'a SeenContainer> {
    let pauses = input
        .seen
        .containers
        .iter()
        .filter(|c| c.identity.is_pause());
    pauses.filter(|c| c.is_running())
}

/// A pod has one pause container. Of two that a race has left, the later one counts, and the other has its ports.
pub(super) fn others(input: &Input<'_>, pause: &SeenContainer) -> Vec<Action> {
    running_pauses(input)
        .filter(|c| c.id != pause.id)
        .map(|c| stop(c, None, Why::Replaced))
        .collect()
}

/// Pauses whose place another has, once that one runs. Not before: somebody may be reading the record through them, and an engine
/// that removes a container while a file is read through it removes what its volumes hold (Docker API: `GET
/// /containers/{id}/archive` mounts them where `DELETE` removes).
pub(super) fn older(input: &Input<'_>, pause: &SeenContainer) -> Vec<Action> {
    if !pause.is_running() {
        return Vec::new();
    }
    let containers = input.seen.containers.iter();
    let older = containers.filter(|c| c.identity.is_pause() && c.id != pause.id);
    let gone = older.flat_map(|old| {
        let joins = |c: &&SeenContainer| c.joined.as_ref() == Some(&old.id);
        let members: Vec<_> = input.seen.members().filter(joins).collect();
        if input.members_first && !members.is_empty() {
            members
        } else {
            vec![old]
        }
    });
    let there = gone.filter(|c| c.state != State::Removing && !c.is_running());
    there.map(|c| remove(c, Why::Replaced)).collect()
}

/// Whether the volumes hold what is desired.
pub(super) fn is_filled(input: &Input<'_>, desired: &Desired, pause: &SeenContainer) -> bool {
    let payload = || hash::payload(desired);
    !desired.needs_fill() || filled(input, pause).is_some_and(|filled| filled.payload == payload())
}

/// What the volumes of this pause were filled with.
fn filled<'a>(input: &Input<'a>, pause: &SeenContainer) -> Option<&'a Filled> {
    let filled = input.seen.record.as_ref()?.filled.as_ref()?;
    (filled.pause == pause.id).then_some(filled)
}

pub(super) fn steps(input: &Input<'_>, pause: &SeenContainer, is_filled: bool) -> Vec<Action> {
    let id = || pause.id.clone();
    match (pause.state, is_filled) {
        // Somebody took its network away. What joins it goes on, with its ports and its name (Docker API: `connect`).
        (State::Running, _) if input.seen.network && !pause.connected => {
            vec![Action::Connect(target(pause))]
        }
        (State::Created, false) => vec![Action::Fill { pause: id() }],
        (State::Created, true) if input.seen.network => vec![Action::Start(target(pause))],
        // Nothing was ever filled in: nobody can be reading.
        (State::Running, false) if filled(input, pause).is_none() => {
            vec![Action::Fill { pause: id() }]
        }
        (State::Running, false) => vec![Action::Refill { pause: id() }],
        _ => Vec::new(),
    }
}
