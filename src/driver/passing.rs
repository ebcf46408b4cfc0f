//! Signals that are passed on to the containers of a pod.
//!
//! Not here: which signals (`commands::signals`), the way down (`down`).

use std::time::Duration;

use futures_util::future::try_join_all;

use super::Interrupt;
use crate::engine::{Engine, EngineError};
use crate::spec::{Pod, PodKey};

/// Containers that a signal was passed on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Their names.
    pub containers: Vec<String>,
    /// All of them have ended since.
    pub ended: bool,
}

/// Sends a signal to all app containers that run, and gives their ids and names.
///
/// # Errors
/// When the engine refuses.
pub async fn pass_on(
    engine: &Engine,
    key: &PodKey,
    signal: &str,
) -> Result<Vec<(String, String)>, EngineError> {
    let seen = engine.look(key, false).await?;
    let apps = seen
        .members()
        .filter(|c| c.is_running() && !c.identity.is_sidecar());
    let apps: Vec<_> = apps
        .map(|c| (c.id.clone(), c.identity.container.clone()))
        .collect();
    try_join_all(apps.iter().map(|(id, _)| engine.kill(id, signal))).await?;
    Ok(apps)
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
) -> Result<Passed, EngineError> {
    let apps = pass_on(engine, &pod.key, signal).await?;
    let ends = try_join_all(apps.iter().map(|(id, _)| engine.wait(id)));
    let ends = tokio::time::timeout(Duration::from_secs(pod.grace_period), ends);
    let ended = match interrupt.or(interrupt.count(), ends).await {
        Some(Ok(ends)) => ends.map(|_| true)?,
        Some(Err(_)) | None => false,
    };
    let containers = apps.into_iter().map(|(_, name)| name).collect();
    Ok(Passed { containers, ended })
}
