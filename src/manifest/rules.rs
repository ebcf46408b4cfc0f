//! Rules about single values, as the API server has them.
//!
//! Not here: which value they are applied to (`check`).

/// What a rule says against a value; `Ok` when nothing.
pub(super) type Verdict = Result<(), String>;

/// A DNS label (API server: `IsDNS1123Label`).
pub(super) fn label(value: &str) -> Verdict {
    let inner = value
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let ends = |b: Option<u8>| b.is_some_and(|b| b != b'-');
    if value.len() > 63 {
        return Err("must be no more than 63 characters".to_owned());
    }
    if inner && ends(value.bytes().next()) && ends(value.bytes().last()) {
        return Ok(());
    }
    Err("must consist of lower case letters, digits and '-', and begin and end with a letter or digit".to_owned())
}

/// A DNS name (API server: `IsDNS1123Subdomain`).
pub(super) fn subdomain(value: &str) -> Verdict {
    let part = |part: &str| {
        let inner = part
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        inner && !part.is_empty() && !part.starts_with('-') && !part.ends_with('-')
    };
    if value.len() > 253 {
        return Err("must be no more than 253 characters".to_owned());
    }
    if value.split('.').all(part) {
        return Ok(());
    }
    Err("must consist of lower case letters, digits, '-' and '.', and begin and end with a letter or digit".to_owned())
}

/// The key of a label or annotation (API server: `IsQualifiedName`).
pub(super) fn qualified_name(value: &str) -> Verdict {
    let (prefix, name) = match value.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, value),
    };
    if let Some(prefix) = prefix {
        subdomain(prefix).map_err(|rule| format!("prefix part {rule}"))?;
    }
    if name.is_empty() || name.len() > 63 {
        return Err("name part must be 1 to 63 characters".to_owned());
    }
    name_characters(name).map_err(|rule| format!("name part {rule}"))
}

/// The value of a label (API server: `IsValidLabelValue`).
pub(super) fn label_value(value: &str) -> Verdict {
    if value.is_empty() {
        return Ok(());
    }
    if value.len() > 63 {
        return Err("must be no more than 63 characters".to_owned());
    }
    name_characters(value)
}

fn name_characters(value: &str) -> Verdict {
    let inner = value
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    let ends = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    if inner && ends(value.bytes().next()) && ends(value.bytes().last()) {
        return Ok(());
    }
    Err("must consist of letters, digits, '-', '_' and '.', and begin and end with a letter or digit".to_owned())
}

/// The name of a port (API server: `IsValidPortName`).
pub(super) fn port_name(value: &str) -> Verdict {
    if value.is_empty() || value.len() > 15 {
        return Err("must be 1 to 15 characters".to_owned());
    }
    let inner = value
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !inner || !value.bytes().any(|b| b.is_ascii_lowercase()) {
        return Err(
            "must consist of lower case letters, digits and '-', one letter at least".to_owned(),
        );
    }
    if value.contains("--") || value.starts_with('-') || value.ends_with('-') {
        return Err("must not begin or end with '-', nor have two of them in a row".to_owned());
    }
    Ok(())
}

/// A port (API server: `IsValidPortNum`).
pub(super) fn port(value: i32) -> Verdict {
    if (1..=65535).contains(&value) {
        Ok(())
    } else {
        Err("must be between 1 and 65535".to_owned())
    }
}

/// The name of a variable (API server: `IsRelaxedEnvVarName`).
pub(super) fn env_name(value: &str) -> Verdict {
    if value.is_empty() {
        return Err("must not be empty".to_owned());
    }
    if value
        .bytes()
        .all(|b| (b' '..=b'~').contains(&b) && b != b'=')
    {
        return Ok(());
    }
    Err("must consist of printable ASCII characters other than '='".to_owned())
}

/// Permission bits of a file.
pub(super) fn mode(value: i32) -> Verdict {
    if (0..=0o777).contains(&value) {
        return Ok(());
    }
    Err("must be between 0 and 0777 octal (511 decimal)".to_owned())
}

/// The key of a ConfigMap (API server: `IsConfigMapKey`).
pub(super) fn config_map_key(value: &str) -> Verdict {
    if value.is_empty() || value.len() > 253 {
        return Err("must be 1 to 253 characters".to_owned());
    }
    if value == "." || value.starts_with("..") {
        return Err("must not be '.', nor begin with '..'".to_owned());
    }
    if value
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    {
        return Ok(());
    }
    Err("must consist of letters, digits, '-', '_' and '.'".to_owned())
}

/// A relative path that does not climb (API server: `validateLocalDescendingPath`).
pub(super) fn descending_path(value: &str) -> Verdict {
    if value.starts_with('/') {
        return Err("must be a relative path".to_owned());
    }
    if value.split('/').any(|part| part == "..") {
        return Err("must not contain '..'".to_owned());
    }
    if value.contains('\0') {
        Err("must not contain a NUL".to_owned())
    } else {
        Ok(())
    }
}

/// The path of an item in a volume (API server: `validateLocalNonReservedPath`).
pub(super) fn item_path(value: &str) -> Verdict {
    descending_path(value)?;
    if value.starts_with("..") {
        Err("must not begin with '..'".to_owned())
    } else {
        Ok(())
    }
}

/// An IP address.
pub(super) fn ip(value: &str) -> Verdict {
    match value.parse::<std::net::IpAddr>() {
        Ok(_) => Ok(()),
        Err(_) => Err("must be an IP address".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: fn(&str) -> Verdict, good: &[&str], bad: &[&str]) {
        for value in good {
            assert_eq!(rule(value), Ok(()), "{value}");
        }
        for value in bad {
            assert!(rule(value).is_err(), "{value}");
        }
    }

    #[test]
    fn names_follow_the_api_server() {
        check(
            label,
            &["a", "a-1", "1a"],
            &["", "-a", "a-", "A", "a.b", "a_b"],
        );
        check(
            subdomain,
            &["a", "a.b", "1.a-b"],
            &["", "a..b", ".a", "A", "a_b", "a."],
        );
        check(
            qualified_name,
            &["a", "A.b_c", "x.io/a"],
            &["", "/a", "x.io/", "a/b/c", "-a", "X/a"],
        );
        check(label_value, &["", "a", "A_b.c"], &["-a", "a b", "ü"]);
        check(
            port_name,
            &["http", "a1"],
            &["", "HTTP", "80", "a--b", "abcdefghijklmnop", "-a"],
        );
        check(env_name, &["A", "1a", "a b"], &["", "A=B", "ü"]);
        check(
            config_map_key,
            &["a.b", ".a", "A_-"],
            &["", ".", "..", "..a", "a/b", "../x"],
        );
        check(item_path, &["a/b", "a..b"], &["/a", "a/../b", "..", "..a"]);
        check(
            ip,
            &["10.1.2.3", "::1"],
            &["localhost", "1.2.3", "127.0.0.256"],
        );
    }

    #[test]
    fn numbers_have_bounds() {
        assert!(port(0).is_err() && port(1).is_ok() && port(65535).is_ok() && port(65536).is_err());
        assert!(mode(0o777).is_ok() && mode(0o1000).is_err() && mode(-1).is_err());
    }
}
