//! The wish that a pod be gone, as the label of a volume of its own.
//!
//! Not here: the volume's name (`names`), the way down (`reconcile::down`).

/// When, and how soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// In milliseconds since 1970.
    pub since: u64,
    /// In seconds.
    pub grace_period: u64,
}

impl Deletion {
    /// As the label's value.
    #[must_use]
    pub fn to_label(self) -> String {
        format!("{} {}", self.since, self.grace_period)
    }

    /// Reads it; `None`: it was not written by podctl.
    #[must_use]
    pub fn parse(label: &str) -> Option<Self> {
        let (since, grace_period) = label.split_once(' ')?;
        Some(Self {
            since: since.parse().ok()?,
            grace_period: grace_period.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_back() {
        let deletion = Deletion {
            since: 1_795_912_799_123,
            grace_period: 30,
        };
        assert_eq!(Deletion::parse(&deletion.to_label()), Some(deletion));
        assert_eq!(Deletion::parse("now"), None);
    }
}
