//! Rules for what belongs to a pod as a whole, and to the template of one.
//!
//! Not here: its containers (`container`), volumes (`volume`), security (`security`), where it runs (`scheduling`).

use k8s_openapi::api::core::v1::{HostAlias, Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::container::{self, Around};
use super::metadata::metadata;
use super::volume::Volumes;
use super::{
    dns, forbidden, format, format_if_said, invalid_text, names, one_of, pod_resources, scheduling,
    security, volume, windows, within,
};
use crate::manifest::path::Path;
use crate::manifest::problem::Faults;

/// API server: `MaxInt32`.
const SECONDS: (i64, i64) = (1, i32::MAX as i64);

/// API server: `ValidatePodCreate`.
pub(in crate::manifest) fn pod(pod: &Pod, faults: &mut Faults) {
    metadata(&pod.metadata, names::dns_subdomain, faults);
    let root = Path::Root;
    let path = root.field("spec");
    let none = PodSpec::default();
    let spec = pod.spec.as_ref().unwrap_or(&none);
    let here = root.field("metadata");
    annotations(&pod.metadata, spec, &here.field("annotations"), faults);
    let volumes = volume::volumes(spec, &path, faults);
    pod_spec(spec, &volumes, &path, faults);
}

/// API server: `ValidatePodSpec`; the volumes have been checked before.
pub(super) fn pod_spec(
    spec: &PodSpec,
    volumes: &Volumes<'_>,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    let around = Around { spec, volumes };
    container::containers(&around, path, faults);
    if spec
        .ephemeral_containers
        .as_ref()
        .is_some_and(|list| !list.is_empty())
    {
        let why = "they are added to a running pod, never written in a manifest";
        forbidden(faults, &path.field("ephemeralContainers"), why);
    }
    one_of(
        faults,
        &path.field("restartPolicy"),
        spec.restart_policy.as_ref(),
        &["Always", "OnFailure", "Never"],
    );
    dns::dns(spec, path, faults);
    if let Some(context) = &spec.security_context {
        security::of_pod(context, spec, &path.field("securityContext"), faults);
    }
    security::host(spec, path, faults);
    windows::os(spec, path, faults);
    names(spec, path, faults);
    if let Some(seconds) = spec.active_deadline_seconds {
        within(
            faults,
            &path.field("activeDeadlineSeconds"),
            seconds,
            SECONDS,
        );
    }
    let aliases = path.field("hostAliases");
    for (i, alias) in spec.host_aliases.iter().flatten().enumerate() {
        host_alias(alias, &aliases.index(i), faults);
    }
    pod_resources::claims(spec, path, faults);
    pod_resources::resources(spec, path, faults);
    scheduling::scheduling(spec, path, faults);
}

fn names(spec: &PodSpec, path: &Path<'_>, faults: &mut Faults) {
    const HOSTNAME_MAX: usize = 64;
    for (field, value) in [("hostname", &spec.hostname), ("subdomain", &spec.subdomain)] {
        format_if_said(faults, &path.field(field), value.as_ref(), names::dns_label);
    }
    let Some(name) = spec
        .hostname_override
        .as_deref()
        .filter(|name| !name.is_empty())
    else {
        return;
    };
    let here = path.field("hostnameOverride");
    format(faults, &here, name, names::dns_subdomain);
    if name.len() > HOSTNAME_MAX {
        invalid_text(faults, &here, name, "must be no more than 64 characters");
    }
    if spec.set_hostname_as_fqdn == Some(true) {
        forbidden(
            faults,
            &here,
            "must not be set beside `setHostnameAsFQDN: true`",
        );
    }
    if spec.host_network == Some(true) {
        forbidden(faults, &here, "must not be set beside `hostNetwork: true`");
    }
}

fn host_alias(alias: &HostAlias, path: &Path<'_>, faults: &mut Faults) {
    format(faults, &path.field("ip"), &alias.ip, names::ip);
    let hostnames = path.field("hostnames");
    for (i, name) in alias.hostnames.iter().flatten().enumerate() {
        format(faults, &hostnames.index(i), name, names::dns_subdomain);
    }
}

/// Annotations that have a meaning for pods (API server: `ValidatePodSpecificAnnotations`).
pub(super) fn annotations(meta: &ObjectMeta, spec: &PodSpec, path: &Path<'_>, faults: &mut Faults) {
    const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
    const SECCOMP: &str = "seccomp.security.alpha.kubernetes.io/pod";
    const OF_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
    const COST: &str = "controller.kubernetes.io/pod-deletion-cost";
    for (key, value) in meta.annotations.iter().flatten() {
        let here = path.key(key);
        if let Some(container) = key.strip_prefix(APP_ARMOR) {
            let inits = spec.init_containers.iter().flatten();
            if !inits
                .chain(&spec.containers)
                .any(|one| one.name == container)
            {
                invalid_text(faults, &here, container, "there is no such container");
            }
            let known = matches!(value.as_str(), "" | "runtime/default" | "unconfined");
            if !known && !value.starts_with("localhost/") {
                let rule = "must be runtime/default, unconfined, or localhost/ and a name";
                invalid_text(faults, &here, value, rule);
            }
        } else if key == SECCOMP || key.starts_with(OF_CONTAINER) {
            let known = ["runtime/default", "docker/default", "unconfined"];
            let file = value.strip_prefix("localhost/");
            let sound = known.contains(&value.as_str())
                || file.is_some_and(|file| names::inner_path(file).is_none());
            if !sound {
                let rule = "must be runtime/default, unconfined, or localhost/ and a file";
                invalid_text(faults, &here, value, rule).called(format!("{}.{key}", path.trail()));
            }
        } else if key == COST && value.parse::<i32>().is_err() {
            invalid_text(faults, &here, value, "must be an integer of 32 bits");
        }
    }
}
