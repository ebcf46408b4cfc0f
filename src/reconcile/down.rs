//! The way down, in this order: the app containers' stop signals to all at once; SIGKILL for those that outlive their grace
//! period; the sidecars one after the other, the last first, in what is left of that time; members and pause removed; volumes and the network, which a supervisor keeps for the next pod; the record; last the wish itself: a record without its volumes
//! must not be taken for a pod.
//!
//! Not here: what a volume is that outlives its pod.

use super::action::{Action, Why};
use super::decide::{Input, target};
use super::member;
use super::over::first_to_end;
use super::seen::{SeenContainer, State};

/// What to do now to have nothing left of the pod.
pub(super) fn actions(input: &Input<'_>, grace_period: Option<u64>, since: u64) -> Vec<Action> {
    let seen = input.seen;
    let running: Vec<&SeenContainer> = seen.members().collect();
    let running = first_to_end(&running);
    if !running.is_empty() {
        let elapsed = input.life.now.saturating_sub(since);
        let stop = |c: &SeenContainer| {
            let whole = grace_period.unwrap_or(c.identity.grace_period);
            let left = if c.identity.is_sidecar() {
                left(whole, elapsed)
            } else {
                whole
            };
            stop(c, Some(left), Why::Down)
        };
        let stops = running.into_iter().map(stop);
        return stops.chain(probes(input)).collect();
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
    let last = seen.network && seen.other_pauses == 0 && !seen.network_stays;
    if !seen.volumes.is_empty() || last {
        let volumes = seen
            .volumes
            .iter()
            .map(|name| Action::RemoveVolume { name: name.clone() });
        let network = last.then_some(Action::RemoveNetwork);
        return volumes.chain(network).collect();
    }
    match (&seen.record, seen.deletion) {
        (Some(_), _) => vec![Action::RemoveRecord],
        (None, true) => vec![Action::RemoveDeletion],
        (None, false) => Vec::new(),
    }
}

/// Whether those that still run are ready: whoever sends them work is told that they are not any more.
fn probes(input: &Input<'_>) -> Vec<Action> {
    let Some(desired) = input.desired else {
        return Vec::new();
    };
    let running = input.seen.members().filter(|c| c.is_running());
    let asked = running.filter_map(|c| Some((desired.pod.container(&c.identity.container)?, c)));
    asked
        .flat_map(|(container, current)| member::probes(input, container, current))
        .collect()
}

/// Whether nothing is left.
pub(super) fn is_reached(input: &Input<'_>) -> bool {
    let seen = input.seen;
    seen.containers.is_empty() && seen.volumes.is_empty() && seen.record.is_none() && !seen.deletion
}

/// What of a grace period in seconds is left after so many milliseconds: two seconds at the least, unless it was shorter from the
/// beginning (kubelet: `minimumGracePeriodInSeconds`).
#[must_use]
pub fn left(grace_period: u64, elapsed: u64) -> u64 {
    const LEAST: u64 = 2;
    let left = grace_period.saturating_sub(elapsed / 1000);
    left.max(LEAST.min(grace_period))
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
