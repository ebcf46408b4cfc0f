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
use crate::driver::execute::Plan;
use crate::driver::images;
use crate::driver::join::Course;
use crate::driver::memory::now;
use crate::driver::pod::{Alive, Drive, Outcome};
use crate::reconcile::{Goal, Over, Seen, State};
use crate::record::Care;
use crate::spec::{Container, Desired, EngineFacts, ImageFacts};

impl Run<'_> {
    pub(super) async fn drive(
        self,
        mut course: Course,
        facts: EngineFacts,
        mut seen: Seen,
        images: (BTreeMap<String, ImageFacts>, String),
        heard: (BoxStream<'static, ()>, Option<watch::Receiver<u64>>),
    ) -> anyhow::Result<Option<Up>> {
        let (mut images, pause_image) = images;
        let (mut uploads, changes) = heard;
        let ended: BTreeSet<String> = seen
            .containers
            .iter()
            .filter(|c| matches!(c.state, State::Exited(_)))
            .map(|c| c.id.clone())
            .collect();
        let mut acted = false;
        // How many were, while the pod is waited for to be ready.
        let mut started: Option<usize> = None;
        if course.own_uploads > 0 {
            seen = self.engine.look(self.key, false).await?;
        }
        let ahead = self.ahead(&course.desired).await?;
        let mut own_uploads = course.own_uploads;
        loop {
            self.find_missing(&course.desired, &mut images).await?;
            let plan = Plan {
                key: self.key.clone(),
                uid: course.record.uid.clone(),
                generation: course.record.wish.generation,
                desired: Some(course.desired.clone()),
                before: course.before.clone(),
                old: course.old.clone(),
                facts: facts.clone(),
                images: images.clone(),
                pause_image: pause_image.clone(),
            };
            seen.record = Some(course.record.clone());
            let drive = Drive::new(
                self.engine,
                Goal::Up,
                plan,
                seen,
                self.events,
                self.interrupt,
            )
            .with_ended_before(ended.clone())
            .with_clock(ahead)
            .watching(uploads, own_uploads);
            let drive = self.kept_alive(drive, started.is_some(), changes.as_ref());
            match drive.run().await {
                // All have been started; whether they are ready probes will tell.
                Outcome::Reached(now) if started.is_none() && self.waits_for(&course.desired) => {
                    let settled = self.settled(now.seen).await;
                    let ended = has_failed(&settled, &course.desired);
                    started = Some(now.n_started);
                    acted |= now.acted;
                    if ended {
                        return Ok(Some(Up::NotReady { interrupted: false }));
                    }
                    seen = settled;
                    (uploads, own_uploads) = (self.watch(), 0);
                }
                Outcome::Reached(now)
                    if started.is_some() && !now.ready && now.over != Some(Over::Succeeded) =>
                {
                    return Ok(Some(Up::NotReady { interrupted: false }));
                }
                Outcome::Interrupted if started.is_some() => {
                    return Ok(Some(Up::NotReady { interrupted: true }));
                }
                Outcome::Reached(now) => {
                    return Ok(Some(Up::Started {
                        unchanged: !now.acted && !acted,
                        n_started: started.unwrap_or_default() + now.n_started,
                        overtaken: course.overtaken,
                        seen: self.settled(now.seen).await,
                    }));
                }
                Outcome::RecordChanged => {
                    acted = true;
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
                    return Ok(Some(Up::Failed {
                        failures: vec![failure],
                        taken_away: false,
                        left: None,
                        wanted: wanted(&course.desired),
                    }));
                }
                Outcome::Interrupted => {
                    return self.interrupted(&course, facts).await.map(Some);
                }
            }
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

    /// With `--attach`, or once all have been started with `--wait`.
    pub(super) fn kept_alive(
        self,
        drive: Drive,
        all_started: bool,
        changes: Option<&watch::Receiver<u64>>,
    ) -> Drive {
        let changes = || changes.cloned().unwrap_or_else(|| self.changes());
        match &self.options.attach {
            Some(attach) => drive.kept_alive(Alive {
                until: attach.until,
                back_off: attach.back_off,
                changes: changes(),
                speaks: Arc::clone(&attach.speaks),
                ends_with: attach.ends_with.clone(),
            }),
            None if all_started => drive.kept_alive(Alive::until_ready(changes())),
            None => drive,
        }
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

    /// Whether it is waited for what probes say.
    pub(super) fn waits_for(self, desired: &Desired) -> bool {
        let asks = |container: &Container| !Care::of(container).is_none();
        let has_probes = desired.pod.members().any(asks);
        self.options.wait && self.options.attach.is_none() && has_probes
    }

    /// What the engine's clock is ahead of this one, in milliseconds, where time matters.
    pub(super) async fn ahead(self, desired: &Desired) -> anyhow::Result<i64> {
        let needs_care = |container: &Container| !Care::of(container).is_none();
        let matters = desired.pod.active_deadline.is_some()
            || desired.pod.members().any(needs_care)
            || self.options.attach.is_some();
        if !matters {
            return Ok(0);
        }
        let asking = "failed to ask the engine for its time";
        let engines = self.engine.now().await.context(asking)?;
        let difference = i128::from(engines) - i128::from(now());
        Ok(i64::try_from(difference).unwrap_or_default())
    }

    /// With `--wait`: what there is once every container has had its first moments.
    pub(super) async fn settled(self, seen: Seen) -> Seen {
        let running = seen.members().filter(|member| member.is_running());
        let ids: Vec<String> = running.map(|member| member.id.clone()).collect();
        if !self.options.wait || ids.is_empty() {
            return seen;
        }
        let ends = ids.iter().map(|id| self.engine.wait(id).boxed_local());
        let first = select_all(ends);
        if tokio::time::timeout(SETTLING, first).await.is_err() {
            return seen;
        }
        self.engine.look(self.key, false).await.unwrap_or(seen)
    }
}

/// Whether a container has failed. Of one that was started again the last end is kept, and counts no more.
fn has_failed(seen: &Seen, desired: &Desired) -> bool {
    let mut members = desired.pod.members();
    members.any(|container| {
        let member = seen.member(&container.name);
        member.is_some_and(|member| matches!(member.state, State::Exited(1..)))
    })
}
