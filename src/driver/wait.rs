//! Waits until something is so of a pod, and tells whose fault it is where it is not.
//!
//! The engine's events of the pod say when to look again; who drives the pod writes what it knows into the record, which is an event too.
//! A look comes every few seconds all the same.
//!
//! Not here: what is so (`reconcile::wanted`).

use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt};

use super::observe;
use crate::engine::logs::Range;
use crate::engine::{Engine, EngineError};
use crate::reconcile::SeenContainer;
use crate::reconcile::wanted::{Culprit, Verdict, Wanted, culprits, verdict};
use crate::record::Told;
use crate::spec::PodKey;

/// An engine tells of an end before its list call does: so long after an event it is looked again.
const AFTER_AN_EVENT: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(300),
    Duration::from_secs(1),
];
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
    let end = Instant::now() + timeout;
    let mut events =
        futures_util::stream::select(engine.changes(key).boxed(), engine.uploads(key).boxed());
    let mut n_looks = 0;
    loop {
        let verdict = look(engine, key, wanted).await?;
        let left = end.saturating_duration_since(Instant::now());
        if verdict != Verdict::NotYet || left.is_zero() {
            return Ok(verdict);
        }
        let rest = AFTER_AN_EVENT.get(n_looks).copied().unwrap_or(LONGEST_REST);
        n_looks += 1;
        tokio::select! {
            Some(()) = events.next() => n_looks = 0,
            () = tokio::time::sleep(rest.min(left)) => {}
        }
    }
}

async fn look(engine: &Engine, key: &PodKey, wanted: &Wanted) -> Result<Verdict, EngineError> {
    let pods = observe::pods(engine, Some(key), false).await?;
    let verdict = verdict(wanted, pods.first());
    // A pod is there while its record is.
    if pods.is_empty() && engine.record(key).await?.is_some() {
        return Ok(Verdict::NotYet);
    }
    Ok(verdict)
}

/// Whose fault it is, each with the last lines of its log.
///
/// # Errors
/// When the engine cannot be asked.
pub async fn blame(
    engine: &Engine,
    key: &PodKey,
) -> Result<Vec<(Culprit, Vec<String>)>, EngineError> {
    let containers = engine.containers(Some(key)).await?;
    let pods = observe::of(engine, &containers, true).await?;
    let mut pauses = containers.iter().filter(|c| c.identity.is_pause());
    let told = match pauses.find(|c| c.is_running()) {
        Some(pause) => observe::told(engine, key, &pause.id).await?,
        None => Told::default(),
    };
    let mut blamed = Vec::new();
    for culprit in pods.iter().flat_map(|pod| culprits(pod, &told)) {
        let lines = last_lines(engine, &containers, &culprit.container).await?;
        blamed.push((culprit, lines));
    }
    Ok(blamed)
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
