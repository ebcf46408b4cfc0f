//! `podctl up`.
//!
//! Not here: how a pod is brought up (`driver::up`), what is said of its end (`up_report`).

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::join_all;

use super::attach::{Voices, attached, back_off};
use super::exit::UsageError;
use super::progress::{shown, timed};
use super::supervision::Supervision;
use super::wait::tell_culprits;
use super::{Context, Exit, files, several, signals, timings, up_report};
use crate::driver::images::Pull;
use crate::driver::up::{Attach, Options, Up, up};
use crate::driver::{Interrupt, dry_run, known};
use crate::engine::{Engine, EngineError};
use crate::manifest::{Known, Problem, Purpose, load, load_beside};
use crate::output::timeline::timeline;
use crate::reconcile::Until;
use crate::spec::{Desired, PodKey, Publish};

/// Bring pods up, or bring running ones in line with their changed files
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    manifests: files::Manifests,
    /// Wait until all containers are ready, or have ended well; give up where one has crashed three times, unless --timeout says how long
    #[arg(long)]
    wait: bool,
    /// Give up after this time: 90s, 5m (exit code 4)
    #[arg(long, value_parser = super::duration::parse, value_name = "TIME")]
    timeout: Option<Duration>,
    /// When to pull images, whatever `imagePullPolicy` says
    #[arg(long, value_enum, value_name = "WHEN")]
    pull: Option<When>,
    /// Print what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Publish a port beside those of the manifest: [[ADDRESS:]HOST:]POD[/PROTOCOL]
    #[arg(short, long, value_parser = super::publish::parse, value_name = "PORT")]
    publish: Vec<Publish>,
    /// Run the pod template of a Deployment, a Job and the like, as one pod
    #[arg(long)]
    template: bool,
    /// Stay, show the logs, and start again what ends, until Ctrl-C takes the pod down
    #[arg(long, conflicts_with_all = ["dry_run", "wait", "keep"])]
    attach: bool,
    /// With --attach: what is waited before the second restart of a container; it doubles from there, thirtyfold at most
    #[arg(long, value_parser = super::duration::parse, value_name = "TIME", default_value = "10s", requires = "attach")]
    back_off: Duration,
    /// Print at the end how long each container took to be pulled, created and started, and when, since the beginning, it was ready
    #[arg(long, conflicts_with_all = ["dry_run", "attach"])]
    timings: bool,
    /// Leave what a first run that fails has made
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    supervision: Supervision,
}

/// `--pull`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum When {
    /// What the engine does not have
    Missing,
    /// Each time
    Always,
    /// Never
    Never,
}

/// What `--pull` means.
pub(super) fn pull(when: Option<When>) -> Pull {
    match when {
        None => Pull::AsTheManifestSays,
        Some(When::Missing) => Pull::Missing,
        Some(When::Always) => Pull::Always,
        Some(When::Never) => Pull::Never,
    }
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
    let mut pods = load_pods(context, &args.manifests, purpose).await?;
    if pods.is_empty() {
        context
            .printer
            .warning("the files hold no pod: there is nothing to do");
    }
    for desired in &mut pods {
        for publish in &args.publish {
            if !desired.pod.publish.contains(publish) {
                desired.pod.publish.push(publish.clone());
            }
        }
        desired.pod.attached = args.attach;
    }
    collisions(&pods)?;
    let engine = context.engine()?;
    if args.dry_run {
        return print_plan(context, &engine, &pods, pull(args.pull)).await;
    }
    let signals = signals::listen(args.timeout).context("failed to listen to signals")?;
    let options = || Options {
        pull: pull(args.pull),
        keep: args.keep,
        wait: args.wait,
        patient: args.timeout.is_some(),
        attach: args.attach.then(|| Attach {
            until: Until::Stopped,
            back_off: back_off(args.back_off),
            speaks: Arc::default(),
            ends_with: None,
            leaves: false,
        }),
        uid: uuid::Uuid::new_v4().to_string(),
        ..Options::default()
    };
    let (engine, options, args) = (&engine, &options, &args);
    let (signals, pods, voices) = (&signals, &pods, &Voices::of(&pods));
    // What comes of a pod is told when it comes: another may live on for long.
    let exits = pods.iter().map(async |desired| {
        let interrupt = &signals.interrupt;
        // Each pod has a uid of its own.
        let options = options();
        let end = if args.attach {
            let leave = async || Ok(());
            attached(context, engine, desired, &options, voices, interrupt, leave).await?
        } else if args.timings {
            one_timed(context, engine, desired, &options, interrupt).await?
        } else {
            one(context, engine, desired, &options, interrupt).await?
        };
        let mut exit = tell(context, engine, desired, &end).await?;
        if !args.attach {
            let supervision = &args.supervision;
            let kept = supervision.take_over(context, engine, desired, &end, interrupt);
            exit = exit.or(kept.await?);
        }
        Ok(signals.exit(context.printer, &desired.pod.key, exit))
    });
    let look = async {
        if !args.attach {
            let look = args.supervision.look(context, engine);
            signals.interrupt.or(0, look).await;
        }
    };
    let (exits, ()) = tokio::join!(join_all(exits), look);
    let keys: Vec<PodKey> = pods.iter().map(|desired| desired.pod.key.clone()).collect();
    several::exit(context, &keys, exits)
}

/// Says how the way of a pod ended.
pub(super) async fn tell(
    context: &Context,
    engine: &Engine,
    desired: &Desired,
    end: &Up,
) -> anyhow::Result<Exit> {
    let exit = up_report::report(context.printer, desired, end);
    if matches!(end, Up::NotReady { .. }) {
        tell_culprits(context, engine, &desired.pod.key).await?;
    }
    Ok(exit)
}

/// The pods of these files. What they refer to may be on the engine.
pub(super) async fn load_pods(
    context: &Context,
    manifests: &files::Manifests,
    purpose: Purpose,
) -> anyhow::Result<Vec<Desired>> {
    let sources = manifests.read()?;
    let options = manifests.options(context, purpose);
    let loaded = load(&sources, &options);
    let (problems, is_fine) = match &loaded {
        Ok(loaded) => (&loaded.warnings, true),
        Err(problems) => (problems, false),
    };
    let is_missing = |problem: &Problem| problem.missing;
    // What is not in the files may be on the engine.
    let may_be_there = if is_fine {
        problems.iter().any(is_missing)
    } else {
        problems.iter().all(|p| is_missing(p) || !p.is_error())
    };
    let known = if may_be_there {
        known(context).await.ok()
    } else {
        None
    };
    let loaded = match known {
        Some(known) => load_beside(&sources, &options, &known),
        None => loaded,
    };
    Ok(files::loaded(context, &sources, loaded)?.pods)
}

/// No two pods, and no pod twice, can have one port of the machine.
fn collisions(pods: &[Desired]) -> Result<(), UsageError> {
    let of_pod = |desired: &Desired| {
        let key = desired.pod.key.clone();
        let published = desired.pod.publish.clone().into_iter();
        published.map(move |publish| (key.clone(), publish))
    };
    let all: Vec<(PodKey, Publish)> = pods.iter().flat_map(of_pod).collect();
    for (i, (key, publish)) in all.iter().enumerate() {
        let others = all[i + 1..].iter();
        let mut others = others.filter(|(of, other)| of != key || other != publish);
        if let Some((other, _)) = others.find(|(_, other)| publish.collides(other)) {
            let port = publish.host_port;
            return Err(UsageError(if key == other {
                format!("pod `{key}` would publish the port {port} twice")
            } else {
                format!("the pods `{key}` and `{other}` would both publish the port {port}")
            }));
        }
    }
    Ok(())
}

/// The ConfigMaps and Secrets that earlier runs have left.
async fn known(context: &Context) -> Result<Known, EngineError> {
    known::payloads(&context.engine()?).await
}

/// One pod, with its progress.
pub(super) async fn one(
    context: &Context,
    engine: &Engine,
    desired: &Desired,
    options: &Options,
    interrupt: &Interrupt,
) -> anyhow::Result<Up> {
    let work = async |events| up(engine, desired, options, &events, interrupt).await;
    shown(context.printer, &desired.pod.key, work).await
}

/// The same; how its containers have come up is printed at the end.
async fn one_timed(
    context: &Context,
    engine: &Engine,
    desired: &Desired,
    options: &Options,
    interrupt: &Interrupt,
) -> anyhow::Result<Up> {
    let work = async |events| up(engine, desired, options, &events, interrupt).await;
    let (end, events) = timed(context.printer, &desired.pod.key, work).await;
    let ways = timings::ways(&desired.pod, &events);
    let text = timeline(&ways, std::io::stdout().is_terminal());
    context.printer.data(&text)?;
    end
}

async fn print_plan(
    context: &Context,
    engine: &Engine,
    pods: &[Desired],
    pull: Pull,
) -> anyhow::Result<Exit> {
    for desired in pods {
        let lines = dry_run::plan(engine, desired, pull).await?;
        let key = &desired.pod.key;
        if lines.is_empty() {
            context.printer.data(&format!("pod {key}: unchanged\n"))?;
        }
        for line in lines {
            context.printer.data(&format!("pod {key}: {line}\n"))?;
        }
    }
    Ok(Exit::Fine)
}
