//! Rules for `ports` of a container.
//!
//! Not here: ports of a Service (`service`).

use std::collections::HashSet;

use k8s_openapi::api::core::v1::{Container, ContainerPort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{duplicate, format, invalid, invalid_text, names, one_of, quoted, required, within};
use crate::manifest::path::Path;
use crate::manifest::problem::Faults;

pub(super) const PORTS: (i64, i64) = (1, 65535);

/// API server: `validateContainerPorts`; on the host's network, a host port is the container's.
pub(super) fn ports(
    container: &Container,
    host_network: bool,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    let list = path.field("ports");
    let mut seen = HashSet::new();
    for (i, one) in container.ports.iter().flatten().enumerate() {
        let here = list.index(i);
        port(one, host_network, &here, faults);
        let Some(name) = one.name.as_deref().filter(|n| !n.is_empty()) else {
            continue;
        };
        if let Some(rule) = names::port_name(name) {
            invalid_text(faults, &here.field("name"), name, &rule);
        } else if !seen.insert(name) {
            duplicate(faults, &here.field("name"), quoted(name));
        }
    }
}

fn port(port: &ContainerPort, host_network: bool, path: &Path<'_>, faults: &mut Faults) {
    let here = path.field("containerPort");
    if port.container_port == 0 {
        required(faults, &here, "a port between 1 and 65535");
    } else {
        within(faults, &here, port.container_port.into(), PORTS);
    }
    let here = path.field("hostPort");
    if let Some(value) = port.host_port.filter(|port| *port != 0) {
        within(faults, &here, value.into(), PORTS);
        if host_network && value != port.container_port {
            let rule = "must be the containerPort, for `hostNetwork` is true";
            invalid(faults, &here, value, rule);
        }
    }
    one_of(
        faults,
        &path.field("protocol"),
        port.protocol.as_ref(),
        &["TCP", "UDP", "SCTP"],
    );
}

/// One host port twice among the app containers, for one protocol and one address (API server: `checkHostPortConflicts`).
pub(super) fn host_ports(
    container: &Container,
    seen: &mut HashSet<(i32, String, String)>,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    let list = path.field("ports");
    for (i, port) in container.ports.iter().flatten().enumerate() {
        let Some(host_port) = port.host_port.filter(|p| *p != 0) else {
            continue;
        };
        let protocol = port.protocol.as_deref().filter(|p| !p.is_empty());
        let protocol = protocol.unwrap_or("TCP").to_owned();
        let host_ip = port.host_ip.clone().unwrap_or_default();
        if !seen.insert((host_port, protocol.clone(), host_ip)) {
            let here = list.index(i);
            let value = format!("{host_port}/{protocol}");
            duplicate(faults, &here.field("hostPort"), value)
                .hint("a host port can be published once");
        }
    }
}

/// A port by number or name (API server: `ValidatePortNumOrName`).
pub(super) fn number_or_name(port: &IntOrString, path: &Path<'_>, faults: &mut Faults) {
    match port {
        IntOrString::Int(number) => within(faults, path, (*number).into(), PORTS),
        IntOrString::String(name) => format(faults, path, name, names::port_name),
    }
}
