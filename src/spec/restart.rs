//! What the end of a container leads to, as the container itself says it: `restartPolicy` and `restartPolicyRules`.
//!
//! Not here: the pod's policy (`pod`), when a restart is due (`reconcile::restart`).

use serde::{Deserialize, Serialize};

use super::RestartPolicy;

/// Of one container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Restarts {
    /// `restartPolicy` of the container itself; `None`: the pod's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<RestartPolicy>,
    /// `restartPolicyRules`: the first that matches an exit code decides, before any policy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RestartRule>,
}

/// One entry of `restartPolicyRules`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartRule {
    /// `action: RestartAllContainers` instead of `Restart`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// `operator: NotIn` instead of `In`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_in: bool,
    /// The exit codes.
    pub codes: Vec<i64>,
}

impl Restarts {
    /// Whether a container of a pod with this policy is to run again that has ended with a code.
    #[must_use]
    pub fn again(&self, of_pod: RestartPolicy, code: i64) -> bool {
        if self.rule(code).is_some() {
            return true;
        }
        match self.policy.unwrap_or(of_pod) {
            RestartPolicy::Always => true,
            RestartPolicy::OnFailure => code != 0,
            RestartPolicy::Never => false,
        }
    }

    /// Whether all containers of the pod begin again when this one ends with a code.
    #[must_use]
    pub fn all(&self, code: i64) -> bool {
        self.rule(code).is_some_and(|rule| rule.all)
    }

    /// The first that matches (kubelet: `FindMatchingContainerRestartRule`).
    fn rule(&self, code: i64) -> Option<&RestartRule> {
        let mut rules = self.rules.iter();
        rules.find(|rule| rule.codes.contains(&code) != rule.not_in)
    }
}
