//! The way of `up`: claim the pod's record or write a new wish into it, see to the images, drive, and take away what a
//! failed first run made.
//!
//! - `drive`: from the record to the end.
//! - `undo`: what is left where it could not be carried out.
//!
//! Not here: the record (`join`), rules (`reconcile::up`), what is printed of it (`commands::up`).

mod drive;
mod undo;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use bollard::models::Volume;
use futures_util::FutureExt;
use futures_util::future::FusedFuture;
use tokio::sync::{Notify, Semaphore};

use super::images::{self, Pull, ensure_pause_image, pause_images};
use super::join::{Course, Joined, extra};
use super::{Event, Events, Failure, Interrupt};
use crate::engine::look::{made_at, read_record};
use crate::engine::{Engine, EngineError};
use crate::reconcile::restart::BackOff;
use crate::reconcile::{Seen, Until};
use crate::record::{Record, Wish};
use crate::spec::{Desired, EngineFacts, ImageFacts, Pids, PodKey};
use crate::translate;
use crate::translate::app::shares_pids;

/// So often an `up` begins again when others change the pod under its hands.
const MOST_ROUNDS: u32 = 150;
/// After so many tries a record that does not say what the pod's containers were made from was not read too early, but is damaged.
pub(super) const DAMAGED: u32 = 20;
/// Between two tries.
const PATIENCE: Duration = Duration::from_millis(100);
/// So many pods are looked up at once: a look is many calls together, and each call has a connection with buffers of its own.
static LOOKS: Semaphore = Semaphore::const_new(8);
/// What an engine that does not answer is given to remove the record of a run that is over.
const LAST_TRY: Duration = Duration::from_secs(3);
/// With `--wait`, a container that ends so soon after its start has not come up.
const SETTLING: Duration = Duration::from_secs(1);

/// How to bring a pod up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--pull`.
    pub pull: Pull,
    /// A first run that fails leaves what it made.
    pub keep: bool,
    /// It is kept alive until it is ready; a container that ends at once has not come up.
    pub wait: bool,
    /// With `wait`: how often its containers crash meanwhile does not matter.
    pub patient: bool,
    /// A pod that is not there is not made.
    pub existing: bool,
    /// The pod is kept alive until a person stops that, and is taken down then.
    pub attach: Option<Attach>,
    /// Told apart from other writers by this; the uid of a pod that this run makes.
    pub uid: String,
}

/// Keeping a pod alive in the foreground.
#[derive(Debug, Clone)]
pub struct Attach {
    /// For how long.
    pub until: Until,
    /// How long an end is answered with waiting.
    pub back_off: BackOff,
    /// Told when a member runs.
    pub speaks: Arc<Notify>,
    /// The pod is over once this container is.
    pub ends_with: Option<String>,
    /// A person's wish to stop leaves the pod as it is.
    pub leaves: bool,
}

/// How an `up` ended.
#[derive(Debug)]
pub enum Up {
    /// Each container has been started once.
    Started {
        /// What there is now.
        seen: Seen,
        /// Nothing was made, started or removed.
        unchanged: bool,
        /// Containers that this run has started.
        n_started: usize,
        /// Another `up` came later, and its wish was followed.
        overtaken: bool,
        /// It was to be waited for, and this machine does not reach its pods: who does tells whether it is ready.
        unasked: bool,
    },
    /// Something failed.
    Failed {
        /// The first first.
        failures: Vec<Failure>,
        /// What this run made was taken away again.
        taken_away: bool,
        /// What is there of the pod now, container by container.
        left: Option<Seen>,
        /// The hashes that the wish asks for, by container.
        wanted: BTreeMap<String, String>,
    },
    /// It was waited for the pod to be ready, and it is not. It stays for a look.
    NotReady {
        /// A person, or the end of the time, has stopped that.
        interrupted: bool,
    },
    /// A person stopped it.
    Interrupted {
        /// What this run made was taken away again.
        taken_away: bool,
        /// What is there of the pod now, and the hashes that the wish asks for, where a change was stopped half-way.
        left: Option<(Seen, BTreeMap<String, String>)>,
    },
    /// A person ended the life of a pod that was kept alive.
    Ended {
        /// It had come to its end by itself before.
        over: bool,
        /// Nothing is left of it.
        gone: bool,
    },
    /// Somebody took the pod down meanwhile.
    Deleted,
}

/// Brings a pod up.
///
/// # Errors
/// When the engine cannot be asked, an image cannot be had, or the pod cannot be carried out on this engine: nothing is
/// left then of what this run made.
pub async fn up(
    engine: &Engine,
    desired: &Desired,
    options: &Options,
    events: &Events,
    interrupt: &Interrupt,
) -> anyhow::Result<Up> {
    let key = &desired.pod.key;
    rounds(key, async |round| {
        let run = Run {
            engine,
            key,
            mine: desired,
            based_on: None,
            far: false,
            options,
            events,
            interrupt,
        };
        run.go(round).await
    })
    .await
}

/// Tries until it comes to an end; `step` gives none where the pod changed under its hands.
pub(super) async fn rounds<T>(
    key: &PodKey,
    step: impl AsyncFn(u32) -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    for round in 1..=MOST_ROUNDS {
        if let Some(end) = step(round).await? {
            return Ok(end);
        }
        tokio::time::sleep(PATIENCE).await;
    }
    bail!("others change pod `{key}` again and again: look who does, and try again")
}

/// One try.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) engine: &'a Engine,
    pub(super) key: &'a PodKey,
    pub(super) mine: &'a Desired,
    /// The wish that what is asked for was made from: it is asked for anew where another has come meanwhile.
    pub(super) based_on: Option<&'a Wish>,
    pub(super) options: &'a Options,
    /// This machine does not reach what probes ask.
    pub(super) far: bool,
    pub(super) events: &'a Events,
    pub(super) interrupt: &'a Interrupt,
}

impl Run<'_> {
    /// `None`: the pod was on its way down, or changed under its hands; begin again.
    pub(super) async fn go(mut self, round: u32) -> anyhow::Result<Option<Up>> {
        let uploads = self.watch();
        // What happens before the pod is up counts too.
        let changes = self.until().map(|_| self.changes());
        let wish = Wish {
            pulls: self.options.pull == Pull::Always,
            ..Wish::new(self.mine, &extra(self.mine), 1, &self.options.uid)
        };
        let pause_images = pause_images();
        let mut references = images::references(&self.mine.pod);
        if self.mine.pod.stopped {
            references.clear();
        }
        let looking_up = || format!("failed to look up pod `{}`", self.key);
        // All looks together: what one of them refuses is found before anything but the record is made.
        let (mut claim, claiming) = (pin!(self.claim(&wish).fuse()), Cell::new(false));
        let looks = async {
            let _turn = LOOKS.acquire().await;
            claiming.set(true);
            tokio::try_join!(
                self.engine.facts(),
                self.engine.look(self.key, false),
                claim.as_mut(),
                images::find(self.engine, &references),
                images::find(self.engine, &pause_images),
            )
        };
        let looked = self.interrupt.or(0, looks).await;
        if !matches!(looked, Some(Ok(_))) && claiming.get() && !claim.is_terminated() {
            // An engine carries out what it was asked for, also where nobody waits for that any more.
            let claimed = tokio::time::timeout(LAST_TRY, claim);
            let _ = self.interrupt.or(1, claimed).await;
        }
        let (facts, mut seen, volume, found, pauses) = match looked {
            Some(Ok(looked)) => looked,
            Some(Err(error)) => {
                self.forget().await;
                return Err(anyhow::Error::new(error).context(looking_up()));
            }
            None => {
                let (taken_away, left) = (self.forget().await, None);
                return Ok(Some(Up::Interrupted { taken_away, left }));
            }
        };
        self.far = !facts.reaches_pods;
        if seen.deletion && !self.options.existing {
            return self.clear(facts).await;
        }
        let Some(volume) = volume.filter(|_| !seen.deletion) else {
            return Ok(Some(Up::Deleted));
        };
        seen.began = seen.began.or(made_at(&volume));
        let claimed = read_record(&volume, &BTreeMap::new()).ok();
        // A pod that this run made may have been changed by others since: from then on it is not this run's alone.
        let is_new = round == 1 || (seen.containers.is_empty() && seen.record.is_none());
        let is_mine = |record: &Record| record.uid == self.options.uid;
        let first = is_new && claimed.as_ref().is_some_and(is_mine);
        let prepared = self.prepare(&facts, found, &pauses).await;
        let (images, pause_image) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                let taken_away = first && self.forget().await;
                let left = None;
                return match error {
                    Some(error) => Err(error),
                    None => Ok(Some(Up::Interrupted { taken_away, left })),
                };
            }
        };
        self.tell_own_pids(&images);
        let course = if let (true, Some(record)) = (first, claimed) {
            let desired = self.mine.clone();
            Course {
                desired,
                record,
                before: None,
                old: None,
                overtaken: false,
                first,
                own_uploads: 0,
            }
        } else {
            let is_damaged = round > DAMAGED && self.based_on.is_none();
            let joining = self.join(&facts, &seen, (&images, &pause_image), is_damaged);
            match self.interrupt.or(0, joining).await.transpose()? {
                Some(Joined::Course(course)) => *course,
                Some(Joined::Again) => return Ok(None),
                None => {
                    let (taken_away, left) = (false, None);
                    return Ok(Some(Up::Interrupted { taken_away, left }));
                }
            }
        };
        self.drive(
            course,
            facts,
            seen,
            (images, pause_image),
            (uploads, changes),
        )
        .await
    }

    /// Makes the record of a new pod, or finds the one that is there.
    async fn claim(self, wish: &Wish) -> Result<Option<Volume>, EngineError> {
        if self.options.existing {
            return self.engine.record(self.key).await;
        }
        let (key, uid) = (self.key, &self.options.uid);
        let made = self.engine.create_record(key, uid, wish.to_label());
        made.await.map(Some)
    }

    /// Everything that may say no before anything is made. `Err(None)`: a person stopped it.
    async fn prepare(
        self,
        facts: &EngineFacts,
        found: BTreeMap<String, Option<ImageFacts>>,
        pauses: &BTreeMap<String, Option<ImageFacts>>,
    ) -> Result<(BTreeMap<String, ImageFacts>, String), Option<anyhow::Error>> {
        let refusals = translate::refusals(&self.mine.pod, facts);
        if !refusals.is_empty() {
            let text: Vec<String> = refusals.iter().map(ToString::to_string).collect();
            return Err(Some(anyhow!("pod `{}`: {}", self.key, text.join("; "))));
        }
        let all = async {
            let images = images::ensure(
                self.engine,
                self.mine,
                found,
                self.options.pull,
                self.events,
            );
            let pause = async {
                ensure_pause_image(self.engine, facts, pauses)
                    .await
                    .context("failed to load the pause image into the engine")
            };
            tokio::try_join!(images, pause)
        };
        match self.interrupt.or(0, all).await {
            Some(all) => all.map_err(Some),
            None => Err(None),
        }
    }

    /// Removes the record where this run has made it, and nothing else; whether it is gone.
    async fn forget(self) -> bool {
        let forget = async {
            let volume = self.engine.record(self.key).await.ok()??;
            let record = read_record(&volume, &BTreeMap::new()).ok()?;
            let is_mine = record.uid == self.options.uid;
            is_mine.then_some(self.engine.remove_volume(&volume.name).await.ok())?
        };
        let forgotten = tokio::time::timeout(LAST_TRY, forget).await;
        matches!(forgotten, Ok(Some(())))
    }

    /// Tells of containers that do not join the pod's PID namespace, though the manifest does not say so.
    fn tell_own_pids(self, images: &BTreeMap<String, ImageFacts>) {
        let pod = &self.mine.pod;
        if pod.pids != Pids::Unsaid {
            return;
        }
        for container in pod.members() {
            let image = images.get(&container.image);
            if image.is_some_and(|image| !shares_pids(pod.pids, container, image)) {
                self.events.tell(Event::OwnPids {
                    container: container.name.clone(),
                });
            }
        }
    }
}
