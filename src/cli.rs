//! Arguments, dispatch to a verb, and the one place where an error becomes an exit code.
//!
//! Not here: what a verb does (`commands`).

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::exit::{Faults, UsageError, is_closed_pipe};
use crate::commands::{
    Context, Exit, completion, describe, down, events, exec, explain, get, logs, port, ps, restart,
    run, start, stop, supervise, up, validate, version, wait,
};
use crate::engine::{Choice, EngineError};
use crate::output::Printer;

/// Run Kubernetes pods on a plain Docker engine
#[derive(Debug, Parser)]
#[command(name = "podctl", version, disable_help_subcommand = true)]
pub struct Cli {
    /// Address of the engine: unix://, tcp:// or ssh://
    #[arg(short = 'H', long, global = true, value_name = "ADDRESS")]
    host: Option<String>,
    /// Docker context that names the engine
    #[arg(long, global = true, value_name = "NAME")]
    context: Option<String>,
    /// Namespace of the pod
    #[arg(short, long, global = true)]
    namespace: Option<String>,
    /// Print nothing but data, warnings and errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say more: which engine is asked, what is done to a pod and why
    #[arg(short, long, global = true)]
    verbose: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Up(up::Args),
    Run(run::Args),
    Down(down::Args),
    Restart(restart::Args),
    Stop(stop::Args),
    Start(start::Args),
    Supervise(supervise::Args),
    Ps(ps::Args),
    Get(get::Args),
    Wait(wait::Args),
    Describe(describe::Args),
    Events(events::Args),
    Logs(logs::Args),
    Exec(exec::Args),
    Port(port::Args),
    Validate(validate::Args),
    Explain(explain::Args),
    Version(version::Args),
    Completion(completion::Args),
}

/// Reads the arguments, runs the verb, prints what went wrong.
#[must_use]
pub fn main() -> ExitCode {
    if completion::answer() {
        return ExitCode::SUCCESS;
    }
    let cli = Cli::parse();
    let printer = Printer::new(cli.quiet, cli.verbose);
    let context = Context {
        printer,
        choice: Choice {
            host: cli.host,
            context: cli.context,
        },
        namespace: cli.namespace,
    };
    let exit = match run(&context, cli.verb) {
        Ok(exit) => exit,
        Err(error) => report(printer, &error),
    };
    ExitCode::from(exit.code())
}

fn run(context: &Context, verb: Verb) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let exit = runtime.block_on(async {
        match verb {
            Verb::Up(args) => up::run(context, args).await,
            Verb::Run(args) => run::run(context, args).await,
            Verb::Down(args) => down::run(context, args).await,
            Verb::Restart(args) => restart::run(context, &args).await,
            Verb::Stop(args) => stop::run(context, &args).await,
            Verb::Start(args) => start::run(context, &args).await,
            Verb::Supervise(args) => supervise::run(context, args).await,
            Verb::Ps(args) => ps::run(context, args).await,
            Verb::Get(args) => get::run(context, args).await,
            Verb::Wait(args) => wait::run(context, &args).await,
            Verb::Describe(args) => describe::run(context, &args).await,
            Verb::Events(args) => events::run(context, &args).await,
            Verb::Logs(args) => logs::run(context, &args).await,
            Verb::Exec(args) => exec::run(context, args).await,
            Verb::Port(args) => port::run(context, &args).await,
            Verb::Validate(args) => validate::run(context, &args),
            Verb::Explain(args) => explain::run(context, &args),
            Verb::Version(args) => version::run(context, &args).await,
            Verb::Completion(args) => completion::run(context, &args),
        }
    });
    // A task that still reads, or a helper that still runs, must not hold the end up.
    runtime.shutdown_background();
    exit
}

/// Prints an error, and gives the exit code that it leads to.
fn report(printer: Printer, error: &anyhow::Error) -> Exit {
    if is_closed_pipe(error) {
        return Exit::Fine;
    }
    if let Some(faults) = error.downcast_ref::<Faults>() {
        printer.rendered(&faults.report);
        return Exit::Usage;
    }
    printer.error(error);
    let of_engine = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<EngineError>());
    if let Some(hint) = of_engine.and_then(EngineError::hint) {
        printer.hint(hint);
    }
    match of_engine {
        _ if error.downcast_ref::<UsageError>().is_some() => Exit::Usage,
        Some(
            EngineError::Unreachable { .. }
            | EngineError::PermissionDenied { .. }
            | EngineError::Choice { .. },
        ) => Exit::NoEngine,
        _ => Exit::Failed,
    }
}
