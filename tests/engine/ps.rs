//! `podctl ps` and `podctl version`.

use super::support::attached::Attached;
use super::support::{Pod, docker, eventually, podctl, run};
use super::up::TWO;
use shows::shows;

fn list(args: &[&str]) -> serde_json::Value {
    let out = run(podctl().arg("ps").args(args).args(["-o", "json"]))
        .code(0)
        .out;
    serde_json::from_str(&out).expect("JSON")
}

fn find<'a>(list: &'a serde_json::Value, name: &str) -> Option<&'a serde_json::Value> {
    list["items"]
        .as_array()?
        .iter()
        .find(|pod| pod["metadata"]["name"] == name)
}

#[test]
fn a_row_has_kubectls_columns() {
    let pod = Pod::new("row");
    pod.up(TWO).code(0);
    let out = run(podctl().arg("ps")).code(0).out;
    let header: Vec<_> = out
        .lines()
        .next()
        .expect("a header")
        .split_whitespace()
        .collect();
    assert_eq!(header, ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
    let row = out
        .lines()
        .find(|row| row.starts_with(&pod.name))
        .expect("a row");
    let cells: Vec<_> = row.split_whitespace().collect();
    assert_eq!(&cells[1..4], ["2/2", "Running", "0"]);
    let wide = run(podctl().args(["ps", "-o", "wide"])).code(0).out;
    assert!(
        wide.contains("IP") && wide.contains(&pod.id("POD")[..12]),
        "{wide}"
    );
    let names = run(podctl().args(["ps", "-o", "name"])).code(0).out;
    assert!(
        names
            .lines()
            .any(|line| line == format!("pod/{}", pod.name))
    );
    let quiet = run(podctl().args(["ps", "-q"])).code(0).out;
    assert!(quiet.lines().any(|line| line == pod.name));
}

/// As while the images of a new pod are pulled.
#[test]
fn a_pod_that_has_no_containers_is_pending() {
    let pod = Pod::new("bare");
    let no_pod = run(podctl().args(["describe", &pod.name])).code(1);
    no_pod.says(&["there is no pod"]);
    pod.up(TWO).code(0);
    for container in ["a", "b", "POD"] {
        docker(&["rm", "-f", &pod.id(container)]);
    }
    let out = run(podctl().arg("ps")).code(0).out;
    let row = out.lines().find(|row| row.starts_with(&pod.name));
    let cells: Vec<_> = row.expect("a row").split_whitespace().collect();
    assert_eq!(&cells[1..4], ["0/2", "ContainerCreating", "0"]);
    let image = "jsonpath={.status.phase} {.spec.containers[0].image} {.metadata.uid}";
    let got = run(podctl().args(["get", "pod", &pod.name, "-o", image])).code(0);
    let words: Vec<_> = got.out.split(' ').collect();
    assert_eq!(&words[..2], ["Pending", "busybox"]);
    let described = run(podctl().args(["describe", &pod.name])).code(0);
    described.prints(&["ContainerCreating"]);
    let said = run(podctl().args(["logs", &pod.name])).code(1);
    said.says(&["has no containers", "podctl up FILE"]);
    pod.up(TWO).code(0);
    let whole = run(podctl().args(["get", "pod", &pod.name])).code(0);
    whole.prints(&["2/2"]);
}

#[shows("ObjectMeta.annotations", "ObjectMeta.labels")]
#[test]
fn json_has_what_was_asked_for_beside_what_there_is() {
    let pod = Pod::new("asked");
    let with = |label: &str| {
        let meta = format!("{{name: POD, labels: {{app: {label}}}, annotations: {{note: x}}}}");
        TWO.replace("{name: POD}", &meta)
    };
    pod.up(&with("web")).code(0);
    let ids = pod.ids("a");
    let found = list(&[]);
    let of_pod = find(&found, &pod.name).expect("the pod");
    assert_eq!(of_pod["metadata"]["labels"]["app"], "web");
    assert_eq!(of_pod["metadata"]["annotations"]["note"], "x");
    assert_eq!(of_pod["spec"]["containers"][0]["image"], "busybox");
    assert_eq!(of_pod["status"]["phase"], "Running");
    // A label needs no new container.
    pod.up(&with("db")).code(0);
    assert_eq!(pod.ids("a"), ids);
    let found = list(&[]);
    let of_pod = find(&found, &pod.name).expect("the pod");
    assert_eq!(of_pod["metadata"]["labels"]["app"], "db");
}

/// kubectl: `RunContainerError`, `Init:RunContainerError`.
#[test]
fn the_table_says_what_the_json_says_of_one_that_cannot_be_started() {
    let bad = TWO.replacen("[sleep, '3600']", "[/no/such/program]", 1);
    let bad_init = TWO.replace(
        "  containers:",
        "  initContainers:\n  - {name: i, image: busybox, imagePullPolicy: IfNotPresent, command: [/no/such/program]}\n  containers:",
    );
    for (manifest, list, status) in [
        (bad, "containerStatuses", "RunContainerError"),
        (bad_init, "initContainerStatuses", "Init:RunContainerError"),
    ] {
        let pod = Pod::new("cannot-run");
        let _attached = Attached::new(&pod, &manifest, &[]);
        eventually("it is told", || {
            let path = format!("jsonpath={{.status.{list}[0].state.waiting.reason}}");
            let reason = run(podctl().args(["get", "pod", &pod.name, "-o", &path]));
            reason.out == "RunContainerError"
        });
        let row = run(podctl().args(["get", "pod", &pod.name])).code(0).out;
        let word = row.split_whitespace().nth(7);
        assert_eq!(word, Some(status), "{row}");
    }
}

/// kubelet: NB-POD-01.
#[test]
fn json_and_yaml_are_a_pod_list_with_status() {
    let pod = Pod::new("list");
    pod.up(TWO).code(0);
    let list = list(&[]);
    assert_eq!(list["kind"], "PodList");
    let of_pod = find(&list, &pod.name).expect("the pod");
    let status = &of_pod["status"];
    assert_eq!(status["phase"], "Running");
    assert_eq!(
        status["containerStatuses"].as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(status["qosClass"], "BestEffort");
    assert_eq!(status["containerStatuses"][0]["image"], "busybox");
    let ip = status["podIP"].as_str().expect("an address");
    assert_eq!(
        docker(&[
            "inspect",
            "--format",
            "{{.NetworkSettings.Networks.podctl.IPAddress}}",
            &pod.id("POD")
        ]),
        ip
    );
    // Where a pod's packets for elsewhere go first.
    let routes = pod.sh("a", "ip route");
    let host_ip = status["hostIP"].as_str().expect("an address");
    assert!(
        routes.contains(&format!("default via {host_ip} ")),
        "{routes}"
    );
    let yaml = run(podctl().args(["ps", "-o", "yaml"])).code(0).out;
    assert!(yaml.contains("kind: PodList") && yaml.contains(&pod.name));
}

#[shows("ObjectMeta.namespace")]
#[test]
fn namespaces_keep_pods_apart() {
    let pod = Pod::new("spaces");
    let namespace = format!("{}-ns", pod.name);
    let file = pod.file(TWO);
    run(podctl().args(["up", "-n", &namespace, &file])).code(0);
    assert!(find(&list(&[]), &pod.name).is_none());
    assert!(find(&list(&["-n", &namespace]), &pod.name).is_some());
    let all = list(&["-A"]);
    assert_eq!(
        find(&all, &pod.name).expect("the pod")["metadata"]["namespace"],
        namespace.as_str()
    );
    run(podctl().args(["down", "-n", &namespace, &pod.name])).code(0);
    pod.assert_nothing_left();
}

#[test]
fn a_pod_that_has_ended_is_shown_when_all_are() {
    let pod = Pod::new("ended");
    let manifest = TWO
        .replace("[sleep, '3600']", "['true']")
        .replace("spec:", "spec:\n  restartPolicy: Never");
    pod.up(&manifest).code(0);
    super::support::eventually("it has ended", || {
        find(&list(&["-a"]), &pod.name).is_some_and(|pod| pod["status"]["phase"] == "Succeeded")
    });
    assert!(find(&list(&[]), &pod.name).is_none());
}

#[test]
fn version_names_the_engine_and_what_chose_it() {
    let out = run(podctl().arg("version")).code(0).out;
    assert!(
        out.contains("podctl 0.") && out.contains("API 1.") && out.contains("chosen by"),
        "{out}"
    );
}
