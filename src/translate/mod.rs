//! The checked pod and facts about the engine, to Docker's request bodies. Pure.
//!
//! - [`pause`]: the container that owns the pod's namespaces, ports and volumes.
//! - [`app`]: a container that joins it.
//! - [`env`](mod@env): `$(VAR)`.
//! - [`mounts`]: volumes, as Docker mounts them.
//! - [`archive`]: what volumes and the record are filled with, as tar.
//! - [`network`]: the network of all pods.
//! - [`supervisor`]: the supervisor's container.
//!
//! Not here: sending anything (`engine`), deciding what to send (`reconcile`).

pub mod app;
pub mod archive;
pub mod env;
pub mod mounts;
pub mod network;
pub mod pause;
pub mod supervisor;

use thiserror::Error;

use bollard::models::ContainerCreateBody;

use crate::record::names;
use crate::spec::{ApiVersion, Desired, EngineFacts, ImageFacts, Pod};

/// A pod that this engine cannot carry out, though another could.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The engine ignores a sub-path of a volume in silence, and mounts the whole of it.
    #[error(
        "container `{container}` mounts `{sub_path}` of the volume `{volume}`: the engine can do that from API 1.45 \
         (Docker 26) on, and this one speaks {api}; mount the whole volume"
    )]
    SubPath {
        /// The container.
        container: String,
        /// The volume's name in the pod.
        volume: String,
        /// The path in it.
        sub_path: String,
        /// The engine's.
        api: ApiVersion,
    },
    /// A volume in memory is empty until its pod runs, so that a part of it cannot be mounted.
    #[error(
        "container `{container}` mounts `{sub_path}` of the volume `{volume}`, which lies in memory: mount the whole \
         volume"
    )]
    MemorySubPath {
        /// The container.
        container: String,
        /// The volume's name in the pod.
        volume: String,
        /// The path in it.
        sub_path: String,
    },
}

/// Every reason why this engine cannot carry out the pod. To be asked before anything is made.
#[must_use]
pub fn refusals(pod: &Pod, facts: &EngineFacts) -> Vec<Refusal> {
    pod.members()
        .flat_map(|container| mounts::refusals(pod, container, facts))
        .collect()
}

/// Every create request of a pod that is not there yet, by the name of its container, the pause first: what `up` would send
/// to an engine of these facts. Images are taken to say nothing of themselves.
#[must_use]
pub fn requests(desired: &Desired, facts: &EngineFacts) -> Vec<(String, ContainerCreateBody)> {
    const PAUSE_ID: &str = "<pause>";
    let pod = &desired.pod;
    let pause = pause::pause(pod, "<uid>", 1, 0, "<pause image>");
    let members = pod.members().map(|container| {
        let place = app::Place {
            uid: "<uid>",
            generation: 1,
            attempt: 0,
            pause: PAUSE_ID,
            round: 0,
            restart: None,
        };
        let body = app::app(desired, container, place, &ImageFacts::default(), facts);
        (names::container(&pod.key, &container.name, 0), body)
    });
    std::iter::once((names::pause(&pod.key, 0), pause))
        .chain(members)
        .collect()
}
