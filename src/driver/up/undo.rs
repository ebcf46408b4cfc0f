//! What an `up` leaves where it could not be carried out: as it was, or nothing.
//!
//! Not here: the way down itself (`down`).

use std::collections::BTreeMap;

use super::{Run, Up};
use crate::driver::down::take_away;
use crate::driver::join::Course;
use crate::driver::pod::Outcome;
use crate::driver::{Event, Failure, Interrupt};
use crate::reconcile::Over;
use crate::record::hash;
use crate::spec::{Desired, EngineFacts};

impl Run<'_> {
    /// Finishes a deletion that somebody began.
    pub(super) async fn clear(self, facts: EngineFacts) -> anyhow::Result<Option<Up>> {
        let doing = format!(
            "failed to finish taking down pod `{}`, which is on its way down",
            self.key
        );
        match self.undo(facts, doing).await? {
            Outcome::Interrupted(_) => Ok(Some(Up::Interrupted {
                taken_away: false,
                left: None,
            })),
            _ => Ok(None),
        }
    }

    pub(super) async fn interrupted(
        self,
        course: &Course,
        facts: EngineFacts,
        over: Option<Over>,
    ) -> anyhow::Result<Up> {
        if self
            .options
            .attach
            .as_ref()
            .is_some_and(|attach| attach.leaves)
        {
            let (taken_away, left) = (false, None);
            return Ok(Up::Interrupted { taken_away, left });
        }
        if self.options.attach.is_some() {
            let over = over.is_some_and(|over| over != Over::Stopped);
            let gone = self.end_life(facts).await?;
            return Ok(Up::Ended { over, gone });
        }
        if self.options.wait {
            return Ok(Up::NotReady { interrupted: true });
        }
        // Asked twice, it ends at once.
        let at_once = self.interrupt.count() > 1;
        let undo = course.first && !self.options.keep && !at_once;
        let taken_away = undo && self.take_away(facts).await?;
        let look = self.engine.look(self.key, false);
        let left = match (undo || at_once, self.interrupt.or(1, look)) {
            (true, _) => None,
            (false, look) => look.await.and_then(Result::ok),
        };
        let left = left.map(|seen| (seen, wanted(&course.desired)));
        Ok(Up::Interrupted { taken_away, left })
    }

    /// In order; asked once more, at once.
    pub(super) async fn end_life(self, facts: EngineFacts) -> anyhow::Result<bool> {
        self.events.tell(Event::TakingDown);
        let doing = format!(
            "failed to take down pod `{}`; `podctl down` does it",
            self.key
        );
        if let Outcome::Reached(_) = self.undo(facts.clone(), doing).await? {
            return Ok(true);
        }
        let seen = self.engine.look(self.key, true).await?;
        let (events, never) = (self.events, Interrupt::never());
        let now = Some(0);
        let outcome = take_away(self.engine, self.key, facts, seen, now, events, &never).await;
        Ok(matches!(outcome, Outcome::Reached(_)))
    }

    pub(super) async fn failed(
        self,
        course: Course,
        facts: EngineFacts,
        failures: Vec<Failure>,
    ) -> anyhow::Result<Up> {
        let failures = self.explain(&course.desired, failures).await;
        let mut taken_away = course.first && !self.options.keep;
        let left = if taken_away {
            taken_away = self.take_away(facts).await?;
            None
        } else {
            self.engine.look(self.key, false).await.ok()
        };
        Ok(Up::Failed {
            failures,
            taken_away,
            left,
            wanted: wanted(&course.desired),
        })
    }

    /// Says of a taken port who has it.
    pub(super) async fn explain(self, desired: &Desired, failures: Vec<Failure>) -> Vec<Failure> {
        let mut explained = Vec::new();
        for failure in failures {
            let port = failure
                .source
                .as_ref()
                .and_then(crate::engine::EngineError::taken_port);
            explained.push(match port {
                Some(port) => {
                    let mut wanted = desired.pod.publish.iter();
                    let holder = match wanted.find(|publish| publish.host_port == port) {
                        Some(publish) => self.engine.publisher(publish).await.ok().flatten(),
                        None => None,
                    };
                    failure.with_port(&desired.pod, port, holder.as_deref())
                }
                None => failure,
            });
        }
        explained
    }

    /// Whether it is gone; a person may stop that too.
    pub(super) async fn take_away(self, facts: EngineFacts) -> anyhow::Result<bool> {
        self.events.tell(Event::TakingAway);
        let doing = format!(
            "failed to take away what was made of pod `{}`; `podctl down` does it",
            self.key
        );
        let outcome = self.undo(facts, doing).await?;
        Ok(matches!(outcome, Outcome::Reached(_)))
    }

    /// Takes away all that there is of the pod now; `doing` says of a failure what failed.
    pub(super) async fn undo(self, facts: EngineFacts, doing: String) -> anyhow::Result<Outcome> {
        let seen = self.engine.look(self.key, true).await?;
        let (events, interrupt) = (self.events, self.interrupt);
        match take_away(self.engine, self.key, facts, seen, None, events, interrupt).await {
            Outcome::Failed(mut failures) if !failures.is_empty() => {
                Err(anyhow::Error::new(failures.swap_remove(0)).context(doing))
            }
            outcome => Ok(outcome),
        }
    }
}

/// The hashes that are asked for, by container.
pub(super) fn wanted(desired: &Desired) -> BTreeMap<String, String> {
    let pod = &desired.pod;
    pod.members()
        .map(|c| (c.name.clone(), hash::container(pod, c)))
        .collect()
}
