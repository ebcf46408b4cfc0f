//! A typed pod that has passed every rule, to the checked one: defaults filled in (API server: `SetDefaults_*`), values in
//! the form that the other layers use.
//!
//! - `container`: one container.
//! - `probe`: what it is asked, and its hooks.
//! - `volume`: one volume.
//!
//! Not here: rules (`validate`, `unsupported`).

mod container;
mod probe;
mod volume;

use k8s_openapi::api::core::v1;

use crate::spec::data::{DOCKER_CONFIG, DOCKER_CONFIG_JSON};
use crate::spec::{Container, Data, Pids, Pod, PodKey, Port, RestartPolicy};
use container::Kind;

const DEFAULT_GRACE_PERIOD: i64 = 30;
/// kubelet: `hostnameMaxLen`.
const LONGEST_HOSTNAME: usize = 63;

/// The checked pod. Values that a rule has refused may come out as anything.
pub(super) fn pod(pod: &v1::Pod, key: PodKey) -> Pod {
    let spec = pod.spec.clone().unwrap_or_default();
    let of_pod = spec.security_context.clone().unwrap_or_default();
    let containers: Vec<Container> = spec
        .containers
        .iter()
        .map(|container| container::container(container, &of_pod, Kind::App))
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
        restarted: 0,
        stopped: false,
        attached: false,
        salt: String::new(),
        image_pull_secrets: spec
            .image_pull_secrets
            .into_iter()
            .flatten()
            .map(|secret| secret.name)
            .filter(|name| !name.is_empty())
            .collect(),
        restart_policy: restart_policy(spec.restart_policy.as_deref()).unwrap_or_default(),
        // API server: a negative one becomes 1.
        grace_period: u64::try_from(grace_period).unwrap_or(1),
        active_deadline: spec
            .active_deadline_seconds
            .and_then(|seconds| u64::try_from(seconds).ok()),
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
            .map(|container| container::container(container, &of_pod, Kind::Init))
            .collect(),
        containers,
        volumes: spec
            .volumes
            .into_iter()
            .flatten()
            .map(volume::volume)
            .collect(),
    }
}

/// The content of a ConfigMap.
pub(super) fn config_map(map: v1::ConfigMap) -> Data {
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
    let bytes: Vec<(String, Vec<u8>)> = bytes.collect();
    Data {
        binary: bytes.iter().map(|(key, _)| key.clone()).collect(),
        values: text.chain(bytes).collect(),
        login: false,
    }
}

/// The content of a Secret (API server: `stringData` is laid over `data`).
pub(super) fn secret(secret: v1::Secret) -> Data {
    let bytes = secret.data.into_iter().flatten();
    let text = secret.string_data.into_iter().flatten();
    let bytes = bytes.map(|(key, bytes)| (key, bytes.0));
    let text = text.map(|(key, text)| (key, text.into_bytes()));
    let is_of = |(name, _): (&str, &str)| secret.type_.as_deref() == Some(name);
    Data {
        login: is_of(DOCKER_CONFIG_JSON) || is_of(DOCKER_CONFIG),
        ..Data::new(bytes.chain(text))
    }
}

fn hostname(name: &str) -> String {
    let cut: String = name.chars().take(LONGEST_HOSTNAME).collect();
    cut.trim_end_matches(['-', '.']).to_owned()
}

/// Of a pod or a container; `None`: nothing is said.
fn restart_policy(name: Option<&str>) -> Option<RestartPolicy> {
    match name? {
        "Always" => Some(RestartPolicy::Always),
        "OnFailure" => Some(RestartPolicy::OnFailure),
        "Never" => Some(RestartPolicy::Never),
        _ => None,
    }
}
