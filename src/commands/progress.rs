//! Work on one pod, shown while it goes on.
//!
//! Not here: how it looks (`output::progress`).

use tokio::sync::mpsc;

use crate::driver::Events;
use crate::output::{Printer, Progress};
use crate::spec::PodKey;

/// Does the work, and shows its events until it ends.
pub(super) async fn shown<T>(
    printer: Printer,
    pod: &PodKey,
    work: impl AsyncFnOnce(Events) -> T,
) -> T {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let mut progress = Progress::new(printer, pod);
    let show = async {
        while let Some(event) = receiver.recv().await {
            progress.show(&event);
        }
        progress.finish();
    };
    let (end, ()) = tokio::join!(work(Events::to(sender)), show);
    end
}
