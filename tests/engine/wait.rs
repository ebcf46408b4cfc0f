//! `wait`, and `up --wait`: until a pod is ready, or whose fault it is that it is not.

use std::process::Stdio;

use super::support::attached::{Attached, said};
use super::support::{Folder, Pod, eventually, podctl, podctl_itself, run};

/// Ready two seconds after its start; or never.
const SLOW: &str = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: a
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, 'echo warming up; sleep 2; touch /ready; exec sleep 3600']
    readinessProbe: {exec: {command: [ls, /ready]}, periodSeconds: 1}
  - {name: b, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}
";

#[test]
fn one_that_crashed_once_and_is_well_again_is_ready() {
    let pod = Pod::new("once");
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: a
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, 'test -e /s/once || { touch /s/once; sleep 3; exit 1; }; touch /ready; exec sleep 3600']
    readinessProbe: {exec: {command: [ls, /ready]}, periodSeconds: 1}
    volumeMounts: [{name: s, mountPath: /s}]
  volumes: [{name: s, emptyDir: {}}]
";
    for _ in 0..2 {
        pod.up_with(manifest, &["--wait", "--timeout", "60s"])
            .code(0);
    }
}

#[test]
fn up_waits_until_the_pod_is_ready() {
    let pod = Pod::new("ready");
    pod.up_with(SLOW, &["--wait"])
        .code(0)
        .says(&["Readiness probe failed"]);
    // What was told stays told.
    let out = run(podctl().args(["wait", &pod.name, "--timeout", "0"]))
        .code(0)
        .out;
    assert_eq!(out, format!("pod/{} condition met\n", pod.name));
}

#[test]
fn a_pod_that_does_not_become_ready_stays_and_its_culprit_is_told() {
    let pod = Pod::new("never");
    let manifest = SLOW.replace("touch /ready", "touch /other");
    pod.up_with(&manifest, &["--wait", "--timeout", "4s"])
        .code(4)
        .says(&[
            "is not ready",
            "/a: running, not ready",
            "readiness probe last said",
            "warming up",
        ]);
    assert_eq!(pod.ids("a").len(), 1);
}

#[test]
fn one_that_only_crashes_is_not_waited_for_to_the_end_of_time() {
    let pod = Pod::new("crashes");
    let manifest = SLOW.replace(
        "exec sleep 3600']\n    readiness",
        "exit 3']\n    readiness",
    );
    pod.up_with(&manifest.replace("touch /ready", "true"), &["--wait"])
        .code(1)
        .says(&["CrashLoopBackOff", "ended with the code 3", "warming up"]);
}

#[test]
fn one_waits_for_the_end_of_a_pod() {
    let pod = Pod::new("gone");
    pod.up(&SLOW.replace("sleep 2; ", ""))
        .code(0)
        .says(&["nobody asks its probes"]);
    let waiting = podctl_itself()
        .args(["wait", &pod.name, "--for=delete"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    pod.down().code(0);
    let waited = waiting.wait_with_output().expect("an end");
    assert!(waited.status.success());
    run(podctl().args(["wait", &pod.name]))
        .code(1)
        .says(&["there is no such pod"]);
}

#[test]
fn one_waits_for_a_field() {
    let pod = Pod::new("field");
    let manifest = SLOW
        .replace("spec:", "spec:\n  restartPolicy: Never")
        .replace("exec sleep 3600", "exit 0")
        .replace("command: [sleep, '3600']", "command: ['true']");
    pod.up(&manifest).code(0);
    let wait = |what: &str, time: &str| {
        run(podctl().args(["wait", &pod.name, "--for", what, "--timeout", time]))
    };
    let met = wait("jsonpath={.status.podIP}", "10s").code(0).out;
    assert_eq!(met, format!("pod/{} condition met\n", pod.name));
    wait("jsonpath={.status.phase}=Succeeded", "30s").code(0);
    wait("jsonpath={.status.phase}=Running", "30s")
        .code(1)
        .says(&["the pod has completed"]);
    wait("jsonpath={.status.containerStatuses}=x", "30s")
        .code(1)
        .says(&["a list or an object"]);
    wait("jsonpath={.status.phase", "1s")
        .code(2)
        .says(&["at character 1", "not closed"]);
}

#[test]
fn what_holds_the_others_up_is_told_when_time_is_up_and_the_pod_stays() {
    let pod = Pod::new("held");
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 0
  initContainers:
  - name: s
    image: busybox
    imagePullPolicy: IfNotPresent
    restartPolicy: Always
    command: [sleep, '1000']
    startupProbe: {exec: {command: [sh, -c, 'echo not yet; exit 1']}, periodSeconds: 1, failureThreshold: 100}
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '1000']}
";
    pod.up_with(manifest, &["--wait", "--timeout", "4s"])
        .code(4)
        .says(&["/s: running, not started", "not yet", "time is up"]);
    assert_eq!(pod.exec("s", &["true"]).code, 0);
}

#[test]
fn one_that_comes_up_at_the_second_try_has_come_up() {
    let pod = Pod::new("second");
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 0
  initContainers:
  - {name: i, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'test -f /v/i && exit 0; touch /v/i; exit 9'], volumeMounts: [{name: v, mountPath: /v}]}
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'test -f /v/a && exec sleep 1000; touch /v/a; exit 1'], volumeMounts: [{name: v, mountPath: /v}]}
  volumes: [{name: v, emptyDir: {}}]
";
    pod.up_with(manifest, &["--wait", "--timeout", "40s"])
        .code(0);
    assert_eq!(pod.sh("a", "ls /v"), "a\ni");
}

#[test]
fn two_that_keep_one_pod_agree_on_what_they_know() {
    let pod = Pod::new("agree");
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'sleep 2; exit 1']}
  - {name: b, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '1000'], readinessProbe: {exec: {command: ['true']}, periodSeconds: 1}}
";
    let mut first = Attached::new(&pod, manifest, &[]);
    eventually("the first is at work", || said(&pod).contains("Up  "));
    run(podctl().args(["wait", &pod.name, "--timeout", "30s"])).code(0);
    let other = Pod {
        name: pod.name.clone(),
        folder: Folder::new(),
    };
    let mut second = Attached::new(&other, manifest, &[]);
    let ready = || {
        let path = "jsonpath={.status.containerStatuses[1].ready}";
        run(podctl().args(["get", "pod", &pod.name, "-o", path])).out
    };
    eventually("the second is at work", || said(&other).contains("Up  "));
    // A crash of the other container, and its restart, happen meanwhile.
    let end = std::time::Instant::now() + std::time::Duration::from_secs(6);
    while std::time::Instant::now() < end {
        assert_eq!(ready(), "true");
    }
    assert_eq!(second.interrupt(), 130);
    first.interrupt();
    pod.assert_nothing_left();
}

#[test]
fn a_container_that_has_done_its_work_keeps_nobody_waiting_and_one_that_has_failed_for_good_neither()
 {
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  containers:
  - {name: job, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, exit CODE]}
  - {name: server, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}
";
    for code in [0, 1] {
        let pod = Pod::new("job");
        let file = pod.file(&manifest.replace("CODE", &code.to_string()));
        run(podctl().args(["up", "--wait", &file])).code(code);
    }
}
