//! A pod's life goes on when the command is over: probes, restarts; and beside commands that are at work on it.

use super::support::{Pod, docker, eventually, run};
use super::{alone, beside_others, get, podctl, podctl_itself, supervisor, up};

#[test]
fn probes_are_asked_and_answered_once_the_command_is_over() {
    let _shared = beside_others();
    let pod = Pod::new("probes");
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: a
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, 'touch /live; sleep 1000']
    livenessProbe: {exec: {command: [test, -f, /live]}, periodSeconds: 1, failureThreshold: 1}
    readinessProbe: {exec: {command: [test, -f, /ready]}, periodSeconds: 1}
";
    up(&pod, manifest, &[]).code(0);
    let ready = || get(&pod, ".status.containerStatuses[0].ready");
    assert_eq!(ready(), "false");
    pod.sh("a", "touch /ready");
    run(podctl().args(["wait", &pod.name, "--timeout", "30s"])).code(0);
    pod.sh("a", "rm /live");
    eventually("it is started again for its liveness probe", || {
        get(&pod, ".status.containerStatuses[0].restartCount") == "1"
    });
    assert_eq!(ready(), "false");
}

#[test]
fn what_ends_is_started_again_with_back_off() {
    let _alone = alone();
    let pod = Pod::new("crash");
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'sleep 0.5; exit 3']}
";
    up(&pod, manifest, &[]).code(0);
    eventually("it waits", || {
        get(&pod, ".status.containerStatuses[0].state.waiting.reason") == "CrashLoopBackOff"
    });
    assert_eq!(get(&pod, ".status.containerStatuses[0].restartCount"), "1");
    assert_eq!(
        get(
            &pod,
            ".status.containerStatuses[0].lastState.terminated.exitCode"
        ),
        "3"
    );
    // The step is not forgotten with the supervisor: what has been waited for 10 s is waited for 20 s next.
    let step = || {
        let label = "{{index .Config.Labels \"podctl.io/restart\"}}";
        docker(&["inspect", "-f", label, &pod.ids("a")[0]])
    };
    eventually("the next one waits", || step().starts_with("10000,"));
    let has_begun = kill_the_supervisor();
    eventually("the engine has started it again", has_begun);
    eventually("the one after it waits for longer", || {
        step().starts_with("20000,")
    });
    assert_eq!(get(&pod, ".status.containerStatuses[0].restartCount"), "2");
}

#[test]
fn a_long_hook_holds_back_what_comes_after_it() {
    let _shared = beside_others();
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 0
  volumes: [{name: v, emptyDir: {}}]
  containers:
  - name: a
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sleep, '1000']
    volumeMounts: [{name: v, mountPath: /v}]
    lifecycle: {postStart: {exec: {command: [sh, -c, 'sleep 6; touch /v/hooked']}}}
  - name: b
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, 'ls /v; sleep 1000']
    volumeMounts: [{name: v, mountPath: /v}]
";
    let pod = Pod::new("hook");
    up(&pod, manifest, &[]).code(0);
    assert_eq!(
        run(podctl().args(["logs", &pod.name, "-c", "b"])).out,
        "hooked\n"
    );
    // Who ran it may be gone before its end.
    let pod = Pod::new("hooked");
    let mut command = podctl_itself()
        .args(["up", "-q", &pod.file(manifest)])
        .spawn()
        .expect("podctl");
    eventually("the hook runs", || {
        pod.exec("a", &["ps"]).out.contains("sleep 6")
    });
    command.kill().expect("a kill");
    command.wait().expect("its end");
    eventually("it is up", || get(&pod, ".status.phase") == "Running");
    eventually("it has said something", || {
        !run(podctl().args(["logs", &pod.name, "-c", "b"]))
            .out
            .is_empty()
    });
    assert_eq!(
        run(podctl().args(["logs", &pod.name, "-c", "b"])).out,
        "hooked\n"
    );
}

#[test]
fn a_job_runs_to_its_end_and_is_not_started_again() {
    let _shared = beside_others();
    let pod = Pod::new("job");
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  restartPolicy: OnFailure
  terminationGracePeriodSeconds: 0
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'test -f /data/once && exit 0; touch /data/once; exit 1'], volumeMounts: [{name: data, mountPath: /data}]}
  volumes: [{name: data, emptyDir: {}}]
";
    up(&pod, manifest, &[]).code(0);
    run(podctl().args(["wait", &pod.name, "--for=completed", "--timeout", "40s"])).code(0);
    assert_eq!(get(&pod, ".status.phase"), "Succeeded");
}

const READY: &str = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: a
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sleep, '1000']
    env: [{name: GREETING, value: '1'}]
    readinessProbe: {exec: {command: ['true']}, periodSeconds: 1}
  - {name: b, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '1000']}
";

#[test]
fn one_that_is_killed_goes_on_where_it_was() {
    let _alone = alone();
    let pod = Pod::new("killed");
    up(&pod, READY, &["--wait", "--timeout", "60s"]).code(0);
    kill_the_supervisor_beside(&pod);
    assert_eq!(get(&pod, ".status.containerStatuses[0].restartCount"), "0");
    // Nor for what is left of a life before.
    let pause = pod.id("POD");
    docker(&["kill", &pause]);
    eventually("it is repaired", || {
        pod.ids("POD").first().is_some_and(|id| *id != pause)
            && get(&pod, ".status.conditions[?(@.type==\"Ready\")].status") == "True"
    });
    kill_the_supervisor_beside(&pod);
    assert_eq!(get(&pod, ".status.containerStatuses[0].restartCount"), "1");
}

/// As a crash does. Gives whether the engine has started it again.
pub(super) fn kill_the_supervisor() -> impl Fn() -> bool {
    let id = supervisor().expect("a supervisor");
    let pid = docker(&["inspect", "-f", "{{.State.Pid}}", &id]);
    run(std::process::Command::new("kill").args(["-9", &pid])).code(0);
    move || {
        docker(&["inspect", "-f", "{{.State.Pid}} {{.State.Running}}", &id])
            .split_once(' ')
            .is_some_and(|(now, runs)| now != pid && runs == "true")
    }
}

/// It comes back, and is at work; and the pod has not seen any of it.
#[track_caller]
fn kill_the_supervisor_beside(pod: &Pod) {
    let newest = |name: &str| pod.ids(name).first().cloned().unwrap_or_default();
    let containers = ["POD", "a", "b"].map(newest);
    let has_begun = kill_the_supervisor();
    // No ready pod becomes unready for that.
    for _ in 0..20 {
        assert_eq!(get(pod, ".status.containerStatuses[0].ready"), "true");
    }
    eventually("the engine has started it again", has_begun);
    docker(&["kill", &containers[2]]);
    eventually("it is at work", || newest("b") != containers[2]);
    assert_eq!(["POD", "a"].map(newest), containers[..2]);
}

#[test]
fn a_changed_file_is_brought_in_beside_it_once() {
    let _shared = beside_others();
    let pod = Pod::new("change");
    up(&pod, READY, &["--wait", "--timeout", "60s"]).code(0);
    let (pause, b) = (pod.id("POD"), pod.id("b"));
    let changed = READY.replace("value: '1'", "value: '2'");
    up(&pod, &changed, &["--wait", "--timeout", "60s"]).code(0);
    assert_eq!(pod.sh("a", "echo $GREETING"), "2");
    assert_eq!((pod.id("POD"), pod.id("b")), (pause, b));
    assert_eq!(get(&pod, ".status.containerStatuses[0].restartCount"), "1");
    up(&pod, &changed, &[]).code(0).says(&["unchanged"]);
}

#[test]
fn commands_beside_it_are_heard_and_carried_on() {
    let _shared = beside_others();
    let pod = Pod::new("beside");
    up(&pod, READY, &["--wait", "--timeout", "60s"]).code(0);
    run(podctl().args(["stop", &pod.name])).code(0);
    // It stays so.
    let count = || {
        docker(&[
            "ps",
            "-q",
            "--filter",
            &format!("label=podctl.io/pod={}", pod.name),
        ])
    };
    assert_eq!(count(), "");
    run(podctl().args(["start", &pod.name, "--wait", "--timeout", "60s"])).code(0);
    let a = pod.id("a");
    run(podctl().args([
        "restart",
        &pod.name,
        "-c",
        "a",
        "--wait",
        "--timeout",
        "60s",
    ]))
    .code(0);
    assert_ne!(pod.id("a"), a);
    run(podctl().args(["down", &pod.name])).code(0);
    pod.assert_nothing_left();
}

#[test]
fn a_pod_that_somebody_stays_with_is_left_to_them() {
    let _shared = beside_others();
    let pod = Pod::new("attached");
    let other = Pod::new("other");
    up(&other, READY, &[]).code(0);
    let mut attached = podctl()
        .args(["up", "--attach", &pod.file(READY)])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("podctl");
    run(podctl().args(["wait", &pod.name, "--timeout", "30s"]));
    eventually("it is there", || get(&pod, ".status.phase") == "Running");
    let id = supervisor().expect("a supervisor");
    let logs = docker(&["logs", &id]);
    assert!(!logs.contains(&pod.name), "{logs}");
    run(std::process::Command::new("kill").args(["-INT", &attached.id().to_string()])).code(0);
    attached.wait().expect("its end");
    pod.assert_nothing_left();
}

#[test]
fn what_a_command_that_was_killed_has_begun_is_brought_to_its_end() {
    let _shared = beside_others();
    let other = Pod::new("others");
    up(&other, READY, &[]).code(0);
    let pod = Pod::new("begun");
    let file = pod.file(READY);
    let begin = |args: &[&str]| {
        podctl_itself()
            .args(args)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("podctl")
    };
    let kill = |mut process: std::process::Child| {
        process.kill().expect("a kill");
        process.wait().expect("its end");
    };
    let up = begin(&["up", &file]);
    eventually("the pause is made", || !pod.ids("POD").is_empty());
    kill(up);
    run(podctl().args(["wait", &pod.name, "--timeout", "60s"])).code(0);
    let down = begin(&["down", &pod.name]);
    let deletion = format!("podctl_default_{}__deletion", pod.name);
    eventually("the wish is there", || {
        docker(&["volume", "ls", "-q"])
            .lines()
            .any(|name| name == deletion)
    });
    kill(down);
    eventually("nothing is left", || pod.inventory().is_empty());
}
