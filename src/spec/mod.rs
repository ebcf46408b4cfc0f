//! The checked types that every other layer speaks. After loading, nothing is optional that has a default.
//!
//! Not here: reading text (`manifest`), what is kept on an engine (`record`), Docker's request bodies (`translate`).

pub mod container;
pub mod data;
pub mod facts;
pub mod image;
pub mod lifecycle;
pub mod pod;
pub mod probe;
pub mod quantity;
pub mod restart;
pub mod volume;

pub use container::{
    Container, EnvFrom, EnvVar, Mount, Port, Protocol, PullPolicy, Resources, Security, Text,
};
pub use data::{Data, DataKind, DataRef, Payload};
pub use facts::{ApiVersion, Architecture, EngineFacts, ImageFacts};
pub use pod::{Desired, Pids, Pod, PodKey, Publish, RestartPolicy};
pub use quantity::Quantity;
pub use volume::{Volume, VolumeSource};

/// For `skip_serializing_if`: a field at its default leaves no trace in the hash of a spec, so that a field
/// added by a later podctl does not make every container anew.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
