//! `podctl validate`.
//!
//! Not here: the rules (`manifest`).

use super::{Context, Exit, files};

/// Check manifests without an engine, and print every fault
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Manifests: files, or - for standard input
    #[arg(value_name = "FILE")]
    files: Vec<String>,
    /// The same as FILE
    #[arg(short, long, value_name = "FILE")]
    filename: Vec<String>,
}

/// Runs it.
///
/// # Errors
/// Faults in the files.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let paths: Vec<String> = args.files.iter().chain(&args.filename).cloned().collect();
    let loaded = files::load_all(context, &paths)?;
    for desired in &loaded.pods {
        context
            .printer
            .status(&format!("pod {} is valid", desired.pod.key));
    }
    Ok(Exit::Fine)
}
