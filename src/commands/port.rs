//! `podctl port`.
//!
//! Not here: publishing (`translate::pause`).

use super::{Context, Exit, exit::UsageError, target};
use crate::engine::Engine;
use crate::reconcile::SeenContainer;
use crate::reconcile::seen::pause_of;
use crate::spec::PodKey;

/// Print the published ports of a pod
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pod
    #[arg(value_name = "POD", add = super::completion::pods())]
    pod: String,
}

/// Runs it.
///
/// # Errors
/// A pod that is not there.
pub async fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let key = target::one(context, &args.pod)?;
    let engine = context.engine()?;
    let containers = find(&engine, &key).await?;
    let pause = pause_of(&containers, &key);
    for port in pause.into_iter().flat_map(|pause| &pause.ports) {
        let address = match port.host_ip.as_str() {
            ip if ip.contains(':') => format!("[{ip}]"),
            ip => ip.to_owned(),
        };
        let (inside, outside) = (port.container_port, port.host_port);
        context.printer.data(&format!(
            "{inside}/{} -> {address}:{outside}\n",
            port.protocol
        ))?;
    }
    Ok(Exit::Fine)
}

/// The containers of a pod that must be there.
///
/// # Errors
/// A pod that is not there; the message names those that are.
pub(super) async fn find(engine: &Engine, key: &PodKey) -> anyhow::Result<Vec<SeenContainer>> {
    let containers = engine.containers(Some(key)).await?;
    if !containers.is_empty() {
        return Ok(containers);
    }
    Err(no_such_pod(engine, key).await?)
}

/// What is said of a pod of which there is no container.
pub(super) async fn no_such_pod(engine: &Engine, key: &PodKey) -> anyhow::Result<anyhow::Error> {
    if engine.record(key).await?.is_some() {
        let why = "an `up` may be pulling its images, or somebody has removed its containers: `podctl up FILE` goes on from here";
        let message = format!("pod `{key}` has no containers: {why}");
        return Ok(NoSuchPod(message).into());
    }
    let all = engine.containers(None).await?;
    let mut names: Vec<String> = all
        .iter()
        .map(|container| container.pod().to_string())
        .collect();
    names.sort();
    names.dedup();
    let known = if names.is_empty() {
        "there are none".to_owned()
    } else {
        format!("there are: {}", names.join(", "))
    };
    Ok(NoSuchPod(format!("there is no pod `{key}`; {known}")).into())
}

/// A pod that is not there.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NoSuchPod(pub(super) String);

/// The container of this name, or the first.
///
/// # Errors
/// A container that the pod does not have; the message names those that it has.
pub(super) fn member<'a>(
    containers: &'a [SeenContainer],
    key: &PodKey,
    name: Option<&str>,
) -> Result<(&'a SeenContainer, Vec<String>), UsageError> {
    let newest = containers.iter().max_by_key(|c| c.identity.generation);
    let names: Vec<String> = newest
        .map(|c| c.identity.members().cloned().collect())
        .unwrap_or_default();
    let first = newest.and_then(|c| c.identity.containers.first());
    let wanted = name.or(first.map(String::as_str)).unwrap_or_default();
    let named = containers
        .iter()
        .filter(|c| c.identity.container == wanted && !c.identity.is_pause());
    match named.max_by_key(|c| (c.is_running(), c.identity.attempt)) {
        Some(container) => Ok((container, names)),
        None => Err(UsageError(format!(
            "pod `{key}` has no container `{wanted}`; it has: {}",
            names.join(", ")
        ))),
    }
}
