//! The loop for one pod: look, decide, begin, wait for what ends, decide again. No action blocks it.
//!
//! What an action changed is applied to what was seen, so that the next decision needs no look; the last decision is made
//! on a fresh one. A call that another podctl overtook (the name is taken, the container is gone) leads to a look.
//!
//! Not here: rules (`reconcile`), what a failure leads to (`up`, `down`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use super::execute::{Effect, Plan, apply, execute};
use super::{Event, Events, Failure, Interrupt};
use crate::engine::{Engine, EngineError};
use crate::reconcile::restart::{BackOff, Ended, Life};
use crate::reconcile::{Action, Decision, Goal, Input, Seen, SeenContainer, State, decide};
use crate::record::labels::PAUSE_CONTAINER;
use crate::record::names;
use crate::spec::PodKey;

/// Between two looks while another podctl, or the engine, is at work on the pod.
const PATIENCE: Duration = Duration::from_millis(50);
/// An engine's event may be missed: so often a pod that is kept alive is looked at anyhow.
const LONGEST_REST: Duration = Duration::from_secs(60);
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
    goal: Goal,
    plan: Arc<Plan>,
    seen: Seen,
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
    alive: Option<Alive>,

    tasks: JoinSet<Done>,
    /// Those of the tasks that only wait.
    waits: Vec<AbortHandle>,
    in_flight: BTreeSet<String>,
    failures: Vec<Failure>,
    acted: bool,
    n_started: usize,
    look: Look,
    /// Looks in a row that changed nothing.
    fruitless: u32,
    /// Looks that are still to be taken after a change.
    n_looks: usize,
}

/// What a pod that is kept alive needs.
pub struct Alive {
    /// How long an end is answered with waiting.
    pub back_off: BackOff,
    /// What the engine's clock is ahead of this one, in milliseconds.
    pub ahead: i64,
    /// Counts what has happened to containers of the pod.
    pub changes: watch::Receiver<u64>,
    /// When those that have ended did, by id.
    pub ended: BTreeMap<String, Ended>,
}

impl Alive {
    fn now(&self) -> u64 {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        now.saturating_add_signed(self.ahead)
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
}

/// What a task of the loop brings.
enum Done {
    Action(Action, Result<Effect, EngineError>),
    Look(Result<(Seen, BTreeMap<String, Ended>), EngineError>),
}

impl Drive {
    /// A way that begins with what was just seen.
    #[must_use]
    pub fn new(
        engine: &Engine,
        goal: Goal,
        plan: Plan,
        seen: Seen,
        events: &Events,
        interrupt: &Interrupt,
    ) -> Self {
        Self {
            engine: engine.clone(),
            goal,
            ended_before: BTreeSet::new(),
            known_generation: seen
                .containers
                .iter()
                .map(|c| c.identity.generation)
                .fold(plan.generation, u64::max),
            lost: BTreeSet::new(),
            plan: Arc::new(plan),
            seen,
            events: events.clone(),
            interrupt: interrupt.clone(),
            interrupts_before: interrupt.count(),
            own_uploads: 0,
            uploads: 0,
            upload_events: None,
            alive: None,
            tasks: JoinSet::new(),
            waits: Vec::new(),
            in_flight: BTreeSet::new(),
            failures: Vec::new(),
            acted: false,
            n_started: 0,
            look: Look::Fresh,
            fruitless: 0,
            n_looks: 0,
        }
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

    /// The same way, which does not end at the goal: what ends is started again.
    #[must_use]
    pub fn kept_alive(mut self, alive: Alive) -> Self {
        self.goal = Goal::Live;
        // What was seen says nothing of when it ended.
        self.look = Look::Wanted;
        self.n_looks = AFTER_A_CHANGE.len();
        self.alive = Some(alive);
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
                if decision.reached && self.look == Look::Fresh {
                    return self.reached();
                }
                if let (Some(failed), Look::Fresh) = (&decision.failed_init, self.look) {
                    return Outcome::FailedInit(Failure::init(&self.plan.key, failed));
                }
                self.begin(decision);
            }
            let first = self.interrupts_before + u32::from(interrupted);
            let rest = self.rest(wake);
            tokio::select! { biased;
                // The first lets what is under way come to its end; a stop signal may take its time to be obeyed.
                () = self.interrupt.beyond(first) => {
                    if interrupted || !self.goal.is_up() {
                        return Outcome::Interrupted;
                    }
                }
                Some(()) = next(&mut self.upload_events) => self.uploads += 1,
                () = change(&mut self.alive) => {
                    self.n_looks = AFTER_A_CHANGE.len();
                    self.want_look();
                }
                () = tokio::time::sleep(rest), if self.alive.is_some() => {
                    self.n_looks = self.n_looks.saturating_sub(1);
                    self.want_look();
                }
                Some(done) = self.tasks.join_next() => match done {
                    Ok(Done::Look(result)) => self.looked(result),
                    Ok(Done::Action(action, result)) => self.ended(action, result),
                    Err(error) if error.is_cancelled() => {}
                    // A panic costs this pod its turn, no more.
                    Err(_) => self.failures.push(Failure::stuck(&self.plan.key)),
                },
            }
            if self.goal.is_up() && (self.seen.record.is_none() || self.seen.deletion) {
                return Outcome::RecordGone;
            }
        }
    }

    /// Somebody else has done something, or may have.
    fn want_look(&mut self) {
        self.look = match self.look {
            Look::UnderWay | Look::Overtaken => Look::Overtaken,
            _ => Look::Wanted,
        };
    }

    /// How long nothing need be done.
    fn rest(&self, wake: Option<u64>) -> Duration {
        let look = match self.n_looks.checked_sub(1) {
            Some(last) => AFTER_A_CHANGE[last],
            None => LONGEST_REST,
        };
        let until = |alive: &Alive| wake.map(|wake| wake.saturating_sub(alive.now()));
        let wait = self.alive.as_ref().and_then(until);
        wait.map_or(look, |wait| Duration::from_millis(wait).min(look))
    }

    fn decide(&self) -> Decision {
        let life = self.alive.as_ref().map(|alive| Life {
            now: alive.now(),
            ended: &alive.ended,
            back_off: alive.back_off,
        });
        decide(&Input {
            life,
            goal: self.goal,
            desired: self.plan.desired.as_ref(),
            images: &self.plan.images,
            seen: &self.seen,
            in_flight: &self.in_flight,
            ended_before: &self.ended_before,
            lost: &self.lost,
            members_first: self.plan.facts.podman,
        })
    }

    /// Whether somebody else has written a wish: by the engine's events, or by containers of a later generation.
    fn is_record_changed(&self) -> bool {
        let later = |c: &SeenContainer| c.identity.generation > self.known_generation;
        self.goal.is_up()
            && (self.uploads > self.own_uploads || self.seen.containers.iter().any(later))
    }

    fn reached(self) -> Outcome {
        if self.failures.is_empty() {
            Outcome::Reached(Box::new(Reached {
                seen: self.seen,
                acted: self.acted,
                n_started: self.n_started,
            }))
        } else {
            Outcome::Failed(self.failures)
        }
    }

    /// Bringing up stops at the first failure; tearing down collects failures and goes on, for as long as that helps.
    fn is_over(&self) -> bool {
        match self.goal {
            Goal::Up | Goal::Live => !self.failures.is_empty(),
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
        let idle = decision.actions.is_empty() && self.tasks.is_empty();
        if self.goal == Goal::Live && decision.actions.is_empty() {
            // At rest until something happens.
            if self.look != Look::Fresh && self.waits.len() == self.tasks.len() {
                self.begin_look(true);
            }
            return;
        }
        if self.look == Look::Wanted || idle {
            return self.begin_look(decision.reached);
        }
        for action in decision.actions {
            self.look = Look::Applied;
            self.acted = true;
            self.own_uploads += match action {
                Action::Fill { .. } => 1,
                Action::Refill { .. } => 2,
                _ => 0,
            };
            self.in_flight.insert(action.key());
            self.events.tell(Event::Began(action.clone()));
            let (engine, plan) = (self.engine.clone(), Arc::clone(&self.plan));
            let is_wait = matches!(action, Action::Await(_));
            let task = self.tasks.spawn(async move {
                let result = execute(&engine, &plan, &action).await;
                Done::Action(action, result)
            });
            if is_wait {
                self.waits.push(task);
            }
        }
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
        let known: Option<BTreeSet<String>> = self
            .alive
            .as_ref()
            .map(|alive| alive.ended.keys().cloned().collect());
        self.tasks.spawn(async move {
            if !last {
                tokio::time::sleep(PATIENCE).await;
            }
            Done::Look(look(&engine, &key, whole, known).await)
        });
    }

    fn looked(&mut self, result: Result<(Seen, BTreeMap<String, Ended>), EngineError>) {
        let n_acting = self.tasks.len() - self.waits.len();
        let counts = self.look == Look::UnderWay && n_acting == 0;
        self.look = if counts { Look::Fresh } else { Look::Wanted };
        match result {
            Ok((seen, ended)) if counts => {
                if let Some(alive) = &mut self.alive {
                    alive
                        .ended
                        .retain(|id, _| seen.containers.iter().any(|c| c.id == *id));
                    alive.ended.extend(ended);
                }
                self.see(seen);
            }
            Ok(_) => {}
            Err(error) => self.failures.push(Failure::look(&self.plan.key, error)),
        }
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

    fn ended(&mut self, action: Action, result: Result<Effect, EngineError>) {
        self.in_flight.remove(&action.key());
        self.waits.retain(|wait| !wait.is_finished());
        let mut raced = false;
        match result {
            Ok(Effect::Raced) => raced = true,
            Ok(effect) => {
                self.fruitless = 0;
                let starts_member =
                    matches!(&action, Action::Start(target) if target.container != PAUSE_CONTAINER);
                self.n_started += usize::from(starts_member);
                apply(&mut self.seen, effect);
                self.events.tell(Event::Ended(action));
            }
            Err(error) => raced = self.failed(&action, error),
        }
        self.look = match self.look {
            Look::UnderWay | Look::Overtaken => Look::Overtaken,
            _ if raced => Look::Wanted,
            Look::Wanted => Look::Wanted,
            Look::Fresh | Look::Applied => Look::Applied,
        };
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
        let failure = Failure::action(&self.plan.key, action.clone(), error);
        // One that cannot be started is tried again, as one that has ended is.
        if let (Action::Start(target), Some(alive), false) =
            (action, &mut self.alive, failure.is_connection())
        {
            let now = alive.now();
            let ended = Ended {
                started: now,
                finished: now,
            };
            alive.ended.insert(target.id.clone(), ended);
            self.events.tell(Event::Failed(Arc::new(failure)));
            return false;
        }
        self.failures.push(failure);
        !self.goal.is_up()
    }
}

/// A look, and when those that have ended and are not `known` did, where that matters.
async fn look(
    engine: &Engine,
    key: &PodKey,
    whole: bool,
    known: Option<BTreeSet<String>>,
) -> Result<(Seen, BTreeMap<String, Ended>), EngineError> {
    let seen = engine.look(key, whole).await?;
    let mut ended = BTreeMap::new();
    let Some(known) = known else {
        return Ok((seen, ended));
    };
    for container in seen.members() {
        if matches!(container.state, State::Exited(_)) && !known.contains(&container.id) {
            let of_it = engine.ended(&container.id).await?;
            ended.extend(of_it.map(|of_it| (container.id.clone(), of_it)));
        }
    }
    Ok((seen, ended))
}

/// Something has happened to a container; never, once nobody tells any more.
async fn change(alive: &mut Option<Alive>) {
    let changed = match alive {
        Some(alive) => alive.changes.changed().await.is_ok(),
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
