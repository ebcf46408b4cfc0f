//! Pods as people type them: `web`, `pod/web`, `nginx-ghost.yaml`.
//!
//! Not here: whether there is such a pod.

use super::exit::UsageError;
use super::{Context, files};
use crate::spec::PodKey;

/// The pods that the words mean.
///
/// # Errors
/// A file that does not load, or a word that is no name.
pub fn pods(context: &Context, words: &[String]) -> anyhow::Result<Vec<PodKey>> {
    let mut keys = Vec::new();
    for word in words {
        if files::is_file(word) {
            keys.extend(files::pods_of(context, word)?);
        } else {
            keys.push(PodKey::new(context.namespace(), name(word)?));
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    keys.retain(|key| seen.insert(key.clone()));
    Ok(keys)
}

/// The one pod that the word means.
///
/// # Errors
/// As [`pods`]; or a file with several pods.
pub fn one(context: &Context, word: &str) -> anyhow::Result<PodKey> {
    let mut keys = pods(context, &[word.to_owned()])?;
    match keys.len() {
        1 => Ok(keys.swap_remove(0)),
        0 => Err(UsageError(format!("`{word}` has no pod in it")).into()),
        _ => {
            let names: Vec<String> = keys.iter().map(ToString::to_string).collect();
            Err(UsageError(format!(
                "`{word}` has several pods: name one of {}",
                names.join(", ")
            ))
            .into())
        }
    }
}

/// The name in a word that may have its kind before it.
///
/// # Errors
/// Another kind, or what can be no name.
pub(super) fn name(word: &str) -> Result<&str, UsageError> {
    let name = match word.split_once('/') {
        None => word,
        Some(("pod" | "pods" | "po", name)) => name,
        Some(_) => {
            return Err(UsageError(format!(
                "`{word}` is no pod: write its name, or pod/NAME"
            )));
        }
    };
    if name.is_empty()
        || name.contains(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.')))
    {
        return Err(UsageError(format!("`{word}` is no name of a pod")));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_named_as_kubectl_takes_it() {
        assert_eq!(name("web").ok(), Some("web"));
        assert_eq!(name("pod/web").ok(), Some("web"));
        assert_eq!(name("pods/web").ok(), Some("web"));
        assert!(name("service/web").is_err());
        assert!(name("").is_err());
        assert!(name("a b").is_err());
    }

    #[test]
    fn a_word_that_ends_like_a_file_is_one() {
        assert!(files::is_file("web.yaml") && files::is_file("a/b.json") && files::is_file("-"));
        assert!(
            !files::is_file("web") && !files::is_file("pod/web") && !files::is_file("web.example")
        );
    }
}
