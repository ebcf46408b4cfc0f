//! Text to spec, or every fault in it: each with its line and column, all in one run. Pure.
//!
//! The way: text -> trees that know their places (`yaml`, `builder`, `scalar`, `tree`) -> objects (`objects`) -> what a
//! cluster added is taken out (`strip`) -> one walk beside the types' schema (`walk`, `schema`, [`fields`]) -> the Kubernetes
//! types (`read`) -> rules (`validate`, `references`), and what podctl cannot do (`unsupported`, `named_ports`) -> `spec`
//! (`to_spec`).
//!
//! Not here: reading files (`commands`), printing problems (`output::report`).

mod builder;
pub mod explain;
pub mod fields;
mod named_ports;
mod objects;
mod path;
mod problem;
mod read;
mod references;
mod scalar;
mod schema;
mod strip;
mod suggest;
mod template;
mod to_spec;
mod tree;
mod unsupported;
mod validate;
mod walk;
mod yaml;

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use crate::spec::{Data, DataKind, DataRef, Desired, Payload, PodKey};
pub use objects::Kind;
use objects::Object;
use path::Path;
use problem::{Lines, Place};
pub use problem::{Problem, Severity};
use read::{Read, Typed};
use references::{Missing, There};
use tree::Node;

/// A text with a name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// As reports show it: a path, or `<stdin>`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// What is to be done with what is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// It is only checked: what is not in the files may be on a cluster.
    Check,
    /// Pods are run, and nothing that makes pods.
    #[default]
    Run,
    /// Pods are run, and of what makes pods one of each.
    RunTemplates,
    /// Pods are only named.
    Name,
}

/// How to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoadOptions {
    /// `-n`: the namespace of objects that name none; those that name another one are refused.
    pub namespace: Option<String>,
    /// What for.
    pub purpose: Purpose,
    /// `--allow-ignored`: kinds that may be passed over though that takes something away.
    pub allow_ignored: Vec<String>,
    /// What stands behind a `generateName`.
    pub generated: String,
    /// [`Pod::salt`](crate::spec::Pod::salt) of the pods.
    pub salt: String,
}

/// ConfigMaps and Secrets of all namespaces.
pub type Known = BTreeMap<(String, DataRef), Data>;

/// An object that was read and is sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace (that of a kind without one is empty) and name.
    pub key: PodKey,
}

/// What the sources hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// The pods, in the order of the sources.
    pub pods: Vec<Desired>,
    /// All objects, pods among them, in the order of the sources.
    pub objects: Vec<Named>,
    /// What is worth saying though nothing is refused.
    pub warnings: Vec<Problem>,
    /// Fields that are taken and have no effect, by the object's number in `objects`.
    pub without_effect: Vec<(usize, String)>,
}

/// Reads objects, and checks each and what they say of each other.
///
/// # Errors
/// All problems of all sources, warnings among them, when at least one is an error.
pub fn load(sources: &[Source], options: &LoadOptions) -> Result<Loaded, Vec<Problem>> {
    load_beside(sources, options, &Known::new())
}

/// The same beside ConfigMaps and Secrets that are known already: what is in the sources comes first.
///
/// # Errors
/// As [`load`].
pub fn load_beside(
    sources: &[Source],
    options: &LoadOptions,
    known: &Known,
) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut incomplete = false;
    let mut read = Vec::new();
    let lines: Vec<Lines> = sources.iter().map(|s| Lines::of(&s.text)).collect();
    for (index, (source, lines)) in sources.iter().zip(&lines).enumerate() {
        let place = Place {
            source: index,
            text: &source.text,
            lines,
        };
        let stream = yaml::read(&source.text);
        incomplete |= stream.incomplete;
        problems.extend(stream.faults.into_iter().map(|f| {
            let path = f.trail.to_string();
            place.problem_at(Severity::Error, f.span, path, f.message, f.hint)
        }));
        if stream.documents.is_empty() && !stream.incomplete {
            let message = "there is no object in it".to_owned();
            problems.push(place.problem_at(Severity::Error, 0..0, String::new(), message, None));
        }
        for document in stream.documents {
            for object in objects::unpack(document, options, &place, &mut problems) {
                read.extend(template::unfold(object, place, options));
            }
        }
    }
    let known = beside(&read, known);
    refer(&mut read, &known, incomplete, options.purpose);

    let mut loaded = Loaded::default();
    for one in read {
        let number = loaded.objects.len();
        loaded.pods.extend(one.desired(&known, &options.salt));
        let without_effect = one.without_effect.iter();
        loaded
            .without_effect
            .extend(without_effect.map(|path| (number, path.clone())));
        loaded.objects.push(Named {
            kind: one.kind,
            key: one.key.clone(),
        });
        problems.extend(one.faults.into_problems(&one.node, &one.place));
    }
    problems.sort_by_key(|p| (p.source, p.span.start, p.severity));
    problems.dedup();
    if problems.iter().any(Problem::is_error) {
        return Err(problems);
    }
    loaded.warnings = problems;
    Ok(loaded)
}

/// Reads again what a record keeps of a pod: its manifest, and what it refers to.
///
/// # Errors
/// When the manifest is none that [`load`] has given; the problems have no place.
pub fn load_recorded(manifest: &Value, payload: Payload) -> Result<Desired, Vec<Problem>> {
    let object = Object {
        kind: Kind::Pod,
        node: Node::from_value(manifest),
    };
    let lines = Lines::of("");
    let place = Place {
        source: 0,
        text: "",
        lines: &lines,
    };
    let read = Read::new(object, place, &LoadOptions::default());
    match read.desired(&Known::new(), "") {
        Some(desired) if !read.faults.has_errors() => Ok(Desired { payload, ..desired }),
        _ => Err(read.faults.into_problems(&read.node, &read.place)),
    }
}

/// The ConfigMaps and Secrets of the sources, over those that are known.
fn beside(read: &[Read<'_>], known: &Known) -> Known {
    let mut all = known.clone();
    for one in read {
        if let Typed::Data(kind, data) = &one.typed {
            let of = DataRef::new(*kind, one.key.name.clone());
            all.insert((one.key.namespace.clone(), of), data.clone());
        }
    }
    all
}

/// Checks what objects say of each other. Where a document could not be read, what is missing may be in it.
fn refer(read: &mut [Read<'_>], known: &Known, incomplete: bool, purpose: Purpose) {
    let mut there: BTreeMap<String, There> = BTreeMap::new();
    for ((namespace, of), data) in known {
        let of_namespace = there.entry(namespace.clone()).or_default();
        let kind = match of.kind {
            DataKind::ConfigMap => Kind::ConfigMap,
            DataKind::Secret => Kind::Secret,
        };
        of_namespace.add(kind, &of.name, data.clone());
    }
    for one in read.iter().filter(|one| matches!(one.typed, Typed::Claim)) {
        let of_namespace = there.entry(one.key.namespace.clone()).or_default();
        of_namespace.add(one.kind, &one.key.name, Data::default());
    }
    let none = There::default();
    let mut seen = HashSet::new();
    for one in read {
        let is_new = seen.insert((one.kind, one.key.clone()));
        if !one.key.name.is_empty() && !is_new {
            let root = Path::Root;
            let metadata = root.field("metadata");
            let message = format!(
                "duplicate value: another {} has the name {:?}",
                one.kind.name(),
                one.key.name
            );
            one.faults.error(&metadata.field("name"), message);
        }
        let missing = match purpose {
            Purpose::Name => Missing::Unsaid,
            _ if incomplete => Missing::Unsaid,
            Purpose::Check => Missing::Warned,
            Purpose::Run | Purpose::RunTemplates if one.kind == Kind::Pod => Missing::Refused,
            Purpose::Run | Purpose::RunTemplates => Missing::Unsaid,
        };
        let there = there.get(&one.key.namespace).unwrap_or(&none);
        one.check_references(there, missing);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
