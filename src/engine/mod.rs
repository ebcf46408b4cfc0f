//! The one user of the Docker client: each call that podctl makes is a method of [`Engine`], in the file of its topic.
//!
//! - [`connect`](mod@connect), [`context`], `ssh`: which engine, and how it is reached.
//! - [`error`], [`reason`]: what can go wrong, and what a refusal is about.
//! - [`facts`], [`look`]: what the engine is, and what there is on it.
//! - [`act`], [`archive`], [`images`]: what changes something.
//! - [`exec`], [`logs`]: what runs inside, and what it says.
//! - [`events`]: what others do.
//! - [`supervisor`]: who keeps the pods alive.
//!
//! Not here: rules about pods, printing.

pub mod act;
pub mod archive;
pub mod connect;
pub mod context;
pub mod credentials;
pub mod error;
pub mod events;
pub mod exec;
pub mod facts;
pub mod images;
pub mod logs;
pub mod look;
mod pull_secrets;
pub mod reason;
mod ssh;
pub mod supervisor;

use std::sync::Arc;

use bollard::Docker;

pub use connect::{Choice, Chosen, Environment, connect};
pub use error::EngineError;

/// A connection to one engine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {
    docker: Docker,
    chosen: Arc<Chosen>,
    listeners: Arc<events::Listeners>,
    /// Lives as long as the connection.
    _tunnel: Option<Arc<ssh::Tunnel>>,
}

impl Engine {
    /// Wraps a client that is set up. Nothing is sent yet.
    #[must_use]
    fn new(docker: Docker, chosen: Chosen, tunnel: Option<Arc<ssh::Tunnel>>) -> Self {
        Self {
            docker,
            chosen: Arc::new(chosen),
            listeners: Arc::default(),
            _tunnel: tunnel,
        }
    }

    /// Where it is, and by what it was chosen.
    #[must_use]
    pub fn chosen(&self) -> &Chosen {
        &self.chosen
    }

    /// Waits for an answer.
    async fn ask<T>(
        &self,
        answer: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, EngineError> {
        answer.await.map_err(|error| self.error(error))
    }

    /// What the client says, told apart by what a caller can do about it.
    fn error(&self, error: bollard::errors::Error) -> EngineError {
        EngineError::of_request(error, &self.chosen)
    }
}
