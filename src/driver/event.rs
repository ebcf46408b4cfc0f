//! What a command is told while a pod is driven. Plain data; words are `output`'s.
//!
//! Not here: the engine's own events (`engine::events`).

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use super::Failure;
use crate::engine::images::PullProgress;
use crate::reconcile::{Action, Over};
use crate::record::told::Happening;
use crate::spec::RestartPolicy;

/// Something that a person may want to see.
#[derive(Debug, Clone)]
pub enum Event {
    /// An action has begun.
    Began(Action),
    /// An action has ended well.
    Ended(Action),
    /// Nothing was left to do of it: another has done it meanwhile.
    Spared(Action),
    /// An image is being pulled.
    Pulling {
        /// As the manifest names it.
        image: String,
    },
    /// How far the pull is.
    Pull {
        /// As the manifest names it.
        image: String,
        /// One layer of it.
        progress: PullProgress,
    },
    /// An image has been pulled.
    Pulled {
        /// As the manifest names it.
        image: String,
    },
    /// Another `up` or `down` has changed what is wanted of the pod.
    Overtaken {
        /// The generation that is driven to now.
        generation: u64,
    },
    /// A container with probes is ready.
    Ready {
        /// Its name.
        container: String,
    },
    /// A container has ended: an init container not well, or one of a pod that is kept alive.
    Exited {
        /// Its name.
        container: String,
        /// What it has ended with.
        code: i64,
    },
    /// The pod is up, and is kept so.
    Alive {
        /// The restart policy of its containers; `None`: they have several.
        policy: Option<RestartPolicy>,
    },
    /// The pod that is kept alive has come to its end.
    Over(Over),
    /// A probe or a hook failed.
    Happened(Happening),
    /// Something failed that will be tried again.
    Failed(Arc<Failure>),
    /// The engine does not answer; it is asked again for a while.
    Silent(Arc<Failure>),
    /// What was made is taken away again.
    TakingAway,
    /// A pod that was kept alive is taken down.
    TakingDown,
    /// A container keeps a PID namespace of its own, since its image must be PID 1 and the manifest says nothing.
    OwnPids {
        /// Its name.
        container: String,
    },
    /// What a container's variables come from has changed, and it goes on with those that it was started with.
    KeepsVariables {
        /// Its name.
        container: String,
    },
    /// The pause container is made anew for these fields of the pod.
    PauseChanged {
        /// Paths of fields: `spec.hostname`.
        fields: Vec<String>,
    },
}

/// Where they go. Nobody need listen.
#[derive(Debug, Clone)]
pub struct Events(Option<UnboundedSender<Event>>);

impl Events {
    /// To this channel.
    #[must_use]
    pub fn to(sender: UnboundedSender<Event>) -> Self {
        Self(Some(sender))
    }

    /// To nobody.
    #[must_use]
    pub fn nobody() -> Self {
        Self(None)
    }

    /// Tells.
    pub fn tell(&self, event: Event) {
        if let Some(sender) = &self.0 {
            // A command that has stopped listening does not stop the work.
            let _ = sender.send(event);
        }
    }
}
