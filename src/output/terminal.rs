//! The terminal that podctl runs on: raw while a command has it, as it was afterwards.
//!
//! Not here: the command (`commands::exec`).

use std::io::{self, IsTerminal, Write};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use crate::engine::exec::Size;

/// A terminal in raw mode. Dropping it restores the terminal, on a panic too.
#[derive(Debug)]
pub struct Raw {
    before: Termios,
}

impl Raw {
    /// Takes the terminal of standard input.
    ///
    /// # Errors
    /// When standard input is none.
    pub fn take() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(Self { before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // Nothing is left to do about a terminal that has gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// Whether standard input is a terminal.
#[must_use]
pub fn is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// The size of the terminal, from whichever standard stream is one.
#[must_use]
pub fn size() -> Option<Size> {
    let size = tcgetwinsize(io::stdout())
        .or_else(|_| tcgetwinsize(io::stdin()))
        .ok()?;
    (size.ws_row > 0).then_some(Size {
        rows: size.ws_row,
        columns: size.ws_col,
    })
}

/// Bytes of a command, as they are, to one of the two standard streams.
///
/// # Errors
/// When the stream cannot be written; a closed pipe among others.
pub fn pass_on(bytes: &[u8], to_stderr: bool) -> io::Result<()> {
    if to_stderr {
        let mut err = io::stderr().lock();
        err.write_all(bytes)?;
        err.flush()
    } else {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }
}
