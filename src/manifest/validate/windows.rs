//! Rules for what Windows has, and for what a pod of Windows may not have. podctl runs none; a manifest may still be wrong.
//!
//! Not here: which system a pod is for (`pod`).

use k8s_openapi::api::core::v1::{PodSpec, WindowsSecurityContextOptions};

use super::{forbidden, format, invalid_text, names, required};
use crate::manifest::path::Path;
use crate::manifest::problem::Faults;

/// API server: `validateWindowsSecurityContextOptions`.
pub(super) fn options(
    options: &WindowsSecurityContextOptions,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    const SPEC_MAX: usize = 64 * 1024;
    if let Some(name) = &options.gmsa_credential_spec_name {
        format(
            faults,
            &path.field("gmsaCredentialSpecName"),
            name,
            names::dns_subdomain,
        );
    }
    if let Some(spec) = &options.gmsa_credential_spec {
        let here = path.field("gmsaCredentialSpec");
        if spec.is_empty() {
            invalid_text(faults, &here, spec, "must not be empty");
        } else if spec.len() > SPEC_MAX {
            invalid_text(faults, &here, spec, "must be at most 64 KiB");
        }
    }
    if let Some(name) = &options.run_as_user_name {
        format(faults, &path.field("runAsUserName"), name, user);
    }
}

/// `DOMAIN\user`.
fn user(name: &str) -> Option<String> {
    const BAD: &str = "\"/\\:;|=,+*?<>@[]";
    if name.is_empty() {
        return Some("must not be empty".to_owned());
    }
    if name.chars().any(char::is_control) {
        return Some("must have no control characters".to_owned());
    }
    let (domain, user) = name.split_once('\\').unwrap_or(("", name));
    if user.contains('\\') {
        return Some("must have one `\\` at most".to_owned());
    }
    if name.contains('\\') && (domain.is_empty() || domain.len() > 256) {
        return Some("the domain must be 1 to 256 characters".to_owned());
    }
    if user.is_empty() || user.len() > 104 {
        return Some("the user must be 1 to 104 characters".to_owned());
    }
    if user.chars().all(|c| matches!(c, '.' | ' ')) {
        return Some("the user must not be dots and blanks alone".to_owned());
    }
    user.contains(|c| BAD.contains(c))
        .then(|| format!("the user must have none of {BAD}"))
}

/// API server: `validateOS`, `validateWindows`.
pub(super) fn os(spec: &PodSpec, path: &Path<'_>, faults: &mut Faults) {
    let Some(os) = &spec.os else { return };
    let here = path.field("os");
    let here = here.field("name");
    if os.name.is_empty() {
        required(faults, &here, "linux or windows");
        return;
    }
    super::must_be_one_of(faults, &here, &os.name, &["linux", "windows"]);
    if os.name != "windows" {
        return;
    }
    let fields = [
        ("hostPID", spec.host_pid == Some(true)),
        ("hostIPC", spec.host_ipc == Some(true)),
        ("hostUsers", spec.host_users.is_some()),
        (
            "shareProcessNamespace",
            spec.share_process_namespace == Some(true),
        ),
    ];
    not_there(&fields, path, faults);
    if let Some(context) = &spec.security_context {
        let fields = [
            ("appArmorProfile", context.app_armor_profile.is_some()),
            ("seLinuxOptions", context.se_linux_options.is_some()),
            ("seccompProfile", context.seccomp_profile.is_some()),
            ("fsGroup", context.fs_group.is_some()),
            (
                "fsGroupChangePolicy",
                context.fs_group_change_policy.is_some(),
            ),
            (
                "sysctls",
                context
                    .sysctls
                    .as_ref()
                    .is_some_and(|list| !list.is_empty()),
            ),
            ("runAsUser", context.run_as_user.is_some()),
            ("runAsGroup", context.run_as_group.is_some()),
            ("supplementalGroups", context.supplemental_groups.is_some()),
            (
                "supplementalGroupsPolicy",
                context.supplemental_groups_policy.is_some(),
            ),
        ];
        not_there(&fields, &path.field("securityContext"), faults);
    }
}

/// Fields that a pod of Windows does not have.
pub(super) fn not_there(fields: &[(&str, bool)], path: &Path<'_>, faults: &mut Faults) {
    for (field, is_there) in fields {
        if *is_there {
            forbidden(
                faults,
                &path.field(field),
                "a pod of Windows does not have it",
            );
        }
    }
}
