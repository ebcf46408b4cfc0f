//! The ConfigMaps and Secrets that came with a pod, as a file of its record. The record's folder is root's alone.
//!
//! Not here: where they go (`translate::archive`), which payload counts (`wish`).

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::hash;
use crate::spec::{Data, DataKind, DataRef, Desired, Payload};

/// A payload that reads back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// [`Pod::salt`](crate::spec::Pod::salt) of the pod; empty where nothing is secret.
    pub salt: String,
    /// What came with the pod.
    pub payload: Payload,
}

/// As the file has it; values in Base64.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    salt: String,
    #[serde(
        default,
        rename = "configMaps",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    config_maps: Objects,
    /// Keys of ConfigMaps.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    binary: BTreeMap<String, BTreeSet<String>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    secrets: Objects,
    /// Names of Secrets.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    logins: BTreeSet<String>,
}

type Objects = BTreeMap<String, BTreeMap<String, String>>;

/// What a wish calls the payload of a pod.
#[must_use]
pub fn name(desired: &Desired) -> String {
    if desired.payload.is_empty() && desired.pod.salt.is_empty() {
        return hash::file(b"");
    }
    hash::file(&file(desired))
}

/// Whether a payload of this name has nothing in it, and so no file.
#[must_use]
pub fn is_empty(name: &str) -> bool {
    name == hash::file(b"")
}

/// The file of a payload.
#[must_use]
pub fn file_name(name: &str) -> String {
    format!("payload-{name}.json")
}

/// Its content.
#[must_use]
pub fn file(desired: &Desired) -> Vec<u8> {
    let of = |kind: DataKind| {
        let objects = desired.payload.iter().filter(|(of, _)| of.kind == kind);
        let encoded = |data: &Data| {
            let values = data.values.iter();
            values
                .map(|(key, value)| (key.clone(), BASE64.encode(value)))
                .collect()
        };
        objects
            .map(|(of, data)| (of.name.clone(), encoded(data)))
            .collect()
    };
    let binary = desired.payload.iter();
    let binary = binary.filter(|(_, data)| !data.binary.is_empty());
    let logins = desired.payload.iter().filter(|(_, data)| data.login);
    let file = File {
        binary: binary
            .map(|(of, data)| (of.name.clone(), data.binary.clone()))
            .collect(),
        salt: desired.pod.salt.clone(),
        config_maps: of(DataKind::ConfigMap),
        secrets: of(DataKind::Secret),
        logins: logins.map(|(of, _)| of.name.clone()).collect(),
    };
    serde_json::to_vec(&file).unwrap_or_default()
}

/// Reads it back; `None` of one that was cut off.
#[must_use]
pub fn read(text: &[u8]) -> Option<Kept> {
    let mut file: File = serde_json::from_slice(text).ok()?;
    let mut payload = Payload::new();
    for (kind, objects) in [
        (DataKind::ConfigMap, file.config_maps),
        (DataKind::Secret, file.secrets),
    ] {
        for (name, values) in objects {
            let values = values.into_iter();
            let values = values.map(|(key, text)| Some((key, BASE64.decode(text).ok()?)));
            let binary = match kind {
                DataKind::ConfigMap => file.binary.remove(&name).unwrap_or_default(),
                DataKind::Secret => BTreeSet::new(),
            };
            let data = Data {
                values: values.collect::<Option<_>>()?,
                binary,
                login: kind == DataKind::Secret && file.logins.contains(&name),
            };
            payload.insert(DataRef::new(kind, name), data);
        }
    }
    Some(Kept {
        salt: file.salt,
        payload,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desired(kind: DataKind) -> Desired {
        let mut pod = hash::tests::pod(&["a"]);
        if kind == DataKind::Secret {
            pod.salt = "salt".to_owned();
        }
        let mut data = Data::new([("k".into(), vec![0, 255])]);
        match kind {
            DataKind::ConfigMap => drop(data.binary.insert("k".into())),
            DataKind::Secret => data.login = true,
        }
        Desired {
            pod,
            manifest: serde_json::Value::Null,
            payload: [(DataRef::new(kind, "c"), data)].into(),
        }
    }

    #[test]
    fn it_reads_back_and_one_that_was_cut_off_does_not() {
        for (kind, salt) in [(DataKind::ConfigMap, ""), (DataKind::Secret, "salt")] {
            let desired = desired(kind);
            let text = file(&desired);
            let kept = Kept {
                salt: salt.to_owned(),
                payload: desired.payload,
            };
            assert_eq!(read(&text), Some(kept));
            assert_eq!(read(&text[..text.len() - 1]), None);
        }
    }

    #[test]
    fn one_of_another_form_does_not_read() {
        assert_eq!(read(br#"{"page": {"key": "AA=="}}"#), None);
    }

    #[test]
    fn it_has_another_name_where_a_value_is_no_variable_any_more_or_a_secret_no_login() {
        for kind in [DataKind::ConfigMap, DataKind::Secret] {
            let mut desired = desired(kind);
            let before = name(&desired);
            for data in desired.payload.values_mut() {
                data.binary.clear();
                data.login = false;
            }
            assert_ne!(name(&desired), before);
        }
    }

    #[test]
    fn the_name_of_one_with_secrets_is_the_pods_own() {
        let mut desired = desired(DataKind::Secret);
        let before = name(&desired);
        desired.pod.salt = "other".to_owned();
        assert_ne!(name(&desired), before);
        desired.payload.clear();
        desired.pod.salt.clear();
        assert!(is_empty(&name(&desired)));
        assert!(!is_empty(&before));
    }
}
