//! Ctrl-C, SIGTERM and the end of `--timeout`, counted. The stream is opened once: a fresh one for each wait could miss a
//! signal.
//!
//! Not here: what they lead to (`driver`).

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::Exit;
use crate::driver::{Interrupt, passing};
use crate::engine::Engine;
use crate::output::Printer;
use crate::spec::PodKey;

/// What listens.
#[derive(Debug, Clone)]
pub struct Signals {
    /// Counts.
    pub interrupt: Interrupt,
    timed_out: Arc<AtomicBool>,
    first: Arc<AtomicU8>,
}

/// Those that ask podctl to end: number and name.
pub(super) const ENDING: [(u8, &str); 3] = [(2, "SIGINT"), (15, "SIGTERM"), (1, "SIGHUP")];

impl Signals {
    /// The first signal, by its number and name; `None`: none has come.
    #[must_use]
    pub(super) fn first(&self) -> Option<(u8, &'static str)> {
        let first = self.first.load(Ordering::Relaxed);
        ENDING.into_iter().find(|(number, _)| *number == first)
    }

    /// Whether the first interrupt was the end of the time that was given.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.timed_out.load(Ordering::Relaxed)
    }

    /// How the way of a pod ended: where the interrupt was the end of the time, that is said.
    pub(super) fn exit(&self, printer: Printer, key: &PodKey, exit: Exit) -> Exit {
        if exit == Exit::Interrupted && self.timed_out() {
            printer.warning(&format!("pod {key}: time is up"));
            return Exit::TimedOut;
        }
        exit
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
    let first = Arc::new(AtomicU8::new(0));
    let (flag, number) = (Arc::clone(&timed_out), Arc::clone(&first));
    tokio::spawn(async move {
        let mut time = Box::pin(async {
            match timeout {
                Some(timeout) => tokio::time::sleep(timeout).await,
                None => std::future::pending().await,
            }
        });
        let mut over = false;
        loop {
            let [by_interrupt, by_terminate, by_hangup] = ENDING.map(|(number, _)| number);
            let came = tokio::select! {
                Some(()) = interrupt.recv() => by_interrupt,
                Some(()) = terminate.recv() => by_terminate,
                Some(()) = hangup.recv() => by_hangup,
                () = &mut time, if !over => {
                    over = true;
                    flag.store(*sender.borrow() == 0, Ordering::Relaxed);
                    0
                }
                else => break,
            };
            if *sender.borrow() == 0 {
                number.store(came, Ordering::Relaxed);
            }
            sender.send_modify(|count| *count += 1);
        }
    });
    Ok(Signals {
        interrupt: Interrupt::new(receiver),
        timed_out,
        first,
    })
}

/// Passes the signals that ask for something else than the end on to the pod's containers, for as long as it is polled.
///
/// # Errors
/// When the process may not listen to signals, or the engine refuses.
pub(super) async fn pass_on(engine: &Engine, key: &PodKey) -> anyhow::Result<Infallible> {
    let mut first = signal(SignalKind::user_defined1())?;
    let mut second = signal(SignalKind::user_defined2())?;
    loop {
        let name = tokio::select! {
            _ = first.recv() => "SIGUSR1",
            _ = second.recv() => "SIGUSR2",
        };
        passing::pass_on(engine, key, name).await?;
    }
}
