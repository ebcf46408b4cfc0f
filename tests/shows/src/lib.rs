//! `#[shows("Container.image")]` on a test: it shows that podctl carries the field out.
//!
//! The table of fields names a test for each field that is carried out, and `tests/engine/fields.rs` holds the two against
//! each other.
//!
//! Not here: the table (`podctl::manifest::fields`).

use proc_macro::{TokenStream, TokenTree};

/// Leaves the test as it is, and enters it with its fields among those that `inventory` collects.
#[proc_macro_attribute]
pub fn shows(fields: TokenStream, test: TokenStream) -> TokenStream {
    let mut tokens = test.clone().into_iter();
    let is_fn = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word.to_string() == "fn");
    let found = tokens.find(is_fn).and_then(|_| tokens.next());
    let mark = match found {
        Some(TokenTree::Ident(name)) => format!(
            "::inventory::submit! {{ crate::fields::Shown {{ \
                 test: concat!(module_path!(), \"::{name}\"), fields: &[{fields}] }} }}"
        ),
        _ => "compile_error!(\"`shows` belongs on a test\");".to_owned(),
    };
    let mark: TokenStream = mark.parse().unwrap_or_default();
    test.into_iter().chain(mark).collect()
}
