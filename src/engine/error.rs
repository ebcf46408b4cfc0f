//! What can go wrong with an engine, in kinds that someone branches on.
//!
//! Not here: exit codes (`cli`), what a refusal is about (`reason`).

use std::error::Error as StdError;
use std::io;

use bollard::errors::Error as ClientError;
use thiserror::Error;

use super::connect::Chosen;

/// An engine that could not be asked, or that said no.
#[derive(Debug, Error)]
pub enum EngineError {
    /// Nobody answers at the address.
    #[error("no engine answers at {address}: {reason}")]
    Unreachable {
        /// Where it was looked for, and by what it was chosen.
        address: String,
        /// Why.
        reason: String,
    },
    /// The socket is there, but this user may not open it.
    #[error("permission denied to connect to the engine at {address}")]
    PermissionDenied {
        /// Where it was looked for, and by what it was chosen.
        address: String,
    },
    /// The choice of an engine (a flag, a variable, a context) cannot be followed, or podctl cannot work with it.
    #[error("{message}")]
    Choice {
        /// What is wrong with it.
        message: String,
    },
    /// The engine answered, but refused.
    #[error("{message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The engine's own reason.
        message: String,
    },
    /// An image that a container needs could not be pulled.
    #[error("failed to pull the image `{image}`: {message}")]
    Pull {
        /// Its reference.
        image: String,
        /// The registry's reason.
        message: String,
    },
    /// The connection broke, or an answer made no sense.
    #[error("talking to the engine failed")]
    Broken {
        /// Why.
        source: ClientError,
    },
}

impl EngineError {
    /// What the engine says of an image that it does not have.
    #[must_use]
    pub fn no_image(image: &str) -> Self {
        Self::Refused {
            status: 404,
            message: format!("No such image: {image}"),
        }
    }

    /// The engine's HTTP status, where it answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the engine was not reached, or not to the end of its answer.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::PermissionDenied { .. } | Self::Broken { .. }
        )
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { address, .. } if !address.starts_with("unix://") => Some(
                "is the engine running there, and does it listen at this address? `--host`, `DOCKER_HOST` or \
                 `--context` choose another",
            ),
            Self::Unreachable { .. } => Some(
                "is the engine running? `sudo systemctl start docker` starts it; `--host`, `DOCKER_HOST` or \
                 `--context` choose another",
            ),
            Self::Broken { .. } => {
                Some("is the engine still running? The same command goes on from here once it is")
            }
            Self::PermissionDenied { .. } => Some(
                "run podctl as a user of the group `docker` (`sudo usermod -aG docker $USER`, then log in again), \
                 or use a rootless engine",
            ),
            _ => None,
        }
    }

    /// Of a client that could not be set up.
    pub(super) fn at_connect(error: ClientError, chosen: &Chosen) -> Self {
        let address = address(chosen);
        match error {
            ClientError::SocketNotFoundError(_) => Self::Unreachable {
                address,
                reason: "there is no such socket".to_owned(),
            },
            error => Self::Choice {
                message: format!("the engine at {address}: {error}"),
            },
        }
    }

    /// Of a request. The client hides the reason of a failed connection in the sources of its error.
    pub(super) fn of_request(error: ClientError, chosen: &Chosen) -> Self {
        match error {
            ClientError::DockerResponseServerError {
                status_code,
                message,
            } => Self::Refused {
                status: status_code,
                message: message.trim().to_owned(),
            },
            ClientError::DockerStreamError { error } => Self::Refused {
                status: 500,
                message: error,
            },
            ClientError::HyperLegacyError { ref err } if err.is_connect() => {
                let address = address(chosen);
                match io_kind(&error) {
                    Some(io::ErrorKind::PermissionDenied) => Self::PermissionDenied { address },
                    _ => Self::Unreachable {
                        address,
                        reason: innermost(&error),
                    },
                }
            }
            // ssh has said why on stderr.
            ClientError::HyperLegacyError { .. } if chosen.endpoint.host.starts_with("ssh://") => {
                let reason = "the connection over ssh has ended".to_owned();
                Self::Unreachable {
                    address: address(chosen),
                    reason,
                }
            }
            source => Self::Broken { source },
        }
    }
}

/// Whether an error is that of an engine that was not reached, or not to the end of its answer.
#[must_use]
pub fn is_of_connection(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<EngineError>();
    error.is_some_and(EngineError::is_connection)
}

fn address(chosen: &Chosen) -> String {
    format!("{}, chosen by {}", chosen.endpoint.host, chosen.by)
}

fn sources(error: &ClientError) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let first: &(dyn StdError + 'static) = error;
    std::iter::successors(Some(first), |error: &&(dyn StdError + 'static)| {
        (*error).source()
    })
}

fn io_kind(error: &ClientError) -> Option<io::ErrorKind> {
    sources(error)
        .find_map(|source| source.downcast_ref::<io::Error>())
        .map(io::Error::kind)
}

fn innermost(error: &ClientError) -> String {
    sources(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}
