//! Whatever hands do to a pod, it comes back whole: the port answers, all see one network and one list of processes, config is there.

use std::process::Command;

use super::life::kill_the_supervisor;
use super::support::registry::{PASSWORD, Registry};
use super::support::{self, Pod, docker, eventually, free_port};
use super::{alone, beside_others, get, podctl, run, supervisor, told, up};

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
    volumeMounts: [{name: word, mountPath: /all}, {name: word, mountPath: /one, subPath: word}, {name: memory, mountPath: /memory}]
  volumes: [{name: page, configMap: {name: page}}, {name: word, secret: {secretName: word}}, {name: memory, emptyDir: {medium: Memory}}]
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
    // It goes on as itself, or in another's place: the engine starts it at the moment at which it is seen to have ended.
    docker(&["restart", "-t", "0", &serving.pod.id("web")]);
    serving.heals();
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

impl Serving {
    /// Removes all containers, so that what they held is gone too, and meddles with the rest, while nobody sees it.
    fn meddle_unseen(&self, meddle: impl FnOnce(&Pod)) {
        let supervisor = supervisor().expect("one");
        let pod = &self.pod;
        eventually("it is kept", || {
            let said = run(podctl().args(["supervise", "--logs"])).out;
            said.contains(&format!("Keeping     pod {}", pod.name))
        });
        docker(&["pause", &supervisor]);
        let of_pod = format!("label=podctl.io/pod={}", pod.name);
        let ids = docker(&["ps", "-aq", "--filter", &of_pod]);
        let ids: Vec<&str> = ids.lines().collect();
        docker(&[&["rm", "-f"], &ids[..]].concat());
        meddle(pod);
        docker(&["unpause", &supervisor]);
    }
}

#[test]
fn of_all_containers() {
    let _alone = alone();
    let serving = Serving::up("all");
    serving.meddle_unseen(|_| ());
    serving.heals();
}

#[test]
fn of_volumes_with_config_secret_and_memory() {
    let _alone = alone();
    let serving = Serving::up("volumes");
    serving.meddle_unseen(|pod| {
        for volume in ["page", "word", "memory"] {
            let volume = format!("podctl_default_{}_{volume}", pod.name);
            docker(&["volume", "rm", &volume]);
        }
    });
    serving.heals();
    let there = serving
        .pod
        .sh("side", "mount | grep ' /memory '; ls /memory");
    assert!(there.contains("tmpfs"), "{there}");
}

#[test]
fn of_the_network_itself() {
    let _alone = alone();
    let serving = Serving::up("no-network");
    serving.meddle_unseen(|_| {
        docker(&["network", "rm", "podctl"]);
    });
    serving.heals();
}

/// Another has its port meanwhile.
#[test]
fn what_cannot_be_repaired_is_told_until_it_can() {
    let _alone = alone();
    let serving = Serving::up("taken");
    let holder = format!("{}-holder", serving.pod.name);
    let port = format!("{}:80", serving.port);
    serving.meddle_unseen(|_| {
        docker(&[
            "run", "-d", "--name", &holder, "-p", &port, "busybox", "sleep", "1000",
        ]);
    });
    let described = || run(podctl().args(["describe", "pod", &serving.pod.name])).out;
    eventually("it is told", || {
        let said = described();
        said.contains("FailedCreatePodSandBox") && said.contains("port is already allocated")
    });
    docker(&["rm", "-f", &holder]);
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
        // A dead one before it knows the image too.
        let all = pod.ids("a");
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        docker(&[&["rm", "-f"], &all[..]].concat());
        let _ = run(Command::new("docker").args(["rmi", &reference]));
        docker(&["unpause", &supervisor]);
        before
    };
    let before = remove();
    eventually("it is pulled", || {
        pod.ids("a").first().is_some_and(|id| *id != before)
    });
    eventually("it runs", || pod.exec("a", &["true"]).code == 0);
    // Its name means another image now: that is the one, and stays so.
    docker(&["tag", "nginx:latest", &reference]);
    let login = registry.login("tester:secret");
    let config = login.0.display().to_string();
    docker(&["--config", &config, "push", "-q", &reference]);
    docker(&["rmi", "-f", &reference]);
    let n = attempt(&pod);
    remove();
    eventually("the other is pulled", || {
        pod.exec("a", &["test", "-d", "/etc/nginx"]).code == 0
    });
    let now = pod.id("a");
    assert_eq!(attempt(&pod), n + 1);
    docker(&["kill", &now]);
    eventually("it is started again", || {
        pod.ids("a").first().is_some_and(|id| *id != now)
    });
    assert_eq!(attempt(&pod), n + 2);
    drop(registry);
    remove();
    eventually("it is told that it cannot be pulled", || {
        get(&pod, ".status.containerStatuses[0].state.waiting.reason") == "ErrImagePull"
    });
    pod.down().code(0);
}

/// A container is made from what its image's name means at that moment, once, and left alone from then on.
#[test]
fn an_image_whose_name_means_another_now_restarts_nothing_and_is_used_once() {
    let _alone = alone();
    let pod = Pod::new("moved");
    let reference = format!("{}:latest", pod.name);
    let means = |image: &str| docker(&["tag", image, &reference]);
    means("busybox:latest");
    let manifest = format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: POD}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {{name: a, image: '{reference}', imagePullPolicy: Never, command: [sleep, '1000']}}
"
    );
    up(&pod, &manifest, &[]).code(0);
    let before = pod.id("a");
    means("nginx:latest");
    let has_begun = kill_the_supervisor();
    eventually("the engine has started it again", has_begun);
    docker(&["kill", &before]);
    eventually("the other image is used", || {
        pod.exec("a", &["test", "-d", "/etc/nginx"]).code == 0
    });
    assert_eq!(attempt(&pod), 1);
    means("busybox:latest");
    up(&pod, &manifest, &[]).code(0);
    assert_eq!(attempt(&pod), 2);
    let generation = get(&pod, ".metadata.generation");
    up(&pod, &manifest, &[]).code(0).says(&["unchanged"]);
    assert_eq!(get(&pod, ".metadata.generation"), generation);
    let now = pod.ids("a")[0].clone();
    docker(&["kill", &now]);
    eventually("it is started again", || {
        pod.ids("a").first().is_some_and(|id| *id != now)
    });
    assert_eq!(attempt(&pod), 3);
    pod.down().code(0);
    docker(&["rmi", &reference]);
}

/// How often the container `a` has been made anew.
fn attempt(pod: &Pod) -> u32 {
    let label = "{{index .Config.Labels \"podctl.io/attempt\"}}";
    let attempt = docker(&["inspect", "-f", label, &pod.ids("a")[0]]);
    attempt.parse().expect("a number")
}

/// Nobody sees it: what does not share the PID namespace lives on, in the network of before.
#[test]
fn of_a_pause_container_whose_members_have_lived_on() {
    let _alone = alone();
    let pod = Pod::new("apart");
    let port = free_port();
    let manifest = SERVES.replace("PORT", &port.to_string());
    let manifest = manifest.replace("spec:\n", "spec:\n  shareProcessNamespace: false\n");
    up(&pod, &manifest, &["--wait", "--timeout", "60s"]).code(0);
    let answers = || support::get(port).lines().last() == Some("whole");
    assert!(answers());
    let supervisor = supervisor().expect("one");
    docker(&["pause", &supervisor]);
    docker(&["restart", "-t", "0", &pod.id("POD")]);
    assert!(!answers());
    docker(&["unpause", &supervisor]);
    eventually("it answers again", answers);
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

/// The last wish is cut off; the one before it is whole.
fn cut_last_wish(pod: &Pod) {
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
}

/// A wish may have made no container: that it was driven to is known all the same.
#[test]
fn of_a_damaged_record_old_content_is_not_brought_back() {
    let _shared = beside_others();
    let serving = Serving::up("cut");
    let manifest = SERVES.replace("PORT", &serving.port.to_string());
    let pod = &serving.pod;
    up(pod, &manifest.replace("hidden", "shown!"), &[]).code(0);
    let word = || pod.sh("side", "cat /all/word");
    eventually("it is brought in", || word() == "shown!");
    eventually("it is told what was driven to", || {
        told(pod).contains("\"generation\":2")
    });
    cut_last_wish(pod);
    let damaged = || {
        let described = run(podctl().args(["describe", "pod", &pod.name]));
        described
            .out
            .contains("is damaged: `podctl up FILE` writes it anew")
    };
    eventually("it is told", damaged);
    assert_eq!(word(), "shown!");
    up(pod, &manifest.replace("hidden", "third!"), &[]).code(0);
    eventually("it is whole again", || word() == "third!" && !damaged());
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
    cut_last_wish(&pod);
    let a = pod.id("a");
    eventually("it is told", || {
        let supervisor = supervisor().expect("a supervisor");
        let said = run(Command::new("docker").args(["logs", &supervisor]));
        said.err.contains(&pod.name) && said.err.contains("is damaged")
    });
    // Neither the old wish nor the new one is driven to, until somebody says what is wanted.
    assert_eq!(pod.id("a"), a);
    docker(&["kill", &a]);
    up(&pod, &manifest.replace("1000", "3000"), &[]).code(0);
    assert!(pod.sh("a", "ps").contains("sleep 3000"));
}
