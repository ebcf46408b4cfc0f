//! `run`: a pod as a test. Its code, its words, its report; and nothing is left of it.

use std::process::Stdio;

use super::support::{Pod, Said, eventually, podctl, podctl_itself, run};

const JOB: &str = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  initContainers:
  - {name: prepare, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'echo prepared']}
  - {name: side, image: busybox, imagePullPolicy: IfNotPresent, restartPolicy: Always, command: [sleep, '3600']}
  containers:
  - {name: test, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'echo from-the-test; exit 7']}
";

#[test]
fn the_code_of_the_container_that_failed_is_that_of_the_command() {
    let pod = Pod::new("job");
    let junit = pod.folder.0.join("junit.xml");
    let file = pod.file(JOB);
    let said = run(podctl().arg("run").arg(&file).arg("--junit").arg(&junit)).code(7);
    assert!(
        said.out.contains("from-the-test") && said.out.contains("prepared"),
        "{}",
        said.out
    );
    let report = std::fs::read_to_string(junit).expect("a report");
    for expected in ["testcase name=\"test\"", "failures=\"1\"", "from-the-test"] {
        assert!(report.contains(expected), "{report}");
    }
    pod.assert_nothing_left();
}

#[test]
fn the_pod_may_end_with_one_of_its_containers() {
    let pod = Pod::new("from");
    let manifest = format!(
        "{JOB}  - {{name: db, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}}\n"
    );
    let file = pod.file(&manifest.replace("exit 7", "exit 0"));
    run(podctl().args(["run", &file, "--exit-code-from", "test"])).code(0);
    pod.assert_nothing_left();
    run(podctl().args(["run", &file, "--timeout", "3s"])).code(4);
    pod.assert_nothing_left();
}

#[test]
fn a_pod_that_never_ends_is_refused() {
    let pod = Pod::new("never");
    let file = pod.file(&JOB.replace("restartPolicy: Never", "restartPolicy: Always"));
    run(podctl().args(["run", &file]))
        .code(2)
        .says(&["never ends"]);
    pod.assert_nothing_left();
}

/// kubelet: NB-INIT-04.
#[test]
fn an_init_container_that_fails_ends_the_run() {
    let pod = Pod::new("init");
    let file = pod.file(&JOB.replace("echo prepared", "exit 5"));
    run(podctl().args(["run", &file]))
        .code(5)
        .says(&["prepare"]);
    pod.assert_nothing_left();
}

const WAITS: &str = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 5
  containers:
  - {name: test, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'trap \"echo term; exit 9\" TERM; trap \"echo user\" USR1; echo begun; while :; do sleep 0.1; done']}
";

/// In the background.
fn begin(args: &[&str]) -> std::process::Child {
    podctl_itself()
        .arg("run")
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("podctl")
}

#[test]
fn a_run_that_is_cancelled_passes_the_signal_on_and_leaves_its_report() {
    let pod = Pod::new("cancelled");
    let junit = pod.folder.0.join("junit.xml").display().to_string();
    let child = begin(&["--junit", &junit, &pod.file(WAITS)]);
    let has = |word: &str| run(podctl().args(["logs", &pod.name])).out.contains(word);
    eventually("it has begun", || has("begun"));
    let signal = |name: &str| {
        let id = child.id().to_string();
        run(std::process::Command::new("kill").args([name, &id])).code(0);
    };
    signal("-USR1");
    eventually("the signal has come", || has("user"));
    signal("-TERM");
    let end = Said::new(&child.wait_with_output().expect("an end"));
    assert_eq!(end.code, 9, "{}", end.err);
    let report = std::fs::read_to_string(&junit).expect("a report");
    assert!(
        report.contains("ended with the code 9") && report.contains("term"),
        "{report}"
    );
    // What it said last is shown too.
    assert!(end.out.contains("term"), "{}", end.out);
    pod.assert_nothing_left();
}

#[test]
fn told_twice_a_run_ends_at_once() {
    let pod = Pod::new("twice");
    let deaf = WAITS
        .replace("PeriodSeconds: 5", "PeriodSeconds: 600")
        .replace("exit 9", "true");
    let child = begin(&[&pod.file(&deaf)]);
    let has = |word: &str| run(podctl().args(["logs", &pod.name])).out.contains(word);
    eventually("it has begun", || has("begun"));
    let end_it = || {
        let id = child.id().to_string();
        run(std::process::Command::new("kill").args(["-TERM", &id])).code(0);
    };
    end_it();
    eventually("it was passed on", || has("term"));
    end_it();
    let end = Said::new(&child.wait_with_output().expect("an end"));
    assert_ne!(end.code, 0, "{}", end.err);
    pod.assert_nothing_left();
}

#[test]
fn what_cannot_be_started_has_failed() {
    let missing = "command: [/no/such/program]";
    for (which, command) in [
        ("init", "command: [sh, -c, 'echo prepared']"),
        ("app", "command: [sh, -c, 'echo from-the-test; exit 7']"),
    ] {
        let pod = Pod::new("refused");
        let junit = pod.folder.0.join("junit.xml").display().to_string();
        let file = pod.file(&JOB.replace(command, missing));
        let said = run(podctl().args(["run", "--junit", &junit, &file]));
        said.code(127)
            .says(&["could not be started", "/no/such/program"]);
        let report = std::fs::read_to_string(&junit).expect("a report");
        assert!(report.contains("failures=\"1\""), "{which}: {report}");
        pod.assert_nothing_left();
    }
}

#[test]
fn when_time_is_up_what_obeys_has_failed_all_the_same() {
    let pod = Pod::new("obeys");
    let junit = pod.folder.0.join("junit.xml").display().to_string();
    let file = pod.file(&WAITS.replace("exit 9", "exit 0"));
    let said = run(podctl().args(["run", "--junit", &junit, "--timeout", "3s", &file]));
    said.code(4).says(&["these had not ended"]);
    let report = std::fs::read_to_string(&junit).expect("a report");
    assert!(
        report.contains("failures=\"1\"") && report.contains("time was up"),
        "{report}"
    );
    // So has the deadline of the pod itself.
    let file = pod.file(&WAITS.replace("spec:\n", "spec:\n  activeDeadlineSeconds: 2\n"));
    run(podctl().args(["run", "--junit", &junit, &file])).code(1);
    let report = std::fs::read_to_string(&junit).expect("a report");
    assert!(
        report.contains("failures=\"1\"") && report.contains("activeDeadline"),
        "{report}"
    );
    pod.assert_nothing_left();
}

#[test]
fn when_time_is_up_that_is_said_and_the_report_is_written() {
    let pod = Pod::new("late");
    let junit = pod.folder.0.join("junit.xml").display().to_string();
    let deaf = WAITS
        .replace("PeriodSeconds: 5", "PeriodSeconds: 0")
        .replace("exit 9", "true");
    let said = run(podctl().args([
        "run",
        "--junit",
        &junit,
        "--timeout",
        "3s",
        &pod.file(&deaf),
    ]));
    said.code(4).says(&["time is up"]);
    let report = std::fs::read_to_string(&junit).expect("a report");
    assert!(
        report.contains("had not ended") && report.contains("begun"),
        "{report}"
    );
    pod.assert_nothing_left();
}

#[test]
fn what_was_ended_with_the_pod_has_not_failed() {
    let pod = Pod::new("ended");
    let manifest = format!(
        "{JOB}  - {{name: db, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'echo db; sleep 3600']}}\n"
    );
    let junit = pod.folder.0.join("junit.xml").display().to_string();
    let file = pod.file(&manifest.replace("exit 7", "exit 0"));
    run(podctl().args(["run", &file, "--exit-code-from", "test", "--junit", &junit])).code(0);
    let report = std::fs::read_to_string(&junit).expect("a report");
    assert!(
        report.contains("failures=\"0\"") && report.contains(">db"),
        "{report}"
    );
}

#[test]
fn what_is_left_of_a_run_before_is_not_taken_for_this_one() {
    let pod = Pod::new("anew");
    let job = JOB.replace("echo from-the-test; exit 7", "echo once; exit 0");
    pod.up(&job).code(0);
    run(podctl().args(["wait", &pod.name, "--for=completed"])).code(0);
    let file = pod.file(&job.replace("echo once; exit 0", "echo twice; exit 3"));
    let said = run(podctl().args(["run", &file]))
        .code(3)
        .says(&["has ended before"]);
    assert!(
        said.out.contains("twice") && !said.out.contains("once"),
        "{}",
        said.out
    );
    pod.assert_nothing_left();
    // One that runs is somebody's.
    pod.up(WAITS).code(0);
    run(podctl().args(["run", &file]))
        .code(1)
        .says(&["has not ended", "podctl down"]);
    assert_eq!(pod.exec("test", &["true"]).code, 0);
}
