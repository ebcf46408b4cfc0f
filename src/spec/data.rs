//! ConfigMaps and Secrets that a pod refers to: what they are called, and what is in them.
//!
//! Not here: where it goes (`volume`), how a record keeps it (`record::payload`).

use std::collections::BTreeMap;
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

/// What is in a ConfigMap (`data` and `binaryData`) or a Secret (`data`, and `stringData` over it): bytes by key.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Data(pub BTreeMap<String, Vec<u8>>);

/// A value is shown nowhere.
impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// All that came with a pod, and that it refers to.
pub type Payload = BTreeMap<DataRef, Data>;
