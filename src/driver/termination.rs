//! What a container that has ended left to be read of why (kubelet: `getTerminationMessage`).
//!
//! Not here: the file's place (`translate::mounts`), the status that says it (`reconcile::status`).

use futures_util::TryStreamExt;

use crate::engine::logs::Range;
use crate::engine::{Engine, EngineError};
use crate::reconcile::{SeenContainer, State};
use crate::record::names;

/// kubelet: `MaxContainerTerminationMessageLength`, in bytes.
const MOST: usize = 4096;
/// kubelet: `MaxContainerTerminationMessageLogLength`, in bytes.
const MOST_OF_LOG: usize = 2048;
/// kubelet: `MaxContainerTerminationMessageLogLines`.
const MOST_LINES: u64 = 80;

/// Its message; empty: none, or it is gone meanwhile. `pause`: the id of its pod's pause container. One call, or two.
///
/// # Errors
/// When the engine cannot be asked.
pub(super) async fn message(
    engine: &Engine,
    pause: &str,
    container: &SeenContainer,
) -> Result<String, EngineError> {
    let (State::Exited(code), Some(falls_back)) =
        (container.state, container.identity.termination_message)
    else {
        return Ok(String::new());
    };
    match read(engine, pause, container, falls_back && code != 0).await {
        Ok(message) => Ok(String::from_utf8_lossy(&message).into_owned()),
        // Docker 20.10 says 500 of a container whose removal has begun.
        Err(error) if matches!(error.status(), Some(404 | 409 | 500)) => Ok(String::new()),
        Err(error) => Err(error),
    }
}

async fn read(
    engine: &Engine,
    pause: &str,
    container: &SeenContainer,
    falls_back: bool,
) -> Result<Vec<u8>, EngineError> {
    let identity = &container.identity;
    let file = names::termination_message(&identity.container, identity.attempt);
    let path = format!("{}/{file}", names::RECORD_PATH);
    let message = engine.head(pause, &path, MOST).await?;
    if message.is_empty() && falls_back {
        return end_of_log(engine, &container.id).await;
    }
    Ok(message)
}

async fn end_of_log(engine: &Engine, id: &str) -> Result<Vec<u8>, EngineError> {
    let range = Range {
        follow: false,
        tail: Some(MOST_LINES),
        since: None,
    };
    let mut lines = engine.logs(id, range);
    let mut text = Vec::new();
    while let Some(line) = lines.try_next().await? {
        text.extend_from_slice(&line.bytes);
    }
    text.drain(..text.len().saturating_sub(MOST_OF_LOG));
    Ok(text)
}
