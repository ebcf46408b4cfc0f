//! What podctl keeps on the engine, and how it reads back. The engine is podctl's only memory.
//!
//! - [`labels`]: the keys, and what they say of a container.
//! - [`names`]: of containers, volumes and the network.
//! - [`hash`]: what makes a pause or a container differ from the one that is there.
//! - [`payload`]: the ConfigMaps and Secrets that came with a pod.
//! - [`wish`]: what somebody asked of a pod: a generation of its spec, kept in the record's volume.
//! - [`deletion`]: that somebody asked for a pod to be gone.
//! - [`told`]: what only who drives a pod knows of it.
//!
//! Not here: the calls that write and read it (`engine`), and what follows from it (`reconcile`).

pub mod deletion;
pub mod hash;
pub mod labels;
pub mod names;
pub mod payload;
pub mod told;
pub mod wish;

pub use deletion::Deletion;
pub use labels::{Care, Identity};
pub use told::Told;
pub use wish::{Filled, Record, RecordError, Wish};
