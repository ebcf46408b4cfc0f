//! Files into and out of the pause container, and the renames that make them visible.
//!
//! Not here: what is in the archives (`translate::archive`).

use std::collections::BTreeMap;
use std::io::Read;

use bollard::exec::{CreateExecOptions, StartExecResults};
use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, DownloadFromContainerOptionsBuilder,
    UploadToContainerOptionsBuilder,
};
use futures_util::StreamExt;
use tar::Header;

use super::{Engine, EngineError};
use crate::record::names;
use crate::spec::volume::PathKind;

impl Engine {
    /// Unpacks a tar archive at the root of a container.
    ///
    /// # Errors
    /// When the container is gone, or the archive cannot be unpacked. It is then half unpacked.
    pub async fn upload(&self, id: &str, archive: Vec<u8>) -> Result<(), EngineError> {
        let options = UploadToContainerOptionsBuilder::default().path("/").build();
        let body = bollard::body_full(archive.into());
        self.ask(self.docker.upload_to_container(id, Some(options), body))
            .await
    }

    /// The files of the record, by name; `None` when the container is gone, or half gone.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn record_files(
        &self,
        pause: &str,
    ) -> Result<Option<BTreeMap<String, Vec<u8>>>, EngineError> {
        let options = DownloadFromContainerOptionsBuilder::default()
            .path(names::RECORD_PATH)
            .build();
        let mut stream = self.docker.download_from_container(pause, Some(options));
        let read = async {
            let mut record = RecordArchive::default();
            while !record.is_whole()
                && let Some(part) = stream.next().await
            {
                record.take(&part?);
            }
            Ok(record.bytes)
        };
        match read.await.map_err(|error| self.error(error)) {
            Ok(archive) => Ok(Some(files(&archive))),
            // Docker 20.10 says 500 of a container whose removal has begun.
            Err(error) if matches!(error.status(), Some(404 | 500)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The beginning of a file of a container, which need not run. The rest is not read.
    ///
    /// # Errors
    /// When the container is gone, or there is no such file.
    pub async fn head(
        &self,
        container: &str,
        path: &str,
        n_most: usize,
    ) -> Result<Vec<u8>, EngineError> {
        /// Docker API: a tar archive, whose headers take two blocks at the most for a short name.
        const HEADERS: usize = 2 * 512;
        let options = DownloadFromContainerOptionsBuilder::default()
            .path(path)
            .build();
        let mut stream = self
            .docker
            .download_from_container(container, Some(options));
        let mut archive = Vec::new();
        while archive.len() < HEADERS + n_most
            && let Some(part) = stream.next().await
        {
            archive.extend_from_slice(&part.map_err(|error| self.error(error))?);
        }
        Ok(first_file(&archive, n_most))
    }

    /// What there is at a path of a container, which need not run: behind a mount, what is mounted.
    ///
    /// # Errors
    /// When the container is gone, or there is no such path.
    pub async fn path_kind(&self, id: &str, path: &str) -> Result<PathKind, EngineError> {
        let options = ContainerArchiveInfoOptionsBuilder::default()
            .path(path)
            .build();
        let info = self.docker.get_container_archive_info(id, Some(options));
        Ok(path_kind(self.ask(info).await?.file_mode))
    }

    /// Renames a path in the pause container, by its own program.
    ///
    /// # Errors
    /// When the container does not run, or the program could not rename.
    pub async fn rename(&self, pause: &str, from: &str, to: &str) -> Result<(), EngineError> {
        let options = CreateExecOptions {
            // The content is root's, and the pause is not.
            user: Some("0".to_owned()),
            cmd: Some(
                [names::PAUSE_PROGRAM, "rename", from, to]
                    .map(str::to_owned)
                    .to_vec(),
            ),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..Default::default()
        };
        let exec = self.ask(self.docker.create_exec(pause, options)).await?;
        if let StartExecResults::Attached { mut output, .. } =
            self.ask(self.docker.start_exec(&exec.id, None)).await?
        {
            while output.next().await.is_some() {}
        }
        match self
            .ask(self.docker.inspect_exec(&exec.id))
            .await?
            .exit_code
        {
            Some(0) => Ok(()),
            code => Err(EngineError::Refused {
                status: 500,
                message: format!("renaming {from} to {to} in the pause container gave {code:?}"),
            }),
        }
    }
}

/// The mode is Go's `os.FileMode`, whose bits are its own.
fn path_kind(mode: u32) -> PathKind {
    const DIRECTORY: u32 = 1 << 31;
    const DEVICE: u32 = 1 << 26;
    const PIPE: u32 = 1 << 25;
    const SOCKET: u32 = 1 << 24;
    const CHARACTER: u32 = 1 << 21;
    const IRREGULAR: u32 = 1 << 19;
    let is = |bits: u32| mode & bits == bits;
    match () {
        () if is(DIRECTORY) => PathKind::Directory,
        () if is(SOCKET) => PathKind::Socket,
        () if is(DEVICE | CHARACTER) => PathKind::CharDevice,
        () if is(DEVICE) => PathKind::BlockDevice,
        () if is(PIPE) || is(IRREGULAR) => PathKind::Other,
        () => PathKind::File,
    }
}

/// The record as it comes from the engine. What containers write comes last, and is not read.
#[derive(Default)]
struct RecordArchive {
    bytes: Vec<u8>,
    next_header: usize,
    whole: bool,
}

impl RecordArchive {
    /// Whether the record's own files are there.
    fn is_whole(&self) -> bool {
        self.whole
    }

    fn take(&mut self, part: &[u8]) {
        /// Of which a tar archive is made.
        const BLOCK: usize = 512;
        self.bytes.extend_from_slice(part);
        while let Some(header) = self.bytes.get(self.next_header..self.next_header + BLOCK) {
            let header = Header::from_byte_slice(header);
            let path = header.path().unwrap_or_default();
            self.whole = path.iter().any(|part| part == names::WRITTEN_BY_CONTAINERS);
            if self.whole {
                self.bytes.truncate(self.next_header);
                return;
            }
            let size = header.entry_size().unwrap_or_default();
            let size = usize::try_from(size).unwrap_or(usize::MAX / 2);
            self.next_header += BLOCK + size.next_multiple_of(BLOCK);
        }
    }
}

/// The beginning of the first file of a tar archive, which may be cut off.
fn first_file(archive: &[u8], n_most: usize) -> Vec<u8> {
    let mut content = Vec::new();
    let mut archive = tar::Archive::new(archive);
    let first = archive
        .entries()
        .ok()
        .and_then(|mut entries| entries.next());
    if let Some(Ok(entry)) = first {
        let n_most = u64::try_from(n_most).unwrap_or(u64::MAX);
        // What is cut off ends early, with an error after what there is.
        let _ = entry.take(n_most).read_to_end(&mut content);
    }
    content
}

/// The files of a tar archive, by the last part of their paths. What is cut off is left out.
fn files(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut archive = tar::Archive::new(archive);
    let Ok(entries) = archive.entries() else {
        return files;
    };
    for mut entry in entries.flatten() {
        let Ok(path) = entry.path() else { continue };
        let Some(name) = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
        else {
            continue;
        };
        let mut content = Vec::new();
        if entry.header().entry_type().is_file() && entry.read_to_end(&mut content).is_ok() {
            files.insert(name, content);
        }
    }
    files
}
