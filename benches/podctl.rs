//! How fast podctl is, as ratios to the engine's own floor and to its peers, measured side by side in one run. Prints a table
//! for README.
//!
//! `make bench`. `ROUNDS` (default 15) pairs of each; `PODCTL` another binary than `target/release/podctl`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "it prints a table"
)]

mod floor;

#[path = "../tests/faults/proxy.rs"]
#[allow(dead_code, reason = "no fault is injected here")]
mod proxy;
#[path = "../tests/support/mod.rs"]
mod support;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::query_parameters::ListContainersOptionsBuilder;

use proxy::Proxy;
use support::{Folder, docker, project, unique};

type Times = Vec<(f64, f64)>;

struct Bench {
    rounds: usize,
    podctl: String,
    pause_image: String,
    docker: Docker,
    runtime: tokio::runtime::Runtime,
    folder: Folder,
}

fn main() {
    let rounds = std::env::var("ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(15);
    let podctl = std::env::var("PODCTL").unwrap_or_else(|_| "target/release/podctl".to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let bench = Bench {
        rounds,
        podctl,
        // Loaded with the keeper, below.
        pause_image: "podctl/pause:1".to_owned(),
        docker: runtime
            .block_on(async { Docker::connect_with_defaults() })
            .expect("an engine"),
        runtime,
        folder: Folder::new(),
    };
    // A pod that stays keeps the network, so that all are measured on one that is there.
    let keeper = unique("keeper");
    bench.podctl(&["up", "-q", &bench.manifest(&keeper, 1)]);
    println!("| what | median | ratio to the floor, 95% interval |\n|---|---|---|");
    for n in [2, 8] {
        bench.up_and_down(n);
    }
    bench.supervised();
    bench.own_time();
    bench.ps();
    bench.validate();
    bench.memory();
    bench.podctl(&["down", "-q", &keeper]);
    println!(
        "\nengine: {}",
        docker(&[
            "version",
            "--format",
            "{{.Server.Version}} (API {{.Server.APIVersion}})"
        ])
    );
}

impl Bench {
    fn manifest(&self, name: &str, n: usize) -> String {
        let mut text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  terminationGracePeriodSeconds: 10\n  containers:\n"
        );
        for i in 0..n {
            text.push_str(&format!(
                "  - {{name: c{i}, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}}\n"
            ));
        }
        self.folder.write(&format!("{name}.yaml"), text)
    }

    fn podctl(&self, args: &[&str]) {
        command(
            Command::new(&self.podctl)
                .env("PODCTL_NO_SUPERVISOR", "1")
                .args(args),
        );
    }

    /// One pod after the other by each way, the floor beside each.
    fn up_and_down(&self, n: usize) {
        let mut ways: Vec<(&str, Times, Times)> = vec![
            ("podctl", vec![], vec![]),
            ("docker run, docker rm -f", vec![], vec![]),
        ];
        let compose = Command::new("docker").args(["compose", "version"]).output();
        if compose.is_ok_and(|output| output.status.success()) {
            ways.push(("docker compose", vec![], vec![]));
        }
        for round in 0..=self.rounds {
            for (way, up, down) in &mut ways {
                // Who goes first changes, so that neither gains by it.
                let (ours, floor) = if round % 2 == 0 {
                    let floor = self.floor(n);
                    (self.way(way, n), floor)
                } else {
                    let ours = self.way(way, n);
                    (ours, self.floor(n))
                };
                // The first warms up.
                if round > 0 {
                    up.push((ours.0, floor.0));
                    down.push((ours.1, floor.1));
                }
            }
        }
        for (verb, pick) in [("up", 0), ("down", 1)] {
            for (i, (way, up, down)) in ways.iter().enumerate() {
                let times = if pick == 0 { up } else { down };
                if i == 0 {
                    let floor = median(times.iter().map(|(_, floor)| *floor).collect());
                    println!(
                        "| {verb} of 1 + {n}: the floor | {:.0} ms | 1 |",
                        floor * 1000.0
                    );
                }
                let (low, middle, high) =
                    interval(times.iter().map(|(ours, floor)| ours / floor).collect());
                let ours = median(times.iter().map(|(ours, _)| *ours).collect());
                println!(
                    "| {verb} of 1 + {n}: {way} | {:.0} ms | {middle:.2} ({low:.2} to {high:.2}) |",
                    ours * 1000.0
                );
            }
        }
    }

    fn floor(&self, n: usize) -> (f64, f64) {
        let name = unique("floor");
        self.runtime.block_on(async {
            let begun = Instant::now();
            let pod = floor::up(&self.docker, &name, n, &self.pause_image).await;
            let up = seconds(begun);
            let begun = Instant::now();
            floor::down(&self.docker, pod).await;
            (up, seconds(begun))
        })
    }

    fn way(&self, way: &str, n: usize) -> (f64, f64) {
        let name = unique("bench");
        match way {
            "podctl" => {
                let file = self.manifest(&name, n);
                let up = timed(|| self.podctl(&["up", "-q", &file]));
                (up, timed(|| self.podctl(&["down", "-q", &name])))
            }
            "docker compose" => self.compose(&name, n),
            _ => docker_run(&name, n, &self.pause_image),
        }
    }

    fn compose(&self, name: &str, n: usize) -> (f64, f64) {
        let mut text = format!(
            "services:\n  pause: {{image: '{}', networks: [podctl], ipc: shareable}}\n",
            self.pause_image
        );
        for i in 0..n {
            text.push_str(&format!(
                "  c{i}: {{image: busybox, command: [sleep, '3600'], network_mode: 'service:pause', ipc: 'service:pause', pid: 'service:pause'}}\n"
            ));
        }
        text.push_str("networks: {podctl: {external: true}}\n");
        let file = self.folder.write(&format!("{name}-compose.yaml"), text);
        let run = |args: &[&str]| {
            command(
                Command::new("docker")
                    .args(["compose", "-p", name, "-f", &file])
                    .args(args),
            );
        };
        let up = timed(|| run(&["up", "-d", "--quiet-pull"]));
        (up, timed(|| run(&["down"])))
    }

    /// The first `up`, which starts the supervisor once its pod is there, and later ones, beside it.
    fn supervised(&self) {
        let podctl = |args: &[&str]| command(Command::new(&self.podctl).args(args));
        let (mut first, mut later) = (Vec::new(), Vec::new());
        for round in 0..=self.rounds {
            for times in [&mut first, &mut later] {
                let name = unique("supervised");
                let file = self.manifest(&name, 2);
                let time = timed(|| podctl(&["up", "-q", &file]));
                podctl(&["down", "-q", &name]);
                // The first of all loads the image.
                if round > 0 {
                    times.push(time);
                }
            }
            podctl(&["supervise", "-q", "--stop"]);
        }
        for (which, times) in [
            ("first, which starts the supervisor", first),
            ("later ones", later),
        ] {
            let time = median(times) * 1000.0;
            println!("| up of 1 + 2 with a supervisor: the {which} | {time:.0} ms | |");
        }
    }

    /// Wall time less the time in which a call is under way.
    fn own_time(&self) {
        let mut times = Vec::new();
        for _ in 0..self.rounds {
            let name = unique("own");
            let file = self.manifest(&name, 2);
            let proxy = Proxy::start(None);
            let begun = Instant::now();
            command(
                Command::new(&self.podctl)
                    .env("PODCTL_NO_SUPERVISOR", "1")
                    .args(["up", "-q", &file])
                    .env("DOCKER_HOST", proxy.address()),
            );
            let wall = begun.elapsed();
            times
                .push((wall.saturating_sub(proxy::waiting(&proxy.calls()))).as_secs_f64() * 1000.0);
            self.podctl(&["down", "-q", &name]);
        }
        println!(
            "| podctl's own time in up of 1 + 2, through a proxy | {:.1} ms | |",
            median(times)
        );
    }

    /// 30 pods: one raw list call, podctl ps, docker ps.
    fn ps(&self) {
        let names: Vec<String> = (0..30).map(|_| unique("many")).collect();
        for name in &names {
            self.podctl(&["up", "-q", &self.manifest(name, 1)]);
        }
        let raw = || {
            self.runtime.block_on(async {
                let options = ListContainersOptionsBuilder::default().all(true).build();
                self.docker
                    .list_containers(Some(options))
                    .await
                    .expect("a list");
            });
        };
        let mut ways: Vec<(&str, Times)> = vec![("podctl ps", vec![]), ("docker ps", vec![])];
        for _ in 0..self.rounds * 2 {
            for (way, times) in &mut ways {
                let floor = timed(raw);
                let ours = timed(|| match *way {
                    "podctl ps" => self.podctl(&["ps"]),
                    _ => command(Command::new("docker").args(["ps", "-a"])),
                });
                times.push((ours, floor));
            }
        }
        let floor = median(ways[0].1.iter().map(|(_, floor)| *floor).collect());
        println!("| 30 pods: one list call | {:.1} ms | 1 |", floor * 1000.0);
        for (way, times) in &ways {
            let (low, middle, high) =
                interval(times.iter().map(|(ours, floor)| ours / floor).collect());
            let ours = median(times.iter().map(|(ours, _)| *ours).collect());
            println!(
                "| 30 pods: {way} | {:.1} ms | {middle:.2} ({low:.2} to {high:.2}) |",
                ours * 1000.0
            );
        }
        for name in &names {
            self.podctl(&["down", "-q", "--timeout", "1", name]);
        }
    }

    /// One manifest, and a thousand in one call; beside them a start of podctl that reads nothing.
    fn validate(&self) {
        let text = std::fs::read_to_string(project("pod-examples/nginx-ghost.yaml"));
        let text = text.expect("an example");
        let folder = Folder::new();
        for i in 0..1000 {
            // The ConfigMap's name begins so too.
            let numbered = text.replace("name: web", &format!("name: web{i}"));
            folder.write(&format!("{i}.yaml"), numbered);
        }
        let one = folder.0.join("0.yaml").display().to_string();
        let all = folder.0.display().to_string();
        let ways: [(&str, Vec<&str>); 3] = [
            ("podctl --version", vec!["--version"]),
            (
                "podctl validate of one manifest",
                vec!["validate", "-q", &one],
            ),
            (
                "podctl validate of 1000 manifests",
                vec!["validate", "-q", &all],
            ),
        ];
        for (way, args) in ways {
            let times = (0..self.rounds).map(|_| timed(|| self.podctl(&args)));
            let time = median(times.collect());
            let rate = if way.contains("1000") {
                format!("{:.0} a second", 1000.0 / time)
            } else {
                String::new()
            };
            println!("| {way} | {:.1} ms | {rate} |", time * 1000.0);
        }
    }

    /// By the shell's own `time`, where it is installed.
    fn memory(&self) {
        let name = unique("memory");
        let file = self.manifest(&name, 8);
        for args in [
            vec!["up", "-q", &file],
            vec!["ps"],
            vec!["down", "-q", &name],
        ] {
            let output = Command::new("/usr/bin/time")
                .args(["-f", "%M", &self.podctl])
                .args(&args)
                .output();
            let Ok(output) = output else {
                println!("| peak memory | `/usr/bin/time` is not installed | |");
                self.podctl(&["down", "-q", &name]);
                return;
            };
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let kilobytes: f64 = said
                .lines()
                .last()
                .and_then(|line| line.parse().ok())
                .unwrap_or_default();
            println!(
                "| peak memory of podctl {} | {:.1} MB | |",
                args[0],
                kilobytes / 1024.0
            );
        }
    }
}

fn docker_run(name: &str, n: usize, pause_image: &str) -> (f64, f64) {
    let pause = format!("{name}-pause");
    let joined = format!("container:{pause}");
    let up = timed(|| {
        docker(&[
            "run",
            "-d",
            "--name",
            &pause,
            "--network",
            "podctl",
            "--ipc",
            "shareable",
            pause_image,
        ]);
        for i in 0..n {
            docker(&[
                "run",
                "-d",
                "--name",
                &format!("{name}-{i}"),
                "--network",
                &joined,
                "--ipc",
                &joined,
                "--pid",
                &joined,
                "busybox",
                "sleep",
                "3600",
            ]);
        }
    });
    let down = timed(|| {
        for i in 0..n {
            docker(&["rm", "-f", &format!("{name}-{i}")]);
        }
        docker(&["rm", "-f", &pause]);
    });
    (up, down)
}

fn command(command: &mut Command) {
    let output = command
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn timed(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    seconds(begun)
}

fn seconds(begun: Instant) -> f64 {
    Duration::as_secs_f64(&begun.elapsed())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The median, and the order statistics that hold it with a probability of 95% (sign test).
fn interval(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let outside = ((n - 1.96 * n.sqrt()) / 2.0).floor().max(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole, and not negative"
    )]
    let low = outside as usize;
    (
        values[low],
        values[values.len() / 2],
        values[values.len() - 1 - low],
    )
}
