//! `podctl logs`.
//!
//! Not here: the order of lines (`driver::logs`), prefixes (`output::lines`).

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::{Context, Exit, port, target};
use crate::driver::logs::{Wanted, logs};
use crate::output::lines::Lines;

/// Print what the containers of a pod have said
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pod
    #[arg(value_name = "POD", add = super::completion::pods())]
    pod: String,
    /// One container; without it all, in the order of time
    #[arg(short, long, value_name = "NAME", add = super::completion::containers())]
    container: Option<String>,
    /// Go on, also across restarts, until the pod is gone or has ended for good
    #[arg(short, long)]
    follow: bool,
    /// What the container said that has ended and was started again
    #[arg(short, long, conflicts_with = "follow")]
    previous: bool,
    /// The last lines only: so many of each container, or all
    #[arg(long, value_name = "N", value_parser = tail, allow_negative_numbers = true, default_value = "all")]
    tail: Tail,
    /// Nothing older: 90s, 5m, or a time such as 2026-11-25T05:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// The engine's time before each line
    #[arg(long)]
    timestamps: bool,
}

/// So many lines; `None`: all.
#[derive(Debug, Clone, Copy)]
struct Tail(Option<u64>);

/// docker: `all`; kubectl: -1 means all.
fn tail(text: &str) -> Result<Tail, String> {
    match text {
        "all" | "-1" => Ok(Tail(None)),
        number => number
            .parse()
            .map(|lines| Tail(Some(lines)))
            .map_err(|_| "must be a number of lines, or `all`".to_owned()),
    }
}

/// Runs it.
///
/// # Errors
/// A pod or a container that is not there.
pub async fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let key = target::one(context, &args.pod)?;
    let since = args.since.as_deref().map(since).transpose()?;
    let engine = context.engine()?;
    let containers = port::find(&engine, &key).await?;
    if let Some(name) = &args.container {
        port::member(&containers, &key, Some(name))
            .map_err(|error| anyhow::anyhow!(error.to_string()))?;
    }
    let newest = containers.iter().max_by_key(|c| c.identity.generation);
    let names: Vec<String> = newest
        .map(|c| c.identity.members().cloned().collect())
        .unwrap_or_default();
    let prefixed = args.container.is_none() && names.len() > 1;
    let wanted = Wanted {
        container: args.container.clone(),
        follow: args.follow,
        tail: args.tail.0,
        since,
        previous: args.previous,
    };
    if args.previous && wanted.of(&containers).is_empty() {
        anyhow::bail!(
            "no container of pod `{key}`{} has been started again",
            args.container
                .as_ref()
                .map(|name| format!(" named `{name}`"))
                .unwrap_or_default()
        );
    }
    let mut lines = Lines::new(names, prefixed, args.timestamps);
    let follow = args.follow;
    logs(&engine, &key, &wanted, |name, line| {
        lines.write(name, line)?;
        if follow { lines.flush() } else { Ok(()) }
    })
    .await?;
    lines.flush()?;
    Ok(Exit::Fine)
}

/// Seconds since 1970.
fn since(text: &str) -> anyhow::Result<i64> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.as_second());
    }
    let ago: Duration = super::duration::parse(text).map_err(super::exit::UsageError)?;
    let ago = i64::try_from(ago.as_secs()).unwrap_or(i64::MAX);
    Ok(Timestamp::now().as_second().saturating_sub(ago))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_time_or_an_age() {
        assert_eq!(since("1970-01-01T00:01:00Z").ok(), Some(60));
        let minute_ago = Timestamp::now().as_second() - 60;
        let since = since("60s").expect("an age");
        assert!((minute_ago..minute_ago + 5).contains(&since));
        assert!(super::since("yesterday").is_err());
    }
}
