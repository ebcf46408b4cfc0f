//! The engine's events, as far as podctl listens to them: one stream for all pods of the process, shared out by pod.
//!
//! Not here: what a command is told (`driver::event`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bollard::Docker;
use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::Engine;
use super::look::milliseconds;
use crate::record::{Identity, labels, names};
use crate::spec::PodKey;

/// An archive was written into a container.
const UPLOAD: &str = "extract-to-dir";
/// Something has happened to a container.
const CHANGES: [&str; 4] = ["die", "destroy", "start", "oom"];
/// All that says something of a pod.
const NEWS: [&str; 6] = ["create", "die", "destroy", "start", "oom", UPLOAD];

/// So long after the connection has ended the engine is asked whether it is there again.
const AFTER_A_BREAK: Duration = Duration::from_secs(1);

/// Those who listen. There is a stream while there are any.
#[derive(Debug, Default)]
pub(super) struct Listeners(Mutex<Vec<Listener>>);

#[derive(Debug)]
struct Listener {
    pod: PodKey,
    actions: &'static [&'static str],
    /// Counted, none is lost.
    sender: UnboundedSender<Heard>,
}

/// What who listens is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It has happened once.
    Event,
    /// The engine could not be heard for a while: anything may have happened.
    Break,
}

impl Engine {
    /// One item for each archive that anybody writes into a container of the pod, from now on, and for each break.
    pub fn uploads(&self, pod: &PodKey) -> impl Stream<Item = Heard> + Send + 'static {
        self.heard(pod, &[UPLOAD])
    }

    /// One item for each thing that happens to a container of the pod, from now on, and for each break.
    pub fn changes(&self, pod: &PodKey) -> impl Stream<Item = ()> + Send + 'static {
        self.heard(pod, &CHANGES).map(drop)
    }

    /// Both of that, and containers that are made.
    pub fn news_of(&self, pod: &PodKey) -> impl Stream<Item = ()> + Send + 'static {
        self.heard(pod, &NEWS).map(drop)
    }

    /// All of that, of one pod or of all pods, and containers that are made; an item is the pod that it happened to. Ends when the
    /// connection does.
    pub fn news(&self, pod: Option<&PodKey>) -> impl Stream<Item = PodKey> + Send + 'static {
        let label = pod.map_or_else(|| vec![labels::POD.to_owned()], labels::filter);
        let filters = of_containers(label);
        tell(&self.docker, &filters, None).filter_map(|event| {
            // An engine repeats a container's labels in what it tells of it.
            let attributes = event.actor.and_then(|actor| actor.attributes);
            let identity = attributes.and_then(|labels| Identity::from_labels(&labels));
            std::future::ready(identity.map(|identity| identity.pod))
        })
    }

    /// The pod of each record and of each deletion that is made. Ends when the connection does.
    pub fn wishes(&self) -> impl Stream<Item = PodKey> + Send + 'static {
        let filters = HashMap::from([
            ("type".to_owned(), vec!["volume".to_owned()]),
            ("event".to_owned(), vec!["create".to_owned()]),
        ]);
        tell(&self.docker, &filters, None).filter_map(|event| {
            // An engine does not tell a volume's labels.
            let name = event.actor.and_then(|actor| actor.id);
            std::future::ready(name.and_then(|name| names::pod_of_wish(&name)))
        })
    }

    /// One item for each time that a container is taken out of podctl's network, or leaves it with its end. Ends when the connection does.
    pub fn disconnects(&self) -> impl Stream<Item = ()> + Send + 'static {
        let filters = HashMap::from([
            ("type".to_owned(), vec!["network".to_owned()]),
            ("event".to_owned(), vec!["disconnect".to_owned()]),
            ("network".to_owned(), vec![names::NETWORK.to_owned()]),
        ]);
        tell(&self.docker, &filters, None).map(drop)
    }

    fn heard(
        &self,
        pod: &PodKey,
        actions: &'static [&'static str],
    ) -> impl Stream<Item = Heard> + Send + use<> {
        let (sender, mut receiver) = unbounded_channel();
        let listener = Listener {
            pod: pod.clone(),
            actions,
            sender,
        };
        if self.listeners.add(listener) {
            self.listen();
        }
        stream::poll_fn(move |context| receiver.poll_recv(context))
    }

    /// Shares out what the engine tells, until nobody listens. After a break, say a restart of the engine, it listens again.
    fn listen(&self) {
        let filters = of_containers(vec![labels::POD.to_owned()]);
        let mut events = tell(&self.docker, &filters, None).boxed();
        // Not the listeners themselves: they go with the last engine.
        let (docker, listeners) = (self.docker.clone(), Arc::downgrade(&self.listeners));
        tokio::spawn(async move {
            loop {
                while let Some(event) = events.next().await {
                    if !share_out(&listeners, Some(&event)) {
                        return;
                    }
                }
                let back = loop {
                    tokio::time::sleep(AFTER_A_BREAK).await;
                    if listeners.strong_count() == 0 {
                        return;
                    }
                    if let Ok(info) = docker.info().await {
                        break milliseconds(&info.system_time.unwrap_or_default());
                    }
                };
                // The call is made when the stream is first asked; what happens until then is told all the same.
                events = tell(&docker, &filters, back).boxed();
                if !share_out(&listeners, None) {
                    return;
                }
            }
        });
    }
}

/// All that says something of the pods whose containers have this label.
fn of_containers(label: Vec<String>) -> HashMap<String, Vec<String>> {
    HashMap::from([
        ("type".to_owned(), vec!["container".to_owned()]),
        ("event".to_owned(), NEWS.map(str::to_owned).to_vec()),
        ("label".to_owned(), label),
    ])
}

/// What the engine tells, until the connection ends: from when it has taken the call, or from this time of its clock, in milliseconds since
/// 1970.
fn tell(
    docker: &Docker,
    filters: &HashMap<String, Vec<String>>,
    since: Option<u64>,
) -> impl Stream<Item = EventMessage> + Send + use<> {
    let options = EventsOptionsBuilder::default().filters(filters);
    let options = match since {
        // Docker API: seconds since 1970, with a fraction.
        Some(ms) => options.since(&format!("{}.{:03}", ms / 1000, ms % 1000)),
        None => options,
    };
    let events = docker.events(Some(options.build()));
    events
        .take_while(|event| std::future::ready(event.is_ok()))
        .filter_map(|event| std::future::ready(event.ok()))
}

/// `None`: there was a break. Whether anybody still listens.
fn share_out(listeners: &Weak<Listeners>, event: Option<&EventMessage>) -> bool {
    let Some(listeners) = listeners.upgrade() else {
        return false;
    };
    let mut listeners = listeners.lock();
    listeners.retain(|listener| !listener.sender.is_closed());
    let heard = event.map_or(Heard::Break, |_| Heard::Event);
    let is_meant = |listener: &&Listener| match event.map(about) {
        None => true,
        Some(Some((pod, action))) => listener.pod == pod && listener.actions.contains(&action),
        Some(None) => false,
    };
    for listener in listeners.iter().filter(is_meant) {
        // Who has left meanwhile is taken off with the next.
        let _ = listener.sender.send(heard);
    }
    !listeners.is_empty()
}

/// The pod that it is about, and what has happened.
fn about(event: &EventMessage) -> Option<(PodKey, &str)> {
    let labels = event.actor.as_ref()?.attributes.as_ref()?;
    let pod = PodKey::new(labels.get(labels::NAMESPACE)?, labels.get(labels::POD)?);
    Some((pod, event.action.as_deref()?))
}

impl Listeners {
    /// Whether it is the first.
    fn add(&self, listener: Listener) -> bool {
        let mut listeners = self.lock();
        listeners.push(listener);
        listeners.len() == 1
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Listener>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::EventActor;
    use tokio::sync::mpsc::UnboundedReceiver;

    use super::*;

    fn listen(
        listeners: &Listeners,
        pod: &str,
        actions: &'static [&'static str],
    ) -> UnboundedReceiver<Heard> {
        let (sender, receiver) = unbounded_channel();
        let pod = PodKey::new("default", pod);
        listeners.add(Listener {
            pod,
            actions,
            sender,
        });
        receiver
    }

    fn event(pod: &str, action: &str) -> EventMessage {
        let labels = [(labels::NAMESPACE, "default"), (labels::POD, pod)];
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
        EventMessage {
            action: Some(action.to_owned()),
            actor: Some(EventActor {
                id: None,
                attributes: Some(HashMap::from(labels)),
            }),
            ..EventMessage::default()
        }
    }

    #[test]
    fn each_hears_of_its_own_pod_and_the_last_to_leave_ends_it() {
        let listeners = Arc::new(Listeners::default());
        let mut changes = listen(&listeners, "a", &CHANGES);
        let mut uploads = listen(&listeners, "a", &[UPLOAD]);
        let mut others = listen(&listeners, "b", &CHANGES);
        let weak = Arc::downgrade(&listeners);
        for (pod, action) in [("a", "start"), ("a", UPLOAD), ("a", "die"), ("c", "die")] {
            assert!(share_out(&weak, Some(&event(pod, action))));
        }
        let n_heard = [&mut changes, &mut uploads, &mut others]
            .map(|heard| std::iter::from_fn(|| heard.try_recv().ok()).count());
        assert_eq!(n_heard, [2, 1, 0]);
        // After a break anything may have happened.
        assert!(share_out(&weak, None));
        assert_eq!(
            [changes.try_recv(), uploads.try_recv(), others.try_recv()],
            [Ok(Heard::Break); 3]
        );
        drop((changes, uploads, others));
        assert!(!share_out(&weak, Some(&event("a", "start"))));
        drop(listeners);
        assert!(!share_out(&weak, Some(&event("a", "start"))));
    }
}
