//! Commands inside running containers.
//!
//! An engine older than API 1.42 starts a command on a terminal without a size, and takes the size only when the command
//! runs already. Where the container has a shell, the command waits for it there.
//!
//! Not here: the terminal of whoever runs them (`output::terminal`).

use std::pin::Pin;

use bollard::container::LogOutput;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, InspectContainerOptions, ResizeExecOptionsBuilder,
};
use futures_util::{Stream, StreamExt};
use tokio::io::AsyncWrite;

use super::{Engine, EngineError};
use crate::spec::ApiVersion;

/// The first API that takes the size of the terminal with the command (Docker API: `ConsoleSize`).
const CONSOLE_SIZE: ApiVersion = ApiVersion(1, 42);
const SHELL: &str = "/bin/sh";
/// Waits until the terminal has a size, for no more than some seconds, and becomes the command.
const WAIT_FOR_SIZE: &str = "if command -v stty >/dev/null; then i=0; while [ $i -lt 3000 ]; do \
    case $(stty size 2>/dev/null) in '0 0' | '') i=$((i + 1)) ;; *) break ;; esac; done; fi; exec \"$@\"";

fn waiting_for_size(argv: Vec<String>) -> Vec<String> {
    let shell = [SHELL, "-c", WAIT_FOR_SIZE, "sh"].map(str::to_owned);
    shell.into_iter().chain(argv).collect()
}

/// Rows and columns of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
}

/// A command to run.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// It gets an input.
    pub stdin: bool,
    /// It gets a terminal, of this size where it is known.
    pub tty: bool,
    /// The size of the terminal. Engines take it with the command from API 1.42 on; older ones drop it.
    pub size: Option<Size>,
}

/// What a command says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// On its standard output, or its terminal.
    Out(Vec<u8>),
    /// On its standard error.
    Err(Vec<u8>),
}

/// A command that runs.
pub struct Running {
    /// The engine's id of it.
    pub id: String,
    /// What it says; ends with it.
    pub output: Pin<Box<dyn Stream<Item = Result<Output, EngineError>> + Send>>,
    /// What it reads; its end is to be told by a shutdown.
    pub input: Pin<Box<dyn AsyncWrite + Send>>,
}

impl Engine {
    /// Starts a command in a container.
    ///
    /// # Errors
    /// When the container does not run, or is gone.
    pub async fn exec(&self, container: &str, command: Command) -> Result<Running, EngineError> {
        let size = command.size.filter(|_| command.tty);
        let mut argv = command.argv;
        if size.is_some()
            && !self.takes_size_with_exec().await?
            && self.has_shell(container).await?
        {
            argv = waiting_for_size(argv);
        }
        let config = ExecConfig {
            attach_stdin: Some(command.stdin),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(command.tty),
            console_size: size.map(|size| vec![size.rows.into(), size.columns.into()]),
            cmd: Some(argv),
            ..Default::default()
        };
        let id = self
            .ask(self.docker.create_exec(container, config))
            .await?
            .id;
        let options = StartExecOptions {
            detach: false,
            tty: command.tty,
            output_capacity: Some(64 * 1024),
        };
        let started = self.ask(self.docker.start_exec(&id, Some(options)));
        let started = match size {
            // An engine that is told the size holds it until the command has started: it is told first.
            Some(size) => {
                let (engine, id) = (self.clone(), id.clone());
                tokio::spawn(async move { engine.resize(&id, size).await });
                started.await?
            }
            None => started.await?,
        };
        let StartExecResults::Attached { output, input } = started else {
            return Err(EngineError::Refused {
                status: 500,
                message: "the engine detached from the command".to_owned(),
            });
        };
        let engine = self.clone();
        let output = output.map(move |item| match item {
            Ok(LogOutput::StdErr { message }) => Ok(Output::Err(message.to_vec())),
            Ok(other) => Ok(Output::Out(other.into_bytes().to_vec())),
            Err(error) => Err(engine.error(error)),
        });
        Ok(Running {
            id,
            output: Box::pin(output),
            input,
        })
    }

    async fn takes_size_with_exec(&self) -> Result<bool, EngineError> {
        let api = ApiVersion::parse(&self.version().await?.api);
        Ok(api.is_some_and(|api| api >= CONSOLE_SIZE))
    }

    async fn has_shell(&self, container: &str) -> Result<bool, EngineError> {
        let options = ContainerArchiveInfoOptionsBuilder::default()
            .path(SHELL)
            .build();
        match self
            .ask(
                self.docker
                    .get_container_archive_info(container, Some(options)),
            )
            .await
        {
            Ok(_) => Ok(true),
            Err(error) if error.status() == Some(404) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Tells a command the size of its terminal.
    ///
    /// # Errors
    /// When it has not started, or has ended.
    pub async fn resize(&self, exec: &str, size: Size) -> Result<(), EngineError> {
        let options = ResizeExecOptionsBuilder::default()
            .h(i32::from(size.rows))
            .w(i32::from(size.columns))
            .build();
        self.ask(self.docker.resize_exec(exec, options)).await
    }

    /// The exit code of a command; `None` while it runs.
    ///
    /// # Errors
    /// When its container is gone.
    pub async fn exit_code(&self, exec: &str) -> Result<Option<i64>, EngineError> {
        let exec = self.ask(self.docker.inspect_exec(exec)).await?;
        Ok(exec.exit_code.filter(|_| exec.running != Some(true)))
    }

    /// Whether commands run in a container besides its own. A call, and one for each.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn runs_commands(&self, container: &str) -> Result<bool, EngineError> {
        let inspected = self
            .docker
            .inspect_container(container, None::<InspectContainerOptions>);
        let is_gone = |error: &EngineError| error.status() == Some(404);
        let execs = match self.ask(inspected).await {
            Ok(container) => container.exec_ids.unwrap_or_default(),
            Err(error) if is_gone(&error) => return Ok(false),
            Err(error) => return Err(error),
        };
        for exec in execs {
            match self.ask(self.docker.inspect_exec(&exec)).await {
                Ok(exec) if exec.running == Some(true) => return Ok(true),
                Err(error) if !is_gone(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(false)
    }
}
