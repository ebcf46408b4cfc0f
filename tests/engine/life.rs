//! What people who run pods on one machine stumble over in a pod's life, and what is right then.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::support::attached::{Attached, said};
use super::support::{Pod, docker, eventually, podctl, run};

/// A nightly `docker container prune`.
#[test]
fn an_init_container_that_was_removed_is_not_missed() {
    let pod = Pod::new("pruned");
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 1
  initContainers:
  - {name: prepare, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'echo once >>/box/runs'], volumeMounts: [{name: work, mountPath: /box}]}
  containers:
  - {name: app, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600'], volumeMounts: [{name: work, mountPath: /box}]}
  volumes: [{name: work, emptyDir: {}}]
";
    pod.up(manifest).code(0);
    docker(&["rm", &pod.id("prepare")]);
    pod.up(manifest).code(0).says(&["unchanged"]);
    assert_eq!(pod.sh("app", "cat /box/runs"), "once");
    let mut attached = Attached::new(&pod, manifest, &[]);
    eventually("it is kept alive", || said(&pod).contains("Up "));
    assert_eq!(pod.sh("app", "cat /box/runs"), "once");
    attached.interrupt();
    pod.assert_nothing_left();
}

/// A probe's command is a list of arguments, and no line of a shell.
#[test]
fn a_probes_command_gets_its_arguments_as_they_stand() {
    let pod = Pod::new("argv");
    let manifest = r#"
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sleep, "3600"]
    readinessProbe:
      exec: {command: [sh, -c, 'for a; do printf "[%s] " "$a"; done >/tmp/args', sh, "a b", '"quoted"', "$HOME", "", "*"]}
      periodSeconds: 1
"#;
    pod.up_with(manifest, &["--wait", "--timeout", "30s"])
        .code(0);
    let args = pod.sh("app", "cat /tmp/args");
    assert_eq!(args.trim_end(), r#"[a b] ["quoted"] [$HOME] [] [*]"#);
}

/// Under the kubelet a container that ends well is started again too, unless the manifest says otherwise.
#[test]
fn one_that_ends_well_is_started_again_and_counted() {
    let pod = Pod::new("ends-well");
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: ends, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'echo run >>/box/runs; sleep 1'], volumeMounts: [{name: work, mountPath: /box}]}
  - {name: other, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600'], volumeMounts: [{name: work, mountPath: /box}]}
  volumes: [{name: work, emptyDir: {}}]
";
    let _attached = Attached::new(&pod, manifest, &["--back-off", "1s"]);
    eventually("the pod is up", || said(&pod).contains("Up "));
    let other = pod.id("other");
    eventually("three runs", || {
        pod.sh("other", "cat /box/runs").lines().count() >= 3
    });
    assert_eq!(pod.id("other"), other);
    let rows = run(podctl().arg("ps")).code(0).out;
    let row = rows
        .lines()
        .find(|row| row.starts_with(&pod.name))
        .unwrap_or_default();
    let restarts: u32 = row
        .split_whitespace()
        .nth(3)
        .unwrap_or_default()
        .parse()
        .unwrap_or(0);
    assert!(restarts >= 2, "{row}");
}

/// `logs -f` in one window while a container is restarted in the other.
#[test]
fn followed_logs_go_on_through_every_restart() {
    let pod = Pod::new("followed");
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: app, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'echo . >>/box/runs; echo run $(wc -l </box/runs); exec sleep 3600'], volumeMounts: [{name: work, mountPath: /box}]}
  volumes: [{name: work, emptyDir: {}}]
";
    pod.up(manifest).code(0);
    let mut child = podctl()
        .args(["logs", "-f", &pod.name, "-c", "app"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("podctl");
    let mut lines = BufReader::new(child.stdout.take().expect("an output")).lines();
    let mut next = || lines.next().map(|line| line.expect("a line"));
    assert_eq!(next().as_deref(), Some("run 1"));
    for line in ["run 2", "run 3"] {
        run(podctl().args(["restart", &pod.name, "-c", "app"])).code(0);
        assert_eq!(next().as_deref(), Some(line));
    }
    pod.down().code(0);
    assert_eq!(next(), None);
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}

/// A script waits for what may never come.
#[test]
fn waiting_for_nothing_ends_and_says_which_kind_of_nothing() {
    let pod = Pod::new("nothing");
    let wait = |args: &[&str]| run(podctl().arg("wait").arg(&pod.name).args(args));
    let begun = Instant::now();
    wait(&["--for=ready", "--timeout", "30s"])
        .code(1)
        .says(&["there is no such pod"]);
    wait(&["--for=deleted", "--timeout", "30s"]).code(0);
    assert!(begun.elapsed() < Duration::from_secs(10));
    pod.up("
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: app, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}]
")
        .code(0);
    wait(&["--for=completed", "--timeout", "1s"])
        .code(4)
        .says(&["time"]);
}

/// The container that owns the namespaces is killed behind podctl's back.
/// One that takes long to end keeps nobody from asking the others, whatever happens meanwhile.
#[test]
fn probes_go_on_while_another_container_ends() {
    let pod = Pod::new("go-on");
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  shareProcessNamespace: false
  terminationGracePeriodSeconds: 8
  volumes: [{name: log, hostPath: {path: LOG}}]
  containers:
  - {name: slow, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}
  - {name: c, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}
  - name: asked
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sleep, '3600']
    volumeMounts: [{name: log, mountPath: /log}]
    livenessProbe: {exec: {command: [sh, -c, 'date +%s >>/log/asked']}, periodSeconds: 1}
"
    .replace("LOG", &pod.folder.0.display().to_string());
    let _attached = Attached::new(&pod, &manifest, &[]);
    eventually("the pod is up", || said(&pod).contains("Up "));
    let slow = pod.id("slow");
    let restart = std::thread::spawn({
        let name = pod.name.clone();
        move || run(podctl().args(["restart", &name, "-c", "slow"])).code(0)
    });
    eventually("another has its place", || pod.ids("slow").len() == 2);
    docker(&["kill", &pod.id("c")]);
    restart.join().expect("it is started anew");
    assert_eq!(
        docker(&["ps", "-q", "--no-trunc", "--filter", &format!("id={slow}")]),
        ""
    );
    let asked = std::fs::read_to_string(pod.folder.0.join("asked")).expect("answers");
    let times: Vec<i64> = asked.lines().map(|t| t.parse().expect("a time")).collect();
    let gaps = times.windows(2).map(|two| two[1] - two[0]);
    assert!(times.len() > 6 && gaps.max() <= Some(3), "{times:?}");
}

/// kubelet: NBX-ORDER-04.
#[test]
fn a_pod_whose_pause_is_killed_is_whole_again() {
    let pod = Pod::new("pause-killed");
    let manifest = "
apiVersion: v1
kind: ConfigMap
metadata: {name: page}
data: {index.html: whole}
---
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  shareProcessNamespace: false
  terminationGracePeriodSeconds: 1
  initContainers:
  - {name: i, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'echo . >>/box/runs'], volumeMounts: [{name: work, mountPath: /box}]}
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600'], volumeMounts: [{name: page, mountPath: /www}, {name: work, mountPath: /box}]}
  - {name: b, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}
  volumes: [{name: page, configMap: {name: page}}, {name: work, emptyDir: {}}]
";
    let mut attached = Attached::new(&pod, manifest, &[]);
    eventually("the pod is up", || said(&pod).contains("Up "));
    let pause = pod.id("POD");
    docker(&["kill", &pause]);
    eventually("it has another", || {
        pod.ids("POD").first().is_some_and(|id| *id != pause)
    });
    eventually("all of it runs", || row(&pod) == "2/2 Running 2");
    assert_eq!(pod.sh("a", "cat /www/index.html"), "whole");
    // Init containers run once for each sandbox (kubelet).
    assert_eq!(pod.sh("a", "wc -l </box/runs"), "2");
    let networks = |container| {
        docker(&[
            "inspect",
            "-f",
            "{{.HostConfig.NetworkMode}}",
            &pod.id(container),
        ])
    };
    assert_eq!(networks("a"), format!("container:{}", pod.id("POD")));
    assert_eq!(networks("a"), networks("b"));
    assert_eq!(attached.interrupt(), 130);
    pod.assert_nothing_left();
}

/// READY, STATUS and RESTARTS.
fn row(pod: &Pod) -> String {
    let rows = run(podctl().args(["ps", "-a"])).code(0).out;
    let row = rows.lines().find(|row| row.starts_with(&pod.name));
    let words = row.unwrap_or_default().split_whitespace().skip(1).take(3);
    words.collect::<Vec<_>>().join(" ")
}

/// The times between an end and the start that follows it, as the engine tells them, in seconds.
fn waits(pod: &Pod, back_off: &str, n: usize) -> Vec<f64> {
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: bad, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'exit 1']}]
";
    let label = format!("label=podctl.io/pod={}", pod.name);
    let mut events = Command::new("docker")
        .args([
            "events",
            "--filter",
            &label,
            "--filter",
            "label=podctl.io/container=bad",
        ])
        .args([
            "--filter",
            "event=die",
            "--filter",
            "event=start",
            "--format",
            "{{.Action}} {{.TimeNano}}",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .expect("docker");
    let mut lines = BufReader::new(events.stdout.take().expect("an output")).lines();
    let mut next = |wanted: &str| loop {
        let line = lines.next().expect("an event").expect("a line");
        if let Some((action, time)) = line.split_once(' ').filter(|(action, _)| *action == wanted) {
            assert_eq!(action, wanted);
            break time.parse::<f64>().expect("a time") / 1e9;
        }
    };
    let _attached = Attached::new(pod, manifest, &["--back-off", back_off]);
    let waits = (0..n)
        .map(|_| {
            let end = next("die");
            next("start") - end
        })
        .collect();
    let _ = events.kill();
    let _ = events.wait();
    waits
}

/// What an engine under load takes for a start, in seconds, besides a tenth of what was waited.
const START: f64 = 2.0;

fn check(waits: &[f64], rule: &[f64]) {
    println!("waited {waits:.2?}, the rule is {rule:?}");
    for (waited, rule) in waits.iter().zip(rule) {
        assert!(
            *waited >= rule * 0.99 && *waited <= rule * 1.1 + START,
            "{waits:?}"
        );
    }
}

/// kubelet: NBX-BACK-01, as it is.
#[test]
fn the_first_restarts_come_after_nothing_ten_and_twenty_seconds() {
    check(&waits(&Pod::new("back-off"), "10s", 3), &[0.0, 10.0, 20.0]);
}

/// kubelet: NBX-BACK-01, at a fifth: up to the longest wait, and no further.
#[test]
fn waits_double_up_to_the_longest() {
    let rule = [0.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0];
    check(&waits(&Pod::new("back-off-fast"), "2s", rule.len()), &rule);
}
