//! docs/conformance.md is true: each test that it names is there and names the behaviour, and no behaviour stands there twice.
//!
//! Not here: the tests (`tests/engine`, and beside the code).

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;

/// Behaviours that Kubernetes marks for every node.
const N_BEHAVIOURS: usize = 206;

#[test]
fn every_behaviour_is_shown_by_the_test_that_the_page_names() {
    let page = fs::read_to_string("docs/conformance.md").expect("the page");
    let mut ids = BTreeSet::new();
    let mut faults = Vec::new();
    let (mut n_shown, mut n_to_come, mut n_cannot, mut n_beyond) = (0, 0, 0, 0);
    for line in page.lines().filter(|line| line.starts_with("| NB")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, id, _, answer, _] = cells[..] else {
            faults.push(format!("not a row of three cells: {line}"));
            continue;
        };
        if !ids.insert(id) {
            faults.push(format!("{id} stands there twice"));
        }
        let beyond = id.starts_with("NBX");
        if let Some(tests) = answer.strip_prefix("shown by ") {
            let tests = tests.split(", ").map(|test| test.trim_matches('`'));
            faults.extend(tests.filter_map(|test| fault(id, test)));
            n_shown += usize::from(!beyond);
            n_beyond += usize::from(beyond);
        } else if answer.starts_with("to come: ") {
            n_to_come += usize::from(!beyond);
        } else if answer.starts_with("cannot: ") {
            n_cannot += usize::from(!beyond);
        } else {
            faults.push(format!("{id}: neither shown, nor to come, nor impossible"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let others = N_BEHAVIOURS - n_shown - n_to_come - n_cannot;
    let _ = writeln!(
        std::io::stderr(),
        "of {N_BEHAVIOURS} behaviours {n_shown} are shown, {n_cannot} cannot be, {n_to_come} are to come, and {others} in groups that \
         are to come; {n_beyond} rules beyond them are shown"
    );
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
