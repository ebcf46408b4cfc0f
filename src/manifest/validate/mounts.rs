//! Rules for `volumeMounts` and `volumeDevices` of a container.
//!
//! Not here: the volumes (`volume`).

use std::collections::HashSet;

use k8s_openapi::api::core::v1::{Container, VolumeMount};

use super::volume::{Kind, Volumes};
use super::{forbidden, invalid_text, must_be_one_of, names, not_found, required, required_text};
use crate::manifest::path::Path;
use crate::manifest::problem::Faults;

/// API server: `ValidateVolumeMounts`.
pub(super) fn mounts(
    container: &Container,
    volumes: &Volumes<'_>,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    let list = path.field("volumeMounts");
    let devices = container.volume_devices.as_deref().unwrap_or_default();
    let mut seen: HashSet<&str> = HashSet::new();
    for (i, one) in container.volume_mounts.iter().flatten().enumerate() {
        let here = list.index(i);
        let name = here.field("name");
        if required_text(faults, &name, &one.name, "the name of a volume")
            && !volumes.contains_key(one.name.as_str())
        {
            not_found(
                faults,
                &name,
                &one.name,
                "spec.volumes",
                volumes.keys().copied(),
            );
        }
        let at = here.field("mountPath");
        if one.mount_path.is_empty() {
            required(faults, &at, "a path in the container");
        }
        if !seen.insert(&one.mount_path) {
            invalid_text(
                faults,
                &at,
                &one.mount_path,
                "must be unique in the container",
            );
        }
        if devices.iter().any(|device| device.name == one.name) {
            let rule = "the volume is one of volumeDevices already";
            invalid_text(faults, &name, &one.name, rule);
        }
        if devices
            .iter()
            .any(|device| device.device_path == one.mount_path)
        {
            let rule = "is a path of volumeDevices already";
            invalid_text(faults, &at, &one.mount_path, rule);
        }
        sub_path(one, &list, i, faults);
        propagation(one, container, &list, i, faults);
    }
}

/// The server names these fields of a mount without its index.
fn sub_path(mount: &VolumeMount, list: &Path<'_>, i: usize, faults: &mut Faults) {
    let here = list.index(i);
    let paths = [
        ("subPath", &mount.sub_path),
        ("subPathExpr", &mount.sub_path_expr),
    ];
    for (field, value) in paths {
        let Some(value) = value.as_deref().filter(|value| !value.is_empty()) else {
            continue;
        };
        if let Some(rule) = names::inner_path(value) {
            let fault = invalid_text(faults, &here.field(field), value, &rule);
            fault.called(list.field(field).trail().to_string());
        }
    }
    let said = |value: &Option<String>| value.as_deref().is_some_and(|value| !value.is_empty());
    if said(&mount.sub_path) && said(&mount.sub_path_expr) {
        let value = mount.sub_path_expr.as_deref().unwrap_or_default();
        let rule = "must not stand beside a subPath";
        invalid_text(faults, &here.field("subPathExpr"), value, rule);
    }
}

/// API server: `validateMountPropagation`, `validateMountRecursiveReadOnly`.
fn propagation(
    mount: &VolumeMount,
    container: &Container,
    list: &Path<'_>,
    i: usize,
    faults: &mut Faults,
) {
    let here = list.index(i);
    let field = "mountPropagation";
    let n_before = faults.count();
    let how = mount.mount_propagation.as_deref();
    if let Some(how) = how {
        let known = ["Bidirectional", "HostToContainer", "None"];
        must_be_one_of(faults, &here.field(field), how, &known);
        let context = container.security_context.as_ref();
        let privileged = context.and_then(|context| context.privileged) == Some(true);
        if how == "Bidirectional" && !privileged {
            let why = "only a privileged container may have it";
            forbidden(faults, &here.field(field), why);
        }
    }
    faults.call_since(n_before, &list.field(field).trail().to_string());

    let field = "recursiveReadOnly";
    let n_before = faults.count();
    match mount.recursive_read_only.as_deref() {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if mount.read_only != Some(true) {
                forbidden(faults, &here.field(field), "needs `readOnly: true`");
            }
            if how.is_some_and(|how| how != "None") {
                let why = "must not stand beside a mountPropagation";
                forbidden(faults, &here.field(field), why);
            }
        }
        Some(other) => {
            let known = ["Disabled", "Enabled", "IfPossible"];
            must_be_one_of(faults, &here.field(field), other, &known);
        }
    }
    faults.call_since(n_before, &list.field(field).trail().to_string());
}

/// API server: `ValidateVolumeDevices`.
pub(super) fn devices(
    container: &Container,
    volumes: &Volumes<'_>,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    let list = path.field("volumeDevices");
    let (mut names, mut paths) = (HashSet::new(), HashSet::new());
    let mounts = container.volume_mounts.as_deref().unwrap_or_default();
    for (i, one) in container.volume_devices.iter().flatten().enumerate() {
        let here = list.index(i);
        let name = here.field("name");
        required_text(faults, &name, &one.name, "the name of a volume");
        let at = here.field("devicePath");
        let there = required_text(faults, &at, &one.device_path, "a path in the container");
        if there && !paths.insert(&one.device_path) {
            invalid_text(
                faults,
                &at,
                &one.device_path,
                "must be unique in the container",
            );
        }
        if there && names::climbs(&one.device_path) {
            invalid_text(faults, &at, &one.device_path, "must not contain `..`");
        }
        if mounts
            .iter()
            .any(|mount| mount.mount_path == one.device_path)
        {
            let rule = "is a path of volumeMounts already";
            invalid_text(faults, &at, &one.device_path, rule);
        }
        match volumes.get(one.name.as_str()) {
            _ if one.name.is_empty() => {}
            None => {
                not_found(
                    faults,
                    &name,
                    &one.name,
                    "spec.volumes",
                    volumes.keys().copied(),
                );
            }
            Some(Kind::Claim) => {}
            Some(Kind::Other) => {
                let rule = "must be a persistentVolumeClaim or ephemeral volume";
                invalid_text(faults, &name, &one.name, rule);
            }
        }
        if !one.name.is_empty() && !names.insert(&one.name) {
            invalid_text(faults, &name, &one.name, "must be unique in the container");
        }
        if mounts.iter().any(|mount| mount.name == one.name) {
            let rule = "the volume is one of volumeMounts already";
            invalid_text(faults, &name, &one.name, rule);
        }
    }
}
