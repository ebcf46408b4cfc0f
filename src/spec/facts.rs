//! What the pure layers are told about an engine and its images: plain data, asked for by `engine`.
//!
//! Not here: asking.

use std::fmt;

/// Of the Docker API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion(pub u16, pub u16);

impl ApiVersion {
    /// The oldest that podctl works with (Docker 20.10).
    pub const OLDEST: Self = Self(1, 41);

    /// Reads `1.41`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// A processor that podctl has a pause program for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// `x86_64`, `amd64`.
    X86_64,
    /// `aarch64`, `arm64`.
    Aarch64,
}

impl Architecture {
    /// Reads what engines say of themselves: `x86_64`, `amd64`, `aarch64`, `arm64`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "x86_64" | "amd64" => Some(Self::X86_64),
            "aarch64" | "arm64" => Some(Self::Aarch64),
            _ => None,
        }
    }

    /// As image configurations spell it.
    #[must_use]
    pub fn oci_name(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
        }
    }
}

/// Facts about an engine that decide how a request is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineFacts {
    /// The engine's own id (Docker API: `info.ID`).
    pub id: String,
    /// The newest API that it speaks.
    pub api: ApiVersion,
    /// Its machine's processor.
    pub architecture: Architecture,
    /// Where it keeps its data on its machine (Docker API: `info.DockerRootDir`).
    pub root_dir: String,
    /// Whether this machine reaches what listens in a pod: it is the engine's own, and no virtual machine or network of a user's is between.
    pub reaches_pods: bool,
    /// Podman's socket, not Docker's.
    pub podman: bool,
    /// The log driver of containers that name none.
    pub log_driver: String,
}

impl EngineFacts {
    /// Tells it from every other engine. Its id alone does not: Docker 20.10 takes that from a file of the machine, which two engines
    /// share.
    #[must_use]
    pub fn identity(&self) -> String {
        format!("{} {}", self.id, self.root_dir)
    }
}

/// Facts about an image, from its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageFacts {
    /// What its name resolves to now: `sha256:...`.
    pub id: String,
    /// ENTRYPOINT.
    pub entrypoint: Vec<String>,
    /// CMD.
    pub cmd: Vec<String>,
    /// STOPSIGNAL; empty: none.
    pub stop_signal: String,
}
