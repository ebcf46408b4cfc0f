//! `podctl wait`.
//!
//! Not here: waiting (`driver::wait`), what is so (`reconcile::wanted`).

use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::join_all;
use serde_json::Value;

use super::{Context, Exit, several, signals, target};
use crate::driver::wait::{Blame, blame, wait, wait_for};
use crate::engine::Engine;
use crate::output::escape::escape;
use crate::output::jsonpath::Condition;
use crate::reconcile::wanted::{Verdict, Wanted};
use crate::spec::PodKey;

/// Wait until pods are ready, have completed, or are gone
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pods, or files that name them
    #[arg(value_name = "POD|FILE", required = true, add = super::completion::pods())]
    pods: Vec<String>,
    /// ready, completed, deleted, condition=NAME[=STATUS], or jsonpath=EXPRESSION[=VALUE]
    #[arg(long = "for", value_name = "WHAT", value_parser = wanted, default_value = "ready")]
    wanted: For,
    /// Give up after this time (exit code 4); 0: look once
    #[arg(long, value_parser = super::duration::parse, value_name = "TIME", default_value = "30s")]
    timeout: Duration,
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq)]
enum For {
    State(Wanted),
    Field(Condition),
}

/// kubectl: `--for=delete`, `--for=condition=Ready`; case does not matter.
fn wanted(text: &str) -> Result<For, String> {
    if let Some(condition) = text.strip_prefix("jsonpath=") {
        let condition = condition.parse().map(For::Field);
        return condition.map_err(|fault| fault.to_string());
    }
    let condition = |name: &str, status: &str| Wanted::Condition {
        name: name.to_owned(),
        status: status.to_owned(),
    };
    let state = match text.split_once('=') {
        None if text.eq_ignore_ascii_case("ready") => Wanted::ready(),
        None if text.eq_ignore_ascii_case("completed") => Wanted::Completed,
        None if matches!(text, "delete" | "deleted") => Wanted::Deleted,
        Some(("condition", rest)) if !rest.is_empty() => {
            let (name, status) = rest.split_once('=').unwrap_or((rest, "True"));
            condition(name, status)
        }
        _ => {
            return Err(
                "write ready, completed, deleted, condition=NAME[=STATUS], or \
                 jsonpath='{.status.phase}'=Running"
                    .to_owned(),
            );
        }
    };
    Ok(For::State(state))
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
    several::exit(context, &keys, ends)
}

async fn one(
    context: &Context,
    engine: &Engine,
    key: &PodKey,
    args: &Args,
) -> anyhow::Result<Exit> {
    let waiting = || format!("failed to wait for pod `{key}`");
    let verdict = match &args.wanted {
        For::State(wanted) => {
            let verdict = wait(engine, key, wanted, args.timeout).await;
            verdict.with_context(waiting)?
        }
        For::Field(condition) => {
            let holds = |object: &Value| condition.holds(object).map_err(|unfit| unfit.to_string());
            let verdict = wait_for(engine, key, holds, args.timeout).await;
            verdict.with_context(waiting)?
        }
    };
    let exit = match verdict {
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
    if args.wanted != For::State(Wanted::Deleted) {
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
    let culprits = match blame(engine, key).await? {
        Blame::Stopped => {
            context.printer.status(&format!(
                "pod {key} is stopped: `podctl start {}` goes on",
                key.words()
            ));
            return Ok(());
        }
        Blame::Containers(culprits) => culprits,
    };
    for (culprit, lines) in culprits {
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
        let state = |wanted| Ok(For::State(wanted));
        assert_eq!(wanted("ready"), state(Wanted::ready()));
        assert_eq!(wanted("condition=Ready"), state(Wanted::ready()));
        assert_eq!(wanted("delete"), state(Wanted::Deleted));
        let initialized = Wanted::Condition {
            name: "Initialized".into(),
            status: "false".into(),
        };
        assert_eq!(wanted("condition=Initialized=false"), state(initialized));
        assert!(matches!(
            wanted("jsonpath={.status.phase}=Running"),
            Ok(For::Field(_))
        ));
        assert!(wanted("jsonpath={.a").is_err_and(|why| why.contains("character 1")));
        assert!(wanted("condition=").is_err() && wanted("soon").is_err());
    }
}
