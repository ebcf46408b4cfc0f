//! `podctl logs`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::support::{Pod, docker, eventually, podctl, run};

fn talkers(a: &str, b: &str) -> String {
    format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: POD}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: a
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, '{a}; sleep 3600']
  - name: b
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, '{b}; sleep 3600']
"
    )
}

fn logs(pod: &Pod, args: &[&str]) -> String {
    run(podctl().args(["logs", &pod.name]).args(args))
        .code(0)
        .out
}

/// kubelet: NB-KUBELET-01.
#[test]
fn lines_are_whole_however_long_and_in_order() {
    let pod = Pod::new("long");
    let say = r#"i=0; while [ $i -lt 500 ]; do echo a$i; i=$((i+1)); done; head -c 40000 /dev/zero | tr "\0" x; echo; echo end"#;
    pod.up(&talkers(say, "echo from-b")).code(0);
    eventually("all is said", || {
        logs(&pod, &["-c", "a"]).ends_with("end\n")
    });
    let said = logs(&pod, &["-c", "a"]);
    let numbered: Vec<_> = said.lines().filter(|line| line.starts_with('a')).collect();
    assert_eq!(
        numbered,
        (0..500).map(|i| format!("a{i}")).collect::<Vec<_>>()
    );
    assert!(said.lines().any(|line| line == "x".repeat(40000)));
    assert_eq!(logs(&pod, &["-c", "a", "--tail", "3"]).lines().count(), 3);
    let all = logs(&pod, &["--tail", "1"]);
    assert!(
        all.contains("a | end") && all.contains("b | from-b"),
        "{all}"
    );
}

#[test]
fn bytes_stay_as_the_engine_has_them() {
    let pod = Pod::new("bytes");
    let say =
        r"printf x; i=0; while [ $i -lt 5667 ]; do printf \\342\\202\\254; i=$((i+1)); done; echo";
    pod.up(&talkers(say, "true")).code(0);
    eventually("all is said", || logs(&pod, &["-c", "a"]).ends_with('\n'));
    assert_eq!(logs(&pod, &["-c", "a"]), format!("x{}\n", "€".repeat(5667)));
}

#[test]
fn all_containers_lines_come_in_the_order_of_time() {
    let pod = Pod::new("order");
    let count = |first: u32| {
        format!(
            "i={first}; while [ $i -le 10 ]; do while [ $(cat /box/n) -lt $i ]; do sleep 0.02; done; echo $i; i=$((i+2)); sleep 0.02; echo $((i-1)) >/box/t; mv /box/t /box/n; done"
        )
    };
    let manifest = talkers(
        &count(1).replacen("i=1;", "echo 1 >/box/n; i=1;", 1),
        &format!("while ! [ -s /box/n ]; do sleep 0.05; done; {}", count(2)),
    )
    .replace(
        "3600']",
        "3600']\n    volumeMounts: [{name: box, mountPath: /box}]",
    ) + "  volumes: [{name: box, emptyDir: {}}]\n";
    pod.up(&manifest).code(0);
    eventually("all is said", || logs(&pod, &[]).contains("10"));
    let numbers: Vec<u32> = logs(&pod, &[])
        .lines()
        .map(|line| {
            line.rsplit(' ')
                .next()
                .expect("a word")
                .parse()
                .expect("a number")
        })
        .collect();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
    let stamped = logs(&pod, &["--timestamps"]);
    let times: Vec<&str> = stamped
        .lines()
        .map(|line| line.split(' ').nth(2).expect("a time"))
        .collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn following_goes_on_across_a_new_container_and_ends_with_the_pod() {
    let pod = Pod::new("follow");
    let manifest = |word: &str| talkers(&format!("echo {word}"), "true");
    pod.up(&manifest("one")).code(0);
    let mut child = podctl()
        .args(["logs", "-f", &pod.name, "-c", "a"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("podctl");
    let mut lines = BufReader::new(child.stdout.take().expect("an output")).lines();
    let mut next = || lines.next().map(|line| line.expect("a line"));
    assert_eq!(next().as_deref(), Some("one"));
    pod.up(&manifest("two")).code(0);
    assert_eq!(next().as_deref(), Some("two"));
    pod.down().code(0);
    assert_eq!(next(), None);
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}

#[test]
fn who_follows_and_wants_nothing_old_is_shown_nothing_old() {
    let pod = Pod::new("new");
    let say = "echo old; i=0; while :; do sleep 0.2; echo $((i += 1)); done";
    pod.up(&talkers(say, "true")).code(0);
    // Its first line is some seconds old.
    eventually("it has said much", || {
        logs(&pod, &["-c", "a"]).lines().count() > 15
    });
    for newer in ["--tail=0", "--since=1s"] {
        let mut child = podctl()
            .args(["logs", "-f", newer, &pod.name])
            .stdout(Stdio::piped())
            .spawn()
            .expect("podctl");
        let mut lines = BufReader::new(child.stdout.take().expect("an output")).lines();
        let first = lines.next().expect("a line").expect("a line");
        child.kill().expect("podctl runs");
        child.wait().expect("an end");
        let number: Option<u32> = first.split(' ').next_back().and_then(|n| n.parse().ok());
        assert!(number.is_some_and(|n| n > 5), "{newer}: {first}");
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let pod = Pod::new("pipe");
    let say = "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo end";
    pod.up(&talkers(say, "true")).code(0);
    eventually("all is said", || {
        docker(&["logs", "--tail", "1", &pod.id("a")]) == "end"
    });
    let script = "\"$1\" logs \"$2\" -c a | head -n 1; exit ${PIPESTATUS[0]}";
    let said = run(std::process::Command::new("bash").args([
        "-c",
        script,
        "bash",
        env!("CARGO_BIN_EXE_podctl"),
        &pod.name,
    ]));
    assert!([0, 141].contains(&said.code), "{}", said.code);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("line 0\n", ""));
}

#[test]
fn an_unknown_pod_or_container_is_told_with_those_that_are_there() {
    let pod = Pod::new("unknown");
    pod.up(&talkers("true", "true")).code(0);
    run(podctl().args(["logs", "nobody-at-all"]))
        .code(1)
        .says(&["nobody-at-all", &pod.name]);
    run(podctl().args(["logs", &pod.name, "-c", "c"]))
        .code(1)
        .says(&["`c`", "a, b"]);
}
