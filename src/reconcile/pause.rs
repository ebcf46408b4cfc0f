//! The pause container: whether the one that is there can stay, and its steps up to running.
//!
//! Not here: its members (`up`, `member`).

use super::action::{Action, Why};
use super::decide::{Input, target};
use super::down::{remove, stop};
use super::over::first_to_end;
use super::seen::{SeenContainer, State};
use crate::record::hash;
use crate::spec::Desired;

/// What becomes of the pause container.
pub(super) enum Pause<'a> {
    Keep(&'a SeenContainer),
    Create { attempt: u32, why: Why },
    Replace(Why),
}

pub(super) fn pause<'a>(input: &Input<'a>, desired: &Desired) -> Pause<'a> {
    let Some(pause) = input.seen.pause() else {
        // A member that runs without its pause can never start again.
        let runs = input.seen.members().any(SeenContainer::is_running);
        return if runs {
            Pause::Replace(Why::NewPause)
        } else {
            Pause::Create {
                attempt: 0,
                why: Why::Missing,
            }
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

/// A new pause means new members: the old ones are ended first, in order. What is left of them goes once others are in their
/// places, for they know how often each has been started.
pub(super) fn replace(input: &Input<'_>, why: Why) -> Vec<Action> {
    let members: Vec<_> = input.seen.members().collect();
    let running = first_to_end(&members);
    if !running.is_empty() {
        return running
            .into_iter()
            .map(|c| stop(c, None, Why::NewPause))
            .collect();
    }
    let pauses = input
        .seen
        .containers
        .iter()
        .filter(|c| c.identity.is_pause());
    let first = if input.members_first && !members.is_empty() {
        members
    } else {
        pauses.collect()
    };
    let there = first.into_iter().filter(|c| c.state != State::Removing);
    there.map(|c| remove(c, why)).collect()
}

/// A pod has one pause container. Of two that a race has left, the later one counts, and the other has its ports.
pub(super) fn others(input: &Input<'_>, pause: &SeenContainer) -> Vec<Action> {
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
pub(super) fn is_filled(input: &Input<'_>, desired: &Desired) -> bool {
    let filled = input
        .seen
        .record
        .as_ref()
        .and_then(|record| record.filled.as_ref());
    !desired.needs_fill() || filled.is_some_and(|filled| *filled == hash::payload(desired))
}

pub(super) fn steps(input: &Input<'_>, pause: &SeenContainer, filled: bool) -> Vec<Action> {
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
