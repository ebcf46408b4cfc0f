//! An exit that makes all containers of the pod begin again, on the same pause, volumes and address.

use serde_json::Value;

use super::support::attached::Attached;
use super::support::{Pod, eventually, podctl, run};

const RULE: &str =
    "restartPolicyRules: [{action: RestartAllContainers, exitCodes: {operator: In, values: [42]}}]";

/// A container that writes its name into a log that all share. `once CODE` ends it with that code, the first time only; were the
/// volume made anew, that would be for ever.
fn container(name: &str, fields: &str, script: &str) -> String {
    let once = format!("once() {{ test -e /s/{name}-$1 && return; touch /s/{name}-$1; exit $1; }}");
    format!(
        "
  - name: {name}
    image: busybox
    imagePullPolicy: IfNotPresent
    volumeMounts: [{{name: s, mountPath: /s}}, {{name: log, mountPath: /log}}]
    command: [sh, -c, '{once}; echo {name} >>/log/all; {script}']
    {fields}"
    )
}

struct Round {
    /// Goes first, and the pod with it.
    #[expect(dead_code, reason = "kept for its end")]
    attached: Attached,
    pod: Pod,
}

impl Round {
    fn new(init_containers: &[String], containers: &[String]) -> Self {
        let pod = Pod::new("round");
        let log = pod.folder.0.display();
        let manifest = format!(
            "
apiVersion: v1
kind: Pod
metadata: {{name: POD}}
spec:
  terminationGracePeriodSeconds: 2
  volumes: [{{name: s, emptyDir: {{}}}}, {{name: log, hostPath: {{path: {log}}}}}]
  initContainers:{}
  containers:{}
",
            init_containers.concat(),
            containers.concat()
        );
        let attached = Attached::new(&pod, &manifest, &["--back-off", "1s"]);
        Self { attached, pod }
    }

    fn log(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.pod.folder.0.join("all")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    fn status(&self) -> Value {
        let out = run(podctl().args(["get", "pod", &self.pod.name, "-o", "json"])).out;
        let pod: Value = serde_json::from_str(&out).unwrap_or_default();
        pod["status"].clone()
    }

    /// Waits for so many starts and for a ready pod; the starts, and how often each container was restarted.
    fn after(&self, n_starts: usize) -> (Vec<String>, Vec<i64>) {
        eventually("all have begun again", || self.log().len() >= n_starts);
        run(podctl().args(["wait", &self.pod.name, "--for=ready", "--timeout=30s"])).code(0);
        let status = self.status();
        let of = |list: &str| status[list].as_array().cloned().unwrap_or_default();
        let restarting =
            |c: &Value| c["type"] == "AllContainersRestarting" && c["status"] == "False";
        assert!(of("conditions").iter().any(restarting), "{status}");
        let statuses = of("initContainerStatuses").into_iter();
        let counts = statuses
            .chain(of("containerStatuses"))
            .map(|status| status["restartCount"].as_i64().expect("a count"))
            .collect();
        (self.log(), counts)
    }
}

/// kubelet: NB-RULES-06, NB-RULES-09, NB-RULES-10.
#[test]
fn an_app_container_makes_all_begin_again() {
    let always = format!("restartPolicy: Always\n    {RULE}");
    // It is ended with a code that its own rule names; its hook would be in the log.
    let hook = "lifecycle: {preStop: {exec: {command: [sh, -c, echo hook >>/log/all]}}}";
    let round = Round::new(
        &[
            container("one", "", "true"),
            container("side", "restartPolicy: Always", "exec sleep 3600"),
        ],
        &[
            container("app", &always, "once 1; sleep 1; once 42; exec sleep 3600"),
            container(
                "other",
                &format!("{always}\n    {hook}"),
                "trap \"exit 42\" TERM; sleep 3600 & wait",
            ),
        ],
    );
    eventually("it runs", || round.log().len() >= 4);
    let (pause, address) = (round.pod.ids("POD"), round.status()["podIP"].clone());
    let (mut log, counts) = round.after(9);
    // Those two are started together.
    log[2..5].sort();
    log[7..].sort();
    let first = ["one", "side", "app", "app", "other"];
    assert_eq!(log, [&first[..], &["one", "side", "app", "other"]].concat());
    assert_eq!(counts, [1, 1, 2, 1]);
    assert_eq!(round.pod.ids("POD"), pause);
    assert_eq!(round.status()["podIP"], address);
}

/// kubelet: NB-RULES-07.
#[test]
fn a_sidecar_makes_all_begin_again() {
    let side = format!("restartPolicy: Always\n    {RULE}");
    let round = Round::new(
        &[
            container("one", "", "true"),
            container("side", &side, "sleep 1; once 42; exec sleep 3600"),
        ],
        &[container("app", "", "exec sleep 3600")],
    );
    let (log, counts) = round.after(6);
    assert_eq!(log, ["one", "side", "app", "one", "side", "app"]);
    assert_eq!(counts, [1, 1, 1]);
}

/// kubelet: NB-RULES-08.
#[test]
fn an_init_container_makes_those_before_it_begin_again() {
    let two = format!("restartPolicy: OnFailure\n    {RULE}");
    let round = Round::new(
        &[
            container("one", "", "true"),
            container("side", "restartPolicy: Always", "exec sleep 3600"),
            container("two", &two, "once 42"),
        ],
        &[container("app", "", "exec sleep 3600")],
    );
    let (log, counts) = round.after(7);
    assert_eq!(log, ["one", "side", "two", "one", "side", "two", "app"]);
    assert_eq!(counts, [1, 1, 1, 0]);
}
