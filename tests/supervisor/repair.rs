//! Whatever hands do to a pod, it comes back whole: the port answers, all see one network and one list of processes, config is there.

use std::process::Command;

use super::support::registry::{PASSWORD, Registry};
use super::support::{self, Pod, docker, eventually, free_port};
use super::{alone, beside_others, get, supervisor, up};

const SERVES: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: page}
data: {index.html: whole}
---
apiVersion: v1
kind: Secret
metadata: {name: word}
stringData: {word: hidden}
---
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: web
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [httpd, -f, -p, '80', -h, /www]
    ports: [{containerPort: 80, hostPort: PORT}]
    readinessProbe: {httpGet: {port: 80, path: /}, periodSeconds: 1}
    volumeMounts: [{name: page, mountPath: /www}]
  - name: side
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sleep, '1000']
    volumeMounts: [{name: word, mountPath: /all}, {name: word, mountPath: /one, subPath: word}]
  volumes: [{name: page, configMap: {name: page}}, {name: word, secret: {secretName: word}}]
";

struct Serving {
    pod: Pod,
    port: u16,
}

impl Serving {
    fn up(promise: &str) -> Self {
        let pod = Pod::new(promise);
        let port = free_port();
        let manifest = SERVES.replace("PORT", &port.to_string());
        up(&pod, &manifest, &["--wait", "--timeout", "60s"]).code(0);
        let serving = Self { pod, port };
        assert!(serving.is_whole());
        serving
    }

    /// From outside, and from the other container.
    fn is_whole(&self) -> bool {
        let from_outside = support::get(self.port);
        let ask = "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | timeout 2 nc 127.0.0.1 80 | tail -n 1; echo; cat /all/word /one; echo; cat /proc/1/comm";
        let inside = self.pod.exec("side", &["sh", "-c", ask]);
        from_outside.lines().last() == Some("whole")
            && inside.out.lines().collect::<Vec<_>>() == ["whole", "hiddenhidden", "pause"]
            && get(&self.pod, ".status.conditions[?(@.type==\"Ready\")].status") == "True"
    }

    #[track_caller]
    fn heals(&self) {
        eventually("it is whole again", || self.is_whole());
    }

    fn restarts(&self) -> String {
        get(&self.pod, ".status.containerStatuses[*].restartCount")
    }
}

#[test]
fn of_a_pause_container() {
    let _shared = beside_others();
    let serving = Serving::up("pause");
    let acts: [&[&str]; 3] = [&["kill"], &["rm", "-f"], &["restart", "-t", "0"]];
    for (n, act) in acts.iter().enumerate() {
        let before = serving.pod.ids("POD")[0].clone();
        docker(&[act, &[before.as_str()][..]].concat());
        eventually("it has another pause", || {
            serving.pod.ids("POD").first() != Some(&before)
        });
        serving.heals();
        // Each container has been started once more, and no more than that.
        if n < 2 {
            assert_eq!(serving.restarts(), format!("{0} {0}", n + 1), "{act:?}");
        }
    }
}

#[test]
fn of_app_containers() {
    let _shared = beside_others();
    let serving = Serving::up("member");
    let acts: [&[&str]; 3] = [&["kill"], &["rm", "-f"], &["stop", "-t", "0"]];
    for act in acts {
        let before = serving.pod.id("web");
        docker(&[act, &[before.as_str()][..]].concat());
        eventually("it is made anew", || {
            serving
                .pod
                .ids("web")
                .first()
                .is_some_and(|id| *id != before)
        });
        serving.heals();
    }
}

#[test]
fn of_all_containers_and_the_volumes_of_config_and_secret() {
    let _shared = beside_others();
    let serving = Serving::up("all");
    let names = ["POD", "web", "side"];
    let ids: Vec<String> = names
        .iter()
        .flat_map(|name| serving.pod.ids(name))
        .collect();
    let mut remove = vec!["rm", "-f"];
    remove.extend(ids.iter().map(String::as_str));
    eventually("they are gone", || {
        // Docker 20.10 does not remove one at once that the supervisor reads through.
        let _ = super::run(Command::new("docker").args(&remove));
        let there = docker(&["ps", "-aq", "--no-trunc"]);
        ids.iter().all(|id| !there.contains(id))
    });
    for volume in ["page", "word"] {
        let volume = format!("podctl_default_{}_{volume}", serving.pod.name);
        // It may be in use again already.
        let _ = super::run(Command::new("docker").args(["volume", "rm", &volume]));
    }
    serving.heals();
}

/// By what the pod brings, and by nothing else.
#[test]
fn of_an_image_that_is_gone() {
    let _alone = alone();
    let registry = Registry::with_password(PASSWORD);
    let pod = Pod::new("pull");
    let reference = registry.push_as("shop/web:1", "tester:secret");
    let manifest = format!(
        "{}---
apiVersion: v1
kind: Pod
metadata: {{name: POD}}
spec:
  terminationGracePeriodSeconds: 0
  imagePullSecrets: [{{name: login}}]
  containers:
  - {{name: a, image: '{reference}', command: [sleep, '1000']}}
",
        registry.pull_secret("tester:secret")
    );
    up(&pod, &manifest, &[]).code(0);
    let remove = || {
        let supervisor = supervisor().expect("one");
        // It would make the next container before the image is gone.
        docker(&["pause", &supervisor]);
        let before = pod.id("a");
        docker(&["rm", "-f", &before]);
        docker(&["rmi", &reference]);
        docker(&["unpause", &supervisor]);
        before
    };
    let before = remove();
    eventually("it is pulled", || {
        pod.ids("a").first().is_some_and(|id| *id != before)
    });
    eventually("it runs", || pod.exec("a", &["true"]).code == 0);
    drop(registry);
    remove();
    eventually("it is told that it cannot be pulled", || {
        get(&pod, ".status.containerStatuses[0].state.waiting.reason") == "ErrImagePull"
    });
    pod.down().code(0);
}

#[test]
fn of_the_network() {
    let _shared = beside_others();
    let serving = Serving::up("network");
    let (pause, restarts) = (serving.pod.id("POD"), serving.restarts());
    docker(&["network", "disconnect", "podctl", &pause]);
    serving.heals();
    // It was brought back into the network: nothing has been started again.
    assert_eq!(
        (serving.pod.id("POD"), serving.restarts()),
        (pause, restarts)
    );
}

#[test]
fn of_a_damaged_record_nothing_is_guessed() {
    let _shared = beside_others();
    let pod = Pod::new("damaged");
    let manifest = "
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '1000']}
";
    up(&pod, manifest, &[]).code(0);
    up(&pod, &manifest.replace("1000", "2000"), &[]).code(0);
    // The last wish is cut off; the one before it is whole.
    let pause = pod.id("POD");
    let record = pod.folder.0.join("record");
    docker(&[
        "cp",
        &format!("{pause}:/podctl/record"),
        &record.display().to_string(),
    ]);
    let files = std::fs::read_dir(&record).expect("the record");
    let names = files.map(|file| {
        file.expect("a file")
            .file_name()
            .into_string()
            .expect("a name")
    });
    let wish = names
        .into_iter()
        .find(|name| name.starts_with("wish-"))
        .expect("a wish");
    let cut = pod.folder.write(&wish, "{\"format\": 1, \"gener");
    docker(&["cp", &cut, &format!("{pause}:/podctl/record/{wish}")]);
    let a = pod.id("a");
    eventually("it is told", || {
        let supervisor = supervisor().expect("a supervisor");
        let said = super::run(Command::new("docker").args(["logs", &supervisor]));
        said.err.contains(&pod.name) && said.err.contains("is damaged")
    });
    // Neither the old wish nor the new one is driven to, until somebody says what is wanted.
    assert_eq!(pod.id("a"), a);
    docker(&["kill", &a]);
    up(&pod, &manifest.replace("1000", "3000"), &[]).code(0);
    assert!(pod.sh("a", "ps").contains("sleep 3000"));
}
