//! Foreign text on its way to a terminal: control characters and marks that turn the direction of writing are shown, not obeyed.
//!
//! Not here: choosing which text is foreign; all that comes from a manifest, an engine, an image or a log is.

use std::borrow::Cow;

/// The text with everything that could drive a terminal written out (`\u{1b}`); tabs stay.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(drives_terminal) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars()
            .flat_map(|c| {
                if drives_terminal(c) {
                    c.escape_default().collect::<Vec<_>>()
                } else {
                    vec![c]
                }
            })
            .collect(),
    )
}

/// The same for a text of several lines, which stay lines.
#[must_use]
pub fn escape_lines(text: &str) -> Cow<'_, str> {
    if !text.contains('\n') {
        return escape(text);
    }
    let lines: Vec<_> = text.split('\n').map(escape).collect();
    Cow::Owned(lines.join("\n"))
}

/// The same for a line of a log, whose colours stay (ECMA-48: SGR, `ESC [ ... m`).
#[must_use]
pub fn escape_log(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return escape(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        out.push_str(&escape(&rest[..at]));
        let length = colour_length(&rest[at..]).unwrap_or(0);
        out.push_str(&rest[at..at + length]);
        if length == 0 {
            out.push_str(&escape(&rest[at..=at]));
        }
        rest = &rest[at + length.max(1)..];
    }
    out.push_str(&escape(rest));
    Cow::Owned(out)
}

/// The length of a sequence that sets colours, if the text begins with one.
fn colour_length(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    parameters[end..].starts_with('m').then_some(2 + end + 1)
}

fn drives_terminal(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_written_out() {
        assert_eq!(escape("a\u{1b}[31mb\tc"), "a\\u{1b}[31mb\tc");
        assert_eq!(escape("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(
            escape_log("\u{1b}[31;1mred\u{1b}[0m \u{1b}[2J"),
            "\u{1b}[31;1mred\u{1b}[0m \\u{1b}[2J"
        );
        assert_eq!(escape_lines("a\n\u{1b}\n"), "a\n\\u{1b}\n");
        assert!(matches!(escape("plain ü"), Cow::Borrowed(_)));
    }
}
