//! `EXPRESSION` and `EXPRESSION=VALUE`, as `kubectl wait --for=jsonpath=` takes them.
//!
//! Not here: waiting (`driver::wait`).

use std::str::FromStr;

use serde_json::Value;

use super::find::find;
use super::{Fault, Step, Unfit, scan, text};

/// What an object is to have.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    steps: Vec<Step>,
    /// `None`: it is enough that something is there.
    value: Option<String>,
}

impl FromStr for Condition {
    type Err = Fault;

    fn from_str(condition: &str) -> Result<Self, Fault> {
        let (expression, value) = match end_of_expression(condition) {
            Some(at) => (&condition[..at], Some(&condition[at + 1..])),
            None => (condition, None),
        };
        let steps = scan::relaxed(expression)?;
        let value = value.map(|value| value.trim_matches(['\'', '"']).trim().to_owned());
        if value.as_ref().is_some_and(String::is_empty) {
            return Err(Fault {
                character: condition.chars().count() + 1,
                why: "a value must follow `=`; without `=` anything will do".to_owned(),
            });
        }
        Ok(Self { steps, value })
    }
}

/// The first `=` that is not in brackets.
fn end_of_expression(text: &str) -> Option<usize> {
    let mut depth = 0_u32;
    text.char_indices().find_map(|(at, c)| {
        match c {
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        (c == '=' && depth == 0).then_some(at)
    })
}

impl Condition {
    /// Whether an object has it.
    ///
    /// # Errors
    /// Where the expression leads to several values, or to no plain one.
    pub fn holds(&self, object: &Value) -> Result<bool, Unfit> {
        let found = find(vec![object], &self.steps)?;
        let Some(first) = found.first() else {
            return Ok(false);
        };
        if found.len() > 1 {
            let n = found.len();
            return Err(Unfit(format!("the JSONPath leads to {n} values")));
        }
        match &self.value {
            None => Ok(true),
            Some(_) if first.is_array() || first.is_object() => Err(Unfit(
                "the JSONPath leads to a list or an object, which has no value to compare"
                    .to_owned(),
            )),
            Some(value) => Ok(text(first, &|text| text.into()).trim() == value),
        }
    }
}
