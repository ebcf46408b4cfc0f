//! `podctl get`: what `ps` does, in kubectl's words.
//!
//! Not here: how pods are shown (`listing`).

use super::exit::UsageError;
use super::listing::{Format, Listing, format, formats};
use super::{Context, Exit, target};
use crate::spec::PodKey;

/// List pods, or print some, as kubectl does
#[derive(Debug, clap::Args)]
pub struct Args {
    /// pods (or pod, po), and names of them; or pod/NAME
    #[arg(value_name = "pods|pod/NAME", required = true, add = super::completion::kinds_and_pods())]
    what: Vec<String>,
    /// Pods of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// table, wide, json, yaml, name, jsonpath=TEMPLATE or jsonpath-file=FILE; of one NAME the v1 Pod, else a v1 `PodList`
    #[arg(short, long, value_name = "FORMAT", value_parser = format, default_value = "table", add = formats())]
    output: Format,
    /// Stay, and print a pod again whenever it has changed
    #[arg(short, long)]
    watch: bool,
}

/// Runs it.
///
/// # Errors
/// Words that name no pods, a template that cannot be read, or an engine that cannot be asked.
pub async fn run(context: &Context, args: Args) -> anyhow::Result<Exit> {
    let names = names(&args.what)?.into_iter();
    let key = |name: &str| PodKey::new(context.namespace(), name);
    let pods: Vec<PodKey> = names.map(key).collect();
    if args.all_namespaces && !pods.is_empty() {
        let what = "a pod is named in one namespace: leave -A away, or the names";
        return Err(UsageError(what.to_owned()).into());
    }
    let listing = Listing {
        format: args.output,
        pods,
        all_namespaces: args.all_namespaces,
        // As kubectl.
        ended: true,
        no_trunc: false,
    };
    listing.run(context, args.watch).await
}

/// The names after a kind, or those that have the kind before them; none: all pods.
fn names(words: &[String]) -> Result<Vec<&str>, UsageError> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match &words[..] {
        [kind, names @ ..] if is_pods(kind) => names.iter().map(|name| bare(name)).collect(),
        words => words.iter().map(|word| with_kind(word)).collect(),
    }
}

fn is_pods(word: &str) -> bool {
    matches!(word, "pods" | "pod" | "po")
}

fn bare(name: &str) -> Result<&str, UsageError> {
    if name.contains('/') {
        return Err(UsageError(format!(
            "`{name}` has its kind before it: leave the first word away"
        )));
    }
    target::name(name)
}

fn with_kind(word: &str) -> Result<&str, UsageError> {
    if word.contains('/') {
        return target::name(word);
    }
    Err(UsageError(format!(
        "`{word}` is no kind that podctl has: write `pods`, or `pod/{word}` if that is a name"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_are_named_as_for_kubectl() {
        let names = |words: &str| {
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            let names = names(&words).map_err(|error| error.to_string())?;
            Ok::<_, String>(names.join(" "))
        };
        for words in ["pods", "pod", "po"] {
            assert_eq!(names(words).as_deref(), Ok(""));
        }
        assert_eq!(names("pods web db").as_deref(), Ok("web db"));
        assert_eq!(names("pod/web po/db").as_deref(), Ok("web db"));
        assert!(names("web").is_err_and(|why| why.contains("pod/web")));
        assert!(names("pods pod/web").is_err_and(|why| why.contains("first word")));
        assert!(names("service/web").is_err());
        assert!(names("pod/web db").is_err());
    }
}
