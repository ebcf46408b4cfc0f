//! The logs of one container, as whole lines with their times.
//!
//! Not here: several containers together (`driver::logs`).

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::{Stream, StreamExt, stream};
use k8s_openapi::jiff::Timestamp;

use super::{Engine, EngineError};

/// Which lines.
#[derive(Debug, Clone, Copy, Default)]
pub struct Range {
    /// Those that come later too, until the container ends.
    pub follow: bool,
    /// The last so many pieces: a line that the engine has cut counts more than once, and may come without its beginning.
    pub tail: Option<u64>,
    /// Not those before, in seconds since 1970.
    pub since: Option<i64>,
}

/// One line, however long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When the engine took its beginning.
    pub time: Timestamp,
    /// Its bytes, with the line break if there was one.
    pub bytes: Vec<u8>,
    /// In so many pieces the engine keeps it.
    pub n_pieces: u64,
}

impl Engine {
    /// The lines of a container. The stream ends when the container does, or with what there is.
    pub fn logs(
        &self,
        container: &str,
        range: Range,
    ) -> impl Stream<Item = Result<Line, EngineError>> + Send + use<> {
        let tail = range
            .tail
            .map_or_else(|| "all".to_owned(), |n| n.to_string());
        let since = range
            .since
            .and_then(|since| i32::try_from(since).ok())
            .unwrap_or_default();
        let options = LogsOptionsBuilder::default()
            .stdout(true)
            .stderr(true)
            .follow(range.follow)
            .timestamps(true)
            .since(since)
            .tail(&tail)
            .build();
        let engine = self.clone();
        let pieces = self
            .docker
            .logs(container, Some(options))
            .map(Some)
            .chain(stream::iter([None]));
        pieces
            .scan(Assembly::default(), move |assembly, piece| {
                let lines = match piece {
                    Some(Ok(piece)) => assembly.take(piece).map(Ok).into_iter().collect(),
                    Some(Err(error)) => {
                        // What has come of a line is no line.
                        assembly.rest();
                        vec![Err(engine.error(error))]
                    }
                    None => assembly.rest().into_iter().map(Ok).collect::<Vec<_>>(),
                };
                std::future::ready(Some(stream::iter(lines)))
            })
            .flatten()
    }
}

/// Puts lines together: an engine cuts what is longer than 16 KiB into pieces, each with a time of its own.
#[derive(Debug, Default)]
struct Assembly {
    out: Option<Line>,
    err: Option<Line>,
}

impl Assembly {
    fn take(&mut self, piece: LogOutput) -> Option<Line> {
        let pending = match &piece {
            LogOutput::StdErr { .. } => &mut self.err,
            _ => &mut self.out,
        };
        let bytes = piece.into_bytes();
        let (time, content) = split(&bytes);
        let line = pending.get_or_insert_with(|| Line {
            time: time.unwrap_or_default(),
            bytes: Vec::new(),
            n_pieces: 0,
        });
        line.n_pieces += 1;
        line.bytes.extend_from_slice(content);
        if line.bytes.ends_with(b"\n") {
            pending.take()
        } else {
            None
        }
    }

    /// What was not ended by a line break.
    fn rest(&mut self) -> Vec<Line> {
        self.out.take().into_iter().chain(self.err.take()).collect()
    }
}

/// The engine's time before a piece, and the piece.
fn split(bytes: &[u8]) -> (Option<Timestamp>, &[u8]) {
    let Some(blank) = bytes.iter().position(|byte| *byte == b' ') else {
        return (None, bytes);
    };
    let time = std::str::from_utf8(&bytes[..blank])
        .ok()
        .and_then(|text| text.parse().ok());
    match time {
        Some(time) => (Some(time), &bytes[blank + 1..]),
        None => (None, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(text: &str) -> LogOutput {
        LogOutput::StdOut {
            message: text.to_owned().into_bytes().into(),
        }
    }

    #[test]
    fn pieces_of_a_line_become_one_with_the_first_time() {
        let mut assembly = Assembly::default();
        assert_eq!(
            assembly.take(out("2026-11-25T05:00:00.000000001Z aaa")),
            None
        );
        let err = LogOutput::StdErr {
            message: "2026-11-25T05:00:00.5Z err\n".into(),
        };
        assert_eq!(
            assembly.take(err).map(|line| line.bytes),
            Some(b"err\n".to_vec())
        );
        let line = assembly
            .take(out("2026-11-25T05:00:01Z bbb\n"))
            .expect("a line");
        assert_eq!(line.bytes, b"aaabbb\n");
        assert_eq!(line.time.to_string(), "2026-11-25T05:00:00.000000001Z");
    }

    #[test]
    fn what_no_line_break_ends_is_given_at_the_end() {
        let mut assembly = Assembly::default();
        assert_eq!(assembly.take(out("2026-11-25T05:00:00Z prompt> ")), None);
        assert_eq!(assembly.rest().len(), 1);
        assert!(assembly.rest().is_empty());
    }

    #[test]
    fn bytes_that_are_no_text_stay_as_they_are() {
        let mut bytes = b"2026-11-25T05:00:00Z a".to_vec();
        bytes.extend([0, 0xff, 0xfe, b'\n']);
        let mut assembly = Assembly::default();
        let line = assembly
            .take(LogOutput::StdOut {
                message: bytes.into(),
            })
            .expect("a line");
        assert_eq!(line.bytes, [b'a', 0, 0xff, 0xfe, b'\n']);
    }
}
