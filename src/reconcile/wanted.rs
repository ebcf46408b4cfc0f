//! What somebody waits for of a pod, and whether it is so (kubectl: `wait`). And of a pod that is not as it should be: whose fault
//! that is.
//!
//! Not here: waiting (`driver::wait`).

use k8s_openapi::api::core::v1;

use crate::record::Told;

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A condition has this status.
    Condition {
        /// `Ready`.
        name: String,
        /// `True`.
        status: String,
    },
    /// The pod is ready, or has ended well.
    Up,
    /// All containers have ended well.
    Completed,
    /// There is no such pod.
    Deleted,
}

impl Wanted {
    /// The pod is ready.
    #[must_use]
    pub fn ready() -> Self {
        Self::Condition {
            name: "Ready".to_owned(),
            status: "True".to_owned(),
        }
    }
}

/// Whether it is so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Met,
    /// It may come to be.
    NotYet,
    /// It will never be, for this reason.
    Never(String),
}

/// Whether it is so of a pod; `None`: there is no such pod.
#[must_use]
pub fn verdict(wanted: &Wanted, pod: Option<&v1::Pod>) -> Verdict {
    let Some(pod) = pod else {
        return match wanted {
            Wanted::Deleted => Verdict::Met,
            _ => Verdict::Never("there is no such pod".to_owned()),
        };
    };
    let phase = phase(pod);
    match wanted {
        Wanted::Deleted => Verdict::NotYet,
        Wanted::Up if phase == "Succeeded" || has_come_up(pod) => Verdict::Met,
        Wanted::Up => self::verdict(&Wanted::ready(), Some(pod)),
        Wanted::Completed => match phase {
            "Succeeded" => Verdict::Met,
            "Failed" => Verdict::Never("the pod has failed".to_owned()),
            _ => Verdict::NotYet,
        },
        Wanted::Condition { name, status } => {
            let conditions = pod.status.as_ref().and_then(|s| s.conditions.as_ref());
            let mut conditions = conditions.into_iter().flatten();
            let is_meant = |c: &v1::PodCondition| c.type_.eq_ignore_ascii_case(name);
            let now = conditions.find(|c| is_meant(c)).map(|c| c.status.as_str());
            verdict_of(
                Ok(now.is_some_and(|now| now.eq_ignore_ascii_case(status))),
                pod,
            )
        }
    }
}

/// The same where somebody else has looked whether it is so of the pod; `Err`: it cannot be told, for this reason.
#[must_use]
pub fn verdict_of(holds: Result<bool, String>, pod: &v1::Pod) -> Verdict {
    match (holds, phase(pod)) {
        (Err(reason), _) => Verdict::Never(reason),
        (Ok(true), _) => Verdict::Met,
        (Ok(false), "Succeeded") => Verdict::Never("the pod has completed".to_owned()),
        (Ok(false), "Failed") => Verdict::Never("the pod has failed".to_owned()),
        (Ok(false), _) => Verdict::NotYet,
    }
}

/// Whether all its containers are ready, or have ended well for good.
fn has_come_up(pod: &v1::Pod) -> bool {
    let policy = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.restart_policy.as_deref());
    let is_for_good = policy != Some("Always");
    let status = pod.status.as_ref();
    let statuses = status
        .and_then(|status| status.container_statuses.as_deref())
        .unwrap_or_default();
    let is_up = |c: &v1::ContainerStatus| c.ready || (is_for_good && has_completed(c));
    let sidecars = pod
        .spec
        .iter()
        .flat_map(|spec| spec.init_containers.iter().flatten());
    let mut sidecars = sidecars
        .filter(|c| c.restart_policy.is_some())
        .map(|c| &c.name);
    let inits = status
        .and_then(|status| status.init_container_statuses.as_deref())
        .unwrap_or_default();
    let is_ready = |name: &String| inits.iter().any(|init| init.name == *name && init.ready);
    !statuses.is_empty() && statuses.iter().all(is_up) && sidecars.all(is_ready)
}

/// The pod's phase.
#[must_use]
pub fn phase(pod: &v1::Pod) -> &str {
    let status = pod.status.as_ref();
    status
        .and_then(|status| status.phase.as_deref())
        .unwrap_or_default()
}

/// A container for which a pod is not ready, or has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Culprit {
    /// Its name.
    pub container: String,
    /// `waiting: CrashLoopBackOff: back-off 20s ...`.
    pub why: String,
    /// It has been started, so that it may have said something.
    pub may_have_spoken: bool,
}

/// Those containers, in their order; what waits for an init container is not told beside that.
#[must_use]
pub fn culprits(pod: &v1::Pod, told: &Told) -> Vec<Culprit> {
    let status = pod.status.clone().unwrap_or_default();
    let inits = status.init_container_statuses.unwrap_or_default();
    let apps = status.container_statuses.unwrap_or_default();
    let is_wrong = |status: &&v1::ContainerStatus| !status.ready && !has_completed(status);
    let begun = |status: &v1::ContainerStatus| !is_waiting_for_init(status);
    // A sidecar that was ended with its pod is not why that has ended.
    let is_over = apps.iter().any(|status| {
        status
            .state
            .as_ref()
            .is_some_and(|s| s.terminated.is_some())
    });
    let stuck = inits.iter().find(is_wrong).filter(|_| !is_over);
    let wrong = apps.iter().filter(is_wrong).filter(|status| begun(status));
    let all = stuck.into_iter().chain(wrong);
    all.map(|status| culprit(status, told)).collect()
}

fn culprit(status: &v1::ContainerStatus, told: &Told) -> Culprit {
    let state = status.state.clone().unwrap_or_default();
    let last = status.last_state.clone().unwrap_or_default();
    let mut why = if let Some(waiting) = state.waiting.clone() {
        let reason = waiting.reason.unwrap_or_default();
        match waiting.message {
            Some(message) => format!("waiting: {reason}: {message}"),
            None => format!("waiting: {reason}"),
        }
    } else if let Some(ended) = state.terminated.as_ref() {
        format!("ended with the code {}{}", ended.exit_code, word(ended))
    } else if status.started == Some(true) {
        "running, not ready".to_owned()
    } else {
        "running, not started".to_owned()
    };
    if let Some(ended) = last.terminated {
        why.push_str(&format!(
            "; before that it ended with the code {}",
            ended.exit_code
        ));
    }
    let id = status.container_id.as_deref().unwrap_or_default();
    let id = id.trim_start_matches("docker://");
    let answers = told.containers.get(id).map(|standing| &standing.answers);
    let bad = answers
        .into_iter()
        .flatten()
        .filter(|(_, answer)| !answer.good);
    for (kind, answer) in bad {
        let message = answer.message.trim();
        why.push_str(&format!("; its {kind} probe last said: {message:?}"));
    }
    let runs = state.running.is_some();
    if let Some(last) = told.last_fault(&status.name).filter(|_| !runs) {
        why.push_str(&format!("; {}", last.trim()));
    }
    Culprit {
        container: status.name.clone(),
        why,
        may_have_spoken: status.state.as_ref().is_some_and(|s| s.waiting.is_none())
            || status.last_state.is_some(),
    }
}

fn word(ended: &v1::ContainerStateTerminated) -> String {
    match ended.reason.as_deref() {
        None | Some("Error" | "Completed") => String::new(),
        Some(reason) => format!(" ({reason})"),
    }
}

fn has_completed(status: &v1::ContainerStatus) -> bool {
    let ended = status.state.as_ref().and_then(|s| s.terminated.as_ref());
    ended.is_some_and(|ended| ended.exit_code == 0)
}

fn is_waiting_for_init(status: &v1::ContainerStatus) -> bool {
    let waiting = status.state.as_ref().and_then(|s| s.waiting.as_ref());
    waiting.is_some_and(|waiting| waiting.reason.as_deref() == Some("PodInitializing"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::told::Happening;
    use serde_json::json;

    fn pod(phase: &str, ready: &str) -> v1::Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "web"},
            "status": {"phase": phase, "conditions": [{"type": "Ready", "status": ready}]},
        }))
        .expect("a pod")
    }

    #[test]
    fn ready_is_met_waited_for_or_out_of_reach() {
        let verdict = |pod: Option<&v1::Pod>| verdict(&Wanted::ready(), pod);
        assert_eq!(verdict(Some(&pod("Running", "True"))), Verdict::Met);
        assert_eq!(verdict(Some(&pod("Running", "False"))), Verdict::NotYet);
        assert_eq!(verdict(Some(&pod("Pending", "False"))), Verdict::NotYet);
        for out_of_reach in ["Succeeded", "Failed"] {
            let verdict = verdict(Some(&pod(out_of_reach, "False")));
            assert!(matches!(verdict, Verdict::Never(_)));
        }
        assert!(matches!(verdict(None), Verdict::Never(_)));
    }

    #[test]
    fn completed_and_deleted_are_what_they_say() {
        let completed = |phase| verdict(&Wanted::Completed, Some(&pod(phase, "False")));
        assert_eq!(completed("Running"), Verdict::NotYet);
        assert_eq!(completed("Succeeded"), Verdict::Met);
        assert!(matches!(completed("Failed"), Verdict::Never(_)));
        assert_eq!(verdict(&Wanted::Deleted, None), Verdict::Met);
        let there = pod("Failed", "False");
        assert_eq!(verdict(&Wanted::Deleted, Some(&there)), Verdict::NotYet);
    }

    #[test]
    fn what_does_not_hold_of_a_pod_that_has_ended_will_not() {
        let of = |holds, phase| verdict_of(holds, &pod(phase, "False"));
        assert_eq!(of(Ok(true), "Failed"), Verdict::Met);
        assert_eq!(of(Ok(false), "Pending"), Verdict::NotYet);
        assert!(matches!(of(Ok(false), "Succeeded"), Verdict::Never(_)));
        let unclear = of(Err("two values".into()), "Running");
        assert_eq!(unclear, Verdict::Never("two values".into()));
    }

    #[test]
    fn the_culprit_is_the_one_that_the_others_wait_for() {
        let mut pod = pod("Pending", "False");
        let status = json!({
            "phase": "Pending",
            "initContainerStatuses": [
                {"name": "one", "ready": true, "state": {"terminated": {"exitCode": 0}}},
                {"name": "two", "ready": false, "lastState": {"terminated": {"exitCode": 3}},
                 "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}},
            ],
            "containerStatuses": [{"name": "a", "ready": false, "state": {"waiting": {"reason": "PodInitializing"}}}],
        });
        pod.status = serde_json::from_value(status).expect("a status");
        let culprits = culprits(&pod, &Told::default());
        let lines: Vec<String> = culprits
            .iter()
            .map(|c| format!("{} {}", c.container, c.why))
            .collect();
        assert_eq!(
            lines,
            ["two waiting: CrashLoopBackOff: back-off 10s; before that it ended with the code 3"]
        );
        assert!(culprits[0].may_have_spoken);
    }

    #[test]
    fn a_pod_has_come_up_with_what_has_ended_well_for_good() {
        let up = |policy, b| {
            let mut pod = pod("Running", "False");
            pod.spec =
                serde_json::from_value(json!({"restartPolicy": policy, "containers": []})).ok();
            pod.status = serde_json::from_value(json!({"phase": "Running", "containerStatuses": [
                {"name": "a", "ready": true, "state": {"running": {}}},
                {"name": "b", "ready": false, "state": {"terminated": {"exitCode": b}}},
            ]}))
            .ok();
            verdict(&Wanted::Up, Some(&pod))
        };
        assert_eq!(up("Never", 0), Verdict::Met);
        assert_eq!(up("Never", 1), Verdict::NotYet);
        assert_eq!(up("Always", 0), Verdict::NotYet);
    }

    #[test]
    fn of_one_that_is_started_again_it_is_told_what_its_probe_said() {
        let mut pod = pod("Running", "False");
        pod.status = serde_json::from_value(json!({
            "initContainerStatuses": [{"name": "side", "ready": false, "state": {"terminated": {"exitCode": 143}}}],
            "containerStatuses": [
                {"name": "a", "ready": false, "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
                {"name": "b", "ready": false, "state": {"terminated": {"exitCode": 7}}},
            ],
        }))
        .ok();
        let told = Told {
            happenings: vec![Happening {
                reason: "Unhealthy".into(),
                container: "a".into(),
                message: "Liveness probe failed: not yet\n".into(),
                ..Happening::default()
            }],
            ..Told::default()
        };
        let lines: Vec<String> = culprits(&pod, &told).into_iter().map(|c| c.why).collect();
        assert_eq!(
            lines,
            [
                "waiting: CrashLoopBackOff; Liveness probe failed: not yet",
                "ended with the code 7"
            ]
        );
    }
}
