//! Probes of a container: what is asked, how often, and what its answers mean (Kubernetes: `v1.Probe`).
//!
//! Not here: asking (`probe`), what follows from the answers (`reconcile::health`).

use serde::Serialize;

use super::is_default;

/// The probes of one container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Probes {
    /// `startupProbe`: until it has passed, the others are not asked.
    #[serde(skip_serializing_if = "is_default")]
    pub startup: Option<Probe>,
    /// `livenessProbe`: who fails it is ended.
    #[serde(skip_serializing_if = "is_default")]
    pub liveness: Option<Probe>,
    /// `readinessProbe`: who fails it is not ready.
    #[serde(skip_serializing_if = "is_default")]
    pub readiness: Option<Probe>,
}

/// One probe, with the API server's defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Probe {
    /// What is asked.
    pub check: Check,
    /// `initialDelaySeconds`; default 0.
    pub initial_delay: u64,
    /// `periodSeconds`; default 10.
    pub period: u64,
    /// `timeoutSeconds`; default 1.
    pub timeout: u64,
    /// `successThreshold`; default 1.
    pub success_threshold: u32,
    /// `failureThreshold`; default 3.
    pub failure_threshold: u32,
    /// `terminationGracePeriodSeconds`; `None`: the pod's.
    pub grace_period: Option<u64>,
}

/// One question to a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Check {
    /// `exec`: a command in the container ends with 0.
    Exec(Vec<String>),
    /// `httpGet`: a server answers with a status from 200 to 399.
    Http(HttpGet),
    /// `tcpSocket`: a connection is taken.
    Tcp {
        /// `None`: the pod's address.
        host: Option<String>,
        /// The port.
        port: u16,
    },
    /// `grpc`: the health service says that it serves.
    Grpc {
        /// The port.
        port: u16,
        /// The name that the health service is asked for; empty: the whole server.
        service: String,
    },
}

/// `httpGet`, of a probe or a hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HttpGet {
    /// `None`: the pod's address.
    pub host: Option<String>,
    /// A name is resolved to the container's port of that name.
    pub port: u16,
    /// With its query; default `/`.
    pub path: String,
    /// `scheme: HTTPS`; the certificate is not looked at.
    pub https: bool,
    /// `httpHeaders`, in the order of the manifest.
    pub headers: Vec<(String, String)>,
}
