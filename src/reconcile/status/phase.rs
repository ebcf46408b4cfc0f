//! The phase and the conditions of a pod (kubelet: `getPhase`, `pkg/kubelet/status/generate.go`).
//!
//! Not here: the states of its containers (`container`).

use k8s_openapi::api::core::v1;

/// What a phase and conditions are made of.
pub(super) struct Parts<'a> {
    /// Init containers that are no sidecars.
    pub(super) inits: Vec<&'a v1::ContainerStatus>,
    pub(super) sidecars: Vec<&'a v1::ContainerStatus>,
    pub(super) containers: &'a [v1::ContainerStatus],
    /// The names of those that have ended and are to run again.
    pub(super) again: Vec<String>,
    /// The pause container runs.
    pub(super) sandbox: bool,
    /// Somebody has ended it for good.
    pub(super) ended: bool,
    /// All its containers begin again, now or once before.
    pub(super) restarting: Option<bool>,
    /// Where all of it has ended for good.
    pub(super) has_failed: Option<bool>,
}

impl Parts<'_> {
    /// Whether all that app containers wait for has come, or came once (kubelet: `HasAnyRegularContainerStarted`).
    pub(super) fn is_initialized(&self) -> bool {
        let sidecars = self.sidecars.iter();
        let come = self.inits.iter().all(|init| init.ready)
            && sidecars
                .clone()
                .all(|sidecar| sidecar.started == Some(true));
        come || self.containers.iter().any(has_begun)
    }

    /// kubelet: `getPhase`.
    pub(super) fn phase(&self) -> &'static str {
        if self.ended {
            return "Failed";
        }
        // Its containers may have been removed since.
        if let Some(has_failed) = self.has_failed {
            return if has_failed { "Failed" } else { "Succeeded" };
        }
        let runs_again = |c: &v1::ContainerStatus| self.again.contains(&c.name);
        let failed = |init: &&v1::ContainerStatus| {
            code(init).is_some_and(|code| code != 0) && !runs_again(init)
        };
        if self.inits.iter().any(failed) {
            return "Failed";
        }
        if !self.is_initialized() {
            return "Pending";
        }
        let waits = |c: &v1::ContainerStatus| is_waiting(c) && c.last_state.is_none();
        let codes: Vec<Option<i32>> = self.containers.iter().map(code).collect();
        if self.containers.iter().any(waits) {
            "Pending"
        } else if codes.contains(&None) || self.containers.iter().any(runs_again) {
            "Running"
        } else if codes.iter().all(|code| *code == Some(0)) {
            "Succeeded"
        } else {
            "Failed"
        }
    }

    /// In the kubelet's order; a condition that holds has no reason.
    pub(super) fn conditions(&self, phase: &str) -> Vec<v1::PodCondition> {
        let unready: Vec<&str> = self
            .sidecars
            .iter()
            .copied()
            .chain(self.containers)
            .filter(|container| !container.ready)
            .map(|container| container.name.as_str())
            .collect();
        let incomplete: Vec<&str> = self
            .inits
            .iter()
            .filter(|init| !init.ready)
            .chain(self.sidecars.iter().filter(|c| c.started != Some(true)))
            .map(|container| container.name.as_str())
            .collect();
        let over = matches!(phase, "Succeeded" | "Failed");
        let ready = match phase {
            "Succeeded" => Err(("PodCompleted", None)),
            "Failed" => Err(("PodFailed", None)),
            _ if unready.is_empty() && !self.containers.is_empty() => Ok(()),
            _ => Err((
                "ContainersNotReady",
                Some(named("unready status", &unready)),
            )),
        };
        let initialized = if self.is_initialized() || phase == "Succeeded" {
            Ok(())
        } else {
            let message = named("incomplete status", &incomplete);
            Err(("ContainersNotInitialized", Some(message)))
        };
        let sandbox = if self.sandbox && !over {
            Ok(())
        } else {
            Err(("", None))
        };
        let mut conditions = vec![
            condition("PodReadyToStartContainers", sandbox),
            condition("Initialized", initialized),
            condition("Ready", ready.clone()),
            condition("ContainersReady", ready),
            condition("PodScheduled", Ok(())),
        ];
        if phase == "Succeeded" {
            conditions[1].reason = Some("PodCompleted".to_owned());
        }
        conditions.extend(self.restarting.map(|is| all_restarting(is, phase)));
        conditions
    }
}

/// kubelet: `GenerateAllContainersRestartingCondition`; shown of a pod to which it has happened.
fn all_restarting(is: bool, phase: &str) -> v1::PodCondition {
    let (status, reason) = match phase {
        "Succeeded" => ("False", "PodCompleted"),
        "Failed" => ("False", "PodFailed"),
        _ if is => ("True", "RestartAllContainersStarted"),
        _ => ("False", ""),
    };
    v1::PodCondition {
        type_: "AllContainersRestarting".to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
        ..Default::default()
    }
}

fn named(what: &str, names: &[&str]) -> String {
    format!("containers with {what}: [{}]", names.join(" "))
}

fn condition(name: &str, holds: Result<(), (&str, Option<String>)>) -> v1::PodCondition {
    let status = if holds.is_ok() { "True" } else { "False" };
    let (reason, message) = holds.err().unwrap_or_default();
    v1::PodCondition {
        type_: name.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
        message,
        ..Default::default()
    }
}

/// The code with which a container has ended.
fn code(status: &v1::ContainerStatus) -> Option<i32> {
    Some(status.state.as_ref()?.terminated.as_ref()?.exit_code)
}

fn is_waiting(status: &v1::ContainerStatus) -> bool {
    let state = status.state.as_ref();
    state.is_some_and(|state| state.waiting.is_some())
}

/// Whether it has been started before.
fn has_begun(status: &v1::ContainerStatus) -> bool {
    !is_waiting(status) || status.last_state.is_some()
}
