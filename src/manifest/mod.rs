//! Text to spec, or every fault in it, each at its place. Pure.
//!
//! - `yaml`, `scalar`: text to a tree whose nodes know where they stand, read as Kubernetes reads it.
//! - `schema`: one walk of the tree beside the schema of its type: the form.
//! - [`fields`]: what podctl does with each field.
//! - `rules`, `check`: rules about values.
//! - `to_spec`: the typed object to the checked pod.
//! - `load`: the entry: documents, kinds, references between them.
//!
//! Not here: reading files (`commands::files`), showing faults (`output::report`).

mod check;
mod check_volumes;
pub mod fields;
mod load;
pub mod problem;
mod rules;
mod scalar;
mod schema;
mod to_spec;
mod yaml;

pub use load::{LoadOptions, Loaded, Source, load, load_recorded};
pub use problem::{Problem, Severity, position};
