//! What a container is given, by the manifest.

use super::support::{Pod, podctl, run};
use shows::shows;

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

/// kubelet: NB-EXP-01.
#[shows("Container.env", "EnvVar.name", "EnvVar.value")]
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

const MAP_AND_SECRET: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {mode: fast, log.level: $(mode)}
binaryData: {raw: dGV4dA==}
---
apiVersion: v1
kind: Secret
metadata: {name: login}
data: {password: aHVudGVyMg==}
stringData: {user: ghost}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
data: {der: AP/+Cg==, pem: aHVudGVyMg==}
---
";

/// kubelet: NB-ENV-01, NB-ENV-02, NB-SECENV-01, NB-SECENV-02.
#[shows(
    "Container.envFrom",
    "EnvVar.valueFrom",
    "EnvVarSource.configMapKeyRef",
    "EnvVarSource.secretKeyRef",
    "ConfigMapKeySelector.key",
    "ConfigMapKeySelector.name",
    "ConfigMapKeySelector.optional",
    "SecretKeySelector.key",
    "SecretKeySelector.name",
    "SecretKeySelector.optional",
    "EnvFromSource.configMapRef",
    "EnvFromSource.prefix",
    "EnvFromSource.secretRef",
    "ConfigMapEnvSource.name",
    "ConfigMapEnvSource.optional",
    "SecretEnvSource.name",
    "SecretEnvSource.optional"
)]
#[test]
fn variables_come_from_config_maps_and_secrets() {
    let pod = Pod::new("env-from");
    let fields = r#"    command: [sh, -c, "echo $(URL); exec sleep 3600"]
    envFrom:
    - configMapRef: {name: settings}
    - {prefix: p_, configMapRef: {name: settings}}
    - {prefix: s_, secretRef: {name: login}}
    - secretRef: {name: none, optional: true}
    - configMapRef: {name: none, optional: true}
    env:
    - {name: USER, valueFrom: {secretKeyRef: {name: login, key: user}}}
    - {name: PASSWORD, valueFrom: {secretKeyRef: {name: login, key: password}}}
    - {name: MODE, valueFrom: {configMapKeyRef: {name: settings, key: mode}}}
    - {name: NO_KEY, valueFrom: {configMapKeyRef: {name: settings, key: none, optional: true}}}
    - {name: NO_SECRET, valueFrom: {secretKeyRef: {name: none, key: none, optional: true}}}
    - {name: URL, value: "$(USER):$(s_password)@$(mode)"}
    - {name: p_mode, value: hidden}
"#;
    let manifest = format!("{MAP_AND_SECRET}{}", pod_with(fields));
    pod.up(&manifest).code(0);
    let said = pod.exec("a", &["env"]).code(0);
    let of_engine = ["PATH=", "HOME=", "HOSTNAME="];
    let mut variables: Vec<&str> = said.out.lines().collect();
    variables.retain(|line| !of_engine.iter().any(|name| line.starts_with(name)));
    variables.sort_unstable();
    assert_eq!(
        variables,
        [
            "MODE=fast",
            "PASSWORD=hunter2",
            "URL=ghost:hunter2@fast",
            "USER=ghost",
            "log.level=$(mode)",
            "mode=fast",
            "p_log.level=$(mode)",
            "p_mode=hidden",
            "s_password=hunter2",
            "s_user=ghost",
        ]
    );
    assert_eq!(
        run(podctl().args(["logs", &pod.name])).out,
        "ghost:hunter2@fast\n"
    );
    // kubelet: what runs keeps what it has; what is started anew has what there is now.
    let id = pod.id("a");
    pod.up(&manifest.replace("ghost", "admin"))
        .code(0)
        .says(&["keeps the variables that it was started with"]);
    assert_eq!(pod.id("a"), id);
    run(podctl().args(["restart", &pod.name, "-c", "a"])).code(0);
    assert_eq!(pod.sh("a", "echo $USER"), "admin");
    // Without their files: they are there.
    pod.up(&pod_with(fields)).code(0).says(&["unchanged"]);
}

#[test]
fn what_makes_no_variable_is_told() {
    let pod = Pod::new("env-none");
    let fields = "    command: [sleep, '3600']
    env:
    - {name: A, valueFrom: {configMapKeyRef: {name: settings, key: raw}}}
    - {name: B, valueFrom: {secretKeyRef: {name: login, key: usr}}}
    - {name: C, valueFrom: {secretKeyRef: {name: logins, key: user}}}
    - {name: D, valueFrom: {secretKeyRef: {name: key, key: der}}}
    envFrom:
    - secretRef: {name: key}
";
    pod.up(&format!("{MAP_AND_SECRET}{}", pod_with(fields)))
        .code(2)
        .says(&[
            "valueFrom.configMapKeyRef.key: not found: \"raw\" is in the `binaryData`",
            "env[3].valueFrom.secretKeyRef.key: invalid value: \"der\" of the Secret \"key\" is no text",
            "envFrom[0].secretRef.name: invalid value: \"der\"",
            "did you mean `user`?",
            "did you mean `login`?",
        ]);
    pod.assert_nothing_left();
}

/// kubelet: NB-CMD-01, NB-CMD-02, NB-CMD-03, NB-CMD-04, NB-EXP-02, NB-EXP-03.
#[shows("Container.args", "Container.command", "Container.workingDir")]
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
            "    env: [{name: WORD, value: put in}]\n    command: [sh, -c, 'echo $0 $1; sleep 3600', $(WORD)]\n    args: [and $(WORD)]\n",
            "put in and put in",
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

#[shows("Container.stdin", "Container.stdinOnce", "Container.tty")]
#[test]
fn a_terminal_and_an_open_input_are_given() {
    let pod = Pod::new("tty");
    pod.up(&pod_with(
        "    command: [sh]\n    tty: true\n    stdin: true\n    stdinOnce: true\n",
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
    let format = "{{.Config.Tty}} {{.Config.OpenStdin}} {{.Config.StdinOnce}} {{.State.Running}}";
    assert_eq!(
        super::support::docker(&["inspect", "--format", format, &id]),
        "true true true true"
    );
}

const CONFIG_MAP: &str = "---
apiVersion: v1
kind: ConfigMap
metadata: {name: POD-config}
data: {key: value}
";

fn with_config_map() -> String {
    pod_with(
        "    command: [sleep, '3600']
    volumeMounts: [{name: c, mountPath: /c}]
  volumes: [{name: c, configMap: {name: POD-config}}]
",
    )
}

#[test]
fn a_config_map_of_an_earlier_run_is_found_on_the_engine() {
    let pod = Pod::new("known");
    let alone = with_config_map();
    pod.up(&alone)
        .code(2)
        .says(&["not found", &format!("{}-config", pod.name)]);
    pod.assert_nothing_left();
    pod.up(&format!("{alone}{CONFIG_MAP}")).code(0);
    pod.up(&alone).code(0).says(&["unchanged"]);
    // Another pod may refer to it too.
    let other = Pod::new("known-too");
    let manifest = with_config_map().replace("POD-config", &format!("{}-config", pod.name));
    other.up(&manifest).code(0);
    assert_eq!(other.sh("a", "cat /c/key"), "value");
}

#[test]
fn the_pod_of_a_deployment_is_run_where_that_is_asked_for() {
    let pod = Pod::new("template");
    let manifest = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: POD}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}
";
    pod.up(manifest).code(2).says(&["Deployment", "--template"]);
    pod.assert_nothing_left();
    pod.up_with(manifest, &["--template"]).code(0);
    assert_eq!(pod.ids("a").len(), 1);
    run(podctl().args(["down", &pod.file(manifest)])).code(0);
    pod.assert_nothing_left();
}

#[shows("ObjectMeta.generateName")]
#[test]
fn a_name_is_made_up_where_the_manifest_asks_for_one() {
    let pod = Pod::new("generated");
    let manifest = pod_with("    command: [sleep, '3600']\n")
        .replace("{name: POD}", &format!("{{generateName: {}-}}", pod.name));
    pod.up(&manifest).code(0);
    pod.up(&manifest).code(0);
    let names = run(podctl().args(["ps", "-q"])).out;
    let prefix = format!("{}-", pod.name);
    let made: Vec<&str> = names
        .lines()
        .filter(|name| name.starts_with(&prefix))
        .collect();
    for name in &made {
        run(podctl().args(["down", "--timeout", "1", name])).code(0);
    }
    assert_eq!(made.len(), 2, "{names}");
    assert!(
        made.iter().all(|name| name.len() == prefix.len() + 5),
        "{made:?}"
    );
}
