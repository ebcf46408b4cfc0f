//! Arguments, dispatch to a verb, and the one place where an error becomes an exit code.
//!
//! Not here: what a verb does (`commands`).

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{Context, Exit};
use crate::engine::EngineError;
use crate::output::Printer;

/// Run Kubernetes pods on a plain Docker engine
#[derive(Debug, Parser)]
#[command(name = "podctl", version, disable_help_subcommand = true)]
struct Cli {
    /// Address of the engine: unix://, tcp:// or ssh://
    #[arg(short = 'H', long, global = true, value_name = "ADDRESS")]
    host: Option<String>,
    /// Docker context that names the engine
    #[arg(long, global = true, value_name = "NAME")]
    context: Option<String>,
    /// Namespace of the pod
    #[arg(short, long, global = true)]
    namespace: Option<String>,
    /// Print nothing but data and errors
    #[arg(short, long, global = true)]
    quiet: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {}

/// Reads the arguments, runs the verb, prints what went wrong.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(cli.quiet);
    let context = Context {
        printer,
        host: cli.host,
        context: cli.context,
        namespace: cli.namespace,
    };
    let exit = match run(&context, cli.verb) {
        Ok(exit) => exit,
        Err(error) => {
            let exit = exit_of(&error);
            printer.error(&error);
            exit
        }
    };
    ExitCode::from(exit.code())
}

fn run(_context: &Context, verb: Verb) -> anyhow::Result<Exit> {
    match verb {}
}

/// The table from errors to exit codes.
fn exit_of(error: &anyhow::Error) -> Exit {
    match error.downcast_ref::<EngineError>() {
        Some(
            EngineError::Unreachable { .. }
            | EngineError::PermissionDenied { .. }
            | EngineError::Choice { .. },
        ) => Exit::NoEngine,
        _ => Exit::Failed,
    }
}
