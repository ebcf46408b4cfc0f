//! What makes a pause or a container differ from the one that is there.
//!
//! Hashed is the checked spec, not the request body: else every release of podctl would make every pod anew. A field at
//! its default leaves no trace. Images are not in it: they are compared by the id that they resolve to. Content of
//! ConfigMaps and Secrets is in the hashes of the payload only, for a change of it makes no container anew. Where a hash of a Secret's
//! content is seen by others than root, the pod's salt is in it.
//!
//! Not here: comparing (`reconcile`).

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::spec::volume::{DataVolume, File};
use crate::spec::{Container, DataKind, Desired, Pod, RestartPolicy, Volume, VolumeSource};

/// Counts the ways of hashing; two hashes of different versions differ, whatever they are of.
const VERSION: u32 = 1;

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Of the pod's own fields, and of the volumes that the pause mounts: a difference makes the pause anew.
#[must_use]
pub fn pause(pod: &Pod) -> String {
    hash(&PauseInput {
        pod,
        volumes: mounted_by_pause(pod),
        init_containers: init_containers(pod),
    })
}

/// The fields of the manifest for which the pause is made anew.
#[must_use]
pub fn pause_changes(old: &Pod, new: &Pod) -> Vec<String> {
    let changed = [
        ("spec.hostname", old.hostname != new.hostname),
        ("spec.subdomain", old.subdomain != new.subdomain),
        ("spec.shareProcessNamespace", old.pids != new.pids),
        ("spec.hostAliases", old.host_aliases != new.host_aliases),
        (
            "spec.activeDeadlineSeconds",
            old.active_deadline != new.active_deadline,
        ),
        ("published ports", old.publish != new.publish),
        (
            "spec.initContainers",
            init_containers(old) != init_containers(new),
        ),
        (
            "spec.volumes",
            mounted_by_pause(old) != mounted_by_pause(new),
        ),
    ];
    changed
        .into_iter()
        .filter(|(_, changed)| *changed)
        .map(|(field, _)| field.to_owned())
        .collect()
}

fn init_containers(pod: &Pod) -> Vec<String> {
    let init_containers = pod.init_containers.iter();
    // A sidecar that is started anew leaves the others as they are.
    let unasked = init_containers.map(|c| Container {
        restarted: 0,
        ..c.clone()
    });
    unasked.map(|c| container(pod, &c)).collect()
}

/// Of one container: a difference makes it anew. The pod's grace period and restart policy are in it, for the engine
/// keeps them with the container.
#[must_use]
pub fn container(pod: &Pod, container: &Container) -> String {
    let host_paths = container
        .mounts
        .iter()
        .filter_map(|mount| pod.volume(&mount.volume))
        .filter(|volume| matches!(volume.source, VolumeSource::HostPath(_)))
        .map(|volume| (volume.name.as_str(), &volume.source))
        .collect();
    hash(&ContainerInput {
        container,
        host_paths,
        salt: salt_of_paths(pod, container),
        grace_period: pod.grace_period,
        restart_policy: pod.restart_policy,
    })
}

/// A container that mounts a part of a Secret's volume names its folder: one that was made for another salt, by an `up` that was killed
/// before it could write that down, looks in the wrong place.
fn salt_of_paths<'a>(pod: &'a Pod, container: &Container) -> Option<&'a str> {
    let is_secret = |volume: &Volume| match &volume.source {
        VolumeSource::Data(source) => source.of.kind == DataKind::Secret,
        _ => false,
    };
    let parts = container.mounts.iter().filter(|m| !m.sub_path.is_empty());
    let mut volumes = parts.filter_map(|mount| pod.volume(&mount.volume));
    volumes.any(is_secret).then_some(pod.salt.as_str())
}

/// Of all that the volumes are filled with: a difference fills them again.
#[must_use]
pub fn payload(desired: &Desired) -> String {
    let mut hasher = Sha256::new();
    for volume in &desired.pod.volumes {
        hasher.update([0]);
        hasher.update(volume.name.as_bytes());
        if let VolumeSource::Data(source) = &volume.source {
            hasher.update(files(&source.files(desired.payload.get(&source.of))));
        }
    }
    format!("{VERSION}-{}", hex(&hasher.finalize()[..16]))
}

/// Of a file of the record.
#[must_use]
pub fn file(content: &[u8]) -> String {
    format!("{VERSION}-{}", hex(&Sha256::digest(content)[..16]))
}

/// Of the files of a volume; it names the folder that holds them.
#[must_use]
pub fn folder(pod: &Pod, volume: &DataVolume, content: &[File]) -> String {
    let files = files(content);
    match volume.of.kind {
        DataKind::ConfigMap => hex(&files[..16]),
        DataKind::Secret => {
            let salted = Sha256::new().chain_update(&pod.salt).chain_update(files);
            hex(&salted.finalize()[..16])
        }
    }
}

fn files(content: &[File]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for file in content {
        hasher.update([0]);
        hasher.update(file.path.as_bytes());
        hasher.update(file.mode.to_be_bytes());
        hasher.update(Sha256::digest(&file.content));
    }
    hasher.finalize().into()
}

/// Disk and memory volumes: what they are, not what is in them.
fn mounted_by_pause(pod: &Pod) -> Vec<(&str, Option<&VolumeSource>)> {
    pod.volumes
        .iter()
        .filter_map(|volume| match &volume.source {
            VolumeSource::HostPath(_) => None,
            VolumeSource::Data(_) => Some((volume.name.as_str(), None)),
            source @ VolumeSource::EmptyDir(_) => Some((volume.name.as_str(), Some(source))),
        })
        .collect()
}

#[derive(Serialize)]
struct PauseInput<'a> {
    pod: &'a Pod,
    volumes: Vec<(&'a str, Option<&'a VolumeSource>)>,
    /// They prepare the ground for all that comes after: a change of one is a change of the pod.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    init_containers: Vec<String>,
}

#[derive(Serialize)]
struct ContainerInput<'a> {
    container: &'a Container,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    host_paths: Vec<(&'a str, &'a VolumeSource)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    salt: Option<&'a str>,
    grace_period: u64,
    restart_policy: RestartPolicy,
}

fn hash(input: &impl Serialize) -> String {
    // Plain data with text for keys has no way to fail.
    let text = serde_json::to_vec(input).unwrap_or_default();
    format!("{VERSION}-{}", hex(&Sha256::digest(text)[..8]))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::spec::lifecycle::{Handler, Lifecycle};
    use crate::spec::probe::{Check, Probe, Probes};
    use crate::spec::restart::{RestartRule, Restarts};
    use crate::spec::volume::{EmptyDir, HostPath, HostPathType, Medium};
    use crate::spec::{
        DataRef, EnvVar, Mount, Pids, PodKey, PullPolicy, Resources, Security, Text,
    };

    /// A container with nothing but a name and an image.
    pub(crate) fn plain(name: &str) -> Container {
        Container {
            name: name.into(),
            image: "busybox".into(),
            pull: PullPolicy::IfNotPresent,
            command: vec![],
            args: vec![],
            env: vec![],
            env_from: vec![],
            working_dir: None,
            tty: false,
            stdin: false,
            stdin_once: false,
            ports: vec![],
            mounts: vec![],
            resources: Resources::default(),
            security: Security::default(),
            probes: Probes::default(),
            lifecycle: Lifecycle::default(),
            termination_message: None,
            sidecar: false,
            restarted: 0,
            restarts: Restarts::default(),
        }
    }

    /// The pod `web` of plain containers.
    pub(crate) fn pod(names: &[&str]) -> Pod {
        Pod {
            init_containers: Vec::new(),
            key: PodKey::new("default", "web"),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            hostname: "web".into(),
            subdomain: None,
            restart_policy: RestartPolicy::Always,
            grace_period: 30,
            active_deadline: None,
            restarted: 0,
            stopped: false,
            attached: false,
            salt: String::new(),
            image_pull_secrets: vec![],
            pids: Pids::Unsaid,
            publish: vec![],
            host_aliases: vec![],
            containers: names.iter().map(|name| plain(name)).collect(),
            volumes: vec![],
        }
    }

    #[test]
    fn hashes_stay_the_same_from_release_to_release() {
        let pod = pod(&["a"]);
        assert_eq!(pause(&pod), "1-a9597129625967ea");
        assert_eq!(container(&pod, &pod.containers[0]), "1-f518a40aa7b7c51d");
    }

    #[test]
    fn a_changed_variable_changes_its_container_only() {
        let (old, mut new) = (pod(&["a", "b"]), pod(&["a", "b"]));
        new.containers[0].env.push(EnvVar {
            name: "X".into(),
            value: Text::Plain("1".into()),
        });
        assert_eq!(pause(&old), pause(&new));
        assert_ne!(
            container(&old, &old.containers[0]),
            container(&new, &new.containers[0])
        );
        assert_eq!(
            container(&old, &old.containers[1]),
            container(&new, &new.containers[1])
        );
    }

    #[test]
    fn the_image_and_its_pull_policy_are_not_in_it() {
        let (old, mut new) = (pod(&["a"]), pod(&["a"]));
        new.containers[0].image = "other".into();
        new.containers[0].pull = PullPolicy::Always;
        assert_eq!(
            container(&old, &old.containers[0]),
            container(&new, &new.containers[0])
        );
    }

    #[test]
    fn a_pause_is_made_anew_for_fields_that_are_named() {
        let old = pod(&["a"]);
        let changes: [&dyn Fn(&mut Pod); 6] = [
            &|p| p.hostname = "other".into(),
            &|p| p.subdomain = Some("other".into()),
            &|p| p.pids = Pids::Own,
            &|p| p.active_deadline = Some(5),
            &|p| p.init_containers = pod(&["i"]).containers,
            &|p| {
                p.volumes.push(Volume {
                    name: "v".into(),
                    source: VolumeSource::EmptyDir(EmptyDir {
                        medium: Medium::Disk,
                        size_limit: None,
                    }),
                });
            },
        ];
        for change in changes {
            let mut new = pod(&["a"]);
            change(&mut new);
            assert_ne!(pause(&new), pause(&old));
            assert_eq!(pause_changes(&old, &new).len(), 1);
        }
    }

    #[test]
    fn probes_hooks_and_what_follows_a_containers_end_are_in_it() {
        let old = pod(&["a"]);
        let with = |change: &dyn Fn(&mut Container)| {
            let mut new = pod(&["a"]);
            change(&mut new.containers[0]);
            assert_eq!(pause(&new), pause(&old));
            container(&new, &new.containers[0])
        };
        let probe = |period| {
            Some(Probe {
                check: Check::Exec(vec!["a".into()]),
                initial_delay: 0,
                period,
                timeout: 1,
                success_threshold: 1,
                failure_threshold: 3,
                grace_period: None,
            })
        };
        let plain = with(&|_| {});
        let hashes = BTreeSet::from([
            plain.clone(),
            with(&|c| c.probes.startup = probe(10)),
            with(&|c| c.probes.liveness = probe(10)),
            with(&|c| c.probes.readiness = probe(10)),
            with(&|c| c.probes.readiness = probe(11)),
            with(&|c| c.lifecycle.post_start = Some(Handler::Sleep(1))),
            with(&|c| c.lifecycle.pre_stop = Some(Handler::Sleep(1))),
            with(&|c| c.lifecycle.stop_signal = Some("SIGUSR1".into())),
            with(&|c| c.sidecar = true),
            // Whoever looks reads of labels what its end leads to.
            with(&|c| c.restarts.policy = Some(RestartPolicy::Never)),
            with(&|c| {
                c.restarts.rules.push(RestartRule {
                    all: false,
                    not_in: false,
                    codes: vec![42],
                });
            }),
        ]);
        assert_eq!(hashes.len(), 11, "each is another");
    }

    #[test]
    fn a_part_of_a_secrets_volume_is_in_a_folder_that_tells_nothing() {
        let with = |kind, sub_path: &str, salt: &str| {
            let mut pod = pod(&["a"]);
            pod.salt = salt.into();
            let source = DataVolume {
                of: DataRef::new(kind, "s"),
                default_mode: 0o644,
                items: None,
                optional: false,
            };
            let folder = folder(&pod, &source, &[]);
            pod.volumes.push(Volume {
                name: "v".into(),
                source: VolumeSource::Data(source),
            });
            pod.containers[0].mounts.push(Mount {
                volume: "v".into(),
                path: "/v".into(),
                sub_path: sub_path.into(),
                read_only: false,
            });
            (folder, container(&pod, &pod.containers[0]))
        };
        let secret = |sub_path, salt| with(DataKind::Secret, sub_path, salt);
        assert_ne!(secret("k", "1").0, secret("k", "2").0);
        assert_ne!(secret("k", "1").1, secret("k", "2").1);
        assert_eq!(secret("", "1").1, secret("", "2").1);
        let config_map = |salt| with(DataKind::ConfigMap, "k", salt);
        assert_eq!(config_map("1"), config_map("2"));
    }

    #[test]
    fn a_volume_that_the_pause_mounts_is_the_pauses_and_a_host_path_its_containers() {
        let old = pod(&["a"]);
        let mut disk = pod(&["a"]);
        disk.volumes.push(Volume {
            name: "v".into(),
            source: VolumeSource::EmptyDir(EmptyDir::default()),
        });
        assert_ne!(pause(&old), pause(&disk));
        let host = |path: &str| {
            let mut pod = pod(&["a"]);
            pod.volumes.push(Volume {
                name: "v".into(),
                source: VolumeSource::HostPath(HostPath {
                    path: path.into(),
                    kind: HostPathType::Unset,
                }),
            });
            pod.containers[0].mounts.push(Mount {
                volume: "v".into(),
                path: "/v".into(),
                sub_path: String::new(),
                read_only: false,
            });
            pod
        };
        let (one, two) = (host("/one"), host("/two"));
        assert_eq!(pause(&one), pause(&old));
        assert_eq!(pause(&one), pause(&two));
        assert_ne!(
            container(&one, &one.containers[0]),
            container(&two, &two.containers[0])
        );
    }
}
