//! Whole manifests through `load`.

use serde_json::json;

use super::*;
use crate::spec::lifecycle::Lifecycle;
use crate::spec::probe::Probes;
use crate::spec::volume::{EmptyDir, Medium};
use crate::spec::{Container, Pids, PullPolicy, RestartPolicy, VolumeSource};

fn source(text: &str) -> Source {
    Source {
        name: "pod.yaml".into(),
        text: text.into(),
    }
}

fn load_one(text: &str) -> Result<Loaded, Vec<Problem>> {
    load(&[source(text)], &LoadOptions::default())
}

fn good(text: &str) -> Loaded {
    load_one(text).unwrap_or_else(|problems| panic!("{text}\n{}", lines(&problems).join("\n")))
}

fn lines(problems: &[Problem]) -> Vec<String> {
    problems
        .iter()
        .map(|p| format!("{}:{} {}", p.line, p.column, p.title()))
        .collect()
}

/// The problems of a text, one a line.
fn check(text: &str, expected: &[&str]) {
    let problems = load_one(text).expect_err(text);
    assert_eq!(lines(&problems), expected, "{text}");
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\nspec:\n  containers:\n  - name: a\n    image: busybox\n";

#[test]
fn the_smallest_pod_gets_the_defaults_of_kubernetes() {
    let loaded = good(POD);
    let pod = &loaded.pods[0].pod;
    assert_eq!(pod.key, PodKey::new("default", "x"));
    assert_eq!(pod.hostname, "x");
    assert_eq!(pod.restart_policy, RestartPolicy::Always);
    assert_eq!(pod.grace_period, 30);
    assert_eq!(pod.pids, Pids::Unsaid);
    assert_eq!(pod.containers[0].pull, PullPolicy::Always);
    assert!(loaded.warnings.is_empty());
    assert_eq!(
        loaded.pods[0].manifest,
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": "default"},
            "spec": {"containers": [{"name": "a", "image": "busybox"}]},
        })
    );
}

#[test]
fn other_words_for_the_same_pod_give_the_same_pod() {
    let one = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n  - name: a\n    image: b:1\n    ports: [{containerPort: 80, hostPort: 8080}]\n    env: [{name: E, value: \"1\"}]\n  volumes:\n  - {name: v, emptyDir: {medium: Memory, sizeLimit: 64Mi}}\n";
    let other = "# another order, defaults written out\nkind: 'Pod'\napiVersion: \"v1\"\nspec:\n  restartPolicy: Always\n  dnsPolicy: ClusterFirst\n  hostNetwork: false\n  securityContext: {}\n  terminationGracePeriodSeconds: 30\n  volumes:\n  - emptyDir: {sizeLimit: 65536Ki, medium: Memory}\n    name: v\n  containers:\n  - image: b:1\n    imagePullPolicy: IfNotPresent\n    resources: {}\n    stdin: off\n    args: []\n    ports:\n    - {hostPort: 0x1f90, containerPort: 8e1, protocol: TCP}\n    env:\n    - value: '1'\n      name: E\n    name: a\nmetadata:\n  namespace: default\n  name: x\n";
    let (one, other) = (good(one), good(other));
    assert_eq!(one.pods[0].pod, other.pods[0].pod);
    assert_eq!(
        one.pods[0].pod.volumes[0].source,
        VolumeSource::EmptyDir(EmptyDir {
            medium: Medium::Memory,
            size_limit: Some(64 << 20),
        })
    );
}

#[test]
fn what_a_record_keeps_gives_the_same_pod_again() {
    let text = format!(
        "{POD}    volumeMounts: [{{name: c, mountPath: /c}}]\n  volumes: [{{name: c, configMap: {{name: m, defaultMode: 0400}}}}]\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m}}\ndata: {{a: b}}\nbinaryData: {{c: AAE=}}\n"
    );
    let options = LoadOptions {
        namespace: Some("ns".into()),
        ..LoadOptions::default()
    };
    let loaded = load(&[source(&text)], &options).unwrap();
    let desired = &loaded.pods[0];
    assert_eq!(desired.pod.key, PodKey::new("ns", "x"));
    let of = DataRef::new(DataKind::ConfigMap, "m");
    assert_eq!(desired.payload[&of].values["c"], [0, 1]);
    let kept = desired.payload.clone();
    assert_eq!(load_recorded(&desired.manifest, kept).as_ref(), Ok(desired));
}

#[test]
fn a_config_map_may_stand_in_another_file_but_not_in_another_namespace() {
    let pod = format!("{POD}  volumes: [{{name: c, configMap: {{name: m}}}}]\n");
    let map = |namespace| {
        source(&format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m, namespace: {namespace}}}\n"
        ))
    };
    let options = LoadOptions::default();
    assert!(load(&[source(&pod), map("default")], &options).is_ok());
    let problems = load(&[source(&pod), map("other")], &options).unwrap_err();
    assert_eq!(
        lines(&problems),
        ["9:41 spec.volumes[0].configMap.name: not found: no ConfigMap \"m\" in the files given"]
    );
}

#[test]
fn faults_of_the_walk_and_of_the_rules_come_together() {
    check(
        &format!(
            "{POD}    ports:\n    - containerPort: eighty\n      hostPort: 70000\n    - {{}}\n    imagePullPolcy: Always\n"
        ),
        &[
            "10:22 spec.containers[0].ports[0].containerPort: wrong type: must be an integer, but is the text \"eighty\"",
            "11:17 spec.containers[0].ports[0].hostPort: invalid value 70000: must be between 1 and 65535",
            "12:7 spec.containers[0].ports[1].containerPort: required value: a port between 1 and 65535",
            "13:5 spec.containers[0].imagePullPolcy: unknown field",
        ],
    );
}

#[test]
fn what_is_not_carried_out_is_refused_by_name() {
    check(
        &format!(
            "{POD}  readinessGates: [{{conditionType: s, x: 1}}]\n  hostNetwork: true\n  hostPID: false\n  securityContext: {{runAsUser: null}}\n  nodeSelector: {{a: b}}\n"
        ),
        &[
            "9:3 spec.readinessGates: not supported yet: podctl does not carry out `readinessGates`",
            "9:39 spec.readinessGates[0].x: unknown field",
            "10:3 spec.hostNetwork: not supported yet: podctl does not carry out `hostNetwork`",
        ],
    );
}

#[test]
fn an_empty_field_that_is_not_carried_out_is_refused_only_where_it_says_something() {
    good(&format!(
        "{POD}    lifecycle: {{}}\n    resources: {{limits: {{}}}}\n  resourceClaims: []\n  dnsConfig: {{}}\n  initContainers:\n"
    ));
    check(
        &format!("{POD}    livenessProbe: {{}}\n  volumes: [{{name: v, csi: {{}}}}]\n"),
        &[
            "9:20 spec.containers[0].livenessProbe: required value: what to do, such as httpGet or exec",
            "10:23 spec.volumes[0].csi: not supported yet: podctl does not carry out `csi`",
            "10:28 spec.volumes[0].csi.driver: required value: it must be said",
        ],
    );
}

#[test]
fn probes_hooks_and_restart_rules_are_read_and_what_is_not_carried_out_is_refused() {
    let loaded = good(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  os: {name: linux}\n  activeDeadlineSeconds: 600\n  initContainers:\n  - name: s\n    image: busybox\n    restartPolicy: Always\n    startupProbe: {grpc: {port: 9, mode: Plaintext}}\n  - {name: i, image: busybox, restartPolicy: Never}\n  containers:\n  - name: a\n    image: busybox\n    livenessProbe: {httpGet: {port: 80, protocol: HTTP1}}\n    readinessProbe: {tcpSocket: {port: 80}}\n    lifecycle: {stopSignal: SIGUSR1, preStop: {sleep: {seconds: 3}}, postStart: {exec: {command: [a]}}}\n    restartPolicy: Never\n    restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}]\n",
    );
    let pod = &loaded.pods[0].pod;
    assert_eq!(pod.active_deadline, Some(600));
    let of_each = |of: fn(&Container) -> bool| pod.members().map(of).collect::<Vec<_>>();
    assert_eq!(of_each(|c| c.sidecar), [true, false, false]);
    assert_eq!(
        of_each(|c| c.probes == Probes::default()),
        [false, true, false]
    );
    assert_eq!(
        of_each(|c| c.lifecycle == Lifecycle::default()),
        [true, true, false]
    );
    assert_eq!(
        of_each(|c| c.restarts.rules.is_empty()),
        [true, true, false]
    );
    check(
        &format!(
            "{POD}    livenessProbe: {{httpGet: {{port: 80, protocol: HTTP2}}}}\n    readinessProbe: {{grpc: {{port: 80, mode: TLS}}}}\n    lifecycle: {{preStop: {{tcpSocket: {{port: 80}}}}}}\n"
        ),
        &[
            "9:41 spec.containers[0].livenessProbe.httpGet.protocol: not supported yet: podctl does not carry out `protocol`",
            "10:39 spec.containers[0].readinessProbe.grpc.mode: not supported yet: podctl does not carry out `mode`",
            "11:27 spec.containers[0].lifecycle.preStop.tcpSocket: not supported: Kubernetes has no hook that connects to a port: the kubelet would fail it",
        ],
    );
}

#[test]
fn a_port_that_is_named_is_the_containers_own() {
    let text = format!(
        "{POD}    ports: [{{name: web, containerPort: 80}}]\n    livenessProbe: {{httpGet: {{port: web}}}}\n    readinessProbe: {{tcpSocket: {{port: wbe}}}}\n    lifecycle: {{preStop: {{httpGet: {{port: metrics}}}}}}\n"
    );
    let problems = load_one(&text).unwrap_err();
    assert_eq!(
        lines(&problems),
        [
            "11:40 spec.containers[0].readinessProbe.tcpSocket.port: not supported: the container has no port called \"wbe\", so that this would always fail",
            "12:43 spec.containers[0].lifecycle.preStop.httpGet.port: not supported: the container has no port called \"metrics\", so that this would always fail",
        ]
    );
    let hints: Vec<_> = problems.iter().map(|p| p.hint.as_deref()).collect();
    let number = "write its number, or name it in the container's `ports`";
    assert_eq!(hints, [Some("did you mean `web`?"), Some(number)]);

    // What is not run is only warned of.
    let template = text
        .split_once("spec:\n")
        .unwrap()
        .1
        .replace("\n  ", "\n      ");
    let deployment = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: x}}\nspec:\n  selector: {{matchLabels: {{a: b}}}}\n  template:\n    metadata: {{labels: {{a: b}}}}\n    spec:\n    {template}"
    );
    let options = LoadOptions {
        purpose: Purpose::Check,
        ..LoadOptions::default()
    };
    let loaded = load(&[source(&deployment)], &options)
        .unwrap_or_else(|problems| panic!("{deployment}\n{}", lines(&problems).join("\n")));
    assert_eq!(
        lines(&loaded.warnings),
        [
            "14:44 spec.template.spec.containers[0].readinessProbe.tcpSocket.port: the container has no port called \"wbe\"",
            "15:47 spec.template.spec.containers[0].lifecycle.preStop.httpGet.port: the container has no port called \"metrics\"",
        ]
    );
}

#[test]
fn what_a_cluster_wrote_is_taken_out_with_one_warning() {
    let loaded = good(
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: x\n    uid: u\n    creationTimestamp: null\n  spec:\n    containers:\n    - {name: a, image: b, volumeMounts: [{name: kube-api-access-x, mountPath: /var/run/secrets/kubernetes.io/serviceaccount}]}\n    volumes: [{name: kube-api-access-x, projected: {sources: []}}]\n  status: {phase: Running}\n",
    );
    assert_eq!(
        lines(&loaded.warnings),
        [
            "8:5 left out what a cluster had added: metadata.uid, status, spec.volumes[kube-api-access-x] and its mounts"
        ]
    );
    assert_eq!(
        loaded.pods[0].manifest["metadata"],
        json!({"name": "x", "namespace": "default"})
    );
    assert!(loaded.pods[0].pod.volumes.is_empty());
}

#[test]
fn memory_in_thousandths_is_refused_with_what_was_meant() {
    let text = format!("{POD}  volumes: [{{name: v, emptyDir: {{sizeLimit: 128m}}}}]\n");
    let problems = load_one(&text).unwrap_err();
    assert_eq!(
        lines(&problems),
        ["9:45 spec.volumes[0].emptyDir.sizeLimit: not supported: \"128m\" is less than one byte"]
    );
    assert!(problems[0].hint.as_ref().unwrap().contains("128Mi"));
}

#[test]
fn a_relative_host_path_is_refused_with_the_absolute_one() {
    let text = format!("{POD}  volumes: [{{name: v, hostPath: {{path: ./html}}}}]\n");
    let problems = load_one(&text).unwrap_err();
    assert_eq!(problems[0].path, "spec.volumes[0].hostPath.path");
    assert!(
        problems[0]
            .hint
            .as_ref()
            .unwrap()
            .contains("/the/folder/html")
    );
}

#[test]
fn a_second_variable_of_one_name_is_a_warning() {
    let loaded = good(&format!(
        "{POD}    env: [{{name: MODE, value: a}}, {{name: B}}, {{name: MODE, value: c}}]\n"
    ));
    assert_eq!(
        lines(&loaded.warnings),
        ["9:46 spec.containers[0].env[2]: hides an earlier `MODE`"]
    );
    assert_eq!(loaded.pods[0].pod.containers[0].env.len(), 3);
}

#[test]
fn references_must_be_there_unless_optional() {
    let map = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {key: x}\n";
    check(
        &format!(
            "{POD}    volumeMounts: [{{name: nowhere, mountPath: /x}}]\n  volumes: [{{name: c, configMap: {{name: m, items: [{{key: kye, path: p}}]}}}}]\n{map}"
        ),
        &[
            "9:27 spec.containers[0].volumeMounts[0].name: not found: \"nowhere\" is not in spec.volumes",
            "10:58 spec.volumes[0].configMap.items[0].key: not found: the ConfigMap \"m\" has no key \"kye\"",
        ],
    );
    good(&format!(
        "{POD}  volumes: [{{name: c, configMap: {{name: none, optional: true}}}}]\n"
    ));
}

#[test]
fn two_objects_of_one_name_are_refused() {
    check(
        &format!("{POD}---\n{POD}"),
        &["13:9 metadata.name: duplicate value: another Pod has the name \"x\""],
    );
}

#[test]
fn a_source_without_objects_is_refused() {
    check("# nothing\n---\n", &["1:1 there is no object in it"]);
}

#[test]
fn fields_that_are_not_carried_out_yet_are_checked_all_the_same() {
    let text = format!(
        "{POD}    resources: {{limits: {{memory: 64Mi, cpu: -1}}, requests: {{memory: 1Gi}}}}\n    securityContext: {{runAsUser: -1, privileged: true, allowPrivilegeEscalation: false}}\n  dnsPolicy: None\n  dnsConfig: {{searches: [Upper]}}\n"
    );
    let problems = load_one(&text).unwrap_err();
    let rules: Vec<String> = problems
        .iter()
        .filter(|p| !p.message.contains("not supported yet"))
        .map(Problem::title)
        .collect();
    assert_eq!(
        rules,
        [
            "spec.containers[0].resources.limits[cpu]: invalid value \"-1\": must not be below zero",
            "spec.containers[0].resources.requests[cpu]: invalid value \"-1\": must not be below zero",
            "spec.containers[0].resources.requests: invalid value \"1Gi\": must not be above the memory limit of 64Mi",
            "spec.containers[0].securityContext: invalid value {...}: `allowPrivilegeEscalation: false` contradicts `privileged: true`",
            "spec.containers[0].securityContext.runAsUser: invalid value -1: must be between 0 and 2147483647",
            "spec.dnsConfig.nameservers: required value: `dnsPolicy: None` needs at least one server",
            "spec.dnsConfig.searches[0]: invalid value \"Upper\": must be lower case letters, digits, `-` and `.`, and each part begin and end with a letter or digit",
        ]
    );
}

#[test]
fn paths_inside_volumes_are_cleaned() {
    let loaded = good(&format!(
        "{POD}    volumeMounts: [{{name: v, mountPath: data, subPath: a/./b/}}, {{name: v, mountPath: /d, subPath: .}}]\n  volumes: [{{name: v}}]\n"
    ));
    let mounts = &loaded.pods[0].pod.containers[0].mounts;
    assert_eq!(
        (mounts[0].path.as_str(), mounts[0].sub_path.as_str()),
        ("/data", "a/b")
    );
    assert_eq!(mounts[1].sub_path, "");
}

/// A pod with a field of every kind of shape, and its ConfigMap.
const RICH: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n  labels: &l {app: web, 'n': \"1\"}\nspec:\n  hostAliases: [{ip: 10.0.0.1, hostnames: [db]}]\n  containers:\n  - name: a\n    image: busybox\n    command: [sh, -c, 'echo $(A)']\n    env:\n    - {name: A, value: |-\n       b}\n    ports:\n    - containerPort: 80\n      hostPort: 0x1f90\n    volumeMounts:\n    - {name: c, mountPath: /c, subPath: s/t}\n  volumes:\n  - name: c\n    configMap:\n      name: m\n      defaultMode: 0400\n      items: [{key: k, path: s/t}]\n  - name: e\n    emptyDir: {medium: Memory, sizeLimit: 1.5Mi}\n---\n# its data\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, labels: {app: web}}\ndata:\n  k: \"v\\u00e9\"\nbinaryData: {b: !!str AAE=}\n";

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(512))]

    #[test]
    fn a_spoilt_manifest_is_taken_or_refused_at_a_place_in_it(
        from in 0..RICH.len(),
        n_removed in 0..20_usize,
        inserted in "[a-z0-9 :{}\\[\\]&*!|>'\"#,\n\t\u{1b}\u{feff}\u{fc}-]{0,6}",
    ) {
        let from = RICH.floor_char_boundary(from);
        let to = RICH.floor_char_boundary((from + n_removed).min(RICH.len()));
        let text = format!("{}{inserted}{}", &RICH[..from], &RICH[to.max(from)..]);
        let problems = load_one(&text).map_or_else(|p| p, |l| l.warnings);
        for problem in &problems {
            assert!(text.get(problem.span.clone()).is_some(), "{problem:?}");
            assert!(problem.line <= text.lines().count() + 1, "{problem:?}");
        }
    }
}
