//! The record, as far as the loop writes it and hears of others that do.
//!
//! Not here: what is told (`memory`), wishes (`join`).

use super::{Done, Drive};
use crate::driver::execute;
use crate::reconcile::{SeenContainer, State};
use crate::translate::archive;

impl Drive {
    /// Writes down what others are to know, where that has changed.
    pub(super) fn tell(&mut self, all: bool) {
        let desired = self.plan.desired.as_ref();
        let ends = desired.is_some_and(|desired| desired.pod.active_deadline.is_some());
        let is_told = self.goal.is_live() || ends || self.memory.must_tell(self.over);
        let has_begun = |pause: &&SeenContainer| pause.state != State::Created;
        let pause = self.seen.pause().filter(has_begun);
        let can_tell = is_told && self.goal.is_up() && !self.telling;
        let Some(pause) = pause.filter(|_| can_tell) else {
            return;
        };
        let Some(told) = self.memory.news(&self.seen, self.over, all) else {
            return;
        };
        let (engine, pause) = (self.engine.clone(), pause.id.clone());
        let archive = archive::told(&told, execute::now());
        self.memory.telling(told);
        self.telling = true;
        self.own_uploads += 1;
        self.tasks.spawn(async move {
            // What cannot be written now is told later: the pause may be about to be made anew.
            Done::Told(engine.upload(&pause, archive).await.is_ok())
        });
    }

    /// A write that failed raises no event.
    pub(super) fn told(&mut self, done: bool) {
        self.telling = false;
        self.memory.told(done);
        self.own_uploads -= u32::from(!done);
    }

    /// Whether somebody else has written a wish: by the engine's events, or by containers of a later generation.
    pub(super) fn is_record_changed(&self) -> bool {
        let later = |c: &SeenContainer| c.identity.generation > self.known_generation;
        self.goal.is_up()
            && (self.uploads > self.own_uploads || self.seen.containers.iter().any(later))
    }

    /// Writes down all that is known, before the way ends.
    pub(super) async fn tell_all(&mut self) {
        // Two writes at once might land in the wrong order.
        self.told_all().await;
        self.tell(true);
        self.told_all().await;
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
