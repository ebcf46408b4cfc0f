//! The way of `up`: claim the pod's record or write a new wish into it, see to the images, drive, and take away what a
//! failed first run made.
//!
//! Not here: the record (`join`), rules (`reconcile::up`), what is printed of it (`commands::up`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use bollard::models::Volume;
use futures_util::FutureExt;
use futures_util::future::select_all;
use futures_util::stream::BoxStream;
use tokio::sync::{Notify, Semaphore, watch};

use super::down::take_away;
use super::execute::{Plan, ensure_pause_image, pause_images};
use super::images::{self, Pull};
use super::join::{Course, Joined, extra};
use super::memory::now;
use super::pod::{Alive, Drive, Outcome};
use super::{Event, Events, Failure, Interrupt};
use crate::engine::{
    Engine, EngineError,
    look::{made_at, read_record},
};
use crate::reconcile::restart::BackOff;
use crate::reconcile::{Goal, Over, Seen, State, Until};
use crate::record::{Care, Wish, hash};
use crate::spec::{Container, Desired, EngineFacts, ImageFacts, Pids, PodKey};
use crate::translate::app::shares_pids;
use crate::translate::{self};

/// So often an `up` begins again when others change the pod under its hands.
const MOST_ROUNDS: u32 = 40;
/// Between two tries.
const PATIENCE: Duration = Duration::from_millis(100);
/// So many pods are looked up at once: a look is many calls together, and each call has a connection with buffers of its own.
static LOOKS: Semaphore = Semaphore::const_new(8);
/// What an engine that does not answer is given to remove the record of a run that is over.
const LAST_TRY: Duration = Duration::from_secs(1);
/// With `--wait`, a container that ends so soon after its start has not come up.
const SETTLING: Duration = Duration::from_secs(1);

/// How to bring a pod up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--pull`.
    pub pull: Pull,
    /// A first run that fails leaves what it made.
    pub keep: bool,
    /// A container that ends at once has not come up.
    pub wait: bool,
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
    let mut round = 0;
    loop {
        round += 1;
        let run = Run {
            engine,
            key: &desired.pod.key,
            mine: desired,
            options,
            events,
            interrupt,
        };
        match run.go(round == 1).await? {
            Some(up) => return Ok(up),
            None if round < MOST_ROUNDS => tokio::time::sleep(PATIENCE).await,
            None => return Ok(Up::Deleted),
        }
    }
}

/// One try.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) engine: &'a Engine,
    pub(super) key: &'a PodKey,
    pub(super) mine: &'a Desired,
    pub(super) options: &'a Options,
    pub(super) events: &'a Events,
    pub(super) interrupt: &'a Interrupt,
}

impl Run<'_> {
    /// `None`: the pod was on its way down, or changed under its hands; begin again.
    async fn go(self, first_round: bool) -> anyhow::Result<Option<Up>> {
        let uploads = self.watch();
        // What happens before the pod is up counts too.
        let changes = self.options.attach.as_ref().map(|_| self.changes());
        let wish = Wish::new(self.mine, &extra(self.mine), 1, &self.options.uid);
        let pause_images = pause_images();
        let mut references = images::references(&self.mine.pod);
        if self.mine.pod.stopped {
            references.clear();
        }
        let looking_up = || format!("failed to look up pod `{}`", self.key);
        // All looks together: what one of them refuses is found before anything but the record is made.
        let looks = async {
            let _turn = LOOKS.acquire().await;
            tokio::try_join!(
                self.engine.facts(),
                self.engine.look(self.key, false),
                self.claim(&wish),
                images::find(self.engine, &references),
                images::find(self.engine, &pause_images),
            )
        };
        let mut interrupt = self.interrupt.clone();
        let looked = tokio::select! { biased;
            // An engine may take calls and answer none.
            () = interrupt.beyond(0) => None,
            looked = looks => Some(looked),
        };
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
        if seen.deletion && !self.options.existing {
            return self.clear(facts).await;
        }
        let Some(volume) = volume.filter(|_| !seen.deletion) else {
            return Ok(Some(Up::Deleted));
        };
        seen.began = seen.began.or(made_at(&volume));
        let claimed = read_record(&volume, &BTreeMap::new()).ok();
        let first = claimed
            .as_ref()
            .is_some_and(|record| record.uid == self.options.uid);
        let prepared = self.prepare(&facts, found, &pauses).await;
        let (images, pause_image) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                if first {
                    self.forget().await;
                }
                return match error {
                    Some(error) => Err(error),
                    None => Ok(Some(Up::Interrupted {
                        taken_away: first,
                        left: None,
                    })),
                };
            }
        };
        self.tell_own_pids(&images);
        // A pod that this run made may have been changed by others since.
        let is_new = first_round || (seen.containers.is_empty() && seen.record.is_none());
        let course = if let (true, Some(record)) = (first && is_new, claimed) {
            let desired = self.mine.clone();
            Course {
                desired,
                record,
                old: None,
                overtaken: false,
                first,
                own_uploads: 0,
            }
        } else {
            match self.join(&facts, &seen, &images, &pause_image).await? {
                Joined::Course(course) => Course { first, ..*course },
                Joined::Again => return Ok(None),
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
        let mut interrupt = self.interrupt.clone();
        let all = async {
            let images = images::ensure(
                self.engine,
                &self.mine.pod,
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
        tokio::select! { biased;
            () = interrupt.beyond(0) => Err(None),
            all = all => all.map_err(Some),
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

    /// Finishes a deletion that somebody began.
    async fn clear(self, facts: EngineFacts) -> anyhow::Result<Option<Up>> {
        let doing = format!(
            "failed to finish taking down pod `{}`, which is on its way down",
            self.key
        );
        match self.undo(facts, doing).await? {
            Outcome::Interrupted => Ok(Some(Up::Interrupted {
                taken_away: false,
                left: None,
            })),
            _ => Ok(None),
        }
    }

    async fn drive(
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
                    let ended = settled
                        .members()
                        .any(|c| matches!(c.state, State::Exited(1..)));
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
    async fn hear(self, course: &mut Course, seen: &Seen) -> anyhow::Result<Option<Option<Up>>> {
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
    fn kept_alive(
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

    async fn interrupted(self, course: &Course, facts: EngineFacts) -> anyhow::Result<Up> {
        if self.options.attach.is_some() {
            let (taken_away, left) = (self.end_life(facts).await?, None);
            return Ok(Up::Interrupted { taken_away, left });
        }
        // Asked twice, it ends at once.
        let at_once = self.interrupt.count() > 1;
        let undo = course.first && !self.options.keep && !at_once;
        let taken_away = undo && self.take_away(facts).await?;
        let left = match self.engine.look(self.key, false).await {
            Ok(seen) if !undo && !at_once => Some((seen, wanted(&course.desired))),
            _ => None,
        };
        Ok(Up::Interrupted { taken_away, left })
    }

    /// The wish of another may name images that this run has not looked at. Its writer has pulled them.
    async fn find_missing(
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
    fn waits_for(self, desired: &Desired) -> bool {
        let asks = |container: &Container| !Care::of(container).is_none();
        let has_probes = desired.pod.members().any(asks);
        self.options.wait && self.options.attach.is_none() && has_probes
    }

    /// What the engine's clock is ahead of this one, in milliseconds, where time matters.
    async fn ahead(self, desired: &Desired) -> anyhow::Result<i64> {
        let needs_care = |container: &Container| !Care::of(container).is_none();
        if self.options.attach.is_none() && !desired.pod.members().any(needs_care) {
            return Ok(0);
        }
        let asking = "failed to ask the engine for its time";
        let engines = self.engine.now().await.context(asking)?;
        let difference = i128::from(engines) - i128::from(now());
        Ok(i64::try_from(difference).unwrap_or_default())
    }

    /// In order; asked once more, at once.
    async fn end_life(self, facts: EngineFacts) -> anyhow::Result<bool> {
        if self.take_away(facts.clone()).await? {
            return Ok(true);
        }
        let seen = self.engine.look(self.key, true).await?;
        let (events, never) = (self.events, Interrupt::never());
        let now = Some(0);
        let outcome = take_away(self.engine, self.key, facts, seen, now, events, &never).await;
        Ok(matches!(outcome, Outcome::Reached(_)))
    }

    /// With `--wait`: what there is once every container has had its first moments.
    async fn settled(self, seen: Seen) -> Seen {
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

    async fn failed(
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
    async fn explain(self, desired: &Desired, failures: Vec<Failure>) -> Vec<Failure> {
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
    async fn take_away(self, facts: EngineFacts) -> anyhow::Result<bool> {
        self.events.tell(Event::TakingAway);
        let doing = format!(
            "failed to take away what was made of pod `{}`; `podctl down` does it",
            self.key
        );
        let outcome = self.undo(facts, doing).await?;
        Ok(matches!(outcome, Outcome::Reached(_)))
    }

    /// Takes away all that there is of the pod now; `doing` says of a failure what failed.
    async fn undo(self, facts: EngineFacts, doing: String) -> anyhow::Result<Outcome> {
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
fn wanted(desired: &Desired) -> BTreeMap<String, String> {
    let pod = &desired.pod;
    pod.members()
        .map(|c| (c.name.clone(), hash::container(pod, c)))
        .collect()
}
