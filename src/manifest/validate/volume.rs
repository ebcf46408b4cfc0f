//! Rules for volumes that every cluster has: folders, ConfigMaps, Secrets, claims, images.
//!
//! Not here: storage over a network (`volume_network`), several sources in one (`volume_projected`), mounts (`mounts`),
//! whether what one names is there (`references`).

use std::collections::{HashMap, HashSet};

use k8s_openapi::api::core::v1::{
    EmptyDirVolumeSource, HostPathVolumeSource, ImageVolumeSource, KeyToPath, PodSpec, Volume,
};

use super::{
    duplicate, forbidden, format, invalid, invalid_text, names, one_of, quoted, required,
    required_text, storage, volume_network, volume_projected,
};
use crate::manifest::path::Path;
use crate::manifest::problem::Faults;
use crate::spec::Quantity;

/// What a mount needs to know of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Storage that may be a block device.
    Claim,
    Other,
}

/// The volumes that can be mounted, by name.
pub(super) type Volumes<'a> = HashMap<&'a str, Kind>;

/// API server: `ValidateVolumes`. A volume that is itself refused cannot be mounted.
pub(super) fn volumes<'s>(spec: &'s PodSpec, path: &Path<'_>, faults: &mut Faults) -> Volumes<'s> {
    let list = path.field("volumes");
    let mut sound = HashMap::new();
    let mut names: HashSet<&str> = HashSet::new();
    for (i, volume) in spec.volumes.iter().flatten().enumerate() {
        let here = list.index(i);
        let n_before = faults.count();
        source(volume, &here, faults);
        let name = here.field("name");
        if required_text(faults, &name, &volume.name, "a name") {
            format(faults, &name, &volume.name, names::dns_label);
        }
        let is_sound = faults.count() == n_before;
        if is_sound && !names.insert(&volume.name) {
            duplicate(faults, &name, quoted(&volume.name));
        } else if is_sound {
            let is_claim = volume.persistent_volume_claim.is_some() || volume.ephemeral.is_some();
            let kind = if is_claim { Kind::Claim } else { Kind::Other };
            sound.insert(volume.name.as_str(), kind);
        }
    }
    sound
}

/// Says of a second type of volume that there is a first.
pub(super) struct Only<'p> {
    path: &'p Path<'p>,
    n_types: usize,
}

impl<'p> Only<'p> {
    pub(super) fn new(path: &'p Path<'p>) -> Self {
        Self { path, n_types: 0 }
    }

    /// Whether this type is the first.
    pub(super) fn is_first(&mut self, field: &str, faults: &mut Faults) -> bool {
        self.n_types += 1;
        if self.n_types > 1 {
            let why = "a volume has one type, and this is another";
            forbidden(faults, &self.path.field(field), why);
        }
        self.n_types == 1
    }

    pub(super) fn is_none(&self) -> bool {
        self.n_types == 0
    }
}

/// API server: `validateVolumeSource`. A volume without a type is an emptyDir.
fn source(volume: &Volume, path: &Path<'_>, faults: &mut Faults) {
    let mut only = Only::new(path);
    if let Some(source) = &volume.empty_dir
        && only.is_first("emptyDir", faults)
    {
        empty_dir(source, &path.field("emptyDir"), faults);
    }
    if let Some(source) = &volume.host_path
        && only.is_first("hostPath", faults)
    {
        host_path(source, &path.field("hostPath"), faults);
    }
    if let Some(source) = &volume.secret
        && only.is_first("secret", faults)
    {
        let here = path.field("secret");
        let name = source.secret_name.as_deref().unwrap_or_default();
        required_text(
            faults,
            &here.field("secretName"),
            name,
            "the name of a Secret",
        );
        mode(source.default_mode, &here.field("defaultMode"), faults);
        items(source.items.as_deref(), &here.field("items"), faults);
    }
    if let Some(source) = &volume.persistent_volume_claim
        && only.is_first("persistentVolumeClaim", faults)
    {
        let here = path.field("persistentVolumeClaim");
        let name = here.field("claimName");
        required_text(faults, &name, &source.claim_name, "the name of a claim");
    }
    if let Some(source) = &volume.downward_api
        && only.is_first("downwardAPI", faults)
    {
        let here = path.field("downwardAPI");
        mode(source.default_mode, &here.field("defaultMode"), faults);
        let files = source.items.as_deref().unwrap_or_default();
        volume_projected::downward_api(files, &here, faults);
    }
    if let Some(source) = &volume.config_map
        && only.is_first("configMap", faults)
    {
        let here = path.field("configMap");
        required_text(
            faults,
            &here.field("name"),
            &source.name,
            "the name of a ConfigMap",
        );
        mode(source.default_mode, &here.field("defaultMode"), faults);
        items(source.items.as_deref(), &here.field("items"), faults);
    }
    if let Some(source) = &volume.projected
        && only.is_first("projected", faults)
    {
        volume_projected::projected(source, &path.field("projected"), faults);
    }
    volume_network::of_pod(volume, &mut only, path, faults);
    if let Some(source) = &volume.ephemeral
        && only.is_first("ephemeral", faults)
    {
        storage::ephemeral(source, &path.field("ephemeral"), faults);
    }
    if let Some(source) = &volume.image
        && only.is_first("image", faults)
    {
        image(source, &path.field("image"), faults);
    }
}

fn empty_dir(source: &EmptyDirVolumeSource, path: &Path<'_>, faults: &mut Faults) {
    let limit = source.size_limit.as_ref().map(|limit| limit.0.as_str());
    if let Some(limit) = limit
        && Quantity::parse(limit).is_some_and(Quantity::is_negative)
    {
        forbidden(faults, &path.field("sizeLimit"), "must not be below zero");
    }
}

/// API server: `validateHostPathVolumeSource`.
pub(super) fn host_path(source: &HostPathVolumeSource, path: &Path<'_>, faults: &mut Faults) {
    let here = path.field("path");
    if required_text(faults, &here, &source.path, "a path on the node")
        && names::climbs(&source.path)
    {
        invalid_text(faults, &here, &source.path, "must not contain `..`");
    }
    one_of(
        faults,
        &path.field("type"),
        source.type_.as_ref(),
        &[
            "BlockDevice",
            "CharDevice",
            "Directory",
            "DirectoryOrCreate",
            "File",
            "FileOrCreate",
            "Socket",
        ],
    );
}

fn image(source: &ImageVolumeSource, path: &Path<'_>, faults: &mut Faults) {
    let reference = source.reference.as_deref().unwrap_or_default();
    required_text(faults, &path.field("reference"), reference, "an image");
    one_of(
        faults,
        &path.field("pullPolicy"),
        source.pull_policy.as_ref(),
        &["Always", "IfNotPresent", "Never"],
    );
}

/// API server: `validateKeyToPath`.
pub(super) fn items(list: Option<&[KeyToPath]>, path: &Path<'_>, faults: &mut Faults) {
    for (i, item) in list.into_iter().flatten().enumerate() {
        let here = path.index(i);
        required_text(faults, &here.field("key"), &item.key, "a key");
        let at = here.field("path");
        if required_text(faults, &at, &item.path, "a path in the volume") {
            format(faults, &at, &item.path, names::item_path);
        }
        mode(item.mode, &here.field("mode"), faults);
    }
}

/// API server: `fileModeErrorMsg`.
pub(super) fn mode(mode: Option<i32>, path: &Path<'_>, faults: &mut Faults) {
    let Some(mode) = mode.filter(|m| !(0..=0o777).contains(m)) else {
        return;
    };
    let rule = "must be between 0 and 511 (0777 in octal)";
    let fault = invalid(faults, path, mode, rule);
    // 644 without the 0 is a decimal number.
    let digits = mode.to_string();
    if digits.len() == 3 && i32::from_str_radix(&digits, 8).is_ok() {
        fault.hint(format!(
            "octal numbers begin with 0: did you mean 0{digits}?"
        ));
    }
}

/// A field that must be there.
pub(super) fn needed(field: &str, value: &str, path: &Path<'_>, faults: &mut Faults) -> bool {
    if value.is_empty() {
        required(faults, &path.field(field), "it must be said");
    }
    !value.is_empty()
}
