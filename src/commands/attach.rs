//! A pod that is kept alive in the foreground: its progress, and what its containers say.
//!
//! Not here: keeping it alive (`driver::up`).

use std::cell::RefCell;
use std::io;
use std::time::Duration;

use tokio::sync::watch;

use super::Context;
use super::exit::is_closed_pipe;
use super::up::one;
use crate::driver::Interrupt;
use crate::driver::logs::{Wanted, logs};
use crate::driver::up::{Options, Up};
use crate::engine::Engine;
use crate::engine::logs::Line;
use crate::output::lines::Lines;
use crate::reconcile::Until;
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

/// Brings it up and keeps it alive, as `options.attach` says. `leave`: what is done, while it still speaks, with a pod that is left as it is
/// when a person stops that.
pub(super) async fn attached(
    context: &Context,
    engine: &Engine,
    desired: &Desired,
    options: &Options,
    voices: &Voices,
    interrupt: &Interrupt,
    leave: impl AsyncFnOnce() -> anyhow::Result<()>,
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
    let (hang_up, ends) = watch::channel(interrupt.count());
    let ends = Interrupt::new(ends);
    let pass_on = async {
        let mut interrupt = interrupt.clone();
        loop {
            let count = interrupt.count();
            interrupt.beyond(count).await;
            hang_up.send_modify(|count| *count += 1);
        }
    };
    let mut speak = std::pin::pin!(speak);
    let mut pass_on = std::pin::pin!(pass_on);
    let live = async {
        let end = one(context, engine, desired, options, &ends).await?;
        if is_left(options, &end) {
            leave().await?;
        }
        Ok(end)
    };
    let mut live = std::pin::pin!(live);
    let spoken = tokio::select! {
        end = &mut live => {
            let is_whole = |end: &Up| matches!(end, Up::Started { .. }) || is_left(options, end);
            if end.as_ref().is_ok_and(is_whole)
                && let Ok(spoken) = tokio::time::timeout(LAST_WORDS, speak).await
            {
                spoken?;
            }
            return end;
        }
        spoken = &mut speak => spoken,
        () = &mut pass_on => return live.await,
    };
    // Nobody has anything to say any more, and the pod lives on; or nobody listens, and then a pod that lives for as long as somebody
    // looks ends in order.
    let stays = options
        .attach
        .as_ref()
        .is_some_and(|attach| attach.until == Until::Stopped);
    match spoken {
        Ok(()) => {}
        Err(error) if is_closed_pipe(&error) => {
            hang_up.send_modify(|count| *count += u32::from(stays));
        }
        Err(error) => context.printer.warning(&format!(
            "pod {}: its logs are shown no more: {error:#}",
            pod.key
        )),
    }
    tokio::select! {
        end = &mut live => end,
        () = pass_on => live.await,
    }
}

/// Whether a person has stopped it, and it is as it was.
fn is_left(options: &Options, end: &Up) -> bool {
    let leaves = options.attach.as_ref().is_some_and(|attach| attach.leaves);
    leaves && matches!(end, Up::Interrupted { .. })
}

/// The kubelet's, beginning with another wait.
pub(super) fn back_off(first: Duration) -> BackOff {
    BackOff::starting_with(u64::try_from(first.as_millis()).unwrap_or(u64::MAX))
}
