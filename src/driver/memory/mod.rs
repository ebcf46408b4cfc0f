//! What who drives a pod remembers of it besides what a look tells: when containers ran, what their probes and hooks said, what has
//! happened; and what of that is to be told to others.
//!
//! - `refused`: what could not be done.
//!
//! Not here: what follows from it (`reconcile`), writing it down (`pod`).

mod refused;

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::probe::{Answer, Verdict};
use crate::reconcile::action::{Target, Why};
use crate::reconcile::health::{Health, Kind};
use crate::reconcile::restart::{BackOff, Ended, Life};
use crate::reconcile::{Action, Over, Seen, SeenContainer, State};
use crate::record::Care;
use crate::record::labels::PAUSE_CONTAINER;
use crate::record::told::{End, Happening, LastAnswer, Reason, Told, stopping};
use crate::spec::probe::{Check, Probe};
use crate::spec::{Container, Desired};

/// What nobody waits for is told no more often.
const QUIET: Duration = Duration::from_secs(2);

/// Of one pod.
#[derive(Debug)]
pub(super) struct Memory {
    /// What the engine's clock is ahead of this one, in milliseconds.
    pub(super) ahead: i64,
    pub(super) back_off: BackOff,
    /// When those that have ended did, by id.
    pub(super) ended: BTreeMap<String, Ended>,
    /// Of those that run and have probes or hooks, by id.
    pub(super) health: BTreeMap<String, Health>,
    /// Commands of probes that did not end in time, by the key of their action: no second one is started beside them.
    pub(super) hanging: BTreeMap<String, String>,
    told: Told,
    written: Told,
    /// It is being written.
    writing: Option<Told>,
    /// Another was heard since that write began.
    heard: bool,
    written_at: Option<Instant>,
    /// The last write failed: the next can wait.
    failed: bool,
    /// A container was told to end: what the engine knows of it goes with it.
    is_ending: bool,
}

impl Memory {
    /// When the pod began, where that was not told before.
    pub(super) fn began_at(&mut self, began: Option<u64>) {
        self.told.began = self.told.began.or(began);
    }

    /// Its time is over.
    pub(super) fn times_out(&mut self) {
        self.told.ended = Some(Reason::deadline());
    }

    /// This generation is driven to.
    pub(super) fn drives_to(&mut self, generation: u64) {
        self.told.generation = self.told.generation.max(generation);
    }

    /// Goes on from what was told before.
    pub(super) fn new(ahead: i64, back_off: BackOff, told: Told) -> Self {
        Self {
            ahead,
            back_off,
            ended: BTreeMap::new(),
            health: BTreeMap::new(),
            hanging: BTreeMap::new(),
            written: told.clone(),
            told,
            writing: None,
            heard: false,
            written_at: None,
            failed: false,
            is_ending: false,
        }
    }

    /// Goes on beside another driver of the pod that has told this meanwhile. What is not this one's own is as the other tells it: two that each
    /// put their word in the place of the other's would write for good.
    pub(super) fn hear(&mut self, told: &Told) {
        self.told.merge(told, &self.written);
        for (id, standing) in &told.containers {
            if let Some(health) = self.health.get_mut(id) {
                health.hear(standing);
            } else {
                self.told.containers.insert(id.clone(), standing.clone());
            }
        }
        self.written = told.clone();
        self.heard = true;
    }

    /// By the engine's clock, in milliseconds since 1970.
    pub(super) fn now(&self) -> u64 {
        now().saturating_add_signed(self.ahead)
    }

    pub(super) fn life(&self) -> Life<'_> {
        Life {
            now: self.now(),
            ended: &self.ended,
            health: &self.health,
            back_off: self.back_off,
            began: self.told.began,
            attempts: &self.told.attempts,
            end: self.end(),
            timed_out: self.told.ended == Some(Reason::deadline()),
        }
    }

    /// The end that the pod has come to, as it is wanted now.
    fn end(&self) -> Option<Over> {
        let failed = self.told.has_failed(self.told.generation);
        failed.map(Over::of_end)
    }

    /// Whether a look is to bring when this container ran.
    pub(super) fn wants_times(&self, container: &SeenContainer, live: bool) -> bool {
        match container.state {
            State::Exited(_) => live && !self.ended.contains_key(&container.id),
            State::Running => {
                !container.identity.care.is_none() && !self.health.contains_key(&container.id)
            }
            State::Created | State::Removing => false,
        }
    }

    /// Takes a look, with the times that it brought.
    pub(super) fn looked(
        &mut self,
        seen: &Seen,
        times: BTreeMap<String, Ended>,
        desired: Option<&Desired>,
    ) {
        self.began_at(seen.began);
        // What has never been started counts as no attempt.
        for member in seen.members().filter(|c| c.state != State::Created) {
            let identity = &member.identity;
            self.told.tried(&identity.container, identity.attempt);
        }
        let is_there = |id: &String| seen.containers.iter().any(|c| c.id == *id);
        self.ended.retain(|id, _| is_there(id));
        let runs = |id: &String| seen.members().any(|c| c.id == *id && c.is_running());
        self.health.retain(|id, _| runs(id));
        for (id, times) in times {
            let Some(container) = seen.members().find(|c| c.id == id) else {
                continue;
            };
            if !container.is_running() {
                self.ended.insert(id, times);
            } else if let Some(spec) = spec(desired, container)
                && self.wants_times(container, true)
            {
                let told = self.told.containers.get(&id);
                let health = Health::resume(spec, times.started, told, self.now());
                self.health.insert(id, health);
            }
        }
    }

    /// Goes on with the containers that run, as far as they can be asked whether they are ready: when they were started does not matter any
    /// more. `reaches_pods`: as [`EngineFacts`](crate::spec::EngineFacts) has it.
    pub(super) fn resume(&mut self, seen: &Seen, desired: Option<&Desired>, reaches_pods: bool) {
        let now = self.now();
        let can_ask = |probe: &Probe| reaches_pods || matches!(probe.check, Check::Exec(_));
        for container in seen.members().filter(|c| c.is_running()) {
            let spec = spec(desired, container);
            if let Some(spec) =
                spec.filter(|spec| spec.probes.readiness.as_ref().is_some_and(can_ask))
            {
                let told = self.told.containers.get(&container.id);
                let health = Health::resume(spec, 0, told, now);
                self.health.insert(container.id.clone(), health);
            }
        }
    }

    /// A container has been made.
    pub(super) fn created(&mut self, container: &str) {
        self.happened(false, "Created", container, "Container created");
    }

    /// A container has been started.
    pub(super) fn started(&mut self, target: &Target, desired: Option<&Desired>) {
        let container = desired.and_then(|desired| desired.pod.container(&target.container));
        let Some(container) = container else { return };
        self.told.waiting.remove(&container.name);
        if !Care::of(container).is_none() {
            let health = Health::begin(container, self.now());
            self.health.insert(target.id.clone(), health);
        }
        self.happened(false, "Started", &container.name, "Container started");
    }

    /// Whether a container that is asked is ready.
    pub(super) fn is_ready(&self, target: &Target) -> bool {
        self.health.get(&target.id).is_some_and(Health::is_ready)
    }

    /// A probe has been answered; what is to be shown of it.
    pub(super) fn answered(
        &mut self,
        target: &Target,
        kind: Kind,
        answer: Answer,
        desired: Option<&Desired>,
    ) -> Option<Happening> {
        let now = self.now();
        let key = Action::Probe {
            target: target.clone(),
            kind,
        }
        .key();
        match answer.running {
            Some(command) => self.hanging.insert(key, command),
            None => self.hanging.remove(&key),
        };
        let container = desired?.pod.container(&target.container)?;
        let probe = kind.of(&container.probes)?;
        let health = self.health.get_mut(&target.id)?;
        let good = answer.verdict == Verdict::Success;
        // What a good answer says, a time perhaps, is nobody's news: each would be written down, and heard of by all.
        let said = if good { "" } else { &answer.message };
        let last = (answer.verdict != Verdict::Unknown).then(|| LastAnswer {
            good,
            message: said.to_owned(),
        });
        health.answered(kind, probe, last, now);
        if good {
            return None;
        }
        let word = match kind {
            Kind::Startup => "Startup",
            Kind::Liveness => "Liveness",
            Kind::Readiness => "Readiness",
        };
        let message = match answer.verdict {
            Verdict::Unknown => format!("{word} probe errored: {}", answer.message),
            _ => format!("{word} probe failed: {}", answer.message),
        };
        Some(self.happened(true, "Unhealthy", &container.name, &message))
    }

    /// A `postStart` hook has ended; what is to be shown of it.
    pub(super) fn hooked(
        &mut self,
        target: &Target,
        result: Result<(), String>,
    ) -> Option<Happening> {
        let now = self.now();
        let health = self.health.get_mut(&target.id)?;
        health.hooked(result.is_ok(), now);
        let message = result.err()?;
        let reason = Reason {
            reason: "PostStartHookError".to_owned(),
            message: message.clone(),
        };
        self.told.waiting.insert(target.container.clone(), reason);
        let message = format!("PostStartHook failed: {message}");
        Some(self.happened(true, "FailedPostStartHook", &target.container, &message))
    }

    /// An action begins.
    pub(super) fn began(&mut self, action: &Action) {
        match action {
            Action::Create {
                container,
                restart: Some(restart),
                ..
            } if restart.delay > 0 && restart.not_before > 0 => {
                let message = format!(
                    "Back-off {}s restarting failed container",
                    restart.delay.div_ceil(1000)
                );
                self.happened(true, "BackOff", container, &message);
            }
            Action::CreatePause { attempt: 1.., .. } => {
                let message = "Pod sandbox changed, it will be killed and re-created.";
                self.happened(false, "SandboxChanged", "", message);
            }
            // kubelet: nothing is told of the sandbox's end.
            Action::Stop { target, why, .. } if target.container != PAUSE_CONTAINER => {
                self.is_ending = true;
                let name = &target.container;
                let message = match why {
                    Why::Unhealthy(kind) => {
                        format!(
                            "Container {name} failed {} probe, will be restarted",
                            kind.word()
                        )
                    }
                    Why::Over | Why::Down => stopping(name),
                    _ => format!("Stopping container {name}: {why}"),
                };
                self.happened(false, "Killing", name, &message);
            }
            _ => {}
        }
    }

    /// A `preStop` hook did not end well.
    pub(super) fn hook_failed(&mut self, target: &Target, message: &str) -> Happening {
        let message = format!("PreStopHook failed: {message}");
        self.happened(true, "FailedPreStopHook", &target.container, &message)
    }

    fn happened(
        &mut self,
        warning: bool,
        reason: &str,
        container: &str,
        message: &str,
    ) -> Happening {
        let now = self.now();
        let happening = Happening {
            time: now,
            first: now,
            count: 1,
            warning,
            reason: reason.to_owned(),
            container: container.to_owned(),
            message: message.trim_end().to_owned(),
        };
        self.told.happened(happening.clone());
        happening
    }

    /// What others are to know now; `None`: they do, or can wait. `all`: nobody can wait any more.
    pub(super) fn news(&mut self, seen: &Seen, over: Option<Over>, all: bool) -> Option<Told> {
        // Of one that has not been looked at yet stays what was told before.
        let before = std::mem::take(&mut self.told.containers);
        let asked = seen
            .members()
            .filter(|c| c.is_running() && !c.identity.care.is_none());
        let standing = |c: &SeenContainer| {
            let known = self.health.get(&c.id).map(Health::to_standing);
            Some((c.id.clone(), known.or_else(|| before.get(&c.id).cloned())?))
        };
        self.told.containers = asked.filter_map(standing).collect();
        match over {
            Some(Over::Deadline) => self.told.ended = Some(Reason::deadline()),
            Some(Over::Stopped) => self.told.ended = Some(Reason::stopped()),
            _ => self.told.ended = None,
        }
        // What could not be started is tried again by whoever asks for the pod.
        let refused = seen
            .members()
            .any(|c| c.state == State::Created && self.ended.contains_key(&c.id));
        if let Some(over @ (Over::Succeeded | Over::Failed)) = over.filter(|_| !refused) {
            self.told.end = Some(End {
                generation: self.told.generation,
                failed: over == Over::Failed,
            });
        }
        let can_wait = !all && (!self.is_urgent() || self.failed) && self.is_quiet();
        if self.told == self.written || can_wait {
            return None;
        }
        Some(self.told.clone())
    }

    /// Whether there is anything to tell of a pod that nobody keeps alive.
    pub(super) fn must_tell(&self, over: Option<Over>) -> bool {
        let has_ended = over == Some(Over::Stopped) || self.written.ended.is_some();
        has_ended || self.is_ending || !self.health.is_empty()
    }

    /// When what can wait is to be told.
    pub(super) fn next_tell(&self) -> Option<Instant> {
        let at = self.written_at?;
        (self.told != self.written).then_some(at + QUIET)
    }

    fn is_quiet(&self) -> bool {
        self.written_at.is_some_and(|at| at.elapsed() < QUIET)
    }

    /// Whether somebody may wait for it.
    fn is_urgent(&self) -> bool {
        let states = |told: &Told| -> Vec<(String, bool, bool)> {
            let containers = told.containers.iter();
            containers
                .map(|(id, standing)| (id.clone(), standing.started, standing.ready))
                .collect()
        };
        let (now, then) = (&self.told, &self.written);
        states(now) != states(then)
            || now.waiting != then.waiting
            || now.ended != then.ended
            || now.end != then.end
    }

    /// It is being written down.
    pub(super) fn telling(&mut self, told: Told) {
        self.writing = Some(told);
        self.heard = false;
        self.written_at = Some(Instant::now());
    }

    /// It has been, or could not be. Gives whether the record is to be read, for what it says now is not known.
    pub(super) fn told(&mut self, done: bool) -> bool {
        self.failed = !done;
        match self.writing.take() {
            // Of the two it may be either.
            Some(_) if done && self.heard => true,
            Some(told) if done => {
                self.written = told;
                false
            }
            _ => !done,
        }
    }
}

/// By this machine's clock, in milliseconds since 1970.
pub(super) fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

/// What a clock that shows this time is ahead of this machine's, in milliseconds.
pub(super) fn ahead(time: u64) -> i64 {
    let difference = i128::from(time) - i128::from(now());
    i64::try_from(difference).unwrap_or_default()
}

/// The spec that a container was made from, as far as its name tells.
fn spec<'a>(desired: Option<&'a Desired>, container: &SeenContainer) -> Option<&'a Container> {
    desired?.pod.container(&container.identity.container)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::seen::tests::member;
    use crate::record::hash::tests::pod;
    use crate::spec::Payload;

    /// A pod whose container runs, and is asked whether it is ready.
    fn ready() -> (Desired, Seen, Target) {
        let mut pod = pod(&["a"]);
        pod.containers[0].probes.readiness = Some(Probe {
            check: Check::Exec(vec!["date".into()]),
            initial_delay: 0,
            period: 10,
            timeout: 1,
            success_threshold: 1,
            failure_threshold: 3,
            grace_period: None,
        });
        let mut running = member("a", State::Running);
        running.identity.care = Care::of(&pod.containers[0]);
        let target = Target {
            id: running.id.clone(),
            container: "a".into(),
            attempt: 0,
        };
        let seen = Seen {
            containers: vec![running],
            ..Seen::default()
        };
        let desired = Desired {
            pod,
            manifest: serde_json::Value::Null,
            payload: Payload::new(),
        };
        (desired, seen, target)
    }

    #[test]
    fn a_good_answer_in_other_words_is_no_news() {
        let (desired, seen, target) = ready();
        let mut memory = Memory::new(0, BackOff::default(), Told::default());
        memory.started(&target, Some(&desired));
        let mut is_news = |verdict, message: &str| {
            let answer = Answer {
                verdict,
                message: message.into(),
                running: None,
            };
            memory.answered(&target, Kind::Readiness, answer, Some(&desired));
            let told = memory.news(&seen, None, true);
            let is_news = told.is_some();
            memory.telling(told.unwrap_or_default());
            memory.told(is_news);
            is_news
        };
        assert!(is_news(Verdict::Success, "05:00:00"));
        assert!(!is_news(Verdict::Success, "05:00:10"));
        assert!(is_news(Verdict::Failure, "05:00:20"));
        assert!(is_news(Verdict::Failure, "05:00:30"));
    }

    /// One has asked the probe and started the container, the other has only looked.
    #[test]
    fn who_has_only_looked_has_nothing_to_tell_once_it_has_heard() {
        let (desired, seen, target) = ready();
        let mut keeper = Memory::new(0, BackOff::default(), Told::default());
        keeper.looked(&seen, BTreeMap::new(), Some(&desired));
        keeper.refused(&target, "no such program".into());
        let before = keeper.news(&seen, None, true).expect("news");
        keeper.telling(before.clone());
        keeper.told(true);
        let mut other = Memory::new(0, BackOff::default(), before);
        let times = BTreeMap::from([(target.id.clone(), Ended::default())]);
        other.looked(&seen, times, Some(&desired));
        keeper.started(&target, Some(&desired));
        for verdict in [Verdict::Failure, Verdict::Success, Verdict::Failure] {
            for n in 0..4 {
                let answer = Answer {
                    verdict,
                    message: format!("at {n}"),
                    running: None,
                };
                keeper.answered(&target, Kind::Readiness, answer, Some(&desired));
                let Some(told) = keeper.news(&seen, None, true) else {
                    continue;
                };
                keeper.telling(told.clone());
                assert!(!keeper.told(true));
                other.hear(&told);
                assert_eq!(other.news(&seen, None, true), None);
            }
        }
    }

    #[test]
    fn of_two_that_write_at_once_each_reads_what_has_come_of_it() {
        let (desired, seen, target) = ready();
        let mut memory = Memory::new(0, BackOff::default(), Told::default());
        memory.started(&target, Some(&desired));
        let told = memory.news(&seen, None, true).expect("news");
        memory.telling(told.clone());
        let mut of_another = told;
        of_another.generation = 7;
        memory.hear(&of_another);
        assert!(memory.told(true));
    }

    #[test]
    fn a_write_into_the_record_does_not_move_the_pods_beginning() {
        let mut memory = Memory::new(0, BackOff::default(), Told::default());
        for began in [Some(4000), Some(9000), None] {
            let seen = Seen {
                began,
                ..Seen::default()
            };
            memory.looked(&seen, BTreeMap::new(), None);
            assert_eq!(memory.life().began, Some(4000));
        }
    }
}
