//! Kubernetes quantities: `500m`, `64Mi`, `1e3`.
//!
//! Not here: which quantities make sense for a field.

use std::fmt;

/// A quantity, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i128);

/// Text that is no quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAQuantity;

/// Kubernetes: `quantities must match the regular expression`.
impl fmt::Display for NotAQuantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be a number with one of the suffixes n, u, m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei")
    }
}

impl Quantity {
    /// Reads one. Parts of a thousandth are rounded up (Kubernetes: `Quantity.MilliValue`).
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, NotAQuantity> {
        let text = text.trim_matches(' ');
        let negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let end = unsigned
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return Err(NotAQuantity);
        }
        let digits = format!("{whole}{fraction}");
        let mut numerator: i128 = digits.parse().map_err(|_| NotAQuantity)?;
        let mut denominator = power(10, fraction.len())?;
        let (times, by) = scale(suffix)?;
        numerator = numerator
            .checked_mul(times)
            .and_then(|n| n.checked_mul(1000))
            .ok_or(NotAQuantity)?;
        denominator = denominator.checked_mul(by).ok_or(NotAQuantity)?;
        let value = numerator / denominator + i128::from(numerator % denominator != 0);
        Ok(Self(if negative { -value } else { value }))
    }

    /// In thousandths.
    #[must_use]
    pub fn thousandths(self) -> i128 {
        self.0
    }

    /// As a whole number of units, rounded up; `None` when it is negative or too large.
    #[must_use]
    pub fn units(self) -> Option<u64> {
        u64::try_from((self.0 + 999).div_euclid(1000))
            .ok()
            .filter(|_| self.0 >= 0)
    }

    /// Whether it has a part that is less than one.
    #[must_use]
    pub fn is_fractional(self) -> bool {
        self.0 % 1000 != 0
    }
}

/// What a suffix multiplies by, and divides by.
fn scale(suffix: &str) -> Result<(i128, i128), NotAQuantity> {
    if let Some(exponent) = suffix
        .strip_prefix(['e', 'E'])
        .filter(|exponent| !exponent.is_empty())
    {
        let exponent: i32 = exponent.parse().map_err(|_| NotAQuantity)?;
        let power = power(
            10,
            usize::try_from(exponent.unsigned_abs()).map_err(|_| NotAQuantity)?,
        )?;
        return Ok(if exponent < 0 { (1, power) } else { (power, 1) });
    }
    Ok(match suffix {
        "n" => (1, 1_000_000_000),
        "u" => (1, 1_000_000),
        "m" => (1, 1000),
        "" => (1, 1),
        "k" => (power(1000, 1)?, 1),
        "M" => (power(1000, 2)?, 1),
        "G" => (power(1000, 3)?, 1),
        "T" => (power(1000, 4)?, 1),
        "P" => (power(1000, 5)?, 1),
        "E" => (power(1000, 6)?, 1),
        "Ki" => (power(1024, 1)?, 1),
        "Mi" => (power(1024, 2)?, 1),
        "Gi" => (power(1024, 3)?, 1),
        "Ti" => (power(1024, 4)?, 1),
        "Pi" => (power(1024, 5)?, 1),
        "Ei" => (power(1024, 6)?, 1),
        _ => return Err(NotAQuantity),
    })
}

fn power(base: i128, exponent: usize) -> Result<i128, NotAQuantity> {
    let exponent = u32::try_from(exponent).map_err(|_| NotAQuantity)?;
    base.checked_pow(exponent)
        .filter(|_| exponent < 25)
        .ok_or(NotAQuantity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, thousandths: i128) {
        assert_eq!(
            Quantity::parse(text).map(Quantity::thousandths),
            Ok(thousandths),
            "{text}"
        );
    }

    #[test]
    fn quantities_are_read_as_kubernetes_does() {
        check("1", 1000);
        check("500m", 500);
        check("0.5", 500);
        check("64Mi", 64 * 1024 * 1024 * 1000);
        check("65536Ki", 64 * 1024 * 1024 * 1000);
        check("1e3", 1_000_000);
        check("1E", 1000 * 10_i128.pow(18));
        check(".5Gi", 512 * 1024 * 1024 * 1000);
        check("5.Gi", 5 * 1024 * 1024 * 1024 * 1000);
        check("+1Gi", 1024 * 1024 * 1024 * 1000);
        check("0128Mi", 128 * 1024 * 1024 * 1000);
        check("128m", 128);
        check("1n", 1);
        check("-1", -1000);
        for bad in [
            "", "K", "1K", "1g", "1GB", "1_000", "0x10", "1 Gi", "1.2.3", "e3", "1e99",
        ] {
            assert_eq!(Quantity::parse(bad), Err(NotAQuantity), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,20}") {
            let _ = Quantity::parse(&text);
        }

        #[test]
        fn whole_numbers_read_back(value in 0_u64..1_000_000_000_000) {
            let quantity = Quantity::parse(&value.to_string()).expect("a quantity");
            prop_assert_eq!(quantity.units(), Some(value));
        }
    }
}
