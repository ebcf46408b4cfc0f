//! Volumes as Docker mounts them.
//!
//! Disk and memory volumes are named volumes of the engine; the pause container mounts them all, so that they are made
//! with it and can be filled through it. A member mounts what it asks for.
//!
//! Not here: what is in them (`archive`).

use std::collections::HashMap;

use bollard::models::{
    Mount as DockerMount, MountType, MountVolumeOptions, MountVolumeOptionsDriverConfig,
};

use super::Refusal;
use crate::record::{hash, labels, names};
use crate::spec::volume::{EmptyDir, HostPathType, Medium};
use crate::spec::{ApiVersion, Container, Desired, EngineFacts, Mount, Pod, Volume, VolumeSource};

/// The first API with a sub-path of a volume (Docker API: `VolumeOptions.Subpath`). Older ones ignore it in silence.
const SUBPATH: ApiVersion = ApiVersion(1, 45);

/// Mounts of a container, in Docker's two ways of saying them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mounts {
    /// `HostConfig.Mounts`: a missing source of a bind is refused.
    pub mounts: Vec<DockerMount>,
    /// `HostConfig.Binds`: a missing source becomes a folder of root's with mode 0755.
    pub binds: Vec<String>,
}

/// What the pause container mounts: the record, and every disk and memory volume.
#[must_use]
pub fn of_pause(pod: &Pod) -> Vec<DockerMount> {
    let record = DockerMount {
        target: Some(names::RECORD_PATH.to_owned()),
        source: Some(names::record(&pod.key)),
        typ: Some(MountType::VOLUME),
        volume_options: Some(MountVolumeOptions {
            no_copy: Some(true),
            ..Default::default()
        }),
        ..Default::default()
    };
    let volumes = pod.volumes.iter().filter(|v| is_named(v));
    let volumes = volumes.map(|v| named_volume(pod, v, &names::volume_path(&v.name), false));
    std::iter::once(record).chain(volumes).collect()
}

/// What a member mounts.
#[must_use]
pub fn of_member(desired: &Desired, container: &Container, facts: &EngineFacts) -> Mounts {
    let mut mounts = Mounts::default();
    for mount in &container.mounts {
        let Some(volume) = desired.pod.volume(&mount.volume) else {
            continue;
        };
        match &volume.source {
            VolumeSource::HostPath(host_path) => match host_path.kind {
                HostPathType::Unset | HostPathType::DirectoryOrCreate => {
                    let mode = if mount.read_only { ":ro" } else { "" };
                    mounts
                        .binds
                        .push(format!("{}:{}{mode}", host_path.path, mount.path));
                }
                _ => mounts.mounts.push(bind(&host_path.path, mount)),
            },
            VolumeSource::EmptyDir(_) | VolumeSource::Data(_) => {
                mounts
                    .mounts
                    .push(part_of_volume(desired, volume, mount, facts));
            }
        }
    }
    mounts
}

/// The file of a container's termination message: one of the record's volume. The engine looks for it when the container starts.
pub fn of_termination_message(
    mounts: &mut Mounts,
    pod: &Pod,
    container: &Container,
    attempt: u32,
    facts: &EngineFacts,
) {
    let Some(message) = &container.termination_message else {
        return;
    };
    let (volume, file) = (
        names::record(&pod.key),
        names::termination_message(&container.name, attempt),
    );
    if knows_sub_paths(facts) {
        mounts.mounts.push(DockerMount {
            target: Some(message.path.clone()),
            source: Some(volume),
            typ: Some(MountType::VOLUME),
            volume_options: Some(MountVolumeOptions {
                no_copy: Some(true),
                subpath: Some(file),
                ..Default::default()
            }),
            ..Default::default()
        });
    } else {
        let root = &facts.root_dir;
        let source = format!("{root}/volumes/{volume}/_data/{file}");
        mounts.binds.push(format!("{source}:{}", message.path));
    }
}

/// What this engine cannot mount.
#[must_use]
pub(super) fn refusals(pod: &Pod, container: &Container, facts: &EngineFacts) -> Vec<Refusal> {
    let with_sub_path = container
        .mounts
        .iter()
        .filter(|mount| !mount.sub_path.is_empty());
    with_sub_path
        .filter_map(|mount| match &pod.volume(&mount.volume)?.source {
            VolumeSource::EmptyDir(EmptyDir {
                medium: Medium::Memory,
                ..
            }) => Some(Refusal::MemorySubPath {
                container: container.name.clone(),
                volume: mount.volume.clone(),
                sub_path: mount.sub_path.clone(),
            }),
            // A container of the pod can write into it, and put a link to the host's files where a bind would
            // look: only the engine's own sub-path is safe from that.
            VolumeSource::EmptyDir(_) if !knows_sub_paths(facts) => Some(Refusal::SubPath {
                container: container.name.clone(),
                volume: mount.volume.clone(),
                sub_path: mount.sub_path.clone(),
                api: facts.api,
            }),
            _ => None,
        })
        .collect()
}

/// Whether the engine has a volume for it.
#[must_use]
pub fn is_named(volume: &Volume) -> bool {
    !matches!(volume.source, VolumeSource::HostPath(_))
}

fn knows_sub_paths(facts: &EngineFacts) -> bool {
    facts.api >= SUBPATH && !facts.podman
}

fn part_of_volume(
    desired: &Desired,
    volume: &Volume,
    mount: &Mount,
    facts: &EngineFacts,
) -> DockerMount {
    let pod = &desired.pod;
    // Members cannot write into a ConfigMap or a Secret (kubelet: mounted read-only since 1.9).
    let read_only = mount.read_only || matches!(volume.source, VolumeSource::Data(_));
    let mut whole = named_volume(pod, volume, &mount.path, read_only);
    if mount.sub_path.is_empty() {
        return whole;
    }
    // The links at the root of such a volume are not for binds: they go through the folder that they lead to.
    let path = match &volume.source {
        VolumeSource::Data(source) => {
            let files = source.files(desired.payload.get(&source.of));
            format!("..{}/{}", hash::folder(pod, source, &files), mount.sub_path)
        }
        _ => mount.sub_path.clone(),
    };
    if knows_sub_paths(facts) {
        if let Some(options) = &mut whole.volume_options {
            options.subpath = Some(path);
        }
        return whole;
    }
    let root = format!(
        "{}/volumes/{}/_data",
        facts.root_dir,
        names::volume(&pod.key, &volume.name)
    );
    let mut bind = bind(&format!("{root}/{path}"), mount);
    bind.read_only = Some(read_only);
    bind
}

fn bind(source: &str, mount: &Mount) -> DockerMount {
    DockerMount {
        target: Some(mount.path.clone()),
        source: Some(source.to_owned()),
        typ: Some(MountType::BIND),
        read_only: Some(mount.read_only),
        ..Default::default()
    }
}

/// A volume of the engine, described whole: whoever mounts it first makes it so.
fn named_volume(pod: &Pod, volume: &Volume, target: &str, read_only: bool) -> DockerMount {
    let mut labels: HashMap<String, String> = labels::of_pod(&pod.key).into_iter().collect();
    labels.insert(labels::VOLUME.to_owned(), volume.name.clone());
    let driver_config = match &volume.source {
        VolumeSource::EmptyDir(empty_dir) if empty_dir.medium == Medium::Memory => {
            Some(tmpfs(empty_dir))
        }
        _ => None,
    };
    DockerMount {
        target: Some(target.to_owned()),
        source: Some(names::volume(&pod.key, &volume.name)),
        typ: Some(MountType::VOLUME),
        read_only: Some(read_only),
        volume_options: Some(MountVolumeOptions {
            // An image that holds files at the path would fill the volume: Kubernetes' volumes begin empty.
            no_copy: Some(true),
            labels: Some(labels),
            driver_config,
            subpath: None,
        }),
        ..Default::default()
    }
}

fn tmpfs(empty_dir: &EmptyDir) -> MountVolumeOptionsDriverConfig {
    // kubelet: an emptyDir is writable for all.
    let size = empty_dir
        .size_limit
        .map(|limit| format!(",size={limit}"))
        .unwrap_or_default();
    let options = format!("mode=0777{size}");
    MountVolumeOptionsDriverConfig {
        name: Some("local".to_owned()),
        options: Some(HashMap::from([
            ("type".to_owned(), "tmpfs".to_owned()),
            ("device".to_owned(), "tmpfs".to_owned()),
            ("o".to_owned(), options),
        ])),
    }
}
