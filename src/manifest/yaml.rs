//! YAML and JSON text to a tree whose nodes know where they stand.
//!
//! Not here: what the tree means (`schema`).

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag, options};

use super::problem::{Problem, Severity};
use super::scalar::{Scalar, resolve};

/// Levels of nesting.
const DEEPEST: usize = 100;
/// Nodes of one document, those that aliases repeat among them: more is an alias bomb.
const MOST_NODES: usize = 200_000;

/// One node.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One entry of a map. Keys are text, whatever they were.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) node: Node,
}

impl Node {
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(Scalar::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.value, Value::Scalar(Scalar::Null))
    }
}

/// The documents of a text that have content; and what is wrong with the text.
pub(super) fn documents(source: usize, text: &str) -> (Vec<Node>, Vec<Problem>) {
    let options = options! {
        block_nesting_limit: DEEPEST,
        flow_nesting_limit: DEEPEST,
        emit_unresolved_aliases: true,
        emit_comments: false,
    };
    let mut reader = Reader {
        source,
        text,
        parser: Parser::new_from_str_with_options(text, options),
        anchors: HashMap::new(),
        n_nodes: 0,
        problems: Vec::new(),
    };
    let mut documents = Vec::new();
    loop {
        match reader.next_document() {
            Ok(Some(node)) if node.is_null() => {}
            Ok(Some(node)) => documents.push(node),
            Ok(None) => break,
            Err(Fault::Syntax(error)) => {
                reader.syntax(&error);
                if !reader.parser.proceed_next_document().unwrap_or(false) {
                    break;
                }
            }
            Err(Fault::TooLarge(span)) => {
                let message = format!(
                    "has more than {MOST_NODES} nodes, those that aliases repeat among them"
                );
                reader.problem(span, message);
                break;
            }
        }
    }
    (documents, reader.problems)
}

enum Fault {
    Syntax(ScanError),
    TooLarge(Range<usize>),
}

impl From<ScanError> for Fault {
    fn from(error: ScanError) -> Self {
        Self::Syntax(error)
    }
}

struct Reader<'a> {
    source: usize,
    text: &'a str,
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    anchors: HashMap<usize, (Node, usize)>,
    n_nodes: usize,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn next_document(&mut self) -> Result<Option<Node>, Fault> {
        self.anchors.clear();
        self.n_nodes = 0;
        loop {
            let Some((event, span)) = self.next()? else {
                return Ok(None);
            };
            match event {
                Event::StreamEnd => return Ok(None),
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                event => return self.node(event, &span).map(Some),
            }
        }
    }

    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, Fault> {
        Ok(self.parser.next_event().transpose()?)
    }

    fn node(&mut self, event: Event<'a>, span: &Span) -> Result<Node, Fault> {
        let at = span.byte_range().unwrap_or(0..0);
        self.n_nodes += 1;
        if self.n_nodes > MOST_NODES {
            return Err(Fault::TooLarge(at));
        }
        let before = self.n_nodes;
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => (
                Node {
                    span: at,
                    value: Value::Scalar(scalar(&text, style, tag.as_deref())),
                },
                anchor,
            ),
            Event::SequenceStart(_, anchor, _) => (self.list(at)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map(at)?, anchor),
            Event::Alias(id) => {
                let Some((node, size)) = self.anchors.get(&id).cloned() else {
                    self.problem(
                        at.clone(),
                        "an alias stands inside its own anchor".to_owned(),
                    );
                    return Ok(Node {
                        span: at,
                        value: Value::Scalar(Scalar::Null),
                    });
                };
                self.n_nodes += size;
                if self.n_nodes > MOST_NODES {
                    return Err(Fault::TooLarge(at));
                }
                return Ok(node);
            }
            Event::UnresolvedAlias(name) => {
                self.problem(
                    at.clone(),
                    format!("there is no anchor `{name}` before this alias"),
                );
                return Ok(Node {
                    span: at,
                    value: Value::Scalar(Scalar::Null),
                });
            }
            _ => {
                return Ok(Node {
                    span: at,
                    value: Value::Scalar(Scalar::Null),
                });
            }
        };
        if anchor != 0 {
            self.anchors
                .insert(anchor, (node.clone(), self.n_nodes - before + 1));
        }
        Ok(node)
    }

    fn list(&mut self, at: Range<usize>) -> Result<Node, Fault> {
        let mut nodes = Vec::new();
        while let Some((event, span)) = self.next()? {
            if matches!(event, Event::SequenceEnd) {
                break;
            }
            nodes.push(self.node(event, &span)?);
        }
        Ok(Node {
            span: at,
            value: Value::List(nodes),
        })
    }

    fn map(&mut self, at: Range<usize>) -> Result<Node, Fault> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged: Vec<Entry> = Vec::new();
        while let Some((event, span)) = self.next()? {
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let plain = matches!(event, Event::Scalar(_, ScalarStyle::Plain, ..));
            let key_node = self.node(event, &span)?;
            let Some((event, span)) = self.next()? else {
                break;
            };
            let node = self.node(event, &span)?;
            let key_span = key_node.span.clone();
            let Some(key) = key(&key_node) else {
                self.problem(key_span, "a key must be text".to_owned());
                continue;
            };
            if plain && key == "<<" {
                self.merge(node, &mut merged);
                continue;
            }
            if entries.iter().any(|entry| entry.key == key) {
                self.problem(key_span, format!("the key `{key}` stands here twice"));
                continue;
            }
            entries.push(Entry {
                key,
                key_span,
                node,
            });
        }
        for entry in merged {
            if !entries.iter().any(|own| own.key == entry.key) {
                entries.push(entry);
            }
        }
        Ok(Node {
            span: at,
            value: Value::Map(entries),
        })
    }

    /// `<<`: the entries of one map, or of several, the earlier first.
    fn merge(&mut self, node: Node, merged: &mut Vec<Entry>) {
        match node.value {
            Value::Map(entries) => {
                for entry in entries {
                    if !merged.iter().any(|there| there.key == entry.key) {
                        merged.push(entry);
                    }
                }
            }
            Value::List(nodes) => nodes.into_iter().for_each(|node| self.merge(node, merged)),
            Value::Scalar(_) => self.problem(node.span, "`<<` merges maps only".to_owned()),
        }
    }

    fn syntax(&mut self, error: &ScanError) {
        let marker = error.marker();
        let at = marker
            .byte_offset()
            .unwrap_or(self.text.len())
            .min(self.text.len());
        let (at, message) = match tab(self.text, at) {
            Some(tab) => (tab, "a tab cannot indent YAML: use spaces".to_owned()),
            None => (at, error.info()),
        };
        self.problem(at..at, message);
    }

    fn problem(&mut self, span: Range<usize>, message: String) {
        self.problems.push(Problem {
            severity: Severity::Error,
            source: self.source,
            span,
            path: String::new(),
            message,
            hint: None,
        });
    }
}

/// A tab that indents the line that the parser stumbled over, or the one after it.
fn tab(text: &str, at: usize) -> Option<usize> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |at| at + 1);
    let next = text.get(at..)?.find('\n').map(|length| at + length + 1);
    [Some(start), next]
        .into_iter()
        .flatten()
        .find(|line| text[*line..].starts_with('\t'))
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Scalar {
    match tag.and_then(Tag::core_suffix) {
        Some("str") => Scalar::Text(text.to_owned()),
        Some("int" | "float" | "bool" | "null") => resolve(text),
        _ if style == ScalarStyle::Plain => resolve(text),
        _ => Scalar::Text(text.to_owned()),
    }
}

/// A key as sigs.k8s.io/yaml makes it: `on` is `true`, `1` is `1`.
fn key(node: &Node) -> Option<String> {
    match &node.value {
        Value::Scalar(Scalar::Text(text)) => Some(text.clone()),
        Value::Scalar(Scalar::Bool(value)) => Some(value.to_string()),
        Value::Scalar(Scalar::Int(value)) => Some(value.to_string()),
        Value::Scalar(Scalar::Float(value)) => Some(value.to_string()),
        _ => None,
    }
}
