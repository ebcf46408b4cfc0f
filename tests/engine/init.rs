//! Init containers: one after the other, each to its good end, before the app containers.

use super::support::{Folder, Pod, docker, eventually, podctl, run};
use shows::shows;

/// Two init containers that write into one log with the app.
fn ordered(folder: &Folder) -> String {
    let write = |name: &str| {
        format!("echo {name}-starts >>/log/all; sleep 0.3; echo {name}-ends >>/log/all")
    };
    let (one, two) = (write("one"), write("two"));
    let log = folder.0.display();
    format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: POD}}
spec:
  terminationGracePeriodSeconds: 1
  initContainers:
  - {{name: one, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, '{one}; echo applied'], volumeMounts: [{{name: log, mountPath: /log}}]}}
  - {{name: two, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, '{two}'], volumeMounts: [{{name: log, mountPath: /log}}]}}
  containers:
  - {{name: app, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'echo app-starts >>/log/all; exec sleep 3600'], volumeMounts: [{{name: log, mountPath: /log}}]}}
  volumes: [{{name: log, hostPath: {{path: {log}}}}}]
"
    )
}

/// kubelet: NB-INIT-02.
#[shows("PodSpec.initContainers")]
#[test]
fn init_containers_run_one_after_the_other_before_the_app_starts() {
    for _ in 0..3 {
        let (pod, folder) = (Pod::new("order"), Folder::new());
        pod.up(&ordered(&folder)).code(0);
        let read = || std::fs::read_to_string(folder.0.join("all")).unwrap_or_default();
        eventually("the app has started", || read().contains("app"));
        let order = "one-starts\none-ends\ntwo-starts\ntwo-ends\napp-starts\n";
        assert_eq!(read(), order);
        // They are over: nothing is run again.
        pod.up(&ordered(&folder)).code(0).says(&["unchanged"]);
        assert_eq!(read(), order);
        let out = run(podctl().args(["logs", &pod.name, "-c", "one"]))
            .code(0)
            .out;
        assert_eq!(out, "applied\n");
        let row = run(podctl().arg("ps")).code(0).out;
        let row = row
            .lines()
            .find(|row| row.starts_with(&pod.name))
            .expect("a row")
            .to_owned();
        assert!(row.contains("1/1") && row.contains("Running"), "{row}");
    }
}

#[test]
fn they_run_again_with_a_new_pause_and_when_one_of_them_changes() {
    let (pod, folder) = (Pod::new("again"), Folder::new());
    let manifest = ordered(&folder);
    let count = || {
        let all = std::fs::read_to_string(folder.0.join("all")).unwrap_or_default();
        all.matches("two-ends").count()
    };
    pod.up(&manifest).code(0);
    assert_eq!(count(), 1);
    docker(&["kill", &pod.id("POD")]);
    pod.up(&manifest).code(0);
    assert_eq!(count(), 2);
    let changed = manifest.replace("echo applied", "echo migrated");
    pod.up(&changed).code(0).says(&["spec.initContainers"]);
    assert_eq!(count(), 3);
}

#[test]
fn one_that_fails_holds_the_rest_back_and_is_told() {
    let (pod, folder) = (Pod::new("held"), Folder::new());
    let failing = ordered(&folder).replace("echo applied", "echo no; test -e /log/good");
    pod.up(&failing)
        .code(1)
        .says(&["init container `one`", "the code 1", "podctl logs"]);
    let rows = run(podctl().args(["ps", "-a"])).code(0).out;
    let row = rows
        .lines()
        .find(|row| row.starts_with(&pod.name))
        .expect("a row");
    assert!(row.contains("0/1") && row.contains("Init:Error"), "{row}");
    let all = std::fs::read_to_string(folder.0.join("all")).unwrap_or_default();
    assert!(!all.contains("two") && !all.contains("app"), "{all}");
    assert_eq!(
        run(podctl().args(["logs", &pod.name, "-c", "one"])).out,
        "no\n"
    );
    // What it missed is there now: the next run goes on from it.
    folder.write("good", "");
    pod.up(&failing).code(0);
    let all = std::fs::read_to_string(folder.0.join("all")).unwrap_or_default();
    assert_eq!(all.matches("one-starts").count(), 2);
    pod.down().code(0);
    pod.assert_nothing_left();
}

#[test]
fn one_that_takes_long_can_be_left_and_taken_down() {
    let (pod, folder) = (Pod::new("long"), Folder::new());
    let long = ordered(&folder).replace("echo applied", "exec sleep 600");
    pod.up_with(&long, &["--timeout", "2s"]).code(4);
    // A first run takes away what it made.
    pod.assert_nothing_left();
    pod.up_with(&long, &["--timeout", "2s", "--keep"]).code(4);
    let rows = run(podctl().arg("ps")).code(0).out;
    let row = rows
        .lines()
        .find(|row| row.starts_with(&pod.name))
        .expect("a row");
    assert!(row.contains("Init:0/2"), "{row}");
    pod.down().code(0);
    pod.assert_nothing_left();
}
