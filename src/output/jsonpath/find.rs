//! Expressions on objects: the steps, one after the other.
//!
//! Not here: reading expressions (`scan`).

use std::cmp::Ordering;

use serde_json::Value;

use super::{End, Operator, Slice, Step, Unfit};

/// What the steps lead to. What is not there leads to nothing, as under `kubectl get`.
pub(super) fn find<'a>(
    mut values: Vec<&'a Value>,
    steps: &'a [Step],
) -> Result<Vec<&'a Value>, Unfit> {
    for step in steps {
        values = match step {
            Step::Text(text) => vec![text],
            Step::Literal(literal) => values.iter().map(|_| literal).collect(),
            Step::Field(name) => values.iter().filter_map(|value| value.get(name)).collect(),
            Step::All => values.into_iter().flat_map(children).collect(),
            Step::Deep => {
                let mut all = Vec::new();
                values.iter().for_each(|value| descend(value, &mut all));
                all
            }
            Step::Slice(slice) => {
                let lists = values.into_iter().filter(|value| !value.is_null());
                let cut: Result<Vec<_>, Unfit> = lists.map(|value| cut(value, *slice)).collect();
                cut?.concat()
            }
            Step::Union(parts) => {
                let found = parts.iter().map(|steps| find(values.clone(), steps));
                found.collect::<Result<Vec<_>, Unfit>>()?.concat()
            }
            Step::Filter(left, right) => {
                let kept = values
                    .iter()
                    .map(|value| filter(value, left, right.as_ref()));
                kept.collect::<Result<Vec<_>, Unfit>>()?.concat()
            }
        };
    }
    Ok(values)
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => Vec::new(),
    }
}

/// client-go counts a text among what has something in it, and numbers not.
fn descend<'a>(value: &'a Value, all: &mut Vec<&'a Value>) {
    let inside = children(value);
    if !inside.is_empty() || value.as_str().is_some_and(|text| !text.is_empty()) {
        all.push(value);
    }
    for child in inside {
        descend(child, all);
    }
}

fn list(value: &Value) -> Result<&Vec<Value>, Unfit> {
    let kind = kind(value);
    value
        .as_array()
        .ok_or_else(|| Unfit(format!("a list is needed here, and this is {kind}")))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn cut(value: &Value, slice: Slice) -> Result<Vec<&Value>, Unfit> {
    let list = list(value)?;
    let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
    let from_end = |i: i64| if i < 0 { i.saturating_add(length) } else { i };
    let from = from_end(slice.from);
    let to = match slice.to {
        End::Single => from.saturating_add(1),
        End::Before(to) => from_end(to),
        End::Open => length,
    };
    if from == to {
        return Ok(Vec::new());
    }
    let beyond = |i| Unfit(format!("there is no index {i} in a list of {length}"));
    if !(0..length).contains(&from) {
        return Err(beyond(from));
    }
    if !(0..=length).contains(&to) {
        return Err(beyond(to - 1));
    }
    if from > to {
        return Err(Unfit(format!("a slice cannot go from {from} back to {to}")));
    }
    let (from, to) = (usize::try_from(from), usize::try_from(to));
    let step = usize::try_from(slice.step).unwrap_or(1).max(1);
    let cut = from.ok().zip(to.ok()).and_then(|(a, b)| list.get(a..b));
    Ok(cut.into_iter().flatten().step_by(step).collect())
}

fn filter<'a>(
    value: &'a Value,
    left: &'a [Step],
    right: Option<&'a (Operator, Vec<Step>)>,
) -> Result<Vec<&'a Value>, Unfit> {
    let mut kept = Vec::new();
    for item in list(value)? {
        let Some((operator, right)) = right else {
            // client-go: what cannot be asked of an item is not in it.
            if find(vec![item], left).is_ok_and(|found| !found.is_empty()) {
                kept.push(item);
            }
            continue;
        };
        let left = single(find(vec![item], left)?)?;
        let right = single(find(vec![item], right)?)?;
        if let Some((left, right)) = left.zip(right)
            && compare(left, *operator, right)?
        {
            kept.push(item);
        }
    }
    Ok(kept)
}

fn single(found: Vec<&Value>) -> Result<Option<&Value>, Unfit> {
    match found.len() {
        0 | 1 => Ok(found.into_iter().next()),
        n => Err(Unfit(format!("one value can be compared, and not {n}"))),
    }
}

fn compare(left: &Value, operator: Operator, right: &Value) -> Result<bool, Unfit> {
    let order = match (left, right) {
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right))
            if matches!(operator, Operator::Equal | Operator::NotEqual) =>
        {
            left.cmp(right)
        }
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => left
                .as_f64()
                .partial_cmp(&right.as_f64())
                .unwrap_or(Ordering::Equal),
        },
        _ => {
            return Err(Unfit(format!(
                "{} cannot be compared with {}",
                kind(left),
                kind(right)
            )));
        }
    };
    Ok(match operator {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
    })
}
