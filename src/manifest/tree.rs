//! A YAML or JSON document as a tree whose nodes know their place in the text.
//!
//! Not here: making it from text (`yaml`), what it should hold (`walk`).

use std::ops::Range;

use serde_json::{Number, Value};

use super::path::{Step, Trail};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Bytes of the text. Of a map with keys: its first key; of a block list: the point where it begins.
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
}

/// What a node holds, in JSON's terms.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) value: Node,
}

/// Where a field stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) key: Option<Range<usize>>,
    pub(super) value: Range<usize>,
}

impl Node {
    /// The same without places: all are 0.
    pub(super) fn from_value(value: &Value) -> Self {
        let kind = match value {
            Value::Null => Kind::Null,
            Value::Bool(b) => Kind::Bool(*b),
            Value::Number(n) => Kind::Number(n.clone()),
            Value::String(s) => Kind::Text(s.clone()),
            Value::Array(items) => Kind::List(items.iter().map(Self::from_value).collect()),
            Value::Object(map) => Kind::Map(
                map.iter()
                    .map(|(key, value)| Entry {
                        key: key.clone(),
                        key_span: 0..0,
                        value: Self::from_value(value),
                    })
                    .collect(),
            ),
        };
        Self { span: 0..0, kind }
    }

    /// The same as JSON.
    pub(super) fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(b) => Value::Bool(*b),
            Kind::Number(n) => Value::Number(n.clone()),
            Kind::Text(t) => Value::String(t.clone()),
            Kind::List(items) => items.iter().map(Self::to_value).collect(),
            Kind::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|e| (e.key.clone(), e.value.to_value()))
                    .collect(),
            ),
        }
    }

    /// The entry of this key, where this is a map that has it.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|e| e.key == key),
            _ => None,
        }
    }

    /// The value of this key.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|e| &e.value)
    }

    /// The value of this key, to be changed.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        match &mut self.kind {
            Kind::Map(entries) => entries
                .iter_mut()
                .find(|e| e.key == key)
                .map(|e| &mut e.value),
            _ => None,
        }
    }

    /// The text, where this is text.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Does this to the span of it and of all in it.
    pub(super) fn spans(&mut self, change: &impl Fn(&mut Range<usize>)) {
        change(&mut self.span);
        match &mut self.kind {
            Kind::List(items) => items.iter_mut().for_each(|item| item.spans(change)),
            Kind::Map(entries) => entries.iter_mut().for_each(|entry| {
                change(&mut entry.key_span);
                entry.value.spans(change);
            }),
            _ => {}
        }
    }

    /// Whether it says nothing: null, an empty list, or a map whose values say nothing.
    pub(super) fn says_nothing(&self) -> bool {
        match &self.kind {
            Kind::Null => true,
            Kind::List(items) => items.is_empty(),
            Kind::Map(entries) => entries.iter().all(|e| e.value.says_nothing()),
            _ => false,
        }
    }

    /// The place that the trail names, or the last one on the way that is there.
    pub(super) fn find(&self, trail: &Trail) -> Found {
        let mut node = self;
        let mut found = Found {
            key: None,
            value: self.span.clone(),
        };
        for step in &trail.0 {
            match (step, &node.kind) {
                (Step::Field(name) | Step::Key(name), _) => {
                    let Some(entry) = node.entry(name) else { break };
                    node = &entry.value;
                    found.key = Some(entry.key_span.clone());
                }
                (Step::Index(index), Kind::List(items)) => {
                    let Some(item) = items.get(*index) else { break };
                    node = item;
                    found.key = None;
                }
                (Step::Index(_), _) => break,
            }
            found.value = node.span.clone();
        }
        found
    }

    /// What it is, in words for a message.
    pub(super) fn what(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "a truth value",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_absent_field_is_found_at_its_parent() {
        let mut node = Node::from_value(&json!({"spec": {"containers": [{"name": "a"}]}}));
        node.get_mut("spec").unwrap().span = 3..7;
        let trail = |steps: &[Step]| Trail(steps.to_vec());
        let spec = Step::Field("spec".into());
        assert_eq!(
            node.find(&trail(&[spec.clone(), Step::Field("volumes".into())]))
                .value,
            3..7
        );
        assert_eq!(node.find(&trail(&[spec, Step::Index(1)])).value, 3..7);
    }
}
