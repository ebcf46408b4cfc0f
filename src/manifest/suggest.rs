//! "Did you mean": the known name that is nearest to one that is not.
//!
//! Not here: where names come from.

/// The nearest of the names, when it is near enough to be meant.
pub(super) fn nearest<'n>(written: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if written.len() > 64 {
        return None;
    }
    let limit = (written.chars().count() / 3).clamp(1, 3);
    names
        .map(|name| (distance(written, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Letters to add, drop, change or swap with their neighbour; capitals count for nothing.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before_last[j - 2] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let names = ["image", "imagePullPolicy", "name", "volumeMounts"];
        let near = |written| nearest(written, names.into_iter());
        assert_eq!(near("imagePullPolcy"), Some("imagePullPolicy"));
        assert_eq!(near("Image"), Some("image"));
        assert_eq!(near("iamge"), Some("image"));
        assert_eq!(near("volumeMount"), Some("volumeMounts"));
        assert_eq!(near("memory"), None);
        assert_eq!(near(""), None);
    }
}
