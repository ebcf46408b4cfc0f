//! From the parser's events to trees, with anchors, merge keys and tags as Kubernetes reads them (go-yaml v2).
//!
//! Everything is bounded: nesting by the parser's limits, aliases by a budget in proportion to the text.
//!
//! Not here: what a plain scalar means (`scalar`), the parser and its errors (`yaml`).

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, ScalarStyle, Span, StructureStyle, Tag as YamlTag};

use super::path::{Step, Trail};
use super::scalar::{self, Tag};
use super::tree::{Entry, Kind, Node};

/// Levels of lists and maps in each other, those that aliases bring included.
pub(super) const MAX_DEPTH: usize = 200;
/// What aliases may repeat in all, in nodes and bytes, whatever the size of the text.
const ALIAS_BUDGET: usize = 1 << 20;
/// And for each byte of the text.
const ALIAS_BUDGET_PER_BYTE: usize = 16;

/// Faults of one text; nobody reads more.
const FAULTS_MAX: usize = 500;

/// A fault in the YAML itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyntaxFault {
    pub(super) span: Range<usize>,
    pub(super) trail: Trail,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// A list or map that is not at its end yet.
struct Frame {
    start: Range<usize>,
    block: bool,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(Map),
}

#[derive(Default)]
struct Map {
    entries: Vec<Entry>,
    /// Where a key is in `entries`, and whether a merge brought it.
    index: HashMap<String, (usize, bool)>,
    key: Option<Key>,
}

enum Key {
    Plain(String, Range<usize>),
    Merge,
    /// A key that was refused; its value is read and dropped.
    Refused,
}

/// Takes events, gives trees.
pub(super) struct Builder<'t> {
    text: &'t str,
    /// kubectl reads what begins with a brace as JSON.
    is_json: bool,
    frames: Vec<Frame>,
    anchors: HashMap<usize, Node>,
    budget: usize,
    pub(super) faults: Vec<SyntaxFault>,
}

impl<'t> Builder<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let begin = text.trim_start_matches('\u{feff}').trim_start();
        Self {
            text,
            is_json: begin.starts_with('{'),
            frames: Vec::new(),
            anchors: HashMap::new(),
            budget: ALIAS_BUDGET + ALIAS_BUDGET_PER_BYTE * text.len(),
            faults: Vec::new(),
        }
    }

    pub(super) fn forget(&mut self) {
        self.frames.clear();
        self.anchors.clear();
    }

    /// Aliases have repeated more than they may: what was built since is not what the text says.
    pub(super) fn is_spent(&self) -> bool {
        self.budget == 0
    }

    /// Takes one event; gives the document's root when it is whole.
    pub(super) fn event(&mut self, event: Event<'_>, span: Span) -> Option<Node> {
        let bytes = span.byte_range().unwrap_or(0..0);
        match event {
            Event::DocumentStart(..) => {
                self.forget();
                None
            }
            Event::Scalar(text, style, anchor, tag) => {
                if style == ScalarStyle::DoubleQuoted && !self.is_json {
                    self.escapes(&bytes);
                }
                let kind = self.scalar(text.into_owned(), style, tag.as_deref(), &bytes);
                // A key `<<` merges when it is plain.
                let merges = style == ScalarStyle::Plain
                    && tag.is_none()
                    && matches!(&kind, Kind::Text(t) if t == "<<");
                let node = Node { span: bytes, kind };
                self.keep(anchor, &node);
                self.place(node, merges)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.collection_tag(tag.as_deref(), "seq", &bytes);
                self.open(bytes, style, anchor, Content::List(Vec::new()));
                None
            }
            Event::MappingStart(style, anchor, tag) => {
                self.collection_tag(tag.as_deref(), "map", &bytes);
                self.open(bytes, style, anchor, Content::Map(Map::default()));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let frame = self.frames.pop()?;
                let anchor = frame.anchor;
                let node = close(frame, &bytes);
                self.keep(anchor, &node);
                self.place(node, false)
            }
            Event::Alias(id) => {
                let node = self.alias(id, bytes);
                self.place(node, false)
            }
            Event::UnresolvedAlias(_) => {
                // Its name may be a secret that lacks its quotes.
                let message = "this stands for an anchor (`&`), and the document has none of that name before it; text that begins with `*` is put in quotes";
                self.fault(bytes.clone(), message.to_owned());
                self.place(null(bytes), false)
            }
            _ => None,
        }
    }

    fn scalar(
        &mut self,
        text: String,
        style: ScalarStyle,
        tag: Option<&YamlTag>,
        bytes: &Range<usize>,
    ) -> Kind {
        let read = match tag {
            None if style == ScalarStyle::Plain => scalar::plain(&text),
            None => Ok(Kind::Text(text)),
            Some(tag) => match core_name(tag).and_then(Tag::parse) {
                Some(tag) => scalar::tagged(&text, tag),
                // A tag that nobody knows says nothing; what has one is text (go-yaml: `resolvableTag`).
                None => Ok(Kind::Text(text)),
            },
        };
        read.unwrap_or_else(|reason| {
            self.fault(bytes.clone(), reason);
            Kind::Null
        })
    }

    /// Escapes that JSON has and go-yaml refuses.
    fn escapes(&mut self, bytes: &Range<usize>) {
        let Some(written) = self.text.get(bytes.clone()) else {
            return;
        };
        let mut rest = written;
        while let Some(at) = rest.find('\\') {
            let escape = &rest[at + 1..];
            let surrogate = escape.get(..3).is_some_and(|begin| {
                let begin = begin.to_ascii_lowercase();
                ["ud8", "ud9", "uda", "udb", "udc", "udd", "ude", "udf"].contains(&begin.as_str())
            });
            if escape.starts_with('/') || surrogate {
                let what = if surrogate {
                    "half a character"
                } else {
                    "`\\/`"
                };
                let message =
                    format!("not valid YAML: Kubernetes does not read the escape of {what} here");
                return self.fault(bytes.clone(), message);
            }
            rest = escape.get(1..).unwrap_or_default();
        }
    }

    /// A list that says it is a map, or the like.
    fn collection_tag(&mut self, tag: Option<&YamlTag>, own: &str, bytes: &Range<usize>) {
        if let Some(name) = tag.and_then(core_name)
            && name != own
        {
            let message = format!(
                "the tag `!!{name}` does not fit a {}",
                if own == "seq" { "list" } else { "map" }
            );
            self.fault(bytes.clone(), message);
        }
    }

    fn open(
        &mut self,
        start: Range<usize>,
        style: StructureStyle,
        anchor: usize,
        content: Content,
    ) {
        self.frames.push(Frame {
            start,
            block: style == StructureStyle::Block,
            anchor,
            content,
        });
    }

    /// Remembers what an anchor names.
    fn keep(&mut self, anchor: usize, node: &Node) {
        if anchor == 0 {
            return;
        }
        if self.spend(node) {
            self.anchors.insert(anchor, node.clone());
        }
    }

    fn alias(&mut self, id: usize, bytes: Range<usize>) -> Node {
        let Some(node) = self.anchors.get(&id) else {
            // An anchor that is open still, or one that the budget did not cover (which was reported).
            if self.budget > 0 {
                self.fault(
                    bytes.clone(),
                    "an alias inside the value that it repeats".to_owned(),
                );
            }
            return null(bytes);
        };
        if self.frames.len() + depth(node) > MAX_DEPTH {
            let message = format!("nested more than {MAX_DEPTH} levels deep");
            self.fault(bytes.clone(), message);
            return null(bytes);
        }
        let node = node.clone();
        if !self.spend(&node) {
            return null(bytes);
        }
        node
    }

    /// Takes what a copy of the node costs from the budget; reports once when nothing is left.
    fn spend(&mut self, node: &Node) -> bool {
        if self.budget == 0 {
            return false;
        }
        self.budget = self.budget.saturating_sub(weight(node));
        if self.budget == 0 {
            let message = "aliases repeat more than a manifest of this size could mean".to_owned();
            self.fault(node.span.clone(), message);
        }
        self.budget > 0
    }

    /// Puts a whole node where it belongs.
    fn place(&mut self, node: Node, merges: bool) -> Option<Node> {
        let Some(frame) = self.frames.last_mut() else {
            return Some(node);
        };
        let map = match &mut frame.content {
            Content::List(items) => {
                items.push(node);
                return None;
            }
            Content::Map(map) => map,
        };
        match map.key.take() {
            None if merges => map.key = Some(Key::Merge),
            None => {
                let key = self.key(node);
                if let Some(Content::Map(map)) = self.frames.last_mut().map(|f| &mut f.content) {
                    map.key = Some(key);
                }
            }
            Some(Key::Refused) => {}
            Some(Key::Merge) => {
                let span = node.span.clone();
                if !map.merge(node) {
                    self.fault(span, "`<<` merges a map, or a list of maps".to_owned());
                }
            }
            Some(Key::Plain(key, span)) => {
                if !map.insert(key.clone(), span.clone(), node, false) {
                    let message = format!("the key `{key}` stands twice in this map");
                    let mut trail = self.trail();
                    trail.0.push(Step::Field(key));
                    self.push(span, trail, message);
                }
            }
        }
        None
    }

    fn key(&mut self, node: Node) -> Key {
        if let Kind::Text(text) = node.kind {
            return Key::Plain(text, node.span);
        }
        if let Some(key) = scalar::key(&node.kind) {
            return Key::Plain(key, node.span);
        }
        let message = format!("a key must be text, not {}", node.what());
        self.fault(node.span, message);
        Key::Refused
    }

    fn fault(&mut self, span: Range<usize>, message: String) {
        self.push(span, self.trail(), message);
    }

    fn push(&mut self, span: Range<usize>, trail: Trail, message: String) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(SyntaxFault {
                span,
                trail,
                message,
                hint: None,
            });
        }
    }

    /// Where the builder is.
    fn trail(&self) -> Trail {
        let steps = self.frames.iter().filter_map(|frame| match &frame.content {
            Content::List(items) => Some(Step::Index(items.len())),
            Content::Map(map) => match &map.key {
                Some(Key::Plain(key, _)) => Some(Step::Field(key.clone())),
                _ => None,
            },
        });
        Trail(steps.collect())
    }
}

impl Map {
    /// Puts an entry in, in the order of the text, as go-yaml v2 does: a merge after a field overrides it.
    /// False when the key is there already and neither is a merge.
    fn insert(&mut self, key: String, key_span: Range<usize>, value: Node, merged: bool) -> bool {
        match self.index.get(&key) {
            Some((_, false)) if !merged => false,
            Some(&(at, was_merged)) => {
                self.index.insert(key.clone(), (at, was_merged && merged));
                self.entries[at] = Entry {
                    key,
                    key_span,
                    value,
                };
                true
            }
            None => {
                self.index.insert(key.clone(), (self.entries.len(), merged));
                self.entries.push(Entry {
                    key,
                    key_span,
                    value,
                });
                true
            }
        }
    }

    fn merge(&mut self, node: Node) -> bool {
        match node.kind {
            Kind::Map(entries) => {
                for entry in entries {
                    self.insert(entry.key, entry.key_span, entry.value, true);
                }
                true
            }
            // The first of a list wins.
            Kind::List(items) => items
                .into_iter()
                .rev()
                .all(|item| matches!(item.kind, Kind::Map(_)) && self.merge(item)),
            _ => false,
        }
    }
}

/// The name of a tag of YAML's own: `str` of `!!str`.
fn core_name(tag: &YamlTag) -> Option<&str> {
    (tag.handle() == "tag:yaml.org,2002:").then(|| tag.suffix())
}

fn close(frame: Frame, end: &Range<usize>) -> Node {
    let mut span = frame.start;
    if !frame.block {
        span.end = end.end.max(span.end);
    }
    let kind = match frame.content {
        Content::List(items) => Kind::List(items),
        Content::Map(map) => {
            if let Some(first) = map.entries.first()
                && frame.block
            {
                span = first.key_span.clone();
            }
            Kind::Map(map.entries)
        }
    };
    Node { span, kind }
}

fn null(span: Range<usize>) -> Node {
    Node {
        span,
        kind: Kind::Null,
    }
}

fn weight(node: &Node) -> usize {
    const NODE: usize = 32;
    NODE + match &node.kind {
        Kind::Text(text) => text.len(),
        Kind::List(items) => items.iter().map(weight).sum(),
        Kind::Map(entries) => entries
            .iter()
            .map(|e| e.key.len() + weight(&e.value))
            .sum::<usize>(),
        _ => 0,
    }
}

fn depth(node: &Node) -> usize {
    match &node.kind {
        Kind::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Kind::Map(entries) => 1 + entries.iter().map(|e| depth(&e.value)).max().unwrap_or(0),
        _ => 0,
    }
}
