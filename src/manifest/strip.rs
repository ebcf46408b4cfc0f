//! What a cluster adds to a pod that it runs, and that means nothing without it, is taken out before anything is checked:
//! the volume with the token of the service account, and its mounts.
//!
//! Not here: fields that a cluster writes, such as `status` (the field table).

use super::tree::{Kind as NodeKind, Node};

/// The name of the volume that a cluster injects begins so (API server: `serviceaccount.DefaultAPITokenMountPath`'s plugin).
const TOKEN_VOLUME: &str = "kube-api-access-";
const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// What `kubectl apply` notes for itself.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What a cluster tolerates for every pod (API server: `DefaultTolerationSeconds`).
const TOLERATED: [&str; 2] = [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
];

/// Takes the additions out of a Pod's tree; gives their paths.
pub(super) fn strip(kind: super::Kind, pod: &mut Node) -> Vec<String> {
    let mut taken = Vec::new();
    if kind != super::Kind::Pod {
        return taken;
    }
    if let Some(annotations) = pod
        .get_mut("metadata")
        .and_then(|m| m.get_mut("annotations"))
        && let NodeKind::Map(entries) = &mut annotations.kind
    {
        let n_before = entries.len();
        entries.retain(|e| e.key != LAST_APPLIED);
        if entries.len() < n_before {
            taken.push(format!("metadata.annotations[{LAST_APPLIED}]"));
        }
    }
    let Some(spec) = pod.get_mut("spec") else {
        return taken;
    };
    let mut volumes = Vec::new();
    retain(spec.get_mut("volumes"), |volume| {
        let name = volume.get("name").and_then(Node::text).unwrap_or_default();
        let injected = name.starts_with(TOKEN_VOLUME) && volume.get("projected").is_some();
        if injected {
            volumes.push(name.to_owned());
        }
        !injected
    });
    for list in ["initContainers", "containers"] {
        let Some(NodeKind::List(containers)) = spec.get_mut(list).map(|n| &mut n.kind) else {
            continue;
        };
        for container in containers {
            retain(container.get_mut("volumeMounts"), |mount| {
                let name = mount.get("name").and_then(Node::text).unwrap_or_default();
                let path = mount.get("mountPath").and_then(Node::text);
                path != Some(TOKEN_PATH) || !volumes.iter().any(|v| v == name)
            });
        }
    }
    let mut n_tolerations = 0;
    retain(spec.get_mut("tolerations"), |toleration| {
        let key = toleration
            .get("key")
            .and_then(Node::text)
            .unwrap_or_default();
        let added = TOLERATED.contains(&key) && toleration.get("tolerationSeconds").is_some();
        n_tolerations += usize::from(added);
        !added
    });
    if n_tolerations > 0 {
        taken.push("spec.tolerations".to_owned());
    }
    taken.extend(
        volumes
            .iter()
            .map(|v| format!("spec.volumes[{v}] and its mounts")),
    );
    taken
}

fn retain(list: Option<&mut Node>, keep: impl FnMut(&Node) -> bool) {
    if let Some(NodeKind::List(items)) = list.map(|n| &mut n.kind) {
        items.retain(keep);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::manifest::Kind;

    #[test]
    fn the_injected_token_goes_and_nothing_else() {
        let token = json!({"name": "kube-api-access-x7", "mountPath": TOKEN_PATH});
        let own = json!({"name": "data", "mountPath": "/data"});
        let mut node = Node::from_value(&json!({
            "metadata": {"annotations": {LAST_APPLIED: "{}", "mine": "1"}},
            "spec": {
                "containers": [{"volumeMounts": [own, token]}],
                "volumes": [{"name": "kube-api-access-x7", "projected": {}}, {"name": "data"}],
            },
        }));
        let names = strip(Kind::Pod, &mut node);
        assert_eq!(names.len(), 2);
        assert_eq!(
            node.to_value(),
            json!({
                "metadata": {"annotations": {"mine": "1"}},
                "spec": {
                    "containers": [{"volumeMounts": [own]}],
                    "volumes": [{"name": "data"}],
                },
            })
        );
    }

    #[test]
    fn a_volume_of_that_name_of_another_type_stays() {
        let value = json!({"spec": {"volumes": [{"name": "kube-api-access-x", "emptyDir": {}}]}});
        let mut node = Node::from_value(&value);
        assert!(strip(Kind::Pod, &mut node).is_empty());
        assert_eq!(node.to_value(), value);
    }
}
