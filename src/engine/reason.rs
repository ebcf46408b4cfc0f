//! What an engine's refusal is about, read from its words: engines tell most of it in words alone.
//!
//! Not here: what to do about it (`driver::failure`).

use super::EngineError;

impl EngineError {
    /// The engine's own words, where it refused.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Refused { message, .. } => Some(message),
            _ => None,
        }
    }

    /// A start that needs a network which is not there (Docker: `network NAME not found`).
    #[must_use]
    pub fn is_missing_network(&self, network: &str) -> bool {
        let reason = self.reason().unwrap_or_default();
        reason.contains("network")
            && reason.contains("not found")
            && (reason.contains(network) || !reason.contains("container"))
    }

    /// A start of a container that can never be started: an engine that was killed has left something of it behind (containerd: `task ID:
    /// already exists`, `id already in use`; runc: `container with given ID already exists`).
    #[must_use]
    pub fn is_left_task(&self) -> bool {
        let reason = self.reason().unwrap_or_default();
        let is_left = |words: &&str| reason.contains(*words);
        [
            ": already exists",
            "id already in use",
            "given ID already exists",
        ]
        .iter()
        .any(is_left)
    }

    /// A container that is in the network already, or is on its way into it (Docker: `endpoint with name NAME already exists in network
    /// NETWORK`).
    #[must_use]
    pub fn is_in_network(&self) -> bool {
        self.reason()
            .is_some_and(|reason| reason.contains("already exists in network"))
    }

    /// A create whose image is not there (Docker: `No such image`).
    #[must_use]
    pub fn is_missing_image(&self) -> bool {
        self.reason()
            .is_some_and(|reason| reason.to_lowercase().contains("no such image"))
    }

    /// A container went away while the engine was at work (Docker: `No such container`; 28.5 says it with status 500, and
    /// of a container that has nothing to do with the request).
    #[must_use]
    pub fn is_missing_container(&self) -> bool {
        self.reason()
            .is_some_and(|reason| reason.to_lowercase().contains("no such container"))
    }

    /// The engine could not remove a container's files yet: on a busy machine something was still in them (Docker 20.10: `failed to
    /// remove root filesystem: unlinkat ...: directory not empty`).
    #[must_use]
    pub fn is_filesystem_in_use(&self) -> bool {
        self.reason()
            .is_some_and(|reason| reason.contains("failed to remove root filesystem"))
    }

    /// The host port that is taken, where that was the reason (Docker: `Bind for 0.0.0.0:8880 failed: port is already
    /// allocated`, `listen tcp4 0.0.0.0:8880: bind: address already in use`; podman: `bind: address already in use`).
    #[must_use]
    pub fn taken_port(&self) -> Option<u16> {
        let reason = self.reason()?;
        let at = ["port is already allocated", "address already in use"]
            .iter()
            .find_map(|words| reason.find(words))?;
        // `ADDRESS:PORT`, and newer engines go on: `ADDRESS:PORT:ADDRESS-INSIDE:PORT-INSIDE/tcp`.
        let port = |word: &str| word.split(':').skip(1).find_map(|part| part.parse().ok());
        reason[..at].split_whitespace().rev().find_map(port)
    }

    /// The program of a container could not be run (Docker: exit codes 126 and 127 of a start).
    #[must_use]
    pub fn is_missing_program(&self) -> bool {
        self.reason().is_some_and(|reason| {
            reason.contains("executable file not found")
                || (reason.contains("exec") && reason.contains("no such file or directory"))
                || (reason.contains("exec") && reason.contains("permission denied"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(message: &str) -> EngineError {
        EngineError::Refused {
            status: 500,
            message: message.into(),
        }
    }

    #[test]
    fn the_taken_port_is_read_from_the_reason() {
        let allocated = "driver failed programming external connectivity on endpoint web_POD_0 (00): Bind for \
                         0.0.0.0:8880 failed: port is already allocated";
        assert_eq!(refused(allocated).taken_port(), Some(8880));
        let used = "driver failed programming external connectivity on endpoint x: Error starting userland proxy: \
                    listen tcp4 0.0.0.0:18091: bind: address already in use";
        assert_eq!(refused(used).taken_port(), Some(18091));
        let newer = "failed to bind host port for 0.0.0.0:40159:10.202.128.2:80/tcp: address already in use";
        assert_eq!(refused(newer).taken_port(), Some(40159));
        let ipv6 = "listen tcp6 [::]:80: bind: address already in use";
        assert_eq!(refused(ipv6).taken_port(), Some(80));
        assert_eq!(refused("no such container").taken_port(), None);
    }

    #[test]
    fn a_missing_network_and_a_missing_container_are_told_apart() {
        assert!(refused("network podctl not found").is_missing_network("podctl"));
        assert!(refused("network 0123ab not found").is_missing_network("podctl"));
        assert!(!refused("No such container: 0123").is_missing_network("podctl"));
    }

    #[test]
    fn a_container_that_is_in_the_network_is_told() {
        let reason = "endpoint with name web_POD_0 already exists in network podctl";
        assert!(refused(reason).is_in_network() && !refused(reason).is_left_task());
        assert!(!refused("network podctl not found").is_in_network());
    }

    #[test]
    fn a_container_that_went_away_is_told_whatever_the_status() {
        assert!(refused("No such container: e355677f4f6e").is_missing_container());
        assert!(!refused("No such image: web:1").is_missing_container());
    }

    #[test]
    fn a_missing_program_is_told() {
        let reason = "failed to create shim: OCI runtime create failed: runc create failed: unable to start container \
                      process: exec: \"/no/such/program\": stat /no/such/program: no such file or directory: unknown";
        assert!(refused(reason).is_missing_program());
        assert!(!refused("port is already allocated").is_missing_program());
    }
}
