//! Rules for `spec.resources`, what a pod asks for as a whole, and for `spec.resourceClaims`.
//!
//! Not here: what a container asks for (`resources`).

use std::collections::HashSet;

use k8s_openapi::api::core::v1::{Container, PodSpec};

use super::resources::{self, Amounts};
use super::{duplicate, forbidden, format, invalid_text, names, quoted, required, required_text};
use crate::manifest::path::Path;
use crate::manifest::problem::Faults;
use crate::spec::Quantity;

/// API server: `validatePodResourceRequirements`, `validatePodResourceConsistency`.
pub(super) fn resources(spec: &PodSpec, path: &Path<'_>, faults: &mut Faults) {
    let Some(wanted) = &spec.resources else {
        return;
    };
    let here = path.field("resources");
    let limits = wanted.limits.clone().unwrap_or_default();
    let mut requests = wanted.requests.clone().unwrap_or_default();
    let (at_limits, at_requests) = (here.field("limits"), here.field("requests"));
    for (amounts, list) in [(&limits, &at_limits), (&requests, &at_requests)] {
        for (name, amount) in amounts {
            let path = list.key(name);
            if !matches!(name.as_str(), "cpu" | "memory") && !resources::is_huge(name) {
                let message = format!(
                    "unsupported value {}: a pod as a whole has cpu, memory and hugepages-",
                    quoted(name)
                );
                faults.error(&path, message);
            }
            resources::value(name, amount, &path, faults);
        }
    }
    if wanted
        .claims
        .as_ref()
        .is_some_and(|claims| !claims.is_empty())
    {
        let why = "claims are made by containers";
        forbidden(faults, &here.field("claims"), why);
    }
    // What is not said is what the containers ask for together, or else the limit (API server: `setDefaultPodRequests`).
    for (name, limit) in &limits {
        let total = total(&spec.containers, name);
        let default = total.map_or_else(|| limit.clone(), |total| limit_of(&total));
        requests.entry(name.clone()).or_insert(default);
    }
    for (name, request) in &requests {
        if let Some(limit) = limits.get(name) {
            resources::below_limit(name, request, limit, &at_requests, faults);
        }
    }
    of_containers(spec, &limits, &here, faults);
    for (name, request) in wanted.requests.iter().flatten() {
        let asked = Quantity::parse(&request.0);
        if let (Some(total), Some(asked)) = (total(&spec.containers, name), asked)
            && total > asked
        {
            let rule = "must not be below what the containers ask for together";
            invalid_text(faults, &at_requests.key(name), &request.0, rule);
        }
    }
}

fn limit_of(total: &Quantity) -> k8s_openapi::apimachinery::pkg::api::resource::Quantity {
    k8s_openapi::apimachinery::pkg::api::resource::Quantity(total.to_text())
}

/// The sum of what they ask for; `None`: none does.
fn total(containers: &[Container], name: &str) -> Option<Quantity> {
    let asked = containers.iter().filter_map(|container| {
        let requests = resources::with_defaults(container.resources.as_ref()?);
        Quantity::parse(&requests.get(name)?.0)
    });
    asked.reduce(|sum, one| sum + one)
}

/// No container may have more than the pod.
fn of_containers(spec: &PodSpec, limits: &Amounts, path: &Path<'_>, faults: &mut Faults) {
    let root = Path::Root;
    let top = root.field("spec");
    let list = top.field("containers");
    for (i, container) in spec.containers.iter().enumerate() {
        let of_it = container.resources.as_ref().and_then(|r| r.limits.as_ref());
        for (name, limit) in of_it.into_iter().flatten() {
            let most = limits.get(name).and_then(|limit| Quantity::parse(&limit.0));
            let exceeds = most
                .zip(Quantity::parse(&limit.0))
                .is_some_and(|(most, own)| own > most);
            if exceeds {
                let here = list.index(i);
                let here = here.field("resources");
                let here = here.field("limits");
                invalid_text(
                    faults,
                    &here.key(name),
                    &limit.0,
                    "must not be above the pod's limit",
                )
                .called(format!("{}.containers[{i}][{name}].limits", path.trail()));
            }
        }
    }
}

/// API server: `validatePodResourceClaims`.
pub(super) fn claims(spec: &PodSpec, path: &Path<'_>, faults: &mut Faults) {
    let list = path.field("resourceClaims");
    let mut seen = HashSet::new();
    for (i, claim) in spec.resource_claims.iter().flatten().enumerate() {
        let here = list.index(i);
        let name = here.field("name");
        if required_text(faults, &name, &claim.name, "a name") {
            format(faults, &name, &claim.name, names::dns_label);
            if !seen.insert(&claim.name) {
                duplicate(faults, &name, quoted(&claim.name));
            }
        }
        let sources = [
            ("resourceClaimName", &claim.resource_claim_name),
            (
                "resourceClaimTemplateName",
                &claim.resource_claim_template_name,
            ),
        ];
        let mut n_sources = 0;
        for (field, value) in sources {
            if let Some(value) = value {
                n_sources += 1;
                format(faults, &here.field(field), value, names::dns_subdomain);
            }
        }
        let one = "one of resourceClaimName and resourceClaimTemplateName";
        match n_sources {
            0 => {
                required(faults, &here, one);
            }
            1 => {}
            _ => {
                invalid_text(faults, &here, &claim.name, &format!("must have {one}"));
            }
        }
    }
}
