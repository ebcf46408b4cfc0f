//! The record, as far as the loop writes it and hears of others that do.
//!
//! Not here: what is told (`memory`), wishes (`join`).

use super::{Done, Drive};
use crate::driver::execute;
use crate::driver::join::read;
use crate::driver::silence::PATIENCE;
use crate::engine::error::is_of_connection;
use crate::engine::events::Heard;
use crate::reconcile::{Over, SeenContainer, State};
use crate::record::Record;
use crate::translate::archive;

impl Drive {
    /// Writes down what others are to know, where that has changed.
    pub(super) fn tell(&mut self, all: bool) {
        let Some(pause) = self.told_through().filter(|_| self.may_tell()) else {
            return;
        };
        let pause = pause.id.clone();
        // Where nobody keeps the pod, what has ended may be about to begin again.
        let lasts =
            |over: &Over| self.goal.is_live() || matches!(over, Over::Deadline | Over::Stopped);
        let over = self.over.filter(lasts);
        let Some(told) = self.memory.news(&self.seen, over, all) else {
            return;
        };
        let engine = self.engine.clone();
        let archive = archive::told(&told, execute::now());
        self.memory.telling(told);
        self.telling = true;
        self.own_uploads += 1;
        self.tasks.spawn(async move {
            // What cannot be written now is told later: the pause may be about to be made anew.
            Done::Told(engine.upload(&pause, archive).await.is_ok())
        });
    }

    /// Not while the words of another have not been read: two that answer each other's before would do so for good.
    pub(super) fn may_tell(&self) -> bool {
        !self.telling && !self.reading && !self.has_unread()
    }

    /// The pause container that what is known is written through, where it is to be written at all.
    pub(super) fn told_through(&self) -> Option<&SeenContainer> {
        let desired = self.plan.desired.as_ref();
        let ends = desired.is_some_and(|desired| desired.pod.active_deadline.is_some());
        let is_told = self.goal.is_live() || ends || self.memory.must_tell(self.over);
        // On the way down for as long as there is somebody to be told of.
        let counts = self.goal.is_up() || self.seen.members().any(SeenContainer::is_running);
        let pause = self.seen.pause().filter(|_| is_told && counts);
        // Before its start the pod's own writes come first, unless it cannot be started.
        pause.filter(|pause| pause.state != State::Created || self.n_put_off > 0)
    }

    /// A write that failed raises no event; one that another's has crossed is read as if it were another's.
    pub(super) fn told(&mut self, done: bool) {
        self.telling = false;
        let is_unknown = self.memory.told(done);
        self.own_uploads = self.own_uploads.saturating_sub(u32::from(is_unknown));
    }

    /// A write into the record was heard of.
    pub(super) fn written(&mut self, heard: Heard) {
        self.uploads = match heard {
            Heard::Event => self.uploads + 1,
            // Those of this way may be among what was missed.
            Heard::Break => self.uploads.max(self.own_uploads) + 1,
        };
    }

    /// Whether somebody else has written a wish: as the record says, or by containers of a later generation.
    pub(super) fn is_record_changed(&self) -> bool {
        let later = |c: &SeenContainer| c.identity.generation > self.known_generation;
        self.goal.is_up() && (self.overtaken || self.seen.containers.iter().any(later))
    }

    /// Whether somebody else has written into the record what has not been read yet.
    pub(super) fn has_unread(&self) -> bool {
        self.goal.is_up() && self.uploads > self.own_uploads
    }

    /// Reads what somebody else has written. The way goes on meanwhile: who drives beside this one writes often what it knows, and seldom a
    /// wish.
    pub(super) fn read_unread(&mut self) {
        let pause = self.seen.pause().map(|pause| pause.id.clone());
        let Some(pause) = pause.filter(|_| self.has_unread() && !self.reading) else {
            return;
        };
        self.reading = true;
        let (engine, key, uploads) = (self.engine.clone(), self.plan.key.clone(), self.uploads);
        // Of a pod that has come up the looks tell whether that helps.
        let bears = self.alive && self.goal.is_live();
        let read = self.tasks.spawn(async move {
            let record = loop {
                match read(&engine, &key, &pause).await {
                    Err(error) if bears && is_of_connection(&error) => {
                        tokio::time::sleep(PATIENCE).await;
                    }
                    read => break read.ok().flatten(),
                }
            };
            Done::Record(uploads, record.map(Box::new))
        });
        self.waits.push(read);
    }

    pub(super) fn read(&mut self, uploads: u32, record: Option<Box<Record>>) {
        self.reading = false;
        let pause = self.seen.pause().map(|pause| pause.id.clone());
        let mine = self.seen.record.as_mut().zip(record);
        // A later wish is somebody's; an earlier one is what is left of a damaged record.
        let Some((mine, now)) = mine.filter(|(mine, now)| now.wish.place() == mine.wish.place())
        else {
            self.overtaken = true;
            return;
        };
        self.memory.hear(&now.told);
        // What was read may be from before this way has filled them.
        if now
            .filled
            .as_ref()
            .is_some_and(|filled| Some(&filled.pause) == pause.as_ref())
        {
            mine.filled = now.filled;
        }
        self.own_uploads = self.own_uploads.max(uploads);
    }

    /// Writes down all that is known, before the way ends.
    pub(super) async fn tell_all(&mut self) {
        // Two writes at once might land in the wrong order.
        self.told_all().await;
        self.catch_up().await;
        self.tell(true);
        self.told_all().await;
    }

    /// What others have written is read before anything is put in its place.
    async fn catch_up(&mut self) {
        let pause = self.seen.pause().map(|pause| pause.id.clone());
        let Some(pause) = pause.filter(|_| self.has_unread() || self.reading) else {
            return;
        };
        let uploads = self.uploads;
        let record = read(&self.engine, &self.plan.key, &pause).await;
        self.read(uploads, record.ok().flatten().map(Box::new));
    }

    async fn told_all(&mut self) {
        while self.telling {
            match self.tasks.join_next().await {
                Some(Ok(Done::Told(done))) => self.told(done),
                None => self.telling = false,
                Some(_) => {}
            }
        }
    }
}
