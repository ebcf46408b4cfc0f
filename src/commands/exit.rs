//! How podctl ends.
//!
//! Not here: which error leads to which code (`cli`).

use std::error::Error as StdError;

use thiserror::Error;

use crate::engine::EngineError;

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
    /// This one, or where it is a good one the next.
    #[must_use]
    pub fn or(self, next: Self) -> Self {
        if self == Self::Fine { next } else { self }
    }

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

/// The command line, or a file that it names, is not what it should be. Exit code 2.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Manifests with faults; the text is laid out for a terminal. Exit code 2.
#[derive(Debug, Error)]
#[error("the manifests have faults")]
pub struct Faults {
    /// The report.
    pub report: String,
}

/// Whether whoever read stdout has seen enough: that is no failure. An engine that takes no more of a request is one.
#[must_use]
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    if error.chain().any(<dyn StdError>::is::<EngineError>) {
        return false;
    }
    let mut causes = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    causes.any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use std::io;

    use anyhow::Context as _;

    use super::*;

    #[test]
    fn only_the_end_of_who_reads_is_no_failure() {
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        let of_output = Err::<(), _>(broken()).context("failed to print");
        assert!(is_closed_pipe(&of_output.expect_err("an error")));
        let source = broken().into();
        let of_engine = Err::<(), _>(EngineError::Broken { source }).context("failed to look");
        assert!(!is_closed_pipe(&of_engine.expect_err("an error")));
    }
}
