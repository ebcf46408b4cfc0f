//! What the record and the volumes are filled with, as one tar archive for the pause container.
//!
//! The volume of a ConfigMap or a Secret is laid out as the kubelet does (kubelet: `AtomicWriter`): the files in a folder of their own,
//! `..data` a link to that folder, and each name at the root a link through `..data`; so that one rename of `..data`
//! changes all files at once.
//!
//! The time is an argument, in seconds since 1970.
//!
//! Not here: sending it (`engine::archive`).

use std::collections::BTreeSet;

use tar::{Builder, EntryType, Header};

use crate::record::told::{self, Told};
use crate::record::wish::{self, Filled, Record, Wish};
use crate::record::{hash, names, payload};
use crate::spec::volume::{EmptyDir, File, Medium};
use crate::spec::{Desired, Volume, VolumeSource};

/// The link that the files are read through.
const DATA: &str = "..data";
/// Its successor, until it is renamed.
const NEW_DATA: &str = "..data_tmp";

/// A rename inside the pause container that makes new content visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// Absolute path in the pause container.
    pub from: String,
    /// Likewise.
    pub to: String,
}

/// The archive that fills the volumes of a pause container that no member has joined yet, and keeps the payload. `filled`: what is then said
/// of them.
#[must_use]
pub fn fill(desired: &Desired, filled: &Filled, now: u64) -> Vec<u8> {
    let mut tar = Tar::new(now);
    keep_payload(&mut tar, desired);
    for volume in &desired.pod.volumes {
        match &volume.source {
            // kubelet: an emptyDir is writable for all.
            VolumeSource::EmptyDir(EmptyDir {
                medium: Medium::Disk,
                ..
            }) => {
                tar.folder(&root(volume), 0o777);
                for sub_path in sub_paths(desired, volume) {
                    tar.folder(&format!("{}/{sub_path}", root(volume)), 0o777);
                }
            }
            VolumeSource::Data(source) => {
                let files = source.files(desired.payload.get(&source.of));
                let folder = hash::folder(&desired.pod, source, &files);
                content(&mut tar, volume, (&folder, &files), DATA);
            }
            VolumeSource::EmptyDir(_) | VolumeSource::HostPath(_) => {}
        }
    }
    for container in desired
        .pod
        .members()
        .filter(|c| c.termination_message.is_some())
    {
        tar.termination_message(&container.name, 0);
    }
    let (name, text) = wish::filled_file(filled);
    tar.record(&name, &text);
    tar.finish()
}

/// The archive that makes the file of a container's termination message, empty.
#[must_use]
pub fn termination_message(container: &str, attempt: u32, now: u64) -> Vec<u8> {
    let mut tar = Tar::new(now);
    tar.termination_message(container, attempt);
    tar.finish()
}

/// The archive that brings new content into the volumes of a running pod, and the renames that then make it
/// visible. `old` is what they were filled with.
#[must_use]
pub fn refill(desired: &Desired, old: Option<&Desired>, now: u64) -> (Vec<u8>, Vec<Rename>) {
    let mut tar = Tar::new(now);
    let mut renames = Vec::new();
    keep_payload(&mut tar, desired);
    for volume in &desired.pod.volumes {
        let VolumeSource::Data(source) = &volume.source else {
            continue;
        };
        let files = source.files(desired.payload.get(&source.of));
        let before = old.and_then(|old| files_of(old, &volume.name));
        if before.as_ref() == Some(&files) {
            continue;
        }
        let folder = hash::folder(&desired.pod, source, &files);
        content(&mut tar, volume, (&folder, &files), NEW_DATA);
        let at = names::volume_path(&volume.name);
        renames.push(Rename {
            from: format!("{at}/{NEW_DATA}"),
            to: format!("{at}/{DATA}"),
        });
        let now = tops(&files);
        let before = before.unwrap_or_default();
        // The archive API removes nothing: a name that is no more is moved out of sight.
        renames.extend(tops(&before).difference(&now).map(|gone| Rename {
            from: format!("{at}/{gone}"),
            to: format!("{at}/..{folder}/..removed-{gone}"),
        }));
    }
    (tar.finish(), renames)
}

/// The file that says that a refill is visible.
#[must_use]
pub fn filled(filled: &Filled, now: u64) -> Vec<u8> {
    let mut tar = Tar::new(now);
    let (name, text) = wish::filled_file(filled);
    tar.record(&name, &text);
    tar.finish()
}

/// The archive that tells others what who drives the pod knows of it.
#[must_use]
pub fn told(told: &Told, now: u64) -> Vec<u8> {
    let mut tar = Tar::new(now);
    let file = told.to_file();
    for name in told::FILES {
        tar.record(name, &file);
    }
    tar.finish()
}

/// The archive that writes a wish. The files that no longer count are emptied, for the archive API removes nothing.
#[must_use]
pub fn wish(wish: &Wish, desired: &Desired, record: &Record, now: u64) -> Vec<u8> {
    let mut tar = Tar::new(now);
    keep_payload(&mut tar, desired);
    tar.record(&wish.file_name(), wish.to_label().as_bytes());
    // One that counted before counts again where the same is asked for as then.
    let own = payload::file_name(&wish.payload);
    for name in record.superseded.iter().filter(|name| **name != own) {
        tar.record(name, b"");
    }
    tar.finish()
}

fn keep_payload(tar: &mut Tar, desired: &Desired) {
    tar.folder(names::RECORD_PATH, 0o700);
    if !desired.payload.is_empty() {
        let name = payload::file_name(&payload::name(desired));
        tar.record(&name, &payload::file(desired));
    }
}

fn root(volume: &Volume) -> String {
    names::volume_path(&volume.name)
}

/// The files of a volume in their folder, `..data` (or its successor), and the names at the root.
fn content(tar: &mut Tar, volume: &Volume, (folder, files): (&str, &[File]), data: &str) {
    let root = root(volume);
    let folder = format!("..{folder}");
    tar.folder(&root, 0o777);
    tar.folder(&format!("{root}/{folder}"), 0o755);
    for file in files {
        for parent in parents(&file.path) {
            tar.folder(&format!("{root}/{folder}/{parent}"), 0o755);
        }
        tar.file(
            &format!("{root}/{folder}/{}", file.path),
            file.mode,
            &file.content,
        );
    }
    tar.link(&format!("{root}/{data}"), &folder);
    for top in tops(files) {
        tar.link(&format!("{root}/{top}"), &format!("{DATA}/{top}"));
    }
}

fn files_of(desired: &Desired, volume: &str) -> Option<Vec<File>> {
    match &desired.pod.volume(volume)?.source {
        VolumeSource::Data(source) => Some(source.files(desired.payload.get(&source.of))),
        _ => None,
    }
}

/// The names at the root of a volume.
fn tops(files: &[File]) -> BTreeSet<&str> {
    files
        .iter()
        .filter_map(|file| file.path.split('/').next())
        .collect()
}

/// `a` and `a/b` of `a/b/c`.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// The folders that containers mount of a volume.
fn sub_paths<'a>(desired: &'a Desired, volume: &Volume) -> BTreeSet<&'a str> {
    let mounts = desired
        .pod
        .members()
        .flat_map(|container| &container.mounts);
    let of_volume = mounts.filter(|mount| mount.volume == volume.name);
    of_volume
        .map(|mount| mount.sub_path.as_str())
        .filter(|path| !path.is_empty())
        .collect()
}

/// A tar archive in memory, whose paths are relative to the container's root. Everything belongs to root.
struct Tar {
    builder: Builder<Vec<u8>>,
    /// In seconds since 1970. Servers tell a changed file by its time.
    now: u64,
}

impl Tar {
    fn new(now: u64) -> Self {
        Self {
            builder: Builder::new(Vec::new()),
            now,
        }
    }

    fn folder(&mut self, path: &str, mode: u32) {
        self.entry(&format!("{path}/"), EntryType::Directory, mode, &[], None);
    }

    fn file(&mut self, path: &str, mode: u32, content: &[u8]) {
        self.entry(path, EntryType::Regular, mode, content, None);
    }

    fn link(&mut self, path: &str, target: &str) {
        self.entry(path, EntryType::Symlink, 0o777, &[], Some(target));
    }

    /// kubelet: whoever the container runs as can write into it.
    fn termination_message(&mut self, container: &str, attempt: u32) {
        let file = names::termination_message(container, attempt);
        self.file(&format!("{}/{file}", names::RECORD_PATH), 0o666, &[]);
    }

    fn record(&mut self, name: &str, content: &[u8]) {
        self.file(&format!("{}/{name}", names::RECORD_PATH), 0o600, content);
    }

    fn entry(
        &mut self,
        path: &str,
        kind: EntryType,
        mode: u32,
        content: &[u8],
        target: Option<&str>,
    ) {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        header.set_mtime(self.now);
        let path = path.trim_start_matches('/');
        // Writing into memory cannot fail, and the loader has refused paths that climb.
        let written = match target {
            Some(target) => self.builder.append_link(&mut header, path, target),
            None => self.builder.append_data(&mut header, path, content),
        };
        debug_assert!(written.is_ok(), "{path}: {written:?}");
    }

    fn finish(self) -> Vec<u8> {
        self.builder.into_inner().unwrap_or_default()
    }
}
