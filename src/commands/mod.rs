//! The verbs: one file each, with its help text, its arguments and one function that makes two or three calls.
//!
//! Not here: rules, printing by hand, ending the process.

use crate::output::Printer;

/// What a verb is given besides its own arguments.
#[derive(Debug)]
pub struct Context {
    /// Prints.
    pub printer: Printer,
    /// `--host`.
    pub host: Option<String>,
    /// `--context`.
    pub context: Option<String>,
    /// `--namespace`; `None`: the manifest's own, or `default`.
    pub namespace: Option<String>,
}

/// How podctl ends. README documents the codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Fine,
    /// The pod or the request failed.
    Failed,
    /// Usage, or a manifest with faults.
    Usage,
    /// No engine could be reached.
    NoEngine,
    /// Time was up.
    TimedOut,
    /// Ctrl-C.
    Interrupted,
    /// The code of a process in a container.
    Code(u8),
}

impl Exit {
    /// The number that the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NoEngine => 3,
            Self::TimedOut => 4,
            Self::Interrupted => 130,
            Self::Code(code) => code,
        }
    }
}
