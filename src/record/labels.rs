//! The label keys of podctl, known to this module alone, and what they say of a container.
//!
//! Labels are short: every event of a container repeats them, and the list call carries them.
//!
//! Not here: the spec; it is in the record's volume.

use std::collections::{BTreeMap, HashMap};

use crate::spec::restart::Restarts;
use crate::spec::{Container, Pod, PodKey, RestartPolicy};

/// The pod's namespace.
pub const NAMESPACE: &str = "podctl.io/namespace";
/// The pod's name.
pub const POD: &str = "podctl.io/pod";
/// The pod's uid: made with its record, gone with it.
pub const UID: &str = "podctl.io/uid";
/// The container's name in the pod; [`PAUSE_CONTAINER`] for the pause container.
pub const CONTAINER: &str = "podctl.io/container";
/// The generation of the spec that the container was made for.
pub const GENERATION: &str = "podctl.io/generation";
/// Hash of what the container was made from; a difference means: make it anew.
pub const HASH: &str = "podctl.io/spec-hash";
/// Counts the containers that this one of the pod has been.
pub const ATTEMPT: &str = "podctl.io/attempt";
/// The names of the pod's containers at that generation, in the order of the manifest, joined by commas.
pub const CONTAINERS: &str = "podctl.io/containers";
/// The names of its init containers, likewise.
pub const INIT_CONTAINERS: &str = "podctl.io/init-containers";
/// Those of them that are sidecars, likewise.
pub const SIDECARS: &str = "podctl.io/sidecars";
/// The container's probes and hooks, joined by commas: `startup`, `liveness`, `readiness`, `postStart`, `preStop`; on the pause
/// container `deadline`.
pub const CARE: &str = "podctl.io/care";
/// Of a container that leaves a termination message: `file`, or `file,logs` where the end of its log may count.
pub const TERMINATION_MESSAGE: &str = "podctl.io/termination-message";
/// `terminationGracePeriodSeconds`.
pub const GRACE_PERIOD: &str = "podctl.io/grace-period";
/// `restartPolicy`.
pub const RESTART_POLICY: &str = "podctl.io/restart-policy";
/// Of a container with a policy or rules of its own: both, as JSON.
pub const RESTARTS: &str = "podctl.io/restarts";
/// `lifecycle.stopSignal`, else the image's STOPSIGNAL, where either is.
pub const STOP_SIGNAL: &str = "podctl.io/stop-signal";
/// Of a container in the place of one that has ended: what was waited before it, and until when, in milliseconds.
pub const RESTART: &str = "podctl.io/restart";
/// Counts how often all containers of the pod have begun again together; not given: never.
pub const ROUND: &str = "podctl.io/round";
/// On the record's volume: the first wish, as JSON.
pub const WISH: &str = "podctl.io/wish";
/// On the supervisor's container: the version of the podctl that started it. On the volume that marks one in the foreground: where it
/// runs.
pub const SUPERVISOR: &str = "podctl.io/supervisor";
/// Of the image of a supervisor.
pub const SUPERVISOR_IMAGE: &str = "podctl.io/supervisor-image";
/// On the volume that says that a pod is to be gone: since when, how soon, and its phase until then.
pub const DELETION: &str = "podctl.io/deletion";
/// On volumes: the pod's name for it.
pub const VOLUME: &str = "podctl.io/volume";

/// The pause container's name in its pod (kubelet: `POD`, as cri-dockerd has it).
pub const PAUSE_CONTAINER: &str = "POD";

/// The kubelet's own, so that log shippers and cAdvisor see pods.
pub const K8S_POD_NAME: &str = "io.kubernetes.pod.name";
/// Likewise.
pub const K8S_POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";
/// Likewise.
pub const K8S_POD_UID: &str = "io.kubernetes.pod.uid";
/// Likewise.
pub const K8S_CONTAINER_NAME: &str = "io.kubernetes.container.name";

/// What is waited before a container is started again, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restart {
    /// From the end of the one before it.
    pub delay: u64,
    /// The engine's time, since 1970; 0: there is nothing to wait for, for it was ended with all others.
    pub not_before: u64,
}

impl Restart {
    /// In the place of one that had not failed.
    pub const AT_ONCE: Self = Self {
        delay: 0,
        not_before: 0,
    };
}

/// Which probes and hooks a container has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Care {
    /// `startupProbe`.
    pub startup: bool,
    /// `livenessProbe`.
    pub liveness: bool,
    /// `readinessProbe`.
    pub readiness: bool,
    /// `lifecycle.postStart`.
    pub post_start: bool,
    /// `lifecycle.preStop`.
    pub pre_stop: bool,
    /// The pod's `activeDeadlineSeconds` (of a pause container).
    pub deadline: bool,
}

impl Care {
    /// What a container's spec asks for.
    #[must_use]
    pub fn of(container: &Container) -> Self {
        let Container {
            probes, lifecycle, ..
        } = container;
        Self {
            startup: probes.startup.is_some(),
            liveness: probes.liveness.is_some(),
            readiness: probes.readiness.is_some(),
            post_start: lifecycle.post_start.is_some(),
            pre_stop: lifecycle.pre_stop.is_some(),
            deadline: false,
        }
    }

    /// Nobody need stay with the container once it has been started.
    #[must_use]
    pub fn is_none(self) -> bool {
        let Self { pre_stop, .. } = self;
        self == Self {
            pre_stop,
            ..Self::default()
        }
    }

    fn words(&mut self) -> [(&'static str, &mut bool); 6] {
        [
            ("startup", &mut self.startup),
            ("liveness", &mut self.liveness),
            ("readiness", &mut self.readiness),
            ("postStart", &mut self.post_start),
            ("preStop", &mut self.pre_stop),
            ("deadline", &mut self.deadline),
        ]
    }

    fn to_label(mut self) -> String {
        let words = self.words().into_iter();
        let given: Vec<&str> = words
            .filter(|(_, given)| **given)
            .map(|(word, _)| word)
            .collect();
        given.join(",")
    }

    fn from_label(label: &str) -> Self {
        let mut care = Self::default();
        for (word, given) in care.words() {
            *given = label.split(',').any(|part| part == word);
        }
        care
    }
}

/// Who a container is: what its labels say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The pod.
    pub pod: PodKey,
    /// The pod's uid.
    pub uid: String,
    /// Its name in the pod, or [`PAUSE_CONTAINER`].
    pub container: String,
    /// The generation that it was made for.
    pub generation: u64,
    /// Hash of what it was made from.
    pub hash: String,
    /// The first is 0.
    pub attempt: u32,
    /// How often all containers of the pod had begun again together.
    pub round: u32,
    /// The names of the pod's containers at that generation.
    pub containers: Vec<String>,
    /// Those of its init containers.
    pub init_containers: Vec<String>,
    /// Those of them that are sidecars.
    pub sidecars: Vec<String>,
    /// What the container wants besides being started and ended.
    pub care: Care,
    /// In seconds.
    pub grace_period: u64,
    /// Of the pod.
    pub restart_policy: RestartPolicy,
    /// Of the container itself.
    pub restarts: Restarts,
    /// Empty: SIGTERM.
    pub stop_signal: String,
    /// It is in the place of one that has ended.
    pub restart: Option<Restart>,
    /// It leaves a termination message; `Some(true)`: where it has failed and written nothing, the end of its log counts.
    pub termination_message: Option<bool>,
}

impl Identity {
    /// The names of all its pod's containers, init containers first.
    pub fn members(&self) -> impl Iterator<Item = &String> {
        self.init_containers.iter().chain(&self.containers)
    }

    /// A sidecar of its pod.
    #[must_use]
    pub fn is_sidecar(&self) -> bool {
        self.sidecars.contains(&self.container)
    }

    /// Whether it is an init container that is to end.
    #[must_use]
    pub fn is_init(&self) -> bool {
        self.init_containers.contains(&self.container) && !self.is_sidecar()
    }

    /// The pause container of its pod.
    #[must_use]
    pub fn is_pause(&self) -> bool {
        self.container == PAUSE_CONTAINER
    }

    /// Whether it is to run again that has ended with a code. Of an init container that has ended well nothing is meant.
    #[must_use]
    pub fn runs_again(&self, code: i64) -> bool {
        self.is_sidecar() || self.restarts.again(self.restart_policy, code)
    }

    /// As labels, for a container that is about to be made.
    #[must_use]
    pub fn to_labels(&self) -> BTreeMap<String, String> {
        let mut labels = of_pod(&self.pod);
        for (key, value) in [
            (UID, self.uid.clone()),
            (CONTAINER, self.container.clone()),
            (GENERATION, self.generation.to_string()),
            (HASH, self.hash.clone()),
            (ATTEMPT, self.attempt.to_string()),
            (CONTAINERS, self.containers.join(",")),
            (GRACE_PERIOD, self.grace_period.to_string()),
            (RESTART_POLICY, format!("{:?}", self.restart_policy)),
            (K8S_POD_NAME, self.pod.name.clone()),
            (K8S_POD_NAMESPACE, self.pod.namespace.clone()),
            (K8S_POD_UID, self.uid.clone()),
            (K8S_CONTAINER_NAME, self.container.clone()),
        ] {
            labels.insert(key.to_owned(), value);
        }
        if !self.init_containers.is_empty() {
            let names = self.init_containers.join(",");
            labels.insert(INIT_CONTAINERS.to_owned(), names);
        }
        if !self.sidecars.is_empty() {
            labels.insert(SIDECARS.to_owned(), self.sidecars.join(","));
        }
        if self.round > 0 {
            labels.insert(ROUND.to_owned(), self.round.to_string());
        }
        let care = self.care.to_label();
        if !care.is_empty() {
            labels.insert(CARE.to_owned(), care);
        }
        if let Some(Restart { delay, not_before }) = self.restart {
            labels.insert(RESTART.to_owned(), format!("{delay},{not_before}"));
        }
        let restarts = serde_json::to_string(&self.restarts);
        if let (Ok(restarts), true) = (restarts, self.restarts != Restarts::default()) {
            labels.insert(RESTARTS.to_owned(), restarts);
        }
        if let Some(falls_back) = self.termination_message {
            let message = if falls_back { "file,logs" } else { "file" };
            labels.insert(TERMINATION_MESSAGE.to_owned(), message.to_owned());
        }
        if !self.stop_signal.is_empty() {
            labels.insert(STOP_SIGNAL.to_owned(), self.stop_signal.clone());
        }
        labels
    }

    /// Reads them back; `None` for a container that is not podctl's.
    #[must_use]
    pub fn from_labels(labels: &HashMap<String, String>) -> Option<Self> {
        let text = |key: &str| labels.get(key).cloned();
        let names = |key: &str| -> Vec<String> {
            let names = text(key).unwrap_or_default();
            let names = names.split(',').filter(|name| !name.is_empty());
            names.map(str::to_owned).collect()
        };
        Some(Self {
            pod: PodKey::new(text(NAMESPACE)?, text(POD)?),
            uid: text(UID).unwrap_or_default(),
            container: text(CONTAINER)?,
            generation: text(GENERATION)
                .and_then(|v| v.parse().ok())
                .unwrap_or_default(),
            hash: text(HASH).unwrap_or_default(),
            attempt: text(ATTEMPT)
                .and_then(|v| v.parse().ok())
                .unwrap_or_default(),
            round: text(ROUND).and_then(|v| v.parse().ok()).unwrap_or_default(),
            containers: names(CONTAINERS),
            init_containers: names(INIT_CONTAINERS),
            sidecars: names(SIDECARS),
            care: Care::from_label(&text(CARE).unwrap_or_default()),
            grace_period: text(GRACE_PERIOD)
                .and_then(|v| v.parse().ok())
                .unwrap_or(30),
            restart_policy: match text(RESTART_POLICY).as_deref() {
                Some("Never") => RestartPolicy::Never,
                Some("OnFailure") => RestartPolicy::OnFailure,
                _ => RestartPolicy::Always,
            },
            restarts: text(RESTARTS)
                .and_then(|json| serde_json::from_str(&json).ok())
                .unwrap_or_default(),
            stop_signal: text(STOP_SIGNAL).unwrap_or_default(),
            termination_message: text(TERMINATION_MESSAGE).map(|message| message == "file,logs"),
            restart: text(RESTART).and_then(|restart| {
                let (delay, not_before) = restart.split_once(',')?;
                Some(Restart {
                    delay: delay.parse().ok()?,
                    not_before: not_before.parse().ok()?,
                })
            }),
        })
    }

    /// The parts that all containers of one pod have in common, with the others empty.
    #[must_use]
    pub fn of(pod: &Pod, uid: &str, generation: u64, container: &str) -> Self {
        Self {
            pod: pod.key.clone(),
            uid: uid.to_owned(),
            container: container.to_owned(),
            generation,
            hash: String::new(),
            attempt: 0,
            round: 0,
            containers: pod.containers.iter().map(|c| c.name.clone()).collect(),
            init_containers: pod.init_containers.iter().map(|c| c.name.clone()).collect(),
            sidecars: pod.sidecars().map(|c| c.name.clone()).collect(),
            care: match pod.container(container) {
                Some(container) => Care::of(container),
                None => Care {
                    deadline: pod.active_deadline.is_some(),
                    ..Care::default()
                },
            },
            grace_period: pod.grace_period,
            restart_policy: pod.restart_policy,
            restarts: pod
                .container(container)
                .map(|container| container.restarts.clone())
                .unwrap_or_default(),
            stop_signal: String::new(),
            restart: None,
            termination_message: pod
                .container(container)
                .and_then(|container| container.termination_message.as_ref())
                .map(|message| message.falls_back_to_logs),
        }
    }
}

/// The labels of everything that belongs to a pod: containers and volumes.
#[must_use]
pub fn of_pod(pod: &PodKey) -> BTreeMap<String, String> {
    BTreeMap::from([
        (NAMESPACE.to_owned(), pod.namespace.clone()),
        (POD.to_owned(), pod.name.clone()),
    ])
}

/// A filter of the list calls for everything that belongs to a pod.
#[must_use]
pub fn filter(pod: &PodKey) -> Vec<String> {
    of_pod(pod)
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::restart::RestartRule;

    #[test]
    fn an_identity_reads_back_from_its_labels() {
        let identity = Identity {
            pod: PodKey::new("staging", "web"),
            uid: "u".into(),
            container: "nginx".into(),
            generation: 3,
            hash: "1-ab".into(),
            attempt: 2,
            round: 1,
            containers: vec!["nginx".into(), "ghost".into()],
            init_containers: vec!["migrate".into(), "proxy".into()],
            sidecars: vec!["proxy".into()],
            care: Care {
                startup: true,
                pre_stop: true,
                ..Care::default()
            },
            grace_period: 7,
            restart_policy: RestartPolicy::OnFailure,
            restarts: Restarts {
                policy: Some(RestartPolicy::Never),
                rules: vec![RestartRule {
                    all: true,
                    not_in: false,
                    codes: vec![42],
                }],
            },
            stop_signal: "SIGQUIT".into(),
            restart: Some(Restart {
                delay: 10_000,
                not_before: 1_000_010_000,
            }),
            termination_message: Some(true),
        };
        let labels: HashMap<_, _> = identity.to_labels().into_iter().collect();
        assert_eq!(Identity::from_labels(&labels), Some(identity));
    }

    #[test]
    fn a_container_without_the_keys_is_not_podctls() {
        assert_eq!(Identity::from_labels(&HashMap::new()), None);
        let foreign = HashMap::from([(K8S_POD_NAME.to_owned(), "web".to_owned())]);
        assert_eq!(Identity::from_labels(&foreign), None);
    }
}
