//! Rules for Services.
//!
//! Not here: ports of containers (`ports`).

use std::collections::HashSet;

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::metadata::metadata;
use super::ports::{PORTS, number_or_name};
use super::{
    duplicate, forbidden, format, format_if_said, invalid, invalid_text, labels, must_be_one_of,
    names, one_of, quoted, required, within,
};
use crate::manifest::path::Path;
use crate::manifest::problem::Faults;

/// API server: `--service-node-port-range`.
const NODE_PORTS: (i64, i64) = (30000, 32767);

/// API server: `ValidateService`.
pub(in crate::manifest) fn service(service: &Service, faults: &mut Faults) {
    metadata(&service.metadata, names::dns_1035_label, faults);
    let root = Path::Root;
    let path = root.field("spec");
    let none = ServiceSpec::default();
    let spec = service.spec.as_ref().unwrap_or(&none);
    let kind = spec
        .type_
        .as_deref()
        .filter(|kind| !kind.is_empty())
        .unwrap_or("ClusterIP");
    must_be_one_of(
        faults,
        &path.field("type"),
        kind,
        &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
    );
    let list = path.field("ports");
    let ports = spec.ports.as_deref().unwrap_or_default();
    let is_headless = spec.cluster_ip.as_deref() == Some("None");
    if ports.is_empty() && !is_headless && kind != "ExternalName" {
        required(faults, &list, "at least one port");
    }
    self::ports(ports, kind, &list, faults);
    labels::labels(spec.selector.as_ref(), &path.field("selector"), faults);
    one_of(
        faults,
        &path.field("sessionAffinity"),
        spec.session_affinity.as_ref(),
        &["ClientIP", "None"],
    );
    affinity(spec, &path, faults);
    addresses(spec, kind, &path, faults);
    policies(spec, kind, &path, faults);
}

fn ports(ports: &[ServicePort], kind: &str, list: &Path<'_>, faults: &mut Faults) {
    let (mut names, mut node_ports) = (HashSet::new(), HashSet::new());
    let mut seen = HashSet::new();
    for (i, port) in ports.iter().enumerate() {
        let here = list.index(i);
        let name = port.name.as_deref().unwrap_or_default();
        let at = here.field("name");
        if name.is_empty() {
            if ports.len() > 1 {
                required(faults, &at, "a name, for there are several ports");
            }
        } else {
            format(faults, &at, name, names::dns_label);
            if !names.insert(name) {
                duplicate(faults, &at, quoted(name));
            }
        }
        within(faults, &here.field("port"), port.port.into(), PORTS);
        let protocol = port
            .protocol
            .as_deref()
            .filter(|p| !p.is_empty())
            .unwrap_or("TCP");
        let known = ["TCP", "UDP", "SCTP"];
        must_be_one_of(faults, &here.field("protocol"), protocol, &known);
        if let Some(target) = &port.target_port
            && !matches!(target, IntOrString::Int(0))
            && !matches!(target, IntOrString::String(name) if name.is_empty())
        {
            number_or_name(target, &here.field("targetPort"), faults);
        }
        format_if_said(
            faults,
            &here.field("appProtocol"),
            port.app_protocol.as_ref(),
            names::qualified,
        );
        if !seen.insert((protocol, port.port)) {
            duplicate(faults, &here, format!("{}/{protocol}", port.port));
        }
        if let Some(number) = port.node_port.filter(|number| *number != 0) {
            let at = here.field("nodePort");
            if kind == "ClusterIP" {
                forbidden(faults, &at, "a Service of the type ClusterIP has none");
            } else {
                within(faults, &at, number.into(), NODE_PORTS);
                if !node_ports.insert((protocol, number)) {
                    duplicate(faults, &at, number);
                }
            }
        }
    }
}

fn affinity(spec: &ServiceSpec, path: &Path<'_>, faults: &mut Faults) {
    const DAY: (i64, i64) = (1, 86_400);
    let Some(config) = &spec.session_affinity_config else {
        return;
    };
    let here = path.field("sessionAffinityConfig");
    if spec.session_affinity.as_deref() != Some("ClientIP") {
        let why = "is for the sessionAffinity ClientIP only";
        forbidden(faults, &here, why);
        return;
    }
    let seconds = config
        .client_ip
        .as_ref()
        .and_then(|client| client.timeout_seconds);
    if let Some(seconds) = seconds {
        let here = here.field("clientIP");
        within(faults, &here.field("timeoutSeconds"), seconds.into(), DAY);
    }
}

fn addresses(spec: &ServiceSpec, kind: &str, path: &Path<'_>, faults: &mut Faults) {
    if kind == "ExternalName" {
        let here = path.field("externalName");
        let name = spec.external_name.as_deref().unwrap_or_default();
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.is_empty() {
            required(faults, &here, "the name that it stands for");
        } else {
            format(faults, &here, name, names::dns_subdomain);
        }
        if spec.cluster_ip.as_ref().is_some_and(|ip| !ip.is_empty()) {
            let why = "a Service of the type ExternalName has none";
            forbidden(faults, &path.field("clusterIP"), why);
        }
    } else if let Some(ip) = spec.cluster_ip.as_deref()
        && !matches!(ip, "" | "None")
        && let Some(rule) = names::ip(ip)
    {
        let list = path.field("clusterIPs");
        invalid_text(faults, &path.field("clusterIP"), ip, &rule)
            .called(list.index(0).trail().to_string());
    }
    if kind == "LoadBalancer" && spec.cluster_ip.as_deref() == Some("None") {
        let list = path.field("clusterIPs");
        let rule = "must not be None for the type LoadBalancer";
        invalid_text(faults, &path.field("clusterIP"), "None", rule)
            .called(list.index(0).trail().to_string());
    }
    let list = path.field("externalIPs");
    for (i, ip) in spec.external_ips.iter().flatten().enumerate() {
        format(faults, &list.index(i), ip, names::ip);
    }
    let list = path.field("loadBalancerSourceRanges");
    for (i, range) in spec
        .load_balancer_source_ranges
        .iter()
        .flatten()
        .enumerate()
    {
        if !is_range(range.trim()) {
            let rule = "must be a range of addresses such as 10.0.0.0/8";
            invalid_text(faults, &list.index(i), range, rule)
                .called(format!("{}.LoadBalancerSourceRanges[{i}]", path.trail()));
        }
    }
    let ranges = spec.load_balancer_source_ranges.as_ref();
    if kind != "LoadBalancer" && ranges.is_some_and(|list| !list.is_empty()) {
        let why = "is for the type LoadBalancer only";
        forbidden(faults, &list, why).called(format!("{}.LoadBalancerSourceRanges", path.trail()));
    }
}

fn is_range(text: &str) -> bool {
    let Some((ip, bits)) = text.split_once('/') else {
        return false;
    };
    let most = if ip.contains(':') { 128 } else { 32 };
    names::ip(ip).is_none() && bits.parse::<u32>().is_ok_and(|bits| bits <= most)
}

fn policies(spec: &ServiceSpec, kind: &str, path: &Path<'_>, faults: &mut Faults) {
    const TRAFFIC: [&str; 2] = ["Cluster", "Local"];
    let here = path.field("externalTrafficPolicy");
    if let Some(policy) = spec
        .external_traffic_policy
        .as_deref()
        .filter(|p| !p.is_empty())
    {
        let external = spec
            .external_ips
            .as_ref()
            .is_some_and(|list| !list.is_empty());
        if matches!(kind, "LoadBalancer" | "NodePort") || external {
            must_be_one_of(faults, &here, policy, &TRAFFIC);
        } else {
            let rule = "is for Services that can be reached from outside";
            invalid_text(faults, &here, policy, rule);
        }
    }
    let choices: [(&str, Option<&String>, &[&str]); 2] = [
        (
            "internalTrafficPolicy",
            spec.internal_traffic_policy.as_ref(),
            &TRAFFIC,
        ),
        (
            "trafficDistribution",
            spec.traffic_distribution.as_ref(),
            &["PreferClose", "PreferSameZone", "PreferSameNode"],
        ),
    ];
    for (field, value, known) in choices {
        one_of(faults, &path.field(field), value, known);
    }
    let here = path.field("ipFamilyPolicy");
    one_of(
        faults,
        &here,
        spec.ip_family_policy.as_ref(),
        &["SingleStack", "PreferDualStack", "RequireDualStack"],
    );
    let list = path.field("ipFamilies");
    let mut seen = HashSet::new();
    for (i, family) in spec.ip_families.iter().flatten().enumerate() {
        must_be_one_of(faults, &list.index(i), family, &["IPv4", "IPv6"]);
        if !seen.insert(family) {
            duplicate(faults, &list.index(i), quoted(family));
        }
    }
    if let Some(class) = &spec.load_balancer_class {
        let here = path.field("loadBalancerClass");
        if kind == "LoadBalancer" {
            format(faults, &here, class, names::qualified);
        } else {
            forbidden(faults, &here, "is for the type LoadBalancer only");
        }
    }
    if let Some(port) = spec.health_check_node_port.filter(|port| *port != 0) {
        let local = spec.external_traffic_policy.as_deref() == Some("Local");
        if kind != "LoadBalancer" || !local {
            let rule = "is for the type LoadBalancer with externalTrafficPolicy Local";
            invalid(faults, &path.field("healthCheckNodePort"), port, rule);
        }
    }
}
