//! `get`, `ps -o jsonpath=` and `-w`: pods in kubectl's words.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::support::{Folder, Pod, Said, podctl, podctl_itself, run};

const ONE: &str = "
apiVersion: v1
kind: Pod
metadata: {name: POD, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 1
  restartPolicy: Never
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, 'until [ -e /end ]; do sleep 0.1; done']}
  - {name: b, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, '3600']}
";

fn get(args: &[&str]) -> Said {
    run(podctl().arg("get").args(args))
}

#[test]
fn one_pod_is_itself_and_several_are_a_list() {
    let pod = Pod::new("get");
    pod.up(ONE).code(0);
    let table = get(&["pod", &pod.name]).code(0).out;
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 2, "{table}");
    assert!(lines[0].starts_with("NAME") && lines[1].starts_with(&pod.name));
    let named = format!("pod/{}", pod.name);
    let json = get(&[&named, "-o", "json"]).code(0).out;
    let object: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(object["kind"], "Pod");
    assert_eq!(object["metadata"]["labels"]["app"], "web");
    let yaml = get(&["po", &pod.name, "-o", "yaml"]).code(0).out;
    assert!(yaml.contains("kind: Pod\n"), "{yaml}");
    let name = get(&[&named, "-o", "name"]).code(0).out;
    assert_eq!(name, format!("{named}\n"));
    let list = get(&["pods", "-o", "json"]).code(0).out;
    let list: serde_json::Value = serde_json::from_str(&list).expect("JSON");
    assert_eq!(list["kind"], "PodList");
}

#[test]
fn a_jsonpath_prints_what_it_names() {
    let pod = Pod::new("path");
    pod.up(ONE).code(0);
    let path = |template: &str| {
        let format = format!("jsonpath={template}");
        get(&["pod", &pod.name, "-o", &format]).code(0).out
    };
    assert_eq!(path("{.status.phase}"), "Running");
    assert_eq!(
        path(r#"{range .spec.containers[*]}{.name}={.image}{"\n"}{end}"#),
        "a=busybox\nb=busybox\n"
    );
    assert_eq!(
        path(r#"{.status.conditions[?(@.type=="Ready")].status}{.nope}"#),
        "True"
    );
    let folder = Folder::new();
    let file = folder.write(
        "names.txt",
        r#"{range .items[*]}{.metadata.name}{"\n"}{end}"#,
    );
    let format = format!("jsonpath-file={file}");
    let names = run(podctl().args(["ps", "-o", &format])).code(0).out;
    assert!(names.lines().any(|line| line == pod.name), "{names}");
    get(&["pod", &pod.name, "-o", "jsonpath={.spec.containers[7]}"])
        .code(1)
        .says(&["no index 7 in a list of 2"]);
}

#[test]
fn a_pod_that_is_not_there_is_told_beside_those_that_are() {
    let pod = Pod::new("there");
    pod.up(ONE).code(0);
    let said = get(&["pods", "no-such-pod", &pod.name])
        .code(1)
        .says(&["no-such-pod: there is no such pod"]);
    assert!(said.out.contains(&pod.name));
    let said = get(&["pod/no-such-pod", "-o", "json"]).code(1);
    assert_eq!(said.out, "");
}

/// A podctl that stays, and the lines that it prints.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn new(args: &[&str]) -> Self {
        let mut child = podctl_itself()
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let out = BufReader::new(child.stdout.take().expect("an output"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let lines = out.lines().map_while(Result::ok);
            // A test that has failed reads no more.
            lines
                .take_while(|line| sender.send(line.clone()).is_ok())
                .for_each(drop);
        });
        Self { child, lines }
    }

    /// The next line that has this.
    #[track_caller]
    fn until(&self, word: &str) -> String {
        let mut all = Vec::new();
        loop {
            let Ok(line) = self.lines.recv_timeout(Duration::from_mins(1)) else {
                panic!("no `{word}` in {all:?}");
            };
            if line.contains(word) {
                return line;
            }
            all.push(line);
        }
    }

    fn code(&mut self) -> Option<i32> {
        self.child.wait().expect("an end").code()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_watch_prints_each_change_and_ends_with_the_pod() {
    let pod = Pod::new("watch");
    pod.up(ONE).code(0);
    let mut watching = Watching::new(&["get", "pod", &pod.name, "-w"]);
    let cells = |line: &str| -> Vec<String> {
        let cells = line.split_whitespace().map(str::to_owned);
        cells.skip(1).take(2).collect()
    };
    watching.until("NAME");
    assert_eq!(cells(&watching.until(&pod.name)), ["2/2", "Running"]);
    pod.sh("a", "touch /end");
    // Nothing else has changed, so this is the next line.
    assert_eq!(cells(&watching.until(&pod.name)), ["1/2", "NotReady"]);
    pod.down().code(0);
    watching.until("Terminating");
    let rest: Vec<String> = watching.lines.iter().collect();
    let others: Vec<_> = rest.iter().filter(|l| !l.contains("Terminating")).collect();
    assert!(others.is_empty(), "{others:?}");
    assert_eq!(watching.code(), Some(0));
}

#[test]
fn a_watch_of_all_pods_shows_those_that_come_and_ends_by_ctrl_c() {
    let pod = Pod::new("comes");
    let mut watching = Watching::new(&["ps", "--watch", "-o", "name"]);
    pod.up(ONE).code(0);
    watching.until(&pod.name);
    run(Command::new("kill").args(["-INT", &watching.child.id().to_string()])).code(0);
    assert_eq!(watching.code(), Some(130));
}

#[test]
fn a_watch_for_programs_prints_the_whole_pod_at_each_change() {
    let pod = Pod::new("whole");
    pod.up(ONE).code(0);
    let format = "jsonpath={.kind} {.status.containerStatuses[0].ready}{\"\\n\"}";
    let watching = Watching::new(&["get", "pod", &pod.name, "-w", "-o", format]);
    assert_eq!(watching.until("Pod"), "Pod true");
    pod.sh("a", "touch /end");
    assert_eq!(watching.until("false"), "Pod false");
}

/// kubelet: a pod that has begun is never pending again.
#[test]
fn a_pod_that_is_taken_down_stays_in_its_phase_to_the_end() {
    let pod = Pod::new("phases");
    pod.up(ONE).code(0);
    let format = "jsonpath={.status.phase}{\"\\n\"}";
    let watching = Watching::new(&["get", "pod", &pod.name, "-w", "-o", format]);
    watching.until("Running");
    pod.down().code(0);
    let rest: Vec<String> = watching.lines.iter().collect();
    assert!(rest.iter().all(|phase| phase == "Running"), "{rest:?}");
}
