//! The engine's events, as far as podctl listens to them.
//!
//! Not here: what a command is told (`driver::event`).

use std::collections::HashMap;

use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::{Stream, StreamExt};

use super::Engine;
use crate::record::labels;
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

    fn heard(
        &self,
        filters: &HashMap<String, Vec<String>>,
    ) -> impl Stream<Item = ()> + Send + use<> {
        let options = EventsOptionsBuilder::default().filters(filters).build();
        let events = self.docker.events(Some(options));
        events
            .take_while(|event| std::future::ready(event.is_ok()))
            .map(|_| ())
    }
}
