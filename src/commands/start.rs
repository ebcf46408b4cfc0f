//! `podctl start`.
//!
//! Not here: the way (`driver::again`).

use super::again::{self, Staying};
use super::{Context, Exit};
use crate::driver::again::Again;

/// Start pods that were stopped
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pods, or files that name them
    #[arg(value_name = "POD|FILE", required = true, add = super::completion::pods())]
    pods: Vec<String>,
    #[command(flatten)]
    staying: Staying,
}

/// Runs it.
///
/// # Errors
/// A pod that cannot be told from the words, or an engine that cannot be asked.
pub async fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    again::run(context, &args.pods, &Again::Start, &args.staying).await
}
