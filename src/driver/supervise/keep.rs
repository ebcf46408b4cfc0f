//! One pod, for as long as it is there: stands back while a command is at work on it, and keeps it alive otherwise.
//!
//! Who writes a wish drives to it: a command needs no supervisor, and `up` does not wait for one. The supervisor takes a pod over once an
//! `up` would have nothing left to do; or once nothing has happened for so long that the command must be gone.
//!
//! Not here: whether a command seems to be at work (`at_work`), all pods (`supervise`), the loop (`pod`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::watch;

use super::Shared;
use super::at_work::{QUIET, is_running_a_hook, is_whole, patience};
use crate::driver::down::take_away;
use crate::driver::images;
use crate::driver::join::{DAMAGED, asked, filled_with, is_stale, make_pause, read, recorded};
use crate::driver::plan::Plan;
use crate::driver::pod::{Alive, Drive, Known, Outcome, PUT_OFF};
use crate::driver::{Event, Events, Failure, Interrupt};
use crate::engine::events::Heard;
use crate::reconcile::{Goal, Seen, SeenContainer, State, Until};
use crate::record::Record;
use crate::spec::{Container, Desired, ImageFacts, PodKey, PullPolicy};

/// One that has made nothing of a new pod yet may be pulling images that are there.
const PULLING: Duration = Duration::from_mins(10);
/// Images that are not there have been pulled by then, or are not to be had.
const LONGEST_PULL: Duration = Duration::from_hours(1);
/// What happens in a row is looked at once.
const SETTLING: Duration = Duration::from_millis(200);
/// Something may have been missed: so often it is looked at a pod that is left alone.
const LONGEST_REST: Duration = Duration::from_mins(1);

/// What a turn came to.
enum Turn {
    /// There is no such pod any more.
    Gone,
    /// Look again at once.
    Again,
    /// Somebody seems to be at work on it: it is theirs until nothing has happened for this long.
    StandBack(Duration),
    /// Nothing can be done until something happens, or this time is over.
    Rest(Duration),
}

/// Keeps a pod until it is gone, or the supervisor is to leave.
pub(super) async fn keep(
    shared: Arc<Shared>,
    key: PodKey,
    (news, changes): (watch::Receiver<u64>, watch::Receiver<u64>),
    events: Events,
    interrupt: Interrupt,
) {
    let mut kept = Kept {
        shared,
        key,
        events,
        interrupt,
        news,
        changes,
        uid: String::new(),
        adopted: None,
        before: None,
        alone: false,
        known: None,
    };
    while kept.interrupt.count() == 0 {
        let turn = match kept.turn().await {
            Ok(Turn::Gone) => return,
            Ok(turn) => turn,
            Err(error) => {
                let error = Failure::kept(&kept.key, &error);
                kept.events.tell(Event::Failed(Arc::new(error)));
                Turn::Rest(PUT_OFF)
            }
        };
        kept.after(turn).await;
    }
}

struct Kept {
    shared: Arc<Shared>,
    key: PodKey,
    events: Events,
    interrupt: Interrupt,
    /// Counts all that happens to the pod.
    news: watch::Receiver<u64>,
    /// The same without what is written into the record.
    changes: watch::Receiver<u64>,
    /// The pod's uid.
    uid: String,
    /// The wish that this supervisor drives to: generation and writer.
    adopted: Option<(u64, String)>,
    /// What that asked for.
    before: Option<Desired>,
    /// Nobody else is at work on the pod.
    alone: bool,
    known: Option<Known>,
}

impl Kept {
    async fn turn(&mut self) -> anyhow::Result<Turn> {
        self.news.borrow_and_update();
        let engine = self.shared.engine.clone();
        let mut seen = engine.look(&self.key, false).await?;
        if seen.deletion {
            return self.finish_deletion().await;
        }
        let Some(claimed) = &seen.record else {
            return self.without_record(&seen).await;
        };
        // Another pod of this name has nothing to do with the one that was kept.
        if self.uid != claimed.uid {
            (self.adopted, self.before, self.known, self.alone) = (None, None, None, false);
            self.uid.clone_from(&claimed.uid);
        }
        let Some(pause) = seen.pause() else {
            return self.without_pause(claimed, &seen).await;
        };
        // What had died before this supervisor came nobody is at work on: the engine, or the machine, has been started anew.
        self.alone |= self.adopted.is_none() && matches!(pause.state, State::Exited(_));
        // What is written after this is heard of.
        let uploads = engine.uploads(&self.key).boxed();
        let record = read(&engine, &self.key, &pause.id).await?;
        let Some(record) = record.filter(|record| !is_stale(record, &seen.containers)) else {
            return self.unreadable(&seen).await;
        };
        if record.wish.attached {
            self.adopted = None;
            return Ok(Turn::Rest(LONGEST_REST));
        }
        // Of a first `up` that has not filled the volumes yet the payload is not there.
        let Some(desired) = recorded(&record) else {
            return self.unreadable(&seen).await;
        };
        seen.record = Some(record.clone());
        let images = self.images(&desired, &seen).await?;
        let place = record.wish.place();
        let place = (place.0, place.1.to_owned());
        if self.adopted.as_ref() != Some(&place)
            && !is_whole(&desired, &images, &seen)
            && (!self.alone || is_running_a_hook(&engine, &seen).await?)
        {
            return Ok(Turn::StandBack(patience(&desired, &seen)));
        }
        self.adopted = Some(place);
        self.alone = false;
        self.drive(desired, &record, (seen, images), uploads).await
    }

    /// Drives until somebody else has written a wish.
    async fn drive(
        &mut self,
        desired: Desired,
        record: &Record,
        (seen, images): (Seen, BTreeMap<String, ImageFacts>),
        uploads: BoxStream<'static, Heard>,
    ) -> anyhow::Result<Turn> {
        let before = self.before.replace(desired.clone());
        let plan = Plan {
            old: filled_with(before.clone(), record),
            before,
            uid: record.uid.clone(),
            generation: record.wish.generation,
            ..self.plan(desired, images)
        };
        let alive = Alive {
            until: Until::Stopped,
            back_off: self.shared.back_off,
            changes: self.changes.clone(),
            speaks: Arc::default(),
            ends_with: None,
        };
        let goal = Goal::Live(Until::Stopped);
        let engine = &self.shared.engine;
        let drive = Drive::new(engine, goal, plan, seen, &self.events, &self.interrupt)
            .with_clock(self.shared.ahead)
            .watching(uploads, 0)
            .knowing(self.known.take())
            .kept_alive(alive);
        Ok(match drive.run().await {
            Outcome::Failed(failures) | Outcome::Lost(failures) => {
                self.tell(failures);
                Turn::Rest(PUT_OFF)
            }
            Outcome::FailedInit(failure) => {
                self.tell(vec![failure]);
                Turn::Rest(PUT_OFF)
            }
            Outcome::Reached(_) | Outcome::Interrupted(_) | Outcome::RecordGone => Turn::Again,
            Outcome::RecordChanged(known) => {
                self.known = Some(*known);
                Turn::Again
            }
        })
    }

    fn tell(&self, failures: Vec<Failure>) {
        for failure in failures {
            self.events.tell(Event::Failed(Arc::new(failure)));
        }
    }

    /// A `down` that was killed is carried on. One that is at work sends its signals itself: some programs take a second one for a wish
    /// to end at once.
    async fn finish_deletion(&mut self) -> anyhow::Result<Turn> {
        let deletions = self.shared.engine.deletions().await?;
        let grace = deletions
            .get(&self.key)
            .map_or(0, |deletion| deletion.grace_period);
        if !self.alone {
            return Ok(Turn::StandBack(Duration::from_secs(grace) + QUIET));
        }
        let seen = self.shared.engine.look(&self.key, true).await?;
        self.take_away(seen, grace).await
    }

    /// `seen`: all of it; `grace`: in seconds.
    async fn take_away(&mut self, seen: Seen, grace: u64) -> anyhow::Result<Turn> {
        let (engine, facts) = (&self.shared.engine, self.shared.facts.clone());
        let (events, interrupt) = (&self.events, &self.interrupt);
        let outcome = take_away(
            engine,
            &self.key,
            facts,
            seen,
            Some(grace),
            events,
            interrupt,
        )
        .await;
        Ok(match outcome {
            Outcome::Failed(failures) => {
                self.tell(failures);
                Turn::Rest(PUT_OFF)
            }
            _ => Turn::Again,
        })
    }

    /// What an engine has made for a pod that was being taken down then is removed; it was never started.
    async fn without_record(&mut self, seen: &Seen) -> anyhow::Result<Turn> {
        let is_left = |c: &SeenContainer| c.state == State::Created;
        if seen.containers.is_empty() || !seen.containers.iter().all(is_left) {
            return Ok(Turn::Gone);
        }
        if !self.alone {
            return Ok(Turn::StandBack(QUIET));
        }
        let seen = self.shared.engine.look(&self.key, true).await?;
        if seen.record.is_some() {
            return Ok(Turn::Again);
        }
        self.take_away(seen, 0).await
    }

    /// All containers were removed, or none has been made yet.
    async fn without_pause(&mut self, claimed: &Record, seen: &Seen) -> anyhow::Result<Turn> {
        let unreadable = || format!("the record of pod `{}` does not read back", self.key);
        // Later wishes are in the volume, which is read through the pause: it is made by the first, and anew where that is not what counts.
        let desired = match &self.before {
            Some(desired) => desired.clone(),
            None => asked(claimed).with_context(unreadable)?,
        };
        let images = self.images(&desired, seen).await?;
        let age = self.shared.now().saturating_sub(seen.began.unwrap_or(0));
        let is_new = self.adopted.is_none() && seen.containers.is_empty();
        let is_asked_for = |c: &Container| c.pull == PullPolicy::Always;
        let pulls = claimed.wish.pulls || desired.pod.members().any(is_asked_for);
        let has_image = |c: &Container| images.contains_key(&c.image);
        let patience = match pulls {
            // After that the pod's own status tells that they are not there.
            _ if !desired.pod.members().all(has_image) => LONGEST_PULL,
            true => PULLING,
            false => QUIET,
        };
        if is_new && Duration::from_millis(age) < patience {
            return Ok(Turn::StandBack(patience.min(LONGEST_REST)));
        }
        make_pause(&self.shared.engine, self.plan(desired, images), 0).await?;
        self.alone |= self.adopted.is_some();
        Ok(Turn::Again)
    }

    /// What is left of a pause container that cannot be read through is replaced. A record that does not say what the pod's containers were
    /// made from was damaged, and is not guessed.
    async fn unreadable(&mut self, seen: &Seen) -> anyhow::Result<Turn> {
        let pause = seen.pause();
        let dead = pause.filter(|pause| matches!(pause.state, State::Exited(_)));
        if !self.alone {
            return Ok(Turn::StandBack(QUIET));
        }
        let (Some(dead), Some(desired)) = (dead, self.before.clone()) else {
            bail!(DAMAGED);
        };
        let attempt = dead.identity.attempt + 1;
        let images = self.images(&desired, seen).await?;
        make_pause(&self.shared.engine, self.plan(desired, images), attempt).await?;
        Ok(Turn::Again)
    }

    /// Without what the record says.
    fn plan(&self, desired: Desired, images: BTreeMap<String, ImageFacts>) -> Plan {
        let Shared {
            facts, pause_image, ..
        } = &*self.shared;
        Plan::new(&self.key, desired, facts, images, pause_image)
    }

    /// Nothing is pulled. An image that has lost its name is the one that the container was made from.
    async fn images(
        &self,
        desired: &Desired,
        seen: &Seen,
    ) -> anyhow::Result<BTreeMap<String, ImageFacts>> {
        let engine = &self.shared.engine;
        let found = images::find(engine, &images::references(&desired.pod)).await?;
        let mut images = BTreeMap::new();
        for (reference, facts) in found {
            let made_from = |c: &&SeenContainer| {
                let container = desired.pod.container(&c.identity.container);
                container.is_some_and(|container| container.image == reference)
            };
            let facts = match (facts, seen.members().find(made_from)) {
                (None, Some(member)) => engine.image_facts(&member.image).await?,
                (facts, _) => facts,
            };
            images.extend(facts.map(|facts| (reference, facts)));
        }
        Ok(images)
    }

    /// Waits for what a turn asked for.
    async fn after(&mut self, turn: Turn) {
        let mut interrupt = self.interrupt.clone();
        match turn {
            Turn::Gone | Turn::Again => {}
            Turn::Rest(rest) => {
                tokio::select! {
                    () = interrupt.beyond(0) => {}
                    _ = self.news.changed() => self.alone = false,
                    () = tokio::time::sleep(rest) => {}
                }
            }
            Turn::StandBack(quiet) => {
                tokio::select! {
                    () = interrupt.beyond(0) => {}
                    _ = self.news.changed() => {
                        self.alone = false;
                        self.settled().await;
                    }
                    () = tokio::time::sleep(quiet) => self.alone = true,
                }
            }
        }
    }

    /// Waits until no more happens for a moment.
    async fn settled(&mut self) {
        while let Ok(Ok(())) = tokio::time::timeout(SETTLING, self.news.changed()).await {}
    }
}
