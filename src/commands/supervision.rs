//! What commands that bring pods up do about the supervisor: start one where there is none.
//!
//! Not here: starting it (`driver::supervisor`).

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use tokio::sync::OnceCell;

use super::wait::tell_culprits;
use super::{Context, Exit, duration, up_report};
use crate::driver::Interrupt;
use crate::driver::supervisor::{self, Ensured, ensure};
use crate::driver::up::Up;
use crate::driver::wait::wait;
use crate::engine::Engine;
use crate::reconcile::wanted::{Verdict, Wanted};
use crate::spec::{Desired, PodKey};

/// So long after the last pod it goes, where nothing else is said.
const IDLE: Duration = Duration::from_mins(10);
/// Longer than anybody waits; `--timeout` interrupts.
const FOR_EVER: Duration = Duration::from_hours(24 * 365);

/// The supervisor.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Supervision {
    /// Start no supervisor: once the command is over nobody asks probes, restarts or repairs
    #[arg(long, env = "PODCTL_NO_SUPERVISOR", value_parser = FalseyValueParser::new())]
    no_supervisor: bool,
    /// Where the engine's socket is on the engine's machine, for the supervisor
    #[arg(long, env = "PODCTL_ENGINE_SOCKET", value_name = "PATH")]
    engine_socket: Option<String>,
    /// The podctl that the supervisor runs, linked statically, where the engine's machine is of another kind
    #[arg(long, env = "PODCTL_SUPERVISOR_BINARY", value_name = "FILE")]
    supervisor_binary: Option<PathBuf>,
    /// The supervisor and the network go so long after the last pod [default: 10m]
    #[arg(long, env = "PODCTL_SUPERVISOR_IDLE", value_parser = super::duration::parse, value_name = "TIME")]
    supervisor_idle: Option<Duration>,
    /// Whether one is there, once somebody has looked.
    #[arg(skip)]
    is_there: OnceCell<bool>,
}

impl Supervision {
    /// Whether a supervisor is at work; starts one where none is. Why none can be started is said once, and is no failure.
    async fn ensure(&self, context: &Context, engine: &Engine) -> bool {
        let ensured = async {
            if self.no_supervisor {
                let found = supervisor::at_work(engine).await.ok().flatten();
                if found.is_some() {
                    let message = "supervisor: one is at work all the same, and keeps all pods of the engine; --no-supervisor starts none";
                    context.printer.status(message);
                }
                return found.is_some();
            }
            let idle = self.supervisor_idle.unwrap_or(IDLE);
            let options = supervisor::Options {
                socket: self.engine_socket.clone(),
                binary: self.supervisor_binary.clone(),
                arguments: vec!["--idle".to_owned(), format!("{}s", idle.as_secs())],
            };
            match ensure(engine, &options).await {
                Ok(Ensured::Running) => {
                    if self.supervisor_idle.is_some() {
                        let message = "supervisor: one is there already, and goes when it was told to: --supervisor-idle is for one that is started";
                        context.printer.status(message);
                    }
                    true
                }
                Ok(Ensured::Foreground(place)) => {
                    let message = format!(
                        "supervisor: one is marked as at work in the foreground on {place}"
                    );
                    context.printer.status(&message);
                    true
                }
                Ok(Ensured::Started) => {
                    context.printer.status(&format!(
                        "supervisor: started, as the container podctl-supervisor; it asks probes, restarts and repairs, and goes {} \
                         after the last pod (--no-supervisor does without)",
                        duration::words(idle)
                    ));
                    true
                }
                Ok(Ensured::Replaced { old }) => {
                    let message =
                        format!("supervisor: started in the place of one of podctl {old}");
                    context.printer.status(&message);
                    true
                }
                Err(error) => {
                    let message = format!("there is no supervisor: {error:#}");
                    context.printer.warning(&message);
                    false
                }
            }
        };
        *self.is_there.get_or_init(|| ensured).await
    }

    /// Looks, where none is to be started, whether one is at work: beside what brings the pods up, which waits for nothing of it then.
    pub(super) async fn look(&self, context: &Context, engine: &Engine) {
        if self.no_supervisor {
            self.ensure(context, engine).await;
        }
    }

    /// Leaves a pod that has been brought up to the supervisor; where there is none, says what nobody does from then on. What comes of a pod
    /// whose probes could not be asked from here the supervisor tells.
    pub(super) async fn take_over(
        &self,
        context: &Context,
        engine: &Engine,
        desired: &Desired,
        end: &Up,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Exit> {
        let is_left = match end {
            Up::Started { .. } => !desired.pod.stopped,
            Up::NotReady { .. } => true,
            Up::Failed { taken_away, .. } => !taken_away,
            _ => false,
        };
        if !is_left {
            return Ok(Exit::Fine);
        }
        let ensured = interrupt.or(interrupt.count(), self.ensure(context, engine));
        let is_kept = ensured.await.unwrap_or_default();
        if !is_kept {
            up_report::alone(context.printer, desired);
        }
        match end {
            Up::Started { unasked: true, .. } if is_kept => {
                until_ready(context, engine, &desired.pod.key, interrupt).await
            }
            Up::Started { unasked: true, .. } => {
                let key = &desired.pod.key;
                context.printer.failure(&format!(
                    "pod {key}: its containers cannot be reached from here, and nobody else asks them whether they are ready"
                ));
                Ok(Exit::Failed)
            }
            _ => Ok(Exit::Fine),
        }
    }
}

/// Waits for what the supervisor tells.
async fn until_ready(
    context: &Context,
    engine: &Engine,
    key: &PodKey,
    interrupt: &Interrupt,
) -> anyhow::Result<Exit> {
    let waiting = wait(engine, key, &Wanted::Up, FOR_EVER);
    let exit = match interrupt.or(0, waiting).await.transpose()? {
        Some(Verdict::Met) => return Ok(Exit::Fine),
        Some(_) => Exit::Failed,
        None => Exit::Interrupted,
    };
    let message = format!("pod {key} is not ready; it stays for a look");
    context.printer.failure(&message);
    tell_culprits(context, engine, key).await?;
    Ok(exit)
}
