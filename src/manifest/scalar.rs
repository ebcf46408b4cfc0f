//! What a scalar means to Kubernetes, which reads YAML 1.1 as go-yaml v2 does: `yes` is true, `0400` is octal, `1_000` is a number.
//!
//! Not here: quotes, escapes and anchors (`yaml`).

use base64::Engine as _;
use serde_json::Number;

use super::tree::Kind;

/// A tag that changes how a scalar is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Null,
    Bool,
    Int,
    Float,
    Str,
    Binary,
    Timestamp,
}

impl Tag {
    /// The tag of YAML's own schema with this name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::Null,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "float" => Self::Float,
            "str" => Self::Str,
            "binary" => Self::Binary,
            "timestamp" => Self::Timestamp,
            _ => return None,
        })
    }
}

/// A plain scalar without a tag.
///
/// # Errors
/// For what JSON cannot say: infinity and not-a-number.
pub(super) fn plain(text: &str) -> Result<Kind, String> {
    if let Some(kind) = word(text) {
        return Ok(kind);
    }
    match text.as_bytes().first() {
        Some(b'.') if is_special_float(text) => Err(format!("`{text}` has no place in JSON")),
        Some(b'.') => Ok(float(text).unwrap_or_else(|| Kind::Text(text.to_owned()))),
        Some(b'+' | b'-' | b'0'..=b'9') => {
            let digits = text.replace('_', "");
            if is_special_float(&text[1..]) {
                return Err(format!("`{text}` has no place in JSON"));
            }
            Ok(integer(&digits)
                .or_else(|| float(&digits))
                .unwrap_or_else(|| Kind::Text(text.to_owned())))
        }
        _ => Ok(Kind::Text(text.to_owned())),
    }
}

/// A scalar with a tag, quoted or not.
///
/// # Errors
/// When the text does not mean what the tag says.
pub(super) fn tagged(text: &str, tag: Tag) -> Result<Kind, String> {
    let refused = || format!("`{text}` cannot be read as its tag says");
    match (tag, plain(text)?) {
        (Tag::Str | Tag::Timestamp, _) => Ok(Kind::Text(text.to_owned())),
        (Tag::Binary, _) => binary(text).map(Kind::Text).ok_or_else(refused),
        (Tag::Null, Kind::Null) => Ok(Kind::Null),
        (Tag::Bool, kind @ Kind::Bool(_)) | (Tag::Float, kind @ Kind::Number(_)) => Ok(kind),
        (Tag::Int, Kind::Number(n)) if !n.is_f64() => Ok(Kind::Number(n)),
        _ => Err(refused()),
    }
}

/// A key as JSON's text; `None` for null.
pub(super) fn key(kind: &Kind) -> Option<String> {
    match kind {
        Kind::Text(text) => Some(text.clone()),
        Kind::Bool(b) => Some(b.to_string()),
        Kind::Number(n) => Some(match n.as_f64() {
            Some(f) if n.is_f64() && f.fract() == 0.0 && f.abs() < 1e15 => format!("{f:.0}"),
            _ => n.to_string(),
        }),
        _ => None,
    }
}

fn word(text: &str) -> Option<Kind> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "true" | "True" | "TRUE" => {
            Kind::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "false" | "False" | "FALSE" => {
            Kind::Bool(false)
        }
        _ => return None,
    })
}

fn is_special_float(text: &str) -> bool {
    matches!(text, ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF")
}

/// Go: `strconv.ParseInt(text, 0, 64)`, then `ParseUint`.
fn integer(text: &str) -> Option<Kind> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // A second sign would be taken by Rust's reader, not by Go's.
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    let number = if negative {
        Number::from(0_i64.checked_sub_unsigned(magnitude)?)
    } else {
        Number::from(magnitude)
    };
    Some(Kind::Number(number))
}

/// go-yaml: `yamlStyleFloat`, then `strconv.ParseFloat`.
fn float(text: &str) -> Option<Kind> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let starts_well = unsigned.starts_with(|c: char| c.is_ascii_digit())
        || (unsigned.starts_with('.') && unsigned[1..].starts_with(|c: char| c.is_ascii_digit()));
    let only = unsigned
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    if !starts_well || !only {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    // Too large for a number: go-yaml keeps the text.
    Number::from_f64(value).map(Kind::Number)
}

fn binary(text: &str) -> Option<String> {
    let clean: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(clean)
        .ok()?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match plain(text) {
            Ok(Kind::Null) => "null".to_owned(),
            Ok(Kind::Bool(b)) => b.to_string(),
            Ok(Kind::Number(n)) => n.to_string(),
            Ok(Kind::Text(t)) => format!("{t:?}"),
            Ok(other) => format!("{other:?}"),
            Err(_) => "refused".to_owned(),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn words_are_those_of_yaml_1_1() {
        for text in ["y", "Yes", "ON", "true"] {
            check(text, "true");
        }
        for text in ["n", "No", "OFF", "False"] {
            check(text, "false");
        }
        check("yEs", "\"yEs\"");
        check("~", "null");
        check("", "null");
        check("<<", "\"<<\"");
    }

    #[test]
    fn numbers_are_those_of_go() {
        check("0400", "256");
        check("0o400", "256");
        check("0x50", "80");
        check("0b1010000", "80");
        check("8_080", "8080");
        check("+80", "80");
        check("-0x10", "-16");
        check("089", "89.0");
        check("0880", "880.0");
        check("080.0", "80.0");
        check("1e3", "1000.0");
        check(".5", "0.5");
        check("18446744073709551615", "18446744073709551615");
        check("-9223372036854775808", "-9223372036854775808");
        check("12345e67", "1.2345e+71");
    }

    #[test]
    fn what_looks_like_a_number_may_be_text() {
        for text in [
            "1:20",
            "12:30:45",
            "2024-01-31",
            "1.25.0",
            "0x",
            "--5",
            "+-5",
            ".",
            "1e",
            "8080/tcp",
            "+",
        ] {
            check(text, &format!("{text:?}"));
        }
        check("1e999", "\"1e999\"");
    }

    #[test]
    fn what_json_cannot_say_is_refused() {
        for text in [".inf", "-.inf", "+.Inf", ".nan"] {
            check(text, "refused");
        }
    }

    #[test]
    fn tags_decide() {
        assert_eq!(tagged("8080", Tag::Str), Ok(Kind::Text("8080".into())));
        assert_eq!(tagged("80", Tag::Int), Ok(Kind::Number(80.into())));
        assert_eq!(tagged("aGk=", Tag::Binary), Ok(Kind::Text("hi".into())));
        assert!(tagged("x", Tag::Int).is_err());
        assert!(tagged("1.5", Tag::Int).is_err());
        assert!(tagged("5", Tag::Bool).is_err());
    }

    #[test]
    fn keys_are_text() {
        assert_eq!(key(&plain("1.0").unwrap()).as_deref(), Some("1"));
        assert_eq!(key(&plain("0x10").unwrap()).as_deref(), Some("16"));
        assert_eq!(key(&plain("on").unwrap()).as_deref(), Some("true"));
        assert_eq!(key(&plain("~").unwrap()), None);
    }
}
