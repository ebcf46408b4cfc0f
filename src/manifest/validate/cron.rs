//! A CronJob's schedule, as the controller reads it: five fields, or a word that stands for them.
//!
//! Not here: when it is due.

/// A field: its name, its least and most, and the words for its numbers.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field {
        name: "minute",
        least: 0,
        most: 59,
        words: &[],
    },
    Field {
        name: "hour",
        least: 0,
        most: 23,
        words: &[],
    },
    Field {
        name: "day of the month",
        least: 1,
        most: 31,
        words: &[],
    },
    Field {
        name: "month",
        least: 1,
        most: 12,
        words: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Field {
        name: "day of the week",
        least: 0,
        most: 6,
        words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

const WORDS: [&str; 7] = [
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
];

/// What is wrong with it; `None`: nothing.
pub(super) fn schedule(text: &str) -> Option<String> {
    if text.contains("TZ=") {
        return Some("must not name a time zone: the field timeZone does".to_owned());
    }
    if let Some(every) = text.strip_prefix("@every ") {
        let rule = "must be a duration such as 1h30m behind @every";
        return (!is_duration(every)).then(|| rule.to_owned());
    }
    if text.starts_with('@') {
        let known = WORDS.contains(&text);
        return (!known).then(|| format!("must be one of {}, @every", WORDS.join(", ")));
    }
    let parts: Vec<&str> = text.split_whitespace().collect();
    if parts.len() != FIELDS.len() {
        return Some(format!("must have 5 fields, and has {}", parts.len()));
    }
    let mut fields = FIELDS.iter().zip(parts);
    fields.find_map(|(field, part)| part.split(',').find_map(|range| field.check(range)))
}

impl Field {
    /// `*`, `5`, `1-5`, each perhaps with `/2`.
    fn check(&self, range: &str) -> Option<String> {
        let wrong = |why: &str| Some(format!("the {} `{range}` {why}", self.name));
        let (span, step) = match range.split_once('/') {
            None => (range, None),
            Some((_, step)) if step.contains('/') => return wrong("has more than one `/`"),
            Some((span, step)) => (span, Some(step)),
        };
        if let Some(step) = step {
            match step.parse::<u32>() {
                Err(_) => return wrong("has no number behind the `/`"),
                Ok(0) => return wrong("has a step of 0"),
                Ok(_) => {}
            }
        }
        if matches!(span, "*" | "?") {
            return None;
        }
        let (first, last) = match span.split_once('-') {
            None => (span, None),
            Some((_, last)) if last.contains('-') => return wrong("has more than one `-`"),
            Some((first, last)) => (first, Some(last)),
        };
        let Some(begin) = self.number(first) else {
            return wrong("is no number");
        };
        let end = match last.map(|last| self.number(last)) {
            None => begin,
            Some(Some(end)) => end,
            Some(None) => return wrong("ends with no number"),
        };
        if begin < self.least {
            return wrong(&format!("is below {}", self.least));
        }
        if end > self.most {
            return wrong(&format!("is above {}", self.most));
        }
        if begin > end {
            return wrong("begins after its end");
        }
        None
    }

    fn number(&self, text: &str) -> Option<u32> {
        let word = text.to_lowercase();
        let at = self.words.iter().position(|known| *known == word);
        match at.and_then(|at| u32::try_from(at).ok()) {
            Some(at) => Some(at + self.least),
            None => text.parse().ok().filter(|_| !text.starts_with('+')),
        }
    }
}

/// Go: `time.ParseDuration`.
fn is_duration(text: &str) -> bool {
    let mut rest = text.trim_start_matches(['+', '-']);
    if rest.is_empty() {
        return false;
    }
    if rest == "0" {
        return true;
    }
    while !rest.is_empty() {
        let number = rest.len()
            - rest
                .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
                .len();
        let after = &rest[number..];
        let unit = ["ns", "us", "µs", "ms", "s", "m", "h"]
            .into_iter()
            .find(|unit| after.starts_with(unit) && (*unit != "m" || !after.starts_with("ms")));
        match unit {
            Some(unit) if rest[..number].bytes().any(|b| b.is_ascii_digit()) => {
                rest = &after[unit.len()..];
            }
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_those_that_the_controller_takes() {
        let right = [
            "0 3 * * *",
            "*/5 * * * *",
            "0 0 1,15 * ?",
            "0 9-17/2 * jan-mar MON-FRI",
            "5/15 * * * *",
            "@daily",
            "@every 1h30m",
        ];
        for text in right {
            assert_eq!(schedule(text), None, "{text}");
        }
        let wrong = [
            "",
            "0 3 * *",
            "0 0 * * 7",
            "60 * * * *",
            "5-1 * * * *",
            "*/0 * * * *",
            "1/2/3 * * * *",
            "1-2-3 * * * *",
            "x * * * *",
            "* * 0 * *",
            "@reboot",
            "@every soon",
            "TZ=UTC 0 3 * * *",
            "CRON_TZ=UTC 0 3 * * *",
        ];
        for text in wrong {
            assert!(schedule(text).is_some(), "{text}");
        }
    }
}
