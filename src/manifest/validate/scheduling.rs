//! Rules for what tells a cluster where to run a pod. On one machine it has no effect; a manifest may still be wrong.
//!
//! Not here: selectors of labels (`labels`).

use std::collections::HashSet;

use k8s_openapi::api::core::v1::{
    Affinity, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm,
    PodAffinityTerm, PodSpec, Toleration, TopologySpreadConstraint, WeightedPodAffinityTerm,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::{
    duplicate, forbidden, format, format_if_said, invalid, invalid_text, labels, must_be_one_of,
    names, one_of, quoted, required, required_text, within,
};
use crate::manifest::path::Path;
use crate::manifest::problem::Faults;

const WEIGHTS: (i64, i64) = (1, 100);
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// All of it.
pub(super) fn scheduling(spec: &PodSpec, path: &Path<'_>, faults: &mut Faults) {
    labels::labels(
        spec.node_selector.as_ref(),
        &path.field("nodeSelector"),
        faults,
    );
    for (field, name) in [
        ("nodeName", &spec.node_name),
        ("priorityClassName", &spec.priority_class_name),
        ("runtimeClassName", &spec.runtime_class_name),
        ("serviceAccountName", &spec.service_account_name),
    ] {
        format_if_said(
            faults,
            &path.field(field),
            name.as_ref(),
            names::dns_subdomain,
        );
    }
    one_of(
        faults,
        &path.field("preemptionPolicy"),
        spec.preemption_policy.as_ref(),
        &["Never", "PreemptLowerPriority"],
    );
    if let Some(affinity) = &spec.affinity {
        self::affinity(affinity, &path.field("affinity"), faults);
    }
    let list = path.field("tolerations");
    for (i, one) in spec.tolerations.iter().flatten().enumerate() {
        toleration(one, &list.index(i), faults);
    }
    spread(
        spec.topology_spread_constraints
            .as_deref()
            .unwrap_or_default(),
        &path.field("topologySpreadConstraints"),
        faults,
    );
    gates(spec, path, faults);
    let here = path.field("overhead");
    for (name, amount) in spec.overhead.iter().flatten() {
        super::resources::value(name, amount, &here.key(name), faults);
    }
}

/// API server: `validateSchedulingGates`, `validateReadinessGates`.
fn gates(spec: &PodSpec, path: &Path<'_>, faults: &mut Faults) {
    let list = path.field("schedulingGates");
    let gates = spec.scheduling_gates.as_deref().unwrap_or_default();
    let mut seen = HashSet::new();
    for (i, gate) in gates.iter().enumerate() {
        let here = list.index(i);
        format(faults, &here, &gate.name, names::qualified);
        if !seen.insert(&gate.name) {
            duplicate(faults, &here, quoted(&gate.name));
        }
    }
    if !gates.is_empty() && spec.node_name.as_ref().is_some_and(|name| !name.is_empty()) {
        let why = "must not be set beside schedulingGates";
        forbidden(faults, &path.field("nodeName"), why);
    }
    let list = path.field("readinessGates");
    for (i, gate) in spec.readiness_gates.iter().flatten().enumerate() {
        let here = list.index(i);
        let here = here.field("conditionType");
        format(faults, &here, &gate.condition_type, names::qualified);
    }
}

/// API server: `validateAffinity`.
fn affinity(affinity: &Affinity, path: &Path<'_>, faults: &mut Faults) {
    if let Some(node) = &affinity.node_affinity {
        node_affinity(node, &path.field("nodeAffinity"), faults);
    }
    if let Some(pod) = &affinity.pod_affinity {
        let here = path.field("podAffinity");
        let hard = pod
            .required_during_scheduling_ignored_during_execution
            .as_deref();
        let soft = pod
            .preferred_during_scheduling_ignored_during_execution
            .as_deref();
        pod_terms(hard, soft, &here, faults);
    }
    if let Some(pod) = &affinity.pod_anti_affinity {
        let here = path.field("podAntiAffinity");
        let hard = pod
            .required_during_scheduling_ignored_during_execution
            .as_deref();
        let soft = pod
            .preferred_during_scheduling_ignored_during_execution
            .as_deref();
        pod_terms(hard, soft, &here, faults);
    }
}

fn node_affinity(affinity: &NodeAffinity, path: &Path<'_>, faults: &mut Faults) {
    if let Some(selector) = &affinity.required_during_scheduling_ignored_during_execution {
        node_selector(selector, &path.field(REQUIRED), faults);
    }
    let list = path.field(PREFERRED);
    let soft = affinity
        .preferred_during_scheduling_ignored_during_execution
        .as_ref();
    for (i, one) in soft.into_iter().flatten().enumerate() {
        let here = list.index(i);
        within(faults, &here.field("weight"), one.weight.into(), WEIGHTS);
        node_term(&one.preference, false, &here.field("preference"), faults);
    }
}

/// API server: `ValidateNodeSelector`.
pub(super) fn node_selector(selector: &NodeSelector, path: &Path<'_>, faults: &mut Faults) {
    let list = path.field("nodeSelectorTerms");
    if selector.node_selector_terms.is_empty() {
        required(faults, &list, "at least one term");
    }
    for (i, term) in selector.node_selector_terms.iter().enumerate() {
        node_term(term, true, &list.index(i), faults);
    }
}

fn node_term(term: &NodeSelectorTerm, strict: bool, path: &Path<'_>, faults: &mut Faults) {
    let list = path.field("matchExpressions");
    for (i, one) in term.match_expressions.iter().flatten().enumerate() {
        let here = list.index(i);
        node_expression(one, &here, faults);
        let values = here.field("values");
        for (j, value) in one.values.iter().flatten().enumerate() {
            if strict {
                format(faults, &values.index(j), value, names::label_value);
            }
        }
    }
    let list = path.field("matchFields");
    for (i, one) in term.match_fields.iter().flatten().enumerate() {
        let here = list.index(i);
        let values = one.values.as_deref().unwrap_or_default();
        if !matches!(one.operator.as_str(), "In" | "NotIn") {
            let rule = "must be In or NotIn for a field of a node";
            invalid_text(faults, &here.field("operator"), &one.operator, rule);
        } else if values.len() != 1 {
            required(faults, &here.field("values"), "one value");
        }
        if one.key != "metadata.name" {
            let rule = "must be metadata.name: no other field of a node can be chosen by";
            invalid_text(faults, &here.field("key"), &one.key, rule);
        }
    }
}

/// API server: `ValidateNodeSelectorRequirement`.
fn node_expression(one: &NodeSelectorRequirement, path: &Path<'_>, faults: &mut Faults) {
    let n_values = one.values.as_ref().map_or(0, Vec::len);
    let at = path.field("values");
    match one.operator.as_str() {
        "In" | "NotIn" => {
            if n_values == 0 {
                required(faults, &at, "`In` and `NotIn` need values");
            }
        }
        "Exists" | "DoesNotExist" => {
            if n_values > 0 {
                forbidden(faults, &at, "`Exists` and `DoesNotExist` take no values");
            }
        }
        "Gt" | "Lt" => {
            if n_values != 1 {
                required(faults, &at, "`Gt` and `Lt` need one value");
            }
        }
        other => {
            let rule = "must be one of In, NotIn, Exists, DoesNotExist, Gt, Lt";
            invalid_text(faults, &path.field("operator"), other, rule);
        }
    }
    format(faults, &path.field("key"), &one.key, names::qualified);
}

fn pod_terms(
    hard: Option<&[PodAffinityTerm]>,
    soft: Option<&[WeightedPodAffinityTerm]>,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    let list = path.field(REQUIRED);
    for (i, term) in hard.into_iter().flatten().enumerate() {
        pod_term(term, &list.index(i), faults);
    }
    let list = path.field(PREFERRED);
    for (i, one) in soft.into_iter().flatten().enumerate() {
        let here = list.index(i);
        within(faults, &here.field("weight"), one.weight.into(), WEIGHTS);
        pod_term(
            &one.pod_affinity_term,
            &here.field("podAffinityTerm"),
            faults,
        );
    }
}

/// API server: `validatePodAffinityTerm`.
fn pod_term(term: &PodAffinityTerm, path: &Path<'_>, faults: &mut Faults) {
    for (field, selector) in [
        ("labelSelector", &term.label_selector),
        ("namespaceSelector", &term.namespace_selector),
    ] {
        if let Some(selector) = selector {
            labels::selector(selector, &path.field(field), faults);
        }
    }
    let list = path.field("namespaces");
    for (i, namespace) in term.namespaces.iter().flatten().enumerate() {
        if let Some(rule) = names::dns_label(namespace) {
            let fault = invalid_text(faults, &list.index(i), namespace, &rule);
            fault.called(format!("{}.namespace", path.trail()));
        }
    }
    let key = path.field("topologyKey");
    required_text(faults, &key, &term.topology_key, "a label of nodes");
    format(faults, &key, &term.topology_key, names::qualified);
    let selector = term.label_selector.as_ref();
    for (field, keys) in [
        ("matchLabelKeys", &term.match_label_keys),
        ("mismatchLabelKeys", &term.mismatch_label_keys),
    ] {
        match_keys(keys.as_deref(), selector, &path.field(field), faults);
    }
    let both = term.match_label_keys.iter().flatten().enumerate();
    for (i, key) in both {
        if term
            .mismatch_label_keys
            .iter()
            .flatten()
            .any(|other| other == key)
        {
            let list = path.field("matchLabelKeys");
            let rule = "stands in mismatchLabelKeys too";
            invalid_text(faults, &list.index(i), key, rule);
        }
    }
}

/// Keys whose values are taken from the pod.
fn match_keys(
    keys: Option<&[String]>,
    selector: Option<&LabelSelector>,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    let Some(keys) = keys.filter(|keys| !keys.is_empty()) else {
        return;
    };
    if selector.is_none() {
        forbidden(faults, path, "needs a labelSelector beside it");
    }
    for (i, key) in keys.iter().enumerate() {
        format(faults, &path.index(i), key, names::qualified);
    }
}

/// API server: `ValidateTolerations`.
fn toleration(toleration: &Toleration, path: &Path<'_>, faults: &mut Faults) {
    let key = toleration.key.as_deref().unwrap_or_default();
    let operator = toleration.operator.as_deref().unwrap_or_default();
    let value = toleration.value.as_deref().unwrap_or_default();
    let effect = toleration.effect.as_deref().unwrap_or_default();
    let at = path.field("operator");
    if !key.is_empty() {
        format(faults, &path.field("key"), key, names::qualified);
    } else if operator != "Exists" {
        let rule = "must be Exists where there is no key, which means all of them";
        invalid_text(faults, &at, operator, rule);
    }
    if toleration.toleration_seconds.is_some() && effect != "NoExecute" {
        let rule = "must be NoExecute where tolerationSeconds is set";
        invalid_text(faults, &path.field("effect"), effect, rule);
    }
    match operator {
        "" | "Equal" => {
            if let Some(rule) = names::label_value(value) {
                let fault = invalid_text(faults, &path.field("value"), value, &rule);
                fault.called(at.trail().to_string());
            }
        }
        "Exists" => {
            if !value.is_empty() {
                let rule = "must be empty where the operator is Exists";
                let fault = invalid_text(faults, &path.field("value"), value, rule);
                fault.called(at.trail().to_string());
            }
        }
        "Lt" | "Gt" => {
            if value.parse::<i64>().is_err() {
                let rule = "must be an integer where the operator is Lt or Gt";
                invalid_text(faults, &path.field("value"), value, rule);
            }
        }
        other => must_be_one_of(faults, &at, other, &["Equal", "Exists", "Lt", "Gt"]),
    }
    one_of(
        faults,
        &path.field("effect"),
        toleration.effect.as_ref(),
        &["NoSchedule", "PreferNoSchedule", "NoExecute"],
    );
}

/// API server: `validateTopologySpreadConstraints`.
fn spread(list: &[TopologySpreadConstraint], path: &Path<'_>, faults: &mut Faults) {
    const WHEN: [&str; 2] = ["DoNotSchedule", "ScheduleAnyway"];
    for (i, one) in list.iter().enumerate() {
        let here = path.index(i);
        if one.max_skew <= 0 {
            invalid(
                faults,
                &here.field("maxSkew"),
                one.max_skew,
                "must be greater than zero",
            );
        }
        let key = here.field("topologyKey");
        if required_text(faults, &key, &one.topology_key, "a label of nodes") {
            format(faults, &key, &one.topology_key, names::qualified);
        }
        let when = one.when_unsatisfiable.as_str();
        must_be_one_of(faults, &here.field("whenUnsatisfiable"), when, &WHEN);
        let again = list[i + 1..].iter().any(|other| {
            other.topology_key == one.topology_key
                && other.when_unsatisfiable == one.when_unsatisfiable
        });
        if again {
            let name = format!("{}.{{topologyKey, whenUnsatisfiable}}", here.trail());
            let value = format!("{{{}, {when}}}", one.topology_key);
            duplicate(faults, &here, value).called(name);
        }
        if let Some(n) = one.min_domains {
            let at = here.field("minDomains");
            if n <= 0 {
                invalid(faults, &at, n, "must be greater than zero");
            }
            if when != "DoNotSchedule" {
                let rule = "is for whenUnsatisfiable DoNotSchedule only";
                invalid(faults, &at, n, rule);
            }
        }
        for (field, policy) in [
            ("nodeAffinityPolicy", &one.node_affinity_policy),
            ("nodeTaintsPolicy", &one.node_taints_policy),
        ] {
            one_of(
                faults,
                &here.field(field),
                policy.as_ref(),
                &["Ignore", "Honor"],
            );
        }
        let selector = one.label_selector.as_ref();
        if let Some(selector) = selector {
            labels::selector(selector, &here.field("labelSelector"), faults);
        }
        let keys = one.match_label_keys.as_deref();
        match_keys(keys, selector, &here.field("matchLabelKeys"), faults);
    }
}
