//! Pulls, from a real registry on loopback.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use shows::shows;

use super::support::registry::{PASSWORD, Registry};
use super::support::{Folder, Pod, docker, podctl, run};
use super::up::TWO;

fn with_image(reference: &str) -> String {
    TWO.replace(
        "image: busybox, imagePullPolicy: IfNotPresent",
        &format!("image: '{reference}'"),
    )
}

/// kubelet: NB-RUN-08.
#[test]
fn a_missing_image_is_pulled_once_for_all_containers() {
    let registry = Registry::open();
    let pod = Pod::new("pull");
    let reference = registry.push("shop/web:1");
    let said = pod.up(&with_image(&reference)).code(0).says(&["Pulled"]);
    assert_eq!(said.err.matches("Pulled").count(), 1, "{}", said.err);
    pod.down().code(0);
    docker(&["rmi", &reference]);
}

#[test]
fn an_image_that_no_registry_has_is_told() {
    let registry = Registry::open();
    let pod = Pod::new("not-there");
    let reference = format!("{}/shop/none:1", registry.address);
    pod.up(&with_image(&reference))
        .code(1)
        .says(&[&reference, "`a`"]);
    pod.assert_nothing_left();
}

/// kubelet: NB-RUN-09.
#[test]
fn the_clients_own_login_is_used() {
    let open = Registry::with_password(PASSWORD);
    let pod = Pod::new("login");
    let reference = open.push_as("shop/web:1", "tester:secret");
    let config = open.login("tester:secret");
    let file = pod.file(&with_image(&reference));
    let nothing = Folder::new();
    let said = run(podctl()
        .env("DOCKER_CONFIG", &nothing.0)
        .args(["up", &file]));
    said.code(1).says(&[&reference]);
    pod.assert_nothing_left();
    run(podctl().env("DOCKER_CONFIG", &config.0).args(["up", &file])).code(0);
    pod.down().code(0);
    docker(&["rmi", &reference]);
    // The same through a helper.
    let helper = Folder::new();
    let program = helper.write("docker-credential-test", format!(
        "#!/bin/sh\ncat >/dev/null\necho '{{\"ServerURL\":\"{}\",\"Username\":\"tester\",\"Secret\":\"secret\"}}'\n", open.address));
    run(std::process::Command::new("chmod").args(["755", &program])).code(0);
    helper.write("config.json", r#"{"credsStore":"test"}"#);
    let path = format!(
        "{}:{}",
        helper.0.display(),
        std::env::var("PATH").expect("PATH")
    );
    run(podctl()
        .env("DOCKER_CONFIG", &helper.0)
        .env("PATH", path)
        .args(["up", &file]))
    .code(0);
    pod.down().code(0);
    docker(&["rmi", &reference]);
}

/// kubelet: NB-RUN-10.
#[shows("PodSpec.imagePullSecrets", "LocalObjectReference.name", "Secret.type")]
#[test]
fn a_pods_own_login_is_used() {
    let registry = Registry::with_password(PASSWORD);
    let pod = Pod::new("brought");
    let reference = registry.push_as("shop/web:1", "tester:secret");
    let with = |password: &str| {
        let secret = registry.pull_secret(&format!("tester:{password}"));
        let names = "spec:\n  imagePullSecrets: [{name: none}, {name: login}]\n";
        let pod = with_image(&reference).replacen("spec:\n", names, 1);
        format!("{secret}---\n{pod}")
    };
    let nothing = Folder::new();
    let up = |manifest: &str| {
        let file = pod.file(manifest);
        let mut up = podctl();
        up.env("DOCKER_CONFIG", &nothing.0).args(["up", &file]);
        run(&mut up)
    };
    let said = up(&with("wrong")).code(1);
    said.says(&[&reference, "with the pod's own imagePullSecrets"]);
    pod.assert_nothing_left();
    let said = up(&with("secret")).code(0);
    said.says(&["no Secret \"none\" in the files given"]);
    // The record has it: what is asked for is the same without its file.
    let manifest = with("secret");
    let (_, alone) = manifest.split_once("---\n").expect("two documents");
    up(alone).code(0).says(&["unchanged"]);
    pod.down().code(0);
    docker(&["rmi", &reference]);
}

#[test]
fn a_missing_helper_matters_only_when_a_pull_fails() {
    let pod = Pod::new("helper");
    let config = Folder::new();
    config.write("config.json", r#"{"credsStore":"t-none"}"#);
    let up = |manifest: &str| {
        let file = pod.file(manifest);
        run(podctl().env("DOCKER_CONFIG", &config.0).args(["up", &file]))
    };
    let said = up(TWO).code(0);
    assert!(!said.err.contains("credential"), "{}", said.err);
    pod.down().code(0);
    let registry = Registry::open();
    let missing = format!("{}/missing:1", registry.address);
    up(&with_image(&missing)).code(1).says(&[
        "docker-credential-t-none",
        "without credentials",
        &missing,
    ]);
}

#[test]
fn a_registry_that_says_too_many_requests_is_quoted_and_asked_once() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let asked = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { break };
            let mut request = [0; 4096];
            let n = stream.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..n]).into_owned();
            let body = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"toomanyrequests: limit of this test reached"}]}"#;
            let answer = if request.contains(" /v2/ ") {
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
            } else {
                counter.fetch_add(1, Ordering::Relaxed);
                format!(
                    "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                )
            };
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let pod = Pod::new("limit");
    let reference = format!("{address}/shop/web:1");
    let said = pod
        .up_with(&with_image(&reference), &["--timeout", "60s"])
        .code(1)
        .says(&[&reference]);
    // An engine with containerd's image store quotes the status alone.
    let quoted = ["limit of this test reached", "429 Too Many Requests"];
    assert!(
        quoted.iter().any(|words| said.err.contains(words)),
        "{}",
        said.err
    );
    pod.assert_nothing_left();
    assert!(asked.load(Ordering::Relaxed) > 0);
}
