//! Manifests that the command line names, read and loaded.
//!
//! Not here: what is in them (`manifest`).

use std::io::Read;
use std::path::Path;

use super::Context;
use super::exit::{Faults, UsageError};
use crate::manifest::{LoadOptions, Loaded, Source, load};
use crate::output::report;

/// A larger file is no manifest, in bytes (etcd takes objects of 1.5 MB).
const LARGEST: u64 = 16 * 1024 * 1024;

/// The manifests that a verb is about.
#[derive(Debug, clap::Args)]
pub struct Manifests {
    /// Manifests: files, or - for standard input
    #[arg(value_name = "FILE")]
    files: Vec<String>,
    /// The same as FILE
    #[arg(short, long, value_name = "FILE")]
    filename: Vec<String>,
}

impl Manifests {
    /// All of them, in whichever way they were named.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.files.iter().chain(&self.filename).cloned().collect()
    }
}

/// Reads the files; `-` is standard input.
///
/// # Errors
/// A file that cannot be read, or is no text: a [`UsageError`].
pub fn read(paths: &[String]) -> Result<Vec<Source>, UsageError> {
    paths.iter().map(|path| read_one(path)).collect()
}

fn read_one(path: &str) -> Result<Source, UsageError> {
    let cannot = |why: String| UsageError(format!("cannot read `{path}`: {why}"));
    let mut bytes = Vec::new();
    if path == "-" {
        let taken = std::io::stdin().take(LARGEST + 1).read_to_end(&mut bytes);
        taken.map_err(|error| cannot(error.to_string()))?;
    } else {
        let file = std::fs::File::open(path).map_err(|error| cannot(error.to_string()))?;
        if file.metadata().is_ok_and(|meta| meta.is_dir()) {
            return Err(cannot("it is a folder: name the files in it".to_owned()));
        }
        let taken = file.take(LARGEST + 1).read_to_end(&mut bytes);
        taken.map_err(|error| cannot(error.to_string()))?;
    }
    if bytes.len() as u64 > LARGEST {
        return Err(cannot(format!("it is larger than {LARGEST} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        cannot(format!(
            "it is not UTF-8: the byte {at} begins no character"
        ))
    })?;
    let name = if path == "-" {
        "<stdin>".to_owned()
    } else {
        path.to_owned()
    };
    Ok(Source { name, text })
}

/// Reads and loads them; prints the warnings.
///
/// # Errors
/// A file that cannot be read, or faults in one.
pub fn load_all(context: &Context, paths: &[String]) -> anyhow::Result<Loaded> {
    if paths.is_empty() {
        return Err(UsageError(
            "no manifest is given: name a file, or `-` for standard input".to_owned(),
        )
        .into());
    }
    let sources = read(paths)?;
    let options = LoadOptions {
        namespace: context.namespace.clone(),
    };
    match load(&sources, &options) {
        Ok(loaded) => {
            if !loaded.warnings.is_empty() {
                context
                    .printer
                    .rendered(&report::report(&loaded.warnings, &sources));
            }
            Ok(loaded)
        }
        Err(problems) => Err(Faults {
            report: report::report(&problems, &sources),
        }
        .into()),
    }
}

/// Whether a word on the command line means a file and not a pod: a pod's name has no slash, and does not end like a file's.
#[must_use]
pub fn is_file(word: &str) -> bool {
    let ending = Path::new(word)
        .extension()
        .and_then(|ending| ending.to_str());
    word == "-"
        || ending.is_some_and(|ending| matches!(ending, "yaml" | "yml" | "json"))
        || (word.contains('/') && Path::new(word).is_file())
}
