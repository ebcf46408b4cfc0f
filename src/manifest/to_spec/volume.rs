//! A volume and its source.
//!
//! Not here: where it is mounted (`container`).

use k8s_openapi::api::core::v1;

use crate::spec::volume::{DataVolume, EmptyDir, HostPath, HostPathType, Item, Medium};
use crate::spec::{DataKind, DataRef, Quantity, Volume, VolumeSource};

const DEFAULT_MODE: u32 = 0o644;

pub(super) fn volume(volume: v1::Volume) -> Volume {
    let source = if let Some(source) = volume.config_map {
        let of = DataRef::new(DataKind::ConfigMap, source.name);
        let (items, mode) = (source.items, source.default_mode);
        VolumeSource::Data(data_volume(of, items, mode, source.optional))
    } else if let Some(source) = volume.secret {
        let name = source.secret_name.unwrap_or_default();
        let of = DataRef::new(DataKind::Secret, name);
        let (items, mode) = (source.items, source.default_mode);
        VolumeSource::Data(data_volume(of, items, mode, source.optional))
    } else if let Some(source) = volume.host_path {
        VolumeSource::HostPath(HostPath {
            kind: host_path_type(source.type_.as_deref()),
            path: source.path,
        })
    } else {
        // API server: a volume without a type is an emptyDir.
        VolumeSource::EmptyDir(empty_dir(&volume.empty_dir.unwrap_or_default()))
    };
    Volume {
        name: volume.name,
        source,
    }
}

fn data_volume(
    of: DataRef,
    items: Option<Vec<v1::KeyToPath>>,
    default_mode: Option<i32>,
    optional: Option<bool>,
) -> DataVolume {
    let mode = |mode: i32| u32::try_from(mode).unwrap_or(DEFAULT_MODE);
    let items = items.filter(|items| !items.is_empty());
    DataVolume {
        of,
        default_mode: default_mode.map_or(DEFAULT_MODE, mode),
        items: items.map(|items| {
            let item = |item: v1::KeyToPath| Item {
                key: item.key,
                path: item.path,
                mode: item.mode.map(mode),
            };
            items.into_iter().map(item).collect()
        }),
        optional: optional.unwrap_or_default(),
    }
}

fn host_path_type(name: Option<&str>) -> HostPathType {
    match name {
        Some("DirectoryOrCreate") => HostPathType::DirectoryOrCreate,
        Some("Directory") => HostPathType::Directory,
        Some("FileOrCreate") => HostPathType::FileOrCreate,
        Some("File") => HostPathType::File,
        Some("Socket") => HostPathType::Socket,
        Some("CharDevice") => HostPathType::CharDevice,
        Some("BlockDevice") => HostPathType::BlockDevice,
        _ => HostPathType::Unset,
    }
}

fn empty_dir(source: &v1::EmptyDirVolumeSource) -> EmptyDir {
    let limit = source
        .size_limit
        .as_ref()
        .and_then(|limit| Quantity::parse(&limit.0));
    EmptyDir {
        medium: match source.medium.as_deref() {
            Some("Memory") => Medium::Memory,
            _ => Medium::Disk,
        },
        // 0 means none.
        size_limit: limit.and_then(Quantity::units).filter(|limit| *limit != 0),
    }
}
