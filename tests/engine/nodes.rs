//! What a node does with probes, by the ids of Kubernetes' own node tests (docs/conformance.md): each probe on an app container and on a sidecar,
//! all pods of a test under one `up --attach`. Times are those of the node tests, made shorter in proportion.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::attached::Attached;
use super::support::{Pod, podctl, run, within};

/// What becomes of a container.
#[derive(Clone, Copy, PartialEq)]
enum Becomes {
    /// It is started again.
    Restarted,
    /// It is started again and again.
    RestartedOften,
    /// It is ready, and never started again.
    Ready,
    /// It is not ready, and never started again.
    Unready,
}
use Becomes::{Ready, Restarted, RestartedOften, Unready};

struct Case {
    /// On an app container, on a sidecar.
    ids: (&'static str, &'static str),
    command: &'static str,
    probes: &'static str,
    becomes: Becomes,
}

const SLEEP: &str = "exec sleep 3600";
const FILE_FOR_A_WHILE: &str = "touch /file; sleep 2; rm /file; exec sleep 3600";
const HTTP: &str = "mkdir /www; echo fine >/www/healthz; exec httpd -f -p 80 -h /www";
const HTTP_FOR_A_WHILE: &str = "mkdir /www; echo fine >/www/healthz; httpd -p 80 -h /www; sleep 2; rm /www/healthz; exec sleep 3600";
const DEAF: &str = "trap '' TERM; while :; do sleep 0.1; done";

const CASES: &[Case] = &[
    Case {
        ids: ("NB-PROBE-01", "NB-SCPROBE-01"),
        command: SLEEP,
        probes: "readinessProbe: {exec: {command: ['true']}, initialDelaySeconds: 3, periodSeconds: 1, timeoutSeconds: 20}",
        becomes: Ready,
    },
    Case {
        ids: ("NB-PROBE-02", "NB-SCPROBE-02"),
        command: SLEEP,
        probes: "readinessProbe: {exec: {command: ['false']}, periodSeconds: 1}",
        becomes: Unready,
    },
    Case {
        ids: ("NB-PROBE-03", "NB-SCPROBE-03"),
        command: FILE_FOR_A_WHILE,
        probes: "livenessProbe: {exec: {command: [cat, /file]}, initialDelaySeconds: 1, periodSeconds: 1, failureThreshold: 1}",
        becomes: Restarted,
    },
    Case {
        ids: ("NB-PROBE-04", "NB-SCPROBE-04"),
        command: "touch /file; exec sleep 3600",
        probes: "livenessProbe: {exec: {command: [cat, /file]}, initialDelaySeconds: 2, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 1}",
        becomes: Ready,
    },
    Case {
        ids: ("NB-PROBE-05", "NB-SCPROBE-05"),
        command: HTTP_FOR_A_WHILE,
        probes: "livenessProbe: {httpGet: {path: /healthz, port: 80}, initialDelaySeconds: 1, periodSeconds: 1, failureThreshold: 1}",
        becomes: Restarted,
    },
    Case {
        ids: ("NB-PROBE-06", "NB-SCPROBE-06"),
        command: HTTP,
        probes: "livenessProbe: {tcpSocket: {port: 80}, initialDelaySeconds: 2, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 1}",
        becomes: Ready,
    },
    Case {
        ids: ("NB-PROBE-07", "NB-SCPROBE-07"),
        command: SLEEP,
        probes: "livenessProbe: {exec: {command: ['false']}, periodSeconds: 1, failureThreshold: 1}",
        becomes: RestartedOften,
    },
    Case {
        ids: ("NB-PROBE-08", "NB-SCPROBE-08"),
        command: HTTP,
        probes: "livenessProbe: {httpGet: {path: /healthz, port: 80}, initialDelaySeconds: 1, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 5}",
        becomes: Ready,
    },
    Case {
        ids: ("NB-PROBE-09", "NB-SCPROBE-09"),
        command: SLEEP,
        probes: "livenessProbe: {exec: {command: [sleep, '10']}, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 1}",
        becomes: Restarted,
    },
    Case {
        ids: ("NB-PROBE-10", "NB-SCPROBE-10"),
        command: SLEEP,
        probes: "readinessProbe: {exec: {command: [sleep, '10']}, periodSeconds: 1, timeoutSeconds: 1}",
        becomes: Unready,
    },
    Case {
        ids: ("NB-PROBE-11", "NB-SCPROBE-18"),
        command: DEAF,
        probes: "livenessProbe: {exec: {command: ['false']}, periodSeconds: 1, failureThreshold: 1, terminationGracePeriodSeconds: 1}",
        becomes: Restarted,
    },
    Case {
        ids: ("NB-PROBE-12", "NB-SCPROBE-19"),
        command: DEAF,
        probes: "startupProbe: {exec: {command: ['false']}, periodSeconds: 1, failureThreshold: 1, terminationGracePeriodSeconds: 1}",
        becomes: Restarted,
    },
    Case {
        ids: ("NB-PROBE-14", "NB-SCPROBE-21"),
        command: SLEEP,
        probes: "livenessProbe: {grpc: {port: 9000}, periodSeconds: 1, failureThreshold: 1}",
        becomes: Restarted,
    },
    Case {
        ids: ("", "NB-SCPROBE-11"),
        command: SLEEP,
        probes: "livenessProbe: {exec: {command: [sh, -c, 'sleep 10; exit 1']}, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 1}",
        becomes: Restarted,
    },
    Case {
        ids: ("", "NB-SCPROBE-14"),
        command: SLEEP,
        probes: "startupProbe: {exec: {command: ['false']}, periodSeconds: 1, failureThreshold: 1}",
        becomes: Restarted,
    },
    Case {
        ids: ("", "NB-SCPROBE-15"),
        command: SLEEP,
        probes: "startupProbe: {exec: {command: ['false']}, periodSeconds: 1, failureThreshold: 1000}, livenessProbe: {exec: {command: ['false']}, periodSeconds: 1, failureThreshold: 1}",
        becomes: Unready,
    },
    Case {
        ids: ("", "NB-SCPROBE-16"),
        command: SLEEP,
        probes: "startupProbe: {exec: {command: ['true']}, periodSeconds: 1}, livenessProbe: {exec: {command: ['false']}, periodSeconds: 1, failureThreshold: 1}",
        becomes: Restarted,
    },
    Case {
        ids: ("", "NB-SCPROBE-17"),
        command: "sleep 1; touch /file; exec sleep 3600",
        probes: "startupProbe: {exec: {command: [cat, /file]}, periodSeconds: 1, failureThreshold: 60}, readinessProbe: {exec: {command: ['true']}, periodSeconds: 600, timeoutSeconds: 20}",
        becomes: Ready,
    },
];

/// One at a time: what is not in time on a busy machine counts as an answer.
static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
/// Some thirty containers start, end and are asked at once.
const PATIENCE: Duration = Duration::from_secs(180);
/// So long nothing may happen to those to which nothing is to happen.
const WATCHED: Duration = Duration::from_secs(8);

fn manifest(name: &str, case: &Case, sidecar: bool) -> String {
    let asked = format!(
        "{{name: asked, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, \"{}\"], {}",
        case.command, case.probes
    );
    let lists = if sidecar {
        format!(
            "  initContainers:\n  - {asked}, restartPolicy: Always}}\n  containers:\n  - {{name: app, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}}\n"
        )
    } else {
        format!("  containers:\n  - {asked}}}\n")
    };
    // The probe's own grace period counts, where it has one.
    let grace = if case.command == DEAF { 500 } else { 1 };
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  shareProcessNamespace: false\n  terminationGracePeriodSeconds: {grace}\n{lists}---\n"
    )
}

/// Restart count and readiness of the container that is asked, by pod.
fn look(pods: &BTreeMap<String, &Case>) -> BTreeMap<String, (u64, bool)> {
    let out = run(podctl().args(["get", "pods", "-o", "json"]))
        .code(0)
        .out;
    let list: Value = serde_json::from_str(&out).expect("JSON");
    let items = list["items"].as_array().expect("a list").iter();
    items
        .filter_map(|item| {
            let name = item["metadata"]["name"].as_str()?;
            pods.get(name)?;
            let lists = ["initContainerStatuses", "containerStatuses"];
            let all = lists
                .iter()
                .filter_map(|list| item["status"][list].as_array());
            let asked = all.flatten().find(|status| status["name"] == "asked")?;
            let ready = asked["ready"].as_bool()?;
            Some((name.to_owned(), (asked["restartCount"].as_u64()?, ready)))
        })
        .collect()
}

fn check(sidecar: bool) {
    let _turn = TURN.lock();
    let id = |case: &Case| if sidecar { case.ids.1 } else { case.ids.0 };
    let cases: Vec<&Case> = CASES.iter().filter(|case| !id(case).is_empty()).collect();
    let guards: Vec<Pod> = cases.iter().map(|_| Pod::new("node")).collect();
    let all = Pod::new("nodes");
    let mut text = String::new();
    let mut pods = BTreeMap::new();
    for (case, guard) in cases.iter().zip(&guards) {
        text.push_str(&manifest(&guard.name, case, sidecar));
        pods.insert(guard.name.clone(), *case);
    }
    let _attached = Attached::new(&all, &text, &["--back-off", "1s"]);
    let mut highest: BTreeMap<String, u64> = BTreeMap::new();
    let mut settled_since = None;
    let begun = Instant::now();
    within(PATIENCE, "each has become what it should", || {
        let now = look(&pods);
        let mut faults = Vec::new();
        for (name, (restarts, ready)) in &now {
            let case = pods[name];
            let before = highest.insert(name.clone(), *restarts).unwrap_or_default();
            assert!(before <= *restarts, "{}: the count fell", id(case));
            let is_so = match case.becomes {
                Restarted => *restarts >= 1,
                RestartedOften => *restarts >= 3,
                Ready => *ready && *restarts == 0,
                Unready => !*ready && *restarts == 0,
            };
            let is_quiet = matches!(case.becomes, Ready | Unready);
            assert!(
                !is_quiet || *restarts == 0,
                "{} was started again",
                id(case)
            );
            if !is_so {
                faults.push(id(case));
            }
        }
        let holds = faults.is_empty() && now.len() == pods.len();
        if holds && settled_since.is_none() {
            settled_since = Some(Instant::now());
        }
        // What is right at first must stay so.
        let is_over = settled_since.is_some_and(|since| since.elapsed() > WATCHED);
        if begun.elapsed() + WATCHED > PATIENCE && !holds {
            println!("not yet: {faults:?}");
        }
        holds && is_over
    });
    let delayed = &guards[0];
    let described = run(podctl().args(["describe", &delayed.name])).code(0).out;
    let row = described
        .lines()
        .find(|line| line.trim_start().starts_with("asked  "));
    let ready_at = row
        .and_then(|row| row.split_whitespace().nth(2))
        .unwrap_or_default();
    let ready_at: f64 = ready_at.trim_end_matches('s').parse().expect("a time");
    assert!(
        ready_at >= 3.0,
        "{}: ready after {ready_at} s",
        id(cases[0])
    );
}

#[test]
fn app_containers_are_asked_as_a_node_asks_them() {
    check(false);
}

#[test]
fn sidecars_are_asked_as_a_node_asks_them() {
    check(true);
}
