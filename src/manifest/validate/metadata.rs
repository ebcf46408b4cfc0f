//! Rules for `metadata`: name, namespace, labels, annotations, finalizers, owners.
//!
//! Not here: whether two objects have one name (`references`).

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{format, format_if_said, invalid, invalid_text, labels, names, required};
use crate::manifest::path::Path;
use crate::manifest::problem::{At, Faults};

/// API server: `TotalAnnotationSizeLimitB`.
const ANNOTATIONS_MAX: usize = 256 * 1024;
/// API server: `standardFinalizers`.
const FINALIZERS: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

/// The format of a kind's names.
pub(super) type NameRule = fn(&str) -> Option<String>;

/// API server: `ValidateObjectMeta`, for a kind that has a namespace.
pub(super) fn metadata(meta: &ObjectMeta, rule: NameRule, faults: &mut Faults) {
    let root = Path::Root;
    let path = root.field("metadata");
    format_if_said(
        faults,
        &path.field("namespace"),
        meta.namespace.as_ref(),
        names::dns_label,
    );
    cluster_wide(meta, rule, faults);
}

/// The same for a kind that has none.
pub(super) fn cluster_wide(meta: &ObjectMeta, rule: NameRule, faults: &mut Faults) {
    let root = Path::Root;
    let path = root.field("metadata");
    name(meta, rule, &path, faults);
    labels::labels(meta.labels.as_ref(), &path.field("labels"), faults);
    annotations(meta, &path.field("annotations"), faults);
    finalizers(meta, &path.field("finalizers"), faults);
    owners(meta, &path.field("ownerReferences"), faults);
}

/// What a pod template has of it.
pub(super) fn of_template(meta: Option<&ObjectMeta>, path: &Path<'_>, faults: &mut Faults) {
    if let Some(meta) = meta {
        labels::labels(meta.labels.as_ref(), &path.field("labels"), faults);
        annotations(meta, &path.field("annotations"), faults);
    }
}

fn name(meta: &ObjectMeta, rule: NameRule, path: &Path<'_>, faults: &mut Faults) {
    let prefix = meta.generate_name.as_deref().unwrap_or_default();
    if !prefix.is_empty() {
        // The server cuts what is too long.
        let short: String = prefix.chars().take(50).collect();
        if let Some(rule) = names::prefix(&short, rule) {
            invalid_text(faults, &path.field("generateName"), prefix, &rule);
            if meta.name.as_deref().unwrap_or_default().is_empty() {
                invalid_text(faults, &path.field("name"), prefix, &rule);
            }
        }
    }
    let here = path.field("name");
    match meta.name.as_deref().unwrap_or_default() {
        "" if prefix.is_empty() => {
            required(faults, &here, "a name, or a generateName");
        }
        "" => {}
        name => format(faults, &here, name, rule),
    }
}

fn annotations(meta: &ObjectMeta, path: &Path<'_>, faults: &mut Faults) {
    let mut n_bytes = 0;
    for (key, value) in meta.annotations.iter().flatten() {
        n_bytes += key.len() + value.len();
        // Capitals are taken in keys of annotations (API server: `ValidateAnnotations`).
        if let Some(rule) = names::qualified(&key.to_lowercase()) {
            let fault = invalid_text(faults, &path.key(key), key, &rule);
            fault.at(At::Key).called(path.trail().to_string());
        }
    }
    if n_bytes > ANNOTATIONS_MAX {
        let message =
            format!("too long: {n_bytes} bytes in all, at most {ANNOTATIONS_MAX} are allowed");
        faults.error(path, message).at(At::Key);
    }
}

fn finalizers(meta: &ObjectMeta, path: &Path<'_>, faults: &mut Faults) {
    for (i, finalizer) in meta.finalizers.iter().flatten().enumerate() {
        let here = path.index(i);
        if let Some(rule) = names::qualified(finalizer) {
            invalid_text(faults, &here, finalizer, &rule).called(path.trail().to_string());
        }
        if !finalizer.contains('/') && !FINALIZERS.contains(&finalizer.as_str()) {
            let rule = "must be a standard finalizer, or begin with a domain";
            invalid_text(faults, &here, finalizer, rule);
        }
    }
}

fn owners(meta: &ObjectMeta, path: &Path<'_>, faults: &mut Faults) {
    let mut n_controllers = 0;
    for (i, owner) in meta.owner_references.iter().flatten().enumerate() {
        let here = path.index(i);
        for (field, value) in [
            ("apiVersion", &owner.api_version),
            ("kind", &owner.kind),
            ("name", &owner.name),
            ("uid", &owner.uid),
        ] {
            if value.is_empty() {
                let fault = invalid(faults, &here.field(field), "\"\"", "must not be empty");
                fault.called(format!("{}.{field}", path.trail()));
            }
        }
        n_controllers += usize::from(owner.controller == Some(true));
    }
    if n_controllers > 1 {
        invalid(
            faults,
            path,
            n_controllers,
            "only one owner can be the controller",
        );
    }
}
