//! `podctl exec`.
//!
//! Not here: raw mode (`output::terminal`), the call (`engine::exec`).

use std::io::Read;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::{Context, Exit, port, target};
use crate::driver::{known, observe};
use crate::engine::exec::{Command, Output, Running};
use crate::engine::{Engine, EngineError};
use crate::output::terminal::{self, Raw};
use crate::reconcile::{SeenContainer, State, status};

/// docker's own failures have this code.
const FAILED: u8 = 125;
/// So long a command whose container has gone may still be heard.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// How an engine begins to say that there is no such program: on the command's own output.
const REFUSAL: &[u8] = b"OCI runtime exec failed";
/// kubectl: the annotation of a pod that names the container that is meant where none is named.
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";
/// So long the size of a terminal is offered to a command that has just been started.
const SIZE_TRIES: u32 = 1000;

/// Run a command in a container of a pod
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pod
    #[arg(value_name = "POD", add = super::completion::pods())]
    pod: String,
    /// The container; without it the pod's default one (annotation kubectl.kubernetes.io/default-container), else the first
    #[arg(short, long, value_name = "NAME", add = super::completion::containers())]
    container: Option<String>,
    /// Pass standard input on
    #[arg(short = 'i', long)]
    stdin: bool,
    /// Give the command a terminal
    #[arg(short, long)]
    tty: bool,
    /// The command and its arguments
    #[arg(value_name = "COMMAND", last = true, required = true)]
    command: Vec<String>,
}

/// Runs it. The exit code is the command's; 125, 126 and 127 as docker has them.
///
/// # Errors
/// Usage, or no engine; every other failure is told here and has the code 125.
pub async fn run(context: &Context, args: Args) -> anyhow::Result<Exit> {
    let key = target::one(context, &args.pod)?;
    let engine = context.engine()?;
    let failed = |error: &anyhow::Error| {
        context.printer.failure(&format!("{error:#}"));
        Ok(Exit::Code(FAILED))
    };
    let containers = match port::find(&engine, &key).await {
        Ok(containers) => containers,
        Err(error) if error.downcast_ref::<port::NoSuchPod>().is_some() => return failed(&error),
        Err(error) => return Err(error),
    };
    let name = match args.container {
        Some(name) => Some(name),
        None => preferred(&engine, &containers).await,
    };
    let (member, names) = match port::member(&containers, &key, name.as_deref()) {
        Ok(found) => found,
        Err(error) => return failed(&error.into()),
    };
    if name.is_none() && names.len() > 1 {
        let (name, all) = (&member.identity.container, names.join(", "));
        context
            .printer
            .status(&format!("running in container {name} (of {all})"));
    }
    if let Some(why) = cannot_run(&containers, member) {
        let pods = observe::of(&engine, &containers, false).await?;
        let why = if pods.iter().any(status::is_stopped) {
            format!("the pod is stopped: `podctl start {}` goes on", key.words())
        } else {
            why
        };
        return failed(&anyhow::anyhow!(
            "cannot run in container `{}` of pod `{key}`: {why}",
            member.identity.container
        ));
    }
    let tty = args.tty && terminal::is_terminal();
    if args.tty && !tty {
        context
            .printer
            .warning("standard input is no terminal: going on without one (-t)");
    }
    let size = terminal::size().filter(|_| tty);
    let command = Command {
        argv: args.command,
        stdin: args.stdin,
        tty,
        size,
    };
    match engine.exec(&member.id, command).await {
        Ok(running) => {
            let gone = engine.wait(&member.id);
            attach(&engine, running, gone, args.stdin, tty, context).await
        }
        Err(error @ (EngineError::Unreachable { .. } | EngineError::PermissionDenied { .. })) => {
            Err(error.into())
        }
        Err(error) => Ok(refused(context, &error.to_string())),
    }
}

/// The container that the pod's own annotation names. Where there is but one nothing is asked.
async fn preferred(engine: &Engine, containers: &[SeenContainer]) -> Option<String> {
    let newest = containers.iter().max_by_key(|c| c.identity.generation)?;
    if newest.identity.members().count() < 2 {
        return None;
    }
    let manifests = known::manifests(engine, containers).await;
    let names = newest.identity.members();
    default_container(manifests.get(newest.pod())?, names).map(str::to_owned)
}

/// kubectl: `FindOrDefaultContainerByName`; an annotation that names none of the containers does not count.
fn default_container<'a>(
    manifest: &'a Value,
    mut names: impl Iterator<Item = &'a String>,
) -> Option<&'a str> {
    let named = manifest["metadata"]["annotations"][DEFAULT_CONTAINER].as_str()?;
    names.any(|name| name == named).then_some(named)
}

/// Why no command can run in the container, in words that are not the engine's.
fn cannot_run(containers: &[SeenContainer], member: &SeenContainer) -> Option<String> {
    let pause = containers.iter().find(|container| {
        container.identity.is_pause() && Some(&container.id) == member.joined.as_ref()
    });
    let joins_none = member.joined.is_none();
    if !joins_none && !pause.is_some_and(SeenContainer::is_running) {
        return Some("the pod has lost its pause container, and its network with it: `podctl up` makes it anew".to_owned());
    }
    match member.state {
        State::Running => None,
        State::Exited(code) => Some(format!("it has ended with the code {code}")),
        State::Created => Some("it has not been started".to_owned()),
        State::Removing => Some("it is being removed".to_owned()),
    }
}

async fn attach(
    engine: &Engine,
    running: Running,
    gone: impl Future<Output = Result<Option<i64>, EngineError>>,
    stdin: bool,
    tty: bool,
    context: &Context,
) -> anyhow::Result<Exit> {
    let Running {
        id,
        mut output,
        input,
    } = running;
    let raw = if tty && stdin {
        Some(Raw::take()?)
    } else {
        None
    };
    let mut ends = [
        signal(SignalKind::terminate())?,
        signal(SignalKind::hangup())?,
    ];
    let [terminate, hangup] = &mut ends;
    if stdin {
        tokio::spawn(pass_input(input));
    }
    if tty {
        tokio::spawn(follow_size(engine.clone(), id.clone()));
    }
    let mut held = Vec::new();
    let mut gone = std::pin::pin!(gone);
    let ended = loop {
        tokio::select! {
            item = output.next() => match item {
                Some(Ok(said)) => say(said, &mut held)?,
                // What the connection says of its end is in the exit code.
                None | Some(Err(_)) => break true,
            },
            // Some engines leave the command's stream open when its container has gone.
            Ok(_) = &mut gone => {
                rest(&mut output, &mut held).await?;
                break true;
            }
            Some(()) = terminate.recv() => break false,
            Some(()) = hangup.recv() => break false,
        }
    };
    drop(raw);
    if !ended {
        return Ok(Exit::Interrupted);
    }
    let code = exit_code(engine, &id).await;
    if matches!(code, Some(126 | 127)) && held.starts_with(REFUSAL) {
        return Ok(refused(context, &String::from_utf8_lossy(&held)));
    }
    terminal::pass_on(&held, false)?;
    // Its container has gone with it: killed.
    Ok(Exit::Code(
        code.map_or(137, |code| u8::try_from(code).unwrap_or(FAILED)),
    ))
}

/// What was said before its container went.
async fn rest(
    output: &mut (impl Stream<Item = Result<Output, EngineError>> + Unpin),
    held: &mut Vec<u8>,
) -> std::io::Result<()> {
    while let Ok(Some(Ok(said))) = tokio::time::timeout(LAST_WORDS, output.next()).await {
        say(said, held)?;
    }
    Ok(())
}

/// Passes on what a command says. What may be the engine's own word is held back until the end tells.
fn say(said: Output, held: &mut Vec<u8>) -> std::io::Result<()> {
    match said {
        Output::Err(bytes) => terminal::pass_on(&bytes, true),
        Output::Out(bytes) => {
            held.extend(bytes);
            let n = held.len().min(REFUSAL.len());
            if held[..n] == REFUSAL[..n] && held.len() < 4096 {
                return Ok(());
            }
            terminal::pass_on(&std::mem::take(held), false)
        }
    }
}

/// Tells why the command could not be run, and gives docker's code for it.
fn refused(context: &Context, reason: &str) -> Exit {
    let reason = reason.trim();
    let lower = reason.to_lowercase();
    let code = if lower.contains("not found") || lower.contains("no such file") {
        127
    } else if lower.contains("permission denied") || lower.contains("is a directory") {
        126
    } else {
        FAILED
    };
    let short = reason
        .rsplit_once("process: ")
        .map_or(reason, |(_, short)| short);
    context.printer.failure(&format!(
        "cannot run the command: {}",
        short.trim_end_matches(": unknown")
    ));
    Exit::Code(code)
}

/// The engine knows the code a moment after the stream has ended.
async fn exit_code(engine: &Engine, id: &str) -> Option<i64> {
    for _ in 0..100 {
        match engine.exit_code(id).await {
            Ok(Some(code)) => return Some(code),
            Ok(None) => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(_) => return None,
        }
    }
    None
}

/// Standard input is read by a thread of its own: a read of it cannot be given up, and must not hold the end up.
async fn pass_input(mut input: std::pin::Pin<Box<dyn tokio::io::AsyncWrite + Send>>) {
    let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(16);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 32 * 1024];
        while let Ok(n) = std::io::stdin().read(&mut buffer) {
            if n == 0 || sender.blocking_send(buffer[..n].to_vec()).is_err() {
                break;
            }
        }
    });
    while let Some(bytes) = receiver.recv().await {
        if input.write_all(&bytes).await.is_err() {
            return;
        }
    }
    // The command sees the end of its input; one that has ended already does not mind.
    let _ = input.shutdown().await;
}

/// Tells the command the size of the terminal: at first, for as long as it takes, and after each change.
async fn follow_size(engine: Engine, id: String) {
    let Ok(mut changes) = signal(SignalKind::window_change()) else {
        return;
    };
    loop {
        for _ in 0..SIZE_TRIES {
            let Some(size) = terminal::size() else { break };
            if engine.resize(&id, size).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if changes.recv().await.is_none() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_container_that_is_meant_may_be_named_by_an_annotation() {
        let names = ["i", "a", "b"].map(str::to_owned);
        let meant = |annotations: Value| {
            let manifest = serde_json::json!({"metadata": {"annotations": annotations}});
            default_container(&manifest, names.iter()).map(str::to_owned)
        };
        assert_eq!(meant(Value::Null), None);
        let named = |name: &str| serde_json::json!({ DEFAULT_CONTAINER: name });
        assert_eq!(meant(named("b")).as_deref(), Some("b"));
        assert_eq!(meant(named("x")), None);
    }
}
