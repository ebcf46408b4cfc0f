//! Reads templates and expressions.
//!
//! Not here: carrying them out (`find`).

use serde_json::{Number, Value};

use super::{End, Fault, Operator, Part, Slice, Step};

/// A whole template.
pub(super) fn template(text: &str) -> Result<Vec<Part>, Fault> {
    let mut scanner = Scanner { text, at: 0 };
    let mut parts = Vec::new();
    // The ranges that are open: where they began, over what, and what stood before them.
    let mut open: Vec<(usize, Vec<Step>, Vec<Part>)> = Vec::new();
    while let Some(begin) = scanner.rest().find('{').map(|at| scanner.at + at) {
        if begin > scanner.at {
            parts.push(Part::Text(text[scanner.at..begin].to_owned()));
        }
        scanner.at = begin + 1;
        scanner.skip_blanks();
        match scanner.word() {
            "range" => {
                scanner.at += "range".len();
                let steps = scanner.steps(Some(begin))?;
                open.push((begin, steps, std::mem::take(&mut parts)));
            }
            "end" => {
                scanner.at += "end".len();
                if !scanner.steps(Some(begin))?.is_empty() {
                    return Err(scanner.fault(begin, "nothing may follow `end`"));
                }
                let Some((_, steps, before)) = open.pop() else {
                    return Err(scanner.fault(begin, "there is no {range} that this {end} ends"));
                };
                let body = std::mem::replace(&mut parts, before);
                parts.push(Part::Range(steps, body));
            }
            _ => parts.push(Part::Found(scanner.steps(Some(begin))?)),
        }
    }
    if !scanner.rest().is_empty() {
        parts.push(Part::Text(scanner.rest().to_owned()));
    }
    match open.pop() {
        Some((begin, ..)) => Err(scanner.fault(begin, "this {range} has no {end}")),
        None => Ok(parts),
    }
}

/// One expression: `{.a}`, `{a}`, `.a` or `a` (kubectl: `RelaxedJSONPathExpression`).
pub(super) fn relaxed(text: &str) -> Result<Vec<Step>, Fault> {
    let inner = text.strip_prefix('{');
    let closing = inner.and_then(|inner| inner.strip_suffix('}'));
    let whole = Scanner { text, at: 0 };
    let (start, end) = match (inner, closing) {
        (Some(_), Some(closing)) => (1, 1 + closing.len()),
        (Some(_), None) => return Err(whole.fault(0, "this `{` is not closed")),
        (None, _) => (0, text.len()),
    };
    if let Some(brace) = text[start..end].find(['{', '}']) {
        return Err(whole.fault(start + brace, "one expression is wanted here"));
    }
    let mut scanner = Scanner {
        text: &text[..end],
        at: start,
    };
    scanner.skip_blanks();
    if scanner.rest().is_empty() {
        return Err(scanner.fault(scanner.at, "an expression is missing: .status.phase"));
    }
    let mut steps = Vec::new();
    if scanner.rest().starts_with(is_alphanumeric) {
        steps.push(scanner.field(scanner.at)?);
    }
    steps.extend(scanner.steps(None)?);
    Ok(steps)
}

/// Stands in a text, which ends where what is to be read does.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn fault(&self, at: usize, why: impl Into<String>) -> Fault {
        Fault {
            character: self.text[..at].chars().count() + 1,
            why: why.into(),
        }
    }

    /// The letters and digits that come next.
    fn word(&self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !is_alphanumeric(c)).unwrap_or(rest.len());
        &rest[..end]
    }

    /// The steps up to `}`, or, where no `{` was opened, to the end.
    fn steps(&mut self, opened: Option<usize>) -> Result<Vec<Step>, Fault> {
        let mut steps = Vec::new();
        loop {
            let at = self.at;
            let c = match (self.next(), opened) {
                (None, None) | (Some('}'), Some(_)) => return Ok(steps),
                (None | Some('\n' | '\r'), Some(opened)) => {
                    return Err(self.fault(opened, "this `{` is not closed on its line"));
                }
                (Some(c), _) => c,
            };
            match c {
                // The object at hand, both of them.
                ' ' | '\t' | '@' | '$' => {}
                '[' if self.rest().starts_with("?(") => steps.push(self.filter(at)?),
                '[' => steps.extend(self.brackets(at)?),
                '"' | '\'' => steps.push(Step::Text(Value::String(self.quoted(at, c)?))),
                '.' if self.rest().starts_with('.') => {
                    self.at += 1;
                    if self.rest().starts_with("..") {
                        return Err(self.fault(at, "`..` stands here twice"));
                    }
                    steps.push(Step::Deep);
                    if self.rest().starts_with(|c| is_alphanumeric(c) || c == '*') {
                        steps.push(self.field(at)?);
                    }
                }
                '.' => steps.push(self.field(at)?),
                '+' | '-' | '0'..='9' => steps.push(self.number(at)?),
                c if is_alphanumeric(c) => {
                    self.at = at;
                    let word = self.word();
                    self.at += word.len();
                    steps.push(Step::Literal(match word {
                        "true" => true.into(),
                        "false" => false.into(),
                        "range" | "end" => {
                            return Err(self.fault(at, format!("`{word}` must come first")));
                        }
                        _ => {
                            let why = format!(
                                "`{word}` is neither a field (.{word}) nor a text (\"{word}\")"
                            );
                            return Err(self.fault(at, why));
                        }
                    }));
                }
                c => return Err(self.fault(at, format!("`{c}` has no meaning here"))),
            }
        }
    }

    /// A name up to what cannot be in one; `\` takes the meaning from what follows.
    fn field(&mut self, at: usize) -> Result<Step, Fault> {
        let mut name = String::new();
        let start = self.at;
        while let Some(c) = self.rest().chars().next() {
            if " \t\r\n.,[]$@{}".contains(c) {
                break;
            }
            self.next();
            name.extend(if c == '\\' { self.next() } else { Some(c) });
        }
        match &self.text[start..self.at] {
            "" => Err(self.fault(at, "a name must follow the dot; the object itself is `@`")),
            "*" => Ok(Step::All),
            _ => Ok(Step::Field(name)),
        }
    }

    fn number(&mut self, at: usize) -> Result<Step, Fault> {
        let rest = self.rest();
        let digits = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
        self.at += rest.len() - digits.len();
        let text = &self.text[at..self.at];
        let text = text.strip_prefix('+').unwrap_or(text);
        let whole = text.parse::<i64>().ok().map(Number::from);
        let float = || text.parse().ok().and_then(Number::from_f64);
        let number = whole.or_else(float);
        let number =
            number.ok_or_else(|| self.fault(at, format!("`{text}` does not read as a number")))?;
        Ok(Step::Literal(Value::Number(number)))
    }

    /// After its first quotation mark, up to and with the last (Go: `strconv.UnquoteChar`).
    fn quoted(&mut self, at: usize, quote: char) -> Result<String, Fault> {
        let mut text = String::new();
        loop {
            let escaped_at = self.at;
            match self.next() {
                None | Some('\n') => {
                    return Err(self.fault(at, format!("this {quote} is not closed")));
                }
                Some(c) if c == quote => return Ok(text),
                Some('\\') => {
                    let c = self.escaped().ok_or_else(|| {
                        self.fault(
                            escaped_at,
                            "nothing is written this way; a backslash is \\\\",
                        )
                    })?;
                    text.push(c);
                }
                Some(c) => text.push(c),
            }
        }
    }

    /// What a backslash and what follows it stand for.
    fn escaped(&mut self) -> Option<char> {
        let n_digits = match self.next()? {
            'a' => return Some('\u{7}'),
            'b' => return Some('\u{8}'),
            'f' => return Some('\u{c}'),
            'n' => return Some('\n'),
            'r' => return Some('\r'),
            't' => return Some('\t'),
            'v' => return Some('\u{b}'),
            c @ ('\\' | '\'' | '"') => return Some(c),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => return None,
        };
        let digits = self.rest().get(..n_digits)?;
        self.at += n_digits;
        let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
        // `\xff` is a byte, and no character.
        (n_digits > 2 || c.is_ascii()).then_some(c)
    }

    /// After `[`, up to and with `]`: an index, a slice, a key, or several of them.
    fn brackets(&mut self, at: usize) -> Result<Vec<Step>, Fault> {
        let end = self.end_of(at, ']', "this `[` is not closed")?;
        let inside = &self.text[self.at..end];
        let mut parts = Vec::new();
        let mut start = self.at;
        for part in split(inside) {
            let blanks = part.len() - part.trim_start().len();
            parts.push(self.inside(start + blanks, part.trim())?);
            start += part.len() + 1;
        }
        self.at = end + 1;
        Ok(match parts.len() {
            1 => parts.swap_remove(0),
            _ => vec![Step::Union(parts)],
        })
    }

    /// One of the parts between brackets.
    fn inside(&self, at: usize, part: &str) -> Result<Vec<Step>, Fault> {
        let key = ['\'', '"'].into_iter().find_map(|quote| {
            let key = part.strip_prefix(quote)?.strip_suffix(quote)?;
            (!key.contains(quote)).then_some(key)
        });
        if let Some(key) = key {
            // client-go reads it as fields, so that a dot in a key is to be escaped here too.
            let mut fields = Scanner {
                text: &self.text[..=at + key.len()],
                at: at + 1,
            };
            let mut steps = vec![fields.field(at)?];
            steps.extend(fields.steps(None)?);
            return Ok(steps);
        }
        self.slice(at, part).map(|slice| vec![Step::Slice(slice)])
    }

    fn slice(&self, at: usize, part: &str) -> Result<Slice, Fault> {
        let part = if part == "*" { ":" } else { part };
        let number = |text: &str| match text {
            "" => Ok(None),
            text => text.parse::<i64>().map(Some).map_err(|_| {
                let what = format!("`{text}` is no index; a key stands in quotes: ['{text}']");
                self.fault(at, what)
            }),
        };
        let numbers: Result<Vec<Option<i64>>, Fault> = part.split(':').map(number).collect();
        let numbers = numbers?;
        let (from, to, step) = match numbers[..] {
            [from] => (from, End::Single, None),
            [from, to] => (from, to.map_or(End::Open, End::Before), None),
            [from, to, step] => (from, to.map_or(End::Open, End::Before), step),
            _ => return Err(self.fault(at, "a slice is [from:to:step]")),
        };
        let step = step.unwrap_or(1);
        if step < 1 {
            return Err(self.fault(at, "the step of a slice must be more than 0"));
        }
        Ok(Slice {
            from: from.unwrap_or_default(),
            to,
            step,
        })
    }

    /// After `[`, which `?(` follows, up to and with `)]`.
    fn filter(&mut self, at: usize) -> Result<Step, Fault> {
        self.at += "?(".len();
        let end = self.end_of(at, ')', "this filter has no `)`")?;
        let start = self.at;
        if !self.text[end + 1..].starts_with(']') {
            return Err(self.fault(end + 1, "`]` must follow the filter"));
        }
        self.at = end + ")]".len();
        let text = &self.text[start..end];
        let steps = |from: usize, to: usize| {
            let mut part = Scanner {
                text: &self.text[..to],
                at: from,
            };
            part.skip_blanks();
            if part.rest().is_empty() {
                return Err(part.fault(from, "here something to compare is missing"));
            }
            part.steps(None)
        };
        let is_operator = |c: char| "!<>=".contains(c);
        let Some(operator) = outside_quotes(text, is_operator) else {
            return Ok(Step::Filter(steps(start, end)?, None));
        };
        let sign = &text[operator..];
        let sign = &sign[..sign.find(|c| !is_operator(c)).unwrap_or(sign.len())];
        let (before, after) = (start + operator, start + operator + sign.len());
        let operator = match sign {
            "==" => Operator::Equal,
            "!=" => Operator::NotEqual,
            "<" => Operator::Less,
            "<=" => Operator::LessOrEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterOrEqual,
            _ => {
                let why = format!("`{sign}` is none of == != < <= > >=");
                return Err(self.fault(before, why));
            }
        };
        let (left, right) = (steps(start, before)?, steps(after, end)?);
        Ok(Step::Filter(left, Some((operator, right))))
    }

    /// Where this stands next, outside of quotes and on the same line.
    fn end_of(&self, at: usize, wanted: char, why: &str) -> Result<usize, Fault> {
        let rest = self.rest();
        let end = outside_quotes(rest, |c| c == wanted);
        end.filter(|end| !rest[..*end].contains('\n'))
            .map(|end| self.at + end)
            .ok_or_else(|| self.fault(at, why))
    }
}

/// At commas outside of quotes.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(comma) = outside_quotes(rest, |c| c == ',') {
        parts.push(&rest[..comma]);
        rest = &rest[comma + 1..];
    }
    parts.push(rest);
    parts
}

fn outside_quotes(text: &str, wanted: impl Fn(char) -> bool) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match quote {
            _ if escaped => escaped = false,
            _ if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if wanted(c) => return Some(at),
            _ => {}
        }
    }
    None
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
