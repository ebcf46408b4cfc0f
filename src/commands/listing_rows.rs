//! The columns of `ps` and `get`.
//!
//! Not here: a status in a word (`reconcile::status::columns`), laying out (`output::table`).

use k8s_openapi::api::core::v1;
use k8s_openapi::jiff::Timestamp;

use super::listing::{Format, Listing};
use crate::output::table::age;
use crate::reconcile::seen::pause_of;
use crate::reconcile::{SeenContainer, status};

/// The cells of a pod.
pub(super) struct Row {
    cells: Vec<String>,
    age: usize,
}

impl Row {
    pub(super) fn with_age(self) -> Vec<String> {
        self.cells
    }

    /// What stays the same while nothing happens.
    pub(super) fn without_age(mut self) -> Vec<String> {
        self.cells.remove(self.age);
        self.cells
    }
}

pub(super) fn header(listing: &Listing) -> Vec<&'static str> {
    let mut header = vec!["NAME", "READY", "STATUS", "RESTARTS", "AGE"];
    if listing.all_namespaces {
        header.insert(0, "NAMESPACE");
    }
    if listing.format == Format::Wide {
        header.extend(["IP", "PORTS", "PAUSE"]);
    }
    header
}

pub(super) fn row(listing: &Listing, pod: &v1::Pod, containers: &[SeenContainer]) -> Row {
    let columns = status::columns(pod);
    let key = status::key(pod);
    let created = pod.metadata.creation_timestamp.as_ref();
    let mut cells = Vec::new();
    if listing.all_namespaces {
        cells.push(key.namespace);
    }
    cells.extend([
        key.name,
        format!("{}/{}", columns.n_ready, columns.n_containers),
        columns.status,
        columns.n_restarts.to_string(),
    ]);
    let age = cells.len();
    cells.push(created.map(|time| since(time.0)).unwrap_or_default());
    if listing.format == Format::Wide {
        cells.extend(wide_columns(listing, pod, containers));
    }
    Row { cells, age }
}

fn wide_columns(listing: &Listing, pod: &v1::Pod, containers: &[SeenContainer]) -> [String; 3] {
    let key = status::key(pod);
    let pause = pause_of(containers, &key);
    let ports = pause.into_iter().flat_map(|pause| &pause.ports);
    let ports: Vec<String> = ports
        .map(|port| {
            format!(
                "{}:{}->{}/{}",
                port.host_ip, port.host_port, port.container_port, port.protocol
            )
        })
        .collect();
    let id = pause.map(|pause| pause.id.clone()).unwrap_or_default();
    let none = |text: String| {
        if text.is_empty() {
            "<none>".to_owned()
        } else {
            text
        }
    };
    let status = pod.status.as_ref();
    [
        none(
            status
                .and_then(|status| status.pod_ip.clone())
                .unwrap_or_default(),
        ),
        none(ports.join(",")),
        none(if listing.no_trunc {
            id
        } else {
            id.chars().take(12).collect()
        }),
    ]
}

fn since(time: Timestamp) -> String {
    age(Timestamp::now().as_second() - time.as_second())
}
