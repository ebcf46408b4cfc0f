//! The way of `down`: what is there of the pod, and then nothing.
//!
//! Not here: which pods (`commands`), the order (`reconcile::down`).

use std::collections::BTreeMap;

use anyhow::Context as _;

use super::execute::Plan;
use super::pod::{Drive, Outcome};
use super::{Events, Failure, Interrupt};
use crate::engine::Engine;
use crate::reconcile::{Goal, Seen, State};
use crate::record::Deletion;
use crate::spec::{EngineFacts, PodKey};
use crate::translate::archive;

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
    let (facts, seen) = tokio::try_join!(engine.facts(), engine.look(key, true))
        .with_context(|| format!("failed to look up pod `{key}`"))?;
    if seen.containers.is_empty() && seen.record.is_none() && seen.volumes.is_empty() {
        return Ok(Down::NotFound);
    }
    Ok(
        match take_away(engine, key, facts, seen, grace_period, events, interrupt).await {
            Outcome::Failed(failures) => Down::Failed(failures),
            Outcome::Interrupted => Down::Interrupted,
            _ => Down::Gone,
        },
    )
}

/// Drives to nothing what was seen. The wish goes into the record meanwhile, so that an `up` that is at work on the pod is
/// told.
pub(super) async fn take_away(
    engine: &Engine,
    key: &PodKey,
    facts: EngineFacts,
    seen: Seen,
    grace_period: Option<u64>,
    events: &Events,
    interrupt: &Interrupt,
) -> Outcome {
    let wish = write_wish(engine.clone(), running_pause(&seen), grace_period);
    let plan = Plan {
        key: key.clone(),
        uid: String::new(),
        generation: 0,
        desired: None,
        old: None,
        facts,
        images: BTreeMap::new(),
        pause_image: String::new(),
    };
    let drive = Drive::new(
        engine,
        Goal::Down { grace_period },
        plan,
        seen,
        events,
        interrupt,
    );
    let (outcome, ()) = tokio::join!(drive.run(), wish);
    outcome
}

/// The running pause container, and the pod's grace period.
fn running_pause(seen: &Seen) -> Option<(String, u64)> {
    let pause = seen.pause().filter(|pause| pause.state == State::Running)?;
    Some((pause.id.clone(), pause.identity.grace_period))
}

async fn write_wish(engine: Engine, pause: Option<(String, u64)>, grace_period: Option<u64>) {
    let Some((pause, of_pod)) = pause else { return };
    let deletion = Deletion {
        grace_period: grace_period.unwrap_or(of_pod),
    };
    // A pause that goes meanwhile takes the wish with it, fulfilled.
    let _ = engine
        .upload(&pause, archive::deletion(&deletion, super::execute::now()))
        .await;
}
