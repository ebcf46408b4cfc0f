//! Pods on an engine that is stopped, killed, and loses its machine: in the end each is whole, without a command.

#![allow(clippy::print_stdout, reason = "a test says what it is at")]

#[path = "../support/mod.rs"]
mod support;

mod chaos;
mod machine;

use std::time::Duration;

use machine::{Machine, timed};
use support::{eventually, get, tell, within};

const PORT: u16 = 18_460;

const WEB: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: page}
data: {index.html: whole}
---
apiVersion: v1
kind: Secret
metadata: {name: word}
stringData: {word: hidden}
---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  terminationGracePeriodSeconds: 1
  initContainers:
  - {name: first, image: busybox, imagePullPolicy: IfNotPresent, command: ['true']}
  containers:
  - name: web
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [httpd, -f, -p, '80', -h, /www]
    ports: [{containerPort: 80, hostPort: PORT}]
    readinessProbe: {httpGet: {port: 80, path: /}, periodSeconds: 1}
    volumeMounts: [{name: page, mountPath: /www}]
  - name: side
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sleep, '100000']
    volumeMounts: [{name: data, mountPath: /data}, {name: word, mountPath: /word}, {name: memory, mountPath: /memory}]
  volumes:
  - {name: word, secret: {secretName: word}}
  - {name: memory, emptyDir: {medium: Memory}}
  - {name: page, configMap: {name: page}}
  - {name: data, emptyDir: {}}
";

/// Brings the pod up, with something in its volume.
fn up(machine: &Machine, port: u16) {
    let file = machine.file("web.yaml", &WEB.replace("PORT", &port.to_string()));
    machine
        .podctl(&["up", "--wait", "--timeout", "60s", &file])
        .code(0);
    let write = [
        "exec",
        "web",
        "-c",
        "side",
        "--",
        "sh",
        "-c",
        "echo kept >/data/f",
    ];
    machine.podctl(&write).code(0);
    assert!(is_whole(machine, port));
    eventually("it is supervised", || {
        machine
            .podctl(&["supervise", "--logs"])
            .out
            .contains("Keeping     pod web")
    });
}

/// It answers through the machine, and to the other container; what was in its volumes is there; it is told to be ready.
fn is_whole(machine: &Machine, port: u16) -> bool {
    let ask = "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | timeout 2 nc 127.0.0.1 80 | tail -n 1; echo; cat /data/f /proc/1/comm /word/word; touch /memory/f";
    let inside = machine.podctl(&["exec", "web", "-c", "side", "--", "sh", "-c", ask]);
    let ready = "jsonpath={.status.conditions[?(@.type==\"Ready\")].status}";
    get(port).lines().last() == Some("whole")
        && inside.out.lines().collect::<Vec<_>>() == ["whole", "kept", "pause", "hidden"]
        && machine.podctl(&["get", "pod", "web", "-o", ready]).out == "True"
}

#[track_caller]
fn heals(machine: &Machine, port: u16, what: &str) {
    let time = timed(|| {
        within(Duration::from_secs(90), what, || is_whole(machine, port));
    });
    tell(&format!("{what}: whole after {time:.1?}"));
}

fn restarts(machine: &Machine) -> Vec<u32> {
    let path = "jsonpath={.status.containerStatuses[*].restartCount}";
    let counts = machine.podctl(&["get", "pod", "web", "-o", path]).out;
    counts
        .split_whitespace()
        .filter_map(|n| n.parse().ok())
        .collect()
}

#[test]
fn a_pod_outlives_its_engine() {
    let mut machine = Machine::new(0, false);
    up(&machine, PORT);
    machine.stop();
    machine.start();
    heals(&machine, PORT, "the engine was stopped and started");
    assert_eq!(restarts(&machine), [1, 1]);
    machine.kill();
    machine.start();
    heals(&machine, PORT, "the engine was killed and started");
    assert_eq!(restarts(&machine), [2, 2]);
    machine.cut_off();
    machine.start();
    heals(&machine, PORT, "the machine was started anew");
    assert_eq!(restarts(&machine), [3, 3]);
    machine.podctl(&["down", "--all"]).code(0);
    assert_eq!(machine.docker(&["ps", "-aq"]), "");
    assert_eq!(machine.docker(&["volume", "ls", "-q"]), "");
}

#[test]
fn a_pod_goes_on_where_the_engine_lets_it() {
    let port = PORT + 1;
    let mut machine = Machine::new(1, true);
    up(&machine, port);
    let ids = machine.docker(&["ps", "-aq", "--filter", "label=podctl.io/pod"]);
    machine.stop();
    machine.start();
    heals(
        &machine,
        port,
        "the engine was stopped and started, its containers were not",
    );
    machine.kill();
    machine.start();
    heals(
        &machine,
        port,
        "the engine was killed and started, its containers were not",
    );
    let now = machine.docker(&["ps", "-aq", "--filter", "label=podctl.io/pod"]);
    assert_eq!((now, restarts(&machine)), (ids, vec![0, 0]));
    // And it is still kept.
    let web = machine.docker(&["ps", "-q", "--filter", "label=podctl.io/container=web"]);
    machine.docker(&["kill", &web]);
    eventually("it is started again", || restarts(&machine) == [1, 0]);
    heals(&machine, port, "a container was killed");
    let down = machine.podctl(&["down", "--all"]);
    // Docker 20.10 loses count of the mounts of a volume in memory, until it is started anew without containers.
    if down.err.contains("has active mounts") {
        down.says(&["once the engine has been started anew"]);
        machine.stop();
        machine.start();
        machine.podctl(&["down", "--all"]).code(0);
    }
    assert_eq!(machine.docker(&["volume", "ls", "-q"]), "");
}

fn supervisor(machine: &Machine) -> String {
    let filter = "label=podctl.io/supervisor";
    machine.docker(&["ps", "-q", "--no-trunc", "--filter", filter])
}

/// A supervisor that finds another engine behind its socket than the one that is meant touches nothing.
#[test]
fn another_engine_is_left_alone() {
    let machine = Machine::new(4, false);
    let own = std::env::var("DOCKER_HOST").unwrap_or_default();
    let other = own
        .strip_prefix("unix://")
        .unwrap_or("/var/run/docker.sock");
    let file = machine.file("web.yaml", &WEB.replace("PORT", &(PORT + 4).to_string()));
    machine
        .podctl(&["up", "--engine-socket", other, &file])
        .code(0)
        .says(&[
            "there is no supervisor",
            "this is another engine than the one that is meant",
        ]);
    assert_eq!(supervisor(&machine), "");
    machine.podctl(&["down", "--all"]).code(0);
}

#[test]
fn a_pod_outlives_what_runs_its_containers() {
    let port = PORT + 2;
    let machine = Machine::new(2, false);
    up(&machine, port);
    let kill = |what: &str, of: &str| {
        let processes = machine.processes();
        let meant = processes
            .iter()
            .find(|process| process.command.contains(what) && process.command.contains(of));
        let id = meant.unwrap_or_else(|| panic!("no {what}")).id.to_string();
        support::run(std::process::Command::new("kill").args(["-9", &id])).code(0);
    };
    for name in ["POD", "web", "side"] {
        let of_name = format!("label=podctl.io/container={name}");
        let ids = || machine.docker(&["ps", "-q", "--no-trunc", "--filter", &of_name]);
        let before = ids();
        kill("containerd-shim", &before);
        eventually("another has its place", || {
            let now = ids();
            !now.is_empty() && now != before
        });
        heals(&machine, port, &format!("the shim of {name} was killed"));
    }
    let supervisor = supervisor(&machine);
    let process = || {
        machine.docker(&[
            "inspect",
            "-f",
            "{{.State.Pid}} {{.State.Running}}",
            &supervisor,
        ])
    };
    let before = process();
    kill("containerd-shim", &supervisor);
    eventually("another supervisor has begun", || {
        let now = process();
        now != before && now.ends_with("true")
    });
    let web = machine.docker(&["ps", "-q", "--filter", "label=podctl.io/container=web"]);
    machine.docker(&["kill", &web]);
    heals(
        &machine,
        port,
        "the supervisor's shim was killed, and then web",
    );
    kill("containerd ", "");
    heals(&machine, port, "containerd was killed");
    machine.podctl(&["down", "--all"]).code(0);
}
