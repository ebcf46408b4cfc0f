//! What Kubernetes takes, and one machine with Docker cannot do: values of fields that are otherwise carried out.
//!
//! Not here: fields that are not carried out at all (`fields`), what one engine cannot do and another can (`translate`).

use std::collections::HashSet;
use std::net::IpAddr;

use k8s_openapi::api::core::v1::{
    Container, EmptyDirVolumeSource, HostPathVolumeSource, KeyToPath, Pod, PodSpec,
};

use super::path::Path;
use super::problem::Faults;
use crate::spec::{Quantity, image};

/// Refuses them by name.
pub(super) fn check(pod: &Pod, faults: &mut Faults) {
    let Some(spec) = &pod.spec else { return };
    let root = Path::Root;
    let path = root.field("spec");
    length(pod, faults);
    let list = path.field("volumes");
    for (i, volume) in spec.volumes.iter().flatten().enumerate() {
        let here = list.index(i);
        if let Some(source) = &volume.host_path {
            host_path(source, &here.field("hostPath"), faults);
        }
        if let Some(source) = &volume.empty_dir {
            empty_dir(source, &here.field("emptyDir"), faults);
        }
        if let Some(source) = &volume.config_map {
            let here = here.field("configMap");
            items(source.items.as_deref(), &here.field("items"), faults);
        }
        if let Some(source) = &volume.secret {
            let here = here.field("secret");
            items(source.items.as_deref(), &here.field("items"), faults);
        }
    }
    let inits = spec.init_containers.as_deref().unwrap_or_default();
    for (field, containers) in [("initContainers", inits), ("containers", &spec.containers)] {
        let list = path.field(field);
        for (i, one) in containers.iter().enumerate() {
            let here = list.index(i);
            image(one, &here.field("image"), faults);
            ports(one, &here.field("ports"), faults);
            mounts(one, spec, &here.field("volumeMounts"), faults);
            limits(one, &here.field("resources"), faults);
        }
    }
}

/// Docker's names of containers and volumes are made from the pod's.
fn length(pod: &Pod, faults: &mut Faults) {
    const LONGEST: usize = 180;
    let length = |name: &Option<String>| name.as_ref().map_or(0, String::len);
    let meta = &pod.metadata;
    if length(&meta.name) + length(&meta.namespace) > LONGEST {
        let root = Path::Root;
        let here = root.field("metadata");
        let message =
            format!("not supported: name and namespace together may have {LONGEST} characters");
        faults.unsupported(&here.field("name"), message);
    }
}

fn host_path(source: &HostPathVolumeSource, path: &Path<'_>, faults: &mut Faults) {
    let here = path.field("path");
    let written = source.path.as_str();
    // What a node makes of it nobody can say.
    if !written.is_empty() && !written.starts_with('/') {
        let message =
            format!("not supported: {written:?} must be an absolute path on the engine's machine");
        let rest = written.trim_start_matches("./");
        faults.unsupported(&here, message).hint(format!(
            "a relative path has no meaning on a cluster: write the whole path, as in `/the/folder/{rest}`"
        ));
    }
    if written.contains(':') {
        let message =
            format!("not supported: Docker mounts no path with a colon, such as {written:?}");
        faults.unsupported(&here, message);
    }
    if source.type_.as_deref() == Some("FileOrCreate") {
        let message = "not supported yet: podctl does not make a file on the engine's machine";
        faults
            .unsupported(&path.field("type"), message)
            .hint("make the file, and write `File`");
    }
}

fn empty_dir(source: &EmptyDirVolumeSource, path: &Path<'_>, faults: &mut Faults) {
    // The API server takes any text; the kubelet knows these and huge pages.
    let medium = source.medium.as_deref().unwrap_or_default();
    if !matches!(medium, "" | "Memory") {
        let message =
            format!("not supported: the medium {medium:?}, which must be empty or `Memory`");
        faults.unsupported(&path.field("medium"), message);
    }
    if let Some(limit) = &source.size_limit {
        whole_bytes(&limit.0, &path.field("sizeLimit"), faults);
    }
}

/// `128m` is an eighth of a byte, and surely means 128 megabytes; the API server only warns of it.
fn whole_bytes(amount: &str, path: &Path<'_>, faults: &mut Faults) {
    let Some(quantity) = Quantity::parse(amount).filter(|quantity| !quantity.is_negative()) else {
        return;
    };
    if quantity.is_whole() {
        return;
    }
    let what = if quantity.units() == Some(1) {
        "is less than one byte"
    } else {
        "is not a whole number of bytes"
    };
    let fault = faults.unsupported(path, format!("not supported: {amount:?} {what}"));
    if let Some(number) = amount.strip_suffix('m') {
        fault.hint(format!("`m` means a thousandth; did you mean {number}Mi?"));
    }
}

fn items(items: Option<&[KeyToPath]>, path: &Path<'_>, faults: &mut Faults) {
    for (i, item) in items.into_iter().flatten().enumerate() {
        let names_a_file = item.path.split('/').any(|part| !matches!(part, "" | "."));
        if !item.path.is_empty() && !names_a_file {
            let message = format!("not supported: {:?} names no file in the volume", item.path);
            let here = path.index(i);
            faults.unsupported(&here.field("path"), message);
        }
    }
}

fn image(container: &Container, path: &Path<'_>, faults: &mut Faults) {
    let name = container.image.as_deref().unwrap_or_default();
    // White space around it is the API server's own rule.
    if !name.is_empty() && name.trim() == name && !image::is_valid(name) {
        let message = format!("not supported: Docker reads no name of an image in {name:?}");
        faults
            .unsupported(path, message)
            .hint("it is [REGISTRY/]NAME[:TAG][@DIGEST], in lower case but for registry and tag");
    }
}

fn ports(container: &Container, path: &Path<'_>, faults: &mut Faults) {
    for (i, port) in container.ports.iter().flatten().enumerate() {
        let ip = port.host_ip.as_deref().unwrap_or_default();
        if !ip.is_empty() && ip.parse::<IpAddr>().is_err() {
            let message =
                format!("not supported: Docker cannot listen on {ip:?}, which is no IP address");
            let here = path.index(i);
            faults.unsupported(&here.field("hostIP"), message);
        }
    }
}

fn mounts(container: &Container, spec: &PodSpec, path: &Path<'_>, faults: &mut Faults) {
    let mut seen = HashSet::new();
    for (i, mount) in container.volume_mounts.iter().flatten().enumerate() {
        let here = path.index(i);
        let parts: Vec<&str> = mount
            .mount_path
            .split('/')
            .filter(|part| !matches!(*part, "" | "."))
            .collect();
        let at = here.field("mountPath");
        let written = mount.mount_path.as_str();
        // The API server compares the text; an engine mounts one thing at one path.
        if !written.is_empty() && !seen.insert(parts.clone()) {
            let message = format!("not supported: something else is mounted at {written:?} too");
            faults.unsupported(&at, message);
        } else if parts.is_empty() && !written.is_empty() {
            faults.unsupported(
                &at,
                "not supported: Docker mounts nothing over the root folder",
            );
        } else if parts.contains(&"..") || written.contains(':') {
            let message = format!("not supported: Docker mounts nothing at {written:?}");
            faults.unsupported(&at, message);
        }
        let sub_path = mount.sub_path.as_deref().unwrap_or_default();
        let volumes = spec.volumes.iter().flatten();
        let mut of_it = volumes.filter(|volume| volume.name == mount.name);
        if !sub_path.is_empty() && of_it.any(|volume| volume.host_path.is_some()) {
            let message = "not supported yet: a sub-path of a hostPath, which a container could lead elsewhere";
            faults
                .unsupported(&here.field("subPath"), message)
                .hint("write the whole path into `hostPath.path`");
        }
    }
}

fn limits(container: &Container, path: &Path<'_>, faults: &mut Faults) {
    let Some(resources) = &container.resources else {
        return;
    };
    let list = path.field("limits");
    for (name, amount) in resources.limits.iter().flatten() {
        match name.as_str() {
            "cpu" | "ephemeral-storage" => {}
            "memory" => whole_bytes(&amount.0, &list.key(name), faults),
            _ => {
                let message = format!("not supported yet: the resource `{name}`");
                faults.unsupported(&list.key(name), message);
            }
        }
    }
}
