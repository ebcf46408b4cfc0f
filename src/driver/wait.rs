//! Waits until something is so of a pod, and tells whose fault it is where it is not.
//!
//! Not here: what is so (`reconcile::wanted`), when to look again (`watch`).

use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use serde_json::Value;

use super::observe;
use super::watch::Watch;
use crate::engine::logs::Range;
use crate::engine::{Engine, EngineError};
use crate::reconcile::wanted::{Culprit, Verdict, Wanted, culprits, verdict, verdict_of};
use crate::reconcile::{SeenContainer, status};
use crate::spec::PodKey;

/// Between two looks while nothing is heard.
const LONGEST_REST: Duration = Duration::from_secs(5);
/// Lines of a log that are shown of a culprit.
const N_LINES: u64 = 5;

/// Waits; `Verdict::NotYet`: time was up. One look at the least.
///
/// # Errors
/// When the engine cannot be asked.
pub async fn wait(
    engine: &Engine,
    key: &PodKey,
    wanted: &Wanted,
    timeout: Duration,
) -> Result<Verdict, EngineError> {
    until(engine, key, timeout, async || {
        let pods = observe::pods(engine, Some(key), false).await?;
        // A pod is there while its record is.
        if pods.is_empty() && engine.record(key).await?.is_some() {
            return Ok(Verdict::NotYet);
        }
        Ok(verdict(wanted, pods.first()))
    })
    .await
}

/// The same until something holds of the whole object; `Err`: why it cannot be told.
///
/// # Errors
/// As [`wait`]; or an object that cannot be written as JSON.
pub async fn wait_for(
    engine: &Engine,
    key: &PodKey,
    holds: impl Fn(&Value) -> Result<bool, String>,
    timeout: Duration,
) -> anyhow::Result<Verdict> {
    until(engine, key, timeout, async || {
        let containers = engine.containers(Some(key)).await?;
        let pods = observe::of(engine, &containers, true).await?;
        let objects = observe::whole(engine, &containers, &pods).await?;
        Ok(match (pods.first(), objects.first()) {
            (Some(pod), Some(object)) => verdict_of(holds(object), pod),
            _ if engine.record(key).await?.is_some() => Verdict::NotYet,
            _ => verdict(&Wanted::ready(), None),
        })
    })
    .await
}

async fn until<E>(
    engine: &Engine,
    key: &PodKey,
    timeout: Duration,
    look: impl AsyncFn() -> Result<Verdict, E>,
) -> Result<Verdict, E> {
    let end = Instant::now() + timeout;
    let mut watch = Watch::begin(engine, Some(key), LONGEST_REST);
    loop {
        let verdict = look().await?;
        let left = end.saturating_duration_since(Instant::now());
        if verdict != Verdict::NotYet || left.is_zero() {
            return Ok(verdict);
        }
        tokio::select! {
            _ = watch.next() => {}
            () = tokio::time::sleep(left) => {}
        }
    }
}

/// Why a pod is not as it should be.
#[derive(Debug)]
pub enum Blame {
    /// Somebody has stopped it; how its containers have ended says nothing then.
    Stopped,
    /// These containers, each with the last lines of its log.
    Containers(Vec<(Culprit, Vec<String>)>),
}

/// Whose fault it is.
///
/// # Errors
/// When the engine cannot be asked.
pub async fn blame(engine: &Engine, key: &PodKey) -> Result<Blame, EngineError> {
    let containers = engine.containers(Some(key)).await?;
    let pods = observe::of(engine, &containers, true).await?;
    if pods.iter().any(status::is_stopped) {
        return Ok(Blame::Stopped);
    }
    let told = observe::told(engine, &containers, key).await?;
    let mut blamed = Vec::new();
    for culprit in pods.iter().flat_map(|pod| culprits(pod, &told)) {
        let lines = last_lines(engine, &containers, &culprit.container).await?;
        blamed.push((culprit, lines));
    }
    Ok(Blame::Containers(blamed))
}

/// Of the last container of this name that has said something.
async fn last_lines(
    engine: &Engine,
    containers: &[SeenContainer],
    name: &str,
) -> Result<Vec<String>, EngineError> {
    let named = containers.iter().filter(|c| c.identity.container == name);
    let mut named: Vec<_> = named.collect();
    named.sort_by_key(|c| std::cmp::Reverse(c.identity.attempt));
    for container in named {
        let range = Range {
            follow: false,
            tail: Some(N_LINES),
            since: None,
        };
        let lines: Vec<_> = engine.logs(&container.id, range).try_collect().await?;
        if !lines.is_empty() {
            let text = lines
                .iter()
                .map(|line| String::from_utf8_lossy(&line.bytes));
            return Ok(text.map(|text| text.trim_end().to_owned()).collect());
        }
    }
    Ok(Vec::new())
}
