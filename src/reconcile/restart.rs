//! When a container that has ended is started again (kubelet: `doBackOff`, `MaxContainerBackOff`): at once, then after a
//! time that doubles with each end, until it has run for long enough.
//!
//! The step is kept in the labels of the container that comes next, so that whoever drives the pod goes on from it.
//!
//! Not here: whether it is started again at all (`up`), the clock (it is an argument).

use std::collections::BTreeMap;

use crate::record::labels::Restart;

/// How long an end is answered with waiting, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackOff {
    /// Before the second restart; it doubles from there.
    pub first: u64,
    /// At the most.
    pub most: u64,
    /// Who has run for so long begins anew.
    pub reset: u64,
}

/// kubelet: `initialBackOff`, `MaxContainerBackOff`, twice that.
impl Default for BackOff {
    fn default() -> Self {
        Self::starting_with(10_000)
    }
}

impl BackOff {
    /// The kubelet's, faster or slower.
    #[must_use]
    pub fn starting_with(first: u64) -> Self {
        Self {
            first,
            most: first.saturating_mul(30),
            reset: first.saturating_mul(60),
        }
    }

    /// What is to be waited after this end, and until when.
    #[must_use]
    pub fn after(&self, before: Option<Restart>, ended: &Ended) -> Restart {
        let ran = ended.finished.saturating_sub(ended.started);
        let waited = before
            .filter(|_| ran < self.reset)
            .map(|restart| restart.delay);
        let delay = match waited {
            None => 0,
            Some(0) => self.first,
            Some(delay) => delay.saturating_mul(2).min(self.most),
        };
        Restart {
            delay,
            not_before: ended.finished.saturating_add(delay),
        }
    }
}

/// When a container ran, in the engine's milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ended {
    /// Its start.
    pub started: u64,
    /// Its end.
    pub finished: u64,
}

/// What a pod that is kept alive is decided by, besides what is seen of it.
#[derive(Debug, Clone, Copy)]
pub struct Life<'a> {
    /// By the engine's clock, in milliseconds since 1970.
    pub now: u64,
    /// Of containers that have ended, by id; one that could not be started is in it too.
    pub ended: &'a BTreeMap<String, Ended>,
    /// How long to wait.
    pub back_off: BackOff,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1000;

    /// The waits, in seconds, of a container that runs for so many seconds each time.
    fn waits(ran: u64, n: usize) -> Vec<u64> {
        let mut restart = None;
        let mut waits = Vec::new();
        for _ in 0..n {
            let finished = 1_000_000 * SECOND;
            let ended = Ended {
                started: finished - ran * SECOND,
                finished,
            };
            let next = BackOff::default().after(restart, &ended);
            assert_eq!(next.not_before, finished + next.delay);
            waits.push(next.delay / SECOND);
            restart = Some(next);
        }
        waits
    }

    #[test]
    fn the_wait_doubles_from_ten_seconds_to_five_minutes() {
        assert_eq!(waits(0, 8), [0, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(waits(599, 4), [0, 10, 20, 40]);
    }

    #[test]
    fn who_has_run_for_ten_minutes_begins_anew() {
        assert_eq!(waits(600, 3), [0, 0, 0]);
    }
}
