//! Rules for what makes pods from a template: Deployments, ReplicaSets, StatefulSets, DaemonSets.
//!
//! Not here: the pods themselves (`pod`), Jobs (`job`).

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet, StatefulSetSpec};
use k8s_openapi::api::core::v1::{PersistentVolumeClaimSpec, PodSpec, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::metadata::{metadata, of_template};
use super::{
    forbidden, invalid, invalid_text, labels, must_be_one_of, names, not_negative, one_of, pod,
    quoted, required, storage, volume,
};
use crate::manifest::path::Path;
use crate::manifest::problem::Faults;

/// API server: `ValidateDeployment`.
pub(in crate::manifest) fn deployment(deployment: &Deployment, faults: &mut Faults) {
    metadata(&deployment.metadata, names::dns_subdomain, faults);
    let root = Path::Root;
    let path = root.field("spec");
    let spec = &deployment.spec;
    for (field, value) in [
        ("replicas", spec.replicas),
        ("minReadySeconds", spec.min_ready_seconds),
        ("revisionHistoryLimit", spec.revision_history_limit),
        ("progressDeadlineSeconds", spec.progress_deadline_seconds),
    ] {
        not_negative(faults, &path.field(field), value);
    }
    let ready = spec.min_ready_seconds.unwrap_or(0);
    if let Some(deadline) = spec.progress_deadline_seconds.filter(|s| *s <= ready) {
        let here = path.field("progressDeadlineSeconds");
        invalid(
            faults,
            &here,
            deadline,
            "must be greater than minReadySeconds",
        );
    }
    let selector = Some(&spec.selector).filter(|s| is_said(s));
    selected(selector, &spec.template, true, &path, faults);
    long_lived(&spec.template, "a Deployment", &path, faults);
    let Some(strategy) = &spec.strategy else {
        return;
    };
    let here = path.field("strategy");
    match strategy.type_.as_deref().unwrap_or_default() {
        "Recreate" if strategy.rolling_update.is_some() => {
            let why = "is for the type RollingUpdate only";
            forbidden(faults, &here.field("rollingUpdate"), why);
        }
        "Recreate" => {}
        "" | "RollingUpdate" => {
            let Some(rolling) = &strategy.rolling_update else {
                return;
            };
            let at = here.field("rollingUpdate");
            let unavailable = rolling.max_unavailable.as_ref();
            let surge = rolling.max_surge.as_ref();
            amount(unavailable, 100, &at.field("maxUnavailable"), faults);
            amount(surge, i32::MAX, &at.field("maxSurge"), faults);
            if is_zero(unavailable) && is_zero(surge) {
                let rule = "must not be 0 where maxSurge is 0";
                invalid(faults, &at.field("maxUnavailable"), 0, rule);
            }
        }
        other => must_be_one_of(faults, &here, other, &["Recreate", "RollingUpdate"]),
    }
}

/// API server: `ValidateReplicaSet`.
pub(in crate::manifest) fn replica_set(set: &ReplicaSet, faults: &mut Faults) {
    metadata(&set.metadata, names::dns_subdomain, faults);
    let root = Path::Root;
    let path = root.field("spec");
    let spec = &set.spec;
    not_negative(faults, &path.field("replicas"), spec.replicas);
    not_negative(
        faults,
        &path.field("minReadySeconds"),
        spec.min_ready_seconds,
    );
    let none = PodTemplateSpec::default();
    let template = spec.template.as_ref().unwrap_or(&none);
    let selector = Some(&spec.selector).filter(|s| is_said(s));
    selected(selector, template, true, &path, faults);
    long_lived(template, "a ReplicaSet", &path, faults);
}

/// API server: `ValidateDaemonSet`.
pub(in crate::manifest) fn daemon_set(set: &DaemonSet, faults: &mut Faults) {
    metadata(&set.metadata, names::dns_subdomain, faults);
    let root = Path::Root;
    let path = root.field("spec");
    let spec = &set.spec;
    not_negative(
        faults,
        &path.field("minReadySeconds"),
        spec.min_ready_seconds,
    );
    let history = path.field("revisionHistoryLimit");
    not_negative(faults, &history, spec.revision_history_limit);
    let selector = Some(&spec.selector).filter(|s| is_said(s));
    selected(selector, &spec.template, false, &path, faults);
    long_lived(&spec.template, "a DaemonSet", &path, faults);
    let Some(strategy) = &spec.update_strategy else {
        return;
    };
    let here = path.field("updateStrategy");
    let kind = strategy.type_.as_deref().unwrap_or_default();
    if let ("" | "RollingUpdate", Some(rolling)) = (kind, &strategy.rolling_update) {
        let at = here.field("rollingUpdate");
        let unavailable = rolling.max_unavailable.as_ref();
        let surge = rolling.max_surge.as_ref();
        amount(unavailable, 100, &at.field("maxUnavailable"), faults);
        amount(surge, 100, &at.field("maxSurge"), faults);
        let no_surge = surge.is_none() || is_zero(surge);
        if is_zero(unavailable) && no_surge {
            let why = "must not be 0 where maxSurge is 0";
            required(faults, &at.field("maxUnavailable"), why);
        }
        if !no_surge && unavailable.is_some() && !is_zero(unavailable) {
            let rule = "must not be set where maxUnavailable is";
            invalid(faults, &at.field("maxSurge"), text(surge), rule);
        }
    }
    one_of(
        faults,
        &here,
        strategy.type_.as_ref(),
        &["RollingUpdate", "OnDelete"],
    );
}

/// API server: `ValidateStatefulSet`.
pub(in crate::manifest) fn stateful_set(set: &StatefulSet, faults: &mut Faults) {
    metadata(&set.metadata, names::dns_subdomain, faults);
    let root = Path::Root;
    let path = root.field("spec");
    let spec = &set.spec;
    not_negative(faults, &path.field("replicas"), spec.replicas);
    not_negative(
        faults,
        &path.field("minReadySeconds"),
        spec.min_ready_seconds,
    );
    let history = path.field("revisionHistoryLimit");
    not_negative(faults, &history, spec.revision_history_limit);
    if let Some(start) = spec.ordinals.as_ref().and_then(|ordinals| ordinals.start) {
        let here = path.field("ordinals");
        not_negative(faults, &here.field("start"), Some(start));
    }
    match spec.pod_management_policy.as_deref().unwrap_or_default() {
        "" | "OrderedReady" | "Parallel" => {}
        other => {
            let rule = "must be OrderedReady or Parallel";
            invalid_text(faults, &path.field("podManagementPolicy"), other, rule);
        }
    }
    update_strategy(spec, &path.field("updateStrategy"), faults);
    if let Some(policy) = &spec.persistent_volume_claim_retention_policy {
        let here = path.field("persistentVolumeClaimRetentionPolicy");
        for (field, value) in [
            ("whenDeleted", &policy.when_deleted),
            ("whenScaled", &policy.when_scaled),
        ] {
            one_of(
                faults,
                &here.field(field),
                value.as_ref(),
                &["Retain", "Delete"],
            );
        }
    }
    let list = path.field("volumeClaimTemplates");
    let claims = spec.volume_claim_templates.as_deref().unwrap_or_default();
    for (i, claim) in claims.iter().enumerate() {
        let none = PersistentVolumeClaimSpec::default();
        let here = list.index(i);
        let of_claim = claim.spec.as_ref().unwrap_or(&none);
        storage::claim_spec(of_claim, &here.field("spec"), faults);
    }
    let selector = Some(&spec.selector).filter(|s| is_said(s));
    let names: Vec<&str> = claims
        .iter()
        .filter_map(|claim| claim.metadata.name.as_deref())
        .collect();
    matching(selector, &spec.template, true, &path, faults);
    template(&spec.template, &names, &path.field("template"), faults);
    long_lived(&spec.template, "a StatefulSet", &path, faults);
}

fn update_strategy(spec: &StatefulSetSpec, path: &Path<'_>, faults: &mut Faults) {
    let Some(strategy) = &spec.update_strategy else {
        return;
    };
    let here = path.field("rollingUpdate");
    match strategy.type_.as_deref().unwrap_or_default() {
        "OnDelete" => {
            if strategy.rolling_update.is_some() {
                let rule = "is for the type RollingUpdate only";
                invalid(faults, &here, "{...}", rule);
            }
        }
        "" | "RollingUpdate" => {
            if let Some(rolling) = &strategy.rolling_update {
                not_negative(faults, &here.field("partition"), rolling.partition);
                let most = rolling.max_unavailable.as_ref();
                let at = here.field("maxUnavailable");
                amount(most, 100, &at, faults);
                if is_zero(most) {
                    invalid(faults, &at, 0, "must not be 0");
                }
            }
        }
        other => {
            invalid_text(faults, path, other, "must be RollingUpdate or OnDelete");
        }
    }
}

/// The types have no way to say that there is no selector.
fn is_said(selector: &LabelSelector) -> bool {
    selector.match_labels.is_some() || selector.match_expressions.is_some()
}

/// The selector, and the pods that the template makes.
fn selected(
    selector: Option<&LabelSelector>,
    of: &PodTemplateSpec,
    is_required: bool,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    matching(selector, of, is_required, path, faults);
    template(of, &[], &path.field("template"), faults);
}

/// The selector must match the template's labels.
pub(super) fn matching(
    selector: Option<&LabelSelector>,
    template: &PodTemplateSpec,
    is_required: bool,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    let here = path.field("selector");
    let meta = template.metadata.as_ref();
    let none = BTreeMap::default();
    let labels = meta.and_then(|meta| meta.labels.as_ref()).unwrap_or(&none);
    let matches = match selector {
        None => {
            if is_required {
                required(faults, &here, "which pods are meant");
            }
            false
        }
        Some(selector) if !labels::selector(selector, &here, faults) => {
            invalid(faults, &here, "{...}", "cannot be used: see above");
            return;
        }
        Some(selector) if labels::is_empty(selector) => {
            let rule = "must not be empty: it would mean every pod";
            invalid(faults, &here, "{}", rule);
            return;
        }
        Some(selector) => labels::matches(selector, labels),
    };
    if !matches {
        let here = path.field("template");
        let here = here.field("metadata");
        let written = labels
            .iter()
            .map(|(key, value)| format!("{key}: {value}"))
            .collect::<Vec<_>>()
            .join(", ");
        let rule = "the selector does not match the labels of the template";
        invalid_text(faults, &here.field("labels"), &written, rule);
    }
}

/// API server: `ValidatePodTemplateSpec`; `claims` are volumes that are there besides its own.
pub(super) fn template(
    template: &PodTemplateSpec,
    claims: &[&str],
    path: &Path<'_>,
    faults: &mut Faults,
) {
    let here = path.field("metadata");
    of_template(template.metadata.as_ref(), &here, faults);
    let none = PodSpec::default();
    let spec = template.spec.as_ref().unwrap_or(&none);
    if let Some(meta) = &template.metadata {
        pod::annotations(meta, spec, &here.field("annotations"), faults);
    }
    let path = path.field("spec");
    let mut volumes = volume::volumes(spec, &path, faults);
    volumes.extend(claims.iter().map(|name| (*name, volume::Kind::Claim)));
    pod::pod_spec(spec, &volumes, &path, faults);
}

/// Pods that are to run for ever.
fn long_lived(template: &PodTemplateSpec, what: &str, path: &Path<'_>, faults: &mut Faults) {
    let Some(spec) = &template.spec else { return };
    let here = path.field("template");
    let here = here.field("spec");
    if matches!(spec.restart_policy.as_deref(), Some("OnFailure" | "Never")) {
        let policy = spec.restart_policy.as_deref().unwrap_or_default();
        must_be_one_of(faults, &here.field("restartPolicy"), policy, &["Always"]);
    }
    if spec.active_deadline_seconds.is_some() {
        let why = format!("the pods of {what} have none");
        forbidden(faults, &here.field("activeDeadlineSeconds"), &why);
    }
}

/// API server: `ValidatePositiveIntOrPercent`, `IsNotMoreThan100Percent`.
fn amount(value: Option<&IntOrString>, most: i32, path: &Path<'_>, faults: &mut Faults) {
    match value {
        None => {}
        Some(IntOrString::Int(n)) => not_negative(faults, path, Some(*n)),
        Some(IntOrString::String(text)) => match percent(text) {
            None => {
                let rule = "must be a number, or a percentage such as 25%";
                invalid_text(faults, path, text, rule);
            }
            Some(n) if n > most => {
                invalid_text(faults, path, text, &format!("must not be above {most}%"));
            }
            Some(_) => {}
        },
    }
}

fn percent(text: &str) -> Option<i32> {
    let digits = text.strip_suffix('%')?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().unwrap_or(i32::MAX))
}

fn is_zero(value: Option<&IntOrString>) -> bool {
    match value {
        Some(IntOrString::Int(n)) => *n == 0,
        Some(IntOrString::String(text)) => percent(text) == Some(0),
        None => false,
    }
}

fn text(value: Option<&IntOrString>) -> String {
    match value {
        Some(IntOrString::Int(n)) => n.to_string(),
        Some(IntOrString::String(text)) => quoted(text),
        None => String::new(),
    }
}
