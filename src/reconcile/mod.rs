//! What is wanted and what was seen, to what is to be done. Pure: no clock, no engine, no logging.
//!
//! - [`decide`](mod@decide): the entry, and the order of things.
//! - [`seen`]: a snapshot of one pod on the engine.
//! - [`action`]: what can be done, each with its reason, one line each.
//! - [`up`]: towards a pod of which each container has been started once.
//! - [`down`]: towards nothing left.
//! - [`restart`]: when what has ended is started again.
//! - [`status`]: the `v1` Pod of what was seen.
//!
//! Not here: doing it (`driver`), asking the engine (`engine`).

pub mod action;
pub mod decide;
pub mod down;
pub mod restart;
pub mod seen;
pub mod status;
#[cfg(test)]
mod tests;

pub mod up;

pub use action::{Action, Why};
pub use decide::{Decision, FailedInit, Goal, Input, decide};
pub use seen::{Seen, SeenContainer, State};
