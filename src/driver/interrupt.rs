//! A person's wish to stop: once, and things end in order; twice, and they end at once.
//!
//! Not here: signals (`commands`).

use tokio::sync::watch;

/// Counts how often it was asked to stop.
#[derive(Debug, Clone)]
pub struct Interrupt(watch::Receiver<u32>);

impl Interrupt {
    /// One that counts what the sender says.
    #[must_use]
    pub fn new(count: watch::Receiver<u32>) -> Self {
        Self(count)
    }

    /// One that never comes.
    #[must_use]
    pub fn never() -> Self {
        Self(watch::channel(0).1)
    }

    /// How often so far.
    #[must_use]
    pub fn count(&self) -> u32 {
        *self.0.borrow()
    }

    /// Does the work, unless it is asked to stop more often than `count` times before that ends: an engine may take calls and answer
    /// none.
    pub async fn or<T>(&self, count: u32, work: impl Future<Output = T>) -> Option<T> {
        let mut stopped = self.clone();
        tokio::select! { biased;
            () = stopped.beyond(count) => None,
            done = work => Some(done),
        }
    }

    /// Waits until it was asked more often than `count` times.
    pub async fn beyond(&mut self, count: u32) {
        if self.0.wait_for(|now| *now > count).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
