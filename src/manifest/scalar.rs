//! Plain scalars as Kubernetes reads them: YAML 1.1, as go-yaml v2 resolves it.
//!
//! Not here: quoted ones; they are text.

/// What a scalar means.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

/// Resolves a plain scalar.
pub(super) fn resolve(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        _ => number(text).unwrap_or_else(|| Scalar::Text(text.to_owned())),
    }
}

fn number(text: &str) -> Option<Scalar> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    let plain = text.replace('_', "");
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    integer(digits)
        .map(|value| Scalar::Int(sign * value))
        .or_else(|| float(&plain))
}

/// Decimal, `0x`, `0b`, `0o`, and octal with a leading zero; `089` is decimal.
fn integer(digits: &str) -> Option<i64> {
    let radix = |prefix: &str, radix| {
        let rest = digits.strip_prefix(prefix)?;
        (!rest.starts_with(['+', '-'])).then(|| i64::from_str_radix(rest, radix).ok())?
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let octal = || {
        let rest = digits.strip_prefix('0')?;
        (!rest.is_empty()).then(|| i64::from_str_radix(rest, 8).ok())?
    };
    radix("0x", 16)
        .or_else(|| radix("0b", 2))
        .or_else(|| radix("0o", 8))
        .or_else(octal)
        .or_else(|| digits.parse().ok())
}

fn float(text: &str) -> Option<Scalar> {
    let numeric = text
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    let digit = text.chars().any(|c| c.is_ascii_digit());
    let value: f64 = (numeric && digit).then(|| text.parse().ok())??;
    value.is_finite().then_some(Scalar::Float(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "a table reads better so")]
    fn check(text: &str, expected: Scalar) {
        assert_eq!(resolve(text), expected, "{text}");
    }

    #[test]
    fn plain_scalars_are_read_as_yaml_1_1() {
        check("yes", Scalar::Bool(true));
        check("N", Scalar::Bool(false));
        check("0400", Scalar::Int(256));
        check("0o400", Scalar::Int(256));
        check("0x50", Scalar::Int(80));
        check("0b101", Scalar::Int(5));
        check("089", Scalar::Int(89));
        check("8_080", Scalar::Int(8080));
        check("+80", Scalar::Int(80));
        check("-1", Scalar::Int(-1));
        check("0.5", Scalar::Float(0.5));
        check("8e1", Scalar::Float(80.0));
        check("1:20", Scalar::Text("1:20".into()));
        check("2001-01-01", Scalar::Text("2001-01-01".into()));
        check("127.0.0.1", Scalar::Text("127.0.0.1".into()));
        check("-", Scalar::Text("-".into()));
        check("~", Scalar::Null);
        check("nginx", Scalar::Text("nginx".into()));
        check("64Mi", Scalar::Text("64Mi".into()));
    }
}
