//! Actions: begun as tasks, and what their ends change.
//!
//! Not here: carrying them out (`execute`), which ones (`reconcile`).

use std::sync::Arc;
use std::time::Duration;

use super::{Done, Drive, Look, PUT_OFF, PUT_OFF_SHORTLY};
use crate::driver::effect::{Effect, apply};
use crate::driver::execute::{Care, execute};
use crate::driver::silence::PATIENCE;
use crate::driver::{Event, Failure};
use crate::engine::EngineError;
use crate::reconcile::{Action, Goal, Until};
use crate::record::labels::PAUSE_CONTAINER;
use crate::record::names;
use crate::spec::ImageFacts;

impl Drive {
    pub(super) fn begin_action(&mut self, action: Action) {
        let waits = action.changes_nothing();
        if !waits {
            self.look = Look::Applied;
            self.acted = true;
        }
        let writes_message = self.writes_message(&action);
        let n_uploads = match action {
            Action::Fill { .. } => 1,
            Action::Refill { .. } => 2,
            _ => u32::from(writes_message),
        };
        self.own_uploads += n_uploads;
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
            Done::Action(action, n_uploads, result)
        });
        if waits {
            self.waits.push(task);
        }
    }

    /// Whether a container that is about to be made needs the file of its termination message: of the first ones it is among
    /// what the volumes are filled with.
    pub(super) fn writes_message(&self, action: &Action) -> bool {
        let Action::Create {
            container,
            attempt,
            pause,
            ..
        } = action
        else {
            return false;
        };
        let desired = self.plan.desired.as_ref();
        let container = desired.and_then(|desired| desired.pod.container(container));
        let has_one = container.is_some_and(|container| container.termination_message.is_some());
        let record = self.seen.record.as_ref();
        let filled = record.and_then(|record| record.filled.as_ref());
        let is_filled = filled.is_some_and(|filled| filled.pause == *pause);
        has_one && (*attempt > 0 || is_filled)
    }

    /// `n_uploads`: how often it was to write into the pause container.
    pub(super) fn ended(
        &mut self,
        action: &Action,
        n_uploads: u32,
        result: Result<Effect, EngineError>,
    ) {
        self.in_flight.remove(&action.key());
        let mut raced = false;
        match result {
            Ok(Effect::Raced) => raced = true,
            Ok(effect) => {
                self.fruitless = 0;
                let event = match (action, &effect) {
                    (Action::Await(target), Effect::Ended(_, Some(code @ 1..))) => Event::Exited {
                        container: target.container.clone(),
                        code: *code,
                    },
                    (_, Effect::NetworkFound | Effect::NetworkKept) => {
                        Event::Spared(action.clone())
                    }
                    _ => Event::Ended(action.clone()),
                };
                self.take(action, effect);
                self.events.tell(event);
            }
            Err(error) => {
                // What was written of it is unknown: rather one write of its own too many is read than one of another's missed.
                self.own_uploads = self.own_uploads.saturating_sub(n_uploads);
                raced = self.failed(action, error);
            }
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
    pub(super) fn take(&mut self, action: &Action, effect: Effect) {
        let desired = self.plan.desired.as_ref();
        let happening = match (action, effect) {
            (Action::Probe { target, kind }, Effect::Answered(answer)) => {
                let was_ready = self.memory.is_ready(target);
                let happening = self.memory.answered(target, *kind, answer, desired);
                if !was_ready && self.memory.is_ready(target) {
                    let container = target.container.clone();
                    self.events.tell(Event::Ready { container });
                }
                // Of a pod that is ended it is told in its record, and not to who ends it.
                happening.filter(|_| self.goal.is_up())
            }
            (Action::PostStart(target), Effect::Hooked(result)) => {
                self.memory.hooked(target, result)
            }
            (Action::Pull { container }, Effect::Pulled(facts)) => {
                self.has_image(container, facts);
                None
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
            (action, effect) => {
                if let (Action::Create { container, .. }, Effect::Made(_)) = (action, &effect) {
                    self.memory.created(container);
                }
                apply(&mut self.seen, effect);
                None
            }
        };
        if let Some(happening) = happening {
            self.events.tell(Event::Happened(happening));
        }
    }

    /// Whether a failure is one of a race, after which a look tells more. Else it is noted.
    pub(super) fn failed(&mut self, action: &Action, error: EngineError) -> bool {
        match action {
            Action::Start(target) if error.is_missing_network(names::NETWORK) => {
                self.lost.insert(target.id.clone());
                self.seen.network = false;
                return true;
            }
            Action::Start(target)
                if target.container == PAUSE_CONTAINER && error.is_left_task() =>
            {
                self.lost.insert(target.id.clone());
                return true;
            }
            // Of one that is being started a list call does not tell the network yet.
            Action::Connect(_) if error.is_in_network() => return true,
            Action::Create { container, .. } if error.is_missing_image() && self.goal.is_live() => {
                self.forget_image(container);
                return true;
            }
            Action::Create { .. } | Action::CreatePause { .. } if error.is_missing_image() => {}
            Action::Pull { .. } => {}
            // The container is gone, or not as it was; the volume is in use by a container that is about to go.
            _ if matches!(error.status(), Some(404 | 409)) || error.is_missing_container() => {
                return true;
            }
            _ => {}
        }
        let reason = error.to_string();
        let is_never = error.is_missing_image();
        let is_taken = error.taken_port().is_some();
        let failure = Failure::action(&self.plan.key, action.clone(), error);
        // One that cannot be started is tried again, as one that has ended is, where the pod is kept alive.
        let is_live = self.goal.is_live() && !failure.is_connection();
        if let (Action::Start(target), true) = (action, is_live)
            && target.container != PAUSE_CONTAINER
        {
            self.memory.refused(target, reason);
            self.events.tell(Event::Failed(Arc::new(failure)));
            return false;
        }
        let lacks_image = match action {
            Action::Pull { container } if !failure.is_connection() => Some(container),
            _ => None,
        };
        if let Some(container) = lacks_image {
            let desired = self.plan.desired.as_ref();
            let refusal = (!is_never).then_some(reason);
            self.memory.lacks_image(container, refusal, desired);
        }
        let Some(rest) = self.outlive(failure) else {
            return !self.goal.is_up();
        };
        if let Some(container) = lacks_image {
            let rest = self.pull_back_off(container);
            self.put_off(action.key(), rest);
            return false;
        }
        // Somebody may have started the pause before this one again, which has the ports: once that is seen, it is ended.
        let is_held = is_taken && self.has_another_pause(action);
        // Where it was nobody of the pod, the next try can wait.
        let is_new = is_held && !std::mem::replace(&mut self.looked_for_holder, is_held);
        let rest = if is_new { PUT_OFF_SHORTLY } else { rest };
        self.put_off(action.key(), rest);
        is_held
    }

    /// What the engine had under its name is gone: it is pulled before the container is made.
    fn forget_image(&mut self, container: &str) {
        let plan = Arc::make_mut(&mut self.plan);
        let desired = plan.desired.as_ref();
        if let Some(container) = desired.and_then(|desired| desired.pod.container(container)) {
            plan.images.remove(&container.image);
        }
    }

    /// It is there.
    fn has_image(&mut self, container: &str, facts: ImageFacts) {
        self.refused_pulls.remove(container);
        let plan = Arc::make_mut(&mut self.plan);
        let desired = plan.desired.as_ref();
        if let Some(container) = desired.and_then(|desired| desired.pod.container(container)) {
            plan.images.insert(container.image.clone(), facts);
        }
    }

    /// kubelet: an image is asked for again after 10 s, 20 s and on, up to five minutes.
    fn pull_back_off(&mut self, container: &str) -> Duration {
        const MOST: Duration = Duration::from_mins(5);
        let n_refused = self.refused_pulls.entry(container.to_owned()).or_default();
        let rest = PUT_OFF * 2u32.saturating_pow(*n_refused);
        *n_refused = (*n_refused + 1).min(8);
        rest.min(MOST)
    }

    fn has_another_pause(&self, action: &Action) -> bool {
        let containers = self.seen.containers.iter();
        let n_pauses = containers.filter(|c| c.identity.is_pause()).count();
        action.container() == Some(PAUSE_CONTAINER) && n_pauses > 1
    }

    /// A pod that has come up does not end at once with an engine that does not answer, and one that is kept alive until somebody stops that
    /// not with what cannot be done now: gives after what time it is tried again. Else the failure is noted.
    pub(super) fn outlive(&mut self, failure: Failure) -> Option<Duration> {
        let was_silent = self.silence.lasts();
        let is_borne = |error: &EngineError| self.silence.bears(error);
        if self.alive && self.goal.is_live() && failure.source.as_ref().is_some_and(is_borne) {
            if !was_silent {
                self.events.tell(Event::Silent(Arc::new(failure)));
            }
            return Some(PATIENCE);
        }
        let is_kept = self.alive && self.goal == Goal::Live(Until::Stopped);
        if is_kept && !failure.is_connection() {
            self.memory.cannot(&failure);
            self.events.tell(Event::Failed(Arc::new(failure)));
            return Some(PUT_OFF);
        }
        self.failures.push(failure);
        None
    }

    /// It is tried again (kubelet: `backOffPeriod`).
    pub(super) fn put_off(&mut self, key: String, rest: Duration) {
        self.in_flight.insert(key.clone());
        self.n_put_off += 1;
        let rest = self.tasks.spawn(async move {
            tokio::time::sleep(rest).await;
            Done::Rested(key)
        });
        self.waits.push(rest);
    }

    /// What was put off may be tried again.
    pub(super) fn rested(&mut self, key: &str) {
        self.in_flight.remove(key);
        self.n_put_off -= 1;
        self.want_look();
    }
}
