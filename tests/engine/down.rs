//! `podctl down`.

use shows::shows;
use std::time::Instant;

use super::support::{Folder, Pod, docker, eventually, podctl, run, unique};
use super::up::TWO;

/// kubelet: NB-POD-02.
#[test]
fn nothing_of_the_pod_is_left() {
    let pod = Pod::new("down");
    let manifest = TWO.replacen("command: [sleep, '3600']", "command: [sleep, '3600'], volumeMounts: [{name: d, mountPath: /d}, {name: m, mountPath: /m}]", 1)
        + "  volumes: [{name: d, emptyDir: {}}, {name: m, emptyDir: {medium: Memory}}]\n";
    pod.up(&manifest).code(0);
    assert_eq!(pod.inventory().len(), 6);
    pod.down().code(0);
    pod.assert_nothing_left();
}

#[test]
fn a_pod_that_is_not_there_is_no_fault() {
    run(podctl().args(["down", &unique("nobody")]))
        .code(0)
        .says(&["is not there"]);
}

#[test]
fn a_pod_may_be_named_by_its_file() {
    let pod = Pod::new("by-file");
    pod.up(TWO).code(0);
    run(podctl().arg("down").arg(pod.file(TWO))).code(0);
    pod.assert_nothing_left();
    pod.up(TWO).code(0);
    run(podctl().args(["down", &format!("pod/{}", pod.name)])).code(0);
    pod.assert_nothing_left();
}

/// A container that writes what it is told into a folder of the machine.
fn writer(trap: &str, folder: &Folder, grace: u32) -> String {
    format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: POD}}
spec:
  terminationGracePeriodSeconds: {grace}
  containers:
  - name: a
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, '{trap}; touch /out/ready; while true; do sleep 0.1; done']
    volumeMounts: [{{name: out, mountPath: /out}}]
  volumes: [{{name: out, hostPath: {{path: {}, type: Directory}}}}]
",
        folder.0.display()
    )
}

fn wait_ready(folder: &Folder) {
    super::support::eventually("the trap is set", || folder.0.join("ready").exists());
}

#[test]
fn a_container_ends_by_its_own_hand_within_the_grace_period() {
    let (pod, folder) = (Pod::new("gentle"), Folder::new());
    pod.up(&writer(
        r#"trap "sleep 1; touch /out/done; exit 0" TERM"#,
        &folder,
        20,
    ))
    .code(0);
    wait_ready(&folder);
    let begun = Instant::now();
    pod.down().code(0);
    assert!(folder.0.join("done").exists());
    assert!(begun.elapsed().as_secs() < 15);
}

/// kubelet: NBX-TERM-02.
#[shows("PodSpec.terminationGracePeriodSeconds")]
#[test]
fn a_deaf_container_is_killed_when_the_grace_period_is_over() {
    let (pod, folder) = (Pod::new("deaf"), Folder::new());
    pod.up(&writer(r#"trap "" TERM"#, &folder, 2)).code(0);
    wait_ready(&folder);
    let begun = Instant::now();
    pod.down().code(0);
    let took = begun.elapsed().as_secs_f32();
    assert!((2.0..10.0).contains(&took), "{took} s");
    pod.assert_nothing_left();
}

#[test]
fn the_flag_beats_the_manifests_grace_period() {
    let (pod, folder) = (Pod::new("impatient"), Folder::new());
    pod.up(&writer(r#"trap "" TERM"#, &folder, 600)).code(0);
    wait_ready(&folder);
    let begun = Instant::now();
    run(podctl().args(["down", "--timeout", "1", &pod.name])).code(0);
    assert!(begun.elapsed().as_secs() < 30);
}

#[test]
fn the_images_own_stop_signal_is_sent() {
    let (pod, folder) = (Pod::new("signal"), Folder::new());
    let image = format!("{}:1", pod.name);
    let container = docker(&["create", "--stop-signal", "SIGUSR1", "busybox", "sh"]);
    docker(&["commit", &container, &image]);
    docker(&["rm", &container]);
    let manifest = writer(
        r#"trap "touch /out/usr1; exit 0" USR1; trap "touch /out/term" TERM"#,
        &folder,
        20,
    );
    pod.up(&manifest.replace("image: busybox", &format!("image: '{image}'")))
        .code(0);
    wait_ready(&folder);
    let begun = Instant::now();
    pod.down().code(0);
    docker(&["rmi", "-f", &image]);
    assert!(folder.0.join("usr1").exists() && !folder.0.join("term").exists());
    assert!(begun.elapsed().as_secs() < 15);
}

#[test]
fn a_pod_half_made_is_taken_down() {
    let pod = Pod::new("half");
    pod.up(TWO).code(0);
    docker(&["rm", "-f", &pod.id("a")]);
    docker(&["kill", &pod.id("POD")]);
    pod.down().code(0);
    pod.assert_nothing_left();
}

#[test]
fn a_pod_that_is_being_taken_down_is_shown_so() {
    let pod = Pod::new("terminating");
    let deaf = TWO.replace(
        "[sleep, '3600']",
        "[sh, -c, 'trap \"\" TERM; while :; do sleep 1; done']",
    );
    pod.up(&deaf.replace("PeriodSeconds: 1", "PeriodSeconds: 6"))
        .code(0);
    let down = std::thread::scope(|scope| {
        let down = scope.spawn(|| pod.down());
        eventually("it is Terminating", || {
            let row = run(podctl().arg("ps")).out;
            row.lines()
                .any(|row| row.contains(&pod.name) && row.contains("Terminating"))
        });
        let path = "jsonpath={.metadata.deletionGracePeriodSeconds} {.metadata.deletionTimestamp}";
        let said = run(podctl().args(["get", "pod", &pod.name, "-o", path])).code(0);
        assert!(said.out.starts_with("6 20"), "{}", said.out);
        down.join().expect("an end")
    });
    down.code(0);
}
