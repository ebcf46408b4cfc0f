//! When there is a supervisor, and when there is none any more.

use std::process::Stdio;

use super::support::{Pod, docker, eventually, run};
use super::{alone, podctl, supervisor, up};

const SLEEPS: &str = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '1000']}
";

#[test]
fn the_first_up_starts_it_and_says_so_and_the_last_down_leaves_it() {
    let _alone = alone();
    let (first, second) = (Pod::new("first"), Pod::new("second"));
    up(&first, SLEEPS, &[])
        .code(0)
        .says(&["supervisor: started, as the container podctl-supervisor"]);
    let id = supervisor().expect("a supervisor");
    let said = up(&second, SLEEPS, &[]).code(0);
    assert!(!said.err.contains("supervisor"), "{}", said.err);
    assert_eq!(supervisor().as_ref(), Some(&id));
    run(podctl().args(["supervise", "--status"]))
        .code(0)
        .prints(&["running as a container, version"]);
    let listed = run(podctl().args(["ps", "-a"])).code(0).out;
    assert!(!listed.contains("supervisor"), "{listed}");
    for pod in [&first, &second] {
        run(podctl().args(["down", &pod.name])).code(0);
        pod.assert_nothing_left();
    }
    assert_eq!(supervisor(), Some(id));
    assert_eq!(
        docker(&["network", "ls", "-qf", "name=^podctl$"])
            .lines()
            .count(),
        1
    );
    run(podctl().args(["supervise", "--stop"]))
        .code(0)
        .says(&["the supervisor is gone"]);
    assert_eq!(supervisor(), None);
    assert_eq!(docker(&["network", "ls", "-qf", "name=^podctl$"]), "");
    run(podctl().args(["supervise", "--status"]))
        .code(1)
        .prints(&["not there"]);
}

#[test]
fn it_goes_some_time_after_the_last_pod_with_the_network() {
    let _alone = alone();
    let pod = Pod::new("idle");
    up(&pod, SLEEPS, &["--supervisor-idle", "1s"]).code(0);
    assert!(supervisor().is_some());
    run(podctl().args(["down", &pod.name])).code(0);
    eventually("the supervisor is gone", || supervisor().is_none());
    eventually("the network is gone", || {
        docker(&["network", "ls", "-qf", "name=^podctl$"]).is_empty()
    });
}

#[test]
fn its_container_has_the_socket_and_the_hosts_network_and_nothing_else() {
    let _alone = alone();
    let pod = Pod::new("rights");
    up(&pod, SLEEPS, &[]).code(0);
    let id = supervisor().expect("a supervisor");
    let inspect = |format: &str| docker(&["inspect", "-f", format, &id]);
    for (format, expected) in [
        ("{{.HostConfig.NetworkMode}}", "host"),
        ("{{.HostConfig.ReadonlyRootfs}}", "true"),
        ("{{.HostConfig.CapDrop}}", "[ALL]"),
        ("{{.HostConfig.Privileged}}", "false"),
        (
            "{{.HostConfig.SecurityOpt}}",
            "[no-new-privileges label=disable]",
        ),
        ("{{.HostConfig.RestartPolicy.Name}}", "always"),
        ("{{.HostConfig.UsernsMode}}", "host"),
        ("{{.HostConfig.Memory}}", "268435456"),
        ("{{.HostConfig.PidsLimit}}", "64"),
        ("{{.HostConfig.LogConfig.Type}}", "json-file"),
        (
            "{{.HostConfig.LogConfig.Config}}",
            "map[max-file:3 max-size:1m]",
        ),
        ("{{len .Mounts}}", "1"),
        ("{{(index .Mounts 0).Destination}}", "/engine.sock"),
        ("{{len .HostConfig.Binds}}", "0"),
    ] {
        assert_eq!(inspect(format), expected, "{format}");
    }
}

#[test]
fn without_one_the_command_says_what_nobody_does() {
    let _alone = alone();
    let pod = Pod::new("without");
    up(&pod, SLEEPS, &["--no-supervisor"]).code(0).says(&[
        "without a supervisor nobody starts again what ends or repairs it once this command is over",
    ]);
    assert_eq!(supervisor(), None);
}

#[test]
fn a_socket_that_is_not_the_engines_is_found_out() {
    let _alone = alone();
    let pod = Pod::new("socket");
    let missing = ["--engine-socket", "/nonexistent/engine.sock"];
    up(&pod, SLEEPS, &missing).code(0).says(&[
        "there is no supervisor",
        "/nonexistent/engine.sock",
        "--engine-socket",
    ]);
    // One that is there, and is none.
    up(&pod, SLEEPS, &["--engine-socket", "/etc/hostname"])
        .code(0)
        .says(&["there is no supervisor", "/etc/hostname: it has ended"]);
    assert_eq!(supervisor(), None);
    // The pod is up all the same.
    assert_eq!(pod.exec("a", &["true"]).code, 0);
}

#[test]
fn one_that_somebody_has_stopped_is_started_by_the_next_up() {
    let _alone = alone();
    let pod = Pod::new("stopped");
    up(&pod, SLEEPS, &[]).code(0);
    let id = supervisor().expect("a supervisor");
    docker(&["stop", "-t", "3", &id]);
    run(podctl().args(["supervise", "--status"]))
        .code(1)
        .prints(&["does not run"]);
    up(&pod, SLEEPS, &[]).code(0).says(&["supervisor: started"]);
    assert_ne!(supervisor(), Some(id));
}

#[test]
fn one_in_the_foreground_does_the_same_and_leaves_a_mark() {
    let _alone = alone();
    let pod = Pod::new("foreground");
    let mut foreground = podctl()
        .arg("supervise")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("podctl");
    eventually("it is at work", || {
        let status = run(podctl().args(["supervise", "--status"]));
        status.out.contains("in the foreground on")
    });
    up(&pod, SLEEPS, &[]).code(0);
    assert_eq!(supervisor(), None);
    let before = pod.id("a");
    docker(&["kill", &before]);
    eventually("it is started again", || pod.id("a") != before);
    run(std::process::Command::new("kill").args(["-TERM", &foreground.id().to_string()])).code(0);
    foreground.wait().expect("its end");
    run(podctl().args(["supervise", "--status"]))
        .code(1)
        .prints(&["not there"]);
}

#[test]
fn down_of_all_takes_it_away_too() {
    let _alone = alone();
    let pod = Pod::new("all");
    up(&pod, SLEEPS, &[]).code(0);
    run(podctl().args(["down", "--all"])).code(0);
    assert_eq!(supervisor(), None);
    assert_eq!(docker(&["network", "ls", "-qf", "name=^podctl$"]), "");
    pod.assert_nothing_left();
}

/// A container of this version in the supervisor's place, which does nothing.
fn in_its_place(version: &str) {
    let label = format!("podctl.io/supervisor={version}");
    let name = ["--name", "podctl-supervisor"];
    docker(
        &[
            &["run", "-d", "--label", &label],
            &name[..],
            &["busybox", "sleep", "1000"],
        ]
        .concat(),
    );
}

#[test]
fn an_older_one_is_replaced_and_a_newer_one_is_not() {
    let _alone = alone();
    let pod = Pod::new("versions");
    in_its_place("0.0.1");
    let old = supervisor();
    up(&pod, SLEEPS, &[])
        .code(0)
        .says(&["supervisor: started in the place of one of podctl 0.0.1"]);
    assert_ne!(supervisor(), old);
    run(podctl().args(["supervise", "--stop"])).code(0);
    in_its_place("99.0.0");
    let new = supervisor();
    let said = up(&pod, SLEEPS, &[]).code(0);
    assert!(!said.err.contains("supervisor"), "{}", said.err);
    assert_eq!(supervisor(), new);
    // It is set to work, and stays what it is.
    for act in ["pause", "stop"] {
        docker(&[act, "podctl-supervisor"]);
        up(&pod, SLEEPS, &[]).code(0);
        assert_eq!(supervisor(), new);
        let running = docker(&["ps", "-q", "--no-trunc", "--filter", "status=running"]);
        assert!(running.contains(&new.clone().expect("one")), "{act}");
    }
}

#[test]
fn without_one_of_ones_own_the_one_that_is_at_work_is_told_of() {
    let _alone = alone();
    let pod = Pod::new("all-the-same");
    let none = ["--no-supervisor"];
    let alone = "without a supervisor nobody";
    up(&pod, SLEEPS, &none).code(0).says(&[alone]);
    up(&pod, SLEEPS, &[]).code(0);
    let said = up(&pod, SLEEPS, &none).code(0);
    let said = said.says(&["one is at work all the same"]);
    assert!(!said.err.contains(alone), "{}", said.err);
}

#[test]
fn a_unit_for_systemd_names_the_program_and_the_engine() {
    let unit =
        run(podctl().args(["--host", "unix:///some.sock", "supervise", "--systemd"])).code(0);
    let line = unit
        .out
        .lines()
        .find(|line| line.starts_with("ExecStart=/"));
    let line = line.expect("a command");
    assert!(
        line.ends_with("/podctl --host unix:///some.sock supervise"),
        "{line}"
    );
    // An engine that is away for long does not end it for good.
    for line in ["StartLimitIntervalSec=0", "Restart=always"] {
        assert!(unit.out.lines().any(|other| other == line), "{line}");
    }
    let unit = run(podctl().args(["supervise", "--systemd", "--idle", "1m"])).code(0);
    assert!(unit.out.contains("Restart=on-failure\n"), "{}", unit.out);
}

/// What is no pod may have its place in the network: it stays then, and nobody tries again and again to remove it.
#[test]
fn a_network_that_somebody_else_is_in_stays() {
    let _alone = alone();
    let pod = Pod::new("shared");
    up(&pod, SLEEPS, &["--no-supervisor"]).code(0);
    let stranger = format!("{}-stranger", pod.name);
    docker(&[
        "run",
        "-d",
        "--name",
        &stranger,
        "--network",
        "podctl",
        "busybox",
        "sleep",
        "1000",
    ]);
    let down = run(podctl().args(["down", &pod.name]));
    docker(&["rm", "-f", &stranger]);
    assert!(!down.code(0).err.contains("Removed     network"));
}
