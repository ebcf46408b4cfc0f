//! Rules for ConfigMaps and Secrets.
//!
//! Not here: whether a pod refers to a key that it lacks (`references`).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};

use super::metadata::metadata;
use super::{invalid_text, names, required};
use crate::manifest::path::Path;
use crate::manifest::problem::{At, Fault, Faults};
use crate::spec::data::{DOCKER_CONFIG, DOCKER_CONFIG_JSON};

/// API server: `MaxSecretSize`, which ConfigMaps share.
const SIZE_MAX: usize = 1_048_576;

/// API server: `ValidateConfigMap`.
pub(in crate::manifest) fn config_map(map: &ConfigMap, faults: &mut Faults) {
    metadata(&map.metadata, names::dns_subdomain, faults);
    let root = Path::Root;
    let (data, binary) = (root.field("data"), root.field("binaryData"));
    let mut n_bytes = 0;
    for (key, value) in map.data.iter().flatten() {
        n_bytes += value.len();
        check_key(key, &data.key(key), faults);
        let of_both = map
            .binary_data
            .as_ref()
            .is_some_and(|b| b.contains_key(key));
        if of_both {
            let rule = "stands in `binaryData` too";
            invalid_text(faults, &data.key(key), key, rule).at(At::Key);
        }
    }
    for (key, value) in map.binary_data.iter().flatten() {
        n_bytes += value.0.len();
        check_key(key, &binary.key(key), faults);
    }
    if n_bytes > SIZE_MAX {
        let path = if map.data.is_some() { data } else { binary };
        too_long(n_bytes, &path, faults).called("[]");
    }
}

/// API server: `ValidateSecret`, after `stringData` has been laid over `data`.
pub(in crate::manifest) fn secret(secret: &Secret, faults: &mut Faults) {
    metadata(&secret.metadata, names::dns_subdomain, faults);
    let root = Path::Root;
    let data = root.field("data");
    let values = merged(secret);
    let n_bytes: usize = values.values().map(|value| value.len()).sum();
    for key in values.keys() {
        let of_text = secret
            .string_data
            .as_ref()
            .is_some_and(|d| d.contains_key(*key));
        let list = root.field(if of_text { "stringData" } else { "data" });
        if let Some(rule) = names::config_key(key) {
            let fault = invalid_text(faults, &list.key(key), key, &rule);
            fault.at(At::Key).called(data.key(key).trail().to_string());
        }
    }
    if n_bytes > SIZE_MAX {
        too_long(n_bytes, &data, faults);
    }
    of_type(secret, &values, faults);
}

/// The keys that a type must have (API server: the switch of `ValidateSecret`).
fn of_type(secret: &Secret, values: &BTreeMap<&str, &[u8]>, faults: &mut Faults) {
    const ACCOUNT: &str = "kubernetes.io/service-account.name";
    let root = Path::Root;
    let data = root.field("data");
    let mut need = |key: &str, may_be_empty: bool| {
        let there = values
            .get(key)
            .is_some_and(|v| may_be_empty || !v.is_empty());
        if !there {
            let why = "this type of Secret must have the key";
            required(faults, &data.key(key), why);
        }
    };
    match secret.type_.as_deref().unwrap_or_default() {
        "kubernetes.io/service-account-token" => {
            let annotations = secret.metadata.annotations.as_ref();
            let account = annotations.and_then(|a| a.get(ACCOUNT));
            if account.is_none_or(String::is_empty) {
                let metadata = root.field("metadata");
                let list = metadata.field("annotations");
                required(faults, &list.key(ACCOUNT), "the name of a ServiceAccount");
            }
        }
        of if of == DOCKER_CONFIG.0 => docker_config(DOCKER_CONFIG.1, values, faults),
        of if of == DOCKER_CONFIG_JSON.0 => docker_config(DOCKER_CONFIG_JSON.1, values, faults),
        "kubernetes.io/basic-auth"
            if !values.contains_key("username") && !values.contains_key("password") =>
        {
            need("username", true);
            need("password", true);
        }
        "kubernetes.io/ssh-auth" => need("ssh-privatekey", false),
        "kubernetes.io/tls" => {
            need("tls.crt", true);
            need("tls.key", true);
        }
        _ => {}
    }
}

fn docker_config(key: &str, values: &BTreeMap<&str, &[u8]>, faults: &mut Faults) {
    let root = Path::Root;
    let data = root.field("data");
    let here = data.key(key);
    match values.get(key) {
        None => {
            required(faults, &here, "this type of Secret must have the key");
        }
        Some(value) => {
            // Its content is not shown: it is secret.
            let read = serde_json::from_slice::<BTreeMap<String, serde_json::Value>>(value);
            if read.is_err() {
                faults.error(&here, "invalid value: must be a JSON object");
            }
        }
    }
}

/// What a Secret holds, `stringData` over `data`.
fn merged(secret: &Secret) -> BTreeMap<&str, &[u8]> {
    let data = secret.data.iter().flatten();
    let text = secret.string_data.iter().flatten();
    data.map(|(key, value)| (key.as_str(), value.0.as_slice()))
        .chain(text.map(|(key, value)| (key.as_str(), value.as_bytes())))
        .collect()
}

fn too_long<'f>(n_bytes: usize, path: &Path<'_>, faults: &'f mut Faults) -> &'f mut Fault {
    let message = format!("too long: {n_bytes} bytes in all, at most {SIZE_MAX} are allowed");
    faults.error(path, message).at(At::Key)
}

fn check_key(key: &str, path: &Path<'_>, faults: &mut Faults) {
    if let Some(rule) = names::config_key(key) {
        invalid_text(faults, path, key, &rule).at(At::Key);
    }
}
