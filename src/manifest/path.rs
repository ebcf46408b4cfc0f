//! Where in an object something stands: `spec.containers[0].image`.
//!
//! Not here: where in a file that is (`tree`).

use std::fmt;

use serde_json::Value;

/// A place while walking down; lives on the stack, so that nothing is allocated for what is right.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path<'a> {
    /// The object itself.
    Root,
    /// A field of the schema.
    Field(&'a Path<'a>, &'a str),
    /// An entry of a list.
    Index(&'a Path<'a>, usize),
    /// A key of a map that holds what people choose: labels, data.
    Key(&'a Path<'a>, &'a str),
}

impl<'a> Path<'a> {
    pub(super) fn field(&'a self, name: &'a str) -> Self {
        Self::Field(self, name)
    }

    pub(super) fn index(&'a self, index: usize) -> Self {
        Self::Index(self, index)
    }

    pub(super) fn key(&'a self, key: &'a str) -> Self {
        Self::Key(self, key)
    }

    /// The steps from the root.
    pub(super) fn trail(&self) -> Trail {
        let mut steps = Vec::new();
        let mut here = *self;
        loop {
            here = match here {
                Path::Root => break,
                Path::Field(parent, name) => {
                    steps.push(Step::Field(name.to_owned()));
                    *parent
                }
                Path::Index(parent, index) => {
                    steps.push(Step::Index(index));
                    *parent
                }
                Path::Key(parent, key) => {
                    steps.push(Step::Key(key.to_owned()));
                    *parent
                }
            };
        }
        steps.reverse();
        Trail(steps)
    }
}

/// One step of a [`Trail`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Field(String),
    Index(usize),
    Key(String),
}

/// A place to keep.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Trail(pub(super) Vec<Step>);

impl Trail {
    /// Takes what stands here out of a value; a list keeps its other entries where they are.
    pub(super) fn remove(&self, value: &mut Value) {
        let Some((last, way)) = self.0.split_last() else {
            return;
        };
        let inner = way.iter().try_fold(value, |value, step| match step {
            Step::Field(name) | Step::Key(name) => value.get_mut(name),
            Step::Index(index) => value.get_mut(index),
        });
        if let (Some(Value::Object(fields)), Step::Field(name) | Step::Key(name)) = (inner, last) {
            fields.remove(name);
        }
    }

    /// Whether this is `other` or something inside it.
    pub(super) fn is_within(&self, other: &Trail) -> bool {
        self.0.starts_with(&other.0)
    }
}

/// As the API server writes it: what people choose in brackets (`data[tls.key]`).
impl fmt::Display for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            let dot = if i == 0 { "" } else { "." };
            match step {
                Step::Field(name) => write!(f, "{dot}{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => write!(f, "[{key}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_reads_as_the_api_server_writes_it() {
        let root = Path::Root;
        let spec = root.field("spec");
        let containers = spec.field("containers");
        let first = containers.index(0);
        assert_eq!(
            first.field("image").trail().to_string(),
            "spec.containers[0].image"
        );
        let data = root.field("data");
        assert_eq!(data.key("tls.key").trail().to_string(), "data[tls.key]");
        let metadata = root.field("metadata");
        let labels = metadata.field("labels");
        assert_eq!(
            labels.key("a.b/c").trail().to_string(),
            "metadata.labels[a.b/c]"
        );
        assert_eq!(root.trail().to_string(), "");
    }

    #[test]
    fn a_trail_is_within_its_parents_and_itself() {
        let root = Path::Root;
        let spec = root.field("spec");
        let inner = spec.field("hostname");
        assert!(inner.trail().is_within(&spec.trail()));
        assert!(spec.trail().is_within(&spec.trail()));
        assert!(!spec.trail().is_within(&inner.trail()));
    }
}
