//! Tables in the manner of `kubectl get`: columns by blanks, no lines.
//!
//! Not here: what is in them.

use comfy_table::{Table, presets};

use super::escape::escape;

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
}
