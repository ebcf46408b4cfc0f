//! `podctl run`.
//!
//! Not here: the way (`driver::up`, `driver::down`), what the report looks like (`output::junit`).

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::attach::{Voices, attached, back_off};
use super::exit::UsageError;
use super::progress::shown;
use super::signals::{self, Signals};
use super::{Context, Exit, files, up, up_report};
use crate::driver::down::{Down, down};
use crate::driver::passing::{self, Passed};
use crate::driver::results::{Ending, code, results};
use crate::driver::up::{Attach, Options, Up};
use crate::driver::{Interrupt, observe};
use crate::engine::Engine;
use crate::manifest::Purpose;
use crate::output::junit::{self, Cut};
use crate::reconcile::{Until, status};
use crate::record::told::Reason;
use crate::spec::{Desired, Pod, PodKey, RestartPolicy};

/// What containers that have had their grace period are given when the pod is taken down, in seconds (kubelet:
/// `minimumGracePeriodInSeconds`).
const SHORT: u64 = 2;
/// Why a pod has come to its end.
const DEADLINE: &str = "its time (activeDeadlineSeconds) was over";

/// Run a pod that is to end: show its logs, take it down, and exit with its code
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    manifests: files::Manifests,
    /// Exit with the code of this container, and end the pod with it
    #[arg(long, value_name = "CONTAINER")]
    exit_code_from: Option<String>,
    /// Write a test case for each container, with its log
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Give up after this time (exit code 4)
    #[arg(long, value_parser = super::duration::parse, value_name = "TIME")]
    timeout: Option<Duration>,
    /// When to pull images, whatever `imagePullPolicy` says
    #[arg(long, value_enum, value_name = "WHEN")]
    pull: Option<up::When>,
    /// Run the pod template of a Job and the like
    #[arg(long)]
    template: bool,
    /// What is waited before the second restart of a container; it doubles from there
    #[arg(long, value_parser = super::duration::parse, value_name = "TIME", default_value = "10s")]
    back_off: Duration,
}

/// Runs it.
///
/// # Errors
/// Faults in the files, or an engine that cannot be asked.
pub async fn run(context: &Context, args: Args) -> anyhow::Result<Exit> {
    let purpose = if args.template {
        Purpose::RunTemplates
    } else {
        Purpose::Run
    };
    let mut pods = up::load_pods(context, &args.manifests, purpose).await?;
    let mut desired = match (pods.pop(), pods.is_empty()) {
        (Some(desired), true) => desired,
        (None, _) => bail!(UsageError("the files hold no pod".to_owned())),
        (Some(_), false) => bail!(UsageError(
            "the files hold several pods: `run` runs one, `up` the others before it".to_owned()
        )),
    };
    check(&desired, &args)?;
    desired.pod.attached = true;
    let engine = context.engine()?;
    let signals = signals::listen(args.timeout).context("failed to listen to signals")?;
    let options = Options {
        pull: up::pull(args.pull),
        attach: Some(Attach {
            until: Until::Over,
            back_off: back_off(args.back_off),
            speaks: Arc::default(),
            ends_with: args.exit_code_from.clone(),
            leaves: true,
        }),
        uid: uuid::Uuid::new_v4().to_string(),
        ..Options::default()
    };
    take_over_the_name(context, &engine, &desired, &signals.interrupt).await?;
    let voices = Voices::of(std::slice::from_ref(&desired));
    let key = &desired.pod.key;
    let passed = Cell::new(None);
    let leave = async || {
        let ended = pass_on(context, &engine, &desired.pod, &signals).await?;
        passed.set(Some(ended));
        Ok(())
    };
    let work = attached(
        context,
        &engine,
        &desired,
        &options,
        &voices,
        &signals.interrupt,
        leave,
    );
    let end = tokio::select! {
        end = work => end?,
        // Those that do not ask podctl to end are for the pod.
        never = signals::pass_on(&engine, key) => match never? {},
    };
    let passed = passed.take();
    if passed.is_none() && !matches!(end, Up::Started { .. }) {
        let exit = up_report::report(context.printer, &desired, &end);
        let exit = signals.exit(context.printer, key, exit);
        return Ok(match (exit, signals.first()) {
            (Exit::Interrupted, Some((number, _))) => Exit::Code(128 + number),
            (exit, _) => exit,
        });
    }
    let results = results(&engine, &desired, args.junit.is_some()).await;
    let gone = take_down(
        context,
        &engine,
        key,
        grace(passed.as_ref(), &signals),
        &signals.interrupt,
    )
    .await;
    let (endings, ended) = results.context("failed to look how the containers have ended")?;
    let is_late = ended.is_some_and(|reason| reason == Reason::deadline());
    if let Some(file) = &args.junit {
        let cut = cut(passed.as_ref(), &signals, is_late);
        let report = junit::report(key, &endings, cut)?;
        std::fs::write(file, report)
            .with_context(|| format!("failed to write {}", file.display()))?;
    }
    gone?;
    if let Some(passed) = passed.as_ref().filter(|_| signals.timed_out()) {
        let mut message = format!("pod {key}: time is up");
        if !passed.containers.is_empty() {
            let names = passed.containers.join(", ");
            message.push_str(&format!("; these had not ended: {names}"));
        }
        context.printer.failure(&message);
        return Ok(Exit::TimedOut);
    }
    let mut exit = exit(context, &desired, &endings, args.exit_code_from.as_deref());
    if is_late {
        let message = format!("pod {key}: {DEADLINE}");
        context.printer.failure(&message);
        exit = exit.or(Exit::Failed);
    }
    Ok(match (signals.first(), exit) {
        (Some((number, _)), Exit::Fine) if passed.is_some() => Exit::Code(128 + number),
        (_, exit) => exit,
    })
}

/// Of a person, or of the end of the time: the containers are told to end, and have their time to.
async fn pass_on(
    context: &Context,
    engine: &Engine,
    pod: &Pod,
    signals: &Signals,
) -> anyhow::Result<Passed> {
    let signal = signals.first().map_or("SIGTERM", |(_, name)| name);
    let message = if signals.timed_out() {
        "time is up: ending it".to_owned()
    } else {
        format!("{signal}: passed on to its containers")
    };
    context
        .printer
        .status(&format!("pod {}: {message}", pod.key));
    let ending = passing::end(engine, pod, signal, &signals.interrupt).await;
    ending.context("failed to pass the signal on")
}

/// Why the pod was ended before it had come to its end by itself.
fn cut<'a>(passed: Option<&'a Passed>, signals: &Signals, is_late: bool) -> Option<Cut<'a>> {
    let why = match passed {
        Some(_) if signals.timed_out() => "time was up",
        Some(_) => "podctl was told to end",
        None if is_late => DEADLINE,
        None => return None,
    };
    let running = passed.map_or(&[][..], |passed| &passed.containers);
    Some(Cut { why, running })
}

/// What the containers are given to end when the pod is taken down, in seconds; `None`: what the pod says. They may have had that already.
fn grace(passed: Option<&Passed>, signals: &Signals) -> Option<u64> {
    match passed {
        Some(_) if signals.interrupt.count() > 1 => Some(0),
        Some(passed) if !passed.ended => Some(SHORT),
        _ => None,
    }
}

/// A pod of this name that has ended is what is left of a run before; one that has not is somebody's.
async fn take_over_the_name(
    context: &Context,
    engine: &Engine,
    desired: &Desired,
    interrupt: &Interrupt,
) -> anyhow::Result<()> {
    let key = &desired.pod.key;
    let looking = || format!("failed to look whether there is a pod `{key}`");
    let pods = observe::pods(engine, Some(key), false)
        .await
        .with_context(looking)?;
    let Some(pod) = pods.first() else {
        return Ok(());
    };
    if !status::has_ended(pod) {
        bail!(
            "there is a pod `{key}` that has not ended: `podctl down {}` takes it away",
            key.words()
        );
    }
    let message = format!("pod {key} has ended before: it is taken down, and run anew");
    context.printer.status(&message);
    take_down(context, engine, key, None, interrupt).await
}

/// A pod whose containers are started again whatever they end with never ends.
fn check(desired: &Desired, args: &Args) -> Result<(), UsageError> {
    let pod = &desired.pod;
    let key = &pod.key;
    if let Some(name) = &args.exit_code_from
        && !pod.containers.iter().any(|c| c.name == *name)
    {
        let why = match pod.container(name) {
            None => format!("pod `{key}` has no container `{name}`"),
            Some(container) if container.sidecar => format!(
                "container `{name}` of pod `{key}` is a sidecar, which is ended with the pod: its code cannot be the pod's"
            ),
            Some(_) => format!(
                "container `{name}` of pod `{key}` is an init container, which ends before the pod does: its code cannot be the pod's"
            ),
        };
        return Err(UsageError(why));
    }
    if let Some(file) = &args.junit
        && let Some(folder) = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        && !folder.is_dir()
    {
        return Err(UsageError(format!(
            "the report cannot be written to {}: there is no such folder",
            file.display()
        )));
    }
    let last = |name: &str| args.exit_code_from.as_ref().is_none_or(|last| last == name);
    let mut last = pod.containers.iter().filter(|c| last(&c.name));
    let always = |policy| policy == RestartPolicy::Always;
    if last.any(|c| always(c.restarts.policy.unwrap_or(pod.restart_policy))) {
        return Err(UsageError(format!(
            "pod `{key}` never ends: its restartPolicy is Always; `run` wants Never or OnFailure, `up --attach` keeps a pod alive"
        )));
    }
    Ok(())
}

/// In order; asked once more, at once. `grace` in seconds; `None`: the pod's own.
async fn take_down(
    context: &Context,
    engine: &Engine,
    key: &PodKey,
    grace: Option<u64>,
    interrupt: &Interrupt,
) -> anyhow::Result<()> {
    let work = async |events| down(engine, key, grace, &events, interrupt).await;
    match shown(context.printer, key, work).await? {
        Down::Failed(failures) => {
            up_report::say_all(context.printer, &failures);
            bail!("pod `{key}` has ended, and could not be taken down; `podctl down` does it")
        }
        Down::Interrupted => {
            let never = Interrupt::never();
            Box::pin(take_down(context, engine, key, Some(0), &never)).await
        }
        Down::Gone | Down::NotFound => Ok(()),
    }
}

fn exit(context: &Context, desired: &Desired, endings: &[Ending], from: Option<&str>) -> Exit {
    let Some((ending, code)) = code(endings, from).filter(|(_, code)| *code != 0) else {
        return Exit::Fine;
    };
    let name = format!("container {}/{}", desired.pod.key, ending.container);
    context.printer.failure(&match &ending.message {
        Some(message) => format!("{name} could not be started: {message}"),
        None => format!("{name} has ended with the code {code}"),
    });
    Exit::Code(u8::try_from(code).unwrap_or(1))
}
