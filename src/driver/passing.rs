//! Signals that are passed on to the containers of a pod.
//!
//! Not here: which signals (`commands::signals`), the way down (`down`).

use std::time::Duration;

use futures_util::future::try_join_all;

use super::Interrupt;
use crate::engine::{Engine, EngineError};
use crate::spec::{Pod, PodKey};

/// Sends a signal to all app containers that run, and gives their ids.
///
/// # Errors
/// When the engine refuses.
pub async fn pass_on(
    engine: &Engine,
    key: &PodKey,
    signal: &str,
) -> Result<Vec<String>, EngineError> {
    let seen = engine.look(key, false).await?;
    let apps = seen
        .members()
        .filter(|c| c.is_running() && !c.identity.is_sidecar());
    let ids: Vec<String> = apps.map(|c| c.id.clone()).collect();
    try_join_all(ids.iter().map(|id| engine.kill(id, signal))).await?;
    Ok(ids)
}

/// The same with a signal that asks to end: waits until they have, or their grace period is over, or it is asked once more.
///
/// # Errors
/// When the engine refuses, or the connection breaks.
pub async fn end(
    engine: &Engine,
    pod: &Pod,
    signal: &str,
    interrupt: &Interrupt,
) -> Result<(), EngineError> {
    let ids = pass_on(engine, &pod.key, signal).await?;
    let ends = try_join_all(ids.iter().map(|id| engine.wait(id)));
    let ends = tokio::time::timeout(Duration::from_secs(pod.grace_period), ends);
    match interrupt.or(interrupt.count(), ends).await {
        Some(Ok(ends)) => ends.map(drop),
        Some(Err(_)) | None => Ok(()),
    }
}
