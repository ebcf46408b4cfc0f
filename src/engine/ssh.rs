//! An engine behind ssh, as docker reaches it: each connection is a `docker system dial-stdio` on the other machine.
//!
//! The client speaks to a socket in a folder that only this user can open; what comes in there goes on to the system's
//! `ssh`, with its configuration, keys and agent. Connections share one login.
//!
//! Not here: choosing the engine (`connect`).

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use tokio::io::{copy_bidirectional, join};
use tokio::net::{UnixListener, UnixStream};
use tokio::process::Command;

/// A way to an engine. Dropping it takes the folder away.
#[derive(Debug)]
pub(super) struct Tunnel {
    folder: PathBuf,
}

impl Tunnel {
    /// Opens it. Nothing is sent yet.
    ///
    /// # Errors
    /// When the address is none, or the folder cannot be made.
    pub(super) fn open(address: &str) -> io::Result<Arc<Self>> {
        let login = Arc::new(login(address).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "write ssh://[USER@]HOST[:PORT]",
            )
        })?);
        let folder = std::env::temp_dir().join(format!("podctl-ssh-{}", uuid::Uuid::new_v4()));
        fs::DirBuilder::new().mode(0o700).create(&folder)?;
        let tunnel = Arc::new(Self { folder });
        let listener = UnixListener::bind(tunnel.socket())?;
        let control = format!("ControlPath={}", tunnel.folder.join("login").display());
        tokio::spawn(async move {
            let mut logged_in = false;
            while let Ok((stream, _)) = listener.accept().await {
                // The first waits for the login, and the others behind it. One that fails has said why.
                logged_in = logged_in || log_in(&login, &control).await;
                let (login, control) = (Arc::clone(&login), control.clone());
                if logged_in {
                    // A connection that fails ends, and its call says so.
                    tokio::spawn(async move { pass(stream, &login, &control).await });
                }
            }
        });
        Ok(tunnel)
    }

    /// Where the client connects.
    pub(super) fn socket(&self) -> PathBuf {
        self.folder.join("engine.sock")
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        // What is left lies in the folder for temporary things.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The arguments of `ssh` that name the other machine.
fn login(address: &str) -> Option<Vec<String>> {
    let rest = address.strip_prefix("ssh://")?.split('/').next()?;
    let (user, host) = match rest.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, rest),
    };
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse::<u16>().ok()?)),
        _ => (host, None),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() || host.starts_with('-') {
        return None;
    }
    let mut arguments = Vec::new();
    if let Some(user) = user {
        arguments.extend(["-l".to_owned(), user.to_owned()]);
    }
    if let Some(port) = port {
        arguments.extend(["-p".to_owned(), port.to_string()]);
    }
    arguments.extend(["--".to_owned(), host.to_owned()]);
    Some(arguments)
}

/// Logs in once, for all connections; the login ends by itself some seconds after the last.
async fn log_in(login: &[String], control: &str) -> bool {
    let mut ssh = Command::new("ssh");
    ssh.args(["-fNT", "-o", "ConnectTimeout=30", "-o", "ControlMaster=yes"]);
    ssh.args(["-o", "ControlPersist=10", "-o", control])
        .args(login);
    let ended = ssh
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .await;
    ended.is_ok_and(|status| status.success())
}

async fn pass(mut stream: UnixStream, login: &[String], control: &str) -> io::Result<()> {
    let mut ssh = Command::new("ssh")
        .args([
            "-T",
            "-o",
            "ConnectTimeout=30",
            "-o",
            "ControlMaster=no",
            "-o",
            control,
        ])
        .args(login)
        .args(["docker", "system", "dial-stdio"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let (Some(input), Some(output)) = (ssh.stdin.take(), ssh.stdout.take()) else {
        return Ok(());
    };
    copy_bidirectional(&mut stream, &mut join(output, input)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_docker_does() {
        let check = |address: &str, expected: Option<&str>| {
            assert_eq!(
                login(address)
                    .map(|arguments| arguments.join(" "))
                    .as_deref(),
                expected
            );
        };
        check("ssh://host", Some("-- host"));
        check("ssh://me@host:2222", Some("-l me -p 2222 -- host"));
        check("ssh://me@[::1]:22", Some("-l me -p 22 -- ::1"));
        check("ssh://[::1]", Some("-- ::1"));
        check("ssh://", None);
        check("ssh://-oProxyCommand=x", None);
        check("ssh://host:port", None);
    }
}
