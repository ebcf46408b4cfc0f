//! Rules for `securityContext`, of a container and of the pod.
//!
//! Not here: what an engine makes of it, Windows (`windows`).

use std::collections::HashSet;

use k8s_openapi::api::core::v1::{
    AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext,
};

use super::{
    duplicate, forbidden, format, invalid, invalid_text, must_be_one_of, names, one_of, quoted,
    required, required_text, windows, within,
};
use crate::manifest::path::Path;
use crate::manifest::problem::Faults;

/// Of users and groups (apimachinery: `IsValidUserID`).
const IDS: (i64, i64) = (0, i32::MAX as i64);

/// API server: `ValidateSecurityContext`.
pub(super) fn of_container(
    context: &SecurityContext,
    spec: &PodSpec,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    for (field, id) in [
        ("runAsUser", context.run_as_user),
        ("runAsGroup", context.run_as_group),
    ] {
        if let Some(id) = id {
            within(faults, &path.field(field), id, IDS);
        }
    }
    if let Some(mount) = context.proc_mount.as_deref() {
        let here = path.field("procMount");
        must_be_one_of(faults, &here, mount, &["Default", "Unmasked"]);
        if mount == "Unmasked" && spec.host_users != Some(false) {
            let rule = "needs `hostUsers: false`";
            invalid_text(faults, &here, mount, rule);
        }
    }
    escalation(context, path, faults);
    profiles(
        context.seccomp_profile.as_ref(),
        context.app_armor_profile.as_ref(),
        path,
        faults,
    );
    if let Some(options) = &context.windows_options {
        windows::options(options, &path.field("windowsOptions"), faults);
    }
    let of_windows = spec.os.as_ref().is_some_and(|os| os.name == "windows");
    if of_windows {
        let fields = [
            ("seLinuxOptions", context.se_linux_options.is_some()),
            ("seccompProfile", context.seccomp_profile.is_some()),
            ("appArmorProfile", context.app_armor_profile.is_some()),
            ("capabilities", context.capabilities.is_some()),
            (
                "readOnlyRootFilesystem",
                context.read_only_root_filesystem.is_some(),
            ),
            ("privileged", context.privileged.is_some()),
            (
                "allowPrivilegeEscalation",
                context.allow_privilege_escalation.is_some(),
            ),
            ("procMount", context.proc_mount.is_some()),
            ("runAsUser", context.run_as_user.is_some()),
            ("runAsGroup", context.run_as_group.is_some()),
        ];
        windows::not_there(&fields, path, faults);
    }
}

fn escalation(context: &SecurityContext, path: &Path<'_>, faults: &mut Faults) {
    if context.allow_privilege_escalation != Some(false) {
        return;
    }
    if context.privileged == Some(true) {
        let rule = "`allowPrivilegeEscalation: false` contradicts `privileged: true`";
        invalid(faults, path, "{...}", rule);
    }
    let added = context.capabilities.as_ref().and_then(|c| c.add.as_ref());
    if added.is_some_and(|add| add.iter().any(|c| c == "CAP_SYS_ADMIN")) {
        let rule = "`allowPrivilegeEscalation: false` contradicts the capability CAP_SYS_ADMIN";
        invalid(faults, path, "{...}", rule);
    }
}

/// API server: `validateSeccompProfileField`, `ValidateAppArmorProfileField`.
fn profiles(
    seccomp: Option<&SeccompProfile>,
    app_armor: Option<&AppArmorProfile>,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    const TYPES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];
    if let Some(profile) = seccomp {
        let here = path.field("seccompProfile");
        if required_text(faults, &here.field("type"), &profile.type_, "its kind") {
            must_be_one_of(faults, &here.field("type"), &profile.type_, &TYPES);
        }
        let file = profile.localhost_profile.as_deref();
        let at = here.field("localhostProfile");
        match (profile.type_.as_str(), file) {
            ("Localhost", None) => {
                required(faults, &at, "the profile's file, for the type is Localhost");
            }
            ("Localhost", Some(file)) => format(faults, &at, file, names::inner_path),
            (_, Some(file)) => {
                invalid_text(faults, &at, file, "is for the type Localhost only");
            }
            (_, None) => {}
        }
    }
    let Some(profile) = app_armor else { return };
    let here = path.field("appArmorProfile");
    if required_text(faults, &here.field("type"), &profile.type_, "its kind") {
        must_be_one_of(faults, &here.field("type"), &profile.type_, &TYPES);
    }
    let name = profile.localhost_profile.as_deref();
    let at = here.field("localhostProfile");
    match (profile.type_.as_str(), name) {
        ("Localhost", None) => {
            required(faults, &at, "the profile's name, for the type is Localhost");
        }
        ("Localhost", Some(name)) if name.trim().is_empty() => {
            required(faults, &at, "the profile's name, for the type is Localhost");
        }
        ("Localhost", Some(name)) if name.trim() != name => {
            invalid_text(faults, &at, name, "must not begin or end with white space");
        }
        ("Localhost", _) | (_, None) => {}
        (_, Some(name)) => {
            invalid_text(faults, &at, name, "is for the type Localhost only");
        }
    }
}

/// API server: `ValidatePodSecurityContext`.
pub(super) fn of_pod(
    context: &PodSecurityContext,
    spec: &PodSpec,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    for (field, id) in [
        ("runAsUser", context.run_as_user),
        ("runAsGroup", context.run_as_group),
        ("fsGroup", context.fs_group),
    ] {
        if let Some(id) = id {
            within(faults, &path.field(field), id, IDS);
        }
    }
    let groups = path.field("supplementalGroups");
    for (i, group) in context.supplemental_groups.iter().flatten().enumerate() {
        within(faults, &groups.index(i), *group, IDS);
    }
    let choices: [(&str, Option<&String>, &[&str]); 3] = [
        (
            "supplementalGroupsPolicy",
            context.supplemental_groups_policy.as_ref(),
            &["Merge", "Strict"],
        ),
        (
            "fsGroupChangePolicy",
            context.fs_group_change_policy.as_ref(),
            &["Always", "OnRootMismatch"],
        ),
        (
            "seLinuxChangePolicy",
            context.se_linux_change_policy.as_ref(),
            &["MountOption", "Recursive"],
        ),
    ];
    for (field, value, known) in choices {
        one_of(faults, &path.field(field), value, known);
    }
    sysctls(context, spec, &path.field("sysctls"), faults);
    profiles(
        context.seccomp_profile.as_ref(),
        context.app_armor_profile.as_ref(),
        path,
        faults,
    );
    if let Some(options) = &context.windows_options {
        windows::options(options, &path.field("windowsOptions"), faults);
    }
}

/// API server: `validateSysctls`.
fn sysctls(context: &PodSecurityContext, spec: &PodSpec, path: &Path<'_>, faults: &mut Faults) {
    const IPC: [&str; 4] = ["kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."];
    let mut seen = HashSet::new();
    for (i, sysctl) in context.sysctls.iter().flatten().enumerate() {
        let here = path.index(i);
        let here = here.field("name");
        if !required_text(faults, &here, &sysctl.name, "a name") {
            continue;
        }
        let name = sysctl.name.replace('/', ".");
        if !is_sysctl(&name) {
            let rule = "must be lower case letters, digits, `-`, `_`, in parts between dots";
            invalid_text(faults, &here, &sysctl.name, rule);
        } else if !seen.insert(&sysctl.name) {
            duplicate(faults, &here, quoted(&sysctl.name));
        }
        if spec.host_network == Some(true) && name.starts_with("net.") {
            let rule = "must not be set beside `hostNetwork: true`";
            invalid_text(faults, &here, &sysctl.name, rule);
        }
        if spec.host_ipc == Some(true) && IPC.iter().any(|prefix| name.starts_with(prefix)) {
            let rule = "must not be set beside `hostIPC: true`";
            invalid_text(faults, &here, &sysctl.name, rule);
        }
    }
}

/// API server: `SysctlContainSlashFmt`.
fn is_sysctl(name: &str) -> bool {
    let outer = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let part = |part: &str| {
        let bytes = part.as_bytes();
        bytes.first().copied().is_some_and(outer)
            && bytes.last().copied().is_some_and(outer)
            && bytes.iter().all(|b| outer(*b) || matches!(b, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(part)
}

/// What a pod shares with the machine, and what that forbids (API server: `validateHostUsers`, `ValidatePodSpec`).
pub(super) fn host(spec: &PodSpec, path: &Path<'_>, faults: &mut Faults) {
    if spec.host_pid == Some(true) && spec.share_process_namespace == Some(true) {
        let rule = "must not be true beside `hostPID: true`";
        let here = path.field("shareProcessNamespace");
        invalid(faults, &here, true, rule).called(format!(
            "{}.securityContext.shareProcessNamespace",
            path.trail()
        ));
    }
    if spec.host_users != Some(false) {
        return;
    }
    let why = "must not be true beside `hostUsers: false`";
    for (field, name, is_set) in [
        ("hostNetwork", "hostNetwork", spec.host_network),
        ("hostPID", "HostPID", spec.host_pid),
        ("hostIPC", "HostIPC", spec.host_ipc),
    ] {
        if is_set == Some(true) {
            forbidden(faults, &path.field(field), why).called(format!("{}.{name}", path.trail()));
        }
    }
}
