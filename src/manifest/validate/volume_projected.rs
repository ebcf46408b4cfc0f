//! Rules for `projected` and `downwardAPI` volumes.
//!
//! Not here: which fields of a pod there are (`env`).

use std::collections::HashSet;

use k8s_openapi::api::core::v1::{
    ClusterTrustBundleProjection, DownwardAPIVolumeFile, PodCertificateProjection,
    ProjectedVolumeSource, ServiceAccountTokenProjection, VolumeProjection,
};

use super::env::{OF_FILES, field_ref, resource_field_ref};
use super::volume::{items, mode};
use super::{
    forbidden, format, invalid, invalid_text, labels, must_be_one_of, names, required,
    required_text,
};
use crate::manifest::path::Path;
use crate::manifest::problem::Faults;

/// API server: `validateDownwardAPIVolumeFile`, which names the fields without `items` and the index.
pub(super) fn downward_api(files: &[DownwardAPIVolumeFile], path: &Path<'_>, faults: &mut Faults) {
    let list = path.field("items");
    for (i, file) in files.iter().enumerate() {
        let here = list.index(i);
        let n_before = faults.count();
        let at = here.field("path");
        if required_text(faults, &at, &file.path, "a path in the volume") {
            format(faults, &at, &file.path, names::item_path);
        }
        match (&file.field_ref, &file.resource_field_ref) {
            (Some(field), None) => field_ref(field, &OF_FILES, &here.field("fieldRef"), faults),
            (None, Some(field)) => {
                resource_field_ref(field, true, &here.field("resourceFieldRef"), faults);
            }
            (None, None) => {
                required(faults, &here, "one of fieldRef and resourceFieldRef");
            }
            (Some(field), Some(_)) => {
                let rule = "must not stand beside a resourceFieldRef";
                let here = here.field("fieldRef");
                invalid_text(faults, &here, &field.field_path, rule);
            }
        }
        mode(file.mode, &here.field("mode"), faults);
        let (long, short) = (here.trail().to_string(), path.trail().to_string());
        faults.rename_since(n_before, &long, &short);
    }
}

/// API server: `validateProjectionSources`.
pub(super) fn projected(source: &ProjectedVolumeSource, path: &Path<'_>, faults: &mut Faults) {
    mode(source.default_mode, &path.field("defaultMode"), faults);
    let list = path.field("sources");
    let mut paths = HashSet::new();
    for (i, one) in source.sources.iter().flatten().enumerate() {
        let here = list.index(i);
        let n_types = projection(one, &here, faults);
        if n_types > 1 {
            forbidden(faults, &here, "a source has one type, and this has more");
        }
        for written in of_source(one) {
            if !written.is_empty() && !paths.insert(written) {
                let fault = invalid_text(faults, &here, written, "another source writes it too");
                fault.called(path.trail().to_string());
            }
        }
    }
}

/// The paths that a source writes by name.
fn of_source(source: &VolumeProjection) -> Vec<&str> {
    let mut paths: Vec<&str> = Vec::new();
    if let Some(source) = &source.secret {
        paths.extend(source.items.iter().flatten().map(|item| item.path.as_str()));
    }
    if let Some(source) = &source.config_map {
        paths.extend(source.items.iter().flatten().map(|item| item.path.as_str()));
    }
    if let Some(source) = &source.downward_api {
        paths.extend(source.items.iter().flatten().map(|item| item.path.as_str()));
    }
    paths.extend(
        source
            .service_account_token
            .as_ref()
            .map(|s| s.path.as_str()),
    );
    paths.extend(
        source
            .cluster_trust_bundle
            .as_ref()
            .map(|s| s.path.as_str()),
    );
    paths
}

/// The number of types that it has.
fn projection(source: &VolumeProjection, path: &Path<'_>, faults: &mut Faults) -> usize {
    let mut n_types = 0;
    let named = [
        (
            "secret",
            source
                .secret
                .as_ref()
                .map(|s| (&s.name, s.items.as_deref())),
        ),
        (
            "configMap",
            source
                .config_map
                .as_ref()
                .map(|s| (&s.name, s.items.as_deref())),
        ),
    ];
    for (field, found) in named {
        let Some((name, list)) = found else { continue };
        n_types += 1;
        let here = path.field(field);
        required_text(faults, &here.field("name"), name, "a name");
        items(list, &here.field("items"), faults);
    }
    if let Some(source) = &source.downward_api {
        n_types += 1;
        let files = source.items.as_deref().unwrap_or_default();
        downward_api(files, &path.field("downwardAPI"), faults);
    }
    if let Some(source) = &source.service_account_token {
        n_types += 1;
        token(source, &path.field("serviceAccountToken"), faults);
    }
    if let Some(source) = &source.cluster_trust_bundle {
        n_types += 1;
        trust_bundle(source, &path.field("clusterTrustBundle"), faults);
    }
    if let Some(source) = &source.pod_certificate {
        n_types += 1;
        certificate(source, &path.field("podCertificate"), faults);
    }
    n_types
}

fn token(source: &ServiceAccountTokenProjection, path: &Path<'_>, faults: &mut Faults) {
    let seconds = path.field("expirationSeconds");
    if let Some(value) = source.expiration_seconds {
        if value < 600 {
            invalid(faults, &seconds, value, "must be ten minutes or more");
        } else if value > 1 << 32 {
            invalid(faults, &seconds, value, "must be below 2^32");
        }
    }
    let at = path.field("path");
    if required_text(faults, &at, &source.path, "a path in the volume") {
        format(faults, &at, &source.path, names::item_path);
    }
}

fn trust_bundle(source: &ClusterTrustBundleProjection, path: &Path<'_>, faults: &mut Faults) {
    let rule = "must have a name, or a signerName with a labelSelector, not both";
    match (&source.name, &source.signer_name) {
        (Some(_), Some(_)) => {
            invalid(faults, path, "{...}", rule);
        }
        (Some(name), None) => {
            if name.is_empty() {
                required(
                    faults,
                    &path.field("name"),
                    "the name of a ClusterTrustBundle",
                );
            }
            if source.label_selector.is_some() {
                let why = "is for a signerName only";
                forbidden(faults, &path.field("labelSelector"), why);
            }
        }
        (None, Some(signer)) => {
            if signer.is_empty() {
                required(faults, &path.field("signerName"), "the name of a signer");
            }
            if let Some(selector) = &source.label_selector {
                labels::selector(selector, &path.field("labelSelector"), faults);
            }
        }
        (None, None) => {
            required(faults, path, rule);
        }
    }
    let at = path.field("path");
    if required_text(faults, &at, &source.path, "a path in the volume") {
        format(faults, &at, &source.path, names::item_path);
    }
}

fn certificate(source: &PodCertificateProjection, path: &Path<'_>, faults: &mut Faults) {
    const KEYS: [&str; 6] = [
        "RSA3072",
        "RSA4096",
        "ECDSAP256",
        "ECDSAP384",
        "ECDSAP521",
        "ED25519",
    ];
    let signer = path.field("signerName");
    if required_text(faults, &signer, &source.signer_name, "the name of a signer") {
        format(faults, &signer, &source.signer_name, names::domain_path);
    }
    must_be_one_of(faults, &path.field("keyType"), &source.key_type, &KEYS);
    let paths = [
        ("credentialBundlePath", &source.credential_bundle_path),
        ("keyPath", &source.key_path),
        ("certificateChainPath", &source.certificate_chain_path),
    ];
    let mut n_paths = 0;
    for (field, value) in paths {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            n_paths += 1;
            format(faults, &path.field(field), value, names::item_path);
        }
    }
    if n_paths == 0 {
        required(faults, path, "a path to write to");
    }
    if let Some(seconds) = source.max_expiration_seconds.filter(|s| *s < 3600) {
        let here = path.field("maxExpirationSeconds");
        invalid(faults, &here, seconds, "must be an hour or more");
    }
}
