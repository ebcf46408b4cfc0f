//! `podctl explain`.
//!
//! Not here: what a field is (`manifest::explain`).

use super::exit::UsageError;
use super::{Context, Exit};
use crate::manifest::explain::{Explained, explain, says};

/// Columns of a paragraph, as kubectl has them.
const WIDTH: usize = 80;

/// Say what a field of a manifest is, and what podctl does with it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A kind and a way into it: pod.spec.containers.livenessProbe
    #[arg(value_name = "FIELD")]
    field: String,
}

/// Runs it.
///
/// # Errors
/// A field that is not there.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let explained = explain(&args.field).map_err(UsageError)?;
    context.printer.data(&layout(&explained))?;
    Ok(Exit::Fine)
}

fn layout(explained: &Explained) -> String {
    let Explained {
        kind,
        field,
        children,
    } = explained;
    let mut text = format!("KIND:     {kind}\n");
    if field.name != *kind {
        text.push_str(&format!("FIELD:    {} <{}>\n", field.name, field.type_name));
    }
    if let Some(standing) = field.standing {
        text.push_str(&format!("PODCTL:   {}\n", says(standing)));
    }
    text.push_str(&format!(
        "\nDESCRIPTION:\n{}",
        paragraph(&field.description)
    ));
    if !children.is_empty() {
        text.push_str("\nFIELDS:\n");
    }
    for child in children {
        let standing = child
            .standing
            .map(|standing| format!("  ({})", says(standing)));
        text.push_str(&format!(
            "  {}\t<{}>{}\n{}\n",
            child.name,
            child.type_name,
            standing.unwrap_or_default(),
            paragraph(&child.description)
        ));
    }
    text
}

/// In lines of a width, behind blanks.
fn paragraph(words: &str) -> String {
    const INDENT: &str = "    ";
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(INDENT)
        .subsequent_indent(INDENT)
        .break_words(false);
    textwrap::fill(words, options) + "\n"
}
