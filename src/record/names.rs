//! Names on the engine. They are for people, and they are locks: of two creates with one name, one wins.
//!
//! Kubernetes' names hold no underscore, so that names put together with underscores never meet by chance.
//!
//! Not here: finding things; that goes by labels.

use sha2::{Digest, Sha256};

use super::labels::PAUSE_CONTAINER;
use crate::spec::PodKey;

/// The network of all pods.
pub const NETWORK: &str = "podctl";

/// The supervisor's container, or the volume that marks one in the foreground. The names of what pods have hold underscores.
pub const SUPERVISOR: &str = "podctl-supervisor";

/// `web_nginx_0`; `staging_web_nginx_0` outside the namespace `default`.
#[must_use]
pub fn container(pod: &PodKey, container: &str, attempt: u32) -> String {
    let name = format!("{}_{container}_{attempt}", pod.name);
    if pod.namespace == PodKey::DEFAULT_NAMESPACE {
        name
    } else {
        format!("{}_{name}", pod.namespace)
    }
}

/// `web_POD_0`.
#[must_use]
pub fn pause(pod: &PodKey, attempt: u32) -> String {
    container(pod, PAUSE_CONTAINER, attempt)
}

/// The volume that is the pod's record: `podctl_default_web`.
#[must_use]
pub fn record(pod: &PodKey) -> String {
    format!("podctl_{}_{}", pod.namespace, pod.name)
}

/// The volume that says that the pod is to be gone. A volume and not a file in the record: it is there in 2 ms, before the
/// first signal is sent, and needs no pause container to be written through.
#[must_use]
pub fn deletion(pod: &PodKey) -> String {
    format!("{}__deletion", record(pod))
}

/// The pod whose record, or whose deletion, has this name.
#[must_use]
pub fn pod_of_wish(volume: &str) -> Option<PodKey> {
    let name = volume.strip_suffix("__deletion").unwrap_or(volume);
    let (namespace, pod) = name.strip_prefix("podctl_")?.split_once('_')?;
    (!pod.contains('_')).then(|| PodKey::new(namespace, pod))
}

/// The engine's volume for a volume of the pod: `podctl_default_web_data`.
#[must_use]
pub fn volume(pod: &PodKey, volume: &str) -> String {
    format!("{}_{volume}", record(pod))
}

/// The bridge of podctl's network. A fixed name makes the create of the network a lock: engines make two networks of
/// one name when asked twice at once, but no two bridges of one name. `engine` tells it from others on its machine. At most 15 characters (Linux: IFNAMSIZ).
#[must_use]
pub fn bridge(engine: &str) -> String {
    let digest = Sha256::digest(engine.as_bytes());
    format!("podctl-{}", super::hash::hex(&digest[..4]))
}

/// By what other pods find the pod: `web`, or `web.staging` outside the namespace `default`.
#[must_use]
pub fn alias(pod: &PodKey) -> String {
    if pod.namespace == PodKey::DEFAULT_NAMESPACE {
        pod.name.clone()
    } else {
        format!("{}.{}", pod.name, pod.namespace)
    }
}

/// Where the record's volume is mounted in the pause container.
pub const RECORD_PATH: &str = "/podctl/record";
/// The program of the pause container.
pub const PAUSE_PROGRAM: &str = "/pause";
/// The folder in the record's volume for what containers write. Its name is the last of all in the alphabet, by which engines go
/// when they give the record out: nobody who reads that reads this.
pub const WRITTEN_BY_CONTAINERS: &str = "z-termination";
/// Where the pod's disk and memory volumes are mounted in the pause container.
pub const VOLUMES_PATH: &str = "/podctl/volumes";

/// The file in the record's volume that a container leaves its termination message in. It is there for the container and for
/// the one before it.
#[must_use]
pub fn termination_message(container: &str, attempt: u32) -> String {
    format!("{WRITTEN_BY_CONTAINERS}/{container}.{}", attempt % 2)
}

/// Where a volume of the pod is mounted in the pause container.
#[must_use]
pub fn volume_path(volume: &str) -> String {
    format!("{VOLUMES_PATH}/{volume}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_name_the_namespace_outside_default() {
        let web = PodKey::new("default", "web");
        let staged = PodKey::new("staging", "web");
        assert_eq!(container(&web, "nginx", 2), "web_nginx_2");
        assert_eq!(container(&staged, "nginx", 2), "staging_web_nginx_2");
        assert_eq!(pause(&web, 0), "web_POD_0");
        assert_eq!(record(&staged), "podctl_staging_web");
        assert_eq!(volume(&web, "data"), "podctl_default_web_data");
        assert_eq!(alias(&web), "web");
        assert_eq!(alias(&staged), "web.staging");
    }

    #[test]
    fn a_record_and_a_deletion_name_their_pod_and_a_volume_of_a_pod_none() {
        let web = PodKey::new("staging", "web-1");
        assert_eq!(pod_of_wish(&record(&web)), Some(web.clone()));
        assert_eq!(pod_of_wish(&deletion(&web)), Some(web.clone()));
        for other in [&volume(&web, "data"), SUPERVISOR, "podctl_x", "data"] {
            assert_eq!(pod_of_wish(other), None, "{other}");
        }
    }

    #[test]
    fn a_bridge_fits_into_the_kernels_limit_and_follows_the_engine() {
        assert_eq!(bridge("ABCD:EFGH").len(), 15);
        assert_ne!(bridge("a"), bridge("b"));
    }
}
