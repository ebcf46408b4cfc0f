//! The status of one container (kubelet: `convertToAPIContainerStatuses`).
//!
//! Not here: what it makes of the pod (`phase`).

use k8s_openapi::api::core::v1;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use super::View;
use crate::reconcile::restart::NOT_STARTED;
use crate::reconcile::seen::{Details, SeenContainer, State};

/// Of a container of this name. `waiting_for`: the reason of one that has not been started.
pub(super) fn container(
    view: &View<'_>,
    name: &str,
    sandbox: bool,
    waiting_for: &str,
) -> v1::ContainerStatus {
    let seen = view.current(name);
    let before = seen.and_then(|seen| before(view, seen));
    let waits = seen.is_some_and(is_waiting_again);
    let state = state(view, name, seen, waiting_for);
    let last = before.and_then(|before| ended(view, before));
    let attempt = seen.map_or(0, |seen| seen.identity.attempt);
    let runs = state.running.is_some();
    let restarts = attempt.saturating_sub(u32::from(waits));
    // Those that were removed by hand count too.
    let told = view.told.attempts.get(name).copied().unwrap_or_default();
    let standing = seen.and_then(|seen| view.told.containers.get(&seen.id));
    let care = seen.map(|seen| seen.identity.care).unwrap_or_default();
    let started =
        runs && (!(care.startup || care.post_start) || standing.is_some_and(|told| told.started));
    let ready = started && (!care.readiness || standing.is_some_and(|told| told.ready));
    v1::ContainerStatus {
        name: name.to_owned(),
        started: Some(started),
        state: Some(state),
        last_state: last,
        ready: ready && sandbox,
        restart_count: i32::try_from(restarts.max(told)).unwrap_or(i32::MAX),
        image: seen.map(|seen| seen.image_name.clone()).unwrap_or_default(),
        image_id: seen.map(|seen| seen.image.clone()).unwrap_or_default(),
        container_id: seen.map(|seen| format!("docker://{}", seen.id)),
        ..Default::default()
    }
}

/// Of an init container that is no sidecar: it is ready once it has ended well.
pub(super) fn init(view: &View<'_>, name: &str, sandbox: bool) -> v1::ContainerStatus {
    let status = container(view, name, sandbox, "PodInitializing");
    let seen = view.current(name);
    v1::ContainerStatus {
        ready: seen.is_some_and(|seen| seen.state == State::Exited(0)),
        ..status
    }
}

fn state(
    view: &View<'_>,
    name: &str,
    seen: Option<&SeenContainer>,
    waiting_for: &str,
) -> v1::ContainerState {
    let told = view.told.waiting.get(name);
    let told = told.map(|told| (told.reason.as_str(), Some(told.message.clone())));
    let Some(seen) = seen else {
        let (reason, message) = told.unwrap_or((waiting_for, None));
        return waiting(reason, message);
    };
    match seen.state {
        State::Running if is_hooking(view, seen) => waiting("ContainerCreating", None),
        State::Running => running(view.details.get(&seen.id)),
        State::Exited(code) => terminated(seen, code, view.details.get(&seen.id)),
        State::Created if is_refused_for_good(view, seen) => refused(view, seen),
        State::Created if told.is_none() && is_backing_off(seen) => backing_off(seen),
        State::Created | State::Removing => {
            let (reason, message) = told.unwrap_or((waiting_for, None));
            waiting(reason, message)
        }
    }
}

/// kubelet: a container is not told to run before its `postStart` hook has ended. (One with a startup probe too: which of the
/// two has not passed is not told.)
fn is_hooking(view: &View<'_>, seen: &SeenContainer) -> bool {
    let care = seen.identity.care;
    let standing = view.told.containers.get(&seen.id);
    care.post_start && !care.startup && standing.is_some_and(|told| !told.started)
}

/// Whether the engine refuses to start it, and no other is to be in its place.
fn is_refused_for_good(view: &View<'_>, seen: &SeenContainer) -> bool {
    let identity = &seen.identity;
    let code = refused_with(view.details.get(&seen.id));
    view.told.refused(&identity.container).is_some() && !identity.runs_again(code)
}

/// One that the engine refuses to start counts as ended.
fn refused(view: &View<'_>, seen: &SeenContainer) -> v1::ContainerState {
    let details = view.details.get(&seen.id);
    terminated(seen, refused_with(details), details)
}

/// The code of one that the engine refuses to start.
fn refused_with(details: Option<&Details>) -> i64 {
    let code = details.map(|details| details.exit_code);
    code.filter(|code| *code != 0).unwrap_or(NOT_STARTED)
}

fn is_waiting_again(seen: &SeenContainer) -> bool {
    seen.state == State::Created && seen.identity.restart.is_some()
}

/// Neither its turn alone is what it waits for, nor a start that follows at once.
fn is_backing_off(seen: &SeenContainer) -> bool {
    let restart = seen.identity.restart;
    restart.is_some_and(|restart| restart.not_before > 0 && restart.delay > 0)
}

/// The last one that has ended before it.
fn before<'a>(view: &View<'a>, of: &SeenContainer) -> Option<&'a SeenContainer> {
    let is_before = |c: &&&SeenContainer| {
        c.identity.container == of.identity.container && c.identity.attempt < of.identity.attempt
    };
    let older = view.containers.iter().filter(is_before);
    older.max_by_key(|c| c.identity.attempt).copied()
}

/// How one that is kept for that has ended; one that could not be started has a code too.
fn ended(view: &View<'_>, seen: &SeenContainer) -> Option<v1::ContainerState> {
    match seen.state {
        State::Exited(code) => Some(terminated(seen, code, view.details.get(&seen.id))),
        State::Created => Some(refused(view, seen)),
        State::Running | State::Removing => None,
    }
}

fn running(details: Option<&Details>) -> v1::ContainerState {
    v1::ContainerState {
        running: Some(v1::ContainerStateRunning {
            started_at: details.and_then(|details| time(details.started)),
        }),
        ..Default::default()
    }
}

fn waiting(reason: &str, message: Option<String>) -> v1::ContainerState {
    v1::ContainerState {
        waiting: Some(v1::ContainerStateWaiting {
            reason: Some(reason.to_owned()),
            message,
        }),
        ..Default::default()
    }
}

/// kubelet: `doBackOff`.
fn backing_off(container: &SeenContainer) -> v1::ContainerState {
    let identity = &container.identity;
    let delay = identity.restart.map_or(0, |restart| restart.delay);
    let message = format!(
        "back-off {}s restarting failed container={} pod={}_{}({})",
        delay.div_ceil(1000),
        identity.container,
        identity.pod.name,
        identity.pod.namespace,
        identity.uid
    );
    waiting("CrashLoopBackOff", Some(message))
}

fn terminated(seen: &SeenContainer, code: i64, details: Option<&Details>) -> v1::ContainerState {
    let cannot_run = seen.state == State::Created;
    let reason = match code {
        _ if details.is_some_and(|details| details.oom_killed) => "OOMKilled",
        _ if cannot_run => "ContainerCannotRun",
        0 => "Completed",
        _ => "Error",
    };
    v1::ContainerState {
        terminated: Some(v1::ContainerStateTerminated {
            exit_code: i32::try_from(code).unwrap_or(i32::MAX),
            reason: Some(reason.to_owned()),
            message: details
                .map(|details| {
                    if cannot_run {
                        &details.error
                    } else {
                        &details.message
                    }
                })
                .filter(|message| !message.is_empty())
                .cloned(),
            container_id: Some(format!("docker://{}", seen.id)),
            started_at: details.and_then(|details| time(details.started)),
            finished_at: details.and_then(|details| time(details.finished)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Of milliseconds since 1970.
fn time(milliseconds: Option<u64>) -> Option<Time> {
    let milliseconds = i64::try_from(milliseconds?).ok()?;
    Timestamp::from_millisecond(milliseconds).ok().map(Time)
}
