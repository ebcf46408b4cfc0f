//! podctl runs Kubernetes pods on a plain Docker engine.
//!
//! The way through the code, from the text of a manifest to the engine:
//!
//! - [`spec`]: the checked types that every other layer speaks. Pure.
//! - [`manifest`]: text to spec, or every fault in it. Pure.
//! - [`record`]: what is kept on the engine, and how it reads back: labels, names, hashes. Pure.
//! - [`translate`]: spec and facts about the engine to Docker's request bodies. Pure.
//! - [`reconcile`]: what is wanted and what was seen to actions and a status. Pure.
//! - [`oci`]: a small image as an archive. Pure.
//! - [`pause`]: the pause program and its image. Pure.
//! - [`engine`]: the one user of the Docker client.
//! - [`probe`]: one question to a container, one answer; and its hooks.
//! - [`driver`]: looks, asks `reconcile`, carries out, looks again.
//! - [`output`]: the only place that prints.
//! - [`commands`]: one file per verb. [`cli`]: arguments, dispatch, exit codes.
//!
//! A layer imports none that stands below it; `tests/layering.rs` holds the table. ARCHITECTURE.md says why things are as they are.

pub mod cli;
pub mod commands;
pub mod driver;
pub mod engine;
pub mod manifest;
pub mod oci;
pub mod output;
pub mod pause;
pub mod probe;
pub mod reconcile;
pub mod record;
pub mod spec;
pub mod translate;
