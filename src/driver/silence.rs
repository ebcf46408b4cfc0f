//! How long an engine that does not answer is borne: it may be being restarted.
//!
//! Not here: who bears it (`pod`, `logs`), and the supervisor, which leaves to be started again (`supervise`).

use std::time::{Duration, Instant};

use crate::engine::EngineError;

/// No longer than this.
const LONGEST: Duration = Duration::from_secs(30);
/// Between two tries.
pub(super) const PATIENCE: Duration = Duration::from_millis(500);

/// Since when the engine has not answered.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Silence(Option<Instant>);

impl Silence {
    /// Whether what failed is to be tried again: the engine did not answer, and has not been silent for long.
    pub(super) fn bears(&mut self, error: &EngineError) -> bool {
        error.is_connection() && self.0.get_or_insert_with(Instant::now).elapsed() < LONGEST
    }

    /// Whether it lasts.
    #[must_use]
    pub(super) fn lasts(self) -> bool {
        self.0.is_some()
    }

    /// All that was asked has been answered.
    pub(super) fn end(&mut self) {
        self.0 = None;
    }
}
