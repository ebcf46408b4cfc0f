//! `hostPath`: a file or folder of the engine's machine, which need not be this one.

use serde::Serialize;

use crate::spec::is_default;

/// A `hostPath` volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostPath {
    /// Absolute.
    pub path: String,
    /// What must be there.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: HostPathType,
}

/// `hostPath.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum HostPathType {
    /// Nothing is checked; a missing path becomes a folder (kubelet: as the container runtime does).
    #[default]
    Unset,
    /// A folder, made with mode 0755 when missing.
    DirectoryOrCreate,
    /// A folder that is there.
    Directory,
    /// A file, made with mode 0644 when missing.
    FileOrCreate,
    /// A file that is there.
    File,
    /// A UNIX socket that is there.
    Socket,
    /// A character device that is there.
    CharDevice,
    /// A block device that is there.
    BlockDevice,
}
