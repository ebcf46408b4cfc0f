//! `podctl supervise`.
//!
//! Not here: how pods are kept (`driver::supervise`), how the container is started (`driver::supervisor`).

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::StreamExt;
use k8s_openapi::jiff::{SpanRound, Timestamp, Unit};
use tokio::sync::mpsc;

use super::attach::back_off;
use super::exit::UsageError;
use super::{Context, Exit, duration, signals};
use crate::driver::supervise::{End, Options, supervise};
use crate::driver::supervisor::{self, AT_WORK};
use crate::driver::{Event, Interrupt, known};
use crate::engine::connect::choose;
use crate::engine::logs::Range;
use crate::engine::{Engine, Environment};
use crate::output::Progress;
use crate::reconcile::State;
use crate::reconcile::restart::BackOff;
use crate::spec::PodKey;

/// Keep all pods of the engine alive, in the foreground: probes, restarts, repair
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Say whether a supervisor is there, and do nothing
    #[arg(long, group = "instead")]
    status: bool,
    /// Take the supervisor's container away; the pods go on, and nobody keeps them
    #[arg(long, group = "instead")]
    stop: bool,
    /// Print what the supervisor's container has said
    #[arg(long, group = "instead")]
    logs: bool,
    /// Print a unit for systemd that runs it in the foreground
    #[arg(long, group = "instead")]
    systemd: bool,
    /// End so long after the last pod; never, where it is not given
    #[arg(long, value_parser = super::duration::parse, value_name = "TIME", conflicts_with_all = ["status", "stop", "logs"])]
    idle: Option<Duration>,
    /// What is waited before the second restart of a container; it doubles from there, thirtyfold at most
    #[arg(long, value_parser = super::duration::parse, value_name = "TIME", default_value = "10s", conflicts_with_all = ["status", "stop", "logs"])]
    back_off: Duration,
    /// In a container of its own on this engine
    #[arg(long, value_name = "ID", hide = true)]
    engine_id: Option<String>,
}

/// Runs it.
///
/// # Errors
/// An engine that cannot be asked, or that has been lost; another supervisor that runs already.
pub async fn run(context: &Context, args: Args) -> anyhow::Result<Exit> {
    if args.systemd {
        context.printer.data(&unit(context, &args)?)?;
        return Ok(Exit::Fine);
    }
    let engine = context.engine()?;
    if args.status {
        return status(context, &engine).await;
    }
    if args.logs {
        return logs(context, &engine).await;
    }
    if args.stop {
        return stop(context, &engine).await;
    }
    let signals = signals::listen(None).context("failed to listen to signals")?;
    let options = Options {
        idle: args.idle,
        back_off: back_off(args.back_off),
    };
    match &args.engine_id {
        Some(id) => in_container(context, &engine, id, &options, &signals.interrupt).await,
        None => in_foreground(context, &engine, &options, &signals.interrupt).await,
    }
}

/// As the first process of the supervisor's container.
async fn in_container(
    context: &Context,
    engine: &Engine,
    id: &str,
    options: &Options,
    interrupt: &Interrupt,
) -> anyhow::Result<Exit> {
    let facts = engine.facts().await?;
    if facts.identity() != id {
        bail!(
            "this is another engine than the one that is meant ({})",
            facts.identity()
        );
    }
    while keep(context, engine, options, interrupt).await? == End::Idle {
        supervisor::remove_network(engine).await?;
        // An `up` that has come meanwhile has seen a supervisor at work.
        if known::pods(engine).await?.is_empty() {
            // The engine ends this process with its container.
            supervisor::stop(engine).await?;
            break;
        }
    }
    Ok(Exit::Fine)
}

async fn in_foreground(
    context: &Context,
    engine: &Engine,
    options: &Options,
    interrupt: &Interrupt,
) -> anyhow::Result<Exit> {
    if engine.supervisor().await?.is_some() {
        bail!(UsageError(
            "a supervisor is there, as a container: `podctl supervise --stop` takes it away"
                .to_owned()
        ));
    }
    let host = rustix::system::uname();
    let place = host.nodename().to_string_lossy().into_owned();
    if let Some(other) = engine.foreground_supervisor().await? {
        context.printer.warning(&format!(
            "one is, or was, at work in the foreground on {other}: two do everything twice"
        ));
    }
    engine.mark_foreground_supervisor(&place).await?;
    let end = keep(context, engine, options, interrupt).await;
    let unmarked = supervisor::unmark(engine).await;
    if end? == End::Idle {
        supervisor::remove_network(engine).await?;
    }
    unmarked?;
    Ok(Exit::Fine)
}

/// Keeps the pods, and says what happens to them.
async fn keep(
    context: &Context,
    engine: &Engine,
    options: &Options,
    interrupt: &Interrupt,
) -> anyhow::Result<End> {
    context.printer.status(&format!(
        "{AT_WORK} the pods of the engine at {}",
        engine.chosen().endpoint.host
    ));
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let show = async {
        let mut shown: BTreeMap<PodKey, Progress> = BTreeMap::new();
        while let Some((key, event)) = receiver.recv().await {
            let Some(event) = event else {
                shown.remove(&key);
                context.printer.status(&format!("Gone        pod {key}"));
                continue;
            };
            if matches!(event, Event::Alive { .. }) {
                context.printer.status(&format!("Keeping     pod {key}"));
                continue;
            }
            let progress = shown
                .entry(key)
                .or_insert_with_key(|key| Progress::new(context.printer, key));
            progress.show(&event);
        }
    };
    let work = supervise(engine, options, sender, interrupt);
    let (end, ()) = tokio::join!(work, show);
    end
}

async fn status(context: &Context, engine: &Engine) -> anyhow::Result<Exit> {
    let looking = "failed to look for the supervisor";
    let found = engine.supervisor().await.context(looking)?;
    let place = engine.foreground_supervisor().await.context(looking)?;
    let (text, exit) = match (found, place) {
        (Some(found), _) if found.paused => (
            "there as a container, and paused: `docker unpause podctl-supervisor`, or the next `podctl up`, sets it to work\n".to_owned(),
            Exit::Failed,
        ),
        (Some(found), _) if found.restarting => (
            "there as a container, and ends again and again: `podctl supervise --logs` says why\n".to_owned(),
            Exit::Failed,
        ),
        (Some(found), _) if found.state == State::Running => {
            let since = Timestamp::from_second(found.created)?;
            let round = SpanRound::new().largest(Unit::Hour).smallest(Unit::Second);
            let age = (Timestamp::now() - since).round(round)?;
            (
                format!(
                    "running as a container, version {}, for {age:#}\n",
                    found.version
                ),
                Exit::Fine,
            )
        }
        (Some(_), _) => (
            "there as a container, and does not run\n".to_owned(),
            Exit::Failed,
        ),
        (None, Some(place)) => (
            format!("marked as at work in the foreground on {place} (a `kill -9` leaves the mark)\n"),
            Exit::Fine,
        ),
        (None, None) => ("not there\n".to_owned(), Exit::Failed),
    };
    context.printer.data(&text)?;
    Ok(exit)
}

async fn logs(context: &Context, engine: &Engine) -> anyhow::Result<Exit> {
    let Some(found) = engine.supervisor().await? else {
        bail!("there is no supervisor that runs as a container");
    };
    let mut lines = engine.logs(&found.id, Range::default()).boxed();
    while let Some(line) = lines.next().await {
        let line = line?;
        let text = String::from_utf8_lossy(&line.bytes).into_owned();
        let text = format!("{:.3} {}", line.time, context.printer.foreign(&text));
        context.printer.data(&text)?;
    }
    Ok(Exit::Fine)
}

async fn stop(context: &Context, engine: &Engine) -> anyhow::Result<Exit> {
    let stopping = "failed to take the supervisor away";
    let was_there = supervisor::stop(engine).await.context(stopping)?;
    supervisor::remove_network(engine).await.context(stopping)?;
    if let Some(place) = engine.foreground_supervisor().await.context(stopping)? {
        supervisor::unmark(engine).await.context(stopping)?;
        context.printer.status(&format!(
            "one was marked as at work in the foreground on {place}: the mark is gone; where it still runs, end it there"
        ));
    }
    context.printer.status(if was_there {
        "the supervisor is gone; the pods go on, and nobody keeps them"
    } else {
        "there is no supervisor that runs as a container: nothing to do"
    });
    Ok(Exit::Fine)
}

/// For the engine and the program of this call.
fn unit(context: &Context, args: &Args) -> anyhow::Result<String> {
    let program = std::env::current_exe().context("failed to find podctl's own file")?;
    let chosen = choose(&context.choice, &Environment::of_process())?;
    let mut command = vec![
        program.display().to_string(),
        "--host".to_owned(),
        chosen.endpoint.host,
        "supervise".to_owned(),
    ];
    let is_own = back_off(args.back_off) != BackOff::default();
    let back_off = is_own.then_some(args.back_off);
    for (flag, time) in [("--idle", args.idle), ("--back-off", back_off)] {
        if let Some(time) = time {
            command.extend([flag.to_owned(), duration::words(time)]);
        }
    }
    let command: Vec<String> = command.iter().map(|word| quoted(word, true)).collect();
    // What the host alone does not say of the way to the engine.
    let environment = chosen.endpoint.certificates.map(|folder| {
        let folder = format!("DOCKER_CERT_PATH={}", folder.display());
        let folder = quoted(&folder, false);
        format!("Environment=DOCKER_TLS_VERIFY=1\nEnvironment={folder}\n")
    });
    // One that leaves for want of pods is not to come back at once.
    let restart = if args.idle.is_some() {
        "on-failure"
    } else {
        "always"
    };
    // An engine that is away for long must not make systemd give up: it counts starts within ten seconds.
    Ok(format!(
        "[Unit]
Description=podctl: keeps the pods of a container engine alive
After=docker.service
StartLimitIntervalSec=0

[Service]
{}ExecStart={}
Restart={restart}
RestartSec=1

[Install]
WantedBy=multi-user.target
",
        environment.unwrap_or_default(),
        command.join(" ")
    ))
}

/// systemd: a word with blanks is quoted, `%` means something, and so does `$` in a command.
fn quoted(word: &str, of_command: bool) -> String {
    let mut word = word.replace('%', "%%");
    if of_command {
        word = word.replace('$', "$$");
    }
    if word.contains([' ', '"', '\'', '\\']) {
        format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_unit_is_one_word() {
        assert_eq!(quoted("/usr/bin/podctl", true), "/usr/bin/podctl");
        assert_eq!(quoted("/opt/my podctl", true), "\"/opt/my podctl\"");
        assert_eq!(quoted("a\"b 100%$", true), "\"a\\\"b 100%%$$\"");
        assert_eq!(quoted("A=/100%$", false), "A=/100%%$");
    }
}
