//! Commands inside running containers.
//!
//! Not here: the terminal of whoever runs them (`output::terminal`).

use std::pin::Pin;

use bollard::container::LogOutput;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use bollard::query_parameters::ResizeExecOptionsBuilder;
use futures_util::{Stream, StreamExt};
use tokio::io::AsyncWrite;

use super::{Engine, EngineError};

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
        let size = command
            .size
            .map(|size| vec![size.rows.into(), size.columns.into()]);
        let config = ExecConfig {
            attach_stdin: Some(command.stdin),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(command.tty),
            console_size: size.filter(|_| command.tty),
            cmd: Some(command.argv),
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
        let StartExecResults::Attached { output, input } =
            self.ask(self.docker.start_exec(&id, Some(options))).await?
        else {
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
}
