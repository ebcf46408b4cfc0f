//! How the containers of a pod that is over have ended, and what they have said.
//!
//! Not here: what is written of it (`output::junit`).

use futures_util::TryStreamExt;

use crate::engine::logs::Range;
use crate::engine::{Engine, EngineError};
use crate::reconcile::State;
use crate::spec::Desired;

/// The last so many bytes of a log are kept.
const MOST_LOG: usize = 1024 * 1024;

/// One container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Its name.
    pub container: String,
    /// A sidecar was ended; its code counts for nothing.
    pub sidecar: bool,
    /// `None`: it was never started.
    pub code: Option<i64>,
    /// When it began and ended, in the engine's milliseconds since 1970.
    pub times: Option<(u64, u64)>,
    /// What it has said, as far as that is wanted.
    pub log: String,
}

/// Of all containers, init containers first.
///
/// # Errors
/// When the engine cannot be asked.
pub async fn results(
    engine: &Engine,
    desired: &Desired,
    logs: bool,
) -> Result<Vec<Ending>, EngineError> {
    let seen = engine.look(&desired.pod.key, false).await?;
    let mut endings = Vec::new();
    for container in desired.pod.members() {
        let mut ending = Ending {
            container: container.name.clone(),
            sidecar: container.sidecar,
            code: None,
            times: None,
            log: String::new(),
        };
        if let Some(member) = seen.member(&container.name) {
            if let State::Exited(code) = member.state {
                ending.code = Some(code);
            }
            let details = engine.details(&member.id).await?.unwrap_or_default();
            ending.times = details.started.zip(details.finished);
            if logs {
                ending.log = log(engine, &member.id).await?;
            }
        }
        endings.push(ending);
    }
    Ok(endings)
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

/// The container that decides on the code of the whole, and its code: the one that is asked for; else the first to have failed; else one
/// that has not been started because of another. `None`: all is well.
#[must_use]
pub fn code<'a>(endings: &'a [Ending], from: Option<&str>) -> Option<(&'a str, i64)> {
    let named = |ending: &'a Ending| Some((ending.container.as_str(), ending.code?));
    if let Some(from) = from {
        let ending = endings.iter().find(|ending| ending.container == from)?;
        return named(ending).or(Some((ending.container.as_str(), 1)));
    }
    let failed = |ending: &&Ending| !ending.sidecar && ending.code.is_some_and(|code| code != 0);
    let first = endings.iter().filter(failed).min_by_key(|ending| {
        let end = ending.times.map(|(_, finished)| finished);
        (end.is_none(), end)
    });
    first.and_then(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(container: &str, code: i64, finished: u64) -> Ending {
        Ending {
            container: container.into(),
            sidecar: false,
            code: Some(code),
            times: Some((0, finished)),
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
        assert_eq!(code(&endings, None), Some(("b", 5)));
        assert_eq!(code(&endings, Some("a")), Some(("a", 7)));
        assert_eq!(code(&endings[..1], None), None);
        endings[1].code = None;
        assert_eq!(code(&endings, Some("a")), Some(("a", 1)));
    }
}
