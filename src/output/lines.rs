//! Lines of logs on their way out: a prefix and a colour for each container, bytes unchanged where no terminal is.
//!
//! Not here: which lines (`driver::logs`).

use std::io::{self, BufWriter, IsTerminal, Write};

use super::escape::escape_log;
use crate::engine::logs::Line;

/// ANSI colours that are told apart on a dark ground and on a light one.
const COLOURS: [u8; 6] = [36, 33, 32, 35, 34, 31];

/// Writes lines to stdout.
pub struct Lines {
    out: BufWriter<io::Stdout>,
    names: Vec<String>,
    prefixed: bool,
    timestamps: bool,
    terminal: bool,
    colour: bool,
}

impl Lines {
    /// For containers of these names; with a prefix where there is more than one of them, or it is asked for.
    #[must_use]
    pub fn new(names: Vec<String>, prefixed: bool, timestamps: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            out: BufWriter::new(io::stdout()),
            names,
            prefixed,
            timestamps,
            terminal,
            colour,
        }
    }

    /// Writes one line. On a terminal it is put through the escape; else its bytes are as they were.
    ///
    /// # Errors
    /// When stdout cannot be written; a closed pipe among others.
    pub fn write(&mut self, name: &str, line: &Line) -> io::Result<()> {
        if self.prefixed {
            let width = self.names.iter().map(String::len).max().unwrap_or_default();
            let prefix = format!("{name:<width$} | ");
            match self
                .names
                .iter()
                .position(|known| known == name)
                .filter(|_| self.colour)
            {
                Some(i) => write!(
                    self.out,
                    "\u{1b}[{}m{prefix}\u{1b}[0m",
                    COLOURS[i % COLOURS.len()]
                )?,
                None => self.out.write_all(prefix.as_bytes())?,
            }
        }
        if self.timestamps {
            write!(self.out, "{} ", line.time)?;
        }
        if self.terminal {
            let text = String::from_utf8_lossy(&line.bytes);
            let text = text.trim_end_matches(['\n', '\r']);
            writeln!(self.out, "{}", escape_log(text))?;
        } else {
            self.out.write_all(&line.bytes)?;
            // A line of one container must not run into that of another.
            if self.prefixed && !line.bytes.ends_with(b"\n") {
                self.out.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    /// Sends what is held back.
    ///
    /// # Errors
    /// As [`Lines::write`].
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
