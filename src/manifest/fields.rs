//! What podctl does with each field of the Kubernetes types: the one table, a row for every field of every type that is carried out.
//!
//! A row belongs to a type and a field, not to a path: a container's `image` means the same wherever a container stands.
//! What is inside a field that is not carried out needs no rows: its own row answers for all of it.
//!
//! Not here: the shape of the types (`schema`), the rules for their values (`validate`).

use Standing::{Honoured, NoEffect, NotYet, NotYetUnless, Refused, TakenOut};

/// What podctl does with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Carried out.
    Honoured,
    /// Accepted: on one machine it changes nothing.
    NoEffect,
    /// Valid, but not carried out: refused by name. Null and an empty list say nothing and are taken.
    NotYet,
    /// The same, save for these values (as JSON, without what is null or empty in them), which say no more than
    /// leaving the field out.
    NotYetUnless(&'static [&'static str]),
    /// Cannot be carried out: why.
    Refused(&'static str),
    /// What a cluster writes into its objects: taken out with a warning.
    TakenOut,
}

/// The standing of a field; `None`: the table has no row for it.
pub(super) fn standing(of: &str, field: &str) -> Option<Standing> {
    let (_, rows) = TABLE.iter().find(|(name, _)| *name == of)?;
    rows.iter()
        .find(|(name, _)| *name == field)
        .map(|(_, s)| *s)
}

type Rows = &'static [(&'static str, Standing)];

const FALSE: &[&str] = &["false"];
const EMPTY_TEXT: &[&str] = &["\"\""];
const EMPTY_MAP: &[&str] = &["{}"];

const TABLE: &[(&str, Rows)] = &[
    (
        "Pod",
        &[
            ("apiVersion", Honoured),
            ("kind", Honoured),
            ("metadata", Honoured),
            ("spec", Honoured),
            ("status", TakenOut),
        ],
    ),
    (
        "ConfigMap",
        &[
            ("apiVersion", Honoured),
            ("binaryData", Honoured),
            ("data", Honoured),
            ("immutable", NoEffect),
            ("kind", Honoured),
            ("metadata", Honoured),
        ],
    ),
    (
        "ObjectMeta",
        &[
            ("annotations", Honoured),
            ("creationTimestamp", TakenOut),
            ("deletionGracePeriodSeconds", TakenOut),
            ("deletionTimestamp", TakenOut),
            ("finalizers", NoEffect),
            ("generateName", Honoured),
            ("generation", TakenOut),
            ("labels", Honoured),
            ("managedFields", TakenOut),
            ("name", Honoured),
            ("namespace", Honoured),
            ("ownerReferences", TakenOut),
            ("resourceVersion", TakenOut),
            ("selfLink", TakenOut),
            ("uid", TakenOut),
        ],
    ),
    (
        "PodSpec",
        &[
            ("activeDeadlineSeconds", NotYet),
            ("affinity", NoEffect),
            ("automountServiceAccountToken", NoEffect),
            ("containers", Honoured),
            ("dnsConfig", NotYetUnless(EMPTY_MAP)),
            (
                "dnsPolicy",
                NotYetUnless(&[
                    "\"\"",
                    "\"ClusterFirst\"",
                    "\"ClusterFirstWithHostNet\"",
                    "\"Default\"",
                ]),
            ),
            ("enableServiceLinks", NoEffect),
            (
                "ephemeralContainers",
                Refused("they are added to a running pod, never written in a manifest"),
            ),
            ("evictionResponders", NotYet),
            ("hostAliases", Honoured),
            ("hostIPC", NotYetUnless(FALSE)),
            ("hostNetwork", NotYetUnless(FALSE)),
            ("hostPID", NotYetUnless(FALSE)),
            ("hostUsers", NotYetUnless(&["true"])),
            ("hostname", Honoured),
            ("hostnameOverride", NotYetUnless(EMPTY_TEXT)),
            ("imagePullSecrets", NotYet),
            ("initContainers", NotYet),
            ("nodeName", NoEffect),
            ("nodeSelector", NoEffect),
            ("os", NotYetUnless(&["{\"name\":\"linux\"}"])),
            ("overhead", NoEffect),
            ("preemptionPolicy", NoEffect),
            ("priority", NoEffect),
            ("priorityClassName", NoEffect),
            ("readinessGates", NotYet),
            ("resourceClaims", NotYet),
            ("resources", NotYetUnless(EMPTY_MAP)),
            ("restartPolicy", Honoured),
            ("runtimeClassName", NotYetUnless(EMPTY_TEXT)),
            ("schedulerName", NoEffect),
            (
                "schedulingGates",
                Refused("nothing on one machine opens a gate: the pod would never start"),
            ),
            ("schedulingGroup", NotYet),
            ("securityContext", Honoured),
            ("serviceAccount", NoEffect),
            ("serviceAccountName", NoEffect),
            ("setHostnameAsFQDN", NotYetUnless(FALSE)),
            ("shareProcessNamespace", Honoured),
            ("subdomain", Honoured),
            ("terminationGracePeriodSeconds", Honoured),
            ("tolerations", NoEffect),
            ("topologySpreadConstraints", NoEffect),
            ("volumes", Honoured),
        ],
    ),
    (
        "Container",
        &[
            ("args", Honoured),
            ("command", Honoured),
            ("env", Honoured),
            ("envFrom", NotYet),
            ("image", Honoured),
            ("imagePullPolicy", Honoured),
            ("lifecycle", NotYetUnless(EMPTY_MAP)),
            ("livenessProbe", NotYet),
            ("name", Honoured),
            ("ports", Honoured),
            ("readinessProbe", NotYet),
            ("resizePolicy", NoEffect),
            ("resources", Honoured),
            ("restartPolicy", NotYet),
            ("restartPolicyRules", NotYet),
            ("securityContext", Honoured),
            ("startupProbe", NotYet),
            ("stdin", Honoured),
            ("stdinOnce", Honoured),
            ("terminationMessagePath", NoEffect),
            ("terminationMessagePolicy", NoEffect),
            ("tty", Honoured),
            ("volumeDevices", NotYet),
            ("volumeMounts", Honoured),
            ("workingDir", Honoured),
        ],
    ),
    (
        "ContainerPort",
        &[
            ("containerPort", Honoured),
            ("hostIP", Honoured),
            ("hostPort", Honoured),
            ("name", Honoured),
            ("protocol", Honoured),
        ],
    ),
    (
        "EnvVar",
        &[
            ("name", Honoured),
            ("value", Honoured),
            ("valueFrom", NotYet),
        ],
    ),
    (
        "VolumeMount",
        &[
            ("bindMountOptions", NotYet),
            ("mountPath", Honoured),
            ("mountPropagation", NotYetUnless(&["\"\"", "\"None\""])),
            ("name", Honoured),
            ("readOnly", Honoured),
            ("recursiveReadOnly", NotYetUnless(&["\"\"", "\"Disabled\""])),
            ("subPath", Honoured),
            ("subPathExpr", NotYetUnless(EMPTY_TEXT)),
        ],
    ),
    (
        "ResourceRequirements",
        &[
            ("claims", NotYet),
            ("limits", Honoured),
            ("requests", Honoured),
        ],
    ),
    (
        "SecurityContext",
        &[
            ("allowPrivilegeEscalation", Honoured),
            ("appArmorProfile", NotYet),
            ("capabilities", Honoured),
            ("privileged", Honoured),
            ("procMount", NotYetUnless(&["\"\"", "\"Default\""])),
            ("readOnlyRootFilesystem", Honoured),
            ("runAsGroup", Honoured),
            ("runAsNonRoot", NotYetUnless(FALSE)),
            ("runAsUser", Honoured),
            ("seLinuxOptions", NotYetUnless(EMPTY_MAP)),
            ("seccompProfile", NotYetUnless(EMPTY_MAP)),
            ("windowsOptions", NotYetUnless(EMPTY_MAP)),
        ],
    ),
    ("Capabilities", &[("add", Honoured), ("drop", Honoured)]),
    (
        "PodSecurityContext",
        &[
            ("appArmorProfile", NotYet),
            ("fsGroup", NotYet),
            ("fsGroupChangePolicy", NotYet),
            ("runAsGroup", Honoured),
            ("runAsNonRoot", NotYetUnless(FALSE)),
            ("runAsUser", Honoured),
            ("seLinuxChangePolicy", NotYet),
            ("seLinuxOptions", NotYetUnless(EMPTY_MAP)),
            ("seccompProfile", NotYetUnless(EMPTY_MAP)),
            ("supplementalGroups", NotYet),
            ("supplementalGroupsPolicy", NotYet),
            ("sysctls", NotYet),
            ("windowsOptions", NotYetUnless(EMPTY_MAP)),
        ],
    ),
    ("HostAlias", &[("hostnames", Honoured), ("ip", Honoured)]),
    (
        "Volume",
        &[
            ("awsElasticBlockStore", NotYet),
            ("azureDisk", NotYet),
            ("azureFile", NotYet),
            ("cephfs", NotYet),
            ("cinder", NotYet),
            ("configMap", Honoured),
            ("csi", NotYet),
            ("downwardAPI", NotYet),
            ("emptyDir", Honoured),
            ("ephemeral", NotYet),
            ("fc", NotYet),
            ("flexVolume", NotYet),
            ("flocker", NotYet),
            ("gcePersistentDisk", NotYet),
            ("gitRepo", NotYet),
            ("glusterfs", NotYet),
            ("hostPath", Honoured),
            ("image", NotYet),
            ("iscsi", NotYet),
            ("name", Honoured),
            ("nfs", NotYet),
            ("persistentVolumeClaim", NotYet),
            ("photonPersistentDisk", NotYet),
            ("portworxVolume", NotYet),
            ("projected", NotYet),
            ("quobyte", NotYet),
            ("rbd", NotYet),
            ("scaleIO", NotYet),
            ("secret", NotYet),
            ("storageos", NotYet),
            ("vsphereVolume", NotYet),
        ],
    ),
    (
        "EmptyDirVolumeSource",
        &[
            ("medium", Honoured),
            ("mode", NotYet),
            ("sizeLimit", Honoured),
        ],
    ),
    (
        "HostPathVolumeSource",
        &[("path", Honoured), ("type", Honoured)],
    ),
    (
        "ConfigMapVolumeSource",
        &[
            ("defaultMode", Honoured),
            ("defaultUser", NotYet),
            ("items", Honoured),
            ("name", Honoured),
            ("optional", Honoured),
        ],
    ),
    (
        "KeyToPath",
        &[
            ("key", Honoured),
            ("mode", Honoured),
            ("path", Honoured),
            ("user", NotYet),
        ],
    ),
];

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::manifest::schema::{Shape, schema};

    /// The types inside a shape.
    fn object(shape: &Shape) -> Option<&str> {
        match shape {
            Shape::Object(name) => Some(name),
            Shape::List(of) | Shape::Map(of) => object(of),
            _ => None,
        }
    }

    #[test]
    fn every_field_that_is_reached_has_a_row() {
        let mut left = vec!["Pod".to_owned(), "ConfigMap".to_owned()];
        let mut seen = BTreeSet::new();
        while let Some(name) = left.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            for (field, shape) in &schema().get(&name).fields {
                match standing(&name, field) {
                    None => panic!("no row for {name}.{field}"),
                    Some(Honoured) => left.extend(object(shape).map(str::to_owned)),
                    Some(_) => {}
                }
            }
        }
        let rows: BTreeSet<String> = TABLE.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(rows, seen, "types with rows, and types that are reached");
    }

    #[test]
    fn every_row_has_a_field() {
        for (of, rows) in TABLE {
            let fields = &schema().get(of).fields;
            let mut names = BTreeSet::new();
            for (field, standing) in *rows {
                assert!(fields.contains_key(*field), "no field {of}.{field}");
                assert!(names.insert(field), "two rows for {of}.{field}");
                if let NotYetUnless(values) = standing {
                    for value in *values {
                        serde_json::from_str::<serde_json::Value>(value).unwrap();
                    }
                }
            }
        }
    }
}
