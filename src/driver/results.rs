//! How the containers of a pod that is over have ended, and what they have said.
//!
//! Not here: what is written of it (`output::junit`).

use futures_util::TryStreamExt;

use super::observe;
use crate::engine::logs::Range;
use crate::engine::{Engine, EngineError};
use crate::reconcile::{SeenContainer, State};
use crate::record::told::Reason;
use crate::spec::Desired;

/// The last so many bytes of a log are kept.
const MOST_LOG: usize = 1024 * 1024;

/// How a container has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It was never started.
    NotStarted,
    /// It runs.
    Running,
    /// By itself, with this code.
    Code(i64),
    /// The kernel ended it for its memory.
    OutOfMemory(i64),
    /// The engine refused to start it, with this code.
    Refused(i64),
    /// Others of the pod had come to their end, and it was ended then.
    Stopped,
}

impl End {
    /// What it has ended with, where that says something about it.
    #[must_use]
    pub fn code(self) -> Option<i64> {
        match self {
            Self::Code(code) | Self::OutOfMemory(code) | Self::Refused(code) => Some(code),
            Self::NotStarted | Self::Running | Self::Stopped => None,
        }
    }
}

/// One container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Its name.
    pub container: String,
    /// Its code counts for nothing.
    pub sidecar: bool,
    /// How it has ended.
    pub end: End,
    /// When it began and ended, in the engine's milliseconds since 1970.
    pub times: Option<(u64, u64)>,
    /// Why the engine refused to start it.
    pub message: Option<String>,
    /// What it has said, and what the one before it has, as far as that is wanted.
    pub log: String,
}

/// Of all containers, init containers first; and why the whole pod was ended, where somebody ended it.
///
/// # Errors
/// When the engine cannot be asked.
pub async fn results(
    engine: &Engine,
    desired: &Desired,
    logs: bool,
) -> Result<(Vec<Ending>, Option<Reason>), EngineError> {
    let key = &desired.pod.key;
    let seen = engine.look(key, false).await?;
    let told = observe::told(engine, &seen.containers, key).await?;
    let mut endings = Vec::new();
    for container in desired.pod.members() {
        let named = seen
            .members()
            .filter(|c| c.identity.container == container.name);
        let refused = told.refused(&container.name);
        let is_over = |c: &&SeenContainer| c.state != State::Created || refused.is_some();
        let mut all: Vec<&SeenContainer> = named.filter(is_over).collect();
        all.sort_by_key(|c| c.identity.attempt);
        let mut ending = Ending {
            container: container.name.clone(),
            sidecar: container.sidecar,
            end: End::NotStarted,
            times: None,
            message: None,
            log: String::new(),
        };
        if let Some(last) = all.last() {
            let details = engine.details(&last.id).await?.unwrap_or_default();
            ending.end = match last.state {
                State::Exited(_) if told.has_stopped(&container.name) => End::Stopped,
                State::Exited(code) if details.oom_killed => End::OutOfMemory(code),
                State::Exited(code) => End::Code(code),
                State::Created => End::Refused(details.exit_code.max(1)),
                _ => End::Running,
            };
            ending.message = refused.map(str::to_owned);
            ending.times = details.started.zip(details.finished);
        }
        for container in all.iter().filter(|_| logs) {
            ending.log.push_str(&log(engine, &container.id).await?);
        }
        endings.push(ending);
    }
    Ok((endings, told.ended))
}

async fn log(engine: &Engine, id: &str) -> Result<String, EngineError> {
    let range = Range {
        follow: false,
        tail: None,
        since: None,
    };
    let mut lines = engine.logs(id, range);
    let mut text = Vec::new();
    while let Some(line) = lines.try_next().await? {
        text.extend_from_slice(&line.bytes);
        let n_over = text.len().saturating_sub(2 * MOST_LOG);
        text.drain(..n_over);
    }
    let n_over = text.len().saturating_sub(MOST_LOG);
    text.drain(..n_over);
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The container that decides on the code of the whole, and its code: the one that is asked for; else the first to have failed.
/// `None`: all is well.
#[must_use]
pub fn code<'a>(endings: &'a [Ending], from: Option<&str>) -> Option<(&'a Ending, i64)> {
    if let Some(from) = from {
        let ending = endings.iter().find(|ending| ending.container == from)?;
        return Some((ending, ending.end.code().unwrap_or(1)));
    }
    let failed =
        |ending: &&Ending| !ending.sidecar && ending.end.code().is_some_and(|code| code != 0);
    let first = endings.iter().filter(failed).min_by_key(|ending| {
        let end = ending.times.map(|(_, finished)| finished);
        (end.is_none(), end)
    })?;
    Some((first, first.end.code()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(container: &str, code: i64, finished: u64) -> Ending {
        Ending {
            container: container.into(),
            sidecar: false,
            end: End::Code(code),
            times: Some((0, finished)),
            message: None,
            log: String::new(),
        }
    }

    #[test]
    fn the_first_to_fail_decides_and_sidecars_never_do() {
        let mut endings = vec![
            ending("side", 143, 1),
            ending("a", 7, 20),
            ending("b", 5, 10),
        ];
        endings[0].sidecar = true;
        let code = |endings: &'_ [Ending], from| {
            super::code(endings, from).map(|(ending, code)| (ending.container.clone(), code))
        };
        let is = |name: &str, code| Some((name.to_owned(), code));
        assert_eq!(code(&endings, None), is("b", 5));
        assert_eq!(code(&endings, Some("a")), is("a", 7));
        assert_eq!(code(&endings[..1], None), None);
        endings[1].end = End::Running;
        assert_eq!(code(&endings, Some("a")), is("a", 1));
        endings[2].end = End::Stopped;
        assert_eq!(code(&endings, None), None);
    }
}
