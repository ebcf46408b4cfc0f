//! What `up` would do, without doing it: the same decisions, on what is there, with effects that are only imagined.
//!
//! Not here: printing.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;

use super::effect::{Effect, apply};
use super::execute::filled;
use super::images::{self, Pull};
use super::join::{is_same, recorded};
use crate::engine::{Engine, look::read_record};
use crate::reconcile::{Action, Input, SeenContainer, State, decide};
use crate::record::{Identity, Record, Told, Wish, hash, labels};
use crate::spec::{Desired, ImageFacts};

/// More steps than any pod takes.
const MOST_STEPS: usize = 1000;

/// The actions, a line each; none when the pod is up to date.
///
/// # Errors
/// When the engine cannot be asked.
pub async fn plan(engine: &Engine, desired: &Desired, pull: Pull) -> anyhow::Result<Vec<String>> {
    let key = &desired.pod.key;
    let looking_up = || format!("failed to look up pod `{key}`");
    let references = images::references(&desired.pod);
    let (mut seen, found, volume) = tokio::try_join!(
        engine.look(key, false),
        images::find(engine, &references),
        engine.record(key)
    )
    .with_context(looking_up)?;
    let mut lines: Vec<String> = found
        .iter()
        .filter(|(reference, facts)| {
            images::is_pulled(&desired.pod, reference, facts.as_ref(), pull)
        })
        .map(|(reference, _)| format!("pull {reference}"))
        .collect();
    if let (Some(pause), Some(volume)) = (seen.pause(), volume) {
        let files = engine
            .record_files(&pause.id)
            .await
            .with_context(looking_up)?;
        seen.record = read_record(&volume, &files.unwrap_or_default()).ok();
    }
    // What somebody asked to be started anew has been.
    let mut desired = desired.clone();
    if let Some(before) = seen.record.as_ref().and_then(recorded) {
        desired.pod = desired.pod.following(&before.pod);
        // What is written for another wish begins anew.
        if let Some(record) = seen.record.as_mut().filter(|_| !is_same(&before, &desired)) {
            record.told.end = None;
        }
    }
    let desired = &desired;
    if seen.record.is_none() {
        lines.push("create record: missing".to_owned());
        seen.record = Some(imagined_record(desired));
    }
    let images: BTreeMap<String, ImageFacts> = found
        .into_iter()
        // What is missing is pulled before anything is made.
        .map(|(reference, facts)| (reference, facts.unwrap_or_default()))
        .collect();
    let exited = |c: &&SeenContainer| matches!(c.state, State::Exited(_));
    let ended_before: BTreeSet<String> = seen
        .containers
        .iter()
        .filter(exited)
        .map(|c| c.id.clone())
        .collect();
    let outdated = seen.outdated(&desired.pod, &images);
    if let Some(record) = seen.record.as_mut().filter(|_| !outdated.is_empty()) {
        record.told.end = None;
        record.wish.outdated = outdated;
    }
    for step in 0..MOST_STEPS {
        let decision = decide(&Input {
            ended_before: &ended_before,
            ..Input::of_look(desired, &images, &seen)
        });
        if decision.reached || decision.actions.is_empty() {
            break;
        }
        for action in decision.actions {
            lines.push(action.to_string());
            let uid = seen.record.as_ref().map(|record| record.uid.clone());
            let uid = uid.unwrap_or_default();
            apply(&mut seen, imagined(desired, &images, &uid, &action, step));
        }
    }
    Ok(lines)
}

fn imagined_record(desired: &Desired) -> Record {
    Record {
        uid: String::new(),
        wish: Wish::new(desired, &[], 1, ""),
        filled: None,
        payload: None,
        superseded: Vec::new(),
        told: Told::default(),
    }
}

/// What the action would change, if it went well.
fn imagined(
    desired: &Desired,
    images: &BTreeMap<String, ImageFacts>,
    uid: &str,
    action: &Action,
    step: usize,
) -> Effect {
    let pod = &desired.pod;
    let made = |name: &str, attempt, hash, image, joined| {
        let identity = Identity {
            hash,
            attempt,
            ..Identity::of(pod, uid, 1, name)
        };
        let id = format!("{name} of step {step}");
        Effect::Made(Box::new(SeenContainer {
            id,
            joined,
            ..super::execute::made(identity, image)
        }))
    };
    match action {
        Action::CreateNetwork => Effect::Network(true),
        Action::RemoveNetwork => Effect::Network(false),
        Action::CreatePause { attempt, .. } => made(
            labels::PAUSE_CONTAINER,
            *attempt,
            hash::pause(pod),
            "",
            None,
        ),
        Action::Create {
            container,
            attempt,
            pause,
            ..
        } => {
            let spec = pod.container(container);
            let hash = spec
                .map(|spec| hash::container(pod, spec))
                .unwrap_or_default();
            let image = spec
                .and_then(|spec| images.get(&spec.image))
                .map(|image| image.id.as_str());
            made(
                container,
                *attempt,
                hash,
                image.unwrap_or_default(),
                Some(pause.clone()),
            )
        }
        Action::Fill { pause } | Action::Refill { pause } => Effect::Filled(filled(desired, pause)),
        Action::Connect(target) => Effect::Connected(target.id.clone()),
        Action::Start(target) => Effect::Running(target.id.clone()),
        Action::Pull { .. } | Action::PostStart(_) | Action::Probe { .. } => Effect::Raced,
        Action::Await(target) | Action::Stop { target, .. } => {
            Effect::Ended(target.id.clone(), Some(0))
        }
        Action::Remove { target, .. } => Effect::Removed(target.id.clone()),
        Action::RemoveVolume { name } => Effect::VolumeRemoved(name.clone()),
        Action::RemoveRecord => Effect::RecordRemoved,
        Action::RemoveDeletion => Effect::DeletionRemoved,
    }
}
