//! Looks, asks `reconcile`, begins each action as a task of its own, and looks again until the goal is reached.
//!
//! - [`pod`]: the loop, for one pod.
//! - [`execute`]: one action, one or two calls, by a [`plan`]; its [`effect`].
//! - [`up`], [`down`]: a command's way: what comes before the loop, and what a failure leads to.
//! - [`again`]: `stop`, `start` and `restart`, which ask for what the record asks for in another way.
//! - `join`: an `up` and the record of a pod that is there.
//! - [`dry_run`]: what `up` would do.
//! - [`supervise`]: the driver for all pods of an engine; [`supervisor`]: the container that it runs in.
//! - [`images`]: which images are there, and pulling those that are not.
//! - `memory`: what who drives a pod remembers of it besides what a look tells.
//! - [`known`]: what earlier runs have left on the engine.
//! - [`logs`]: the lines of several containers as one.
//! - `termination`: what a container that has ended left to be read.
//! - [`observe`]: pods with their status; [`watch`]: when to look at them again; [`wait`]: until something is so.
//! - [`passing`]: signals for the containers of a pod.
//! - [`results`]: what the containers of a `run` came to.
//! - [`interrupt`]: how often a command was asked to stop; `silence`: how long an engine may be silent.
//! - [`event`]: what a command is told meanwhile.
//! - [`failure`]: what went wrong, and what to do about it.
//!
//! Not here: rules (`reconcile`), printing (`output`).

pub mod again;
pub mod down;
pub mod dry_run;
pub mod effect;
pub mod event;
pub mod execute;
pub mod failure;
pub mod images;
pub mod interrupt;
mod join;
pub mod known;
pub mod logs;
mod memory;
pub mod observe;
pub mod passing;
pub mod plan;
pub mod pod;
pub mod results;
mod silence;
pub mod supervise;
pub mod supervisor;
mod termination;
pub mod up;
pub mod wait;
pub mod watch;

pub use event::{Event, Events};
pub use failure::Failure;
pub use interrupt::Interrupt;
