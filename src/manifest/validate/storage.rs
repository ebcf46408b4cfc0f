//! Rules for PersistentVolumeClaims, PersistentVolumes and ephemeral volumes.
//!
//! Not here: the types of volumes (`volume`, `volume_network`).

use k8s_openapi::api::core::v1::{
    EphemeralVolumeSource, PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec,
    PersistentVolumeSpec,
};

use super::metadata::{cluster_wide, metadata};
use super::volume::{Only, host_path, needed};
use super::{
    forbidden, format_if_said, invalid_text, labels, must_be_one_of, names, one_of, quoted,
    required, required_text, scheduling, volume_network,
};
use crate::manifest::path::Path;
use crate::manifest::problem::Faults;
use crate::spec::Quantity;

const ACCESS_MODES: [&str; 4] = [
    "ReadOnlyMany",
    "ReadWriteMany",
    "ReadWriteOnce",
    "ReadWriteOncePod",
];
const VOLUME_MODES: [&str; 2] = ["Block", "Filesystem"];

/// API server: `ValidatePersistentVolumeClaim`.
pub(in crate::manifest) fn claim(claim: &PersistentVolumeClaim, faults: &mut Faults) {
    metadata(&claim.metadata, names::dns_subdomain, faults);
    let root = Path::Root;
    let none = PersistentVolumeClaimSpec::default();
    let spec = claim.spec.as_ref().unwrap_or(&none);
    claim_spec(spec, &root.field("spec"), faults);
}

/// API server: `ValidatePersistentVolumeClaimSpec`.
pub(super) fn claim_spec(spec: &PersistentVolumeClaimSpec, path: &Path<'_>, faults: &mut Faults) {
    let modes = spec.access_modes.as_deref().unwrap_or_default();
    access_modes(modes, &path.field("accessModes"), faults);
    if let Some(selector) = &spec.selector {
        labels::selector(selector, &path.field("selector"), faults);
    }
    let requests = spec.resources.as_ref().and_then(|r| r.requests.as_ref());
    let here = path.field("resources");
    match requests.and_then(|requests| requests.get("storage")) {
        None => {
            let name = here.key("storage").trail().to_string();
            required(faults, &here, "how much storage, as requests.storage").called(name);
        }
        Some(amount) => {
            let list = here.field("requests");
            positive(&amount.0, &list.key("storage"), faults);
        }
    }
    for (field, name) in [
        ("storageClassName", &spec.storage_class_name),
        (
            "volumeAttributesClassName",
            &spec.volume_attributes_class_name,
        ),
    ] {
        format_if_said(
            faults,
            &path.field(field),
            name.as_ref(),
            names::dns_subdomain,
        );
    }
    let mode = path.field("volumeMode");
    one_of(faults, &mode, spec.volume_mode.as_ref(), &VOLUME_MODES);
    data_source(spec, path, faults);
}

/// The server copies one of the two to the other, and finds a fault twice.
fn data_source(spec: &PersistentVolumeClaimSpec, path: &Path<'_>, faults: &mut Faults) {
    let first = spec.data_source.as_ref().map(|s| {
        let group = s.api_group.as_deref().unwrap_or_default();
        (&s.name, &s.kind, group, None)
    });
    let second = spec.data_source_ref.as_ref().map(|s| {
        let group = s.api_group.as_deref().unwrap_or_default();
        (&s.name, &s.kind, group, s.namespace.as_ref())
    });
    let sources = [
        ("dataSource", first.or(second)),
        ("dataSourceRef", second.or(first)),
    ];
    for (field, source) in sources {
        let Some((name, kind, group, namespace)) = source else {
            continue;
        };
        if field == "dataSource" && namespace.is_some() {
            continue;
        }
        let here = path.field(field);
        required_text(faults, &here.field("name"), name, "a name");
        required_text(faults, &here.field("kind"), kind, "a kind");
        if group.is_empty() && !kind.is_empty() && kind != "PersistentVolumeClaim" {
            let rule = "must be PersistentVolumeClaim where there is no apiGroup";
            invalid_text(faults, &here.field("kind"), kind, rule);
        }
    }
}

fn access_modes(modes: &[String], path: &Path<'_>, faults: &mut Faults) {
    if modes.is_empty() {
        required(faults, path, "at least one of them");
    }
    for mode in modes {
        must_be_one_of(faults, path, mode, &ACCESS_MODES);
    }
    if modes.len() > 1 && modes.iter().any(|mode| mode == "ReadWriteOncePod") {
        forbidden(faults, path, "ReadWriteOncePod must be the only one");
    }
}

fn positive(amount: &str, path: &Path<'_>, faults: &mut Faults) {
    let value = Quantity::parse(amount);
    if value.is_some_and(|value| value.is_negative() || value.is_zero()) {
        invalid_text(faults, path, amount, "must be greater than zero");
    }
}

/// API server: `validateEphemeralVolumeSource`.
pub(super) fn ephemeral(source: &EphemeralVolumeSource, path: &Path<'_>, faults: &mut Faults) {
    let here = path.field("volumeClaimTemplate");
    let Some(template) = &source.volume_claim_template else {
        required(faults, &here, "what to claim");
        return;
    };
    if let Some(meta) = &template.metadata {
        let at = here.field("metadata");
        for (field, is_set) in [
            ("name", meta.name.is_some()),
            ("generateName", meta.generate_name.is_some()),
            ("namespace", meta.namespace.is_some()),
        ] {
            if is_set {
                forbidden(faults, &at.field(field), "the claim is named after the pod");
            }
        }
        labels::labels(meta.labels.as_ref(), &at.field("labels"), faults);
    }
    claim_spec(&template.spec, &here.field("spec"), faults);
}

/// API server: `ValidatePersistentVolume`.
pub(in crate::manifest) fn persistent_volume(volume: &PersistentVolume, faults: &mut Faults) {
    cluster_wide(&volume.metadata, names::dns_subdomain, faults);
    let root = Path::Root;
    let path = root.field("spec");
    let none = PersistentVolumeSpec::default();
    let spec = volume.spec.as_ref().unwrap_or(&none);
    let modes = spec.access_modes.as_deref().unwrap_or_default();
    access_modes(modes, &path.field("accessModes"), faults);
    capacity(spec, &path.field("capacity"), faults);
    sources(spec, &path, faults);
    let here = path.field("persistentVolumeReclaimPolicy");
    let policy = spec.persistent_volume_reclaim_policy.as_ref();
    one_of(faults, &here, policy, &["Delete", "Recycle", "Retain"]);
    let root_path = spec
        .host_path
        .as_ref()
        .is_some_and(|source| is_root(&source.path));
    if root_path && policy.is_some_and(|policy| policy == "Recycle") {
        let why = "must not be Recycle for a hostPath of `/`";
        forbidden(faults, &here, why);
    }
    for (field, name) in [
        ("storageClassName", &spec.storage_class_name),
        (
            "volumeAttributesClassName",
            &spec.volume_attributes_class_name,
        ),
    ] {
        format_if_said(
            faults,
            &path.field(field),
            name.as_ref(),
            names::dns_subdomain,
        );
    }
    let mode = path.field("volumeMode");
    one_of(faults, &mode, spec.volume_mode.as_ref(), &VOLUME_MODES);
    node_affinity(spec, &path, faults);
}

fn is_root(path: &str) -> bool {
    path.starts_with('/') && path.split('/').all(|part| matches!(part, "" | "."))
}

fn capacity(spec: &PersistentVolumeSpec, path: &Path<'_>, faults: &mut Faults) {
    let capacity = spec.capacity.as_ref().filter(|amounts| !amounts.is_empty());
    let Some(capacity) = capacity else {
        required(faults, path, "how much storage there is");
        return;
    };
    if capacity.len() != 1 || !capacity.contains_key("storage") {
        let names: Vec<&str> = capacity.keys().map(String::as_str).collect();
        let message = format!(
            "unsupported value {}: must be storage alone",
            quoted(&names.join(", "))
        );
        faults.error(path, message);
    }
    for (name, amount) in capacity {
        positive(&amount.0, &path.key(name), faults);
    }
}

fn sources(spec: &PersistentVolumeSpec, path: &Path<'_>, faults: &mut Faults) {
    let mut only = Only::new(path);
    if let Some(source) = &spec.host_path
        && only.is_first("hostPath", faults)
    {
        host_path(source, &path.field("hostPath"), faults);
    }
    volume_network::of_volume(spec, &mut only, path, faults);
    if let Some(source) = &spec.local
        && only.is_first("local", faults)
    {
        let here = path.field("local");
        if needed("path", &source.path, &here, faults) && names::climbs(&source.path) {
            invalid_text(
                faults,
                &here.field("path"),
                &source.path,
                "must not contain `..`",
            );
        }
    }
    if only.is_none() {
        required(faults, path, "a type of volume");
    }
}

fn node_affinity(spec: &PersistentVolumeSpec, path: &Path<'_>, faults: &mut Faults) {
    let here = path.field("nodeAffinity");
    let Some(affinity) = &spec.node_affinity else {
        if spec.local.is_some() {
            required(faults, &here, "a local volume is on one node");
        }
        return;
    };
    let here = here.field("required");
    match &affinity.required {
        Some(selector) => scheduling::node_selector(selector, &here, faults),
        None => {
            required(faults, &here, "which nodes");
        }
    }
}
