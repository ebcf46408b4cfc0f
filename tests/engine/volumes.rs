//! Volumes, seen from inside.

use super::support::{Folder, Pod, podctl, run};
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
