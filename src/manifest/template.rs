//! `--template`: the pod that a Deployment or its like would make, as a pod of its own.
//!
//! Not here: checking what makes pods (`validate`), when it is asked for (`objects`).

use super::objects::{Kind, Object};
use super::problem::Place;
use super::read::Read;
use super::tree::{Entry, Kind as NodeKind, Node};
use super::{LoadOptions, Purpose};

/// The object, and, where that is asked for and it is sound, the pod of its template.
pub(super) fn unfold<'s>(object: Object, place: Place<'s>, options: &LoadOptions) -> Vec<Read<'s>> {
    let kind = object.kind;
    let wanted = matches!(options.purpose, Purpose::RunTemplates | Purpose::Name);
    let wanted = wanted && kind.is_workload();
    let pod = if wanted {
        pod(kind, &object.node)
    } else {
        None
    };
    let whole = Read::new(object, place, options);
    let pod = pod.filter(|_| !whole.faults.has_errors());
    let pod = pod.map(|node| {
        let kind = Kind::Pod;
        Read::new(Object { kind, node }, place, options)
    });
    std::iter::once(whole).chain(pod).collect()
}

/// Named after what would make it. Every part of it stands where it stood.
fn pod(kind: Kind, node: &Node) -> Option<Node> {
    let path: &[&str] = match kind {
        Kind::CronJob => &["spec", "jobTemplate", "spec", "template"],
        _ => &["spec", "template"],
    };
    let template = path.iter().try_fold(node, |node, field| node.get(field))?;
    let mut metadata = template
        .get("metadata")
        .cloned()
        .unwrap_or_else(|| empty(template));
    if let NodeKind::Map(entries) = &mut metadata.kind {
        entries
            .retain(|entry| !matches!(entry.key.as_str(), "name" | "namespace" | "generateName"));
        let own = ["name", "namespace", "generateName"];
        let own = own
            .iter()
            .filter_map(|field| node.get("metadata")?.entry(field));
        entries.extend(own.cloned());
    }
    let text = |key: &str, value: &str| {
        let span = node.span.clone();
        Entry {
            key: key.to_owned(),
            key_span: span.clone(),
            value: Node {
                span,
                kind: NodeKind::Text(value.to_owned()),
            },
        }
    };
    let mut entries = vec![text("apiVersion", "v1"), text("kind", "Pod")];
    entries.push(Entry {
        key: "metadata".to_owned(),
        key_span: metadata.span.clone(),
        value: metadata,
    });
    entries.extend(template.entry("spec").cloned());
    Some(Node {
        span: node.span.clone(),
        kind: NodeKind::Map(entries),
    })
}

fn empty(near: &Node) -> Node {
    Node {
        span: near.span.clone(),
        kind: NodeKind::Map(Vec::new()),
    }
}
