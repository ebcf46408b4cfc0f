//! What a container is given, by the manifest.

use super::support::{Pod, podctl, run};

fn pod_with(fields: &str) -> String {
    format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: POD}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: a
    image: busybox
    imagePullPolicy: IfNotPresent
{fields}"
    )
}

#[test]
fn variables_see_what_stands_before_them() {
    let pod = Pod::new("env");
    let fields = r#"    command: [sh, -c, "echo $(URL); exec sleep 3600"]
    env:
    - {name: EARLY, value: $(PORT)}
    - {name: MODE, value: early}
    - {name: PORT, value: "5432"}
    - {name: URL, value: "port=$(PORT)"}
    - {name: LITERAL, value: "$$(PORT)"}
    - {name: FROM_IMAGE, value: $(PATH)}
    - {name: MODE, value: late}
    - {name: SEEN, value: $(MODE)}
"#;
    pod.up(&pod_with(fields))
        .code(0)
        .says(&["env[6]", "hides an earlier `MODE`"]);
    let said = pod.sh(
        "a",
        r#"echo "$URL|$EARLY|$LITERAL|$FROM_IMAGE|$MODE $SEEN""#,
    );
    assert_eq!(said, "port=5432|$(PORT)|$(PORT)|$(PATH)|late late");
    assert_eq!(run(podctl().args(["logs", &pod.name])).out, "port=5432\n");
}

#[test]
fn command_and_arguments_replace_the_images_own() {
    for (fields, expected) in [
        (
            "    command: [sh, -c, 'echo $0 $*; sleep 3600', x]\n    args: [y z]\n",
            "x y z",
        ),
        (
            "    args: [sh, -c, 'echo only args; sleep 3600']\n",
            "only args",
        ),
        (
            "    command: [sh, -c, 'pwd; sleep 3600']\n    workingDir: /etc\n",
            "/etc",
        ),
    ] {
        let pod = Pod::new("command");
        pod.up(&pod_with(fields)).code(0);
        super::support::eventually(expected, || {
            run(podctl().args(["logs", &pod.name])).out == format!("{expected}\n")
        });
    }
}

#[test]
fn a_terminal_and_an_open_input_are_given() {
    let pod = Pod::new("tty");
    pod.up(&pod_with(
        "    command: [sh]\n    tty: true\n    stdin: true\n",
    ))
    .code(0);
    assert_eq!(
        pod.sh(
            "a",
            "readlink /proc/1/fd/0 >/dev/null 2>&1; ps | grep -c '[s]h$'"
        ),
        "1"
    );
    let id = pod.id("a");
    let format = "{{.Config.Tty}} {{.Config.OpenStdin}} {{.State.Running}}";
    assert_eq!(
        super::support::docker(&["inspect", "--format", format, &id]),
        "true true true"
    );
}
