//! The calls that change containers, volumes and the network, one each. What is gone already is no error.
//!
//! Not here: when to make them (`reconcile`), what is in them (`translate`).

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, EndpointSettings, NetworkConnectRequest, NetworkCreateRequest, Volume,
    VolumeCreateRequest,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, InspectNetworkOptions,
    KillContainerOptionsBuilder, RemoveContainerOptionsBuilder, RemoveVolumeOptions,
    StartContainerOptions, WaitContainerOptionsBuilder,
};
use futures_util::StreamExt;

use tokio::sync::Semaphore;

use super::{Engine, EngineError};
use crate::record::{Deletion, Identity, labels, names};
use crate::spec::PodKey;

/// So often a container is removed whose files the engine cannot remove yet.
const MOST_REMOVALS: u32 = 10;
/// Between two tries.
const BETWEEN_REMOVALS: Duration = Duration::from_millis(300);

/// What came of a create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// The container's id.
    New(String),
    /// The name is taken; by a container of this pod, or by a foreign one.
    Taken {
        /// Nobody of this pod has it.
        foreign: bool,
    },
}

/// So many containers are made and started at once. An engine does that one after the other for the most part, and a call that waits there
/// for longer than two minutes is given up (200 pods that come up together).
static MAKING: Semaphore = Semaphore::const_new(16);

impl Engine {
    /// Creates a container of the pod under this name.
    ///
    /// # Errors
    /// When the engine refuses the body; a taken name is no error.
    pub async fn create(
        &self,
        pod: &PodKey,
        name: &str,
        body: ContainerCreateBody,
    ) -> Result<Created, EngineError> {
        let options = CreateContainerOptionsBuilder::default().name(name).build();
        let turn = MAKING.acquire().await;
        let made = self.docker.create_container(Some(options), body).await;
        drop(turn);
        let error = match made {
            Ok(created) => return Ok(Created::New(created.id)),
            Err(error) => self.error(error),
        };
        if error.status() == Some(404) {
            return Err(error);
        }
        // Docker says 409, podman 500: who has the name tells whether that was the reason.
        match self
            .docker
            .inspect_container(name, None::<InspectContainerOptions>)
            .await
        {
            Ok(holder) => {
                let labels = holder
                    .config
                    .and_then(|config| config.labels)
                    .unwrap_or_default();
                let owner = Identity::from_labels(&labels).map(|identity| identity.pod);
                Ok(Created::Taken {
                    foreign: owner.as_ref() != Some(pod),
                })
            }
            Err(_) if error.status() == Some(409) => Ok(Created::Taken { foreign: false }),
            Err(_) => Err(error),
        }
    }

    /// Starts a container. One that runs already is fine.
    ///
    /// # Errors
    /// When it cannot be started, or is gone.
    pub async fn start(&self, id: &str) -> Result<(), EngineError> {
        let _turn = MAKING.acquire().await;
        self.ask(
            self.docker
                .start_container(id, None::<StartContainerOptions>),
        )
        .await
    }

    /// Sends a signal. A container that does not run, or is gone, is fine.
    ///
    /// # Errors
    /// When the engine refuses the signal.
    pub async fn kill(&self, id: &str, signal: &str) -> Result<(), EngineError> {
        let options = KillContainerOptionsBuilder::default()
            .signal(signal)
            .build();
        match self
            .docker
            .kill_container(id, Some(options))
            .await
            .map_err(|error| self.error(error))
        {
            // Docker API: 404 no such container, 409 not running; podman says 409 too.
            Err(error) if matches!(error.status(), Some(404 | 409)) => Ok(()),
            result => result,
        }
    }

    /// Waits until a container does not run, and gives its exit code; `None` when it is gone.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn wait(&self, id: &str) -> Result<Option<i64>, EngineError> {
        let options = WaitContainerOptionsBuilder::default()
            .condition("not-running")
            .build();
        let mut answers = self.docker.wait_container(id, Some(options));
        match answers.next().await {
            Some(Ok(answer)) => Ok(Some(answer.status_code)),
            Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. })) => {
                Ok(Some(code))
            }
            Some(Err(error)) => match self.error(error) {
                error if error.status() == Some(404) => Ok(None),
                error => Err(error),
            },
            None => Ok(None),
        }
    }

    /// Signals a container to end, and ends it when the grace period is over. Gives its exit code, `None` when it is
    /// gone.
    ///
    /// # Errors
    /// When the connection breaks, or the engine refuses the signal.
    pub async fn stop(
        &self,
        id: &str,
        signal: &str,
        grace_period: Duration,
    ) -> Result<Option<i64>, EngineError> {
        self.kill(id, signal).await?;
        if let Ok(code) = tokio::time::timeout(grace_period, self.wait(id)).await {
            return code;
        }
        self.kill(id, "SIGKILL").await?;
        self.wait(id).await
    }

    /// Removes a container, whatever its state, and its anonymous volumes; waits until it is gone.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn remove(&self, id: &str) -> Result<(), EngineError> {
        for _ in 1..MOST_REMOVALS {
            match self.remove_once(id).await {
                Err(error) if error.is_filesystem_in_use() => {
                    tokio::time::sleep(BETWEEN_REMOVALS).await;
                }
                result => return result,
            }
        }
        self.remove_once(id).await
    }

    async fn remove_once(&self, id: &str) -> Result<(), EngineError> {
        let options = RemoveContainerOptionsBuilder::default()
            .force(true)
            .v(true)
            .build();
        match self
            .docker
            .remove_container(id, Some(options))
            .await
            .map_err(|error| self.error(error))
        {
            Err(error) if error.status() == Some(404) => Ok(()),
            // Docker API: 409 when another removes it already.
            Err(error) if error.status() == Some(409) => self.wait_removed(id).await,
            result => result,
        }
    }

    async fn wait_removed(&self, id: &str) -> Result<(), EngineError> {
        let options = WaitContainerOptionsBuilder::default()
            .condition("removed")
            .build();
        let mut answers = self.docker.wait_container(id, Some(options));
        // Whatever it says, the container is gone, or the next look finds it.
        let _ = answers.next().await;
        Ok(())
    }

    /// Makes the network; `false`: it is there already.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn create_network(&self, request: NetworkCreateRequest) -> Result<bool, EngineError> {
        match self
            .docker
            .create_network(request)
            .await
            .map_err(|error| self.error(error))
        {
            Ok(_) => Ok(true),
            // Docker 20.10 says 403 (the bridge exists), newer ones 409 (the name does).
            Err(error) if matches!(error.status(), Some(403 | 409)) => Ok(false),
            Err(error) if self.has_network().await? => {
                drop(error);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Brings a container into podctl's network, where others find it by this name.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn connect_network(&self, id: &str, alias: String) -> Result<(), EngineError> {
        let request = NetworkConnectRequest {
            container: id.to_owned(),
            endpoint_config: Some(EndpointSettings {
                aliases: Some(vec![alias]),
                ..Default::default()
            }),
        };
        self.ask(self.docker.connect_network(names::NETWORK, request))
            .await
    }

    /// Whether podctl's network is there.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn has_network(&self) -> Result<bool, EngineError> {
        let answer = self
            .docker
            .inspect_network(names::NETWORK, None::<InspectNetworkOptions>)
            .await;
        match answer.map_err(|error| self.error(error)) {
            Ok(_) => Ok(true),
            Err(error) if error.status() == Some(404) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes the network; whether it is gone: something else than a pod may have its place in it.
    ///
    /// # Errors
    /// When the engine refuses for another reason.
    pub async fn remove_network(&self) -> Result<bool, EngineError> {
        match self
            .docker
            .remove_network(names::NETWORK)
            .await
            .map_err(|error| self.error(error))
        {
            // Docker API: 403 has active endpoints; podman says 500 for the same.
            Err(error) if matches!(error.status(), Some(403 | 409 | 500)) => Ok(false),
            Err(error) if error.status() == Some(404) => Ok(true),
            result => result.map(|()| true),
        }
    }

    /// Makes the pod's record with its first wish, or gives the one that is there: of ten at once one makes it.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn create_record(
        &self,
        pod: &PodKey,
        uid: &str,
        wish: String,
    ) -> Result<Volume, EngineError> {
        let mut labels: HashMap<String, String> = labels::of_pod(pod).into_iter().collect();
        labels.insert(labels::UID.to_owned(), uid.to_owned());
        labels.insert(labels::WISH.to_owned(), wish);
        let name = names::record(pod);
        let request = VolumeCreateRequest {
            name: Some(name.clone()),
            labels: Some(labels),
            ..Default::default()
        };
        match self
            .docker
            .create_volume(request)
            .await
            .map_err(|error| self.error(error))
        {
            // Podman refuses what Docker answers with the volume that is there.
            Err(error) => self.record(pod).await?.ok_or(error),
            Ok(volume) => Ok(volume),
        }
    }

    /// Writes down that the pod is to be gone.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn create_deletion(
        &self,
        pod: &PodKey,
        deletion: &Deletion,
    ) -> Result<(), EngineError> {
        let mut labels: HashMap<String, String> = labels::of_pod(pod).into_iter().collect();
        labels.insert(labels::DELETION.to_owned(), deletion.to_label());
        let request = VolumeCreateRequest {
            name: Some(names::deletion(pod)),
            labels: Some(labels),
            ..Default::default()
        };
        match self.ask(self.docker.create_volume(request)).await {
            // Podman refuses what Docker answers with the volume that is there.
            Err(error) if error.status() == Some(409) => Ok(()),
            result => result.map(|_| ()),
        }
    }

    /// The volume of the pod's record; `None`: there is no such pod.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn record(&self, pod: &PodKey) -> Result<Option<Volume>, EngineError> {
        self.volume(&names::record(pod)).await
    }

    pub(super) async fn volume(&self, name: &str) -> Result<Option<Volume>, EngineError> {
        let inspected = self.docker.inspect_volume(name).await;
        match inspected.map_err(|error| self.error(error)) {
            Ok(volume) => Ok(Some(volume)),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes a volume; gone is fine.
    ///
    /// # Errors
    /// When it is in use.
    pub async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        match self
            .docker
            .remove_volume(name, None::<RemoveVolumeOptions>)
            .await
            .map_err(|error| self.error(error))
        {
            Err(error) if error.status() == Some(404) => Ok(()),
            result => result,
        }
    }
}
