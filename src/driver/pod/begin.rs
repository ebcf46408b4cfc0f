//! What a way begins with.
//!
//! Not here: where it goes from there (`pod`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use futures_util::stream::BoxStream;
use tokio::task::JoinSet;

use super::{AFTER_A_CHANGE, Alive, Drive, Known, LONGEST_REST, Look};
use crate::driver::memory::Memory;
use crate::driver::plan::Plan;
use crate::driver::silence::Silence;
use crate::driver::{Events, Interrupt};
use crate::engine::Engine;
use crate::engine::events::Heard;
use crate::probe::Prober;
use crate::reconcile::restart::BackOff;
use crate::reconcile::{Goal, Seen, Until};

impl Drive {
    /// A way that begins with what was just seen. `ahead`: what the engine's clock is ahead of this one, in milliseconds.
    #[must_use]
    pub fn new(
        engine: &Engine,
        goal: Goal,
        plan: Plan,
        seen: Seen,
        events: &Events,
        interrupt: &Interrupt,
    ) -> Self {
        let told = seen.record.as_ref().map(|record| record.told.clone());
        let mut memory = Memory::new(0, BackOff::default(), told.unwrap_or_default());
        memory.began_at(seen.began);
        memory.drives_to(plan.generation);
        if !goal.is_up() {
            memory.resume(&seen, plan.desired.as_ref(), plan.facts.reaches_pods);
        }
        Self {
            engine: engine.clone(),
            prober: Arc::new(Prober::new(engine)),
            goal,
            memory,
            ended_before: BTreeSet::new(),
            since: 0,
            known_generation: seen
                .containers
                .iter()
                .map(|c| c.identity.generation)
                .fold(plan.generation, u64::max),
            lost: BTreeSet::new(),
            // What a list call tells says nothing of when containers were started.
            look: if goal.is_up()
                && seen
                    .members()
                    .any(|c| c.is_running() && !c.identity.care.is_none())
            {
                Look::Wanted
            } else {
                Look::Fresh
            },
            plan: Arc::new(plan),
            seen,
            events: events.clone(),
            interrupt: interrupt.clone(),
            // One that came between two ways up counts; a way down may be there because of it.
            interrupts_before: if goal.is_up() { 0 } else { interrupt.count() },
            own_uploads: 0,
            uploads: 0,
            reading: false,
            overtaken: false,
            upload_events: None,
            changes: None,
            speaks: None,
            ends_with: None,
            alive: false,
            looked_for_holder: false,
            over: None,
            ready: false,
            silence: Silence::default(),
            n_put_off: 0,
            refused_pulls: BTreeMap::new(),
            tasks: JoinSet::new(),
            waits: Vec::new(),
            in_flight: BTreeSet::new(),
            failures: Vec::new(),
            acted: false,
            n_started: 0,
            telling: false,
            next_look: Instant::now() + LONGEST_REST,
            fruitless: 0,
            n_looks: 0,
        }
    }

    /// The same way, on an engine whose clock is so many milliseconds ahead.
    #[must_use]
    pub fn with_clock(mut self, ahead: i64) -> Self {
        self.memory.ahead = ahead;
        self
    }

    /// The same way, on which these containers count as having ended before it began; none without.
    #[must_use]
    pub fn with_ended_before(mut self, ended: BTreeSet<String>) -> Self {
        self.ended_before = ended;
        self
    }

    /// The same way, going on from what was known before: what probes have answered, above all.
    #[must_use]
    pub fn knowing(mut self, known: Option<Known>) -> Self {
        if let Some(known) = known {
            self.memory = known.memory;
            self.memory.drives_to(self.plan.generation);
            if let Some(record) = &self.seen.record {
                self.memory.hear(&record.told);
            }
            (self.alive, self.over) = (known.alive, known.over);
        }
        self
    }

    /// The same way, watching for others that write into the record; `own` writes were made before it began.
    #[must_use]
    pub fn watching(mut self, uploads: BoxStream<'static, Heard>, own: u32) -> Self {
        self.upload_events = Some(uploads);
        self.own_uploads = own;
        self
    }

    /// The same way, which does not end when all have been started: the pod is kept alive.
    #[must_use]
    pub fn kept_alive(mut self, alive: Alive) -> Self {
        self.goal = Goal::Live(alive.until);
        self.memory.back_off = alive.back_off;
        self.changes = Some(alive.changes);
        self.speaks = Some(alive.speaks);
        self.ends_with = alive.ends_with;
        if alive.until == Until::Stopped {
            self.since = self.memory.now();
        }
        self.look = Look::Wanted;
        self.n_looks = AFTER_A_CHANGE.len();
        self
    }
}
