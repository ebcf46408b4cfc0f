//! Amounts as Kubernetes writes them: `500m` of a processor, `128Mi` of memory.
//!
//! Not here: which amounts a field takes.

/// An exact amount, in thousand-millionths, as far as Kubernetes keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity {
    nano: i128,
}

const NANO: i128 = 1_000_000_000;
/// Kubernetes caps what does not fit into 64 bits.
const MAX: i128 = i64::MAX as i128 * NANO;

impl Quantity {
    /// Reads a quantity (apimachinery: `resource.ParseQuantity`): a decimal number with one of
    /// `n u m k M G T P E`, `Ki Mi Gi Ti Pi Ei`, an exponent, or nothing behind it. Blanks around it are skipped;
    /// what is finer than a thousand-millionth is rounded up.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(' ');
        let (negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let end = unsigned
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) {
            return None;
        }
        let scale = Scale::parse(suffix)?;
        let digits = format!("{whole}{fraction}");
        let nano = scale.nano(digits.trim_start_matches('0'), fraction.len());
        Some(Self {
            nano: if negative { -nano } else { nano },
        })
    }

    /// Below zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.nano < 0
    }

    /// Nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.nano == 0
    }

    /// Whether it is a number of whole units.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.nano % NANO == 0
    }

    /// Whole units, a begun one counted; `None` below zero.
    #[must_use]
    pub fn units(self) -> Option<u64> {
        let nano = (!self.is_negative()).then_some(self.nano)?;
        u64::try_from((nano + NANO - 1) / NANO).ok()
    }

    /// As it can be read again.
    #[must_use]
    pub fn to_text(self) -> String {
        if self.is_whole() {
            (self.nano / NANO).to_string()
        } else {
            format!("{}n", self.nano)
        }
    }

    /// In thousandths, a begun one counted (Kubernetes: `Quantity.MilliValue`); `None` below zero.
    #[must_use]
    pub fn thousandths(self) -> Option<u64> {
        const MILLI: i128 = 1_000_000;
        let nano = (!self.is_negative()).then_some(self.nano)?;
        u64::try_from((nano + MILLI - 1) / MILLI).ok()
    }

    /// In thousand-millionths; `None` below zero.
    #[must_use]
    pub fn nano(self) -> Option<u128> {
        u128::try_from(self.nano).ok()
    }
}

impl std::ops::Add for Quantity {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            nano: self.nano.saturating_add(other.nano).min(MAX),
        }
    }
}

/// What a suffix multiplies with.
enum Scale {
    Ten(i32),
    Two(u32),
}

impl Scale {
    fn parse(suffix: &str) -> Option<Self> {
        Some(match suffix {
            "" => Self::Ten(0),
            "n" => Self::Ten(-9),
            "u" => Self::Ten(-6),
            "m" => Self::Ten(-3),
            "k" => Self::Ten(3),
            "M" => Self::Ten(6),
            "G" => Self::Ten(9),
            "T" => Self::Ten(12),
            "P" => Self::Ten(15),
            "E" => Self::Ten(18),
            "Ki" => Self::Two(10),
            "Mi" => Self::Two(20),
            "Gi" => Self::Two(30),
            "Ti" => Self::Two(40),
            "Pi" => Self::Two(50),
            "Ei" => Self::Two(60),
            _ => Self::Ten(suffix.strip_prefix(['e', 'E'])?.parse().ok()?),
        })
    }

    /// The amount in thousand-millionths of `digits`, the last `n_fraction` of which stand behind the point.
    fn nano(&self, digits: &str, n_fraction: usize) -> i128 {
        let shift = |ten: i64| {
            // Shifting the decimal point in text keeps every size exact.
            let point = i64::try_from(digits.len())
                .unwrap_or(i64::MAX)
                .saturating_add(ten);
            if digits.is_empty() {
                return 0;
            }
            if point > 40 {
                return i128::MAX;
            }
            if point < 0 {
                return 1;
            }
            let point = usize::try_from(point).unwrap_or(0);
            let kept = &digits[..point.min(digits.len())];
            let mut value: i128 = kept.parse().unwrap_or(0);
            for _ in kept.len()..point {
                value = value.saturating_mul(10);
            }
            let rest = digits[kept.len()..].bytes().any(|b| b != b'0');
            value.saturating_add(i128::from(rest))
        };
        let n_fraction = i64::try_from(n_fraction).unwrap_or(i64::MAX);
        let nano = match self {
            Self::Ten(exponent) => shift(
                i64::from(*exponent)
                    .saturating_add(9)
                    .saturating_sub(n_fraction),
            ),
            Self::Two(bits) => {
                // What is finer than a thousand-millionth is rounded up before it is multiplied.
                let base = shift(9_i64.saturating_sub(n_fraction));
                base.saturating_mul(1_i128 << bits)
            }
        };
        nano.min(MAX)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn units(text: &str) -> Option<u64> {
        Quantity::parse(text).and_then(Quantity::units)
    }

    #[test]
    fn suffixes_multiply() {
        assert_eq!(units("128Mi"), Some(128 << 20));
        assert_eq!(units("1k"), Some(1000));
        assert_eq!(units("1e3"), Some(1000));
        assert_eq!(units("1E3"), Some(1000));
        assert_eq!(units("1E"), Some(1_000_000_000_000_000_000));
        assert_eq!(units(".5Gi"), Some(1 << 29));
        assert_eq!(units("5.Gi"), Some(5 << 30));
        assert_eq!(units("+1Gi"), Some(1 << 30));
        assert_eq!(units("0128Mi"), Some(128 << 20));
        assert_eq!(units(" 1Ki "), Some(1024));
        assert_eq!(units("0"), Some(0));
        assert_eq!(units("65536Ki"), units("64Mi"));
    }

    #[test]
    fn fractions_are_kept_and_rounded_up_for_units() {
        let half = Quantity::parse("0.5").unwrap();
        assert!(!half.is_whole());
        assert_eq!(half.units(), Some(1));
        assert_eq!(half.nano(), Some(500_000_000));
        assert_eq!(Quantity::parse("500m"), Some(half));
        assert!(!Quantity::parse("128m").unwrap().is_whole());
        assert!(Quantity::parse("1000m").unwrap().is_whole());
        assert_eq!(Quantity::parse("0.1n").unwrap().nano(), Some(1));
        assert_eq!(Quantity::parse("1e-30").unwrap().nano(), Some(1));
    }

    #[test]
    fn what_does_not_fit_is_capped() {
        let most = Some(u64::try_from(i64::MAX).unwrap());
        assert_eq!(units("100E"), most);
        assert_eq!(units("1e99"), most);
        assert_eq!(
            units("99999999999999999999999999999999999999999999Ei"),
            most
        );
        assert_eq!(units("8Ei"), most);
    }

    #[test]
    fn below_zero_has_no_units() {
        assert!(Quantity::parse("-1").unwrap().is_negative());
        assert_eq!(units("-1"), None);
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "", "1GB", "1g", "1K", "1_000", "0x10", "1,5", "Mi", ".", "1..5", "1 Gi", "50%",
            "1.5.5", "--1", "1e", "1e1.5", "1\n",
        ] {
            assert_eq!(Quantity::parse(text), None, "{text:?}");
        }
    }
}
