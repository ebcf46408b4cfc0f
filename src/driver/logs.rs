//! The logs of a pod: its containers' lines in the order of their times, and on across restarts.
//!
//! Not here: prefixes and colours (`output::lines`).

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use anyhow::Context as _;
use futures_util::stream::{self, BoxStream, SelectAll};
use futures_util::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::jiff::Timestamp;
use tokio::time::Instant;

use super::silence::{PATIENCE, Silence};
use crate::engine::error::is_of_connection;
use crate::engine::logs::{Line, Range};
use crate::engine::{Engine, EngineError};
use crate::reconcile::{SeenContainer, State};
use crate::spec::PodKey;

/// An engine tells of an end before its list call does: so long after an event it is looked again for containers.
const AFTER_AN_EVENT: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(300),
    Duration::from_secs(1),
];
/// An event may be missed: so often it is looked anyhow.
const LONGEST_REST: Duration = Duration::from_mins(1);

/// Which lines of which containers.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// One container; `None`: all.
    pub container: Option<String>,
    /// Go on with those that come later.
    pub follow: bool,
    /// The last so many of each container.
    pub tail: Option<u64>,
    /// Not those before, in seconds since 1970.
    pub since: Option<i64>,
    /// Of each container the one before the one that is there, instead of all.
    pub previous: bool,
}

impl Wanted {
    /// The containers that are meant, the older ones of a name first.
    #[must_use]
    pub fn of(&self, containers: &[SeenContainer]) -> Vec<SeenContainer> {
        let is_meant = |c: &&SeenContainer| {
            !c.identity.is_pause()
                && self
                    .container
                    .as_ref()
                    .is_none_or(|name| *name == c.identity.container)
        };
        let mut meant: Vec<_> = containers.iter().filter(is_meant).cloned().collect();
        meant.sort_by_key(|c| c.identity.attempt);
        if self.previous {
            previous(meant)
        } else {
            meant
        }
    }
}

/// Of containers in the order of their attempts: the last but those that are there now.
fn previous(containers: Vec<SeenContainer>) -> Vec<SeenContainer> {
    let mut last: BTreeMap<String, Vec<SeenContainer>> = BTreeMap::new();
    for container in containers {
        let of_name = last.entry(container.identity.container.clone());
        of_name.or_default().push(container);
    }
    let previous = |mut of_name: Vec<SeenContainer>| {
        of_name.pop()?;
        of_name.pop()
    };
    last.into_values().filter_map(previous).collect()
}

/// Gives each line, with the name of its container, to `show`; ends when `show` wants no more.
///
/// # Errors
/// When the engine cannot be asked, or `show` fails.
pub async fn logs(
    engine: &Engine,
    key: &PodKey,
    wanted: &Wanted,
    mut show: impl FnMut(&str, &Line) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let mut last = BTreeMap::new();
    let told = tell(engine, key, wanted, &mut last, &mut show).await;
    if !wanted.follow {
        return told;
    }
    match told {
        // It is gone on from the last line that was shown. Where the last few were asked for, none has been yet.
        Err(error) if wanted.tail.is_none() && is_of_connection(&error) => {}
        told => told?,
    }
    follow(engine, key, wanted, last, show).await
}

/// Lines that there are. `last`: of each container, the time up to which nothing need be shown any more.
async fn tell(
    engine: &Engine,
    key: &PodKey,
    wanted: &Wanted,
    last: &mut BTreeMap<String, Timestamp>,
    mut show: impl FnMut(&str, &Line) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let containers = wanted.of(&engine.containers(Some(key)).await?);
    let mut histories = Vec::new();
    for container in &containers {
        let id = &container.id;
        // One that has said nothing since then is shown with what it says next, and not from its beginning.
        let before = wanted
            .since
            .map(|since| Timestamp::new(since - 1, 999_999_999));
        last.extend(before.and_then(Result::ok).map(|time| (id.clone(), time)));
        let lines = if let Some(most) = wanted.tail {
            let lines = tail(engine, id, most.max(1), wanted.since);
            let lines = lines.await.context("failed to read the logs")?;
            last.extend(lines.back().map(|line| (id.clone(), line.time)));
            let shown = lines.into_iter().filter(|_| most > 0);
            stream::iter(shown.map(Ok).collect::<Vec<_>>()).boxed()
        } else {
            let range = Range {
                follow: false,
                tail: None,
                since: wanted.since,
            };
            engine.logs(id, range).boxed()
        };
        histories.push((container.identity.container.clone(), id.clone(), lines));
    }
    let mut merged = Merge::new(histories);
    while let Some((name, id, line)) = merged.next().await.context("failed to read the logs")? {
        last.insert(id, line.time);
        show(&name, &line)?;
    }
    Ok(())
}

/// Lines that come from now on. `last` has the time of each container's last line.
async fn follow(
    engine: &Engine,
    key: &PodKey,
    wanted: &Wanted,
    mut last: BTreeMap<String, Timestamp>,
    mut show: impl FnMut(&str, &Line) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let mut streams: SelectAll<BoxStream<'static, Said>> = SelectAll::new();
    // Until when the lines of those that are followed have been shown before.
    let mut followed: BTreeMap<String, Timestamp> = BTreeMap::new();
    let mut changes = engine.changes(key).boxed();
    let mut n_looks = 0;
    let mut next_look = Instant::now();
    let mut silence = Silence::default();
    loop {
        tokio::select! {
            Some(()) = changes.next() => (n_looks, next_look) = (0, Instant::now()),
            Some((name, id, line)) = streams.next() => match line {
                // The engine takes the time in seconds: what was shown comes again.
                Some(Ok(line)) if followed.get(&id).is_some_and(|seen| line.time <= *seen) => {}
                Some(Ok(line)) => {
                    let latest = last.entry(id).or_insert(line.time);
                    *latest = line.time.max(*latest);
                    show(&name, &line)?;
                }
                // It is gone, or on its way out.
                Some(Err(error)) if matches!(error.status(), Some(404 | 409)) => {}
                Some(Err(error)) if silence.bears(&error) => {
                    followed.remove(&id);
                    (n_looks, next_look) = (0, Instant::now() + PATIENCE);
                }
                Some(Err(error)) => return Err(error).context("failed to read the logs"),
                None if followed.contains_key(&id) => (n_looks, next_look) = (0, Instant::now()),
                None => {}
            },
            () = tokio::time::sleep_until(next_look) => {
                let rest = AFTER_AN_EVENT.get(n_looks).copied().unwrap_or(LONGEST_REST);
                next_look = Instant::now() + rest;
                n_looks += 1;
                let containers = match engine.containers(Some(key)).await {
                    Ok(containers) => containers,
                    Err(error) if silence.bears(&error) => {
                        next_look = Instant::now() + PATIENCE;
                        continue;
                    }
                    Err(error) => return Err(error).context("failed to read the logs"),
                };
                let meant = wanted.of(&containers);
                let n_followed = followed.len();
                for container in &meant {
                    if followed.contains_key(&container.id) || container.state == State::Created {
                        continue;
                    }
                    let since = last.get(&container.id).copied();
                    followed.insert(container.id.clone(), since.unwrap_or(Timestamp::MIN));
                    streams.push(said(engine, container, since));
                }
                // A log that can be opened may break again and again.
                if followed.len() == n_followed {
                    silence.end();
                }
                if !meant.iter().any(may_speak) && streams.is_empty() {
                    return Ok(());
                }
            }
        }
    }
}

/// Of a container, by name and id. `None`: it says no more.
type Said = (String, String, Option<Result<Line, EngineError>>);

fn said(
    engine: &Engine,
    container: &SeenContainer,
    since: Option<Timestamp>,
) -> BoxStream<'static, Said> {
    let (name, id) = (container.identity.container.clone(), container.id.clone());
    let range = Range {
        follow: true,
        tail: None,
        since: since.map(Timestamp::as_second),
    };
    engine
        .logs(&id, range)
        .map(Some)
        .chain(stream::iter([None]))
        .map(move |line| (name.clone(), id.clone(), line))
        .boxed()
}

/// Whether something may still come from a container, or from one in its place.
fn may_speak(container: &SeenContainer) -> bool {
    match container.state {
        State::Exited(code) => container.identity.runs_again(code),
        State::Running | State::Created | State::Removing => true,
    }
}

/// Several streams of lines as one, in the order of their times; of lines with one time, in the order of the streams.
struct Merge<S> {
    streams: Vec<(String, String, S)>,
    heads: Vec<Option<Line>>,
    begun: bool,
}

impl<S> Merge<S>
where
    S: Stream<Item = Result<Line, EngineError>> + Unpin,
{
    fn new(streams: Vec<(String, String, S)>) -> Self {
        Self {
            heads: streams.iter().map(|_| None).collect(),
            streams,
            begun: false,
        }
    }

    async fn next(&mut self) -> Result<Option<(String, String, Line)>, EngineError> {
        if !self.begun {
            self.begun = true;
            for (head, (_, _, stream)) in self.heads.iter_mut().zip(&mut self.streams) {
                *head = stream.try_next().await?;
            }
        }
        let times = self.heads.iter().enumerate();
        let first = times
            .filter_map(|(i, head)| Some((head.as_ref()?.time, i)))
            .min();
        let Some((_, i)) = first else { return Ok(None) };
        let (name, id, stream) = &mut self.streams[i];
        let next = stream.try_next().await?;
        let line = std::mem::replace(&mut self.heads[i], next);
        Ok(line.map(|line| (name.clone(), id.clone(), line)))
    }
}

/// The last lines of a container. The engine counts the pieces that it has cut lines into, so that more of them are asked
/// for until there are lines enough; the first line of an answer may lack its beginning, unless the answer is all there is.
async fn tail(
    engine: &Engine,
    container: &str,
    most: u64,
    since: Option<i64>,
) -> Result<VecDeque<Line>, EngineError> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut asked = most as u64 + 1;
    loop {
        let range = Range {
            follow: false,
            tail: Some(asked),
            since,
        };
        let mut lines: VecDeque<Line> = engine.logs(container, range).try_collect().await?;
        let n_pieces: u64 = lines.iter().map(|line| line.n_pieces).sum();
        if n_pieces < asked || lines.len() > most + 1 {
            lines.drain(..lines.len().saturating_sub(most));
            return Ok(lines);
        }
        asked = asked.saturating_mul(4).saturating_add(16);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "an item of a stream")]
    fn line(time: i64, text: &str) -> Result<Line, EngineError> {
        let time = Timestamp::from_second(time).expect("a time");
        Ok(Line {
            time,
            bytes: text.as_bytes().to_vec(),
            n_pieces: 1,
        })
    }

    #[tokio::test]
    async fn lines_of_several_containers_come_in_the_order_of_their_times() {
        let a = stream::iter([line(1, "a1"), line(3, "a3")]);
        let b = stream::iter([line(1, "b1"), line(2, "b2"), line(4, "b4")]);
        let streams = [("a", a.boxed()), ("b", b.boxed())];
        let streams = streams
            .into_iter()
            .map(|(name, s)| (name.to_owned(), String::new(), s));
        let mut merge = Merge::new(streams.collect());
        let mut order = String::new();
        while let Some((_, _, line)) = merge.next().await.expect("lines") {
            order.push_str(&String::from_utf8_lossy(&line.bytes));
        }
        assert_eq!(order, "a1b1b2a3b4");
    }
}
