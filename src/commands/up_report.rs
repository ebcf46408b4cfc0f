//! What `podctl up` says at the end of a pod's way.
//!
//! Not here: the way (`driver::up`).

use std::collections::{BTreeMap, BTreeSet};

use super::Exit;
use crate::driver::Failure;
use crate::driver::up::Up;
use crate::output::Printer;
use crate::reconcile::{Seen, State};
use crate::spec::{Container, Desired, RestartPolicy};

/// Says how it ended, and gives the exit code.
pub(super) fn report(printer: Printer, desired: &Desired, end: &Up) -> Exit {
    let key = &desired.pod.key;
    match end {
        Up::Started {
            seen,
            unchanged,
            n_started: n,
            overtaken,
            unasked: _,
        } => {
            match (unchanged, overtaken) {
                (_, true) => printer.status(&format!(
                    "pod {key} is up as another `up` wants it, which came later"
                )),
                (true, false) => printer.status(&format!("pod {key} is up to date: unchanged")),
                (false, false) => printer.status(&format!(
                    "pod {key} is up: {n} container{} started",
                    if *n == 1 { "" } else { "s" }
                )),
            }
            ended(printer, desired, seen);
            Exit::Fine
        }
        Up::Failed {
            failures,
            taken_away,
            left,
            wanted,
        } => {
            say_all(printer, failures);
            if *taken_away {
                printer.status(&format!(
                    "pod {key}: what this run had made is taken away again"
                ));
            } else if let Some(seen) = left {
                old_and_new(printer, desired, seen, wanted);
            }
            Exit::Failed
        }
        Up::NotReady { interrupted } => {
            printer.failure(&format!("pod {key} is not ready; it stays for a look"));
            if *interrupted {
                Exit::Interrupted
            } else {
                Exit::Failed
            }
        }
        Up::Interrupted { taken_away, left } => {
            let what = if *taken_away {
                "what this run had made is taken away"
            } else {
                "what is there stays; `podctl up` goes on from here, `podctl down` takes it away"
            };
            printer.status(&format!("pod {key}: interrupted; {what}"));
            if let Some((seen, wanted)) = left {
                old_and_new(printer, desired, seen, wanted);
            }
            Exit::Interrupted
        }
        Up::Ended { over, gone } => {
            let how = if *over { "had ended" } else { "interrupted" };
            let what = if *gone {
                "it is taken down"
            } else {
                "something of it is left; `podctl down` takes it away"
            };
            printer.status(&format!("pod {key}: {how}; {what}"));
            Exit::Interrupted
        }
        Up::Deleted => {
            printer.warning(&format!(
                "pod {key}: another command took it down meanwhile"
            ));
            Exit::Failed
        }
    }
}

/// Each failure once: what was tried several times may have failed as often.
pub(super) fn say_all(printer: Printer, failures: &[Failure]) {
    let mut said = BTreeSet::new();
    for failure in failures {
        let reason = failure.source.as_ref().map(ToString::to_string);
        if said.insert((&failure.doing, reason)) {
            say(printer, failure);
        }
    }
}

/// One failure, and what to do.
fn say(printer: Printer, failure: &Failure) {
    let source = failure.source.as_ref();
    let mut next = source.map(|source| source as &dyn std::error::Error);
    let mut reason = String::new();
    while let Some(error) = next {
        reason.push_str(&format!(": {error}"));
        next = error.source();
    }
    printer.failure(&format!("{failure}{reason}"));
    let hint = failure.hint.clone();
    let hint = hint.or_else(|| failure.source.as_ref()?.hint().map(str::to_owned));
    if let Some(hint) = hint {
        printer.hint(&hint);
    }
}

/// Tells of what nobody does once the command is over, where there is no supervisor.
pub(super) fn alone(printer: Printer, desired: &Desired) {
    let pod = &desired.pod;
    let asks = |c: &Container| {
        let probes = &c.probes;
        probes.liveness.is_some()
            || probes.readiness.is_some()
            || (probes.startup.is_some() && !c.sidecar)
    };
    let mut undone = Vec::new();
    if pod.members().any(asks) {
        undone.push("asks its probes");
    }
    if pod.active_deadline.is_some() {
        undone.push("ends it at its deadline");
    }
    let policy = |c: &Container| c.restarts.policy.unwrap_or(pod.restart_policy);
    let never = |c: &Container| policy(c) == RestartPolicy::Never && c.restarts.rules.is_empty();
    if !pod.containers.iter().all(never) {
        undone.push("starts again what ends");
    }
    undone.push("repairs it");
    let last = undone.pop().unwrap_or_default();
    let mut all = undone.join(", ");
    all.push_str(if all.is_empty() { "" } else { " or " });
    printer.status(&format!(
        "pod {}: without a supervisor nobody {all}{last} once this command is over",
        pod.key
    ));
}

/// Tells of containers that have ended already, and not well.
fn ended(printer: Printer, desired: &Desired, seen: &Seen) {
    for container in &desired.pod.containers {
        let Some(State::Exited(code @ 1..)) = seen.member(&container.name).map(|c| c.state) else {
            continue;
        };
        let (key, name) = (&desired.pod.key, &container.name);
        printer.warning(&format!(
            "container {key}/{name} has ended with the code {code}"
        ));
        printer.hint(&format!(
            "`podctl logs {} -c {name}` shows what it said",
            key.words()
        ));
    }
}

/// After a change that stopped half-way: which containers are as they were, and which as they are wanted.
fn old_and_new(
    printer: Printer,
    desired: &Desired,
    seen: &Seen,
    wanted: &BTreeMap<String, String>,
) {
    let key = &desired.pod.key;
    for container in &desired.pod.containers {
        let name = &container.name;
        let running = seen
            .members()
            .find(|c| c.identity.container == *name && c.is_running());
        let what = match running {
            Some(c) if wanted.get(name) == Some(&c.identity.hash) => "runs as the file wants it",
            Some(_) => "runs as it was before",
            None => "does not run",
        };
        printer.status(&format!("container {key}/{name} {what}"));
    }
    printer.hint("mend the file and run `podctl up` again: it goes on from here");
}
