//! What only who drives a pod knows of it: the answers of its probes, why it waits, what has happened. It is a file of the record,
//! written anew each time that it changes, so that `ps` and whoever drives next can read it.
//!
//! Not here: what follows from the answers (`reconcile::health`), the status made of it (`reconcile::status`).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The names of the two files in the record that hold the same, written one after the other: a write that is cut off leaves one of them whole.
pub const FILES: [&str; 2] = ["told.json", "told-again.json"];
/// The reason of a container that the engine refuses to start.
pub const CANNOT_RUN: &str = "RunContainerError";
/// The reason of a pod that somebody has stopped.
pub const STOPPED: &str = "Stopped";
/// Happenings that are kept; the older ones go.
const MOST_HAPPENINGS: usize = 100;
/// Bytes of a happening's message that are kept (API server: the most that an `Event` may hold).
const MOST_MESSAGE: usize = 1024;

/// All of it. Times are the engine's, in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// When the pod began. The engine's own word for it, the time of the record's volume, moves with each write into it
    /// (Docker 20.10).
    pub began: Option<u64>,
    /// The last generation that was driven to: a record that says less has lost something.
    #[serde(skip_serializing_if = "is_none")]
    pub generation: u64,
    /// The highest attempt of each container that was there, by its name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attempts: BTreeMap<String, u32>,
    /// Of containers, by the engine's id.
    pub containers: BTreeMap<String, Standing>,
    /// Why a container is not there, or not started, by its name in the pod.
    pub waiting: BTreeMap<String, Reason>,
    /// Why the whole pod was ended.
    pub ended: Option<Reason>,
    /// The end that it has come to by itself: it stays so when its containers are removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
    /// The oldest first.
    pub happenings: Vec<Happening>,
}

fn is_none(generation: &u64) -> bool {
    *generation == 0
}

/// Of a pod whose containers have all ended for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Of the wish that it was made for.
    pub generation: u64,
    /// One has not ended well.
    pub failed: bool,
}

/// Of one container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// Its startup probe has passed, and its postStart hook has ended.
    pub started: bool,
    /// Its readiness probe passes.
    pub ready: bool,
    /// When it was ready for the first time.
    pub ready_at: Option<u64>,
    /// What its probes last answered, by `startup`, `liveness`, `readiness`.
    pub answers: BTreeMap<String, LastAnswer>,
}

/// What a probe answered last.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LastAnswer {
    /// It was a good one.
    pub good: bool,
    /// In its words.
    pub message: String,
}

/// One word as Kubernetes has it, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reason {
    /// `RunContainerError`.
    pub reason: String,
    /// Why.
    pub message: String,
}

impl Reason {
    /// kubelet: `activeDeadlineHandler`.
    #[must_use]
    pub fn deadline() -> Self {
        Self {
            reason: "DeadlineExceeded".to_owned(),
            message: "Pod was active on the node longer than the specified deadline".to_owned(),
        }
    }

    /// Of a pod that `podctl stop` has stopped.
    #[must_use]
    pub fn stopped() -> Self {
        Self {
            reason: STOPPED.to_owned(),
            message: "stopped by `podctl stop`: `podctl start` goes on".to_owned(),
        }
    }
}

/// Something that happened (Kubernetes: an `Event`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Happening {
    /// The last time.
    pub time: u64,
    /// The first time.
    pub first: u64,
    /// How often in a row.
    pub count: u32,
    /// Kubernetes: `type: Warning`, or `Normal`.
    pub warning: bool,
    /// `Unhealthy`, `Killing`, `BackOff`.
    pub reason: String,
    /// The container; empty: the pod.
    pub container: String,
    /// In a sentence.
    pub message: String,
}

/// What is told of a container that is ended with its pod.
#[must_use]
pub fn stopping(container: &str) -> String {
    format!("Stopping container {container}")
}

impl Happening {
    fn is_same(&self, other: &Self) -> bool {
        (&self.reason, &self.container, &self.message)
            == (&other.reason, &other.container, &other.message)
    }
}

impl Told {
    /// As the file's content.
    #[must_use]
    pub fn to_file(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Out of a record's files; what cannot be read tells nothing.
    #[must_use]
    pub fn read(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let mut texts = FILES.iter().filter_map(|name| files.get(*name));
        let told = texts.find_map(|text| serde_json::from_slice(text).ok());
        told.unwrap_or_default()
    }

    /// Whether the pod of this generation has failed; `None`: it has not come to its end.
    #[must_use]
    pub fn has_failed(&self, generation: u64) -> Option<bool> {
        let end = self.end.filter(|end| end.generation == generation)?;
        Some(end.failed)
    }

    /// What a probe or a hook of the container of this name has last failed with.
    #[must_use]
    pub fn last_fault(&self, container: &str) -> Option<&str> {
        const FAULTS: [&str; 2] = ["Unhealthy", "FailedPostStartHook"];
        let is_fault = |happening: &&Happening| {
            happening.container == container && FAULTS.contains(&happening.reason.as_str())
        };
        let faults = self.happenings.iter().filter(is_fault);
        let last = faults.max_by_key(|happening| happening.time)?;
        Some(&last.message)
    }

    /// Why the engine refused to start the container of this name that counts now.
    #[must_use]
    pub fn refused(&self, container: &str) -> Option<&str> {
        let waiting = self.waiting.get(container)?;
        (waiting.reason == CANNOT_RUN).then_some(waiting.message.as_str())
    }

    /// A container of this name was there.
    pub fn tried(&mut self, container: &str, attempt: u32) {
        let last = self.attempts.entry(container.to_owned()).or_default();
        *last = attempt.max(*last);
    }

    /// Whether a container was ended because the pod had come to its end.
    #[must_use]
    pub fn has_stopped(&self, container: &str) -> bool {
        let message = stopping(container);
        let mut happenings = self.happenings.iter();
        happenings.any(|happening| happening.message == message)
    }

    /// Adds what another driver has told of since it read `common`. What probes say is known here too.
    pub fn merge(&mut self, other: &Self, common: &Self) {
        let waits = [&self.waiting, &other.waiting].map(|waits| waits.keys().cloned());
        for name in waits.into_iter().flatten().collect::<BTreeSet<_>>() {
            if self.waiting.get(&name) != common.waiting.get(&name) {
                continue;
            }
            match other.waiting.get(&name) {
                Some(reason) => self.waiting.insert(name, reason.clone()),
                None => self.waiting.remove(&name),
            };
        }
        self.began = self.began.or(other.began);
        self.generation = self.generation.max(other.generation);
        let place = |end: &End| end.generation;
        self.end = self.end.into_iter().chain(other.end).max_by_key(place);
        for (name, attempt) in &other.attempts {
            self.tried(name, *attempt);
        }
        for happening in &other.happenings {
            match self
                .happenings
                .iter_mut()
                .find(|known| known.is_same(happening))
            {
                Some(known) => {
                    known.first = known.first.min(happening.first);
                    known.time = known.time.max(happening.time);
                    known.count = known.count.max(happening.count);
                }
                None => self.happenings.push(happening.clone()),
            }
        }
        self.happenings.sort_by_key(|happening| happening.first);
        self.forget();
    }

    /// Adds what happened; what happens again is counted.
    pub fn happened(&mut self, mut happening: Happening) {
        let end = happening.message.floor_char_boundary(MOST_MESSAGE);
        happening.message.truncate(end);
        let mut known = self.happenings.iter_mut();
        if let Some(known) = known.find(|known| known.is_same(&happening)) {
            known.time = happening.time;
            known.count += 1;
            return;
        }
        self.happenings.push(happening);
        self.forget();
    }

    fn forget(&mut self) {
        let n_over = self.happenings.len().saturating_sub(MOST_HAPPENINGS);
        self.happenings.drain(..n_over);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_again_is_counted() {
        let mut told = Told::default();
        for time in 1..=3 {
            told.happened(Happening {
                time,
                first: time,
                count: 1,
                reason: "Unhealthy".into(),
                ..Happening::default()
            });
        }
        assert_eq!(told.happenings.len(), 1);
        let known = &told.happenings[0];
        assert_eq!((known.first, known.time, known.count), (1, 3, 3));
        let files = BTreeMap::from([(FILES[0].to_owned(), told.to_file())]);
        assert_eq!(Told::read(&files), told);
    }

    #[test]
    fn of_what_happens_in_many_words_the_first_are_kept() {
        let mut told = Told::default();
        for _ in 0..2 {
            told.happened(Happening {
                message: "é".repeat(MOST_MESSAGE),
                count: 1,
                ..Happening::default()
            });
        }
        assert_eq!(told.happenings.len(), 1);
        assert_eq!(told.happenings[0].message.len(), MOST_MESSAGE);
    }

    #[test]
    fn the_last_fault_is_the_one_that_has_come_again() {
        let mut told = Told::default();
        for (time, message) in [(1, "a"), (2, "b"), (3, "a")] {
            told.happened(Happening {
                time,
                first: time,
                count: 1,
                reason: "Unhealthy".into(),
                message: message.into(),
                ..Happening::default()
            });
        }
        assert_eq!(told.last_fault(""), Some("a"));
    }

    #[test]
    fn what_two_drivers_tell_of_is_told_once() {
        let happening = |time, count, reason: &str| Happening {
            time,
            first: time,
            count,
            reason: reason.into(),
            ..Happening::default()
        };
        let mut mine = Told {
            happenings: vec![happening(5, 1, "Started")],
            ..Told::default()
        };
        let other = Told {
            happenings: vec![happening(2, 1, "Created"), happening(6, 3, "Started")],
            ..Told::default()
        };
        mine.merge(&other, &Told::default());
        let told: Vec<_> = mine
            .happenings
            .iter()
            .map(|h| (&*h.reason, h.count))
            .collect();
        assert_eq!(told, [("Created", 1), ("Started", 3)]);
    }

    #[test]
    fn a_damaged_file_tells_nothing_and_the_other_what_was_told_before() {
        let mut files = BTreeMap::from([(FILES[0].to_owned(), b"{\"containers\": 7".to_vec())]);
        assert_eq!(Told::read(&files), Told::default());
        let before = Told {
            generation: 7,
            ..Told::default()
        };
        files.insert(FILES[1].to_owned(), before.to_file());
        assert_eq!(Told::read(&files), before);
        assert_eq!(Told::read(&BTreeMap::new()), Told::default());
    }
}
