//! Text to trees: all documents of a text, those that are no YAML left out.
//!
//! Not here: anchors, merge keys and tags (`builder`), what a plain scalar means (`scalar`), what a tree should hold (`walk`).

use std::borrow::Cow;
use std::ops::Range;

use granit_parser::Parser;

use super::builder::{Builder, MAX_DEPTH, SyntaxFault};
use super::path::Trail;
use super::tree::{Kind, Node};

/// What a text holds.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// One tree per document that says something and could be read.
    pub(super) documents: Vec<Node>,
    pub(super) faults: Vec<SyntaxFault>,
    /// A document is missing, for it could not be read.
    pub(super) incomplete: bool,
}

/// So many escapes that only Kubernetes knows are read in one text.
const MOST_QUOTES: usize = 64;

/// Reads all documents of a text. A document that is no YAML is left out and the next one is read.
pub(super) fn read(text: &str) -> Stream {
    let mut written = Cow::Borrowed(text);
    // Where a backslash was taken away, in the text as it was.
    let mut taken: Vec<usize> = Vec::new();
    loop {
        let (mut stream, error) = read_as_it_is(&written);
        // go-yaml takes `\'` between double quotes, which YAML does not have.
        let quote = error.filter(|_| taken.len() < MOST_QUOTES);
        if let Some(at) = quote.and_then(|at| foreign_escape(&written, at)) {
            taken.push(at + taken.len());
            written.to_mut().remove(at);
            continue;
        }
        if !taken.is_empty() {
            let back = |span: &mut Range<usize>| {
                *span = original(span.start, &taken)..original(span.end, &taken);
            };
            stream
                .documents
                .iter_mut()
                .for_each(|node| node.spans(&back));
            stream
                .faults
                .iter_mut()
                .for_each(|fault| back(&mut fault.span));
        }
        return stream;
    }
}

/// The first `\'` of the quoted scalar that an error is about.
fn foreign_escape(text: &str, at: usize) -> Option<usize> {
    let inside = text.get(at..)?.strip_prefix('"')?;
    let mut bytes = inside.bytes().enumerate();
    while let Some((i, byte)) = bytes.next() {
        match byte {
            b'"' => return None,
            b'\\' if bytes.next()?.1 == b'\'' => return Some(at + 1 + i),
            _ => {}
        }
    }
    None
}

/// Where a byte stood before the backslashes were taken away.
fn original(at: usize, taken: &[usize]) -> usize {
    taken
        .iter()
        .fold(at, |at, gone| at + usize::from(*gone <= at))
}

/// The documents, and where the first error is.
fn read_as_it_is(text: &str) -> (Stream, Option<usize>) {
    let mut options = granit_parser::options! {
        disallow_directives: true,
        emit_unresolved_aliases: true,
        block_scalar_eof_without_line_feed: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut stream = Stream::default();
    let mut builder = Builder::new(text);
    let mut first = None;
    while let Some(next) = parser.next_event() {
        let error = match next {
            Ok((event, span)) => {
                match builder.event(event, span) {
                    // What follows from missing aliases would only hide the reason.
                    Some(_) if builder.is_spent() => stream.incomplete = true,
                    Some(document) if !matches!(document.kind, Kind::Null) => {
                        stream.documents.push(document);
                    }
                    _ => {}
                }
                continue;
            }
            Err(error) => error,
        };
        let at = error.marker().byte_offset().unwrap_or(text.len());
        first = first.or(Some(at));
        stream.incomplete = true;
        builder.forget();
        builder.faults.push(syntax_fault(text, at, &error.info()));
        if !matches!(parser.proceed_next_document(), Ok(true)) {
            break;
        }
    }
    stream.faults = builder.faults;
    (stream, first)
}

fn syntax_fault(text: &str, at: usize, reason: &str) -> SyntaxFault {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let tab = tab_in_indent(text, at);
    SyntaxFault {
        span: tab.map_or(at..at, |tab| tab..tab + 1),
        trail: Trail::default(),
        message: format!("not valid YAML: {reason}"),
        hint: tab.map(|_| "a tab cannot indent YAML: use spaces".to_owned()),
    }
}

/// A tab that a line is indented with, in the line of a fault or the one after it: the parser sees its fault too early.
fn tab_in_indent(text: &str, at: usize) -> Option<usize> {
    let mut start = text[..at].rfind('\n').map_or(0, |i| i + 1);
    for line in text[start..].split_inclusive('\n').take(2) {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = line[..indent].find('\t') {
            return Some(start + tab);
        }
        start += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use serde_json::{Value, json};

    use super::*;

    fn check(text: &str, expected: &Value) {
        let stream = read(text);
        assert_eq!(stream.faults, [], "{text}");
        let values: Value = stream.documents.iter().map(Node::to_value).collect();
        assert_eq!(&values, expected, "{text}");
    }

    fn faults(text: &str) -> Vec<(Range<usize>, String)> {
        read(text)
            .faults
            .into_iter()
            .map(|f| (f.span, format!("{}|{}", f.trail, f.message)))
            .collect()
    }

    #[test]
    fn documents_maps_lists_and_scalars() {
        check(
            "a: [1, x]\n---\nb: {c: yes}\n",
            &json!([{"a": [1, "x"]}, {"b": {"c": true}}]),
        );
        check("---\n---\n# nothing\n...\n", &json!([]));
        check(
            "\u{feff}a: 1\r\nb: |\r\n  x\r\n  y\r\n",
            &json!([{"a": 1, "b": "x\ny\n"}]),
        );
        check("{\n\t\"a\": \"\\u00e9\"\n}", &json!([{"a": "é"}]));
        check(
            "1: a\non: b\n2.0: c",
            &json!([{"1": "a", "true": "b", "2": "c"}]),
        );
    }

    #[test]
    fn anchors_and_merge_keys() {
        check(
            "a: &x {b: 1}\nc: *x",
            &json!([{"a": {"b": 1}, "c": {"b": 1}}]),
        );
        check(
            "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  b: 3",
            &json!([{"a": {"b": 1, "c": 2}, "d": {"b": 3, "c": 2}}]),
        );
        check("d:\n  b: 3\n  <<: {b: 1}", &json!([{"d": {"b": 1}}]));
        check(
            "d:\n  <<: [{b: 1}, {b: 2, c: 2}]",
            &json!([{"d": {"b": 1, "c": 2}}]),
        );
        check("d: {\"<<\": 1}", &json!([{"d": {"<<": 1}}]));
    }

    #[test]
    fn escapes_are_those_of_go_yaml() {
        check(r#"a: "it\'s \'""#, &json!([{"a": "it's '"}]));
        let stream = read("a: \"\\'\"\nb: 1\n");
        let found = stream.documents[0]
            .entry("b")
            .map(|entry| entry.key_span.clone());
        assert_eq!(found, Some(8..9));
        assert_eq!(faults(r#"a: "\ud83d\ude00""#).len(), 1);
        assert_eq!(faults(r#"a: "x\/y""#).len(), 1);
        check(r#"{"a": "x\/\ud83d\ude00\\/"}"#, &json!([{"a": "x/😀\\/"}]));
    }

    #[test]
    fn faults_know_their_place() {
        assert_eq!(
            faults("a:\n- b: 1\n  b: 2\n"),
            [(
                12..13,
                "a[0].b|the key `b` stands twice in this map".to_owned()
            )]
        );
        assert_eq!(faults("a: *b\n")[0].0, 3..5);
        assert_eq!(faults("? [a]\n: b\n").len(), 1);
        assert_eq!(faults("~: b\n").len(), 1);
        assert_eq!(faults("a: &x [*x]\n").len(), 1);
        assert_eq!(faults("a: {<<: 3}\n").len(), 1);
        assert_eq!(faults("a: !!map [3]\n").len(), 1);
    }

    #[test]
    fn a_document_that_is_no_yaml_does_not_hide_the_next() {
        let stream = read("a: [\n---\nb: 1\n");
        assert!(stream.incomplete);
        assert_eq!(stream.documents.len(), 1);
    }

    #[test]
    fn hostile_text_ends_soon() {
        assert!(!read(&"[".repeat(100_000)).faults.is_empty());
        assert!(!read(&"- ".repeat(100_000)).faults.is_empty());
        assert!(!read(&"{a: ".repeat(100_000)).faults.is_empty());
        let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for (name, before) in ('b'..='z').zip('a'..) {
            let _ = writeln!(
                bomb,
                "{name}: &{name} [*{before},*{before},*{before},*{before},*{before},*{before},*{before},*{before}]"
            );
        }
        assert!(!read(&bomb).faults.is_empty());
        let mut deep = "a0: &a0 [x]\n".to_owned();
        for i in 1..1000 {
            let _ = writeln!(deep, "a{i}: &a{i} [*a{}]", i - 1);
        }
        assert!(!read(&deep).faults.is_empty());
        assert!(!read("a: \0").faults.is_empty());
    }
}
