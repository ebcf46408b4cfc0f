//! The way down, in this order: the members' stop signals to all at once; SIGKILL for those that outlive their grace
//! period; members and pause removed; volumes and the network; the record; last the wish itself: a record without its volumes
//! must not be taken for a pod.
//!
//! Not here: what a volume is that outlives its pod.

use super::action::{Action, Why};
use super::decide::{Input, target};
use super::seen::{SeenContainer, State};

/// What to do now to have nothing left of the pod.
pub(super) fn actions(input: &Input<'_>, grace_period: Option<u64>) -> Vec<Action> {
    let seen = input.seen;
    let running: Vec<&SeenContainer> = seen.members().filter(|c| c.is_running()).collect();
    if !running.is_empty() {
        return running
            .into_iter()
            .map(|c| stop(c, grace_period, Why::Down))
            .collect();
    }
    let gone = |c: &&SeenContainer| c.state != State::Removing;
    let members: Vec<_> = seen.members().collect();
    let pauses = seen.containers.iter().filter(|c| c.identity.is_pause());
    let removals: Vec<&SeenContainer> = if input.members_first && !members.is_empty() {
        members
    } else {
        pauses.chain(members).collect()
    };
    if !removals.is_empty() {
        return removals
            .into_iter()
            .filter(gone)
            .map(|c| remove(c, Why::Down))
            .collect();
    }
    if !seen.volumes.is_empty() || (seen.network && seen.other_pauses == 0) {
        let volumes = seen
            .volumes
            .iter()
            .map(|name| Action::RemoveVolume { name: name.clone() });
        let network = (seen.network && seen.other_pauses == 0).then_some(Action::RemoveNetwork);
        return volumes.chain(network).collect();
    }
    match (&seen.record, seen.deletion) {
        (Some(_), _) => vec![Action::RemoveRecord],
        (None, true) => vec![Action::RemoveDeletion],
        (None, false) => Vec::new(),
    }
}

/// Whether nothing is left.
pub(super) fn is_reached(input: &Input<'_>) -> bool {
    let seen = input.seen;
    seen.containers.is_empty() && seen.volumes.is_empty() && seen.record.is_none() && !seen.deletion
}

/// The signal and the time that a container is given to end.
pub(super) fn stop(container: &SeenContainer, grace_period: Option<u64>, why: Why) -> Action {
    Action::Stop {
        target: target(container),
        signal: container.identity.stop_signal.clone(),
        grace_period: grace_period.unwrap_or(container.identity.grace_period),
        why,
    }
}

/// The end of a container.
pub(super) fn remove(container: &SeenContainer, why: Why) -> Action {
    Action::Remove {
        target: target(container),
        why,
    }
}
