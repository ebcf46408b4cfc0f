//! Carries out one action, and says what it changed. One match, no policy.
//!
//! Not here: what follows from a failure (`pod`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bollard::models::ContainerCreateBody;

use super::effect::Effect;
use super::images;
use super::plan::Plan;
use crate::engine::act::Created;
use crate::engine::{Engine, EngineError};
use crate::probe::{self, Prober};
use crate::reconcile::action::{Target, Why};
use crate::reconcile::down::left;
use crate::reconcile::seen::pause_of;
use crate::reconcile::{Action, SeenContainer, State};
use crate::record::{Filled, Identity, hash, names};
use crate::spec::volume::{HostPath, VolumeSource};
use crate::spec::{Container, Desired};
use crate::translate::app::Place;
use crate::translate::{self, archive};

/// What probes and hooks need besides the plan.
#[derive(Clone)]
pub struct Care {
    /// Asks.
    pub prober: Arc<Prober>,
    /// The pod's address.
    pub ip: Option<String>,
    /// The command of this probe that did not end in time.
    pub hanging: Option<String>,
    /// The file of a termination message is not among what the volumes are filled with.
    pub writes_message: bool,
}

impl Care {
    /// The same, with the pod's address: a pause container that was started just now has not been looked at.
    async fn with_address(mut self, engine: &Engine, plan: &Plan) -> Result<Self, EngineError> {
        if self.ip.is_none() {
            let containers = engine.containers(Some(&plan.key)).await?;
            self.ip = pause_of(&containers, &plan.key).and_then(|pause| pause.ip.clone());
        }
        Ok(self)
    }

    fn target<'a>(&'a self, target: &'a Target) -> probe::Target<'a> {
        probe::Target {
            container: &target.id,
            ip: self.ip.as_deref(),
        }
    }
}

/// Does it.
///
/// # Errors
/// As the engine says.
pub async fn execute(
    engine: &Engine,
    plan: &Arc<Plan>,
    action: &Action,
    care: Care,
) -> Result<Effect, EngineError> {
    match action {
        Action::CreateNetwork => {
            let request = translate::network::network(&plan.facts);
            Ok(if engine.create_network(request).await? {
                Effect::Network(true)
            } else {
                Effect::NetworkFound
            })
        }
        Action::RemoveNetwork => Ok(Effect::of_removed_network(engine.remove_network().await?)),
        Action::CreatePause { attempt, .. } => create_pause(engine, plan, *attempt).await,
        Action::Pull { container } => pull(engine, plan, container).await,
        Action::Create {
            container,
            attempt,
            pause,
            round,
            restart,
            ..
        } => {
            let place = Place {
                uid: &plan.uid,
                generation: plan.generation,
                attempt: *attempt,
                pause,
                round: *round,
                restart: *restart,
            };
            if care.writes_message {
                write_message(engine, container, place).await?;
            }
            create_member(engine, plan, container, place).await
        }
        Action::Fill { pause } => fill(engine, plan, pause).await,
        Action::Refill { pause } => refill(engine, plan, pause).await,
        Action::Start(target) => {
            check_host_paths(engine, plan, target).await?;
            engine.start(&target.id).await?;
            Ok(Effect::Running(target.id.clone()))
        }
        Action::Connect(target) => {
            let alias = names::alias(&plan.key);
            engine.connect_network(&target.id, alias).await?;
            Ok(Effect::Connected(target.id.clone()))
        }
        Action::Await(target) => {
            let code = engine.wait(&target.id).await?;
            Ok(Effect::Ended(target.id.clone(), code))
        }
        Action::PostStart(target) => {
            let care = care.with_address(engine, plan).await?;
            Ok(Effect::Hooked(post_start(plan, target, &care).await))
        }
        Action::Probe { target, kind } => {
            let care = care.with_address(engine, plan).await?;
            let container = container(plan, target);
            let Some(probe) = container.and_then(|container| kind.of(&container.probes)) else {
                return Ok(Effect::Raced);
            };
            let (timeout, hanging) = (Duration::from_secs(probe.timeout), care.hanging.as_deref());
            let answer = care
                .prober
                .ask(care.target(target), &probe.check, timeout, hanging);
            Ok(Effect::Answered(answer.await))
        }
        Action::Stop {
            target,
            signal,
            grace_period,
            why,
        } => {
            let signal = if signal.is_empty() { "SIGTERM" } else { signal };
            let begun = Instant::now();
            let hook = pre_stop(engine, plan, target, (*grace_period, *why), &care).await;
            let elapsed = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            let left = Duration::from_secs(left(*grace_period, elapsed));
            let code = engine.stop(&target.id, signal, left).await?;
            Ok(Effect::Stopped { code, hook })
        }
        Action::Remove { target, .. } => {
            engine.remove(&target.id).await?;
            Ok(Effect::Removed(target.id.clone()))
        }
        Action::RemoveVolume { name } => {
            engine.remove_volume(name).await?;
            Ok(Effect::VolumeRemoved(name.clone()))
        }
        Action::RemoveRecord => {
            engine.remove_volume(&names::record(&plan.key)).await?;
            Ok(Effect::RecordRemoved)
        }
        Action::RemoveDeletion => {
            engine.remove_volume(&names::deletion(&plan.key)).await?;
            Ok(Effect::DeletionRemoved)
        }
    }
}

/// What a container was made from.
fn container<'a>(plan: &'a Plan, target: &Target) -> Option<&'a Container> {
    plan.desired.as_ref()?.pod.container(&target.container)
}

/// Runs the hook of a container that has just been started; why it did not end well.
async fn post_start(plan: &Plan, target: &Target, care: &Care) -> Result<(), String> {
    let container = container(plan, target);
    let hook = container.and_then(|container| container.lifecycle.post_start.as_ref());
    match hook {
        Some(hook) => care.prober.hook(care.target(target), hook).await,
        None => Ok(()),
    }
}

/// Runs the hook of a container that is about to be stopped, no longer than its grace period and its own life (kubelet:
/// `executePreStopHook`); why it did not end well.
async fn pre_stop(
    engine: &Engine,
    plan: &Plan,
    target: &Target,
    (grace_period, why): (u64, Why),
    care: &Care,
) -> Option<String> {
    let before = plan
        .before
        .as_ref()
        .filter(|_| matches!(why, Why::Replaced | Why::NewPause | Why::NotWanted));
    let desired = before.or(plan.desired.as_ref())?;
    let container = desired.pod.container(&target.container)?;
    let hook = container.lifecycle.pre_stop.as_ref()?;
    // kubelet: what begins again with all others is ended without its hook.
    if grace_period == 0 || why == Why::RestartAll {
        return None;
    }
    tokio::select! {
        result = care.prober.hook(care.target(target), hook) => result.err(),
        // It has ended by itself.
        _ = engine.wait(&target.id) => None,
        () = tokio::time::sleep(Duration::from_secs(grace_period)) => {
            Some(format!("it did not end within the grace period of {grace_period}s"))
        }
    }
}

/// Makes a pause container.
pub(super) async fn create_pause(
    engine: &Engine,
    plan: &Plan,
    attempt: u32,
) -> Result<Effect, EngineError> {
    let Some(desired) = &plan.desired else {
        return Ok(Effect::Raced);
    };
    let pod = &desired.pod;
    let body = translate::pause::pause(pod, &plan.uid, plan.generation, attempt, &plan.pause_image);
    let name = names::pause(&plan.key, attempt);
    let make = async || create(engine, plan, &name, body.clone(), &plan.pause_image, None).await;
    match make().await {
        // Somebody has removed it since.
        Err(error) if error.is_missing_image() => {
            images::ensure_pause_image(engine, &plan.facts, &BTreeMap::new()).await?;
            make().await
        }
        made => made,
    }
}

async fn create_member(
    engine: &Engine,
    plan: &Plan,
    container: &str,
    place: Place<'_>,
) -> Result<Effect, EngineError> {
    let found = plan.desired.as_ref().and_then(|desired| {
        let container = desired.pod.container(container)?;
        Some((desired, container))
    });
    let Some((desired, container)) = found else {
        return Ok(Effect::Raced);
    };
    let Some(image) = plan.images.get(&container.image) else {
        return Err(EngineError::no_image(&container.image));
    };
    let body = translate::app::app(desired, container, place, image, &plan.facts);
    let name = names::container(&plan.key, &container.name, place.attempt);
    create(engine, plan, &name, body, &image.id, Some(place.pause)).await
}

async fn pull(engine: &Engine, plan: &Plan, container: &str) -> Result<Effect, EngineError> {
    let Some(desired) = &plan.desired else {
        return Ok(Effect::Raced);
    };
    let Some(container) = desired.pod.container(container) else {
        return Ok(Effect::Raced);
    };
    let facts = images::late(engine, desired, &container.image).await?;
    Ok(Effect::Pulled(facts))
}

/// Makes the file of a container's termination message, where it has one: an engine would make a folder for it.
async fn write_message(
    engine: &Engine,
    container: &str,
    place: Place<'_>,
) -> Result<(), EngineError> {
    let content = archive::termination_message(container, place.attempt, now());
    engine.upload(place.pause, content).await
}

/// A container just made, but for its id and name.
pub(super) fn made(identity: Identity, image: &str) -> SeenContainer {
    SeenContainer {
        id: String::new(),
        name: String::new(),
        identity,
        state: State::Created,
        image: image.to_owned(),
        image_name: String::new(),
        joined: None,
        ip: None,
        host_ip: None,
        connected: true,
        created: 0,
        ports: Vec::new(),
    }
}

/// Creates under the name, or under one beside it where somebody else's container has it.
async fn create(
    engine: &Engine,
    plan: &Plan,
    name: &str,
    body: ContainerCreateBody,
    image: &str,
    joined: Option<&str>,
) -> Result<Effect, EngineError> {
    // Who it is, it is told by its labels alone.
    let Some(identity) = body.labels.as_ref().and_then(Identity::from_labels) else {
        return Ok(Effect::Raced);
    };
    let made = SeenContainer {
        joined: joined.map(str::to_owned),
        ..made(identity, image)
    };
    let beside = format!("{name}_{}", plan.uid.get(..8).unwrap_or(&plan.uid));
    for name in [name, &beside] {
        match engine.create(&plan.key, name, body.clone()).await? {
            Created::New(id) => {
                let name = name.to_owned();
                return Ok(Effect::Made(Box::new(SeenContainer { id, name, ..made })));
            }
            Created::Taken { foreign: false } => return Ok(Effect::Raced),
            Created::Taken { foreign: true } => {}
        }
    }
    // No race, as another 409 is: nothing gives way.
    Err(EngineError::Refused {
        status: 500,
        message: format!(
            "the names `{name}` and `{beside}` are taken by containers that are not podctl's"
        ),
    })
}

/// Only the engine can look at its machine's paths, and only through a container that mounts them.
async fn check_host_paths(
    engine: &Engine,
    plan: &Plan,
    target: &Target,
) -> Result<(), EngineError> {
    let Some(pod) = plan.desired.as_ref().map(|desired| &desired.pod) else {
        return Ok(());
    };
    let mounts = pod.container(&target.container).map(|c| &c.mounts);
    for mount in mounts.into_iter().flatten() {
        let volume = pod.volume(&mount.volume).map(|volume| &volume.source);
        let Some(VolumeSource::HostPath(HostPath { path, kind })) = volume else {
            continue;
        };
        if let Some((wanted, name)) = kind.wanted()
            && engine.path_kind(&target.id, &mount.path).await? != wanted
        {
            return Err(EngineError::Refused {
                status: 400,
                message: format!("hostPath type check failed: {path} is not a {name}"),
            });
        }
    }
    Ok(())
}

async fn fill(engine: &Engine, plan: &Plan, pause: &str) -> Result<Effect, EngineError> {
    let Some(desired) = &plan.desired else {
        return Ok(Effect::Raced);
    };
    let filled = filled(desired, pause);
    let content = archive::fill(desired, &filled, now());
    engine.upload(pause, content).await?;
    Ok(Effect::Filled(filled))
}

async fn refill(engine: &Engine, plan: &Plan, pause: &str) -> Result<Effect, EngineError> {
    let Some(desired) = &plan.desired else {
        return Ok(Effect::Raced);
    };
    let (content, renames) = archive::refill(desired, plan.old.as_ref(), now());
    engine.upload(pause, content).await?;
    for rename in renames {
        engine.rename(pause, &rename.from, &rename.to).await?;
    }
    let filled = filled(desired, pause);
    engine
        .upload(pause, archive::filled(&filled, now()))
        .await?;
    Ok(Effect::Filled(filled))
}

/// What is said of volumes that were filled through this pause.
pub(super) fn filled(desired: &Desired, pause: &str) -> Filled {
    Filled {
        payload: hash::payload(desired),
        pause: pause.to_owned(),
    }
}

/// Seconds since 1970, for the files of volumes.
pub(super) fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
