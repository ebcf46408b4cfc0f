//! The entry: the documents of all sources, each by its kind, and the references between them.
//!
//! Not here: the form (`schema`), the values (`check`).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::problem::{Problem, Report, Severity};
use super::schema::{SCHEMAS, Walk, nearest};
use super::yaml::{Node, Value, documents};
use super::{check, to_spec};
use crate::spec::{ConfigMap, Desired, PodKey, VolumeSource};

/// A text, and what it is called.
#[derive(Debug, Clone)]
pub struct Source {
    /// As messages name it: a path, or `<stdin>`.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// How to read.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// `--namespace`: that of objects that name none; one that names another is refused.
    pub namespace: Option<String>,
}

/// What the sources hold.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The pods, in the order of the sources.
    pub pods: Vec<Desired>,
    /// What is taken, but somebody should know.
    pub warnings: Vec<Problem>,
}

/// Kinds that Kubernetes has and podctl does not run yet.
const KNOWN_KINDS: &[&str] = &[
    "CronJob",
    "DaemonSet",
    "Deployment",
    "Ingress",
    "Job",
    "Namespace",
    "NetworkPolicy",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "ReplicaSet",
    "ReplicationController",
    "Secret",
    "Service",
    "ServiceAccount",
    "StatefulSet",
];

/// Fields that a cluster adds to what it stores.
const STRIPPED: &[&str] = &[
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
    "finalizers",
];

/// Reads every source, and finds every fault.
///
/// # Errors
/// All faults, in the order of the sources; warnings among them.
pub fn load(sources: &[Source], options: &LoadOptions) -> Result<Loaded, Vec<Problem>> {
    let mut loader = Loader {
        options,
        problems: Vec::new(),
        pods: Vec::new(),
        config_maps: BTreeMap::new(),
    };
    for (index, source) in sources.iter().enumerate() {
        let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
        let shift = source.text.len() - text.len();
        let (nodes, problems) = documents(index, text);
        let broken = !problems.is_empty();
        let first = loader.problems.len();
        loader.problems.extend(problems);
        for node in &nodes {
            loader.document(index, node);
        }
        if nodes.is_empty() && !broken {
            let message = "there is no object in it".to_owned();
            loader.problems.push(fault(index, 0..0, "", message));
        }
        for problem in &mut loader.problems[first..] {
            problem.span = problem.span.start + shift..problem.span.end + shift;
        }
    }
    loader.finish()
}

/// Reads a pod back from its record.
///
/// # Errors
/// When it does not read: the record is damaged, or a newer podctl's.
pub fn load_recorded(
    manifest: &Json,
    config_maps: BTreeMap<String, ConfigMap>,
) -> Result<Desired, String> {
    let pod: v1::Pod =
        serde_json::from_value(manifest.clone()).map_err(|error| error.to_string())?;
    let namespace = pod.metadata.namespace.clone().unwrap_or_default();
    let key = PodKey::new(namespace, pod.metadata.name.clone().unwrap_or_default());
    Ok(Desired {
        pod: to_spec::pod(&pod, key),
        manifest: manifest.clone(),
        config_maps,
    })
}

fn fault(source: usize, span: std::ops::Range<usize>, path: &str, message: String) -> Problem {
    Problem {
        severity: Severity::Error,
        source,
        span,
        path: path.to_owned(),
        message,
        hint: None,
    }
}

struct Loader<'a> {
    options: &'a LoadOptions,
    problems: Vec<Problem>,
    pods: Vec<(Desired, Report)>,
    config_maps: BTreeMap<PodKey, ConfigMap>,
}

impl Loader<'_> {
    fn document(&mut self, source: usize, node: &Node) {
        let kind_node = node.get("kind");
        let kind = kind_node.and_then(Node::text).unwrap_or_default();
        let version = node
            .get("apiVersion")
            .and_then(Node::text)
            .unwrap_or_default();
        if !matches!(node.value, Value::Map(_)) {
            let message = "a document must be a Kubernetes object: a map with apiVersion and kind";
            self.problems
                .push(fault(source, node.span.clone(), "", message.to_owned()));
            return;
        }
        let place = |field: &str| {
            node.get(field)
                .map_or_else(|| node.span.clone(), |n| n.span.clone())
        };
        match (version, kind) {
            (_, "") => {
                let message = "required value: the object has no kind".to_owned();
                self.problems
                    .push(fault(source, place("kind"), "kind", message));
            }
            ("v1", "Pod") => self.pod(source, node),
            ("v1", "ConfigMap") => self.config_map(source, node),
            ("v1", "List" | "PodList" | "ConfigMapList") => self.list(source, node, kind),
            (version, "Pod" | "ConfigMap" | "List" | "PodList" | "ConfigMapList") => {
                let message = format!("invalid value `{version}`: a {kind} has the apiVersion v1");
                self.problems
                    .push(fault(source, place("apiVersion"), "apiVersion", message));
            }
            (_, kind) if KNOWN_KINDS.contains(&kind) => {
                let message =
                    format!("not supported yet: podctl does not run objects of the kind {kind}");
                self.problems
                    .push(fault(source, place("kind"), "kind", message));
            }
            (_, kind) => {
                let known = KNOWN_KINDS.iter().copied().chain(["Pod", "ConfigMap"]);
                let hint = nearest(kind, known).map(|kind| format!("did you mean `{kind}`?"));
                let message = format!("unknown kind `{kind}`");
                let problem = fault(source, place("kind"), "kind", message);
                self.problems.push(Problem { hint, ..problem });
            }
        }
    }

    /// `kubectl get -o yaml` writes lists; their items of a PodList need not say their kind.
    fn list(&mut self, source: usize, node: &Node, kind: &str) {
        let Some(Value::List(items)) = node.get("items").map(|items| &items.value) else {
            return;
        };
        for item in items {
            match kind {
                "PodList" => self.pod(source, item),
                "ConfigMapList" => self.config_map(source, item),
                _ => self.document(source, item),
            }
        }
    }

    fn pod(&mut self, source: usize, node: &Node) {
        let mut report = Report::new(source, node.span.clone());
        let (mut manifest, typed) = read::<v1::Pod>(&mut report, node, SCHEMAS.pod(), true);
        stripped(&mut report, node);
        let Some(pod) = typed else {
            self.problems.append(&mut report.problems);
            return;
        };
        check::pod(&mut report, &pod);
        let key = self.key(
            &mut report,
            pod.metadata.namespace.as_deref(),
            pod.metadata.name.as_deref(),
        );
        if self.pods.iter().any(|(there, _)| there.pod.key == key) {
            report.error(
                "metadata.name",
                format!(
                    "duplicate value `{}`: the files have two pods of this name",
                    key.name
                ),
            );
        }
        manifest["metadata"]["namespace"] = json!(key.namespace);
        let desired = Desired {
            pod: to_spec::pod(&pod, key),
            manifest,
            config_maps: BTreeMap::new(),
        };
        self.pods.push((desired, report));
    }

    fn config_map(&mut self, source: usize, node: &Node) {
        let mut report = Report::new(source, node.span.clone());
        let (_, typed) = read::<v1::ConfigMap>(&mut report, node, SCHEMAS.config_map(), false);
        if let Some(map) = typed {
            check::config_map(&mut report, &map);
            let key = self.key(
                &mut report,
                map.metadata.namespace.as_deref(),
                map.metadata.name.as_deref(),
            );
            if self.config_maps.contains_key(&key) {
                let message = format!(
                    "duplicate value `{}`: the files have two ConfigMaps of this name",
                    key.name
                );
                report.error("metadata.name", message);
            }
            self.config_maps.insert(key, to_spec::config_map(map));
        }
        self.problems.append(&mut report.problems);
    }

    fn key(&self, report: &mut Report, namespace: Option<&str>, name: Option<&str>) -> PodKey {
        let wanted = self.options.namespace.as_deref();
        if let (Some(wanted), Some(own)) = (wanted, namespace.filter(|own| Some(*own) != wanted)) {
            let message = format!("invalid value `{own}`: `--namespace` says `{wanted}`");
            report.error("metadata.namespace", message);
        }
        let namespace = namespace.or(wanted).unwrap_or(PodKey::DEFAULT_NAMESPACE);
        PodKey::new(namespace, name.unwrap_or_default())
    }

    fn finish(mut self) -> Result<Loaded, Vec<Problem>> {
        let mut pods = Vec::new();
        for (mut desired, mut report) in std::mem::take(&mut self.pods) {
            self.references(&mut desired, &mut report);
            self.problems.append(&mut report.problems);
            pods.push(desired);
        }
        self.problems
            .sort_by_key(|problem| (problem.source, problem.span.start));
        if self
            .problems
            .iter()
            .any(|problem| problem.severity == Severity::Error)
        {
            return Err(self.problems);
        }
        Ok(Loaded {
            pods,
            warnings: self.problems,
        })
    }

    /// Brings the pod the ConfigMaps that it refers to.
    fn references(&self, desired: &mut Desired, report: &mut Report) {
        for (i, volume) in desired.pod.volumes.iter().enumerate() {
            let VolumeSource::ConfigMap(source) = &volume.source else {
                continue;
            };
            let path = format!("spec.volumes[{i}].configMap");
            let key = PodKey::new(desired.pod.key.namespace.clone(), source.name.clone());
            let Some(map) = self.config_maps.get(&key) else {
                if !source.optional && !source.name.is_empty() {
                    let hint = self.elsewhere(&key);
                    let message = format!(
                        "not found: the ConfigMap `{}` is not in the files given",
                        source.name
                    );
                    report.error_with(&format!("{path}.name"), message, hint);
                }
                continue;
            };
            for (j, item) in source.items.iter().flatten().enumerate() {
                if !map.data.contains_key(&item.key) && !source.optional {
                    let near = nearest(&item.key, map.data.keys().map(String::as_str));
                    let hint = near.map(|key| format!("did you mean `{key}`?"));
                    let message = format!(
                        "not found: the ConfigMap `{}` has no key `{}`",
                        source.name, item.key
                    );
                    report.error_with(&format!("{path}.items[{j}].key"), message, hint);
                }
            }
            desired.config_maps.insert(source.name.clone(), map.clone());
        }
    }

    /// Where a ConfigMap may be that is not where it is looked for.
    fn elsewhere(&self, key: &PodKey) -> Option<String> {
        let other = self.config_maps.keys().find(|other| other.name == key.name);
        if let Some(other) = other {
            return Some(format!(
                "there is one in the namespace `{}`, and the pod is in `{}`",
                other.namespace, key.namespace
            ));
        }
        let beside = self
            .config_maps
            .keys()
            .filter(|other| other.namespace == key.namespace);
        let near = nearest(&key.name, beside.map(|other| other.name.as_str()))?;
        Some(format!("did you mean `{near}`?"))
    }
}

/// The document as JSON and as its type; the report has what is wrong with its form.
fn read<T: DeserializeOwned>(
    report: &mut Report,
    node: &Node,
    schema: &Json,
    table: bool,
) -> (Json, Option<T>) {
    let mut walk = Walk {
        root: schema,
        report,
        table,
    };
    let mut json = walk.node(node, schema, "").unwrap_or_else(|| json!({}));
    if !json["metadata"].is_object() {
        json["metadata"] = json!({});
    }
    match serde_json::from_value(json.clone()) {
        Ok(typed) => (json, Some(typed)),
        Err(error) => {
            report.error("", error.to_string());
            (json, None)
        }
    }
}

/// One line about what a cluster had added.
fn stripped(report: &mut Report, node: &Node) {
    let meta = node.get("metadata");
    let of_meta = STRIPPED
        .iter()
        .filter(|field| meta.is_some_and(|meta| meta.get(field).is_some()));
    let mut fields: Vec<String> = of_meta.map(|field| format!("metadata.{field}")).collect();
    let node_name = node.get("spec").and_then(|spec| spec.get("nodeName"));
    fields.extend(node_name.map(|_| "spec.nodeName".to_owned()));
    fields.extend(
        node.get("status")
            .filter(|status| matches!(&status.value, Value::Map(m) if !m.is_empty()))
            .map(|_| "status".to_owned()),
    );
    fields.retain(|field| {
        field != "metadata.creationTimestamp"
            || meta
                .and_then(|m| m.get("creationTimestamp"))
                .is_some_and(|n| !n.is_null())
    });
    if !fields.is_empty() {
        report.warning(
            "",
            format!("left out what a cluster had added: {}", fields.join(", ")),
        );
    }
}
