//! Probes: what they answer decides whether a container is ready, and whether it lives.

use std::time::{Duration, Instant};

use super::support::attached::{Attached, said};
use super::support::{Pod, eventually, podctl, run};
use shows::shows;

/// A server whose page is there while a file is.
const SERVER: &str = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: web
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, 'mkdir -p /www; exec httpd -f -p 8080 -h /www']
    ports: [{name: http, containerPort: 8080}]
PROBES
";

fn status(pod: &Pod, filter: &str) -> String {
    let out = run(podctl().args(["ps", "-a", "-o", "json"])).code(0).out;
    let list: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let items = list["items"].as_array().expect("items");
    let item = items
        .iter()
        .find(|item| item["metadata"]["name"] == pod.name.as_str());
    let found = item.and_then(|item| item.pointer(filter)).cloned();
    found.unwrap_or_default().to_string()
}

const READY: &str = "/status/containerStatuses/0/ready";
const STARTED: &str = "/status/containerStatuses/0/started";
const RESTARTS: &str = "/status/containerStatuses/0/restartCount";

/// kubelet: NB-PROBE-02, NB-PROBE-01.
#[shows("Container.readinessProbe")]
#[shows("Probe.periodSeconds")]
#[shows("Probe.initialDelaySeconds")]
#[shows("Probe.timeoutSeconds")]
#[shows("Probe.successThreshold")]
#[shows("Probe.httpGet")]
#[shows("Probe.tcpSocket")]
#[shows("HTTPGetAction.host")]
#[shows("HTTPGetAction.httpHeaders")]
#[shows("HTTPGetAction.path")]
#[shows("HTTPGetAction.port")]
#[shows("HTTPGetAction.scheme")]
#[shows("HTTPHeader.name")]
#[shows("HTTPHeader.value")]
#[shows("TCPSocketAction.host")]
#[shows("TCPSocketAction.port")]
#[test]
fn readiness_decides_whether_a_pod_is_ready() {
    let pod = Pod::new("ready");
    let manifest = SERVER.replace(
        "PROBES",
        "    readinessProbe: {httpGet: {path: /ready, port: http, scheme: HTTP, host: '', httpHeaders: [{name: X-Probe, value: 'yes'}]}, initialDelaySeconds: 1, periodSeconds: 1, timeoutSeconds: 1, successThreshold: 2, failureThreshold: 1}
    livenessProbe: {tcpSocket: {port: 8080, host: ''}, periodSeconds: 1}",
    );
    let begun = Instant::now();
    let mut attached = Attached::new(&pod, &manifest, &[]);
    eventually("the pod is up", || said(&pod).contains("Up "));
    eventually("it is asked", || {
        said(&pod).contains("Readiness probe failed: HTTP probe failed with statuscode: 404")
    });
    assert_eq!(
        (status(&pod, READY), status(&pod, STARTED)),
        ("false".into(), "true".into())
    );
    eventually("the culprit is told", || {
        let late = run(podctl().args(["wait", &pod.name, "--timeout", "0"])).code(4);
        late.err.contains("readiness probe last said") && late.err.contains("404")
    });
    pod.sh("web", "touch /www/ready");
    run(podctl().args(["wait", &pod.name, "--for=ready"])).code(0);
    // One second of delay, and two good answers a second apart.
    assert!(begun.elapsed() > Duration::from_secs(2));
    assert_eq!(status(&pod, READY), "true");
    pod.sh("web", "rm /www/ready");
    run(podctl().args(["wait", &pod.name, "--for=condition=Ready=False"])).code(0);
    // Readiness never ends anybody.
    assert_eq!(status(&pod, RESTARTS), "0");
    assert_eq!(attached.interrupt(), 130);
    pod.assert_nothing_left();
}

/// kubelet: NB-PROBE-03, NB-PROBE-11.
#[shows("Container.livenessProbe")]
#[shows("Probe.exec")]
#[shows("Probe.failureThreshold")]
#[shows("Probe.terminationGracePeriodSeconds")]
#[shows("ExecAction.command")]
#[test]
fn liveness_starts_a_container_again() {
    let pod = Pod::new("alive");
    // It is deaf to SIGTERM: without the probe's own grace period it would live on for 500 s.
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 500
  containers:
  - name: a
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, 'trap \"\" TERM; touch /health; while true; do sleep 1; done']
    livenessProbe: {exec: {command: [cat, /health]}, periodSeconds: 1, failureThreshold: 2, terminationGracePeriodSeconds: 1}
";
    let _attached = Attached::new(&pod, manifest, &[]);
    eventually("the pod is up", || said(&pod).contains("Up "));
    let first = pod.id("a");
    pod.sh("a", "rm /health");
    eventually("it is started again", || status(&pod, RESTARTS) == "1");
    eventually("it runs", || pod.exec("a", &["cat", "/health"]).code == 0);
    assert_ne!(pod.ids("a")[0], first);
    let said = said(&pod);
    assert!(
        said.contains("Liveness probe failed: cat: can't open '/health'"),
        "{said}"
    );
    let n_failures = said.matches("Unhealthy").count();
    assert_eq!(n_failures, 2, "{said}");
    run(podctl().args(["down", "--timeout", "1", &pod.name])).code(0);
}

/// kubelet: NB-PROBE-10. The command runs on, and no second one is started beside it.
#[test]
fn a_command_that_does_not_end_in_time_has_failed() {
    let pod = Pod::new("slow");
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
    command: [sleep, '3600']
    readinessProbe: {exec: {command: [sh, -c, 'echo asked >>/asked; exec sleep 600']}, periodSeconds: 1, timeoutSeconds: 1}
";
    let _attached = Attached::new(&pod, manifest, &[]);
    let n_late = || said(&pod).matches("timed out after 1s").count();
    eventually("it is late three times", || n_late() >= 3);
    assert_eq!(pod.sh("a", "cat /asked"), "asked");
    assert_eq!(
        (status(&pod, READY), status(&pod, RESTARTS)),
        ("false".into(), "0".into())
    );
}

/// What a gRPC server says whose health is good, for `printf`: its settings, and a message with its status on the first stream.
fn grpc_answer() -> (String, String) {
    let octal = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:03o}")).collect();
    let settings = [[0, 0, 0, 4, 0, 0, 0, 0, 0], [0, 0, 0, 4, 1, 0, 0, 0, 0]].concat();
    let mut answer = vec![0, 0, 20, 1, 4, 0, 0, 0, 1, 0x88, 0x0f, 0x10, 16];
    answer.extend(b"application/grpc");
    answer.extend([0, 0, 7, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 8, 1]);
    answer.extend([0, 0, 15, 1, 5, 0, 0, 0, 1, 0, 11]);
    answer.extend(b"grpc-status");
    answer.extend([1, b'0']);
    (octal(&settings), octal(&answer))
}

/// kubelet: NB-PROBE-13, NB-PROBE-14.
#[shows("Probe.grpc")]
#[shows("GRPCAction.port")]
#[shows("GRPCAction.service")]
#[test]
fn a_grpc_server_is_asked_for_its_health() {
    let pod = Pod::new("grpc");
    let (settings, answer) = grpc_answer();
    let manifest = format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: POD}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: good
    image: busybox
    imagePullPolicy: IfNotPresent
    command:
    - sh
    - -c
    - |
      printf '%s\\n' '#!/bin/sh' \"printf '{settings}'; head -c 100 >/dev/null; printf '{answer}'; sleep 1\" >/serve
      chmod +x /serve
      while true; do nc -l -p 9000 -e /serve; done
    readinessProbe: {{grpc: {{port: 9000, service: db}}, periodSeconds: 1, timeoutSeconds: 2}}
  - name: bad
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sleep, '3600']
    readinessProbe: {{grpc: {{port: 9001}}, periodSeconds: 1}}
"
    );
    let _attached = Attached::new(&pod, &manifest, &[]);
    eventually("the good one is ready", || status(&pod, READY) == "true");
    eventually("the bad one is not", || {
        said(&pod).contains("failed to connect service")
    });
    assert_eq!(status(&pod, "/status/containerStatuses/1/ready"), "false");
}

/// It works off what it has when it is told to end, and says before that it takes no more; what it serves through a sidecar is not to be had
/// any more either.
const LEAVES: &str = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 20
  volumes: [{name: state, emptyDir: {}}]
  initContainers:
  - name: proxy
    image: busybox
    imagePullPolicy: IfNotPresent
    restartPolicy: Always
    command: [sh, -c, 'trap exit TERM; while :; do sleep 1 & wait $!; done']
    volumeMounts: [{name: state, mountPath: /state}]
    readinessProbe: {exec: {command: [test, -e, /state/ready]}, periodSeconds: 1, failureThreshold: 1}
  containers:
  - name: web
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, 'touch /state/ready; trap \"rm /state/ready; sleep 6; exit\" TERM; while :; do sleep 1 & wait $!; done']
    volumeMounts: [{name: state, mountPath: /state}]
    readinessProbe: {exec: {command: [test, -e, /state/ready]}, periodSeconds: 1, failureThreshold: 1}
    livenessProbe: {exec: {command: [test, -e, /state/ready]}, periodSeconds: 1, failureThreshold: 1}
";

/// kubelet: NB-SCPROBE-22, NB-SCPROBE-23.
#[test]
fn a_pod_that_is_being_taken_down_says_that_it_is_not_ready_any_more() {
    let pod = Pod::new("leaves");
    let file = pod.file(LEAVES);
    run(podctl().args(["up", "--wait", &file])).code(0);
    let conditions = "jsonpath={.status.conditions[?(@.type==\"Ready\")].status}\
        {.status.containerStatuses[*].ready}{.status.initContainerStatuses[*].ready}\
        {.status.containerStatuses[*].state.running.startedAt}{.status.containerStatuses[*].restartCount}";
    let status = || run(podctl().args(["get", "pod", &pod.name, "-o", conditions])).out;
    assert!(status().starts_with("Truetruetrue20"), "{}", status());
    let down = std::thread::scope(|scope| {
        let down = scope.spawn(|| pod.down());
        // They still run, and nothing is started again for a liveness probe that would fail.
        eventually("neither is ready", || {
            let status = status();
            status.starts_with("Falsefalsefalse20") && status.ends_with("Z0")
        });
        down.join().expect("an end")
    });
    down.code(0);
    pod.assert_nothing_left();
}
