//! What cannot be brought up is named, with its reason, and leaves nothing behind.

use shows::shows;
use std::process::Command;

use super::support::{Foreign, Pod, docker, free_port, podctl, run};
use super::up::TWO;

#[shows("Container.imagePullPolicy")]
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

/// Something that takes connections and never answers.
fn silence() -> (std::net::TcpListener, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("tcp://{}", listener.local_addr().expect("an address"));
    (listener, address)
}

#[test]
fn an_engine_that_does_not_answer_can_be_left() {
    let pod = Pod::new("silence");
    let (_listener, address) = silence();
    let begun = std::time::Instant::now();
    let file = pod.file(TWO);
    run(podctl()
        .env("DOCKER_HOST", &address)
        .args(["up", "--timeout", "1s", &file]))
    .code(4);
    for verb in ["up", "down"] {
        let script = "\"$1\" \"$2\" \"$3\" & p=$!; sleep 0.5; kill -INT $p; wait $p";
        run(Command::new("env")
            .env("DOCKER_HOST", &address)
            .args(["--default-signal=INT", "bash", "-c", script, "bash"])
            .arg(env!("CARGO_BIN_EXE_podctl"))
            .args([verb, &file]))
        .code(130);
    }
    assert!(begun.elapsed().as_secs() < 30);
}

#[test]
fn what_no_engine_answers_is_told() {
    let pod = Pod::new("no-docker");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("tcp://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>",
            );
        }
    });
    run(podctl()
        .env("DOCKER_HOST", &address)
        .args(["up", &pod.file(TWO)]))
    .code(3)
    .says(&[&address, "no container engine"]);
    run(podctl().args(["--host", "", "ps"]))
        .code(3)
        .says(&["--host"]);
}

#[test]
fn a_port_cannot_be_published_twice_by_one_command() {
    let pod = Pod::new("twice");
    let port = free_port();
    pod.up_with(&with_port(port), &["-p", &format!("{port}:90")])
        .code(2)
        .says(&["twice", &port.to_string()]);
    pod.assert_nothing_left();
    // The same once more is no other port.
    pod.up_with(&with_port(port), &["-p", &format!("{port}:80")])
        .code(0);
}

#[test]
fn a_running_pod_is_not_stopped_for_a_port_that_it_cannot_have() {
    let pod = Pod::new("stays");
    pod.up(TWO).code(0);
    let ids = (pod.id("POD"), pod.id("a"));
    let port = free_port();
    let name = format!("{}-holder", pod.name);
    let _holder = Foreign::run(
        &name,
        &["-p", &format!("{port}:80"), "busybox", "sleep", "600"],
    );
    pod.up_with(TWO, &["-p", &format!("{port}:80")])
        .code(1)
        .says(&["stays as it is", &name]);
    assert_eq!((pod.id("POD"), pod.id("a")), ids);
    pod.sh("a", "true");
    pod.up(TWO).code(0).says(&["unchanged"]);
}

#[test]
fn what_goes_on_from_a_failure_is_not_called_unchanged() {
    let pod = Pod::new("goes-on");
    let manifest = TWO.replacen("command: [sleep, '3600']", "command: [sh, -c, 'test -e /x/y && exec sleep 3600'], volumeMounts: [{name: x, mountPath: /x}]", 1)
        + &format!("  volumes: [{{name: x, hostPath: {{path: {}, type: Directory}}}}]\n", pod.folder.0.join("x").display());
    pod.up_with(&manifest, &["--keep"]).code(1);
    std::fs::create_dir(pod.folder.0.join("x")).expect("a folder");
    pod.folder.write("x/y", "");
    let said = pod.up(&manifest).code(0);
    assert!(
        said.err.contains("started") && !said.err.contains("unchanged"),
        "{}",
        said.err
    );
}

#[test]
fn with_wait_what_ends_at_once_has_not_come_up() {
    let pod = Pod::new("wait");
    let manifest = TWO.replacen("command: [sleep, '3600']", "command: [sh, -c, 'exit 3']", 1);
    pod.up_with(&manifest, &["--wait"]).code(1).says(&[
        "is not ready",
        "CrashLoopBackOff",
        "it ended with the code 3",
    ]);
    pod.up_with(TWO, &["--wait"]).code(0);
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
