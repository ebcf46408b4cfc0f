//! Lines of names and values: the values of one block stand under each other.
//!
//! Not here: what is said.

use crate::output::escape::{escape, escape_lines};

/// A text in the making.
#[derive(Debug, Default)]
pub(super) struct Text(String);

impl Text {
    /// A name that others stand under.
    pub(super) fn title(&mut self, indent: usize, name: &str) {
        self.line(&format!("{:indent$}{}:", "", escape(name)));
    }

    /// Names and values, each with its indent; a value without a name goes on with the one before.
    pub(super) fn block(&mut self, lines: &[(usize, &str, String)]) {
        let width = |(indent, name, _): &(usize, &str, String)| indent + name.chars().count() + 1;
        let column = lines.iter().map(width).max().unwrap_or_default() + 2;
        for (indent, name, value) in lines {
            let name = if name.is_empty() {
                String::new()
            } else {
                format!("{:indent$}{}:", "", escape(name))
            };
            self.line(&format!("{name:<column$}{}", escape(value)));
        }
    }

    /// Values, one under the other.
    pub(super) fn list<'a>(&mut self, indent: usize, values: impl IntoIterator<Item = &'a String>) {
        for value in values {
            for line in escape_lines(value).lines() {
                self.line(&format!("{:indent$}{line}", ""));
            }
        }
    }

    /// Lines as they are.
    pub(super) fn indented(&mut self, indent: usize, lines: &str) {
        for line in lines.lines() {
            self.line(&format!("{:indent$}{line}", ""));
        }
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    fn line(&mut self, line: &str) {
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }
}
