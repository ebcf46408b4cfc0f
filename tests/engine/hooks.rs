//! Hooks: after a container's start, and before its end.

use std::time::Instant;

use super::support::attached::{Attached, said};
use super::support::{Folder, Pod, eventually, podctl, run};
use shows::shows;

fn log(folder: &Folder) -> String {
    let all = std::fs::read_to_string(folder.0.join("all")).unwrap_or_default();
    all.lines().collect::<Vec<_>>().join(" ")
}

/// NB-SLEEP-01.
/// kubelet: NB-HOOK-01, NB-HOOK-02, NB-HOOK-03, NB-SLEEP-01, NBX-ORDER-02.
#[shows("Container.lifecycle")]
#[shows("Lifecycle.postStart")]
#[shows("Lifecycle.preStop")]
#[shows("LifecycleHandler.exec")]
#[shows("LifecycleHandler.httpGet")]
#[shows("LifecycleHandler.sleep")]
#[shows("SleepAction.seconds")]
#[test]
fn hooks_run_in_their_place() {
    let (pod, folder) = (Pod::new("hooks"), Folder::new());
    let log_path = folder.0.display();
    let mount = "imagePullPolicy: IfNotPresent\n    volumeMounts: [{name: log, mountPath: /log}]";
    let say = |word: &str| format!("[sh, -c, 'echo {word} >>/log/all']");
    let main = |name: &str| {
        format!(
            "[sh, -c, 'echo {name}-starts >>/log/all; trap \"echo {name}-term >>/log/all; exit 0\" TERM; while true; do sleep 0.1; done']"
        )
    };
    let manifest = format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: POD}}
spec:
  terminationGracePeriodSeconds: 10
  containers:
  - name: web
    image: busybox
    {mount}
    command:
    - sh
    - -c
    - |
      printf '%s\\n' '#!/bin/sh' 'head -n 1 | grep -q /asked && echo asked >>/log/all' 'printf \"HTTP/1.0 200 OK\\r\\n\\r\\n\"' >/serve
      chmod +x /serve
      touch /log/serves
      while true; do nc -l -p 8080 -e /serve; done
    lifecycle:
      postStart: {{exec: {{command: [sh, -c, 'while test ! -e /log/serves; do sleep 0.1; done; sleep 0.5; echo post >>/log/all']}}}}
      preStop: {{exec: {{command: {pre}}}}}
  - name: b
    image: busybox
    {mount}
    command: {b}
    lifecycle:
      postStart: {{httpGet: {{path: /asked, port: 8080}}}}
      preStop: {{sleep: {{seconds: 1}}}}
  volumes: [{{name: log, hostPath: {{path: {log_path}}}}}]
",
        pre = say("pre"),
        b = main("b")
    );
    pod.up(&manifest).code(0);
    // What follows a hook waits for it.
    eventually("the second hook", || log(&folder).contains("asked"));
    assert!(log(&folder).starts_with("post ") && log(&folder).contains("b-starts"));
    let begun = Instant::now();
    pod.down().code(0);
    // The sleep comes before the signal.
    assert!(begun.elapsed().as_millis() > 1000);
    let words = log(&folder);
    assert!(
        words.contains("pre") && words.ends_with("b-term"),
        "{words}"
    );
    pod.assert_nothing_left();
}

/// kubelet-measured: the state is `PostStartHookError`, the container is ended, and the policy decides on.
/// kubelet: NBX-ORDER-02.
#[test]
fn a_hook_that_fails_ends_its_container() {
    let pod = Pod::new("fails");
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
    lifecycle: {postStart: {exec: {command: [sh, -c, 'echo no; exit 4']}}}
";
    let _attached = Attached::new(&pod, manifest, &[]);
    eventually("it is told", || said(&pod).contains("PostStartHook failed"));
    let said = || said(&pod);
    assert!(
        said().contains("exit 4") && said().contains("no"),
        "{}",
        said()
    );
    let shown = || run(podctl().args(["ps", "-a"])).code(0).out;
    eventually("ps says so", || shown().contains("PostStartHookError"));
}

/// kubelet-measured: a hook of 20 s, a grace period of 2 s: the hook is cut off, and the container gets two seconds more.
/// kubelet: NBX-TERM-01.
#[test]
fn a_hook_has_no_more_than_the_grace_period() {
    let pod = Pod::new("cut");
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 2
  containers:
  - name: a
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, 'trap \"\" TERM; while true; do sleep 0.1; done']
    lifecycle: {preStop: {exec: {command: [sleep, '20']}}}
";
    pod.up(manifest).code(0);
    let begun = Instant::now();
    pod.down().code(0);
    let seconds = begun.elapsed().as_secs_f32();
    assert!((3.9..7.0).contains(&seconds), "{seconds}");
}

#[shows("Lifecycle.stopSignal")]
#[test]
fn a_stop_signal_is_sent() {
    let (pod, folder) = (Pod::new("signal"), Folder::new());
    let log_path = folder.0.display();
    let manifest = format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: POD}}
spec:
  os: {{name: linux}}
  terminationGracePeriodSeconds: 5
  containers:
  - name: a
    image: busybox
    imagePullPolicy: IfNotPresent
    volumeMounts: [{{name: log, mountPath: /log}}]
    command: [sh, -c, 'trap \"echo usr1 >>/log/all; exit 0\" USR1; trap \"\" TERM; touch /log/up; while true; do sleep 0.1; done']
    lifecycle: {{stopSignal: SIGUSR1}}
  volumes: [{{name: log, hostPath: {{path: {log_path}}}}}]
"
    );
    pod.up(&manifest).code(0);
    eventually("it listens", || folder.0.join("up").exists());
    pod.down().code(0);
    assert_eq!(log(&folder), "usr1");
}

/// kubelet: NB-SCHOOK-01, NB-SCHOOK-02.
#[test]
fn a_sidecars_hooks_come_before_what_follows_it_and_after_the_app() {
    let (pod, folder) = (Pod::new("sidecar-hooks"), Folder::new());
    let mount = "image: busybox, imagePullPolicy: IfNotPresent, volumeMounts: [{name: log, mountPath: /log}]";
    let main = |name: &str| {
        format!(
            "[sh, -c, 'trap \"echo {name}-ends >>/log/all; exit 0\" TERM; echo {name} >>/log/all; while :; do sleep 0.1; done']"
        )
    };
    let manifest = format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: POD}}
spec:
  terminationGracePeriodSeconds: 10
  initContainers:
  - name: side
    restartPolicy: Always
    lifecycle:
      postStart: {{exec: {{command: [sh, -c, 'sleep 1; echo post >>/log/all']}}}}
      preStop: {{exec: {{command: [sh, -c, 'echo pre >>/log/all']}}}}
    command: {side}
    image: busybox
    imagePullPolicy: IfNotPresent
    volumeMounts: [{{name: log, mountPath: /log}}]
  - {{name: next, command: [sh, -c, 'echo next >>/log/all'], {mount}}}
  containers:
  - {{name: app, command: {app}, {mount}}}
  volumes: [{{name: log, hostPath: {{path: {path}}}}}]
",
        side = main("side"),
        app = main("app"),
        path = folder.0.display(),
    );
    pod.up(&manifest).code(0);
    eventually("the app", || log(&folder).contains("app"));
    assert_eq!(log(&folder), "side post next app");
    pod.down().code(0);
    assert_eq!(log(&folder), "side post next app app-ends pre side-ends");
    pod.assert_nothing_left();
}

/// kubelet: NB-SLEEP-02, NB-SLEEP-03, NB-SLEEP-04.
#[test]
fn a_sleep_holds_up_what_runs_and_no_longer_than_the_grace_period() {
    let down = |seconds: u64, command: &str, args: &[&str]| {
        let pod = Pod::new("sleep");
        let manifest = format!(
            "
apiVersion: v1
kind: Pod
metadata: {{name: POD}}
spec:
  restartPolicy: Never
  shareProcessNamespace: false
  terminationGracePeriodSeconds: 60
  containers:
  - name: a
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, '{command}']
    lifecycle: {{preStop: {{sleep: {{seconds: {seconds}}}}}}}
"
        );
        pod.up(&manifest).code(0);
        if command == "true" {
            run(podctl().args(["wait", &pod.name, "--for=completed"])).code(0);
        }
        let begun = Instant::now();
        run(podctl().args(["down", &pod.name]).args(args)).code(0);
        begun.elapsed().as_secs_f64()
    };
    let obeys = "trap \"exit 0\" TERM; while :; do sleep 0.1; done";
    let cut_off = down(60, obeys, &["--timeout", "3"]);
    assert!((2.9..15.0).contains(&cut_off), "{cut_off}");
    let has_ended = down(60, "true", &[]);
    assert!(has_ended < 15.0, "{has_ended}");
    let nothing = down(0, obeys, &[]);
    assert!(nothing < 15.0, "{nothing}");
}

/// The hook is that of the container which is stopped, not of what takes its place; the pod has no volume to be filled.
#[test]
fn what_an_up_replaces_or_takes_off_ends_with_its_own_hook() {
    let (pod, folder) = (Pod::new("hook-of-old"), Folder::new());
    let container = |name: &str, word: &str| {
        format!(
            "
  - name: {name}
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sleep, '3600']
    lifecycle: {{preStop: {{exec: {{command: [sh, -c, 'echo {word} >>/log/all']}}}}}}
    volumeMounts: [{{name: log, mountPath: /log}}]"
        )
    };
    let manifest = |containers: String| {
        format!(
            "
apiVersion: v1
kind: Pod
metadata: {{name: POD}}
spec:
  terminationGracePeriodSeconds: 2
  volumes: [{{name: log, hostPath: {{path: {}}}}}]
  containers:{containers}
",
            folder.0.display()
        )
    };
    let (a, b) = (container("a", "a-old"), container("b", "b-old"));
    pod.up(&manifest(a + &b)).code(0);
    pod.up(&manifest(container("a", "a-new"))).code(0);
    let log = log(&folder);
    let mut lines: Vec<&str> = log.split(' ').collect();
    lines.sort_unstable();
    assert_eq!(lines, ["a-old", "b-old"]);
}
