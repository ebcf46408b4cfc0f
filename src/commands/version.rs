//! `podctl version`.
//!
//! Not here: choosing the engine (`engine::connect`).

use super::{Context, Exit};

/// Print the versions of podctl and of the engine, and which engine was chosen
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it. What is known of podctl itself is printed also when no engine answers.
///
/// # Errors
/// When no engine answers.
pub async fn run(context: &Context, _args: &Args) -> anyhow::Result<Exit> {
    context
        .printer
        .data(&format!("podctl {}\n", env!("CARGO_PKG_VERSION")))?;
    let engine = context.engine()?;
    let chosen = engine.chosen();
    context.printer.data(&format!(
        "address {}, chosen by {}\n",
        chosen.endpoint.host, chosen.by
    ))?;
    let version = engine.version().await?;
    context.printer.data(&format!(
        "engine {} {}, API {}, {}\n",
        version.name, version.version, version.api, version.platform
    ))?;
    Ok(Exit::Fine)
}
