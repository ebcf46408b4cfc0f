//! What can go wrong with an engine, in kinds that someone branches on.
//!
//! Not here: exit codes (`cli`).

use thiserror::Error;

/// An engine that could not be asked, or that said no.
#[derive(Debug, Error)]
pub enum EngineError {
    /// Nobody answers at the address. Exit code 3.
    #[error("no engine answers at {address}")]
    Unreachable {
        /// Where it was looked for, and by what it was chosen.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// The socket is there, but this user may not open it. Exit code 3.
    #[error("permission denied to connect to the engine at {address}")]
    PermissionDenied {
        /// Where it was looked for.
        address: String,
    },
    /// The choice of an engine (a flag, a variable, a context) cannot be followed. Exit code 3.
    #[error("{message}")]
    Choice {
        /// What is wrong with it.
        message: String,
    },
    /// The engine answered, but refused. Exit code 1.
    #[error("{message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The engine's own reason.
        message: String,
    },
    /// The connection broke, or an answer made no sense. Exit code 1.
    #[error("talking to the engine failed")]
    Broken {
        /// Why.
        source: bollard::errors::Error,
    },
}

impl EngineError {
    /// The engine's HTTP status, where it answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// What the client says, told apart by what a caller can do about it.
impl From<bollard::errors::Error> for EngineError {
    fn from(error: bollard::errors::Error) -> Self {
        use bollard::errors::Error as E;
        match error {
            E::DockerResponseServerError {
                status_code,
                message,
            } => Self::Refused {
                status: status_code,
                message,
            },
            source => Self::Broken { source },
        }
    }
}
