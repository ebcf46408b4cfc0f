//! `up --attach`: the pod is kept alive in the foreground, and goes with the command.

use std::process::Command;

use super::support::attached::{Attached, said};
use super::support::{Folder, Pod, docker, eventually, free_port, podctl, run};

const CRASHING: &str = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: bad, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'date +%s >>/shared/starts; touch /mine; ls /mine* | wc -l; echo dying; exit 3'], volumeMounts: [{name: s, mountPath: /shared}]}
  - {name: good, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600'], volumeMounts: [{name: s, mountPath: /shared}]}
  volumes: [{name: s, emptyDir: {}}]
";

/// kubelet: NB-KUBELET-03.
#[test]
fn a_container_that_crashes_is_started_again_with_back_off() {
    let pod = Pod::new("crash");
    let mut attached = Attached::new(&pod, CRASHING, &["--back-off", "2s"]);
    eventually("the pod is up", || said(&pod).contains("Up "));
    let good = pod.id("good");
    let starts = || -> Vec<i64> {
        let starts = pod.sh("good", "cat /shared/starts");
        starts
            .lines()
            .map(|time| time.parse().expect("a time"))
            .collect()
    };
    eventually("four starts", || starts().len() == 4);
    let times = starts();
    let waits: Vec<i64> = times.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(
        waits[0] <= 1 && (2..=3).contains(&waits[1]) && (4..=5).contains(&waits[2]),
        "{waits:?}"
    );
    // It waits for eight seconds now.
    let row = || {
        let rows = run(podctl().arg("ps")).code(0).out;
        let row = rows.lines().find(|row| row.starts_with(&pod.name));
        row.unwrap_or_default().to_owned()
    };
    eventually("ps says so", || row().contains("CrashLoopBackOff"));
    let row = row();
    let columns: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(columns[1..4], ["1/2", "CrashLoopBackOff", "3"]);
    let previous = run(podctl().args(["logs", &pod.name, "-c", "bad", "--previous"]));
    // A new root filesystem each time.
    assert_eq!(previous.code(0).out, "1\ndying\n");
    assert_eq!(
        pod.ids("bad").len(),
        2,
        "the last dead one is kept, no more"
    );
    assert_eq!(pod.id("good"), good, "the neighbour is left alone");
    assert_eq!(attached.interrupt(), 130);
    pod.assert_nothing_left();
    let said = said(&pod);
    assert!(said.contains("bad  | dying"), "{said}");
}

#[test]
fn what_hands_remove_is_made_again() {
    let pod = Pod::new("meddled");
    let manifest = CRASHING.replace("exit 3", "exec sleep 3600");
    let mut attached = Attached::new(&pod, &manifest, &[]);
    eventually("the pod is up", || said(&pod).contains("Up "));
    let (good, pause) = (pod.id("good"), pod.id("POD"));
    docker(&["rm", "-f", &good]);
    let is_new = |container: &str, old: &str| {
        let ids = pod.ids(container);
        // It may be gone again by then.
        let runs = |id: &String| {
            let asked = ["inspect", "-f", "{{.State.Running}}", id];
            run(Command::new("docker").args(asked)).out.trim() == "true"
        };
        ids.first().is_some_and(|id| id != old && runs(id))
    };
    eventually("it is made anew", || is_new("good", &good));
    docker(&["kill", &pause]);
    eventually("the pod is whole again", || {
        is_new("POD", &pause) && pod.ids("POD").len() == 1
    });
    eventually("it can be used", || pod.exec("good", &["true"]).code == 0);
    assert_eq!(attached.interrupt(), 130);
    pod.assert_nothing_left();
}

#[test]
fn previous_wants_one_that_was_started_again() {
    let pod = Pod::new("once");
    pod.up(&CRASHING.replace("exit 3", "exec sleep 3600"))
        .code(0);
    run(podctl().args(["logs", &pod.name, "--previous"]))
        .code(1)
        .says(&["no container", "started again"]);
}

const SEVERAL: &str = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: talks, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'echo here; exec sleep 3600']}
---
apiVersion: v1
kind: Pod
metadata: {name: POD-too}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: talks, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'echo there; exec sleep 3600']}
---
apiVersion: v1
kind: Pod
metadata: {name: POD-bad}
spec:
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [/no/such/program]}
";

#[test]
fn several_pods_live_and_end_with_one_command() {
    let pods = Pod::new("several");
    let others = ["too", "bad"].map(|other| Pod {
        name: format!("{}-{other}", pods.name),
        folder: Folder::new(),
    });
    let mut attached = Attached::new(&pods, SEVERAL, &[]);
    let name = &pods.name;
    let has = |words: &str| said(&pods).contains(words);
    eventually("each has spoken by its name", || {
        has(&format!("{name}/talks     | here\n")) && has(&format!("{name}-too/talks | there\n"))
    });
    eventually(
        "the one that cannot be is told of at once, and tried again",
        || {
            let row = run(podctl().args(["get", "pod", &format!("{name}-bad")])).out;
            has("/no/such/program") && row.contains("RunContainerError")
        },
    );
    assert!(attached.0.try_wait().expect("a child").is_none());
    let uid = |name: &str| {
        let path = "jsonpath={.metadata.uid}";
        run(podctl().args(["get", "pod", name, "-o", path]))
            .code(0)
            .out
    };
    assert_ne!(uid(name), uid(&format!("{name}-too")));
    assert_eq!(attached.interrupt(), 130);
    pods.assert_nothing_left();
    others.iter().for_each(Pod::assert_nothing_left);
}

/// What cannot be done now is tried again, and costs the pod nothing else.
#[test]
fn a_pod_outlives_what_cannot_be_done_now() {
    let pod = Pod::new("put-off");
    let image = format!("{}:1", pod.name);
    docker(&["tag", "busybox", &image]);
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  shareProcessNamespace: false
  terminationGracePeriodSeconds: 1
  containers:
  - {name: a, image: 'IMAGE', imagePullPolicy: Never, command: [sleep, '3600']}
  - {name: b, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}
"
    .replace("IMAGE", &image);
    let mut attached = Attached::new(&pod, &manifest, &[]);
    eventually("the pod is up", || said(&pod).contains("Up "));
    let (a, b) = (pod.id("a"), pod.id("b"));
    docker(&["rmi", &image]);
    docker(&["rm", "-f", &a]);
    eventually("it is told", || said(&pod).contains("No such image"));
    docker(&["tag", "busybox", &image]);
    eventually("it is there again", || pod.ids("a").len() == 1);
    assert_eq!(pod.id("b"), b);
    docker(&["rmi", &image]);
    assert_eq!(attached.interrupt(), 130);
    pod.assert_nothing_left();
    let said = said(&pod);
    assert!(said.contains("interrupted; it is taken down"), "{said}");
}

/// What it was asked for since is another's: what cannot be done of that costs nobody what the pod holds.
#[test]
fn a_pod_that_cannot_be_started_again_is_not_taken_away() {
    let (pod, port) = (Pod::new("kept"), free_port());
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'echo kept >>/s/data; exec sleep 3600'], ports: [{containerPort: 80, hostPort: PORT}], volumeMounts: [{name: s, mountPath: /s}]}
  volumes: [{name: s, emptyDir: {}}]
"
    .replace("PORT", &port.to_string());
    let mut attached = Attached::new(&pod, &manifest, &[]);
    eventually("the pod is up", || said(&pod).contains("Up "));
    run(podctl().args(["stop", &pod.name])).code(0);
    let taken = std::net::TcpListener::bind(("0.0.0.0", port)).expect("the port");
    run(podctl().args(["start", &pod.name])).code(1);
    eventually("it is told", || {
        said(&pod).contains("failed to start the pause container")
    });
    drop(taken);
    let held = || pod.exec("a", &["cat", "/s/data"]).out.lines().count();
    // It is tried again.
    eventually("it goes on with what it held", || held() > 1);
    assert_eq!(held(), 2, "{}", said(&pod));
    assert_eq!(attached.interrupt(), 130);
    pod.assert_nothing_left();
}

#[test]
fn a_pod_that_has_ended_by_itself_is_not_said_to_be_interrupted() {
    let pod = Pod::new("had-ended");
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  restartPolicy: Never
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'sleep 1; exit 3']}
";
    let mut attached = Attached::new(&pod, manifest, &[]);
    eventually("it is over", || said(&pod).contains("Over "));
    assert_eq!(attached.interrupt(), 130);
    let said = said(&pod);
    assert!(said.contains("what ends is not started again"), "{said}");
    assert!(said.contains("had ended; it is taken down"), "{said}");
    pod.assert_nothing_left();
}

/// `podctl up --attach FILE | head`: who looks at the pod has left.
#[test]
fn a_pod_ends_with_whoever_read_its_logs() {
    let pod = Pod::new("closed-pipe");
    let file = pod.file(
        "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  shareProcessNamespace: false
  terminationGracePeriodSeconds: 1
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'while :; do echo line; sleep 0.1; done']}
",
    );
    let script = "\"$1\" up --attach \"$2\" | head -n 2; echo ${PIPESTATUS[0]}";
    let program = env!("CARGO_BIN_EXE_podctl");
    let said = run(Command::new("bash").args(["-c", script, "bash", program, &file]));
    assert_eq!(said.code(0).out, "line\nline\n130\n");
    pod.assert_nothing_left();
}
