//! The wish that a pod be gone, as the label of a volume of its own.
//!
//! Not here: the volume's name (`names`), the way down (`reconcile::down`).

/// When, how soon, and what had become of it until then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// In milliseconds since 1970.
    pub since: u64,
    /// In seconds.
    pub grace_period: u64,
    /// Kubernetes: `status.phase`. What is left of a pod that is being taken down does not tell it any more.
    pub phase: String,
}

impl Deletion {
    /// As the label's value.
    #[must_use]
    pub fn to_label(&self) -> String {
        format!("{} {} {}", self.since, self.grace_period, self.phase)
    }

    /// Reads it; `None`: it was not written by podctl.
    #[must_use]
    pub fn parse(label: &str) -> Option<Self> {
        let mut words = label.split(' ');
        Some(Self {
            since: words.next()?.parse().ok()?,
            grace_period: words.next()?.parse().ok()?,
            phase: words.next().unwrap_or_default().to_owned(),
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
            phase: "Running".to_owned(),
        };
        assert_eq!(Deletion::parse(&deletion.to_label()), Some(deletion));
        assert_eq!(Deletion::parse("now"), None);
    }
}
