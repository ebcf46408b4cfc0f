//! The binary without an engine: what it says of manifests, how it is used, how it ends.

#[path = "../support/mod.rs"]
mod support;

use support::{Folder, Said, examples, podctl, run};

/// No engine can be asked.
fn validate(name: &str, manifest: &str) -> Said {
    let folder = Folder::new();
    folder.write(name, manifest);
    run(podctl()
        .current_dir(&folder.0)
        .env("DOCKER_HOST", "unix:///nonexistent.sock")
        .args(["validate", name]))
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\nspec:\n  containers:\n  - name: a\n    image: busybox\n";

/// The places that must be named, `line:column`, and words that must be said.
fn check(manifest: &str, places: &[&str], words: &[&str]) {
    let said = validate("pod.yaml", manifest).code(2);
    for place in places {
        assert!(
            said.err.contains(&format!("pod.yaml:{place}")),
            "no {place} in: {}",
            said.err
        );
    }
    said.says(words);
}

#[test]
fn every_fault_is_named_at_its_place() {
    let with = |lines: &str| format!("{POD}{lines}");
    check(
        &with("    imagePullPolcy: Always\n"),
        &["9:5"],
        &["did you mean `imagePullPolicy`?"],
    );
    check(
        &with("    ports:\n    - containerPort: eighty\n      hostPort: 70000\n"),
        &["10:22", "11:17"],
        &["must be between 1 and 65535"],
    );
    check(
        &with("    volumeMounts:\n    - name: nowhere\n      mountPath: /x\n"),
        &["10:13"],
        &["not found: \"nowhere\" is not in spec.volumes"],
    );
    check(
        &with("  - name: a\n    image: busybox\n"),
        &["9:11"],
        &["duplicate value \"a\""],
    );
    check(
        &with("    env:\n    - name: N\n      value: yes\n"),
        &["11:14"],
        &["put it in quotes"],
    );
    check(&with("    image: again\n"), &["9:5"], &["stands twice"]);
    check(
        &with("  restartPolicy: Sometimes\n  hostNetwork: \"true\"\n"),
        &["9:18", "10:16"],
        &["Always, OnFailure, Never", "leave the quotes away"],
    );
    check(&with("\tcommand: [x]\n"), &["9:1"], &["a tab"]);
    check(
        &with("---\nkind: Podd\napiVersion: v1\n"),
        &["10:7"],
        &["did you mean `Pod`?"],
    );
    check(
        &with("---\nkind: Deployment\napiVersion: apps/v1beta1\n"),
        &["11:13"],
        &[
            "there is no kind Deployment in \"apps/v1beta1\"",
            "`apps/v1`",
        ],
    );
    check(
        &with("    volumeDevices: [{name: m, devicePath: /m}]\n"),
        &["9:5"],
        &["volumeDevices", "not supported yet"],
    );
    check(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: Not_A_Name\nspec:\n  containers: []\n",
        &["4:9", "6:15"],
        &["lower case", "at least one container"],
    );
}

#[test]
fn values_are_read_as_a_cluster_reads_them() {
    let labels = POD.replace("  name: x\n", "  name: x\n  labels: {country: no}\n");
    check(
        &labels,
        &["5:21"],
        &[
            "metadata.labels: `country`: wrong type",
            "the truth value false",
        ],
    );
    let limits = format!("{POD}    resources: {{limits: {{memory: 128m}}}}\n");
    check(
        &limits,
        &["9:34"],
        &["less than one byte", "did you mean 128Mi?"],
    );
    let env =
        format!("{POD}    env: [{{name: PORT, value: 5432}}, {{name: VERBOSE, value: true}}]\n");
    check(
        &env,
        &["9:31", "9:61"],
        &["the number 5432", "the truth value true"],
    );
    let relative = format!("{POD}  volumes: [{{name: www, hostPath: {{path: ./html}}}}]\n");
    check(&relative, &["9:42"], &["absolute", "/html"]);
    let missing = format!("{POD}  volumes: [{{name: c, configMap: {{name: nope}}}}]\n");
    // On a cluster it may be there.
    validate("pod.yaml", &missing).code(0).says(&[
        "warning",
        "9:41",
        "no ConfigMap \"nope\" in the files given",
    ]);
}

#[test]
fn what_is_too_large_or_too_deep_is_refused_in_a_moment() {
    let blob = "x".repeat(1_048_577);
    let big = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: big}}\ndata: {{blob: {blob}}}\n"
    );
    check(&big, &["4:"], &["1048577", "1048576"]);
    check(&"[".repeat(100_000), &["1:"], &[]);
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..20 {
        let of = format!("*a{}, ", i - 1).repeat(10);
        bomb.push_str(&format!("a{i}: &a{i} [{of}]\n"));
    }
    check(&bomb, &[], &["aliases repeat more"]);
    let said = validate("pod.yaml", "apiVersion: v1\nkind: \"\\e[31mPod\"\n").code(2);
    assert!(!said.err.contains('\u{1b}'), "{}", said.err);
}

#[test]
fn what_a_cluster_takes_is_taken() {
    for manifest in [
        POD.to_owned(),
        POD.replace('\n', "\r\n"),
        format!("\u{feff}{POD}"),
        format!("{POD}  restartPolicy: \"\"\n  nodeSelector: {{a: b}}\n  dnsPolicy: ClusterFirst\n  tolerations: [{{operator: Exists}}]\n"),
        format!("{POD}    resources: {{}}\n    securityContext: {{}}\n    terminationMessagePath: /dev/termination-log\nstatus: {{}}\n"),
        r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [{"name": "a", "image": "b"}]}}"#.to_owned(),
        format!("apiVersion: v1\nkind: List\nitems:\n- {}", POD.trim_end().replace('\n', "\n  ")),
        format!("{POD}    env: &env\n    - {{name: A, value: x}}\n  - <<: {{image: busybox}}\n    name: b\n    env: *env\n"),
    ] {
        let said = validate("pod.yaml", &manifest);
        assert_eq!(said.code, 0, "{manifest}\n{}", said.err);
    }
    let exported = POD.replace(
        "  name: x\n",
        "  name: x\n  uid: \"0\"\n  resourceVersion: \"1\"\n",
    );
    validate("pod.yaml", &exported)
        .code(0)
        .says(&["metadata.uid, metadata.resourceVersion"]);
}

#[test]
fn a_folder_means_the_manifests_in_it() {
    let (folder, outside) = (Folder::new(), Folder::new());
    let pod = |name: &str| POD.replace("name: x", &format!("name: {name}"));
    folder.write("b.yaml", pod("b"));
    folder.write("a.json", serde_free_json("a"));
    folder.write("notes.txt", "no manifest");
    std::fs::create_dir(folder.0.join("more")).expect("a folder");
    folder.write("more/c.yml", pod("c"));
    let away = outside.write("d.yaml", pod("d"));
    std::os::unix::fs::symlink(away, folder.0.join("d.yaml")).expect("a link");
    std::os::unix::fs::symlink(&folder.0, folder.0.join("more/round.yaml")).expect("a link");
    let path = folder.0.display().to_string();
    let said = run(podctl().args(["validate", &path])).code(0);
    assert_eq!(said.err, "pod a is valid\npod b is valid\n");
    let said = run(podctl().args(["validate", "-R", "-f", &path])).code(0);
    assert_eq!(said.err, "pod a is valid\npod b is valid\npod c is valid\n");
    let empty = Folder::new();
    run(podctl().args(["validate", &empty.0.display().to_string()]))
        .code(2)
        .says(&["no file in it"]);
}

fn serde_free_json(name: &str) -> String {
    format!(
        r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "{name}"}}, "spec": {{"containers": [{{"name": "a", "image": "b"}}]}}}}"#
    )
}

#[test]
fn an_address_is_read_over_http() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = std::thread::spawn(move || {
        for answer in ["200 OK", "404 Not Found"] {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut request = [0; 1024];
            let _ = stream.read(&mut request);
            let length = POD.len();
            let head = format!(
                "HTTP/1.1 {answer}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.write_all(format!("{head}{POD}").as_bytes());
        }
    });
    let address = format!("http://{address}/pod.yaml");
    let said = run(podctl().args(["validate", &address])).code(0);
    assert_eq!(said.err, "pod x is valid\n");
    run(podctl().args(["validate", &address]))
        .code(2)
        .says(&[&address, "404"]);
    server.join().expect("the server");
    run(podctl().args(["validate", "ftp://127.0.0.1/pod.yaml"])).code(2);
}

#[test]
fn text_may_be_utf_16() {
    let folder = Folder::new();
    let units = std::iter::once(0xfeff).chain(POD.encode_utf16());
    let path = folder.write(
        "pod.yaml",
        units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
    );
    run(podctl().args(["validate", &path])).code(0);
}

#[test]
fn faults_are_printed_for_editors_programs_and_workflows() {
    let folder = Folder::new();
    folder.write("pod.yaml", format!("{POD}    imagePullPolcy: Always\n"));
    let as_format = |format: &str| {
        let mut command = podctl();
        command.current_dir(&folder.0);
        run(command.args(["validate", "-o", format, "pod.yaml"]))
            .code(2)
            .out
    };
    let fault =
        "spec.containers[0].imagePullPolcy: unknown field (did you mean `imagePullPolicy`?)";
    assert_eq!(
        as_format("short"),
        format!("pod.yaml:9:5: error: {fault}\n")
    );
    assert_eq!(
        as_format("github"),
        format!("::error file=pod.yaml,line=9,col=5::{fault}\n")
    );
    insta::assert_snapshot!(as_format("json"));
}

#[test]
fn kinds_are_read_passed_over_or_refused() {
    let with = |object: &str| format!("{POD}---\n{object}\n");
    validate(
        "pod.yaml",
        &with("{apiVersion: v1, kind: Namespace, metadata: {name: n}}"),
    )
    .code(0)
    .says(&["warning", "a Namespace has no meaning on one machine"]);
    validate(
        "pod.yaml",
        &with("{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: b}}"),
    )
    .code(0)
    .says(&["secret s is valid"]);
    let policy =
        with("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: n}}");
    let folder = Folder::new();
    let path = folder.write("pod.yaml", policy);
    let up = |args: &[&str]| {
        let mut command = podctl();
        command.env("DOCKER_HOST", "unix:///nonexistent.sock");
        run(command.args(["up", &path]).args(args))
    };
    up(&[]).code(2).says(&["--allow-ignored NetworkPolicy"]);
    // It is taken then, and there is no engine.
    up(&["--allow-ignored", "NetworkPolicy"]).code(3);
}

#[test]
fn fields_without_effect_are_named_where_that_is_asked_for() {
    let folder = Folder::new();
    let path = folder.write("pod.yaml", format!("{POD}  nodeSelector: {{a: b}}\n"));
    let said = run(podctl().args(["validate", "-v", &path])).code(0);
    assert_eq!(
        said.err,
        "pod x is valid\n  spec.nodeSelector has no effect on one machine\n"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_usage() {
    run(podctl().args(["validate", "/nonexistent.yaml"]))
        .code(2)
        .says(&["/nonexistent.yaml"]);
    run(podctl().arg("validate"))
        .code(2)
        .says(&["no manifest is given"]);
    let folder = Folder::new();
    let path = folder.write("bad.yaml", [b'a', 0xc3, b'(']);
    run(podctl().args(["validate", &path]))
        .code(2)
        .says(&["not UTF-8"]);
    validate("empty.yaml", "# nothing\n")
        .code(2)
        .says(&["no object"]);
}

#[test]
fn a_good_file_and_no_engine_have_a_code_of_their_own() {
    let folder = Folder::new();
    let path = folder.write("pod.yaml", POD);
    let said = run(podctl()
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        .args(["up", &path]));
    said.code(3).says(&["unix:///nonexistent/docker.sock"]);
    let bad = folder.write("bad.yaml", POD.replace("image", "imag"));
    run(podctl()
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        .args(["up", &bad]))
    .code(2);
}

#[test]
fn a_bad_template_is_told_before_the_engine_is_asked() {
    let folder = Folder::new();
    let file = folder.write("names.txt", "{range .items[*]}{.metadata.name}");
    let get = |words: &[&str]| {
        run(podctl()
            .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
            .args(words))
    };
    get(&["get", "pods", "-o", "jsonpath={.items[x]}"])
        .code(2)
        .says(&["at character 9", "`x` is no index"]);
    get(&["ps", "-o", &format!("jsonpath-file={file}")])
        .code(2)
        .says(&["names.txt", "at character 1", "has no {end}"]);
    get(&["get", "pod", "web", "-o", "jsonpath-file=/nonexistent"])
        .code(2)
        .says(&["/nonexistent"]);
    get(&["wait", "web", "--for", "jsonpath={.status.phase}="])
        .code(2)
        .says(&["a value must follow"]);
    for format in ["custom-columns=NAME:.metadata.name", "go-template={{.}}"] {
        get(&["get", "pods", "-o", format]).code(2);
    }
    get(&["get", "web"]).code(2).says(&["`pod/web`"]);
    get(&["get", "pods", "web", "-A"]).code(2).says(&["-A"]);
    get(&["get", "pods", "-o", "jsonpath={.items}"]).code(3);
}

#[test]
fn every_example_is_valid() {
    for path in examples() {
        let path = path.display().to_string();
        let said = run(podctl().args(["validate", &path]));
        assert_eq!(said.code, 0, "{path}: {}", said.err);
    }
}

#[test]
fn a_report_reads_well() {
    let manifest =
        format!("{POD}    imagePullPolcy: Always\n    env: [{{name: PORT, value: 5432}}]\n");
    insta::assert_snapshot!(validate("pod.yaml", &manifest).err);
}

#[test]
fn a_field_is_explained() {
    let said = run(podctl().args(["explain", "pod.spec.containers.livenessProbe.httpGet"])).code(0);
    insta::assert_snapshot!(said.out);
    run(podctl().args(["explain", "pod.spec.contaners"]))
        .code(2)
        .says(&["did you mean `containers`?"]);
}

#[test]
fn the_help_of_every_verb() {
    let mut text = run(podctl().arg("--help")).code(0).out;
    for verb in [
        "up",
        "run",
        "restart",
        "stop",
        "start",
        "down",
        "supervise",
        "ps",
        "get",
        "describe",
        "events",
        "wait",
        "logs",
        "exec",
        "port",
        "validate",
        "explain",
        "version",
        "completion",
    ] {
        text.push_str(&format!(
            "\n--- {verb}\n{}",
            run(podctl().args([verb, "--help"])).code(0).out
        ));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_run_that_cannot_tell_its_end_does_not_begin() {
    let folder = Folder::new();
    let pod = POD.replace(
        "  containers:",
        "  restartPolicy: Never\n  initContainers:\n  - {name: i, image: busybox}\n  - {name: s, image: busybox, restartPolicy: Always}\n  containers:",
    );
    folder.write("pod.yaml", pod);
    let refused = |args: &[&str]| {
        run(podctl()
            .current_dir(&folder.0)
            .args(["-H", "unix:///nonexistent.sock", "run", "pod.yaml"])
            .args(args))
    };
    refused(&["--exit-code-from", "s"])
        .code(2)
        .says(&["`s` of pod `x` is a sidecar"]);
    refused(&["--exit-code-from", "i"])
        .code(2)
        .says(&["is an init container"]);
    refused(&["--exit-code-from", "x"])
        .code(2)
        .says(&["has no container `x`"]);
    refused(&["--junit", "nowhere/x.xml"])
        .code(2)
        .says(&["nowhere/x.xml: there is no such folder"]);
    refused(&["--junit", "x.xml"]).code(3);
}
