//! How a pod has come up, container by container: pulled, created, started, ready; as numbers, and on a terminal as bars too.
//!
//! Not here: measuring it (`commands::progress`, `driver::observe`).

use super::table::table;

/// Columns of a bar.
const BAR: usize = 40;

/// From, to, in milliseconds since the beginning.
pub type Span = (u64, u64);

/// How one container has come up, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Way {
    /// Its name.
    pub container: String,
    /// Its image was pulled.
    pub pull: Option<Span>,
    /// The engine made it.
    pub create: Option<Span>,
    /// The engine started it.
    pub start: Option<Span>,
    /// It was ready for the first time.
    pub ready: Option<u64>,
}

/// A row each. `bars`: there is a terminal to draw on.
#[must_use]
pub fn timeline(ways: &[Way], bars: bool) -> String {
    let end = ways.iter().map(Way::end).max().unwrap_or_default();
    let mut header = vec!["CONTAINER", "PULL", "CREATE", "START", "READY AT"];
    if bars {
        header.push("");
    }
    let row = |way: &Way| {
        let span = |span: Option<Span>| span.map(|(from, to)| seconds(to.saturating_sub(from)));
        let cells = [
            span(way.pull),
            span(way.create),
            span(way.start),
            way.ready.map(seconds),
        ];
        let mut row = vec![way.container.clone()];
        row.extend(cells.map(|cell| cell.unwrap_or_else(|| "-".to_owned())));
        if bars {
            row.push(way.bar(end));
        }
        row
    };
    let rows: Vec<_> = ways.iter().map(row).collect();
    table(&header, &rows)
}

impl Way {
    fn end(&self) -> u64 {
        let spans = [self.pull, self.create, self.start];
        let ends = spans.into_iter().flatten().map(|(_, to)| to);
        ends.chain(self.ready).max().unwrap_or_default()
    }

    /// `p` while its image was pulled, `c` while it was created, `s` while it was started, `r` when it was ready; `.` between.
    fn bar(&self, end: u64) -> String {
        let place = |time: u64| {
            let time = usize::try_from(time.saturating_mul(BAR as u64) / end.max(1));
            time.unwrap_or_default().min(BAR - 1)
        };
        let mut bar = [' '; BAR];
        let spans = [('p', self.pull), ('c', self.create), ('s', self.start)];
        let begun = spans
            .iter()
            .filter_map(|(_, span)| Some(span.as_ref()?.0))
            .min();
        if let Some(begun) = begun {
            bar[place(begun)..=place(self.end())].fill('.');
        }
        for (mark, span) in spans {
            if let Some((from, to)) = span {
                bar[place(from)..=place(to)].fill(mark);
            }
        }
        if let Some(ready) = self.ready {
            bar[place(ready)] = 'r';
        }
        bar.iter().collect()
    }
}

/// `1.24s`.
fn seconds(milliseconds: u64) -> String {
    format!("{}.{:02}s", milliseconds / 1000, milliseconds % 1000 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_container_has_a_row_and_a_bar() {
        let ways = [
            Way {
                container: "(pause)".into(),
                create: Some((20, 120)),
                start: Some((200, 480)),
                ready: Some(480),
                ..Way::default()
            },
            Way {
                container: "web".into(),
                pull: Some((0, 20)),
                create: Some((130, 180)),
                start: Some((480, 640)),
                ready: Some(3990),
            },
            Way {
                container: "job".into(),
                ..Way::default()
            },
        ];
        insta::assert_snapshot!(timeline(&ways, true), @r"
        CONTAINER   PULL    CREATE   START   READY AT
        (pause)     -       0.10s    0.28s   0.48s      ccssr
        web         0.02s   0.05s    0.16s   3.99s      pc..sss................................r
        job         -       -        -       -
        ");
        assert!(!timeline(&ways, false).contains("..."));
    }
}
