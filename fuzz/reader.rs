//! Any bytes as a manifest: they are read or refused, at places that are in the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podctl::commands::files::source;
use podctl::manifest::{LoadOptions, Purpose, load};
use podctl::output::report::{Style, report};

fuzz_target!(|bytes: &[u8]| {
    let Ok(source) = source("fuzz.yaml", bytes.to_vec()) else {
        return;
    };
    let options = LoadOptions {
        purpose: Purpose::Check,
        ..LoadOptions::default()
    };
    let sources = [source];
    let problems = match load(&sources, &options) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems,
    };
    for problem in &problems {
        assert!(sources[0].text.get(problem.span.clone()).is_some(), "{problem:?}");
        assert!(problem.line >= 1 && problem.column >= 1, "{problem:?}");
    }
    for style in [Style::Long, Style::Short, Style::Json, Style::Github] {
        let shown = report(&problems, &sources, style);
        // Styles of ours are the only escapes.
        let foreign = |c: char| matches!(c, '\u{7}' | '\u{202e}' | '\u{2066}');
        assert!(!shown.contains(foreign), "{shown:?}");
    }
});
