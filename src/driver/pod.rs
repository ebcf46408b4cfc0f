//! The loop for one pod: look, decide, begin, wait for what ends, decide again. No action blocks it.
//!
//! What an action changed is applied to what was seen, so that the next decision needs no look; the last decision is made
//! on a fresh one. A call that another podctl overtook (the name is taken, the container is gone) leads to a look.
//!
//! Not here: rules (`reconcile`), what a failure leads to (`up`, `down`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::task::JoinSet;

use super::execute::{Effect, Plan, apply, execute};
use super::{Event, Events, Failure, Interrupt};
use crate::engine::{Engine, EngineError};
use crate::reconcile::{Action, Goal, Input, Seen, State, decide};
use crate::record::names;

/// Between two looks while another podctl, or the engine, is at work on the pod.
const PATIENCE: Duration = Duration::from_millis(50);
/// So many looks in a row that change nothing are not a race any more.
const MOST_LOOKS: u32 = 200;

/// One pod on its way to a goal.
pub struct Drive {
    engine: Engine,
    goal: Goal,
    plan: Arc<Plan>,
    seen: Seen,
    ended_before: BTreeSet<String>,
    lost: BTreeSet<String>,
    events: Events,
    interrupt: Interrupt,
    /// Interrupts that came before this way began.
    interrupts_before: u32,
    /// Writes into the pod's record that this way makes itself.
    own_uploads: u32,
    /// Writes that were seen.
    uploads: u32,
    upload_events: Option<BoxStream<'static, ()>>,
}

/// How a way ended.
#[derive(Debug)]
pub enum Outcome {
    /// At the goal.
    Reached(Box<Seen>),
    /// Not at the goal: what failed, the first first.
    Failed(Vec<Failure>),
    /// A person stopped it.
    Interrupted,
    /// Somebody wrote into the pod's record.
    RecordChanged(Box<Seen>),
    /// The record is gone: somebody took the pod down.
    RecordGone,
}

/// What a task of the loop brings.
enum Done {
    Action(Action, Result<Effect, EngineError>),
    Look(Result<Seen, EngineError>),
}

impl Drive {
    /// A way that begins with what was seen.
    #[must_use]
    pub fn new(
        engine: &Engine,
        goal: Goal,
        plan: Plan,
        seen: Seen,
        events: &Events,
        interrupt: &Interrupt,
    ) -> Self {
        let ended = seen
            .containers
            .iter()
            .filter(|c| matches!(c.state, State::Exited(_)));
        Self {
            engine: engine.clone(),
            goal,
            plan: Arc::new(plan),
            ended_before: ended.map(|c| c.id.clone()).collect(),
            lost: BTreeSet::new(),
            seen,
            events: events.clone(),
            interrupt: interrupt.clone(),
            interrupts_before: interrupt.count(),
            own_uploads: 0,
            uploads: 0,
            upload_events: None,
        }
    }

    /// The same way, on which only these containers count as having ended before.
    #[must_use]
    pub fn with_ended_before(mut self, ended: BTreeSet<String>) -> Self {
        self.ended_before = ended;
        self
    }

    /// The same way, watching for others that write into the record.
    #[must_use]
    pub fn watching(mut self, uploads: BoxStream<'static, ()>, own: u32) -> Self {
        self.upload_events = Some(uploads);
        self.own_uploads = own;
        self
    }

    /// Goes on until the goal is reached, or cannot be.
    pub async fn run(mut self) -> Outcome {
        let mut tasks: JoinSet<Done> = JoinSet::new();
        let mut in_flight: BTreeSet<String> = BTreeSet::new();
        let mut failures: Vec<Failure> = Vec::new();
        // What was seen came from a look that nothing has followed yet.
        let mut fresh = true;
        let mut looking = false;
        let mut fruitless = 0;
        let mut look_wanted = false;
        loop {
            let interrupted = self.interrupt.count() > self.interrupts_before;
            let stopping = interrupted || self.is_over(&failures);
            if stopping && tasks.is_empty() {
                return if interrupted {
                    Outcome::Interrupted
                } else {
                    Outcome::Failed(failures)
                };
            }
            let decision = decide(&Input {
                goal: self.goal,
                desired: self.plan.desired.as_ref(),
                images: &self.plan.images,
                seen: &self.seen,
                in_flight: &in_flight,
                ended_before: &self.ended_before,
                lost: &self.lost,
                members_first: self.plan.facts.podman,
            });
            if !stopping && decision.reached && fresh && !looking {
                if self.goal == Goal::Up && self.uploads > self.own_uploads {
                    return Outcome::RecordChanged(Box::new(self.seen));
                }
                return if failures.is_empty() {
                    Outcome::Reached(Box::new(self.seen))
                } else {
                    Outcome::Failed(failures)
                };
            }
            if !stopping && !looking {
                let idle = decision.actions.is_empty() && tasks.is_empty();
                if look_wanted || idle {
                    let wait = look_wanted || !decision.reached;
                    if wait {
                        fruitless += 1;
                    }
                    if fruitless > MOST_LOOKS {
                        failures.push(Failure::stuck(&self.plan.key));
                        return Outcome::Failed(failures);
                    }
                    (looking, look_wanted) = (true, false);
                    self.begin_look(&mut tasks, wait);
                } else {
                    for action in decision.actions {
                        fresh = false;
                        in_flight.insert(action.key());
                        self.begin(&mut tasks, action);
                    }
                }
            }
            tokio::select! { biased;
                () = self.interrupt.beyond(self.interrupts_before + u32::from(interrupted)) => {
                    if self.interrupt.count() > self.interrupts_before + 1 {
                        return Outcome::Interrupted;
                    }
                    // Nothing is to be lost by not waiting for a signal to be obeyed.
                    if self.goal != Goal::Up {
                        return Outcome::Interrupted;
                    }
                }
                Some(()) = next(&mut self.upload_events) => self.uploads += 1,
                Some(done) = tasks.join_next() => match done {
                    Ok(Done::Look(result)) => {
                        looking = false;
                        match result {
                            // It began before an action that has ended since.
                            Ok(_) if look_wanted => {}
                            Ok(seen) => {
                                fresh = true;
                                if self.goal == Goal::Up && seen.record.is_none() {
                                    return Outcome::RecordGone;
                                }
                                if in_flight.is_empty() { self.see(seen) } else { look_wanted = true; }
                            }
                            Err(error) => failures.push(Failure::look(&self.plan.key, error)),
                        }
                    }
                    Ok(Done::Action(action, result)) => {
                        in_flight.remove(&action.key());
                        fresh = false;
                        look_wanted |= looking;
                        match result {
                            Ok(Effect::Raced) => look_wanted = true,
                            Ok(effect) => {
                                fruitless = 0;
                                apply(&mut self.seen, effect);
                                self.events.tell(Event::Ended(action));
                            }
                            Err(error) => look_wanted |= self.failed(action, error, &mut failures),
                        }
                    }
                    // A panic costs this pod its turn, no more.
                    Err(_) => failures.push(Failure::stuck(&self.plan.key)),
                },
            }
        }
    }

    /// Bringing up stops at the first failure; tearing down collects failures and goes on, for as long as that helps.
    fn is_over(&self, failures: &[Failure]) -> bool {
        match self.goal {
            Goal::Up => !failures.is_empty(),
            Goal::Down { .. } => failures.len() > 8 || failures.iter().any(Failure::is_connection),
        }
    }

    fn begin(&self, tasks: &mut JoinSet<Done>, action: Action) {
        self.events.tell(Event::Began(action.clone()));
        let (engine, plan) = (self.engine.clone(), Arc::clone(&self.plan));
        tasks.spawn(async move {
            let result = execute(&engine, &plan, &action).await;
            Done::Action(action, result)
        });
    }

    fn begin_look(&self, tasks: &mut JoinSet<Done>, wait: bool) {
        let (engine, key) = (self.engine.clone(), self.plan.key.clone());
        let whole = self.goal != Goal::Up;
        tasks.spawn(async move {
            if wait {
                tokio::time::sleep(PATIENCE).await;
            }
            Done::Look(engine.look(&key, whole).await)
        });
    }

    /// Takes what a look has seen. The record's files are not part of a look: what is known of them stays.
    fn see(&mut self, seen: Seen) {
        let known = self.seen.record.take();
        self.seen = seen;
        if let (Some(now), Some(known)) = (&mut self.seen.record, known) {
            if now.uid == known.uid {
                *now = known;
            }
        }
    }

    /// Whether a failure is one of a race, after which a look tells more. Else it is noted.
    fn failed(&mut self, action: Action, error: EngineError, failures: &mut Vec<Failure>) -> bool {
        let missing_network = error.is_missing_network(names::NETWORK);
        match &action {
            Action::Start(target) if missing_network => {
                self.lost.insert(target.id.clone());
                self.seen.network = false;
                true
            }
            Action::Create { .. } | Action::CreatePause { .. } if error.is_missing_image() => {
                failures.push(Failure::action(&self.plan.key, action, error));
                false
            }
            // The container is gone, or not as it was; the volume is in use by a container that is about to go.
            _ if matches!(error.status(), Some(404 | 409)) => true,
            _ => {
                failures.push(Failure::action(&self.plan.key, action, error));
                self.goal != Goal::Up
            }
        }
    }
}

async fn next(stream: &mut Option<BoxStream<'static, ()>>) -> Option<()> {
    stream.as_mut()?.next().await
}
