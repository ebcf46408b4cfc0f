//! Pulls, from a real registry on loopback.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;

use super::support::registry::Registry;
use super::support::{Folder, Pod, docker, podctl, run};
use super::up::TWO;

/// `htpasswd -B`: the user `tester` with the password `secret`.
const PASSWORD: &str = "tester:$2b$05$Zel9Q9vMOnEQVRdL0KIz0O31WLfd2nJBeFKrQA2yRj8mK7lEw8kr.\n";

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
    let reference = format!("{}/shop/web:1", open.address);
    let config = Folder::new();
    let auth = base64::engine::general_purpose::STANDARD.encode("tester:secret");
    config.write(
        "config.json",
        format!(
            "{{\"auths\":{{\"{}\":{{\"auth\":\"{auth}\"}}}}}}",
            open.address
        ),
    );
    docker(&["tag", "busybox:latest", &reference]);
    docker(&[
        "--config",
        &config.0.display().to_string(),
        "push",
        "-q",
        &reference,
    ]);
    docker(&["rmi", &reference]);
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
