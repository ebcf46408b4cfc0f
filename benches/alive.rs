//! What it costs to keep pods alive: the processor time and the memory of one `podctl up --attach`, and of the supervisor, with many pods,
//! each of two containers, each of which is asked every 10 s over HTTP. Prints a table for README.
//!
//! `make bench`. `PODS` (default `10 50 100`) says how many, `SECONDS_OF_LIFE` (default 60) for how long it is measured, `PODCTL` another
//! binary than `target/release/podctl`.
#![allow(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "it prints a table"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::{Folder, unique};

/// After the pods have come up: what is done once is over then.
const SETTLING: Duration = Duration::from_secs(15);
const LONGEST_START: Duration = Duration::from_mins(10);
/// Linux: `USER_HZ`, the unit of the times in `/proc/PID/stat`.
const TICKS: f64 = 100.0;

fn main() {
    let set = |name: &str| std::env::var(name).ok();
    let podctl = set("PODCTL").unwrap_or_else(|| "target/release/podctl".to_owned());
    let counts = set("PODS").unwrap_or_else(|| "10 50 100".to_owned());
    let seconds = set("SECONDS_OF_LIFE").and_then(|n| n.parse().ok());
    let life = Duration::from_secs(seconds.unwrap_or(60));
    println!("| kept alive | processor | memory (anonymous) | all ready after | all gone after |");
    println!("|---|---|---|---|---|");
    for count in counts.split_whitespace() {
        let n = count.parse().expect("PODS has numbers");
        for way in [Way::Attach, Way::Supervise] {
            println!("{}", measured(&podctl, way, n, life));
        }
    }
}

/// Who keeps them alive.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    /// `podctl up --attach`, which follows their logs too.
    Attach,
    /// `podctl supervise`.
    Supervise,
}

/// One row of the table.
fn measured(podctl: &str, way: Way, n: usize, life: Duration) -> String {
    let folder = Folder::new();
    let names: Vec<String> = (0..n).map(|_| unique("alive")).collect();
    let manifests: Vec<String> = names.iter().map(|name| manifest(name)).collect();
    let file = folder.write("pods.yaml", manifests.join("---\n"));
    let begun = Instant::now();
    let pods = Alive::begin(podctl, way, &file, &folder);
    if way == Way::Attach {
        pods.wait_until_up(n);
    }
    wait_until_ready(podctl, &file);
    let ready = begun.elapsed();
    std::thread::sleep(SETTLING);
    let (begun, before) = (Instant::now(), pods.processor());
    std::thread::sleep(life);
    let share = (pods.processor() - before) / begun.elapsed().as_secs_f64();
    let (memory, anonymous) = (pods.status("VmRSS"), pods.status("RssAnon"));
    let gone = pods.end();
    format!(
        "| {n} pods, {way:?} | {:.2}% of a core | {memory:.1} MB ({anonymous:.1} MB) | {:.0} s | {:.0} s |",
        share * 100.0,
        ready.as_secs_f64(),
        gone.as_secs_f64()
    )
}

fn manifest(name: &str) -> String {
    let mut text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  terminationGracePeriodSeconds: 1\n  containers:\n"
    );
    for port in [8080, 8081] {
        let serve =
            format!("mkdir /www; echo well >/www/index.html; exec httpd -f -p {port} -h /www");
        text.push_str(&format!(
            "  - {{name: c{port}, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, '{serve}'], \
             readinessProbe: {{httpGet: {{port: {port}}}, periodSeconds: 10}}}}\n"
        ));
    }
    text
}

/// Who keeps the pods alive, and what it says. Dropping it takes the pods down.
struct Alive {
    process: Child,
    said: String,
    /// Takes the pods down, where that is not done by who keeps them.
    down: Option<Command>,
}

impl Alive {
    fn begin(podctl: &str, way: Way, file: &str, folder: &Folder) -> Self {
        let said = folder.write("said", "");
        let args = match way {
            Way::Attach => vec!["up", "--attach", file],
            Way::Supervise => vec!["supervise"],
        };
        let process = Command::new(podctl)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&said).expect("a file"))
            .spawn()
            .expect("podctl runs");
        let mut down = None;
        if way == Way::Supervise {
            let podctl = |args: &[&str]| {
                let mut command = Command::new(podctl);
                command.env("PODCTL_NO_SUPERVISOR", "1").args(args);
                command
            };
            let up = podctl(&["up", "-q", file]).status();
            assert!(up.expect("podctl runs").success(), "not all have come up");
            down = Some(podctl(&["down", "-q", file]));
        }
        Self {
            process,
            said,
            down,
        }
    }

    fn wait_until_up(&self, n: usize) {
        let end = Instant::now() + LONGEST_START;
        let said = || std::fs::read_to_string(&self.said).expect("a file");
        while said()
            .lines()
            .filter(|line| line.starts_with("Up "))
            .count()
            < n
        {
            assert!(Instant::now() < end, "not all have come up: {}", said());
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn proc(&self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.process.id());
        std::fs::read_to_string(path).expect("the process is there")
    }

    /// Seconds that it has had of a processor.
    fn processor(&self) -> f64 {
        let stat = self.proc("stat");
        // The name of the program, in brackets, may hold anything.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let fields = fields.split_whitespace().skip(11).take(2);
        let ticks: f64 = fields.map(|n| n.parse::<f64>().expect("a number")).sum();
        ticks / TICKS
    }

    /// In megabytes.
    fn status(&self, name: &str) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with(name));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
        kilobytes.expect("a size").parse::<f64>().expect("a number") / 1024.0
    }

    /// As Ctrl-C does; how long it took.
    fn end(mut self) -> Duration {
        let begun = Instant::now();
        self.interrupt();
        begun.elapsed()
    }

    fn interrupt(&mut self) {
        if let Some(mut down) = self.down.take() {
            // What is left is said by the next row.
            let _ = down.status();
        }
        let id = self.process.id().to_string();
        // One that has ended already is not there.
        let _ = Command::new("kill").args(["-INT", &id]).status();
        let _ = self.process.wait();
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        if let Ok(None) = self.process.try_wait() {
            self.interrupt();
        }
    }
}

fn wait_until_ready(podctl: &str, file: &str) {
    let mut wait = Command::new(podctl);
    let waited = wait.args(["wait", "--timeout", "5m", file]).output();
    let waited = waited.expect("podctl runs");
    assert!(waited.status.success(), "{waited:?}");
}
