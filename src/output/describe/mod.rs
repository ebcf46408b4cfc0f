//! A pod in all that is known of it, laid out as `kubectl describe pod` does.
//!
//! - `text`: lines of names and values, under each other.
//! - `container`: one container; `volume`: one volume; `ways`: how containers have come up.
//!
//! Not here: finding it out (`driver::observe`).

mod container;
mod text;
mod volume;
mod ways;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1;
use k8s_openapi::jiff::Timestamp;

use self::text::Text;
use super::events;
use super::table::table;
use super::timeline::timeline;
use crate::driver::observe::Described;

/// kubectl's word for what there is nothing of.
const NONE: &str = "<none>";

/// What is said of a pod that nobody need ask.
const WHO_DRIVES: &str = "what ends is started again, and probes are asked, while a supervisor is at work or somebody stays with the pod; \
    `docker stop` of a container is such an end, `podctl stop` keeps a pod ended";

/// Of one pod. `now`: in seconds since 1970; `bars`: there is a terminal to draw on.
#[must_use]
pub fn describe(described: &Described, now: i64, bars: bool) -> String {
    let Described {
        pod, told, events, ..
    } = described;
    let mut text = Text::default();
    head(&mut text, pod);
    let spec = pod.spec.clone().unwrap_or_default();
    let status = pod.status.clone().unwrap_or_default();
    let lists = [
        (
            "Init Containers",
            spec.init_containers,
            status.init_container_statuses,
        ),
        (
            "Containers",
            Some(spec.containers),
            status.container_statuses,
        ),
    ];
    for (title, containers, statuses) in lists {
        let containers = containers.unwrap_or_default();
        if containers.is_empty() {
            continue;
        }
        text.title(0, title);
        for container in &containers {
            let mut statuses = statuses.iter().flatten();
            let status = statuses.find(|status| status.name == container.name);
            container::describe(&mut text, container, status, told);
        }
    }
    conditions(&mut text, status.conditions.as_deref().unwrap_or_default());
    let volumes = spec.volumes.unwrap_or_default();
    if volumes.is_empty() {
        text.block(&[(0, "Volumes", NONE.to_owned())]);
    } else {
        text.title(0, "Volumes");
        for volume in &volumes {
            volume::describe(&mut text, volume);
        }
    }
    let class = status.qos_class.map(|class| (0, "QoS Class", class));
    text.block(&Vec::from_iter(class));
    text.title(
        0,
        "Start-up (since the first of these containers was created)",
    );
    text.indented(2, &timeline(&ways::ways(described), bars));
    text.block(&[(0, "Restarts", WHO_DRIVES.to_owned())]);
    happened(&mut text, events, now);
    text.finish()
}

fn head(text: &mut Text, pod: &v1::Pod) {
    let metadata = &pod.metadata;
    let spec = pod.spec.as_ref();
    let status = pod.status.clone().unwrap_or_default();
    let mut lines = vec![
        (0, "Name", metadata.name.clone().unwrap_or_default()),
        (
            0,
            "Namespace",
            metadata.namespace.clone().unwrap_or_default(),
        ),
    ];
    if let Some(start) = status.start_time {
        lines.push((0, "Start Time", time(start.0)));
    }
    pairs(&mut lines, "Labels", metadata.labels.as_ref(), "=");
    pairs(
        &mut lines,
        "Annotations",
        metadata.annotations.as_ref(),
        ": ",
    );
    lines.push((0, "Status", status.phase.unwrap_or_default()));
    for (name, value) in [("Reason", status.reason), ("Message", status.message)] {
        lines.extend(value.map(|value| (0, name, value)));
    }
    if let Some(seconds) = spec.and_then(|spec| spec.termination_grace_period_seconds) {
        lines.push((0, "Termination Grace Period", format!("{seconds}s")));
    }
    lines.push((0, "IP", status.pod_ip.unwrap_or_default()));
    text.block(&lines);
    let ips = status.pod_ips.unwrap_or_default();
    if ips.is_empty() {
        text.block(&[(0, "IPs", NONE.to_owned())]);
    } else {
        text.title(0, "IPs");
        let lines: Vec<_> = ips.into_iter().map(|ip| (2, "IP", ip.ip)).collect();
        text.block(&lines);
    }
}

/// The first beside the name, the others under it.
fn pairs<'a>(
    lines: &mut Vec<(usize, &'a str, String)>,
    name: &'a str,
    pairs: Option<&BTreeMap<String, String>>,
    between: &str,
) {
    let pairs = pairs.into_iter().flatten();
    let mut pairs = pairs.map(|(key, value)| format!("{key}{between}{value}"));
    lines.push((0, name, pairs.next().unwrap_or_else(|| NONE.to_owned())));
    lines.extend(pairs.map(|pair| (0, "", pair)));
}

fn conditions(text: &mut Text, conditions: &[v1::PodCondition]) {
    text.title(0, "Conditions");
    let row = |condition: &v1::PodCondition| {
        vec![
            condition.type_.clone(),
            condition.status.clone(),
            condition.reason.clone().unwrap_or_default(),
            condition.message.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = conditions.iter().map(row).collect();
    text.indented(2, &table(&["Type", "Status", "Reason", "Message"], &rows));
}

fn happened(text: &mut Text, events: &[v1::Event], now: i64) {
    if events.is_empty() {
        text.block(&[(0, "Events", NONE.to_owned())]);
        return;
    }
    text.title(0, "Events");
    let row = |event: &v1::Event| {
        vec![
            event.type_.clone().unwrap_or_default(),
            event.reason.clone().unwrap_or_default(),
            events::seen(event, now),
            events::container(event).unwrap_or_default().to_owned(),
            events::message(event),
        ]
    };
    let rows: Vec<_> = events.iter().map(row).collect();
    text.indented(
        2,
        &table(&["Type", "Reason", "Age", "Container", "Message"], &rows),
    );
}

/// kubectl: `Wed, 25 Nov 2026 16:39:48 +0000`.
fn time(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::observe::Begun;
    use crate::record::Told;
    use crate::record::told::{LastAnswer, Standing};
    use serde_json::json;

    #[test]
    fn a_pod_is_described_as_kubectl_does() {
        let pod: v1::Pod = serde_json::from_value(json!({
            "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web", "tier": "x"}},
            "spec": {
                "terminationGracePeriodSeconds": 30,
                "initContainers": [{"name": "i", "image": "busybox", "command": ["true"]}],
                "containers": [{
                    "name": "a", "image": "busybox", "command": ["sh", "-c", "sleep 3600"], "args": ["x"],
                    "ports": [{"containerPort": 80, "hostPort": 8880, "name": "web"}],
                    "env": [{"name": "A", "value": "b"}, {"name": "P", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
                    "resources": {"limits": {"memory": "64Mi"}, "requests": {"cpu": "100m"}},
                    "livenessProbe": {"httpGet": {"path": "/healthz", "port": "web"}},
                    "readinessProbe": {"exec": {"command": ["ls", "/ready"]}, "periodSeconds": 1},
                    "volumeMounts": [{"name": "d", "mountPath": "/d"}, {"name": "c", "mountPath": "/c", "readOnly": true, "subPath": "k"}],
                }],
                "volumes": [
                    {"name": "d", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
                    {"name": "c", "configMap": {"name": "cm"}},
                    {"name": "s", "secret": {"secretName": "sec", "optional": true}},
                    {"name": "h", "hostPath": {"path": "/tmp"}},
                ],
            },
            "status": {
                "phase": "Running", "podIP": "172.18.0.2", "podIPs": [{"ip": "172.18.0.2"}], "qosClass": "Burstable", "startTime": "2026-11-25T16:39:48Z",
                "conditions": [
                    {"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "containers with unready status: [a]"},
                    {"type": "PodScheduled", "status": "True"},
                ],
                "initContainerStatuses": [{
                    "name": "i", "ready": true, "restartCount": 0, "image": "busybox", "imageID": "sha256:1", "containerID": "docker://i0",
                    "state": {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": "2026-11-25T16:39:48Z", "finishedAt": "2026-11-25T16:39:49Z"}},
                }],
                "containerStatuses": [{
                    "name": "a", "ready": false, "restartCount": 1, "image": "busybox", "imageID": "sha256:1", "containerID": "docker://a1",
                    "state": {"running": {"startedAt": "2026-11-25T16:39:50Z"}},
                    "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "message": "words"}},
                }],
            },
        }))
        .expect("a pod");
        let answer = LastAnswer {
            good: false,
            message: "ls: /ready: No such file\n".into(),
        };
        let told = Told {
            containers: [(
                "a1".to_owned(),
                Standing {
                    answers: [("readiness".to_owned(), answer)].into(),
                    ..Standing::default()
                },
            )]
            .into(),
            ..Told::default()
        };
        let event: v1::Event = serde_json::from_value(json!({
            "metadata": {}, "involvedObject": {"name": "web", "fieldPath": "spec.containers{a}"},
            "type": "Warning", "reason": "Unhealthy", "message": "Readiness probe failed: no", "count": 3,
            "firstTimestamp": "1970-01-01T00:00:10Z", "lastTimestamp": "1970-01-01T00:01:00Z",
        }))
        .expect("an event");
        let described = Described {
            pod,
            told,
            events: vec![event],
            begun: [
                ("a", 1_795_624_788_500, 1_795_624_790_250),
                ("i", 1_795_624_787_000, 1_795_624_788_100),
            ]
            .map(|(name, created, started)| {
                let started = Some(started);
                (name.to_owned(), Begun { created, started })
            })
            .into(),
        };
        insta::assert_snapshot!(describe(&described, 63, true));
    }
}
