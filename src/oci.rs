//! A small image, in the form of `docker save` since Docker 25: an OCI layout that older engines can read too, by the
//! `manifest.json` in it. Pure: nothing in it depends on the time or the machine, so that the ids of one content are always the same.
//!
//! Not here: what is in an image (`pause`, `driver::supervisor`), loading it (`engine::images`).

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use crate::record::hash::hex;
use crate::spec::Architecture;

const CREATED: &str = "1970-01-01T00:00:00Z";

/// An image for `images/load`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// `sha256:...`: the hash of its configuration, by which an engine knows it, and the hash of its manifest, by which an
    /// engine with containerd's image store does.
    pub ids: [String; 2],
    /// The archive.
    pub archive: Vec<u8>,
}

/// An image of one layer. `config` is what `docker inspect` shows as `Config`.
#[must_use]
pub fn image(tag: &str, architecture: Architecture, config: &Value, layer: Vec<u8>) -> Image {
    let layer = Blob::new("image.layer.v1.tar", layer);
    let config = Blob::json(
        "image.config.v1+json",
        &json!({
            "architecture": architecture.oci_name(),
            "os": "linux",
            "created": CREATED,
            "config": config,
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
    named["annotations"] = json!({ "io.containerd.image.name": format!("docker.io/{tag}") });
    let index = json!({ "schemaVersion": 2, "manifests": [named] });
    let docker = json!([{ "Config": config.path(), "RepoTags": [tag], "Layers": [layer.path()] }]);
    let mut archive = Layer::default();
    for (path, content) in [
        (layer.path(), &*layer.content),
        (config.path(), &config.content),
        (manifest.path(), &manifest.content),
        (
            "oci-layout".to_owned(),
            br#"{"imageLayoutVersion":"1.0.0"}"#,
        ),
        ("index.json".to_owned(), index.to_string().as_bytes()),
        ("manifest.json".to_owned(), docker.to_string().as_bytes()),
    ] {
        archive.file(&path, 0o644, content);
    }
    Image {
        ids: [config.digest(), manifest.digest()],
        archive: archive.finish(),
    }
}

/// Files of root, as a tar archive.
pub struct Layer(Builder<Vec<u8>>);

impl Default for Layer {
    fn default() -> Self {
        Self(Builder::new(Vec::new()))
    }
}

impl Layer {
    /// Adds a file.
    pub fn file(&mut self, path: &str, mode: u32, content: &[u8]) {
        self.append(path, EntryType::Regular, mode, content);
    }

    /// Adds a folder.
    pub fn folder(&mut self, path: &str, mode: u32) {
        let path = format!("{}/", path.trim_matches('/'));
        self.append(&path, EntryType::Directory, mode, &[]);
    }

    /// The archive.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0.into_inner().unwrap_or_default()
    }

    fn append(&mut self, path: &str, kind: EntryType, mode: u32, content: &[u8]) {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        // Writing into memory cannot fail, and the paths are short.
        let written = self
            .0
            .append_data(&mut header, path.trim_start_matches('/'), content);
        debug_assert!(written.is_ok(), "{path}: {written:?}");
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
