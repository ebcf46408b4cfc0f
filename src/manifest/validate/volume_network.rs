//! Rules for storage over a network, in a pod and in a PersistentVolume. podctl mounts none of it; a manifest may still be
//! wrong.
//!
//! Not here: volumes that every cluster has (`volume`), PersistentVolumes (`storage`).

use k8s_openapi::api::core::v1::{NFSVolumeSource, PersistentVolumeSpec, Volume};

use super::volume::{Only, needed};
use super::{format, invalid, invalid_text, names, one_of, required, required_text, within};
use crate::manifest::path::Path;
use crate::manifest::problem::Faults;

/// Of the first 256 units of a disk, or partitions.
const UNITS: (i64, i64) = (0, 255);

/// The types that a pod and a PersistentVolume have in common, and that differ in nothing that is checked.
macro_rules! shared_sources {
    ($volume:expr, $only:expr, $path:expr, $faults:expr) => {{
        let (volume, only, path, faults) = ($volume, $only, $path, $faults);
        if let Some(source) = &volume.gce_persistent_disk
            && only.is_first("gcePersistentDisk", faults)
        {
            let n_before = faults.count();
            let here = path.field("gcePersistentDisk");
            needed("pdName", &source.pd_name, &here, faults);
            let partition = source.partition.unwrap_or(0).into();
            within(faults, &here.field("partition"), partition, UNITS);
            let (long, short) = (
                here.trail().to_string(),
                path.field("persistentDisk").trail().to_string(),
            );
            faults.rename_since(n_before, &long, &short);
        }
        if let Some(source) = &volume.aws_elastic_block_store
            && only.is_first("awsElasticBlockStore", faults)
        {
            let here = path.field("awsElasticBlockStore");
            needed("volumeID", &source.volume_id, &here, faults);
            let partition = source.partition.unwrap_or(0).into();
            within(faults, &here.field("partition"), partition, UNITS);
        }
        if let Some(source) = &volume.nfs
            && only.is_first("nfs", faults)
        {
            nfs(source, &path.field("nfs"), faults);
        }
        if let Some(source) = &volume.iscsi
            && only.is_first("iscsi", faults)
        {
            let here = path.field("iscsi");
            needed("targetPortal", &source.target_portal, &here, faults);
            iqn(&source.iqn, &here, faults);
            within(faults, &here.field("lun"), source.lun.into(), UNITS);
            let chap =
                source.chap_auth_discovery == Some(true) || source.chap_auth_session == Some(true);
            if chap && source.secret_ref.is_none() {
                required(faults, &here.field("secretRef"), "CHAP needs a Secret");
            }
        }
        if let Some(source) = &volume.glusterfs
            && only.is_first("glusterfs", faults)
        {
            let here = path.field("glusterfs");
            needed("endpoints", &source.endpoints, &here, faults);
            needed("path", &source.path, &here, faults);
        }
        if let Some(source) = &volume.flocker
            && only.is_first("flocker", faults)
        {
            let here = path.field("flocker");
            let name = source.dataset_name.as_deref().unwrap_or_default();
            let uuid = source.dataset_uuid.as_deref().unwrap_or_default();
            if name.is_empty() && uuid.is_empty() {
                required(faults, &here, "one of datasetName and datasetUUID");
            }
            if !name.is_empty() && !uuid.is_empty() {
                let rule = "must not have a datasetName and a datasetUUID";
                invalid(faults, &here, "{...}", rule).called("resource");
            }
            if name.contains('/') {
                invalid_text(
                    faults,
                    &here.field("datasetName"),
                    name,
                    "must not contain `/`",
                );
            }
        }
        if let Some(source) = &volume.rbd
            && only.is_first("rbd", faults)
        {
            let here = path.field("rbd");
            if source.monitors.is_empty() {
                required(faults, &here.field("monitors"), "at least one monitor");
            }
            needed("image", &source.image, &here, faults);
        }
        if let Some(source) = &volume.cinder
            && only.is_first("cinder", faults)
        {
            needed("volumeID", &source.volume_id, &path.field("cinder"), faults);
        }
        if let Some(source) = &volume.cephfs
            && only.is_first("cephfs", faults)
        {
            let here = path.field("cephfs");
            if source.monitors.is_empty() {
                required(faults, &here.field("monitors"), "at least one monitor");
            }
        }
        if let Some(source) = &volume.quobyte
            && only.is_first("quobyte", faults)
        {
            let here = path.field("quobyte");
            let at = here.field("registry");
            if required_text(
                faults,
                &at,
                &source.registry,
                "host:port, or several of them",
            ) {
                let is_one = |one: &str| {
                    one.rsplit_once(':')
                        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
                };
                if !source.registry.split(',').all(is_one) {
                    invalid_text(
                        faults,
                        &at,
                        &source.registry,
                        "must be host:port, or several of them",
                    );
                }
            }
            needed("volume", &source.volume, &here, faults);
        }
        if let Some(source) = &volume.fc
            && only.is_first("fc", faults)
        {
            let here = path.field("fc");
            let n_wwns = source.target_wwns.as_ref().map_or(0, Vec::len);
            let n_wwids = source.wwids.as_ref().map_or(0, Vec::len);
            let at = here.field("targetWWNs");
            if n_wwns == 0 && n_wwids == 0 {
                required(faults, &at, "targetWWNs, or wwids");
            }
            if n_wwns > 0 && n_wwids > 0 {
                invalid(faults, &at, "[...]", "must not stand beside wwids");
            }
            match source.lun {
                Some(lun) if n_wwns > 0 => within(faults, &here.field("lun"), lun.into(), UNITS),
                None if n_wwns > 0 => {
                    required(faults, &here.field("lun"), "targetWWNs need it");
                }
                _ => {}
            }
        }
        if let Some(source) = &volume.flex_volume
            && only.is_first("flexVolume", faults)
        {
            needed("driver", &source.driver, &path.field("flexVolume"), faults);
        }
        if let Some(source) = &volume.azure_file
            && only.is_first("azureFile", faults)
        {
            let here = path.field("azureFile");
            needed("secretName", &source.secret_name, &here, faults);
            needed("shareName", &source.share_name, &here, faults);
        }
        if let Some(source) = &volume.vsphere_volume
            && only.is_first("vsphereVolume", faults)
        {
            needed(
                "volumePath",
                &source.volume_path,
                &path.field("vsphereVolume"),
                faults,
            );
        }
        if let Some(source) = &volume.photon_persistent_disk
            && only.is_first("photonPersistentDisk", faults)
        {
            needed(
                "pdID",
                &source.pd_id,
                &path.field("photonPersistentDisk"),
                faults,
            );
        }
        if let Some(source) = &volume.portworx_volume
            && only.is_first("portworxVolume", faults)
        {
            needed(
                "volumeID",
                &source.volume_id,
                &path.field("portworxVolume"),
                faults,
            );
        }
        if let Some(source) = &volume.azure_disk
            && only.is_first("azureDisk", faults)
        {
            let here = path.field("azureDisk");
            needed("diskName", &source.disk_name, &here, faults);
            needed("diskURI", &source.disk_uri, &here, faults);
            one_of(
                faults,
                &here.field("cachingMode"),
                source.caching_mode.as_ref(),
                &["None", "ReadOnly", "ReadWrite"],
            );
            one_of(
                faults,
                &here.field("kind"),
                source.kind.as_ref(),
                &["Shared", "Dedicated", "Managed"],
            );
        }
        if let Some(source) = &volume.storageos
            && only.is_first("storageos", faults)
        {
            let here = path.field("storageos");
            let name = source.volume_name.as_deref().unwrap_or_default();
            if needed("volumeName", name, &here, faults) {
                format(faults, &here.field("volumeName"), name, names::dns_label);
            }
        }
        if let Some(source) = &volume.scale_io
            && only.is_first("scaleIO", faults)
        {
            let here = path.field("scaleIO");
            needed("gateway", &source.gateway, &here, faults);
            needed("system", &source.system, &here, faults);
            let name = source.volume_name.as_deref().unwrap_or_default();
            needed("volumeName", name, &here, faults);
        }
    }};
}

/// Those of a pod.
pub(super) fn of_pod(volume: &Volume, only: &mut Only<'_>, path: &Path<'_>, faults: &mut Faults) {
    if let Some(source) = &volume.git_repo
        && only.is_first("gitRepo", faults)
    {
        let here = path.field("gitRepo");
        needed("repository", &source.repository, &here, faults);
        let directory = source.directory.as_deref().unwrap_or_default();
        format(
            faults,
            &here.field("directory"),
            directory,
            names::inner_path,
        );
    }
    shared_sources!(volume, &mut *only, path, &mut *faults);
    if let Some(source) = &volume.csi
        && only.is_first("csi", faults)
    {
        let here = path.field("csi");
        driver(&source.driver, &here, faults);
        if let Some(secret) = &source.node_publish_secret_ref {
            needed(
                "name",
                &secret.name,
                &here.field("nodePublishSecretRef"),
                faults,
            );
        }
    }
}

/// Those of a PersistentVolume.
pub(super) fn of_volume(
    volume: &PersistentVolumeSpec,
    only: &mut Only<'_>,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    shared_sources!(volume, &mut *only, path, &mut *faults);
    if let Some(source) = &volume.csi
        && only.is_first("csi", faults)
    {
        let here = path.field("csi");
        driver(&source.driver, &here, faults);
        needed("volumeHandle", &source.volume_handle, &here, faults);
        let secrets = [
            (
                "controllerPublishSecretRef",
                &source.controller_publish_secret_ref,
            ),
            (
                "controllerExpandSecretRef",
                &source.controller_expand_secret_ref,
            ),
            ("nodePublishSecretRef", &source.node_publish_secret_ref),
            ("nodeStageSecretRef", &source.node_stage_secret_ref),
            ("nodeExpandSecretRef", &source.node_expand_secret_ref),
        ];
        for (field, secret) in secrets {
            if let Some(secret) = secret {
                let here = here.field(field);
                needed(
                    "name",
                    secret.name.as_deref().unwrap_or_default(),
                    &here,
                    faults,
                );
                needed(
                    "namespace",
                    secret.namespace.as_deref().unwrap_or_default(),
                    &here,
                    faults,
                );
            }
        }
    }
}

fn nfs(source: &NFSVolumeSource, path: &Path<'_>, faults: &mut Faults) {
    needed("server", &source.server, path, faults);
    let here = path.field("path");
    required_text(faults, &here, &source.path, "a path of the server");
    if !source.path.starts_with('/') {
        invalid_text(faults, &here, &source.path, "must be absolute");
    }
}

/// API server: `iscsiInitiatorIqnRegex` and its siblings.
fn iqn(name: &str, path: &Path<'_>, faults: &mut Faults) {
    if !needed("iqn", name, path, faults) {
        return;
    }
    let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    let sound = match name.split_once('.') {
        Some(("iqn", rest)) => rest.len() > 8 && rest.as_bytes().get(4) == Some(&b'-'),
        Some(("eui", rest)) => rest.len() == 16 && is_hex(rest),
        Some(("naa", rest)) => matches!(rest.len(), 16 | 32) && is_hex(rest),
        _ => false,
    };
    if !sound {
        let rule = "must begin with iqn., eui. or naa., and be what they say";
        invalid_text(faults, &path.field("iqn"), name, rule);
    }
}

/// API server: `ValidateCSIDriverName`.
fn driver(name: &str, path: &Path<'_>, faults: &mut Faults) {
    const MOST: usize = 63;
    let here = path.field("driver");
    if !needed("driver", name, path, faults) {
        return;
    }
    if name.len() > MOST {
        faults.error(&here, format!("too long: at most {MOST} bytes are allowed"));
    }
    format(faults, &here, &name.to_lowercase(), names::dns_subdomain);
}
