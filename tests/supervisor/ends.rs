//! What has ended stays so, whoever looks and whatever is removed of it.

use super::life::kill_the_supervisor;
use super::support::{Pod, docker, eventually, run};
use super::{alone, beside_others, get, podctl, told, up};

const JOB: &str = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: ['true']}
";

fn phase(pod: &Pod) -> String {
    get(pod, ".status.phase")
}

fn remove(ids: &[String]) {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    docker(&[&["rm", "-f"], &ids[..]].concat());
}

/// Waits until it is kept again.
fn another_supervisor(pod: &Pod) {
    let has_begun = kill_the_supervisor();
    eventually("the engine has started it again", has_begun);
    eventually("it keeps the pod", || {
        let said = run(podctl().args(["supervise", "--logs"])).out;
        let keeps = format!("Keeping     pod {}", pod.name);
        said.lines().filter(|line| line.ends_with(&keeps)).count() > 1
    });
}

#[test]
fn a_job_whose_containers_are_removed_does_not_run_again() {
    let _alone = alone();
    let pod = Pod::new("pruned");
    up(&pod, JOB, &[]).code(0);
    eventually("it is told that it has ended well", || {
        phase(&pod) == "Succeeded" && told(&pod).contains("\"failed\":false")
    });
    remove(&pod.ids("a"));
    another_supervisor(&pod);
    up(&pod, JOB, &[]).code(0).says(&["unchanged"]);
    assert_eq!(pod.ids("a"), Vec::<String>::new());
    assert_eq!(phase(&pod), "Succeeded");
    // Who wants it to run again says so.
    run(podctl().args(["restart", &pod.name])).code(0);
    assert_eq!(pod.ids("a").len(), 1);
    eventually("it has ended well again", || phase(&pod) == "Succeeded");
}

#[test]
fn a_pod_past_its_deadline_is_not_started_by_another_up() {
    let _shared = beside_others();
    let pod = Pod::new("deadline");
    let manifest = JOB.replace("restartPolicy: Never", "activeDeadlineSeconds: 5");
    let manifest = manifest.replace("'true'", "sleep, '1000'");
    up(&pod, &manifest, &[]).code(0);
    eventually("its time is over", || {
        get(&pod, ".status.reason") == "DeadlineExceeded"
    });
    let all = pod.ids("a");
    up(&pod, &manifest, &[])
        .code(1)
        .says(&["(activeDeadlineSeconds) is over"]);
    assert_eq!(pod.ids("a"), all);
    assert_ne!(pod.exec("a", &["true"]).code, 0);
}

#[test]
fn a_job_that_was_stopped_before_its_end_has_not_ended() {
    let _shared = beside_others();
    let pod = Pod::new("stopped-job");
    let job = JOB.replace("'true'", "sleep, '1000'");
    up(&pod, &job, &[]).code(0);
    for go_on in [&["start"][..], &["up", "-f"]] {
        run(podctl().args(["stop", &pod.name])).code(0);
        let file = pod.file(&job);
        let what = if go_on.len() == 1 { &pod.name } else { &file };
        run(podctl().args(go_on).arg(what)).code(0);
        eventually("it runs", || pod.exec("a", &["true"]).code == 0);
        // Who keeps it has seen it begin again.
        eventually("it is told so", || phase(&pod) == "Running");
    }
}

#[test]
fn a_stopped_pod_whose_containers_are_removed_is_started_again() {
    let _shared = beside_others();
    let pod = Pod::new("stopped-pruned");
    let manifest = JOB.replace("'true'", "sleep, '1000'");
    up(&pod, &manifest, &[]).code(0);
    run(podctl().args(["stop", &pod.name])).code(0);
    let mut all = pod.ids("a");
    all.extend(pod.ids("POD"));
    remove(&all);
    run(podctl().args(["start", &pod.name])).code(0);
    assert_eq!(pod.exec("a", &["true"]).code, 0);
}

/// An engine carries out what it was asked for, also where the pod is gone meanwhile.
#[test]
fn what_is_made_of_a_pod_that_is_gone_is_removed() {
    let _shared = beside_others();
    let pod = Pod::new("late");
    up(&pod, &JOB.replace("'true'", "sleep, '1000'"), &[]).code(0);
    let format = "{{range $key, $value := .Config.Labels}}{{$key}}={{$value}}{{\"\\n\"}}{{end}}";
    let labels = docker(&["inspect", "-f", format, &pod.id("a")]);
    run(podctl().args(["down", &pod.name])).code(0);
    let file = pod.folder.write("labels", labels);
    let name = format!("{}-late", pod.name);
    docker(&["create", "--name", &name, "--label-file", &file, "busybox"]);
    assert_eq!(pod.ids("a").len(), 1);
    eventually("it is removed", || pod.ids("a").is_empty());
}
