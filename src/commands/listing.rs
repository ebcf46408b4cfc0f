//! Pods on stdout, once or again and again: what `ps` and `get` share.
//!
//! Not here: tables (`output::table`), templates (`output::jsonpath`), when to look again (`driver::watch`).

use std::path::PathBuf;

use anyhow::Context as _;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use k8s_openapi::api::core::v1;
use serde_json::{Value, json};

use super::exit::UsageError;
use super::listing_rows::{header, row};
use super::{Context, Exit, signals, watching};
use crate::driver::observe;
use crate::engine::Engine;
use crate::output::jsonpath::Template;
use crate::output::table::Growing;
use crate::reconcile::{SeenContainer, status};
use crate::spec::PodKey;

/// How pods are printed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Format {
    /// Columns.
    Table,
    /// More columns.
    Wide,
    Json,
    Yaml,
    /// pod/NAME.
    Name,
    JsonPath(Template),
    JsonPathFile(PathBuf),
}

/// kubectl: `-o`.
pub(super) fn format(text: &str) -> Result<Format, String> {
    match text.split_once('=').unwrap_or((text, "")) {
        ("table", "") => Ok(Format::Table),
        ("wide", "") => Ok(Format::Wide),
        ("json", "") => Ok(Format::Json),
        ("yaml", "") => Ok(Format::Yaml),
        ("name", "") => Ok(Format::Name),
        ("jsonpath", "") => Err("a template must follow: jsonpath='{.status.phase}'".to_owned()),
        ("jsonpath", template) => {
            let template = template.parse().map(Format::JsonPath);
            template.map_err(|fault| fault.to_string())
        }
        ("jsonpath-file", "") => Err("a file must follow: jsonpath-file=FILE".to_owned()),
        ("jsonpath-file", file) => Ok(Format::JsonPathFile(file.into())),
        _ => Err(
            "must be table, wide, json, yaml, name, jsonpath=TEMPLATE or jsonpath-file=FILE"
                .to_owned(),
        ),
    }
}

/// For a shell.
pub(super) fn formats() -> ArgValueCandidates {
    let formats = [
        "table",
        "wide",
        "json",
        "yaml",
        "name",
        "jsonpath=",
        "jsonpath-file=",
    ];
    ArgValueCandidates::new(move || formats.map(CompletionCandidate::new).into())
}

/// Which pods, and how.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) format: Format,
    /// These; none: all.
    pub(super) pods: Vec<PodKey>,
    pub(super) all_namespaces: bool,
    /// Those that have ended too.
    pub(super) ended: bool,
    pub(super) no_trunc: bool,
}

/// What one look has found, in the order in which it is printed.
pub(super) struct Found {
    pub(super) containers: Vec<SeenContainer>,
    pub(super) pods: Vec<v1::Pod>,
}

impl Listing {
    /// Prints the pods; with `watch` also whenever one of them has changed.
    pub(super) async fn run(mut self, context: &Context, watch: bool) -> anyhow::Result<Exit> {
        if let Format::JsonPathFile(file) = &self.format {
            self.format = Format::JsonPath(read(file)?);
        }
        let engine = context.engine()?;
        if watch {
            let signals = signals::listen(None).context("failed to listen to signals")?;
            let mut interrupt = signals.interrupt.clone();
            return tokio::select! { biased;
                () = interrupt.beyond(0) => Ok(Exit::Interrupted),
                end = watching::run(context, &engine, &self) => end,
            };
        }
        let mut found = self.look(context, &engine, self.only()).await?;
        if !self.ended {
            found.pods.retain(|pod| !status::has_ended(pod));
        }
        self.print(context, &engine, &found).await?;
        Ok(self.missing(context, &found))
    }

    /// The one pod that is named.
    pub(super) fn only(&self) -> Option<&PodKey> {
        match &self.pods[..] {
            [pod] => Some(pod),
            _ => None,
        }
    }

    /// Those that are meant: among all, or this one.
    pub(super) async fn look(
        &self,
        context: &Context,
        engine: &Engine,
        pod: Option<&PodKey>,
    ) -> anyhow::Result<Found> {
        let is_meant = |pod: &PodKey| {
            if self.pods.is_empty() {
                self.all_namespaces || pod.namespace == context.namespace()
            } else {
                self.pods.contains(pod)
            }
        };
        let mut containers = engine.containers(pod).await?;
        containers.retain(|container| is_meant(container.pod()));
        let wanted = self.wants_objects();
        let (mut pods, others) = tokio::try_join!(
            observe::of(engine, &containers, wanted),
            observe::without_containers(engine, &containers, |other| {
                is_meant(other) && pod.is_none_or(|pod| pod == other)
            }),
        )?;
        pods.extend(others);
        let place = |pod: &v1::Pod| self.pods.iter().position(|key| *key == status::key(pod));
        pods.sort_by_key(|pod| (place(pod), status::key(pod)));
        Ok(Found { containers, pods })
    }

    /// Tells which of the pods that were named are not there.
    pub(super) fn missing(&self, context: &Context, found: &Found) -> Exit {
        let there: Vec<PodKey> = found.pods.iter().map(status::key).collect();
        let mut exit = Exit::Fine;
        for pod in self.pods.iter().filter(|pod| !there.contains(pod)) {
            exit = Exit::Failed;
            context
                .printer
                .failure(&format!("pod {pod}: there is no such pod"));
        }
        exit
    }

    fn wants_objects(&self) -> bool {
        matches!(
            self.format,
            Format::Json | Format::Yaml | Format::JsonPath(_)
        )
    }

    async fn print(&self, context: &Context, engine: &Engine, found: &Found) -> anyhow::Result<()> {
        if self.wants_objects() {
            let mut objects = observe::whole(engine, &found.containers, &found.pods).await?;
            let object = match self.only() {
                Some(_) if objects.is_empty() => return Ok(()),
                Some(_) => objects.swap_remove(0),
                None => {
                    json!({"apiVersion": "v1", "kind": "PodList", "metadata": {}, "items": objects})
                }
            };
            return self.print_object(context, &object);
        }
        if found.pods.is_empty() && self.pods.is_empty() {
            self.tell_that_there_are_none(context, !found.containers.is_empty());
        }
        let pods = found.pods.iter().map(|pod| (pod, &found.containers[..]));
        let text = self.lines(context, &mut Growing::default(), pods);
        context.printer.data(&text)?;
        Ok(())
    }

    pub(super) fn tell_that_there_are_none(&self, context: &Context, hidden: bool) {
        let which = if hidden {
            ", but for those that have ended, which -a shows"
        } else {
            ""
        };
        context.printer.status(&if self.all_namespaces {
            format!("there are no pods{which}")
        } else {
            format!(
                "there are no pods in the namespace {}{which}",
                context.namespace()
            )
        });
    }

    pub(super) fn print_object(&self, context: &Context, object: &Value) -> anyhow::Result<()> {
        let text = match &self.format {
            Format::JsonPath(template) => template
                .print(object, |text| context.printer.foreign(text))
                .context("the JSONPath does not fit the pods")?,
            Format::Yaml => serde_yaml::to_string(object)?,
            _ => format!("{object:#}\n"),
        };
        context.printer.data(&text)?;
        Ok(())
    }

    /// A line for each pod; the first ones stand under a header.
    pub(super) fn lines<'a>(
        &self,
        context: &Context,
        table: &mut Growing,
        pods: impl Iterator<Item = (&'a v1::Pod, &'a [SeenContainer])>,
    ) -> String {
        let named = |prefix: &str, pod: &v1::Pod| format!("{prefix}{}\n", status::key(pod).name);
        match &self.format {
            _ if context.printer.is_quiet() => pods.map(|(pod, _)| named("", pod)).collect(),
            Format::Name => pods.map(|(pod, _)| named("pod/", pod)).collect(),
            _ => {
                let rows: Vec<_> = pods
                    .map(|(pod, of)| row(self, pod, of).with_age())
                    .collect();
                table.rows(&header(self), &rows)
            }
        }
    }

    /// By what it is known that a pod has changed, for those who read lines.
    pub(super) fn line_of(&self, pod: &v1::Pod, containers: &[SeenContainer]) -> String {
        row(self, pod, containers).without_age().join("\t")
    }

    pub(super) fn is_of_lines(&self) -> bool {
        !self.wants_objects()
    }
}

fn read(file: &std::path::Path) -> anyhow::Result<Template> {
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| UsageError(format!("failed to read the template {name}: {error}")))?;
    let template = text.parse::<Template>();
    Ok(template.map_err(|fault| UsageError(format!("the template {name}: {fault}")))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_written_as_for_kubectl() {
        assert_eq!(format("wide"), Ok(Format::Wide));
        assert!(matches!(format("jsonpath={.a}=b"), Ok(Format::JsonPath(_))));
        assert_eq!(
            format("jsonpath-file=a.txt"),
            Ok(Format::JsonPathFile("a.txt".into()))
        );
        for other in [
            "custom-columns=A:.a",
            "go-template={{.a}}",
            "jsonpath",
            "jsonpath-file=",
            "json=x",
            "",
        ] {
            assert!(format(other).is_err(), "{other}");
        }
        let fault = format("jsonpath={.a").expect_err("a fault");
        assert!(fault.contains("at character 1"), "{fault}");
    }
}
