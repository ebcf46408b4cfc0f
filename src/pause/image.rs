//! The pause program as an image, in the form of `docker save`: a configuration, one layer, a list of both.
//!
//! Nothing in it depends on the time or the machine, so that its id is always the same.
//!
//! Not here: loading it.

use serde_json::json;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use crate::record::hash::hex;
use crate::record::names;
use crate::spec::Architecture;

/// The name under which people find it; podctl goes by its id.
const TAG: &str = "podctl/pause:1";
/// Nobody of any pod: a member that is root cannot read the pause's files through `/proc/1/root`.
const USER: u64 = 65535;

/// An image for `images/load`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseImage {
    /// `sha256:...`.
    pub id: String,
    /// The archive.
    pub archive: Vec<u8>,
}

pub(super) fn image(architecture: Architecture, program: &[u8]) -> PauseImage {
    let layer = layer(program);
    let config = json!({
        "architecture": architecture.oci_name(),
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": { "Entrypoint": ["/pause"], "User": format!("{USER}:{USER}"), "WorkingDir": "/" },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", hex(&Sha256::digest(&layer)))] },
        "history": [{ "created": "1970-01-01T00:00:00Z", "created_by": "podctl" }],
    })
    .to_string();
    let id = hex(&Sha256::digest(&config));
    let config_name = format!("{id}.json");
    let manifest =
        json!([{ "Config": config_name, "RepoTags": [TAG], "Layers": ["layer.tar"] }]).to_string();
    let mut archive = Builder::new(Vec::new());
    for (name, content) in [
        (config_name.as_str(), config.as_bytes()),
        ("layer.tar", &layer),
        ("manifest.json", manifest.as_bytes()),
    ] {
        append(&mut archive, name, EntryType::Regular, 0o644, content);
    }
    PauseImage {
        id: format!("sha256:{id}"),
        archive: archive.into_inner().unwrap_or_default(),
    }
}

/// `/pause`, and the folders that the record and the volumes are mounted on.
fn layer(program: &[u8]) -> Vec<u8> {
    let mut layer = Builder::new(Vec::new());
    append(&mut layer, "pause", EntryType::Regular, 0o755, program);
    for (path, mode) in [
        ("/podctl", 0o755),
        (names::RECORD_PATH, 0o700),
        (names::VOLUMES_PATH, 0o755),
    ] {
        let path = format!("{}/", path.trim_start_matches('/'));
        append(&mut layer, &path, EntryType::Directory, mode, &[]);
    }
    layer.into_inner().unwrap_or_default()
}

fn append(archive: &mut Builder<Vec<u8>>, path: &str, kind: EntryType, mode: u32, content: &[u8]) {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(content.len() as u64);
    // Writing into memory cannot fail, and the paths are short.
    let written = archive.append_data(&mut header, path, content);
    debug_assert!(written.is_ok(), "{path}: {written:?}");
}
