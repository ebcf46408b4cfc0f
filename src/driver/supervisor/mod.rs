//! The supervisor's container: started where there is none, replaced where it is older, taken away.
//!
//! - `program`: what its image holds.
//! - `socket`: which of the engine's paths may be its socket.
//!
//! Not here: what it does (`supervise`).

mod program;
mod socket;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use futures_util::StreamExt;
use semver::Version;

use crate::engine::logs::Range;
use crate::engine::supervisor::Supervisor;
use crate::engine::{Engine, EngineError};
use crate::reconcile::State;
use crate::record::{labels, names};
use crate::spec::EngineFacts;
use crate::translate::supervisor::{SOCKET, supervisor};

/// Of this podctl.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The first line of its log that says that it has found its engine.
pub const AT_WORK: &str = "Supervising";
/// The first line of its log is waited for no longer.
const FIRST_WORDS: Duration = Duration::from_secs(10);
/// While another removes it, or starts it.
const PATIENCE: Duration = Duration::from_millis(200);
const MOST_TRIES: u32 = 25;

/// How to start one.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--engine-socket`.
    pub socket: Option<String>,
    /// `--supervisor-binary`.
    pub binary: Option<PathBuf>,
    /// Arguments of `podctl supervise`.
    pub arguments: Vec<String>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ensured {
    /// There is one.
    Running,
    /// One runs in the foreground, there.
    Foreground(String),
    /// It was started now.
    Started,
    /// It was started now, in the place of an older one.
    Replaced {
        /// Its version.
        old: String,
    },
}

/// What keeps the pods of an engine: a container at work, or one marked as at work in the foreground.
///
/// # Errors
/// When the engine does not answer.
pub async fn at_work(engine: &Engine) -> Result<Option<Ensured>, EngineError> {
    let (found, place) = tokio::try_join!(engine.supervisor(), engine.foreground_supervisor())?;
    Ok(match found {
        Some(found) if is_at_work(&found) => Some(Ensured::Running),
        _ => place.map(Ensured::Foreground),
    })
}

/// Starts a supervisor, unless one runs that is no older.
///
/// # Errors
/// When none can be started: there is no program for the engine, or no socket by which it would find the engine.
pub async fn ensure(engine: &Engine, options: &Options) -> anyhow::Result<Ensured> {
    let looking = "failed to look for the supervisor";
    // By which the one before has found the engine.
    let mut socket_before = None;
    for _ in 0..MOST_TRIES {
        let old = match engine.supervisor().await.context(looking)? {
            Some(found) if is_at_work(&found) && !is_older(&found.version, VERSION) => {
                return Ok(Ensured::Running);
            }
            // Another podctl has made it just now, or it is on its way out.
            Some(Supervisor {
                state: State::Created | State::Removing,
                ..
            }) => {
                tokio::time::sleep(PATIENCE).await;
                continue;
            }
            // An older podctl has no say in what a newer one started: it is set to work as it is.
            Some(found) if is_older(VERSION, &found.version) => {
                engine.rouse_supervisor(&found).await.context(looking)?;
                return Ok(Ensured::Running);
            }
            Some(found) => {
                // One that works is not given away for one that cannot be started.
                load_image(engine, &engine.facts().await?, options).await?;
                engine.remove(&found.id).await.context(looking)?;
                socket_before = found.socket.or(socket_before);
                is_older(&found.version, VERSION).then_some(found.version)
            }
            None => match engine.foreground_supervisor().await.context(looking)? {
                Some(place) => return Ok(Ensured::Foreground(place)),
                None => None,
            },
        };
        if start(engine, options, socket_before.as_ref()).await? {
            return Ok(old.map_or(Ensured::Started, |old| Ensured::Replaced { old }));
        }
        tokio::time::sleep(PATIENCE).await;
    }
    // One that was made and never started is what is left of a podctl that was killed.
    if let Some(found) = engine.supervisor().await.context(looking)? {
        if found.state == State::Running {
            return Ok(Ensured::Running);
        }
        engine.remove(&found.id).await.context(looking)?;
        if start(engine, options, socket_before.as_ref()).await? {
            return Ok(Ensured::Started);
        }
    }
    if engine.supervisors_name_is_taken().await.context(looking)? {
        bail!(
            "another container has its name: rename or remove the container `{}`",
            names::SUPERVISOR
        );
    }
    bail!("others start and stop the supervisor again and again")
}

/// One that somebody has paused is replaced, and so is one that ends again and again: it may have been started for another engine.
fn is_at_work(found: &Supervisor) -> bool {
    found.state == State::Running && !found.paused && !found.restarting
}

/// Whether one was started; not where another podctl is about to.
async fn start(
    engine: &Engine,
    options: &Options,
    socket_before: Option<&String>,
) -> anyhow::Result<bool> {
    let facts = engine.facts().await?;
    let image = load_image(engine, &facts, options).await?;
    let candidates = match &options.socket {
        Some(socket) => vec![socket.clone()],
        None => socket::candidates(&engine.chosen().endpoint.host, socket_before),
    };
    let mut tried = Vec::new();
    for socket in candidates {
        let mut command: Vec<String> = ["--host", &format!("unix://{SOCKET}"), "supervise"]
            .map(str::to_owned)
            .to_vec();
        command.extend(["--engine-id".to_owned(), facts.identity()]);
        command.extend(options.arguments.iter().cloned());
        let body = supervisor(&image, VERSION, &socket, command);
        let id = match engine.create_supervisor(body).await {
            Ok(Some(id)) => id,
            Ok(None) => return Ok(false),
            // Docker API: 400, the source of a mount is not there.
            Err(error) => {
                tried.push(format!("{socket}: {error}"));
                continue;
            }
        };
        match begin(engine, &id).await {
            Ok(()) => return Ok(true),
            Err(error) => {
                tried.push(format!("{socket}: {error:#}"));
                engine.remove(&id).await?;
            }
        }
    }
    Err(anyhow!(
        "it finds the engine by none of these sockets of its machine: {}; name the right one with --engine-socket",
        tried.join("; ")
    ))
}

/// Starts it, and waits until it says that it has found its engine.
async fn begin(engine: &Engine, id: &str) -> anyhow::Result<()> {
    engine.start(id).await?;
    let range = Range {
        follow: true,
        ..Range::default()
    };
    let mut lines = engine.logs(id, range).boxed();
    let first = async {
        let mut said = String::new();
        while let Some(line) = lines.next().await {
            let line = line?;
            said = String::from_utf8_lossy(&line.bytes).trim().to_owned();
            if said.starts_with(AT_WORK) {
                return Ok(());
            }
        }
        bail!("it has ended: {said}")
    };
    match tokio::time::timeout(FIRST_WORDS, first).await {
        Ok(end) => end,
        Err(_) => bail!("it says nothing"),
    }
}

async fn load_image(
    engine: &Engine,
    facts: &EngineFacts,
    options: &Options,
) -> anyhow::Result<String> {
    let tag = format!("podctl/supervisor:{VERSION}");
    let image = program::image(&tag, facts.architecture, options.binary.as_deref())?;
    let known = async || {
        for id in &image.ids {
            if engine.image_facts(id).await?.is_some() {
                return Ok(Some(id.clone()));
            }
        }
        Ok::<_, EngineError>(None)
    };
    if let Some(id) = known().await? {
        return Ok(id);
    }
    let loading = "failed to load its image into the engine";
    engine.load_image(image.archive).await.context(loading)?;
    // The one that had its name before, where that was of the same version, has none any more.
    engine.remove_unnamed_images(labels::SUPERVISOR_IMAGE).await;
    let id = known().await?;
    id.context("the engine has loaded its image, and does not know it by its id")
}

/// Takes the container away; whether there was one. The pods go on.
///
/// # Errors
/// When the engine refuses.
pub async fn stop(engine: &Engine) -> Result<bool, EngineError> {
    let Some(found) = engine.supervisor().await? else {
        return Ok(false);
    };
    engine.remove(&found.id).await?;
    Ok(true)
}

/// Removes the mark of a supervisor in the foreground.
///
/// # Errors
/// When the engine refuses.
pub async fn unmark(engine: &Engine) -> Result<(), EngineError> {
    engine.remove_volume(names::SUPERVISOR).await
}

/// Removes the network where no pod needs it, as the last pod's end does where there is no supervisor.
///
/// # Errors
/// When the engine refuses.
pub async fn remove_network(engine: &Engine) -> Result<(), EngineError> {
    if engine.pauses().await?.is_empty() {
        engine.remove_network().await?;
    }
    Ok(())
}

/// Whether a version is older than the other; one that does not read as a version is older than all.
fn is_older(version: &str, than: &str) -> bool {
    Version::parse(version).ok() < Version::parse(than).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_older_by_its_numbers_and_before_it_is_released() {
        for (older, newer) in [("0.9.10", "0.10.0"), ("1.2.3-rc.1", "1.2.3"), ("", "0.0.1")] {
            assert!(is_older(older, newer) && !is_older(newer, older), "{older}");
        }
        assert!(!is_older(VERSION, VERSION));
    }
}
