//! An engine of the tests' own, that they may stop, kill and take the machine away from. It needs root, and Docker's daemon.
//!
//! Its folders, bridge and addresses are its own, and it writes no rules for packets, so that it leaves the machine's engine alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::support::{Folder, Said, eventually, run};

pub(crate) struct Machine {
    folder: Folder,
    /// Without one of its own an engine takes, or removes, that of the machine's engine.
    bridge: String,
    /// The first two numbers of its addresses.
    net: String,
    live_restore: bool,
    engine: Option<Child>,
}

impl Machine {
    /// Starts the engine, with busybox and no more.
    pub(crate) fn new(number: u8, live_restore: bool) -> Self {
        let mut machine = Self {
            folder: Folder::new(),
            bridge: format!("podctl-test{number}"),
            net: format!("10.{}", 221 + number),
            live_restore,
            engine: None,
        };
        machine.make_bridge();
        machine.start();
        let image = machine.path("busybox.tar");
        run(Command::new("docker")
            .args(["save", "-o"])
            .arg(&image)
            .arg("busybox"))
        .code(0);
        machine.docker(&["load", "-i", &image.display().to_string()]);
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.0.join(name)
    }

    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.path("engine.sock").display())
    }

    pub(crate) fn start(&mut self) {
        let others = run(Command::new("ip").args(["-o", "-4", "addr", "show", "docker0"])).out;
        self.spawn();
        eventually("the engine answers", || {
            // One that takes what is left of its containerd for one that runs gives up, and is started again by whatever starts it.
            let ended = self.engine.as_mut().map(Child::try_wait);
            if let Some(Ok(Some(_))) = ended {
                self.spawn();
            }
            self.docker_said(&["version"]).code == 0
        });
        bring_back(&others);
    }

    fn spawn(&mut self) {
        let _ = fs::remove_file(self.path("pid"));
        self.folder.write("daemon.json", "{}");
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("log"));
        let mut engine = Command::new("dockerd");
        engine
            .arg("--config-file")
            .arg(self.path("daemon.json"))
            .args(["-H", &self.host()])
            .arg("--pidfile")
            .arg(self.path("pid"))
            .arg("--data-root")
            .arg(self.path("data"))
            .arg("--exec-root")
            .arg(self.path("run"))
            .args([
                "--bridge",
                &self.bridge,
                "--iptables=false",
                "--ip-masq=false",
            ])
            .args([
                "--default-address-pool",
                &format!("base={}.128.0/17,size=24", self.net),
            ])
            .args(self.live_restore.then_some("--live-restore"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("a log"));
        self.engine = Some(engine.spawn().expect("dockerd"));
    }

    /// As an operator stops it.
    pub(crate) fn stop(&mut self) {
        let id = self.engine.as_ref().map(Child::id).unwrap_or_default();
        run(Command::new("kill").arg(id.to_string()));
        if let Some(mut engine) = self.engine.take() {
            engine.wait().expect("its end");
        }
    }

    /// As a crash does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut engine) = self.engine.take() {
            engine.kill().expect("a kill");
            engine.wait().expect("its end");
        }
    }

    /// As the machine's own end does: nothing runs any more, and nothing is mounted.
    pub(crate) fn cut_off(&mut self) {
        self.kill();
        let own = self.path("run").display().to_string();
        kill_all(&own);
        eventually("nothing of it runs", || {
            kill_all(&own);
            processes(&own).is_empty()
        });
        let mounts = fs::read_to_string("/proc/self/mounts").expect("the mounts");
        let folder = self.folder.0.display().to_string();
        let mut mounts: Vec<&str> = mounts
            .lines()
            .filter_map(|line| line.split(' ').nth(1))
            .filter(|mount| mount.starts_with(&folder))
            .collect();
        mounts.reverse();
        for mount in mounts {
            run(Command::new("umount").args(["-l", mount]));
        }
        let _ = fs::remove_dir_all(self.path("run"));
        let _ = fs::remove_file(self.path("pid"));
        self.remove_bridges();
        self.make_bridge();
    }

    fn make_bridge(&self) {
        let address = format!("{}.0.1/24", self.net);
        let ip = |args: &[&str]| run(Command::new("ip").args(args));
        ip(&["link", "add", &self.bridge, "type", "bridge"]);
        ip(&["addr", "replace", &address, "dev", &self.bridge]).code(0);
        ip(&["link", "set", &self.bridge, "up"]).code(0);
    }

    /// Its own, and those of its networks.
    fn remove_bridges(&self) {
        let addresses = run(Command::new("ip").args(["-o", "-4", "addr"])).out;
        let net = format!(" {}.", self.net);
        let own = addresses.lines().filter(|line| line.contains(&net));
        for name in own.filter_map(|line| line.split_whitespace().nth(1)) {
            run(Command::new("ip").args(["link", "delete", name]));
        }
    }

    pub(crate) fn docker_said(&self, args: &[&str]) -> Said {
        run(Command::new("timeout")
            .args(["60", "docker", "-H", &self.host()])
            .args(args))
    }

    #[track_caller]
    pub(crate) fn docker(&self, args: &[&str]) -> String {
        let said = self.docker_said(args);
        assert_eq!(said.code, 0, "docker {args:?}: {}", said.err);
        said.out.trim_end().to_owned()
    }

    pub(crate) fn podctl(&self, args: &[&str]) -> Said {
        let mut podctl = Command::new("timeout");
        podctl.args([
            "-k",
            "5",
            "120",
            env!("CARGO_BIN_EXE_podctl"),
            "--host",
            &self.host(),
        ]);
        run(podctl.args(args))
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        self.folder.write(name, text)
    }

    /// The processes of the engine: containerd, one shim for each container.
    pub(crate) fn processes(&self) -> Vec<Process> {
        processes(&self.path("run").display().to_string())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        if std::thread::panicking() {
            let last: Vec<&str> = log.lines().rev().take(20).collect();
            println!(
                "the engine's last lines, the last first:\n{}",
                last.join("\n")
            );
            println!("{}", self.docker_said(&["ps", "-a"]).out);
            println!("{}", self.docker_said(&["logs", "podctl-supervisor"]).err);
        }
        self.cut_off();
        self.remove_bridges();
    }
}

/// An engine that does not use it removes the bridge of the one that does. `address`: as `ip` shows it.
fn bring_back(address: &str) {
    let Some(address) = address.split_whitespace().nth(3) else {
        return;
    };
    let ip = |args: &[&str]| run(Command::new("ip").args(args));
    if ip(&["link", "add", "docker0", "type", "bridge"]).code == 0 {
        ip(&["addr", "add", address, "dev", "docker0"]).code(0);
        ip(&["link", "set", "docker0", "up"]).code(0);
    }
}

/// One process of the engine, and the command that it was started with.
pub(crate) struct Process {
    pub(crate) id: u32,
    pub(crate) command: String,
}

fn processes(own: &str) -> Vec<Process> {
    let all = fs::read_dir("/proc").expect("the processes");
    let process = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.ok()?.path();
        let id = path.file_name()?.to_str()?.parse().ok()?;
        let command = fs::read(Path::new(&path).join("cmdline")).ok()?;
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        command.contains(own).then_some(Process { id, command })
    };
    all.filter_map(process).collect()
}

/// The engine's processes and all that they have begun.
fn kill_all(own: &str) {
    for process in processes(own) {
        for child in children(process.id) {
            run(Command::new("kill").args(["-9", &child.to_string()]));
        }
        run(Command::new("kill").args(["-9", &process.id.to_string()]));
    }
}

/// All that a process has begun.
pub(crate) fn children(id: u32) -> Vec<u32> {
    let tasks = format!("/proc/{id}/task/{id}/children");
    let text = fs::read_to_string(tasks).unwrap_or_default();
    let own: Vec<u32> = text
        .split_whitespace()
        .filter_map(|id| id.parse().ok())
        .collect();
    let below: Vec<u32> = own.iter().flat_map(|id| children(*id)).collect();
    [own, below].concat()
}

/// How long something takes.
pub(crate) fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}
