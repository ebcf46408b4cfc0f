//! What a way is given where the pod is kept alive, and how it ends.
//!
//! Not here: the loop (`pod`).

use std::sync::Arc;

use tokio::sync::{Notify, watch};

use crate::driver::Failure;
use crate::driver::memory::Memory;
use crate::reconcile::restart::BackOff;
use crate::reconcile::{Over, Seen, Until};

/// What a pod that is kept alive needs.
#[derive(Debug)]
pub struct Alive {
    /// For how long.
    pub until: Until,
    /// How long an end is answered with waiting.
    pub back_off: BackOff,
    /// Counts what has happened to containers of the pod.
    pub changes: watch::Receiver<u64>,
    /// Told when a member runs.
    pub speaks: Arc<Notify>,
    /// The pod is over once this container is.
    pub ends_with: Option<String>,
}

/// What is known of a pod that no look tells.
#[derive(Debug)]
pub struct Known {
    pub(super) memory: Memory,
    pub(super) alive: bool,
    pub(super) over: Option<Over>,
}

/// How a way ended.
#[derive(Debug)]
pub enum Outcome {
    /// At the goal.
    Reached(Box<Reached>),
    /// Not at the goal: what failed, the first first.
    Failed(Vec<Failure>),
    /// The same, of a pod that had come up and was kept alive: it is not this run's to take away.
    Lost(Vec<Failure>),
    /// An init container did not end well.
    FailedInit(Failure),
    /// A person stopped it, when the pod had come to this end, if to any.
    Interrupted(Option<Over>),
    /// Somebody wrote a wish that counts more.
    RecordChanged(Box<Known>),
    /// The record is gone: somebody took the pod down.
    RecordGone,
}

/// What there is at the goal, and what it took.
#[derive(Debug)]
pub struct Reached {
    /// What there is.
    pub seen: Seen,
    /// Whether anything was done.
    pub acted: bool,
    /// How many members were started.
    pub n_started: usize,
    /// The pod has come to its end.
    pub over: Option<Over>,
    /// It was kept alive, and is ready.
    pub ready: bool,
    /// What no look tells of it.
    pub known: Known,
}
