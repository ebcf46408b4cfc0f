//! kubectl's `JSONPath` templates (client-go: `util/jsonpath`), for `-o jsonpath=` and `wait --for=jsonpath=`.
//!
//! It is a dialect of its own, older than RFC 9535 that libraries follow: text around `{}`, `{range}` and `{end}`, `\.` in names,
//! `$` that is the object at hand, steps that replace what came before them, results joined by blanks. What people have written
//! for kubectl has to print the same here, byte for byte, so the parser is ours; kubectl's own answers are the tests.
//!
//! Where kubectl prints nothing or too much without a word (a dot without a name, `{range}` without `{end}`), it is an error here. A
//! template without braces that begins with a dot is an expression, as `kubectl wait` and `--sort-by` take it; for `kubectl get` it is text.
//!
//! Not here: getting objects (`driver`), printing (`printer`).

mod condition;
mod find;
mod scan;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::str::FromStr;

use serde_json::Value;
use thiserror::Error;

pub use condition::Condition;
use find::find;

/// A template that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(Vec<Part>);

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("at character {character}: {why}")]
pub struct Fault {
    /// Counted from 1.
    pub character: usize,
    /// In a sentence.
    pub why: String,
}

/// What a template asks for is not in the object in that form.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Unfit(String);

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    /// As it stands.
    Text(String),
    /// `{.metadata.name}`.
    Found(Vec<Step>),
    /// `{range .items[*]}`, and what stands before its `{end}`.
    Range(Vec<Step>, Vec<Part>),
}

/// One step of an expression: from values to values.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// A quoted text. It takes the place of whatever came before.
    Text(Value),
    /// A number or a truth value, for each value.
    Literal(Value),
    /// `.name`.
    Field(String),
    /// `.*`.
    All,
    /// `..`: the value and all that is in it.
    Deep,
    /// `[2]`, `[0:2]`, `[*]`.
    Slice(Slice),
    /// `[0,2]`.
    Union(Vec<Vec<Step>>),
    /// `[?(@.tty)]`, `[?(@.type=="Ready")]`.
    Filter(Vec<Step>, Option<(Operator, Vec<Step>)>),
}

/// Numbers below zero count from the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slice {
    from: i64,
    to: End,
    step: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Only the one.
    Single,
    /// Before this one.
    Before(i64),
    /// All that come.
    Open,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl FromStr for Template {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        if text.starts_with('.') && !text.contains(['{', '}']) {
            return Ok(Self(vec![Part::Found(scan::relaxed(text)?)]));
        }
        scan::template(text).map(Self)
    }
}

impl Template {
    /// What it prints of an object. `show`: what becomes of foreign text.
    ///
    /// # Errors
    /// An index beyond a list, a list wanted of what is none, a comparison of unlike things.
    pub fn print(
        &self,
        object: &Value,
        show: impl Fn(&str) -> Cow<'_, str>,
    ) -> Result<String, Unfit> {
        let mut out = String::new();
        print(&self.0, object, &show, &mut out)?;
        Ok(out)
    }
}

fn print(
    parts: &[Part],
    object: &Value,
    show: &dyn Fn(&str) -> Cow<'_, str>,
    out: &mut String,
) -> Result<(), Unfit> {
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Found(steps) => {
                // The template's own text is not foreign.
                if let Some(Step::Text(Value::String(text))) = steps.last() {
                    out.push_str(text);
                    continue;
                }
                let found = find(vec![object], steps)?;
                let texts: Vec<_> = found.into_iter().map(|value| text(value, show)).collect();
                out.push_str(&texts.join(" "));
            }
            Part::Range(steps, body) => {
                for value in find(vec![object], steps)? {
                    print(body, value, show, out)?;
                }
            }
        }
    }
    Ok(())
}

/// As Go prints it.
fn text(value: &Value, show: &dyn Fn(&str) -> Cow<'_, str>) -> String {
    match value {
        Value::String(text) => show(text).into_owned(),
        Value::Null => "<nil>".to_owned(),
        Value::Bool(_) => value.to_string(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => float.to_string(),
            _ => number.to_string(),
        },
        Value::Array(_) | Value::Object(_) => show(&json(value)).into_owned(),
    }
}

/// Go's JSON can stand in a web page: what would be a tag there is written out.
fn json(value: &Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        if matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}') {
            // A String takes all that is written to it.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}
