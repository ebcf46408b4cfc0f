//! Rules about the values of a pod and a ConfigMap, as the API server has them (API server: `ValidatePodCreate`,
//! `ValidateConfigMap`). Every fault, not the first.
//!
//! Not here: the form (`schema`), what the values become (`to_spec`).

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1;

use super::check_volumes::{bytes, volumes};
use super::problem::Report;
use super::rules::{self, Verdict};
use crate::spec::Quantity;

/// Bytes of a ConfigMap's data (API server: `MaxSecretSize`).
const MOST_DATA: usize = 1_048_576;

pub(super) fn value(
    report: &mut Report,
    path: &str,
    value: impl std::fmt::Display,
    verdict: Verdict,
) {
    if let Err(rule) = verdict {
        report.error(path, format!("invalid value `{value}`: {rule}"));
    }
}

pub(super) fn one_of(report: &mut Report, path: &str, value: Option<&String>, known: &[&str]) {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return;
    };
    if !known.contains(&value.as_str()) {
        let near = super::schema::nearest(value, known.iter().copied());
        let hint = near.map(|name| format!("did you mean `{name}`?"));
        let message = format!(
            "unsupported value `{value}`: must be one of {}",
            known.join(", ")
        );
        report.error_with(path, message, hint);
    }
}

pub(super) fn required(report: &mut Report, path: &str, value: &str) -> bool {
    if value.is_empty() {
        report.error(path, "required value: must not be empty");
    }
    !value.is_empty()
}

/// The second of two that must differ.
pub(super) fn unique<T: Ord + std::fmt::Display>(
    report: &mut Report,
    seen: &mut BTreeSet<T>,
    path: &str,
    value: T,
) {
    if seen.contains(&value) {
        report.error(path, format!("duplicate value `{value}`"));
    } else {
        seen.insert(value);
    }
}

/// Name, namespace, labels and annotations.
pub(super) fn metadata(
    report: &mut Report,
    meta: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
) {
    match &meta.name {
        Some(name) => value(report, "metadata.name", name, rules::subdomain(name)),
        None => report.error("metadata.name", "required value: the object needs a name"),
    }
    if let Some(namespace) = &meta.namespace {
        value(
            report,
            "metadata.namespace",
            namespace,
            rules::label(namespace),
        );
    }
    for (key, text) in meta.labels.iter().flatten() {
        let path = format!("metadata.labels[{key}]");
        value(report, &path, key, rules::qualified_name(key));
        value(report, &path, text, rules::label_value(text));
    }
    for key in meta.annotations.iter().flatten().map(|(key, _)| key) {
        let path = format!("metadata.annotations[{key}]");
        value(
            report,
            &path,
            key,
            rules::qualified_name(&key.to_lowercase()),
        );
    }
}

/// A ConfigMap.
pub(super) fn config_map(report: &mut Report, map: &v1::ConfigMap) {
    metadata(report, &map.metadata);
    let mut size = 0;
    for (key, text) in map.data.iter().flatten() {
        value(
            report,
            &format!("data[{key}]"),
            key,
            rules::config_map_key(key),
        );
        size += text.len();
    }
    for (key, bytes) in map.binary_data.iter().flatten() {
        let path = format!("binaryData[{key}]");
        value(report, &path, key, rules::config_map_key(key));
        if map.data.as_ref().is_some_and(|data| data.contains_key(key)) {
            report.error(&path, format!("duplicate value `{key}`: it is in data too"));
        }
        size += bytes.0.len();
    }
    if size > MOST_DATA {
        report.error(
            "data",
            format!("too long: {size} bytes in all, must be no more than {MOST_DATA}"),
        );
    }
}

/// A pod.
pub(super) fn pod(report: &mut Report, pod: &v1::Pod) {
    metadata(report, &pod.metadata);
    let Some(spec) = &pod.spec else {
        report.error("spec", "required value: the pod has no spec");
        return;
    };
    one_of(
        report,
        "spec.restartPolicy",
        spec.restart_policy.as_ref(),
        &["Always", "OnFailure", "Never"],
    );
    for (path, name) in [
        ("spec.hostname", &spec.hostname),
        ("spec.subdomain", &spec.subdomain),
    ] {
        if let Some(name) = name.as_ref().filter(|name| !name.is_empty()) {
            value(report, path, name, rules::label(name));
        }
    }
    one_of(
        report,
        "spec.dnsPolicy",
        spec.dns_policy.as_ref(),
        &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"],
    );
    if spec.dns_policy.as_deref() == Some("None") {
        report.error(
            "spec.dnsPolicy",
            "not supported yet: podctl does not carry out the policy None",
        );
    }
    for (i, alias) in spec.host_aliases.iter().flatten().enumerate() {
        value(
            report,
            &format!("spec.hostAliases[{i}].ip"),
            &alias.ip,
            rules::ip(&alias.ip),
        );
        for (j, name) in alias.hostnames.iter().flatten().enumerate() {
            let path = format!("spec.hostAliases[{i}].hostnames[{j}]");
            value(report, &path, name, rules::subdomain(name));
        }
    }
    if let Some(security) = &spec.security_context {
        let ids = [
            ("runAsUser", security.run_as_user),
            ("runAsGroup", security.run_as_group),
        ];
        identities(report, "spec.securityContext", ids);
    }
    volumes(report, spec);
    if spec.containers.is_empty() {
        report.error(
            "spec.containers",
            "required value: the pod has no containers",
        );
    }
    let mut names = BTreeSet::new();
    let mut host_ports = BTreeSet::new();
    for (i, one) in spec.containers.iter().enumerate() {
        let path = format!("spec.containers[{i}]");
        let name = format!("{path}.name");
        if required(report, &name, &one.name) {
            value(report, &name, &one.name, rules::label(&one.name));
            unique(report, &mut names, &name, one.name.clone());
        }
        container(report, &path, one, spec, &mut host_ports);
    }
}

fn container(
    report: &mut Report,
    path: &str,
    container: &v1::Container,
    spec: &v1::PodSpec,
    host_ports: &mut BTreeSet<String>,
) {
    let image = container.image.as_deref().unwrap_or_default();
    if required(report, &format!("{path}.image"), image) && image.trim() != image {
        report.error(
            &format!("{path}.image"),
            format!("invalid value `{image}`: must not begin or end with white space"),
        );
    }
    one_of(
        report,
        &format!("{path}.imagePullPolicy"),
        container.image_pull_policy.as_ref(),
        &["Always", "IfNotPresent", "Never"],
    );
    env(report, path, container);
    ports(report, path, container, host_ports);
    mounts(report, path, container, spec);
    resources(report, path, container);
    if let Some(security) = &container.security_context {
        let ids = [
            ("runAsUser", security.run_as_user),
            ("runAsGroup", security.run_as_group),
        ];
        identities(report, &format!("{path}.securityContext"), ids);
        if security.privileged == Some(true) && security.allow_privilege_escalation == Some(false) {
            let path = format!("{path}.securityContext.allowPrivilegeEscalation");
            report.error(
                &path,
                "invalid value `false`: a privileged container can always escalate",
            );
        }
    }
}

fn identities(report: &mut Report, path: &str, ids: [(&str, Option<i64>); 2]) {
    for (field, id) in ids {
        if let Some(id) = id.filter(|id| !(0..=i64::from(i32::MAX)).contains(id)) {
            let rule = "must be between 0 and 2147483647";
            report.error(
                &format!("{path}.{field}"),
                format!("invalid value `{id}`: {rule}"),
            );
        }
    }
}

fn env(report: &mut Report, path: &str, container: &v1::Container) {
    let names: Vec<&str> = container
        .env
        .iter()
        .flatten()
        .map(|var| var.name.as_str())
        .collect();
    for (i, name) in names.iter().enumerate() {
        let path = format!("{path}.env[{i}]");
        value(report, &format!("{path}.name"), name, rules::env_name(name));
        if names[..i].contains(name) {
            report.warning(&path, format!("hides an earlier `{name}`"));
        }
    }
}

fn ports(
    report: &mut Report,
    path: &str,
    container: &v1::Container,
    host_ports: &mut BTreeSet<String>,
) {
    let mut names = BTreeSet::new();
    for (i, port) in container.ports.iter().flatten().enumerate() {
        let path = format!("{path}.ports[{i}]");
        let number = port.container_port;
        value(
            report,
            &format!("{path}.containerPort"),
            number,
            rules::port(number),
        );
        if let Some(name) = port.name.as_ref().filter(|name| !name.is_empty()) {
            value(
                report,
                &format!("{path}.name"),
                name,
                rules::port_name(name),
            );
            unique(report, &mut names, &format!("{path}.name"), name.clone());
        }
        one_of(
            report,
            &format!("{path}.protocol"),
            port.protocol.as_ref(),
            &["TCP", "UDP", "SCTP"],
        );
        let Some(host) = port.host_port.filter(|host| *host != 0) else {
            continue;
        };
        let host_path = format!("{path}.hostPort");
        value(report, &host_path, host, rules::port(host));
        let protocol = port
            .protocol
            .as_deref()
            .filter(|p| !p.is_empty())
            .unwrap_or("TCP");
        let ip = port.host_ip.as_deref().unwrap_or_default();
        unique(
            report,
            host_ports,
            &host_path,
            format!("{ip}:{host}/{protocol}"),
        );
        if !ip.is_empty() {
            value(report, &format!("{path}.hostIP"), ip, rules::ip(ip));
        }
    }
}

fn mounts(report: &mut Report, path: &str, container: &v1::Container, spec: &v1::PodSpec) {
    let volumes: Vec<&str> = spec
        .volumes
        .iter()
        .flatten()
        .map(|v| v.name.as_str())
        .collect();
    let mut paths = BTreeSet::new();
    for (i, mount) in container.volume_mounts.iter().flatten().enumerate() {
        let path = format!("{path}.volumeMounts[{i}]");
        let name = format!("{path}.name");
        if required(report, &name, &mount.name) && !volumes.contains(&mount.name.as_str()) {
            let near = super::schema::nearest(&mount.name, volumes.iter().copied());
            let hint = near.map(|name| format!("did you mean `{name}`?"));
            report.error_with(
                &name,
                format!("not found: the pod has no volume `{}`", mount.name),
                hint,
            );
        }
        let at = format!("{path}.mountPath");
        if required(report, &at, &mount.mount_path) {
            unique(report, &mut paths, &at, mount.mount_path.clone());
            if mount.mount_path.contains(':') || mount.mount_path == "/" {
                report.error(
                    &at,
                    format!(
                        "invalid value `{}`: must be neither `/` nor hold a colon",
                        mount.mount_path
                    ),
                );
            }
        }
        if let Some(sub_path) = &mount.sub_path {
            let path = format!("{path}.subPath");
            value(report, &path, sub_path, rules::descending_path(sub_path));
            let of_host = spec.volumes.iter().flatten();
            if of_host
                .into_iter()
                .any(|v| v.name == mount.name && v.host_path.is_some())
                && !sub_path.is_empty()
            {
                report.error_with(
                    &path,
                    "not supported yet: a sub-path of a hostPath, which a container could lead elsewhere",
                    Some("write the whole path into `hostPath.path`".to_owned()),
                );
            }
        }
    }
}

fn resources(report: &mut Report, path: &str, container: &v1::Container) {
    let Some(resources) = &container.resources else {
        return;
    };
    for (kind, list) in [
        ("limits", &resources.limits),
        ("requests", &resources.requests),
    ] {
        for (name, quantity) in list.iter().flatten() {
            let path = format!("{path}.resources.{kind}[{name}]");
            match name.as_str() {
                "memory" => bytes(report, &path, &quantity.0),
                "cpu" | "ephemeral-storage" => {
                    if let Err(rule) = Quantity::parse(&quantity.0) {
                        report.error(&path, format!("invalid value `{}`: {rule}", quantity.0));
                    }
                }
                _ if kind == "limits" => {
                    report.error(&path, format!("not supported yet: the resource `{name}`"));
                }
                _ => {}
            }
        }
    }
    for (name, request) in resources.requests.iter().flatten() {
        let limit = resources
            .limits
            .as_ref()
            .and_then(|limits| limits.get(name));
        let pair = limit.map(|limit| (Quantity::parse(&limit.0), Quantity::parse(&request.0)));
        if let Some((Ok(limit), Ok(asked))) = pair
            && asked > limit
        {
            let path = format!("{path}.resources.requests[{name}]");
            report.error(
                &path,
                format!(
                    "invalid value `{}`: must be no more than the limit",
                    request.0
                ),
            );
        }
    }
}
