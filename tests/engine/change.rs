//! `podctl up` of a pod that is there already.

use super::support::{Pod, docker, eventually, podctl, run};
use super::up::TWO;
use shows::shows;

fn ids(pod: &Pod) -> [String; 3] {
    ["POD", "a", "b"].map(|container| pod.id(container))
}

#[test]
fn the_same_file_again_changes_nothing_and_says_so() {
    let pod = Pod::new("same");
    pod.up(TWO).code(0);
    let before = ids(&pod);
    pod.up(TWO).code(0).says(&["unchanged"]);
    assert_eq!(ids(&pod), before);
}

#[test]
fn the_same_pod_in_other_words_is_the_same() {
    let pod = Pod::new("words");
    let with_limits = |limits: &str| {
        TWO.replace(
            "command: [sleep, '3600']}\n  - {name: b",
            &format!("command: [sleep, '3600'], resources: {{limits: {limits}}}}}\n  - {{name: b"),
        )
    };
    pod.up(&with_limits("{memory: 64Mi, cpu: 500m}")).code(0);
    let before = ids(&pod);
    let other = with_limits("{cpu: '0.5', memory: 65536Ki}")
        .replace("spec:", "spec:\n  restartPolicy: Always # the default");
    pod.up(&other).code(0).says(&["unchanged"]);
    assert_eq!(ids(&pod), before);
}

#[test]
fn a_changed_container_alone_is_made_anew() {
    let pod = Pod::new("changed");
    pod.up(TWO).code(0);
    let before = ids(&pod);
    let changed = TWO.replacen("command: [sleep, '3600']", "command: [sleep, '3601']", 1);
    pod.up(&changed).code(0);
    let after = ids(&pod);
    assert_eq!((&after[0], &after[2]), (&before[0], &before[2]));
    assert_ne!(after[1], before[1]);
    assert!(pod.sh("b", "ps").contains("sleep 3601"));
}

#[test]
fn containers_come_and_go_with_the_file() {
    let pod = Pod::new("members");
    let one = TWO
        .lines()
        .filter(|line| !line.contains("name: b"))
        .collect::<Vec<_>>()
        .join("\n");
    pod.up(&one).code(0);
    let before = pod.id("a");
    pod.up(TWO).code(0);
    assert_eq!((pod.ids("b").len(), pod.id("a")), (1, before.clone()));
    pod.up(&one).code(0);
    assert_eq!((pod.ids("b").len(), pod.id("a")), (0, before));
}

#[test]
fn a_changed_field_of_the_pod_makes_the_pause_anew_and_says_why() {
    let pod = Pod::new("pod-field");
    pod.up(TWO).code(0);
    let before = ids(&pod);
    let changed = TWO.replace("spec:", "spec:\n  hostname: other");
    pod.up(&changed).code(0).says(&["spec.hostname"]);
    let after = ids(&pod);
    assert!(
        before
            .iter()
            .zip(&after)
            .all(|(before, after)| before != after)
    );
    assert_eq!(pod.sh("a", "hostname"), "other");
}

#[test]
fn a_changed_config_map_is_seen_without_a_restart() {
    let pod = Pod::new("config");
    let manifest = |data: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: text}}\ndata: {data}\n---{}",
            TWO.replace(
                "command: [sleep, '3600']}\n  - {name: b",
                "command: [sleep, '3600'], volumeMounts: [{name: t, mountPath: /t}]}\n  - {name: b"
            ) + "  volumes: [{name: t, configMap: {name: text}}]\n"
        )
    };
    pod.up(&manifest("{word: old, gone: x}")).code(0);
    let before = ids(&pod);
    assert_eq!(pod.sh("a", "cat /t/word; echo; ls /t"), "old\ngone\nword");
    pod.up(&manifest("{word: new, more: yet}")).code(0);
    assert_eq!(pod.sh("a", "cat /t/word; echo; ls /t"), "new\nmore\nword");
    assert_eq!(ids(&pod), before);
    pod.up(&manifest("{word: new, more: yet}"))
        .code(0)
        .says(&["unchanged"]);
}

#[shows("PodSpec.restartPolicy")]
#[test]
fn a_container_that_has_ended_is_made_anew_where_the_policy_says_so() {
    let pod = Pod::new("again");
    let once = TWO.replacen("command: [sleep, '3600']", "command: [sh, -c, 'exit 3']", 1);
    let ended =
        |pod: &Pod| docker(&["inspect", "--format", "{{.State.Status}}", &pod.id("a")]) == "exited";
    pod.up(&once).code(0);
    eventually("it has ended", || ended(&pod));
    let before = pod.id("a");
    pod.up(&once).code(0);
    assert_ne!(pod.id("a"), before, "Always");
    let never = once.replace("spec:", "spec:\n  restartPolicy: Never");
    pod.up(&never).code(0);
    eventually("it has ended", || ended(&pod));
    let before = pod.id("a");
    pod.up(&never).code(0).says(&["unchanged"]);
    assert_eq!(pod.id("a"), before, "Never");
}

#[test]
fn a_tag_that_means_another_image_makes_its_container_anew() {
    let pod = Pod::new("tag");
    let tag = format!("{}:1", pod.name);
    docker(&["tag", "busybox:latest", &tag]);
    let manifest = TWO.replacen("image: busybox", &format!("image: '{tag}'"), 1);
    pod.up(&manifest).code(0);
    let before = ids(&pod);
    let other = docker(&["create", "busybox", "true"]);
    docker(&["commit", "-m", "another", &other, &tag]);
    docker(&["rm", &other]);
    pod.up(&manifest).code(0);
    let after = ids(&pod);
    assert_ne!(after[1], before[1]);
    assert_eq!(after[2], before[2]);
    drop(pod.down());
    docker(&["rmi", "-f", &tag]);
}

#[test]
fn a_pod_whose_pause_was_killed_is_made_whole() {
    let pod = Pod::new("killed");
    pod.up(TWO).code(0);
    docker(&["kill", &pod.id("POD")]);
    let said = run(podctl().args(["exec", &pod.name, "-c", "a", "--", "true"]));
    said.code(125).says(&["podctl up"]);
    let rows = run(podctl().args(["ps", "-a"])).code(0).out;
    let row = rows
        .lines()
        .find(|row| row.starts_with(&pod.name))
        .expect("a row");
    assert!(!row.contains("2/2"), "{row}");
    pod.up(TWO).code(0);
    assert_eq!(pod.sh("a", "ps").matches("sleep 3600").count(), 2);
}

#[test]
fn a_change_that_fails_stops_there_and_says_what_is_old() {
    let pod = Pod::new("fails-changed");
    pod.up(TWO).code(0);
    let before = ids(&pod);
    let broken = TWO.replacen("command: [sleep, '3600']", "command: [/no/such/program]", 1);
    pod.up(&broken).code(1).says(&[
        "/no/such/program",
        &format!("{}/b runs", pod.name),
        &format!("{}/a does not run", pod.name),
    ]);
    assert_eq!(
        (pod.id("POD"), pod.id("b")),
        (before[0].clone(), before[2].clone())
    );
    let missing = TWO.replacen(
        "image: busybox, imagePullPolicy: IfNotPresent",
        "image: no-such-image-q, imagePullPolicy: Never",
        1,
    );
    pod.up(&missing).code(1).says(&["no-such-image-q"]);
    pod.up(TWO).code(0);
    assert!(pod.sh("a", "ps").matches("sleep 3600").count() == 2);
}
