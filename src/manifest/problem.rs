//! What is wrong with a manifest, and where.
//!
//! Not here: how it is shown (`output::report`).

use std::ops::Range;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The manifest is refused.
    Error,
    /// It is taken, but somebody should know.
    Warning,
}

/// One fault, at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad.
    pub severity: Severity,
    /// Which of the sources.
    pub source: usize,
    /// Bytes of the source that it is about.
    pub span: Range<usize>,
    /// The field: `spec.containers[0].image`; empty where there is none.
    pub path: String,
    /// What is wrong, in Kubernetes' words.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// Line and column of a byte, both counted from 1; columns count characters.
#[must_use]
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (
        before.matches('\n').count() + 1,
        before[start..].chars().count() + 1,
    )
}

/// Collects the faults of one document, by the paths of its fields.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) source: usize,
    /// Where each field stands: its value.
    pub(super) places: std::collections::HashMap<String, Range<usize>>,
    /// Where the document stands.
    pub(super) whole: Range<usize>,
    pub(super) problems: Vec<Problem>,
}

impl Report {
    pub(super) fn new(source: usize, whole: Range<usize>) -> Self {
        Self {
            source,
            whole,
            ..Self::default()
        }
    }

    /// A fault of a field, unless the field, or one around it, has one already.
    pub(super) fn error(&mut self, path: &str, message: impl Into<String>) {
        self.error_with(path, message, None);
    }

    pub(super) fn error_with(
        &mut self,
        path: &str,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        let within = |outer: &str| {
            path.strip_prefix(outer)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let errors = self
            .problems
            .iter()
            .filter(|p| p.severity == Severity::Error);
        if errors
            .into_iter()
            .any(|p| !p.path.is_empty() && within(&p.path))
        {
            return;
        }
        let span = self.place(path);
        self.push(Severity::Error, span, path, message.into(), hint);
    }

    pub(super) fn warning(&mut self, path: &str, message: impl Into<String>) {
        let span = self.place(path);
        self.push(Severity::Warning, span, path, message.into(), None);
    }

    pub(super) fn push(
        &mut self,
        severity: Severity,
        span: Range<usize>,
        path: &str,
        message: String,
        hint: Option<String>,
    ) {
        let path = path.to_owned();
        self.problems.push(Problem {
            severity,
            source: self.source,
            span,
            path,
            message,
            hint,
        });
    }

    /// Where the field stands, or the nearest around it.
    fn place(&self, path: &str) -> Range<usize> {
        let mut path = path;
        loop {
            if let Some(place) = self.places.get(path) {
                return place.clone();
            }
            match path.rfind(['.', '[']) {
                Some(at) => path = &path[..at],
                None => return self.whole.clone(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_from_one_and_in_characters() {
        assert_eq!(position("a\nüb", 0), (1, 1));
        assert_eq!(position("a\nüb", 4), (2, 2));
        assert_eq!(position("a", 99), (1, 2));
    }
}
