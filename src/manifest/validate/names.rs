//! The formats of names, as the API server's `validation` package has them. Each function gives the rule that is broken.
//!
//! Not here: which field takes which format.

use std::net::{IpAddr, Ipv4Addr};

/// The most characters of a name that is a DNS subdomain.
const SUBDOMAIN_MAX: usize = 253;
/// The most characters of one label of it.
const LABEL_MAX: usize = 63;

/// apimachinery: `IsDNS1123Label`.
pub(super) fn dns_label(name: &str) -> Option<String> {
    if name.len() > LABEL_MAX {
        return Some(too_long(LABEL_MAX));
    }
    (!is_dns_label(name)).then(|| {
        "must be lower case letters, digits and `-`, and begin and end with a letter or digit"
            .to_owned()
    })
}

/// apimachinery: `IsDNS1035Label`, the format of a Service's name.
pub(super) fn dns_1035_label(name: &str) -> Option<String> {
    dns_label(name).or_else(|| {
        (!name.starts_with(|c: char| c.is_ascii_lowercase()))
            .then(|| "must begin with a letter".to_owned())
    })
}

/// A prefix that the server puts random letters behind: a dash may stand at its end (API server: `maskTrailingDash`).
pub(super) fn prefix(name: &str, rule: impl Fn(&str) -> Option<String>) -> Option<String> {
    let trimmed = name.trim_end_matches('-');
    if trimmed.len() < name.len() && name.len() > 1 {
        rule(&format!("{trimmed}a"))
    } else {
        rule(name)
    }
}

/// apimachinery: `IsDNS1123Subdomain`.
pub(super) fn dns_subdomain(name: &str) -> Option<String> {
    if name.len() > SUBDOMAIN_MAX {
        return Some(too_long(SUBDOMAIN_MAX));
    }
    (!name.split('.').all(is_dns_label)).then(|| {
        "must be lower case letters, digits, `-` and `.`, and each part begin and end with a letter or digit"
            .to_owned()
    })
}

/// A DNS search domain: `.`, or a subdomain that may have underscores and end with a dot
/// (apimachinery: `IsDNS1123SubdomainWithUnderscore`).
pub(super) fn search(name: &str) -> Option<String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() {
        return None;
    }
    // An underscore may stand first or inside, not last.
    let plain: Vec<String> = name
        .split('.')
        .map(|part| part.strip_prefix('_').unwrap_or(part).to_owned())
        .map(|part| match part.strip_suffix('_') {
            Some(_) => String::new(),
            None => part.replace('_', "-"),
        })
        .collect();
    dns_subdomain(&plain.join("."))
}

/// apimachinery: `IsQualifiedName`, the format of keys of labels and annotations: `[prefix/]name`.
pub(super) fn qualified(key: &str) -> Option<String> {
    let name = match key.split_once('/') {
        Some(("", _)) => {
            return Some("the part before `/` is empty".to_owned());
        }
        Some((prefix, name)) => {
            if let Some(rule) = dns_subdomain(prefix) {
                return Some(format!("the part before `/` {rule}"));
            }
            name
        }
        None => key,
    };
    if name.is_empty() {
        return Some("the name is empty".to_owned());
    }
    if name.len() > LABEL_MAX {
        return Some(format!("the name {}", too_long(LABEL_MAX)));
    }
    (!is_label_text(name)).then(label_rule)
}

/// apimachinery: `IsValidLabelValue`.
pub(super) fn label_value(value: &str) -> Option<String> {
    if value.len() > LABEL_MAX {
        return Some(too_long(LABEL_MAX));
    }
    (!value.is_empty() && !is_label_text(value)).then(label_rule)
}

/// apimachinery: `IsValidPortName`.
pub(super) fn port_name(name: &str) -> Option<String> {
    const MAX: usize = 15;
    if name.len() > MAX {
        return Some(too_long(MAX));
    }
    let fits = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !fits {
        return Some("must be lower case letters, digits and `-`".to_owned());
    }
    if !name.bytes().any(|b| b.is_ascii_lowercase()) {
        return Some("must have at least one letter".to_owned());
    }
    if name.contains("--") || name.starts_with('-') || name.ends_with('-') {
        return Some("`-` must stand alone between letters or digits".to_owned());
    }
    None
}

/// apimachinery: `IsRelaxedEnvVarName`.
pub(super) fn env_name(name: &str) -> Option<String> {
    let fits = name
        .bytes()
        .all(|b| (0x20..=0x7e).contains(&b) && b != b'=');
    (!fits).then(|| "must be printable ASCII without `=`".to_owned())
}

/// apimachinery: `IsConfigMapKey`.
pub(super) fn config_key(key: &str) -> Option<String> {
    if key.len() > SUBDOMAIN_MAX {
        return Some(too_long(SUBDOMAIN_MAX));
    }
    let fits = !key.is_empty()
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if !fits {
        return Some("must be letters, digits, `-`, `_` and `.`".to_owned());
    }
    if key == "." {
        return Some("must not be `.`".to_owned());
    }
    key.starts_with("..")
        .then(|| "must not begin with `..`".to_owned())
}

/// apimachinery: `IsHTTPHeaderName`.
pub(super) fn header_name(name: &str) -> Option<String> {
    let fits = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (!fits).then(|| "must be letters, digits and `-`".to_owned())
}

/// An IP address, as the API server reads it: leading zeros are taken (Go: `ParseIPSloppy`).
pub(super) fn ip(text: &str) -> Option<String> {
    let plain = text
        .split('.')
        .map(|part| match part.trim_start_matches('0') {
            "" if !part.is_empty() => "0",
            rest => rest,
        })
        .collect::<Vec<_>>()
        .join(".");
    let is = text.parse::<IpAddr>().is_ok() || plain.parse::<Ipv4Addr>().is_ok();
    (!is).then(|| "must be an IP address such as 10.9.8.7 or 2001:db8::1".to_owned())
}

/// API server: `IsFullyQualifiedName`, for what belongs to a domain.
pub(super) fn domain_path(name: &str) -> Option<String> {
    let Some((domain, path)) = name.split_once('/') else {
        return Some("must be a domain name and a path, such as example.com/name".to_owned());
    };
    if let Some(rule) = dns_subdomain(domain) {
        return Some(format!("the part before `/` {rule}"));
    }
    path.is_empty()
        .then(|| "needs a path behind the domain".to_owned())
}

/// The path of an item of a volume (API server: `validateLocalNonReservedPath`).
pub(super) fn item_path(path: &str) -> Option<String> {
    inner_path(path).or_else(|| {
        path.starts_with("..")
            .then(|| "must not begin with `..`".to_owned())
    })
}

/// A path inside a volume: relative, and never up (API server: `validateLocalDescendingPath`).
pub(super) fn inner_path(path: &str) -> Option<String> {
    if path.starts_with('/') {
        return Some("must be a relative path".to_owned());
    }
    climbs(path).then(|| "must not contain `..`".to_owned())
}

/// Whether a part of the path is `..`.
pub(super) fn climbs(path: &str) -> bool {
    path.split('/').any(|part| part == "..")
}

fn too_long(max: usize) -> String {
    format!("must be no more than {max} characters")
}

fn label_rule() -> String {
    "must be letters, digits, `-`, `_` and `.`, and begin and end with a letter or digit".to_owned()
}

fn is_dns_label(name: &str) -> bool {
    let bytes = name.as_bytes();
    let outer = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    bytes.first().is_some_and(outer)
        && bytes.last().is_some_and(outer)
        && bytes.iter().all(|b| outer(b) || *b == b'-')
}

fn is_label_text(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: fn(&str) -> Option<String>, right: &[&str], wrong: &[&str]) {
        for name in right {
            assert_eq!(rule(name), None, "{name}");
        }
        for name in wrong {
            assert!(rule(name).is_some(), "{name}");
        }
    }

    #[test]
    fn formats_of_names() {
        let long = "n".repeat(64);
        check(
            dns_label,
            &["a", "0-a", &long[1..]],
            &["", "A", "a.b", "-a", "a-", "a_b", &long],
        );
        let longer = "n".repeat(254);
        check(
            dns_subdomain,
            &["a.b", &longer[1..]],
            &["", "a..b", "a.", "A", &longer],
        );
        check(
            qualified,
            &["a", "A_b.c", "x.io/a"],
            &["", "/a", "x/", "X.io/a", "a/b/c", "-a", &long],
        );
        check(label_value, &["", "a", "A.b"], &["a b", "-", &long]);
        check(
            port_name,
            &["http", "h-2", "8a"],
            &["80", "a--b", "-a", "a-", "HTTP", "a_b", "sixteen-letters-"],
        );
        check(env_name, &["A", "1", "a b", ".."], &["a=b", "ü", "a\u{1}"]);
        check(
            config_key,
            &["a", "a.b", ".a", "_"],
            &["", ".", "..", "..a", "a/b", "ü", &longer],
        );
        check(
            inner_path,
            &["a", "a/b", ".", "..a"],
            &["/a", "..", "a/../b", "a/.."],
        );
    }
}
