//! Ports that probes and hooks name: the container itself has them.
//!
//! The API server takes a name that the container has no port of, and the kubelet then fails the probe for ever.
//!
//! Not here: which number a name stands for (`to_spec::probe`).

use k8s_openapi::api::core::v1::{Container, HTTPGetAction, LifecycleHandler, PodSpec, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::path::Path;
use super::problem::Faults;
use super::suggest::nearest;

/// What is said of a name that no port has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// The pod is run.
    Refused,
    /// The pod is only checked.
    Warned,
}

/// Looks up the names in all containers of a pod.
pub(super) fn check(spec: &PodSpec, unknown: Unknown, path: &Path<'_>, faults: &mut Faults) {
    let inits = spec.init_containers.as_deref().unwrap_or_default();
    for (field, containers) in [("initContainers", inits), ("containers", &spec.containers)] {
        let list = path.field(field);
        for (i, container) in containers.iter().enumerate() {
            let mut check = Check {
                container,
                unknown,
                faults,
            };
            check.container(&list.index(i));
        }
    }
}

struct Check<'a> {
    container: &'a Container,
    unknown: Unknown,
    faults: &'a mut Faults,
}

impl Check<'_> {
    fn container(&mut self, path: &Path<'_>) {
        let container = self.container;
        for (field, probe) in [
            ("livenessProbe", &container.liveness_probe),
            ("readinessProbe", &container.readiness_probe),
            ("startupProbe", &container.startup_probe),
        ] {
            if let Some(probe) = probe {
                self.probe(probe, &path.field(field));
            }
        }
        let Some(lifecycle) = &container.lifecycle else {
            return;
        };
        let path = path.field("lifecycle");
        for (field, hook) in [
            ("postStart", &lifecycle.post_start),
            ("preStop", &lifecycle.pre_stop),
        ] {
            if let Some(LifecycleHandler {
                http_get: Some(get),
                ..
            }) = hook
            {
                self.http_get(get, &path.field(field));
            }
        }
    }

    fn probe(&mut self, probe: &Probe, path: &Path<'_>) {
        if let Some(get) = &probe.http_get {
            self.http_get(get, path);
        }
        if let Some(socket) = &probe.tcp_socket {
            let here = path.field("tcpSocket");
            self.port(&socket.port, &here.field("port"));
        }
    }

    fn http_get(&mut self, get: &HTTPGetAction, path: &Path<'_>) {
        let here = path.field("httpGet");
        self.port(&get.port, &here.field("port"));
    }

    fn port(&mut self, port: &IntOrString, path: &Path<'_>) {
        let IntOrString::String(name) = port else {
            return;
        };
        let ports = self.container.ports.iter().flatten();
        let names: Vec<&str> = ports.filter_map(|port| port.name.as_deref()).collect();
        if names.contains(&name.as_str()) {
            return;
        }
        let message = format!("the container has no port called {name:?}");
        let fault = match self.unknown {
            Unknown::Refused => {
                let message = format!("not supported: {message}, so that this would always fail");
                self.faults.unsupported(path, message)
            }
            Unknown::Warned => self.faults.warning(path, message),
        };
        match nearest(name, names.into_iter()) {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None => fault.hint("write its number, or name it in the container's `ports`"),
        };
    }
}
