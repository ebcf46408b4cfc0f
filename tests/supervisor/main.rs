//! The supervisor, on a real engine. It keeps all pods that the engine has, so these tests run in a program of their own, which no other
//! test's pods run beside; those that take it away run alone.

#[path = "../support/mod.rs"]
mod support;

#[expect(dead_code, reason = "not all of its ways are taken here")]
#[path = "../faults/proxy.rs"]
mod proxy;

mod ends;
mod faults;
mod life;
mod repair;
mod starting;
mod together;

use std::process::Command;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use support::{Pod, Said, docker, run};

/// Held by those that take the supervisor away, and shared by all others.
static SUPERVISOR: RwLock<()> = RwLock::new(());

/// The supervisor stays.
fn beside_others() -> RwLockReadGuard<'static, ()> {
    SUPERVISOR.read().unwrap_or_else(PoisonError::into_inner)
}

/// Nobody else needs the supervisor. It is taken away before, and after.
struct Alone(#[expect(dead_code, reason = "held")] RwLockWriteGuard<'static, ()>);

fn alone() -> Alone {
    let guard = SUPERVISOR.write().unwrap_or_else(PoisonError::into_inner);
    let _ = run(podctl().args(["supervise", "--stop"]));
    Alone(guard)
}

impl Drop for Alone {
    fn drop(&mut self) {
        let _ = run(podctl().args(["supervise", "--stop"]));
    }
}

/// podctl, as a user has it.
fn podctl() -> Command {
    let mut command = support::podctl();
    command.env_remove("PODCTL_NO_SUPERVISOR");
    command
}

/// The same, without the `timeout` around it.
fn podctl_itself() -> Command {
    let mut command = support::podctl_itself();
    command.env_remove("PODCTL_NO_SUPERVISOR");
    command
}

#[track_caller]
fn up(pod: &Pod, manifest: &str, args: &[&str]) -> Said {
    run(podctl().arg("up").args(args).arg(pod.file(manifest)))
}

/// The id of the supervisor's container, if there is one.
fn supervisor() -> Option<String> {
    let filter = "label=podctl.io/supervisor";
    let ids = docker(&["ps", "-aq", "--no-trunc", "--filter", filter]);
    ids.lines().next().map(str::to_owned)
}

/// What who keeps the pod has told, as its record has it; empty where that cannot be read.
fn told(pod: &Pod) -> String {
    let file = pod.folder.0.join("told.json").display().to_string();
    let from = format!("{}:/podctl/record/told.json", pod.id("POD"));
    let copied = run(Command::new("docker").args(["cp", &from, &file])).code == 0;
    let text = copied
        .then(|| std::fs::read_to_string(&file).ok())
        .flatten();
    text.unwrap_or_default()
}

/// A value out of the pod, as `kubectl get pod -o jsonpath` prints it.
#[track_caller]
fn get(pod: &Pod, path: &str) -> String {
    let path = format!("jsonpath={{{path}}}");
    run(podctl().args(["get", "pod", &pod.name, "-o", &path])).out
}
