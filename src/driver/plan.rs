//! What carrying out actions needs to know of a pod and its engine.
//!
//! Not here: carrying them out (`execute`).

use std::collections::BTreeMap;

use crate::spec::{Desired, EngineFacts, ImageFacts, PodKey};

/// All that carrying out needs besides the action. Shared by the actions under way.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The pod.
    pub key: PodKey,
    /// Its uid.
    pub uid: String,
    /// The generation that is driven to.
    pub generation: u64,
    /// What is wanted; on the way down, what was, where it is known.
    pub desired: Option<Desired>,
    /// What was asked for before: containers that are replaced or removed were made from it.
    pub before: Option<Desired>,
    /// What the volumes hold now, where it is known.
    pub old: Option<Desired>,
    /// Of the engine.
    pub facts: EngineFacts,
    /// By the reference in the manifest.
    pub images: BTreeMap<String, ImageFacts>,
    /// The id of the pause image.
    pub pause_image: String,
}

impl Plan {
    /// Without what the record says.
    #[must_use]
    pub fn new(
        key: &PodKey,
        desired: Desired,
        facts: &EngineFacts,
        images: BTreeMap<String, ImageFacts>,
        pause_image: &str,
    ) -> Self {
        Self {
            key: key.clone(),
            uid: String::new(),
            generation: 0,
            desired: Some(desired),
            before: None,
            old: None,
            facts: facts.clone(),
            images,
            pause_image: pause_image.to_owned(),
        }
    }
}
