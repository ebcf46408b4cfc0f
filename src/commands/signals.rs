//! Ctrl-C, SIGTERM and the end of `--timeout`, counted. The stream is opened once: a fresh one for each wait could miss a
//! signal.
//!
//! Not here: what they lead to (`driver`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::driver::Interrupt;

/// What listens.
#[derive(Debug, Clone)]
pub struct Signals {
    /// Counts.
    pub interrupt: Interrupt,
    timed_out: Arc<AtomicBool>,
}

impl Signals {
    /// Whether the first interrupt was the end of the time that was given.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.timed_out.load(Ordering::Relaxed)
    }
}

/// Counts from now on; the end of the time, if there is one, counts as an interrupt.
///
/// # Errors
/// When the process may not listen to signals.
pub fn listen(timeout: Option<Duration>) -> std::io::Result<Signals> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // The terminal is gone; what was begun is not to stay half done.
    let mut hangup = signal(SignalKind::hangup())?;
    let (sender, receiver) = watch::channel(0);
    let timed_out = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&timed_out);
    tokio::spawn(async move {
        let mut time = Box::pin(async {
            match timeout {
                Some(timeout) => tokio::time::sleep(timeout).await,
                None => std::future::pending().await,
            }
        });
        let mut over = false;
        loop {
            tokio::select! {
                Some(()) = interrupt.recv() => {}
                Some(()) = terminate.recv() => {}
                Some(()) = hangup.recv() => {}
                () = &mut time, if !over => {
                    over = true;
                    flag.store(*sender.borrow() == 0, Ordering::Relaxed);
                }
                else => break,
            }
            sender.send_modify(|count| *count += 1);
        }
    });
    Ok(Signals {
        interrupt: Interrupt::new(receiver),
        timed_out,
    })
}
