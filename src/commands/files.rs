//! Manifests that the command line names, read and loaded.
//!
//! Not here: what is in them (`manifest`).

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use super::Context;
use super::exit::{Faults, UsageError};
use crate::manifest::{LoadOptions, Loaded, Problem, Purpose, Source, load};
use crate::output::report::{self, Style};
use crate::spec::PodKey;

/// A larger file is no manifest, in bytes (etcd takes objects of 1.5 MB).
const LARGEST: u64 = 16 * 1024 * 1024;
/// For one address in all.
const DOWNLOAD_TIME: Duration = Duration::from_secs(60);

/// The manifests that a verb is about.
#[derive(Debug, clap::Args)]
pub struct Manifests {
    /// Manifests: files, folders, http(s) addresses, or - for standard input
    #[arg(value_name = "FILE")]
    files: Vec<String>,
    /// The same as FILE
    #[arg(short, long, value_name = "FILE")]
    filename: Vec<String>,
    /// Read the folders within a folder too
    #[arg(short = 'R', long)]
    recursive: bool,
    /// Pass over objects of this kind, though that takes something away: `NetworkPolicy`
    #[arg(long, value_name = "KIND")]
    allow_ignored: Vec<String>,
}

impl Manifests {
    /// All of them, in whichever way they were named.
    ///
    /// # Errors
    /// None is named, or one cannot be read: a [`UsageError`].
    pub fn read(&self) -> Result<Vec<Source>, UsageError> {
        let mut sources = Vec::new();
        for word in self.files.iter().chain(&self.filename) {
            read(word, self.recursive, &mut sources)?;
        }
        if sources.is_empty() {
            let what = "no manifest is given: name a file, or `-` for standard input";
            return Err(UsageError(what.to_owned()));
        }
        Ok(sources)
    }

    /// How they are to be read.
    #[must_use]
    pub fn options(&self, context: &Context, purpose: Purpose) -> LoadOptions {
        LoadOptions {
            namespace: context.namespace.clone(),
            purpose,
            allow_ignored: self.allow_ignored.clone(),
            generated: match purpose {
                Purpose::Run | Purpose::RunTemplates => generated(),
                Purpose::Check | Purpose::Name => String::new(),
            },
            salt: uuid::Uuid::new_v4().to_string(),
        }
    }
}

/// Five letters and digits that make no words (apimachinery: `rand.String`).
fn generated() -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let random = uuid::Uuid::new_v4().into_bytes();
    let letter = |byte: &u8| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]);
    random[..5].iter().map(letter).collect()
}

/// Reads what a word names; a folder means the manifests in it, in the order of their names.
fn read(word: &str, recursive: bool, sources: &mut Vec<Source>) -> Result<(), UsageError> {
    if word.starts_with("http://") || word.starts_with("https://") {
        sources.push(download(word)?);
    } else if word != "-" && Path::new(word).is_dir() {
        let n_before = sources.len();
        read_folder(Path::new(word), recursive, sources)?;
        if sources.len() == n_before {
            let what = "there is no file in it that ends in .yaml, .yml or .json";
            return Err(cannot(word, what));
        }
    } else {
        sources.push(read_one(word)?);
    }
    Ok(())
}

/// Links to folders are not followed, so that nothing is read twice or for ever, nor a link that leads out of the folder.
fn read_folder(
    folder: &Path,
    recursive: bool,
    sources: &mut Vec<Source>,
) -> Result<(), UsageError> {
    let shown = folder.display().to_string();
    let failed = |error: std::io::Error| cannot(&shown, &error.to_string());
    let real = folder.canonicalize().map_err(failed)?;
    let entries: Result<Vec<_>, _> = std::fs::read_dir(folder).map_err(failed)?.collect();
    let mut paths: Vec<_> = entries
        .map_err(failed)?
        .iter()
        .map(std::fs::DirEntry::path)
        .collect();
    paths.sort();
    for path in paths {
        let kind = std::fs::symlink_metadata(&path)
            .map_err(failed)?
            .file_type();
        if kind.is_dir() {
            if recursive {
                read_folder(&path, recursive, sources)?;
            }
            continue;
        }
        let ends = path.extension().and_then(|ending| ending.to_str());
        if !ends.is_some_and(is_ending) {
            continue;
        }
        let stays = || {
            path.canonicalize()
                .is_ok_and(|real_path| real_path.starts_with(&real))
        };
        if kind.is_symlink() && (!stays() || path.is_dir()) {
            continue;
        }
        sources.push(read_one(&path.display().to_string())?);
    }
    Ok(())
}

fn is_ending(ending: &str) -> bool {
    matches!(ending, "yaml" | "yml" | "json")
}

fn download(address: &str) -> Result<Source, UsageError> {
    let failed = |error: ureq::Error| cannot(address, &error.to_string());
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(DOWNLOAD_TIME))
        .user_agent(concat!("podctl/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let mut response = agent.get(address).call().map_err(failed)?;
    let body = response.body_mut().with_config().limit(LARGEST);
    let bytes = body.read_to_vec().map_err(failed)?;
    source(address, bytes)
}

fn cannot(path: &str, why: &str) -> UsageError {
    UsageError(format!("cannot read `{path}`: {why}"))
}

fn read_one(path: &str) -> Result<Source, UsageError> {
    let failed = |error: std::io::Error| cannot(path, &error.to_string());
    let mut bytes = Vec::new();
    if path == "-" {
        let taken = std::io::stdin().take(LARGEST + 1).read_to_end(&mut bytes);
        taken.map_err(failed)?;
        return source("<stdin>", bytes);
    }
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    source(path, bytes)
}

/// A file's bytes as text. YAML may be UTF-16 too, when it begins with a mark that says so.
///
/// # Errors
/// It is too large, or no text.
pub fn source(name: &str, bytes: Vec<u8>) -> Result<Source, UsageError> {
    if bytes.len() as u64 > LARGEST {
        let what = format!("it is larger than {} MiB", LARGEST >> 20);
        return Err(cannot(name, &what));
    }
    let name = name.to_owned();
    let pair: Option<fn([u8; 2]) -> u16> = match bytes {
        _ if bytes.starts_with(&[0xff, 0xfe]) => Some(u16::from_le_bytes),
        _ if bytes.starts_with(&[0xfe, 0xff]) => Some(u16::from_be_bytes),
        _ => None,
    };
    if let Some(pair) = pair {
        let units = bytes[2..]
            .chunks(2)
            .map(|two| pair([two[0], two.get(1).copied().unwrap_or(0)]));
        let text: Result<String, _> = char::decode_utf16(units).collect();
        return match text {
            Ok(text) => Ok(Source { name, text }),
            Err(_) => Err(cannot(&name, "it begins as UTF-16, and is not")),
        };
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source { name, text }),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let before = &error.as_bytes()[..at];
            let line = 1 + String::from_utf8_lossy(before).matches('\n').count();
            let what =
                format!("it is not UTF-8: the byte {at}, in line {line}, begins no character");
            Err(cannot(&name, &what))
        }
    }
}

/// What was loaded; its warnings are printed.
///
/// # Errors
/// The faults in it.
pub fn loaded(
    context: &Context,
    sources: &[Source],
    loaded: Result<Loaded, Vec<Problem>>,
) -> Result<Loaded, Faults> {
    match loaded {
        Ok(loaded) => {
            if !loaded.warnings.is_empty() {
                let text = report::report(&loaded.warnings, sources, Style::Long);
                context.printer.rendered(&text);
            }
            Ok(loaded)
        }
        Err(problems) => Err(Faults {
            report: report::report(&problems, sources, Style::Long),
        }),
    }
}

/// The pods of a file, that are to be named and not to be run.
///
/// # Errors
/// A file that cannot be read, or faults in it.
pub fn pods_of(context: &Context, word: &str) -> anyhow::Result<Vec<PodKey>> {
    let mut sources = Vec::new();
    read(word, false, &mut sources)?;
    let options = LoadOptions {
        namespace: context.namespace.clone(),
        purpose: Purpose::Name,
        ..LoadOptions::default()
    };
    let pods = loaded(context, &sources, load(&sources, &options))?.pods;
    Ok(pods.into_iter().map(|desired| desired.pod.key).collect())
}

/// Whether a word on the command line means a file and not a pod: a pod's name has no slash, and does not end like a file's.
#[must_use]
pub fn is_file(word: &str) -> bool {
    let ending = Path::new(word)
        .extension()
        .and_then(|ending| ending.to_str());
    word == "-"
        || ending.is_some_and(is_ending)
        || (word.contains('/') && Path::new(word).is_file())
}
