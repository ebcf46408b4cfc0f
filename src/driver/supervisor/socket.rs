//! The paths at which the engine's machine may have its socket, the likeliest first. A wrong one does no harm: the supervisor compares the
//! engine that it finds with the one that it was meant for.
//!
//! Not here: trying them (`supervisor`).

/// Where engines listen.
const USUAL: [&str; 3] = [
    "/var/run/docker.sock",
    "/run/podman/podman.sock",
    "/run/user/1000/docker.sock",
];

/// For an engine that is reached by this address.
pub(super) fn candidates(host: &str) -> Vec<String> {
    let own = host.strip_prefix("unix://").map(str::to_owned);
    let usual = USUAL.map(str::to_owned).into_iter();
    let usual = usual.filter(|path| own.as_ref() != Some(path));
    own.iter().cloned().chain(usual).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_own_socket_comes_first() {
        let first = |host| candidates(host).into_iter().next().unwrap_or_default();
        assert_eq!(
            first("unix:///run/user/7/docker.sock"),
            "/run/user/7/docker.sock"
        );
        assert_eq!(first("ssh://root@host"), "/var/run/docker.sock");
        assert_eq!(candidates("unix:///var/run/docker.sock").len(), USUAL.len());
    }
}
