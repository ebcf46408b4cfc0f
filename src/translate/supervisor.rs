//! The supervisor's container: the engine's socket, the host's network, and nothing else of the machine.
//!
//! Not here: its image and which socket (`driver::supervisor`), what it does (`driver::supervise`).

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountType, RestartPolicy,
    RestartPolicyNameEnum,
};

use crate::record::labels;

/// Where the engine's socket is mounted.
pub const SOCKET: &str = "/engine.sock";
/// Bytes. What 200 pods need, several times over.
const MEMORY: i64 = 256 * 1024 * 1024;
const MOST_PROCESSES: i64 = 64;

/// The body that creates it. `command`: the program's arguments.
#[must_use]
pub fn supervisor(
    image: &str,
    version: &str,
    socket: &str,
    command: Vec<String>,
) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(command),
        labels: Some(HashMap::from([(
            labels::SUPERVISOR.to_owned(),
            version.to_owned(),
        )])),
        healthcheck: Some(super::pause::no_health_check()),
        host_config: Some(HostConfig {
            // Probes come from the node, and pods on another bridge cannot be reached from the default one.
            network_mode: Some("host".to_owned()),
            // The engine's user namespace, if it remaps, does not own the socket.
            userns_mode: Some("host".to_owned()),
            // Not a `Bind`: of a path that is not there the engine would make a folder.
            mounts: Some(vec![Mount {
                typ: Some(MountType::BIND),
                source: Some(socket.to_owned()),
                target: Some(SOCKET.to_owned()),
                ..Default::default()
            }]),
            readonly_rootfs: Some(true),
            cap_drop: Some(vec!["ALL".to_owned()]),
            security_opt: Some(vec![
                "no-new-privileges".to_owned(),
                // SELinux lets no container use the engine's socket.
                "label=disable".to_owned(),
            ]),
            memory: Some(MEMORY),
            pids_limit: Some(MOST_PROCESSES),
            log_config: Some(HostConfigLogConfig {
                typ: Some("json-file".to_owned()),
                config: Some(HashMap::from([
                    ("max-size".to_owned(), "1m".to_owned()),
                    ("max-file".to_owned(), "3".to_owned()),
                ])),
            }),
            // Not `unless-stopped`: after a crash of the engine that stays down.
            restart_policy: Some(RestartPolicy {
                name: Some(RestartPolicyNameEnum::ALWAYS),
                maximum_retry_count: None,
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}
