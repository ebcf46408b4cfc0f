//! What has happened to a pod, as `v1` Events: what who drives it has told, and for a pod that nobody stays with the starts and ends that the engine
//! knows of.
//!
//! Not here: what is worth telling (`driver::memory`).

use k8s_openapi::api::core::v1;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff::Timestamp;

use super::key;
use crate::record::Told;
use crate::record::told::Happening;

/// The oldest first.
#[must_use]
pub fn events(pod: &v1::Pod, told: &Told) -> Vec<v1::Event> {
    let mut happenings = told.happenings.clone();
    happenings.extend(known_to_the_engine(pod, told));
    happenings.sort_by_key(|happening| happening.time);
    let number = |(i, happening)| event(pod, i, happening);
    happenings.iter().enumerate().map(number).collect()
}

/// Starts of containers of which nothing was told.
fn known_to_the_engine(pod: &v1::Pod, told: &Told) -> Vec<Happening> {
    let started = |status: &v1::ContainerStatus| {
        let is_told = |happening: &Happening| happening.container == status.name;
        if told.happenings.iter().any(is_told) {
            return None;
        }
        let state = status.state.as_ref()?;
        let running = state
            .running
            .as_ref()
            .and_then(|running| running.started_at.as_ref());
        let ended = state
            .terminated
            .as_ref()
            .and_then(|ended| ended.started_at.as_ref());
        let time = u64::try_from(running.or(ended)?.0.as_millisecond()).ok()?;
        Some(Happening {
            time,
            first: time,
            count: 1,
            warning: false,
            reason: "Started".to_owned(),
            container: status.name.clone(),
            message: "Container started".to_owned(),
        })
    };
    let status = pod.status.as_ref();
    let inits = status.and_then(|status| status.init_container_statuses.as_ref());
    let apps = status.and_then(|status| status.container_statuses.as_ref());
    inits
        .into_iter()
        .chain(apps)
        .flatten()
        .filter_map(started)
        .collect()
}

fn event(pod: &v1::Pod, number: usize, happening: &Happening) -> v1::Event {
    let of_pod = key(pod);
    let time = |milliseconds: u64| {
        let milliseconds = i64::try_from(milliseconds).ok()?;
        Timestamp::from_millisecond(milliseconds).ok().map(Time)
    };
    let kind = if happening.warning {
        "Warning"
    } else {
        "Normal"
    };
    v1::Event {
        metadata: ObjectMeta {
            name: Some(format!("{}.{:x}.{number}", of_pod.name, happening.first)),
            namespace: Some(of_pod.namespace.clone()),
            ..Default::default()
        },
        involved_object: v1::ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Pod".to_owned()),
            name: Some(of_pod.name),
            namespace: Some(of_pod.namespace),
            uid: pod.metadata.uid.clone(),
            field_path: field_path(pod, &happening.container),
            ..Default::default()
        },
        reason: Some(happening.reason.clone()),
        message: Some(happening.message.clone()),
        type_: Some(kind.to_owned()),
        count: i32::try_from(happening.count).ok(),
        first_timestamp: time(happening.first),
        last_timestamp: time(happening.time),
        source: Some(v1::EventSource {
            component: Some("podctl".to_owned()),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// kubelet: `spec.containers{web}`; of the pod itself none.
fn field_path(pod: &v1::Pod, container: &str) -> Option<String> {
    if container.is_empty() {
        return None;
    }
    let spec = pod.spec.as_ref();
    let inits = spec.and_then(|spec| spec.init_containers.as_ref());
    let is_init = inits
        .into_iter()
        .flatten()
        .any(|init| init.name == container);
    let list = if is_init {
        "initContainers"
    } else {
        "containers"
    };
    Some(format!("spec.{list}{{{container}}}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_told_comes_with_what_the_engine_knows() {
        let pod: v1::Pod = serde_json::from_value(json!({
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"initContainers": [{"name": "i"}], "containers": [{"name": "a"}]},
            "status": {
                "initContainerStatuses": [{"name": "i", "ready": true, "restartCount": 0, "image": "", "imageID": "",
                    "state": {"terminated": {"exitCode": 0, "startedAt": "1970-01-01T00:00:05Z"}}}],
                "containerStatuses": [{"name": "a", "ready": true, "restartCount": 0, "image": "", "imageID": "",
                    "state": {"running": {"startedAt": "1970-01-01T00:00:01Z"}}}],
            },
        }))
        .expect("a pod");
        let told = Told {
            happenings: vec![Happening {
                time: 2000,
                first: 1000,
                count: 3,
                warning: true,
                reason: "Unhealthy".into(),
                container: "a".into(),
                message: "no".into(),
            }],
            ..Told::default()
        };
        let lines: Vec<String> = events(&pod, &told)
            .into_iter()
            .map(|event| {
                format!(
                    "{} {} {} {}",
                    event.type_.unwrap_or_default(),
                    event.reason.unwrap_or_default(),
                    event.count.unwrap_or_default(),
                    event.involved_object.field_path.unwrap_or_default()
                )
            })
            .collect();
        assert_eq!(
            lines,
            [
                "Warning Unhealthy 3 spec.containers{a}",
                "Normal Started 1 spec.initContainers{i}"
            ]
        );
    }
}
