//! Volumes: one file per type with what that type is, and the files that it starts with.
//!
//! Not here: how a volume is mounted on Docker (`translate::mounts`).

pub mod data;
pub mod empty_dir;
pub mod host_path;

use std::fmt;

use serde::Serialize;

pub use data::{DataVolume, Item};
pub use empty_dir::{EmptyDir, Medium};
pub use host_path::{HostPath, HostPathType, PathKind};

/// One entry of `volumes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// Unique in the pod.
    pub name: String,
    /// What it is.
    pub source: VolumeSource,
}

/// The types of volume that podctl carries out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum VolumeSource {
    /// A folder that lives as long as the pod.
    EmptyDir(EmptyDir),
    /// A file or folder of the engine's machine.
    HostPath(HostPath),
    /// The keys of a ConfigMap or a Secret as files.
    Data(DataVolume),
}

/// A file that a volume starts with.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// Relative to the volume's root; never climbs.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// Its content may be secret.
impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (mode {:o}, {} bytes)",
            self.path,
            self.mode,
            self.content.len()
        )
    }
}
