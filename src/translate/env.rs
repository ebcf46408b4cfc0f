//! `$(VAR)` in variables, commands and arguments, and the environment of a container (kubelet: `makeEnvironmentVariables`).
//!
//! Not here: where values come from.

use std::collections::BTreeMap;

use crate::spec::EnvVar;

/// The environment as Docker takes it, `NAME=value`, each name once: a later entry hides an earlier one of its name.
/// A reference is expanded from what stands before it in the list, not from what comes later, and not from the image's
/// variables.
#[must_use]
pub fn environment(env: &[EnvVar]) -> Vec<String> {
    let values = values(env);
    let mut names: Vec<&str> = Vec::new();
    for EnvVar { name, .. } in env {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
        .into_iter()
        .map(|name| format!("{name}={}", values[name]))
        .collect()
}

/// Each variable with its last value, references expanded.
#[must_use]
pub fn values(env: &[EnvVar]) -> BTreeMap<&str, String> {
    let mut values: BTreeMap<&str, String> = BTreeMap::new();
    for EnvVar { name, value } in env {
        let value = expand(value, &values);
        values.insert(name, value);
    }
    values
}

/// Replaces `$(VAR)` by its value; an unknown one stays as it stands; `$$` is a `$` that begins no reference
/// (Kubernetes: `third_party/forked/golang/expansion`).
#[must_use]
pub fn expand(text: &str, values: &BTreeMap<&str, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
        } else if let Some((name, tail)) = reference(after) {
            match values.get(name) {
                Some(value) => out.push_str(value),
                None => out.push_str(&rest[at..rest.len() - tail.len()]),
            }
            rest = tail;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out + rest
}

/// `(VAR)` at the beginning: the name, and what comes after it.
fn reference(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('(')?.split_once(')')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn var(name: &str, value: &str) -> EnvVar {
        EnvVar {
            name: name.into(),
            value: value.into(),
        }
    }

    fn check(text: &str, expected: &str) {
        let values = BTreeMap::from([("A", "1".to_owned()), ("B", "$(A)".to_owned())]);
        assert_eq!(expand(text, &values), expected, "{text}");
    }

    #[test]
    fn references_are_expanded_once() {
        check("$(A)", "1");
        check("x$(A)y$(A)", "x1y1");
        check("$(B)", "$(A)");
        check("$(NONE)", "$(NONE)");
        check("$$(A)", "$(A)");
        check("$$$(A)", "$1");
        check("$A $", "$A $");
        check("$(A", "$(A");
        check("ü$(A)ü", "ü1ü");
    }

    #[test]
    fn a_reference_sees_only_what_stands_before_it() {
        let env = [
            var("EARLY", "$(PORT)"),
            var("PORT", "1"),
            var("LATE", "$(PORT)"),
        ];
        assert_eq!(environment(&env), ["EARLY=$(PORT)", "PORT=1", "LATE=1"]);
    }

    #[test]
    fn the_last_of_two_entries_with_one_name_counts() {
        let env = [
            var("M", "early"),
            var("O", "x"),
            var("M", "late"),
            var("SEEN", "$(M)"),
        ];
        assert_eq!(environment(&env), ["M=late", "O=x", "SEEN=late"]);
    }
}
