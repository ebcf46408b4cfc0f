//! Where every line of podctl goes out: data to stdout, news to stderr.
//!
//! Not here: live progress (`progress`), tables (`table`).

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};

use super::escape::{escape, escape_lines};

/// Writes to the two standard streams. Colour follows `NO_COLOR` and whether the stream is a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Printer {
    quiet: bool,
    verbose: bool,
}

impl Printer {
    /// A printer; a quiet one says nothing but data, warnings and errors, a verbose one details too.
    #[must_use]
    pub fn new(quiet: bool, verbose: bool) -> Self {
        Self { quiet, verbose }
    }

    /// Whether it says nothing but data, warnings and errors.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether it says details too.
    #[must_use]
    pub fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// A text that was laid out and escaped before, to stderr, also when quiet.
    pub fn rendered(&self, text: &str) {
        let mut err = AutoStream::new(io::stderr(), ColorChoice::Auto);
        // Nobody is left to tell when stderr is gone.
        let _ = err.write_all(text.as_bytes());
    }

    /// Data, as it is, to stdout. What a terminal must not obey is to be escaped before.
    ///
    /// # Errors
    /// When stdout cannot be written; a closed pipe among others.
    pub fn data(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Foreign text on its way into data: as it is, but for a terminal what that would obey is written out.
    #[must_use]
    pub fn foreign<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if io::stdout().is_terminal() {
            escape_lines(text)
        } else {
            Cow::Borrowed(text)
        }
    }

    /// One line of news to stderr, unless quiet.
    pub fn status(&self, text: &str) {
        if !self.quiet {
            news(text);
        }
    }

    /// One line that few need, to stderr, when verbose.
    pub fn detail(&self, text: &str) {
        if self.verbose && !self.quiet {
            news(text);
        }
    }

    /// A warning to stderr, also when quiet.
    pub fn warning(&self, text: &str) {
        news(&format!("warning: {text}"));
    }

    /// What to do next, unless quiet.
    pub fn hint(&self, text: &str) {
        self.status(&format!("hint: {text}"));
    }

    /// An error to stderr that is told already, also when quiet.
    pub fn failure(&self, text: &str) {
        news(&format!("error: {text}"));
    }

    /// An error to stderr, with its causes, also when quiet.
    pub fn error(&self, error: &anyhow::Error) {
        news(&format!("error: {error:#}"));
    }
}

fn news(text: &str) {
    let mut err = AutoStream::new(io::stderr(), ColorChoice::Auto);
    // Nobody is left to tell when stderr is gone.
    let _ = text
        .lines()
        .try_for_each(|line| writeln!(err, "{}", escape(line)));
}

/// Asks a person on the terminal; anything but yes is no.
///
/// # Errors
/// When the terminal cannot be read.
pub fn ask(question: &str) -> io::Result<bool> {
    let mut err = io::stderr();
    write!(err, "{} [y/N] ", escape(question))?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
