//! The supervisor, as the engine shows it: a container, or the mark of one that runs in the foreground.
//!
//! Not here: when one is started (`driver::supervisor`), what is asked for it (`translate::supervisor`).

use std::collections::HashMap;

use bollard::models::{ContainerCreateBody, ContainerSummaryStateEnum, VolumeCreateRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder,
};

use super::{Engine, EngineError};
use crate::reconcile::State;
use crate::record::{labels, names};

/// The container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supervisor {
    /// The engine's id.
    pub id: String,
    /// Its state.
    pub state: State,
    /// Somebody has paused it: it does nothing.
    pub paused: bool,
    /// It has ended by itself, and the engine is about to start it again.
    pub restarting: bool,
    /// Where the engine's socket is on its machine, as it was told.
    pub socket: Option<String>,
    /// Of the podctl that started it.
    pub version: String,
    /// When it was made, in seconds since 1970.
    pub created: i64,
}

impl Engine {
    /// The supervisor's container, in whatever state. One call.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn supervisor(&self) -> Result<Option<Supervisor>, EngineError> {
        let label = vec![labels::SUPERVISOR.to_owned()];
        let filters = HashMap::from([("label".to_owned(), label)]);
        let options = ListContainersOptionsBuilder::default()
            .all(true)
            .filters(&filters)
            .build();
        let list = self.ask(self.docker.list_containers(Some(options))).await?;
        Ok(list.into_iter().find_map(|container| {
            let state = super::look::state_of(&container);
            let is = |state| container.state == Some(state);
            let paused = is(ContainerSummaryStateEnum::PAUSED);
            let restarting = is(ContainerSummaryStateEnum::RESTARTING);
            let mut mounts = container.mounts.into_iter().flatten();
            let version = container.labels?.remove(labels::SUPERVISOR)?;
            Some(Supervisor {
                id: container.id?,
                state,
                paused,
                restarting,
                socket: mounts.find_map(|mount| mount.source),
                version,
                created: container.created.unwrap_or_default(),
            })
        }))
    }

    /// Sets one that does nothing to work, as it is.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn rouse_supervisor(&self, found: &Supervisor) -> Result<(), EngineError> {
        if found.paused {
            self.ask(self.docker.unpause_container(&found.id)).await
        } else {
            self.start(&found.id).await
        }
    }

    /// Creates the supervisor's container; `None`: its name is taken, by another podctl's.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn create_supervisor(
        &self,
        body: ContainerCreateBody,
    ) -> Result<Option<String>, EngineError> {
        let options = CreateContainerOptionsBuilder::default()
            .name(names::SUPERVISOR)
            .build();
        let created = self.ask(self.docker.create_container(Some(options), body));
        match created.await {
            Ok(created) => Ok(Some(created.id)),
            // Docker says 409, podman 500: who has the name tells whether that was the reason.
            Err(error) if error.status() == Some(409) => Ok(None),
            Err(error) if self.supervisor().await?.is_none() => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Whether a container that is no supervisor has the supervisor's name. One call.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn supervisors_name_is_taken(&self) -> Result<bool, EngineError> {
        let inspected = self
            .docker
            .inspect_container(names::SUPERVISOR, None::<InspectContainerOptions>);
        match self.ask(inspected).await {
            Ok(container) => {
                let labels = container.config.and_then(|config| config.labels);
                Ok(!labels.unwrap_or_default().contains_key(labels::SUPERVISOR))
            }
            Err(error) if error.status() == Some(404) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The mark of a supervisor in the foreground: where it runs. One call.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn foreground_supervisor(&self) -> Result<Option<String>, EngineError> {
        let volume = self.volume(names::SUPERVISOR).await?;
        Ok(volume.and_then(|mut volume| volume.labels.remove(labels::SUPERVISOR)))
    }

    /// Leaves such a mark.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn mark_foreground_supervisor(&self, place: &str) -> Result<(), EngineError> {
        let labels = HashMap::from([(labels::SUPERVISOR.to_owned(), place.to_owned())]);
        let request = VolumeCreateRequest {
            name: Some(names::SUPERVISOR.to_owned()),
            labels: Some(labels),
            ..Default::default()
        };
        match self.ask(self.docker.create_volume(request)).await {
            // Podman refuses what Docker answers with the volume that is there.
            Err(error) if error.status() == Some(409) => Ok(()),
            result => result.map(drop),
        }
    }
}
