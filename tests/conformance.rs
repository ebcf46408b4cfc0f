//! docs/conformance.md is true: each test that it names is there and names the behaviour, no behaviour stands there twice, and its numbers are
//! those of its rows.
//!
//! Not here: the tests (`tests/engine`, and beside the code).

use std::collections::BTreeSet;
use std::fs;

/// Rows of one kind.
#[derive(Default)]
struct Count {
    shown: usize,
    to_come: usize,
    cannot: usize,
}

impl Count {
    /// As the page's beginning says it.
    fn words(&self, kind: &str) -> String {
        let Self {
            shown,
            to_come,
            cannot,
        } = self;
        format!("(`{kind}`: {shown} shown, {to_come} to come, {cannot} cannot)")
    }
}

#[test]
fn every_behaviour_is_shown_by_the_test_that_the_page_names() {
    let page = fs::read_to_string("docs/conformance.md").expect("the page");
    let mut ids = BTreeSet::new();
    let mut faults = Vec::new();
    let (mut marked, mut beyond) = (Count::default(), Count::default());
    for line in page.lines().filter(|line| line.starts_with("| NB")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, id, _, answer, _] = cells[..] else {
            faults.push(format!("not a row of three cells: {line}"));
            continue;
        };
        if !ids.insert(id) {
            faults.push(format!("{id} stands there twice"));
        }
        let count = if id.starts_with("NBX") {
            &mut beyond
        } else {
            &mut marked
        };
        if let Some(tests) = answer.strip_prefix("shown by ") {
            let tests = tests.split(", ").map(|test| test.trim_matches('`'));
            faults.extend(tests.filter_map(|test| fault(id, test)));
            count.shown += 1;
        } else if answer.starts_with("to come: ") {
            count.to_come += 1;
        } else if answer.starts_with("cannot: ") {
            count.cannot += 1;
        } else {
            faults.push(format!("{id}: neither shown, nor to come, nor impossible"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    for words in [marked.words("NB"), beyond.words("NBX")] {
        assert!(page.contains(&words), "the page does not say {words}");
    }
}

/// What is wrong with a test that the page names for a behaviour.
fn fault(id: &str, test: &str) -> Option<String> {
    let Some((file, name)) = test.split_once("::") else {
        return Some(format!("{id}: `{test}` names no test"));
    };
    let Ok(text) = fs::read_to_string(file) else {
        return Some(format!("{id}: there is no {file}"));
    };
    let Some((before, _)) = text.split_once(&format!("fn {name}(")) else {
        return Some(format!("{id}: {file} has no `{name}`"));
    };
    // In the lines that belong to the test; or in the table of a test that has one.
    let own = before.rsplit("\n\n").next().unwrap_or_default();
    let is_named = own.contains(id) || text.contains(&format!("\"{id}\""));
    (!is_named).then(|| format!("{id}: `{name}` of {file} does not name it"))
}
