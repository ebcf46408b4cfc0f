//! `podctl up` of a pod that is not there yet.

use super::support::{Pod, docker, eventually, free_port, get, podctl, run, run_with_input};
use shows::shows;

pub(crate) const TWO: &str = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}
  - {name: b, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}
";

/// kubelet: NBX-NS-01.
#[shows("PodSpec.hostname")]
#[test]
fn containers_share_network_ipc_pids_and_hostname() {
    let pod = Pod::new("share");
    pod.up(TWO).code(0);
    let processes = pod.sh("a", "ps");
    assert!(processes.contains("1 65535    /pause"), "{processes}");
    assert_eq!(processes.matches("sleep 3600").count(), 2, "{processes}");
    for namespace in ["net", "ipc", "pid"] {
        let link = format!("readlink /proc/self/ns/{namespace}");
        assert_eq!(pod.sh("a", &link), pod.sh("b", &link));
    }
    assert_eq!(pod.sh("a", "hostname"), pod.name);
    assert_eq!(pod.sh("a", "cat /etc/hosts"), pod.sh("b", "cat /etc/hosts"));
}

/// kubelet: NBX-NS-01.
#[shows("PodSpec.shareProcessNamespace")]
#[test]
fn without_a_shared_pid_namespace_each_container_is_pid_1() {
    let pod = Pod::new("own-pids");
    pod.up(&TWO.replace("spec:", "spec:\n  shareProcessNamespace: false"))
        .code(0);
    assert_eq!(pod.sh("a", "tr '\\0' ' ' </proc/1/cmdline"), "sleep 3600");
    let network = "readlink /proc/self/ns/net";
    assert_eq!(pod.sh("a", network), pod.sh("b", network));
}

#[test]
fn a_member_that_is_root_cannot_read_the_pauses_files() {
    let pod = Pod::new("unreadable");
    pod.up(TWO).code(0);
    pod.exec("a", &["ls", "/proc/1/root/podctl"]).code(1);
}

#[shows("ObjectMeta.name")]
#[test]
fn the_kubelets_labels_name_the_containers() {
    let pod = Pod::new("labels");
    pod.up(TWO).code(0);
    let filter = format!("label=io.kubernetes.pod.name={}", pod.name);
    let format = "{{.Label \"io.kubernetes.container.name\"}}";
    let names = docker(&["ps", "--filter", &filter, "--format", format]);
    let mut names: Vec<_> = names.lines().collect();
    names.sort_unstable();
    assert_eq!(names, ["POD", "a", "b"]);
}

#[test]
fn a_manifest_may_come_from_standard_input() {
    let pod = Pod::new("stdin");
    let manifest = TWO.replace("POD", &pod.name);
    run_with_input(podctl().args(["up", "-"]), manifest.as_bytes()).code(0);
    assert_eq!(pod.ids("a").len(), 1);
}

#[shows(
    "Container.ports",
    "ContainerPort.containerPort",
    "ContainerPort.hostIP",
    "ContainerPort.hostPort",
    "ContainerPort.name",
    "ContainerPort.protocol"
)]
#[test]
fn ports_are_published_as_the_manifest_and_the_flag_say() {
    let pod = Pod::new("ports");
    let (of_manifest, of_flag) = (free_port(), free_port());
    let manifest = TWO.replace(
        "- {name: b, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}",
        &format!(
            "- name: b\n    image: busybox\n    imagePullPolicy: IfNotPresent\n    \
             command: [sh, -c, 'mkdir /w; echo served >/w/index.html; exec httpd -f -p 8080 -h /w']\n    \
             ports: [{{containerPort: 8080, hostPort: {of_manifest}, hostIP: 127.0.0.1}}]"
        ),
    );
    pod.up_with(&manifest, &["-p", &format!("127.0.0.1:{of_flag}:8080")])
        .code(0);
    for port in [of_manifest, of_flag] {
        eventually("the port answers", || get(port).contains("served"));
    }
    let ports = run(podctl().args(["port", &pod.name])).code(0).out;
    assert!(
        ports.contains(&format!("8080/tcp -> 127.0.0.1:{of_flag}")),
        "{ports}"
    );
}

#[test]
fn a_container_port_alone_is_not_published() {
    let pod = Pod::new("port-only");
    let manifest = TWO.replace(
        "command: [sleep, '3600']}\n  - {name: b",
        "command: [httpd, -f, -p, '8016'], ports: [{containerPort: 8016}]}\n  - {name: b",
    );
    pod.up(&manifest).code(0);
    assert_eq!(run(podctl().args(["port", &pod.name])).code(0).out, "");
    let other = Pod::new("asks");
    other.up(TWO).code(0);
    let ask = format!(
        "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc {} 8016 | head -n 1",
        pod.name
    );
    eventually("the other pod answers by its name", || {
        other.sh("a", &ask).contains("404")
    });
}

#[test]
fn a_server_on_loopback_is_for_the_pod_alone() {
    let pod = Pod::new("loopback");
    let port = free_port();
    let manifest = TWO.replace(
        "command: [sleep, '3600']}\n  - {name: b",
        &format!(
            "command: [sh, -c, 'mkdir /w; echo inside >/w/index.html; exec httpd -f -p 127.0.0.1:8080 -h /w'], \
             ports: [{{containerPort: 8080, hostPort: {port}}}]}}\n  - {{name: b"
        ),
    );
    pod.up(&manifest).code(0);
    let ask = "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc 127.0.0.1 8080";
    eventually("the neighbour answers", || {
        pod.sh("b", ask).contains("inside")
    });
    assert!(!get(port).contains("inside"));
}

/// kubelet: NB-KUBELET-04.
#[shows("PodSpec.hostAliases", "HostAlias.hostnames", "HostAlias.ip")]
#[test]
fn host_aliases_and_the_pods_own_name_are_in_every_hosts_file() {
    let pod = Pod::new("hosts");
    let alias = "spec:\n  hostAliases: [{ip: 10.1.2.3, hostnames: [db.example, cache.example]}]";
    pod.up(&TWO.replace("spec:", alias)).code(0);
    let hosts = pod.sh("a", "cat /etc/hosts");
    assert!(
        hosts.contains("10.1.2.3\tdb.example") && hosts.contains("cache.example"),
        "{hosts}"
    );
    assert!(
        hosts.contains("10.1.2.3\tdb.example cache.example\n"),
        "{hosts}"
    );
    assert_eq!(hosts.matches(&pod.name).count(), 1, "{hosts}");
    assert_eq!(hosts, pod.sh("b", "cat /etc/hosts"));
}

#[shows(
    "PodSpec.securityContext",
    "Container.resources",
    "Container.securityContext",
    "ResourceRequirements.limits",
    "ResourceRequirements.requests",
    "SecurityContext.readOnlyRootFilesystem",
    "SecurityContext.runAsGroup",
    "SecurityContext.runAsUser",
    "PodSecurityContext.runAsGroup",
    "PodSecurityContext.runAsUser"
)]
/// kubelet: NB-KUBELET-05.
#[test]
fn user_limits_and_a_read_only_root_are_honoured() {
    let pod = Pod::new("security");
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 1
  securityContext: {runAsUser: 1000}
  containers:
  - name: a
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sleep, '3600']
    resources: {limits: {memory: 64Mi, cpu: 500m}, requests: {cpu: 250m}}
    securityContext: {readOnlyRootFilesystem: true, runAsGroup: 2000}
    volumeMounts: [{name: tmp, mountPath: /tmp}]
  volumes: [{name: tmp, emptyDir: {}}]
";
    pod.up(manifest).code(0);
    assert_eq!(
        pod.sh("a", "id -u; id -g; touch /tmp/ok && echo written"),
        "1000\n2000\nwritten"
    );
    pod.exec("a", &["touch", "/no"]).code(1);
    pod.exec("a", &["touch", "/etc/no"]).code(1);
    pod.exec("a", &["cat", "/etc/hosts", "/etc/resolv.conf"])
        .code(0);
    let format = "{{.HostConfig.Memory}} {{.HostConfig.CpuQuota}} {{.HostConfig.CpuShares}}";
    assert_eq!(
        docker(&["inspect", "--format", format, &pod.id("a")]),
        "67108864 50000 256"
    );
}

#[shows(
    "SecurityContext.allowPrivilegeEscalation",
    "SecurityContext.capabilities",
    "Capabilities.add",
    "Capabilities.drop"
)]
#[test]
fn capabilities_are_those_of_the_manifest() {
    let pod = Pod::new("capabilities");
    let manifest = TWO.replace(
        "- {name: b, image: busybox,",
        "- {name: b, image: busybox, securityContext: {allowPrivilegeEscalation: false, \
         capabilities: {add: [NET_ADMIN], drop: [CHOWN]}},",
    );
    pod.up(&manifest).code(0);
    let status = |container: &str, field: &str| {
        let line = pod.sh(container, &format!("grep {field} /proc/self/status"));
        line.split_whitespace()
            .nth(1)
            .unwrap_or_default()
            .to_owned()
    };
    let has = |container: &str, number: u32| {
        let all = u64::from_str_radix(&status(container, "CapEff"), 16).expect("a set");
        all >> number & 1 == 1
    };
    // NET_ADMIN, CHOWN.
    assert_eq!([12, 0].map(|n| has("a", n)), [false, true]);
    assert_eq!([12, 0].map(|n| has("b", n)), [true, false]);
    let escalates = ["a", "b"].map(|container| status(container, "NoNewPrivs"));
    assert_eq!(escalates, ["0", "1"]);
}

#[shows("SecurityContext.privileged")]
#[test]
fn a_privileged_container_is_asked_for() {
    let pod = Pod::new("privileged");
    let manifest = TWO.replace(
        "- {name: a, image: busybox,",
        "- {name: a, image: busybox, securityContext: {privileged: true},",
    );
    // An engine that is in a container itself may not be able to start one.
    let _ = pod.up_with(&manifest, &["--keep"]);
    let privileged = ["a", "b"]
        .map(|name| docker(&["inspect", "-f", "{{.HostConfig.Privileged}}", &pod.id(name)]));
    assert_eq!(privileged, ["true", "false"]);
}

/// kubelet: NBX-NAME-01.
#[shows("PodSpec.subdomain")]
#[test]
fn the_subdomain_is_the_hosts_domain() {
    let pod = Pod::new("subdomain");
    pod.up(&TWO.replace("spec:\n", "spec:\n  hostname: one\n  subdomain: front\n"))
        .code(0);
    for container in ["a", "b"] {
        let name = pod.sh(container, "hostname -f");
        assert!(name.starts_with("one.front."), "{name}");
    }
}

#[test]
fn what_ends_with_a_fault_is_reported_and_stays() {
    let pod = Pod::new("ends");
    let manifest = TWO.replace(
        "command: [sleep, '3600']}\n  - {name: b",
        "command: [sh, -c, 'exit 7']}\n  - {name: b",
    );
    let said = pod.up(&manifest).code(0);
    // It may end a moment after the last look.
    eventually("it has ended", || {
        docker(&["inspect", "--format", "{{.State.ExitCode}}", &pod.id("a")]) == "7"
    });
    if said.err.contains("warning") {
        said.says(&[&format!("{}/a has ended with the code 7", pod.name)]);
    }
}

#[test]
fn a_dry_run_makes_nothing() {
    let pod = Pod::new("dry");
    let said = pod.up_with(TWO, &["--dry-run"]).code(0);
    assert!(
        said.out.contains("create a: missing") && said.out.contains("start b"),
        "{}",
        said.out
    );
    pod.assert_nothing_left();
}

#[test]
fn a_dry_run_of_a_new_pause_names_each_step_once() {
    let pod = Pod::new("dry-pause");
    pod.up(TWO).code(0);
    let said = pod.up_with(TWO, &["--dry-run", "-p", "80"]).code(0);
    let lines: Vec<&str> = said.out.lines().collect();
    let count = |words: &str| lines.iter().filter(|line| line.contains(words)).count();
    let counts = ["create pause", "create a", "create b", "start a"].map(count);
    assert_eq!(counts, [1, 1, 1, 1], "{}", said.out);
    assert!(lines.len() < 20, "{}", said.out);
}

#[test]
fn plain_progress_is_short_and_for_any_reader() {
    let pod = Pod::new("plain");
    let said = pod.up_with(TWO, &["--wait"]).code(0);
    assert_eq!(said.out, "");
    assert!(said.err.lines().count() <= 12, "{}", said.err);
    assert!(!said.err.contains(['\r', '\u{1b}']), "{}", said.err);
    let quiet = Pod::new("quiet");
    let said = quiet.up_with(TWO, &["-q"]).code(0);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("", ""));
}

#[test]
fn a_foreign_container_with_the_wanted_name_is_left_alone() {
    let pod = Pod::new("taken");
    let pause =
        super::support::Foreign::run(&format!("{}_POD_0", pod.name), &["busybox", "sleep", "600"]);
    let member =
        super::support::Foreign::run(&format!("{}_a_0", pod.name), &["busybox", "sleep", "600"]);
    pod.up(TWO).code(0);
    assert!(pod.sh("a", "ps").contains("/pause"));
    pod.down().code(0);
    for foreign in [&pause, &member] {
        assert_eq!(
            docker(&["inspect", "--format", "{{.State.Running}}", &foreign.0]),
            "true"
        );
    }
}

#[test]
fn an_image_that_must_be_pid_1_keeps_its_own_namespace_and_is_told() {
    let pod = Pod::new("init");
    let image = format!("{}:1", pod.name);
    let script = "#!/bin/sh\nexec sleep 3600\n";
    let container = docker(&["create", "busybox", "/init"]);
    let init = pod.folder.write("init", script);
    run(std::process::Command::new("chmod").args(["755", &init])).code(0);
    docker(&["cp", &init, &format!("{container}:/init")]);
    docker(&[
        "commit",
        "--change",
        "ENTRYPOINT [\"/init\"]",
        &container,
        &image,
    ]);
    docker(&["rm", &container]);
    let manifest = TWO.replacen(
        "image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']",
        &format!("image: '{image}', imagePullPolicy: IfNotPresent"),
        1,
    );
    pod.up(&manifest)
        .code(0)
        .says(&["/a keeps its own PID namespace"]);
    assert_eq!(pod.sh("a", "tr '\\0' ' ' </proc/1/cmdline"), "sleep 3600");
    assert!(
        pod.sh("b", "tr '\\0' ' ' </proc/1/cmdline")
            .contains("/pause")
    );
    pod.down().code(0);
    docker(&["rmi", "-f", &image]);
}
