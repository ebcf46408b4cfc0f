//! Rules for `dnsPolicy` and `dnsConfig`.
//!
//! Not here: the resolver's file.

use std::net::IpAddr;

use k8s_openapi::api::core::v1::{PodDNSConfig, PodSpec};

use super::{invalid_text, names, one_of, required};
use crate::manifest::path::Path;
use crate::manifest::problem::Faults;

/// API server: `MaxDNSNameservers`, `MaxDNSSearchPaths`, `MaxDNSSearchListChars`.
const SERVERS_MAX: usize = 3;
const SEARCHES_MAX: usize = 32;
const SEARCH_CHARACTERS_MAX: usize = 2048;

/// API server: `validateDNSPolicy`, `validatePodDNSConfig`.
pub(super) fn dns(spec: &PodSpec, path: &Path<'_>, faults: &mut Faults) {
    one_of(
        faults,
        &path.field("dnsPolicy"),
        spec.dns_policy.as_ref(),
        &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"],
    );
    let here = path.field("dnsConfig");
    let none = spec.dns_policy.as_deref() == Some("None");
    match &spec.dns_config {
        Some(config) => self::config(config, none, &here, faults),
        None if none => {
            required(faults, &here, "`dnsPolicy: None` says nothing by itself");
        }
        None => {}
    }
}

fn config(config: &PodDNSConfig, none: bool, path: &Path<'_>, faults: &mut Faults) {
    let servers = config.nameservers.as_deref().unwrap_or_default();
    let here = path.field("nameservers");
    if none && servers.is_empty() {
        required(faults, &here, "`dnsPolicy: None` needs at least one server");
    }
    if servers.len() > SERVERS_MAX {
        faults.error(
            &here,
            format!("must not have more than {SERVERS_MAX} entries"),
        );
    }
    for (i, server) in servers.iter().enumerate() {
        if server.parse::<IpAddr>().is_err() {
            let rule = "must be an IP address such as 10.9.8.7 or 2001:db8::1";
            invalid_text(faults, &here.index(i), server, rule);
        }
    }
    searches(config, &path.field("searches"), faults);
    let options = path.field("options");
    for (i, option) in config.options.iter().flatten().enumerate() {
        if option.name.as_deref().unwrap_or_default().is_empty() {
            required(faults, &options.index(i).field("name"), "a name");
        }
    }
}

fn searches(config: &PodDNSConfig, path: &Path<'_>, faults: &mut Faults) {
    let searches = config.searches.as_deref().unwrap_or_default();
    if searches.len() > SEARCHES_MAX {
        faults.error(
            path,
            format!("must not have more than {SEARCHES_MAX} entries"),
        );
    }
    if searches.join(" ").len() > SEARCH_CHARACTERS_MAX {
        let message = format!("must not have more than {SEARCH_CHARACTERS_MAX} characters in all");
        faults.error(path, message);
    }
    for (i, search) in searches.iter().enumerate() {
        if let Some(rule) = names::search(search) {
            invalid_text(faults, &path.index(i), search, &rule);
        }
    }
}
