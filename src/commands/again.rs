//! What `stop`, `start` and `restart` share: pods by their names, each asked for in another way, and what is said at the end.
//!
//! Not here: the way (`driver::again`).

use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::join_all;

use super::progress::shown;
use super::supervision::Supervision;
use super::up::tell;
use super::{Context, Exit, several, signals, target};
use crate::driver::again::{Again, Done, again};
use crate::driver::images::Pull;
use crate::driver::up::{Options, Up};
use crate::engine::Engine;
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
    #[command(flatten)]
    supervision: Supervision,
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
        patient: staying.timeout.is_some(),
        existing: true,
        uid: uuid::Uuid::new_v4().to_string(),
        ..Options::default()
    };
    let ends = join_all(keys.iter().map(async |key| {
        let work =
            async |events| again(&engine, key, asked, &options, &events, &signals.interrupt).await;
        let end = shown(context.printer, key, work).await?;
        let exit = ended(context, &engine, key, (asked, &end)).await?;
        let kept = match &end {
            Done::Up(end) => {
                let (desired, up) = &**end;
                let (supervision, interrupt) = (&staying.supervision, &signals.interrupt);
                supervision
                    .take_over(context, &engine, desired, up, interrupt)
                    .await?
            }
            _ => Exit::Fine,
        };
        let exit = exit.or(kept);
        Ok(signals.exit(context.printer, key, exit))
    }));
    several::exit(context, &keys, ends.await)
}

/// Says how it ended.
async fn ended(
    context: &Context,
    engine: &Engine,
    key: &PodKey,
    (asked, end): (&Again, &Done),
) -> anyhow::Result<Exit> {
    Ok(match end {
        Done::NotFound => {
            context.printer.failure(&format!("there is no pod `{key}`"));
            Exit::Failed
        }
        Done::Interrupted => {
            context.printer.status(&format!("pod {key}: interrupted"));
            Exit::Interrupted
        }
        Done::Refused(reason) => {
            context.printer.failure(&format!("pod {key}: {reason}"));
            Exit::Failed
        }
        Done::Up(end) => match &**end {
            (_, Up::Started { unchanged, .. }) if *asked == Again::Stop => {
                say_stopped(context.printer, key, *unchanged);
                Exit::Fine
            }
            (desired, end) => tell(context, engine, desired, end).await?,
        },
    })
}

fn say_stopped(printer: Printer, key: &PodKey, unchanged: bool) {
    let (name, was) = (key.words(), if unchanged { " already" } else { "" });
    printer.status(&format!(
        "pod {key} is stopped{was}: `podctl start {name}` goes on, `podctl down {name}` takes it away"
    ));
}
