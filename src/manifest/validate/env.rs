//! Rules for `env` and `envFrom`, and for the fields of a pod that a variable or a file can be made from.
//!
//! Not here: whether what they refer to is there (`references`).

use std::collections::HashMap;

use k8s_openapi::api::core::v1::{
    Container, EnvFromSource, EnvVar, EnvVarSource, FileKeySelector, ObjectFieldSelector,
    ResourceFieldSelector,
};

use super::{format, invalid, invalid_text, names, quoted, required, required_text};
use crate::manifest::path::Path;
use crate::manifest::problem::Faults;
use crate::spec::Quantity;

/// Fields that a variable can have (API server: `validEnvDownwardAPIFieldPathExpressions`).
const OF_ENV: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
/// Fields that a file can have (API server: `validVolumeDownwardAPIFieldPathExpressions`).
pub(super) const OF_FILES: [&str; 5] = [
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
];
/// API server: `validContainerResourceFieldPathExpressions`.
const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];
/// API server: `validContainerResourceDivisorForMemory`.
const SIZES: [&str; 13] = [
    "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei",
];

/// API server: `ValidateEnv`, `validateEnvFrom`.
pub(super) fn env(container: &Container, path: &Path<'_>, faults: &mut Faults) {
    let list = path.field("env");
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (i, one) in container.env.iter().flatten().enumerate() {
        let here = list.index(i);
        if required_text(
            faults,
            &here.field("name"),
            &one.name,
            "the variable's name",
        ) {
            format(faults, &here.field("name"), &one.name, names::env_name);
        }
        value_from(one, &here.field("valueFrom"), faults);
        if !one.name.is_empty() && first.insert(&one.name, i).is_some() {
            faults.warning(&here, format!("hides an earlier `{}`", one.name));
        }
    }
    let list = path.field("envFrom");
    for (i, one) in container.env_from.iter().flatten().enumerate() {
        env_from(one, &list, i, faults);
    }
}

fn env_from(one: &EnvFromSource, list: &Path<'_>, i: usize, faults: &mut Faults) {
    let here = list.index(i);
    if let Some(prefix) = one.prefix.as_deref().filter(|prefix| !prefix.is_empty()) {
        format(faults, &here.field("prefix"), prefix, names::env_name);
    }
    let sources = [
        ("configMapRef", one.config_map_ref.as_ref().map(|s| &s.name)),
        ("secretRef", one.secret_ref.as_ref().map(|s| &s.name)),
    ];
    let mut n_sources = 0;
    for (field, name) in sources {
        if let Some(name) = name {
            n_sources += 1;
            let here = here.field(field);
            format(faults, &here.field("name"), name, names::dns_subdomain);
        }
    }
    if n_sources != 1 {
        let rule = "must have one of configMapRef and secretRef";
        let fault = invalid(faults, &here, "\"\"", rule);
        fault.called(list.trail().to_string());
    }
}

fn value_from(one: &EnvVar, path: &Path<'_>, faults: &mut Faults) {
    let Some(from) = &one.value_from else {
        return;
    };
    let n_sources = sources(from, path, faults);
    if one.value.as_deref().is_some_and(|value| !value.is_empty()) {
        let rule = "must not stand beside a `value`";
        if n_sources != 0 {
            invalid(faults, path, "{...}", rule);
        }
    } else if n_sources > 1 {
        invalid(faults, path, "{...}", "must have one source, not more");
    }
    if n_sources == 0 {
        let rule = "must have one of fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef";
        invalid(faults, path, "{}", rule);
    }
}

/// The number of them.
fn sources(from: &EnvVarSource, path: &Path<'_>, faults: &mut Faults) -> usize {
    let mut n_sources = 0;
    if let Some(field) = &from.field_ref {
        n_sources += 1;
        field_ref(field, &OF_ENV, &path.field("fieldRef"), faults);
    }
    if let Some(resource) = &from.resource_field_ref {
        n_sources += 1;
        let here = path.field("resourceFieldRef");
        resource_field_ref(resource, false, &here, faults);
    }
    let keys = [
        (
            "configMapKeyRef",
            from.config_map_key_ref.as_ref().map(|s| (&s.name, &s.key)),
        ),
        (
            "secretKeyRef",
            from.secret_key_ref.as_ref().map(|s| (&s.name, &s.key)),
        ),
    ];
    for (field, source) in keys {
        let Some((name, key)) = source else { continue };
        n_sources += 1;
        let here = path.field(field);
        format(faults, &here.field("name"), name, names::dns_subdomain);
        if required_text(faults, &here.field("key"), key, "a key") {
            format(faults, &here.field("key"), key, names::config_key);
        }
    }
    if let Some(file) = &from.file_key_ref {
        n_sources += 1;
        file_key_ref(file, &path.field("fileKeyRef"), faults);
    }
    n_sources
}

fn file_key_ref(file: &FileKeySelector, path: &Path<'_>, faults: &mut Faults) {
    if required_text(
        faults,
        &path.field("key"),
        &file.key,
        "a variable of the file",
    ) {
        format(faults, &path.field("key"), &file.key, names::env_name);
    }
    let volume = path.field("volumeName");
    if required_text(faults, &volume, &file.volume_name, "the name of a volume") {
        format(faults, &volume, &file.volume_name, names::dns_label);
    }
    if required_text(
        faults,
        &path.field("path"),
        &file.path,
        "a path in the volume",
    ) {
        format(faults, &path.field("path"), &file.path, names::item_path);
    }
}

/// API server: `validateObjectFieldSelector`.
pub(super) fn field_ref(
    field: &ObjectFieldSelector,
    known: &[&str],
    path: &Path<'_>,
    faults: &mut Faults,
) {
    let version = field.api_version.as_deref().unwrap_or("v1");
    let here = path.field("fieldPath");
    if !matches!(version, "" | "v1") {
        let rule = "must be v1: a Pod has no other version";
        invalid_text(faults, &here, version, rule);
        return;
    }
    let written = field.field_path.as_str();
    if !required_text(faults, &here, written, "a field of the pod") {
        return;
    }
    let Some((map, key)) = subscript(written) else {
        if !known.contains(&written) {
            let message = format!(
                "unsupported value {}: must be one of {}",
                quoted(written),
                known.join(", ")
            );
            let fault = faults.error(&here, message);
            if let Some(near) = crate::manifest::suggest::nearest(written, known.iter().copied()) {
                fault.hint(format!("did you mean `{near}`?"));
            }
        }
        return;
    };
    let rule = match map {
        "metadata.annotations" => names::qualified(&key.to_lowercase()),
        "metadata.labels" => names::qualified(key),
        _ => {
            let rule = "only metadata.annotations and metadata.labels take a key";
            invalid_text(faults, &here, written, rule);
            return;
        }
    };
    if let Some(rule) = rule {
        invalid_text(faults, path, key, &rule);
    }
}

/// `metadata.labels['app']` (apimachinery: `SplitMaybeSubscriptedPath`).
fn subscript(path: &str) -> Option<(&str, &str)> {
    path.strip_suffix("']")?.split_once("['")
}

/// API server: `validateContainerResourceFieldSelector`.
pub(super) fn resource_field_ref(
    field: &ResourceFieldSelector,
    of_volume: bool,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    let container = field.container_name.as_deref().unwrap_or_default();
    if of_volume && container.is_empty() {
        required(
            faults,
            &path.field("containerName"),
            "the name of a container",
        );
        return;
    }
    let here = path.field("resource");
    let resource = field.resource.as_str();
    if !required_text(
        faults,
        &here,
        resource,
        "limits or requests, such as limits.memory",
    ) {
        return;
    }
    let huge = ["limits.hugepages-", "requests.hugepages-"];
    if !huge.iter().any(|prefix| resource.starts_with(prefix)) {
        super::must_be_one_of(faults, &here, resource, &RESOURCES);
    }
    divisor(field, &path.field("divisor"), faults);
}

fn divisor(field: &ResourceFieldSelector, path: &Path<'_>, faults: &mut Faults) {
    let Some(written) = field.divisor.as_ref().map(|divisor| divisor.0.as_str()) else {
        return;
    };
    let Some(value) = Quantity::parse(written).filter(|value| !value.is_zero()) else {
        return;
    };
    let known: &[&str] = if matches!(field.resource.as_str(), "limits.cpu" | "requests.cpu") {
        &["1m", "1"]
    } else {
        &SIZES
    };
    if !known.iter().any(|one| Quantity::parse(one) == Some(value)) {
        let rule = format!("must be one of {}", known.join(", "));
        invalid_text(faults, path, written, &rule);
    }
}
