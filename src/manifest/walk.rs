//! One walk of a tree beside the types' schema: unknown fields, wrong types, fields that are not carried out,
//! all in one run. What comes out is JSON that the Kubernetes types take.
//!
//! Not here: rules for values of the right type, and which fields must be there (`validate`).

use std::ops::Range;

use base64::Engine as _;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Number, Value};

use super::fields::{self, Standing};
use super::objects::Kind;
use super::path::{Path, Trail};
use super::problem::{At, Faults};
use super::schema::{Schema, Shape, schema};
use super::suggest;
use super::tree::{Entry, Kind as NodeKind, Node};
use super::validate::quoted;
use crate::spec::Quantity;

/// What a walk gives besides the JSON.
#[derive(Debug)]
pub(super) struct Walked {
    /// Without what could not be read and what was taken out.
    pub(super) value: Value,
    /// The fields that a cluster wrote: they are checked, and then taken out.
    pub(super) taken_out: Vec<(Trail, Range<usize>)>,
    /// The fields that are taken, and have no effect on one machine.
    pub(super) without_effect: Vec<String>,
}

/// Walks an object of this kind. `text` is its source, for quoting.
pub(super) fn walk(node: &Node, kind: Kind, text: &str, faults: &mut Faults) -> Walked {
    let mut walk = Walk {
        schema: schema(),
        text,
        faults,
        taken_out: Vec::new(),
        without_effect: Vec::new(),
        // What podctl does not run is only checked.
        consult: matches!(kind, Kind::Pod | Kind::ConfigMap | Kind::Secret),
        quotes: kind != Kind::Secret,
    };
    let value = walk.object(node, kind.name(), &Path::Root);
    Walked {
        value: value.unwrap_or_else(|| Value::Object(Map::new())),
        taken_out: walk.taken_out,
        without_effect: walk.without_effect,
    }
}

struct Walk<'w> {
    schema: &'static Schema,
    text: &'w str,
    faults: &'w mut Faults,
    taken_out: Vec<(Trail, Range<usize>)>,
    without_effect: Vec<String>,
    /// Whether values are shown in what is said of them.
    quotes: bool,
    /// Whether the field table is asked; not inside a field that it has answered for.
    consult: bool,
}

impl Walk<'_> {
    /// `None`: nothing is there, or what is there is wrong and was reported.
    fn value(&mut self, node: &Node, shape: &Shape, path: &Path<'_>) -> Option<Value> {
        if matches!(node.kind, NodeKind::Null) {
            // Kubernetes: the same as absent.
            return None;
        }
        match (shape, &node.kind) {
            (Shape::Any, _) => Some(node.to_value()),
            (Shape::Text | Shape::IntOrText, NodeKind::Text(text)) => {
                Some(Value::String(text.clone()))
            }
            (Shape::Bool, NodeKind::Bool(b)) => Some(Value::Bool(*b)),
            (Shape::Number, NodeKind::Number(n)) => Some(Value::Number(n.clone())),
            (Shape::Int { wide }, NodeKind::Number(n)) => self.integer(n, *wide, path),
            (Shape::IntOrText, NodeKind::Number(n)) => self.integer(n, false, path),
            (Shape::Quantity, NodeKind::Text(text)) => self.quantity(text, path),
            (Shape::Quantity, NodeKind::Number(n)) => self.quantity(&n.to_string(), path),
            (Shape::Bytes, NodeKind::Text(text)) => self.bytes(text, path),
            (Shape::Time, NodeKind::Text(text)) => self.time(text, path),
            (Shape::List(of), NodeKind::List(items)) => Some(self.list(items, of, path)),
            (Shape::Map(of), NodeKind::Map(entries)) => Some(self.map(entries, of, path)),
            (Shape::Object(name), NodeKind::Map(_)) => self.object(node, name, path),
            _ => {
                self.wrong_type(node, shape, path);
                None
            }
        }
    }

    fn object(&mut self, node: &Node, of: &str, path: &Path<'_>) -> Option<Value> {
        let NodeKind::Map(entries) = &node.kind else {
            self.wrong_type(node, &Shape::Object(of.to_owned()), path);
            return None;
        };
        let kind = self.schema.get(of);
        let mut object = Map::new();
        for entry in entries {
            let here = path.field(&entry.key);
            match kind.fields.get(&entry.key) {
                Some(shape) => {
                    if let Some(value) = self.field(entry, of, shape, &here) {
                        object.insert(entry.key.clone(), value);
                    }
                }
                None => self.unknown(entry, kind.fields.keys(), &here),
            }
        }
        Some(Value::Object(object))
    }

    /// One field of a type, with what the table says of it.
    fn field(&mut self, entry: &Entry, of: &str, shape: &Shape, path: &Path<'_>) -> Option<Value> {
        if !self.consult {
            return self.value(&entry.value, shape, path);
        }
        let standing = fields::standing(of, &entry.key).unwrap_or(Standing::NotYet);
        if matches!(standing, Standing::Honoured(_)) {
            return self.value(&entry.value, shape, path);
        }
        self.consult = false;
        let value = self.value(&entry.value, shape, path);
        self.consult = true;
        match standing {
            Standing::Honoured(_) => {}
            Standing::NoEffect => {
                if !entry.value.says_nothing() {
                    self.without_effect.push(path.trail().to_string());
                }
            }
            Standing::NotYet | Standing::Refused(_) if is_nothing(value.as_ref()) => {}
            Standing::NotYet => self.not_yet(entry, path),
            Standing::NotYetUnless(values) => {
                let value = value.clone().map(without_empty);
                if value.is_some_and(|v| !is_one_of(&v, values)) {
                    self.not_yet(entry, path);
                }
            }
            Standing::Refused(why) => {
                let message = format!("not supported: {why}");
                self.faults.unsupported(path, message).at(At::Key);
            }
            Standing::TakenOut => {
                if !entry.value.says_nothing() {
                    self.taken_out.push((path.trail(), entry.key_span.clone()));
                }
            }
        }
        value
    }

    fn not_yet(&mut self, entry: &Entry, path: &Path<'_>) {
        let message = format!(
            "not supported yet: podctl does not carry out `{}`",
            entry.key
        );
        self.faults.unsupported(path, message).at(At::Key);
    }

    fn unknown<'n>(
        &mut self,
        entry: &Entry,
        known: impl Iterator<Item = &'n String>,
        path: &Path<'_>,
    ) {
        // Looking for a near name takes time, and this one will not be shown.
        let near = if self.faults.is_full() {
            None
        } else {
            suggest::nearest(&entry.key, known.map(String::as_str))
        };
        let fault = self.faults.error(path, "unknown field");
        fault.at(At::Span(entry.key_span.clone()));
        if let Some(near) = near {
            fault.hint(format!("did you mean `{near}`?"));
        }
    }

    fn list(&mut self, items: &[Node], of: &Shape, path: &Path<'_>) -> Value {
        let mut list = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            let here = path.index(i);
            let value = if matches!(item.kind, NodeKind::Null) && matches!(of, Shape::Object(_)) {
                let empty = Node {
                    span: item.span.clone(),
                    kind: NodeKind::Map(Vec::new()),
                };
                self.value(&empty, of, &here)
            } else {
                self.value(item, of, &here)
            };
            // Something stays in its place, so that the others keep their numbers.
            list.push(value.unwrap_or_else(|| blank(of)));
        }
        Value::Array(list)
    }

    fn map(&mut self, entries: &[Entry], of: &Shape, path: &Path<'_>) -> Value {
        let mut map = Map::new();
        for entry in entries {
            let n_before = self.faults.count();
            let value = self.value(&entry.value, of, &path.key(&entry.key));
            // The server names the map, not the key.
            self.faults.prefix_since(n_before, &entry.key);
            self.faults.call_since(n_before, &path.trail().to_string());
            map.insert(entry.key.clone(), value.unwrap_or_else(|| blank(of)));
        }
        Value::Object(map)
    }

    fn integer(&mut self, n: &Number, wide: bool, path: &Path<'_>) -> Option<Value> {
        let Some(value) = whole(n) else {
            self.unreadable(path, format!("invalid value {n}: must be an integer"));
            return None;
        };
        if wide || i32::try_from(value).is_ok() {
            return Some(Value::from(value));
        }
        self.unreadable(path, format!("invalid value {n}: must fit into 32 bits"));
        None
    }

    fn quantity(&mut self, text: &str, path: &Path<'_>) -> Option<Value> {
        if Quantity::parse(text).is_some() {
            return Some(Value::String(text.to_owned()));
        }
        let message =
            format!("invalid value {text:?}: must be a quantity such as 500m, 2, 128Mi or 1.5G");
        self.unreadable(path, message);
        None
    }

    fn bytes(&mut self, text: &str, path: &Path<'_>) -> Option<Value> {
        // Go's decoder skips line breaks.
        let clean: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
        if base64::engine::general_purpose::STANDARD
            .decode(&clean)
            .is_ok()
        {
            return Some(Value::String(clean));
        }
        self.unreadable(path, "invalid value: must be base64");
        None
    }

    fn time(&mut self, text: &str, path: &Path<'_>) -> Option<Value> {
        if text.parse::<Timestamp>().is_ok() {
            return Some(Value::String(text.to_owned()));
        }
        self.unreadable(
            path,
            format!("invalid value {text:?}: must be a time such as 2026-01-31T12:00:00Z"),
        );
        None
    }

    fn unreadable(&mut self, path: &Path<'_>, message: impl Into<String>) {
        self.faults.error(path, message).unread();
    }

    fn wrong_type(&mut self, node: &Node, shape: &Shape, path: &Path<'_>) {
        let wanted = wanted(shape);
        let what = if self.quotes {
            shown(node)
        } else {
            node.what().to_owned()
        };
        let message = format!("wrong type: must be {wanted}, but is {what}");
        let fault = self.faults.error(path, message);
        fault.unread();
        let written = self.text.get(node.span.clone()).filter(|_| self.quotes);
        let written = written.unwrap_or_default();
        if let Some(hint) = retype_hint(shape, &node.kind, written) {
            fault.hint(hint);
        }
    }
}

/// What is there, in words.
fn shown(node: &Node) -> String {
    match &node.kind {
        NodeKind::Bool(value) => format!("the truth value {value}"),
        NodeKind::Number(value) => format!("the number {value}"),
        NodeKind::Text(text) => format!("the text {}", quoted(text)),
        _ => node.what().to_owned(),
    }
}

/// Nothing is there, or something that was refused already, or a list without entries.
fn is_nothing(value: Option<&Value>) -> bool {
    value.is_none_or(|v| v.as_array().is_some_and(Vec::is_empty))
}

/// Without the fields that are empty maps and lists: they say nothing.
fn without_empty(value: Value) -> Value {
    let Value::Object(fields) = value else {
        return value;
    };
    let said = |v: &Value| match v {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    };
    let fields = fields.into_iter().map(|(k, v)| (k, without_empty(v)));
    Value::Object(fields.filter(|(_, v)| said(v)).collect())
}

fn retype_hint(shape: &Shape, kind: &NodeKind, written: &str) -> Option<String> {
    match (shape, kind) {
        (Shape::Text, NodeKind::Bool(_) | NodeKind::Number(_)) => {
            if written.is_empty() || written.len() > 64 {
                Some("put it in quotes".to_owned())
            } else {
                Some(format!(
                    "put it in quotes: \"{written}\" (Kubernetes reads YAML 1.1, where it is not text without them)"
                ))
            }
        }
        (Shape::Int { .. }, NodeKind::Text(text)) if text.parse::<i64>().is_ok() => {
            Some(format!("leave the quotes away: {text}"))
        }
        (Shape::Bool, NodeKind::Text(text)) if matches!(text.as_str(), "true" | "false") => {
            Some(format!("leave the quotes away: {text}"))
        }
        (Shape::List(_), NodeKind::Text(_) | NodeKind::Map(_)) => {
            Some("begin each entry with `- `".to_owned())
        }
        _ => None,
    }
}

fn wanted(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text => "text",
        Shape::Bool => "true or false",
        Shape::Int { .. } => "an integer",
        Shape::Number => "a number",
        Shape::Quantity => "a quantity",
        Shape::IntOrText => "a number or a name",
        Shape::Bytes => "base64 text",
        Shape::Time => "a time",
        Shape::List(_) => "a list",
        Shape::Map(_) | Shape::Object(_) => "a map",
        Shape::Any => "anything",
    }
}

/// What stands for something that could not be read, in lists and maps.
fn blank(shape: &Shape) -> Value {
    match shape {
        Shape::Text | Shape::Bytes => Value::String(String::new()),
        Shape::Bool => Value::Bool(false),
        Shape::Int { .. } | Shape::Number | Shape::IntOrText => Value::from(0),
        Shape::Quantity => Value::String("0".to_owned()),
        Shape::List(_) => Value::Array(Vec::new()),
        Shape::Object(_) | Shape::Map(_) => Value::Object(Map::new()),
        Shape::Time | Shape::Any => Value::Null,
    }
}

/// JSON takes `8e1` and `80.0` for the integer 80, and so does the API server.
fn whole(n: &Number) -> Option<i64> {
    if let Some(value) = n.as_i64() {
        return Some(value);
    }
    let float = n.as_f64().filter(|f| f.fract() == 0.0)?;
    // Within the range in which a float holds every integer; larger ones are written out.
    if float.abs() > 9e15 {
        return None;
    }
    format!("{float:.0}").parse().ok()
}

fn is_one_of(value: &Value, texts: &[&str]) -> bool {
    texts
        .iter()
        .any(|text| serde_json::from_str::<Value>(text).is_ok_and(|v| v == *value))
}
