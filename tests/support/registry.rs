//! A real registry on loopback for tests of pulls: Debian's docker-registry, found in PATH or unpacked from its package.
//!
//! Not here: an image that is not on the engine already.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::{Folder, docker, eventually, free_port, run};

/// `htpasswd -B`: the user `tester` with the password `secret`.
pub const PASSWORD: &str = "tester:$2b$05$Zel9Q9vMOnEQVRdL0KIz0O31WLfd2nJBeFKrQA2yRj8mK7lEw8kr.\n";

/// A registry that runs. Dropping it ends it.
pub struct Registry {
    child: Child,
    pub address: String,
    _folder: Folder,
}

impl Registry {
    /// Open to all.
    pub fn open() -> Self {
        Self::start("")
    }

    /// For whom this line of a `htpasswd` file lets in.
    pub fn with_password(line: &str) -> Self {
        Self::start(line)
    }

    fn start(htpasswd: &str) -> Self {
        let folder = Folder::new();
        let port = free_port();
        let data = folder.0.join("data").display().to_string();
        let auth = if htpasswd.is_empty() {
            String::new()
        } else {
            let path = folder.write("htpasswd", htpasswd);
            format!("auth: {{htpasswd: {{realm: test, path: {path}}}}}\n")
        };
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\n\
             storage: {{filesystem: {{rootdirectory: {data}}}, delete: {{enabled: true}}}}\n\
             http: {{addr: '127.0.0.1:{port}'}}\n{auth}"
        );
        let config = folder.write("config.yml", config);
        let child = Command::new(program())
            .args(["serve", &config])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry starts");
        eventually("the registry answers", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self {
            child,
            address: format!("127.0.0.1:{port}"),
            _folder: folder,
        }
    }

    /// Pushes the engine's busybox under this name, and removes the name from the engine. Gives the whole reference.
    pub fn push(&self, name: &str) -> String {
        self.push_as(name, "")
    }

    /// The same as this user, `name:password`.
    pub fn push_as(&self, name: &str, user: &str) -> String {
        let reference = format!("{}/{name}", self.address);
        let login = self.login(user);
        let config = login.0.display().to_string();
        docker(&["tag", "busybox:latest", &reference]);
        docker(&["--config", &config, "push", "-q", &reference]);
        docker(&["rmi", &reference]);
        reference
    }

    /// Docker's configuration after `docker login`.
    pub fn login(&self, user: &str) -> Folder {
        let config = Folder::new();
        if !user.is_empty() {
            config.write("config.json", self.config(user));
        }
        config
    }

    /// A Secret of the name `login`, as `kubectl create secret docker-registry` makes it.
    pub fn pull_secret(&self, user: &str) -> String {
        let config = BASE64.encode(self.config(user));
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: login}}\ntype: kubernetes.io/dockerconfigjson\ndata: {{.dockerconfigjson: {config}}}\n"
        )
    }

    fn config(&self, user: &str) -> String {
        let auth = BASE64.encode(user);
        format!(
            "{{\"auths\":{{\"{}\":{{\"auth\":\"{auth}\"}}}}}}",
            self.address
        )
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> PathBuf {
    let found = run(Command::new("sh").args(["-c", "command -v docker-registry"]));
    if found.code == 0 {
        return PathBuf::from(found.out.trim());
    }
    let folder = std::env::temp_dir().join("podctl-docker-registry");
    let program = folder.join("usr/bin/docker-registry");
    if !program.exists() {
        let script = "mkdir -p \"$1\" && cd \"$1\" && apt-get download docker-registry && \
                      dpkg -x docker-registry_*.deb .";
        let unpacked = run(Command::new("sh").args(["-c", script, "sh"]).arg(&folder));
        assert_eq!(
            unpacked.code, 0,
            "docker-registry could not be unpacked: {}",
            unpacked.err
        );
    }
    program
}
