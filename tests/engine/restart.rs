//! What a container's end leads to, by its own rules and the pod's time.

use super::support::attached::{Attached, said};
use super::support::{Pod, eventually, podctl, run};
use shows::shows;

/// kubelet: NB-RULES-01, NB-RULES-02, NB-KUBELET-02.
#[shows("Container.restartPolicyRules")]
#[shows("ContainerRestartRule.action")]
#[shows("ContainerRestartRule.exitCodes")]
#[shows("ContainerRestartRuleOnExitCodes.operator")]
#[shows("ContainerRestartRuleOnExitCodes.values")]
#[test]
fn rules_decide_by_exit_code() {
    let pod = Pod::new("rules");
    // It ends with 42 once, and then with 1.
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  containers:
  - name: a
    image: busybox
    imagePullPolicy: IfNotPresent
    restartPolicy: Never
    restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}]
    command: [sh, -c, 'test -e /s/once && exit 1; touch /s/once; exit 42']
    volumeMounts: [{name: s, mountPath: /s}]
  volumes: [{name: s, emptyDir: {}}]
";
    let _attached = Attached::new(&pod, manifest, &[]);
    eventually("the pod is over", || said(&pod).contains("Over "));
    let out = run(podctl().args(["ps", "-a", "-o", "json"])).code(0).out;
    let list: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let items = list["items"].as_array().expect("items");
    let item = items
        .iter()
        .find(|item| item["metadata"]["name"] == pod.name.as_str());
    let status = &item.expect("the pod")["status"];
    let a = &status["containerStatuses"][0];
    assert_eq!(status["phase"], "Failed");
    assert_eq!(
        (&a["restartCount"], &a["state"]["terminated"]["exitCode"]),
        (&1.into(), &1.into())
    );
}

/// Its lines go on, and nobody takes the pod for one that has failed.
#[test]
fn a_pod_of_never_lives_on_where_a_rule_restarts() {
    let pod = Pod::new("rule-lives");
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  containers:
  - name: a
    image: busybox
    imagePullPolicy: IfNotPresent
    restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}]
    restartPolicy: Never
    command: [sh, -c, 'echo line >>/s/n; echo start $(cat /s/n | wc -l); test $(cat /s/n | wc -l) = 4 && exit 0; exit 42']
    volumeMounts: [{name: s, mountPath: /s}]
  volumes: [{name: s, emptyDir: {}}]
";
    let attached = Attached::new(&pod, manifest, &["--back-off", "1s"]);
    eventually("its first line is shown", || said(&pod).contains("start 1"));
    run(podctl().args(["wait", &pod.name, "--for=completed", "--timeout=30s"])).code(0);
    eventually("its last line is shown", || said(&pod).contains("start 4"));
    drop(attached);
}

/// kubelet: NB-POD-04.
#[shows("PodSpec.activeDeadlineSeconds")]
#[test]
fn a_pod_past_its_deadline_fails() {
    let pod = Pod::new("deadline");
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  activeDeadlineSeconds: 3
  terminationGracePeriodSeconds: 1
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}
";
    let _attached = Attached::new(&pod, manifest, &[]);
    eventually("the pod is over", || said(&pod).contains("Over "));
    run(podctl().args(["wait", &pod.name, "--for=completed"])).code(1);
    eventually("the reason is told", || {
        let out = run(podctl().args(["ps", "-a", "-o", "json"])).code(0).out;
        out.contains("DeadlineExceeded")
    });
}
