//! Says when to look at a pod again. The engine's events name the pod that something has happened to; who drives a pod writes what it
//! knows into the record, which is an event too. A look at all comes from time to time all the same.
//!
//! Not here: looking (`observe`), what has changed (whoever looks).

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::time::Instant;

use crate::engine::Engine;
use crate::spec::PodKey;

/// An engine tells of an end before its list call does: so long after an event it is looked again.
const AFTER_AN_EVENT: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(300),
    Duration::from_secs(1),
];

/// Listens to the events of one pod or of all.
pub struct Watch<'a> {
    engine: &'a Engine,
    pod: Option<&'a PodKey>,
    events: BoxStream<'static, PodKey>,
    cut: bool,
    plan: Plan,
}

impl<'a> Watch<'a> {
    /// From now on. What happens before the engine has taken the call is found by looks soon after. `rest`: between two looks at all
    /// while nothing is heard.
    #[must_use]
    pub fn begin(engine: &'a Engine, pod: Option<&'a PodKey>, rest: Duration) -> Self {
        Self {
            engine,
            pod,
            events: engine.news(pod).boxed(),
            cut: false,
            plan: Plan::new(rest, Instant::now()),
        }
    }

    /// Waits until it is time to look: at this pod, or at all.
    pub async fn next(&mut self) -> Option<PodKey> {
        loop {
            let due = self.plan.due();
            tokio::select! {
                event = self.events.next() => {
                    if event.is_none() {
                        // Whether the engine has gone, the next look tells.
                        self.cut = true;
                        self.events = stream::pending().boxed();
                    }
                    self.plan.heard(event, Instant::now());
                }
                () = tokio::time::sleep_until(due) => {
                    let pod = self.plan.take(Instant::now());
                    if pod.is_none() && std::mem::take(&mut self.cut) {
                        self.events = self.engine.news(self.pod).boxed();
                    }
                    return pod;
                }
            }
        }
    }
}

/// When to look at which pod; `None`: at all.
struct Plan {
    rest: Duration,
    /// The time, and which of the looks after an event it is.
    looks: BTreeMap<Option<PodKey>, (Instant, usize)>,
}

impl Plan {
    fn new(rest: Duration, now: Instant) -> Self {
        let looks = BTreeMap::from([(None, (now + AFTER_AN_EVENT[0], 0))]);
        Self { rest, looks }
    }

    /// An event of a pod, or that events come no more: then all are looked at, without haste, for the engine may have gone.
    fn heard(&mut self, pod: Option<PodKey>, now: Instant) {
        let soon = now + AFTER_AN_EVENT[if pod.is_some() { 0 } else { 2 }];
        let look = self.looks.entry(pod).or_insert((soon, 0));
        // Events that follow each other do not put a look off.
        *look = (look.0.min(soon), 0);
    }

    fn due(&self) -> Instant {
        let first = self.looks.values().map(|(at, _)| *at).min();
        first.unwrap_or_else(Instant::now)
    }

    /// The look whose time has come first. The next one of it is planned.
    fn take(&mut self, now: Instant) -> Option<PodKey> {
        let first = self.looks.iter().min_by_key(|(_, (at, _))| *at);
        let (pod, n_looks) = first.map(|(pod, (_, n))| (pod.clone(), n + 1))?;
        match (AFTER_AN_EVENT.get(n_looks), &pod) {
            (Some(rest), _) => self.looks.insert(pod.clone(), (now + *rest, n_looks)),
            (None, Some(_)) => self.looks.remove(&pod),
            (None, None) => self.looks.insert(None, (now + self.rest, n_looks)),
        };
        pod
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_breaks_off_is_not_asked_at_once() {
        let begin = Instant::now();
        let ms = Duration::from_millis;
        let mut plan = Plan::new(ms(60_000), begin);
        for _ in 0..3 {
            plan.take(plan.due());
        }
        plan.heard(None, begin + ms(2000));
        assert_eq!(plan.due(), begin + ms(3000));
    }

    #[test]
    fn an_event_leads_to_three_looks_at_its_pod_and_all_are_looked_at_from_time_to_time() {
        let begin = Instant::now();
        let ms = Duration::from_millis;
        let mut plan = Plan::new(ms(5000), begin);
        let mut now = begin;
        let mut looks = |plan: &mut Plan, n: usize| {
            let mut looks = Vec::new();
            for _ in 0..n {
                now = plan.due();
                let pod = plan.take(now).map(|pod| pod.name);
                looks.push((now.duration_since(begin).as_millis(), pod));
            }
            looks
        };
        let all = |at| (at, None);
        assert_eq!(looks(&mut plan, 4), [50, 350, 1350, 6350].map(all));
        plan.heard(Some(PodKey::new("default", "web")), begin + ms(7000));
        // A second one at once does not put the look off.
        plan.heard(Some(PodKey::new("default", "web")), begin + ms(7020));
        let web = |at| (at, Some("web".to_owned()));
        let expected = [web(7050), web(7350), web(8350), all(11_350)];
        assert_eq!(looks(&mut plan, 4), expected);
    }
}
