//! Several podctl at work on one pod.

use std::process::{Child, Stdio};

use super::support::{Pod, docker, podctl, run};
use super::up::TWO;

fn start(pod: &Pod, name: &str, manifest: &str) -> Child {
    let file = pod.folder.write(name, manifest.replace("POD", &pod.name));
    podctl()
        .args(["up", &file])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("podctl")
}

fn end(child: Child) -> String {
    let output = child.wait_with_output().expect("an end");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{err}");
    err
}

#[test]
fn two_of_one_file_make_one_pod() {
    for _ in 0..3 {
        let pod = Pod::new("two");
        let children = [start(&pod, "1.yaml", TWO), start(&pod, "2.yaml", TWO)];
        children.into_iter().for_each(|child| drop(end(child)));
        for container in ["POD", "a", "b"] {
            assert_eq!(pod.ids(container).len(), 1, "{container}");
        }
        assert_eq!(pod.sh("a", "ps").matches("sleep 3600").count(), 2);
        pod.down().code(0);
        pod.assert_nothing_left();
    }
}

/// The network may be there already, for other tests.
#[test]
fn of_two_pods_one_makes_the_network() {
    let (one, other) = (Pod::new("net-one"), Pod::new("net-other"));
    let files = [one.file(TWO), other.file(TWO)];
    let said = run(podctl().arg("up").args(&files)).code(0);
    assert!(
        said.err.matches("Created     network").count() <= 1,
        "{}",
        said.err
    );
}

#[test]
fn of_two_files_the_last_wins_and_the_other_is_told() {
    for _ in 0..5 {
        let pod = Pod::new("race");
        // The other knows an image that the first has not looked at.
        let image = format!("{}:1", pod.name);
        docker(&["tag", "busybox:latest", &image]);
        let other = TWO
            .replace("3600", "3601")
            .replace("image: busybox", &format!("image: '{image}'"));
        let said = [start(&pod, "1.yaml", TWO), start(&pod, "2.yaml", &other)].map(end);
        let processes = pod.sh("a", "ps");
        let (first, second) = (
            processes.matches("sleep 3600").count(),
            processes.matches("sleep 3601").count(),
        );
        assert!(
            (first, second) == (2, 0) || (first, second) == (0, 2),
            "{processes}"
        );
        // What was started and overtaken may be kept for what it said.
        let kept = |container: &str| pod.ids(container).len();
        assert!(
            kept("POD") == 1 && kept("a") <= 2 && kept("b") <= 2,
            "{said:?}"
        );
        pod.down().code(0);
        docker(&["rmi", "-f", &image]);
    }
}

#[test]
fn ten_of_one_file_make_one_pod() {
    let pod = Pod::new("ten");
    let children: Vec<Child> = (0..10)
        .map(|i| start(&pod, &format!("{i}.yaml"), TWO))
        .collect();
    children.into_iter().for_each(|child| drop(end(child)));
    for container in ["POD", "a", "b"] {
        assert_eq!(pod.ids(container).len(), 1, "{container}");
    }
}
