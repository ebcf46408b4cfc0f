//! What could not be done: a start, a pull, any other action.
//!
//! Not here: when it is tried again (`driver::pod`).

use super::Memory;
use crate::driver::Failure;
use crate::reconcile::Action;
use crate::reconcile::action::Target;
use crate::reconcile::restart::Ended;
use crate::record::labels::PAUSE_CONTAINER;
use crate::record::told::{CANNOT_RUN, Reason};
use crate::spec::Desired;

impl Memory {
    /// A start was refused: it counts as an end.
    pub(in crate::driver) fn refused(&mut self, target: &Target, reason: String) {
        let now = self.now();
        let ended = Ended {
            started: now,
            finished: now,
            alone: false,
        };
        self.ended.insert(target.id.clone(), ended);
        self.happened(true, "Failed", &target.container, &reason);
        let reason = Reason {
            reason: CANNOT_RUN.to_owned(),
            message: reason,
        };
        self.told.waiting.insert(target.container.clone(), reason);
    }

    /// Something cannot be done now for a pod that is kept alive, and is tried again.
    pub(in crate::driver) fn cannot(&mut self, failure: &Failure) {
        let Some(action) = &failure.action else {
            return;
        };
        let container = action.container().filter(|name| *name != PAUSE_CONTAINER);
        // kubelet: the same words.
        let reason = match action {
            Action::Pull { .. } => return,
            Action::Stop { .. } | Action::Remove { .. } => "FailedKillPod",
            _ if container.is_some() => "Failed",
            _ => "FailedCreatePodSandBox",
        };
        let source = failure.source.as_ref();
        let message = source.map_or_else(
            || failure.to_string(),
            |source| format!("{failure}: {source}"),
        );
        self.happened(true, reason, container.unwrap_or_default(), &message);
    }

    /// A container cannot be made: its image is gone, and could not be pulled, or is not to be.
    pub(in crate::driver) fn lacks_image(
        &mut self,
        container: &str,
        refusal: Option<String>,
        desired: Option<&Desired>,
    ) {
        let spec = desired.and_then(|desired| desired.pod.container(container));
        let image = spec.map(|spec| spec.image.clone()).unwrap_or_default();
        let (reason, message) = match refusal {
            Some(message) => ("ErrImagePull", message),
            // kubelet: the same words.
            None => (
                "ErrImageNeverPull",
                format!("Container image \"{image}\" is not present with pull policy of Never"),
            ),
        };
        self.happened(true, reason, container, &message);
        let reason = reason.to_owned();
        let waiting = Reason { reason, message };
        self.told.waiting.insert(container.to_owned(), waiting);
    }
}
