//! Pods with their status, of all that the engine tells: what runs, what who drives the pods has told, and, where it is wanted, when
//! each container ran; and as whole objects.
//!
//! Not here: the status itself (`reconcile::status`).

use std::collections::{BTreeMap, BTreeSet};

use bollard::models::Volume;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1;
use serde_json::Value;

use super::join::{DAMAGED, asked, is_stale, recorded};
use super::known;
use super::termination;
use crate::engine::look::{made_at, read_record};
use crate::engine::{Engine, EngineError};
use crate::reconcile::member::KILLED;
use crate::reconcile::seen::{Details, pause_of};
use crate::reconcile::{SeenContainer, State, status};
use crate::record::labels::PAUSE_CONTAINER;
use crate::record::told::Happening;
use crate::record::{Identity, Record, Told};
use crate::spec::PodKey;

/// Calls at once.
const MOST_CALLS: usize = 8;

/// The pods of an engine, or one. What is told costs a call for each pod that has probes or hooks, or does not run, or not all of whose containers
/// have been started, what is detailed one for each container; without both it is two calls, made together.
///
/// # Errors
/// When the engine cannot be asked.
pub async fn pods(
    engine: &Engine,
    key: Option<&PodKey>,
    detailed: bool,
) -> Result<Vec<v1::Pod>, EngineError> {
    let containers = engine.containers(key).await?;
    of(engine, &containers, detailed).await
}

/// The pods that these containers are.
///
/// # Errors
/// As [`pods`].
pub async fn of(
    engine: &Engine,
    containers: &[SeenContainer],
    detailed: bool,
) -> Result<Vec<v1::Pod>, EngineError> {
    let asked = |c: &&SeenContainer| {
        let care = c.identity.care;
        let has_stopped = c.identity.is_pause() && matches!(c.state, State::Exited(_));
        let is_told = care.startup || care.readiness || care.post_start || care.deadline;
        // Why it waits is told, where it is not its turn alone.
        let waits = status::lacks_any(containers, c);
        detailed || is_told || has_stopped || waits
    };
    let told = all_told(engine, containers, containers.iter().filter(asked));
    // Whether for its memory the engine tells apart.
    let wants_details = |c: &&SeenContainer| detailed || c.state == State::Exited(KILLED);
    let details = details(engine, containers.iter().filter(wants_details), containers);
    let (told, details, deletions) = tokio::try_join!(told, details, engine.deletions())?;
    let mut pods = status::pods(containers, &details, &told);
    for pod in &mut pods {
        if let Some(deletion) = deletions.get(&status::key(pod)) {
            status::mark(pod, deletion);
        }
    }
    Ok(pods)
}

/// Of the pods that are meant those that have a record and none of these containers, as whole objects: an `up` may be pulling their images,
/// or somebody has removed all. What they ask for is the first wish of their record; later ones are in the pause container. One call, and one where there are any.
///
/// # Errors
/// As [`pods`].
pub async fn without_containers(
    engine: &Engine,
    containers: &[SeenContainer],
    is_meant: impl Fn(&PodKey) -> bool,
) -> Result<Vec<v1::Pod>, EngineError> {
    let mut records = engine.records().await?;
    let has_any = |key: &PodKey| containers.iter().any(|c| c.pod() == key);
    records.retain(|(key, _)| is_meant(key) && !has_any(key));
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let deletions = engine.deletions().await?;
    let pod = |(key, volume): (PodKey, Volume)| {
        let record = read_record(&volume, &BTreeMap::new()).ok()?;
        let (uid, generation) = (&record.uid, record.wish.generation);
        let identity = Identity::of(&asked(&record)?.pod, uid, generation, PAUSE_CONTAINER);
        let began = i64::try_from(made_at(&volume)? / 1000).ok()?;
        let seen = status::without_containers(&identity, began);
        let whole = as_asked_for(record.wish.manifest, &seen).ok()?;
        let mut pod = serde_json::from_value(whole).ok()?;
        if let Some(deletion) = deletions.get(&key) {
            status::mark(&mut pod, deletion);
        }
        Some(pod)
    };
    Ok(records.into_iter().filter_map(pod).collect())
}

/// What only a look at each tells of some of these containers, by id.
async fn details<'a>(
    engine: &Engine,
    some: impl Iterator<Item = &'a SeenContainer>,
    containers: &[SeenContainer],
) -> Result<BTreeMap<String, Details>, EngineError> {
    let members = some.filter(|c| !c.identity.is_pause());
    let of_container = async |c: &SeenContainer| {
        let mut details = engine.details(&c.id).await?;
        let pause = pause_of(containers, c.pod());
        if let (Some(details), Some(pause)) = (&mut details, pause) {
            details.message = termination::message(engine, &pause.id, c).await?;
        }
        Ok::<_, EngineError>((c.id.clone(), details))
    };
    let details = stream::iter(members.map(of_container))
        .buffer_unordered(MOST_CALLS)
        .try_collect::<Vec<_>>()
        .await?;
    let details = details.into_iter();
    Ok(details
        .filter_map(|(id, details)| Some((id, details?)))
        .collect())
}

/// All that is known of a pod.
#[derive(Debug)]
pub struct Described {
    /// With what was asked for, and its status.
    pub pod: v1::Pod,
    /// What who drives it has told.
    pub told: Told,
    /// What has happened, the oldest first.
    pub events: Vec<v1::Event>,
    /// Of its containers, by name.
    pub begun: BTreeMap<String, Begun>,
}

/// When a container came to be, in the engine's milliseconds since 1970; a status has whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Begun {
    /// It was made.
    pub created: u64,
    /// It was started.
    pub started: Option<u64>,
}

/// All that is known of the pods that these containers are. Four calls for each pod, and one for each container.
///
/// # Errors
/// As [`pods`]; or where a pod cannot be read as one.
pub async fn described(
    engine: &Engine,
    containers: &[SeenContainer],
) -> anyhow::Result<Vec<Described>> {
    let details = details(engine, containers.iter(), containers);
    let told = all_told(engine, containers, containers.iter());
    let (details, mut told) = tokio::try_join!(details, told)?;
    let pods = status::pods(containers, &details, &told);
    let whole = whole(engine, containers, &pods).await?.into_iter();
    let begun = |key: &PodKey| {
        let of_pod = containers.iter().filter(|c| c.pod() == key);
        let begun = |c: &SeenContainer| {
            let details = details.get(&c.id)?;
            let begun = Begun {
                created: details.created?,
                started: details.started,
            };
            Some((c.identity.attempt, c.identity.container.clone(), begun))
        };
        // Of several of one name, the last counts.
        let mut all: Vec<_> = of_pod.filter_map(begun).collect();
        all.sort();
        all.into_iter()
            .map(|(_, name, begun)| (name, begun))
            .collect()
    };
    let one = |pod: Value| {
        let pod: v1::Pod = serde_json::from_value(pod)?;
        let key = status::key(&pod);
        let told = told.remove(&key).unwrap_or_default();
        Ok(Described {
            events: status::events(&pod, &told),
            begun: begun(&key),
            told,
            pod,
        })
    };
    whole.map(one).collect()
}

/// The same of a pod that has a record and no container; `None`: there is none.
///
/// # Errors
/// As [`pods`].
pub async fn described_without_containers(
    engine: &Engine,
    key: &PodKey,
) -> Result<Option<Described>, EngineError> {
    let pods = without_containers(engine, &[], |other| other == key).await?;
    Ok(pods.into_iter().next().map(|pod| Described {
        pod,
        told: Told::default(),
        events: Vec::new(),
        begun: BTreeMap::new(),
    }))
}

/// What has happened to the pods that these containers are. Two calls for each pod, and one for each container.
///
/// # Errors
/// As [`pods`].
pub async fn events(
    engine: &Engine,
    containers: &[SeenContainer],
) -> Result<Vec<v1::Event>, EngineError> {
    let pods = of(engine, containers, true);
    let told = all_told(engine, containers, containers.iter());
    let (pods, told) = tokio::try_join!(pods, told)?;
    let nothing = Told::default();
    let events = pods.iter().flat_map(|pod| {
        let told = told.get(&status::key(pod)).unwrap_or(&nothing);
        status::events(pod, told)
    });
    Ok(events.collect())
}

/// What who drives them has told, of the pods of some of these containers.
async fn all_told<'a>(
    engine: &Engine,
    containers: &[SeenContainer],
    some: impl Iterator<Item = &'a SeenContainer>,
) -> Result<BTreeMap<PodKey, Told>, EngineError> {
    let keys: BTreeSet<&PodKey> = some.map(SeenContainer::pod).collect();
    let of_pod = async |key: &PodKey| {
        let told = told(engine, containers, key).await?;
        Ok::<_, EngineError>((key.clone(), told))
    };
    stream::iter(keys.into_iter().map(of_pod))
        .buffer_unordered(MOST_CALLS)
        .try_collect()
        .await
}

/// What a record tells; and that it is damaged, where it is: who keeps the pod cannot write that into it.
fn heard(record: Record, containers: &[SeenContainer]) -> Told {
    let of_pod = || containers.iter().filter(|c| c.identity.uid == record.uid);
    // Before the first start it may not have been written to its end.
    let has_begun = of_pod().any(|c| !c.identity.is_pause() && c.state != State::Created);
    let is_damaged = is_stale(&record, containers) || (has_begun && recorded(&record).is_none());
    // A time that stays: two looks tell of one thing.
    let newest = of_pod().map(|c| c.created).max().unwrap_or_default();
    let mut told = record.told;
    if is_damaged {
        let time = u64::try_from(newest).unwrap_or_default() * 1000;
        told.happened(Happening {
            time,
            first: time,
            count: 1,
            warning: true,
            reason: "FailedSync".to_owned(),
            container: String::new(),
            message: DAMAGED.to_owned(),
        });
    }
    told
}

/// Pods as whole objects: what was asked for, as the records have it, and what there is of it. `containers` are those that the pods
/// were made of. Two calls for each pod.
///
/// # Errors
/// Where a pod cannot be written as JSON.
pub async fn whole(
    engine: &Engine,
    containers: &[SeenContainer],
    pods: &[v1::Pod],
) -> serde_json::Result<Vec<Value>> {
    let mut manifests = known::manifests(engine, containers).await;
    let whole = |pod: &v1::Pod| match manifests.remove(&status::key(pod)) {
        Some(manifest) => as_asked_for(manifest, pod),
        None => serde_json::to_value(pod),
    };
    pods.iter().map(whole).collect()
}

/// What was asked for, with what there is of it.
fn as_asked_for(mut manifest: Value, pod: &v1::Pod) -> serde_json::Result<Value> {
    let seen = serde_json::to_value(pod)?;
    for (field, value) in seen["metadata"].as_object().into_iter().flatten() {
        manifest["metadata"][field] = value.clone();
    }
    manifest["status"] = seen["status"].clone();
    if let Ok(spec) = serde_json::from_value(manifest["spec"].clone()) {
        manifest["status"]["qosClass"] = status::qos_class(&spec).into();
    }
    Ok(manifest)
}

/// What who drives a pod has told; nothing where nobody has, or nobody can read it. Two calls.
///
/// # Errors
/// As [`pods`].
pub async fn told(
    engine: &Engine,
    containers: &[SeenContainer],
    key: &PodKey,
) -> Result<Told, EngineError> {
    let pause = pause_of(containers, key).filter(|c| c.state != State::Removing);
    let record = match pause {
        Some(pause) => engine.whole_record(key, &pause.id).await?,
        None => None,
    };
    let record = record.and_then(Result::ok);
    Ok(record.map_or_else(Told::default, |record| heard(record, containers)))
}
