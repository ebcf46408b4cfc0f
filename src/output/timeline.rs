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
    pub create: Option<Step>,
    /// The engine started it.
    pub start: Option<Step>,
    /// It was ready for the first time.
    pub ready: Option<u64>,
}

/// What the engine did with a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// From when to when.
    Took(Span),
    /// It is only known when it was done.
    Done(u64),
}

/// A column, and what stands in it, in milliseconds.
type Column = (&'static str, fn(&Way) -> Option<u64>);

const COLUMNS: [Column; 5] = [
    ("PULL", |way| way.pull.map(length)),
    ("CREATE", |way| way.create?.span().map(length)),
    ("START", |way| way.start?.span().map(length)),
    ("STARTED AT", |way| way.start.map(Step::done)),
    ("READY AT", |way| way.ready),
];

fn length((from, to): Span) -> u64 {
    to.saturating_sub(from)
}

/// A row each, and under bars what their letters mean. A column in which nobody has anything is left out. `bars`: there is a terminal to
/// draw on.
#[must_use]
pub fn timeline(ways: &[Way], bars: bool) -> String {
    let end = ways.iter().map(Way::end).max().unwrap_or_default();
    let known = COLUMNS.into_iter();
    let known: Vec<_> = known
        .filter(|(_, of)| ways.iter().any(|way| of(way).is_some()))
        .collect();
    let mut header = vec!["CONTAINER"];
    header.extend(known.iter().map(|(name, _)| *name));
    if bars {
        header.push("");
    }
    let row = |way: &Way| {
        let cells = known.iter().map(|(_, of)| of(way).map(seconds));
        let mut row = vec![way.container.clone()];
        row.extend(cells.map(|cell| cell.unwrap_or_else(|| "-".to_owned())));
        if bars {
            row.push(way.bar(end));
        }
        row
    };
    let rows: Vec<_> = ways.iter().map(row).collect();
    let legend = if bars { legend(ways) } else { String::new() };
    table(&header, &rows) + &legend
}

/// Of the letters that there are.
fn legend(ways: &[Way]) -> String {
    let has = |is: fn(&Way) -> bool| ways.iter().any(is);
    let mut words = vec![
        ("p pulled", has(|way| way.pull.is_some())),
        ("c created", has(|way| way.create.is_some())),
        ("s started", has(|way| way.start.is_some())),
        ("r ready", has(|way| way.ready.is_some())),
    ];
    words.retain(|(_, there)| *there);
    if words.is_empty() {
        return String::new();
    }
    words.push((". waiting", true));
    let words: Vec<&str> = words.into_iter().map(|(word, _)| word).collect();
    format!("{}\n", words.join(", "))
}

impl Step {
    fn span(self) -> Option<Span> {
        match self {
            Self::Took(span) => Some(span),
            Self::Done(_) => None,
        }
    }

    fn done(self) -> u64 {
        match self {
            Self::Took((_, at)) | Self::Done(at) => at,
        }
    }

    fn begun(self) -> u64 {
        match self {
            Self::Took((at, _)) | Self::Done(at) => at,
        }
    }
}

impl Way {
    fn end(&self) -> u64 {
        let pulled = self.pull.map(|(_, to)| to);
        let steps = [self.create, self.start].into_iter().flatten();
        let ends = steps.map(Step::done).chain(pulled).chain(self.ready);
        ends.max().unwrap_or_default()
    }

    /// `p` while its image was pulled, `c` while it was created, `s` while it was started, `r` when it was ready; `.` between.
    fn bar(&self, end: u64) -> String {
        let place = |time: u64| {
            let time = usize::try_from(time.saturating_mul(BAR as u64) / end.max(1));
            time.unwrap_or_default().min(BAR - 1)
        };
        let mut bar = [' '; BAR];
        let step = |step: Step| (step.begun(), step.done());
        let spans = [
            ('p', self.pull),
            ('c', self.create.map(step)),
            ('s', self.start.map(step)),
        ];
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
                create: Some(Step::Took((20, 120))),
                start: Some(Step::Took((200, 480))),
                ready: Some(480),
                ..Way::default()
            },
            Way {
                container: "web".into(),
                pull: Some((0, 20)),
                create: Some(Step::Took((130, 180))),
                start: Some(Step::Took((480, 640))),
                ready: Some(3990),
            },
            Way {
                container: "job".into(),
                ..Way::default()
            },
        ];
        insta::assert_snapshot!(timeline(&ways, true), @r"
        CONTAINER   PULL    CREATE   START   STARTED AT   READY AT
        (pause)     -       0.10s    0.28s   0.48s        0.48s      ccssr
        web         0.02s   0.05s    0.16s   0.64s        3.99s      pc..sss................................r
        job         -       -        -       -            -
        p pulled, c created, s started, r ready, . waiting
        ");
        let plain = timeline(&ways, false);
        assert!(
            !plain.contains("...") && !plain.contains("pulled"),
            "{plain}"
        );
    }

    #[test]
    fn what_nobody_knows_has_no_column() {
        let ways = [Way {
            container: "web".into(),
            create: Some(Step::Done(1000)),
            start: Some(Step::Done(3000)),
            ready: Some(4000),
            ..Way::default()
        }];
        insta::assert_snapshot!(timeline(&ways, true), @r"
        CONTAINER   STARTED AT   READY AT
        web         3.00s        4.00s                c...................s........r
        c created, s started, r ready, . waiting
        ");
        assert_eq!(timeline(&[], true), "CONTAINER\n");
    }
}
