//! Which engine is asked.

use super::support::{Folder, docker, podctl, run};

fn context(folder: &Folder, name: &str, host: &str) {
    let script = "printf %s \"$1\" | sha256sum | cut -d' ' -f1";
    let id = run(std::process::Command::new("sh").args(["-c", script, "sh", name])).out;
    let meta = folder.0.join("contexts/meta").join(id.trim());
    std::fs::create_dir_all(&meta).expect("a folder");
    let json =
        format!("{{\"Name\":\"{name}\",\"Endpoints\":{{\"docker\":{{\"Host\":\"{host}\"}}}}}}");
    std::fs::write(meta.join("meta.json"), json).expect("a file");
}

#[test]
fn the_current_context_is_followed_and_can_be_overruled() {
    let folder = Folder::new();
    context(&folder, "other", "unix:///tmp/no-such-engine.sock");
    folder.write("config.json", r#"{"currentContext":"other"}"#);
    let engine =
        std::env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
    let podctl = || {
        let mut podctl = podctl();
        podctl
            .env("DOCKER_CONFIG", &folder.0)
            .env_remove("DOCKER_HOST")
            .env_remove("DOCKER_CONTEXT");
        podctl
    };
    run(podctl().arg("ps"))
        .code(3)
        .says(&["/tmp/no-such-engine.sock", "`other`"]);
    run(podctl().env("DOCKER_HOST", &engine).arg("ps")).code(0);
    run(podctl().args(["--host", &engine, "ps"])).code(0);
    run(podctl().args(["--context", "nope", "ps"]))
        .code(3)
        .says(&["`nope`", "default, other"]);
    if engine == "unix:///var/run/docker.sock" {
        run(podctl().args(["--context", "default", "ps"])).code(0);
        run(podctl().env("DOCKER_CONTEXT", "default").arg("ps")).code(0);
    }
    let version = run(podctl().args(["--host", &engine, "version"]))
        .code(0)
        .out;
    assert!(
        version.contains(&engine) && version.contains("--host"),
        "{version}"
    );
    drop(docker(&["version", "--format", "x"]));
}

#[test]
fn a_socket_that_may_not_be_opened_is_told() {
    let folder = Folder::new();
    let socket = folder.0.join("engine.sock");
    let listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    drop(listener);
    let said = run(podctl()
        .env("DOCKER_HOST", format!("unix://{}", socket.display()))
        .arg("ps"));
    said.code(3).says(&["no engine answers", "engine.sock"]);
}
