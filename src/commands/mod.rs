//! The verbs: one file each, with its help text, its arguments and one function that makes two or three calls.
//!
//! Not here: rules, printing by hand, ending the process.

mod again;
mod attach;
pub mod duration;
pub mod exit;
pub mod files;
mod listing;
mod listing_rows;
mod progress;
pub mod publish;
mod several;
pub mod signals;
mod supervision;
pub mod target;
mod timings;
mod watching;

pub mod completion;
pub mod describe;
pub mod down;
pub mod events;
pub mod exec;
pub mod explain;
pub mod get;
pub mod logs;
pub mod port;
pub mod ps;
pub mod restart;
pub mod run;
pub mod start;
pub mod stop;
pub mod supervise;
pub mod up;
mod up_report;
pub mod validate;
pub mod version;
pub mod wait;

use crate::engine::{Choice, Chosen, Engine, EngineError, Environment, connect};
use crate::output::Printer;
use crate::spec::PodKey;

pub use exit::Exit;

/// What a verb is given besides its own arguments.
#[derive(Debug)]
pub struct Context {
    /// Prints.
    pub printer: Printer,
    /// `--host` and `--context`.
    pub choice: Choice,
    /// `--namespace`; `None`: the manifest's own, or `default`.
    pub namespace: Option<String>,
}

impl Context {
    /// A connection to the engine that is meant.
    ///
    /// # Errors
    /// When the choice cannot be followed.
    pub fn engine(&self) -> Result<Engine, EngineError> {
        let engine = connect(&self.choice, &Environment::of_process())?;
        let Chosen { endpoint, by } = engine.chosen();
        self.printer
            .detail(&format!("Engine      {}, chosen by {by}", endpoint.host));
        Ok(engine)
    }

    /// The namespace that a name on the command line is in.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.namespace
            .as_deref()
            .unwrap_or(PodKey::DEFAULT_NAMESPACE)
    }
}
