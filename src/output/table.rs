//! Tables in the manner of `kubectl get`: columns by blanks, no lines.
//!
//! Not here: what is in them.

use comfy_table::{Table, presets};

use super::escape::escape;

/// A table that gets more rows after it was printed: they stand under its columns.
#[derive(Debug, Default)]
pub struct Growing {
    widths: Vec<usize>,
}

impl Growing {
    /// More rows; the header comes with the first.
    pub fn rows(&mut self, header: &[&str], rows: &[Vec<String>]) -> String {
        if rows.is_empty() {
            return String::new();
        }
        let is_first = self.widths.is_empty();
        let width = |text: &str| escape(text).chars().count();
        self.widths.resize(header.len(), 0);
        for (i, widest) in self.widths.iter_mut().enumerate() {
            let cells = rows.iter().filter_map(|row| row.get(i));
            let cells = cells.map(|cell| width(cell)).max().unwrap_or_default();
            *widest = (*widest).max(width(header[i])).max(cells);
        }
        if is_first {
            return table(header, rows);
        }
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&self.widths);
            let cells = cells.map(|(cell, width)| format!("{:<width$}   ", escape(cell)));
            format!("{}\n", cells.collect::<String>().trim_end())
        };
        rows.iter().map(line).collect()
    }
}

/// Lays out rows under a header. Foreign text is escaped.
#[must_use]
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(header.iter().copied());
    for row in rows {
        table.add_row(row.iter().map(|cell| escape(cell).into_owned()));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    let lines = table.to_string();
    lines
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// An age as kubectl writes it (apimachinery: `duration.HumanDuration`).
#[must_use]
pub fn age(seconds: i64) -> String {
    let (m, h, d) = (seconds / 60, seconds / 3600, seconds / 86400);
    let with = |big: i64, unit: char, small: i64, small_unit: char| {
        if small == 0 {
            format!("{big}{unit}")
        } else {
            format!("{big}{unit}{small}{small_unit}")
        }
    };
    match seconds {
        ..0 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => with(m, 'm', seconds % 60, 's'),
        600..10800 => format!("{m}m"),
        10800..28800 => with(h, 'h', m % 60, 'm'),
        28800..172_800 => format!("{h}h"),
        172_800..691_200 => with(d, 'd', h % 24, 'h'),
        691_200..63_072_000 => format!("{d}d"),
        63_072_000..252_288_000 => with(d / 365, 'y', d % 365, 'd'),
        _ => format!("{}y", d / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_written_as_kubectl_does() {
        for (seconds, expected) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (150, "2m30s"),
            (601, "10m"),
            (7200, "120m"),
            (10800, "3h"),
            (11000, "3h3m"),
            (90000, "25h"),
            (180_000, "2d2h"),
            (864_000, "10d"),
        ] {
            assert_eq!(age(seconds), expected);
        }
    }

    #[test]
    fn columns_line_up() {
        let rows = [
            vec!["web".to_owned(), "2/2".to_owned()],
            vec!["a-longer-one".to_owned(), "1/1".to_owned()],
        ];
        insta::assert_snapshot!(table(&["NAME", "READY"], &rows), @r"
        NAME           READY
        web            2/2
        a-longer-one   1/1
        ");
    }

    #[test]
    fn later_rows_stand_under_the_columns() {
        let row = |name: &str, status: &str| vec![vec![name.to_owned(), status.to_owned()]];
        let mut growing = Growing::default();
        let header = ["NAME", "STATUS"];
        let mut shown = growing.rows(&header, &[]);
        for rows in [
            row("web", "Pending"),
            row("web", "Running"),
            row("longer", "Pending"),
            row("web", "Running"),
        ] {
            shown.push_str(&growing.rows(&header, &rows));
        }
        insta::assert_snapshot!(shown, @r"
        NAME   STATUS
        web    Pending
        web    Running
        longer   Pending
        web      Running
        ");
    }
}
