//! A fault at a call of the supervisor, of `up` or of `down`, in each of the ways of `tests/faults`, while the others and hands are at work: in
//! the end the pod is whole, and after `down` nothing is left. Whoever starts the supervisor again does so here too.
//!
//! Every fault at every call takes long: without `PODCTL_FAULTS=all` some are taken, other ones each time; `PODCTL_FAULTS=6`: one in six.

use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use super::proxy::{Fault, Proxy};
use super::support::{Pod, docker, eventually, run, tell};
use super::{alone, podctl, podctl_itself};

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
    readinessProbe: {exec: {command: ['true']}, periodSeconds: 60}
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
const ONE_IN: usize = 120;

/// Whose calls go through the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Supervisor,
    Up,
    Down,
}

/// A supervisor in the foreground, which is started again when it ends.
struct Kept(Child);

impl Kept {
    fn begin(through: Option<&Proxy>) -> Self {
        let mut command = podctl_itself();
        command
            .arg("supervise")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(spawn(&mut command, through))
    }

    fn keep(&mut self) {
        if self.0.try_wait().expect("a child").is_some() {
            *self = Self::begin(None);
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn spawn(command: &mut Command, through: Option<&Proxy>) -> Child {
    if let Some(proxy) = through {
        command.env("DOCKER_HOST", proxy.address());
    }
    let child = command.spawn().expect("podctl");
    if let Some(proxy) = through {
        proxy.watch(child.id());
    }
    child
}

/// A command. One at whose calls there are faults may fail, and is then given again.
fn command(args: &[&str], through: Option<&Proxy>) {
    if through.is_some() {
        let mut command = podctl_itself();
        command
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let end = spawn(&mut command, through).wait().expect("an end");
        if end.success() {
            return;
        }
    }
    run(podctl().args(args)).code(0);
}

/// What happens to a pod, with a fault or without; gives the calls that the victim has made.
fn life(victim: Victim, fault: Option<(Fault, usize)>) -> usize {
    let pod = Pod::new("fault");
    let proxy = Proxy::start(fault);
    let through = |who: Victim| (who == victim).then_some(&proxy);
    let mut kept = Kept::begin(through(Victim::Supervisor));
    let what = format!("{fault:?} of {victim:?}");
    command(&["up", &pod.file(POD)], through(Victim::Up));
    let whole = |kept: &mut Kept| {
        eventually(&format!("it is whole; {what}"), || {
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
    if victim == Victim::Supervisor {
        docker(&["kill", &pod.ids("a")[0]]);
        whole(&mut kept);
        // An engine may fail half-way, where two remove one container; the pod is made whole all the same.
        let _ = run(Command::new("docker").args(["rm", "-f", &pod.ids("POD")[0]]));
        whole(&mut kept);
    }
    command(&["down", &pod.name], through(Victim::Down));
    eventually(&format!("nothing is left; {what}"), || {
        kept.keep();
        pod.inventory().is_empty()
    });
    proxy.calls().len()
}

#[test]
fn a_fault_at_a_call_of_anybody_is_put_right() {
    let _alone = alone();
    let victims = [Victim::Supervisor, Victim::Up, Victim::Down];
    let n_calls = victims.map(|victim| life(victim, None));
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time");
    let step = match std::env::var("PODCTL_FAULTS").as_deref() {
        Ok("all") => 1,
        Ok(one_in) => one_in.parse().expect("PODCTL_FAULTS is `all`, or a number"),
        Err(_) => ONE_IN,
    };
    let first = usize::try_from(now.as_secs()).unwrap_or_default() % step;
    let mut cases = Vec::new();
    for (victim, n) in victims.into_iter().zip(n_calls) {
        let of_call = |call| FAULTS.map(|fault| (victim, fault, call));
        cases.extend((1..=n).flat_map(of_call));
    }
    let n_all = cases.len();
    let cases: Vec<_> = cases.into_iter().skip(first).step_by(step).collect();
    for (victim, fault, call) in &cases {
        life(*victim, Some((*fault, *call)));
    }
    tell(&format!(
        "{} of {n_all} faults at the calls of the supervisor, of up and of down ({n_calls:?}): all whole, nothing left",
        cases.len()
    ));
}
