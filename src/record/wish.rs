//! What somebody asked of a pod, as the record's volume keeps it: generations of its spec.
//!
//! The first wish is a label of the volume, so that creating the volume writes it in one atomic step. Later ones are
//! files in it, each under a name of its own, so that two writers at once lose nothing; the highest generation wins, and of
//! two with one number the one whose writer comes last in the alphabet: every reader decides alike. A file that was cut
//! off does not parse, and counts as not written.
//!
//! Not here: the calls that carry the files (`engine::archive`).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::payload::{self, Kept};
use super::told::Told;
use crate::spec::{Desired, Pod, Protocol, Publish};

/// Of what this podctl writes. One that finds a higher number changes nothing.
pub const FORMAT: u32 = 1;

/// Names the whole pod, as no container is named.
const WHOLE: &str = "";
const FILLED: &str = "filled.json";

/// A generation of a pod's spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// [`FORMAT`] of the writer.
    pub format: u32,
    /// Counts from 1.
    pub generation: u64,
    /// Tells two writers of one generation apart.
    pub writer: String,
    /// The `v1` Pod.
    pub manifest: serde_json::Value,
    /// What `--publish` added to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publish: Vec<PublishWish>,
    /// The pod is to be stopped, and to stay so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped: bool,
    /// Somebody stays with the pod in the foreground: nobody else need keep it alive.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub attached: bool,
    /// Its writer asks the registry for images that are there too, before it makes anything.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pulls: bool,
    /// The generations at which containers were asked to be started anew, by name; the whole pod's under no name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub restarted: BTreeMap<String, u64>,
    /// Ids of containers that are made anew for their image: the name of it meant another when this was written. What a later wish finds of them
    /// it takes over.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub outdated: BTreeSet<String>,
    /// Names the payload: the ConfigMaps and Secrets that came with it.
    pub payload: String,
}

/// A port of `--publish`, as written in the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishWish {
    /// Empty: all addresses.
    #[serde(default)]
    pub host_ip: String,
    /// 0: the engine chooses.
    pub host_port: u16,
    /// Inside the pod.
    pub container_port: u16,
    /// `tcp`, `udp`, `sctp`.
    pub protocol: String,
}

impl From<&Publish> for PublishWish {
    fn from(publish: &Publish) -> Self {
        Self {
            host_ip: publish.host_ip.clone(),
            host_port: publish.host_port,
            container_port: publish.container_port,
            protocol: publish.protocol.to_string(),
        }
    }
}

impl PublishWish {
    /// Reads it back; `None` for a protocol that this podctl does not know.
    #[must_use]
    pub fn to_publish(&self) -> Option<Publish> {
        Some(Publish {
            host_ip: self.host_ip.clone(),
            host_port: self.host_port,
            container_port: self.container_port,
            protocol: Protocol::parse(&self.protocol)?,
        })
    }
}

/// All that a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The pod's uid.
    pub uid: String,
    /// The wish that counts.
    pub wish: Wish,
    /// What the volumes were filled with; `None`: they were not, or not to the end.
    pub filled: Option<Filled>,
    /// The payload of the wish that counts; `None`: it has not been written yet.
    pub payload: Option<Kept>,
    /// Files of wishes and payloads that no longer count.
    pub superseded: Vec<String>,
    /// What who drove the pod last has told.
    pub told: Told,
}

/// What the volumes were filled with. It counts for one pause container: what somebody removed meanwhile is made anew with the next, and is
/// empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filled {
    /// Its hash.
    pub payload: String,
    /// The pause container's id.
    pub pause: String,
}

/// A record that does not read back.
#[derive(Debug, Error)]
pub enum RecordError {
    /// Written by a later podctl.
    #[error(
        "the record of the pod was written by a newer podctl (format {found}, this one knows {FORMAT}): use that one"
    )]
    Newer {
        /// Its format.
        found: u32,
    },
    /// Something else has the volume's name, or the label was damaged.
    #[error(
        "the volume `{volume}` is in the way: it is not a record that podctl made; remove or rename it"
    )]
    Foreign {
        /// The volume.
        volume: String,
    },
}

impl Wish {
    /// The wish for what is desired.
    #[must_use]
    pub fn new(desired: &Desired, publish: &[Publish], generation: u64, writer: &str) -> Self {
        Self {
            format: FORMAT,
            generation,
            writer: writer.to_owned(),
            manifest: desired.manifest.clone(),
            publish: publish.iter().map(PublishWish::from).collect(),
            stopped: desired.pod.stopped,
            attached: desired.pod.attached,
            pulls: false,
            restarted: restarted(&desired.pod),
            outdated: BTreeSet::new(),
            payload: payload::name(desired),
        }
    }

    /// Puts into a pod what the manifest does not say.
    pub fn ask(&self, pod: &mut Pod) {
        let asked = |name: &str| self.restarted.get(name).copied().unwrap_or_default();
        pod.stopped = self.stopped;
        pod.attached = self.attached;
        pod.restarted = asked(WHOLE);
        let members = pod.init_containers.iter_mut().chain(&mut pod.containers);
        members.for_each(|container| container.restarted = asked(&container.name));
    }

    /// Its place among all wishes for the pod: the last one counts.
    #[must_use]
    pub fn place(&self) -> (u64, &str) {
        (self.generation, &self.writer)
    }

    /// As the label of a new record.
    #[must_use]
    pub fn to_label(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The file of the record that holds it.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("wish-{:08}-{}.json", self.generation, self.writer)
    }
}

fn restarted(pod: &Pod) -> BTreeMap<String, u64> {
    let members = pod.members().map(|c| (c.name.as_str(), c.restarted));
    let all = std::iter::once((WHOLE, pod.restarted)).chain(members);
    let asked = all.filter(|(_, generation)| *generation > 0);
    asked
        .map(|(name, generation)| (name.to_owned(), generation))
        .collect()
}

/// The file that says what the volumes were filled with. It is the last of its archive: an archive that is cut off
/// leaves it as it was.
#[must_use]
pub fn filled_file(filled: &Filled) -> (String, Vec<u8>) {
    (
        FILLED.to_owned(),
        serde_json::to_vec(filled).unwrap_or_default(),
    )
}

/// Reads a record: the labels of its volume, and its files by name.
///
/// # Errors
/// When a later podctl wrote it, or when it is no record at all.
pub fn read(
    volume: &str,
    uid: Option<&str>,
    label: Option<&str>,
    files: &BTreeMap<String, Vec<u8>>,
) -> Result<Record, RecordError> {
    let foreign = || RecordError::Foreign {
        volume: volume.to_owned(),
    };
    let uid = uid.ok_or_else(foreign)?;
    let first: Wish = serde_json::from_str(label.ok_or_else(foreign)?).map_err(|_| foreign())?;
    let mut wishes: Vec<(Option<&str>, Wish)> = files
        .iter()
        .filter(|(name, _)| name.starts_with("wish-"))
        .filter_map(|(name, text)| Some((Some(name.as_str()), serde_json::from_slice(text).ok()?)))
        .collect();
    wishes.push((None, first));
    wishes.sort_by(|(_, a), (_, b)| a.place().cmp(&b.place()));
    if let Some((_, newer)) = wishes.iter().find(|(_, wish)| wish.format > FORMAT) {
        return Err(RecordError::Newer {
            found: newer.format,
        });
    }
    let (_, wish) = wishes.pop().ok_or_else(foreign)?;
    let payload = payload::file_name(&wish.payload);
    let stale_payloads = files
        .iter()
        .filter(|(name, text)| {
            name.starts_with("payload-") && **name != payload && !text.is_empty()
        })
        .map(|(name, _)| name.clone());
    Ok(Record {
        uid: uid.to_owned(),
        told: Told::read(files),
        filled: files
            .get(FILLED)
            .and_then(|text| serde_json::from_slice(text).ok()),
        payload: files.get(&payload).and_then(|text| payload::read(text)),
        superseded: wishes
            .iter()
            .filter_map(|(name, _)| Some((*name)?.to_owned()))
            .chain(stale_payloads)
            .collect(),
        wish,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::record::hash;
    use crate::spec::Payload;

    fn wish(generation: u64, writer: &str) -> Wish {
        Wish {
            format: FORMAT,
            generation,
            writer: writer.into(),
            manifest: json!({ "writer": writer }),
            publish: vec![],
            stopped: false,
            attached: false,
            pulls: false,
            restarted: BTreeMap::new(),
            outdated: BTreeSet::new(),
            payload: "p".into(),
        }
    }

    fn files(wishes: &[Wish]) -> BTreeMap<String, Vec<u8>> {
        wishes
            .iter()
            .map(|w| (w.file_name(), w.to_label().into_bytes()))
            .collect()
    }

    fn read_with(files: &BTreeMap<String, Vec<u8>>) -> Record {
        read("v", Some("u"), Some(&wish(1, "a").to_label()), files).expect("a record")
    }

    #[test]
    fn the_first_wish_is_the_label() {
        let record = read_with(&BTreeMap::new());
        assert_eq!(record.wish, wish(1, "a"));
        assert_eq!((record.filled, record.payload), (None, None));
    }

    #[test]
    fn the_highest_generation_wins_and_the_later_writer_among_equals() {
        let record = read_with(&files(&[wish(2, "c"), wish(2, "b")]));
        assert_eq!(record.wish, wish(2, "c"));
        assert_eq!(record.superseded, [wish(2, "b").file_name()]);
        assert_eq!(
            read_with(&files(&[wish(10, "a"), wish(9, "z")])).wish,
            wish(10, "a")
        );
    }

    #[test]
    fn a_file_that_was_cut_off_was_not_written() {
        let mut files = files(&[wish(2, "b")]);
        for text in files.values_mut() {
            text.truncate(20);
        }
        assert_eq!(read_with(&files).wish, wish(1, "a"));
    }

    #[test]
    fn the_payload_of_the_wish_that_counts_reads_back() {
        let filled = Filled {
            payload: "h".into(),
            pause: "p".into(),
        };
        let files = BTreeMap::from([
            (payload::file_name("p"), b"{}".to_vec()),
            (payload::file_name("old"), b"{}".to_vec()),
            filled_file(&filled),
        ]);
        let record = read_with(&files);
        assert_eq!(record.payload, Some(Kept::default()));
        assert_eq!(record.filled, Some(filled));
        assert_eq!(record.superseded, [payload::file_name("old")]);
    }

    #[test]
    fn what_a_newer_podctl_wrote_is_not_touched() {
        let newer = Wish {
            format: FORMAT + 1,
            ..wish(2, "b")
        };
        let result = read(
            "v",
            Some("u"),
            Some(&wish(1, "a").to_label()),
            &files(&[newer]),
        );
        assert!(matches!(result, Err(RecordError::Newer { .. })));
    }

    #[test]
    fn what_was_asked_beside_the_manifest_reads_back() {
        let mut pod = hash::tests::pod(&["a", "b"]);
        (pod.restarted, pod.containers[1].restarted) = (3, 4);
        (pod.stopped, pod.attached) = (true, true);
        let desired = Desired {
            pod: pod.clone(),
            manifest: json!({}),
            payload: Payload::new(),
        };
        let asked = Wish::new(&desired, &[], 5, "b");
        let mut again = hash::tests::pod(&["a", "b"]);
        read_with(&files(&[asked])).wish.ask(&mut again);
        assert_eq!(again, pod);
    }

    #[test]
    fn a_volume_without_our_labels_is_foreign() {
        let result = read("v", None, None, &BTreeMap::new());
        assert!(matches!(result, Err(RecordError::Foreign { .. })));
    }
}
