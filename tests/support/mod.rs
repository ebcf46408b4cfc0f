//! What the tests share: a pod of their own that is gone at their end, podctl and docker as programs, and waiting.
//!
//! Not here: promises.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses a part of it"
)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub mod attached;
pub mod registry;

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// What a program said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn new(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Fails the test unless the code is this.
    #[track_caller]
    pub fn code(self, expected: i32) -> Self {
        assert_eq!(
            self.code, expected,
            "\nstdout: {}\nstderr: {}",
            self.out, self.err
        );
        self
    }

    /// Fails the test unless stderr has all these words.
    #[track_caller]
    pub fn prints(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.out.contains(word), "`{word}` is not in: {}", self.out);
        }
        self
    }

    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "`{word}` is not in: {}", self.err);
        }
        self
    }
}

/// podctl, as a program that starts no supervisor. One that hangs is ended, with the code 124.
pub fn podctl() -> Command {
    // One that somebody has left would keep the tests' pods.
    static NO_SUPERVISOR: Once = Once::new();
    NO_SUPERVISOR.call_once(|| {
        let stop = ["supervise", "--stop"];
        let _ = run(Command::new(env!("CARGO_BIN_EXE_podctl")).args(stop));
    });
    let mut command = Command::new("timeout");
    command.args(["-k", "5", "120", env!("CARGO_BIN_EXE_podctl")]);
    command.env("PODCTL_NO_SUPERVISOR", "1");
    command
}

/// podctl without the `timeout` around it, for who kills or signals it: a `timeout` that is killed leaves it running.
pub fn podctl_itself() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_podctl"));
    command
        .env("PODCTL_NO_SUPERVISOR", "1")
        .stdin(Stdio::null());
    command
}

#[track_caller]
pub fn run(command: &mut Command) -> Said {
    Said::new(
        &command
            .stdin(Stdio::null())
            .output()
            .expect("the program runs"),
    )
}

/// Runs with this on standard input.
#[track_caller]
pub fn run_with_input(command: &mut Command, input: &[u8]) -> Said {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().expect("an input");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A program that has ended reads no more.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("an end");
    writer.join().expect("the writer");
    Said::new(&output)
}

/// docker, as a program; its output without the line break.
#[track_caller]
pub fn docker(args: &[&str]) -> String {
    let said = run(Command::new("docker").args(args));
    assert_eq!(said.code, 0, "docker {args:?}: {}", said.err);
    said.out.trim_end().to_owned()
}

/// Says it where the test harness does not swallow it.
pub fn tell(what: &str) {
    let _ = writeln!(std::io::stderr(), "{what}");
}

/// Waits until it holds, and fails the test when it does not in time.
#[track_caller]
pub fn eventually(what: &str, holds: impl FnMut() -> bool) {
    within(Duration::from_mins(1), what, holds);
}

/// Waits until it holds, and no longer than this.
#[track_caller]
pub fn within(time: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + time;
    while !holds() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A name that no other test has, for pods and containers.
pub fn unique(promise: &str) -> String {
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("t-{promise}-{}-{count}", std::process::id())
}

/// A folder that is gone at the end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(unique("folder"));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, content).expect("a file");
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A pod of one test. Its manifest says `POD` for its name. Dropping it takes it down, on failure too.
pub struct Pod {
    pub name: String,
    pub folder: Folder,
}

impl Pod {
    pub fn new(promise: &str) -> Self {
        Self {
            name: unique(promise),
            folder: Folder::new(),
        }
    }

    /// Writes a manifest, and gives its path.
    pub fn file(&self, manifest: &str) -> String {
        self.folder
            .write("pod.yaml", manifest.replace("POD", &self.name))
    }

    /// `podctl up` of a manifest.
    #[track_caller]
    pub fn up(&self, manifest: &str) -> Said {
        self.up_with(manifest, &[])
    }

    #[track_caller]
    pub fn up_with(&self, manifest: &str, args: &[&str]) -> Said {
        run(podctl().arg("up").args(args).arg(self.file(manifest)))
    }

    #[track_caller]
    pub fn exec(&self, container: &str, command: &[&str]) -> Said {
        run(podctl()
            .args(["exec", &self.name, "-c", container, "--"])
            .args(command))
    }

    /// What a shell command in a container prints.
    #[track_caller]
    pub fn sh(&self, container: &str, script: &str) -> String {
        let said = self.exec(container, &["sh", "-c", script]).code(0);
        said.out.trim_end().to_owned()
    }

    /// The ids of the pod's containers of this name (`POD` is the pause), the newest first.
    #[track_caller]
    pub fn ids(&self, container: &str) -> Vec<String> {
        let pod = format!("label=podctl.io/pod={}", self.name);
        let container = format!("label=podctl.io/container={container}");
        let ids = docker(&[
            "ps",
            "-aq",
            "--no-trunc",
            "--filter",
            &pod,
            "--filter",
            &container,
        ]);
        ids.lines().map(str::to_owned).collect()
    }

    /// The container of this name that counts; the one before it may be kept for what it said.
    #[track_caller]
    pub fn id(&self, container: &str) -> String {
        let ids = self.ids(container);
        assert!(
            matches!(ids.len(), 1 | 2),
            "containers `{container}`: {ids:?}"
        );
        ids[0].clone()
    }

    /// Everything that the engine has of the pod.
    #[track_caller]
    pub fn inventory(&self) -> Vec<String> {
        let label = format!("label=podctl.io/pod={}", self.name);
        let containers = docker(&["ps", "-a", "--format", "{{.Names}}", "--filter", &label]);
        let volumes = docker(&["volume", "ls", "--format", "{{.Name}}", "--filter", &label]);
        containers
            .lines()
            .chain(volumes.lines())
            .map(str::to_owned)
            .collect()
    }

    #[track_caller]
    pub fn assert_nothing_left(&self) {
        assert_eq!(self.inventory(), Vec::<String>::new(), "something is left");
    }

    #[track_caller]
    pub fn down(&self) -> Said {
        run(podctl().args(["down", &self.name]))
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        let _ = run(podctl().args(["down", "-q", "--timeout", "1", &self.name]));
        let label = format!("label=podctl.io/pod={}", self.name);
        let ids = run(Command::new("docker").args(["ps", "-aq", "--filter", &label]));
        for id in ids.out.lines() {
            let _ = run(Command::new("docker").args(["rm", "-fv", id]));
        }
    }
}

/// A container that is nobody's pod. Dropping it removes it.
pub struct Foreign(pub String);

impl Foreign {
    #[track_caller]
    pub fn run(name: &str, args: &[&str]) -> Self {
        docker(&[&["run", "-d", "--name", name], args].concat());
        Self(name.to_owned())
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = run(Command::new("docker").args(["rm", "-f", &self.0]));
    }
}

/// A port of loopback that is free now.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// What an HTTP server on loopback answers to `GET /`; empty when nobody listens.
pub fn get(port: u16) -> String {
    use std::io::Read;
    let mut answer = String::new();
    if let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
        let _ = stream.write_all(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
        let _ = stream.read_to_string(&mut answer);
    }
    answer
}

/// A file of the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Every manifest of `pod-examples/`, those of its folders too.
pub fn examples() -> Vec<PathBuf> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).expect("a folder");
        entries
            .map(|entry| entry.expect("an entry").path())
            .collect()
    };
    let top = entries(&project("pod-examples"));
    let (folders, mut files): (Vec<_>, Vec<_>) = top.into_iter().partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| entries(folder)));
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    files.sort();
    files
}
