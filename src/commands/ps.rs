//! `podctl ps`.
//!
//! Not here: what a status is (`reconcile::status`).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::{Context, Exit};
use crate::driver::{known, observe};
use crate::output::table::{age, table};
use crate::reconcile::{SeenContainer, status};
use crate::spec::PodKey;

/// List pods
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pods that have ended too
    #[arg(short, long)]
    all: bool,
    /// Pods of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// How to print them
    #[arg(short, long, value_enum, default_value = "table")]
    output: Output,
    /// Print whole ids and image names
    #[arg(long)]
    no_trunc: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// Columns
    Table,
    /// More columns
    Wide,
    /// A v1 `PodList`
    Json,
    /// A v1 `PodList`
    Yaml,
    /// pod/NAME
    Name,
}

/// Runs it.
///
/// # Errors
/// An engine that cannot be asked.
pub async fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let engine = context.engine()?;
    let mut containers = engine.containers(None).await?;
    if !args.all_namespaces {
        containers.retain(|container| container.pod().namespace == context.namespace());
    }
    let detailed = matches!(args.output, Output::Json | Output::Yaml);
    let mut pods = observe::of(&engine, &containers, detailed).await?;
    if !args.all {
        pods.retain(|pod| !has_ended(pod));
    }
    let text = match args.output {
        Output::Json => {
            let list = list(&pods, &known::manifests(&engine).await?)?;
            format!("{}\n", serde_json::to_string_pretty(&list)?)
        }
        Output::Yaml => serde_yaml::to_string(&list(&pods, &known::manifests(&engine).await?)?)?,
        _ if context.printer.is_quiet() => names(&pods, ""),
        Output::Name => names(&pods, "pod/"),
        Output::Table | Output::Wide => rows(context, args, &pods, &containers),
    };
    context.printer.data(&text)?;
    Ok(Exit::Fine)
}

fn has_ended(pod: &v1::Pod) -> bool {
    let phase = pod
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// What was asked for, as the records have it, and what there is of it.
fn list(pods: &[v1::Pod], manifests: &BTreeMap<PodKey, Value>) -> serde_json::Result<Value> {
    let whole = |pod: &v1::Pod| {
        let name = |name: &Option<String>| name.clone().unwrap_or_default();
        let key = PodKey::new(name(&pod.metadata.namespace), name(&pod.metadata.name));
        let seen = serde_json::to_value(pod)?;
        let Some(mut item) = manifests.get(&key).cloned() else {
            return Ok(seen);
        };
        for (field, value) in seen["metadata"].as_object().into_iter().flatten() {
            item["metadata"][field] = value.clone();
        }
        item["status"] = seen["status"].clone();
        Ok(item)
    };
    let items: serde_json::Result<Vec<Value>> = pods.iter().map(whole).collect();
    Ok(json!({ "apiVersion": "v1", "kind": "PodList", "metadata": {}, "items": items? }))
}

fn names(pods: &[v1::Pod], prefix: &str) -> String {
    let names = pods.iter().filter_map(|pod| pod.metadata.name.as_ref());
    names.map(|name| format!("{prefix}{name}\n")).collect()
}

fn rows(context: &Context, args: &Args, pods: &[v1::Pod], containers: &[SeenContainer]) -> String {
    let wide = args.output == Output::Wide;
    if pods.is_empty() {
        context.printer.status(&if args.all_namespaces {
            "there are no pods".to_owned()
        } else {
            format!("there are no pods in the namespace {}", context.namespace())
        });
        return String::new();
    }
    let mut header = vec!["NAME", "READY", "STATUS", "RESTARTS", "AGE"];
    if args.all_namespaces {
        header.insert(0, "NAMESPACE");
    }
    if wide {
        header.extend(["IP", "PORTS", "PAUSE"]);
    }
    let rows = pods.iter().map(|pod| {
        let columns = status::columns(pod);
        let name = pod.metadata.name.clone().unwrap_or_default();
        let namespace = pod.metadata.namespace.clone().unwrap_or_default();
        let mut row = vec![
            name,
            format!("{}/{}", columns.n_ready, columns.n_containers),
            columns.status,
            columns.n_restarts.to_string(),
            pod.metadata
                .creation_timestamp
                .as_ref()
                .map(|time| since(time.0))
                .unwrap_or_default(),
        ];
        if wide {
            row.extend(wide_columns(args, pod, containers));
        }
        if args.all_namespaces {
            row.insert(0, namespace);
        }
        row
    });
    table(&header, &rows.collect::<Vec<_>>())
}

fn wide_columns(args: &Args, pod: &v1::Pod, containers: &[SeenContainer]) -> [String; 3] {
    let is_of_pod = |c: &&SeenContainer| {
        Some(&c.pod().name) == pod.metadata.name.as_ref()
            && Some(&c.pod().namespace) == pod.metadata.namespace.as_ref()
    };
    let pause = containers
        .iter()
        .filter(|c| c.identity.is_pause())
        .find(is_of_pod);
    let ports = pause.into_iter().flat_map(|pause| &pause.ports);
    let ports: Vec<String> = ports
        .map(|port| {
            format!(
                "{}:{}->{}/{}",
                port.host_ip, port.host_port, port.container_port, port.protocol
            )
        })
        .collect();
    let id = pause.map(|pause| pause.id.clone()).unwrap_or_default();
    let none = |text: String| {
        if text.is_empty() {
            "<none>".to_owned()
        } else {
            text
        }
    };
    [
        none(
            pod.status
                .as_ref()
                .and_then(|status| status.pod_ip.clone())
                .unwrap_or_default(),
        ),
        none(ports.join(",")),
        none(if args.no_trunc {
            id
        } else {
            id.chars().take(12).collect()
        }),
    ]
}

fn since(time: Timestamp) -> String {
    age(Timestamp::now().as_second() - time.as_second())
}
