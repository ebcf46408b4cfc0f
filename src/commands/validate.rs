//! `podctl validate`.
//!
//! Not here: the rules (`manifest`).

use super::exit::Faults;
use super::{Context, Exit, files};
use crate::manifest::{Kind, Loaded, Purpose, load};
use crate::output::report::{self, Style};

/// Check manifests without an engine, and print every fault
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    manifests: files::Manifests,
    /// How faults are printed
    #[arg(short, long, value_enum, default_value = "long", value_name = "FORMAT")]
    output: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// With the line that each is in
    Long,
    /// A line each, for editors, as compilers write it
    Short,
    /// For programs
    Json,
    /// Annotations of a GitHub workflow
    Github,
}

/// Runs it.
///
/// # Errors
/// Faults in the files.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let sources = args.manifests.read()?;
    let options = args.manifests.options(context, Purpose::Check);
    let style = match args.output {
        Format::Long => Style::Long,
        Format::Short => Style::Short,
        Format::Json => Style::Json,
        Format::Github => Style::Github,
    };
    let (loaded, problems) = match load(&sources, &options) {
        Ok(mut loaded) => {
            let warnings = std::mem::take(&mut loaded.warnings);
            (Some(loaded), warnings)
        }
        Err(problems) => (None, problems),
    };
    let text = report::report(&problems, &sources, style);
    if style == Style::Long {
        let Some(loaded) = loaded else {
            return Err(Faults { report: text }.into());
        };
        context.printer.rendered(&text);
        say(context, &loaded);
        return Ok(Exit::Fine);
    }
    // What programs read is what they asked for.
    context.printer.data(&text)?;
    Ok(if loaded.is_some() {
        Exit::Fine
    } else {
        Exit::Usage
    })
}

fn say(context: &Context, loaded: &Loaded) {
    for (number, object) in loaded.objects.iter().enumerate() {
        let kind = object.kind.name().to_lowercase();
        let name = match object.kind {
            Kind::PersistentVolume => object.key.name.clone(),
            _ => object.key.to_string(),
        };
        context.printer.status(&format!("{kind} {name} is valid"));
        let of_it = loaded.without_effect.iter().filter(|(of, _)| *of == number);
        for (_, path) in of_it {
            let line = format!("  {path} has no effect on one machine");
            context.printer.detail(&line);
        }
    }
}
