//! Volumes, seen from inside.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::support::{Folder, Pod, docker, podctl, run};
use shows::shows;

fn pod_with(extra: &str, mounts: &str, volumes: &str) -> String {
    format!(
        "{extra}
apiVersion: v1
kind: Pod
metadata: {{name: POD}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {{name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600'], volumeMounts: {mounts}}}
  - {{name: b, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600'], volumeMounts: {mounts}}}
  volumes: {volumes}
"
    )
}

#[shows(
    "PodSpec.volumes",
    "Container.volumeMounts",
    "VolumeMount.mountPath",
    "VolumeMount.name",
    "Volume.emptyDir",
    "Volume.name",
    "EmptyDirVolumeSource.medium",
    "EmptyDirVolumeSource.sizeLimit"
)]
#[test]
fn an_empty_dir_is_shared_and_writable_for_all() {
    let pod = Pod::new("empty");
    let manifest = pod_with(
        "",
        "[{name: d, mountPath: /d}, {name: m, mountPath: /m}]",
        "[{name: d, emptyDir: {}}, {name: m, emptyDir: {medium: Memory, sizeLimit: 4Mi}}]",
    )
    .replace("spec:\n", "spec:\n  securityContext: {runAsUser: 1000}\n");
    pod.up(&manifest).code(0);
    assert_eq!(
        pod.sh("a", "stat -c %a /d /m; echo disk >/d/f; echo memory >/m/f"),
        "777\n777"
    );
    assert_eq!(pod.sh("b", "cat /d/f /m/f"), "disk\nmemory");
    assert!(pod.sh("a", "mount | grep ' /m '").contains("tmpfs"));
    pod.exec(
        "a",
        &["dd", "if=/dev/zero", "of=/m/big", "bs=1M", "count=8"],
    )
    .code(1);
}

const FILES: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: files}
binaryData: {store: AP/+Cg2Af0EA}
data: {key: k, run.sh: \"#!/bin/sh\\n\", note: \"text\\n\"}
---";

#[shows(
    "ConfigMap.apiVersion",
    "ConfigMap.binaryData",
    "ConfigMap.data",
    "ConfigMap.kind",
    "ConfigMap.metadata",
    "VolumeMount.subPath",
    "Volume.configMap",
    "ConfigMapVolumeSource.defaultMode",
    "ConfigMapVolumeSource.items",
    "ConfigMapVolumeSource.name",
    "ConfigMapVolumeSource.optional",
    "KeyToPath.key",
    "KeyToPath.mode",
    "KeyToPath.path"
)]
#[test]
fn a_config_map_has_its_bytes_items_and_modes() {
    let pod = Pod::new("items");
    let volumes = "[{name: all, configMap: {name: files}}, {name: some, configMap: {name: files, defaultMode: 0400, items: [{key: key, path: sub/key}, {key: run.sh, path: run.sh, mode: 0755}]}}]";
    let mounts = "[{name: all, mountPath: /all}, {name: some, mountPath: /some}, {name: all, mountPath: /one/note, subPath: note}]";
    pod.up(&pod_with(FILES, mounts, volumes)).code(0);
    assert_eq!(
        pod.sh("a", "od -An -tx1 /all/store"),
        " 00 ff fe 0a 0d 80 7f 41 00".trim_end()
    );
    assert_eq!(
        pod.sh(
            "a",
            "stat -L -c '%a %n' /some/sub/key /some/run.sh /all/key"
        ),
        "400 /some/sub/key\n755 /some/run.sh\n644 /all/key"
    );
    assert_eq!(pod.sh("a", "cat /one/note"), "text");
    pod.exec("a", &["touch", "/all/new"]).code(1);
    pod.exec("a", &["sh", "-c", "echo x >/one/note"]).code(1);
}

const SECRET: &str = "apiVersion: v1
kind: Secret
metadata: {name: files}
data: {store: AP/+Cg2Af0EA, key: b2xk}
stringData: {key: hidden-value, run.sh: \"#!/bin/sh\\n\"}
---";

/// kubelet: NB-SECVOL-01, NB-SECVOL-02, NB-SECVOL-04, NB-SECVOL-05, NB-SECVOL-07, NB-SECVOL-08.
#[shows(
    "Secret.apiVersion",
    "Secret.data",
    "Secret.kind",
    "Secret.metadata",
    "Secret.stringData",
    "Volume.secret",
    "SecretVolumeSource.defaultMode",
    "SecretVolumeSource.items",
    "SecretVolumeSource.optional",
    "SecretVolumeSource.secretName"
)]
#[test]
fn a_secret_has_its_bytes_items_and_modes() {
    let pod = Pod::new("secret");
    let volumes = "[{name: all, secret: {secretName: files}}, {name: some, secret: {secretName: files, defaultMode: 0400, items: [{key: key, path: sub/key}, {key: run.sh, path: run.sh, mode: 0755}]}}, {name: none, secret: {secretName: none, optional: true}}]";
    let mounts = "[{name: all, mountPath: /all}, {name: some, mountPath: /some}, {name: none, mountPath: /none}, {name: all, mountPath: /one/key, subPath: key}]";
    let manifest = pod_with(SECRET, mounts, volumes);
    pod.up(&manifest).code(0);
    assert_eq!(
        pod.sh("a", "od -An -tx1 /all/store"),
        " 00 ff fe 0a 0d 80 7f 41 00".trim_end()
    );
    assert_eq!(
        pod.sh(
            "a",
            "stat -L -c '%a %n' /some/sub/key /some/run.sh /all/key; ls /none"
        ),
        "400 /some/sub/key\n755 /some/run.sh\n644 /all/key"
    );
    assert_eq!(
        pod.sh("a", "cat /all/key; echo; cat /one/key"),
        "hidden-value\nhidden-value"
    );
    pod.exec("a", &["touch", "/all/new"]).code(1);
    // The same again, without the Secret's file: it is there.
    let (_, alone) = manifest.split_once("---").expect("two documents");
    pod.up(alone).code(0).says(&["unchanged"]);
    pod.up(&manifest.replace("hidden-value", "other-value"))
        .code(0);
    assert_eq!(
        pod.sh("a", "cat /all/key; echo; cat /one/key"),
        "other-value\nhidden-value",
        "kubelet: what is mounted by subPath stays as it is"
    );
}

/// kubelet: NB-SECVOL-06.
#[test]
fn a_secret_is_that_of_the_pods_namespace() {
    let pod = Pod::new("elsewhere");
    let other = SECRET
        .replace("{name: files}", "{name: files, namespace: elsewhere}")
        .replace("hidden-value", "wrong-value");
    let manifest = pod_with(
        &format!("{other}\n{SECRET}"),
        "[{name: s, mountPath: /s}]",
        "[{name: s, secret: {secretName: files}}]",
    );
    pod.up(&manifest).code(0);
    assert_eq!(pod.sh("a", "cat /s/key"), "hidden-value");
}

#[test]
fn a_secrets_value_stands_nowhere_but_in_its_volume() {
    let pod = Pod::new("hidden");
    let manifest = pod_with(
        SECRET,
        "[{name: s, mountPath: /s}, {name: s, mountPath: /one/key, subPath: key}]",
        "[{name: s, secret: {secretName: files}}]",
    );
    let file = pod.file(&manifest);
    let plan = run(podctl().args(["up", "--dry-run", &file]));
    let up = run(podctl().args(["-v", "up", "--timings", &file])).code(0);
    let label = format!("label=podctl.io/pod={}", pod.name);
    let containers = docker(&["ps", "-aq", "--filter", &label]);
    let volumes = docker(&["volume", "ls", "-q", "--filter", &label]);
    let inspect = |kind: &str, names: &str| {
        let names: Vec<&str> = names.split_whitespace().collect();
        assert!(!names.is_empty());
        docker(&[&[kind, "inspect"], &names[..]].concat())
    };
    let shown = [
        format!("{}{}", plan.out, plan.err),
        format!("{}{}", up.out, up.err),
        inspect("container", &containers),
        inspect("volume", &volumes),
        run(podctl().args(["get", "pod", &pod.name, "-o", "yaml"])).out,
        run(podctl().args(["describe", "pod", &pod.name])).out,
        run(podctl().args(["events", &pod.name])).out,
    ];
    let value = "hidden-value";
    for word in [value, &BASE64.encode(value)] {
        for shown in &shown {
            assert!(!shown.contains(word), "{shown}");
        }
    }
    assert_eq!(pod.sh("a", "cat /s/key"), value);
}

#[test]
fn line_ends_of_windows_make_no_broken_script() {
    let pod = Pod::new("crlf");
    let extra = "apiVersion: v1
kind: ConfigMap
metadata: {name: scripts}
data:
  start.sh: |
    #!/bin/sh
    echo ran
    exec sleep 3600
---";
    let manifest = pod_with(
        extra,
        "[{name: s, mountPath: /s}]",
        "[{name: s, configMap: {name: scripts, defaultMode: 0755}}]",
    )
    .replacen("command: [sleep, '3600']", "command: [/s/start.sh]", 1);
    pod.up(&manifest.replace('\n', "\r\n")).code(0);
    super::support::eventually("it ran", || {
        run(podctl().args(["logs", &pod.name, "-c", "a"])).out == "ran\n"
    });
}

#[test]
fn a_config_map_of_nearly_a_megabyte_works_like_a_small_one() {
    let pod = Pod::new("big");
    let blob: String = "0123456789abcdef\n    ".repeat(52_000);
    let extra = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: big}}\ndata:\n  blob: |\n    {}\n---",
        blob.trim_end()
    );
    pod.up(&pod_with(
        &extra,
        "[{name: c, mountPath: /c}]",
        "[{name: c, configMap: {name: big}}]",
    ))
    .code(0);
    assert_eq!(pod.sh("a", "wc -c </c/blob"), (17 * 52_000).to_string());
    let list = run(podctl().args(["ps", "-o", "json"])).code(0).out;
    assert!(list.len() < 200_000, "{}", list.len());
}

#[shows("Volume.hostPath")]
#[test]
fn a_host_path_is_the_machines_and_is_made_where_it_may() {
    let (pod, folder) = (Pod::new("host"), Folder::new());
    let path = folder.0.join("a/b");
    let volumes = format!(
        "[{{name: h, hostPath: {{path: {}, type: DirectoryOrCreate}}}}]",
        path.display()
    );
    pod.up(&pod_with("", "[{name: h, mountPath: /h}]", &volumes))
        .code(0);
    pod.sh("a", "echo x >/h/f");
    pod.down().code(0);
    assert_eq!(
        std::fs::read_to_string(path.join("f")).ok().as_deref(),
        Some("x\n")
    );
}

#[shows("HostPathVolumeSource.path", "HostPathVolumeSource.type")]
#[test]
fn a_host_path_is_of_the_kind_that_its_type_says() {
    let folder = Folder::new();
    let file = folder.write("file", "x");
    let directory = folder.0.display().to_string();
    let null = "/dev/null".to_owned();
    let cases = [
        (&directory, "Directory", None),
        (&file, "Directory", Some("is not a directory")),
        (&file, "DirectoryOrCreate", Some("is not a directory")),
        (&file, "File", None),
        (&directory, "File", Some("is not a file")),
        (&null, "CharDevice", None),
        (&null, "File", Some("is not a file")),
        (&null, "BlockDevice", Some("is not a block device")),
        (&file, "Socket", Some("is not a socket")),
    ];
    for (path, kind, refused) in cases {
        let pod = Pod::new("kind");
        let volumes = format!("[{{name: h, hostPath: {{path: {path}, type: {kind}}}}}]");
        let said = pod.up(&pod_with("", "[{name: h, mountPath: /h}]", &volumes));
        match refused {
            None => drop(said.code(0)),
            Some(reason) => {
                said.code(1)
                    .says(&["container `a`", "hostPath type check failed", path, reason]);
                pod.assert_nothing_left();
            }
        }
    }
}

#[shows("VolumeMount.readOnly")]
#[test]
fn a_read_only_mount_is_one() {
    let pod = Pod::new("read-only");
    pod.up(&pod_with(
        "",
        "[{name: d, mountPath: /d, readOnly: true}]",
        "[{name: d, emptyDir: {}}]",
    ))
    .code(0);
    pod.exec("a", &["touch", "/d/f"]).code(1);
}
