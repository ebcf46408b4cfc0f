//! The one network of all pods.
//!
//! Not here: when it is made and removed (`reconcile`).

use std::collections::HashMap;

use bollard::models::NetworkCreateRequest;

use crate::record::names;
use crate::spec::EngineFacts;

/// The network. Its bridge has a fixed name, which makes the create a lock: made, or there already.
#[must_use]
pub fn network(facts: &EngineFacts) -> NetworkCreateRequest {
    NetworkCreateRequest {
        name: names::NETWORK.to_owned(),
        driver: Some("bridge".to_owned()),
        options: Some(HashMap::from([(
            "com.docker.network.bridge.name".to_owned(),
            names::bridge(&facts.identity()),
        )])),
        ..Default::default()
    }
}
