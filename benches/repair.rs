//! How long a pod that hands have meddled with takes to be whole again, beside the same calls made by hand, in one run. Prints a table for
//! README.
//!
//! It ends with the start of the last container that has to be started (or with the connection to the network), as the engine tells of it; it
//! begins when the engine has done what hands asked for. By hand: who knows at once what has happened, and makes the least calls that mend it,
//! in the best order.
//!
//! `make bench`. `ROUNDS` (default 5) of each; `PODCTL` another binary than `target/release/podctl`.
#![allow(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "it prints a table"
)]

mod floor;

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::HashMap;
use std::process::Command;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bollard::Docker;
use bollard::models::{EventMessage, NetworkConnectRequest, NetworkDisconnectRequest};
use bollard::query_parameters::{
    EventsOptionsBuilder, KillContainerOptionsBuilder, RemoveContainerOptionsBuilder,
    RestartContainerOptionsBuilder, WaitContainerOptionsBuilder,
};
use futures_util::StreamExt;
use futures_util::future::join_all;

use support::{Folder, docker, eventually, unique};

/// App containers of a pod.
const N: usize = 2;
/// Loaded with the first pod of podctl.
const PAUSE: &str = "podctl/pause:1";

/// What hands do.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Act {
    KillPause,
    RestartPause,
    RemovePause,
    KillMember,
    RemoveMember,
    RemoveAll,
    Disconnect,
}

const ACTS: [(Act, &str); 7] = [
    (Act::KillPause, "the pause container killed"),
    (Act::RestartPause, "the pause container restarted"),
    (Act::RemovePause, "the pause container removed"),
    (Act::KillMember, "an app container killed"),
    (Act::RemoveMember, "an app container removed"),
    (Act::RemoveAll, "all containers removed"),
    (Act::Disconnect, "taken out of the network"),
];

struct Bench {
    podctl: String,
    docker: Docker,
    folder: Folder,
}

fn main() {
    let set = |name: &str| std::env::var(name).ok();
    let rounds = set("ROUNDS").and_then(|n| n.parse().ok()).unwrap_or(5);
    let bench = Bench {
        podctl: set("PODCTL").unwrap_or_else(|| "target/release/podctl".to_owned()),
        docker: Docker::connect_with_defaults().expect("an engine"),
        folder: Folder::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    println!(
        "| whole again, a pod of 1 + {N} with {{...}} | podctl | by hand | ratio |\n|---|---|---|---|"
    );
    for (act, what) in ACTS {
        let mut rows = Vec::new();
        for _ in 0..rounds {
            let ours = bench.repaired(&runtime, act);
            rows.push((ours, runtime.block_on(bench.by_hand(act))));
        }
        let of = |pick: fn(&(f64, f64)) -> f64| median(rows.iter().map(pick).collect());
        println!(
            "| {what} | {:.0} ms | {:.0} ms | {:.2} |",
            of(|row| row.0) * 1000.0,
            of(|row| row.1) * 1000.0,
            of(|row| row.0 / row.1)
        );
    }
    bench.podctl(&["supervise", "-q", "--stop"]);
}

impl Bench {
    fn podctl(&self, args: &[&str]) -> String {
        let said = Command::new(&self.podctl).args(args).output();
        let said = said.expect("podctl runs");
        assert!(
            said.status.success(),
            "podctl {args:?}: {}",
            String::from_utf8_lossy(&said.stderr)
        );
        String::from_utf8_lossy(&said.stdout).into_owned()
    }

    /// Seconds until the supervisor has repaired it.
    fn repaired(&self, runtime: &tokio::runtime::Runtime, act: Act) -> f64 {
        let name = unique("repair");
        let mut manifest = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  terminationGracePeriodSeconds: 10\n  containers:\n"
        );
        for i in 0..N {
            manifest.push_str(&format!(
                "  - {{name: c{i}, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}}\n"
            ));
        }
        let file = self.folder.write(&format!("{name}.yaml"), manifest);
        self.podctl(&["up", "-q", &file]);
        eventually("it is kept", || {
            let said = Command::new(&self.podctl)
                .args(["supervise", "--logs"])
                .output();
            String::from_utf8_lossy(&said.expect("podctl runs").stdout).contains(&name)
        });
        let label = format!("label=podctl.io/pod={name}");
        let ids = |container: &str| {
            let container = format!("label=podctl.io/container={container}");
            let ids = docker(&[
                "ps",
                "-q",
                "--no-trunc",
                "--filter",
                &label,
                "--filter",
                &container,
            ]);
            ids.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let pause = ids("POD");
        let members: Vec<String> = (0..N).flat_map(|i| ids(&format!("c{i}"))).collect();
        let time = runtime.block_on(async {
            let begun = SystemTime::now().duration_since(UNIX_EPOCH);
            let options = EventsOptionsBuilder::default()
                .since(&begun.expect("a time").as_secs_f64().to_string())
                .filters(&awaited(act, &name))
                .build();
            let mut events = self.docker.events(Some(options)).boxed();
            self.meddle(act, &pause[0], &members).await;
            let begun = Instant::now();
            let n = if act == Act::Disconnect {
                1
            } else {
                act.n_starts()
            };
            for _ in 0..n {
                let _: EventMessage = events.next().await.expect("an event").expect("an answer");
            }
            begun.elapsed().as_secs_f64()
        });
        self.podctl(&["down", "-q", "--timeout", "0", &name]);
        time
    }

    /// Returns when the engine has done it.
    async fn meddle(&self, act: Act, pause: &str, members: &[String]) {
        match act {
            Act::KillPause => self.kill(pause).await,
            Act::RestartPause => {
                let options = RestartContainerOptionsBuilder::default().t(0).build();
                let restarted = self.docker.restart_container(pause, Some(options)).await;
                restarted.expect("it restarts");
            }
            Act::KillMember => self.kill(&members[0]).await,
            Act::RemovePause => self.remove(pause).await,
            Act::RemoveMember => self.remove(&members[0]).await,
            Act::RemoveAll => {
                let all = members.iter().map(String::as_str).chain([pause]);
                join_all(all.map(|id| self.remove(id))).await;
            }
            Act::Disconnect => {
                let request = NetworkDisconnectRequest {
                    container: pause.to_owned(),
                    force: None,
                };
                let cut = self.docker.disconnect_network("podctl", request).await;
                cut.expect("it is connected");
            }
        }
    }

    async fn kill(&self, id: &str) {
        let options = KillContainerOptionsBuilder::default()
            .signal("KILL")
            .build();
        self.docker
            .kill_container(id, Some(options))
            .await
            .expect("it runs");
        self.ended(id).await;
    }

    async fn ended(&self, id: &str) {
        let options = WaitContainerOptionsBuilder::default()
            .condition("not-running")
            .build();
        // Its end is a code that is not 0.
        let _ = self.docker.wait_container(id, Some(options)).next().await;
    }

    async fn remove(&self, id: &str) {
        let options = RemoveContainerOptionsBuilder::default().force(true).build();
        let removed = self.docker.remove_container(id, Some(options)).await;
        removed.expect("it is there");
    }

    /// Seconds that the calls take which mend the same.
    async fn by_hand(&self, act: Act) -> f64 {
        let name = unique("by-hand");
        let pod = floor::up(&self.docker, &name, N, PAUSE).await;
        let (pause, members) = (pod.pause.clone(), pod.members.clone());
        self.meddle(act, &pause, &members).await;
        let begun = Instant::now();
        let another = format!("{name}-again");
        let (pod, left) = match act {
            Act::KillPause | Act::RemovePause | Act::RemoveAll => {
                let mut left = members;
                if act == Act::RemoveAll {
                    left.clear();
                }
                for member in &left {
                    self.ended(member).await;
                }
                if act == Act::KillPause {
                    left.push(pause);
                }
                let again = floor::up(&self.docker, &another, N, PAUSE);
                (again.await, left)
            }
            Act::RestartPause => {
                join_all(members.iter().map(|member| self.ended(member))).await;
                let names = (0..N).map(|i| format!("{another}-{i}"));
                let again = names.map(async |name| {
                    let again = floor::member(&self.docker, &name, &pause).await;
                    floor::start(&self.docker, &again).await;
                    again
                });
                let now = join_all(again).await;
                (
                    floor::Pod {
                        pause,
                        members: now,
                    },
                    members,
                )
            }
            Act::KillMember | Act::RemoveMember => {
                let again = floor::member(&self.docker, &another, &pause).await;
                floor::start(&self.docker, &again).await;
                let mut now = vec![again];
                now.extend_from_slice(&members[1..]);
                let left = if act == Act::KillMember {
                    &members[..1]
                } else {
                    &[]
                };
                (
                    floor::Pod {
                        pause,
                        members: now,
                    },
                    left.to_vec(),
                )
            }
            Act::Disconnect => {
                let request = NetworkConnectRequest {
                    container: pause,
                    ..NetworkConnectRequest::default()
                };
                let connected = self.docker.connect_network("podctl", request).await;
                connected.expect("it is not connected");
                (pod, vec![])
            }
        };
        let time = begun.elapsed().as_secs_f64();
        for id in left {
            self.remove(&id).await;
        }
        floor::down(&self.docker, pod).await;
        time
    }
}

impl Act {
    /// So many containers are started to mend it.
    fn n_starts(self) -> usize {
        match self {
            Self::KillPause | Self::RemovePause | Self::RemoveAll => 1 + N,
            // What hands have started is told too.
            Self::RestartPause => 1 + 1 + N,
            Self::KillMember | Self::RemoveMember => 1,
            Self::Disconnect => 0,
        }
    }
}

/// Filters for what mends it.
fn awaited(act: Act, name: &str) -> HashMap<String, Vec<String>> {
    let filters = if act == Act::Disconnect {
        [
            ("type", "network".to_owned()),
            ("event", "connect".to_owned()),
        ]
    } else {
        [
            ("label", format!("podctl.io/pod={name}")),
            ("event", "start".to_owned()),
        ]
    };
    filters
        .into_iter()
        .map(|(key, value)| (key.to_owned(), vec![value]))
        .collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
