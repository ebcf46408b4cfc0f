//! A snapshot of one pod on the engine: what one list call tells, and what is beside it.
//!
//! Not here: asking for it (`engine::look`).

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{Identity, Record};
use crate::spec::{Container, ImageFacts, Pod, PodKey};

/// What was seen of one pod.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// The network of all pods is there.
    pub network: bool,
    /// Pause containers of other pods, in any state: they need the network.
    pub other_pauses: usize,
    /// Somebody else needs the network: a supervisor, which keeps it for the next pod, or what is no pod.
    pub network_stays: bool,
    /// The record; `None`: there is no such pod.
    pub record: Option<Record>,
    /// When the record was made, or last written to, in the engine's milliseconds since 1970.
    pub began: Option<u64>,
    /// Somebody wants the pod to be gone.
    pub deletion: bool,
    /// All containers of the pod.
    pub containers: Vec<SeenContainer>,
    /// The engine's volumes of the pod, without the record.
    pub volumes: Vec<String>,
}

/// One container, as the list call tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenContainer {
    /// The engine's id.
    pub id: String,
    /// The engine's name, without its slash.
    pub name: String,
    /// What its labels say.
    pub identity: Identity,
    /// Its state.
    pub state: State,
    /// The id of its image.
    pub image: String,
    /// As it was asked for.
    pub image_name: String,
    /// The id of the pause container that it joined.
    pub joined: Option<String>,
    /// Its address in podctl's network (a pause container's).
    pub ip: Option<String>,
    /// The address of the engine's machine in that network.
    pub host_ip: Option<String>,
    /// It is in podctl's network (a pause container).
    pub connected: bool,
    /// When it was made, in seconds since 1970.
    pub created: i64,
    /// Ports that are published on the engine's machine (a pause container's).
    pub ports: Vec<SeenPort>,
}

/// What only a look at one container tells. Times are the engine's, in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Details {
    /// When it was made.
    pub created: Option<u64>,
    /// Its start; `None`: it has not been started.
    pub started: Option<u64>,
    /// Its end; `None`: it has not ended.
    pub finished: Option<u64>,
    /// Of its last end.
    pub exit_code: i64,
    /// The kernel ended it for its memory.
    pub oom_killed: bool,
    /// Why it could not be started.
    pub error: String,
    /// What it left to be read of why it ended (kubelet: `terminated.message`); empty: nothing.
    pub message: String,
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenPort {
    /// Inside the pod.
    pub container_port: u16,
    /// `tcp`, `udp`, `sctp`.
    pub protocol: String,
    /// The address that the engine listens on.
    pub host_ip: String,
    /// The port that it listens on.
    pub host_port: u16,
}

/// Of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Made, not started; or a start that failed.
    Created,
    /// Running, or frozen by hand.
    Running,
    /// Ended with this code.
    Exited(i64),
    /// On its way out.
    Removing,
}

/// A pod's pause container that counts: the highest attempt. One whose place another has is not to be read through: it is about
/// to be removed.
#[must_use]
pub fn pause_of<'a>(containers: &'a [SeenContainer], pod: &PodKey) -> Option<&'a SeenContainer> {
    let pauses = containers.iter().filter(|c| c.identity.is_pause());
    pauses
        .filter(|c| c.pod() == pod)
        .max_by_key(|c| c.identity.attempt)
}

/// All pods' pause containers that count.
pub fn pauses_of(containers: &[SeenContainer]) -> impl Iterator<Item = &SeenContainer> {
    let pods: BTreeSet<&PodKey> = containers.iter().map(SeenContainer::pod).collect();
    pods.into_iter().filter_map(|pod| pause_of(containers, pod))
}

impl SeenContainer {
    /// Whether it shares the namespaces of a pause container.
    #[must_use]
    pub fn joins(&self, pause: &Self) -> bool {
        let joined = self.joined.as_ref();
        joined.is_none_or(|joined| *joined == pause.id)
    }
}

impl Seen {
    /// The pause container that counts: the highest attempt.
    #[must_use]
    pub fn pause(&self) -> Option<&SeenContainer> {
        let pauses = self.containers.iter().filter(|c| c.identity.is_pause());
        pauses.max_by_key(|c| c.identity.attempt)
    }

    /// Every container but pauses.
    pub fn members(&self) -> impl Iterator<Item = &SeenContainer> {
        self.containers.iter().filter(|c| !c.identity.is_pause())
    }

    /// The container of this name that counts: the highest attempt.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&SeenContainer> {
        let named = self.members().filter(|c| c.identity.container == name);
        named.max_by_key(|c| c.identity.attempt)
    }

    /// The one that had a container's place before it, where it is still there.
    #[must_use]
    pub fn before(&self, container: &SeenContainer) -> Option<&SeenContainer> {
        let is_before = |c: &&SeenContainer| {
            c.identity.container == container.identity.container
                && c.identity.attempt < container.identity.attempt
        };
        let older = self.members().filter(is_before);
        older.max_by_key(|c| c.identity.attempt)
    }

    /// The ids of containers that were made from another image than the one that the name of theirs means now. Init containers run once: those
    /// that run, or have ended well, are left out.
    #[must_use]
    pub fn outdated(&self, pod: &Pod, images: &BTreeMap<String, ImageFacts>) -> BTreeSet<String> {
        let outdated = |container: &Container| {
            let (current, image) = (self.member(&container.name)?, images.get(&container.image)?);
            let is_init = !container.sidecar && pod.init_containers.contains(container);
            let is_done = is_init && matches!(current.state, State::Running | State::Exited(0));
            (image.id != current.image && !is_done).then(|| current.id.clone())
        };
        pod.members().filter_map(outdated).collect()
    }

    /// Whether it is made anew for its image, as the wish has it. What its name has come to mean since is nobody's business (kubelet: the same).
    #[must_use]
    pub fn is_outdated(&self, container: &SeenContainer) -> bool {
        let record = self.record.as_ref();
        record.is_some_and(|record| record.wish.outdated.contains(&container.id))
    }

    /// The container with this id.
    pub fn by_id(&mut self, id: &str) -> Option<&mut SeenContainer> {
        self.containers.iter_mut().find(|c| c.id == id)
    }
}

impl SeenContainer {
    /// The pod that it belongs to.
    #[must_use]
    pub fn pod(&self) -> &PodKey {
        &self.identity.pod
    }

    /// Whether its main process runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.state == State::Running
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::record::labels::{Care, PAUSE_CONTAINER};
    use crate::spec::RestartPolicy;

    /// The pause container of the pod `web` of `a` and `b`.
    pub(crate) fn pause(state: State) -> SeenContainer {
        SeenContainer {
            joined: None,
            ..member(PAUSE_CONTAINER, state)
        }
    }

    /// A container of that pod.
    pub(crate) fn member(name: &str, state: State) -> SeenContainer {
        SeenContainer {
            id: format!("{name}-0"),
            name: format!("web_{name}_0"),
            identity: Identity {
                pod: PodKey::new("default", "web"),
                uid: "u".into(),
                container: name.into(),
                generation: 1,
                hash: String::new(),
                attempt: 0,
                round: 0,
                containers: vec!["a".into(), "b".into()],
                init_containers: Vec::new(),
                sidecars: Vec::new(),
                care: Care::default(),
                grace_period: 30,
                restart_policy: RestartPolicy::Always,
                restarts: crate::spec::restart::Restarts::default(),
                stop_signal: String::new(),
                restart: None,
                termination_message: None,
            },
            state,
            image: "sha256:1".into(),
            image_name: "busybox".into(),
            joined: Some(format!("{PAUSE_CONTAINER}-0")),
            ip: None,
            host_ip: None,
            connected: true,
            created: 0,
            ports: Vec::new(),
        }
    }
}
