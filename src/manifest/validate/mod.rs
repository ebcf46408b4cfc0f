//! The rules for values, as the API server has them. Everything here has the right type already.
//!
//! Every fault is found, not the first, at the path that the API server names; where that is not the path of the field
//! (`spec.HostPID`, a list without its index), the fault is [called](Fault::called) by the server's.
//!
//! Not here: types and unknown fields (`walk`), references between objects (`references`).

mod config;
mod container;
mod cron;
mod dns;
mod env;
mod job;
mod labels;
mod metadata;
mod mounts;
pub(super) mod names;
mod pod;
mod pod_resources;
mod ports;
mod probes;
mod resources;
mod scheduling;
mod security;
mod service;
mod storage;
mod volume;
mod volume_network;
mod volume_projected;
mod windows;
mod workload;

use std::fmt::Display;

pub(super) use config::{config_map, secret};
pub(super) use job::{cron_job, job};
pub(super) use pod::pod;
pub(super) use service::service;
pub(super) use storage::{claim, persistent_volume};
pub(super) use workload::{daemon_set, deployment, replica_set, stateful_set};

use super::path::Path;
use super::problem::{Fault, Faults};

/// API server: `FieldValueRequired`.
fn required<'f>(faults: &'f mut Faults, path: &Path<'_>, why: &str) -> &'f mut Fault {
    faults.error(path, format!("required value: {why}"))
}

/// The same, where the text is empty; whether it is there.
fn required_text(faults: &mut Faults, path: &Path<'_>, value: &str, what: &str) -> bool {
    if value.is_empty() {
        required(faults, path, what);
    }
    !value.is_empty()
}

/// API server: `FieldValueInvalid`, with the value as it is written.
fn invalid<'f>(
    faults: &'f mut Faults,
    path: &Path<'_>,
    value: impl Display,
    rule: &str,
) -> &'f mut Fault {
    faults.error(path, format!("invalid value {value}: {rule}"))
}

/// The same for text, in quotes and not without end.
fn invalid_text<'f>(
    faults: &'f mut Faults,
    path: &Path<'_>,
    value: &str,
    rule: &str,
) -> &'f mut Fault {
    invalid(faults, path, quoted(value), rule)
}

/// What a format says of a text.
fn format(
    faults: &mut Faults,
    path: &Path<'_>,
    value: &str,
    rule: impl Fn(&str) -> Option<String>,
) {
    if let Some(rule) = rule(value) {
        invalid_text(faults, path, value, &rule);
    }
}

/// The same, where empty text means that nothing is said.
fn format_if_said(
    faults: &mut Faults,
    path: &Path<'_>,
    value: Option<&String>,
    rule: impl Fn(&str) -> Option<String>,
) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        format(faults, path, value, rule);
    }
}

/// API server: `FieldValueDuplicate`.
fn duplicate<'f>(faults: &'f mut Faults, path: &Path<'_>, value: impl Display) -> &'f mut Fault {
    faults.error(path, format!("duplicate value {value}"))
}

/// API server: `FieldValueForbidden`.
fn forbidden<'f>(faults: &'f mut Faults, path: &Path<'_>, why: &str) -> &'f mut Fault {
    faults.error(path, format!("forbidden: {why}"))
}

/// API server: `FieldValueNotFound`, for a name among these.
fn not_found<'f, 'n>(
    faults: &'f mut Faults,
    path: &Path<'_>,
    name: &str,
    among: &str,
    known: impl Iterator<Item = &'n str>,
) -> &'f mut Fault {
    let fault = faults.error(
        path,
        format!("not found: {} is not in {among}", quoted(name)),
    );
    if let Some(near) = super::suggest::nearest(name, known) {
        fault.hint(format!("did you mean `{near}`?"));
    }
    fault
}

/// API server: `FieldValueNotSupported`. An empty value means the default.
fn one_of(faults: &mut Faults, path: &Path<'_>, value: Option<&String>, all: &[&str]) {
    if let Some(value) = value.filter(|v| !v.is_empty()) {
        must_be_one_of(faults, path, value, all);
    }
}

/// The same, where there is no default.
fn must_be_one_of(faults: &mut Faults, path: &Path<'_>, value: &str, all: &[&str]) {
    if all.contains(&value) {
        return;
    }
    let known = all.join(", ");
    let message = format!(
        "unsupported value {}: must be one of {known}",
        quoted(value)
    );
    let fault = faults.error(path, message);
    if let Some(near) = super::suggest::nearest(value, all.iter().copied()) {
        fault.hint(format!("did you mean `{near}`?"));
    }
}

/// API server: `ValidateNonnegativeField`.
fn not_negative<N: Into<i64>>(faults: &mut Faults, path: &Path<'_>, value: Option<N>) {
    if let Some(value) = value.map(Into::into).filter(|value| *value < 0) {
        invalid(faults, path, value, "must not be below zero");
    }
}

/// A number that has bounds, both of them inside.
fn within(faults: &mut Faults, path: &Path<'_>, value: i64, bounds: (i64, i64)) {
    let (least, most) = bounds;
    if value < least || value > most {
        let rule = format!("must be between {least} and {most}");
        invalid(faults, path, value, &rule);
    }
}

/// In quotes, cut where nobody reads on.
pub(super) fn quoted(value: &str) -> String {
    const SHOWN: usize = 80;
    if value.chars().count() <= SHOWN {
        return format!("{value:?}");
    }
    let begin: String = value.chars().take(SHOWN).collect();
    format!("{begin:?}...")
}
