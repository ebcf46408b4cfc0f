//! `podctl restart`.
//!
//! Not here: the way (`driver::again`).

use super::again::{self, Staying};
use super::{Context, Exit};
use crate::driver::again::Again;

/// Start pods anew, in order, or single containers of them
///
/// The whole pod gets a new pause container, and with it its init containers run again; what is in its volumes stays, but for
/// those in memory. A container alone ends as its hooks and grace period say, and counts as restarted.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pods, or files that name them
    #[arg(value_name = "POD|FILE", required = true, add = super::completion::pods())]
    pods: Vec<String>,
    /// This container, and no other
    #[arg(short, long = "container", value_name = "CONTAINER", add = super::completion::containers())]
    containers: Vec<String>,
    #[command(flatten)]
    staying: Staying,
}

/// Runs it.
///
/// # Errors
/// A pod that cannot be told from the words, or an engine that cannot be asked.
pub async fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let asked = if args.containers.is_empty() {
        Again::Restart
    } else {
        Again::RestartContainers(args.containers.clone())
    };
    again::run(context, &args.pods, &asked, &args.staying).await
}
