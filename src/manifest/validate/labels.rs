//! Rules for labels and for selectors of labels; and whether a selector matches labels.
//!
//! Not here: selectors of nodes (`scheduling`).

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::{forbidden, format, invalid_text, names, required};
use crate::manifest::path::Path;
use crate::manifest::problem::{At, Faults};

/// API server: `ValidateLabels`, which names the map and not the key.
pub(super) fn labels(
    labels: Option<&BTreeMap<String, String>>,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    let whole = path.trail().to_string();
    for (key, value) in labels.into_iter().flatten() {
        let here = path.key(key);
        if let Some(rule) = names::qualified(key) {
            let fault = invalid_text(faults, &here, key, &rule);
            fault.at(At::Key).called(whole.clone());
        }
        if let Some(rule) = names::label_value(value) {
            invalid_text(faults, &here, value, &rule).called(whole.clone());
        }
    }
}

/// API server: `ValidateLabelSelector`. Whether it is sound.
pub(super) fn selector(selector: &LabelSelector, path: &Path<'_>, faults: &mut Faults) -> bool {
    let n_before = faults.count();
    labels(
        selector.match_labels.as_ref(),
        &path.field("matchLabels"),
        faults,
    );
    let list = path.field("matchExpressions");
    for (i, one) in selector.match_expressions.iter().flatten().enumerate() {
        let here = list.index(i);
        let values = one.values.as_deref().unwrap_or_default();
        match one.operator.as_str() {
            "In" | "NotIn" if values.is_empty() => {
                let why = "`In` and `NotIn` need values";
                required(faults, &here.field("values"), why);
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let why = "`Exists` and `DoesNotExist` take no values";
                forbidden(faults, &here.field("values"), why);
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => {
                let rule = "must be one of In, NotIn, Exists, DoesNotExist";
                invalid_text(faults, &here.field("operator"), other, rule);
            }
        }
        format(faults, &here.field("key"), &one.key, names::qualified);
        let list = here.field("values");
        for (j, value) in values.iter().enumerate() {
            format(faults, &list.index(j), value, names::label_value);
        }
    }
    faults.count() == n_before
}

/// Whether it names nothing, which matches everything.
pub(super) fn is_empty(selector: &LabelSelector) -> bool {
    selector
        .match_labels
        .as_ref()
        .is_none_or(BTreeMap::is_empty)
        && selector
            .match_expressions
            .as_ref()
            .is_none_or(Vec::is_empty)
}

/// Whether it matches these labels.
pub(super) fn matches(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let mut pairs = selector.match_labels.iter().flatten();
    let mut expressions = selector.match_expressions.iter().flatten();
    pairs.all(|(key, value)| labels.get(key) == Some(value))
        && expressions.all(|one| {
            let value = labels.get(&one.key);
            let among = value.is_some_and(|v| one.values.iter().flatten().any(|w| w == v));
            match one.operator.as_str() {
                "In" => among,
                "NotIn" => !among,
                "Exists" => value.is_some(),
                _ => value.is_none(),
            }
        })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement;

    use super::*;

    #[test]
    fn selectors_match_as_kubernetes_has_them() {
        let labels = BTreeMap::from([("app".to_owned(), "web".to_owned())]);
        let check = |key: &str, operator: &str, values: &[&str], expected: bool| {
            let one = LabelSelectorRequirement {
                key: key.into(),
                operator: operator.into(),
                values: Some(values.iter().map(|v| (*v).to_owned()).collect()),
            };
            let selector = LabelSelector {
                match_expressions: Some(vec![one]),
                ..LabelSelector::default()
            };
            let what = format!("{key} {operator} {values:?}");
            assert_eq!(matches(&selector, &labels), expected, "{what}");
        };
        check("app", "In", &["web", "db"], true);
        check("app", "In", &["db"], false);
        check("tier", "In", &["x"], false);
        check("app", "NotIn", &["db"], true);
        check("tier", "NotIn", &["x"], true);
        check("app", "Exists", &[], true);
        check("tier", "DoesNotExist", &[], true);
        assert!(matches(&LabelSelector::default(), &labels));
    }
}
