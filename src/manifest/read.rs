//! One object: from its tree to its type, with every fault in it.
//!
//! Not here: what objects say of each other (`references`).

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{
    self, ConfigMap, PersistentVolume, PersistentVolumeClaim, PodSpec, Secret, Service,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::named_ports::{self, Unknown};
use super::objects::{Kind, Object};
use super::path::Path;
use super::problem::{At, Faults, Place};
use super::references::{self, Missing, There};
use super::tree::Node;
use super::walk::{self, Walked};
use super::{Known, LoadOptions, strip, to_spec, unsupported, validate};
use crate::spec::{Data, DataKind, DataRef, Desired, Payload, PodKey};

/// An object that was read, with what is wrong with it so far.
pub(super) struct Read<'s> {
    pub(super) place: Place<'s>,
    pub(super) kind: Kind,
    pub(super) node: Node,
    pub(super) key: PodKey,
    pub(super) typed: Typed,
    pub(super) faults: Faults,
    /// Fields that are taken and do nothing here.
    pub(super) without_effect: Vec<String>,
}

/// What of an object is needed once it has been checked.
pub(super) enum Typed {
    Pod {
        pod: Box<v1::Pod>,
        manifest: Value,
    },
    Data(DataKind, Data),
    Claim,
    /// The pods that it makes, and where they stand in it.
    Workload(Box<PodSpec>, &'static [&'static str]),
    /// Nothing, or it is too broken for its type.
    Nothing,
}

const TEMPLATE: &[&str] = &["spec", "template", "spec"];
const JOB_TEMPLATE: &[&str] = &["spec", "jobTemplate", "spec", "template", "spec"];

impl<'s> Read<'s> {
    pub(super) fn new(object: Object, place: Place<'s>, options: &LoadOptions) -> Self {
        let Object { kind, mut node } = object;
        let mut faults = Faults::default();
        let added = strip::strip(kind, &mut node);
        let walked = walk::walk(&node, kind, place.text, &mut faults);
        taken_out(added, &walked, &mut faults);
        let Walked {
            mut value,
            taken_out,
            without_effect,
        } = walked;
        let key = name(kind, &mut value, options, &mut faults);
        let n_read = faults.end_reading();
        let mut typed = typed(kind, value, &mut faults).unwrap_or_else(|error| {
            // The walk has let something through that the type does not take.
            faults.error(&Path::Root, format!("cannot be read: {error}"));
            Typed::Nothing
        });
        if let Typed::Pod { manifest, .. } = &mut typed {
            taken_out
                .iter()
                .for_each(|(trail, _)| trail.remove(manifest));
        }
        faults.settle(n_read);
        Self {
            place,
            kind,
            node,
            key,
            typed,
            faults,
            without_effect,
        }
    }

    /// The pod in full, where this is one. Without meaning when the object has errors.
    pub(super) fn desired(&self, known: &Known, salt: &str) -> Option<Desired> {
        let Typed::Pod { pod, manifest } = &self.typed else {
            return None;
        };
        let mut pod = to_spec::pod(pod, self.key.clone());
        let namespace = &self.key.namespace;
        let found = |of: DataRef| {
            let data = known.get(&(namespace.clone(), of.clone()))?;
            Some((of, data.clone()))
        };
        let payload: Payload = pod.refers_to().filter_map(found).collect();
        // Where nothing is secret nothing is salted: the record keeps none either.
        if payload.keys().any(|of| of.kind == DataKind::Secret) {
            salt.clone_into(&mut pod.salt);
        }
        Some(Desired {
            pod,
            manifest: manifest.clone(),
            payload,
        })
    }

    /// Checks what it says of others.
    pub(super) fn check_references(&mut self, there: &There, missing: Missing) {
        let root = Path::Root;
        match &self.typed {
            Typed::Pod { pod, .. } => {
                if let Some(spec) = &pod.spec {
                    let path = root.field("spec");
                    references::check(spec, there, missing, &path, &mut self.faults);
                    named_ports::check(spec, Unknown::Refused, &path, &mut self.faults);
                }
            }
            Typed::Workload(spec, steps) => {
                let faults = &mut self.faults;
                within(&root, steps, &mut |path| {
                    references::check(spec, there, missing, path, faults);
                    named_ports::check(spec, Unknown::Warned, path, faults);
                });
            }
            _ => {}
        }
    }
}

/// Goes down into fields.
fn within(path: &Path<'_>, steps: &[&str], then: &mut dyn FnMut(&Path<'_>)) {
    match steps {
        [] => then(path),
        [first, rest @ ..] => within(&path.field(first), rest, then),
    }
}

/// The type's value, checked by its rules.
fn typed(kind: Kind, value: Value, faults: &mut Faults) -> serde_json::Result<Typed> {
    fn of<T: DeserializeOwned>(value: Value) -> serde_json::Result<Box<T>> {
        serde_json::from_value(value).map(Box::new)
    }
    let workload = |template: Option<&v1::PodTemplateSpec>, fields| {
        let spec = template.and_then(|template| template.spec.clone());
        Typed::Workload(Box::new(spec.unwrap_or_default()), fields)
    };
    Ok(match kind {
        Kind::Pod => {
            let pod = of::<v1::Pod>(value.clone())?;
            validate::pod(&pod, faults);
            unsupported::check(&pod, faults);
            Typed::Pod {
                pod,
                manifest: value,
            }
        }
        Kind::ConfigMap => {
            let map = of::<ConfigMap>(value)?;
            validate::config_map(&map, faults);
            Typed::Data(DataKind::ConfigMap, to_spec::config_map(*map))
        }
        Kind::Secret => {
            let secret = of::<Secret>(value)?;
            validate::secret(&secret, faults);
            Typed::Data(DataKind::Secret, to_spec::secret(*secret))
        }
        Kind::PersistentVolumeClaim => {
            validate::claim(of::<PersistentVolumeClaim>(value)?.as_ref(), faults);
            Typed::Claim
        }
        Kind::PersistentVolume => {
            validate::persistent_volume(of::<PersistentVolume>(value)?.as_ref(), faults);
            Typed::Nothing
        }
        Kind::Service => {
            validate::service(of::<Service>(value)?.as_ref(), faults);
            Typed::Nothing
        }
        Kind::Deployment => {
            let object = of::<Deployment>(value)?;
            validate::deployment(&object, faults);
            workload(Some(&object.spec.template), TEMPLATE)
        }
        Kind::ReplicaSet => {
            let object = of::<ReplicaSet>(value)?;
            validate::replica_set(&object, faults);
            let template = object.spec.template.as_ref();
            workload(template, TEMPLATE)
        }
        Kind::StatefulSet => {
            let object = of::<StatefulSet>(value)?;
            validate::stateful_set(&object, faults);
            workload(Some(&object.spec.template), TEMPLATE)
        }
        Kind::DaemonSet => {
            let object = of::<DaemonSet>(value)?;
            validate::daemon_set(&object, faults);
            workload(Some(&object.spec.template), TEMPLATE)
        }
        Kind::Job => {
            let object = of::<Job>(value)?;
            validate::job(&object, faults);
            workload(object.spec.as_ref().map(|spec| &spec.template), TEMPLATE)
        }
        Kind::CronJob => {
            let object = of::<CronJob>(value)?;
            validate::cron_job(&object, faults);
            let job = object.spec.job_template.spec.as_ref();
            workload(job.map(|job| &job.template), JOB_TEMPLATE)
        }
    })
}

/// Namespace and name; those that the command line gives are written into the value.
fn name(kind: Kind, value: &mut Value, options: &LoadOptions, faults: &mut Faults) -> PodKey {
    let metadata = &mut value["metadata"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (mut name, prefix) = (text(&metadata["name"]), text(&metadata["generateName"]));
    if name.is_empty() && !prefix.is_empty() && !options.generated.is_empty() {
        // API server: `maxGeneratedNameLength`.
        let prefix: String = prefix.chars().take(58).collect();
        name = format!("{prefix}{}", options.generated);
        metadata["name"] = Value::from(name.clone());
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.remove("generateName");
        }
    }
    if kind.is_cluster_wide() {
        return PodKey::new(String::new(), name);
    }
    let written = text(&metadata["namespace"]);
    let namespace = match options.namespace.as_deref() {
        Some(asked) if written.is_empty() => asked.to_owned(),
        Some(asked) => {
            if asked != written {
                let root = Path::Root;
                let metadata = root.field("metadata");
                let message = format!(
                    "the namespace {written:?} is not {asked:?}, which `--namespace` names"
                );
                faults.error(&metadata.field("namespace"), message);
            }
            written
        }
        None if written.is_empty() => PodKey::DEFAULT_NAMESPACE.to_owned(),
        None => written,
    };
    if kind == Kind::Pod {
        metadata["namespace"] = Value::from(namespace.clone());
    }
    PodKey::new(namespace, name)
}

/// One warning for all that was taken out of an object.
fn taken_out(added: Vec<String>, walked: &Walked, faults: &mut Faults) {
    let fields = &walked.taken_out;
    let mut names: Vec<String> = fields.iter().map(|(trail, _)| trail.to_string()).collect();
    names.extend(added);
    if names.is_empty() {
        return;
    }
    let message = format!("left out what a cluster had added: {}", names.join(", "));
    let fault = faults.warning(&Path::Root, message);
    if let Some((_, span)) = fields.first() {
        fault.at(At::Span(span.clone()));
    }
}
