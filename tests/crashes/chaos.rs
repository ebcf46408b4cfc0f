//! Random kills, for a while, on an engine with pods: supervisor, containers, pauses, and with `PODCTL_CHAOS_ENGINE=1` the engine. In the end every pod is whole, no restart count
//! has fallen, and after `down` nothing is left.
//!
//! `PODCTL_CHAOS_SECONDS`, `PODCTL_CHAOS_PODS` and `PODCTL_CHAOS_SEED` say for how long, with how many, and which.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::machine::{Machine, children};
use super::support::{eventually, run, tell, within};

const POD: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: NAME}
data: {word: NAME}
---
apiVersion: v1
kind: Pod
metadata: {name: NAME}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: a
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [httpd, -f, -p, '80', -h, /text]
    readinessProbe: {httpGet: {port: 80, path: /word}, periodSeconds: 2}
    livenessProbe: {tcpSocket: {port: 80}, periodSeconds: 5}
    volumeMounts: [{name: text, mountPath: /text}]
  - name: b
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sleep, '100000']
    readinessProbe: {exec: {command: ['true']}, periodSeconds: 3}
  volumes: [{name: text, configMap: {name: NAME}}]
";

/// Of numbers that look random, always the same ones for one seed (Knuth's MMIX).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % sides
    }
}

fn setting(name: &str, default: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Restart counts by pod, as far as the engine tells them now.
fn counts(machine: &Machine) -> BTreeMap<String, Vec<u32>> {
    let path = "jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[*].restartCount}{\"\\n\"}{end}";
    let listed = machine.podctl(&["ps", "-a", "-o", path]).out;
    let counts = listed.lines().filter_map(|line| {
        let (pod, counts) = line.split_once(' ')?;
        let counts = counts.split(' ').filter_map(|n| n.parse().ok());
        Some((pod.to_owned(), counts.collect()))
    });
    counts.collect()
}

/// As a crash of its own: what `docker kill` ends the engine does not start again.
fn kill_supervisor(machine: &Machine) {
    let format = "{{.State.Pid}}";
    let pid = machine
        .docker_said(&["inspect", "-f", format, "podctl-supervisor"])
        .out;
    // Of one that does not run it is 0, which means something else to `kill`.
    if pid.trim().parse().is_ok_and(|pid: u32| pid > 0) {
        run(std::process::Command::new("kill").args(["-9", pid.trim()]));
    }
}

/// Every pod is whole, no restart count has fallen, and nothing runs that need not.
fn assert_whole(
    machine: &Machine,
    names: &[String],
    highest: &BTreeMap<String, Vec<u32>>,
    seed: u64,
) {
    for name in names {
        within(
            Duration::from_secs(120),
            &format!("{name} is whole; seed {seed}"),
            || {
                let ready = machine.podctl(&["wait", name, "--timeout", "1s"]).code == 0;
                let word = machine.podctl(&["exec", name, "-c", "b", "--", "sh", "-c",
                "printf 'GET /word HTTP/1.0\\r\\n\\r\\n' | timeout 2 nc 127.0.0.1 80 | tail -n 1; cat /proc/1/comm"]);
                ready && word.out.contains(name.as_str()) && word.out.contains("pause")
            },
        );
    }
    let last = counts(machine);
    for (pod, before) in highest {
        let now = last.get(pod).cloned().unwrap_or_default();
        let fallen = before.iter().zip(&now).any(|(before, now)| now < before);
        assert!(!fallen, "{pod}: {now:?} after {before:?}; seed {seed}");
    }
    let containers = machine
        .docker(&["ps", "-aq", "-f", "label=podctl.io/pod"])
        .lines()
        .count();
    let running = machine
        .docker(&["ps", "-q", "-f", "label=podctl.io/pod"])
        .lines()
        .count();
    assert_eq!(running, names.len() * 3, "seed {seed}");
    // A dead one for each container at the most.
    assert!(
        containers <= names.len() * 5,
        "{containers} containers; seed {seed}"
    );
    for name in names {
        // What is asking just now is gone a moment later.
        eventually(&format!("nothing else runs in {name}; seed {seed}"), || {
            let ps = machine.podctl(&["exec", name, "-c", "b", "--", "ps", "-o", "args"]);
            let mut lines: Vec<&str> = ps.out.lines().skip(1).collect();
            lines.sort_unstable();
            lines
                == [
                    "/pause",
                    "httpd -f -p 80 -h /text",
                    "ps -o args",
                    "sleep 100000",
                ]
        });
    }
}

fn assert_gone(machine: &Machine, seed: u64) {
    assert_eq!(machine.docker(&["ps", "-aq"]), "");
    assert_eq!(machine.docker(&["volume", "ls", "-q"]), "");
    assert_eq!(
        machine.docker(&["network", "ls", "-qf", "name=^podctl$"]),
        ""
    );
    // An engine that is killed while it starts a container may leave the shim of that one behind, with nothing in it.
    let mut n_shims = 0;
    eventually(&format!("nothing of a container runs; seed {seed}"), || {
        let mut shims = machine.processes();
        shims.retain(|process| process.command.contains("containerd-shim"));
        n_shims = shims.len();
        shims.iter().all(|shim| children(shim.id).is_empty())
    });
    tell(&format!("{n_shims} shims without a container are left"));
}

#[test]
fn pods_outlive_random_kills() {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time");
    let seed = setting("PODCTL_CHAOS_SEED", now.as_secs());
    let time = Duration::from_secs(setting("PODCTL_CHAOS_SECONDS", 30));
    let n_pods = setting("PODCTL_CHAOS_PODS", 5);
    let engine_too = setting("PODCTL_CHAOS_ENGINE", 0) == 1;
    tell(&format!("seed {seed}, {n_pods} pods, {time:?}"));
    let mut dice = Dice(seed);
    let mut machine = Machine::new(3, false);
    let names: Vec<String> = (0..n_pods).map(|n| format!("pod{n}")).collect();
    for name in &names {
        let file = machine.file(&format!("{name}.yaml"), &POD.replace("NAME", name));
        machine.podctl(&["up", &file]).code(0);
    }
    let mut highest: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    let end = Instant::now() + time;
    let (mut n_acts, mut n_crashes) = (0, 0);
    while Instant::now() < end {
        n_acts += 1;
        let pod = &names[dice.roll(names.len())];
        let container = ["POD", "a", "b"][dice.roll(3)];
        let of_pod = format!("label=podctl.io/pod={pod}");
        let of_container = format!("label=podctl.io/container={container}");
        let ids = machine
            .docker_said(&["ps", "-q", "-f", &of_pod, "-f", &of_container])
            .out;
        let id = ids.lines().next().unwrap_or("none").to_owned();
        // What is under way elsewhere may refuse any of it.
        match dice.roll(20) {
            0 if engine_too => {
                n_crashes += 1;
                machine.kill();
                machine.start();
            }
            1 if engine_too => {
                n_crashes += 1;
                machine.stop();
                machine.start();
            }
            2..=4 => kill_supervisor(&machine),
            5..=7 => drop(machine.docker_said(&["rm", "-f", &id])),
            8..=9 => drop(machine.docker_said(&["restart", "-t", "0", &id])),
            10 => drop(machine.docker_said(&["network", "disconnect", "-f", "podctl", &id])),
            11 => drop(machine.podctl(&["restart", pod])),
            _ => drop(machine.docker_said(&["kill", &id])),
        }
        for (pod, now) in counts(&machine) {
            let before = highest.entry(pod).or_insert_with(|| now.clone());
            for (before, now) in before.iter_mut().zip(now) {
                *before = now.max(*before);
            }
        }
        std::thread::sleep(Duration::from_millis(
            u64::try_from(dice.roll(400)).unwrap_or_default(),
        ));
    }
    assert_whole(&machine, &names, &highest, seed);
    machine.podctl(&["down", "--all"]).code(0);
    assert_gone(&machine, seed);
    tell(&format!(
        "{n_acts} acts, {n_crashes} of them on the engine: all whole, nothing left; seed {seed}"
    ));
}
