//! The pod: what belongs to all its containers together.
//!
//! Not here: the containers (`container`) and the volumes (`volume`).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::volume::Medium;
use super::{
    Container, DataKind, DataRef, Payload, Protocol, Text, Volume, VolumeSource, is_default,
};

/// A pod is known by its namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodKey {
    /// `default` when the manifest names none.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl PodKey {
    /// The namespace of pods that name none.
    pub const DEFAULT_NAMESPACE: &str = "default";

    /// A pod of this name in this namespace.
    #[must_use]
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// As podctl's command line names it: `web`, or `web -n staging` outside the namespace `default`.
    #[must_use]
    pub fn words(&self) -> String {
        if self.namespace == Self::DEFAULT_NAMESPACE {
            self.name.clone()
        } else {
            format!("{} -n {}", self.name, self.namespace)
        }
    }
}

/// `web`, or `staging/web` outside the namespace `default`.
impl fmt::Display for PodKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace != Self::DEFAULT_NAMESPACE {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}

/// A pod as the manifest asks for it, with its references resolved: what `up` drives an engine towards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// The checked pod.
    pub pod: Pod,
    /// The `v1` Pod as JSON, defaults not filled in, nothing of a cluster left in it. This is what the record keeps:
    /// loading it again gives `pod`.
    pub manifest: serde_json::Value,
    /// What the pod refers to, as far as the stream has it.
    pub payload: Payload,
}

impl Desired {
    /// Whether the volumes need anything that is not there when the engine makes them: files, or the mode of a folder; or the record what
    /// came with the pod.
    #[must_use]
    pub fn needs_fill(&self) -> bool {
        let speaks = |container: &Container| container.termination_message.is_some();
        let is_plain = self.payload.is_empty() && self.volumes_to_fill().next().is_none();
        !is_plain || self.pod.members().any(speaks)
    }

    /// The names of the volumes that need that.
    pub fn volumes_to_fill(&self) -> impl Iterator<Item = &str> {
        let needs = |volume: &&Volume| match &volume.source {
            VolumeSource::EmptyDir(empty_dir) => empty_dir.medium == Medium::Disk,
            VolumeSource::Data(_) => true,
            VolumeSource::HostPath(_) => false,
        };
        let needing = self.pod.volumes.iter().filter(needs);
        needing.map(|volume| volume.name.as_str())
    }
}

/// The checked pod. Serialized only to be hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pod {
    /// Namespace and name.
    #[serde(skip)]
    pub key: PodKey,
    /// `metadata.labels`; they have no effect on the containers.
    #[serde(skip)]
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`; likewise.
    #[serde(skip)]
    pub annotations: BTreeMap<String, String>,
    /// `spec.hostname`, or the pod's name cut to 63 characters (kubelet: `truncatePodHostnameIfNeeded`).
    pub hostname: String,
    /// `spec.subdomain`.
    #[serde(skip_serializing_if = "is_default")]
    pub subdomain: Option<String>,
    /// `spec.restartPolicy`; default `Always`.
    #[serde(skip)]
    pub restart_policy: RestartPolicy,
    /// `spec.terminationGracePeriodSeconds`, in seconds; default 30.
    #[serde(skip)]
    pub grace_period: u64,
    /// `spec.activeDeadlineSeconds`, in seconds since the pod's start.
    #[serde(skip_serializing_if = "is_default")]
    pub active_deadline: Option<u64>,
    /// The generation at which somebody last asked for the whole pod to be started anew; 0: never.
    #[serde(skip_serializing_if = "is_default")]
    pub restarted: u64,
    /// Somebody asked for it to be stopped, and to stay so.
    #[serde(skip)]
    pub stopped: bool,
    /// Somebody stays with it in the foreground, and keeps it alive.
    #[serde(skip)]
    pub attached: bool,
    /// What the hashes of Secrets are made with, so that nobody who reads one (they stand in labels and paths) can find a value by
    /// trying. It is a secret itself: the record keeps it, for as long as there is the pod. Empty where nothing is secret.
    #[serde(skip)]
    pub salt: String,
    /// `spec.imagePullSecrets`: the names of Secrets with which its images may be pulled.
    #[serde(skip)]
    pub image_pull_secrets: Vec<String>,
    /// Whether the containers see each other's processes.
    #[serde(skip_serializing_if = "is_default")]
    pub pids: Pids,
    /// The ports published on the engine's machine: `hostPort` of all containers, then those of `--publish`.
    #[serde(skip_serializing_if = "is_default")]
    pub publish: Vec<Publish>,
    /// `spec.hostAliases`: address and names, in the order of the manifest.
    #[serde(skip_serializing_if = "is_default")]
    pub host_aliases: Vec<(String, Vec<String>)>,
    /// `spec.initContainers`: each ends well before what comes after it starts.
    #[serde(skip)]
    pub init_containers: Vec<Container>,
    /// `spec.containers`, in the order of the manifest.
    #[serde(skip)]
    pub containers: Vec<Container>,
    /// `spec.volumes`.
    #[serde(skip)]
    pub volumes: Vec<Volume>,
}

impl Pod {
    /// The same pod, in which what was asked to be started anew has been, and whose hashes go with those of before.
    #[must_use]
    pub fn following(mut self, before: &Self) -> Self {
        if !self.salt.is_empty() && !before.salt.is_empty() {
            self.salt.clone_from(&before.salt);
        }
        self.restarted = self.restarted.max(before.restarted);
        let members = self.init_containers.iter_mut().chain(&mut self.containers);
        for container in members {
            let before = before.container(&container.name).map(|c| c.restarted);
            container.restarted = container.restarted.max(before.unwrap_or_default());
        }
        self
    }

    /// The ConfigMaps and Secrets that it needs.
    pub fn refers_to(&self) -> impl Iterator<Item = DataRef> {
        let volumes = self.volumes.iter().filter_map(|v| match &v.source {
            VolumeSource::Data(source) => Some(source.of.clone()),
            _ => None,
        });
        let variables = self.members().flat_map(|container| {
            let from = container.env_from.iter().map(|from| from.of.clone());
            let keys = container.env.iter().filter_map(|var| match &var.value {
                Text::Key { of, .. } => Some(of.clone()),
                Text::Plain(_) => None,
            });
            from.chain(keys)
        });
        let pulls = self.image_pull_secrets.iter();
        let pulls = pulls.map(|name| DataRef::new(DataKind::Secret, name));
        volumes.chain(variables).chain(pulls)
    }

    /// All containers, init containers first.
    pub fn members(&self) -> impl Iterator<Item = &Container> {
        self.init_containers.iter().chain(&self.containers)
    }

    /// The init containers that run for as long as the pod.
    pub fn sidecars(&self) -> impl Iterator<Item = &Container> {
        self.init_containers.iter().filter(|c| c.sidecar)
    }

    /// The container of this name, of whichever kind.
    #[must_use]
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.members().find(|c| c.name == name)
    }

    /// The restart policy of all app containers; `None`: they have several, or rules.
    #[must_use]
    pub fn common_policy(&self) -> Option<RestartPolicy> {
        let policy = |c: &Container| c.restarts.policy.unwrap_or(self.restart_policy);
        let first = policy(self.containers.first()?);
        let is_same = |c: &Container| policy(c) == first && c.restarts.rules.is_empty();
        self.containers.iter().all(is_same).then_some(first)
    }

    /// The volume of this name.
    #[must_use]
    pub fn volume(&self, name: &str) -> Option<&Volume> {
        self.volumes.iter().find(|v| v.name == name)
    }
}

/// `spec.restartPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum RestartPolicy {
    /// An ended container is started anew whatever its exit code.
    #[default]
    Always,
    /// An ended container is started anew unless its exit code is 0.
    OnFailure,
    /// An ended container stays as it is.
    Never,
}

/// `spec.shareProcessNamespace`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum Pids {
    /// Nothing is said: shared, save for containers whose image must be PID 1.
    #[default]
    Unsaid,
    /// `true`.
    Shared,
    /// `false`.
    Own,
}

/// One port published on the engine's machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Publish {
    /// The address to listen on; empty means all.
    pub host_ip: String,
    /// 0 lets the engine choose (only `--publish` can say so).
    pub host_port: u16,
    /// The port inside the pod.
    pub container_port: u16,
    /// TCP unless said.
    pub protocol: Protocol,
}

impl Publish {
    /// Whether one machine cannot publish both.
    #[must_use]
    pub fn collides(&self, other: &Self) -> bool {
        let is_all = |ip: &str| matches!(ip, "" | "0.0.0.0" | "::");
        let same_address =
            self.host_ip == other.host_ip || is_all(&self.host_ip) || is_all(&other.host_ip);
        self.host_port != 0
            && self.host_port == other.host_port
            && self.protocol == other.protocol
            && same_address
    }
}
