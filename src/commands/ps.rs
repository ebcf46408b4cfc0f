//! `podctl ps`.
//!
//! Not here: what a status is (`reconcile::status`), how pods are shown (`listing`).

use super::listing::{Format, Listing, format, formats};
use super::{Context, Exit};

/// List pods
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pods that have ended too
    #[arg(short, long)]
    all: bool,
    /// Pods of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// table, wide, json, yaml (a v1 `PodList`), name, jsonpath=TEMPLATE or jsonpath-file=FILE
    #[arg(short, long, value_name = "FORMAT", value_parser = format, default_value = "table", add = formats())]
    output: Format,
    /// Print whole ids and image names
    #[arg(long)]
    no_trunc: bool,
    /// Stay, and print a pod again whenever it has changed
    #[arg(short, long)]
    watch: bool,
}

/// Runs it.
///
/// # Errors
/// A template that cannot be read, or an engine that cannot be asked.
pub async fn run(context: &Context, args: Args) -> anyhow::Result<Exit> {
    let listing = Listing {
        format: args.output,
        pods: Vec::new(),
        all_namespaces: args.all_namespaces,
        ended: args.all,
        no_trunc: args.no_trunc,
    };
    listing.run(context, args.watch).await
}
