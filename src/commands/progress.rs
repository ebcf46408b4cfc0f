//! Work on one pod, shown while it goes on.
//!
//! Not here: how it looks (`output::progress`).

use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::driver::{Event, Events};
use crate::output::{Printer, Progress};
use crate::spec::PodKey;

/// Does the work, and shows its events until it ends.
pub(super) async fn shown<T>(
    printer: Printer,
    pod: &PodKey,
    work: impl AsyncFnOnce(Events) -> T,
) -> T {
    watched(printer, pod, work, |_| ()).await
}

/// The same, with its events and the time of each since the beginning.
pub(super) async fn timed<T>(
    printer: Printer,
    pod: &PodKey,
    work: impl AsyncFnOnce(Events) -> T,
) -> (T, Vec<(Duration, Event)>) {
    let begun = Instant::now();
    let mut events = Vec::new();
    let note = |event| events.push((begun.elapsed(), event));
    let end = watched(printer, pod, work, note).await;
    (end, events)
}

async fn watched<T>(
    printer: Printer,
    pod: &PodKey,
    work: impl AsyncFnOnce(Events) -> T,
    mut note: impl FnMut(Event),
) -> T {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let mut progress = Progress::new(printer, pod);
    let show = async {
        while let Some(event) = receiver.recv().await {
            progress.show(&event);
            note(event);
        }
        progress.finish();
    };
    let (end, ()) = tokio::join!(work(Events::to(sender)), show);
    end
}
