//! One container of a pod, described (kubectl: `describeContainers`).
//!
//! Not here: its pod.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::text::Text;
use super::{NONE, time};
use crate::record::Told;

pub(super) fn describe(
    text: &mut Text,
    container: &v1::Container,
    status: Option<&v1::ContainerStatus>,
    told: &Told,
) {
    text.title(2, &container.name);
    let ports = container.ports.as_deref().unwrap_or_default();
    let inside = |port: &v1::ContainerPort| {
        let name = port.name.as_ref().map(|name| format!(" ({name})"));
        number(port, port.container_port) + &name.unwrap_or_default()
    };
    let outside = |port: &v1::ContainerPort| number(port, port.host_port.unwrap_or_default());
    // As kubectl has it, which asks for a comma.
    let (inside_name, outside_name) = if ports.len() > 1 {
        ("Ports", "Host Ports")
    } else {
        ("Port", "Host Port")
    };
    let id = status.and_then(|status| status.container_id.clone());
    text.block(&[
        (4, "Container ID", id.clone().unwrap_or_default()),
        (4, "Image", container.image.clone().unwrap_or_default()),
        (
            4,
            "Image ID",
            status
                .map(|status| status.image_id.clone())
                .unwrap_or_default(),
        ),
        (4, inside_name, joined(ports.iter().map(inside))),
        (4, outside_name, joined(ports.iter().map(outside))),
    ]);
    for (title, words) in [("Command", &container.command), ("Args", &container.args)] {
        if let Some(words) = words.as_ref().filter(|words| !words.is_empty()) {
            text.title(4, title);
            text.list(6, words);
        }
    }
    let mut lines = Vec::new();
    if let Some(status) = status {
        state(&mut lines, "State", status.state.as_ref());
        if status
            .last_state
            .as_ref()
            .is_some_and(|last| last.terminated.is_some())
        {
            state(&mut lines, "Last State", status.last_state.as_ref());
        }
        let ready = if status.ready { "True" } else { "False" };
        lines.push((4, "Ready", ready.to_owned()));
        lines.push((4, "Restart Count", status.restart_count.to_string()));
    }
    text.block(&lines);
    let resources = container.resources.clone().unwrap_or_default();
    quantities(text, "Limits", resources.limits.as_ref());
    quantities(text, "Requests", resources.requests.as_ref());
    probes(text, container, id.as_deref().unwrap_or_default(), told);
    environment(text, container);
    mounts(text, container);
}

fn joined(ports: impl Iterator<Item = String>) -> String {
    let ports = ports.collect::<Vec<_>>().join(", ");
    if ports.is_empty() {
        NONE.to_owned()
    } else {
        ports
    }
}

fn number(port: &v1::ContainerPort, number: i32) -> String {
    format!("{number}/{}", port.protocol.as_deref().unwrap_or("TCP"))
}

fn state<'a>(
    lines: &mut Vec<(usize, &'a str, String)>,
    name: &'a str,
    state: Option<&v1::ContainerState>,
) {
    let state = state.cloned().unwrap_or_default();
    let at = |at: Option<Time>| at.map(|at| time(at.0));
    let (word, details) = if let Some(running) = state.running {
        ("Running", vec![("Started", at(running.started_at))])
    } else if let Some(ended) = state.terminated {
        let details = vec![
            ("Reason", ended.reason),
            ("Message", ended.message),
            ("Exit Code", Some(ended.exit_code.to_string())),
            ("Started", at(ended.started_at)),
            ("Finished", at(ended.finished_at)),
        ];
        ("Terminated", details)
    } else {
        let waiting = state.waiting.unwrap_or_default();
        let details = vec![("Reason", waiting.reason), ("Message", waiting.message)];
        ("Waiting", details)
    };
    lines.push((4, name, word.to_owned()));
    let one_line = |value: String| value.trim_end().replace('\n', " ");
    let details = details.into_iter();
    lines.extend(details.filter_map(|(name, value)| Some((6, name, one_line(value?)))));
}

fn quantities(text: &mut Text, title: &str, quantities: Option<&BTreeMap<String, Quantity>>) {
    let quantities = quantities.into_iter().flatten();
    let lines: Vec<_> = quantities
        .map(|(name, quantity)| (6, name.as_str(), quantity.0.clone()))
        .collect();
    if !lines.is_empty() {
        text.title(4, title);
        text.block(&lines);
    }
}

fn probes(text: &mut Text, container: &v1::Container, id: &str, told: &Told) {
    let standing = told.containers.get(id.trim_start_matches("docker://"));
    let mut lines = Vec::new();
    for (name, kind, given) in [
        ("Liveness", "liveness", &container.liveness_probe),
        ("Readiness", "readiness", &container.readiness_probe),
        ("Startup", "startup", &container.startup_probe),
    ] {
        let Some(given) = given else { continue };
        lines.push((4, name, probe(given)));
        let answer = standing.and_then(|standing| standing.answers.get(kind));
        if let Some(answer) = answer {
            let said = answer.message.trim().replace('\n', " ");
            let said = if said.is_empty() {
                said
            } else {
                format!(": {said}")
            };
            let word = if answer.good { "success" } else { "failure" };
            lines.push((6, "Last Answer", format!("{word}{said}")));
        }
    }
    text.block(&lines);
}

/// kubectl: `DescribeProbe`.
fn probe(probe: &v1::Probe) -> String {
    let how = if let Some(exec) = &probe.exec {
        format!(
            "exec [{}]",
            exec.command.clone().unwrap_or_default().join(" ")
        )
    } else if let Some(get) = &probe.http_get {
        let scheme = get.scheme.as_deref().unwrap_or("HTTP").to_lowercase();
        let host = get.host.as_deref().unwrap_or_default();
        let path = get.path.as_deref().unwrap_or_default();
        format!("http-get {scheme}://{host}:{}{path}", port(&get.port))
    } else if let Some(socket) = &probe.tcp_socket {
        let host = socket.host.as_deref().unwrap_or_default();
        format!("tcp-socket {host}:{}", port(&socket.port))
    } else if let Some(grpc) = &probe.grpc {
        format!(
            "grpc <pod>:{} {}",
            grpc.port,
            grpc.service.as_deref().unwrap_or_default()
        )
    } else {
        "unknown".to_owned()
    };
    format!(
        "{} delay={}s timeout={}s period={}s #success={} #failure={}",
        how.trim_end(),
        probe.initial_delay_seconds.unwrap_or_default(),
        probe.timeout_seconds.unwrap_or(1),
        probe.period_seconds.unwrap_or(10),
        probe.success_threshold.unwrap_or(1),
        probe.failure_threshold.unwrap_or(3),
    )
}

fn port(port: &IntOrString) -> String {
    match port {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(name) => name.clone(),
    }
}

fn environment(text: &mut Text, container: &v1::Container) {
    let from = container.env_from.iter().flatten();
    let maps: Vec<_> = from
        .filter_map(|source| {
            let map = source
                .config_map_ref
                .as_ref()
                .map(|map| ("ConfigMap", &map.name));
            let secret = source
                .secret_ref
                .as_ref()
                .map(|secret| ("Secret", &secret.name));
            let (kind, name) = map.or(secret)?;
            Some((6, name.as_str(), format!("all of the {kind}")))
        })
        .collect();
    let variables = container.env.iter().flatten();
    let variables: Vec<_> = variables
        .map(|variable| (6, variable.name.as_str(), value(variable)))
        .collect();
    if !maps.is_empty() {
        text.title(4, "Environment Variables from");
        text.block(&maps);
    }
    if variables.is_empty() {
        text.block(&[(4, "Environment", NONE.to_owned())]);
    } else {
        text.title(4, "Environment");
        text.block(&variables);
    }
}

/// A Secret's is never shown.
fn value(variable: &v1::EnvVar) -> String {
    let Some(from) = &variable.value_from else {
        return variable.value.clone().unwrap_or_default();
    };
    if let Some(map) = &from.config_map_key_ref {
        return format!(
            "<set to the key '{}' of config map '{}'>",
            map.key, map.name
        );
    }
    if let Some(secret) = &from.secret_key_ref {
        return format!(
            "<set to the key '{}' in secret '{}'>",
            secret.key, secret.name
        );
    }
    let field = from
        .field_ref
        .as_ref()
        .map(|field| field.field_path.clone());
    field.map(|field| format!("({field})")).unwrap_or_default()
}

fn mounts(text: &mut Text, container: &v1::Container) {
    let mounts = container.volume_mounts.iter().flatten();
    let line = |mount: &v1::VolumeMount| {
        let access = if mount.read_only == Some(true) {
            "ro"
        } else {
            "rw"
        };
        let path = mount
            .sub_path
            .as_ref()
            .map(|path| format!(",path=\"{path}\""));
        let path = path.unwrap_or_default();
        format!("{} from {} ({access}{path})", mount.mount_path, mount.name)
    };
    let lines: Vec<String> = mounts.map(line).collect();
    if lines.is_empty() {
        text.block(&[(4, "Mounts", NONE.to_owned())]);
    } else {
        text.title(4, "Mounts");
        text.list(6, &lines);
    }
}
