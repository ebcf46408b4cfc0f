//! One table of the fields of a pod: what podctl does with each. A test walks the schema and fails on a field without a row.
//!
//! Not here: what a field means.

/// What podctl does with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// It is carried out; so is what is in it, unless that has a row of its own.
    Honoured,
    /// It has no effect on one machine, and is accepted.
    NoEffect,
    /// A cluster writes it; it is taken out.
    Stripped,
    /// It is valid, and refused by name until it is carried out.
    NotYet,
    /// One machine cannot honour it; why.
    Refused(&'static str),
}

use Support::{Honoured, NoEffect, NotYet, Refused, Stripped};

/// Field by field; `[]` stands for any index. A field belongs to the longest row that it begins with.
pub const FIELDS: &[(&str, Support)] = &[
    ("apiVersion", Honoured),
    ("kind", Honoured),
    ("metadata", Honoured),
    ("metadata.annotations", Honoured),
    ("metadata.creationTimestamp", Stripped),
    ("metadata.deletionGracePeriodSeconds", Stripped),
    ("metadata.deletionTimestamp", Stripped),
    ("metadata.finalizers", Stripped),
    ("metadata.generateName", NotYet),
    ("metadata.generation", Stripped),
    ("metadata.labels", Honoured),
    ("metadata.managedFields", Stripped),
    ("metadata.name", Honoured),
    ("metadata.namespace", Honoured),
    ("metadata.ownerReferences", Stripped),
    ("metadata.resourceVersion", Stripped),
    ("metadata.selfLink", Stripped),
    ("metadata.uid", Stripped),
    ("status", Stripped),
    ("spec", Honoured),
    ("spec.activeDeadlineSeconds", NotYet),
    ("spec.affinity", NoEffect),
    ("spec.automountServiceAccountToken", NoEffect),
    ("spec.containers", Honoured),
    ("spec.dnsConfig", NotYet),
    ("spec.dnsPolicy", NoEffect),
    ("spec.enableServiceLinks", NoEffect),
    (
        "spec.ephemeralContainers",
        Refused("a manifest cannot bring ephemeral containers, on a cluster neither"),
    ),
    ("spec.evictionResponders", NoEffect),
    ("spec.hostAliases", Honoured),
    ("spec.hostIPC", NotYet),
    ("spec.hostNetwork", NotYet),
    ("spec.hostPID", NotYet),
    ("spec.hostUsers", NotYet),
    ("spec.hostname", Honoured),
    ("spec.hostnameOverride", NotYet),
    ("spec.imagePullSecrets", NotYet),
    ("spec.initContainers", NotYet),
    ("spec.nodeName", Stripped),
    ("spec.nodeSelector", NoEffect),
    ("spec.os", NotYet),
    ("spec.overhead", NoEffect),
    ("spec.preemptionPolicy", NoEffect),
    ("spec.priority", NoEffect),
    ("spec.priorityClassName", NoEffect),
    ("spec.readinessGates", NotYet),
    ("spec.resourceClaims", NotYet),
    ("spec.resources", NotYet),
    ("spec.restartPolicy", Honoured),
    ("spec.runtimeClassName", NotYet),
    ("spec.schedulerName", NoEffect),
    ("spec.schedulingGates", NotYet),
    ("spec.schedulingGroup", NoEffect),
    ("spec.securityContext", NotYet),
    ("spec.securityContext.runAsGroup", Honoured),
    ("spec.securityContext.runAsUser", Honoured),
    ("spec.serviceAccount", NoEffect),
    ("spec.serviceAccountName", NoEffect),
    ("spec.setHostnameAsFQDN", NotYet),
    ("spec.shareProcessNamespace", Honoured),
    ("spec.subdomain", Honoured),
    ("spec.terminationGracePeriodSeconds", Honoured),
    ("spec.tolerations", NoEffect),
    ("spec.topologySpreadConstraints", NoEffect),
    ("spec.volumes", Honoured),
    ("spec.containers[].args", Honoured),
    ("spec.containers[].command", Honoured),
    ("spec.containers[].env", Honoured),
    ("spec.containers[].env[].name", Honoured),
    ("spec.containers[].env[].value", Honoured),
    ("spec.containers[].env[].valueFrom", NotYet),
    ("spec.containers[].envFrom", NotYet),
    ("spec.containers[].image", Honoured),
    ("spec.containers[].imagePullPolicy", Honoured),
    ("spec.containers[].lifecycle", NotYet),
    ("spec.containers[].livenessProbe", NotYet),
    ("spec.containers[].name", Honoured),
    ("spec.containers[].ports", Honoured),
    ("spec.containers[].ports[].containerPort", Honoured),
    ("spec.containers[].ports[].hostIP", Honoured),
    ("spec.containers[].ports[].hostPort", Honoured),
    ("spec.containers[].ports[].name", Honoured),
    ("spec.containers[].ports[].protocol", Honoured),
    ("spec.containers[].readinessProbe", NotYet),
    ("spec.containers[].resizePolicy", NoEffect),
    ("spec.containers[].resources", NotYet),
    ("spec.containers[].resources.limits", Honoured),
    ("spec.containers[].resources.requests", Honoured),
    ("spec.containers[].restartPolicy", NotYet),
    ("spec.containers[].restartPolicyRules", NotYet),
    ("spec.containers[].securityContext", NotYet),
    (
        "spec.containers[].securityContext.allowPrivilegeEscalation",
        Honoured,
    ),
    ("spec.containers[].securityContext.capabilities", Honoured),
    ("spec.containers[].securityContext.privileged", Honoured),
    (
        "spec.containers[].securityContext.readOnlyRootFilesystem",
        Honoured,
    ),
    ("spec.containers[].securityContext.runAsGroup", Honoured),
    ("spec.containers[].securityContext.runAsUser", Honoured),
    ("spec.containers[].startupProbe", NotYet),
    ("spec.containers[].stdin", Honoured),
    ("spec.containers[].stdinOnce", Honoured),
    ("spec.containers[].terminationMessagePath", NoEffect),
    ("spec.containers[].terminationMessagePolicy", NoEffect),
    ("spec.containers[].tty", Honoured),
    ("spec.containers[].volumeDevices", NotYet),
    ("spec.containers[].volumeMounts", Honoured),
    ("spec.containers[].volumeMounts[].bindMountOptions", NotYet),
    ("spec.containers[].volumeMounts[].mountPath", Honoured),
    ("spec.containers[].volumeMounts[].mountPropagation", NotYet),
    ("spec.containers[].volumeMounts[].name", Honoured),
    ("spec.containers[].volumeMounts[].readOnly", Honoured),
    ("spec.containers[].volumeMounts[].recursiveReadOnly", NotYet),
    ("spec.containers[].volumeMounts[].subPath", Honoured),
    ("spec.containers[].volumeMounts[].subPathExpr", NotYet),
    ("spec.containers[].workingDir", Honoured),
    ("spec.volumes[].configMap.defaultUser", NotYet),
    ("spec.volumes[].configMap.items[].user", NotYet),
    ("spec.volumes[]", NotYet),
    ("spec.volumes[].configMap", Honoured),
    ("spec.volumes[].configMap.defaultMode", Honoured),
    ("spec.volumes[].configMap.items", Honoured),
    ("spec.volumes[].configMap.items[].key", Honoured),
    ("spec.volumes[].configMap.items[].mode", Honoured),
    ("spec.volumes[].configMap.items[].path", Honoured),
    ("spec.volumes[].configMap.name", Honoured),
    ("spec.volumes[].configMap.optional", Honoured),
    ("spec.volumes[].emptyDir", Honoured),
    ("spec.volumes[].emptyDir.medium", Honoured),
    ("spec.volumes[].emptyDir.mode", NotYet),
    ("spec.volumes[].emptyDir.sizeLimit", Honoured),
    ("spec.volumes[].hostPath", Honoured),
    ("spec.volumes[].hostPath.path", Honoured),
    ("spec.volumes[].hostPath.type", Honoured),
    ("spec.volumes[].name", Honoured),
];

/// What is done with the field at a path such as `spec.containers[0].image`.
#[must_use]
pub fn support(path: &str) -> Support {
    let general = general(path);
    let mut rest = general.as_str();
    loop {
        if let Some((_, support)) = FIELDS.iter().find(|(field, _)| *field == rest) {
            // A field that is refused as a whole is entered where a part of it is carried out.
            let has_parts = *support == NotYet
                && FIELDS.iter().any(|(field, part)| {
                    *part == Honoured
                        && field
                            .strip_prefix(rest)
                            .is_some_and(|part| part.starts_with('.'))
                });
            return if rest == general && has_parts {
                Honoured
            } else {
                *support
            };
        }
        match rest.rfind(['.', '[']) {
            Some(at) => rest = &rest[..at],
            None => return NotYet,
        }
    }
}

/// Indexes and keys as `[]`.
fn general(path: &str) -> String {
    let mut general = String::with_capacity(path.len());
    let mut inside = false;
    for c in path.chars() {
        match c {
            '[' => inside = true,
            ']' if inside => {
                general.push_str("[]");
                inside = false;
            }
            _ if inside => {}
            c => general.push(c),
        }
    }
    general
}

#[cfg(test)]
mod tests {
    use super::super::schema::SCHEMAS;
    use super::*;

    #[test]
    fn a_field_belongs_to_the_longest_row() {
        assert_eq!(support("spec.containers[3].image"), Honoured);
        assert_eq!(support("spec.containers[3].livenessProbe.exec"), NotYet);
        assert_eq!(support("spec.containers[3].securityContext"), Honoured);
        assert_eq!(
            support("spec.containers[3].securityContext.seLinuxOptions"),
            NotYet
        );
        assert_eq!(support("spec.volumes[0].nfs"), NotYet);
        assert_eq!(support("spec.volumes[0].configMap.items[0].path"), Honoured);
    }

    const TYPES: [(&str, &str); 9] = [
        ("PodSpec", "spec"),
        ("Container", "spec.containers[]"),
        ("ContainerPort", "spec.containers[].ports[]"),
        ("EnvVar", "spec.containers[].env[]"),
        ("VolumeMount", "spec.containers[].volumeMounts[]"),
        ("ConfigMapVolumeSource", "spec.volumes[].configMap"),
        ("KeyToPath", "spec.volumes[].configMap.items[]"),
        ("EmptyDirVolumeSource", "spec.volumes[].emptyDir"),
        ("HostPathVolumeSource", "spec.volumes[].hostPath"),
    ];

    fn fields(type_name: &str) -> Vec<String> {
        let schema = &SCHEMAS.pod()["$defs"][format!("io.k8s.api.core.v1.{type_name}")];
        schema["properties"]
            .as_object()
            .expect("fields")
            .keys()
            .cloned()
            .collect()
    }

    #[test]
    fn every_field_of_these_types_has_a_row() {
        for (type_name, prefix) in TYPES {
            for field in fields(type_name) {
                let path = format!("{prefix}.{field}");
                assert!(
                    FIELDS.iter().any(|(row, _)| *row == path),
                    "no row for {path}"
                );
            }
        }
    }

    #[test]
    fn every_row_of_these_types_has_a_field() {
        for (row, _) in FIELDS {
            for (type_name, prefix) in TYPES {
                let field = row
                    .strip_prefix(prefix)
                    .and_then(|rest| rest.strip_prefix('.'));
                let Some(field) = field.filter(|field| !field.contains(['.', '['])) else {
                    continue;
                };
                assert!(
                    fields(type_name).iter().any(|known| known == field),
                    "no field for {row}"
                );
            }
        }
    }
}
