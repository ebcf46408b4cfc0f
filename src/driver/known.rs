//! What earlier `up`s have left in the records of the pods that are there: manifests, and the ConfigMaps and Secrets that came with them.
//!
//! Not here: what a manifest refers to (`manifest::references`).

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::Value;

use crate::engine::{Engine, EngineError};
use crate::manifest::Known;
use crate::reconcile::SeenContainer;
use crate::reconcile::seen::pauses_of;
use crate::record::Record;
use crate::spec::PodKey;

/// The ConfigMaps and Secrets. Where two pods were given other ones of one name, those of the later pod count.
///
/// # Errors
/// When the engine does not answer.
pub async fn payloads(engine: &Engine) -> Result<Known, EngineError> {
    let pauses = engine.pauses().await?;
    let records = records(engine, &pauses).await.into_iter();
    let of_pod = |(pod, record): (PodKey, Record)| {
        let all = record.payload.unwrap_or_default().payload.into_iter();
        all.map(move |(of, data)| ((pod.namespace.clone(), of), data))
    };
    Ok(records.flat_map(of_pod).collect())
}

/// The manifests of the pods that these containers are. Two calls for each.
pub async fn manifests(engine: &Engine, containers: &[SeenContainer]) -> BTreeMap<PodKey, Value> {
    let records = records(engine, containers).await.into_iter();
    records
        .map(|(pod, record)| (pod, record.wish.manifest))
        .collect()
}

/// The records of the pods with these pause containers, those of older pods first; a record that does not read is left out.
async fn records(engine: &Engine, containers: &[SeenContainer]) -> Vec<(PodKey, Record)> {
    let mut pauses: Vec<_> = pauses_of(containers).collect();
    pauses.sort_by_key(|pause| pause.created);
    let read = async |pause: &SeenContainer| {
        let pod = pause.pod();
        let record = engine.whole_record(pod, &pause.id).await.ok()??;
        Some((pod.clone(), record.ok()?))
    };
    let all = join_all(pauses.into_iter().map(read)).await;
    all.into_iter().flatten().collect()
}

/// The pods that there are, or of which something is left. Three calls.
///
/// # Errors
/// When the engine cannot be asked.
pub async fn pods(engine: &Engine) -> Result<Vec<PodKey>, EngineError> {
    let (records, deletions, containers) = tokio::try_join!(
        engine.records(),
        engine.deletions(),
        engine.containers(None)
    )?;
    let mut keys: Vec<PodKey> = records.into_iter().map(|(pod, _)| pod).collect();
    keys.extend(deletions.into_keys());
    keys.extend(containers.iter().map(|c| c.pod().clone()));
    keys.sort();
    keys.dedup();
    Ok(keys)
}
