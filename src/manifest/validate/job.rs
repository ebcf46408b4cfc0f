//! Rules for Jobs and CronJobs.
//!
//! Not here: a schedule (`cron`), the pods (`pod`).

use std::collections::HashSet;

use k8s_openapi::api::batch::v1::{CronJob, Job, JobSpec, PodFailurePolicyRule};

use super::metadata::metadata;
use super::workload::{matching, template};
use super::{
    cron, format, invalid, invalid_text, must_be_one_of, names, not_negative, one_of, required,
    required_text,
};
use crate::manifest::path::Path;
use crate::manifest::problem::Faults;

/// API server: `MaxCronJobNameLength`: eleven more follow it in the name of a Job.
const CRON_JOB_NAME_MAX: usize = 52;
/// A Job's name is a label of its pods.
const LABEL_MAX: usize = 63;
/// API server: `maxParallelismForIndexedJob`.
const INDEXES_MAX: i32 = 100_000;

/// API server: `ValidateJob`.
pub(in crate::manifest) fn job(job: &Job, faults: &mut Faults) {
    metadata(&job.metadata, names::dns_subdomain, faults);
    let root = Path::Root;
    let path = root.field("spec");
    let none = JobSpec::default();
    let spec = job.spec.as_ref().unwrap_or(&none);
    let name = job.metadata.name.as_deref().unwrap_or_default();
    if name.len() > LABEL_MAX {
        let metadata = root.field("metadata");
        let rule = "must be no more than 63 characters: the pods have it as a label";
        invalid_text(faults, &metadata.field("name"), name, rule).called("spec.template.labels");
    }
    selector(spec, &path, faults);
    job_spec(spec, &path, faults);
}

/// The server makes the selector, unless it is told not to.
fn selector(spec: &JobSpec, path: &Path<'_>, faults: &mut Faults) {
    if spec.manual_selector == Some(true) {
        matching(spec.selector.as_ref(), &spec.template, true, path, faults);
    } else if spec.selector.is_some() {
        let rule = "is made by the cluster, unless manualSelector is true";
        invalid(faults, &path.field("selector"), "{...}", rule);
    }
}

/// API server: `validateJobSpec`.
fn job_spec(spec: &JobSpec, path: &Path<'_>, faults: &mut Faults) {
    for (field, value) in [
        ("parallelism", spec.parallelism),
        ("completions", spec.completions),
        ("backoffLimit", spec.backoff_limit),
        ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished),
        ("backoffLimitPerIndex", spec.backoff_limit_per_index),
        ("maxFailedIndexes", spec.max_failed_indexes),
    ] {
        not_negative(faults, &path.field(field), value);
    }
    let deadline = path.field("activeDeadlineSeconds");
    not_negative(faults, &deadline, spec.active_deadline_seconds);
    indexed(spec, path, faults);
    one_of(
        faults,
        &path.field("podReplacementPolicy"),
        spec.pod_replacement_policy.as_ref(),
        &["Failed", "TerminatingOrFailed"],
    );
    if let Some(manager) = &spec.managed_by {
        format(
            faults,
            &path.field("managedBy"),
            manager,
            names::domain_path,
        );
    }
    template(&spec.template, &[], &path.field("template"), faults);
    let of_pod = spec.template.spec.as_ref();
    let policy = of_pod.and_then(|spec| spec.restart_policy.as_deref());
    let here = path.field("template");
    let here = here.field("spec");
    let here = here.field("restartPolicy");
    match policy.unwrap_or_default() {
        "" | "Always" => {
            required(faults, &here, "OnFailure or Never: a Job is to end");
        }
        "OnFailure" if spec.pod_failure_policy.is_some() => {
            let rule = "must be Never beside a podFailurePolicy";
            invalid_text(faults, &here, "OnFailure", rule);
        }
        _ => {}
    }
    failure_policy(spec, &path.field("podFailurePolicy"), faults);
    success_policy(spec, &path.field("successPolicy"), faults);
}

fn indexed(spec: &JobSpec, path: &Path<'_>, faults: &mut Faults) {
    let mode = path.field("completionMode");
    one_of(
        faults,
        &mode,
        spec.completion_mode.as_ref(),
        &["NonIndexed", "Indexed"],
    );
    let is_indexed = spec.completion_mode.as_deref() == Some("Indexed");
    if is_indexed {
        for (field, value) in [
            ("parallelism", spec.parallelism),
            ("completions", spec.completions),
        ] {
            if let Some(value) = value.filter(|value| *value > INDEXES_MAX) {
                let rule = format!("must not be above {INDEXES_MAX} for an indexed Job");
                invalid(faults, &path.field(field), value, &rule);
            }
        }
        return;
    }
    for (field, value) in [
        ("backoffLimitPerIndex", spec.backoff_limit_per_index),
        ("maxFailedIndexes", spec.max_failed_indexes),
    ] {
        if let Some(value) = value {
            let rule = "needs `completionMode: Indexed`";
            invalid(faults, &path.field(field), value, rule);
        }
    }
}

/// API server: `validatePodFailurePolicy`.
fn failure_policy(spec: &JobSpec, path: &Path<'_>, faults: &mut Faults) {
    const RULES_MAX: usize = 20;
    let Some(policy) = &spec.pod_failure_policy else {
        return;
    };
    let list = path.field("rules");
    if policy.rules.len() > RULES_MAX {
        faults.error(
            &list,
            format!("too long: at most {RULES_MAX} rules are allowed"),
        );
    }
    let of_pod = spec.template.spec.as_ref();
    let containers: HashSet<&str> = of_pod
        .into_iter()
        .flat_map(|spec| {
            spec.init_containers
                .iter()
                .flatten()
                .chain(&spec.containers)
        })
        .map(|container| container.name.as_str())
        .collect();
    for (i, rule) in policy.rules.iter().enumerate() {
        let per_index = spec.backoff_limit_per_index.is_some();
        failure_rule(rule, &containers, per_index, &list.index(i), faults);
    }
}

fn failure_rule(
    rule: &PodFailurePolicyRule,
    containers: &HashSet<&str>,
    per_index: bool,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    let action = path.field("action");
    if required_text(faults, &action, &rule.action, "what to do") {
        let known = ["Count", "FailIndex", "FailJob", "Ignore"];
        must_be_one_of(faults, &action, &rule.action, &known);
        if rule.action == "FailIndex" && !per_index {
            let why = "needs a backoffLimitPerIndex";
            invalid_text(faults, &action, &rule.action, why);
        }
    }
    let conditions = rule.on_pod_conditions.as_deref().unwrap_or_default();
    match (&rule.on_exit_codes, conditions.is_empty()) {
        (Some(_), false) => {
            let rule = "must have onExitCodes or onPodConditions, not both";
            invalid(faults, path, "{...}", rule);
        }
        (None, true) => {
            let rule = "must have onExitCodes or onPodConditions";
            invalid(faults, path, "{...}", rule);
        }
        _ => {}
    }
    if let Some(codes) = &rule.on_exit_codes {
        let here = path.field("onExitCodes");
        let operator = here.field("operator");
        if required_text(faults, &operator, &codes.operator, "In or NotIn") {
            must_be_one_of(faults, &operator, &codes.operator, &["In", "NotIn"]);
        }
        if let Some(name) = codes.container_name.as_deref()
            && !containers.contains(name)
        {
            let rule = "there is no such container";
            invalid_text(faults, &here.field("containerName"), name, rule);
        }
        exit_codes(
            &codes.values,
            &codes.operator,
            &here.field("values"),
            faults,
        );
    }
    let list = path.field("onPodConditions");
    for (i, condition) in conditions.iter().enumerate() {
        let here = list.index(i);
        format(
            faults,
            &here.field("type"),
            &condition.type_,
            names::qualified,
        );
        let status = here.field("status");
        let said = condition.status.as_deref().unwrap_or("True");
        must_be_one_of(faults, &status, said, &["True", "False", "Unknown"]);
    }
}

fn exit_codes(values: &[i32], operator: &str, path: &Path<'_>, faults: &mut Faults) {
    const CODES_MAX: usize = 255;
    if values.is_empty() {
        invalid(faults, path, "[]", "must have at least one exit code");
    } else if values.len() > CODES_MAX {
        faults.error(
            path,
            format!("too long: at most {CODES_MAX} exit codes are allowed"),
        );
    }
    let mut seen = HashSet::new();
    for (i, value) in values.iter().enumerate() {
        let here = path.index(i);
        if *value == 0 && operator == "In" {
            invalid(faults, &here, value, "must not be 0: that is no failure");
        } else if !seen.insert(value) {
            super::duplicate(faults, &here, value);
        }
    }
    if values.windows(2).any(|pair| pair[0] > pair[1]) {
        invalid(faults, path, format!("{values:?}"), "must be in order");
    }
}

/// API server: `validateSuccessPolicy`.
fn success_policy(spec: &JobSpec, path: &Path<'_>, faults: &mut Faults) {
    let Some(policy) = &spec.success_policy else {
        return;
    };
    if spec.completion_mode.as_deref() != Some("Indexed") {
        invalid(faults, path, "{...}", "needs `completionMode: Indexed`");
        return;
    }
    let list = path.field("rules");
    if policy.rules.is_empty() {
        required(faults, &list, "at least one rule");
    }
    for (i, rule) in policy.rules.iter().enumerate() {
        let here = list.index(i);
        if rule.succeeded_count.is_none() && rule.succeeded_indexes.is_none() {
            required(faults, &here, "succeededCount or succeededIndexes");
        }
        if let Some(count) = rule.succeeded_count.filter(|count| *count < 1) {
            invalid(
                faults,
                &here.field("succeededCount"),
                count,
                "must be above zero",
            );
        }
    }
}

/// API server: `ValidateCronJobCreate`.
pub(in crate::manifest) fn cron_job(job: &CronJob, faults: &mut Faults) {
    metadata(&job.metadata, names::dns_subdomain, faults);
    let root = Path::Root;
    let name = job.metadata.name.as_deref().unwrap_or_default();
    if name.len() > CRON_JOB_NAME_MAX {
        let metadata = root.field("metadata");
        let rule = format!("must be no more than {CRON_JOB_NAME_MAX} characters");
        invalid_text(faults, &metadata.field("name"), name, &rule);
    }
    let path = root.field("spec");
    let spec = &job.spec;
    let schedule = path.field("schedule");
    if required_text(faults, &schedule, &spec.schedule, "when it is due") {
        format(faults, &schedule, &spec.schedule, cron::schedule);
    }
    if let Some(zone) = &spec.time_zone {
        let explicit = !zone.is_empty() && !zone.eq_ignore_ascii_case("local");
        if !explicit || !is_zone(zone) {
            let rule = "must be a time zone such as Europe/Berlin or Etc/UTC";
            invalid_text(faults, &path.field("timeZone"), zone, rule);
        }
    }
    not_negative(
        faults,
        &path.field("startingDeadlineSeconds"),
        spec.starting_deadline_seconds,
    );
    one_of(
        faults,
        &path.field("concurrencyPolicy"),
        spec.concurrency_policy.as_ref(),
        &["Allow", "Forbid", "Replace"],
    );
    for (field, value) in [
        (
            "successfulJobsHistoryLimit",
            spec.successful_jobs_history_limit,
        ),
        ("failedJobsHistoryLimit", spec.failed_jobs_history_limit),
    ] {
        not_negative(faults, &path.field(field), value);
    }
    let none = JobSpec::default();
    let of_job = spec.job_template.spec.as_ref().unwrap_or(&none);
    let here = path.field("jobTemplate");
    let here = here.field("spec");
    if of_job.selector.is_some() {
        let rule = "is made by the cluster";
        invalid(faults, &here.field("selector"), "{...}", rule);
    }
    if of_job.manual_selector == Some(true) {
        let message = "unsupported value true: the selector is made by the cluster";
        faults.error(&here.field("manualSelector"), message);
    }
    job_spec(of_job, &here, faults);
}

/// Whether it looks like a name of the time zone database, which need not be on this machine.
fn is_zone(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+' | b'-'))
    };
    name.split('/').all(part)
}
