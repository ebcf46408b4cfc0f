//! What is wanted and what was seen, to what is to be done. Pure: no clock, no engine, no logging.
//!
//! - [`decide`](mod@decide): the entry, and the order of things.
//! - [`seen`]: a snapshot of one pod on the engine.
//! - [`action`]: what can be done, each with its reason, one line each.
//! - [`up`]: towards a pod of which each container has been started once, and on. Its parts: [`pause`], [`member`].
//! - [`down`]: towards nothing left.
//! - [`restart`]: whether and when what has ended is started again.
//! - [`round`]: that all containers begin again together.
//! - [`health`]: what probes and hooks say of a container.
//! - [`over`]: whether a pod has come to its end.
//! - [`status`]: the `v1` Pod of what was seen. [`wanted`]: whether something is so of it.
//!
//! Not here: doing it (`driver`), asking the engine (`engine`).

pub mod action;
pub mod decide;
pub mod down;
pub mod health;
pub mod member;
pub mod over;
pub mod pause;
pub mod restart;
pub mod round;
pub mod seen;
pub mod status;
#[cfg(test)]
mod tests;
pub mod up;
pub mod wanted;

pub use action::{Action, Why};
pub use decide::{Decision, FailedInit, Goal, Input, Until, decide};
pub use over::Over;
pub use seen::{Seen, SeenContainer, State};
