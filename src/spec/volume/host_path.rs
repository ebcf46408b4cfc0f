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

/// What there is at a path of the engine's machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathKind {
    /// A folder.
    Directory,
    /// A file.
    File,
    /// A UNIX socket.
    Socket,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
    /// A pipe, or what nobody mounts.
    Other,
}

impl HostPathType {
    /// What must be there, in the kubelet's words; `None`: anything will do.
    #[must_use]
    pub fn wanted(self) -> Option<(PathKind, &'static str)> {
        match self {
            Self::Unset => None,
            Self::Directory | Self::DirectoryOrCreate => Some((PathKind::Directory, "directory")),
            Self::File | Self::FileOrCreate => Some((PathKind::File, "file")),
            Self::Socket => Some((PathKind::Socket, "socket")),
            Self::CharDevice => Some((PathKind::CharDevice, "character device")),
            Self::BlockDevice => Some((PathKind::BlockDevice, "block device")),
        }
    }
}
