//! One volume of a pod, described.
//!
//! Not here: what is in it; a Secret's content least of all.

use k8s_openapi::api::core::v1;

use super::text::Text;

pub(super) fn describe(text: &mut Text, volume: &v1::Volume) {
    text.title(2, &volume.name);
    let mut lines = Vec::new();
    if let Some(empty_dir) = &volume.empty_dir {
        let limit = empty_dir.size_limit.as_ref().map(|limit| limit.0.clone());
        lines = vec![
            (
                4,
                "Type",
                "EmptyDir (a temporary directory that shares a pod's lifetime)".to_owned(),
            ),
            (4, "Medium", empty_dir.medium.clone().unwrap_or_default()),
            (
                4,
                "SizeLimit",
                limit.unwrap_or_else(|| "<unset>".to_owned()),
            ),
        ];
    } else if let Some(host_path) = &volume.host_path {
        lines = vec![
            (
                4,
                "Type",
                "HostPath (bare host directory volume)".to_owned(),
            ),
            (4, "Path", host_path.path.clone()),
            (
                4,
                "HostPathType",
                host_path.type_.clone().unwrap_or_default(),
            ),
        ];
    } else if let Some(config_map) = &volume.config_map {
        let optional = config_map.optional.unwrap_or_default();
        lines = vec![
            (
                4,
                "Type",
                "ConfigMap (a volume populated by a ConfigMap)".to_owned(),
            ),
            (4, "Name", config_map.name.clone()),
            (4, "Optional", optional.to_string()),
        ];
    } else if let Some(secret) = &volume.secret {
        let optional = secret.optional.unwrap_or_default();
        lines = vec![
            (
                4,
                "Type",
                "Secret (a volume populated by a Secret)".to_owned(),
            ),
            (
                4,
                "SecretName",
                secret.secret_name.clone().unwrap_or_default(),
            ),
            (4, "Optional", optional.to_string()),
        ];
    }
    text.block(&lines);
}
