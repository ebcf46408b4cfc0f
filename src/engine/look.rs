//! Looks: what there is of pods on the engine.
//!
//! Not here: what follows from it (`reconcile`).

use std::collections::{BTreeMap, HashMap};

use bollard::models::{ContainerSummary, ContainerSummaryStateEnum, Volume};
use bollard::query_parameters::{
    InspectContainerOptions, ListContainersOptionsBuilder, ListVolumesOptionsBuilder, TopOptions,
};
use k8s_openapi::jiff::Timestamp;

use super::{Engine, EngineError};
use crate::reconcile::seen::{Details, Seen, SeenContainer, SeenPort, State};
use crate::record::{Deletion, Identity, Record, RecordError, labels, names, wish};
use crate::spec::{PodKey, Publish};

impl Engine {
    /// All containers of podctl, or those of one pod. One call.
    ///
    /// # Errors
    /// When the engine does not answer, or refuses.
    pub async fn containers(
        &self,
        pod: Option<&PodKey>,
    ) -> Result<Vec<SeenContainer>, EngineError> {
        let filter = pod.map_or_else(|| vec![labels::POD.to_owned()], labels::filter);
        self.list(filter).await
    }

    /// The pause containers of all pods, in any state. One call.
    ///
    /// # Errors
    /// As [`Engine::containers`].
    pub async fn pauses(&self) -> Result<Vec<SeenContainer>, EngineError> {
        self.list(vec![format!(
            "{}={}",
            labels::CONTAINER,
            labels::PAUSE_CONTAINER
        )])
        .await
    }

    async fn list(&self, filter: Vec<String>) -> Result<Vec<SeenContainer>, EngineError> {
        let filters = HashMap::from([("label".to_owned(), filter)]);
        let options = ListContainersOptionsBuilder::default()
            .all(true)
            .filters(&filters)
            .build();
        let list = self.ask(self.docker.list_containers(Some(options))).await?;
        Ok(list.into_iter().filter_map(seen).collect())
    }

    /// All that there is of a pod, asked for together; the record without its files. What only the way down needs (the
    /// pauses of other pods, the supervisor) is asked for when `whole`.
    ///
    /// # Errors
    /// As [`Engine::containers`].
    pub async fn look(&self, pod: &PodKey, whole: bool) -> Result<Seen, EngineError> {
        let others = async {
            if whole {
                tokio::try_join!(self.pauses(), self.supervisor())
            } else {
                Ok((Vec::new(), None))
            }
        };
        let (containers, network, volumes, (pauses, supervisor)) = tokio::try_join!(
            self.containers(Some(pod)),
            self.has_network(),
            self.volumes(pod),
            others
        )?;
        let name = names::record(pod);
        let record = volumes.iter().find(|volume| volume.name == name);
        let record = record.and_then(|volume| read_record(volume, &BTreeMap::new()).ok());
        let made = volumes.iter().find(|volume| volume.name == name);
        let is_record = |volume: &Volume| record.is_some() && volume.name == name;
        let deletion = names::deletion(pod);
        Ok(Seen {
            network,
            other_pauses: pauses.iter().filter(|pause| pause.pod() != pod).count(),
            network_stays: supervisor.is_some(),
            began: made.and_then(made_at),
            deletion: volumes.iter().any(|volume| volume.name == deletion),
            containers,
            // A volume with the record's name that is none is what is left of a race: an engine makes a volume that a
            // container names and that is not there.
            volumes: volumes
                .iter()
                .filter(|volume| !is_record(volume) && volume.name != deletion)
                .map(|volume| volume.name.clone())
                .collect(),
            record,
        })
    }

    /// The name of a container, of whomever, that publishes what cannot be published beside this. One call.
    ///
    /// # Errors
    /// As [`Engine::containers`].
    pub async fn publisher(&self, wanted: &Publish) -> Result<Option<String>, EngineError> {
        let filter = format!("{}/{}", wanted.host_port, wanted.protocol);
        let filters = HashMap::from([("publish".to_owned(), vec![filter])]);
        let options = ListContainersOptionsBuilder::default()
            .filters(&filters)
            .build();
        let list = self.ask(self.docker.list_containers(Some(options))).await?;
        let publishes = |container: &ContainerSummary| {
            container.ports.iter().flatten().any(|published| {
                let published = Publish {
                    host_ip: published.ip.clone().unwrap_or_default(),
                    host_port: published.public_port.unwrap_or_default(),
                    ..wanted.clone()
                };
                wanted.collides(&published)
            })
        };
        let holder = list.into_iter().find(publishes);
        let name = holder.and_then(|container| container.names?.into_iter().next());
        Ok(name.map(|name| name.trim_start_matches('/').to_owned()))
    }

    /// What only a look at one container tells; `None`: it is gone. One call.
    ///
    /// # Errors
    /// As [`Engine::containers`].
    pub async fn details(&self, id: &str) -> Result<Option<Details>, EngineError> {
        let inspected = self
            .docker
            .inspect_container(id, None::<InspectContainerOptions>);
        let (created, state) = match self.ask(inspected).await {
            Ok(container) => (container.created, container.state.unwrap_or_default()),
            Err(error) if error.status() == Some(404) => return Ok(None),
            Err(error) => return Err(error),
        };
        let time = |time: Option<String>| milliseconds(&time.unwrap_or_default());
        Ok(Some(Details {
            created: time(created),
            started: time(state.started_at),
            finished: time(state.finished_at),
            exit_code: state.exit_code.unwrap_or_default(),
            oom_killed: state.oom_killed.unwrap_or_default(),
            error: state.error.unwrap_or_default(),
            message: String::new(),
        }))
    }

    /// The record of a pod with its files, read through this pause container; `None`: it, or the container, is gone. Two calls, made together.
    ///
    /// # Errors
    /// As [`Engine::containers`].
    pub async fn whole_record(
        &self,
        pod: &PodKey,
        pause: &str,
    ) -> Result<Option<Result<Record, RecordError>>, EngineError> {
        let (volume, files) = tokio::try_join!(self.record(pod), self.record_files(pause))?;
        let both = volume.zip(files);
        Ok(both.map(|(volume, files)| read_record(&volume, &files)))
    }

    /// Since when the process of this pause container has lived, in the engine's milliseconds since 1970; `None`: it does not, or the engine
    /// cannot say. Other than a look, it does not take one for alive that has just been killed. Two calls.
    pub async fn lives_since(&self, pause: &str) -> Option<u64> {
        let top = self.docker.top_processes(pause, None::<TopOptions>);
        let processes = self.ask(top).await.ok()?.processes.unwrap_or_default();
        let mut cells = processes.iter().flatten();
        if !cells.any(|cell| cell == names::PAUSE_PROGRAM) {
            return None;
        }
        self.details(pause).await.ok()??.started
    }

    /// The engine's clock, in milliseconds since 1970. One call.
    ///
    /// # Errors
    /// As [`Engine::containers`].
    pub async fn now(&self) -> Result<u64, EngineError> {
        let info = self.ask(self.docker.info()).await?;
        Ok(milliseconds(&info.system_time.unwrap_or_default()).unwrap_or_default())
    }

    /// The engine's volumes of the pod, its record among them. One call.
    async fn volumes(&self, pod: &PodKey) -> Result<Vec<Volume>, EngineError> {
        self.volumes_with(labels::filter(pod)).await
    }

    async fn volumes_with(&self, label: Vec<String>) -> Result<Vec<Volume>, EngineError> {
        let filters = HashMap::from([("label".to_owned(), label)]);
        let options = ListVolumesOptionsBuilder::default()
            .filters(&filters)
            .build();
        let list = self.ask(self.docker.list_volumes(Some(options))).await?;
        Ok(list.volumes.unwrap_or_default())
    }

    /// The pods that are being taken down. One call.
    ///
    /// # Errors
    /// As [`Engine::containers`].
    pub async fn deletions(&self) -> Result<BTreeMap<PodKey, Deletion>, EngineError> {
        let volumes = self.volumes_with(vec![labels::DELETION.to_owned()]).await?;
        let deletion = |volume: Volume| {
            let deletion = Deletion::parse(volume.labels.get(labels::DELETION)?)?;
            Some((pod_of(&volume)?, deletion))
        };
        Ok(volumes.into_iter().filter_map(deletion).collect())
    }

    /// The volumes that are the records of pods, and whose. One call.
    ///
    /// # Errors
    /// As [`Engine::containers`].
    pub async fn records(&self) -> Result<Vec<(PodKey, Volume)>, EngineError> {
        let volumes = self.volumes_with(vec![labels::WISH.to_owned()]).await?;
        let of_pod = |volume: Volume| Some((pod_of(&volume)?, volume));
        Ok(volumes.into_iter().filter_map(of_pod).collect())
    }
}

/// The pod that a volume belongs to.
fn pod_of(volume: &Volume) -> Option<PodKey> {
    let namespace = volume.labels.get(labels::NAMESPACE)?;
    Some(PodKey::new(namespace, volume.labels.get(labels::POD)?))
}

/// When a volume was made, in the engine's milliseconds since 1970. Docker 20.10 gives the time of the last change of its
/// folder for it.
#[must_use]
pub fn made_at(volume: &Volume) -> Option<u64> {
    volume.created_at.as_deref().and_then(milliseconds)
}

/// What the record says: the labels of its volume, and its files.
///
/// # Errors
/// When it is not podctl's, or a newer podctl's.
pub fn read_record(
    volume: &Volume,
    files: &BTreeMap<String, Vec<u8>>,
) -> Result<Record, RecordError> {
    let label = |key: &str| volume.labels.get(key).map(String::as_str);
    wish::read(&volume.name, label(labels::UID), label(labels::WISH), files)
}

/// A container of podctl; `None` for any other.
fn seen(summary: ContainerSummary) -> Option<SeenContainer> {
    let state = state_of(&summary);
    let identity = Identity::from_labels(&summary.labels.unwrap_or_default())?;
    let name = summary
        .names
        .unwrap_or_default()
        .into_iter()
        .next()
        .unwrap_or_default();
    let network_mode = summary
        .host_config
        .and_then(|host| host.network_mode)
        .unwrap_or_default();
    let networks = summary
        .network_settings
        .and_then(|settings| settings.networks);
    let networks = networks.unwrap_or_default();
    let connected = networks.contains_key(names::NETWORK);
    let is_given = |ip: &String| !ip.is_empty();
    let mut endpoints = networks.into_values();
    let endpoint = endpoints.find(|endpoint| endpoint.ip_address.as_ref().is_some_and(is_given));
    let (ip, gateway) = endpoint.map_or((None, None), |e| (e.ip_address, e.gateway));
    let mut ports: Vec<SeenPort> = summary
        .ports
        .unwrap_or_default()
        .into_iter()
        .filter_map(|port| {
            Some(SeenPort {
                container_port: port.private_port,
                protocol: port.typ.map(|typ| typ.to_string()).unwrap_or_default(),
                host_ip: port.ip.unwrap_or_default(),
                host_port: port.public_port?,
            })
        })
        .collect();
    ports.sort();
    ports.dedup();
    Some(SeenContainer {
        id: summary.id?,
        name: name.trim_start_matches('/').to_owned(),
        state,
        identity,
        image: image_id(&summary.image_id.unwrap_or_default()),
        image_name: summary.image.unwrap_or_default(),
        joined: network_mode.strip_prefix("container:").map(str::to_owned),
        ip,
        host_ip: gateway.filter(is_given),
        connected,
        created: summary.created.unwrap_or_default(),
        ports,
    })
}

/// Since 1970; `None` for what is no time, or long before it.
pub(super) fn milliseconds(time: &str) -> Option<u64> {
    let time: Timestamp = time.parse().ok()?;
    u64::try_from(time.as_millisecond()).ok()
}

/// With its algorithm, which podman leaves out.
pub(super) fn image_id(id: &str) -> String {
    if id.contains(':') || id.is_empty() {
        id.to_owned()
    } else {
        format!("sha256:{id}")
    }
}

/// Of a container, as the list call tells it.
pub(super) fn state_of(container: &ContainerSummary) -> State {
    let status = container.status.as_deref().unwrap_or_default();
    state(container.state, status)
}

fn state(state: Option<ContainerSummaryStateEnum>, status: &str) -> State {
    use ContainerSummaryStateEnum as S;
    match state {
        Some(S::RUNNING | S::PAUSED | S::RESTARTING) => State::Running,
        Some(S::EXITED) => State::Exited(exit_code(status).unwrap_or_default()),
        Some(S::REMOVING) => State::Removing,
        // What is left of a removal that failed; it can be removed again.
        Some(S::DEAD) => State::Exited(exit_code(status).unwrap_or(137)),
        _ => State::Created,
    }
}

/// The list call tells the exit code only in words: `Exited (137) 2 minutes ago`.
fn exit_code(status: &str) -> Option<i64> {
    status.split_once('(')?.1.split_once(')')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_read_from_the_status() {
        assert_eq!(exit_code("Exited (137) 2 minutes ago"), Some(137));
        assert_eq!(exit_code("Exited (0) Less than a second ago"), Some(0));
        assert_eq!(exit_code("Up 3 minutes"), None);
    }

    #[test]
    fn an_image_id_names_its_algorithm() {
        assert_eq!(image_id("ab"), "sha256:ab");
        assert_eq!(image_id("sha256:ab"), "sha256:ab");
    }
}
