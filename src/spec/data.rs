//! ConfigMaps and Secrets that a pod refers to: what they are called, and what is in them.
//!
//! Not here: where it goes (`volume`), how a record keeps it (`record::payload`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

/// What holds data by key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DataKind {
    /// A `v1` ConfigMap.
    ConfigMap,
    /// A `v1` Secret.
    Secret,
}

/// One that is referred to, in the pod's namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct DataRef {
    /// Its kind.
    pub kind: DataKind,
    /// Its name.
    pub name: String,
}

impl DataRef {
    /// The one of this name.
    #[must_use]
    pub fn new(kind: DataKind, name: impl Into<String>) -> Self {
        let name = name.into();
        Self { kind, name }
    }
}

/// What is in a ConfigMap or a Secret.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Data {
    /// Bytes by key: of a ConfigMap `data` and `binaryData`, of a Secret `data`, and `stringData` over it.
    pub values: BTreeMap<String, Vec<u8>>,
    /// The keys of `binaryData`: they are files, and no variables.
    pub binary: BTreeSet<String>,
    /// A Secret of a type that logins for registries are read from.
    pub login: bool,
}

impl Data {
    /// Of values that may all be variables.
    pub fn new(values: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        Self {
            values: values.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The keys that may be variables, and their values.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let values = self.values.iter();
        let values = values.filter(|(key, _)| !self.binary.contains(*key));
        values.map(|(key, value)| (key.as_str(), value.as_slice()))
    }

    /// The value of one of them.
    #[must_use]
    pub fn variable(&self, key: &str) -> Option<&[u8]> {
        let value = self.values.get(key).map(Vec::as_slice);
        value.filter(|_| !self.binary.contains(key))
    }
}

/// A value is shown nowhere.
impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// The type of a Secret with logins for registries, and their key.
pub const DOCKER_CONFIG_JSON: (&str, &str) =
    ("kubernetes.io/dockerconfigjson", ".dockerconfigjson");
/// The same in the older form, which has no `auths` around it.
pub const DOCKER_CONFIG: (&str, &str) = ("kubernetes.io/dockercfg", ".dockercfg");

/// All that came with a pod, and that it refers to.
pub type Payload = BTreeMap<DataRef, Data>;
