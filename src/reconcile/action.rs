//! What can be done to a pod. An action prints as one line, with its reason: for the log, a dry run and the tests.
//!
//! Not here: doing it (`driver::execute`).

use std::fmt;

use super::health::Kind;
use crate::record::labels::Restart;

/// One step. Each is one or two calls of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Make the network of all pods.
    CreateNetwork,
    /// Make the pause container.
    CreatePause {
        /// Counts the pod's pauses.
        attempt: u32,
        /// The reason.
        why: Why,
    },
    /// Bring a running pause container back into the network.
    Connect(Target),
    /// Fill the volumes of a pod whose members have not started.
    Fill {
        /// The pause container's id.
        pause: String,
    },
    /// Bring changed content into the volumes of a running pod.
    Refill {
        /// The pause container's id.
        pause: String,
    },
    /// Pull the image of a member, which is not there.
    Pull {
        /// The member's name in the pod.
        container: String,
    },
    /// Make a member.
    Create {
        /// Its name in the pod.
        container: String,
        /// Counts the containers that this one of the pod has been.
        attempt: u32,
        /// The pause container's id.
        pause: String,
        /// How often all containers of the pod have begun again together.
        round: u32,
        /// The reason.
        why: Why,
        /// It is in the place of one that has ended, and may have to wait.
        restart: Option<Restart>,
    },
    /// Start what was made.
    Start(Target),
    /// Wait for a running container to end by itself.
    Await(Target),
    /// Run the `postStart` hook of a container that has just been started.
    PostStart(Target),
    /// Ask a running container.
    Probe {
        /// Which.
        target: Target,
        /// Which of its probes.
        kind: Kind,
    },
    /// Run the `preStop` hook of a running container, signal it to end, and end it when its grace period is over.
    Stop {
        /// Which.
        target: Target,
        /// Empty: SIGTERM.
        signal: String,
        /// In seconds.
        grace_period: u64,
        /// The reason.
        why: Why,
    },
    /// Remove a container, whatever its state.
    Remove {
        /// Which.
        target: Target,
        /// The reason.
        why: Why,
    },
    /// Remove a volume of the pod.
    RemoveVolume {
        /// The engine's name for it.
        name: String,
    },
    /// Remove the network of all pods.
    RemoveNetwork,
    /// Remove the record: the pod is gone with it.
    RemoveRecord,
    /// Remove the wish that the pod be gone: it is.
    RemoveDeletion,
}

/// A container that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The engine's id.
    pub id: String,
    /// Its name in the pod; `POD` for the pause container.
    pub container: String,
    /// Counts the containers that this one of the pod has been.
    pub attempt: u32,
}

/// Why something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// There is none.
    Missing,
    /// Its spec differs from what it was made from.
    Changed,
    /// Its image's name now means another image.
    NewImage,
    /// The pause container is another one, or is to be.
    NewPause,
    /// It has ended, and the restart policy wants it running.
    Ended,
    /// A container's end has made all of them begin again.
    RestartAll,
    /// It cannot go on as it is: see [`Input::lost`](crate::reconcile::Input).
    NotStarted,
    /// The pod no longer has it.
    NotWanted,
    /// Another has its place.
    Replaced,
    /// Its `postStart` hook failed.
    HookFailed,
    /// Its startup or liveness probe failed too often.
    Unhealthy(Kind),
    /// The pod has come to its end.
    Over,
    /// The pod is to be gone.
    Down,
}

impl Action {
    /// What it works on: two actions of one key never run at once.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::CreateNetwork | Self::RemoveNetwork => "network".to_owned(),
            Self::CreatePause { .. } => create_key(crate::record::labels::PAUSE_CONTAINER),
            Self::Fill { .. } | Self::Refill { .. } => "volumes".to_owned(),
            Self::Create { container, .. } => create_key(container),
            Self::Pull { container } => format!("pull {container}"),
            Self::Start(target)
            | Self::Connect(target)
            | Self::Stop { target, .. }
            | Self::Remove { target, .. } => target.id.clone(),
            // One whose end is awaited may have to be ended.
            Self::Await(target) => format!("await {}", target.id),
            Self::PostStart(target) => hook_key(&target.id),
            Self::Probe { target, kind } => format!("{} {}", kind.word(), target.id),
            Self::RemoveVolume { name } => name.clone(),
            Self::RemoveRecord | Self::RemoveDeletion => "record".to_owned(),
        }
    }

    /// It only waits, or asks: what is seen of the pod stays as it is.
    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        matches!(
            self,
            Self::Pull { .. } | Self::Await(_) | Self::PostStart(_) | Self::Probe { .. }
        )
    }

    /// The container of the pod that it is about, if it is about one.
    #[must_use]
    pub fn container(&self) -> Option<&str> {
        match self {
            Self::CreatePause { .. } => Some(crate::record::labels::PAUSE_CONTAINER),
            Self::Pull { container } | Self::Create { container, .. } => Some(container),
            Self::Start(target)
            | Self::Connect(target)
            | Self::Await(target)
            | Self::PostStart(target)
            | Self::Probe { target, .. }
            | Self::Stop { target, .. }
            | Self::Remove { target, .. } => Some(&target.container),
            _ => None,
        }
    }
}

/// The key of a container's `postStart` hook.
#[must_use]
pub fn hook_key(id: &str) -> String {
    format!("hook {id}")
}

/// The key of an action that makes a container: it has no id yet.
#[must_use]
pub fn create_key(container: &str) -> String {
    format!("create {container}")
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateNetwork => f.write_str("create network"),
            Self::CreatePause { why, .. } => write!(f, "create pause: {why}"),
            Self::Fill { .. } => f.write_str("fill volumes"),
            Self::Refill { .. } => f.write_str("refill volumes: changed"),
            Self::Pull { container } => write!(f, "pull the image of {container}"),
            Self::Create { container, why, .. } => write!(f, "create {container}: {why}"),
            Self::Start(target) => write!(f, "start {target}"),
            Self::Connect(target) => write!(f, "connect {target} to the network"),
            Self::PostStart(target) => write!(f, "run postStart of {target}"),
            Self::Probe { target, kind } => write!(f, "ask {} of {target}", kind.word()),
            Self::Await(target) => write!(f, "await the end of {target}"),
            Self::Stop { target, why, .. } => write!(f, "stop {target}: {why}"),
            Self::Remove { target, why } => write!(f, "remove {target}: {why}"),
            Self::RemoveVolume { name } => write!(f, "remove volume {name}"),
            Self::RemoveNetwork => f.write_str("remove network"),
            Self::RemoveRecord => f.write_str("remove record"),
            Self::RemoveDeletion => f.write_str("remove deletion"),
        }
    }
}

/// `nginx`, or `pause`; with its attempt unless it is the first.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.container.as_str() {
            crate::record::labels::PAUSE_CONTAINER => "pause",
            name => name,
        };
        match self.attempt {
            0 => f.write_str(name),
            attempt => write!(f, "{name}#{attempt}"),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Changed => "changed",
            Self::NewImage => "new image",
            Self::NewPause => "new pause",
            Self::Ended => "ended",
            Self::RestartAll => "all containers begin again",
            Self::NotStarted => "cannot go on as it is",
            Self::NotWanted => "not wanted",
            Self::Replaced => "replaced",
            Self::HookFailed => "its postStart hook failed",
            Self::Unhealthy(Kind::Startup) => "failed its startup probe",
            Self::Unhealthy(_) => "failed its liveness probe",
            Self::Over => "the pod is over",
            Self::Down => "down",
        })
    }
}
