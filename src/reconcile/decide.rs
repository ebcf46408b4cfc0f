//! The entry: what to do next about one pod.
//!
//! It is asked again after each thing that changes. What it answers depends on its argument alone, so that whoever asks
//! (`up`, `down`, after a crash, beside another podctl) goes the same way.
//!
//! Not here: the rules of the two ways (`up`, `down`).

use std::collections::{BTreeMap, BTreeSet};

use super::action::{Action, Target};
use super::restart::Life;
use super::seen::{Seen, SeenContainer};
use super::{down, up};
use crate::spec::{Desired, ImageFacts};

/// Where a pod is driven to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Each container has been started once.
    Up,
    /// The same, and what ends is started again, for as long as somebody drives.
    Live,
    /// Nothing is left.
    Down {
        /// In seconds; `None`: the pod's own.
        grace_period: Option<u64>,
    },
}

impl Goal {
    /// Whether the pod is to be there.
    #[must_use]
    pub fn is_up(self) -> bool {
        matches!(self, Self::Up | Self::Live)
    }
}

/// All that a decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Where to.
    pub goal: Goal,
    /// The wish that counts; not needed to go down.
    pub desired: Option<&'a Desired>,
    /// By the reference in the manifest. A container whose image is not in it is not made anew for its image.
    pub images: &'a BTreeMap<String, ImageFacts>,
    /// What is there.
    pub seen: &'a Seen,
    /// Keys of the actions under way.
    pub in_flight: &'a BTreeSet<String>,
    /// Ids of containers that had ended before the command began: those alone are made anew for having ended.
    pub ended_before: &'a BTreeSet<String>,
    /// Ids of pause containers that cannot be started any more, for their network was removed.
    pub lost: &'a BTreeSet<String>,
    /// What restarts depend on, where the goal is [`Goal::Live`].
    pub life: Option<Life<'a>>,
    /// Podman refuses to remove a pause that has members.
    pub members_first: bool,
}

impl Input<'_> {
    /// Whether something is done to this container.
    pub(super) fn is_busy(&self, container: &SeenContainer) -> bool {
        self.in_flight.contains(&container.id)
    }
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// To be begun at once, and together.
    pub actions: Vec<Action>,
    /// The goal is reached.
    pub reached: bool,
    /// The goal cannot be reached, and nothing is left to do.
    pub failed_init: Option<FailedInit>,
    /// When something is to be done that need not be done yet, in the engine's milliseconds since 1970.
    pub wake: Option<u64>,
}

/// An init container that has ended, and not well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedInit {
    /// Its name.
    pub container: String,
    /// Its exit code.
    pub code: i64,
}

/// What to do now.
#[must_use]
pub fn decide(input: &Input<'_>) -> Decision {
    let (mut actions, reached) = match input.goal {
        Goal::Up => (up::actions(input), up::is_reached(input)),
        Goal::Live => (up::actions(input), false),
        Goal::Down { grace_period } => {
            (down::actions(input, grace_period), down::is_reached(input))
        }
    };
    let at_rest = actions.is_empty() && input.in_flight.is_empty();
    actions.retain(|action| !input.in_flight.contains(&action.key()));
    let failed_init = match input.goal {
        Goal::Up if at_rest => up::failed_init(input),
        _ => None,
    };
    Decision {
        actions,
        reached: reached && at_rest,
        failed_init,
        wake: up::wake(input),
    }
}

/// A container as the target of an action.
pub(super) fn target(container: &SeenContainer) -> Target {
    Target {
        id: container.id.clone(),
        container: container.identity.container.clone(),
        attempt: container.identity.attempt,
    }
}
