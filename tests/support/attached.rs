//! `podctl up --attach`, in the background.
//!
//! Not here: what is asserted of it.

use std::fs::File;
use std::process::{Child, Command};

use super::{Pod, podctl_itself, run};

/// One that runs. Dropping it kills it.
pub struct Attached(pub Child);

impl Attached {
    pub fn new(pod: &Pod, manifest: &str, args: &[&str]) -> Self {
        let mut command = podctl_itself();
        command.args(["up", "--attach"]).args(args);
        Self::of(pod, command.arg(pod.file(manifest)))
    }

    /// The same, by this command.
    pub fn of(pod: &Pod, command: &mut Command) -> Self {
        let said = File::create(pod.folder.0.join("said")).expect("a file");
        let child = command
            .stdout(said.try_clone().expect("a file"))
            .stderr(said)
            .spawn()
            .expect("the program runs");
        Self(child)
    }

    /// As Ctrl-C does; and its exit code.
    pub fn interrupt(&mut self) -> i32 {
        run(Command::new("kill").args(["-INT", &self.0.id().to_string()])).code(0);
        let status = self.0.wait().expect("an end");
        status.code().unwrap_or(-1)
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What it and the containers of its pod have said so far.
pub fn said(pod: &Pod) -> String {
    std::fs::read_to_string(pod.folder.0.join("said")).unwrap_or_default()
}
