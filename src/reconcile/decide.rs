//! The entry: what to do next about one pod.
//!
//! It is asked again after each thing that changes. What it answers depends on its argument alone, so that whoever asks
//! (`up`, `down`, after a crash, beside another podctl) goes the same way.
//!
//! Not here: the rules of the two ways (`up`, `down`).

use std::collections::{BTreeMap, BTreeSet};

use super::action::{Action, Target};
use super::health::Health;
use super::over::{self, Over};
use super::restart::{BackOff, Ended, Life};
use super::seen::{Seen, SeenContainer};
use super::{down, member, up};
use crate::spec::{Desired, ImageFacts};

/// Where a pod is driven to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Each container has been started once.
    Up,
    /// The same, and the pod is kept alive: what ends is started again, probes are asked.
    Live(Until),
    /// Nothing is left.
    Down {
        /// In seconds; `None`: the pod's own.
        grace_period: Option<u64>,
        /// When this way began, in the engine's milliseconds since 1970.
        since: u64,
    },
}

/// For how long a pod is kept alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Until somebody stops that.
    Stopped,
    /// Until it is ready, or cannot become so any more.
    Ready {
        /// Nor where it does nothing but crash.
        gives_up: bool,
    },
    /// Until it has come to its end.
    Over,
}

impl Goal {
    /// Whether the pod is to be there.
    #[must_use]
    pub fn is_up(self) -> bool {
        !matches!(self, Self::Down { .. })
    }

    /// Whether what ends is started again.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Live(_))
    }
}

/// All that a decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Where to.
    pub goal: Goal,
    /// The wish that counts; not needed to go down.
    pub desired: Option<&'a Desired>,
    /// By the reference in the manifest. What has no image there is not made.
    pub images: &'a BTreeMap<String, ImageFacts>,
    /// What is there.
    pub seen: &'a Seen,
    /// Keys of the actions under way.
    pub in_flight: &'a BTreeSet<String>,
    /// Ids of containers that had ended before the command began: where the pod is not kept alive, those alone are made
    /// anew for having ended.
    pub ended_before: &'a BTreeSet<String>,
    /// Ids of pause containers that are of no use any more: their network was removed, the engine has left something of them behind, or they have
    /// been started again beside members that lived on.
    pub lost: &'a BTreeSet<String>,
    /// Time, and what it brings.
    pub life: Life<'a>,
    /// The pod has come to its end with this container, whatever the others do.
    pub ends_with: Option<&'a str>,
    /// Podman refuses to remove a pause that has members.
    pub members_first: bool,
}

/// Nothing under way, and nothing known but what was seen.
static NO_KEYS: BTreeSet<String> = BTreeSet::new();
static NO_ENDS: BTreeMap<String, Ended> = BTreeMap::new();
static NO_HEALTH: BTreeMap<String, Health> = BTreeMap::new();
static NO_ATTEMPTS: BTreeMap<String, u32> = BTreeMap::new();

impl<'a> Input<'a> {
    /// What an `up` that begins with this look would decide on.
    #[must_use]
    pub fn of_look(
        desired: &'a Desired,
        images: &'a BTreeMap<String, ImageFacts>,
        seen: &'a Seen,
    ) -> Self {
        Self {
            goal: Goal::Up,
            desired: Some(desired),
            images,
            seen,
            in_flight: &NO_KEYS,
            ended_before: &NO_KEYS,
            lost: &NO_KEYS,
            life: Life {
                now: 0,
                ended: &NO_ENDS,
                health: &NO_HEALTH,
                back_off: BackOff::default(),
                began: None,
                attempts: &NO_ATTEMPTS,
                end: seen.record.as_ref().and_then(|record| {
                    let failed = record.told.has_failed(record.wish.generation);
                    failed.map(Over::of_end)
                }),
                timed_out: false,
            },
            ends_with: None,
            members_first: false,
        }
    }

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
    /// Each container has been started once.
    pub started: bool,
    /// All its containers are ready, or have ended well for good.
    pub ready: bool,
    /// The pod has come to its end.
    pub over: Option<Over>,
    /// What comes after it cannot be started, and nothing is left to do.
    pub failed_init: Option<FailedInit>,
    /// When something is to be done that need not be done yet, in the engine's milliseconds since 1970.
    pub wake: Option<u64>,
}

/// An init container that has ended, and not well; or a sidecar that has ended.
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
    let is_up = input.goal.is_up();
    let over = over::over(input).filter(|_| is_up);
    let started = is_up && up::is_started(input);
    let ready = started && up::is_ready(input);
    let (mut actions, reached) = match input.goal {
        Goal::Up if over == Some(Over::Stopped) => {
            (up::actions(input, over), up::is_stopped(input))
        }
        Goal::Up if over == Some(Over::Deadline) || input.life.end.is_some() => {
            let runs = input.seen.members().any(SeenContainer::is_running);
            let reached = !runs && (over != Some(Over::Failed) || up::failed_init(input).is_none());
            (up::actions(input, over), reached)
        }
        Goal::Up => (up::actions(input, over), started),
        Goal::Live(until) => {
            let reached = match until {
                Until::Stopped => false,
                Until::Ready { gives_up } => {
                    let is_hopeless =
                        over::has_failed(input) || (gives_up && over::crash_loops(input));
                    over.is_some() || ready || is_hopeless
                }
                Until::Over => over.is_some(),
            };
            (up::actions(input, over), reached)
        }
        Goal::Down {
            grace_period,
            since,
        } => {
            let actions = down::actions(input, grace_period, since);
            (actions, down::is_reached(input))
        }
    };
    actions
        .iter_mut()
        .for_each(|action| pull_first(input, action));
    let is_step =
        |action: &Action| !action.changes_nothing() || matches!(action, Action::Pull { .. });
    let at_rest = !actions.iter().any(is_step) && input.in_flight.is_empty();
    // Of two that work on one thing the first counts.
    let mut keys = input.in_flight.clone();
    actions.retain(|action| keys.insert(action.key()));
    let ended_otherwise = match over {
        Some(Over::Stopped | Over::Deadline) => true,
        Some(Over::Succeeded) => input.life.end.is_some(),
        _ => false,
    };
    let failed_init = match input.goal {
        Goal::Up if !ended_otherwise && at_rest && actions.is_empty() => up::failed_init(input),
        _ => None,
    };
    let at_goal = match input.goal {
        Goal::Live(_) => !actions.iter().any(is_step),
        Goal::Up => at_rest && actions.is_empty(),
        // A probe of a container that is gone may not have been answered.
        Goal::Down { .. } => actions.is_empty(),
    };
    Decision {
        reached: reached && at_goal,
        actions,
        started,
        ready,
        over,
        failed_init,
        wake: wake(input),
    }
}

/// What has no image is not made: who drives has to have that first.
fn pull_first(input: &Input<'_>, action: &mut Action) {
    let Action::Create { container, .. } = action else {
        return;
    };
    let spec = input
        .desired
        .and_then(|desired| desired.pod.container(container));
    if spec.is_some_and(|spec| !input.images.contains_key(&spec.image)) {
        let container = std::mem::take(container);
        *action = Action::Pull { container };
    }
}

/// The next time at which something is to be done.
fn wake(input: &Input<'_>) -> Option<u64> {
    let desired = input.desired?;
    let deadline = over::deadline(input).filter(|_| input.goal.is_up());
    let members = desired.pod.members();
    let wakes = members.filter_map(|container| member::wake(input, container));
    // What is due now has been decided on.
    let wakes = wakes.chain(deadline).filter(|at| *at > input.life.now);
    wakes.min()
}

/// A container as the target of an action.
pub(super) fn target(container: &SeenContainer) -> Target {
    Target {
        id: container.id.clone(),
        container: container.identity.container.clone(),
        attempt: container.identity.attempt,
    }
}
