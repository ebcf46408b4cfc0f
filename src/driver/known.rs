//! What earlier `up`s have left on the engine that a manifest may refer to: the ConfigMaps of the pods that are there.
//!
//! Not here: what a manifest refers to (`manifest::references`).

use std::collections::BTreeMap;

use futures_util::future::join_all;

use crate::engine::look::read_record;
use crate::engine::{Engine, EngineError};
use crate::reconcile::SeenContainer;
use crate::spec::{ConfigMap, PodKey};

/// All of them, by namespace and name. Where two pods were given other ones of one name, those of the later pod count.
///
/// # Errors
/// When the engine does not answer.
pub async fn config_maps(engine: &Engine) -> Result<BTreeMap<PodKey, ConfigMap>, EngineError> {
    let mut pauses = engine.pauses().await?;
    pauses.sort_by_key(|pause| pause.created);
    let of_pods = join_all(pauses.iter().map(|pause| of_pod(engine, pause))).await;
    Ok(of_pods.into_iter().flatten().collect())
}

/// Those of one pod; none where its record does not read.
async fn of_pod(engine: &Engine, pause: &SeenContainer) -> Vec<(PodKey, ConfigMap)> {
    let pod = pause.pod();
    let read = tokio::try_join!(engine.record(pod), engine.record_files(&pause.id));
    let Ok((Some(volume), Some(files))) = read else {
        return Vec::new();
    };
    let record = read_record(&volume, &files).ok();
    let config_maps = record.and_then(|record| record.config_maps);
    let key = |name| PodKey::new(pod.namespace.clone(), name);
    let all = config_maps.unwrap_or_default().into_iter();
    all.map(|(name, map)| (key(name), map)).collect()
}
