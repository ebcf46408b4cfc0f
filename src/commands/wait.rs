//! `podctl wait`.
//!
//! Not here: waiting (`driver::wait`), what is so (`reconcile::wanted`).

use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::join_all;

use super::{Context, Exit, signals, target};
use crate::driver::wait::{blame, wait};
use crate::engine::Engine;
use crate::output::escape::escape;
use crate::reconcile::wanted::{Verdict, Wanted};
use crate::spec::PodKey;

/// Wait until pods are ready, have completed, or are gone
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pods, or files that name them
    #[arg(value_name = "POD|FILE", required = true, add = super::completion::pods())]
    pods: Vec<String>,
    /// ready, completed, deleted, or condition=NAME[=STATUS]
    #[arg(long = "for", value_name = "WHAT", value_parser = wanted, default_value = "ready")]
    wanted: Wanted,
    /// Give up after this time (exit code 4); 0: look once
    #[arg(long, value_parser = super::duration::parse, value_name = "TIME", default_value = "30s")]
    timeout: Duration,
}

/// kubectl: `--for=delete`, `--for=condition=Ready`; case does not matter.
fn wanted(text: &str) -> Result<Wanted, String> {
    let condition = |name: &str, status: &str| Wanted::Condition {
        name: name.to_owned(),
        status: status.to_owned(),
    };
    match text.split_once('=') {
        None if text.eq_ignore_ascii_case("ready") => Ok(Wanted::ready()),
        None if text.eq_ignore_ascii_case("completed") => Ok(Wanted::Completed),
        None if matches!(text, "delete" | "deleted") => Ok(Wanted::Deleted),
        Some(("condition", rest)) if !rest.is_empty() => {
            let (name, status) = rest.split_once('=').unwrap_or((rest, "True"));
            Ok(condition(name, status))
        }
        _ => Err("write ready, completed, deleted, or condition=NAME[=STATUS]".to_owned()),
    }
}

/// Runs it.
///
/// # Errors
/// A pod that cannot be told from the words, or an engine that cannot be asked.
pub async fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let keys = target::pods(context, &args.pods)?;
    let engine = context.engine()?;
    let signals = signals::listen(None).context("failed to listen to signals")?;
    let mut interrupt = signals.interrupt.clone();
    let all = join_all(keys.iter().map(|key| one(context, &engine, key, args)));
    let ends = tokio::select! { biased;
        () = interrupt.beyond(0) => return Ok(Exit::Interrupted),
        ends = all => ends,
    };
    let mut exit = Exit::Fine;
    for end in ends {
        let end = end?;
        if exit == Exit::Fine {
            exit = end;
        }
    }
    Ok(exit)
}

async fn one(
    context: &Context,
    engine: &Engine,
    key: &PodKey,
    args: &Args,
) -> anyhow::Result<Exit> {
    let waiting = || format!("failed to wait for pod `{key}`");
    let verdict = wait(engine, key, &args.wanted, args.timeout).await;
    let exit = match verdict.with_context(waiting)? {
        Verdict::Met => {
            context
                .printer
                .data(&format!("pod/{} condition met\n", key.name))?;
            return Ok(Exit::Fine);
        }
        Verdict::Never(reason) => {
            context.printer.failure(&format!("pod {key}: {reason}"));
            Exit::Failed
        }
        Verdict::NotYet => {
            context.printer.failure(&format!("pod {key}: time is up"));
            Exit::TimedOut
        }
    };
    if args.wanted != Wanted::Deleted {
        tell_culprits(context, engine, key)
            .await
            .with_context(waiting)?;
    }
    Ok(exit)
}

/// Says whose fault it is that a pod is not as it should be.
pub(super) async fn tell_culprits(
    context: &Context,
    engine: &Engine,
    key: &PodKey,
) -> anyhow::Result<()> {
    for (culprit, lines) in blame(engine, key).await? {
        let (name, why) = (&culprit.container, escape(&culprit.why));
        context
            .printer
            .status(&format!("container {key}/{name}: {why}"));
        for line in lines {
            context.printer.status(&format!("    {}", escape(&line)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_waited_for_is_written_as_for_kubectl() {
        assert_eq!(wanted("ready"), Ok(Wanted::ready()));
        assert_eq!(wanted("condition=Ready"), Ok(Wanted::ready()));
        assert_eq!(wanted("delete"), Ok(Wanted::Deleted));
        let initialized = Wanted::Condition {
            name: "Initialized".into(),
            status: "false".into(),
        };
        assert_eq!(wanted("condition=Initialized=false"), Ok(initialized));
        assert!(wanted("condition=").is_err() && wanted("soon").is_err());
    }
}
