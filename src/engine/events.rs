//! The engine's events, as far as podctl listens to them.
//!
//! Not here: what a command is told (`driver::event`).

use std::collections::HashMap;

use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::{Stream, StreamExt};

use super::Engine;
use crate::record::{Identity, labels};
use crate::spec::PodKey;

impl Engine {
    /// One item for each archive that anybody writes into a container of the pod, from now on. Ends when the connection
    /// does.
    pub fn uploads(&self, pod: &PodKey) -> impl Stream<Item = ()> + Send + 'static {
        let filters = HashMap::from([
            ("type".to_owned(), vec!["container".to_owned()]),
            ("event".to_owned(), vec!["extract-to-dir".to_owned()]),
            ("label".to_owned(), labels::filter(pod)),
        ]);
        self.heard(&filters)
    }

    /// One item for each thing that happens to a container of the pod, from now on. Ends when the connection does.
    pub fn changes(&self, pod: &PodKey) -> impl Stream<Item = ()> + Send + 'static {
        let events = ["die", "destroy", "start", "oom"].map(str::to_owned);
        let filters = HashMap::from([
            ("type".to_owned(), vec!["container".to_owned()]),
            ("event".to_owned(), events.to_vec()),
            ("label".to_owned(), labels::filter(pod)),
        ]);
        self.heard(&filters)
    }

    /// All of that, of one pod or of all pods, and containers that are made; an item is the pod that it happened to. Ends when the
    /// connection does.
    pub fn news(&self, pod: Option<&PodKey>) -> impl Stream<Item = PodKey> + Send + 'static {
        let events = ["create", "die", "destroy", "start", "oom", "extract-to-dir"];
        let label = pod.map_or_else(|| vec![labels::POD.to_owned()], labels::filter);
        let filters = HashMap::from([
            ("type".to_owned(), vec!["container".to_owned()]),
            ("event".to_owned(), events.map(str::to_owned).to_vec()),
            ("label".to_owned(), label),
        ]);
        self.events(&filters).filter_map(|event| {
            // An engine repeats a container's labels in what it tells of it.
            let attributes = event.actor.and_then(|actor| actor.attributes);
            let identity = attributes.and_then(|labels| Identity::from_labels(&labels));
            std::future::ready(identity.map(|identity| identity.pod))
        })
    }

    fn heard(
        &self,
        filters: &HashMap<String, Vec<String>>,
    ) -> impl Stream<Item = ()> + Send + use<> {
        self.events(filters).map(|_| ())
    }

    fn events(
        &self,
        filters: &HashMap<String, Vec<String>>,
    ) -> impl Stream<Item = EventMessage> + Send + use<> {
        let options = EventsOptionsBuilder::default().filters(filters).build();
        let events = self.docker.events(Some(options));
        events
            .take_while(|event| std::future::ready(event.is_ok()))
            .filter_map(|event| std::future::ready(event.ok()))
    }
}
