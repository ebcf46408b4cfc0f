//! The pause container: it owns the pod's network, IPC and PID namespaces, its ports, hostname, hosts file and volumes.
//!
//! Not here: the program that runs in it (`crate::pause`).

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HealthConfig, HostConfig, HostConfigLogConfig,
    NetworkingConfig, PortBinding, PortMap, RestartPolicy, RestartPolicyNameEnum,
};

use super::mounts;
use crate::record::{Identity, hash, labels, names};
use crate::spec::Pod;

/// The body that creates the pause container.
#[must_use]
pub fn pause(
    pod: &Pod,
    uid: &str,
    generation: u64,
    attempt: u32,
    image: &str,
) -> ContainerCreateBody {
    let identity = Identity {
        hash: hash::pause(pod),
        attempt,
        ..Identity::of(pod, uid, generation, labels::PAUSE_CONTAINER)
    };
    ContainerCreateBody {
        image: Some(image.to_owned()),
        hostname: Some(pod.hostname.clone()),
        domainname: domain(pod),
        labels: Some(identity.to_labels().into_iter().collect()),
        exposed_ports: Some(exposed_ports(pod)),
        host_config: Some(HostConfig {
            network_mode: Some(names::NETWORK.to_owned()),
            // Else nobody can join it (Docker API: the default is private).
            ipc_mode: Some("shareable".to_owned()),
            port_bindings: Some(port_bindings(pod)),
            extra_hosts: Some(extra_hosts(pod)),
            mounts: Some(mounts::of_pause(pod)),
            cap_drop: Some(vec!["ALL".to_owned()]),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            // It says nothing.
            log_config: Some(HostConfigLogConfig {
                typ: Some("none".to_owned()),
                config: None,
            }),
            restart_policy: Some(no_restart()),
            ..Default::default()
        }),
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(HashMap::from([(
                names::NETWORK.to_owned(),
                EndpointSettings {
                    aliases: Some(vec![names::alias(&pod.key)]),
                    ..Default::default()
                },
            )])),
        }),
        ..Default::default()
    }
}

/// The engine restarts neither pause nor members: its own restarts of members race, and none repairs a pod.
pub(super) fn no_restart() -> RestartPolicy {
    RestartPolicy {
        name: Some(RestartPolicyNameEnum::NO),
        maximum_retry_count: None,
    }
}

/// Kubernetes has no health checks of images.
pub(super) fn no_health_check() -> HealthConfig {
    HealthConfig {
        test: Some(vec!["NONE".to_owned()]),
        ..Default::default()
    }
}

/// kubelet: a pod with a subdomain has `HOSTNAME.SUBDOMAIN.NAMESPACE.svc.CLUSTER-DOMAIN`.
fn domain(pod: &Pod) -> Option<String> {
    let subdomain = pod.subdomain.as_ref()?;
    Some(format!(
        "{subdomain}.{}.svc.cluster.local",
        pod.key.namespace
    ))
}

/// An engine publishes only what is exposed too.
fn exposed_ports(pod: &Pod) -> Vec<String> {
    let mut ports: Vec<String> = pod
        .publish
        .iter()
        .map(|p| format!("{}/{}", p.container_port, p.protocol))
        .collect();
    ports.sort();
    ports.dedup();
    ports
}

fn port_bindings(pod: &Pod) -> PortMap {
    let mut bindings: PortMap = HashMap::new();
    for publish in &pod.publish {
        let port = format!("{}/{}", publish.container_port, publish.protocol);
        let list = bindings
            .entry(port)
            .or_default()
            .get_or_insert_with(Vec::new);
        list.push(PortBinding {
            host_ip: Some(publish.host_ip.clone()),
            // Empty: the engine chooses.
            host_port: Some(match publish.host_port {
                0 => String::new(),
                port => port.to_string(),
            }),
        });
    }
    bindings
}

fn extra_hosts(pod: &Pod) -> Vec<String> {
    let aliases = pod
        .host_aliases
        .iter()
        .filter(|(_, names)| !names.is_empty());
    // The engine writes what stands before the colon into the hosts file as it is: one line for all names of an address
    // (kubelet: so too).
    aliases
        .map(|(ip, names)| format!("{}:{ip}", names.join(" ")))
        .collect()
}
