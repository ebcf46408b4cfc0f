//! The way of `down`: what is there of the pod, and then nothing.
//!
//! Not here: which pods (`commands`), the order (`reconcile::down`).

use std::collections::BTreeMap;

use anyhow::Context as _;

use super::join::recorded;
use super::memory::now;
use super::plan::Plan;
use super::pod::{Drive, Outcome};
use super::{Events, Failure, Interrupt};
use crate::engine::{Engine, EngineError};
use crate::reconcile::{Goal, Seen, SeenContainer, status};
use crate::record::{Deletion, Record};
use crate::spec::{EngineFacts, PodKey};

/// How a `down` ended.
#[derive(Debug)]
pub enum Down {
    /// Nothing is left.
    Gone,
    /// There was no such pod.
    NotFound,
    /// Something is left.
    Failed(Vec<Failure>),
    /// A person stopped it.
    Interrupted,
}

/// Takes a pod down. `grace_period` in seconds; `None`: the pod's own.
///
/// # Errors
/// When the engine cannot be asked what there is.
pub async fn down(
    engine: &Engine,
    key: &PodKey,
    grace_period: Option<u64>,
    events: &Events,
    interrupt: &Interrupt,
) -> anyhow::Result<Down> {
    let looks = async { tokio::try_join!(engine.facts(), engine.look(key, true)) };
    let Some(looked) = interrupt.or(interrupt.count(), looks).await else {
        return Ok(Down::Interrupted);
    };
    let (facts, seen) = looked.with_context(|| format!("failed to look up pod `{key}`"))?;
    if seen
        == (Seen {
            network: seen.network,
            other_pauses: seen.other_pauses,
            network_stays: seen.network_stays,
            ..Seen::default()
        })
    {
        return Ok(Down::NotFound);
    }
    Ok(
        match take_away(engine, key, facts, seen, grace_period, events, interrupt).await {
            Outcome::Failed(failures) => Down::Failed(failures),
            Outcome::Interrupted(_) => Down::Interrupted,
            _ => Down::Gone,
        },
    )
}

/// Drives to nothing what was seen.
pub(super) async fn take_away(
    engine: &Engine,
    key: &PodKey,
    facts: EngineFacts,
    seen: Seen,
    grace_period: Option<u64>,
    events: &Events,
    interrupt: &Interrupt,
) -> Outcome {
    // Before the first signal: an `up` that comes after a `down` that was killed must not take a container that is
    // about to end for one that runs.
    let mut seen = seen;
    let claimed = async {
        let graces = seen.containers.iter().map(|c| c.identity.grace_period);
        let deletion = Deletion {
            since: now(),
            grace_period: grace_period.or(graces.max()).unwrap_or_default(),
            phase: status::phase_of(&seen.containers).unwrap_or_default(),
        };
        // Together: a `down` that is killed between its wish and its first signal is heard of by nobody for a while.
        let claim = engine.create_deletion(key, &deletion);
        let ((), record) = tokio::try_join!(claim, asked(engine, key, &seen))?;
        Ok::<_, EngineError>(record)
    };
    let record = match interrupt.or(interrupt.count(), claimed).await {
        Some(Ok(record)) => record,
        Some(Err(error)) => return Outcome::Failed(vec![Failure::look(key, error)]),
        None => return Outcome::Interrupted(None),
    };
    seen.deletion = true;
    let desired = record.as_ref().and_then(recorded);
    seen.record = record.or(seen.record);
    let plan = Plan {
        key: key.clone(),
        uid: String::new(),
        generation: 0,
        desired,
        before: None,
        old: None,
        facts,
        images: BTreeMap::new(),
        pause_image: String::new(),
    };
    let drive = Drive::new(
        engine,
        Goal::Down {
            grace_period,
            since: now(),
        },
        plan,
        seen,
        events,
        interrupt,
    );
    drive.run().await
}

/// The record, where a container that runs has a hook to be run before it is stopped, or is to be asked whether it is ready until then.
async fn asked(engine: &Engine, key: &PodKey, seen: &Seen) -> Result<Option<Record>, EngineError> {
    let is_asked = |c: &SeenContainer| {
        let care = c.identity.care;
        c.is_running() && (care.pre_stop || care.readiness)
    };
    let Some(pause) = seen.pause().filter(|_| seen.members().any(is_asked)) else {
        return Ok(None);
    };
    let record = engine.whole_record(key, &pause.id).await?;
    Ok(record.and_then(Result::ok))
}
