//! The rounds of a pod: an exit that a rule answers with `RestartAllContainers` begins the next, in which all of its containers
//! begin again, in their order, on the same pause, volumes and address (kubelet: `ShouldAllContainersRestart`).
//!
//! The round is kept in the labels of the containers that are made for it. Those of the round before are ended first, without
//! their `preStop` hooks, and answer nothing any more: what they end with begins no further round.
//!
//! Not here: the steps of one container (`member`), the order (`up`).

use super::decide::Input;
use super::seen::{SeenContainer, State};
use crate::spec::Container;

/// What the pod's containers stand on: the pause container, and the round.
#[derive(Clone, Copy)]
pub(super) struct Sandbox<'a> {
    pub(super) pause: &'a SeenContainer,
    pub(super) round: u32,
}

impl<'a> Sandbox<'a> {
    /// With the round that is on, or has to begin.
    pub(super) fn new(input: &Input<'a>, pause: &'a SeenContainer) -> Self {
        let rounds = input.seen.members().map(|c| c.identity.round);
        let newest = Self {
            pause,
            round: rounds.max().unwrap_or(0),
        };
        let begins_another = input.desired.is_some_and(|desired| {
            let mut members = desired.pod.members();
            members.any(|container| newest.is_ended_by(input, container))
        });
        Self {
            round: newest.round + u32::from(begins_another),
            ..newest
        }
    }

    /// Whether a container shares the pause's namespaces.
    pub(super) fn joins(&self, container: &SeenContainer) -> bool {
        container.joins(self.pause)
    }

    /// Whether a container is of this pause and this round.
    pub(super) fn has(&self, container: &SeenContainer) -> bool {
        self.joins(container) && container.identity.round == self.round
    }

    /// Whether a container of a round before is still running.
    pub(super) fn is_being_left(&self, input: &Input<'_>) -> bool {
        let mut members = input.seen.members();
        members.any(|c| c.is_running() && c.identity.round < self.round)
    }

    fn is_ended_by(&self, input: &Input<'_>, container: &Container) -> bool {
        let Some(current) = input.seen.member(&container.name).filter(|c| self.has(c)) else {
            return false;
        };
        let counts = input.goal.is_live() || input.ended_before.contains(&current.id);
        match current.state {
            State::Exited(code) => counts && container.restarts.all(code),
            _ => false,
        }
    }
}

/// Whether a container follows one of its own round, which ended.
pub(super) fn follows_one(input: &Input<'_>, container: &SeenContainer) -> bool {
    let round = container.identity.round;
    let before = input.seen.before(container);
    container.identity.restart.is_some()
        && before.is_none_or(|before| before.identity.round == round)
}
