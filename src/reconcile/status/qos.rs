//! The `QoS` class of a pod (Kubernetes: `ComputePodQOS`).
//!
//! Not here: what limits and requests mean to the engine (`translate`).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1;
use k8s_openapi::apimachinery::pkg::api::resource;

use crate::spec::quantity::Quantity;

/// Others do not count.
const COUNTED: [&str; 2] = ["cpu", "memory"];

/// `Guaranteed`, `Burstable` or `BestEffort`.
#[must_use]
pub fn qos_class(spec: &v1::PodSpec) -> &'static str {
    let inits = spec.init_containers.iter().flatten();
    let (mut requests, mut limits) = (BTreeMap::new(), BTreeMap::new());
    let mut all_limited = true;
    for container in inits.chain(&spec.containers) {
        let given = container.resources.clone().unwrap_or_default();
        let most = given.limits.unwrap_or_default();
        // The API server: what is limited, and not requested, is requested as it is limited.
        let mut asked = most.clone();
        asked.extend(given.requests.unwrap_or_default());
        let (asked, most) = (counted(asked), counted(most));
        all_limited &= most.len() == COUNTED.len();
        asked.into_iter().for_each(|one| add(&mut requests, one));
        most.into_iter().for_each(|one| add(&mut limits, one));
    }
    if requests.is_empty() && limits.is_empty() {
        "BestEffort"
    } else if all_limited && requests == limits {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

fn counted(given: BTreeMap<String, resource::Quantity>) -> BTreeMap<String, Quantity> {
    given
        .into_iter()
        .filter(|(name, _)| COUNTED.contains(&name.as_str()))
        .filter_map(|(name, amount)| Some((name, Quantity::parse(&amount.0)?)))
        .filter(|(_, amount)| !amount.is_zero())
        .collect()
}

fn add(all: &mut BTreeMap<String, Quantity>, (name, amount): (String, Quantity)) {
    let sum = all.get(&name).map_or(amount, |before| *before + amount);
    all.insert(name, sum);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_class_is_told_by_requests_and_limits() {
        let class = |containers: &[Value]| {
            let resources = |given: &Value| json!({"name": "a", "resources": given});
            let containers: Vec<_> = containers.iter().map(resources).collect();
            let spec = json!({ "containers": containers });
            qos_class(&serde_json::from_value(spec).expect("a spec"))
        };
        let whole = json!({"limits": {"cpu": "1", "memory": "1Gi"}});
        let same = json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m", "memory": "1Gi"}});
        let less = json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1m"}});
        let nothing = json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "0"}});
        let (none, zero) = (json!({}), json!({"requests": {"cpu": "0"}}));
        let other = json!({"limits": {"ephemeral-storage": "1Gi"}});
        for (expected, containers) in [
            ("BestEffort", vec![none.clone(), zero, other]),
            ("Guaranteed", vec![whole.clone(), same]),
            ("Burstable", vec![whole, none]),
            ("Burstable", vec![less]),
            ("Burstable", vec![nothing]),
            ("Burstable", vec![json!({"limits": {"memory": "1Gi"}})]),
            ("Burstable", vec![json!({"requests": {"memory": "1Gi"}})]),
        ] {
            assert_eq!(class(&containers), expected, "{containers:?}");
        }
    }
}
