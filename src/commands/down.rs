//! `podctl down`.
//!
//! Not here: the order of things (`reconcile::down`).

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::join_all;

use super::exit::UsageError;
use super::progress::shown;
use super::{Context, Exit, several, signals, target, up_report};
use crate::driver::down::{Down, down};
use crate::driver::{known, supervisor};
use crate::engine::Engine;
use crate::spec::PodKey;

/// Take pods down, and remove everything that was made for them
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pods, or files that name them; none: the only one that there is
    #[arg(value_name = "POD|FILE", add = super::completion::pods())]
    pods: Vec<String>,
    /// Files that name pods
    #[arg(short, long, value_name = "FILE")]
    filename: Vec<String>,
    /// All pods, of all namespaces unless --namespace names one; without, the supervisor and the network go too
    #[arg(long, conflicts_with_all = ["pods", "filename"])]
    all: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Seconds (or 90s, 5m) that containers are given to end, whatever `terminationGracePeriodSeconds` says
    #[arg(long, value_parser = super::duration::parse, value_name = "TIME")]
    timeout: Option<Duration>,
}

/// Runs it.
///
/// # Errors
/// A pod that cannot be told from the words, or an engine that cannot be asked.
pub async fn run(context: &Context, args: Args) -> anyhow::Result<Exit> {
    let words: Vec<String> = args.pods.iter().chain(&args.filename).cloned().collect();
    let named = target::pods(context, &words)?;
    if named.is_empty() && !words.is_empty() {
        context
            .printer
            .warning("the files hold no pod: there is nothing to do");
    }
    let engine = context.engine()?;
    let keys = if words.is_empty() {
        chosen(context, &engine, &args).await?
    } else {
        Some(named)
    };
    let Some(keys) = keys else {
        return Ok(Exit::Failed);
    };
    let signals = signals::listen(None).context("failed to listen to signals")?;
    // With all pods, all else goes that was made for them.
    let everything = args.all && context.namespace.is_none();
    let leaving = "failed to take the supervisor away";
    if everything {
        supervisor::stop(&engine).await.context(leaving)?;
    }
    let ends = join_all(keys.iter().map(|key| {
        let grace_period = args.timeout.map(|time| time.as_secs());
        one(context, &engine, key, grace_period, &signals.interrupt)
    }));
    let exits = ends.await.into_iter().zip(&keys);
    let exits = exits.map(|(end, key)| Ok(tell(context, key, end?)));
    let exit = several::exit(context, &keys, exits.collect())?;
    if everything {
        supervisor::remove_network(&engine).await.context(leaving)?;
    }
    Ok(exit)
}

/// Says how it ended.
fn tell(context: &Context, key: &PodKey, end: Down) -> Exit {
    match end {
        Down::Gone => Exit::Fine,
        Down::NotFound => {
            let message = format!("pod {key} is not there: nothing to do");
            context.printer.status(&message);
            Exit::Fine
        }
        Down::Failed(failures) => {
            up_report::say_all(context.printer, &failures);
            Exit::Failed
        }
        Down::Interrupted => {
            context.printer.status(&format!(
                "pod {key}: interrupted; `podctl down {}` goes on from here",
                key.words()
            ));
            Exit::Interrupted
        }
    }
}

/// The pods when none is named; `None`: a person said no.
async fn chosen(
    context: &Context,
    engine: &Engine,
    args: &Args,
) -> anyhow::Result<Option<Vec<PodKey>>> {
    let mut keys = known::pods(engine)
        .await
        .context("failed to list the pods")?;
    if args.all {
        keys.retain(|key| {
            context
                .namespace
                .as_ref()
                .is_none_or(|wanted| *wanted == key.namespace)
        });
        return Ok((args.yes || sure(&keys)?).then_some(keys));
    }
    keys.retain(|key| key.namespace == context.namespace());
    match keys.len() {
        1 => Ok(Some(keys)),
        0 => {
            context.printer.status("there is no pod: nothing to do");
            Ok(Some(keys))
        }
        _ => {
            let names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
            let message = format!(
                "there are several pods: name one of {}, or use --all",
                names.join(", ")
            );
            Err(UsageError(message).into())
        }
    }
}

/// Asks on a terminal; a script has made up its mind.
fn sure(keys: &[PodKey]) -> anyhow::Result<bool> {
    if keys.is_empty() || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(true);
    }
    let names: Vec<String> = keys.iter().map(ToString::to_string).collect();
    crate::output::ask(&format!("take down {}?", names.join(", "))).context("failed to ask")
}

async fn one(
    context: &Context,
    engine: &Engine,
    key: &PodKey,
    grace_period: Option<u64>,
    interrupt: &crate::driver::Interrupt,
) -> anyhow::Result<Down> {
    let work = async |events| down(engine, key, grace_period, &events, interrupt).await;
    shown(context.printer, key, work).await
}
