//! `run`: a pod as a test. Its code, its words, its report; and nothing is left of it.

use super::support::{Pod, podctl, run};

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
