//! `describe`, `events` and `up --timings`: what a person is told of a pod.

use serde_json::Value;

use super::support::attached::{Attached, said};
use super::support::{Pod, eventually, podctl, run};

/// One container that is not ready, and one that crashes.
const TROUBLED: &str = "
apiVersion: v1
kind: Pod
metadata: {name: POD, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: a
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sleep, '3600']
    env: [{name: GREETING, value: hello}]
    readinessProbe: {exec: {command: [ls, /ready]}, periodSeconds: 1}
    volumeMounts: [{name: d, mountPath: /d}]
  - {name: bad, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'sleep 0.2; exit 3']}
  volumes: [{name: d, emptyDir: {}}]
";

#[test]
fn what_has_happened_is_told_by_who_stays_with_a_pod() {
    let pod = Pod::new("events");
    let _attached = Attached::new(&pod, TROUBLED, &[]);
    eventually("it crashes again", || {
        said(&pod).matches("/bad").count() >= 2
    });
    let events = |args: &[&str]| {
        run(podctl().args(["events", &pod.name]).args(args))
            .code(0)
            .out
    };
    for wanted in [
        "BackOff",
        "Unhealthy",
        "Readiness probe failed: ls: /ready",
        "Started",
        "(x",
    ] {
        eventually(wanted, || events(&[]).contains(wanted));
    }
    let warnings = events(&["--types", "Warning"]);
    assert!(
        warnings.contains("Unhealthy") && !warnings.contains("Normal"),
        "{warnings}"
    );
    let list: Value = serde_json::from_str(&events(&["-o", "json"])).expect("JSON");
    let is_unhealthy = |item: &&Value| item["reason"] == "Unhealthy";
    let unhealthy = list["items"]
        .as_array()
        .expect("a list")
        .iter()
        .find(is_unhealthy);
    let object = &unhealthy.expect("it is told")["involvedObject"];
    assert_eq!(object["name"], pod.name.as_str());
    assert_eq!(object["fieldPath"], "spec.containers{a}");
    let described = run(podctl().args(["describe", "pod", &pod.name]))
        .code(0)
        .out;
    for wanted in [
        "Labels:                    app=web",
        "CrashLoopBackOff",
        "Exit Code:    3",
        "Last Answer:  failure: ls: /ready: No such file or directory",
        "GREETING:  hello",
        "/d from d (rw)",
        "ContainersNotReady",
        "EmptyDir",
        "Unhealthy",
    ] {
        assert!(
            described.contains(wanted),
            "{wanted} is not in\n{described}"
        );
    }
}

#[test]
fn a_pod_that_nobody_stays_with_is_described_too() {
    let pod = Pod::new("described");
    let manifest = TROUBLED.replace("exit 3", "exec sleep 3600");
    pod.up(&manifest).code(0);
    let events = run(podctl().args(["events", &pod.name])).code(0).out;
    assert_eq!(events.matches("Started").count(), 2, "{events}");
    let described = run(podctl().args(["describe", &format!("pod/{}", pod.name)]));
    described.code(0);
    run(podctl().args(["stop", &pod.name])).code(0);
    let events = run(podctl().args(["events", &pod.name])).code(0).out;
    assert_eq!(events.matches("Killing").count(), 2, "{events}");
    assert!(!events.contains("POD"), "{events}");
    pod.down().code(0);
    for verb in ["describe", "events"] {
        run(podctl().args([verb, &pod.name]))
            .code(1)
            .says(&["there is no pod"]);
    }
}

#[test]
fn the_way_up_is_told_container_by_container() {
    let pod = Pod::new("timings");
    let manifest = TROUBLED
        .replace("ls, /ready", "ls, /")
        .replace("exit 3", "exec sleep 3600");
    let out = pod.up_with(&manifest, &["--wait", "--timings"]).code(0).out;
    let lines: Vec<Vec<&str>> = out
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        lines[0],
        [
            "CONTAINER",
            "CREATE",
            "START",
            "STARTED",
            "AT",
            "READY",
            "AT"
        ]
    );
    let names: Vec<&str> = lines[1..].iter().map(|line| line[0]).collect();
    assert_eq!(names, ["(pause)", "a", "bad"]);
    assert!(
        lines[1..]
            .iter()
            .all(|line| line.len() == 5 && line[4].ends_with('s')),
        "{out}"
    );
}
