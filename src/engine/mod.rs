//! The one user of the Docker client: each call that podctl makes is a method of [`Engine`], in the file of its topic.
//!
//! Not here: rules about pods, printing.

pub mod act;
pub mod archive;
pub mod error;
pub mod look;

use bollard::Docker;

pub use error::EngineError;

/// A connection to one engine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {
    docker: Docker,
}

impl Engine {
    /// Wraps a client that is set up. Nothing is sent yet.
    #[must_use]
    pub fn new(docker: Docker) -> Self {
        Self { docker }
    }
}
