//! What `stop`, `start` and `restart` share: pods by their names, each asked for in another way, and what is said at the end.
//!
//! Not here: the way (`driver::again`).

use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::join_all;

use super::progress::shown;
use super::up_report::report;
use super::{Context, Exit, signals, target};
use crate::driver::again::{Again, Done, again};
use crate::driver::images::Pull;
use crate::driver::up::{Options, Up};
use crate::output::Printer;
use crate::spec::PodKey;

/// How long to stay with them.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Staying {
    /// Wait until they are ready
    #[arg(long)]
    wait: bool,
    /// Give up after this time (exit code 4)
    #[arg(long, value_parser = super::duration::parse, value_name = "TIME")]
    timeout: Option<Duration>,
}

/// Asks for it, of each pod.
pub(super) async fn run(
    context: &Context,
    words: &[String],
    asked: &Again,
    staying: &Staying,
) -> anyhow::Result<Exit> {
    let keys = target::pods(context, words)?;
    let engine = context.engine()?;
    let signals = signals::listen(staying.timeout).context("failed to listen to signals")?;
    let options = Options {
        pull: Pull::Missing,
        wait: staying.wait,
        existing: true,
        uid: uuid::Uuid::new_v4().to_string(),
        ..Options::default()
    };
    let ends = join_all(keys.iter().map(async |key| {
        let work =
            async |events| again(&engine, key, asked, &options, &events, &signals.interrupt).await;
        shown(context.printer, key, work).await
    }));
    let mut exit = Exit::Fine;
    for (end, key) in ends.await.into_iter().zip(&keys) {
        let of_pod = match end? {
            Done::NotFound => {
                context.printer.failure(&format!("there is no pod `{key}`"));
                Exit::Failed
            }
            Done::Refused(reason) => {
                context.printer.failure(&format!("pod {key}: {reason}"));
                Exit::Failed
            }
            Done::Up(end) => match *end {
                (_, Up::Started { unchanged, .. }) if *asked == Again::Stop => {
                    say_stopped(context.printer, key, unchanged);
                    Exit::Fine
                }
                (desired, end) => report(context.printer, &desired, &end, staying.wait),
            },
        };
        let of_pod = match of_pod {
            Exit::Interrupted if signals.timed_out() => {
                context.printer.warning(&format!("pod {key}: time is up"));
                Exit::TimedOut
            }
            exit => exit,
        };
        if exit == Exit::Fine {
            exit = of_pod;
        }
    }
    Ok(exit)
}

fn say_stopped(printer: Printer, key: &PodKey, unchanged: bool) {
    let (name, was) = (&key.name, if unchanged { " already" } else { "" });
    printer.status(&format!(
        "pod {key} is stopped{was}: `podctl start {name}` goes on, `podctl down {name}` takes it away"
    ));
}
