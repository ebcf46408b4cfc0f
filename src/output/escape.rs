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
        assert!(matches!(escape("plain ü"), Cow::Borrowed(_)));
    }
}
