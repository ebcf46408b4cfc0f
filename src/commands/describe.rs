//! `podctl describe`.
//!
//! Not here: the layout (`output::describe`).

use std::io::IsTerminal;

use k8s_openapi::jiff::Timestamp;

use super::port::no_such_pod;
use super::{Context, Exit, target};
use crate::driver::observe;
use crate::output::describe::describe;

/// Print all that is known of pods: states, conditions, probes with their last answers, volumes, what has happened
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pods, or files that name them; `pod NAME` is taken too
    #[arg(value_name = "POD|FILE", required = true, add = super::completion::pods())]
    pods: Vec<String>,
}

/// Runs it.
///
/// # Errors
/// A pod that is not there, or an engine that cannot be asked.
pub async fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let pods = match &args.pods[..] {
        // As kubectl has it.
        [kind, names @ ..]
            if matches!(kind.as_str(), "pod" | "pods" | "po") && !names.is_empty() =>
        {
            names
        }
        pods => pods,
    };
    let keys = target::pods(context, pods)?;
    let engine = context.engine()?;
    for (i, key) in keys.iter().enumerate() {
        let containers = engine.containers(Some(key)).await?;
        let now = Timestamp::now().as_second();
        if i > 0 {
            context.printer.data("\n\n")?;
        }
        let mut all = observe::described(&engine, &containers).await?;
        if containers.is_empty() {
            all.extend(observe::described_without_containers(&engine, key).await?);
        }
        if all.is_empty() {
            return Err(no_such_pod(&engine, key).await?);
        }
        for described in all {
            let text = describe(&described, now, std::io::stdout().is_terminal());
            context.printer.data(&text)?;
        }
    }
    Ok(Exit::Fine)
}
