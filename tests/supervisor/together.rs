//! Several commands at work on one pod, and the supervisor beside them: one outcome, and no half pod. `PODCTL_ROUNDS` says how often.

use std::process::{Child, Stdio};

use super::support::{Pod, docker, eventually, run};
use super::{beside_others, podctl, up};

const TWO: &str = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600'], readinessProbe: {exec: {command: ['true']}, periodSeconds: 1}}
  - {name: b, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}
";

fn rounds() -> usize {
    let set = std::env::var("PODCTL_ROUNDS").ok();
    set.and_then(|n| n.parse().ok()).unwrap_or(3)
}

fn begin(args: &[&str]) -> Child {
    let mut command = podctl();
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().expect("podctl")
}

fn end(mut child: Child) -> Option<i32> {
    child.wait().expect("an end").code()
}

/// How many processes of each kind run, or nothing at all of the pod.
fn kinds(pod: &Pod, sleeps: &[&str]) -> Vec<usize> {
    let processes = pod.exec("a", &["ps"]).out;
    let n = |sleep: &&str| processes.matches(*sleep).count();
    sleeps.iter().map(n).collect()
}

#[test]
fn of_two_files_and_of_ten_clients_there_is_one_outcome() {
    let _shared = beside_others();
    for _ in 0..rounds() {
        let pod = Pod::new("one");
        let files = [("1.yaml", "3600"), ("2.yaml", "3601")].map(|(name, sleep)| {
            let text = TWO.replace("POD", &pod.name).replace("3600", sleep);
            pod.folder.write(name, text)
        });
        let clients = files.iter().map(|file| begin(&["up", file]));
        let codes: Vec<_> = clients.collect::<Vec<_>>().into_iter().map(end).collect();
        assert_eq!(codes, [Some(0); 2]);
        eventually("one of the two is there, whole", || {
            let kinds = kinds(&pod, &["sleep 3600", "sleep 3601"]);
            kinds == [2, 0] || kinds == [0, 2]
        });
        let clients: Vec<_> = (0..10).map(|_| begin(&["up", &files[0]])).collect();
        let codes: Vec<_> = clients.into_iter().map(end).collect();
        assert_eq!(codes, [Some(0); 10]);
        eventually("it is what ten wanted", || {
            kinds(&pod, &["sleep 3600", "sleep 3601"]) == [2, 0]
        });
        let of_pod = format!("label=podctl.io/pod={}", pod.name);
        assert_eq!(
            docker(&["ps", "-q", "--filter", &of_pod]).lines().count(),
            3
        );
        run(podctl().args(["down", &pod.name])).code(0);
        pod.assert_nothing_left();
    }
}

/// One of its containers is always about to be started again.
#[test]
fn up_against_down_leaves_a_pod_or_nothing() {
    let _shared = beside_others();
    let crashing = format!(
        "{TWO}  - {{name: c, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '0.1']}}\n"
    );
    for _ in 0..rounds() {
        let pod = Pod::new("against");
        up(&pod, &crashing, &[]).code(0);
        let file = pod.folder.0.join("pod.yaml").display().to_string();
        let clients = [begin(&["down", &pod.name]), begin(&["up", &file])];
        for client in clients {
            end(client);
        }
        eventually("it is whole, or gone", || {
            pod.inventory().is_empty() || kinds(&pod, &["sleep 3600"]) == [2]
        });
        run(podctl().args(["down", &pod.name])).code(0);
        eventually("nothing is left", || pod.inventory().is_empty());
    }
}
