//! Which objects a document holds: lists unpacked, kinds known and unknown, and what podctl does with each kind.
//!
//! Not here: what is inside an object (`walk`).

use super::path::Path;
use super::problem::{At, Faults, Place, Problem};
use super::suggest;
use super::tree::{Entry, Kind as NodeKind, Node};
use super::{LoadOptions, Purpose};

/// The kinds that podctl reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// What podctl runs.
    Pod,
    /// Text and bytes by key.
    ConfigMap,
    /// The same, kept from sight.
    Secret,
    /// A wish for storage.
    PersistentVolumeClaim,
    /// Storage.
    PersistentVolume,
    /// Pods of one template, replaced in turn.
    Deployment,
    /// Pods of one template.
    ReplicaSet,
    /// Pods with names and storage of their own.
    StatefulSet,
    /// A pod for each node.
    DaemonSet,
    /// Pods that are to end.
    Job,
    /// Jobs by the clock.
    CronJob,
    /// A name and address for pods.
    Service,
}

impl Kind {
    pub(super) const ALL: [Self; 12] = [
        Self::Pod,
        Self::ConfigMap,
        Self::Secret,
        Self::PersistentVolumeClaim,
        Self::PersistentVolume,
        Self::Deployment,
        Self::ReplicaSet,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::Job,
        Self::CronJob,
        Self::Service,
    ];

    /// The name of its type in the schema, which is what manifests call it too.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pod => "Pod",
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
            Self::PersistentVolume => "PersistentVolume",
            Self::Deployment => "Deployment",
            Self::ReplicaSet => "ReplicaSet",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
            Self::Service => "Service",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it makes pods from a template.
    #[must_use]
    pub fn is_workload(self) -> bool {
        matches!(
            self,
            Self::Deployment
                | Self::ReplicaSet
                | Self::StatefulSet
                | Self::DaemonSet
                | Self::Job
                | Self::CronJob
        )
    }

    /// Whether its objects stand in no namespace.
    #[must_use]
    pub fn is_cluster_wide(self) -> bool {
        self == Self::PersistentVolume
    }
}

/// An object of a kind that podctl reads, and its tree.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) kind: Kind,
    pub(super) node: Node,
}

/// The objects of one document that are to be read. What is to be said of the others is added to the problems.
pub(super) fn unpack(
    document: Node,
    options: &LoadOptions,
    place: &Place<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Object> {
    let mut objects = Vec::new();
    let mut left = vec![(document, None)];
    while let Some((node, default)) = left.pop() {
        let mut faults = Faults::default();
        match identify(&node, default, options, &mut faults) {
            Some(Identity::Object(kind)) => {
                problems.extend(faults.into_problems(&node, place));
                objects.push(Object { kind, node });
            }
            Some(Identity::List(of)) => match into_items(node) {
                // The last is popped first: the order stays that of the text.
                Ok(items) => left.extend(items.into_iter().rev().map(|n| (n, of))),
                Err(node) => {
                    let root = Path::Root;
                    faults.error(&root.field("items"), "must be a list of objects");
                    problems.extend(faults.into_problems(&node, place));
                }
            },
            None => problems.extend(faults.into_problems(&node, place)),
        }
    }
    objects
}

enum Identity {
    Object(Kind),
    /// A list, and the kind that its entries have when they do not say.
    List(Option<Kind>),
}

fn identify(
    node: &Node,
    default: Option<Kind>,
    options: &LoadOptions,
    faults: &mut Faults,
) -> Option<Identity> {
    let root = Path::Root;
    if !matches!(node.kind, NodeKind::Map(_)) {
        let message = format!("must be a Kubernetes object, not {}", node.what());
        faults.error(&root, message);
        return None;
    }
    if let Some(kind) = default
        && node.get("kind").is_none()
        && node.get("apiVersion").is_none()
    {
        return Some(Identity::Object(kind));
    }
    let kind = text_of(node, "kind", faults);
    let version = text_of(node, "apiVersion", faults);
    let (kind, version) = (kind?, version?);
    let here = root.field("kind");
    let Some(versions) = versions_of(kind) else {
        let message = format!("unknown kind {kind:?}: Kubernetes itself has none");
        let fault = faults.error(&here, message);
        fault.called("apiVersion");
        if let Some(near) = suggest::nearest(kind, KINDS.iter().map(|(name, _)| *name)) {
            fault.hint(format!("did you mean `{near}`?"));
        }
        return None;
    };
    if !versions.contains(&version) {
        let message = format!("there is no kind {kind} in {version:?}");
        faults
            .error(&root.field("apiVersion"), message)
            .hint(format!("it is in `{}`", versions.join("` and `")));
        return None;
    }
    if kind == "List" {
        return Some(Identity::List(None));
    }
    if let Some(of) = kind.strip_suffix("List") {
        return Some(Identity::List(Kind::parse(of)));
    }
    let Some(read) = Kind::parse(kind) else {
        unread(kind, options, faults);
        return None;
    };
    may_run(read, options, faults);
    Some(Identity::Object(read))
}

/// What makes pods is checked, and run as one pod where that is asked for.
fn may_run(kind: Kind, options: &LoadOptions, faults: &mut Faults) {
    if kind.is_workload() && options.purpose == Purpose::Run {
        let root = Path::Root;
        let message = format!("not supported yet: podctl does not run a {}", kind.name());
        faults
            .unsupported(&root.field("kind"), message)
            .hint("`--template` runs its pod template as one pod");
    }
}

/// A kind that Kubernetes has and podctl does not read.
fn unread(kind: &str, options: &LoadOptions, faults: &mut Faults) {
    let root = Path::Root;
    let here = root.field("kind");
    let is_run = matches!(options.purpose, Purpose::Run | Purpose::RunTemplates);
    let is_allowed = options.allow_ignored.iter().any(|allowed| allowed == kind);
    if kind == "NetworkPolicy" && !is_allowed {
        let message = "not supported: on a cluster a NetworkPolicy would protect the pod, and podctl does not carry it out";
        let hint = "`--allow-ignored NetworkPolicy` runs the pod without it";
        if is_run {
            faults.unsupported(&here, message).hint(hint);
        } else {
            faults.warning(&here, message).hint(hint);
        }
    } else if kind == "ReplicationController" && is_run {
        faults.unsupported(
            &here,
            "not supported: podctl does not run a ReplicationController",
        );
    } else {
        let message = format!("passed over: a {kind} has no meaning on one machine");
        faults.warning(&here, message).at(At::Value);
    }
}

/// The API versions that have a kind, or the lists of it.
fn versions_of(kind: &str) -> Option<&'static [&'static str]> {
    let find = |name: &str| KINDS.iter().find(|(n, _)| *n == name);
    find(kind)
        .or_else(|| find(kind.strip_suffix("List")?))
        .map(|(_, versions)| *versions)
}

fn text_of<'n>(node: &'n Node, field: &str, faults: &mut Faults) -> Option<&'n str> {
    let root = Path::Root;
    let path = root.field(field);
    match node.get(field).map(|n| &n.kind) {
        Some(NodeKind::Text(text)) if !text.is_empty() => Some(text),
        None | Some(NodeKind::Null | NodeKind::Text(_)) => {
            let fault = faults.error(&path, "required value: it is missing");
            if let Some(entry) = misspelt(node, field) {
                fault.at(At::Span(entry.key_span.clone()));
                fault.hint(format!(
                    "`{}` stands here: did you mean `{field}`?",
                    entry.key
                ));
            }
            None
        }
        Some(_) => {
            let what = node.get(field).map_or("nothing", Node::what);
            faults.error(&path, format!("must be text, not {what}"));
            None
        }
    }
}

/// The entry whose key is nearly the field's.
fn misspelt<'n>(node: &'n Node, field: &str) -> Option<&'n Entry> {
    let NodeKind::Map(entries) = &node.kind else {
        return None;
    };
    let keys = entries.iter().map(|entry| entry.key.as_str());
    let near = suggest::nearest(field, keys.filter(|key| *key != field))?;
    node.entry(near)
}

/// The entries of a list, or the list itself when it has none to give.
fn into_items(list: Node) -> Result<Vec<Node>, Node> {
    if !matches!(
        list.get("items").map(|n| &n.kind),
        Some(NodeKind::List(_) | NodeKind::Null)
    ) {
        return Err(list);
    }
    let NodeKind::Map(entries) = list.kind else {
        return Ok(Vec::new());
    };
    let items = entries.into_iter().find(|e| e.key == "items");
    Ok(match items.map(|e| e.value.kind) {
        Some(NodeKind::List(items)) => items,
        _ => Vec::new(),
    })
}

/// The kinds that Kubernetes itself has, and the versions of its API that have them.
const KINDS: &[(&str, &[&str])] = &[
    ("APIService", &["apiregistration.k8s.io/v1"]),
    ("Binding", &["v1"]),
    ("CSIDriver", &["storage.k8s.io/v1"]),
    ("CSINode", &["storage.k8s.io/v1"]),
    ("CSIStorageCapacity", &["storage.k8s.io/v1"]),
    ("CertificateSigningRequest", &["certificates.k8s.io/v1"]),
    ("ClusterRole", &["rbac.authorization.k8s.io/v1"]),
    ("ClusterRoleBinding", &["rbac.authorization.k8s.io/v1"]),
    ("ConfigMap", &["v1"]),
    ("ControllerRevision", &["apps/v1"]),
    ("CronJob", &["batch/v1"]),
    ("CustomResourceDefinition", &["apiextensions.k8s.io/v1"]),
    ("DaemonSet", &["apps/v1"]),
    ("Deployment", &["apps/v1"]),
    ("EndpointSlice", &["discovery.k8s.io/v1"]),
    ("Endpoints", &["v1"]),
    ("Event", &["v1", "events.k8s.io/v1"]),
    ("FlowSchema", &["flowcontrol.apiserver.k8s.io/v1"]),
    (
        "HorizontalPodAutoscaler",
        &["autoscaling/v2", "autoscaling/v1"],
    ),
    ("Ingress", &["networking.k8s.io/v1"]),
    ("IngressClass", &["networking.k8s.io/v1"]),
    ("Job", &["batch/v1"]),
    ("Lease", &["coordination.k8s.io/v1"]),
    ("LimitRange", &["v1"]),
    ("List", &["v1"]),
    (
        "MutatingWebhookConfiguration",
        &["admissionregistration.k8s.io/v1"],
    ),
    ("Namespace", &["v1"]),
    ("NetworkPolicy", &["networking.k8s.io/v1"]),
    ("Node", &["v1"]),
    ("PersistentVolume", &["v1"]),
    ("PersistentVolumeClaim", &["v1"]),
    ("Pod", &["v1"]),
    ("PodDisruptionBudget", &["policy/v1"]),
    ("PodTemplate", &["v1"]),
    ("PriorityClass", &["scheduling.k8s.io/v1"]),
    (
        "PriorityLevelConfiguration",
        &["flowcontrol.apiserver.k8s.io/v1"],
    ),
    ("ReplicaSet", &["apps/v1"]),
    ("ReplicationController", &["v1"]),
    ("ResourceClaim", &["resource.k8s.io/v1"]),
    ("ResourceClaimTemplate", &["resource.k8s.io/v1"]),
    ("ResourceQuota", &["v1"]),
    ("Role", &["rbac.authorization.k8s.io/v1"]),
    ("RoleBinding", &["rbac.authorization.k8s.io/v1"]),
    ("RuntimeClass", &["node.k8s.io/v1"]),
    ("Secret", &["v1"]),
    ("Service", &["v1"]),
    ("ServiceAccount", &["v1"]),
    ("StatefulSet", &["apps/v1"]),
    ("StorageClass", &["storage.k8s.io/v1"]),
    (
        "ValidatingAdmissionPolicy",
        &["admissionregistration.k8s.io/v1"],
    ),
    (
        "ValidatingAdmissionPolicyBinding",
        &["admissionregistration.k8s.io/v1"],
    ),
    (
        "ValidatingWebhookConfiguration",
        &["admissionregistration.k8s.io/v1"],
    ),
    ("VolumeAttachment", &["storage.k8s.io/v1"]),
];
