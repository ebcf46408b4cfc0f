//! Rules for the containers of a pod: what all of them share, and what app and init containers may not have.
//!
//! Not here: one file each for `env`, `ports`, `probes`, `mounts`, `resources`, `security`.

use std::collections::HashSet;

use k8s_openapi::api::core::v1::{Container, PodSpec};

use super::probes::OfPod;
use super::volume::Volumes;
use super::{
    duplicate, env, forbidden, format, invalid, invalid_text, mounts, must_be_one_of, names,
    one_of, ports, probes, quoted, required, required_text, resources, security,
};
use crate::manifest::path::Path;
use crate::manifest::problem::Faults;

/// What containers are checked against.
pub(super) struct Around<'a> {
    pub(super) spec: &'a PodSpec,
    pub(super) volumes: &'a Volumes<'a>,
}

impl Around<'_> {
    fn of_pod(&self) -> OfPod<'_> {
        const DEFAULT: i64 = 30;
        let os = self.spec.os.as_ref().map(|os| os.name.as_str());
        OfPod {
            grace_period: self
                .spec
                .termination_grace_period_seconds
                .unwrap_or(DEFAULT),
            os: os.unwrap_or_default(),
        }
    }

    pub(super) fn host_network(&self) -> bool {
        self.spec.host_network == Some(true)
    }
}

/// API server: `validateContainers`, `validateInitContainers`.
pub(super) fn containers(around: &Around<'_>, path: &Path<'_>, faults: &mut Faults) {
    let spec = around.spec;
    let list = path.field("containers");
    if spec.containers.is_empty() {
        required(faults, &list, "at least one container");
    }
    let mut names: HashSet<&str> = HashSet::new();
    let mut host_ports = HashSet::new();
    for (i, one) in spec.containers.iter().enumerate() {
        let here = list.index(i);
        container(one, around, &here, faults);
        unique(one, &mut names, &here, faults);
        ports::host_ports(one, &mut host_ports, &here, faults);
        hooks(one, around, &here, faults);
        resize_policy(one, spec, &here, faults);
    }
    let list = path.field("initContainers");
    for (i, one) in spec.init_containers.iter().flatten().enumerate() {
        let here = list.index(i);
        container(one, around, &here, faults);
        unique(one, &mut names, &here, faults);
        init(one, around, &here, faults);
    }
}

fn unique<'c>(
    container: &'c Container,
    names: &mut HashSet<&'c str>,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    if !container.name.is_empty() && !names.insert(&container.name) {
        duplicate(faults, &path.field("name"), quoted(&container.name));
    }
}

/// API server: `validateContainerCommon`.
fn container(container: &Container, around: &Around<'_>, path: &Path<'_>, faults: &mut Faults) {
    let name = path.field("name");
    if required_text(faults, &name, &container.name, "a name") {
        format(faults, &name, &container.name, names::dns_label);
    }
    image(container, path, faults);
    one_of(
        faults,
        &path.field("imagePullPolicy"),
        container.image_pull_policy.as_ref(),
        &["Always", "IfNotPresent", "Never"],
    );
    one_of(
        faults,
        &path.field("terminationMessagePolicy"),
        container.termination_message_policy.as_ref(),
        &["File", "FallbackToLogsOnError"],
    );
    ports::ports(container, around.host_network(), path, faults);
    env::env(container, path, faults);
    mounts::mounts(container, around.volumes, path, faults);
    mounts::devices(container, around.volumes, path, faults);
    if let Some(wanted) = &container.resources {
        let claims = around.spec.resource_claims.as_deref().unwrap_or_default();
        resources::of_container(wanted, claims, &path.field("resources"), faults);
    }
    if let Some(context) = &container.security_context {
        let here = path.field("securityContext");
        security::of_container(context, around.spec, &here, faults);
    }
    restart_rules(container, path, faults);
}

fn image(container: &Container, path: &Path<'_>, faults: &mut Faults) {
    let here = path.field("image");
    let image = container.image.as_deref().unwrap_or_default();
    if required_text(faults, &here, image, "the image to run") && image.trim() != image {
        let rule = "must not begin or end with white space";
        invalid_text(faults, &here, image, rule);
    }
}

fn hooks(container: &Container, around: &Around<'_>, path: &Path<'_>, faults: &mut Faults) {
    probes::probes(container, path, faults);
    if let Some(lifecycle) = &container.lifecycle {
        let here = path.field("lifecycle");
        probes::lifecycle(lifecycle, around.of_pod(), &here, faults);
    }
}

/// An init container that is a sidecar has what an app container has; another has no hooks and no probes.
fn init(container: &Container, around: &Around<'_>, path: &Path<'_>, faults: &mut Faults) {
    if container.restart_policy.as_deref() == Some("Always") {
        hooks(container, around, path, faults);
        return resize_policy(container, around.spec, path, faults);
    }
    for (field, is_there) in [
        ("lifecycle", container.lifecycle.is_some()),
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
    ] {
        if is_there {
            let why = "an init container has none, unless it is a sidecar";
            forbidden(faults, &path.field(field), why)
                .hint("`restartPolicy: Always` makes a sidecar of it");
        }
    }
    if container
        .resize_policy
        .as_ref()
        .is_some_and(|list| !list.is_empty())
    {
        let rule = "must not be set for an init container";
        invalid(faults, &path.field("resizePolicy"), "[...]", rule);
    }
}

/// API server: `validateResizePolicy`, which names the list.
fn resize_policy(container: &Container, spec: &PodSpec, path: &Path<'_>, faults: &mut Faults) {
    let here = path.field("resizePolicy");
    let mut seen = HashSet::new();
    for one in container.resize_policy.iter().flatten() {
        if !seen.insert(&one.resource_name) {
            duplicate(faults, &here, quoted(&one.resource_name));
        }
        must_be_one_of(faults, &here, &one.resource_name, &["cpu", "memory"]);
        let policy = one.restart_policy.as_str();
        must_be_one_of(faults, &here, policy, &["NotRequired", "RestartContainer"]);
        if spec.restart_policy.as_deref() == Some("Never") && policy == "RestartContainer" {
            let rule = "must be NotRequired, for the pod's restartPolicy is Never";
            invalid_text(faults, &here, policy, rule);
        }
    }
}

/// API server: `validateContainerRestartPolicy`.
fn restart_rules(container: &Container, path: &Path<'_>, faults: &mut Faults) {
    const RULES_MAX: usize = 20;
    const CODES_MAX: usize = 255;
    let list = path.field("restartPolicyRules");
    let rules = container
        .restart_policy_rules
        .as_deref()
        .unwrap_or_default();
    let here = path.field("restartPolicy");
    match container.restart_policy.as_deref() {
        Some(policy) => must_be_one_of(faults, &here, policy, &["Always", "Never", "OnFailure"]),
        None if !rules.is_empty() => {
            required(faults, &here, "what is done where no rule says anything");
        }
        None => {}
    }
    if rules.len() > RULES_MAX {
        faults.error(
            &list,
            format!("too long: at most {RULES_MAX} rules are allowed"),
        );
    }
    for (i, rule) in rules.iter().enumerate() {
        let here = list.index(i);
        let actions = ["Restart", "RestartAllContainers"];
        must_be_one_of(faults, &here.field("action"), &rule.action, &actions);
        let at = here.field("exitCodes");
        let Some(codes) = &rule.exit_codes else {
            required(faults, &at, "the exit codes that it is about");
            continue;
        };
        let operator = &codes.operator;
        must_be_one_of(faults, &at.field("operator"), operator, &["In", "NotIn"]);
        if codes
            .values
            .as_ref()
            .is_some_and(|values| values.len() > CODES_MAX)
        {
            let message = format!("too long: at most {CODES_MAX} exit codes are allowed");
            faults.error(&at.field("values"), message);
        }
    }
}
