//! `exec`, of probes and hooks: a command in the container (kubelet: `pkg/probe/exec`).
//!
//! A command that does not end in time counts as failed, and runs on: an engine cannot end it.
//!
//! Not here: commands at a terminal (`commands::exec`).

use std::time::Duration;

use futures_util::StreamExt;

use super::{Answer, MOST_TEXT, text};
use crate::engine::exec::{Command, Output};
use crate::engine::{Engine, EngineError};

/// The code with which engines report a program that is not there, or may not be executed.
const NO_PROGRAM: [i64; 2] = [126, 127];

/// Runs it, or waits for nothing while the one before it runs.
pub(super) async fn ask(
    engine: &Engine,
    container: &str,
    command: &[String],
    timeout: Duration,
    hanging: Option<&str>,
) -> Answer {
    let late = |id: String| Answer {
        running: Some(id),
        ..Answer::failure(format!(
            "command timed out: {:?} timed out after {}s",
            command.join(" "),
            timeout.as_secs()
        ))
    };
    if let Some(id) = hanging
        && let Ok(None) = engine.exit_code(id).await
    {
        return late(id.to_owned());
    }
    let begun = tokio::time::timeout(timeout, begin(engine, container, command)).await;
    let (id, mut output) = match begun {
        Ok(Ok(running)) => (running.id, running.output),
        Ok(Err(error)) => return refused(&error),
        // The engine is slow, not the container.
        Err(_) => return Answer::unknown("the engine did not start the command in time"),
    };
    let said = tokio::time::timeout(timeout, read(&mut output)).await;
    let Ok(said) = said else {
        return late(id);
    };
    match engine.exit_code(&id).await {
        Ok(Some(0)) => Answer::success(said),
        Ok(Some(_)) => Answer::failure(said),
        Ok(None) => late(id),
        Err(error) => Answer::unknown(error.to_string()),
    }
}

/// Runs it to its end.
pub(super) async fn hook(
    engine: &Engine,
    container: &str,
    command: &[String],
) -> Result<(), String> {
    let words = command.join(" ");
    let failed = |why: String| format!("Exec lifecycle hook ([{words}]) failed: {why}");
    let running = begin(engine, container, command).await;
    let mut running = running.map_err(|error| failed(error.to_string()))?;
    let said = read(&mut running.output).await;
    match engine.exit_code(&running.id).await {
        Ok(Some(0)) => Ok(()),
        Ok(Some(code)) => Err(failed(format!(
            "the command has ended with the code {code}: {said:?}"
        ))),
        Ok(None) => Err(failed("the command runs on".to_owned())),
        Err(error) => Err(failed(error.to_string())),
    }
}

async fn begin(
    engine: &Engine,
    container: &str,
    command: &[String],
) -> Result<crate::engine::exec::Running, EngineError> {
    let command = Command {
        argv: command.to_vec(),
        ..Command::default()
    };
    engine.exec(container, command).await
}

/// All that it says, to its end; the rest of a long text is dropped.
async fn read(output: &mut (impl StreamExt<Item = Result<Output, EngineError>> + Unpin)) -> String {
    let mut said = Vec::new();
    while let Some(Ok(Output::Out(bytes) | Output::Err(bytes))) = output.next().await {
        let room = MOST_TEXT.saturating_sub(said.len());
        said.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
    text(&said)
}

/// A command that did not start: the container's fault where it lacks the program; else nothing is known.
fn refused(error: &EngineError) -> Answer {
    let text = error.to_string();
    let is_missing = error.status() == Some(400) || text.contains("executable file not found");
    if is_missing
        || NO_PROGRAM
            .iter()
            .any(|code| text.contains(&format!("exit status {code}")))
    {
        Answer::failure(text)
    } else {
        Answer::unknown(text)
    }
}
