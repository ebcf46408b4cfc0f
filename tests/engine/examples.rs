//! Each file of `pod-examples/` does what its first lines say.

use super::support::{Folder, eventually, get, podctl, project, run};
use shows::shows;

/// An example, with names of its own, so that a pod of a person with the same name stays.
struct Example {
    name: String,
    file: String,
    _folder: Folder,
}

impl Example {
    fn up(file: &str, pod: &str, ports: &[(u16, u16)]) -> Self {
        let name = super::support::unique(pod);
        let folder = Folder::new();
        let mut text =
            std::fs::read_to_string(project("pod-examples").join(file)).expect("the example");
        text = text.replace(
            &format!("name: {pod}\nspec"),
            &format!("name: {name}\nspec"),
        );
        for (from, to) in ports {
            text = text.replace(&format!("hostPort: {from}"), &format!("hostPort: {to}"));
        }
        let file = folder.write(file, text);
        run(podctl().args(["up", &file])).code(0);
        Self {
            name,
            file,
            _folder: folder,
        }
    }

    fn logs(&self, container: &str) -> String {
        run(podctl().args(["logs", &self.name, "-c", container]))
            .code(0)
            .out
    }

    fn sh(&self, container: &str, script: &str) -> String {
        run(podctl().args([
            "exec", &self.name, "-c", container, "--", "sh", "-c", script,
        ]))
        .code(0)
        .out
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        run(podctl().args(["down", "-q", "--timeout", "1", &self.file]));
    }
}

#[shows(
    "Pod.apiVersion",
    "Pod.kind",
    "Pod.metadata",
    "Pod.spec",
    "PodSpec.containers",
    "Container.image",
    "Container.name"
)]
#[test]
fn hello() {
    let hello = Example::up("hello.yaml", "hello", &[]);
    eventually("it says hello", || {
        hello.logs("hello") == format!("hello from {}\n", hello.name)
    });
}

#[test]
fn shared_namespaces() {
    let shared = Example::up("shared-namespaces.yaml", "shared", &[]);
    eventually("the looker has looked", || {
        shared.logs("looker").contains("hostname one-name")
    });
    let said = shared.logs("looker");
    assert!(
        said.contains("served by one-name") && said.contains("httpd") && said.contains("/pause"),
        "{said}"
    );
    shared.sh("server", "echo seen >/dev/shm/note");
    assert_eq!(shared.sh("looker", "cat /dev/shm/note"), "seen\n");
}

#[test]
fn shared_volume() {
    let port = super::support::free_port();
    let volume = Example::up("shared-volume.yaml", "volume", &[(8881, port)]);
    eventually("the page is served", || get(port).contains("UTC"));
    assert!(volume.sh("server", "mount | grep /cache").contains("tmpfs"));
}

/// The classic case.
/// kubelet: NB-CMD-01.
#[test]
fn nginx_in_front_of_ghost() {
    let port = super::support::free_port();
    let web = Example::up("nginx-ghost.yaml", "web", &[(8880, port)]);
    eventually("nginx answers", || get(port).contains("HTTP/1.1"));
    let processes =
        "for p in /proc/[0-9]*; do echo \"${p#/proc/} $(tr '\\0' ' ' <$p/cmdline)\"; done";
    for container in ["nginx", "ghost"] {
        let said = web.sh(container, processes);
        assert!(
            said.contains("1 /pause")
                && said.contains("nginx")
                && said.contains("current/index.js"),
            "{said}"
        );
    }
    assert_eq!(
        web.sh("nginx", "cat /etc/hostname"),
        web.sh("ghost", "cat /etc/hostname")
    );
}

#[test]
fn secrets() {
    let example = Example::up("secrets.yaml", "secrets", &[]);
    eventually("it says what it has", || {
        example.logs("app") == "level debug, user alice, a password of 9 bytes\n"
    });
    assert_eq!(
        example.sh("app", "stat -L -c %a /login/password /login/user"),
        "400\n400\n"
    );
}
