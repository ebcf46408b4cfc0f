//! podctl against what a real kubelet did: the pods of the folder that `PODCTL_KUBELET_CASES` names, each kept alive by
//! `up --attach`, and its status held against the one that the kubelet wrote. Without the variable there is nothing to do.
//!
//! Not here: rules by themselves (`src/reconcile`).

#![allow(clippy::print_stdout, reason = "a test says what it is at")]

mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::attached::Attached;
use support::{Pod, podctl, podctl_itself, run};

/// Cases that differ by design, and why.
const OTHERWISE: &[(&str, &str)] = &[
    ("image never", "`up` refuses it before anything is made"),
    (
        "missing configmap env",
        "`up` refuses it before anything is made",
    ),
    (
        "missing configmap volume",
        "`up` refuses it before anything is made",
    ),
    (
        "runAsNonRoot, image of root",
        "`runAsNonRoot` is not carried out yet",
    ),
    (
        "missing command",
        "a first start that fails is an error of `up`",
    ),
    (
        "missing command, Never",
        "a first start that fails is an error of `up`",
    ),
    (
        "postStart fails",
        "the kubelet's status is one start behind its own events",
    ),
];
/// podctl's clock is not the kubelet's: so much longer it may take to come to what was seen.
const PATIENCE: Duration = Duration::from_secs(15);
const N_AT_ONCE: usize = 4;

#[test]
fn a_pod_is_what_it_is_under_a_kubelet() {
    let Some(folder) = std::env::var_os("PODCTL_KUBELET_CASES") else {
        println!("PODCTL_KUBELET_CASES names no folder: nothing to do");
        return;
    };
    let path = std::path::Path::new(&folder).join("cases.jsonl");
    let text = std::fs::read_to_string(path).expect("the cases");
    let cases: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a case"))
        .collect();
    let is_otherwise = |case: &Value| OTHERWISE.iter().any(|(name, _)| case["case"] == *name);
    let (otherwise, cases): (Vec<_>, Vec<_>) = cases.iter().partition(|case| is_otherwise(case));
    let next = std::sync::atomic::AtomicUsize::new(0);
    let again = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..N_AT_ONCE {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(case) = cases.get(i) else { break };
                    let name = case["case"].as_str().unwrap_or_default();
                    let fault = check(case);
                    println!("{name}: {}", fault.as_deref().unwrap_or("the same"));
                    if fault.is_some() {
                        again.lock().expect("a list").push(case);
                    }
                }
            });
        }
    });
    // A look that a busy machine was too late for is no difference: alone, a pod has the machine to itself.
    let again = again.into_inner().expect("a list");
    let fault = |case: &&&Value| check(case).map(|fault| format!("{}: {fault}", case["case"]));
    let faults: Vec<String> = again.iter().filter_map(fault).collect();
    let n_same = cases.len() - faults.len();
    println!("{n_same} the same, {} by design otherwise", otherwise.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What differs.
fn check(case: &Value) -> Option<String> {
    let pod = Pod::new("kubelet");
    let mut manifest = case["pod"].clone();
    let name = manifest["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    manifest["metadata"]["name"] = json!(pod.name);
    // The one default that podctl has otherwise; as PID 1 a shell is deaf to SIGTERM.
    manifest["spec"]["shareProcessNamespace"] = json!(false);
    let file = pod.folder.write("pod.json", manifest.to_string());
    let mut command = podctl_itself();
    let _attached = Attached::of(&pod, command.args(["up", "--attach", &file]));
    let begun = Instant::now();
    for look in case["looks"].as_array().expect("looks") {
        let after = Duration::from_secs_f64(look["after_s"].as_f64().unwrap_or_default());
        let expected = (wanted(&look["status"]).to_string(), columns(&look["get"]));
        std::thread::sleep(after.saturating_sub(begun.elapsed()));
        let end = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            let now = status(&pod).map(|(status, row)| {
                let status = wanted(&status).to_string().replace(&pod.name, &name);
                (status, columns(&json!(row)))
            });
            if now.as_ref() == Some(&expected) {
                break;
            }
            let text = format!("{now:?}");
            if seen.last().is_none_or(|(_, last)| *last != text) {
                seen.push((begun.elapsed(), text));
            }
            if Instant::now() > end {
                let seen = seen
                    .iter()
                    .map(|(at, text)| format!("\n  at {at:.1?} {text}"));
                let seen = seen.collect::<String>();
                return Some(format!("after {after:?}:\n  expected {expected:?}{seen}"));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    None
}

/// The pod's status, and its row in the table.
fn status(pod: &Pod) -> Option<(Value, String)> {
    let out = run(podctl().args(["ps", "-a", "-o", "json"])).code(0).out;
    let list: Value = serde_json::from_str(&out).expect("JSON");
    let items = list["items"].as_array()?;
    let item = items
        .iter()
        .find(|item| item["metadata"]["name"] == pod.name.as_str())?;
    let rows = run(podctl().args(["ps", "-a"])).code(0).out;
    let row = rows.lines().find(|row| row.starts_with(&pod.name))?;
    let row: Vec<&str> = row.split_whitespace().skip(1).collect();
    Some((item["status"].clone(), row.join(" ")))
}

/// READY, STATUS and RESTARTS, without how long ago.
fn columns(row: &Value) -> String {
    let words = row.as_str().unwrap_or_default().split_whitespace();
    // A kubelet shows the one or the other, whichever was written last.
    let words = words.take(3).collect::<Vec<_>>().join(" ");
    words.replace("CrashLoopBackOff", "Error")
}

/// What of a status is held against another's.
fn wanted(status: &Value) -> Value {
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    let condition = |condition: &Value| match condition.as_str() {
        Some(text) => text.to_owned(),
        None => ["type", "status", "reason", "message"]
            .iter()
            .filter_map(|field| condition[field].as_str())
            .collect::<Vec<_>>()
            .join(" "),
    };
    json!({
        "phase": status["phase"],
        "reason": status["reason"],
        "conditions": conditions.iter().map(condition).collect::<Vec<_>>(),
        "init": containers(&status["initContainerStatuses"]),
        "containers": containers(&status["containerStatuses"]),
    })
}

fn containers(statuses: &Value) -> Vec<Value> {
    let state = |state: &Value| {
        let waiting = &state["waiting"]["reason"];
        let ended = &state["terminated"];
        json!([
            waiting,
            !state["running"].is_null(),
            ended["reason"],
            ended["exitCode"],
            ended["message"]
        ])
    };
    let of = |status: &Value| {
        let backs_off = status["state"]["waiting"]["reason"] == "CrashLoopBackOff";
        let now = if backs_off {
            &status["lastState"]
        } else {
            &status["state"]
        };
        json!({
            "name": status["name"],
            "ready": status["ready"],
            "started": status["started"],
            "restartCount": status["restartCount"],
            "state": state(now),
            "last": state(&status["lastState"]),
        })
    };
    statuses.as_array().into_iter().flatten().map(of).collect()
}
