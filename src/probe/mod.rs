//! Asks a container: one attempt, one answer (kubelet: `pkg/probe`, `pkg/kubelet/lifecycle`). Hooks are run the same way.
//!
//! - `http`, `tcp`, `grpc`: from here to the pod's address; nothing is needed in the image.
//! - `exec`: a command in the container.
//! - `tls`: HTTPS whose certificate nobody looks at.
//!
//! Not here: how often is asked, and what follows from the answers (`reconcile::health`).

mod exec;
mod grpc;
mod http;
mod tcp;
mod tls;

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::engine::Engine;
use crate::spec::lifecycle::Handler;
use crate::spec::probe::Check;

/// kubelet: `maxRespBodyLength`, and what it keeps of a command's output.
const MOST_TEXT: usize = 10 * 1024;
/// Commands at once in one pod, and in all: each costs an engine some 55 ms of processor time.
const MOST_EXECS_OF_A_POD: usize = 2;
const MOST_EXECS: usize = 8;
static EXECS: Semaphore = Semaphore::const_new(MOST_EXECS);

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was a good one.
    Success,
    /// It was a bad one, or none in time.
    Failure,
    /// It could not be asked: nothing follows from that.
    Unknown,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What it means.
    pub verdict: Verdict,
    /// In the words of whoever gave it, or of the kubelet. Foreign text.
    pub message: String,
    /// The engine's id of a command that did not end in time, and runs on.
    pub running: Option<String>,
}

impl Answer {
    fn success(message: impl Into<String>) -> Self {
        Self::new(Verdict::Success, message)
    }

    fn failure(message: impl Into<String>) -> Self {
        Self::new(Verdict::Failure, message)
    }

    fn unknown(message: impl Into<String>) -> Self {
        Self::new(Verdict::Unknown, message)
    }

    fn new(verdict: Verdict, message: impl Into<String>) -> Self {
        Self {
            verdict,
            message: message.into(),
            running: None,
        }
    }
}

/// Who is asked.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The engine's id of the container.
    pub container: &'a str,
    /// The pod's address, where it has one.
    pub ip: Option<&'a str>,
}

/// Asks the containers of one pod.
#[derive(Debug)]
pub struct Prober {
    engine: Engine,
    execs: Semaphore,
}

impl Prober {
    /// For a pod on this engine.
    #[must_use]
    pub fn new(engine: &Engine) -> Self {
        Self {
            engine: engine.clone(),
            execs: Semaphore::new(MOST_EXECS_OF_A_POD),
        }
    }

    /// Asks once. `hanging` is a command of this probe that did not end in time: while it runs, no second one is started.
    pub async fn ask(
        &self,
        target: Target<'_>,
        check: &Check,
        timeout: Duration,
        hanging: Option<&str>,
    ) -> Answer {
        let late = |message: String| Answer::failure(message);
        match check {
            Check::Exec(command) => {
                // What is waited for a turn is not the container's fault.
                let _turns = (self.execs.acquire().await, EXECS.acquire().await);
                exec::ask(&self.engine, target.container, command, timeout, hanging).await
            }
            Check::Http(get) => match host(get.host.as_deref(), target) {
                Some(host) => {
                    let asked = tokio::time::timeout(timeout, http::ask(get, host));
                    asked.await.unwrap_or_else(|_| late(http::late(get, host)))
                }
                None => no_address(),
            },
            Check::Tcp { host: named, port } => match host(named.as_deref(), target) {
                Some(host) => {
                    let asked = tokio::time::timeout(timeout, tcp::ask(host, *port));
                    let message = format!("dial tcp {}: i/o timeout", authority(host, *port));
                    asked.await.unwrap_or_else(|_| late(message))
                }
                None => no_address(),
            },
            Check::Grpc { port, service } => match target.ip {
                Some(ip) => grpc::ask(ip, *port, service, timeout).await,
                None => no_address(),
            },
        }
    }

    /// Runs a hook to its end.
    ///
    /// # Errors
    /// Why it failed, in words.
    pub async fn hook(&self, target: Target<'_>, handler: &Handler) -> Result<(), String> {
        match handler {
            Handler::Exec(command) => exec::hook(&self.engine, target.container, command).await,
            Handler::Http(get) => match host(get.host.as_deref(), target) {
                Some(host) => http::hook(get, host).await,
                None => Err("the pod has no address".to_owned()),
            },
            Handler::Sleep(seconds) => {
                tokio::time::sleep(Duration::from_secs(*seconds)).await;
                Ok(())
            }
        }
    }
}

fn host<'a>(named: Option<&'a str>, target: Target<'a>) -> Option<&'a str> {
    named.or(target.ip)
}

fn no_address() -> Answer {
    Answer::unknown("the pod has no address")
}

/// `10.0.0.1:80`, `[::1]:80`.
fn authority(host: &str, port: u16) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(ip)) => format!("[{ip}]:{port}"),
        _ => format!("{host}:{port}"),
    }
}

/// Foreign bytes as text, not too long.
fn text(bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(MOST_TEXT)];
    String::from_utf8_lossy(bytes).into_owned()
}
