//! A pod that is kept alive in the foreground: its progress, and what its containers say.
//!
//! Not here: keeping it alive (`driver::up`).

use std::cell::RefCell;
use std::io;
use std::time::Duration;

use super::Context;
use super::up::one;
use crate::driver::Interrupt;
use crate::driver::logs::{Wanted, logs};
use crate::driver::up::{Options, Up};
use crate::engine::Engine;
use crate::engine::logs::Line;
use crate::output::lines::Lines;
use crate::reconcile::restart::BackOff;
use crate::spec::{Desired, Pod};

/// What the containers said last is waited for no longer.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What the containers of all pods of a command say, on its one output.
pub(super) struct Voices {
    lines: RefCell<Lines>,
    several: bool,
}

impl Voices {
    /// Of these pods.
    pub(super) fn of(all: &[Desired]) -> Self {
        let several = all.len() > 1;
        let of_pod = |pod: &Pod| -> Vec<String> {
            let members = pod.members();
            members.map(|c| name(several, pod, &c.name)).collect()
        };
        let names: Vec<String> = all.iter().flat_map(|one| of_pod(&one.pod)).collect();
        let prefixed = names.len() > 1;
        Self {
            lines: RefCell::new(Lines::new(names, prefixed, false)),
            several,
        }
    }

    fn say(&self, pod: &Pod, container: &str, line: &Line) -> io::Result<()> {
        let mut lines = self.lines.borrow_mut();
        lines.write(&name(self.several, pod, container), line)?;
        lines.flush()
    }
}

/// Of a container, among those of one pod or of several.
fn name(several: bool, pod: &Pod, container: &str) -> String {
    if several {
        format!("{}/{container}", pod.key)
    } else {
        container.to_owned()
    }
}

/// Brings it up and keeps it alive, as `options.attach` says.
pub(super) async fn attached(
    context: &Context,
    engine: &Engine,
    desired: &Desired,
    options: &Options,
    voices: &Voices,
    interrupt: &Interrupt,
) -> anyhow::Result<Up> {
    let pod = &desired.pod;
    let speak = async {
        match &options.attach {
            Some(attach) => attach.speaks.notified().await,
            None => std::future::pending().await,
        }
        let wanted = Wanted {
            follow: true,
            ..Wanted::default()
        };
        logs(engine, &pod.key, &wanted, |container, line| {
            voices.say(pod, container, line)
        })
        .await
    };
    let mut speak = std::pin::pin!(speak);
    let mut live = std::pin::pin!(one(context, engine, desired, options, interrupt));
    tokio::select! {
        end = &mut live => {
            if let Ok(Up::Started { .. }) = &end
                && let Ok(spoken) = tokio::time::timeout(LAST_WORDS, speak).await
            {
                spoken?;
            }
            return end;
        }
        // Nobody has anything to say any more; the pod lives on.
        spoken = &mut speak => spoken?,
    }
    live.await
}

/// The kubelet's, beginning with another wait.
pub(super) fn back_off(first: Duration) -> BackOff {
    BackOff::starting_with(u64::try_from(first.as_millis()).unwrap_or(u64::MAX))
}
