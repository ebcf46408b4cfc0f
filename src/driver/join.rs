//! An `up` and the record of its pod: joining a pod that is there, writing a wish, hearing of another's, following it.
//!
//! Not here: driving (`pod`), what the record's files are (`record::wish`).

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::watch;

use super::Event;
use super::execute::{self, create_pause};
use super::failure::taken_port;
use super::plan::Plan;
use super::up::Run;
use crate::engine::Engine;
use crate::engine::events::Heard;
use crate::engine::look::read_record;
use crate::manifest;
use crate::reconcile::{Seen, SeenContainer, State};
use crate::record::payload::{self, Kept};
use crate::record::{Record, Wish, hash};
use crate::spec::{Desired, EngineFacts, ImageFacts, Pod, PodKey, Port, Publish};
use crate::translate::archive;
use crate::translate::env::Variables;

/// What is said of a record that [`is_stale`] for good.
pub(super) const DAMAGED: &str = "its record does not say what its containers were made from, and is damaged: `podctl up FILE` writes it anew";

/// Whose wish is driven to.
pub(super) struct Course {
    pub(super) desired: Desired,
    pub(super) record: Record,
    /// What was asked for before: running containers were made from it.
    pub(super) before: Option<Desired>,
    /// What the volumes hold now, where it is known.
    pub(super) old: Option<Desired>,
    pub(super) overtaken: bool,
    /// This run made the pod.
    pub(super) first: bool,
    pub(super) own_uploads: u32,
}

impl Course {
    /// All that carrying it out needs.
    pub(super) fn plan(
        &self,
        key: &PodKey,
        facts: &EngineFacts,
        images: &BTreeMap<String, ImageFacts>,
        pause_image: &str,
    ) -> Plan {
        Plan {
            uid: self.record.uid.clone(),
            generation: self.record.wish.generation,
            before: self.before.clone(),
            old: self.old.clone(),
            ..Plan::new(
                key,
                self.desired.clone(),
                facts,
                images.clone(),
                pause_image,
            )
        }
    }
}

/// How a run meets a pod that is there already.
pub(super) enum Joined {
    Course(Box<Course>),
    /// Somebody changed it meanwhile.
    Again,
}

impl Run<'_> {
    /// Hears of every write into the record from now on.
    pub(super) fn watch(self) -> BoxStream<'static, Heard> {
        self.engine.uploads(self.key).boxed()
    }

    /// Counts what happens to the pod's containers from now on.
    pub(super) fn changes(self) -> watch::Receiver<u64> {
        let mut changes = self.engine.changes(self.key).boxed();
        let (sender, receiver) = watch::channel(0);
        tokio::spawn(async move {
            while let Some(()) = changes.next().await {
                if sender.is_closed() {
                    return;
                }
                sender.send_modify(|n| *n += 1);
            }
        });
        receiver
    }

    /// The pod is there already: follows its record, or writes a new wish into it.
    pub(super) async fn join(
        self,
        facts: &EngineFacts,
        seen: &Seen,
        (images, pause_image): (&BTreeMap<String, ImageFacts>, &str),
        is_damaged: bool,
    ) -> anyhow::Result<Joined> {
        // The record is read and written through the pause container; a pod that has none gets one.
        let pause = match seen.pause() {
            Some(pause) => Some(pause.id.clone()),
            None => self.make_pause(facts, images, pause_image, 0).await?,
        };
        let Some(pause) = pause else {
            return Ok(Joined::Again);
        };
        let Some(mut record) = self.read(&pause).await? else {
            // What is left of a pause container that cannot be read through is replaced.
            let is_dead = |pause: &&SeenContainer| matches!(pause.state, State::Exited(_));
            if let Some(dead) = seen.pause().filter(is_dead) {
                self.make_pause(facts, images, pause_image, dead.identity.attempt + 1)
                    .await?;
            }
            return Ok(Joined::Again);
        };
        let is_other = |read: &Wish| read.place() != record.wish.place();
        let is_stale = is_stale(&record, &seen.containers);
        if (is_stale && !is_damaged) || self.based_on.is_some_and(is_other) {
            return Ok(Joined::Again);
        }
        let before = recorded(&record).filter(|_| !is_stale);
        // The wish that is written now is to count more than the one that was lost.
        let generations = seen.containers.iter().map(|c| c.identity.generation);
        let generations = generations.chain([record.wish.generation, record.told.generation]);
        record.wish.generation = generations.max().unwrap_or_default();
        let mut mine = self.mine.clone();
        if let Some(before) = &before {
            mine.pod = mine.pod.following(&before.pod);
            // What was stopped has not come to its end: all of it is made anew.
            if before.pod.stopped && !mine.pod.stopped {
                mine.pod.restarted = record.wish.generation + 1;
            }
        }
        let asks_the_same =
            |before: &Desired| is_same(before, &mine) && before.pod.attached == mine.pod.attached;
        let outdated = self.outdated(&mine, seen, images);
        let same = before.as_ref().is_some_and(asks_the_same) && outdated.is_empty();
        if same {
            let old = filled_with(before.clone(), &record);
            let desired = mine;
            return Ok(Joined::Course(Box::new(Course {
                desired,
                record,
                before,
                old,
                overtaken: false,
                first: false,
                own_uploads: 0,
            })));
        }
        self.check_ports(seen).await?;
        self.tell_pause_change(before.as_ref(), &mine);
        let generation = record.wish.generation + 1;
        let is_left = |id: &&String| seen.containers.iter().any(|c| c.id == **id);
        let before_this = record.wish.outdated.iter().filter(is_left).cloned();
        let wish = Wish {
            outdated: outdated.into_iter().chain(before_this).collect(),
            ..Wish::new(&mine, &extra(&mine), generation, &self.options.uid)
        };
        let archive = archive::wish(&wish, &mine, &record, execute::now());
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
            recorded(&now).context("the record of the pod does not read back")?
        } else {
            self.tell_kept_variables(before.as_ref(), &mine);
            mine
        };
        let old = filled_with(before.clone(), &record);
        Ok(Joined::Course(Box::new(Course {
            desired,
            record: now,
            before,
            old,
            overtaken,
            first: false,
            own_uploads: 1,
        })))
    }

    /// The containers that this run makes anew for their image. Who asks for single ones, or for an end, leaves the others as they are.
    pub(super) fn outdated(
        self,
        wanted: &Desired,
        seen: &Seen,
        images: &BTreeMap<String, ImageFacts>,
    ) -> BTreeSet<String> {
        match self.based_on {
            None => seen.outdated(&wanted.pod, images),
            Some(_) => BTreeSet::new(),
        }
    }

    /// What the record says; `None` when it, or the pause container, is gone.
    pub(super) async fn read(self, pause: &str) -> anyhow::Result<Option<Record>> {
        read(self.engine, self.key, pause).await
    }

    /// A port that somebody else's container has is found before anything of a running pod is stopped for it.
    async fn check_ports(self, seen: &Seen) -> anyhow::Result<()> {
        let pod = &self.mine.pod;
        let has = |publish: &Publish| {
            let mut ports = seen
                .containers
                .iter()
                .flat_map(|container| &container.ports);
            let protocol = publish.protocol.to_string();
            ports.any(|port| port.host_port == publish.host_port && port.protocol == protocol)
        };
        for publish in pod.publish.iter().filter(|p| p.host_port != 0 && !has(p)) {
            let checking = || format!("failed to look who publishes port {}", publish.host_port);
            let holder = self
                .engine
                .publisher(publish)
                .await
                .with_context(checking)?;
            if let Some(holder) = holder {
                let port = publish.host_port;
                let taken = taken_port(pod, port, Some(&holder));
                bail!(
                    "pod `{}` stays as it is: {taken}; free the port, or choose another than {port}",
                    self.key
                );
            }
        }
        Ok(())
    }

    fn tell_pause_change(self, recorded: Option<&Desired>, mine: &Desired) {
        let Some(recorded) = recorded else { return };
        if mine.pod.restarted > recorded.pod.restarted {
            return;
        }
        if hash::pause(&recorded.pod) != hash::pause(&mine.pod) {
            let fields = hash::pause_changes(&recorded.pod, &mine.pod);
            self.events.tell(Event::PauseChanged { fields });
        }
    }

    /// Containers that are not made anew for a ConfigMap or Secret that their variables come from (kubelet: nor are they there).
    fn tell_kept_variables(self, recorded: Option<&Desired>, mine: &Desired) {
        let same_pause = |old: &&Desired| hash::pause(&old.pod) == hash::pause(&mine.pod);
        let Some(old) = recorded.filter(same_pause) else {
            return;
        };
        for container in mine.pod.containers.iter().chain(mine.pod.sidecars()) {
            let is_kept = old.pod.container(&container.name).is_some_and(|before| {
                hash::container(&old.pod, before) == hash::container(&mine.pod, container)
            });
            let variables = |payload| Variables::of(container, payload).to_docker();
            if is_kept && variables(&old.payload) != variables(&mine.payload) {
                let container = container.name.clone();
                self.events.tell(Event::KeepsVariables { container });
            }
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
        let (mine, images) = (self.mine.clone(), images.clone());
        let plan = Plan::new(self.key, mine, facts, images, pause_image);
        let making = || format!("failed to create the pause container of pod `{}`", self.key);
        make_pause(self.engine, plan, attempt)
            .await
            .with_context(making)
    }

    /// Another has written: its wish counts from now on.
    pub(super) fn follow(self, course: &mut Course, record: Record) -> anyhow::Result<()> {
        // A record that is about to be removed may not be read to its end.
        if record.wish.place() < course.record.wish.place() {
            return Ok(());
        }
        if record.wish.place() > course.record.wish.place() {
            let Some(desired) = recorded(&record) else {
                bail!("the record of pod `{}` does not read back", self.key)
            };
            if !is_same(&desired, &course.desired) {
                self.events.tell(Event::Overtaken {
                    generation: record.wish.generation,
                });
                course.overtaken = true;
            }
            let before = Some(std::mem::replace(&mut course.desired, desired));
            course.old = filled_with(before.clone(), &record);
            course.before = before;
            // What there is is no longer what this run alone has made.
            course.first = false;
        }
        course.record = record;
        Ok(())
    }
}

/// Makes a pause container of a pod that has a record, to read that through, or finds the one that another has made; `None`: the record is
/// gone.
pub(super) async fn make_pause(
    engine: &Engine,
    mut plan: Plan,
    attempt: u32,
) -> anyhow::Result<Option<String>> {
    let Some(volume) = engine.record(&plan.key).await? else {
        return Ok(None);
    };
    let record = read_record(&volume, &BTreeMap::new())?;
    plan.uid = record.uid;
    plan.generation = record.wish.generation;
    create_pause(engine, &plan, attempt).await?;
    let seen = engine.look(&plan.key, false).await?;
    Ok(seen.pause().map(|pause| pause.id.clone()))
}

/// What the record of a pod says; `None` when it, or the pause container, is gone.
pub(super) async fn read(
    engine: &Engine,
    key: &PodKey,
    pause: &str,
) -> anyhow::Result<Option<Record>> {
    let reading = || format!("failed to read the record of pod `{key}`");
    let record = engine
        .whole_record(key, pause)
        .await
        .with_context(reading)?;
    record.transpose().with_context(reading)
}

/// Whether a later wish than the one that was read has been driven to, as containers or what was told say: of a pause container that is about to
/// be removed, the record's files may be gone already.
pub(super) fn is_stale(record: &Record, containers: &[SeenContainer]) -> bool {
    let of_pod = |c: &&SeenContainer| c.identity.uid == record.uid;
    let made_for = containers.iter().filter(of_pod);
    let mut driven_to = made_for
        .map(|c| c.identity.generation)
        .chain([record.told.generation]);
    driven_to.any(|generation| generation > record.wish.generation)
}

/// What a record asks for; `None` when its payload has not been written.
pub(super) fn recorded(record: &Record) -> Option<Desired> {
    let is_there = record.payload.is_some() || payload::is_empty(&record.wish.payload);
    is_there.then(|| asked(record)).flatten()
}

/// The same, without the payload where that has not been written.
pub(super) fn asked(record: &Record) -> Option<Desired> {
    let Kept { salt, payload } = record.payload.clone().unwrap_or_default();
    let mut desired = manifest::load_recorded(&record.wish.manifest, payload).ok()?;
    desired.pod.salt = salt;
    for publish in &record.wish.publish {
        let publish = publish.to_publish()?;
        if !desired.pod.publish.contains(&publish) {
            desired.pod.publish.push(publish);
        }
    }
    record.wish.ask(&mut desired.pod);
    Some(desired)
}

/// Whether both ask for the same, in whatever words, whoever stays with the pod.
pub(super) fn is_same(a: &Desired, b: &Desired) -> bool {
    let pod = Pod {
        attached: b.pod.attached,
        salt: b.pod.salt.clone(),
        ..a.pod.clone()
    };
    pod == b.pod && a.payload == b.payload
}

/// What the record asked for, where the volumes hold just that.
pub(super) fn filled_with(recorded: Option<Desired>, record: &Record) -> Option<Desired> {
    let filled = record.filled.as_ref()?;
    recorded.filter(|recorded| filled.payload == hash::payload(recorded))
}

/// The ports that the manifest does not ask for.
pub(super) fn extra(desired: &Desired) -> Vec<Publish> {
    let ports = desired
        .pod
        .containers
        .iter()
        .flat_map(|container| &container.ports);
    let of_manifest: Vec<Publish> = ports.filter_map(Port::published).collect();
    let mut extra = desired.pod.publish.clone();
    extra.retain(|publish| !of_manifest.contains(publish));
    extra
}
