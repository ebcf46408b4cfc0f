//! The loop for one pod: look, decide, begin, wait for what ends, decide again. No action blocks it.
//!
//! What an action changed is applied to what was seen, so that the next decision needs no look; the last decision is made
//! on a fresh one. A call that another podctl overtook (the name is taken, the container is gone) leads to a look.
//!
//! Not here: rules (`reconcile`), what a failure leads to (`up`, `down`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinSet};

use super::execute::{Care, Effect, Plan, apply, execute};
use super::memory::Memory;
use super::{Event, Events, Failure, Interrupt};
use crate::engine::{Engine, EngineError};
use crate::probe::Prober;
use crate::reconcile::restart::{BackOff, Ended};
use crate::reconcile::{
    Action, Decision, Goal, Input, Over, Seen, SeenContainer, State, Until, decide,
};
use crate::record::labels::PAUSE_CONTAINER;
use crate::record::names;
use crate::translate::archive;

/// Between two looks while another podctl, or the engine, is at work on the pod.
const PATIENCE: Duration = Duration::from_millis(50);
/// An engine's event may be missed: so often a pod that is kept alive is looked at anyhow.
const LONGEST_REST: Duration = Duration::from_mins(1);
/// An engine tells of an end before its list call does (Docker 20.10, 28.5): so long after a change it is looked again, the
/// last entry first.
const AFTER_A_CHANGE: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_millis(300),
    Duration::from_millis(100),
];
/// So many looks in a row that change nothing are not a race any more.
const MOST_LOOKS: u32 = 200;
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
    /// The highest that was seen when the record was read.
    known_generation: u64,
    lost: BTreeSet<String>,
    events: Events,
    interrupt: Interrupt,
    /// Interrupts that came before this way began.
    interrupts_before: u32,
    /// Writes into the pod's record: those of this way itself, and those that were seen.
    own_uploads: u32,
    uploads: u32,
    upload_events: Option<BoxStream<'static, ()>>,
    /// Counts what has happened to containers of the pod.
    changes: Option<watch::Receiver<u64>>,
    /// Told when a member runs.
    speaks: Option<Arc<Notify>>,
    ends_with: Option<String>,
    /// Each container has been started once.
    alive: bool,
    over: Option<Over>,
    ready: bool,

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

/// What a pod that is kept alive needs.
#[derive(Debug)]
pub struct Alive {
    /// For how long.
    pub until: Until,
    /// How long an end is answered with waiting.
    pub back_off: BackOff,
    /// Counts what has happened to containers of the pod.
    pub changes: watch::Receiver<u64>,
    /// Told when a member runs.
    pub speaks: Arc<Notify>,
    /// The pod is over once this container is.
    pub ends_with: Option<String>,
}

impl Alive {
    /// Kept alive until it is ready.
    #[must_use]
    pub fn until_ready(changes: watch::Receiver<u64>) -> Self {
        Self {
            until: Until::Ready,
            back_off: BackOff::default(),
            changes,
            speaks: Arc::default(),
            ends_with: None,
        }
    }
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

/// How a way ended.
#[derive(Debug)]
pub enum Outcome {
    /// At the goal.
    Reached(Box<Reached>),
    /// Not at the goal: what failed, the first first.
    Failed(Vec<Failure>),
    /// An init container did not end well.
    FailedInit(Failure),
    /// A person stopped it.
    Interrupted,
    /// Somebody wrote into the pod's record.
    RecordChanged,
    /// The record is gone: somebody took the pod down.
    RecordGone,
}

/// What there is at the goal, and what it took.
#[derive(Debug)]
pub struct Reached {
    /// What there is.
    pub seen: Seen,
    /// Whether anything was done.
    pub acted: bool,
    /// How many members were started.
    pub n_started: usize,
    /// The pod has come to its end.
    pub over: Option<Over>,
    /// It was kept alive, and is ready.
    pub ready: bool,
}

/// What a task of the loop brings.
enum Done {
    Action(Action, Result<Effect, EngineError>),
    /// Whether it could be written.
    Told(bool),
    Look(Box<Result<Seen, EngineError>>),
    Times(Result<BTreeMap<String, Ended>, EngineError>),
}

impl Drive {
    /// A way that begins with what was just seen. `ahead`: what the engine's clock is ahead of this one, in milliseconds.
    #[must_use]
    pub fn new(
        engine: &Engine,
        goal: Goal,
        plan: Plan,
        seen: Seen,
        events: &Events,
        interrupt: &Interrupt,
    ) -> Self {
        let told = seen.record.as_ref().map(|record| record.told.clone());
        let mut memory = Memory::new(0, BackOff::default(), told.unwrap_or_default());
        memory.began_at(seen.began);
        Self {
            engine: engine.clone(),
            prober: Arc::new(Prober::new(engine)),
            goal,
            memory,
            ended_before: BTreeSet::new(),
            known_generation: seen
                .containers
                .iter()
                .map(|c| c.identity.generation)
                .fold(plan.generation, u64::max),
            lost: BTreeSet::new(),
            // What a list call tells says nothing of when containers were started.
            look: if goal.is_up()
                && seen
                    .members()
                    .any(|c| c.is_running() && !c.identity.care.is_none())
            {
                Look::Wanted
            } else {
                Look::Fresh
            },
            plan: Arc::new(plan),
            seen,
            events: events.clone(),
            interrupt: interrupt.clone(),
            // One that came between two ways up counts; a way down may be there because of it.
            interrupts_before: if goal.is_up() { 0 } else { interrupt.count() },
            own_uploads: 0,
            uploads: 0,
            upload_events: None,
            changes: None,
            speaks: None,
            ends_with: None,
            alive: false,
            over: None,
            ready: false,
            tasks: JoinSet::new(),
            waits: Vec::new(),
            in_flight: BTreeSet::new(),
            failures: Vec::new(),
            acted: false,
            n_started: 0,
            telling: false,
            next_look: Instant::now() + LONGEST_REST,
            fruitless: 0,
            n_looks: 0,
        }
    }

    /// The same way, on an engine whose clock is so many milliseconds ahead.
    #[must_use]
    pub fn with_clock(mut self, ahead: i64) -> Self {
        self.memory.ahead = ahead;
        self
    }

    /// The same way, on which these containers count as having ended before it began; none without.
    #[must_use]
    pub fn with_ended_before(mut self, ended: BTreeSet<String>) -> Self {
        self.ended_before = ended;
        self
    }

    /// The same way, watching for others that write into the record; `own` writes were made before it began.
    #[must_use]
    pub fn watching(mut self, uploads: BoxStream<'static, ()>, own: u32) -> Self {
        self.upload_events = Some(uploads);
        self.own_uploads = own;
        self
    }

    /// The same way, which does not end when all have been started: the pod is kept alive.
    #[must_use]
    pub fn kept_alive(mut self, alive: Alive) -> Self {
        self.goal = Goal::Live(alive.until);
        self.memory.back_off = alive.back_off;
        self.changes = Some(alive.changes);
        self.speaks = Some(alive.speaks);
        self.ends_with = alive.ends_with;
        self.look = Look::Wanted;
        self.n_looks = AFTER_A_CHANGE.len();
        self
    }

    /// Goes on until the goal is reached, or cannot be.
    pub async fn run(mut self) -> Outcome {
        loop {
            let interrupted = self.interrupt.count() > self.interrupts_before;
            let changed = self.is_record_changed();
            let stopping = interrupted || changed || self.is_over();
            if stopping {
                // What waits for an init container may wait for long; it changes nothing.
                self.waits.drain(..).for_each(|wait| wait.abort());
            }
            if stopping && self.tasks.is_empty() {
                if self.goal == Goal::Live(Until::Ready) {
                    self.tell_all().await;
                }
                return match (interrupted, changed) {
                    (true, _) => Outcome::Interrupted,
                    (false, true) => Outcome::RecordChanged,
                    (false, false) => Outcome::Failed(self.failures),
                };
            }
            let mut wake = None;
            if !stopping {
                let decision = self.decide();
                wake = decision.wake;
                self.live(&decision);
                if decision.reached && self.look == Look::Fresh {
                    return self.reached().await;
                }
                if let (Some(failed), Look::Fresh) = (&decision.failed_init, self.look) {
                    return Outcome::FailedInit(Failure::init(&self.plan.key, failed));
                }
                self.begin(decision);
                self.tell(false);
            }
            let first = self.interrupts_before + u32::from(interrupted);
            let wake = self.rest(wake);
            let next_look = self.next_look;
            tokio::select! { biased;
                // The first lets what is under way come to its end; a stop signal may take its time to be obeyed.
                () = self.interrupt.beyond(first) => {
                    if interrupted || !self.goal.is_up() {
                        return Outcome::Interrupted;
                    }
                }
                Some(()) = next(&mut self.upload_events) => self.uploads += 1,
                () = change(&mut self.changes) => {
                    self.n_looks = AFTER_A_CHANGE.len();
                    self.want_look();
                }
                Some(done) = self.tasks.join_next() => {
                    self.waits.retain(|wait| !wait.is_finished());
                    match done {
                    Ok(Done::Look(result)) => self.looked(*result),
                    Ok(Done::Times(result)) => self.timed(result),
                    Ok(Done::Action(action, result)) => self.ended(&action, result),
                    Ok(Done::Told(done)) => self.told(done),
                    Err(error) if error.is_cancelled() => {}
                    // A panic costs this pod its turn, no more.
                    Err(_) => self.failures.push(Failure::stuck(&self.plan.key)),
                    }
                }
                () = tokio::time::sleep_until(next_look.into()), if self.goal.is_live() => {
                    self.n_looks = self.n_looks.saturating_sub(1);
                    self.want_look();
                }
                () = tokio::time::sleep(wake), if !stopping => {}
            }
            if self.goal.is_up() && (self.seen.record.is_none() || self.seen.deletion) {
                return Outcome::RecordGone;
            }
        }
    }

    /// Somebody else has done something, or may have.
    fn want_look(&mut self) {
        self.rest_before_look();
        self.look = match self.look {
            Look::UnderWay | Look::Overtaken => Look::Overtaken,
            _ => Look::Wanted,
        };
    }

    fn rest_before_look(&mut self) {
        let rest = match self.n_looks.checked_sub(1) {
            Some(last) => AFTER_A_CHANGE[last],
            None => LONGEST_REST,
        };
        self.next_look = Instant::now() + rest;
    }

    /// How long nothing need be done.
    fn rest(&self, wake: Option<u64>) -> Duration {
        let wake = wake.map(|wake| Duration::from_millis(wake.saturating_sub(self.memory.now())));
        let tell = self.memory.next_tell();
        let tell = tell.map(|at| at.saturating_duration_since(Instant::now()));
        let tell = tell.filter(|_| !self.telling);
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
                self.events.tell(Event::Alive);
            }
        }
        if let (Some(over), None) = (decision.over, before) {
            self.events.tell(Event::Over(over));
        }
    }

    /// Writes down what others are to know, where that has changed.
    fn tell(&mut self, all: bool) {
        let desired = self.plan.desired.as_ref();
        let ends = desired.is_some_and(|desired| desired.pod.active_deadline.is_some());
        let is_told = self.goal.is_live() || ends || self.memory.must_tell(self.over);
        let has_begun = |pause: &&SeenContainer| pause.state != State::Created;
        let pause = self.seen.pause().filter(has_begun);
        let can_tell = is_told && self.goal.is_up() && !self.telling;
        let Some(pause) = pause.filter(|_| can_tell) else {
            return;
        };
        let Some(told) = self.memory.news(&self.seen, self.over, all) else {
            return;
        };
        let (engine, pause) = (self.engine.clone(), pause.id.clone());
        let archive = archive::told(&told, super::execute::now());
        self.memory.telling(told);
        self.telling = true;
        self.own_uploads += 1;
        self.tasks.spawn(async move {
            // What cannot be written now is told later: the pause may be about to be made anew.
            Done::Told(engine.upload(&pause, archive).await.is_ok())
        });
    }

    /// Tasks that change what is seen.
    fn n_acting(&self) -> usize {
        let others = self.waits.len() + usize::from(self.telling);
        self.tasks.len().saturating_sub(others)
    }

    /// A write that failed raises no event.
    fn told(&mut self, done: bool) {
        self.telling = false;
        self.memory.told(done);
        self.own_uploads -= u32::from(!done);
    }

    /// Whether somebody else has written a wish: by the engine's events, or by containers of a later generation.
    fn is_record_changed(&self) -> bool {
        let later = |c: &SeenContainer| c.identity.generation > self.known_generation;
        self.goal.is_up()
            && (self.uploads > self.own_uploads || self.seen.containers.iter().any(later))
    }

    /// Writes down all that is known, before the way ends.
    async fn tell_all(&mut self) {
        self.telling = false;
        self.tell(true);
        while self.telling {
            match self.tasks.join_next().await {
                Some(Ok(Done::Told(done))) => self.told(done),
                None => self.telling = false,
                Some(_) => {}
            }
        }
    }

    async fn reached(mut self) -> Outcome {
        if !self.failures.is_empty() {
            return Outcome::Failed(self.failures);
        }
        self.tell_all().await;
        Outcome::Reached(Box::new(Reached {
            seen: self.seen,
            acted: self.acted,
            n_started: self.n_started,
            over: self.over,
            ready: self.ready,
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
        if matches!(self.look, Look::UnderWay | Look::Overtaken) {
            return;
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

    fn begin_action(&mut self, action: Action) {
        let waits = action.changes_nothing();
        if !waits {
            self.look = Look::Applied;
            self.acted = true;
        }
        let writes_message = self.writes_message(&action);
        self.own_uploads += match action {
            Action::Fill { .. } => 1,
            Action::Refill { .. } => 2,
            _ => u32::from(writes_message),
        };
        self.in_flight.insert(action.key());
        self.memory.began(&action);
        self.events.tell(Event::Began(action.clone()));
        let (engine, plan) = (self.engine.clone(), Arc::clone(&self.plan));
        let care = Care {
            prober: Arc::clone(&self.prober),
            ip: self.seen.pause().and_then(|pause| pause.ip.clone()),
            hanging: self.memory.hanging.get(&action.key()).cloned(),
            writes_message,
        };
        let task = self.tasks.spawn(async move {
            let result = execute(&engine, &plan, &action, care).await;
            Done::Action(action, result)
        });
        if waits {
            self.waits.push(task);
        }
    }

    /// Whether a container that is about to be made needs the file of its termination message: of the first ones it is among
    /// what the volumes are filled with.
    fn writes_message(&self, action: &Action) -> bool {
        let Action::Create {
            container, attempt, ..
        } = action
        else {
            return false;
        };
        let desired = self.plan.desired.as_ref();
        let container = desired.and_then(|desired| desired.pod.container(container));
        let has_one = container.is_some_and(|container| container.termination_message.is_some());
        let record = self.seen.record.as_ref();
        let is_filled = record.is_some_and(|record| record.filled.is_some());
        has_one && (*attempt > 0 || is_filled)
    }

    /// The last look is taken at once; one that waits for somebody else, after a while.
    fn begin_look(&mut self, last: bool) {
        if !last {
            self.fruitless += 1;
            if self.fruitless > MOST_LOOKS {
                self.failures.push(Failure::stuck(&self.plan.key));
            }
        }
        self.look = Look::UnderWay;
        let (engine, key) = (self.engine.clone(), self.plan.key.clone());
        let whole = !self.goal.is_up();
        self.tasks.spawn(async move {
            if !last {
                tokio::time::sleep(PATIENCE).await;
            }
            Done::Look(Box::new(engine.look(&key, whole).await))
        });
    }

    fn looked(&mut self, result: Result<Seen, EngineError>) {
        let counts = self.look == Look::UnderWay && self.n_acting() == 0;
        match result {
            Ok(seen) if counts => {
                self.see(seen);
                self.look = Look::Fresh;
                self.rest_before_look();
                let live = self.goal.is_live();
                let members = self.seen.members();
                let wanted = members.filter(|c| self.memory.wants_times(c, live));
                let ids: Vec<String> = wanted.map(|c| c.id.clone()).collect();
                if ids.is_empty() {
                    self.remember(BTreeMap::new());
                } else {
                    self.look = Look::UnderWay;
                    let engine = self.engine.clone();
                    self.tasks
                        .spawn(async move { Done::Times(times(&engine, ids).await) });
                }
            }
            Ok(_) => self.look = Look::Wanted,
            Err(error) => {
                self.look = Look::Wanted;
                self.failures.push(Failure::look(&self.plan.key, error));
            }
        }
    }

    /// The second part of a look: when those ran of whom it was not known.
    fn timed(&mut self, result: Result<BTreeMap<String, Ended>, EngineError>) {
        let counts = self.look == Look::UnderWay;
        self.look = if counts { Look::Fresh } else { Look::Wanted };
        match result {
            Ok(times) => self.remember(times),
            Err(error) => self.failures.push(Failure::look(&self.plan.key, error)),
        }
    }

    fn remember(&mut self, times: BTreeMap<String, Ended>) {
        let desired = self.plan.desired.as_ref();
        self.memory.looked(&self.seen, times, desired);
    }

    /// Takes what a look has seen. The record's files are not part of a look: what is known of them stays.
    fn see(&mut self, seen: Seen) {
        let known = self.seen.record.take();
        self.seen = seen;
        match (&mut self.seen.record, known) {
            (Some(now), Some(known)) if now.uid == known.uid => *now = known,
            // Another pod of this name, made since: the one that was driven is gone.
            (record, Some(_)) if self.goal.is_up() => *record = None,
            _ => {}
        }
    }

    fn ended(&mut self, action: &Action, result: Result<Effect, EngineError>) {
        self.in_flight.remove(&action.key());
        let mut raced = false;
        match result {
            Ok(Effect::Raced) => raced = true,
            Ok(effect) => {
                self.fruitless = 0;
                self.take(action, effect);
                self.events.tell(Event::Ended(action.clone()));
            }
            Err(error) => raced = self.failed(action, error),
        }
        if action.changes_nothing() && !matches!(action, Action::Await(_)) && !raced {
            return;
        }
        self.look = match self.look {
            Look::UnderWay | Look::Overtaken => Look::Overtaken,
            _ if raced => Look::Wanted,
            Look::Wanted => Look::Wanted,
            Look::Fresh | Look::Applied => Look::Applied,
        };
    }

    /// Takes what an action has brought.
    fn take(&mut self, action: &Action, effect: Effect) {
        let desired = self.plan.desired.as_ref();
        let happening = match (action, effect) {
            (Action::Probe { target, kind }, Effect::Answered(answer)) => {
                self.memory.answered(target, *kind, answer, desired)
            }
            (Action::PostStart(target), Effect::Hooked(result)) => {
                self.memory.hooked(target, result)
            }
            (Action::Stop { target, .. }, Effect::Stopped { code, hook }) => {
                apply(&mut self.seen, Effect::Ended(target.id.clone(), code));
                hook.map(|message| self.memory.hook_failed(target, &message))
            }
            (Action::Start(target), effect) => {
                if target.container != PAUSE_CONTAINER {
                    self.n_started += 1;
                    self.memory.started(target, desired);
                }
                apply(&mut self.seen, effect);
                None
            }
            (_, effect) => {
                apply(&mut self.seen, effect);
                None
            }
        };
        if let Some(happening) = happening {
            self.events.tell(Event::Happened(happening));
        }
    }

    /// Whether a failure is one of a race, after which a look tells more. Else it is noted.
    fn failed(&mut self, action: &Action, error: EngineError) -> bool {
        match action {
            Action::Start(target) if error.is_missing_network(names::NETWORK) => {
                self.lost.insert(target.id.clone());
                self.seen.network = false;
                return true;
            }
            Action::Create { .. } | Action::CreatePause { .. } if error.is_missing_image() => {}
            // The container is gone, or not as it was; the volume is in use by a container that is about to go.
            _ if matches!(error.status(), Some(404 | 409)) || error.is_missing_container() => {
                return true;
            }
            _ => {}
        }
        let reason = error.to_string();
        let failure = Failure::action(&self.plan.key, action.clone(), error);
        // One that cannot be started is tried again, as one that has ended is, once the pod is alive.
        if let (Action::Start(target), true, false) = (action, self.alive, failure.is_connection())
            && target.container != PAUSE_CONTAINER
        {
            self.memory.refused(target, reason);
            self.events.tell(Event::Failed(Arc::new(failure)));
            return false;
        }
        self.failures.push(failure);
        !self.goal.is_up()
    }
}

/// When these containers ran.
async fn times(engine: &Engine, ids: Vec<String>) -> Result<BTreeMap<String, Ended>, EngineError> {
    let times = ids.into_iter().map(async |id| {
        let details = engine.details(&id).await?;
        let times = details.and_then(|details| {
            let started = details.started?;
            let finished = details.finished.unwrap_or(started);
            Some((id, Ended { started, finished }))
        });
        Ok::<_, EngineError>(times)
    });
    let times = futures_util::future::try_join_all(times).await?;
    Ok(times.into_iter().flatten().collect())
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
async fn next(stream: &mut Option<BoxStream<'static, ()>>) -> Option<()> {
    let next = stream.as_mut()?.next().await;
    if next.is_none() {
        *stream = None;
    }
    next
}
