//! What probes and hooks say of a running container (kubelet: `prober/worker.go`, `prober/results`).
//!
//! The times are the engine's, in milliseconds since 1970. The kubelet asks at ticks of a phase of its own; here the phase begins
//! with the container: startup after a second, liveness after a period, readiness at once.
//!
//! Not here: asking (`probe`), what is done about a container that fails (`member`).

use crate::record::told::{LastAnswer, Standing};
use crate::spec::Container;
use crate::spec::probe::{Probe, Probes};

/// A startup probe is first asked so long after the start, or after its period where that is shorter.
const FIRST_STARTUP: u64 = 1000;

/// Which probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `startupProbe`.
    Startup,
    /// `livenessProbe`.
    Liveness,
    /// `readinessProbe`.
    Readiness,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Startup, Self::Liveness, Self::Readiness];

    /// That of a container, where it has one.
    #[must_use]
    pub fn of(self, probes: &Probes) -> Option<&Probe> {
        match self {
            Self::Startup => probes.startup.as_ref(),
            Self::Liveness => probes.liveness.as_ref(),
            Self::Readiness => probes.readiness.as_ref(),
        }
    }

    /// `startup`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Startup => "startup",
            Self::Liveness => "liveness",
            Self::Readiness => "readiness",
        }
    }
}

/// What is known of a running container.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// Its `postStart` hook.
    pub post_start: Hook,
    probes: Vec<(Kind, Asked)>,
    /// When it was ready for the first time.
    ready_at: Option<u64>,
}

/// Of `postStart`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hook {
    /// There is none, or it has ended well.
    #[default]
    Done,
    /// It has not ended.
    Due,
    /// It failed: the container is ended for it.
    Failed,
}

/// One probe of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    /// What counts, once a threshold was reached.
    passes: bool,
    /// The container failed; nothing more is asked of it.
    on_hold: bool,
    /// So many answers like the last.
    run: u32,
    last: Option<LastAnswer>,
    next: u64,
}

impl Health {
    /// Of a container that has started just now.
    #[must_use]
    pub fn begin(container: &Container, started: u64) -> Self {
        let asked = |kind: Kind| {
            let probe = kind.of(&container.probes)?;
            let (delay, period) = (probe.initial_delay * 1000, probe.period * 1000);
            let next = match kind {
                Kind::Startup => started + delay.max(period.min(FIRST_STARTUP)),
                Kind::Liveness => started + delay.max(period),
                Kind::Readiness => started + delay,
            };
            // kubelet: alive until told otherwise, not ready until told so.
            let passes = kind == Kind::Liveness;
            Some((kind, Asked::new(passes, next)))
        };
        Self {
            post_start: match container.lifecycle.post_start {
                Some(_) => Hook::Due,
                None => Hook::Done,
            },
            probes: Kind::ALL.into_iter().filter_map(asked).collect(),
            ready_at: None,
        }
    }

    /// Of a container that ran before this podctl came: nothing is asked twice that was told, and no hook is run again.
    #[must_use]
    pub fn resume(container: &Container, started: u64, told: Option<&Standing>, now: u64) -> Self {
        let mut health = Self::begin(container, started);
        health.post_start = Hook::Done;
        health.ready_at = told.and_then(|told| told.ready_at);
        for (kind, asked) in &mut health.probes {
            asked.passes = match (told, *kind) {
                (_, Kind::Liveness) => true,
                (Some(told), Kind::Startup) => told.started,
                (Some(told), Kind::Readiness) => told.ready,
                (None, _) => false,
            };
            asked.last = told.and_then(|told| told.answers.get(kind.word()).cloned());
            asked.next = asked.next.max(now);
        }
        health
    }

    /// Takes what another driver has told of the same container since: two that ask the same probes at different times would else each put its
    /// own word in the place of the other's.
    pub fn hear(&mut self, told: &Standing) {
        for (kind, asked) in &mut self.probes {
            match kind {
                Kind::Startup => asked.passes |= told.started,
                Kind::Readiness => asked.passes = told.ready,
                Kind::Liveness => {}
            }
            let is_asked_by_others = asked.run == 0;
            if is_asked_by_others {
                asked.last = told.answers.get(kind.word()).cloned();
            }
        }
        let both = self.ready_at.into_iter().chain(told.ready_at);
        self.ready_at = both.min();
    }

    /// kubelet: `status.started`.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.post_start == Hook::Done && self.passes(Kind::Startup)
    }

    /// kubelet: `status.ready`.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.is_started() && self.passes(Kind::Readiness)
    }

    /// The probe for which it is to be ended.
    #[must_use]
    pub fn fails(&self) -> Option<Kind> {
        let failing = self.probes.iter().find(|(_, asked)| asked.on_hold);
        failing.map(|(kind, _)| *kind)
    }

    fn passes(&self, kind: Kind) -> bool {
        let mut asked = self.probes.iter().filter(|(of, _)| *of == kind);
        asked.all(|(_, asked)| asked.passes)
    }

    /// When each of its probes is to be asked next.
    pub fn next(&self) -> impl Iterator<Item = (Kind, u64)> {
        let fails = self.fails().is_some() || self.post_start != Hook::Done;
        let started = self.is_started();
        let probes = self.probes.iter();
        // kubelet: startup is asked until it passes, the others from then on.
        let is_asked = move |kind: Kind| !fails && (kind == Kind::Startup) != started;
        probes
            .filter(move |(kind, _)| is_asked(*kind))
            .map(|(kind, asked)| (*kind, asked.next))
    }

    /// Takes an answer. What a prober that is broken says changes nothing; it is asked again (kubelet: `doProbe`).
    pub fn answered(&mut self, kind: Kind, probe: &Probe, answer: Option<LastAnswer>, now: u64) {
        let was_started = self.is_started();
        let of_kind = self.probes.iter_mut().find(|(of, _)| *of == kind);
        if let Some((_, asked)) = of_kind {
            asked.next = (asked.next + probe.period * 1000).max(now);
            if let Some(answer) = answer {
                asked.take(kind, probe, answer);
            }
        }
        if self.is_started() && !was_started {
            self.begin_asking(now);
        }
        if self.is_ready() {
            self.ready_at.get_or_insert(now);
        }
    }

    /// Takes the end of `postStart`.
    pub fn hooked(&mut self, well: bool, now: u64) {
        self.post_start = if well { Hook::Done } else { Hook::Failed };
        if self.is_started() {
            self.begin_asking(now);
        }
    }

    /// kubelet: readiness is asked at once when a container has started; the others go on at their ticks.
    fn begin_asking(&mut self, now: u64) {
        for (_, asked) in &mut self.probes {
            asked.next = asked.next.max(now);
        }
    }

    /// As others are told of it.
    #[must_use]
    pub fn to_standing(&self) -> Standing {
        let answers = self.probes.iter();
        Standing {
            started: self.is_started(),
            ready: self.is_ready(),
            ready_at: self.ready_at,
            answers: answers
                .filter_map(|(kind, asked)| Some((kind.word().to_owned(), asked.last.clone()?)))
                .collect(),
        }
    }
}

impl Asked {
    fn new(passes: bool, next: u64) -> Self {
        Self {
            passes,
            on_hold: false,
            run: 0,
            last: None,
            next,
        }
    }

    fn take(&mut self, kind: Kind, probe: &Probe, answer: LastAnswer) {
        let good = answer.good;
        let same = self.last.as_ref().is_some_and(|last| last.good == good);
        self.run = if same { self.run.saturating_add(1) } else { 1 };
        self.last = Some(answer);
        let threshold = if good {
            probe.success_threshold
        } else {
            probe.failure_threshold
        };
        if self.run < threshold {
            return;
        }
        self.passes = good;
        self.on_hold = !good && kind != Kind::Readiness;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::hash::tests::pod;
    use crate::spec::lifecycle::Handler;
    use crate::spec::probe::Check;

    const START: u64 = 1_000_000;

    #[expect(clippy::unnecessary_wraps, reason = "a field of a container")]
    fn probe(delay: u64, period: u64, failures: u32) -> Option<Probe> {
        Some(Probe {
            check: Check::Exec(vec!["true".into()]),
            initial_delay: delay,
            period,
            timeout: 1,
            success_threshold: 1,
            failure_threshold: failures,
            grace_period: None,
        })
    }

    fn container(set: impl FnOnce(&mut Container)) -> Container {
        let mut container = pod(&["a"]).containers.remove(0);
        set(&mut container);
        container
    }

    /// Asks when it is time, with an answer by the seconds since the start; the questions up to an end, as text.
    fn asked(
        container: &Container,
        health: &mut Health,
        until: u64,
        answer: impl Fn(Kind, u64) -> bool,
    ) -> String {
        let mut lines = Vec::new();
        while let Some((kind, at)) = health.next().min_by_key(|(kind, at)| (*at, *kind)) {
            let second = (at - START).div_ceil(1000);
            if second > until {
                break;
            }
            let good = answer(kind, second);
            let probe = kind.of(&container.probes).expect("a probe");
            let message = String::new();
            health.answered(kind, probe, Some(LastAnswer { good, message }), at);
            let ready = if health.is_ready() { " ready" } else { "" };
            lines.push(format!("{} {second} {good}{ready}", kind.word()));
        }
        if let Some(kind) = health.fails() {
            lines.push(format!("{} fails", kind.word()));
        }
        lines.join(", ")
    }

    #[test]
    fn readiness_is_asked_at_once_or_after_its_delay_and_each_period() {
        let at_once = container(|c| c.probes.readiness = probe(0, 3, 3));
        let mut health = Health::begin(&at_once, START);
        assert!(health.is_started() && !health.is_ready());
        let said = asked(&at_once, &mut health, 6, |_, second| second >= 3);
        assert_eq!(
            said,
            "readiness 0 false, readiness 3 true ready, readiness 6 true ready"
        );
        let later = container(|c| c.probes.readiness = probe(2, 3, 3));
        let mut health = Health::begin(&later, START);
        let said = asked(&later, &mut health, 6, |_, _| true);
        assert_eq!(said, "readiness 2 true ready, readiness 5 true ready");
    }

    #[test]
    fn readiness_falls_after_its_threshold_and_ends_nobody() {
        let container = container(|c| c.probes.readiness = probe(0, 1, 2));
        let mut health = Health::begin(&container, START);
        let said = asked(&container, &mut health, 4, |_, second| {
            second == 0 || second == 4
        });
        assert_eq!(
            said,
            "readiness 0 true ready, readiness 1 false ready, readiness 2 false, readiness 3 false, readiness 4 true ready"
        );
        assert_eq!(health.fails(), None);
    }

    #[test]
    fn liveness_fails_after_so_many_in_a_row_and_is_asked_no_more() {
        let container = container(|c| c.probes.liveness = probe(0, 5, 2));
        let mut health = Health::begin(&container, START);
        let said = asked(&container, &mut health, 100, |_, second| second == 10);
        assert_eq!(
            said,
            "liveness 5 false ready, liveness 10 true ready, liveness 15 false ready, liveness 20 false ready, liveness fails"
        );
    }

    #[test]
    fn until_startup_passes_nothing_else_is_asked() {
        let container = container(|c| {
            c.probes.startup = probe(0, 2, 30);
            c.probes.readiness = probe(0, 60, 3);
            c.probes.liveness = probe(0, 4, 3);
        });
        let mut health = Health::begin(&container, START);
        let said = asked(&container, &mut health, 12, |_, second| second >= 5);
        assert_eq!(
            said,
            "startup 1 false, startup 3 false, startup 5 true, liveness 5 true, readiness 5 true ready, liveness 9 true ready"
        );
    }

    #[test]
    fn startup_that_never_passes_fails() {
        let container = container(|c| c.probes.startup = probe(0, 1, 3));
        let mut health = Health::begin(&container, START);
        let said = asked(&container, &mut health, 60, |_, _| false);
        assert_eq!(
            said,
            "startup 1 false, startup 2 false, startup 3 false, startup fails"
        );
        assert!(!health.is_started());
    }

    #[test]
    fn a_broken_prober_changes_nothing() {
        let container = container(|c| c.probes.liveness = probe(0, 1, 1));
        let mut health = Health::begin(&container, START);
        let probe = container.probes.liveness.clone().expect("a probe");
        health.answered(Kind::Liveness, &probe, None, START + 1000);
        assert_eq!(health.fails(), None);
        let next: Vec<_> = health.next().collect();
        assert_eq!(next, [(Kind::Liveness, START + 2000)]);
    }

    #[test]
    fn nothing_is_asked_before_post_start_has_ended() {
        let container = container(|c| {
            c.lifecycle.post_start = Some(Handler::Sleep(3));
            c.probes.readiness = probe(0, 1, 1);
        });
        let mut health = Health::begin(&container, START);
        assert_eq!(health.next().count(), 0);
        assert!(!health.is_started());
        health.hooked(true, START + 3000);
        assert_eq!(
            health.next().collect::<Vec<_>>(),
            [(Kind::Readiness, START + 3000)]
        );
    }

    #[test]
    fn who_comes_later_goes_on_from_what_was_told() {
        let container = container(|c| {
            c.lifecycle.post_start = Some(Handler::Sleep(3));
            c.probes.startup = probe(0, 1, 1);
            c.probes.readiness = probe(0, 1, 1);
        });
        let told = Standing {
            started: true,
            ready: true,
            ..Standing::default()
        };
        let health = Health::resume(&container, START, Some(&told), START + 60_000);
        assert!(health.is_ready());
        let health = Health::resume(&container, START, None, START + 60_000);
        assert!(!health.is_started());
        assert_eq!(
            health.next().collect::<Vec<_>>(),
            [(Kind::Startup, START + 60_000)]
        );
    }
}
