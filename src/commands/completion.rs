//! `podctl completion`, and the live names that it offers.
//!
//! Not here: the engine that `clap_complete` brings.

use std::ffi::OsStr;
use std::time::Duration;

use clap::CommandFactory;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::Shells;

use super::{Context, Exit};
use crate::engine::{Choice, Environment, connect};
use crate::reconcile::SeenContainer;
use crate::reconcile::seen::pauses_of;

/// A person who presses Tab waits no longer than this.
const PATIENCE: Duration = Duration::from_millis(100);

/// Print the script that completes podctl in a shell
///
/// For bash, `source <(podctl completion bash)` in ~/.bashrc.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Zsh,
}

/// Runs it.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let name = match args.shell {
        Shell::Bash => "bash",
        Shell::Elvish => "elvish",
        Shell::Fish => "fish",
        Shell::Zsh => "zsh",
    };
    let shells = Shells::builtins();
    let completer = shells
        .completer(name)
        .ok_or_else(|| anyhow::anyhow!("no script for {name}"))?;
    let mut script = Vec::new();
    completer.write_registration("COMPLETE", "podctl", "podctl", "podctl", &mut script)?;
    context.printer.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Fine)
}

/// Answers a shell that asks for completions, and says whether one did.
#[must_use]
pub fn answer() -> bool {
    if std::env::var_os("COMPLETE").is_none_or(|shell| shell == OsStr::new("")) {
        return false;
    }
    clap_complete::CompleteEnv::with_factory(crate::cli::Cli::command).complete();
    true
}

/// Names of pods.
pub(super) fn pods() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        candidates(|container| {
            Some(container.pod().name.clone()).filter(|_| container.identity.is_pause())
        })
    })
}

/// After a kind names of pods, else kinds and pods.
pub(super) fn kinds_and_pods() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let has_kind = std::env::args().any(|word| matches!(word.as_str(), "pods" | "pod" | "po"));
        let all = list();
        let names = pauses_of(&all).map(|c| c.pod().name.clone());
        if has_kind {
            return unique(names);
        }
        let pods = names.map(|name| format!("pod/{name}"));
        unique(std::iter::once("pods".to_owned()).chain(pods))
    })
}

/// Names of containers of the pod that the line names; of all pods where it names none.
pub(super) fn containers() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let words: Vec<String> = std::env::args().collect();
        let all = list();
        let named = |container: &&SeenContainer| words.contains(&container.pod().name);
        let of_named: Vec<_> = all.iter().filter(named).cloned().collect();
        let of = if of_named.is_empty() { all } else { of_named };
        let names = of
            .iter()
            .filter(|c| !c.identity.is_pause())
            .map(|c| c.identity.container.clone());
        unique(names)
    })
}

fn candidates(name: impl Fn(&SeenContainer) -> Option<String>) -> Vec<CompletionCandidate> {
    unique(list().iter().filter_map(name))
}

fn unique(names: impl Iterator<Item = String>) -> Vec<CompletionCandidate> {
    let names: std::collections::BTreeSet<String> = names.collect();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// The containers of podctl; none when the engine does not answer in time. Nothing is printed.
fn list() -> Vec<SeenContainer> {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return Vec::new();
    };
    let listed = runtime.block_on(async {
        let engine = connect(&Choice::default(), &Environment::of_process()).ok()?;
        tokio::time::timeout(PATIENCE, engine.containers(None))
            .await
            .ok()?
            .ok()
    });
    listed.unwrap_or_default()
}
