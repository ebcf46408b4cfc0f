//! The ways of `stop`, `start` and `restart`: what the record asks for, asked for in another way.
//!
//! Not here: driving (`up`), what follows from such a wish (`reconcile`).

use anyhow::{Context as _, bail};

use super::join::{is_stale, read, recorded};
use super::up::{DAMAGED, Options, Run, Up, rounds};
use super::{Events, Interrupt};
use crate::engine::Engine;
use crate::record::Record;
use crate::spec::{Container, Desired, Pod, PodKey};

/// What is to become of a pod that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// Nothing of it is to run. What is in its volumes stays, but for those in memory.
    Stop,
    /// It is to run.
    Start,
    /// It is to run, and all of it is to be started anew.
    Restart,
    /// It is to run, and these containers are to be started anew.
    RestartContainers(Vec<String>),
}

/// How it ended.
#[derive(Debug)]
pub enum Done {
    /// As an `up` of this pod does.
    Up(Box<(Desired, Up)>),
    /// There is no such pod.
    NotFound,
    /// A person stopped it before anything was asked for.
    Interrupted,
    /// Why a container cannot be started anew.
    Refused(String),
}

/// Asks for it, and sees to it.
///
/// # Errors
/// When the engine cannot be asked, or the record does not read back; and as `up`.
pub async fn again(
    engine: &Engine,
    key: &PodKey,
    again: &Again,
    options: &Options,
    events: &Events,
    interrupt: &Interrupt,
) -> anyhow::Result<Done> {
    rounds(key, async |round| {
        let Some(read) = interrupt.or(0, read_now(engine, key)).await else {
            return Ok(Some(Done::Interrupted));
        };
        let record = match read? {
            Read::Record(record) => record,
            Read::NotFound => return Ok(Some(Done::NotFound)),
            // Another command makes the pause anew; but not for ever.
            Read::NotYet | Read::Empty if round <= DAMAGED => return Ok(None),
            Read::Empty => bail!(
                "all containers of pod `{key}` have been removed: a supervisor makes them anew, and so does `podctl up FILE`"
            ),
            Read::NotYet => bail!(
                "the record of pod `{key}` cannot be read, or is damaged: `podctl up FILE` makes it whole"
            ),
        };
        let unreadable = || format!("the record of pod `{key}` does not read back");
        let mut desired = recorded(&record).with_context(unreadable)?;
        if let Some(reason) = refusal(&desired.pod, again) {
            return Ok(Some(Done::Refused(reason)));
        }
        ask(&mut desired.pod, again, record.wish.generation + 1);
        let run = Run {
            engine,
            key,
            mine: &desired,
            based_on: Some(&record.wish),
            far: false,
            options,
            events,
            interrupt,
        };
        let up = run.go(round).await?;
        Ok(up.map(|up| Done::Up(Box::new((desired, up)))))
    })
    .await
}

/// The record of a pod.
enum Read {
    Record(Box<Record>),
    NotFound,
    /// It is there, and does not say what the pod's containers were made from.
    NotYet,
    /// It is there, and no container.
    Empty,
}

async fn read_now(engine: &Engine, key: &PodKey) -> anyhow::Result<Read> {
    let looking_up = || format!("failed to look up pod `{key}`");
    let seen = engine.look(key, false).await.with_context(looking_up)?;
    if seen.record.is_none() || seen.deletion {
        return Ok(Read::NotFound);
    }
    let record = match seen.pause() {
        Some(pause) => read(engine, key, &pause.id).await?,
        None if seen.containers.is_empty() => return Ok(Read::Empty),
        None => None,
    };
    let record = record.filter(|record| !is_stale(record, &seen.containers));
    Ok(record.map_or(Read::NotYet, |record| Read::Record(Box::new(record))))
}

/// Why what is asked for cannot be.
fn refusal(pod: &Pod, again: &Again) -> Option<String> {
    let Again::RestartContainers(names) = again else {
        return None;
    };
    if pod.stopped {
        return Some(format!(
            "it is stopped, and no container of it is started alone: `podctl start {}` starts them all",
            pod.key.words()
        ));
    }
    let refused = |name: &String| match pod.container(name) {
        None => {
            let all: Vec<&str> = pod.members().map(|c| c.name.as_str()).collect();
            let all = all.join(", ");
            Some(format!("there is no container `{name}`: it has {all}"))
        }
        Some(container) if is_init(pod, container) => Some(format!(
            "`{name}` is an init container, which runs once for each start of the pod: restart the whole pod"
        )),
        Some(_) => None,
    };
    names.iter().find_map(refused)
}

fn is_init(pod: &Pod, container: &Container) -> bool {
    !container.sidecar && pod.init_containers.contains(container)
}

/// Puts the wish of this generation into the pod.
fn ask(pod: &mut Pod, again: &Again, generation: u64) {
    pod.stopped = *again == Again::Stop;
    match again {
        Again::Stop | Again::Start => {}
        Again::Restart => pod.restarted = generation,
        Again::RestartContainers(names) => {
            let members = pod.init_containers.iter_mut().chain(&mut pod.containers);
            for container in members.filter(|c| names.contains(&c.name)) {
                container.restarted = generation;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::hash::tests::{plain, pod};

    #[test]
    fn what_is_asked_for_makes_just_that_anew() {
        let hashes = |pod: &Pod| {
            let members = pod.members();
            let members: Vec<String> = members
                .map(|c| crate::record::hash::container(pod, c))
                .collect();
            (crate::record::hash::pause(pod), members)
        };
        let mut before = pod(&["a", "b"]);
        before.init_containers.push(Container {
            sidecar: true,
            ..plain("s")
        });
        let (pause, members) = hashes(&before);
        let changed = |again: &Again| {
            let mut pod = before.clone();
            ask(&mut pod, again, 7);
            let (now, are) = hashes(&pod);
            let changed: Vec<bool> = are.iter().zip(&members).map(|(a, b)| a != b).collect();
            (now != pause, changed)
        };
        let of = |name: &str| Again::RestartContainers(vec![name.to_owned()]);
        assert_eq!(changed(&of("b")), (false, vec![false, false, true]));
        assert_eq!(changed(&of("s")), (false, vec![true, false, false]));
        assert_eq!(changed(&Again::Restart), (true, vec![false; 3]));
        assert_eq!(changed(&Again::Stop), (false, vec![false; 3]));
    }

    #[test]
    fn a_container_that_is_not_there_or_ends_first_is_refused() {
        let mut pod = pod(&["a"]);
        pod.init_containers.push(plain("i"));
        let refused = |name: &str| refusal(&pod, &Again::RestartContainers(vec![name.to_owned()]));
        assert_eq!(refused("a"), None);
        assert_eq!(
            refused("x").as_deref(),
            Some("there is no container `x`: it has i, a")
        );
        assert!(refused("i").is_some_and(|reason| reason.contains("init container")));
    }

    #[test]
    fn no_container_of_a_stopped_pod_is_started_alone() {
        let stopped = Pod {
            stopped: true,
            ..pod(&["a"])
        };
        let one = Again::RestartContainers(vec!["a".to_owned()]);
        assert!(refusal(&stopped, &one).is_some_and(|reason| reason.contains("podctl start web")));
        assert_eq!(refusal(&stopped, &Again::Restart), None);
    }
}
