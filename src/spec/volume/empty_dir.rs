//! `emptyDir`: a folder that lives as long as the pod, on disk or in memory.

use serde::Serialize;

use crate::spec::is_default;

/// An `emptyDir` volume.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct EmptyDir {
    /// Where it lies.
    #[serde(skip_serializing_if = "is_default")]
    pub medium: Medium,
    /// `sizeLimit` in bytes; `None`: no limit. Enforced for memory only.
    #[serde(skip_serializing_if = "is_default")]
    pub size_limit: Option<u64>,
}

/// `emptyDir.medium`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum Medium {
    /// On the engine's disk.
    #[default]
    Disk,
    /// A tmpfs.
    Memory,
}
