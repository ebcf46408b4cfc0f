//! The way of `up`: claim the pod's record or write a new wish into it, see to the images, drive, and take away what a
//! failed first run made.
//!
//! Not here: rules (`reconcile::up`), what is printed of it (`commands::up`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::sync::mpsc;

use super::down::take_away;
use super::execute::{Plan, ensure_pause_image, execute};
use super::images::{self, Pull};
use super::pod::{Drive, Outcome};
use super::{Event, Events, Failure, Interrupt};
use crate::engine::{Engine, look::read_record};
use crate::manifest;
use crate::reconcile::{Action, Goal, Seen, State, Why};
use crate::record::{Record, Wish, hash};
use crate::spec::{Desired, EngineFacts, ImageFacts, PodKey, Publish};
use crate::translate::{self, archive};

/// So often an `up` begins again when others change the pod under its hands.
const MOST_ROUNDS: u32 = 40;
/// Between two tries.
const PATIENCE: Duration = Duration::from_millis(100);

/// How to bring a pod up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--pull`.
    pub pull: Pull,
    /// A first run that fails leaves what it made.
    pub keep: bool,
    /// Told apart from other writers by this; the uid of a pod that this run makes.
    pub uid: String,
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
        /// Another `up` came later, and its wish was followed.
        overtaken: bool,
        /// Containers that this run started.
        started: BTreeSet<String>,
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
    /// A person stopped it.
    Interrupted {
        /// What this run made was taken away again.
        taken_away: bool,
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
        match run.go().await? {
            Some(up) => return Ok(up),
            None if round < MOST_ROUNDS => tokio::time::sleep(PATIENCE).await,
            None => return Ok(Up::Deleted),
        }
    }
}

/// One try.
#[derive(Clone, Copy)]
struct Run<'a> {
    engine: &'a Engine,
    key: &'a PodKey,
    mine: &'a Desired,
    options: &'a Options,
    events: &'a Events,
    interrupt: &'a Interrupt,
}

/// Whose wish is driven to.
struct Course {
    desired: Desired,
    record: Record,
    /// What the volumes hold now, where it is known.
    old: Option<Desired>,
    overtaken: bool,
    /// This run made the pod.
    first: bool,
    own_uploads: u32,
}

/// How a run meets a pod that is there already.
enum Joined {
    Course(Box<Course>),
    /// Somebody changed it meanwhile.
    Again,
}

impl Run<'_> {
    /// `None`: the pod was on its way down, or changed under its hands; begin again.
    async fn go(self) -> anyhow::Result<Option<Up>> {
        let uploads = self.watch();
        let wish = Wish::new(self.mine, &extra(self.mine), 1, &self.options.uid);
        let references = images::references(&self.mine.pod);
        let looking_up = || format!("failed to look up pod `{}`", self.key);
        // All looks together: what one of them refuses is found before anything but the record is made.
        let (facts, seen, volume, found) = tokio::try_join!(
            self.engine.facts(),
            self.engine.look(self.key, false),
            self.engine
                .create_record(self.key, &self.options.uid, wish.to_label()),
            images::find(self.engine, &references),
        )
        .with_context(looking_up)?;
        if seen.deletion {
            return self.clear(facts).await;
        }
        let claimed = read_record(&volume, &BTreeMap::new()).ok();
        let first = claimed
            .as_ref()
            .is_some_and(|record| record.uid == self.options.uid);
        let prepared = self.prepare(&facts, found).await;
        let (images, pause_image) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                self.give_up(first, &facts).await;
                return match error {
                    Some(error) => Err(error),
                    None => Ok(Some(Up::Interrupted { taken_away: first })),
                };
            }
        };
        let course = if let (true, Some(record)) = (first, claimed) {
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
                Joined::Course(course) => *course,
                Joined::Again => return Ok(None),
            }
        };
        self.drive(course, facts, seen, images, pause_image, uploads)
            .await
    }

    /// Hears of every write into the record from now on.
    fn watch(self) -> BoxStream<'static, ()> {
        let mut uploads = self.engine.uploads(self.key).boxed();
        let (sender, receiver) = mpsc::unbounded_channel();
        // A stream asks for nothing until somebody waits for it.
        tokio::spawn(async move {
            while let Some(()) = uploads.next().await {
                if sender.send(()).is_err() {
                    break;
                }
            }
        });
        stream::unfold(receiver, |mut receiver| async {
            Some((receiver.recv().await?, receiver))
        })
        .boxed()
    }

    /// Everything that may say no before anything is made. `Err(None)`: a person stopped it.
    async fn prepare(
        self,
        facts: &EngineFacts,
        found: BTreeMap<String, Option<ImageFacts>>,
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
                ensure_pause_image(self.engine, facts)
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

    /// Nothing was made but the record.
    async fn give_up(self, first: bool, facts: &EngineFacts) {
        if first {
            let seen = self.engine.look(self.key, true).await;
            if let Ok(seen) = seen {
                let (facts, quiet) = (facts.clone(), Events::nobody());
                take_away(
                    self.engine,
                    self.key,
                    facts,
                    seen,
                    None,
                    &quiet,
                    &Interrupt::never(),
                )
                .await;
            }
        }
    }

    /// The pod is there already: follows its record, or writes a new wish into it.
    async fn join(
        self,
        facts: &EngineFacts,
        seen: &Seen,
        images: &BTreeMap<String, ImageFacts>,
        pause_image: &str,
    ) -> anyhow::Result<Joined> {
        // The record is read and written through the pause container; a pod that has none gets one.
        let pause = match seen.pause() {
            Some(pause) => Some(pause.id.clone()),
            None => self.make_pause(facts, images, pause_image, 0).await?,
        };
        let Some(pause) = pause else {
            return Ok(Joined::Again);
        };
        let Some(record) = self.read(&pause).await? else {
            // What is left of a pause container that cannot be read through is replaced.
            if let Some(dead) = seen.pause().filter(|pause| !pause.is_running()) {
                self.make_pause(facts, images, pause_image, dead.identity.attempt + 1)
                    .await?;
            }
            return Ok(Joined::Again);
        };
        let recorded = Self::recorded(&record);
        let same = recorded
            .as_ref()
            .is_some_and(|recorded| is_same(recorded, self.mine));
        if same {
            let old = filled_with(recorded, &record);
            let desired = self.mine.clone();
            let (overtaken, first, own_uploads) = (false, false, 0);
            return Ok(Joined::Course(Box::new(Course {
                desired,
                record,
                old,
                overtaken,
                first,
                own_uploads,
            })));
        }
        self.tell_pause_change(recorded.as_ref());
        let extra = extra(self.mine);
        let wish = Wish::new(
            self.mine,
            &extra,
            record.wish.generation + 1,
            &self.options.uid,
        );
        let archive = archive::wish(&wish, self.mine, &record, super::execute::now());
        match self.engine.upload(&pause, archive).await {
            Ok(()) => {}
            // Another makes the pause anew.
            Err(error) if error.status() == Some(404) => return Ok(Joined::Again),
            Err(error) => {
                let writing = format!("failed to write the record of pod `{}`", self.key);
                return Err(anyhow::Error::new(error).context(writing));
            }
        }
        let Some(now) = self.read(&pause).await? else {
            return Ok(Joined::Again);
        };
        let overtaken = now.wish.writer != self.options.uid;
        let desired = if overtaken {
            self.events.tell(Event::Overtaken {
                generation: now.wish.generation,
            });
            Self::recorded(&now).context("the record of the pod does not read back")?
        } else {
            self.mine.clone()
        };
        let old = filled_with(recorded, &record);
        Ok(Joined::Course(Box::new(Course {
            desired,
            record: now,
            old,
            overtaken,
            first: false,
            own_uploads: 1,
        })))
    }

    /// What the record says; `None` when it, or the pause container, is gone.
    async fn read(self, pause: &str) -> anyhow::Result<Option<Record>> {
        let reading = || format!("failed to read the record of pod `{}`", self.key);
        let (volume, files) = tokio::try_join!(
            self.engine.record(self.key),
            self.engine.record_files(pause)
        )
        .with_context(reading)?;
        let (Some(volume), Some(files)) = (volume, files) else {
            return Ok(None);
        };
        Ok(Some(read_record(&volume, &files).with_context(reading)?))
    }

    /// What the record asks for; `None` when its payload has not been written.
    fn recorded(record: &Record) -> Option<Desired> {
        let config_maps = record.config_maps.clone().unwrap_or_default();
        let mut desired = manifest::load_recorded(&record.wish.manifest, config_maps).ok()?;
        for publish in &record.wish.publish {
            let publish = publish.to_publish()?;
            if !desired.pod.publish.contains(&publish) {
                desired.pod.publish.push(publish);
            }
        }
        Some(desired)
    }

    fn tell_pause_change(self, recorded: Option<&Desired>) {
        let Some(recorded) = recorded else { return };
        if hash::pause(&recorded.pod) != hash::pause(&self.mine.pod) {
            let fields = hash::pause_changes(&recorded.pod, &self.mine.pod);
            self.events.tell(Event::PauseChanged { fields });
        }
    }

    /// Makes a pause container for what this run wants, or finds the one that another has made.
    async fn make_pause(
        self,
        facts: &EngineFacts,
        images: &BTreeMap<String, ImageFacts>,
        pause_image: &str,
        attempt: u32,
    ) -> anyhow::Result<Option<String>> {
        let making = || format!("failed to create the pause container of pod `{}`", self.key);
        let Some(volume) = self.engine.record(self.key).await.with_context(making)? else {
            return Ok(None);
        };
        let record = read_record(&volume, &BTreeMap::new()).with_context(making)?;
        let plan = Plan {
            key: self.key.clone(),
            uid: record.uid,
            generation: record.wish.generation,
            desired: Some(self.mine.clone()),
            old: None,
            facts: facts.clone(),
            images: images.clone(),
            pause_image: pause_image.to_owned(),
        };
        let action = Action::CreatePause {
            attempt,
            why: Why::Missing,
        };
        execute(self.engine, &plan.into(), &action)
            .await
            .with_context(making)?;
        let seen = self
            .engine
            .look(self.key, false)
            .await
            .with_context(making)?;
        Ok(seen.pause().map(|pause| pause.id.clone()))
    }

    /// Finishes a deletion that somebody began.
    async fn clear(self, facts: EngineFacts) -> anyhow::Result<Option<Up>> {
        let seen = self.engine.look(self.key, true).await?;
        let outcome = take_away(
            self.engine,
            self.key,
            facts,
            seen,
            None,
            self.events,
            self.interrupt,
        )
        .await;
        match outcome {
            Outcome::Interrupted => Ok(Some(Up::Interrupted { taken_away: true })),
            Outcome::Failed(mut failures) if !failures.is_empty() => {
                Err(anyhow::Error::new(failures.swap_remove(0)).context(format!(
                    "failed to finish taking down pod `{}`, which is on its way down",
                    self.key
                )))
            }
            _ => Ok(None),
        }
    }

    async fn drive(
        self,
        mut course: Course,
        facts: EngineFacts,
        mut seen: Seen,
        images: BTreeMap<String, ImageFacts>,
        pause_image: String,
        mut uploads: BoxStream<'static, ()>,
    ) -> anyhow::Result<Option<Up>> {
        let before: BTreeSet<String> = seen
            .containers
            .iter()
            .filter(|c| c.is_running())
            .map(|c| c.id.clone())
            .collect();
        let ended: BTreeSet<String> = seen
            .containers
            .iter()
            .filter(|c| matches!(c.state, State::Exited(_)))
            .map(|c| c.id.clone())
            .collect();
        let ids: BTreeSet<String> = seen.containers.iter().map(|c| c.id.clone()).collect();
        if course.own_uploads > 0 {
            seen = self.engine.look(self.key, false).await?;
        }
        let filled = course.record.filled.clone();
        let mut own_uploads = course.own_uploads;
        loop {
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
            .with_ended_before(ended.clone());
            match drive.watching(uploads, own_uploads).run().await {
                Outcome::Reached(now) => {
                    let now_ids: BTreeSet<_> =
                        now.containers.iter().map(|c| c.id.clone()).collect();
                    let now_filled = now.record.as_ref().and_then(|record| record.filled.clone());
                    return Ok(Some(Up::Started {
                        unchanged: now_ids == ids && now_filled == filled,
                        overtaken: course.overtaken,
                        started: now_ids.difference(&before).cloned().collect(),
                        seen: *now,
                    }));
                }
                Outcome::RecordChanged => {
                    (uploads, own_uploads) = (self.watch(), 0);
                    seen = self.engine.look(self.key, false).await?;
                    let record = match seen.pause() {
                        Some(pause) => self.read(&pause.id).await?,
                        None => None,
                    };
                    match record {
                        Some(record) => self.follow(&mut course, record)?,
                        None if seen.record.is_none() || seen.deletion => {
                            return Ok(Some(Up::Deleted));
                        }
                        // Another makes the pause anew.
                        None => return Ok(None),
                    }
                }
                Outcome::RecordGone => return Ok(Some(Up::Deleted)),
                Outcome::Failed(failures) => {
                    return self.failed(course, facts, failures).await.map(Some);
                }
                Outcome::Interrupted => {
                    let taken_away = course.first && !self.options.keep;
                    if taken_away {
                        self.take_away(facts).await?;
                    }
                    return Ok(Some(Up::Interrupted { taken_away }));
                }
            }
        }
    }

    /// Another has written: its wish counts from now on.
    fn follow(self, course: &mut Course, record: Record) -> anyhow::Result<()> {
        if record.wish.generation > course.record.wish.generation
            || record.wish.writer != course.record.wish.writer
        {
            let Some(desired) = Self::recorded(&record) else {
                bail!("the record of pod `{}` does not read back", self.key)
            };
            if !is_same(&desired, &course.desired) {
                self.events.tell(Event::Overtaken {
                    generation: record.wish.generation,
                });
                course.overtaken = true;
            }
            course.old = Some(std::mem::replace(&mut course.desired, desired));
        }
        course.record = record;
        Ok(())
    }

    async fn failed(
        self,
        course: Course,
        facts: EngineFacts,
        failures: Vec<Failure>,
    ) -> anyhow::Result<Up> {
        let failures = self.explain(&course.desired, failures).await;
        let taken_away = course.first && !self.options.keep;
        let left = if taken_away {
            self.take_away(facts).await?;
            None
        } else {
            self.engine.look(self.key, false).await.ok()
        };
        let pod = &course.desired.pod;
        let wanted = pod
            .containers
            .iter()
            .map(|c| (c.name.clone(), hash::container(pod, c)))
            .collect();
        Ok(Up::Failed {
            failures,
            taken_away,
            left,
            wanted,
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
                    let holder = self.engine.publisher(port).await.ok().flatten();
                    failure.with_port(&desired.pod, port, holder.as_deref())
                }
                None => failure,
            });
        }
        explained
    }

    async fn take_away(self, facts: EngineFacts) -> anyhow::Result<()> {
        self.events.tell(Event::TakingAway);
        let seen = self.engine.look(self.key, true).await?;
        let outcome = take_away(
            self.engine,
            self.key,
            facts,
            seen,
            None,
            self.events,
            self.interrupt,
        )
        .await;
        match outcome {
            Outcome::Failed(mut failures) if !failures.is_empty() => {
                Err(anyhow::Error::new(failures.swap_remove(0)).context(format!(
                    "failed to take away what was made of pod `{}`; `podctl down` does it",
                    self.key
                )))
            }
            _ => Ok(()),
        }
    }
}

/// Whether both ask for the same, in whatever words.
fn is_same(a: &Desired, b: &Desired) -> bool {
    a.pod == b.pod && hash::config_maps(&a.config_maps) == hash::config_maps(&b.config_maps)
}

/// What the record asked for, where the volumes hold just that.
fn filled_with(recorded: Option<Desired>, record: &Record) -> Option<Desired> {
    recorded.filter(|recorded| record.filled.as_ref() == Some(&hash::payload(recorded)))
}

/// The ports that the manifest does not ask for.
fn extra(desired: &Desired) -> Vec<Publish> {
    let of_manifest = |publish: &&Publish| {
        desired
            .pod
            .containers
            .iter()
            .flat_map(|c| &c.ports)
            .any(|port| {
                port.host_port != 0
                    && port.host_port == publish.host_port
                    && port.container_port == publish.container_port
                    && port.protocol == publish.protocol
                    && port.host_ip == publish.host_ip
            })
    };
    desired
        .pod
        .publish
        .iter()
        .filter(|publish| !of_manifest(publish))
        .cloned()
        .collect()
}
