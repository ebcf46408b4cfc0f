//! Which engine, as docker finds it: `--host`, `--context`, `DOCKER_HOST`, `DOCKER_CONTEXT`, the current context of
//! Docker's configuration, the default socket, a rootless one.
//!
//! Not here: what a context says (`context`).

use std::path::PathBuf;

use bollard::{API_DEFAULT_VERSION, Docker};

use super::context::{self, Endpoint};
use super::ssh::Tunnel;
use super::{Engine, EngineError};

/// Seconds that the engine may take to begin an answer.
const TIMEOUT: u64 = 120;
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// What the command line says.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// `--host`.
    pub host: Option<String>,
    /// `--context`.
    pub context: Option<String>,
}

/// What the environment says.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `DOCKER_HOST`.
    pub host: Option<String>,
    /// `DOCKER_CONTEXT`.
    pub context: Option<String>,
    /// `DOCKER_TLS_VERIFY` or `DOCKER_TLS` is set.
    pub tls: bool,
    /// `DOCKER_CERT_PATH`.
    pub certificates: Option<PathBuf>,
    /// `DOCKER_CONFIG`, or `.docker` in the home folder.
    pub config: PathBuf,
    /// Where a rootless engine's socket would be, the likeliest first.
    pub rootless_sockets: Vec<PathBuf>,
}

impl Environment {
    /// Of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let home = set("HOME").map(PathBuf::from).unwrap_or_default();
        let runtime = set("XDG_RUNTIME_DIR").map(PathBuf::from);
        let user = PathBuf::from(format!("/run/user/{}", rustix::process::getuid().as_raw()));
        Self {
            host: set("DOCKER_HOST"),
            context: set("DOCKER_CONTEXT"),
            tls: set("DOCKER_TLS_VERIFY")
                .or_else(|| set("DOCKER_TLS"))
                .is_some(),
            certificates: set("DOCKER_CERT_PATH").map(PathBuf::from),
            config: set("DOCKER_CONFIG").map_or_else(|| home.join(".docker"), PathBuf::from),
            rootless_sockets: runtime
                .into_iter()
                .chain([user])
                .map(|folder| folder.join("docker.sock"))
                .chain([home.join(".docker/run/docker.sock")])
                .collect(),
        }
    }
}

/// The engine that was chosen, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Where.
    pub endpoint: Endpoint,
    /// `--host`, `DOCKER_HOST`, a context, or a default.
    pub by: String,
}

/// Which engine is meant (docker CLI: `--host` beats all; with `DOCKER_HOST` the current context does not count).
///
/// # Errors
/// A contradiction, or a context that is not there.
pub fn choose(choice: &Choice, environment: &Environment) -> Result<Chosen, EngineError> {
    let refuse = |message: String| EngineError::Choice { message };
    let at = |host: &str, by: &str| Chosen {
        endpoint: Endpoint {
            host: if host.contains("://") {
                host.to_owned()
            } else {
                format!("tcp://{host}")
            },
            certificates: environment.tls.then(|| {
                environment
                    .certificates
                    .clone()
                    .unwrap_or_else(|| environment.config.clone())
            }),
        },
        by: by.to_owned(),
    };
    let name = match (&choice.host, &choice.context) {
        (Some(_), Some(_)) => {
            return Err(refuse(
                "`--host` and `--context` both choose an engine: give one of them".to_owned(),
            ));
        }
        (Some(host), None) if host.is_empty() => {
            return Err(refuse(
                "`--host` is empty: it must be an address".to_owned(),
            ));
        }
        (Some(host), None) => return Ok(at(host, "--host")),
        (None, Some(context)) => Some((context.clone(), "--context")),
        (None, None) => match (&environment.host, &environment.context) {
            (Some(host), _) => return Ok(at(host, "DOCKER_HOST")),
            (None, Some(context)) => Some((context.clone(), "DOCKER_CONTEXT")),
            (None, None) => context::current(&environment.config)
                .map_err(refuse)?
                .map(|context| (context, "the current context of Docker's configuration")),
        },
    };
    match name {
        Some((name, by)) if name != context::DEFAULT => {
            let endpoint = context::endpoint(&environment.config, &name).map_err(refuse)?;
            Ok(Chosen {
                endpoint,
                by: format!("the context `{name}` ({by})"),
            })
        }
        // The default context still listens to DOCKER_HOST.
        Some((_, by)) if environment.host.is_some() => Ok(at(
            environment.host.as_deref().unwrap_or_default(),
            &format!("DOCKER_HOST ({by})"),
        )),
        _ => Ok(default_socket(environment)),
    }
}

fn default_socket(environment: &Environment) -> Chosen {
    let rootless = environment
        .rootless_sockets
        .iter()
        .find(|socket| socket.exists());
    let (path, by) = match rootless {
        Some(socket) if !PathBuf::from(DEFAULT_SOCKET).exists() => {
            (socket.display().to_string(), "a rootless engine's socket")
        }
        _ => (DEFAULT_SOCKET.to_owned(), "the default"),
    };
    Chosen {
        endpoint: Endpoint {
            host: format!("unix://{path}"),
            certificates: None,
        },
        by: by.to_owned(),
    }
}

/// Sets up a client for the engine that is meant. Nothing is sent yet.
///
/// # Errors
/// As [`choose`]; or a socket or a certificate that is not there.
pub fn connect(choice: &Choice, environment: &Environment) -> Result<Engine, EngineError> {
    let chosen = choose(choice, environment)?;
    let Endpoint { host, certificates } = &chosen.endpoint;
    let scheme = host.split_once("://").map_or("", |(scheme, _)| scheme);
    let docker = match (scheme, certificates) {
        ("unix", _) => Docker::connect_with_unix(host, TIMEOUT, API_DEFAULT_VERSION),
        ("ssh", _) => return connect_by_ssh(chosen),
        ("tcp" | "http" | "https", Some(folder)) => Docker::connect_with_ssl(
            host,
            &folder.join("key.pem"),
            &folder.join("cert.pem"),
            &folder.join("ca.pem"),
            TIMEOUT,
            API_DEFAULT_VERSION,
        ),
        ("tcp" | "http", None) => Docker::connect_with_http(host, TIMEOUT, API_DEFAULT_VERSION),
        _ => {
            return Err(EngineError::Choice {
                message: format!(
                    "the address `{host}` (chosen by {}) is not one of unix://, tcp://, ssh://",
                    chosen.by
                ),
            });
        }
    };
    let docker = docker.map_err(|error| EngineError::at_connect(error, &chosen))?;
    Ok(Engine::new(docker, chosen, None))
}

fn connect_by_ssh(chosen: Chosen) -> Result<Engine, EngineError> {
    let tunnel = Tunnel::open(&chosen.endpoint.host).map_err(|error| EngineError::Choice {
        message: format!(
            "cannot reach {} (chosen by {}): {error}",
            chosen.endpoint.host, chosen.by
        ),
    })?;
    let socket = tunnel.socket().display().to_string();
    let docker = Docker::connect_with_unix(&socket, TIMEOUT, API_DEFAULT_VERSION);
    let docker = docker.map_err(|error| EngineError::at_connect(error, &chosen))?;
    Ok(Engine::new(docker, chosen, Some(tunnel)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        Environment {
            config: PathBuf::from("/nonexistent"),
            ..Environment::default()
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "a field of a choice")]
    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn check(choice: &Choice, environment: &Environment, host: &str, by: &str) {
        let chosen = choose(choice, environment).expect("a choice");
        assert_eq!(
            (chosen.endpoint.host.as_str(), chosen.by.as_str()),
            (host, by)
        );
    }

    #[test]
    fn the_flag_beats_the_variable_and_the_variable_the_rest() {
        let flag = Choice {
            host: some("tcp://a:1"),
            context: None,
        };
        let variable = Environment {
            host: some("tcp://b:2"),
            context: some("other"),
            ..environment()
        };
        check(&flag, &variable, "tcp://a:1", "--host");
        check(&Choice::default(), &variable, "tcp://b:2", "DOCKER_HOST");
        let default = Choice {
            host: None,
            context: some("default"),
        };
        check(
            &default,
            &environment(),
            "unix:///var/run/docker.sock",
            "the default",
        );
        check(
            &Choice::default(),
            &environment(),
            "unix:///var/run/docker.sock",
            "the default",
        );
    }

    #[test]
    fn a_host_without_a_scheme_is_tcp() {
        let flag = Choice {
            host: some("a:1"),
            context: None,
        };
        check(&flag, &environment(), "tcp://a:1", "--host");
    }

    #[test]
    fn two_choices_at_once_and_an_unknown_context_are_refused() {
        let both = Choice {
            host: some("tcp://a:1"),
            context: some("b"),
        };
        let message = choose(&both, &environment())
            .expect_err("a refusal")
            .to_string();
        assert!(message.contains("--host"), "{message}");
        let unknown = Choice {
            host: None,
            context: some("nope"),
        };
        let message = choose(&unknown, &environment())
            .expect_err("a refusal")
            .to_string();
        assert_eq!(message, "there is no context `nope`; there are: default");
    }

    #[test]
    fn tls_variables_name_the_certificates() {
        let environment = Environment {
            host: some("tcp://a:1"),
            tls: true,
            certificates: Some(PathBuf::from("/certs")),
            ..environment()
        };
        let chosen = choose(&Choice::default(), &environment).expect("a choice");
        assert_eq!(chosen.endpoint.certificates, Some(PathBuf::from("/certs")));
    }
}
