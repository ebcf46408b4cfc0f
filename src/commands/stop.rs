//! `podctl stop`.
//!
//! Not here: the way (`driver::again`).

use super::again::{self, Staying};
use super::{Context, Exit};
use crate::driver::again::Again;

/// Stop pods, in order, and keep them so: their volumes stay, their ports are free
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pods, or files that name them
    #[arg(value_name = "POD|FILE", required = true, add = super::completion::pods())]
    pods: Vec<String>,
}

/// Runs it.
///
/// # Errors
/// A pod that cannot be told from the words, or an engine that cannot be asked.
pub async fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    again::run(context, &args.pods, &Again::Stop, &Staying::default()).await
}
