//! Every field of every example deleted, renamed and retyped in turn: podctl takes the mutant, or says at its place what is
//! wrong with it.
//!
//! Not here: what is wrong with which field (`src/manifest/validate`).

#[path = "support/mod.rs"]
mod support;

use std::ops::Range;

use granit_parser::{Event, Parser};
use podctl::manifest::{LoadOptions, Problem, Source, load};
use support::examples;

/// One entry of a map.
struct Field {
    key: Range<usize>,
    /// From the key to the end of the value.
    whole: Range<usize>,
    /// The map that it is in.
    around: Range<usize>,
    value: Range<usize>,
}

/// A list or map that is open.
struct Open {
    is_map: bool,
    begin: usize,
    key: Option<Range<usize>>,
    /// Fields of it, by their places in the list of all.
    fields: Vec<usize>,
    end: usize,
}

fn fields(text: &str) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.expect("an example is YAML");
        let at = span.byte_range().expect("bytes");
        let value = match event {
            // The line break after a block of text is not its own.
            Event::Scalar(..) | Event::Alias(_) => {
                at.start..at.start + text[at.clone()].trim_end().len()
            }
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                let is_map = matches!(event, Event::MappingStart(..));
                open.push(Open {
                    is_map,
                    begin: at.start,
                    key: None,
                    fields: Vec::new(),
                    end: at.end,
                });
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => {
                let closed = open.pop().expect("what is closed was open");
                // A block ends with what is in it, a flow with its bracket.
                let end = if text[at.clone()].is_empty() {
                    closed.end
                } else {
                    at.end
                };
                for field in &closed.fields {
                    fields[*field].around = closed.begin..end;
                }
                closed.begin..end
            }
            _ => continue,
        };
        let Some(parent) = open.last_mut() else {
            continue;
        };
        parent.end = parent.end.max(value.end);
        if !parent.is_map {
            continue;
        }
        match parent.key.take() {
            None => parent.key = Some(value),
            Some(key) => {
                parent.fields.push(fields.len());
                fields.push(Field {
                    whole: key.start..value.end,
                    around: 0..0,
                    key,
                    value,
                });
            }
        }
    }
    fields
}

fn without(text: &str, field: &Field) -> String {
    let (before, after) = (&text[..field.whole.start], &text[field.whole.end..]);
    // In a flow a comma goes too.
    let rest = after.trim_start();
    if let Some(rest) = rest.strip_prefix(',') {
        return format!("{before}{rest}");
    }
    if rest.starts_with('}') {
        let before = before.trim_end();
        return format!("{}{after}", before.strip_suffix(',').unwrap_or(before));
    }
    format!("{before}{after}")
}

fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn problems(text: &str) -> Option<Vec<Problem>> {
    let source = Source {
        name: "mutant.yaml".to_owned(),
        text: text.to_owned(),
    };
    load(&[source], &LoadOptions::default()).err()
}

#[test]
fn every_mutant_of_an_example_is_taken_or_refused_at_its_place() {
    let mut n_mutants = 0;
    let mut n_refused = 0;
    let mut check = |what: &str, text: &str, lines: Range<usize>| {
        n_mutants += 1;
        let Some(problems) = problems(text) else {
            return;
        };
        n_refused += 1;
        let at_place = problems.iter().any(|problem| {
            // What refers to something that is gone is where the fault is now.
            lines.contains(&problem.line) || problem.message.contains("not found")
        });
        assert!(at_place, "{what}, lines {lines:?}: {problems:#?}\n{text}");
    };
    for path in examples() {
        let text = std::fs::read_to_string(&path).expect("a file");
        assert!(problems(&text).is_none(), "{} is valid", path.display());
        for field in fields(&text) {
            let key = &text[field.key.clone()];
            let name = path.display();
            let at = line(&text, field.key.start);
            let (begin, end) = (
                line(&text, field.around.start),
                line(&text, field.around.end),
            );

            let deleted = without(&text, &field);
            check(
                &format!("{name}: {key} deleted"),
                &deleted,
                begin.saturating_sub(1)..end + 1,
            );

            let mut renamed = text.clone();
            renamed.insert(field.key.end, 'x');
            check(&format!("{name}: {key} renamed"), &renamed, at..at + 1);

            let is_number = text[field.value.clone()].parse::<i64>().is_ok();
            let other = if is_number { "[x]" } else { "17" };
            let mut retyped = text.clone();
            retyped.replace_range(field.value.clone(), other);
            let value = line(&text, field.value.start);
            check(&format!("{name}: {key} retyped"), &retyped, at..value + 1);
        }
    }
    assert!(
        n_mutants > 100 && n_refused > n_mutants / 2,
        "{n_refused} of {n_mutants}"
    );
}
