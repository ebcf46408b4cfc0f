//! One container of the pod: made, made anew, started in its turn, asked and ended for its answers, started again.
//!
//! What must be made anew is made before the old one is stopped, so that a request that the engine refuses costs nothing.
//!
//! Not here: whose turn it is (`up`), when a restart is due (`restart`), what an answer means (`health`).

use super::action::{Action, Why};
use super::decide::{Goal, Input, target};
use super::down::{remove, stop};
use super::health::{Hook, Kind};
use super::restart::{Ended, is_to_run_again};
use super::round::Sandbox;
use super::seen::{SeenContainer, State};
use crate::record::hash;
use crate::record::labels::Restart;
use crate::spec::{Container, Desired};

/// The code of what SIGKILL has ended.
pub const KILLED: i64 = 137;
/// An engine tells of the ends that belong together in less than that, in milliseconds.
const SETTLING: u64 = 300;

/// Where a container stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) desired: &'a Desired,
    pub(super) sandbox: Sandbox<'a>,
    /// The volumes hold what they should.
    pub(super) filled: bool,
    /// All that it waits for has come.
    pub(super) turn: bool,
}

/// What an app container, or a sidecar, needs.
pub(super) fn member(input: &Input<'_>, container: &Container, place: Place<'_>) -> Vec<Action> {
    let Place { sandbox, .. } = place;
    // An engine without sub-paths of its own mounts the file itself, which must be there before.
    if !place.filled
        && container
            .mounts
            .iter()
            .any(|mount| !mount.sub_path.is_empty())
    {
        return Vec::new();
    }
    let made = |attempt, why| create(container, sandbox, attempt, why, None);
    let Some(current) = input.seen.member(&container.name) else {
        return vec![made(input.life.next_attempt(&container.name), Why::Missing)];
    };
    if current.state == State::Removing {
        return vec![made(input.life.attempt_after(current), Why::Missing)];
    }
    match why_anew(input, container, place, current) {
        Some(Why::RestartAll) => {
            return vec![in_next_round(input, container, place, current)];
        }
        // What has never been started leaves its place to the next, and counts as no start.
        Some(why) if is_unused(input, current) => return vec![remove(current, why)],
        Some(why) => return vec![made(input.life.attempt_after(current), why)],
        None => {}
    }
    let code = input.life.code(current);
    if code.is_some_and(|code| is_to_run_again(&place.desired.pod, container, code))
        && let Some(again) = again(input, container, sandbox, current)
    {
        return vec![again];
    }
    let is_older = |c: &&SeenContainer| {
        c.identity.container == container.name && c.id != current.id && c.is_running()
    };
    let running: Vec<_> = input.seen.members().filter(is_older).collect();
    match current.state {
        // The engine refuses to start it, and the policy wants no other.
        State::Created if code.is_some() => older(input, current),
        // The old one has the ports: it goes first.
        State::Created if !running.is_empty() => replace(running, sandbox),
        State::Created
            if sandbox.pause.is_running()
                && place.filled
                && place.turn
                && input.seen.network
                && is_due(input, current) =>
        {
            vec![Action::Start(target(current))]
        }
        State::Created if current.identity.restart.is_some() => older(input, current),
        State::Created => Vec::new(),
        _ if input.is_busy(current) => Vec::new(),
        _ => {
            let mut actions = replace(running, sandbox);
            actions.extend(older(input, current));
            if current.is_running() {
                actions.extend(care(input, container, current));
            }
            actions
        }
    }
}

/// What an init container needs that is to end before what comes after it starts. It runs once for each pause (kubelet: once for
/// each sandbox), and again where it failed.
pub(super) fn init(input: &Input<'_>, container: &Container, place: Place<'_>) -> Vec<Action> {
    let current = input.seen.member(&container.name);
    let counts = |c: &&SeenContainer| place.sandbox.has(c) && !input.seen.is_outdated(c);
    let Some(current) = current.filter(counts) else {
        return member(input, container, place);
    };
    let code = input.life.code(current).filter(|code| *code != 0);
    if code.is_some_and(|code| is_to_run_again(&place.desired.pod, container, code))
        && let Some(again) = again(input, container, place.sandbox, current)
    {
        return vec![again];
    }
    match current.state {
        State::Running if place.turn && !input.is_busy(current) => {
            let mut actions = older(input, current);
            actions.push(Action::Await(target(current)));
            actions
        }
        State::Running | State::Exited(_) => older(input, current),
        State::Created if code.is_some() => Vec::new(),
        State::Created | State::Removing => member(input, container, place),
    }
}

fn create(
    container: &Container,
    sandbox: Sandbox<'_>,
    attempt: u32,
    why: Why,
    restart: Option<Restart>,
) -> Action {
    Action::Create {
        container: container.name.clone(),
        attempt,
        pause: sandbox.pause.id.clone(),
        round: sandbox.round,
        why,
        restart,
    }
}

/// Why a container that is there is made anew.
fn why_anew(
    input: &Input<'_>,
    container: &Container,
    place: Place<'_>,
    current: &SeenContainer,
) -> Option<Why> {
    if !place.sandbox.joins(current) {
        Some(Why::NewPause)
    } else if current.identity.hash != hash::container(&place.desired.pod, container) {
        Some(Why::Changed)
    } else if input.seen.is_outdated(current) {
        Some(Why::NewImage)
    } else if !place.sandbox.has(current) {
        Some(Why::RestartAll)
    } else {
        None
    }
}

/// Whether a container has not been started, nor refused to start.
fn is_unused(input: &Input<'_>, container: &SeenContainer) -> bool {
    container.state == State::Created && input.life.code(container).is_none()
}

/// One of a round before. What has not been started has its place in the next one, and counts as no start.
fn in_next_round(
    input: &Input<'_>,
    container: &Container,
    place: Place<'_>,
    current: &SeenContainer,
) -> Action {
    let code = input.life.code(current);
    if is_unused(input, current) {
        return remove(current, Why::RestartAll);
    }
    // What ended well, or runs, has nothing to wait for.
    let fails = code.filter(|code| *code != 0 || container.restarts.all(0));
    let is_failure = fails.is_some_and(|code| is_to_run_again(&place.desired.pod, container, code));
    let times = input.life.ended.get(&current.id).filter(|_| is_failure);
    let before = current.identity.restart;
    let restart = match times {
        Some(times) => {
            let times = until_now(times, input.life.now);
            input.life.back_off.after(before, &times)
        }
        None => Restart {
            not_before: 0,
            ..before.unwrap_or(Restart::AT_ONCE)
        },
    };
    let attempt = input.life.attempt_after(current);
    let (sandbox, why) = (place.sandbox, Why::RestartAll);
    create(container, sandbox, attempt, why, Some(restart))
}

fn replace(old: Vec<&SeenContainer>, sandbox: Sandbox<'_>) -> Vec<Action> {
    let why = |c: &SeenContainer| {
        if c.identity.round < sandbox.round {
            Why::RestartAll
        } else {
            Why::Replaced
        }
    };
    old.into_iter().map(|c| stop(c, None, why(c))).collect()
}

/// One that has ended, made anew for that. Where nobody keeps the pod alive, only what had ended before the command began
/// is; else after what is to be waited.
fn again(
    input: &Input<'_>,
    container: &Container,
    sandbox: Sandbox<'_>,
    ended: &SeenContainer,
) -> Option<Action> {
    let restart = if input.goal.is_live() {
        let times = input.life.ended.get(&ended.id)?;
        if is_settling(ended, times, input.life.now) {
            return None;
        }
        let step = ended.identity.restart.or_else(|| step_before(input, ended));
        let times = until_now(times, input.life.now);
        Some(input.life.back_off.after(step, &times))
    } else if input.ended_before.contains(&ended.id) {
        None
    } else {
        return None;
    };
    let attempt = input.life.attempt_after(ended);
    Some(create(container, sandbox, attempt, Why::Ended, restart))
}

/// The step of the back-off of the one that had a container's place before it, and was made for the same wish: where the pause is made anew, or
/// hands have removed a container, the step goes on (kubelet: it is the container's, and not the sandbox's).
fn step_before(input: &Input<'_>, container: &SeenContainer) -> Option<Restart> {
    let before = &input.seen.before(container)?.identity;
    before
        .restart
        .filter(|_| before.generation == container.identity.generation)
}

/// From when on it is known of what a container has died. Where the pause dies, the kernel kills what is in its PID namespace, and an engine
/// may tell of that first: what is made for a pause that is dead would be one restart more.
fn settled(ended: &SeenContainer, times: &Ended) -> u64 {
    let is_open = ended.state == State::Exited(KILLED) && !times.alone;
    times.finished + if is_open { SETTLING } else { 0 }
}

/// Whether that is still to come.
fn is_settling(ended: &SeenContainer, times: &Ended, now: u64) -> bool {
    // One whose clock was set back since is not waited for; this clock may be behind the engine's a little.
    times.finished <= now + SETTLING && now < settled(ended, times)
}

/// What has ended has ended by now, whatever a clock said that was set back since.
fn until_now(times: &Ended, now: u64) -> Ended {
    Ended {
        finished: times.finished.min(now),
        ..*times
    }
}

/// Those that had the place of a container before it, and have ended. The last that ran is kept, for what it said (kubelet:
/// `MaxPerPodContainerCount`).
fn older(input: &Input<'_>, current: &SeenContainer) -> Vec<Action> {
    let name = &current.identity.container;
    let is_older = |c: &&SeenContainer| {
        c.identity.container == *name
            && c.identity.attempt < current.identity.attempt
            && matches!(c.state, State::Exited(_) | State::Created)
            && !input.is_busy(c)
    };
    let mut older: Vec<_> = input.seen.members().filter(is_older).collect();
    older.sort_by_key(|c| std::cmp::Reverse(c.identity.attempt));
    let has_run =
        |c: &&SeenContainer| matches!(c.state, State::Exited(_)) || input.life.code(c).is_some();
    let kept = older.iter().copied().find(has_run).map(|c| &c.id);
    let gone = older.iter().filter(|c| Some(&c.id) != kept);
    gone.map(|c| remove(c, Why::Replaced)).collect()
}

/// Whether what is waited before a start is over.
fn is_due(input: &Input<'_>, container: &SeenContainer) -> bool {
    let restart = container.identity.restart;
    restart.is_none_or(|restart| !input.goal.is_live() || is_over(restart, input.life.now))
}

/// Of a clock that was set back since it is not waited for.
fn is_over(restart: Restart, now: u64) -> bool {
    restart.not_before <= now || restart.not_before - now > restart.delay
}

/// What a running container's hook and probes are answered with.
fn care(input: &Input<'_>, container: &Container, current: &SeenContainer) -> Vec<Action> {
    let Some(health) = input.life.health.get(&current.id) else {
        return Vec::new();
    };
    match health.post_start {
        Hook::Due => return vec![Action::PostStart(target(current))],
        // kubelet: a failed postStart hook ends its container, and the restart policy decides on.
        Hook::Failed => return vec![stop(current, None, Why::HookFailed)],
        Hook::Done => {}
    }
    if let Some(kind) = health.fails() {
        let probe = kind.of(&container.probes);
        let grace_period = probe.and_then(|probe| probe.grace_period);
        return vec![stop(current, grace_period, Why::Unhealthy(kind))];
    }
    probes(input, container, current)
}

/// The probes that it is time for.
pub(super) fn probes(
    input: &Input<'_>,
    container: &Container,
    current: &SeenContainer,
) -> Vec<Action> {
    questions(input, container, current)
        .filter(|(_, at)| *at <= input.life.now)
        .map(|(kind, _)| Action::Probe {
            target: target(current),
            kind,
        })
        .collect()
}

/// The probes that are asked, and when. Without somebody who stays with the pod only those that others wait for; on its way down whether it
/// is still ready (kubelet: `StopLivenessAndStartup`).
fn questions(
    input: &Input<'_>,
    container: &Container,
    current: &SeenContainer,
) -> impl Iterator<Item = (Kind, u64)> {
    let goal = input.goal;
    let gates = container.sidecar;
    let health = input.life.health.get(&current.id);
    let questions = health.map(|health| health.next().collect::<Vec<_>>());
    let now = input.life.now;
    // For a clock that was set back since it is not waited.
    let due = move |(kind, at): (Kind, u64)| {
        let probe = kind.of(&container.probes);
        let longest = probe.map_or(0, |probe| probe.initial_delay + probe.period);
        let is_later = at > now.saturating_add(longest * 1000);
        (kind, if is_later { now } else { at })
    };
    let is_asked = move |kind: Kind| match goal {
        Goal::Up => gates && kind == Kind::Startup,
        Goal::Live(_) => true,
        Goal::Down { .. } => kind == Kind::Readiness,
    };
    questions
        .unwrap_or_default()
        .into_iter()
        .filter(move |(kind, _)| is_asked(*kind))
        .map(due)
}

/// The next time at which something is to be done about a container.
pub(super) fn wake(input: &Input<'_>, container: &Container) -> Option<u64> {
    let current = input.seen.member(&container.name)?;
    match current.state {
        State::Created if !is_due(input, current) => {
            current.identity.restart.map(|restart| restart.not_before)
        }
        State::Running => {
            let is_asked = |kind: Kind| {
                let probe = Action::Probe {
                    target: target(current),
                    kind,
                };
                input.in_flight.contains(&probe.key())
            };
            questions(input, container, current)
                .filter(|(kind, _)| !is_asked(*kind))
                .map(|(_, at)| at)
                .min()
        }
        State::Exited(_) => {
            let times = input.life.ended.get(&current.id)?;
            is_settling(current, times, input.life.now).then(|| settled(current, times))
        }
        _ => None,
    }
}
