//! Rules for `resources` of a container: processor, memory, huge pages, extended resources, claims.
//!
//! Not here: how an amount is written (`spec::quantity`), what a pod asks for as a whole (`pod_resources`).

use std::collections::{BTreeMap, HashSet};

use k8s_openapi::api::core::v1::{PodResourceClaim, ResourceClaim, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;

use super::{
    duplicate, forbidden, format, invalid_text, names, not_found, quoted, required, required_text,
};
use crate::manifest::path::Path;
use crate::manifest::problem::Faults;
use crate::spec::Quantity;

pub(super) type Amounts = BTreeMap<String, Written>;
pub(super) const HUGE_PAGES: &str = "hugepages-";

/// API server: `validateContainerResourceRequirements`.
pub(super) fn of_container(
    resources: &ResourceRequirements,
    claims: &[PodResourceClaim],
    path: &Path<'_>,
    faults: &mut Faults,
) {
    let limits = resources.limits.clone().unwrap_or_default();
    let requests = with_defaults(resources);
    let (at_limits, at_requests) = (path.field("limits"), path.field("requests"));
    for (name, amount) in &limits {
        of_name(name, &at_limits.key(name), faults);
        value(name, amount, &at_limits.key(name), faults);
    }
    for (name, request) in &requests {
        of_name(name, &at_requests.key(name), faults);
        value(name, request, &at_requests.key(name), faults);
        let Some(limit) = limits.get(name) else {
            if !may_overcommit(name) {
                let why = format!("`{name}` cannot be asked for without a limit");
                required(faults, &at_limits, &why);
            }
            continue;
        };
        below_limit(name, request, limit, &at_requests, faults);
    }
    let any = |test: fn(&str) -> bool| {
        let mut all = limits.keys().chain(requests.keys());
        all.any(|name| test(name))
    };
    if any(is_huge) && !any(|name| matches!(name, "cpu" | "memory")) {
        forbidden(faults, path, "huge pages need cpu or memory beside them");
    }
    let wanted = resources.claims.as_deref().unwrap_or_default();
    of_claims(wanted, claims, &path.field("claims"), faults);
}

/// What is asked for: where that is not said, the limit (API server: `SetDefaults_Pod`).
pub(super) fn with_defaults(resources: &ResourceRequirements) -> Amounts {
    let mut requests = resources.limits.clone().unwrap_or_default();
    requests.extend(resources.requests.clone().unwrap_or_default());
    requests
}

/// The server names the map, not the key.
pub(super) fn below_limit(
    name: &str,
    request: &Written,
    limit: &Written,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    let (Some(wanted), Some(most)) = (Quantity::parse(&request.0), Quantity::parse(&limit.0))
    else {
        return;
    };
    let rule = if wanted != most && !may_overcommit(name) {
        format!("must be the {name} limit of {}", limit.0)
    } else if wanted > most {
        format!("must not be above the {name} limit of {}", limit.0)
    } else {
        return;
    };
    invalid_text(faults, &path.key(name), &request.0, &rule).called(path.trail().to_string());
}

/// API server: `validateContainerResourceName`.
fn of_name(name: &str, path: &Path<'_>, faults: &mut Faults) {
    format(faults, path, name, names::qualified);
    let rule = if !name.contains('/') {
        let known = matches!(name, "cpu" | "memory" | "ephemeral-storage") || is_huge(name);
        (!known).then_some("must be cpu, memory, ephemeral-storage, or begin with a domain")
    } else if is_native(name) {
        None
    } else {
        let extended = !name.starts_with("requests.")
            && names::qualified(&format!("requests.{name}")).is_none();
        (!extended).then_some("is not a name that an extended resource can have")
    };
    if let Some(rule) = rule {
        invalid_text(faults, path, name, rule);
    }
}

/// API server: `ValidateResourceQuantityValue`, `validateResourceQuantityHugePageValue`.
pub(super) fn value(name: &str, amount: &Written, path: &Path<'_>, faults: &mut Faults) {
    let Some(quantity) = Quantity::parse(&amount.0) else {
        return;
    };
    if quantity.is_negative() {
        invalid_text(faults, path, &amount.0, "must not be below zero");
    }
    if !is_native(name) && !quantity.is_whole() {
        invalid_text(faults, path, &amount.0, "must be an integer");
    }
    if let Some(size) = name.strip_prefix(HUGE_PAGES) {
        let size = Quantity::parse(size).and_then(Quantity::units);
        let wanted = quantity.units();
        let is_multiple =
            matches!((wanted, size), (Some(n), Some(size)) if n > 0 && size > 0 && n % size == 0);
        if !is_multiple {
            let rule = format!("must be a multiple of the page of {name}");
            invalid_text(faults, path, &amount.0, &rule);
        }
    }
    if name == "memory" && !quantity.is_negative() && !quantity.is_whole() {
        let fault = faults.warning(
            path,
            format!("{} is a fraction of a byte", quoted(&amount.0)),
        );
        if let Some(number) = amount.0.strip_suffix('m') {
            fault.hint(format!("`m` means a thousandth; did you mean {number}Mi?"));
        }
    }
}

/// API server: `validateResourceClaimNames`.
fn of_claims(
    wanted: &[ResourceClaim],
    known: &[PodResourceClaim],
    path: &Path<'_>,
    faults: &mut Faults,
) {
    let mut seen = HashSet::new();
    for (i, claim) in wanted.iter().enumerate() {
        let here = path.index(i);
        let request = claim.request.as_deref().unwrap_or_default();
        if !required_text(
            faults,
            &here.field("name"),
            &claim.name,
            "the name of a claim",
        ) {
            continue;
        }
        if !request.is_empty() {
            format(faults, &here.field("request"), request, names::dns_label);
        }
        if !seen.insert((&claim.name, request)) {
            duplicate(faults, &here, quoted(&claim.name));
        }
        if !known.iter().any(|one| one.name == claim.name) {
            let names = known.iter().map(|one| one.name.as_str());
            not_found(faults, &here, &claim.name, "spec.resourceClaims", names);
        }
    }
}

pub(super) fn is_huge(name: &str) -> bool {
    name.starts_with(HUGE_PAGES)
}

/// API server: `IsNativeResource`.
fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// API server: `IsOvercommitAllowed`.
fn may_overcommit(name: &str) -> bool {
    is_native(name) && !is_huge(name)
}
