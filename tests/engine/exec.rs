//! `podctl exec`.

use std::process::{Command, Stdio};

use super::support::{Pod, docker, eventually, podctl, run, run_with_input};
use super::up::TWO;

#[test]
fn codes_are_passed_on() {
    let pod = Pod::new("codes");
    pod.up(TWO).code(0);
    for (script, code) in [
        ("exit 0", 0),
        ("exit 42", 42),
        ("kill -9 $$", 137),
        ("kill -TERM $$", 143),
    ] {
        pod.exec("a", &["sh", "-c", script]).code(code);
    }
    pod.exec("a", &["/no/such/program"])
        .code(127)
        .says(&["/no/such/program"]);
    pod.exec("a", &["/etc/passwd"]).code(126);
    let said = pod.exec("nobody", &["true"]);
    said.code(125).says(&["`nobody`", "a, b"]);
    run(podctl().args(["exec", "nobody-at-all", "--", "true"]))
        .code(125)
        .says(&["nobody-at-all"]);
}

#[test]
fn input_and_output_are_whole_and_kept_apart() {
    let pod = Pod::new("streams");
    pod.up(TWO).code(0);
    let args = ["exec", "-i", &pod.name, "-c", "a", "--", "wc", "-c"];
    let said = run_with_input(podctl().args(args), &vec![0; 3_000_000]).code(0);
    assert_eq!(said.out.trim(), "3000000");
    let said = pod
        .exec("a", &["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x"])
        .code(0);
    assert_eq!(said.out.len(), 3_000_000);
    let said = pod
        .exec("a", &["sh", "-c", "echo out; echo err >&2"])
        .code(0);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("out\n", "err\n"));
}

#[test]
fn the_first_container_is_meant_where_none_is_named() {
    let pod = Pod::new("default");
    pod.up(TWO).code(0);
    let said = run(podctl().args(["exec", &pod.name, "--", "hostname"])).code(0);
    assert_eq!(said.out.trim(), pod.name);
    said.says(&["running in container a (of a, b)"]);
}

/// kubectl: an init container is never meant, and an annotation says more than the order.
#[test]
fn the_container_that_runs_a_command_is_the_one_that_is_announced() {
    const NAME: &str = "echo $NAME";
    let pod = Pod::new("announced");
    pod.up(WITH_INIT).code(0);
    let said = run(podctl().args(["exec", &pod.name, "--", "sh", "-c", NAME])).code(0);
    assert_eq!(said.out.trim(), "a");
    said.says(&["running in container a (of i, a, g)"]);
    let annotated = WITH_INIT.replace(
        "{name: POD}",
        "{name: POD, annotations: {kubectl.kubernetes.io/default-container: g}}",
    );
    pod.up(&annotated).code(0);
    let said = run(podctl().args(["exec", &pod.name, "--", "sh", "-c", NAME])).code(0);
    assert_eq!((said.out.trim(), said.err.as_str()), ("g", ""));
}

const WITH_INIT: &str = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 1
  initContainers:
  - {name: i, image: busybox, imagePullPolicy: IfNotPresent, command: ['true']}
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600'], env: [{name: NAME, value: a}]}
  - {name: g, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600'], env: [{name: NAME, value: g}]}
";

/// Runs a line in a terminal of 40 rows and 120 columns.
fn in_terminal(line: &str) -> String {
    let line = format!("stty rows 40 cols 120; {line}");
    run(Command::new("script").args(["-qec", &line, "/dev/null"])).out
}

#[test]
fn a_terminal_has_its_size_from_the_start() {
    let pod = Pod::new("size");
    pod.up(TWO).code(0);
    let podctl = env!("CARGO_BIN_EXE_podctl");
    for _ in 0..20 {
        let said = in_terminal(&format!(
            "'{podctl}' exec -it {} -c a -- stty size",
            pod.name
        ));
        assert!(said.contains("40 120"), "{said}");
    }
}

#[test]
fn the_terminal_is_afterwards_as_it_was() {
    let pod = Pod::new("restored");
    pod.up(TWO).code(0);
    let podctl = env!("CARGO_BIN_EXE_podctl");
    for end in ["exit 3", "kill -9 $$"] {
        let line = format!(
            "before=$(stty -g); '{podctl}' exec -it {} -c a -- sh -c '{end}'; test \"$before\" = \"$(stty -g)\" && echo as-it-was",
            pod.name
        );
        let said = in_terminal(&line);
        assert!(said.contains("as-it-was"), "{said}");
    }
}

#[test]
fn without_a_terminal_the_flag_is_a_warning() {
    let pod = Pod::new("no-tty");
    pod.up(TWO).code(0);
    let said = run(podctl().args([
        "exec",
        "-it",
        &pod.name,
        "-c",
        "a",
        "--",
        "sh",
        "-c",
        "echo out; exit 5",
    ]));
    assert_eq!(said.out, "out\n");
    said.code(5).says(&["warning"]);
}

#[test]
fn a_command_whose_container_goes_away_has_not_ended_well() {
    let pod = Pod::new("gone");
    pod.up(TWO).code(0);
    let child = podctl()
        .args(["exec", &pod.name, "-c", "a", "--", "sleep", "1000"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("podctl");
    eventually("it runs", || pod.sh("b", "ps").contains("sleep 1000"));
    pod.down().code(0);
    let output = child.wait_with_output().expect("an end");
    assert!(!output.status.success());
}

#[test]
fn completion_offers_what_is_there() {
    let pod = Pod::new("tab");
    pod.up(TWO).code(0);
    let script = run(podctl().args(["completion", "bash"])).code(0).out;
    assert!(script.contains("podctl"));
    let complete = |words: &[&str]| {
        let index = (words.len() - 1).to_string();
        let said = run(podctl()
            .env("COMPLETE", "bash")
            .env("_CLAP_COMPLETE_INDEX", index)
            .env("_CLAP_COMPLETE_COMP_TYPE", "9")
            .env("_CLAP_COMPLETE_SPACE", "true")
            .env("_CLAP_IFS", "\n")
            .arg("--")
            .args(words));
        assert_eq!(said.err, "");
        said.out
    };
    assert!(
        complete(&["podctl", "logs", "t-tab"])
            .lines()
            .any(|line| line == pod.name)
    );
    let containers = complete(&["podctl", "exec", "-it", &pod.name, "-c", ""]);
    assert_eq!(containers.lines().collect::<Vec<_>>(), ["a", "b"]);
    let said = run(podctl()
        .env("COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", "2")
        .env("DOCKER_HOST", "unix:///nonexistent.sock")
        .args(["--", "podctl", "logs", ""]));
    assert!(
        !said.out.contains(&pod.name) && said.err.is_empty(),
        "{} {}",
        said.out,
        said.err
    );
    drop(docker(&["version", "--format", "x"]));
}
