//! One container of a pod.
//!
//! Not here: what its image says of itself (`facts::ImageFacts`).

use std::fmt;

use serde::Serialize;

use super::lifecycle::Lifecycle;
use super::probe::Probes;
use super::restart::Restarts;
use super::{DataRef, Publish, is_default};

/// A checked container. Serialized only to be hashed: what stands in the hash makes the container anew when it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Container {
    /// Unique in the pod.
    pub name: String,
    /// As written; compared by the id that it resolves to, not by this text.
    #[serde(skip)]
    pub image: String,
    /// Default: `Always` for the tag `latest` or none, else `IfNotPresent` (API server: `SetDefaults_Container`).
    #[serde(skip)]
    pub pull: PullPolicy,
    /// Replaces the image's ENTRYPOINT, and its CMD too, unless empty. `$(VAR)` not yet expanded.
    #[serde(skip_serializing_if = "is_default")]
    pub command: Vec<String>,
    /// Replaces the image's CMD unless empty. `$(VAR)` not yet expanded.
    #[serde(skip_serializing_if = "is_default")]
    pub args: Vec<String>,
    /// In the order of the manifest. `$(VAR)` not yet expanded.
    #[serde(skip_serializing_if = "is_default")]
    pub env: Vec<EnvVar>,
    /// `envFrom`; what is in `env` hides it.
    #[serde(skip_serializing_if = "is_default")]
    pub env_from: Vec<EnvFrom>,
    /// `None`: the image's own.
    #[serde(skip_serializing_if = "is_default")]
    pub working_dir: Option<String>,
    /// A terminal for the main process.
    #[serde(skip_serializing_if = "is_default")]
    pub tty: bool,
    /// Standard input stays open.
    #[serde(skip_serializing_if = "is_default")]
    pub stdin: bool,
    /// Standard input closes when the first client leaves.
    #[serde(skip_serializing_if = "is_default")]
    pub stdin_once: bool,
    /// Documents the ports; those with a host port are in `Pod::publish` too.
    #[serde(skip)]
    pub ports: Vec<Port>,
    /// In the order of the manifest.
    #[serde(skip_serializing_if = "is_default")]
    pub mounts: Vec<Mount>,
    /// What it may use.
    #[serde(skip_serializing_if = "is_default")]
    pub resources: Resources,
    /// As whom, and with which rights.
    #[serde(skip_serializing_if = "is_default")]
    pub security: Security,
    /// Asked while it runs.
    #[serde(skip_serializing_if = "is_default")]
    pub probes: Probes,
    /// What it does when it begins and before it ends.
    #[serde(skip_serializing_if = "is_default")]
    pub lifecycle: Lifecycle,
    /// What it leaves to be read of why it ended; `None`: the manifest does not speak of it. Said in the words of the default it
    /// is no change.
    #[serde(skip_serializing_if = "is_default_message")]
    pub termination_message: Option<TerminationMessage>,
    /// An init container with `restartPolicy: Always`: what comes after it does not wait for its end, and it is ended last.
    #[serde(skip_serializing_if = "is_default")]
    pub sidecar: bool,
    /// The generation at which somebody last asked for it to be started anew; 0: never.
    #[serde(skip_serializing_if = "is_default")]
    pub restarted: u64,
    /// What its end leads to.
    #[serde(skip_serializing_if = "is_default")]
    pub restarts: Restarts,
}

/// `terminationMessagePath` and `terminationMessagePolicy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TerminationMessage {
    /// Where it writes.
    pub path: String,
    /// Where it has failed and written nothing, the end of its log counts.
    pub falls_back_to_logs: bool,
}

impl Default for TerminationMessage {
    /// API server: `SetDefaults_Container`.
    fn default() -> Self {
        Self {
            path: "/dev/termination-log".to_owned(),
            falls_back_to_logs: false,
        }
    }
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
fn is_default_message(message: &Option<TerminationMessage>) -> bool {
    message
        .as_ref()
        .is_none_or(|message| *message == TerminationMessage::default())
}

/// `resources`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Resources {
    /// `limits.cpu`, in thousandths of a processor.
    #[serde(skip_serializing_if = "is_default")]
    pub cpu_limit: Option<u64>,
    /// `requests.cpu`, in thousandths of a processor; the limit where nothing is requested.
    #[serde(skip_serializing_if = "is_default")]
    pub cpu_request: Option<u64>,
    /// `limits.memory`, in bytes.
    #[serde(skip_serializing_if = "is_default")]
    pub memory_limit: Option<u64>,
}

/// `securityContext`, with the pod's filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Security {
    /// `runAsUser`; `None`: the image's own.
    #[serde(skip_serializing_if = "is_default")]
    pub user: Option<i64>,
    /// `runAsGroup`; `None`: the image's own.
    #[serde(skip_serializing_if = "is_default")]
    pub group: Option<i64>,
    /// `readOnlyRootFilesystem`.
    #[serde(skip_serializing_if = "is_default")]
    pub read_only_root: bool,
    /// `privileged`.
    #[serde(skip_serializing_if = "is_default")]
    pub privileged: bool,
    /// `allowPrivilegeEscalation: false`.
    #[serde(skip_serializing_if = "is_default")]
    pub no_new_privileges: bool,
    /// `capabilities.add`.
    #[serde(skip_serializing_if = "is_default")]
    pub add_capabilities: Vec<String>,
    /// `capabilities.drop`.
    #[serde(skip_serializing_if = "is_default")]
    pub drop_capabilities: Vec<String>,
}

/// One entry of `env`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvVar {
    /// The variable.
    pub name: String,
    /// What is in it.
    pub value: Text,
}

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Text {
    /// `value`; `$(VAR)` not yet expanded.
    Plain(String),
    /// `valueFrom`: a key of a ConfigMap or a Secret.
    Key {
        /// Which one.
        of: DataRef,
        /// Its key.
        key: String,
        /// Where it, or the key, is missing, there is no such variable.
        #[serde(skip_serializing_if = "is_default")]
        optional: bool,
    },
}

/// One entry of `envFrom`: all keys of a ConfigMap or a Secret as variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvFrom {
    /// Which one.
    pub of: DataRef,
    /// Stands before each name.
    #[serde(skip_serializing_if = "is_default")]
    pub prefix: String,
    /// That it is missing is no fault.
    #[serde(skip_serializing_if = "is_default")]
    pub optional: bool,
}

/// One entry of `ports`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// A name for Services and probes; may be empty.
    pub name: String,
    /// The port inside the pod.
    pub container_port: u16,
    /// 0: not published.
    pub host_port: u16,
    /// Empty: all addresses.
    pub host_ip: String,
    /// TCP unless said.
    pub protocol: Protocol,
}

impl Port {
    /// How it is published on the engine's machine; `None`: it is not.
    #[must_use]
    pub fn published(&self) -> Option<Publish> {
        (self.host_port != 0).then(|| Publish {
            host_ip: self.host_ip.clone(),
            host_port: self.host_port,
            container_port: self.container_port,
            protocol: self.protocol,
        })
    }
}

/// Of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
pub enum Protocol {
    /// The default.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// Reads `tcp` and `TCP`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "tcp" => Some(Self::Tcp),
            "udp" => Some(Self::Udp),
            "sctp" => Some(Self::Sctp),
            _ => None,
        }
    }
}

/// As Docker spells it: `tcp`.
impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        })
    }
}

/// `imagePullPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullPolicy {
    /// Ask the registry each time.
    Always,
    /// Pull what is missing.
    IfNotPresent,
    /// Never ask.
    Never,
}

/// One entry of `volumeMounts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// The volume's name.
    pub volume: String,
    /// Absolute path in the container.
    pub path: String,
    /// A path inside the volume, relative and without `..`; empty: its root.
    #[serde(skip_serializing_if = "is_default")]
    pub sub_path: String,
    /// Not writable through this mount.
    #[serde(skip_serializing_if = "is_default")]
    pub read_only: bool,
}
