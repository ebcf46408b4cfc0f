//! The way of `up` from the record to its end: driving, hearing of others, waiting for what was asked to be waited for.
//!
//! Not here: the loop (`pod`), what a failure leads to (`undo`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context as _;
use futures_util::FutureExt;
use futures_util::future::select_all;
use futures_util::stream::BoxStream;
use tokio::sync::watch;

use super::undo::wanted;
use super::{Run, SETTLING, Up};
use crate::driver::Failure;
use crate::driver::images;
use crate::driver::join::Course;
use crate::driver::memory;
use crate::driver::pod::{Alive, Drive, Known, Outcome, Reached};
use crate::engine::events::Heard;
use crate::reconcile::restart::BackOff;
use crate::reconcile::{Goal, Over, Seen, State, Until};
use crate::record::Care;
use crate::spec::{Container, Desired, EngineFacts, ImageFacts};

impl Run<'_> {
    pub(super) async fn drive(
        self,
        mut course: Course,
        facts: EngineFacts,
        mut seen: Seen,
        images: (BTreeMap<String, ImageFacts>, String),
        heard: (BoxStream<'static, Heard>, Option<watch::Receiver<u64>>),
    ) -> anyhow::Result<Option<Up>> {
        let (mut images, pause_image) = images;
        let (mut uploads, changes) = heard;
        let ended: BTreeSet<String> = seen
            .containers
            .iter()
            .filter(|c| matches!(c.state, State::Exited(_)))
            .map(|c| c.id.clone())
            .collect();
        let begin = async {
            if course.own_uploads > 0 {
                seen = self.engine.look(self.key, false).await?;
            }
            self.ahead(&course.desired).await
        };
        let Some(ahead) = self.interrupt.or(0, begin).await.transpose()? else {
            return self.interrupted(&course, facts, None).await.map(Some);
        };
        if course.own_uploads > 0 && !course.overtaken {
            // Another may have made what was missing since.
            let outdated = self.outdated(&course.desired, &seen, &images);
            course.record.wish.outdated.extend(outdated);
        }
        let (mut acted, mut n_started, mut known) = (false, 0, None);
        let mut own_uploads = course.own_uploads;
        loop {
            self.find_missing(&course.desired, &mut images).await?;
            let plan = course.plan(self.key, &facts, &images, &pause_image);
            seen.record = Some(course.record.clone());
            let (events, interrupt) = (self.events, self.interrupt);
            let drive = Drive::new(self.engine, Goal::Up, plan, seen, events, interrupt)
                .with_ended_before(ended.clone())
                .with_clock(ahead)
                .watching(uploads, own_uploads)
                .knowing(known.take());
            let drive = self.kept_alive(drive, changes.as_ref());
            match drive.run().await {
                Outcome::Reached(now) => {
                    (acted, n_started) = (acted | now.acted, n_started + now.n_started);
                    match self.come(*now).await {
                        Come::NotReady => return Ok(Some(Up::NotReady { interrupted: false })),
                        Come::PastDeadline => {
                            let failures = vec![Failure::past_deadline(self.key)];
                            if course.first {
                                return self.failed(course, facts, failures).await.map(Some);
                            }
                            return Ok(Some(stays(&course, failures)));
                        }
                        Come::NotYet(now, what) => {
                            (seen, known) = (now, Some(*what));
                            (uploads, own_uploads) = (self.watch(), 0);
                            if let Some(end) = self.hear(&mut course, &seen).await? {
                                return Ok(end);
                            }
                        }
                        Come::There(seen) => {
                            return Ok(Some(Up::Started {
                                unchanged: !acted,
                                n_started,
                                overtaken: course.overtaken,
                                unasked: self.options.wait && self.far,
                                seen,
                            }));
                        }
                    }
                }
                Outcome::RecordChanged(now) => {
                    (acted, known) = (true, Some(*now));
                    (uploads, own_uploads) = (self.watch(), 0);
                    seen = self.engine.look(self.key, false).await?;
                    if let Some(end) = self.hear(&mut course, &seen).await? {
                        return Ok(end);
                    }
                }
                Outcome::RecordGone => return Ok(Some(Up::Deleted)),
                Outcome::Lost(failures) => {
                    course.first = false;
                    return self.failed(course, facts, failures).await.map(Some);
                }
                Outcome::Failed(failures) => {
                    return self.failed(course, facts, failures).await.map(Some);
                }
                Outcome::FailedInit(failure) => {
                    // The pod stays for a look, and so that the next run goes on from here.
                    return Ok(Some(stays(&course, vec![failure])));
                }
                Outcome::Interrupted(over) => {
                    return self.interrupted(&course, facts, over).await.map(Some);
                }
            }
        }
    }

    /// What has come of the pod. With `--wait` only what stays so for a moment counts.
    async fn come(self, now: Reached) -> Come {
        let is_waited_for = matches!(self.until(), Some(Until::Ready { .. }));
        let has_ended = now.over == Some(Over::Succeeded);
        if is_waited_for && !now.ready && !has_ended {
            return Come::NotReady;
        }
        if now.over == Some(Over::Deadline) && self.until().is_none() {
            return Come::PastDeadline;
        }
        if !is_waited_for || has_ended {
            return Come::There(now.seen);
        }
        match self.ends_at_once(&now.seen).await {
            Some(seen) => Come::NotYet(seen, Box::new(now.known)),
            None => Come::There(now.seen),
        }
    }

    /// The record was written by somebody else: follows it. `Some`: that is not possible.
    pub(super) async fn hear(
        self,
        course: &mut Course,
        seen: &Seen,
    ) -> anyhow::Result<Option<Option<Up>>> {
        let record = match seen.pause() {
            Some(pause) => self.read(&pause.id).await?,
            None => None,
        };
        match record {
            Some(record) => self.follow(course, record).map(|()| None),
            None if seen.record.is_none() || seen.deletion => Ok(Some(Some(Up::Deleted))),
            // Another makes the pause anew.
            None => Ok(Some(None)),
        }
    }

    /// Until when the pod is kept alive by this run.
    pub(super) fn until(self) -> Option<Until> {
        let gives_up = !self.options.patient;
        let ready = Until::Ready { gives_up };
        let waits = self.options.wait && !self.far;
        let attach = self.options.attach.as_ref();
        attach.map(|attach| attach.until).or(waits.then_some(ready))
    }

    /// With `--attach`, and with `--wait`.
    fn kept_alive(self, drive: Drive, changes: Option<&watch::Receiver<u64>>) -> Drive {
        let (Some(until), Some(changes)) = (self.until(), changes.cloned()) else {
            return drive;
        };
        let attach = self.options.attach.as_ref();
        drive.kept_alive(Alive {
            until,
            back_off: attach.map_or_else(BackOff::default, |attach| attach.back_off),
            changes,
            speaks: attach.map_or_else(Arc::default, |attach| Arc::clone(&attach.speaks)),
            ends_with: attach.and_then(|attach| attach.ends_with.clone()),
        })
    }

    /// The wish of another may name images that this run has not looked at. Its writer has pulled them.
    pub(super) async fn find_missing(
        self,
        desired: &Desired,
        images: &mut BTreeMap<String, ImageFacts>,
    ) -> anyhow::Result<()> {
        let mut references = images::references(&desired.pod);
        references.retain(|reference| !images.contains_key(reference));
        let found = images::find(self.engine, &references).await?;
        images.extend(
            found
                .into_iter()
                .filter_map(|(name, facts)| Some((name, facts?))),
        );
        Ok(())
    }

    /// What the engine's clock is ahead of this one, in milliseconds, where time matters.
    pub(super) async fn ahead(self, desired: &Desired) -> anyhow::Result<i64> {
        let needs_care = |container: &Container| !Care::of(container).is_none();
        let matters = desired.pod.active_deadline.is_some()
            || desired.pod.members().any(needs_care)
            || self.until().is_some();
        if !matters {
            return Ok(0);
        }
        let asking = "failed to ask the engine for its time";
        let engines = self.engine.now().await.context(asking)?;
        Ok(memory::ahead(engines))
    }

    /// What there is once a container has ended in its first moments; `None`: none has.
    async fn ends_at_once(self, seen: &Seen) -> Option<Seen> {
        let running = seen.members().filter(|member| member.is_running());
        let ids: Vec<String> = running.map(|member| member.id.clone()).collect();
        if ids.is_empty() {
            return None;
        }
        let ends = ids.iter().map(|id| self.engine.wait(id).boxed_local());
        let first = select_all(ends);
        let (_ended, _, _) = tokio::time::timeout(SETTLING, first).await.ok()?;
        self.engine.look(self.key, false).await.ok()
    }
}

/// It has failed, and is left as it is.
fn stays(course: &Course, failures: Vec<Failure>) -> Up {
    Up::Failed {
        failures,
        taken_away: false,
        left: None,
        wanted: wanted(&course.desired),
    }
}

/// What has come of a pod that was driven to.
enum Come {
    There(Seen),
    /// A container has ended at once: it may yet come up.
    NotYet(Seen, Box<Known>),
    NotReady,
    PastDeadline,
}
