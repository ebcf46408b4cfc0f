//! What is wrong with a manifest, and where: first by its path in an object ([`Fault`]), then by its place in a file ([`Problem`]).
//!
//! Not here: how it is printed (`output::report`).

use std::ops::Range;

use super::path::{Path, Trail};
use super::tree::Node;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The manifest is refused, and Kubernetes refuses it too.
    Error,
    /// It is refused, for podctl cannot carry it out. Kubernetes takes it.
    Unsupported,
    /// It is taken, but someone may have meant something else.
    Warning,
}

/// Something wrong at a place in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Which of the sources.
    pub source: usize,
    /// Bytes of its text.
    pub span: Range<usize>,
    /// Line of the span's begin, from 1.
    pub line: usize,
    /// Column of the span's begin in characters, from 1.
    pub column: usize,
    /// The field: `spec.containers[0].image`; empty where no field is meant.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// It is about an object that is not in the sources.
    pub missing: bool,
}

impl Problem {
    /// Whether the manifest is refused for it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity != Severity::Warning
    }

    /// `spec.hostname: invalid value ...`
    #[must_use]
    pub fn title(&self) -> String {
        if self.path.is_empty() {
            self.message.clone()
        } else {
            format!("{}: {}", self.path, self.message)
        }
    }
}

/// Which part of a field a fault is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum At {
    /// Its value.
    Value,
    /// Its name.
    Key,
    /// These bytes.
    Span(Range<usize>),
}

/// Something wrong at a path of an object.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) severity: Severity,
    pub(super) trail: Trail,
    pub(super) at: At,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// The name that the API server has for the field, where that is not its path.
    name: Option<String>,
    /// What stands there could not be read: no rule has anything to say about it.
    unread: bool,
    /// It is about an object that is not in the sources.
    missing: bool,
}

impl Fault {
    pub(super) fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn at(&mut self, at: At) -> &mut Self {
        self.at = at;
        self
    }

    pub(super) fn called(&mut self, name: impl Into<String>) -> &mut Self {
        self.name = Some(name.into());
        self
    }

    pub(super) fn missing(&mut self) -> &mut Self {
        self.missing = true;
        self
    }

    pub(super) fn unread(&mut self) -> &mut Self {
        self.unread = true;
        self
    }
}

/// Nobody reads more, and finding the place of each takes time.
const FAULTS_MAX: usize = 500;

/// The faults of one object, in the order of finding; the first ones, when there is no end of them.
#[derive(Debug, Default)]
pub(super) struct Faults {
    list: Vec<Fault>,
    n_errors: usize,
    n_unsupported: usize,
    n_warnings: usize,
    /// The one that was too many, which its finder may still write into.
    spare: Option<Fault>,
    /// Trails of what could not be read.
    unread: Vec<Trail>,
}

impl Faults {
    /// Notes an error at the value of a field.
    pub(super) fn error(&mut self, path: &Path<'_>, message: impl Into<String>) -> &mut Fault {
        self.push(Severity::Error, path.trail(), message.into())
    }

    /// Notes what Kubernetes takes and podctl does not.
    pub(super) fn unsupported(
        &mut self,
        path: &Path<'_>,
        message: impl Into<String>,
    ) -> &mut Fault {
        self.push(Severity::Unsupported, path.trail(), message.into())
    }

    /// Notes a warning at the value of a field.
    pub(super) fn warning(&mut self, path: &Path<'_>, message: impl Into<String>) -> &mut Fault {
        self.push(Severity::Warning, path.trail(), message.into())
    }

    fn push(&mut self, severity: Severity, trail: Trail, message: String) -> &mut Fault {
        let fault = Fault {
            severity,
            trail,
            at: At::Value,
            message,
            hint: None,
            name: None,
            unread: false,
            missing: false,
        };
        let n = match severity {
            Severity::Error => &mut self.n_errors,
            Severity::Unsupported => &mut self.n_unsupported,
            Severity::Warning => &mut self.n_warnings,
        };
        *n += 1;
        if *n > FAULTS_MAX {
            return self.spare.insert(fault);
        }
        let index = self.list.len();
        self.list.push(fault);
        &mut self.list[index]
    }

    /// How many errors there are so far.
    pub(super) fn count(&self) -> usize {
        self.n_errors
    }

    /// Calls the errors since there were so many by the name that the API server has for their field.
    pub(super) fn call_since(&mut self, n_before: usize, name: &str) {
        for fault in self.since(n_before) {
            fault.called(name);
        }
    }

    /// Says of the errors since there were so many which key of a map they are about.
    pub(super) fn prefix_since(&mut self, n_before: usize, key: &str) {
        for fault in self.since(n_before) {
            fault.message = format!("`{key}`: {}", fault.message);
        }
    }

    fn since(&mut self, n_before: usize) -> impl Iterator<Item = &mut Fault> {
        let n_new = self.n_errors - n_before;
        let errors = self.list.iter_mut().rev();
        let errors = errors.filter(|fault| fault.severity == Severity::Error);
        errors.take(n_new)
    }

    /// Calls the errors since there were so many by names that begin with `short` where they begin with `long`.
    pub(super) fn rename_since(&mut self, n_before: usize, long: &str, short: &str) {
        for fault in self.since(n_before) {
            let name = fault
                .name
                .clone()
                .unwrap_or_else(|| fault.trail.to_string());
            if let Some(rest) = name.strip_prefix(long) {
                fault.name = Some(format!("{short}{rest}"));
            }
        }
    }

    /// Whether another error would not be kept.
    pub(super) fn is_full(&self) -> bool {
        self.n_errors >= FAULTS_MAX
    }

    /// Ends the part of reading: from here on, faults about what could not be read are left out by [`Self::settle`].
    pub(super) fn end_reading(&mut self) -> usize {
        self.unread = self
            .list
            .iter()
            .filter(|f| f.unread)
            .map(|f| f.trail.clone())
            .collect();
        self.list.len()
    }

    /// Takes out what rules said, from `n_read` on, about fields that could not be read in the first place.
    pub(super) fn settle(&mut self, n_read: usize) {
        if self.unread.is_empty() {
            return;
        }
        let mut index = 0;
        let unread = std::mem::take(&mut self.unread);
        self.list.retain(|fault| {
            index += 1;
            index <= n_read || !unread.iter().any(|t| fault.trail.is_within(t))
        });
        self.unread = unread;
    }

    /// Whether anything is refused.
    pub(super) fn has_errors(&self) -> bool {
        self.list.iter().any(|f| f.severity != Severity::Warning)
    }

    /// The faults at their places in the text.
    pub(super) fn into_problems(self, node: &Node, place: &Place<'_>) -> Vec<Problem> {
        self.list
            .into_iter()
            .map(|fault| place.problem(node, fault))
            .collect()
    }
}

/// A source, to find lines in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) source: usize,
    pub(super) text: &'a str,
    pub(super) lines: &'a Lines,
}

/// Where the lines of a text begin.
#[derive(Debug)]
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        Self(
            std::iter::once(0)
                .chain(breaks.map(|(i, _)| i + 1))
                .collect(),
        )
    }

    /// Line and column (in characters) of a byte, both from 1. A byte order mark takes no column.
    fn line_and_column(&self, text: &str, byte: usize) -> (usize, usize) {
        let line = self.0.partition_point(|start| *start <= byte).max(1);
        let before = text.get(self.0[line - 1]..byte).unwrap_or_default();
        (
            line,
            before.trim_start_matches('\u{feff}').chars().count() + 1,
        )
    }
}

impl Place<'_> {
    fn problem(&self, node: &Node, fault: Fault) -> Problem {
        let span = match fault.at {
            At::Span(span) => span,
            At::Value => node.find(&fault.trail).value,
            At::Key => {
                let found = node.find(&fault.trail);
                found.key.unwrap_or(found.value)
            }
        };
        let path = fault.name.unwrap_or_else(|| fault.trail.to_string());
        let problem = self.problem_at(fault.severity, span, path, fault.message, fault.hint);
        Problem {
            missing: fault.missing,
            ..problem
        }
    }

    pub(super) fn problem_at(
        &self,
        severity: Severity,
        span: Range<usize>,
        path: String,
        message: String,
        hint: Option<String>,
    ) -> Problem {
        let (line, column) = self.lines.line_and_column(self.text, span.start);
        Problem {
            severity,
            source: self.source,
            span,
            line,
            column,
            path,
            message,
            hint,
            missing: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        let place = |text: &str, byte| Lines::of(text).line_and_column(text, byte);
        assert_eq!(place("a\nüb", 0), (1, 1));
        assert_eq!(place("a\nüb", 4), (2, 2));
        assert_eq!(place("\u{feff}ab", 4), (1, 2));
        assert_eq!(place("", 9), (1, 1));
    }

    #[test]
    fn faults_without_end_are_cut_but_an_error_is_never_lost() {
        let mut faults = Faults::default();
        for _ in 0..2 * FAULTS_MAX {
            faults.warning(&Path::Root, "w").hint("h");
        }
        assert!(!faults.has_errors());
        for _ in 0..2 * FAULTS_MAX {
            faults.error(&Path::Root, "e");
        }
        assert!(faults.has_errors());
        assert_eq!(faults.list.len(), 2 * FAULTS_MAX);
    }

    #[test]
    fn rules_are_silent_about_what_could_not_be_read() {
        let mut faults = Faults::default();
        let root = Path::Root;
        let spec = root.field("spec");
        faults.error(&spec, "wrong type").unread();
        let n_read = faults.end_reading();
        faults.error(&spec.field("containers"), "required");
        faults.error(&root.field("metadata"), "other");
        faults.settle(n_read);
        let messages: Vec<&str> = faults.list.iter().map(|f| f.message.as_str()).collect();
        assert_eq!(messages, ["wrong type", "other"]);
    }
}
