//! Sidecars: before what follows them, kept alive beside it, ended after it.

use super::support::attached::{Attached, said};
use super::support::{Folder, Pod, docker, eventually, podctl, run};
use shows::shows;

fn manifest(folder: &Folder, policy: &str, app: &str) -> String {
    let log = folder.0.display();
    let mount = "imagePullPolicy: IfNotPresent, volumeMounts: [{name: log, mountPath: /log}]";
    format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: POD}}
spec:
  restartPolicy: {policy}
  terminationGracePeriodSeconds: 5
  initContainers:
  - name: side
    image: busybox
    {side_mount}
    restartPolicy: Always
    command: [sh, -c, 'echo side-starts >>/log/all; trap \"echo side-ends >>/log/all; exit 0\" TERM; while test ! -e /log/go; do sleep 0.1; done; touch /up; while true; do sleep 0.1; done']
    startupProbe: {{exec: {{command: [test, -e, /up]}}, periodSeconds: 1, failureThreshold: 60}}
  - {{name: two, image: busybox, {mount}, command: [sh, -c, 'echo two >>/log/all']}}
  containers:
  - {{name: app, image: busybox, {mount}, command: [sh, -c, '{app}']}}
  volumes: [{{name: log, hostPath: {{path: {log}}}}}]
",
        side_mount = mount.replace(", volumeMounts", "\n    volumeMounts")
    )
}

const APP: &str = "echo app-starts >>/log/all; trap \"sleep 0.3; echo app-ends >>/log/all; exit 0\" TERM; while true; do sleep 0.1; done";

fn log(folder: &Folder) -> String {
    let all = std::fs::read_to_string(folder.0.join("all")).unwrap_or_default();
    all.lines().collect::<Vec<_>>().join(" ")
}

/// kubelet: NBX-ORDER-01, NBX-SIDE-03.
#[shows("Container.startupProbe")]
#[shows("Container.restartPolicy")]
#[test]
fn a_startup_probe_gates_what_follows() {
    let (pod, folder) = (Pod::new("gate"), Folder::new());
    let mut attached = Attached::new(
        &pod,
        &manifest(&folder, "Always", &APP.replace('\'', "")),
        &[],
    );
    eventually("it is asked", || {
        said(&pod).contains("Startup probe failed")
    });
    assert_eq!(log(&folder), "side-starts");
    let row = || run(podctl().args(["ps", "-a"])).code(0).out;
    let is_shown = |words: &str| {
        let rows = row();
        let row = rows
            .lines()
            .find(|row| row.starts_with(&pod.name))
            .unwrap_or_default();
        row.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .contains(words)
    };
    assert!(is_shown("0/2 Init:0/2"), "{}", row());
    folder.write("go", "");
    run(podctl().args(["wait", &pod.name])).code(0);
    assert!(is_shown("2/2 Running"), "{}", row());
    assert_eq!(log(&folder), "side-starts two app-starts");
    assert_eq!(attached.interrupt(), 130);
    assert_eq!(
        log(&folder),
        "side-starts two app-starts app-ends side-ends"
    );
    pod.assert_nothing_left();
}

/// kubelet: NBX-SIDE-01.
#[test]
fn one_that_ends_is_started_again_and_the_app_is_left_alone() {
    let (pod, folder) = (Pod::new("again"), Folder::new());
    folder.write("go", "");
    let _attached = Attached::new(&pod, &manifest(&folder, "Never", APP), &[]);
    eventually("the pod is up", || said(&pod).contains("Up "));
    let (side, app) = (pod.id("side"), pod.id("app"));
    docker(&["kill", &side]);
    eventually("it is started again", || {
        let pod = format!("label=podctl.io/pod={}", pod.name);
        let name = "label=podctl.io/container=side";
        let running = ["ps", "-q", "--no-trunc", "--filter", &pod, "--filter", name];
        let running = docker(&running);
        !running.is_empty() && running != side
    });
    assert_eq!(pod.id("app"), app);
}

/// kubelet: NBX-SIDE-02.
#[test]
fn they_are_ended_with_the_app_containers_and_do_not_count() {
    let (pod, folder) = (Pod::new("done"), Folder::new());
    folder.write("go", "");
    let _attached = Attached::new(
        &pod,
        &manifest(&folder, "Never", "echo app >>/log/all"),
        &[],
    );
    eventually("the pod is over", || said(&pod).contains("Over "));
    run(podctl().args(["wait", &pod.name, "--for=completed"])).code(0);
    eventually("the sidecar is ended", || {
        log(&folder).ends_with("side-ends")
    });
    assert_eq!(log(&folder), "side-starts two app side-ends");
}

/// Without somebody who stays, `up` waits for what others wait for, and `down` keeps the order.
#[test]
fn up_alone_waits_for_a_sidecar_too() {
    let (pod, folder) = (Pod::new("alone"), Folder::new());
    folder.write("go", "");
    pod.up(&manifest(&folder, "Always", APP)).code(0);
    assert_eq!(log(&folder), "side-starts two app-starts");
    pod.up(&manifest(&folder, "Always", APP))
        .code(0)
        .says(&["unchanged"]);
    pod.down().code(0);
    assert_eq!(
        log(&folder),
        "side-starts two app-starts app-ends side-ends"
    );
    pod.assert_nothing_left();
}
