//! The table of fields names a test for each field that is carried out, and each of these tests says so itself.

use std::collections::BTreeSet;

use podctl::manifest::fields::{Standing, rows};

/// What an attribute on a test says.
pub(crate) struct Shown {
    /// Its path in this program.
    pub(crate) test: &'static str,
    /// Type and field of each: `Container.image`.
    pub(crate) fields: &'static [&'static str],
}

inventory::collect!(Shown);

#[test]
fn every_field_that_is_carried_out_is_shown_by_the_test_that_the_table_names() {
    let of_table: BTreeSet<(String, String)> = rows()
        .filter_map(|(of, field, standing)| match standing {
            Standing::Honoured(test) => Some((format!("{of}.{field}"), test.to_owned())),
            _ => None,
        })
        .collect();
    let of_tests: BTreeSet<(String, String)> = inventory::iter::<Shown>()
        .flat_map(|shown| {
            let test = shown.test.trim_start_matches("engine::");
            let field = |field: &&str| ((*field).to_owned(), test.to_owned());
            shown.fields.iter().map(field)
        })
        .collect();
    let only = |these: &BTreeSet<_>, those: &BTreeSet<_>| -> Vec<(String, String)> {
        these.difference(those).cloned().collect()
    };
    assert_eq!(only(&of_table, &of_tests), [], "the table alone says so");
    assert_eq!(only(&of_tests, &of_table), [], "the tests alone say so");
}
