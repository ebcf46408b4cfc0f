//! What podctl does with each field of the Kubernetes types: the one table, a row for every field of every type that is carried out.
//!
//! A row belongs to a type and a field, not to a path: a container's `image` means the same wherever a container stands.
//! What is inside a field that is not carried out needs no rows: its own row answers for all of it.
//!
//! Not here: the shape of the types (`schema`), the rules for their values (`validate`).

use Standing::{Honoured, NoEffect, NotYet, NotYetUnless, Refused, TakenOut};

/// What podctl does with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Carried out; the test that shows it, in `tests/engine`.
    Honoured(&'static str),
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

/// All rows: type, field, standing.
pub fn rows() -> impl Iterator<Item = (&'static str, &'static str, Standing)> {
    let of_type = |(of, rows): &(&'static str, Rows)| {
        let of = *of;
        rows.iter()
            .map(move |(field, standing)| (of, *field, *standing))
    };
    TABLE.iter().flat_map(of_type)
}

/// The standing of a field; `None`: the table has no row for it.
#[must_use]
pub fn standing(of: &str, field: &str) -> Option<Standing> {
    let (_, rows) = TABLE.iter().find(|(name, _)| *name == of)?;
    rows.iter()
        .find(|(name, _)| *name == field)
        .map(|(_, s)| *s)
}

type Rows = &'static [(&'static str, Standing)];

const FALSE: &[&str] = &["false"];
const EMPTY_TEXT: &[&str] = &["\"\""];
const EMPTY_MAP: &[&str] = &["{}"];

// Those of the tests that show many rows.
const OF_CONFIG_MAP: Standing = Honoured("volumes::a_config_map_has_its_bytes_items_and_modes");
const OF_SECRET: Standing = Honoured("volumes::a_secret_has_its_bytes_items_and_modes");
const OF_VARIABLES: Standing = Honoured("manifest::variables_come_from_config_maps_and_secrets");
const OF_PULLS: Standing = Honoured("pull::a_pods_own_login_is_used");

const TABLE: &[(&str, Rows)] = &[
    (
        "Pod",
        &[
            ("apiVersion", Honoured("examples::hello")),
            ("kind", Honoured("examples::hello")),
            ("metadata", Honoured("examples::hello")),
            ("spec", Honoured("examples::hello")),
            ("status", TakenOut),
        ],
    ),
    (
        "ConfigMap",
        &[
            ("apiVersion", OF_CONFIG_MAP),
            ("binaryData", OF_CONFIG_MAP),
            ("data", OF_CONFIG_MAP),
            ("immutable", NoEffect),
            ("kind", OF_CONFIG_MAP),
            ("metadata", OF_CONFIG_MAP),
        ],
    ),
    (
        "Secret",
        &[
            ("apiVersion", OF_SECRET),
            ("data", OF_SECRET),
            ("immutable", NoEffect),
            ("kind", OF_SECRET),
            ("metadata", OF_SECRET),
            ("stringData", OF_SECRET),
            ("type", OF_PULLS),
        ],
    ),
    (
        "ObjectMeta",
        &[
            (
                "annotations",
                Honoured("ps::json_has_what_was_asked_for_beside_what_there_is"),
            ),
            ("creationTimestamp", TakenOut),
            ("deletionGracePeriodSeconds", TakenOut),
            ("deletionTimestamp", TakenOut),
            ("finalizers", NoEffect),
            (
                "generateName",
                Honoured("manifest::a_name_is_made_up_where_the_manifest_asks_for_one"),
            ),
            ("generation", TakenOut),
            (
                "labels",
                Honoured("ps::json_has_what_was_asked_for_beside_what_there_is"),
            ),
            ("managedFields", TakenOut),
            (
                "name",
                Honoured("up::the_kubelets_labels_name_the_containers"),
            ),
            ("namespace", Honoured("ps::namespaces_keep_pods_apart")),
            ("ownerReferences", TakenOut),
            ("resourceVersion", TakenOut),
            ("selfLink", TakenOut),
            ("uid", TakenOut),
        ],
    ),
    (
        "PodSpec",
        &[
            (
                "activeDeadlineSeconds",
                Honoured("restart::a_pod_past_its_deadline_fails"),
            ),
            ("affinity", NoEffect),
            ("automountServiceAccountToken", NoEffect),
            ("containers", Honoured("examples::hello")),
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
            (
                "hostAliases",
                Honoured("up::host_aliases_and_the_pods_own_name_are_in_every_hosts_file"),
            ),
            ("hostIPC", NotYetUnless(FALSE)),
            ("hostNetwork", NotYetUnless(FALSE)),
            ("hostPID", NotYetUnless(FALSE)),
            ("hostUsers", NotYetUnless(&["true"])),
            (
                "hostname",
                Honoured("up::containers_share_network_ipc_pids_and_hostname"),
            ),
            ("hostnameOverride", NotYetUnless(EMPTY_TEXT)),
            ("imagePullSecrets", OF_PULLS),
            (
                "initContainers",
                Honoured("init::init_containers_run_one_after_the_other_before_the_app_starts"),
            ),
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
            (
                "restartPolicy",
                Honoured(
                    "change::a_container_that_has_ended_is_made_anew_where_the_policy_says_so",
                ),
            ),
            ("runtimeClassName", NotYetUnless(EMPTY_TEXT)),
            ("schedulerName", NoEffect),
            (
                "schedulingGates",
                Refused("nothing on one machine opens a gate: the pod would never start"),
            ),
            ("schedulingGroup", NotYet),
            (
                "securityContext",
                Honoured("up::user_limits_and_a_read_only_root_are_honoured"),
            ),
            ("serviceAccount", NoEffect),
            ("serviceAccountName", NoEffect),
            ("setHostnameAsFQDN", NotYetUnless(FALSE)),
            (
                "shareProcessNamespace",
                Honoured("up::without_a_shared_pid_namespace_each_container_is_pid_1"),
            ),
            (
                "subdomain",
                Honoured("up::the_subdomain_is_the_hosts_domain"),
            ),
            (
                "terminationGracePeriodSeconds",
                Honoured("down::a_deaf_container_is_killed_when_the_grace_period_is_over"),
            ),
            ("tolerations", NoEffect),
            ("topologySpreadConstraints", NoEffect),
            (
                "volumes",
                Honoured("volumes::an_empty_dir_is_shared_and_writable_for_all"),
            ),
        ],
    ),
    (
        "Container",
        &[
            (
                "args",
                Honoured("manifest::command_and_arguments_replace_the_images_own"),
            ),
            (
                "command",
                Honoured("manifest::command_and_arguments_replace_the_images_own"),
            ),
            (
                "env",
                Honoured("manifest::variables_see_what_stands_before_them"),
            ),
            ("envFrom", OF_VARIABLES),
            ("image", Honoured("examples::hello")),
            (
                "imagePullPolicy",
                Honoured("fails::a_missing_image_is_named_with_its_container"),
            ),
            ("lifecycle", Honoured("hooks::hooks_run_in_their_place")),
            (
                "livenessProbe",
                Honoured("probes::liveness_starts_a_container_again"),
            ),
            ("name", Honoured("examples::hello")),
            (
                "ports",
                Honoured("up::ports_are_published_as_the_manifest_and_the_flag_say"),
            ),
            (
                "readinessProbe",
                Honoured("probes::readiness_decides_whether_a_pod_is_ready"),
            ),
            ("resizePolicy", NoEffect),
            (
                "resources",
                Honoured("up::user_limits_and_a_read_only_root_are_honoured"),
            ),
            (
                "restartPolicy",
                Honoured("sidecars::a_startup_probe_gates_what_follows"),
            ),
            (
                "restartPolicyRules",
                Honoured("restart::rules_decide_by_exit_code"),
            ),
            (
                "securityContext",
                Honoured("up::user_limits_and_a_read_only_root_are_honoured"),
            ),
            (
                "startupProbe",
                Honoured("sidecars::a_startup_probe_gates_what_follows"),
            ),
            (
                "stdin",
                Honoured("manifest::a_terminal_and_an_open_input_are_given"),
            ),
            (
                "stdinOnce",
                Honoured("manifest::a_terminal_and_an_open_input_are_given"),
            ),
            (
                "terminationMessagePath",
                Honoured(
                    "termination::a_message_is_the_files_or_the_end_of_the_log_of_one_that_failed",
                ),
            ),
            (
                "terminationMessagePolicy",
                Honoured(
                    "termination::a_message_is_the_files_or_the_end_of_the_log_of_one_that_failed",
                ),
            ),
            (
                "tty",
                Honoured("manifest::a_terminal_and_an_open_input_are_given"),
            ),
            ("volumeDevices", NotYet),
            (
                "volumeMounts",
                Honoured("volumes::an_empty_dir_is_shared_and_writable_for_all"),
            ),
            (
                "workingDir",
                Honoured("manifest::command_and_arguments_replace_the_images_own"),
            ),
        ],
    ),
    (
        "ContainerPort",
        &[
            (
                "containerPort",
                Honoured("up::ports_are_published_as_the_manifest_and_the_flag_say"),
            ),
            (
                "hostIP",
                Honoured("up::ports_are_published_as_the_manifest_and_the_flag_say"),
            ),
            (
                "hostPort",
                Honoured("up::ports_are_published_as_the_manifest_and_the_flag_say"),
            ),
            (
                "name",
                Honoured("up::ports_are_published_as_the_manifest_and_the_flag_say"),
            ),
            (
                "protocol",
                Honoured("up::ports_are_published_as_the_manifest_and_the_flag_say"),
            ),
        ],
    ),
    (
        "Probe",
        &[
            (
                "exec",
                Honoured("probes::liveness_starts_a_container_again"),
            ),
            (
                "failureThreshold",
                Honoured("probes::liveness_starts_a_container_again"),
            ),
            (
                "grpc",
                Honoured("probes::a_grpc_server_is_asked_for_its_health"),
            ),
            (
                "httpGet",
                Honoured("probes::readiness_decides_whether_a_pod_is_ready"),
            ),
            (
                "initialDelaySeconds",
                Honoured("probes::readiness_decides_whether_a_pod_is_ready"),
            ),
            (
                "periodSeconds",
                Honoured("probes::readiness_decides_whether_a_pod_is_ready"),
            ),
            (
                "successThreshold",
                Honoured("probes::readiness_decides_whether_a_pod_is_ready"),
            ),
            (
                "tcpSocket",
                Honoured("probes::readiness_decides_whether_a_pod_is_ready"),
            ),
            (
                "terminationGracePeriodSeconds",
                Honoured("probes::liveness_starts_a_container_again"),
            ),
            (
                "timeoutSeconds",
                Honoured("probes::readiness_decides_whether_a_pod_is_ready"),
            ),
        ],
    ),
    (
        "Lifecycle",
        &[
            ("postStart", Honoured("hooks::hooks_run_in_their_place")),
            ("preStop", Honoured("hooks::hooks_run_in_their_place")),
            ("stopSignal", Honoured("hooks::a_stop_signal_is_sent")),
        ],
    ),
    (
        "LifecycleHandler",
        &[
            ("exec", Honoured("hooks::hooks_run_in_their_place")),
            ("httpGet", Honoured("hooks::hooks_run_in_their_place")),
            ("sleep", Honoured("hooks::hooks_run_in_their_place")),
            (
                "tcpSocket",
                Refused(
                    "Kubernetes has no hook that connects to a port: the kubelet would fail it",
                ),
            ),
        ],
    ),
    (
        "ExecAction",
        &[(
            "command",
            Honoured("probes::liveness_starts_a_container_again"),
        )],
    ),
    (
        "HTTPGetAction",
        &[
            (
                "host",
                Honoured("probes::readiness_decides_whether_a_pod_is_ready"),
            ),
            (
                "httpHeaders",
                Honoured("probes::readiness_decides_whether_a_pod_is_ready"),
            ),
            (
                "path",
                Honoured("probes::readiness_decides_whether_a_pod_is_ready"),
            ),
            (
                "port",
                Honoured("probes::readiness_decides_whether_a_pod_is_ready"),
            ),
            ("protocol", NotYetUnless(&["\"HTTP1\""])),
            (
                "scheme",
                Honoured("probes::readiness_decides_whether_a_pod_is_ready"),
            ),
        ],
    ),
    (
        "HTTPHeader",
        &[
            (
                "name",
                Honoured("probes::readiness_decides_whether_a_pod_is_ready"),
            ),
            (
                "value",
                Honoured("probes::readiness_decides_whether_a_pod_is_ready"),
            ),
        ],
    ),
    (
        "TCPSocketAction",
        &[
            (
                "host",
                Honoured("probes::readiness_decides_whether_a_pod_is_ready"),
            ),
            (
                "port",
                Honoured("probes::readiness_decides_whether_a_pod_is_ready"),
            ),
        ],
    ),
    (
        "GRPCAction",
        &[
            ("mode", NotYetUnless(&["\"Plaintext\""])),
            (
                "port",
                Honoured("probes::a_grpc_server_is_asked_for_its_health"),
            ),
            (
                "service",
                Honoured("probes::a_grpc_server_is_asked_for_its_health"),
            ),
        ],
    ),
    (
        "SleepAction",
        &[("seconds", Honoured("hooks::hooks_run_in_their_place"))],
    ),
    (
        "ContainerRestartRule",
        &[
            ("action", Honoured("restart::rules_decide_by_exit_code")),
            ("exitCodes", Honoured("restart::rules_decide_by_exit_code")),
        ],
    ),
    (
        "ContainerRestartRuleOnExitCodes",
        &[
            ("operator", Honoured("restart::rules_decide_by_exit_code")),
            ("values", Honoured("restart::rules_decide_by_exit_code")),
        ],
    ),
    (
        "EnvVar",
        &[
            (
                "name",
                Honoured("manifest::variables_see_what_stands_before_them"),
            ),
            (
                "value",
                Honoured("manifest::variables_see_what_stands_before_them"),
            ),
            ("valueFrom", OF_VARIABLES),
        ],
    ),
    (
        "EnvVarSource",
        &[
            ("configMapKeyRef", OF_VARIABLES),
            ("fieldRef", NotYet),
            ("fileKeyRef", NotYet),
            ("resourceFieldRef", NotYet),
            ("secretKeyRef", OF_VARIABLES),
        ],
    ),
    (
        "ConfigMapKeySelector",
        &[
            ("key", OF_VARIABLES),
            ("name", OF_VARIABLES),
            ("optional", OF_VARIABLES),
        ],
    ),
    (
        "SecretKeySelector",
        &[
            ("key", OF_VARIABLES),
            ("name", OF_VARIABLES),
            ("optional", OF_VARIABLES),
        ],
    ),
    (
        "EnvFromSource",
        &[
            ("configMapRef", OF_VARIABLES),
            ("prefix", OF_VARIABLES),
            ("secretRef", OF_VARIABLES),
        ],
    ),
    (
        "ConfigMapEnvSource",
        &[("name", OF_VARIABLES), ("optional", OF_VARIABLES)],
    ),
    (
        "SecretEnvSource",
        &[("name", OF_VARIABLES), ("optional", OF_VARIABLES)],
    ),
    (
        "VolumeMount",
        &[
            ("bindMountOptions", NotYet),
            (
                "mountPath",
                Honoured("volumes::an_empty_dir_is_shared_and_writable_for_all"),
            ),
            ("mountPropagation", NotYetUnless(&["\"\"", "\"None\""])),
            (
                "name",
                Honoured("volumes::an_empty_dir_is_shared_and_writable_for_all"),
            ),
            ("readOnly", Honoured("volumes::a_read_only_mount_is_one")),
            ("recursiveReadOnly", NotYetUnless(&["\"\"", "\"Disabled\""])),
            ("subPath", OF_CONFIG_MAP),
            ("subPathExpr", NotYetUnless(EMPTY_TEXT)),
        ],
    ),
    (
        "ResourceRequirements",
        &[
            ("claims", NotYet),
            (
                "limits",
                Honoured("up::user_limits_and_a_read_only_root_are_honoured"),
            ),
            (
                "requests",
                Honoured("up::user_limits_and_a_read_only_root_are_honoured"),
            ),
        ],
    ),
    (
        "SecurityContext",
        &[
            (
                "allowPrivilegeEscalation",
                Honoured("up::capabilities_are_those_of_the_manifest"),
            ),
            ("appArmorProfile", NotYet),
            (
                "capabilities",
                Honoured("up::capabilities_are_those_of_the_manifest"),
            ),
            (
                "privileged",
                Honoured("up::a_privileged_container_is_asked_for"),
            ),
            ("procMount", NotYetUnless(&["\"\"", "\"Default\""])),
            (
                "readOnlyRootFilesystem",
                Honoured("up::user_limits_and_a_read_only_root_are_honoured"),
            ),
            (
                "runAsGroup",
                Honoured("up::user_limits_and_a_read_only_root_are_honoured"),
            ),
            ("runAsNonRoot", NotYetUnless(FALSE)),
            (
                "runAsUser",
                Honoured("up::user_limits_and_a_read_only_root_are_honoured"),
            ),
            ("seLinuxOptions", NotYetUnless(EMPTY_MAP)),
            ("seccompProfile", NotYetUnless(EMPTY_MAP)),
            ("windowsOptions", NotYetUnless(EMPTY_MAP)),
        ],
    ),
    (
        "Capabilities",
        &[
            (
                "add",
                Honoured("up::capabilities_are_those_of_the_manifest"),
            ),
            (
                "drop",
                Honoured("up::capabilities_are_those_of_the_manifest"),
            ),
        ],
    ),
    (
        "PodSecurityContext",
        &[
            ("appArmorProfile", NotYet),
            ("fsGroup", NotYet),
            ("fsGroupChangePolicy", NotYet),
            (
                "runAsGroup",
                Honoured("up::user_limits_and_a_read_only_root_are_honoured"),
            ),
            ("runAsNonRoot", NotYetUnless(FALSE)),
            (
                "runAsUser",
                Honoured("up::user_limits_and_a_read_only_root_are_honoured"),
            ),
            ("seLinuxChangePolicy", NotYet),
            ("seLinuxOptions", NotYetUnless(EMPTY_MAP)),
            ("seccompProfile", NotYetUnless(EMPTY_MAP)),
            ("supplementalGroups", NotYet),
            ("supplementalGroupsPolicy", NotYet),
            ("sysctls", NotYet),
            ("windowsOptions", NotYetUnless(EMPTY_MAP)),
        ],
    ),
    (
        "HostAlias",
        &[
            (
                "hostnames",
                Honoured("up::host_aliases_and_the_pods_own_name_are_in_every_hosts_file"),
            ),
            (
                "ip",
                Honoured("up::host_aliases_and_the_pods_own_name_are_in_every_hosts_file"),
            ),
        ],
    ),
    (
        "Volume",
        &[
            ("awsElasticBlockStore", NotYet),
            ("azureDisk", NotYet),
            ("azureFile", NotYet),
            ("cephfs", NotYet),
            ("cinder", NotYet),
            ("configMap", OF_CONFIG_MAP),
            ("csi", NotYet),
            ("downwardAPI", NotYet),
            (
                "emptyDir",
                Honoured("volumes::an_empty_dir_is_shared_and_writable_for_all"),
            ),
            ("ephemeral", NotYet),
            ("fc", NotYet),
            ("flexVolume", NotYet),
            ("flocker", NotYet),
            ("gcePersistentDisk", NotYet),
            ("gitRepo", NotYet),
            ("glusterfs", NotYet),
            (
                "hostPath",
                Honoured("volumes::a_host_path_is_the_machines_and_is_made_where_it_may"),
            ),
            ("image", NotYet),
            ("iscsi", NotYet),
            (
                "name",
                Honoured("volumes::an_empty_dir_is_shared_and_writable_for_all"),
            ),
            ("nfs", NotYet),
            ("persistentVolumeClaim", NotYet),
            ("photonPersistentDisk", NotYet),
            ("portworxVolume", NotYet),
            ("projected", NotYet),
            ("quobyte", NotYet),
            ("rbd", NotYet),
            ("scaleIO", NotYet),
            ("secret", OF_SECRET),
            ("storageos", NotYet),
            ("vsphereVolume", NotYet),
        ],
    ),
    (
        "EmptyDirVolumeSource",
        &[
            (
                "medium",
                Honoured("volumes::an_empty_dir_is_shared_and_writable_for_all"),
            ),
            ("mode", NotYet),
            (
                "sizeLimit",
                Honoured("volumes::an_empty_dir_is_shared_and_writable_for_all"),
            ),
        ],
    ),
    (
        "HostPathVolumeSource",
        &[
            (
                "path",
                Honoured("volumes::a_host_path_is_of_the_kind_that_its_type_says"),
            ),
            (
                "type",
                Honoured("volumes::a_host_path_is_of_the_kind_that_its_type_says"),
            ),
        ],
    ),
    (
        "ConfigMapVolumeSource",
        &[
            ("defaultMode", OF_CONFIG_MAP),
            ("defaultUser", NotYet),
            ("items", OF_CONFIG_MAP),
            ("name", OF_CONFIG_MAP),
            ("optional", OF_CONFIG_MAP),
        ],
    ),
    (
        "SecretVolumeSource",
        &[
            ("defaultMode", OF_SECRET),
            ("defaultUser", NotYet),
            ("items", OF_SECRET),
            ("optional", OF_SECRET),
            ("secretName", OF_SECRET),
        ],
    ),
    ("LocalObjectReference", &[("name", OF_PULLS)]),
    (
        "KeyToPath",
        &[
            ("key", OF_CONFIG_MAP),
            ("mode", OF_CONFIG_MAP),
            ("path", OF_CONFIG_MAP),
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
        let mut left = ["Pod", "ConfigMap", "Secret"].map(str::to_owned).to_vec();
        let mut seen = BTreeSet::new();
        while let Some(name) = left.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            for (field, shape) in &schema().get(&name).fields {
                match standing(&name, field) {
                    None => panic!("no row for {name}.{field}"),
                    Some(Honoured(_)) => left.extend(object(shape).map(str::to_owned)),
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
