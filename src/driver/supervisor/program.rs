//! The program that the supervisor's image holds: podctl's own file, or another for the engine's processor.
//!
//! Not here: the image's form (`oci`).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use serde_json::json;

use crate::oci::{self, Image, Layer};
use crate::record::labels;
use crate::spec::Architecture;

const PROGRAM: &str = "/podctl";
/// ELF: offset and numbers of the processor.
const MACHINE: usize = 18;
const X86_64: u8 = 62;
const AARCH64: u8 = 183;

/// The image of the supervisor.
///
/// # Errors
/// When there is no program for the engine's processor, or it cannot be read.
pub(super) fn image(
    tag: &str,
    architecture: Architecture,
    binary: Option<&Path>,
) -> anyhow::Result<Image> {
    let is_given = binary.is_some();
    let (binary, libraries) = match binary {
        Some(binary) => (binary.to_owned(), Libraries::default()),
        None => own()?,
    };
    let reading = || format!("failed to read {}", binary.display());
    let program = fs::read(&binary).with_context(reading)?;
    let unfit = || format!("{} cannot be the supervisor", binary.display());
    check(&program, architecture).with_context(unfit)?;
    if is_given && has_interpreter(&program) {
        return Err(anyhow!(
            "it is not linked statically, as `make build` links it"
        ))
        .with_context(unfit);
    }
    let mut layer = Layer::default();
    layer.file(PROGRAM, 0o755, &program);
    // An engine gives folders that it is not told of to nobody but root with all capabilities.
    for folder in libraries.all_folders() {
        layer.folder(&folder.display().to_string(), 0o755);
    }
    for library in &libraries.files {
        let content = fs::read(library)
            .with_context(|| format!("failed to read the library {}", library.display()))?;
        layer.file(&library.display().to_string(), 0o755, &content);
    }
    let mut entrypoint = Vec::new();
    let mut env = Vec::new();
    if let Some(loader) = &libraries.loader {
        entrypoint.push(loader.display().to_string());
        env.push(format!("LD_LIBRARY_PATH={}", libraries.folders()));
    }
    entrypoint.push(PROGRAM.to_owned());
    let config = json!({
        "Entrypoint": entrypoint, "Env": env, "User": "0:0", "WorkingDir": "/",
        "Labels": {labels::SUPERVISOR_IMAGE: ""},
    });
    Ok(oci::image(tag, architecture, &config, layer.finish()))
}

/// What a program needs that is not linked statically.
#[derive(Debug, Default)]
struct Libraries {
    files: BTreeSet<PathBuf>,
    loader: Option<PathBuf>,
}

impl Libraries {
    /// From the root on.
    fn all_folders(&self) -> BTreeSet<&Path> {
        let above = self.files.iter().flat_map(|file| file.ancestors().skip(1));
        above.filter(|folder| *folder != Path::new("/")).collect()
    }

    fn folders(&self) -> String {
        let folders = self.files.iter().filter_map(|file| file.parent());
        let folders: BTreeSet<String> = folders.map(|f| f.display().to_string()).collect();
        folders.into_iter().collect::<Vec<_>>().join(":")
    }
}

/// This process's own file, and the libraries that it is running with.
fn own() -> anyhow::Result<(PathBuf, Libraries)> {
    let maps = fs::read_to_string("/proc/self/maps")
        .context("this is no Linux, and the engine runs Linux programs: name podctl's one for it with --supervisor-binary")?;
    let program = std::env::current_exe().context("failed to find podctl's own file")?;
    Ok((PathBuf::from("/proc/self/exe"), libraries(&maps, &program)))
}

/// Out of the text of `/proc/self/maps`.
fn libraries(maps: &str, program: &Path) -> Libraries {
    let mapped = maps.lines().filter_map(|line| {
        let (_, path) = line.split_once('/')?;
        line.split(' ')
            .nth(1)?
            .contains('x')
            .then(|| format!("/{path}"))
    });
    let files: BTreeSet<PathBuf> = mapped
        .map(PathBuf::from)
        .filter(|file| file != program)
        .collect();
    let is_loader = |file: &&PathBuf| {
        let name = file.file_name().map(|name| name.to_string_lossy());
        name.is_some_and(|name| name.starts_with("ld-") || name.starts_with("ld."))
    };
    let loader = files.iter().find(is_loader).cloned();
    Libraries { files, loader }
}

/// Whether it is a program for this processor.
fn check(program: &[u8], architecture: Architecture) -> anyhow::Result<()> {
    if program.get(..4) != Some(b"\x7fELF") {
        bail!("it is no Linux program");
    }
    let (machine, name) = match architecture {
        Architecture::X86_64 => (X86_64, "x86_64"),
        Architecture::Aarch64 => (AARCH64, "aarch64"),
    };
    if program.get(MACHINE) != Some(&machine) {
        bail!("the engine's processor is {name}: name a podctl for it with --supervisor-binary");
    }
    Ok(())
}

/// Whether it needs another program to be loaded, and so libraries (ELF: a program header of type `PT_INTERP`).
fn has_interpreter(program: &[u8]) -> bool {
    const HEADERS: usize = 0x20;
    const SIZE: usize = 0x36;
    const COUNT: usize = 0x38;
    const INTERPRETER: u32 = 3;
    let number = |at: usize, n: usize| {
        let bytes = program.get(at..at.checked_add(n)?)?;
        let number = bytes
            .iter()
            .rev()
            .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        usize::try_from(number).ok()
    };
    let (Some(headers), Some(size), Some(count)) =
        (number(HEADERS, 8), number(SIZE, 2), number(COUNT, 2))
    else {
        return false;
    };
    let is_interpreter = |n: usize| {
        let at = headers.checked_add(n.checked_mul(size)?)?;
        u32::try_from(number(at, 4)?)
            .ok()
            .map(|kind| kind == INTERPRETER)
    };
    (0..count).any(|n| is_interpreter(n) == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
55d0-55d1 r--p 00000000 fe:00 1   /usr/bin/podctl
55d1-55d9 r-xp 00001000 fe:00 1   /usr/bin/podctl
7f10-7f12 r--p 00000000 fe:00 2   /usr/lib/x86_64-linux-gnu/libc.so.6
7f12-7f20 r-xp 00002000 fe:00 2   /usr/lib/x86_64-linux-gnu/libc.so.6
7f30-7f31 r-xp 00000000 fe:00 3   /usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2
7ffd-7ffe r-xp 00000000 00:00 0   [vdso]
";

    #[test]
    fn the_libraries_are_those_that_are_mapped() {
        let libraries = libraries(MAPS, Path::new("/usr/bin/podctl"));
        let folder = "/usr/lib/x86_64-linux-gnu";
        let files = ["ld-linux-x86-64.so.2", "libc.so.6"];
        let files: Vec<PathBuf> = files
            .iter()
            .map(|f| PathBuf::from(folder).join(f))
            .collect();
        assert_eq!(Vec::from_iter(libraries.files.clone()), files);
        assert_eq!(libraries.loader.as_ref(), files.first());
        assert_eq!(libraries.folders(), folder);
        let all = ["/usr", "/usr/lib", folder].map(Path::new);
        assert_eq!(Vec::from_iter(libraries.all_folders()), all);
    }

    #[test]
    fn a_static_program_needs_none() {
        let maps: String = MAPS
            .lines()
            .take(2)
            .map(|line| format!("{line}\n"))
            .collect();
        let libraries = libraries(&maps, Path::new("/usr/bin/podctl"));
        assert!(libraries.files.is_empty() && libraries.loader.is_none());
    }

    #[test]
    fn a_program_for_another_processor_is_refused() {
        let mut program = vec![0; 64];
        program[..4].copy_from_slice(b"\x7fELF");
        program[MACHINE] = AARCH64;
        assert!(check(&program, Architecture::Aarch64).is_ok());
        let error = check(&program, Architecture::X86_64).expect_err("a refusal");
        assert!(error.to_string().contains("--supervisor-binary"));
        assert!(check(b"#!/bin/sh", Architecture::X86_64).is_err());
    }
}
