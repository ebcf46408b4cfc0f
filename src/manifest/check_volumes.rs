//! Rules about volumes, as the API server has them (API server: `validateVolumes`).
//!
//! Not here: mounts of them (`check`).

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1;

use super::check::{one_of, required, unique, value};
use super::problem::Report;
use super::rules;
use crate::spec::Quantity;

pub(super) fn volumes(report: &mut Report, spec: &v1::PodSpec) {
    let mut names = BTreeSet::new();
    for (i, volume) in spec.volumes.iter().flatten().enumerate() {
        let path = format!("spec.volumes[{i}]");
        let name = format!("{path}.name");
        if required(report, &name, &volume.name) {
            value(report, &name, &volume.name, rules::label(&volume.name));
            unique(report, &mut names, &name, volume.name.clone());
        }
        let sources = [
            volume.config_map.is_some(),
            volume.empty_dir.is_some(),
            volume.host_path.is_some(),
        ];
        if sources.iter().filter(|there| **there).count() > 1 {
            report.error(&path, "forbidden: a volume has one type only");
        }
        if let Some(config_map) = &volume.config_map {
            config_map_volume(report, &format!("{path}.configMap"), config_map);
        }
        if let Some(host_path) = &volume.host_path {
            host_path_volume(report, &format!("{path}.hostPath"), host_path);
        }
        if let Some(empty_dir) = &volume.empty_dir {
            empty_dir_volume(report, &format!("{path}.emptyDir"), empty_dir);
        }
    }
}

fn config_map_volume(report: &mut Report, path: &str, source: &v1::ConfigMapVolumeSource) {
    required(report, &format!("{path}.name"), &source.name);
    if let Some(mode) = source.default_mode {
        value(
            report,
            &format!("{path}.defaultMode"),
            mode,
            rules::mode(mode),
        );
    }
    for (i, item) in source.items.iter().flatten().enumerate() {
        let item_path = format!("{path}.items[{i}].path");
        required(report, &format!("{path}.items[{i}].key"), &item.key);
        if required(report, &item_path, &item.path) {
            value(report, &item_path, &item.path, rules::item_path(&item.path));
        }
        if let Some(mode) = item.mode {
            value(
                report,
                &format!("{path}.items[{i}].mode"),
                mode,
                rules::mode(mode),
            );
        }
    }
}

fn host_path_volume(report: &mut Report, path: &str, source: &v1::HostPathVolumeSource) {
    let field = format!("{path}.path");
    if required(report, &field, &source.path) {
        if source.path.split('/').any(|part| part == "..") {
            report.error(
                &field,
                format!("invalid value `{}`: must not contain '..'", source.path),
            );
        }
        // The API server takes it; what a node then makes of it nobody can say.
        if !source.path.starts_with('/') {
            report.error_with(
                &field,
                format!("invalid value `{}`: must be an absolute path on the engine's machine", source.path),
                Some(format!(
                    "a relative path has no meaning on a cluster: write the whole path, as in `/the/folder/{}`",
                    source.path.trim_start_matches("./")
                )),
            );
        }
        if source.path.contains(':') {
            report.error(&field, "not supported yet: a path with a colon");
        }
    }
    let types = [
        "DirectoryOrCreate",
        "Directory",
        "FileOrCreate",
        "File",
        "Socket",
        "CharDevice",
        "BlockDevice",
    ];
    one_of(
        report,
        &format!("{path}.type"),
        source.type_.as_ref(),
        &types,
    );
    if source.type_.as_deref() == Some("FileOrCreate") {
        report.error_with(
            &format!("{path}.type"),
            "not supported yet: podctl does not make a file on the engine's machine",
            Some("make the file, and write `File`".to_owned()),
        );
    }
}

fn empty_dir_volume(report: &mut Report, path: &str, source: &v1::EmptyDirVolumeSource) {
    if let Some(medium) = source
        .medium
        .as_ref()
        .filter(|medium| medium.starts_with("HugePages"))
    {
        report.error(
            &format!("{path}.medium"),
            format!("not supported yet: the medium `{medium}`"),
        );
    }
    if let Some(limit) = &source.size_limit {
        bytes(report, &format!("{path}.sizeLimit"), &limit.0);
    }
}

/// A quantity of bytes.
pub(super) fn bytes(report: &mut Report, path: &str, text: &str) {
    match Quantity::parse(text) {
        Err(rule) => report.error(path, format!("invalid value `{text}`: {rule}")),
        Ok(quantity) if quantity.thousandths() < 0 => {
            report.error(
                path,
                format!("invalid value `{text}`: must not be negative"),
            );
        }
        Ok(quantity) if quantity.is_fractional() => {
            let hint = text
                .strip_suffix('m')
                .map(|number| format!("did you mean `{number}Mi`?"));
            let less = if quantity.thousandths() < 1000 {
                "is less than one byte"
            } else {
                "is no whole number of bytes"
            };
            report.error_with(
                path,
                format!("invalid value `{text}`: {less} (`m` means a thousandth)"),
                hint,
            );
        }
        Ok(_) => {}
    }
}
