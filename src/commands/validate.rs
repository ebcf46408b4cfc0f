//! `podctl validate`.
//!
//! Not here: the rules (`manifest`).

use super::{Context, Exit, files};

/// Check manifests without an engine, and print every fault
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    manifests: files::Manifests,
}

/// Runs it.
///
/// # Errors
/// Faults in the files.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let loaded = files::load_all(context, &args.manifests.paths())?;
    for desired in &loaded.pods {
        context
            .printer
            .status(&format!("pod {} is valid", desired.pod.key));
    }
    Ok(Exit::Fine)
}
