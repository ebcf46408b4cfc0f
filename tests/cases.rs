//! Manifests with the verdict of a real API server, from folders that environment variables name: small ones, one fault
//! each (`PODCTL_VALIDATION_CASES`), and those of public projects (`PODCTL_CORPUS`). Each folder has an `expect.tsv`.
//!
//! Not here: the manifests; and tests of single rules, which are beside the rules.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use podctl::manifest::{LoadOptions, Problem, Purpose, Severity, Source, load};

/// Where podctl answers otherwise on purpose, and why.
const OTHERWISE: &[(&str, &str)] = &[(
    "k8s-examples/openshift-origin--etcd-discovery-controller.yaml",
    "has a key twice, of which kubectl takes the last in silence",
)];

/// Says it where the test harness does not swallow it.
fn tell(what: &str) {
    let _ = writeln!(std::io::stderr(), "{what}");
}

/// The folder that a variable names; the test says so when it names none.
fn folder(variable: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from);
    if path.is_none() {
        tell(&format!("skipped: {variable} names no folder"));
    }
    path
}

fn rows(folder: &std::path::Path) -> Vec<Vec<String>> {
    let table = std::fs::read_to_string(folder.join("expect.tsv")).expect("expect.tsv");
    let cells = |line: &str| line.split('\t').map(str::to_owned).collect();
    table.lines().skip(1).map(cells).collect()
}

/// What podctl says of a file; a file that is no text is refused too.
fn problems(path: &std::path::Path) -> Vec<Problem> {
    let bytes = std::fs::read(path).expect("a file");
    let name = path.display().to_string();
    let Ok(source) = podctl::commands::files::source(&name, bytes) else {
        return vec![refused()];
    };
    let options = LoadOptions {
        purpose: Purpose::Check,
        ..LoadOptions::default()
    };
    match load(&[source], &options) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems,
    }
}

fn refused() -> Problem {
    let load = load(&[Source::default()], &LoadOptions::default());
    load.expect_err("nothing is in it").remove(0)
}

fn without_indexes(path: &str) -> String {
    let mut depth = 0;
    let kept = path.chars().filter(|c| {
        depth += i32::from(*c == '[');
        let keep = depth == 0;
        depth -= i32::from(*c == ']');
        keep
    });
    kept.collect()
}

/// The paths that the server names and podctl does not.
fn unnamed<'p>(paths: impl Iterator<Item = (&'p str, bool)>, problems: &[Problem]) -> Vec<&'p str> {
    let errors = problems.iter().filter(|p| p.severity == Severity::Error);
    let named: BTreeSet<&str> = errors.map(|p| p.path.as_str()).collect();
    let plain: BTreeSet<String> = named.iter().map(|path| without_indexes(path)).collect();
    let is_named = |path: &str, loose: bool| {
        named.contains(path) || (loose && plain.contains(&without_indexes(path)))
    };
    paths
        .filter(|(path, loose)| !path.is_empty() && !is_named(path, *loose))
        .map(|(path, _)| path)
        .collect()
}

/// A server that finds a wrong type names the field without indexes, or not at all.
fn cause(cause: &str) -> (&str, bool) {
    let mut parts = cause.split('|');
    let (path, reason) = (parts.next().unwrap_or_default(), parts.next());
    match reason {
        Some("Client" | "BadRequest" | "NotFound") => ("", true),
        reason => (path, reason == Some("WrongType")),
    }
}

#[test]
fn the_verdicts_on_small_manifests_are_those_of_the_api_server() {
    let Some(folder) = folder("PODCTL_VALIDATION_CASES") else {
        return;
    };
    let mut faults = Vec::new();
    let (mut n_valid, mut n_invalid, mut n_unsupported) = (0, 0, 0);
    for row in rows(&folder) {
        let (file, verdict, causes) = (&row[0], row[1].as_str(), row[2].as_str());
        let problems = problems(&folder.join(file));
        let has = |severity| problems.iter().any(|p| p.severity == severity);
        match verdict {
            "valid" => {
                n_valid += 1;
                n_unsupported += usize::from(has(Severity::Unsupported));
                if has(Severity::Error) {
                    faults.push(format!("{file}: valid, and refused: {problems:#?}"));
                }
            }
            "invalid" => {
                n_invalid += 1;
                let unnamed = unnamed(causes.split(" ;; ").map(cause), &problems);
                if !has(Severity::Error) {
                    faults.push(format!("{file}: invalid, and taken: {causes}"));
                } else if !unnamed.is_empty() {
                    faults.push(format!("{file}: not named: {unnamed:?}"));
                }
            }
            _ => {}
        }
    }
    tell(&format!(
        "{n_valid} valid manifests, {n_unsupported} of them refused by name; {n_invalid} invalid ones; {} otherwise",
        faults.len()
    ));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_verdicts_on_real_manifests_are_those_of_the_api_server() {
    let Some(folder) = folder("PODCTL_CORPUS") else {
        return;
    };
    let mut faults = Vec::new();
    let (mut n_files, mut n_unsupported) = (0, 0);
    for row in rows(&folder) {
        let (file, expected) = (row[0].as_str(), row[1].as_str());
        if OTHERWISE.iter().any(|(other, _)| *other == file) || expected.starts_with("other-kind") {
            continue;
        }
        n_files += 1;
        let problems = problems(&folder.join(file));
        let has = |severity| problems.iter().any(|p| p.severity == severity);
        n_unsupported += usize::from(has(Severity::Unsupported));
        if expected == "ok" {
            if has(Severity::Error) {
                faults.push(format!("{file}: taken by the server: {problems:#?}"));
            }
            continue;
        }
        let fields = row.get(2).map(String::as_str).unwrap_or_default();
        let fields = fields.split(" ;; ").map(|field| (field, true));
        let unnamed = unnamed(fields, &problems);
        if !has(Severity::Error) {
            faults.push(format!("{file}: {expected}, and taken"));
        } else if expected == "invalid" && !unnamed.is_empty() {
            faults.push(format!("{file}: not named: {unnamed:?}"));
        }
    }
    tell(&format!(
        "{n_files} manifests of public projects, {n_unsupported} of them refused by name; {} otherwise",
        faults.len()
    ));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
