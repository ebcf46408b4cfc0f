//! Faults of manifests as a person reads them: what, where, the line itself, what to write instead.
//!
//! Not here: finding them (`manifest`).

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::escape::escape;
use crate::manifest::{Problem, Severity, Source, position};

/// More are counted only.
const MOST_SHOWN: usize = 60;
/// A longer line is not shown, in bytes.
const LONGEST_LINE: usize = 4096;

/// All problems, one under the other, with styles for a terminal; a stream that is none strips them.
#[must_use]
pub fn report(problems: &[Problem], sources: &[Source]) -> String {
    let renderer = Renderer::styled();
    let mut text = String::new();
    for problem in problems.iter().take(MOST_SHOWN) {
        text.push_str(&one(&renderer, problem, sources));
        text.push('\n');
    }
    match problems.len().checked_sub(MOST_SHOWN) {
        None | Some(0) => text,
        Some(more) => format!("{text}... and {more} more\n"),
    }
}

fn one(renderer: &Renderer, problem: &Problem, sources: &[Source]) -> String {
    let Some(source) = sources.get(problem.source) else {
        return problem.message.clone();
    };
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = if problem.path.is_empty() {
        escape(&problem.message).into_owned()
    } else {
        escape(&format!("{}: {}", problem.path, problem.message)).into_owned()
    };
    let (line_number, column) = position(&source.text, problem.span.start);
    let name = escape(&source.name).into_owned();
    let group = level.primary_title(title);
    let group = match line(&source.text, problem) {
        Some((line, span)) => group.element(
            Snippet::source(line)
                .path(name)
                .line_start(line_number)
                .annotation(AnnotationKind::Primary.span(span)),
        ),
        None => group.element(Origin::path(name).line(line_number).char_column(column)),
    };
    let hint = problem
        .hint
        .as_ref()
        .map(|hint| Group::with_title(Level::HELP.secondary_title(escape(hint).into_owned())));
    let groups: Vec<Group<'_>> = std::iter::once(group).chain(hint).collect();
    renderer.render(&groups)
}

/// The line that a problem begins on, and what of it is meant. What could drive a terminal is blotted out.
fn line(text: &str, problem: &Problem) -> Option<(String, std::ops::Range<usize>)> {
    let start = (0..=problem.span.start.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))?;
    let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    if end - begin > LONGEST_LINE {
        return None;
    }
    let blot = |part: &str| {
        part.trim_end_matches('\r')
            .chars()
            .map(harmless)
            .collect::<String>()
    };
    let (before, rest) = (blot(&text[begin..start]), &text[start..end]);
    let meant = problem.span.end.clamp(start, end) - start;
    let meant = (0..=meant)
        .rev()
        .find(|at| rest.is_char_boundary(*at))
        .unwrap_or_default();
    let meant_length = blot(&rest[..meant]).len();
    let span = before.len()..before.len() + meant_length;
    Some((before + &blot(rest), span))
}

fn harmless(c: char) -> char {
    let text = c.to_string();
    if *escape(&text) == text {
        c
    } else {
        '\u{fffd}'
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{LoadOptions, load};

    fn check(text: &str) -> String {
        let sources = [Source {
            name: "pod.yaml".into(),
            text: text.into(),
        }];
        let problems = match load(&sources, &LoadOptions::default()) {
            Ok(loaded) => loaded.warnings,
            Err(problems) => problems,
        };
        anstream::adapter::strip_str(&report(&problems, &sources)).to_string()
    }

    #[test]
    fn a_value_cannot_drive_the_terminal() {
        let report = check("apiVersion: v1\nkind: \"Po\\ed\"\nmetadata: {name: \"a\u{202e}\"}\n");
        assert!(
            !report.contains('\u{1b}') && !report.contains('\u{202e}'),
            "{report}"
        );
    }
}
