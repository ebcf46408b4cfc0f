//! The environment of a container, and `$(VAR)` in variables, commands and arguments (kubelet: `makeEnvironmentVariables`).
//!
//! Not here: what is in ConfigMaps and Secrets (`spec::data`).

use std::collections::BTreeMap;

use crate::spec::{Container, Data, EnvFrom, EnvVar, Payload, Text};

/// The variables of a container, as far as the manifest gives them.
#[derive(Default)]
pub struct Variables {
    /// In the order in which they were first named.
    names: Vec<String>,
    values: BTreeMap<String, String>,
}

impl Variables {
    /// All of `envFrom`, then those of `env`: a later one hides an earlier one of its name. A reference is expanded from what stands before it,
    /// not from what comes later, and not from the image's variables. What comes from a ConfigMap or a Secret is taken as it is.
    #[must_use]
    pub fn of(container: &Container, payload: &Payload) -> Self {
        let mut variables = Self::default();
        for EnvFrom { prefix, of, .. } in &container.env_from {
            let data = payload.get(of).into_iter();
            for (key, value) in data.flat_map(Data::variables) {
                variables.set(format!("{prefix}{key}"), text(value));
            }
        }
        for EnvVar { name, value } in &container.env {
            let value = match value {
                Text::Plain(value) => variables.expand(value),
                Text::Key { of, key, .. } => {
                    let value = payload.get(of).and_then(|data| data.variable(key));
                    // One that is missing is optional: the loader has refused the others.
                    let Some(value) = value else { continue };
                    text(value)
                }
            };
            variables.set(name.clone(), value);
        }
        variables
    }

    fn set(&mut self, name: String, value: String) {
        if !self.values.contains_key(&name) {
            self.names.push(name.clone());
        }
        self.values.insert(name, value);
    }

    /// As Docker takes them, `NAME=value`.
    #[must_use]
    pub fn to_docker(&self) -> Vec<String> {
        let pair = |name: &String| format!("{name}={}", self.values[name]);
        self.names.iter().map(pair).collect()
    }

    /// Replaces `$(VAR)` by its value; an unknown one stays as it stands; `$$` is a `$` that begins no reference
    /// (Kubernetes: `third_party/forked/golang/expansion`).
    #[must_use]
    pub fn expand(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            if let Some(tail) = after.strip_prefix('$') {
                out.push('$');
                rest = tail;
            } else if let Some((name, tail)) = reference(after) {
                match self.values.get(name) {
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
}

/// A variable holds text; Docker takes no other.
fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// `(VAR)` at the beginning: the name, and what comes after it.
fn reference(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('(')?.split_once(')')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::hash::tests::plain;
    use crate::spec::{DataKind, DataRef};

    fn var(name: &str, value: &str) -> EnvVar {
        EnvVar {
            name: name.into(),
            value: Text::Plain(value.into()),
        }
    }

    fn key(name: &str, of: &DataRef, key: &str) -> EnvVar {
        EnvVar {
            name: name.into(),
            value: Text::Key {
                of: of.clone(),
                key: key.into(),
                optional: true,
            },
        }
    }

    fn environment(env: &[EnvVar]) -> Vec<String> {
        let mut container = plain("a");
        container.env = env.to_vec();
        Variables::of(&container, &Payload::new()).to_docker()
    }

    fn check(text: &str, expected: &str) {
        let mut variables = Variables::default();
        variables.set("A".into(), "1".into());
        variables.set("B".into(), "$(A)".into());
        assert_eq!(variables.expand(text), expected, "{text}");
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

    #[test]
    fn what_comes_from_elsewhere_is_hidden_by_env_seen_by_references_and_not_expanded() {
        let map = DataRef::new(DataKind::ConfigMap, "m");
        let data = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            Data::new(pairs.map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec())))
        };
        let of_map = Data {
            binary: ["raw".to_owned()].into(),
            ..data(&[("a", "1"), ("b.c", "$(a)"), ("raw", "x")])
        };
        let secret = DataRef::new(DataKind::Secret, "m");
        let payload = [
            (map.clone(), of_map),
            (secret.clone(), data(&[("a", "hidden")])),
        ]
        .into();
        let mut container = plain("a");
        let from = |of: &DataRef, prefix: &str| EnvFrom {
            of: of.clone(),
            prefix: prefix.into(),
            optional: true,
        };
        container.env_from = vec![
            from(&map, ""),
            from(&secret, "S_"),
            from(&DataRef::new(DataKind::Secret, "none"), ""),
        ];
        container.env = vec![
            var("SEEN", "$(a) $(S_a)"),
            key("KEY", &secret, "a"),
            key("NONE", &secret, "none"),
            key("RAW", &map, "raw"),
            var("a", "2"),
        ];
        assert_eq!(
            Variables::of(&container, &payload).to_docker(),
            [
                "a=2",
                "b.c=$(a)",
                "S_a=hidden",
                "SEEN=1 hidden",
                "KEY=hidden"
            ]
        );
    }
}
