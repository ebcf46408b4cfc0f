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
use crate::driver::Interrupt;
use crate::driver::down::{Down, down};
use crate::driver::results::{Ending, code, results};
use crate::driver::up::{Attach, Options, Up};
use crate::engine::Engine;
use crate::manifest::Purpose;
use crate::output::junit;
use crate::reconcile::Until;
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
    let desired = match (pods.pop(), pods.is_empty()) {
        (Some(desired), true) => desired,
        (None, _) => bail!(UsageError("the files hold no pod".to_owned())),
        (Some(_), false) => bail!(UsageError(
            "the files hold several pods: `run` runs one, `up` the others before it".to_owned()
        )),
    };
    check(&desired, &args)?;
    let engine = context.engine()?;
    let signals = signals::listen(args.timeout).context("failed to listen to signals")?;
    let options = Options {
        pull: up::pull(args.pull),
        attach: Some(Attach {
            until: Until::Over,
            back_off: back_off(args.back_off),
            speaks: Arc::default(),
            ends_with: args.exit_code_from.clone(),
        }),
        uid: uuid::Uuid::new_v4().to_string(),
        ..Options::default()
    };
    let end = attached(
        context,
        &engine,
        &desired,
        &options,
        &Voices::of(std::slice::from_ref(&desired)),
        &signals.interrupt,
    )
    .await?;
    let Up::Started { .. } = end else {
        let exit = up_report::report(context.printer, &desired, &end, false);
        let late = exit == Exit::Interrupted && signals.timed_out();
        return Ok(if late { Exit::TimedOut } else { exit });
    };
    let endings = results(&engine, &desired, args.junit.is_some()).await;
    take_down(context, &engine, &desired.pod.key, &signals.interrupt).await?;
    let endings = endings.context("failed to look how the containers have ended")?;
    if let Some(file) = &args.junit {
        let report = junit::report(&desired.pod.key, &endings)?;
        std::fs::write(file, report)
            .with_context(|| format!("failed to write {}", file.display()))?;
    }
    Ok(exit(
        context,
        &desired,
        &endings,
        args.exit_code_from.as_deref(),
    ))
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
            key.name
        ),
        Down::Gone | Down::NotFound => Ok(()),
    }
}

fn exit(context: &Context, desired: &Desired, endings: &[Ending], from: Option<&str>) -> Exit {
    match code(endings, from) {
        None | Some((_, 0)) => Exit::Fine,
        Some((name, code)) => {
            let key = &desired.pod.key;
            context.printer.warning(&format!(
                "container {key}/{name} has ended with the code {code}"
            ));
            Exit::Code(u8::try_from(code).unwrap_or(1))
        }
    }
}
