//! What cannot be brought up is named, with its reason, and leaves nothing behind.

use std::process::Command;

use super::support::{Foreign, Pod, docker, free_port, podctl, run};
use super::up::TWO;

#[test]
fn a_missing_image_is_named_with_its_container() {
    let pod = Pod::new("no-image");
    let manifest = TWO.replacen(
        "image: busybox, imagePullPolicy: IfNotPresent",
        "image: no-such-image-q, imagePullPolicy: Never",
        1,
    );
    pod.up(&manifest)
        .code(1)
        .says(&["no-such-image-q", "`a`", "Never"]);
    pod.assert_nothing_left();
}

#[test]
fn a_missing_program_is_named_with_its_container() {
    let pod = Pod::new("no-program");
    let manifest = TWO.replacen("command: [sleep, '3600']", "command: [/no/such/program]", 1);
    pod.up(&manifest)
        .code(1)
        .says(&["/no/such/program", "`a`", "hint"]);
    pod.assert_nothing_left();
}

#[test]
fn what_a_failed_first_run_made_stays_when_it_is_to_be_kept() {
    let pod = Pod::new("keep");
    let manifest = TWO.replacen("command: [sleep, '3600']", "command: [/no/such/program]", 1);
    pod.up_with(&manifest, &["--keep"]).code(1);
    assert_eq!(pod.ids("POD").len(), 1);
    pod.down().code(0);
    pod.assert_nothing_left();
}

fn with_port(port: u16) -> String {
    TWO.replacen(
        "command: [sleep, '3600']",
        &format!("command: [sleep, '3600'], ports: [{{containerPort: 80, hostPort: {port}}}]"),
        1,
    )
}

#[test]
fn a_taken_port_is_told_with_who_has_it_and_who_wants_it() {
    let pod = Pod::new("port-taken");
    let port = free_port();
    let name = format!("{}-holder", pod.name);
    let holder = Foreign::run(
        &name,
        &["-p", &format!("{port}:80"), "busybox", "sleep", "600"],
    );
    pod.up(&with_port(port))
        .code(1)
        .says(&[&port.to_string(), "`a`", &name]);
    pod.assert_nothing_left();
    drop(holder);
    pod.up(&with_port(port)).code(0);
}

#[test]
fn a_port_that_a_program_of_the_machine_has_is_told() {
    let pod = Pod::new("port-process");
    let listener = std::net::TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    pod.up(&with_port(port))
        .code(1)
        .says(&[&port.to_string(), "another program"]);
    pod.assert_nothing_left();
}

#[test]
fn a_missing_host_path_is_told() {
    let pod = Pod::new("no-host-path");
    let manifest = TWO.replacen(
        "command: [sleep, '3600']",
        "command: [sleep, '3600'], volumeMounts: [{name: h, mountPath: /h}]",
        1,
    ) + "  volumes: [{name: h, hostPath: {path: /no/such/folder, type: Directory}}]\n";
    pod.up(&manifest).code(1).says(&["/no/such/folder", "`a`"]);
    pod.assert_nothing_left();
}

#[test]
fn ctrl_c_on_a_first_run_takes_away_what_it_made() {
    for delay in ["0.05", "0.15", "0.25", "0.4"] {
        let pod = Pod::new("ctrl-c");
        let script = "\"$1\" up \"$2\" & p=$!; sleep \"$3\"; kill -INT $p; wait $p";
        let said = run(Command::new("env")
            .args(["--default-signal=INT", "bash", "-c", script, "bash"])
            .arg(env!("CARGO_BIN_EXE_podctl"))
            .args([&pod.file(TWO), delay]));
        assert!([0, 130].contains(&said.code), "{}: {}", said.code, said.err);
        if said.code == 130 {
            pod.assert_nothing_left();
        }
        pod.up(TWO).code(0);
        pod.down().code(0);
        pod.assert_nothing_left();
    }
}

#[test]
fn time_that_is_up_has_a_code_of_its_own() {
    let pod = Pod::new("timeout");
    pod.up_with(TWO, &["--timeout", "1ms"]).code(4);
    pod.assert_nothing_left();
}

#[test]
fn an_engine_that_is_not_there_is_told_with_what_to_do() {
    let pod = Pod::new("no-engine");
    let file = pod.file(TWO);
    let said = run(podctl()
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        .args(["up", &file]));
    said.code(3)
        .says(&["unix:///nonexistent/docker.sock", "DOCKER_HOST", "hint"]);
    let said = run(podctl()
        .env("DOCKER_HOST", format!("tcp://127.0.0.1:{}", free_port()))
        .args(["ps"]));
    said.code(3).says(&["tcp://127.0.0.1"]);
}

#[test]
fn a_manifest_with_faults_never_reaches_the_engine() {
    let pod = Pod::new("faulty");
    let manifest = TWO.replacen("image: busybox", "imagee: busybox", 1);
    pod.up(&manifest)
        .code(2)
        .says(&["pod.yaml:8:", "did you mean `image`?"]);
    assert_eq!(
        docker(&[
            "ps",
            "-aq",
            "--filter",
            &format!("label=podctl.io/pod={}", pod.name)
        ]),
        ""
    );
}
