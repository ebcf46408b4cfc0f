//! `restart`, `stop`, `start`: what a person does with a pod that is there.

use serde_json::Value;

use super::support::attached::{Attached, said};
use super::support::{Pod, docker, eventually, podctl, run};

/// Each of its containers says in one file when it begins and when it ends.
const LOGGING: &str = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 5
  initContainers:
  - {name: i, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'echo i >>/log/l'], volumeMounts: [{name: log, mountPath: /log}]}
  - {name: s, image: busybox, imagePullPolicy: IfNotPresent, restartPolicy: Always, command: [sh, -c, 'trap \"echo s-ends >>/log/l; exit 0\" TERM; echo s >>/log/l; while :; do sleep 0.1; done'], volumeMounts: [{name: log, mountPath: /log}]}
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'trap \"echo a-ends >>/log/l; exit 0\" TERM; echo a >>/log/l; while :; do sleep 0.1; done'], volumeMounts: [{name: log, mountPath: /log}]}
  volumes: [{name: log, emptyDir: {}}]
";

fn again(pod: &Pod, verb: &str, args: &[&str]) -> super::support::Said {
    run(podctl().arg(verb).arg(&pod.name).args(args))
}

/// What its containers have said, in one line.
fn log(pod: &Pod, wanted: &str) {
    eventually(&format!("the log is `{wanted}`"), || {
        let log = run(podctl().args(["exec", &pod.name, "-c", "a", "--", "cat", "/log/l"]));
        let log = log.out.split_whitespace().collect::<Vec<_>>().join(" ");
        log == wanted || {
            println!("{log}");
            false
        }
    });
}

fn row(pod: &Pod) -> String {
    let rows = run(podctl().args(["ps", "-a"])).code(0).out;
    let row = rows.lines().find(|row| row.starts_with(&pod.name));
    let words = row.unwrap_or_default().split_whitespace().skip(1).take(3);
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_pod_is_started_anew_in_order_and_goes_on_counting() {
    let pod = Pod::new("restart");
    pod.up(LOGGING).code(0);
    let pause = pod.id("POD");
    again(&pod, "restart", &[])
        .code(0)
        .says(&["is up: 3 containers started"]);
    log(&pod, "i s a a-ends s-ends i s a");
    assert_ne!(pod.id("POD"), pause);
    assert_eq!(row(&pod), "2/2 Running 2");
    // The wish for it is not one of the file: the next `up` has nothing to do.
    pod.up(LOGGING).code(0).says(&["unchanged"]);
}

#[test]
fn one_container_is_started_anew_and_the_others_stay() {
    let pod = Pod::new("restart-one");
    pod.up(LOGGING).code(0);
    let (pause, sidecar) = (pod.id("POD"), pod.id("s"));
    again(&pod, "restart", &["-c", "a"]).code(0);
    log(&pod, "i s a a-ends a");
    again(&pod, "restart", &["-c", "s"]).code(0);
    log(&pod, "i s a a-ends a s-ends s");
    assert_eq!(pod.id("POD"), pause);
    assert_ne!(pod.id("s"), sidecar);
    assert_eq!(row(&pod), "2/2 Running 2");
    pod.up(LOGGING).code(0).says(&["unchanged"]);
    let no_such = again(&pod, "restart", &["-c", "x"]).code(1);
    no_such.says(&["there is no container `x`: it has i, s, a"]);
    let init = again(&pod, "restart", &["-c", "i"]).code(1);
    init.says(&["restart the whole pod"]);
}

#[test]
fn a_pod_that_is_stopped_stays_so_until_it_is_started() {
    let pod = Pod::new("stop");
    let file = pod.file(LOGGING);
    pod.up(LOGGING).code(0);
    again(&pod, "stop", &[])
        .code(0)
        .says(&["is stopped: `podctl start"]);
    assert_eq!(row(&pod), "0/2 Stopped 0");
    assert_eq!(
        docker(&[
            "ps",
            "-q",
            "--filter",
            &format!("label=podctl.io/pod={}", pod.name)
        ]),
        ""
    );
    again(&pod, "stop", &[])
        .code(0)
        .says(&["is stopped already"]);
    let start = format!("`podctl start {}`", pod.name);
    pod.exec("a", &["true"])
        .code(125)
        .says(&["the pod is stopped: ", &start]);
    again(&pod, "wait", &["--timeout", "0"])
        .code(4)
        .says(&["is stopped: ", &start]);
    again(&pod, "restart", &["-c", "a"])
        .code(1)
        .says(&["it is stopped", &start]);
    assert_eq!(row(&pod), "0/2 Stopped 0");
    again(&pod, "start", &["--wait"]).code(0);
    log(&pod, "i s a a-ends s-ends i s a");
    assert_eq!(row(&pod), "2/2 Running 2");
    again(&pod, "stop", &[]).code(0);
    run(podctl().args(["up", &file]))
        .code(0)
        .says(&["is up: 3 containers started"]);
    assert_eq!(row(&pod), "2/2 Running 4");
    again(&pod, "stop", &[]).code(0);
    pod.down().code(0);
    pod.assert_nothing_left();
    again(&pod, "start", &[]).code(1).says(&["there is no pod"]);
}

/// Two drive the pod at the time: while the one reads the record, the other must not remove what it reads through.
#[test]
fn what_a_volume_holds_outlives_every_stop_and_start() {
    let pod = Pod::new("held");
    let attached = Attached::new(&pod, LOGGING, &[]);
    eventually("the pod is up", || said(&pod).contains("Up  "));
    let mut wanted = "i s a".to_owned();
    for _ in 0..4 {
        again(&pod, "stop", &[]).code(0);
        again(&pod, "start", &[]).code(0);
        wanted.push_str(" a-ends s-ends i s a");
        log(&pod, &wanted);
    }
    drop(attached);
}

#[test]
fn who_keeps_a_pod_alive_hears_of_it() {
    let pod = Pod::new("stop-attached");
    let mut attached = Attached::new(&pod, LOGGING, &[]);
    eventually("the pod is up", || said(&pod).contains("Up  "));
    again(&pod, "restart", &["-c", "a"]).code(0);
    log(&pod, "i s a a-ends a");
    again(&pod, "stop", &[]).code(0);
    eventually("it is told", || said(&pod).contains("podctl start"));
    assert_eq!(row(&pod), "0/2 Stopped 1");
    again(&pod, "start", &[]).code(0);
    log(&pod, "i s a a-ends a a-ends s-ends i s a");
    let out = run(podctl().args(["ps", "-a", "-o", "json"])).code(0).out;
    let list: Value = serde_json::from_str(&out).expect("JSON");
    let items = list["items"].as_array().expect("pods");
    let is_mine = |item: &&Value| item["metadata"]["name"] == pod.name.as_str();
    let mine = items.iter().find(is_mine).expect("the pod");
    assert_eq!(mine["status"]["reason"], Value::Null);
    let code = attached.interrupt();
    assert_eq!(code, 130, "{}", said(&pod));
    pod.assert_nothing_left();
}

#[test]
fn a_container_that_was_started_anew_has_a_past() {
    let pod = Pod::new("past");
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'test -f /v/n && echo second || echo first; touch /v/n; sleep 1000'], volumeMounts: [{name: v, mountPath: /v}]}
  volumes: [{name: v, emptyDir: {}}]
";
    pod.up(manifest).code(0);
    eventually("it has spoken", || {
        run(podctl().args(["logs", &pod.name]))
            .out
            .contains("first")
    });
    again(&pod, "restart", &["-c", "a"]).code(0);
    eventually("it has spoken again", || {
        run(podctl().args(["logs", &pod.name]))
            .out
            .contains("second")
    });
    let previous = run(podctl().args(["logs", "--previous", &pod.name]))
        .code(0)
        .out;
    assert_eq!(previous, "first\n");
    let path = "jsonpath={.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].lastState.terminated.exitCode}";
    let status = run(podctl().args(["get", "pod", &pod.name, "-o", path])).out;
    assert!(status.starts_with("1 ") && status.len() > 2, "{status}");
    // The next one takes its place.
    again(&pod, "restart", &["-c", "a"]).code(0);
    assert_eq!(pod.ids("a").len(), 2);
}
