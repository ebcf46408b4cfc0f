//! Faults from outside: for every call of a clean `up` and of a clean `down`, the call is cut, loses its answer, or is
//! answered with 500, the engine goes away, or podctl is killed at it. After one more `up` the pod is whole; after `down` nothing is left.
//!
//! A position is chosen by the number of the call in the order of arrival at the proxy; `positions` says how many there are.

#![allow(
    clippy::print_stdout,
    reason = "a test says what it skips, and how much it tried"
)]

#[path = "../support/mod.rs"]
mod support;

mod proxy;

use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proxy::{Call, Fault, Proxy};
use support::attached::{Attached, said};
use support::{Pod, Said, docker, eventually, podctl, podctl_itself, run, tell};

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
  terminationGracePeriodSeconds: 1
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600'], volumeMounts: [{name: m, mountPath: /m}, {name: t, mountPath: /t}]}
  - {name: b, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600'], volumeMounts: [{name: m, mountPath: /m}, {name: d, mountPath: /d}]}
  - {name: c, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}
  volumes: [{name: m, emptyDir: {medium: Memory}}, {name: d, emptyDir: {}}, {name: t, configMap: {name: text}}]
";

/// Its container ends when it is asked to.
const SPEAKS: &str = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: a
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, 'echo begins; until [ -e /ends ]; do sleep 0.1; done']
";

/// Faults that are tried at every position.
const FAULTS: [Fault; 6] = [
    Fault::Gone,
    Fault::Cut,
    Fault::CutAfter,
    Fault::Answer500,
    Fault::Kill,
    Fault::KillAfter,
];
/// Waits on the engine, one after the other, of a first `up`.
const LONGEST: usize = 6;
/// As many at once as the engine bears.
const WORKERS: usize = 3;

/// podctl through a proxy. One that is killed has no code.
fn through(proxy: &Proxy, args: &[&str]) -> Said {
    let child = podctl_itself()
        .args(args)
        .env("DOCKER_HOST", proxy.address())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("podctl");
    proxy.watch(child.id());
    let output = child.wait_with_output().expect("an end");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!err.contains("panicked"), "{err}");
    let code = output.status.code().unwrap_or(-1);
    assert!(code <= 0 || !err.is_empty(), "{code}, and not a word");
    Said {
        code,
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err,
    }
}

/// Whole, seen from inside.
fn assert_whole(pod: &Pod, what: &str) {
    for container in ["POD", "a", "b", "c"] {
        // The one before it may be kept for what it said.
        let ids = pod.ids(container);
        let running = ids
            .iter()
            .filter(|id| docker(&["inspect", "-f", "{{.State.Running}}", id]) == "true");
        let most = if container == "POD" { 1 } else { 2 };
        assert!(
            running.count() == 1 && ids.len() <= most,
            "{what}: containers `{container}`: {ids:?}"
        );
    }
    let processes = pod.sh("a", "ps");
    assert_eq!(
        processes.matches("sleep 3600").count(),
        3,
        "{what}: {processes}"
    );
    assert_eq!(
        pod.sh("a", "cat /t/word; echo; touch /m/x"),
        "hello",
        "{what}"
    );
    assert_eq!(pod.sh("b", "ls /m; stat -c %a /d"), "x\n777", "{what}");
}

/// How many calls a clean run makes.
fn positions(pod: &Pod, args: &[&str]) -> usize {
    let proxy = Proxy::start(None);
    let said = through(&proxy, args).code(0);
    assert!(!said.err.contains("error"), "{}", said.err);
    assert!(!pod.name.is_empty());
    proxy.calls().len()
}

/// Tries every fault at every position, some at once.
fn for_all(n: usize, one: impl Fn(Fault, usize) + Sync) -> usize {
    let cases: Vec<(Fault, usize)> = (1..=n)
        .flat_map(|position| FAULTS.map(|fault| (fault, position)))
        .collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((fault, position)) = cases.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    one(*fault, *position);
                }
            });
        }
    });
    cases.len()
}

#[test]
fn a_fault_at_any_call_of_up_is_put_right_by_the_next() {
    let pod = Pod::new("clean-up");
    let n = positions(&pod, &["up", &pod.file(POD)]);
    let n_cases = for_all(n, |fault, position| {
        let what = format!("{fault:?} at call {position} of up");
        let pod = Pod::new("fault-up");
        let file = pod.file(POD);
        let proxy = Proxy::start(Some((fault, position)));
        if through(&proxy, &["up", &file]).code == 0 {
            assert_whole(&pod, &format!("{what}, which says that all is well"));
        }
        let said = run(podctl().args(["up", &file]));
        assert_eq!(said.code, 0, "{what}, then up: {}", said.err);
        assert_whole(&pod, &what);
        let said = pod.down();
        assert_eq!(said.code, 0, "{what}, then down: {}", said.err);
        assert_eq!(pod.inventory(), Vec::<String>::new(), "{what}");
    });
    tell(&format!(
        "{n_cases} faults at {n} positions of up: all whole"
    ));
}

#[test]
fn a_fault_at_any_call_of_down_is_put_right_by_the_next() {
    let pod = Pod::new("clean-down");
    pod.up(POD).code(0);
    let n = positions(&pod, &["down", &pod.name]);
    let n_cases = for_all(n, |fault, position| {
        let what = format!("{fault:?} at call {position} of down");
        let pod = Pod::new("fault-down");
        pod.up(POD).code(0);
        let proxy = Proxy::start(Some((fault, position)));
        if through(&proxy, &["down", &pod.name]).code == 0 {
            let nothing = Vec::<String>::new();
            assert_eq!(
                pod.inventory(),
                nothing,
                "{what}, which says that all is well"
            );
        }
        if position % 2 == 0 {
            let said = pod.up(POD);
            assert_eq!(said.code, 0, "{what}, then up: {}", said.err);
            assert_whole(&pod, &what);
        }
        let said = pod.down();
        assert_eq!(said.code, 0, "{what}, then down: {}", said.err);
        assert_eq!(pod.inventory(), Vec::<String>::new(), "{what}");
    });
    tell(&format!(
        "{n_cases} faults at {n} positions of down: nothing left"
    ));
}

#[test]
fn a_slow_engine_is_waited_for() {
    let pod = Pod::new("slow");
    let proxy = Proxy::start(Some((Fault::Delay, 8)));
    through(&proxy, &["up", &pod.file(POD)]).code(0);
    assert_whole(&pod, "a delay");
}

/// An engine carries out what it was asked for, also where who asked has gone.
#[test]
fn what_was_asked_for_when_time_was_up_is_taken_back() {
    // The first call is seldom another.
    eventually("the record was asked for first", || {
        let pod = Pod::new("late");
        let proxy = Proxy::start(Some((Fault::Delay, 1)));
        through(&proxy, &["up", &pod.file(POD), "--timeout", "300ms"]).code(4);
        eventually("the engine has done all", || {
            proxy.calls().iter().all(Call::is_over)
        });
        pod.assert_nothing_left();
        proxy.calls()[0].to_string() == "POST /volumes/create"
    });
}

/// Waits on the engine, one after the other, of a first `up` of a pod with volumes: all looks together, the pause made, the
/// volumes filled, the pause started, the members started, the last look. The least is four of them.
#[test]
fn the_critical_path_of_up_is_short() {
    // The network is there, and the pause image.
    let other = Pod::new("keeps-network");
    other.up(POD).code(0);
    // Every call is held up for a second, so that calls that are made together overlap. On a machine so busy that they do
    // not, it is tried again.
    let mut shortest = usize::MAX;
    let mut list = String::new();
    for _ in 0..3 {
        let pod = Pod::new("critical");
        let proxy = Proxy::with_delay(None, Duration::from_secs(1));
        through(&proxy, &["up", &pod.file(POD)]).code(0);
        let calls = proxy.calls();
        shortest = shortest.min(proxy::critical_path(&calls));
        list = calls.iter().map(|call| format!("{call}\n")).collect();
        if shortest <= LONGEST {
            break;
        }
    }
    assert!(shortest <= LONGEST, "{shortest} waits:\n{list}");
}

/// As while an engine with live-restore is restarted.
#[test]
fn who_keeps_a_pod_alive_bears_that_the_engine_does_not_answer_for_a_while() {
    let (pod, proxy) = (Pod::new("silence"), Proxy::start(None));
    let mut attached = attached(&pod, &proxy, SPEAKS);
    proxy.leave();
    // The container may end before it is told that the command has.
    pod.exec("a", &["touch", "/ends"]);
    eventually("it is told", || {
        said(&pod).contains("the engine does not answer")
    });
    proxy.come_back();
    let n_begun = || said(&pod).matches("begins").count();
    eventually("what has ended is started again", || n_begun() == 2);
    assert_eq!(attached.interrupt(), 130);
    assert_eq!(n_begun(), 2, "no line is shown twice");
    pod.assert_nothing_left();
}

/// As after a restart of an engine with live-restore.
#[test]
fn who_keeps_a_pod_alive_hears_of_it_after_a_break_of_the_connection() {
    let (pod, proxy) = (Pod::new("break"), Proxy::start(None));
    let mut attached = attached(&pod, &proxy, POD);
    let n_reached = || {
        let calls = proxy.calls();
        let infos = calls
            .iter()
            .filter(|call| call.to_string().ends_with("/info"));
        infos.count()
    };
    let before = n_reached();
    proxy.cut();
    run(podctl().args(["stop", &pod.name])).code(0);
    eventually("it is told", || said(&pod).contains("podctl start"));
    run(podctl().args(["start", &pod.name])).code(0);
    assert_whole(&pod, "after a break");
    assert_eq!(attached.interrupt(), 130);
    // There was one break, and no other since.
    assert_eq!(n_reached() - before, 1);
    pod.assert_nothing_left();
}

/// `podctl up --attach` through a proxy, once the pod is up.
fn attached(pod: &Pod, proxy: &Proxy, manifest: &str) -> Attached {
    let mut command = podctl_itself();
    command
        .args(["up", "--attach", &pod.file(manifest)])
        .env("DOCKER_HOST", proxy.address());
    let attached = Attached::of(pod, &mut command);
    eventually("the pod is up", || said(pod).contains("Up  "));
    attached
}
