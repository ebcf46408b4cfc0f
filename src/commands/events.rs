//! `podctl events`.
//!
//! Not here: what is told (`driver::memory`), the rows (`output::events`).

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;
use k8s_openapi::api::core::v1;
use k8s_openapi::jiff::Timestamp;
use serde_json::json;

use super::{Context, Exit, port, signals, target};
use crate::driver::observe;
use crate::driver::watch::Watch;
use crate::engine::Engine;
use crate::output::events::{HEADER, row};
use crate::output::table::Growing;
use crate::spec::PodKey;

/// Between two looks at all pods while nothing is heard.
const REST: Duration = Duration::from_secs(60);

/// Print what has happened to pods: starts, ends, probes and hooks that failed
///
/// It is told by who keeps a pod (the supervisor, `up --attach`, `up --wait`, `run`); of other pods the engine knows when their containers were started.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pods, or files that name them; none: all
    #[arg(value_name = "POD|FILE", add = super::completion::pods())]
    pods: Vec<String>,
    /// Pods of all namespaces
    #[arg(short = 'A', long, conflicts_with = "pods")]
    all_namespaces: bool,
    /// Stay, and print what happens from now on too
    #[arg(short, long, visible_short_alias = 'w', visible_alias = "watch")]
    follow: bool,
    /// These alone
    #[arg(long, value_enum, value_delimiter = ',')]
    types: Vec<Type>,
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Type {
    #[value(name = "Normal")]
    Normal,
    #[value(name = "Warning")]
    Warning,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Table,
    Json,
    Yaml,
}

/// Runs it.
///
/// # Errors
/// A pod that cannot be told from the words, or an engine that cannot be asked.
pub async fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let pods = target::pods(context, &args.pods)?;
    let engine = context.engine()?;
    if !args.follow {
        let events = look(context, &engine, &pods, args).await?;
        print(context, args, &events)?;
        for pod in pods.iter().filter(|pod| !has_any(&events, pod)) {
            port::find(&engine, pod).await?;
        }
        if events.is_empty() {
            context.printer.status("there are no events");
        }
        return Ok(Exit::Fine);
    }
    let signals = signals::listen(None).context("failed to listen to signals")?;
    let mut interrupt = signals.interrupt.clone();
    tokio::select! { biased;
        () = interrupt.beyond(0) => Ok(Exit::Interrupted),
        end = follow(context, &engine, &pods, args) => end,
    }
}

/// Whether something has happened to the pod.
fn has_any(events: &[v1::Event], pod: &PodKey) -> bool {
    let is_of = |event: &v1::Event| {
        let object = &event.involved_object;
        let (namespace, name) = (object.namespace.as_deref(), object.name.as_deref());
        (namespace, name) == (Some(&pod.namespace), Some(&pod.name))
    };
    events.iter().any(is_of)
}

/// Prints each event when it happens, and again when it happens again.
async fn follow(
    context: &Context,
    engine: &Engine,
    pods: &[PodKey],
    args: &Args,
) -> anyhow::Result<Exit> {
    let only = match pods {
        [pod] => Some(pod),
        _ => None,
    };
    let mut watch = Watch::begin(engine, only, REST);
    let mut table = Growing::default();
    let mut printed = BTreeSet::new();
    loop {
        let mut events = look(context, engine, pods, args).await?;
        events.retain(|event| printed.insert(mark(event)));
        if args.output == Format::Table {
            let now = Timestamp::now().as_second();
            let rows: Vec<_> = events.iter().map(|event| row(event, now)).collect();
            context.printer.data(&table.rows(&HEADER, &rows))?;
        } else {
            for event in &events {
                print_object(context, args, event)?;
            }
        }
        watch.next().await;
    }
}

/// Tells an event that has happened once more from itself.
fn mark(event: &v1::Event) -> String {
    let object = &event.involved_object;
    format!(
        "{:?} {:?} {:?} {:?} {:?}",
        object.uid, object.field_path, event.reason, event.message, event.last_timestamp
    )
}

/// Those that are meant, the oldest first.
async fn look(
    context: &Context,
    engine: &Engine,
    pods: &[PodKey],
    args: &Args,
) -> anyhow::Result<Vec<v1::Event>> {
    let mut containers = engine.containers(None).await?;
    let is_meant = |pod: &PodKey| {
        if pods.is_empty() {
            args.all_namespaces || pod.namespace == context.namespace()
        } else {
            pods.contains(pod)
        }
    };
    containers.retain(|container| is_meant(container.pod()));
    let mut events = observe::events(engine, &containers).await?;
    events.retain(|event| {
        let is_of = |of: &Type| event.type_.as_deref() == Some(&format!("{of:?}"));
        args.types.is_empty() || args.types.iter().any(is_of)
    });
    events.sort_by_key(|event| event.last_timestamp.as_ref().map(|time| time.0));
    Ok(events)
}

fn print(context: &Context, args: &Args, events: &[v1::Event]) -> anyhow::Result<()> {
    if args.output != Format::Table {
        let list = json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": events});
        return print_object(context, args, &list);
    }
    let now = Timestamp::now().as_second();
    let rows: Vec<_> = events.iter().map(|event| row(event, now)).collect();
    context
        .printer
        .data(&Growing::default().rows(&HEADER, &rows))?;
    Ok(())
}

fn print_object(
    context: &Context,
    args: &Args,
    object: &impl serde::Serialize,
) -> anyhow::Result<()> {
    let text = if args.output == Format::Yaml {
        serde_yaml::to_string(object)?
    } else {
        format!("{:#}\n", serde_json::to_value(object)?)
    };
    context.printer.data(&context.printer.foreign(&text))?;
    Ok(())
}
