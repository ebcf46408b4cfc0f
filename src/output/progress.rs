//! What a person sees while pods are driven: live lines on a terminal, one plain line for each thing that is done elsewhere.
//!
//! Not here: how it ended (`commands`).

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Printer;
use super::escape::escape;
use crate::driver::Event;
use crate::engine::images::PullProgress;
use crate::reconcile::{Action, Over};
use crate::record::labels::PAUSE_CONTAINER;
use crate::spec::{PodKey, RestartPolicy};

/// Shows the events of one pod.
pub struct Progress {
    printer: Printer,
    pod: String,
    begun: Instant,
    live: Option<MultiProgress>,
    bars: BTreeMap<String, ProgressBar>,
    pulls: BTreeMap<String, BTreeMap<String, PullProgress>>,
}

impl Progress {
    /// For a pod; live where stderr is a terminal.
    #[must_use]
    pub fn new(printer: Printer, pod: &PodKey) -> Self {
        let is_plain = printer.is_quiet() || printer.is_verbose();
        let live = !is_plain && std::io::stderr().is_terminal();
        Self {
            printer,
            pod: pod.to_string(),
            begun: Instant::now(),
            live: live.then(MultiProgress::new),
            bars: BTreeMap::new(),
            pulls: BTreeMap::new(),
        }
    }

    /// Shows one event.
    pub fn show(&mut self, event: &Event) {
        match event {
            Event::Began(action) => {
                self.detail("begins", action);
                if let Some((what, doing, _)) = self.words(action) {
                    self.begin(what, doing);
                }
            }
            Event::Ended(action) => {
                self.detail("ends", action);
                if let Some((what, _, done)) = self.words(action) {
                    self.end(&what, done);
                }
            }
            Event::Spared(action) => {
                self.detail("is spared", action);
                if let Some((what, ..)) = self.words(action) {
                    self.clear(&what);
                }
            }
            Event::Pulling { image } => self.begin(format!("image {image}"), "Pulling"),
            Event::Pull { image, progress } => self.pull(image, progress),
            Event::Pulled { image } => self.end(&format!("image {image}"), "Pulled"),
            Event::Overtaken { generation } => self.line(&format!(
                "Overtaken   pod {}: another `up` came later, following it (generation {generation})",
                self.pod
            )),
            Event::Alive { policy } => self.line(&format!(
                "Up          pod {}: {}; Ctrl-C takes the pod down",
                self.pod,
                again(*policy)
            )),
            Event::Exited { container, code } => self.line(&format!(
                "Ended       container {}/{container}: code {code}",
                self.pod
            )),
            Event::Over(over) => {
                let how = match over {
                    Over::Succeeded => "all containers have ended well",
                    Over::Failed => "a container has failed for good",
                    Over::Deadline => "its time (activeDeadlineSeconds) is over",
                    Over::Stopped => "somebody stopped it; `podctl start` goes on",
                };
                self.line(&format!("Over        pod {}: {how}", self.pod));
            }
            Event::Happened(happening) => {
                let (pod, container) = (&self.pod, &happening.container);
                let (reason, message) = (&happening.reason, escape(&happening.message));
                self.line(&format!("{reason:<11} container {pod}/{container}: {message}"));
            }
            Event::Failed(failure) => {
                let reason = failure.source.as_ref().map(|source| format!(": {source}"));
                self.line(&format!("Failed      {failure}{}", reason.unwrap_or_default()));
            }
            Event::Silent(failure) => {
                let reason = failure.source.as_ref().map(|source| format!(" ({source})"));
                self.line(&format!(
                    "Waiting     pod {}: the engine does not answer{}; it is asked again",
                    self.pod,
                    reason.unwrap_or_default()
                ));
            }
            Event::Ready { container } => self.line(&format!("Ready       container {}/{container}", self.pod)),
            Event::TakingDown => self.line(&format!("Ending      pod {}: taking it down", self.pod)),
            Event::TakingAway => self.line(&format!("Undoing     pod {}: taking away what was made", self.pod)),
            Event::OwnPids { container } => self.line(&format!(
                "Note        container {}/{container} keeps its own PID namespace: its image must be PID 1",
                self.pod
            )),
            Event::KeepsVariables { container } => self.line(&format!(
                "Note        container {}/{container} keeps the variables that it was started with: `podctl restart` brings the new ones",
                self.pod
            )),
            Event::PauseChanged { fields } => self.line(&format!(
                "Changed     pod {}: {} of the pause container, which is made anew with all others",
                self.pod,
                fields.join(", ")
            )),
        }
    }

    /// An action with its reason, and when it was so.
    fn detail(&self, what: &str, action: &Action) {
        let at = self.begun.elapsed().as_secs_f64();
        self.printer
            .detail(&format!("{at:>7.3} s   pod {}: {action} {what}", self.pod));
    }

    /// Takes the live lines away.
    pub fn finish(&mut self) {
        for bar in std::mem::take(&mut self.bars).into_values() {
            bar.finish_and_clear();
        }
    }

    /// What an action is about, and the words while it goes on and when it is done; `None`: nobody needs to see it.
    fn words(&self, action: &Action) -> Option<(String, &'static str, &'static str)> {
        let container = |name: &str| format!("container {}/{name}", self.pod);
        let of = |name: &str, doing, done| match name {
            PAUSE_CONTAINER => None,
            name => Some((container(name), doing, done)),
        };
        match action {
            Action::CreateNetwork => Some(("network podctl".to_owned(), "Creating", "Created")),
            Action::RemoveNetwork => Some(("network podctl".to_owned(), "Removing", "Removed")),
            Action::Start(target) if target.container == PAUSE_CONTAINER => {
                Some((format!("pod {}", self.pod), "Starting", "Started"))
            }
            Action::Start(target) => of(&target.container, "Starting", "Started"),
            Action::Connect(_) => Some((format!("pod {}", self.pod), "Connecting", "Connected")),
            Action::Pull { container: name } => Some((
                format!("image of container {}/{name}", self.pod),
                "Pulling",
                "Pulled",
            )),
            Action::Await(target) => of(&target.container, "Running", "Completed"),
            Action::Stop { target, .. } => of(&target.container, "Stopping", "Stopped"),
            Action::Refill { .. } => Some((
                format!("volumes of pod {}", self.pod),
                "Updating",
                "Updated",
            )),
            Action::RemoveRecord => Some((format!("pod {}", self.pod), "Removing", "Removed")),
            _ => None,
        }
    }

    fn begin(&mut self, what: String, doing: &'static str) {
        let Some(live) = &self.live else { return };
        let bar = live.add(ProgressBar::new_spinner().with_style(style()));
        bar.set_prefix(format!("{doing:<11}"));
        bar.set_message(escape(&what).into_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        self.bars.insert(what, bar);
    }

    fn clear(&mut self, what: &str) {
        if let Some(bar) = self.bars.remove(what) {
            bar.finish_and_clear();
        }
    }

    fn end(&mut self, what: &str, done: &'static str) {
        self.clear(what);
        self.line(&format!("{done:<11} {what}"));
    }

    fn pull(&mut self, image: &str, progress: &PullProgress) {
        let Some(bar) = self.bars.get(&format!("image {image}")) else {
            return;
        };
        let layers = self.pulls.entry(image.to_owned()).or_default();
        layers.insert(progress.layer.clone(), progress.clone());
        let downloads = || {
            layers
                .values()
                .filter(|layer| layer.status == "Downloading")
        };
        let current: u64 = downloads().filter_map(|layer| layer.current).sum();
        let total: u64 = downloads().filter_map(|layer| layer.total).sum();
        let size = if total > 0 {
            format!("  {} of {} MB", current / 1_000_000, total / 1_000_000)
        } else {
            format!("  {}", progress.status)
        };
        bar.set_message(escape(&format!("image {image}{size}")).into_owned());
    }

    fn line(&self, text: &str) {
        match &self.live {
            // A line that stays, above those that move.
            Some(live) => live.suspend(|| self.printer.status(text)),
            None => self.printer.status(text),
        }
    }
}

/// What becomes of what ends.
fn again(policy: Option<RestartPolicy>) -> &'static str {
    match policy {
        Some(RestartPolicy::Always) => "what ends is started again",
        Some(RestartPolicy::OnFailure) => "what fails is started again",
        Some(RestartPolicy::Never) => "what ends is not started again",
        None => "what ends is started again where its own restart policy says so",
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix} {msg} {spinner} {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}
