//! What an action has changed, applied to what was seen.
//!
//! Not here: carrying it out (`execute`).

use crate::probe::Answer;
use crate::reconcile::{Seen, SeenContainer, State};
use crate::record::Filled;
use crate::spec::ImageFacts;

/// What an action changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The network is there, or gone.
    Network(bool),
    /// The network is there: another made it meanwhile.
    NetworkFound,
    /// The network stays: something else than a pod has its place in it.
    NetworkKept,
    /// An image is there.
    Pulled(ImageFacts),
    /// A container was made.
    Made(Box<SeenContainer>),
    /// Another made it, or it is gone: look again.
    Raced,
    /// The volumes are filled.
    Filled(Filled),
    /// A container runs.
    Running(String),
    /// A pause container is in the network again.
    Connected(String),
    /// A container has ended; `None`: it is gone too.
    Ended(String, Option<i64>),
    /// A container was stopped.
    Stopped {
        /// `None`: it is gone too.
        code: Option<i64>,
        /// Why its `preStop` hook did not end well.
        hook: Option<String>,
    },
    /// A probe was answered.
    Answered(Answer),
    /// A `postStart` hook has ended: well, or for this reason not.
    Hooked(Result<(), String>),
    /// A container is gone.
    Removed(String),
    /// A volume is gone.
    VolumeRemoved(String),
    /// The record is gone.
    RecordRemoved,
    /// The wish that the pod be gone is gone too.
    DeletionRemoved,
}

impl Effect {
    pub(super) fn of_removed_network(is_gone: bool) -> Self {
        if is_gone {
            Self::Network(false)
        } else {
            Self::NetworkKept
        }
    }
}

/// Brings what was seen up to date with an effect.
pub fn apply(seen: &mut Seen, effect: Effect) {
    match effect {
        Effect::Network(there) => seen.network = there,
        Effect::NetworkFound => seen.network = true,
        Effect::NetworkKept => seen.network_stays = true,
        Effect::Made(container) => seen.containers.push(*container),
        Effect::Raced
        | Effect::Pulled(_)
        | Effect::Answered(_)
        | Effect::Hooked(_)
        | Effect::Stopped { .. } => {}
        Effect::Filled(filled) => {
            if let Some(record) = &mut seen.record {
                record.filled = Some(filled);
            }
        }
        Effect::Running(id) => set_state(seen, &id, State::Running),
        Effect::Connected(id) => {
            if let Some(pause) = seen.by_id(&id) {
                pause.connected = true;
            }
        }
        Effect::Ended(id, Some(code)) => set_state(seen, &id, State::Exited(code)),
        Effect::Ended(id, None) | Effect::Removed(id) => seen.containers.retain(|c| c.id != id),
        Effect::VolumeRemoved(name) => seen.volumes.retain(|volume| *volume != name),
        Effect::RecordRemoved => seen.record = None,
        Effect::DeletionRemoved => seen.deletion = false,
    }
}

fn set_state(seen: &mut Seen, id: &str, state: State) {
    if let Some(container) = seen.by_id(id) {
        container.state = state;
    }
}
