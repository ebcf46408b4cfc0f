//! What the events of an `up` say of how its containers have come up.
//!
//! Not here: drawing it (`output::timeline`).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::driver::Event;
use crate::output::timeline::{Span, Step, Way};
use crate::reconcile::Action;
use crate::record::labels::PAUSE_CONTAINER;
use crate::spec::{Container, Pod};

/// The ways of the pause and of all containers. `events`: with the time since the beginning.
pub(super) fn ways(pod: &Pod, events: &[(Duration, Event)]) -> Vec<Way> {
    let mut spans: BTreeMap<String, Span> = BTreeMap::new();
    let mut ready = BTreeMap::new();
    for (time, event) in events {
        let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        match event {
            Event::Pulling { image } => {
                spans.insert(format!("pull {image}"), (time, time));
            }
            Event::Pulled { image } => end(&mut spans, &format!("pull {image}"), time),
            Event::Began(action) => {
                if let Some(key) = key(action) {
                    spans.entry(key).or_insert((time, time));
                }
            }
            Event::Ended(action) => {
                if let Some(key) = key(action) {
                    end(&mut spans, &key, time);
                }
            }
            Event::Ready { container } => {
                ready.entry(container.clone()).or_insert(time);
            }
            _ => {}
        }
    }
    let way = |name: &str, shown: &str, container: Option<&Container>| {
        let start = spans.get(&format!("start {name}")).copied();
        let is_asked =
            container.is_some_and(|c| c.probes.readiness.is_some() || c.probes.startup.is_some());
        let is_init = pod
            .init_containers
            .iter()
            .any(|c| c.name == name && !c.sidecar);
        let at_once = start.map(|(_, to)| to).filter(|_| !is_asked && !is_init);
        Way {
            container: shown.to_owned(),
            pull: container.and_then(|c| spans.get(&format!("pull {}", c.image)).copied()),
            create: spans
                .get(&format!("create {name}"))
                .copied()
                .map(Step::Took),
            start: start.map(Step::Took),
            ready: ready.get(name).copied().or(at_once),
        }
    };
    let pause = way(PAUSE_CONTAINER, "(pause)", None);
    let members = pod.members().map(|c| way(&c.name, &c.name, Some(c)));
    std::iter::once(pause).chain(members).collect()
}

fn end(spans: &mut BTreeMap<String, Span>, key: &str, time: u64) {
    if let Some(span) = spans.get_mut(key) {
        span.1 = time;
    }
}

fn key(action: &Action) -> Option<String> {
    match action {
        Action::CreatePause { .. } => Some(format!("create {PAUSE_CONTAINER}")),
        Action::Create { container, .. } => Some(format!("create {container}")),
        Action::Start(target) => Some(format!("start {}", target.container)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::action::{Target, Why};
    use crate::record::hash::tests::pod;

    #[test]
    fn events_are_put_together_to_ways() {
        let create = Action::Create {
            container: "a".into(),
            attempt: 0,
            pause: "p".into(),
            round: 0,
            why: Why::Missing,
            restart: None,
        };
        let start = Action::Start(Target {
            id: "a0".into(),
            container: "a".into(),
            attempt: 0,
        });
        let image = "busybox".to_owned();
        let events = [
            Event::Pulling {
                image: image.clone(),
            },
            Event::Pulled { image },
            Event::Began(create.clone()),
            Event::Ended(create),
            Event::Began(start.clone()),
            Event::Ended(start),
        ];
        let times = (1..).map(|i| Duration::from_millis(i * 10));
        let events: Vec<_> = times.zip(events).collect();
        let ways = ways(&pod(&["a"]), &events);
        assert_eq!(
            ways[1],
            Way {
                container: "a".into(),
                pull: Some((10, 20)),
                create: Some(Step::Took((30, 40))),
                start: Some(Step::Took((50, 60))),
                ready: Some(60),
            }
        );
    }
}
