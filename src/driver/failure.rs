//! What went wrong on the way, to what, and what to do about it.
//!
//! Not here: printing.

use thiserror::Error;

use crate::engine::EngineError;
use crate::reconcile::{Action, FailedInit};
use crate::record::labels::PAUSE_CONTAINER;
use crate::spec::{Container, Pod, PodKey};

/// One thing that failed.
#[derive(Debug, Error)]
#[error("{doing}")]
pub struct Failure {
    /// `failed to start container nginx of pod web`, with names marked.
    pub doing: String,
    /// What to do next.
    pub hint: Option<String>,
    /// What was being done.
    pub action: Option<Action>,
    /// Why it failed; `None`: nothing said no, but nothing came of it.
    #[source]
    pub source: Option<EngineError>,
}

impl Failure {
    /// An action that the engine refused.
    #[must_use]
    pub fn action(pod: &PodKey, action: Action, error: EngineError) -> Self {
        Self {
            doing: doing(pod, &action),
            hint: hint(&action, &error),
            action: Some(action),
            source: Some(error),
        }
    }

    /// A look that failed.
    #[must_use]
    pub fn look(pod: &PodKey, error: EngineError) -> Self {
        Self {
            doing: format!("failed to look up pod `{pod}`"),
            hint: None,
            action: None,
            source: Some(error),
        }
    }

    /// A pod that cannot be kept alive, for now.
    #[must_use]
    pub fn kept(pod: &PodKey, error: &anyhow::Error) -> Self {
        Self {
            doing: format!("pod `{pod}` cannot be seen to: {error:#}"),
            hint: None,
            action: None,
            source: None,
        }
    }

    /// An init container that has not ended well: nothing after it starts.
    #[must_use]
    pub fn init(pod: &PodKey, failed: &FailedInit) -> Self {
        let FailedInit { container, code } = failed;
        Self {
            doing: format!(
                "init container `{container}` of pod `{pod}` has ended with the code {code}: what comes after it is not \
                 started"
            ),
            hint: Some(format!(
                "`podctl logs {} -c {container}` shows what it said; `podctl up` runs it again where the \
                 restart policy lets it",
                pod.words()
            )),
            action: None,
            source: None,
        }
    }

    /// The time that the pod was given is over.
    #[must_use]
    pub fn past_deadline(pod: &PodKey) -> Self {
        Self {
            doing: format!(
                "the time of pod `{pod}` (activeDeadlineSeconds) is over: nothing of it is started any more"
            ),
            hint: Some(format!(
                "`podctl down {}` and then `podctl up` begin anew",
                pod.words()
            )),
            action: None,
            source: None,
        }
    }

    /// The pod does not come to rest.
    #[must_use]
    pub fn stuck(pod: &PodKey) -> Self {
        Self {
            doing: format!("pod `{pod}` does not come to rest"),
            hint: Some(
                "another command may be at work on it, or the engine does not end a removal: \
                 look at `docker ps -a`, then try again"
                    .to_owned(),
            ),
            action: None,
            source: None,
        }
    }

    /// The engine cannot be talked to: nothing more can be done.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        self.source.as_ref().is_some_and(EngineError::is_connection)
    }

    /// The same failure, told of a host port that is taken: which container wants it, and who has it.
    #[must_use]
    pub fn with_port(mut self, pod: &Pod, port: u16, holder: Option<&str>) -> Self {
        self.doing = format!("{}: {}", self.doing, taken_port(pod, port, holder));
        self.hint = Some(format!(
            "free the port, or choose another `hostPort` (or `--publish`) than {port}"
        ));
        self
    }
}

/// Which container wants a host port, and who has it.
pub(super) fn taken_port(pod: &Pod, port: u16, holder: Option<&str>) -> String {
    let wants = |container: &&Container| container.ports.iter().any(|p| p.host_port == port);
    let wanted_by = match pod.containers.iter().find(wants) {
        Some(container) => format!("container `{}` wants the host port {port}", container.name),
        None => format!("the host port {port} is asked for"),
    };
    let held = match holder {
        Some(holder) => format!("the container `{holder}` publishes it"),
        None => "another program on the engine's machine listens on it".to_owned(),
    };
    format!("{wanted_by}, but {held}")
}

fn doing(pod: &PodKey, action: &Action) -> String {
    let container = |name: &str| match name {
        PAUSE_CONTAINER => format!("the pause container of pod `{pod}`"),
        name => format!("container `{name}` of pod `{pod}`"),
    };
    match action {
        Action::CreateNetwork => "failed to create the network `podctl`".to_owned(),
        Action::RemoveNetwork => "failed to remove the network `podctl`".to_owned(),
        Action::CreatePause { .. } => format!("failed to create {}", container(PAUSE_CONTAINER)),
        Action::Connect(_) => {
            format!(
                "failed to connect {} to the network `podctl`",
                container(PAUSE_CONTAINER)
            )
        }
        Action::Create {
            container: name, ..
        } => format!("failed to create {}", container(name)),
        Action::Pull { container: name } => {
            format!("failed to have the image of {}", container(name))
        }
        Action::Fill { .. } | Action::Refill { .. } => {
            format!("failed to fill the volumes of pod `{pod}`")
        }
        Action::Start(target) => format!("failed to start {}", container(&target.container)),
        Action::PostStart(target) => {
            format!(
                "failed to run the postStart hook of {}",
                container(&target.container)
            )
        }
        Action::Probe { target, .. } => format!("failed to ask {}", container(&target.container)),
        Action::Await(target) => format!("failed to wait for {}", container(&target.container)),
        Action::Stop { target, .. } => format!("failed to stop {}", container(&target.container)),
        Action::Remove { target, .. } => {
            format!("failed to remove {}", container(&target.container))
        }
        Action::RemoveVolume { name } => format!("failed to remove the volume `{name}`"),
        Action::RemoveRecord | Action::RemoveDeletion => {
            format!("failed to remove the record of pod `{pod}`")
        }
    }
}

fn hint(action: &Action, error: &EngineError) -> Option<String> {
    let reason = error.reason()?;
    match action {
        Action::Start(target) if error.is_missing_program() => Some(format!(
            "the image of `{}` has no such program, or it may not be executed: check `command` and `args`",
            target.container
        )),
        Action::Create { container, .. }
            if reason.contains("bind source path does not exist")
                && !reason.contains("/volumes/podctl_") =>
        {
            Some(format!(
                "a `hostPath` of `{container}` is not there on the engine's machine: make it, or use the type \
                 `DirectoryOrCreate`"
            ))
        }
        // Docker 20.10, where it was started anew beside running containers (live-restore).
        Action::RemoveVolume { .. } if reason.contains("active mounts") => Some(
            "the engine has lost count of who uses it: once the engine has been started anew, `podctl down` removes it"
                .to_owned(),
        ),
        Action::Create { .. } if error.is_missing_image() => {
            Some("another command removed the image meanwhile: try again".to_owned())
        }
        _ => None,
    }
}
