//! The paths at which the engine's machine may have its socket, the likeliest first. A wrong one does no harm: the supervisor compares the
//! engine that it finds with the one that it was meant for.
//!
//! Not here: trying them (`supervisor`).

use std::collections::BTreeSet;

/// Where engines listen.
const USUAL: [&str; 3] = [
    "/var/run/docker.sock",
    "/run/podman/podman.sock",
    "/run/user/1000/docker.sock",
];

/// For an engine that is reached by this address. `before`: by which another supervisor has found it.
pub(super) fn candidates(host: &str, before: Option<&String>) -> Vec<String> {
    let own = host.strip_prefix("unix://").map(str::to_owned);
    let mut all: Vec<String> = before.cloned().into_iter().chain(own).collect();
    all.extend(USUAL.map(str::to_owned));
    let mut seen = BTreeSet::new();
    all.retain(|path| seen.insert(path.clone()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_was_found_comes_first_then_the_clients_own() {
        let first = |host| {
            candidates(host, None)
                .into_iter()
                .next()
                .unwrap_or_default()
        };
        assert_eq!(
            first("unix:///run/user/7/docker.sock"),
            "/run/user/7/docker.sock"
        );
        assert_eq!(first("ssh://root@host"), "/var/run/docker.sock");
        let found = "/custom.sock".to_owned();
        let all = candidates("unix:///var/run/docker.sock", Some(&found));
        assert_eq!(all[..2], ["/custom.sock", "/var/run/docker.sock"]);
        assert_eq!(all.len(), 1 + USUAL.len());
    }
}
