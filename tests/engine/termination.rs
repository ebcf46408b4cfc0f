//! What a container leaves to be read of why it ended.

use serde_json::Value;
use shows::shows;

use super::support::attached::Attached;
use super::support::{Pod, eventually, podctl, run};

/// The pod's containers in the status, in their order.
fn containers(pod: &Pod) -> Vec<Value> {
    let out = run(podctl().args(["ps", "-a", "-o", "json"])).code(0).out;
    let list: Value = serde_json::from_str(&out).expect("JSON");
    let items = list["items"].as_array().expect("pods");
    let is_mine = |item: &&Value| item["metadata"]["name"] == pod.name.as_str();
    let mine = items.iter().find(is_mine);
    let statuses = mine.and_then(|mine| mine["status"]["containerStatuses"].as_array());
    statuses.cloned().unwrap_or_default()
}

/// kubelet: NB-RUN-02, NB-RUN-03, NB-RUN-04, NB-RUN-05, NB-RUN-06.
#[shows("Container.terminationMessagePath")]
#[shows("Container.terminationMessagePolicy")]
#[test]
fn a_message_is_the_files_or_the_end_of_the_log_of_one_that_failed() {
    let pod = Pod::new("message");
    pod.up("
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  restartPolicy: Never
  containers:
  - {name: root, image: busybox, imagePullPolicy: IfNotPresent, terminationMessagePath: /dev/termination-log, command: [sh, -c, 'echo -n bye >/dev/termination-log']}
  - {name: other, image: busybox, imagePullPolicy: IfNotPresent, terminationMessagePath: /dev/custom, securityContext: {runAsUser: 1000}, command: [sh, -c, 'echo -n custom >/dev/custom']}
  - {name: failed, image: busybox, imagePullPolicy: IfNotPresent, terminationMessagePolicy: FallbackToLogsOnError, command: [sh, -c, 'echo one; echo two; exit 1']}
  - {name: fine, image: busybox, imagePullPolicy: IfNotPresent, terminationMessagePolicy: FallbackToLogsOnError, command: [sh, -c, 'echo one']}
  - {name: both, image: busybox, imagePullPolicy: IfNotPresent, terminationMessagePolicy: FallbackToLogsOnError, command: [sh, -c, 'echo log; echo -n file >/dev/termination-log; exit 1']}
  - {name: long, image: busybox, imagePullPolicy: IfNotPresent, terminationMessagePolicy: File, command: [sh, -c, 'head -c 9000000 /dev/zero | tr \"\\\\0\" x >/dev/termination-log']}
")
    .code(0);
    eventually("all have ended", || {
        let all = containers(&pod);
        !all.is_empty() && all.iter().all(|c| c["state"]["terminated"].is_object())
    });
    let messages: Vec<Value> = containers(&pod)
        .iter()
        .map(|c| c["state"]["terminated"]["message"].clone())
        .collect();
    let long = "x".repeat(4096);
    let wanted = ["bye", "custom", "one\ntwo\n", "", "file", &long];
    for (message, wanted) in messages.iter().zip(wanted) {
        assert_eq!(message.as_str().unwrap_or_default(), wanted);
    }
}

#[test]
fn each_start_has_a_message_of_its_own() {
    let pod = Pod::new("messages");
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, terminationMessagePolicy: File, volumeMounts: [{name: v, mountPath: /n}], command: [sh, -c, 'wc -c </dev/termination-log >>/n/sizes; echo . >>/n/n; echo -n $(wc -l </n/n) >/dev/termination-log; exit 1']}
  volumes: [{name: v, emptyDir: {}}]
";
    let _attached = Attached::new(&pod, manifest, &["--back-off", "1s"]);
    eventually("the last of three says that it is the third", || {
        let all = containers(&pod);
        let restarts = all.first().and_then(|a| a["restartCount"].as_u64());
        restarts
            .filter(|restarts| *restarts >= 2)
            .is_some_and(|restarts| {
                let message = all[0]["lastState"]["terminated"]["message"].as_str();
                message == Some(&(restarts + 1).to_string())
            })
    });
}
