//! The driver for all pods of an engine: a task for each, begun when the pod is heard of, ended when it is gone.
//!
//! - `keep`: one pod; `at_work`: whether a command is at work on it.
//!
//! Not here: where the supervisor runs, and what starts it.

mod at_work;
mod keep;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use futures_util::StreamExt;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};

use super::images::{ensure_pause_image, pause_images};
use super::silence::PATIENCE;
use super::{Event, Events, Interrupt, images, known, memory};
use crate::engine::{Engine, EngineError};
use crate::reconcile::restart::BackOff;
use crate::spec::{EngineFacts, PodKey};

/// An event may be missed: so often all pods are looked for.
const LONGEST_REST: Duration = Duration::from_mins(1);
/// An engine that has not answered for so long is lost. Who is started again then finds it where it is now: a socket's file that was bound
/// into a container is not that of an engine that has been started anew.
const LOST: Duration = Duration::from_secs(5);
/// What is under way when it is to end is waited for no longer.
const LAST_STEPS: Duration = Duration::from_secs(2);
/// An engine tells of a disconnect some time before its list call does: it is looked again so long after each look.
const AFTER_A_DISCONNECT: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(300)];
/// A container that ends leaves the network too: where many do, it is looked no more often than this.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// What all pods share.
struct Shared {
    engine: Engine,
    facts: EngineFacts,
    pause_image: String,
    /// What the engine's clock is ahead of this one, in milliseconds.
    ahead: i64,
    back_off: BackOff,
}

impl Shared {
    /// By the engine's clock, in milliseconds since 1970.
    fn now(&self) -> u64 {
        memory::now().saturating_add_signed(self.ahead)
    }
}

/// How to supervise.
#[derive(Debug, Clone)]
pub struct Options {
    /// So long after the last pod it ends; `None`: never.
    pub idle: Option<Duration>,
    /// How long an end of a container is answered with waiting.
    pub back_off: BackOff,
}

/// Why it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// There has been no pod for as long as was asked for.
    Idle,
    /// A person, or the engine, has stopped it. The pods go on.
    Stopped,
}

/// Keeps all pods of the engine alive. `tell` is given what happens to them; `None`: that one is gone.
///
/// # Errors
/// When the engine cannot be asked at the beginning, or has been lost.
pub async fn supervise(
    engine: &Engine,
    options: &Options,
    tell: UnboundedSender<(PodKey, Option<Event>)>,
    interrupt: &Interrupt,
) -> anyhow::Result<End> {
    let shared = Arc::new(shared(engine, options.back_off).await?);
    let mut pods = Pods {
        shared,
        interrupt: interrupt.clone(),
        tell,
        tasks: JoinSet::new(),
        keys: BTreeMap::new(),
    };
    let listen = || {
        (
            engine.news(None).boxed(),
            engine.wishes().boxed(),
            engine.disconnects().boxed(),
        )
    };
    let (mut news, mut wishes, mut disconnects) = listen();
    // The engine tells nothing any more.
    let mut broken = false;
    let (mut check, mut checked) = (None, None::<Instant>);
    let mut idle_since = Instant::now();
    let mut next_look = Instant::now();
    let mut stopped = interrupt.clone();
    loop {
        if !pods.keys.is_empty() {
            idle_since = Instant::now();
        }
        let idle_for = options.idle.unwrap_or(Duration::MAX);
        let leave = idle_since.checked_add(idle_for);
        if std::mem::take(&mut broken) {
            // An engine may answer, and tell nothing.
            tokio::time::sleep(PATIENCE).await;
            reach(engine).await?;
            (news, wishes, disconnects) = listen();
            next_look = Instant::now();
        }
        tokio::select! { biased;
            () = stopped.beyond(0) => {
                pods.end().await;
                return Ok(End::Stopped);
            }
            heard = news.next() => match heard {
                Some(key) => pods.begin(key),
                None => broken = true,
            },
            Some(ended) = pods.tasks.join_next_with_id() => {
                // A panic costs the pod its turn: it is begun anew with the next look.
                pods.ended(ended.map_or_else(|error| error.id(), |(id, ())| id));
            }
            // Of a command that was killed at once nothing else may be heard.
            heard = wishes.next() => match heard {
                Some(key) => {
                    pods.look_at(&key);
                    pods.begin(key);
                }
                None => broken = true,
            },
            Some(()) = disconnects.next() => {
                let soon = checked.map(|last| last + BETWEEN_LOOKS);
                check = soon.max(Some(Instant::now())).map(|at| (at, 0));
            }
            () = at(check.map(|(at, _)| at)) => {
                if in_time(pods.look_for_disconnected()).await.is_none() {
                    reach(engine).await?;
                }
                let now = Instant::now();
                checked = Some(now);
                let n_looks = check.map_or(0, |(_, n)| n);
                check = AFTER_A_DISCONNECT.get(n_looks).map(|rest| (now + *rest, n_looks + 1));
            }
            () = tokio::time::sleep_until(next_look.into()) => {
                match in_time(known::pods(engine)).await {
                    Some(keys) => keys.into_iter().for_each(|key| pods.begin(key)),
                    None => reach(engine).await?,
                }
                next_look = Instant::now() + LONGEST_REST;
            }
            () = at(leave) => {
                match in_time(known::pods(engine)).await {
                    Some(keys) if keys.is_empty() => return Ok(End::Idle),
                    Some(keys) => keys.into_iter().for_each(|key| pods.begin(key)),
                    None => reach(engine).await?,
                }
            }
        }
    }
}

/// Never, where there is no time.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}

async fn shared(engine: &Engine, back_off: BackOff) -> anyhow::Result<Shared> {
    let references = pause_images();
    let looks = async {
        tokio::try_join!(
            engine.facts(),
            engine.now(),
            images::find(engine, &references)
        )
    };
    let (facts, now, pauses) = looks.await.context("failed to look at the engine")?;
    let ahead = memory::ahead(now);
    let pause_image = ensure_pause_image(engine, &facts, &pauses)
        .await
        .context("failed to load the pause image into the engine")?;
    Ok(Shared {
        engine: engine.clone(),
        facts,
        pause_image,
        ahead,
        back_off,
    })
}

/// What an engine answers; `None`: nothing, or not before it counts as lost.
async fn in_time<T>(answer: impl Future<Output = Result<T, EngineError>>) -> Option<T> {
    tokio::time::timeout(LOST, answer).await.ok()?.ok()
}

/// Waits for an engine whose connection has ended, or that does not answer.
async fn reach(engine: &Engine) -> anyhow::Result<()> {
    let until = Instant::now() + LOST;
    loop {
        let asked = tokio::time::timeout_at(until.into(), engine.ping()).await;
        if matches!(asked, Ok(Ok(()))) {
            return Ok(());
        }
        if Instant::now() + PATIENCE >= until {
            bail!("the engine has not answered for {} s", LOST.as_secs());
        }
        tokio::time::sleep(PATIENCE).await;
    }
}

/// The tasks.
struct Pods {
    shared: Arc<Shared>,
    interrupt: Interrupt,
    tell: UnboundedSender<(PodKey, Option<Event>)>,
    tasks: JoinSet<()>,
    keys: BTreeMap<PodKey, Pod>,
}

/// One that is kept.
struct Pod {
    task: Id,
    /// Counts all that happens to it.
    news: watch::Sender<u64>,
    /// Counts what happens to its containers.
    changes: watch::Sender<u64>,
}

impl Pods {
    /// Begins to keep a pod, unless it is kept already.
    fn begin(&mut self, key: PodKey) {
        if self.keys.contains_key(&key) {
            return;
        }
        let (shared, interrupt) = (Arc::clone(&self.shared), self.interrupt.clone());
        let (sender, mut events) = mpsc::unbounded_channel();
        let (tell, of) = (self.tell.clone(), key.clone());
        let ((news, all_news), (changes, all_changes)) = (watch::channel(0), watch::channel(0));
        let mut happens = shared.engine.news_of(&key).boxed();
        let mut changed = shared.engine.changes(&key).boxed();
        let events_to = Events::to(sender);
        let (count_news, count_changes) = (news.clone(), changes.clone());
        let heard = (all_news, all_changes);
        let kept = keep::keep(shared, key.clone(), heard, events_to, interrupt);
        let task = self.tasks.spawn(async move {
            let pass_on = async {
                while let Some(event) = events.recv().await {
                    // A supervisor that nobody listens to works all the same.
                    let _ = tell.send((of.clone(), Some(event)));
                }
            };
            let count = async {
                loop {
                    let counter = tokio::select! {
                        Some(()) = happens.next() => &count_news,
                        Some(()) = changed.next() => &count_changes,
                        else => return,
                    };
                    counter.send_modify(|n| *n += 1);
                }
            };
            tokio::select! {
                _ = async { tokio::join!(kept, pass_on) } => {}
                () = count => {}
            }
            let _ = tell.send((of, None));
        });
        let task = task.id();
        self.keys.insert(
            key,
            Pod {
                task,
                news,
                changes,
            },
        );
    }

    /// The task of a pod has ended.
    fn ended(&mut self, task: Id) {
        self.keys.retain(|_, pod| pod.task != task);
    }

    /// Has a look taken at pods whose pause has been taken out of the network: no event of a container tells of that.
    async fn look_for_disconnected(&self) -> Result<(), EngineError> {
        let pauses = self.shared.engine.pauses().await?;
        for pause in pauses.iter().filter(|c| c.is_running() && !c.connected) {
            self.look_at(pause.pod());
        }
        Ok(())
    }

    /// Has a look taken at a pod, where it is kept.
    fn look_at(&self, key: &PodKey) {
        if let Some(pod) = self.keys.get(key) {
            for counter in [&pod.news, &pod.changes] {
                counter.send_modify(|n| *n += 1);
            }
        }
    }

    /// What is under way comes to its end, for a moment: an engine that stops waits for it.
    async fn end(&mut self) {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST_STEPS, all).await;
    }
}
