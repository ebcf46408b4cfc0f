//! A container: its image, environment, ports, mounts and rights, and when it is started again.
//!
//! Not here: its probes and hooks (`probe`).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1;

use super::{probe, restart_policy};
use crate::spec::container::TerminationMessage;
use crate::spec::restart::{RestartRule, Restarts};
use crate::spec::{
    Container, DataKind, DataRef, EnvFrom, EnvVar, Mount, Port, Protocol, PullPolicy, Quantity,
    Resources, RestartPolicy, Security, Text, image,
};

/// In which list a container stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `spec.initContainers`.
    Init,
    /// `spec.containers`.
    App,
}

/// One container; what its own security context leaves open is the pod's.
pub(super) fn container(
    container: &v1::Container,
    of_pod: &v1::PodSecurityContext,
    kind: Kind,
) -> Container {
    let image = container.image.clone().unwrap_or_default();
    let env = container.env.iter().flatten();
    let restart_policy = restart_policy(container.restart_policy.as_deref());
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
        env: env.map(variable).collect(),
        env_from: container
            .env_from
            .iter()
            .flatten()
            .filter_map(env_from)
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
        probes: probe::probes(container),
        lifecycle: probe::lifecycle(container),
        termination_message: termination_message(container),
        sidecar: kind == Kind::Init && restart_policy == Some(RestartPolicy::Always),
        restarted: 0,
        restarts: Restarts {
            policy: restart_policy,
            rules: restart_rules(container),
        },
    }
}

/// Where a manifest speaks of it at all, by a field or by the path itself: the file costs an engine's call for each pod.
fn termination_message(container: &v1::Container) -> Option<TerminationMessage> {
    let path = container.termination_message_path.clone();
    let policy = container.termination_message_policy.as_deref();
    let default = TerminationMessage::default();
    let words = container.command.iter().chain(&container.args).flatten();
    let values = container.env.iter().flatten();
    let values = values.filter_map(|var| var.value.as_ref());
    let is_named = words.chain(values).any(|word| word.contains(&default.path));
    (path.is_some() || policy.is_some() || is_named).then(|| TerminationMessage {
        path: path.filter(|path| !path.is_empty()).unwrap_or(default.path),
        falls_back_to_logs: policy == Some("FallbackToLogsOnError"),
    })
}

fn variable(var: &v1::EnvVar) -> EnvVar {
    let key = |kind, name: &str, key: &str, optional: Option<bool>| Text::Key {
        of: DataRef::new(kind, name),
        key: key.to_owned(),
        optional: optional.unwrap_or_default(),
    };
    let from = var.value_from.as_ref();
    let of_map = from.and_then(|from| from.config_map_key_ref.as_ref());
    let of_secret = from.and_then(|from| from.secret_key_ref.as_ref());
    let value = match (of_map, of_secret) {
        (Some(map), _) => key(DataKind::ConfigMap, &map.name, &map.key, map.optional),
        (_, Some(secret)) => key(DataKind::Secret, &secret.name, &secret.key, secret.optional),
        _ => Text::Plain(var.value.clone().unwrap_or_default()),
    };
    EnvVar {
        name: var.name.clone(),
        value,
    }
}

fn env_from(from: &v1::EnvFromSource) -> Option<EnvFrom> {
    let map = from.config_map_ref.as_ref();
    let map = map.map(|map| (DataKind::ConfigMap, &map.name, map.optional));
    let secret = from.secret_ref.as_ref();
    let secret = secret.map(|secret| (DataKind::Secret, &secret.name, secret.optional));
    let (kind, name, optional) = map.or(secret)?;
    Some(EnvFrom {
        of: DataRef::new(kind, name),
        prefix: from.prefix.clone().unwrap_or_default(),
        optional: optional.unwrap_or_default(),
    })
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

/// The rules in their order, of which the first that matches decides (kubelet: `FindMatchingContainerRestartRule`).
fn restart_rules(container: &v1::Container) -> Vec<RestartRule> {
    let rules = container.restart_policy_rules.iter().flatten();
    let rule = |rule: &v1::ContainerRestartRule| {
        let codes = rule.exit_codes.as_ref()?;
        let values = codes.values.iter().flatten();
        Some(RestartRule {
            all: rule.action == "RestartAllContainers",
            not_in: codes.operator == "NotIn",
            codes: values.map(|code| i64::from(*code)).collect(),
        })
    };
    rules.filter_map(rule).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(fields: Value, kind: Kind) -> Container {
        let mut all = json!({"name": "a", "image": "b"});
        if let Value::Object(fields) = fields {
            all.as_object_mut().unwrap().extend(fields);
        }
        let container: v1::Container = serde_json::from_value(all).unwrap();
        super::container(&container, &v1::PodSecurityContext::default(), kind)
    }

    #[test]
    fn an_init_container_that_always_runs_is_a_sidecar() {
        use RestartPolicy::{Always, Never, OnFailure};
        let check = |written: Option<&str>, policy: Option<RestartPolicy>, sidecar: bool| {
            let fields = json!({"restartPolicy": written});
            let init = read(fields.clone(), Kind::Init);
            assert_eq!((init.restarts.policy, init.sidecar), (policy, sidecar));
            let app = read(fields, Kind::App);
            assert_eq!((app.restarts.policy, app.sidecar), (policy, false));
        };
        check(None, None, false);
        check(Some("Always"), Some(Always), true);
        check(Some("OnFailure"), Some(OnFailure), false);
        check(Some("Never"), Some(Never), false);
    }

    #[test]
    fn rules_keep_their_order() {
        let check = |rules: Value, expected: &[RestartRule]| {
            let read = read(json!({"restartPolicyRules": rules}), Kind::App);
            assert_eq!(read.restarts.rules, expected, "{rules}");
        };
        let rule = |all, not_in, codes: &[i64]| RestartRule {
            all,
            not_in,
            codes: codes.to_vec(),
        };
        check(json!(null), &[]);
        check(json!([]), &[]);
        check(
            json!([
                {"action": "Restart", "exitCodes": {"operator": "NotIn", "values": [3, 1]}},
                {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}},
                {"action": "RestartAllContainers", "exitCodes": {"operator": "In"}},
            ]),
            &[
                rule(false, true, &[3, 1]),
                rule(false, false, &[42]),
                rule(true, false, &[]),
            ],
        );
    }
}
