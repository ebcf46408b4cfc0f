//! The loop for one pod: look, decide, begin, wait for what ends, decide again. No action blocks it.
//!
//! What an action changed is applied to what was seen, so that the next decision needs no look; the last decision is made
//! on a fresh one. A call that another podctl overtook (the name is taken, the container is gone) leads to a look.
//!
//! - `begin`: what a way begins with.
//! - `look`: looks, and what is taken from them.
//! - `act`: actions, and what their ends change.
//! - `outcome`: how it ends.
//! - `tell`: the record, as far as the loop writes it.
//!
//! Not here: rules (`reconcile`), what a failure leads to (`up`, `down`).

mod act;
mod begin;
mod look;
mod outcome;
mod tell;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinSet};

use self::look::Times;
pub use self::outcome::{Alive, Known, Outcome, Reached};
use super::effect::Effect;
use super::memory::Memory;
use super::plan::Plan;
use super::silence::Silence;
use super::{Event, Events, Failure, Interrupt};
use crate::engine::events::Heard;
use crate::engine::{Engine, EngineError};
use crate::probe::Prober;
use crate::reconcile::action::hook_key;
use crate::reconcile::{Action, Decision, Goal, Input, Over, Seen, SeenContainer, Until, decide};
use crate::record::Record;

/// Between two looks while another podctl, or the engine, is at work on the pod.
const PATIENCE: Duration = Duration::from_millis(50);
/// An engine's event may be missed: so often a pod that is kept alive is looked at anyhow, and its record read.
const LONGEST_REST: Duration = Duration::from_mins(1);
/// An engine tells of an end before its list call does (Docker 20.10, 28.5): so long after a change it is looked again, the
/// last entry first.
const AFTER_A_CHANGE: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_millis(300),
    Duration::from_millis(100),
    Duration::from_millis(20),
];
/// So many looks in a row that change nothing are not a race any more.
const MOST_LOOKS: u32 = 200;
/// What could not be done is tried again after this (kubelet: `backOffPeriod`).
pub(super) const PUT_OFF: Duration = Duration::from_secs(10);
/// What need not wait for others.
const PUT_OFF_SHORTLY: Duration = Duration::from_millis(500);
/// The way down goes on after a failure, but not for ever.
const MOST_FAILURES: usize = 8;

/// One pod on its way to a goal.
pub struct Drive {
    engine: Engine,
    prober: Arc<Prober>,
    goal: Goal,
    plan: Arc<Plan>,
    seen: Seen,
    memory: Memory,
    ended_before: BTreeSet<String>,
    /// When somebody began to keep the pod, in the engine's milliseconds since 1970: what had ended before is no news.
    since: u64,
    /// The highest that was seen when the record was read.
    known_generation: u64,
    /// Pause containers that are of no use any more: they cannot be started, or have been started again beside members that lived on.
    lost: BTreeSet<String>,
    events: Events,
    interrupt: Interrupt,
    /// Interrupts that came before this way began.
    interrupts_before: u32,
    /// Writes into the pod's record: those of this way itself, and those that were seen.
    own_uploads: u32,
    uploads: u32,
    /// The record is being read, for somebody else has written into it.
    reading: bool,
    /// Somebody has written a wish that counts more than the one that is driven to.
    overtaken: bool,
    upload_events: Option<BoxStream<'static, Heard>>,
    /// Counts what has happened to containers of the pod.
    changes: Option<watch::Receiver<u64>>,
    /// Told when a member runs.
    speaks: Option<Arc<Notify>>,
    ends_with: Option<String>,
    /// Each container has been started once.
    alive: bool,
    /// A port of the pod was taken when its pause was to be started, and it was looked whether the pause before has it.
    looked_for_holder: bool,
    over: Option<Over>,
    ready: bool,
    silence: Silence,
    /// What was put off, and is not due yet.
    n_put_off: usize,
    /// How often in a row the image of a container was refused.
    refused_pulls: BTreeMap<String, u32>,

    tasks: JoinSet<Done>,
    /// Those of the tasks that change nothing of what is seen.
    waits: Vec<AbortHandle>,
    in_flight: BTreeSet<String>,
    failures: Vec<Failure>,
    acted: bool,
    n_started: usize,
    telling: bool,
    look: Look,
    next_look: Instant,
    /// Looks in a row that changed nothing.
    fruitless: u32,
    /// Looks that are still to be taken after a change.
    n_looks: usize,
}

/// What is known of the pod now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// What was seen is a look that nothing has followed.
    Fresh,
    /// What was seen is a look, and what was done since.
    Applied,
    /// Somebody else has done something.
    Wanted,
    /// A look is under way.
    UnderWay,
    /// A look is under way, and something has been done since it began: it does not count.
    Overtaken,
}

/// What a task of the loop brings.
enum Done {
    /// With how often it was to write into the pause container.
    Action(Action, u32, Result<Effect, EngineError>),
    /// Whether it could be written.
    Told(bool),
    /// What the record said when so many writes had been heard of; `None`: it could not be read.
    Record(u32, Option<Box<Record>>),
    /// What was put off, by its key.
    Rested(String),
    Look(Box<Result<Seen, EngineError>>),
    Times(Result<Times, EngineError>),
}

impl Drive {
    /// Goes on until the goal is reached, or cannot be.
    pub async fn run(mut self) -> Outcome {
        loop {
            let interrupted = self.interrupt.count() > self.interrupts_before;
            let changed = self.is_record_changed();
            let leaving = interrupted || self.is_over();
            let stopping = leaving || changed;
            // What is under way comes to its end before another wish is followed, and a container may take its time to end.
            let lingering = !leaving && changed && self.n_acting() > 0;
            if stopping && !lingering {
                // What waits for an init container may wait for long; it changes nothing.
                self.waits.drain(..).for_each(|wait| wait.abort());
            }
            if stopping && self.tasks.is_empty() {
                if matches!(self.goal, Goal::Live(Until::Ready { .. })) {
                    self.tell_all().await;
                }
                return match (interrupted, changed) {
                    (true, _) => Outcome::Interrupted(self.over),
                    (false, true) => Outcome::RecordChanged(Box::new(self.known())),
                    (false, false) if self.alive => Outcome::Lost(self.failures),
                    (false, false) => Outcome::Failed(self.failures),
                };
            }
            let mut wake = None;
            if lingering {
                let decision = self.decide();
                self.ask(decision.actions);
                self.tell(false);
                wake = decision.wake;
            }
            if !stopping {
                let decision = self.decide();
                let due = decision.wake;
                self.live(&decision);
                let is_fresh = self.look == Look::Fresh;
                if is_fresh && decision.actions.is_empty() && self.n_put_off == 0 {
                    self.silence.end();
                }
                // What is seen while the engine is silent is what was seen before.
                if decision.reached && is_fresh && !self.has_unread() && !self.silence.lasts() {
                    return self.reached().await;
                }
                if let (Some(failed), Look::Fresh) = (&decision.failed_init, self.look) {
                    return Outcome::FailedInit(Failure::init(&self.plan.key, failed));
                }
                self.begin(decision);
                self.tell(false);
                self.read_unread();
                // What is due waits for a look that is under way.
                wake = due.filter(|_| !self.is_looking());
            }
            let first = self.interrupts_before + u32::from(interrupted);
            let wake = self.rest(wake);
            let next_look = self.next_look;
            tokio::select! { biased;
                // The first lets what is under way come to its end; a stop signal may take its time to be obeyed.
                () = self.interrupt.beyond(first) => {
                    if interrupted || !self.goal.is_up() {
                        return Outcome::Interrupted(self.over);
                    }
                }
                Some(heard) = next(&mut self.upload_events) => self.written(heard),
                () = change(&mut self.changes) => {
                    self.n_looks = AFTER_A_CHANGE.len();
                    self.want_look();
                }
                Some(done) = self.tasks.join_next() => {
                    self.waits.retain(|wait| !wait.is_finished());
                    match done {
                    Ok(Done::Look(result)) => self.looked(*result),
                    Ok(Done::Times(result)) => self.timed(result),
                    Ok(Done::Action(action, n_uploads, result)) => {
                        self.ended(&action, n_uploads, result);
                    }
                    Ok(Done::Told(done)) => self.told(done),
                    Ok(Done::Record(uploads, record)) => self.read(uploads, record),
                    Ok(Done::Rested(key)) => self.rested(&key),
                    Err(error) if error.is_cancelled() => {}
                    // A panic costs this pod its turn, no more.
                    Err(_) => self.failures.push(Failure::stuck(&self.plan.key)),
                    }
                }
                () = tokio::time::sleep_until(next_look.into()), if self.goal.is_live() => {
                    if self.n_looks == 0 {
                        self.written(Heard::Break);
                    }
                    self.n_looks = self.n_looks.saturating_sub(1);
                    self.want_look();
                }
                () = tokio::time::sleep(wake), if !stopping || lingering => {}
            }
            if self.goal.is_up() && (self.seen.record.is_none() || self.seen.deletion) {
                return Outcome::RecordGone;
            }
        }
    }

    /// How long nothing need be done.
    fn rest(&self, wake: Option<u64>) -> Duration {
        let wake = wake.map(|wake| Duration::from_millis(wake.saturating_sub(self.memory.now())));
        let tell = self.memory.next_tell();
        let tell = tell.map(|at| at.saturating_duration_since(Instant::now()));
        let tell = tell.filter(|_| self.may_tell() && self.told_through().is_some());
        wake.into_iter()
            .chain(tell)
            .fold(LONGEST_REST, Duration::min)
    }

    fn decide(&self) -> Decision {
        decide(&Input {
            life: self.memory.life(),
            goal: self.goal,
            desired: self.plan.desired.as_ref(),
            images: &self.plan.images,
            seen: &self.seen,
            in_flight: &self.in_flight,
            ended_before: &self.ended_before,
            lost: &self.lost,
            ends_with: self.ends_with.as_deref(),
            members_first: self.plan.facts.podman,
        })
    }

    /// Tells of what a pod that is kept alive comes to.
    fn live(&mut self, decision: &Decision) {
        let before = std::mem::replace(&mut self.over, decision.over);
        if self.over == Some(Over::Deadline) {
            self.memory.times_out();
        }
        if !self.goal.is_live() {
            return;
        }
        if self.seen.members().any(SeenContainer::is_running)
            && let Some(speaks) = self.speaks.take()
        {
            speaks.notify_one();
        }
        self.ready = decision.ready;
        if decision.started && !self.alive {
            self.alive = true;
            if self.goal == Goal::Live(Until::Stopped) {
                let desired = self.plan.desired.as_ref();
                let policy = desired.and_then(|desired| desired.pod.common_policy());
                self.events.tell(Event::Alive { policy });
            }
        }
        if let (Some(over), None) = (decision.over, before) {
            self.events.tell(Event::Over(over));
        }
    }

    /// Begins what changes nothing.
    fn ask(&mut self, actions: Vec<Action>) {
        for action in actions.into_iter().filter(Action::changes_nothing) {
            self.begin_action(action);
        }
    }

    fn is_looking(&self) -> bool {
        matches!(self.look, Look::UnderWay | Look::Overtaken)
    }

    /// Tasks that change what is seen.
    fn n_acting(&self) -> usize {
        let others = self.waits.len() + usize::from(self.telling);
        self.tasks.len().saturating_sub(others)
    }

    fn known(mut self) -> Known {
        // A hook that was cut off goes on in its container: who comes later does not run it again.
        let is_cut_off = |id: &String| self.in_flight.contains(&hook_key(id));
        self.memory.health.retain(|id, _| !is_cut_off(id));
        Known {
            memory: self.memory,
            alive: self.alive,
            over: self.over,
        }
    }

    async fn reached(mut self) -> Outcome {
        if !self.failures.is_empty() {
            return Outcome::Failed(self.failures);
        }
        self.tell_all().await;
        Outcome::Reached(Box::new(Reached {
            seen: std::mem::take(&mut self.seen),
            acted: self.acted,
            n_started: self.n_started,
            over: self.over,
            ready: self.ready,
            known: self.known(),
        }))
    }

    /// Bringing up stops at the first failure; tearing down collects failures and goes on, for as long as that helps.
    fn is_over(&self) -> bool {
        match self.goal {
            Goal::Up | Goal::Live(_) => !self.failures.is_empty(),
            Goal::Down { .. } => {
                self.failures.len() > MOST_FAILURES
                    || self.failures.iter().any(Failure::is_connection)
                    || (!self.failures.is_empty() && self.fruitless > MOST_LOOKS / 10)
            }
        }
    }

    /// Begins what was decided; or a look, where one is wanted, or nothing else is to be done.
    fn begin(&mut self, decision: Decision) {
        if self.is_looking() {
            return;
        }
        if self.look == Look::Wanted && self.n_acting() > 0 {
            // A look counts once nothing is being changed; probes need not wait for that.
            return self.ask(decision.actions);
        }
        let at_rest = decision.actions.is_empty() && self.n_acting() == 0;
        if self.goal.is_live() && decision.actions.is_empty() {
            // At rest until something happens.
            if at_rest && self.look != Look::Fresh {
                self.begin_look(true);
            }
            return;
        }
        let idle = decision.actions.is_empty() && self.tasks.is_empty();
        if self.look == Look::Wanted || idle {
            return self.begin_look(decision.reached || self.goal.is_live());
        }
        for action in decision.actions {
            self.begin_action(action);
        }
    }
}

/// Something has happened to a container; never, once nobody tells any more.
async fn change(changes: &mut Option<watch::Receiver<u64>>) {
    let changed = match changes {
        Some(changes) => changes.changed().await.is_ok(),
        None => false,
    };
    if !changed {
        std::future::pending::<()>().await;
    }
}

/// A stream that has ended (the engine is gone) is asked no more.
async fn next(stream: &mut Option<BoxStream<'static, Heard>>) -> Option<Heard> {
    let next = stream.as_mut()?.next().await;
    if next.is_none() {
        *stream = None;
    }
    next
}
