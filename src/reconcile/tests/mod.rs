//! Decisions as tables of text: what was seen, and the lines that are answered.

mod ends;
mod live;
mod rounds;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::health::Health;
use super::restart::{BackOff, Ended, Life};
use super::seen::tests::{member, pause};
use super::{Action, Decision, Goal, Input, Over, Seen, SeenContainer, State, decide};
use crate::record::hash::{self, tests::pod};
use crate::record::labels::Restart;
use crate::record::{Filled, Record, Told, Wish};
use crate::spec::probe::{Check, Probe, Probes};
use crate::spec::volume::{EmptyDir, Medium};
use crate::spec::{
    Desired, EnvVar, ImageFacts, Payload, RestartPolicy, Text, Volume, VolumeSource,
};
use State::{Created, Exited, Removing, Running};

/// The pod `web` of `a` and `b`.
fn desired() -> Desired {
    Desired {
        pod: pod(&["a", "b"]),
        manifest: json!({}),
        payload: Payload::new(),
    }
}

/// What is there of it, made from just that.
fn seen(desired: &Desired, containers: Vec<SeenContainer>) -> Seen {
    let mut containers = containers;
    for container in &mut containers {
        let spec = desired.pod.container(&container.identity.container);
        container.identity.hash = match spec {
            Some(spec) => hash::container(&desired.pod, spec),
            None => hash::pause(&desired.pod),
        };
    }
    let record = Record {
        uid: "u".into(),
        wish: Wish::new(desired, &[], 1, "w"),
        filled: Some(Filled {
            payload: hash::payload(desired),
            pause: pause(Running).id,
        }),
        payload: None,
        superseded: vec![],
        told: Told::default(),
    };
    Seen {
        network: true,
        record: Some(record),
        containers,
        ..Seen::default()
    }
}

fn image() -> ImageFacts {
    ImageFacts {
        id: "sha256:1".into(),
        ..ImageFacts::default()
    }
}

fn whole() -> Vec<SeenContainer> {
    vec![pause(Running), member("a", Running), member("b", Running)]
}

/// The pod `web` of `a` and `b`, after `one` and `two`.
fn with_inits() -> Desired {
    let mut desired = desired();
    desired.pod.init_containers = pod(&["one", "two"]).containers;
    desired
}

#[test]
fn init_containers_are_made_with_the_others_and_started_in_their_turn() {
    let desired = with_inits();
    let made = |one, two, a| {
        vec![
            pause(Running),
            member("one", one),
            member("two", two),
            member("a", a),
            member("b", a),
        ]
    };
    let check = |containers, expected: &[&str]| {
        Case::up(&desired, seen(&desired, containers)).check(expected);
    };
    check(
        vec![pause(Running)],
        &[
            "create one: missing",
            "create two: missing",
            "create a: missing",
            "create b: missing",
        ],
    );
    check(made(Created, Created, Created), &["start one"]);
    check(made(Running, Created, Created), &["await the end of one"]);
    check(made(Exited(0), Created, Created), &["start two"]);
    check(made(Exited(0), Exited(0), Created), &["start a", "start b"]);
    check(made(Exited(0), Exited(0), Running), &["reached"]);
    check(made(Exited(3), Created, Created), &["failed: one 3"]);
    // One that is over is not run again while its pause lives, whatever the policy.
    check(made(Exited(0), Exited(0), Exited(1)), &["reached"]);
    // One that somebody has removed since is not missed (kubelet: `HasAnyRegularContainerCreated`).
    let pruned = vec![pause(Running), member("a", Running), member("b", Running)];
    check(pruned, &["reached"]);
}

#[test]
fn an_init_container_that_failed_before_is_run_again_where_the_policy_lets_it() {
    let mut desired = with_inits();
    let failed = vec![
        pause(Running),
        member("one", Exited(3)),
        member("two", Created),
        member("a", Created),
        member("b", Created),
    ];
    let again = |desired: &Desired, expected: &[&str]| {
        let case = Case::up(desired, seen(desired, failed.clone()));
        Case {
            ended_before: &["one-0"],
            ..case
        }
        .check(expected);
    };
    again(&desired, &["create one: ended"]);
    desired.pod.restart_policy = RestartPolicy::OnFailure;
    again(&desired, &["create one: ended"]);
    desired.pod.restart_policy = RestartPolicy::Never;
    again(&desired, &["failed: one 3"]);
}

struct Case<'a> {
    goal: Goal,
    desired: &'a Desired,
    seen: Seen,
    in_flight: &'a [&'a str],
    now: u64,
    ended: BTreeMap<String, Ended>,
    health: BTreeMap<String, Health>,
    ended_before: &'a [&'a str],
    outdated: &'a [&'a str],
    began: Option<u64>,
    end: Option<Over>,
    timed_out: bool,
    members_first: bool,
}

impl Case<'_> {
    fn up(desired: &Desired, seen: Seen) -> Case<'_> {
        Case {
            goal: Goal::Up,
            desired,
            seen,
            in_flight: &[],
            now: 0,
            ended: BTreeMap::new(),
            health: BTreeMap::new(),
            ended_before: &[],
            outdated: &[],
            began: None,
            end: None,
            timed_out: false,
            members_first: false,
        }
    }

    fn down(desired: &Desired, seen: Seen) -> Case<'_> {
        Case {
            goal: Goal::Down {
                grace_period: None,
                since: 0,
            },
            ..Case::up(desired, seen)
        }
    }

    /// The actions, a line each, or `reached`.
    fn check(&self, expected: &[&str]) {
        let decision = self.decide();
        let mut lines: Vec<String> = decision.actions.iter().map(ToString::to_string).collect();
        if decision.reached {
            lines.push("reached".to_owned());
        }
        if let Some(failed) = decision.failed_init {
            lines.push(format!("failed: {} {}", failed.container, failed.code));
        }
        assert_eq!(lines, expected);
    }

    fn decide(&self) -> Decision {
        let set = |words: &[&str]| {
            words
                .iter()
                .map(ToString::to_string)
                .collect::<BTreeSet<_>>()
        };
        let mut seen = self.seen.clone();
        if let Some(record) = &mut seen.record {
            record.wish.outdated = set(self.outdated);
        }
        decide(&Input {
            goal: self.goal,
            desired: Some(self.desired),
            images: &BTreeMap::from([("busybox".to_owned(), image())]),
            seen: &seen,
            in_flight: &set(self.in_flight),
            ended_before: &set(self.ended_before),
            lost: &BTreeSet::new(),
            life: Life {
                now: self.now,
                ended: &self.ended,
                health: &self.health,
                back_off: BackOff::default(),
                began: self.began,
                attempts: &BTreeMap::new(),
                end: self.end,
                timed_out: self.timed_out,
            },
            ends_with: None,
            members_first: self.members_first,
        })
    }
}

#[test]
fn the_pause_is_made_first_and_the_network_beside_it() {
    let desired = desired();
    let nothing = Seen {
        network: false,
        ..seen(&desired, vec![])
    };
    Case::up(&desired, nothing).check(&["create network", "create pause: missing"]);
}

#[test]
fn members_are_made_while_the_pause_starts_and_started_when_it_runs() {
    let desired = desired();
    let steps = ["start pause", "create a: missing", "create b: missing"];
    Case::up(&desired, seen(&desired, vec![pause(Created)])).check(&steps);
    let made = |pause_state| {
        vec![
            pause(pause_state),
            member("a", Created),
            member("b", Created),
        ]
    };
    Case::up(&desired, seen(&desired, made(Created))).check(&["start pause"]);
    let starting = Case {
        in_flight: &["POD-0"],
        ..Case::up(&desired, seen(&desired, made(Created)))
    };
    starting.check(&[]);
    Case::up(&desired, seen(&desired, made(Running))).check(&["start a", "start b"]);
}

#[test]
fn a_pause_is_not_started_before_its_network_and_volumes_are_there() {
    let desired = desired();
    let made = Seen {
        network: false,
        ..seen(&desired, vec![pause(Created)])
    };
    Case::up(&desired, made).check(&["create network", "create a: missing", "create b: missing"]);
    let mut with_volume = self::desired();
    let source = VolumeSource::EmptyDir(EmptyDir {
        medium: Medium::Disk,
        size_limit: None,
    });
    with_volume.pod.volumes.push(Volume {
        name: "v".into(),
        source,
    });
    let mut seen = seen(&with_volume, vec![pause(Created)]);
    if let Some(record) = &mut seen.record {
        record.filled = None;
    }
    Case::up(&with_volume, seen).check(&["fill volumes", "create a: missing", "create b: missing"]);
}

#[test]
fn a_whole_pod_needs_nothing() {
    let desired = desired();
    Case::up(&desired, seen(&desired, whole())).check(&["reached"]);
}

#[test]
fn a_changed_container_is_made_before_the_old_one_is_stopped() {
    let old = desired();
    let mut new = desired();
    new.pod.containers[0].env.push(EnvVar {
        name: "X".into(),
        value: Text::Plain("1".into()),
    });
    let before = seen(&old, whole());
    Case::up(&new, before.clone()).check(&["create a: changed"]);
    let next = |state| {
        let mut seen = before.clone();
        let mut made = seen.containers[1].clone();
        made.id = "a-1".into();
        made.state = state;
        made.identity.attempt = 1;
        made.identity.hash = hash::container(&new.pod, &new.pod.containers[0]);
        seen.containers.push(made);
        seen
    };
    Case::up(&new, next(Created)).check(&["stop a: replaced"]);
    let mut stopped = next(Created);
    stopped.containers[1].state = Exited(143);
    Case::up(&new, stopped.clone()).check(&["start a#1"]);
    stopped.containers[3].state = Running;
    // What it said stays to be read.
    Case::up(&new, stopped).check(&["reached"]);
}

/// kubelet: the restart count of a container outlives the sandbox.
#[test]
fn a_changed_field_of_the_pod_makes_all_of_it_anew_in_order() {
    let old = desired();
    let mut new = desired();
    new.pod.hostname = "other".into();
    let mut now = seen(&old, whole());
    Case::up(&new, now.clone()).check(&["stop a: new pause", "stop b: new pause"]);
    now.containers[1].state = Exited(0);
    now.containers[2].state = Exited(0);
    Case::up(&new, now.clone()).check(&["stop pause: changed"]);
    now.containers[0].state = Exited(0);
    Case::up(&new, now.clone()).check(&["create pause: changed"]);
    // The old members go once others are in their places: those go on counting. The old pause goes once another runs.
    let mut anew = SeenContainer {
        id: "POD-new".into(),
        ..pause(Created)
    };
    anew.identity.attempt = 1;
    anew.identity.hash = hash::pause(&new.pod);
    now.containers.push(anew);
    let created = ["create a: new pause", "create b: new pause"];
    Case::up(&new, now.clone()).check(&[&["start pause#1"], &created[..]].concat());
    now.containers[3].state = Running;
    Case::up(&new, now.clone()).check(&[&created[..], &["remove pause: replaced"]].concat());
}

#[test]
fn podman_removes_no_pause_that_has_members() {
    let old = desired();
    let mut new = desired();
    new.pod.hostname = "other".into();
    let ended = vec![
        pause(Exited(0)),
        member("a", Exited(0)),
        member("b", Created),
    ];
    let mut now = seen(&old, ended);
    let mut anew = SeenContainer {
        id: "POD-new".into(),
        ..pause(Running)
    };
    anew.identity.attempt = 1;
    anew.identity.hash = hash::pause(&new.pod);
    now.containers.push(anew);
    Case {
        members_first: true,
        ..Case::up(&new, now)
    }
    .check(&[
        "create a: new pause",
        "remove b: new pause",
        "remove a: replaced",
    ]);
}

#[test]
fn members_of_a_dead_pause_are_made_anew_with_it() {
    let desired = desired();
    let dead = vec![
        pause(Exited(137)),
        member("a", Exited(137)),
        member("b", Running),
    ];
    Case::up(&desired, seen(&desired, dead)).check(&["stop b: new pause"]);
    let orphans = vec![member("a", Exited(137))];
    Case::up(&desired, seen(&desired, orphans)).check(&["create pause: missing"]);
}

#[test]
fn a_pod_that_is_stopped_ends_with_its_pause_and_stays_so() {
    let mut stopped = desired();
    stopped.pod.stopped = true;
    let mut now = seen(&stopped, whole());
    Case::up(&stopped, now.clone()).check(&["stop a: the pod is over", "stop b: the pod is over"]);
    for member in &mut now.containers[1..] {
        member.state = Exited(143);
    }
    let live = Case {
        goal: Goal::Live(crate::reconcile::Until::Stopped),
        ..Case::up(&stopped, now.clone())
    };
    live.check(&["stop pause: the pod is over"]);
    now.containers[0].state = Exited(0);
    Case::up(&stopped, now.clone()).check(&["reached"]);
    let started = desired();
    Case::up(&started, now).check(&["create pause: ended"]);
}

#[test]
fn of_two_pauses_the_later_counts() {
    let desired = desired();
    let mut containers = whole();
    containers.push(SeenContainer {
        id: "POD-1".into(),
        ..pause(Created)
    });
    containers[3].identity.attempt = 1;
    Case::up(&desired, seen(&desired, containers)).check(&["stop pause: replaced"]);
}

/// kubelet: NB-RUN-01.
#[test]
fn what_had_ended_before_is_made_anew_by_the_restart_policy() {
    let check = |policy, code, expected: &[&str]| {
        let mut desired = desired();
        desired.pod.restart_policy = policy;
        let ended = vec![
            pause(Running),
            member("a", Exited(code)),
            member("b", Running),
        ];
        let seen = seen(&desired, ended);
        Case {
            ended_before: &["a-0"],
            ..Case::up(&desired, seen.clone())
        }
        .check(expected);
        // What ends after the command began stays.
        Case::up(&desired, seen).check(&["reached"]);
    };
    check(RestartPolicy::Always, 0, &["create a: ended"]);
    check(RestartPolicy::OnFailure, 1, &["create a: ended"]);
    check(RestartPolicy::OnFailure, 0, &["reached"]);
    check(RestartPolicy::Never, 1, &["reached"]);
}

/// kubelet: NB-POD-08.
#[test]
fn another_image_behind_the_name_makes_its_container_anew_where_somebody_asks_for_the_pod() {
    let desired = desired();
    let mut seen = seen(&desired, whole());
    seen.containers[2].image = "sha256:0".into();
    let images = BTreeMap::from([("busybox".to_owned(), image())]);
    let outdated = seen.outdated(&desired.pod, &images);
    assert_eq!(outdated, BTreeSet::from(["b-0".to_owned()]));
    let kept = Case::up(&desired, seen);
    kept.check(&["reached"]);
    Case {
        outdated: &["b-0"],
        ..kept
    }
    .check(&["create b: new image"]);
}

#[test]
fn containers_that_the_pod_no_longer_has_go() {
    let desired = desired();
    let mut containers = whole();
    containers.push(member("c", Running));
    let now = seen(&desired, containers);
    Case::up(&desired, now.clone()).check(&["stop c: not wanted"]);
    let mut ended = now;
    ended.containers[3].state = Exited(0);
    Case::up(&desired, ended).check(&["remove c: not wanted"]);
}

#[test]
fn down_goes_in_order() {
    let desired = desired();
    let mut now = seen(&desired, whole());
    now.volumes = vec!["podctl_default_web_v".into()];
    now.deletion = true;
    Case::down(&desired, now.clone()).check(&["stop a: down", "stop b: down"]);
    let stopping = Case {
        in_flight: &["a-0"],
        ..Case::down(&desired, now.clone())
    };
    stopping.check(&["stop b: down"]);
    now.containers[1].state = Exited(143);
    now.containers[2].state = Exited(143);
    Case::down(&desired, now.clone()).check(&[
        "remove pause: down",
        "remove a: down",
        "remove b: down",
    ]);
    now.containers.truncate(1);
    now.containers[0].state = Removing;
    Case::down(&desired, now.clone()).check(&[]);
    now.containers.clear();
    let volume = "remove volume podctl_default_web_v";
    Case::down(
        &desired,
        Seen {
            other_pauses: 1,
            ..now.clone()
        },
    )
    .check(&[volume]);
    Case::down(&desired, now.clone()).check(&[volume, "remove network"]);
    now.volumes.clear();
    now.network = false;
    Case::down(&desired, now.clone()).check(&["remove record"]);
    now.record = None;
    Case::down(&desired, now.clone()).check(&["remove deletion"]);
    now.deletion = false;
    Case::down(&desired, now).check(&["reached"]);
}

/// kubelet: NB-SCPROBE-22, NB-SCPROBE-23.
#[test]
fn on_the_way_down_only_readiness_is_asked() {
    let probe = Probe {
        check: Check::Exec(vec!["true".into()]),
        initial_delay: 0,
        period: 10,
        timeout: 1,
        success_threshold: 1,
        failure_threshold: 3,
        grace_period: None,
    };
    let mut desired = desired();
    desired.pod.containers[0].probes = Probes {
        startup: None,
        liveness: Some(probe.clone()),
        readiness: Some(probe),
    };
    let now = seen(&desired, whole());
    let health = Health::resume(&desired.pod.containers[0], 0, None, 20_000);
    let case = Case {
        now: 20_000,
        health: BTreeMap::from([("a-0".to_owned(), health)]),
        in_flight: &["a-0", "b-0"],
        ..Case::down(&desired, now)
    };
    case.check(&["ask readiness of a"]);
    Case {
        in_flight: &["a-0", "b-0", "readiness a-0"],
        ..case
    }
    .check(&[]);
}
