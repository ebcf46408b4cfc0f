//! The habits of the pause program.

use std::process::{Command, Stdio};
use std::time::Duration;

use podctl::pause::program;
use podctl::spec::Architecture;

use super::support::{Folder, Pod, docker, eventually, run, within};
use super::up::TWO;

#[test]
fn orphans_are_reaped() {
    let pod = Pod::new("orphans");
    pod.up(TWO).code(0);
    pod.sh(
        "a",
        "i=0; while [ $i -lt 50 ]; do (sleep 0.1 &) ; i=$((i+1)); done",
    );
    eventually("no orphan and no zombie is left", || {
        let processes = pod.sh("b", "ps");
        !processes.contains("sleep 0.1") && !processes.contains('Z')
    });
}

#[test]
fn a_signal_from_a_member_does_not_end_the_pod() {
    let pod = Pod::new("kill-one");
    pod.up(TWO).code(0);
    pod.sh("a", "kill -TERM 1; kill -INT 1; kill -9 1; true");
    pod.sh("a", "ps >/dev/null");
    assert_eq!(
        docker(&["inspect", "--format", "{{.State.Running}}", &pod.id("POD")]),
        "true"
    );
}

#[test]
fn alone_it_leaves_at_once() {
    let pod = Pod::new("alone");
    pod.up(TWO).code(0);
    let pause = pod.id("POD");
    docker(&["rm", "-f", &pod.id("a"), &pod.id("b")]);
    for signal in ["TERM", "INT"] {
        docker(&["start", &pause]);
        // A signal that comes before its first instruction is lost, as for every program that is PID 1.
        within(Duration::from_secs(3), signal, || {
            run(Command::new("docker").args(["kill", "-s", signal, &pause]));
            docker(&["inspect", "-f", "{{.State.Running}}", &pause]) == "false"
        });
        let code = docker(&["inspect", "-f", "{{.State.ExitCode}}", &pause]);
        assert_eq!(code, "0", "{signal}");
    }
}

#[test]
fn asked_to_end_it_waits_for_the_others() {
    let (pod, folder) = (Pod::new("waits"), Folder::new());
    let manifest = TWO.replacen(
        "command: [sleep, '3600']",
        r#"command: [sh, -c, 'trap "exit 0" TERM; touch /out/ready; while true; do sleep 0.1; done'], volumeMounts: [{name: out, mountPath: /out}]"#,
        1,
    ) + &format!("  volumes: [{{name: out, hostPath: {{path: {}}}}}]\n", folder.0.display());
    pod.up(&manifest).code(0);
    eventually("the trap is set", || folder.0.join("ready").exists());
    let (pause, member, other) = (pod.id("POD"), pod.id("a"), pod.id("b"));
    // As an engine that stops, but one member takes its time.
    docker(&["kill", "-s", "TERM", &pause]);
    docker(&["kill", "-s", "KILL", &other]);
    assert_eq!(docker(&["wait", &other]), "137");
    let running = docker(&["inspect", "--format", "{{.State.Running}}", &pause]);
    assert_eq!(running, "true", "it waits for the last member");
    docker(&["kill", "-s", "TERM", &member]);
    let ended = docker(&["wait", &member]);
    assert_eq!(ended, "0", "the member ended by itself");
    assert_eq!(docker(&["wait", &pause]), "0");
}

#[test]
fn it_has_no_rights() {
    let pod = Pod::new("rights");
    pod.up(TWO).code(0);
    let pause = pod.id("POD");
    let format = "{{.Config.User}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}";
    assert_eq!(
        docker(&["inspect", "--format", format, &pause]),
        "65535:65535 [ALL] [no-new-privileges]"
    );
    let status = pod.sh("a", "grep -E '^(Uid|CapEff)' /proc/1/status");
    assert_eq!(
        status,
        "Uid:\t65535\t65535\t65535\t65535\nCapEff:\t0000000000000000"
    );
}

fn write_program(folder: &Folder, architecture: Architecture) -> String {
    let path = folder.write("pause", program(architecture));
    run(Command::new("chmod").args(["755", &path])).code(0);
    path
}

#[test]
fn it_renames() {
    let folder = Folder::new();
    let native =
        Architecture::parse(std::env::consts::ARCH).expect("a processor that podctl knows");
    let pause = write_program(&folder, native);
    check_rename(&folder, &mut Command::new(pause));
}

fn check_rename(folder: &Folder, pause: &mut Command) {
    let (from, to) = (folder.write("from", "x"), folder.0.join("to"));
    run(pause.args(["rename", &from]).arg(&to)).code(0);
    assert_eq!(std::fs::read_to_string(&to).ok().as_deref(), Some("x"));
    // ENOENT.
    assert_eq!(run(pause).code, 2);
}

/// The other processor, emulated, where an emulator is.
#[test]
fn the_aarch64_program_does_the_same() {
    let qemu = "qemu-aarch64-static";
    if run(Command::new("sh").args(["-c", &format!("command -v {qemu}")])).code != 0 {
        println!("skipped: there is no {qemu}");
        return;
    }
    let folder = Folder::new();
    let pause = write_program(&folder, Architecture::Aarch64);
    check_rename(&folder, Command::new(qemu).arg(&pause));
    // PID 1 of a namespace of its own: a signal from outside comes from nobody, and it leaves at once, alone.
    let mut child = Command::new("unshare")
        .args(["--pid", "--fork", "--kill-child", qemu, &pause])
        .stdin(Stdio::null())
        .spawn()
        .expect("unshare");
    let child_of = || {
        let path = format!("/proc/{0}/task/{0}/children", child.id());
        std::fs::read_to_string(path)
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    eventually("the program waits for a signal", || {
        let wait =
            std::fs::read_to_string(format!("/proc/{}/wchan", child_of())).unwrap_or_default();
        wait.contains("sigtimedwait")
    });
    let pid = child_of();
    run(Command::new("kill").args(["-TERM", &pid])).code(0);
    let status = child.wait().expect("an end");
    assert_eq!(status.code(), Some(0));
}
