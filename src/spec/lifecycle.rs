//! What a container does when it begins and before it ends (Kubernetes: `v1.Lifecycle`).
//!
//! Not here: doing it (`probe`), when (`reconcile`).

use serde::Serialize;

use super::is_default;
use super::probe::HttpGet;

/// `lifecycle`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Lifecycle {
    /// `postStart`: what comes after the container waits for it; where it fails, the container is ended.
    #[serde(skip_serializing_if = "is_default")]
    pub post_start: Option<Handler>,
    /// `preStop`: its time counts as part of the grace period.
    #[serde(skip_serializing_if = "is_default")]
    pub pre_stop: Option<Handler>,
    /// `stopSignal`, as Docker spells it; `None`: the image's, or SIGTERM.
    #[serde(skip_serializing_if = "is_default")]
    pub stop_signal: Option<String>,
}

/// What a hook does (Kubernetes: `v1.LifecycleHandler`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Handler {
    /// `exec`: a command in the container.
    Exec(Vec<String>),
    /// `httpGet`: a request.
    Http(HttpGet),
    /// `sleep`, in seconds.
    Sleep(u64),
}
