//! A typed pod that has passed every rule, to the checked one: defaults filled in (API server: `SetDefaults_*`), values in
//! the form that the other layers use.
//!
//! Not here: rules (`check`).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1;

use crate::spec::volume::{ConfigMapVolume, EmptyDir, HostPath, HostPathType, Item, Medium};
use crate::spec::{
    ConfigMap, Container, EnvVar, Mount, Pids, Pod, PodKey, Port, Protocol, PullPolicy, Quantity,
    Resources, RestartPolicy, Security, Volume, VolumeSource, image,
};

const DEFAULT_GRACE_PERIOD: i64 = 30;
const DEFAULT_MODE: u32 = 0o644;
/// kubelet: `hostnameMaxLen`.
const LONGEST_HOSTNAME: usize = 63;

/// The checked pod. Values that a rule has refused may come out as anything.
pub(super) fn pod(pod: &v1::Pod, key: PodKey) -> Pod {
    let spec = pod.spec.clone().unwrap_or_default();
    let of_pod = spec.security_context.clone().unwrap_or_default();
    let containers: Vec<Container> = spec
        .containers
        .iter()
        .map(|container| self::container(container, &of_pod))
        .collect();
    let grace_period = spec
        .termination_grace_period_seconds
        .unwrap_or(DEFAULT_GRACE_PERIOD);
    Pod {
        hostname: hostname(
            spec.hostname
                .as_deref()
                .filter(|h| !h.is_empty())
                .unwrap_or(&key.name),
        ),
        key,
        labels: pod.metadata.labels.clone().unwrap_or_default(),
        annotations: pod.metadata.annotations.clone().unwrap_or_default(),
        subdomain: spec.subdomain.filter(|subdomain| !subdomain.is_empty()),
        restart_policy: match spec.restart_policy.as_deref() {
            Some("Never") => RestartPolicy::Never,
            Some("OnFailure") => RestartPolicy::OnFailure,
            _ => RestartPolicy::Always,
        },
        // API server: a negative one becomes 1.
        grace_period: u64::try_from(grace_period).unwrap_or(1),
        pids: match spec.share_process_namespace {
            None => Pids::Unsaid,
            Some(true) => Pids::Shared,
            Some(false) => Pids::Own,
        },
        publish: containers
            .iter()
            .flat_map(|c| &c.ports)
            .filter_map(Port::published)
            .collect(),
        host_aliases: spec
            .host_aliases
            .into_iter()
            .flatten()
            .map(|alias| (alias.ip, alias.hostnames.unwrap_or_default()))
            .collect(),
        init_containers: spec
            .init_containers
            .iter()
            .flatten()
            .map(|container| self::container(container, &of_pod))
            .collect(),
        containers,
        volumes: spec.volumes.into_iter().flatten().map(volume).collect(),
    }
}

/// The content of a ConfigMap.
pub(super) fn config_map(map: v1::ConfigMap) -> ConfigMap {
    let text = map
        .data
        .into_iter()
        .flatten()
        .map(|(key, text)| (key, text.into_bytes()));
    let bytes = map
        .binary_data
        .into_iter()
        .flatten()
        .map(|(key, bytes)| (key, bytes.0));
    ConfigMap {
        data: text.chain(bytes).collect(),
    }
}

fn hostname(name: &str) -> String {
    let cut: String = name.chars().take(LONGEST_HOSTNAME).collect();
    cut.trim_end_matches(['-', '.']).to_owned()
}

fn container(container: &v1::Container, of_pod: &v1::PodSecurityContext) -> Container {
    let image = container.image.clone().unwrap_or_default();
    let env = container.env.iter().flatten();
    Container {
        name: container.name.clone(),
        pull: match container.image_pull_policy.as_deref() {
            Some("Always") => PullPolicy::Always,
            Some("Never") => PullPolicy::Never,
            Some("IfNotPresent") => PullPolicy::IfNotPresent,
            _ if image::is_latest(&image) => PullPolicy::Always,
            _ => PullPolicy::IfNotPresent,
        },
        image,
        command: container.command.clone().unwrap_or_default(),
        args: container.args.clone().unwrap_or_default(),
        env: env
            .map(|var| EnvVar {
                name: var.name.clone(),
                value: var.value.clone().unwrap_or_default(),
            })
            .collect(),
        working_dir: container.working_dir.clone().filter(|dir| !dir.is_empty()),
        tty: container.tty.unwrap_or_default(),
        stdin: container.stdin.unwrap_or_default(),
        stdin_once: container.stdin_once.unwrap_or_default(),
        ports: container.ports.iter().flatten().map(port).collect(),
        mounts: container
            .volume_mounts
            .iter()
            .flatten()
            .map(mount)
            .collect(),
        resources: resources(container),
        security: security(container, of_pod),
    }
}

fn port(port: &v1::ContainerPort) -> Port {
    let number = |value: i32| u16::try_from(value).unwrap_or_default();
    Port {
        name: port.name.clone().unwrap_or_default(),
        container_port: number(port.container_port),
        host_port: number(port.host_port.unwrap_or_default()),
        // All addresses, in its usual spelling.
        host_ip: port
            .host_ip
            .clone()
            .filter(|ip| ip != "0.0.0.0")
            .unwrap_or_default(),
        protocol: port
            .protocol
            .as_deref()
            .and_then(Protocol::parse)
            .unwrap_or_default(),
    }
}

fn mount(mount: &v1::VolumeMount) -> Mount {
    let sub_path = mount.sub_path.as_deref().unwrap_or_default();
    let parts: Vec<&str> = sub_path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    Mount {
        volume: mount.name.clone(),
        // Kubernetes takes a relative path, and the kubelet makes it absolute.
        path: format!("/{}", mount.mount_path.trim_start_matches('/')),
        sub_path: parts.join("/"),
        read_only: mount.read_only.unwrap_or_default(),
    }
}

fn resources(container: &v1::Container) -> Resources {
    let Some(resources) = &container.resources else {
        return Resources::default();
    };
    let read = |list: &Option<BTreeMap<String, _>>, name: &str| {
        let quantity: &k8s_openapi::apimachinery::pkg::api::resource::Quantity =
            list.as_ref()?.get(name)?;
        Quantity::parse(&quantity.0)
    };
    let cpu = |list| read(list, "cpu").and_then(Quantity::thousandths);
    let cpu_limit = cpu(&resources.limits);
    Resources {
        cpu_limit,
        cpu_request: cpu(&resources.requests).or(cpu_limit),
        memory_limit: read(&resources.limits, "memory").and_then(Quantity::units),
    }
}

fn security(container: &v1::Container, of_pod: &v1::PodSecurityContext) -> Security {
    let own = container.security_context.clone().unwrap_or_default();
    let capabilities = own.capabilities.unwrap_or_default();
    Security {
        user: own.run_as_user.or(of_pod.run_as_user),
        group: own.run_as_group.or(of_pod.run_as_group),
        read_only_root: own.read_only_root_filesystem.unwrap_or_default(),
        privileged: own.privileged.unwrap_or_default(),
        no_new_privileges: own.allow_privilege_escalation == Some(false),
        add_capabilities: capabilities.add.unwrap_or_default(),
        drop_capabilities: capabilities.drop.unwrap_or_default(),
    }
}

fn volume(volume: v1::Volume) -> Volume {
    let source = if let Some(source) = volume.config_map {
        VolumeSource::ConfigMap(config_map_volume(source))
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

fn config_map_volume(source: v1::ConfigMapVolumeSource) -> ConfigMapVolume {
    let mode = |mode: i32| u32::try_from(mode).unwrap_or(DEFAULT_MODE);
    let items = source.items.filter(|items| !items.is_empty());
    ConfigMapVolume {
        name: source.name,
        default_mode: source.default_mode.map_or(DEFAULT_MODE, mode),
        items: items.map(|items| {
            let item = |item: v1::KeyToPath| Item {
                key: item.key,
                path: item.path,
                mode: item.mode.map(mode),
            };
            items.into_iter().map(item).collect()
        }),
        optional: source.optional.unwrap_or_default(),
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
