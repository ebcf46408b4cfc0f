//! Whether and when a container that has ended is started again (kubelet: `ShouldContainerBeRestarted`, `doBackOff`,
//! `MaxContainerBackOff`): at once, then after a time that doubles with each end, until it has run for long enough.
//!
//! The step is kept in the labels of the container that comes next, so that whoever drives the pod goes on from it.
//!
//! Not here: making it anew (`member`), the clock (it is an argument).

use std::collections::BTreeMap;

use super::health::Health;
use super::over::Over;
use super::seen::{SeenContainer, State};
use crate::record::labels::Restart;
use crate::spec::{Container, Pod};

/// Docker: the code of a start that was refused.
pub(super) const NOT_STARTED: i64 = 128;

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
            .filter(|restart| ran < self.reset && *restart != Restart::AT_ONCE)
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
    /// The pause container was found alive after it, so that it is not why this one has ended.
    pub alone: bool,
}

/// Time, and what it brings.
#[derive(Debug, Clone, Copy)]
pub struct Life<'a> {
    /// By the engine's clock, in milliseconds since 1970.
    pub now: u64,
    /// Of containers that have ended, by id; one that could not be started is in it too.
    pub ended: &'a BTreeMap<String, Ended>,
    /// Of containers that run, by id. One that is not in it has neither probes nor hooks.
    pub health: &'a BTreeMap<String, Health>,
    /// How long to wait.
    pub back_off: BackOff,
    /// When the pod began (kubelet: `status.startTime`).
    pub began: Option<u64>,
    /// The highest attempt of each container that was there, by its name: one that is removed by hand counts as restarted.
    pub attempts: &'a BTreeMap<String, u32>,
    /// The end that the pod was seen to come to: it stays so when its containers are removed.
    pub end: Option<Over>,
    /// It was seen that its time was over.
    pub timed_out: bool,
}

impl Life<'_> {
    /// The code with which a container has ended; one that could not be started counts as ended.
    pub(super) fn code(&self, container: &SeenContainer) -> Option<i64> {
        match container.state {
            State::Exited(code) => Some(code),
            State::Created => {
                let refused = self.ended.contains_key(&container.id);
                refused.then_some(NOT_STARTED)
            }
            State::Running | State::Removing => None,
        }
    }

    /// The next attempt of a container that is not there, or not any more.
    pub(super) fn next_attempt(&self, container: &str) -> u32 {
        self.attempts.get(container).map_or(0, |last| last + 1)
    }

    /// The attempt after a container, of which later ones may have been removed by hand.
    pub(super) fn attempt_after(&self, container: &SeenContainer) -> u32 {
        let identity = &container.identity;
        let next = self.next_attempt(&identity.container);
        next.max(identity.attempt + 1)
    }

    /// kubelet: `status.started`.
    pub(super) fn is_started(&self, container: &SeenContainer) -> bool {
        let health = self.health.get(&container.id);
        container.is_running() && health.is_none_or(Health::is_started)
    }

    /// kubelet: `status.ready`.
    pub(super) fn is_ready(&self, container: &SeenContainer) -> bool {
        let health = self.health.get(&container.id);
        container.is_running() && health.is_none_or(Health::is_ready)
    }
}

/// Whether the policies want a container of the pod running that has ended with this code. An init container that has ended
/// well is done, whatever they say.
#[must_use]
pub fn is_to_run_again(pod: &Pod, container: &Container, code: i64) -> bool {
    if container.sidecar {
        return true;
    }
    container.restarts.again(pod.restart_policy, code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::RestartPolicy;
    use crate::spec::restart::RestartRule;

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
                alone: false,
            };
            let next = BackOff::default().after(restart, &ended);
            assert_eq!(next.not_before, finished + next.delay);
            waits.push(next.delay / SECOND);
            restart = Some(next);
        }
        waits
    }

    /// kubelet: NB-POD-09.
    #[test]
    fn the_wait_doubles_from_ten_seconds_to_five_minutes() {
        assert_eq!(waits(0, 8), [0, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(waits(599, 4), [0, 10, 20, 40]);
    }

    /// kubelet: NB-RULES-03, NB-RULES-04, NB-RULES-05.
    #[test]
    fn a_rule_of_the_container_decides_before_its_policy_and_that_before_the_pods() {
        use crate::record::hash::tests::pod;
        let mut pod = pod(&["a"]);
        let again = |pod: &Pod, code| is_to_run_again(pod, &pod.containers[0], code);
        assert!(again(&pod, 0) && again(&pod, 1));
        pod.restart_policy = RestartPolicy::Never;
        assert!(!again(&pod, 1));
        pod.containers[0].restarts.policy = Some(RestartPolicy::OnFailure);
        assert!(again(&pod, 1) && !again(&pod, 0));
        pod.containers[0].restarts.policy = Some(RestartPolicy::Never);
        pod.containers[0].restarts.rules = vec![RestartRule {
            all: false,
            not_in: false,
            codes: vec![42],
        }];
        assert!(again(&pod, 42) && !again(&pod, 1));
        pod.containers[0].restarts.rules[0].not_in = true;
        assert!(!again(&pod, 42) && again(&pod, 1));
        pod.containers[0].sidecar = true;
        assert!(again(&pod, 42));
    }

    /// kubelet: NBX-BACK-01.
    #[test]
    fn who_has_run_for_ten_minutes_begins_anew() {
        assert_eq!(waits(600, 3), [0, 0, 0]);
    }
}
