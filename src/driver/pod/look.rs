//! Looks at the pod: when, and what is taken from them.
//!
//! Not here: what is done then (`act`).

use std::collections::BTreeMap;
use std::time::Instant;

use futures_util::future::try_join_all;

use super::{AFTER_A_CHANGE, Done, Drive, LONGEST_REST, Look, MOST_LOOKS, PATIENCE};
use crate::driver::{Event, Failure};
use crate::engine::{Engine, EngineError};
use crate::reconcile::member::KILLED;
use crate::reconcile::restart::Ended;
use crate::reconcile::{Seen, SeenContainer, State};
use crate::translate::app::shares_pids;

impl Drive {
    /// Somebody else has done something, or may have.
    pub(super) fn want_look(&mut self) {
        self.rest_before_look();
        self.look = match self.look {
            Look::UnderWay | Look::Overtaken => Look::Overtaken,
            _ => Look::Wanted,
        };
    }

    pub(super) fn rest_before_look(&mut self) {
        let rest = match self.n_looks.checked_sub(1) {
            Some(last) => AFTER_A_CHANGE[last],
            None => LONGEST_REST,
        };
        self.next_look = Instant::now() + rest;
    }

    /// The last look is taken at once; one that waits for somebody else, after a while.
    pub(super) fn begin_look(&mut self, last: bool) {
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

    pub(super) fn looked(&mut self, result: Result<Seen, EngineError>) {
        let counts = self.look == Look::UnderWay && self.n_acting() == 0;
        match result {
            Ok(seen) if counts => {
                self.see(seen);
                self.look = Look::Fresh;
                self.rest_before_look();
                let live = self.goal.is_live();
                let members = self.seen.members().filter(|_| self.goal.is_up());
                let is_apart = |c: &SeenContainer| c.is_running() && self.has_own_pids(c);
                let wanted = members.filter(|c| self.memory.wants_times(c, live) || is_apart(c));
                let pause = self.seen.pause().map(|pause| pause.id.clone());
                // What has died with a pause before this one says nothing of this one.
                let is_open = |c: &SeenContainer| {
                    (c.state == State::Exited(KILLED) || is_apart(c)) && c.joined == pause
                };
                let ids: Vec<(String, bool)> = wanted.map(|c| (c.id.clone(), is_open(c))).collect();
                if ids.is_empty() {
                    self.remember(BTreeMap::new());
                } else {
                    self.look = Look::UnderWay;
                    let engine = self.engine.clone();
                    self.tasks
                        .spawn(async move { Done::Times(times(&engine, ids, pause).await) });
                }
            }
            Ok(_) => self.look = Look::Wanted,
            Err(error) => self.look_failed(error),
        }
    }

    /// Whether a container lives on where its pause dies: its network is that of the pause before then, for good.
    fn has_own_pids(&self, container: &SeenContainer) -> bool {
        let Some(desired) = &self.plan.desired else {
            return false;
        };
        let spec = desired.pod.container(&container.identity.container);
        spec.is_some_and(|spec| {
            let image = self.plan.images.get(&spec.image).cloned();
            !shares_pids(desired.pod.pids, spec, &image.unwrap_or_default())
        })
    }

    /// The second part of a look: when those ran of whom it was not known.
    pub(super) fn timed(&mut self, result: Result<Times, EngineError>) {
        let counts = self.look == Look::UnderWay;
        self.look = if counts { Look::Fresh } else { Look::Wanted };
        match result {
            Ok(times) => {
                self.lost.extend(times.lost);
                self.remember(times.by_id);
            }
            Err(error) => self.look_failed(error),
        }
    }

    fn look_failed(&mut self, error: EngineError) {
        self.look = match self.outlive(Failure::look(&self.plan.key, error)) {
            Some(rest) => {
                self.put_off("look".to_owned(), rest);
                Look::Fresh
            }
            None => Look::Wanted,
        };
    }

    pub(super) fn remember(&mut self, times: BTreeMap<String, Ended>) {
        // Of what had ended before somebody has been told.
        let is_news = |id: &String| {
            let times = times.get(id);
            times.is_some_and(|times| times.finished >= self.since)
                && !self.ended_before.contains(id)
        };
        for member in self.seen.members().filter(|c| is_news(&c.id)) {
            // Of an init container who waits for it tells.
            if let (State::Exited(code), false) = (member.state, member.identity.is_init()) {
                self.events.tell(Event::Exited {
                    container: member.identity.container.clone(),
                    code,
                });
            }
        }
        let desired = self.plan.desired.as_ref();
        self.memory.looked(&self.seen, times, desired);
    }

    /// Takes what a look has seen. The record's files are not part of a look: what is known of them stays.
    pub(super) fn see(&mut self, seen: Seen) {
        let known = self.seen.record.take();
        let network_stays = self.seen.network_stays;
        self.seen = seen;
        // It is not tried again and again to remove what somebody else is in.
        self.seen.network_stays |= network_stays;
        match (&mut self.seen.record, known) {
            (Some(now), Some(known)) if now.uid == known.uid => *now = known,
            // Another pod of this name, made since: the one that was driven is gone.
            (record, Some(_)) if self.goal.is_up() => *record = None,
            _ => {}
        }
    }
}

/// When containers ran.
#[derive(Debug, Default)]
pub(super) struct Times {
    by_id: BTreeMap<String, Ended>,
    /// The pause container that somebody has started again: its namespaces are others.
    lost: Option<String>,
}

/// When these containers ran; each with whether its pause may be why it has ended.
async fn times(
    engine: &Engine,
    ids: Vec<(String, bool)>,
    pause: Option<String>,
) -> Result<Times, EngineError> {
    let is_asked = ids.iter().any(|(_, is_open)| *is_open);
    let since = async {
        match pause.as_ref().filter(|_| is_asked) {
            Some(pause) => engine.lives_since(pause).await,
            None => None,
        }
    };
    let ran = ids.into_iter().map(async |(id, is_open)| {
        let details = engine.details(&id).await?;
        let ran = details.and_then(|details| {
            let started = details.started?;
            let finished = details.finished.unwrap_or(started);
            Some((id, is_open, started, finished))
        });
        Ok::<_, EngineError>(ran)
    });
    let (ran, since) = tokio::join!(try_join_all(ran), since);
    let mut times = Times::default();
    for (id, is_open, started, finished) in ran?.into_iter().flatten() {
        let since = since.filter(|_| is_open);
        let ended = Ended {
            started,
            finished,
            alone: since.is_some_and(|since| since <= started),
        };
        if since.is_some_and(|since| since > started) {
            times.lost.clone_from(&pause);
        }
        times.by_id.insert(id, ended);
    }
    Ok(times)
}
