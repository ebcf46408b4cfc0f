//! The CI job of `pod-examples/ci`: its code and its report; and nothing is left of it, however it ends.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::support::{Folder, docker, eventually, project, run, unique};

/// A copy of the folder, with pods of its own.
struct Job {
    database: String,
    test: String,
    folder: Folder,
}

impl Job {
    fn new() -> Self {
        let there = run(Command::new("docker").args(["image", "inspect", "redis:7"]));
        assert_eq!(
            there.code, 0,
            "scripts/images/ensure redis:7 makes the image"
        );
        let (database, test) = (unique("db"), unique("test"));
        let folder = Folder::new();
        for file in ["db.yaml", "test.yaml", "test.sh"] {
            let text = std::fs::read_to_string(project("pod-examples/ci").join(file));
            let text = text.expect("a file of the example");
            let text = text
                .replace("name: db\n", &format!("name: {database}\n"))
                .replace("name: test\n", &format!("name: {test}\n"))
                .replace("value: db\n", &format!("value: {database}\n"));
            folder.write(file, text);
        }
        Self {
            database,
            test,
            folder,
        }
    }

    /// The same, with something else in one of its files.
    fn with(self, file: &str, from: &str, to: &str) -> Self {
        let text = std::fs::read_to_string(self.folder.0.join(file)).expect("a file");
        assert!(text.contains(from), "`{from}` is not in {file}");
        self.folder.write(file, text.replace(from, to));
        self
    }

    fn command(&self) -> Command {
        let folder = Path::new(env!("CARGO_BIN_EXE_podctl")).parent();
        let folder = folder.expect("a folder").display();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("bash");
        command
            .arg(self.folder.0.join("test.sh"))
            .arg(self.folder.0.join("report.xml"))
            .env("PATH", format!("{folder}:{path}"));
        command
    }

    /// In the background, in a process group of its own, as a runner starts it.
    fn begin(&self) -> Child {
        let mut command = self.command();
        command.process_group(0).stdin(Stdio::null());
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the script runs")
    }

    fn report(&self) -> String {
        std::fs::read_to_string(self.folder.0.join("report.xml")).expect("a report")
    }

    fn left(&self) -> String {
        [&self.database, &self.test]
            .map(|pod| {
                let label = format!("label=podctl.io/pod={pod}");
                let containers = docker(&["ps", "-aq", "--filter", &label]);
                containers + &docker(&["volume", "ls", "-q", "--filter", &label])
            })
            .concat()
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        for pod in [&self.test, &self.database] {
            run(super::support::podctl().args(["down", "-q", "--timeout", "1", pod]));
        }
    }
}

fn is_running(pod: &str, container: &str) -> bool {
    let pod = format!("label=podctl.io/pod={pod}");
    let container = format!("label=podctl.io/container={container}");
    !docker(&["ps", "-q", "--filter", &pod, "--filter", &container]).is_empty()
}

fn kill(signal: &str, who: &str) {
    run(Command::new("kill").args([signal, "--", who])).code(0);
}

#[test]
fn a_job_whose_tests_pass() {
    let job = Job::new();
    run(&mut job.command()).code(0);
    assert!(
        job.report()
            .contains("tests=\"2\" skipped=\"0\" failures=\"0\"")
    );
    assert_eq!(job.left(), "");
}

#[test]
fn a_job_with_a_test_that_fails_keeps_its_code_and_its_report() {
    let job = Job::new().with("test.yaml", "test \"$visits\" = 3", "exit $((visits + 4))");
    run(&mut job.command())
        .code(7)
        .says(&["the database's last words", "ended with the code 7"]);
    let report = job.report();
    for expected in [
        "failures=\"1\"",
        "ended with the code 7",
        "visits: 3",
        "testcase name=\"forgets\"",
    ] {
        assert!(report.contains(expected), "`{expected}` is not in {report}");
    }
    assert_eq!(job.left(), "");
}

#[test]
fn a_database_that_does_not_come_up_fails_the_job() {
    let job = Job::new()
        .with("db.yaml", "[redis-cli, ping]", "[redis-cli, -p, '1', ping]")
        .with("test.sh", "--timeout 2m", "--timeout 3s");
    run(&mut job.command())
        .code(4)
        .says(&["redis", "Readiness probe failed"]);
    assert_eq!(job.left(), "");
}

/// Whether it is time to cancel.
type Moment<'a> = &'a dyn Fn(&Job) -> bool;

/// As a runner does: SIGTERM to the script alone, or to all of its processes.
#[test]
fn a_job_that_is_cancelled_leaves_nothing() {
    let never_ready = || Job::new().with("db.yaml", "[redis-cli, ping]", "['false']");
    let slow = || Job::new().with("test.yaml", "sleep 1", "sleep 60");
    let in_up = |job: &Job| !job.left().is_empty();
    let at_probes = |job: &Job| is_running(&job.database, "redis");
    let in_tests = |job: &Job| is_running(&job.test, "forgets");
    let cases: [(Job, Moment<'_>, bool); 5] = [
        (never_ready(), &in_up, false),
        (never_ready(), &at_probes, false),
        (never_ready(), &at_probes, true),
        (slow(), &in_tests, false),
        (slow(), &in_tests, true),
    ];
    for (case, (job, moment, all)) in cases.iter().enumerate() {
        let mut child = job.begin();
        eventually("the moment has come", || moment(job));
        let id = child.id();
        kill(
            "-TERM",
            &if *all {
                format!("-{id}")
            } else {
                id.to_string()
            },
        );
        let mut code = None;
        eventually("the script has ended", || {
            code = child
                .try_wait()
                .expect("a child")
                .map(|status| status.code());
            code.is_some()
        });
        assert_eq!(
            (case, code, job.left()),
            (case, Some(Some(143)), String::new())
        );
    }
}
