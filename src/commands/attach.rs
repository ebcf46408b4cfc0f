//! A pod that is kept alive in the foreground: its progress, and what its containers say.
//!
//! Not here: keeping it alive (`driver::up`).

use std::time::Duration;

use super::Context;
use super::up::one;
use crate::driver::Interrupt;
use crate::driver::logs::{Wanted, logs};
use crate::driver::up::{Options, Up};
use crate::engine::Engine;
use crate::output::lines::Lines;
use crate::reconcile::restart::BackOff;
use crate::spec::{Desired, Pod};

/// What the containers said last is waited for no longer.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Brings it up and keeps it alive, as `options.attach` says. `all`: the pods that speak on the same terminal, this one among them.
pub(super) async fn attached(
    context: &Context,
    engine: &Engine,
    desired: &Desired,
    options: &Options,
    all: &[Desired],
    interrupt: &Interrupt,
) -> anyhow::Result<Up> {
    let pod = &desired.pod;
    let name = |pod: &Pod, container: &str| match all.len() {
        0 | 1 => container.to_owned(),
        _ => format!("{}/{container}", pod.key),
    };
    let pods = all.iter().map(|desired| &desired.pod);
    let of_pod = |pod| Pod::members(pod).map(move |c| name(pod, &c.name));
    let names: Vec<String> = pods.flat_map(of_pod).collect();
    let prefixed = names.len() > 1;
    let mut lines = Lines::new(names, prefixed, false);
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
            lines.write(&name(pod, container), line)?;
            lines.flush()
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
