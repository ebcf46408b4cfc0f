//! The pause program as an image, in the form of `docker save` since Docker 25: an OCI layout that older engines can read
//! too, by the `manifest.json` in it.
//!
//! Nothing in it depends on the time or the machine, so that its ids are always the same.
//!
//! Not here: loading it.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use crate::record::hash::hex;
use crate::record::names;
use crate::spec::Architecture;

/// The name under which people find it; podctl goes by its ids.
const TAG: &str = "podctl/pause:1";
const CREATED: &str = "1970-01-01T00:00:00Z";
/// Nobody of any pod: a member that is root cannot read the pause's files through `/proc/1/root`.
const USER: u64 = 65535;
/// What nobody may read, Linux lets nobody trace: not even a member of the pause's own user.
const PROGRAM_MODE: u32 = 0o111;

/// An image for `images/load`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseImage {
    /// `sha256:...`: the hash of its configuration, by which an engine knows it, and the hash of its manifest, by which an
    /// engine with containerd's image store does.
    pub ids: [String; 2],
    /// The archive.
    pub archive: Vec<u8>,
}

pub(super) fn image(architecture: Architecture, program: &[u8]) -> PauseImage {
    let layer = Blob::new("image.layer.v1.tar", layer(program));
    let config = Blob::json(
        "image.config.v1+json",
        &json!({
            "architecture": architecture.oci_name(),
            "os": "linux",
            "created": CREATED,
            "config": { "Entrypoint": ["/pause"], "User": format!("{USER}:{USER}"), "WorkingDir": "/" },
            "rootfs": { "type": "layers", "diff_ids": [layer.digest()] },
            "history": [{ "created": CREATED, "created_by": "podctl" }],
        }),
    );
    let manifest = Blob::json(
        "image.manifest.v1+json",
        &json!({
            "schemaVersion": 2,
            "mediaType": media_type("image.manifest.v1+json"),
            "config": config.descriptor(),
            "layers": [layer.descriptor()],
        }),
    );
    let mut named = manifest.descriptor();
    named["annotations"] = json!({ "io.containerd.image.name": format!("docker.io/{TAG}") });
    let index = json!({ "schemaVersion": 2, "manifests": [named] });
    let docker = json!([{ "Config": config.path(), "RepoTags": [TAG], "Layers": [layer.path()] }]);
    let files = [
        (layer.path(), &*layer.content),
        (config.path(), &config.content),
        (manifest.path(), &manifest.content),
        (
            "oci-layout".to_owned(),
            br#"{"imageLayoutVersion":"1.0.0"}"#,
        ),
        ("index.json".to_owned(), index.to_string().as_bytes()),
        ("manifest.json".to_owned(), docker.to_string().as_bytes()),
    ]
    .map(|(path, content)| (path, content.to_vec()));
    let mut archive = Builder::new(Vec::new());
    for (path, content) in files {
        append(&mut archive, &path, EntryType::Regular, 0o644, &content);
    }
    PauseImage {
        ids: [config.digest(), manifest.digest()],
        archive: archive.into_inner().unwrap_or_default(),
    }
}

/// A part of the image, named by its hash.
struct Blob {
    kind: &'static str,
    hash: String,
    content: Vec<u8>,
}

impl Blob {
    fn new(kind: &'static str, content: Vec<u8>) -> Self {
        let hash = hex(&Sha256::digest(&content));
        Self {
            kind,
            hash,
            content,
        }
    }

    fn json(kind: &'static str, content: &Value) -> Self {
        Self::new(kind, content.to_string().into_bytes())
    }

    fn digest(&self) -> String {
        format!("sha256:{}", self.hash)
    }

    fn path(&self) -> String {
        format!("blobs/sha256/{}", self.hash)
    }

    fn descriptor(&self) -> Value {
        json!({ "mediaType": media_type(self.kind), "digest": self.digest(), "size": self.content.len() })
    }
}

fn media_type(kind: &str) -> String {
    format!("application/vnd.oci.{kind}")
}

/// `/pause`, and the folders that the record and the volumes are mounted on.
fn layer(program: &[u8]) -> Vec<u8> {
    let mut layer = Builder::new(Vec::new());
    append(
        &mut layer,
        "pause",
        EntryType::Regular,
        PROGRAM_MODE,
        program,
    );
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
