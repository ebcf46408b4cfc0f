//! An app container: it joins the pause container's namespaces.
//!
//! Not here: volumes (`mounts`), variables (`env`).

use std::collections::HashMap;

use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig};

use super::env::Variables;
use super::{mounts, pause};
use crate::record::labels::Restart;
use crate::record::{Identity, hash};
use crate::spec::{Container, Desired, EngineFacts, ImageFacts, Pids, Resources, Security};

/// Entry points that refuse to run, or do not do their work, unless they are PID 1.
const MUST_BE_PID_1: [&str; 6] = [
    "/init",
    "/sbin/init",
    "/usr/sbin/init",
    "/lib/systemd/systemd",
    "/usr/lib/systemd/systemd",
    "/bin/s6-svscan",
];

/// Logs of an engine whose driver keeps them for ever (kubelet: `containerLogMaxSize`, `containerLogMaxFiles`).
const LOG_ROTATION: [(&str, &str); 2] = [("max-size", "10m"), ("max-file", "5")];

/// Where a container is made.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The pod's uid.
    pub uid: &'a str,
    /// The generation that it is made for.
    pub generation: u64,
    /// Counts the containers that this one of the pod has been.
    pub attempt: u32,
    /// The pause container's id.
    pub pause: &'a str,
    /// How often all containers of the pod have begun again together.
    pub round: u32,
    /// It is in the place of one that has ended.
    pub restart: Option<Restart>,
}

/// The body that creates a member of the pod.
#[must_use]
pub fn app(
    desired: &Desired,
    container: &Container,
    place: Place<'_>,
    image: &ImageFacts,
    facts: &EngineFacts,
) -> ContainerCreateBody {
    let pod = &desired.pod;
    // kubelet: `lifecycle.stopSignal` goes before the image's.
    let stop_signal = container.lifecycle.stop_signal.clone();
    let identity = Identity {
        hash: hash::container(pod, container),
        attempt: place.attempt,
        stop_signal: stop_signal
            .clone()
            .unwrap_or_else(|| image.stop_signal.clone()),
        restart: place.restart,
        round: place.round,
        ..Identity::of(pod, place.uid, place.generation, &container.name)
    };
    let variables = Variables::of(container, &desired.payload);
    let expanded = |list: &[String]| {
        list.iter()
            .map(|text| variables.expand(text))
            .collect::<Vec<_>>()
    };
    let joined = format!("container:{}", place.pause);
    let mut mounts = mounts::of_member(desired, container, facts);
    mounts::of_termination_message(&mut mounts, pod, container, place.attempt, facts);
    let security = &container.security;
    ContainerCreateBody {
        user: user(security),
        image: Some(container.image.clone()),
        labels: Some(identity.to_labels().into_iter().collect()),
        // Docker API: with an entry point of its own the image's CMD is dropped, as Kubernetes wants it.
        entrypoint: given(expanded(&container.command)),
        cmd: given(expanded(&container.args)),
        env: given(variables.to_docker()),
        working_dir: container.working_dir.clone(),
        tty: Some(container.tty),
        open_stdin: Some(container.stdin),
        stdin_once: Some(container.stdin_once),
        healthcheck: Some(pause::no_health_check()),
        stop_signal,
        stop_timeout: i64::try_from(pod.grace_period).ok(),
        host_config: Some(HostConfig {
            pid_mode: shares_pids(pod.pids, container, image).then(|| joined.clone()),
            ipc_mode: Some(joined.clone()),
            network_mode: Some(joined),
            mounts: Some(mounts.mounts),
            binds: given(mounts.binds),
            restart_policy: Some(pause::no_restart()),
            log_config: log_config(facts),
            readonly_rootfs: Some(security.read_only_root),
            privileged: Some(security.privileged),
            cap_add: given(security.add_capabilities.clone()),
            cap_drop: given(security.drop_capabilities.clone()),
            security_opt: security
                .no_new_privileges
                .then(|| vec!["no-new-privileges".to_owned()]),
            ..resources(&container.resources)
        }),
        ..Default::default()
    }
}

/// Whether the container joins the pod's PID namespace. Where the manifest says nothing it does, save for an image that
/// must be PID 1.
#[must_use]
pub fn shares_pids(pids: Pids, container: &Container, image: &ImageFacts) -> bool {
    match pids {
        Pids::Shared => true,
        Pids::Own => false,
        Pids::Unsaid => !must_be_pid_1(container, image),
    }
}

/// Whether the container's first program is one that must be PID 1.
#[must_use]
pub fn must_be_pid_1(container: &Container, image: &ImageFacts) -> bool {
    let given = [
        &container.command,
        &image.entrypoint,
        &container.args,
        &image.cmd,
    ];
    let program = given.into_iter().find_map(|list| list.first());
    program.is_some_and(|program| MUST_BE_PID_1.contains(&program.as_str()))
}

/// Docker API: `USER[:GROUP]`; a group alone goes with root.
fn user(security: &Security) -> Option<String> {
    match (security.user, security.group) {
        (Some(user), Some(group)) => Some(format!("{user}:{group}")),
        (Some(user), None) => Some(user.to_string()),
        (None, Some(group)) => Some(format!("0:{group}")),
        (None, None) => None,
    }
}

/// Limits and shares as the kubelet sets them (kubelet: `MilliCPUToQuota`, `MilliCPUToShares`).
fn resources(resources: &Resources) -> HostConfig {
    const PERIOD: u64 = 100_000;
    let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let quota = |cpu: u64| signed((cpu * PERIOD / 1000).max(1000));
    let shares = |cpu: u64| signed((cpu * 1024 / 1000).clamp(2, 262_144));
    HostConfig {
        cpu_period: resources.cpu_limit.map(|_| signed(PERIOD)),
        cpu_quota: resources.cpu_limit.map(quota),
        cpu_shares: resources.cpu_request.map(shares),
        memory: resources.memory_limit.map(signed),
        // Else the engine grants as much again of swap.
        memory_swap: resources.memory_limit.map(signed),
        ..Default::default()
    }
}

fn log_config(facts: &EngineFacts) -> Option<HostConfigLogConfig> {
    (facts.log_driver == "json-file").then(|| HostConfigLogConfig {
        typ: Some(facts.log_driver.clone()),
        config: Some(
            LOG_ROTATION
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into_iter()
                .collect::<HashMap<_, _>>(),
        ),
    })
}

fn given<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::hash::tests::pod;
    use crate::record::labels::STOP_SIGNAL;
    use crate::spec::{ApiVersion, Architecture, Payload};

    fn body(of_manifest: Option<&str>, of_image: &str) -> ContainerCreateBody {
        let mut pod = pod(&["a"]);
        pod.containers[0].lifecycle.stop_signal = of_manifest.map(str::to_owned);
        let desired = Desired {
            pod,
            manifest: serde_json::Value::Null,
            payload: Payload::new(),
        };
        let image = ImageFacts {
            stop_signal: of_image.to_owned(),
            ..ImageFacts::default()
        };
        let facts = EngineFacts {
            id: "test".into(),
            api: ApiVersion(1, 51),
            architecture: Architecture::X86_64,
            root_dir: "/var/lib/docker".into(),
            podman: false,
            reaches_pods: true,
            log_driver: "local".into(),
        };
        let place = Place {
            uid: "u",
            generation: 1,
            attempt: 0,
            pause: "p",
            round: 0,
            restart: None,
        };
        app(&desired, &desired.pod.containers[0], place, &image, &facts)
    }

    #[test]
    fn the_stop_signal_of_the_manifest_goes_before_the_images() {
        let check = |of_manifest: Option<&str>, of_image: &str, expected: Option<&str>| {
            let body = body(of_manifest, of_image);
            // The engine knows the image's.
            assert_eq!(body.stop_signal.as_deref(), of_manifest);
            let label = body
                .labels
                .and_then(|labels| labels.get(STOP_SIGNAL).cloned());
            assert_eq!(label.as_deref(), expected);
        };
        check(None, "", None);
        check(None, "SIGQUIT", Some("SIGQUIT"));
        check(Some("SIGUSR1"), "", Some("SIGUSR1"));
        check(Some("SIGUSR1"), "SIGQUIT", Some("SIGUSR1"));
    }
}
