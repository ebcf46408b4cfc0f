//! A fault at a call of the supervisor, in each of the ways of `tests/faults`, while a command and hands are at work: in the end the pod is
//! whole, and after `down` nothing is left. Whoever starts it again does so here too.
//!
//! Every fault at every call takes long: without `PODCTL_FAULTS=all` some are taken, other ones each time.

use std::process::{Child, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use super::proxy::{Fault, Proxy};
use super::support::{Pod, docker, eventually, run};
use super::{alone, podctl, up};

const POD: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: text}
data: {word: hello}
---
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: a
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sleep, '3600']
    readinessProbe: {exec: {command: ['true']}, periodSeconds: 1}
    volumeMounts: [{name: t, mountPath: /t}]
  - {name: b, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}
  volumes: [{name: t, configMap: {name: text}}]
";

const FAULTS: [Fault; 6] = [
    Fault::Gone,
    Fault::Cut,
    Fault::CutAfter,
    Fault::Answer500,
    Fault::Kill,
    Fault::KillAfter,
];
/// Of all faults, one in so many.
const ONE_IN: usize = 60;

/// A supervisor in the foreground, which is started again when it ends.
struct Kept(Child);

impl Kept {
    fn through(proxy: &Proxy) -> Self {
        let child = podctl_alone().env("DOCKER_HOST", proxy.address()).spawn();
        let child = child.expect("podctl");
        proxy.watch(child.id());
        Self(child)
    }

    fn keep(&mut self) {
        if self.0.try_wait().expect("a child").is_some() {
            self.0 = podctl_alone().spawn().expect("podctl");
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn podctl_alone() -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_podctl"));
    command
        .arg("supervise")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// What happens to a pod, with a fault of its supervisor or without; gives the calls that the supervisor has made.
fn life(fault: Option<(Fault, usize)>) -> usize {
    let pod = Pod::new("fault");
    let proxy = Proxy::start(fault);
    let mut kept = Kept::through(&proxy);
    up(&pod, POD, &[]).code(0);
    let whole = |kept: &mut Kept| {
        eventually(&format!("it is whole; {fault:?}"), || {
            kept.keep();
            let inside = pod.exec("a", &["cat", "/t/word"]);
            let running = [
                "ps",
                "-q",
                "--filter",
                &format!("label=podctl.io/pod={}", pod.name),
            ];
            let ready = run(podctl().args(["wait", &pod.name, "--timeout", "0s"])).code == 0;
            inside.out == "hello" && docker(&running).lines().count() == 3 && ready
        });
    };
    whole(&mut kept);
    docker(&["kill", &pod.ids("a")[0]]);
    whole(&mut kept);
    docker(&["rm", "-f", &pod.ids("POD")[0]]);
    whole(&mut kept);
    run(podctl().args(["down", &pod.name])).code(0);
    eventually(&format!("nothing is left; {fault:?}"), || {
        kept.keep();
        pod.inventory().is_empty()
    });
    proxy.calls().len()
}

#[test]
fn a_fault_at_a_call_of_the_supervisor_is_put_right() {
    let _alone = alone();
    let n = life(None);
    let all = std::env::var("PODCTL_FAULTS").is_ok_and(|which| which == "all");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time");
    let step = if all { 1 } else { ONE_IN };
    let first = usize::try_from(now.as_secs()).unwrap_or_default() % step;
    let cases = (1..=n).flat_map(|position| FAULTS.map(|fault| (fault, position)));
    let cases: Vec<_> = cases.skip(first).step_by(step).collect();
    for (fault, position) in &cases {
        life(Some((*fault, *position)));
    }
    super::tell(&format!(
        "{} faults among {n} calls of the supervisor: all whole, nothing left",
        cases.len()
    ));
}
