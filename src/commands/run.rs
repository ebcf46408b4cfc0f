//! `podctl run`.
//!
//! Not here: the way (`driver::up`, `driver::down`), what the report looks like (`output::junit`).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::attach::{Voices, attached, back_off};
use super::exit::UsageError;
use super::progress::shown;
use super::{Context, Exit, files, signals, up, up_report};
use crate::driver::down::{Down, down};
use crate::driver::results::{Ending, code, results};
use crate::driver::up::{Attach, Options, Up};
use crate::driver::{Interrupt, observe, passing};
use crate::engine::Engine;
use crate::manifest::Purpose;
use crate::output::junit;
use crate::reconcile::{Until, status};
use crate::record::told::Reason;
use crate::spec::{Desired, PodKey, RestartPolicy};

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
    let work = attached(
        context,
        &engine,
        &desired,
        &options,
        &voices,
        &signals.interrupt,
    );
    let key = &desired.pod.key;
    let end = tokio::select! {
        end = work => end?,
        // Those that do not ask podctl to end are for the pod.
        never = signals::pass_on(&engine, key) => match never? {},
    };
    let stopped = matches!(
        end,
        Up::Interrupted {
            taken_away: false,
            ..
        }
    );
    if stopped {
        let signal = signals.first().map_or("SIGTERM", |(_, name)| name);
        let message = if signals.timed_out() {
            "time is up: ending it".to_owned()
        } else {
            format!("{signal}: passed on to its containers")
        };
        context.printer.status(&format!("pod {key}: {message}"));
        let ending = passing::end(&engine, &desired.pod, signal, &signals.interrupt).await;
        ending.context("failed to pass the signal on")?;
    } else if !matches!(end, Up::Started { .. }) {
        let exit = up_report::report(context.printer, &desired, &end);
        let exit = signals.exit(context.printer, key, exit);
        return Ok(match (exit, signals.first()) {
            (Exit::Interrupted, Some((number, _))) => Exit::Code(128 + number),
            (exit, _) => exit,
        });
    }
    let endings = results(&engine, &desired, args.junit.is_some()).await;
    let gone = take_down(context, &engine, key, &signals.interrupt).await;
    let (endings, ended) = endings.context("failed to look how the containers have ended")?;
    if let Some(file) = &args.junit {
        let report = junit::report(key, &endings)?;
        std::fs::write(file, report)
            .with_context(|| format!("failed to write {}", file.display()))?;
    }
    gone?;
    let mut exit = exit(context, &desired, &endings, args.exit_code_from.as_deref());
    if ended.is_some_and(|reason| reason == Reason::deadline()) {
        let message = format!("pod {key}: its time (activeDeadlineSeconds) was over");
        context.printer.failure(&message);
        exit = exit.or(Exit::Failed);
    }
    Ok(match (signals.first(), exit) {
        _ if stopped && signals.timed_out() => {
            let message = format!("pod {key}: time is up");
            context.printer.failure(&message);
            Exit::TimedOut
        }
        (Some((number, _)), Exit::Fine) if stopped => Exit::Code(128 + number),
        (_, exit) => exit,
    })
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
    take_down(context, engine, key, interrupt).await
}

/// A pod whose containers are started again whatever they end with never ends.
fn check(desired: &Desired, args: &Args) -> Result<(), UsageError> {
    let pod = &desired.pod;
    let key = &pod.key;
    if let Some(name) = &args.exit_code_from
        && !pod.containers.iter().any(|c| c.name == *name)
    {
        return Err(UsageError(format!("pod `{key}` has no container `{name}`")));
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

async fn take_down(
    context: &Context,
    engine: &Engine,
    key: &PodKey,
    interrupt: &Interrupt,
) -> anyhow::Result<()> {
    let work = async |events| down(engine, key, None, &events, interrupt).await;
    match shown(context.printer, key, work).await? {
        Down::Failed(failures) => {
            let say = |failure| up_report::say(context.printer, failure);
            failures.iter().for_each(say);
            bail!("pod `{key}` has ended, and could not be taken down; `podctl down` does it")
        }
        Down::Interrupted => bail!(
            "pod `{key}` has ended; `podctl down {}` takes it away",
            key.words()
        ),
        Down::Gone | Down::NotFound => Ok(()),
    }
}

fn exit(context: &Context, desired: &Desired, endings: &[Ending], from: Option<&str>) -> Exit {
    match code(endings, from) {
        None | Some((_, 0)) => Exit::Fine,
        Some((name, code)) => {
            let key = &desired.pod.key;
            context.printer.failure(&format!(
                "container {key}/{name} has ended with the code {code}"
            ));
            Exit::Code(u8::try_from(code).unwrap_or(1))
        }
    }
}
