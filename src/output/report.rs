//! Problems of manifests: as a compiler shows them (what, `file:line:column`, the line itself, what to do), in one line
//! each, as JSON, and as GitHub's annotations.
//!
//! No line of a Secret is shown.
//!
//! Not here: finding problems (`manifest`), writing to a stream (`printer`).

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::escape::escape;
use crate::manifest::{Problem, Severity, Source};

/// How much of a line is shown before and after what is wrong with it, in characters.
const AROUND: usize = 100;
/// How many problems are shown.
const SHOWN: usize = 100;

/// How problems are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// For people: a paragraph each.
    #[default]
    Long,
    /// For editors: `file:line:column: error: ...`, as compilers write it.
    Short,
    /// For programs: a list.
    Json,
    /// For a workflow of GitHub: annotations.
    Github,
}

/// The problems in a style. Foreign text in it is escaped.
#[must_use]
pub fn report(problems: &[Problem], sources: &[Source], style: Style) -> String {
    match style {
        Style::Long => long(problems, sources),
        Style::Short => each(problems, sources, short),
        Style::Json => json(problems, sources),
        Style::Github => each(problems, sources, github),
    }
}

fn each(problems: &[Problem], sources: &[Source], line: fn(&Problem, &str) -> String) -> String {
    let name = |problem: &Problem| sources.get(problem.source).map_or("", |s| s.name.as_str());
    let lines = problems.iter().map(|problem| line(problem, name(problem)));
    lines.map(|line| line + "\n").collect()
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error | Severity::Unsupported => "error",
        Severity::Warning => "warning",
    }
}

fn short(problem: &Problem, name: &str) -> String {
    let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})"));
    let Problem { line, column, .. } = problem;
    let text = format!(
        "{name}:{line}:{column}: {}: {}{}",
        word(problem.severity),
        problem.title(),
        hint.unwrap_or_default()
    );
    one_line(&text).into_owned()
}

/// GitHub: workflow commands.
fn github(problem: &Problem, name: &str) -> String {
    let data = |text: &str| {
        text.replace('%', "%25")
            .replace('\r', "%0D")
            .replace('\n', "%0A")
    };
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})"));
    let text = format!(
        "::{} file={},line={},col={}::{}{}",
        word(problem.severity),
        property(name),
        problem.line,
        problem.column,
        data(&problem.title()),
        data(&hint.unwrap_or_default())
    );
    one_line(&text).into_owned()
}

fn json(problems: &[Problem], sources: &[Source]) -> String {
    let one = |problem: &Problem| {
        serde_json::json!({
            "severity": word(problem.severity),
            "unsupported": problem.severity == Severity::Unsupported,
            "file": sources.get(problem.source).map(|source| source.name.as_str()),
            "line": problem.line,
            "column": problem.column,
            "field": problem.path,
            "message": problem.message,
            "hint": problem.hint,
        })
    };
    let list: serde_json::Value = problems.iter().map(one).collect();
    format!("{list:#}\n")
}

/// Each a paragraph of its own; the first hundred when there are more.
fn long(problems: &[Problem], sources: &[Source]) -> String {
    let renderer = Renderer::styled().decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    // A warning must not take an error's place.
    let crowded = problems.len() > SHOWN;
    let errors = problems.iter().filter(|p| p.is_error() || !crowded);
    let warnings = problems.iter().filter(|p| !p.is_error() && crowded);
    for problem in errors.chain(warnings).take(SHOWN) {
        text.push_str(&one(problem, sources, &renderer));
        text.push_str("\n\n");
    }
    if let Some(n_more @ 1..) = problems.len().checked_sub(SHOWN) {
        let _ = writeln!(text, "and {n_more} more\n");
    }
    text
}

fn one(problem: &Problem, sources: &[Source], renderer: &Renderer) -> String {
    let level = match problem.severity {
        Severity::Error | Severity::Unsupported => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = problem.title();
    let mut group = Group::with_title(level.primary_title(one_line(&title)));
    if let Some(source) = sources.get(problem.source) {
        let name = if source.name == "-" {
            Cow::Borrowed("<stdin>")
        } else {
            one_line(&source.name)
        };
        let excerpt = excerpt(&source.text, &problem.span);
        let is_secret = is_in_secret(&source.text, problem.span.start);
        let mut snippet = Snippet::source(excerpt.line)
            .line_start(problem.line)
            .annotation(AnnotationKind::Primary.span(excerpt.span));
        // The renderer counts the column itself, which is right unless something before it is cut or escaped.
        if excerpt.exact && !is_secret {
            snippet = snippet.path(name);
        } else {
            let origin = Origin::path(name).line(problem.line);
            group = group.element(origin.char_column(problem.column));
        }
        if !is_secret {
            group = group.element(snippet);
        }
    }
    if let Some(hint) = &problem.hint {
        group = group.element(Level::HELP.message(one_line(hint)));
    }
    renderer.render(&[group])
}

/// A line break in a name or a value must not look like a line of ours.
fn one_line(text: &str) -> Cow<'_, str> {
    escape(text)
}

/// What is shown of a source.
#[derive(Debug, PartialEq, Eq)]
struct Excerpt {
    /// The line that a span begins in, or what is around the span when it is long; escaped.
    line: String,
    /// Where the span is in it.
    span: Range<usize>,
    /// Everything before the span is there as it is.
    exact: bool,
}

/// Whether a place is in a document that holds a Secret. A document that cannot be read is told by its words.
fn is_in_secret(text: &str, at: usize) -> bool {
    let at = floor(text, at);
    let is_boundary = |line: &str| {
        let rest = line.strip_prefix("---");
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r']))
    };
    let is_written = |c: &char| !c.is_whitespace() && !matches!(c, '"' | '\'');
    let (mut document, mut end, mut is_here) = (String::new(), 0, false);
    for line in text.split_inclusive('\n') {
        if is_boundary(line.trim_end_matches('\n')) {
            if is_here {
                break;
            }
            document.clear();
        }
        end += line.len();
        is_here |= at < end;
        document.extend(line.to_lowercase().chars().filter(is_written));
    }
    document.contains("kind:secret")
}

fn excerpt(text: &str, span: &Range<usize>) -> Excerpt {
    let begin = floor(text, span.start);
    let line_start = text[..begin].rfind('\n').map_or(0, |i| i + 1);
    let line_end = text[begin..].find('\n').map_or(text.len(), |i| begin + i);
    let end = floor(text, span.end).clamp(begin, line_end.max(begin));

    let before = text[line_start..begin].trim_start_matches('\u{feff}');
    let (before, cut_before) = last(before, AROUND);
    let (inside, cut_inside) = first(text[begin..end].trim_end_matches('\r'), AROUND);
    let after = text[end..line_end.max(end)].trim_end_matches('\r');
    let (after, cut_after) = if cut_inside {
        ("", true)
    } else {
        first(after, AROUND)
    };

    let mut line = String::new();
    if cut_before {
        line.push_str("...");
    }
    let escaped = escape(before);
    line.push_str(&escaped);
    let start = line.len();
    line.push_str(&escape(inside));
    let stop = line.len();
    line.push_str(&escape(after));
    if cut_after {
        line.push_str("...");
    }
    Excerpt {
        line,
        span: start..stop,
        exact: !cut_before && escaped == before,
    }
}

/// The nearest place before which a text can be cut.
fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn first(text: &str, n: usize) -> (&str, bool) {
    match text.char_indices().nth(n) {
        Some((at, _)) => (&text[..at], true),
        None => (text, false),
    }
}

fn last(text: &str, n: usize) -> (&str, bool) {
    match text.char_indices().rev().nth(n) {
        Some((at, c)) => (&text[at + c.len_utf8()..], true),
        None => (text, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str, span: Range<usize>) -> Problem {
        let before = &text[..span.start];
        Problem {
            severity: Severity::Error,
            source: 0,
            line: before.matches('\n').count() + 1,
            column: before.chars().rev().take_while(|c| *c != '\n').count() + 1,
            span,
            path: "spec.x".into(),
            message: "unknown field".into(),
            hint: Some("did you mean `y`?".into()),
            missing: false,
        }
    }

    fn source(text: &str) -> Source {
        Source {
            name: "pod.yaml".into(),
            text: text.into(),
        }
    }

    fn plain(problems: &[Problem], sources: &[Source]) -> String {
        let shown = report(problems, sources, Style::Long);
        anstream::adapter::strip_str(&shown).to_string()
    }

    #[test]
    fn a_line_for_each_problem_is_for_editors_and_for_github() {
        let (text, style) = ("spec:\n  x: 1\n", Style::Short);
        let (problems, sources) = ([problem(text, 8..9)], [source(text)]);
        assert_eq!(
            report(&problems, &sources, style),
            "pod.yaml:2:3: error: spec.x: unknown field (did you mean `y`?)\n"
        );
        assert_eq!(
            report(&problems, &sources, Style::Github),
            "::error file=pod.yaml,line=2,col=3::spec.x: unknown field (did you mean `y`?)\n"
        );
        let json = report(&problems, &sources, Style::Json);
        let read: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(read[0]["field"], "spec.x");
    }

    #[test]
    fn a_problem_shows_its_place_its_line_and_what_to_do() {
        let text = "spec:\n  x: 1\n";
        let shown = plain(&[problem(text, 8..9)], &[source(text)]);
        let expected = "\
error: spec.x: unknown field
 --> pod.yaml:2:3
  |
2 |   x: 1
  |   ^
  |
  = help: did you mean `y`?

";
        assert_eq!(shown, expected);
    }

    #[test]
    fn no_line_of_a_secret_is_shown() {
        for secret in [
            "kind: Secret\nstringData: {a: hidden, x: 1}\n",
            "{\"kind\": \"Secret\", \"data\": {\"a\": \"hidden\", x: 1}}\n",
            "kind: secret\nstringData:\n  a: '\n-----BEGIN KEY-----\n'\n  b: {hidden: \"\", x: 1}\n",
            "kind: List\nitems:\n- kind: 'Secret'\n  stringData: {a: hidden, x: 1\n",
        ] {
            let text = format!("kind: Pod\nx: 1\n---\n{secret}---\nkind: Pod\n");
            let at = text.find("x: 1").expect("one");
            assert!(plain(&[problem(&text, at..at + 1)], &[source(&text)]).contains("2 | x: 1"));
            let at = text.rfind("x: 1").expect("one");
            let shown = plain(&[problem(&text, at..at + 1)], &[source(&text)]);
            assert!(!shown.contains("hidden"), "{shown}");
            assert!(shown.contains("--> pod.yaml:"), "{shown}");
        }
    }

    #[test]
    fn foreign_text_does_not_drive_the_terminal() {
        let text = "a: \"\u{1b}[31m\u{202e}x\u{7}\" # \u{1b}]0;t\u{7}\r\n";
        let mut one = problem(text, 3..10);
        one.message = "bad\nerror: \u{1b}[2J".into();
        one.path = "metadata.labels[\u{1b}]".into();
        let mut named = source(text);
        named.name = "a\u{1b}\nb".into();
        let shown = plain(&[one.clone()], &[named.clone()]);
        assert!(
            !shown.contains(|c: char| c.is_control() && c != '\n'),
            "{shown:?}"
        );
        assert!(!shown.contains('\u{202e}'));
        assert!(!shown.contains("\nerror: "), "{shown}");
        for style in [Style::Short, Style::Json, Style::Github] {
            let shown = report(&[one.clone()], &[named.clone()], style);
            let drives = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!shown.contains(drives), "{shown:?}");
        }
    }

    #[test]
    fn a_long_line_is_cut_around_the_fault() {
        let text = format!("{}X{}", "a".repeat(100_000), "b".repeat(100_000));
        let cut = excerpt(&text, &(100_000..100_001));
        assert!(cut.line.len() < 3 * AROUND);
        assert_eq!(&cut.line[cut.span], "X");
        assert!(!cut.exact);
    }

    #[test]
    fn a_span_may_cross_lines_stand_at_the_end_or_inside_a_character() {
        let shown = |text, span| {
            let excerpt = excerpt(text, &span);
            (excerpt.line, excerpt.span)
        };
        assert_eq!(shown("ab\ncd\n", 1..5), ("ab".to_owned(), 1..2));
        assert_eq!(shown("ab", 9..12), ("ab".to_owned(), 2..2));
        assert_eq!(shown("ü", 1..2), ("ü".to_owned(), 0..2));
        assert_eq!(shown("", 0..0), (String::new(), 0..0));
    }
}
