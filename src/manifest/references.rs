//! What objects say of each other: ConfigMaps, Secrets, keys and claims that must be there.
//!
//! Not here: references inside a pod, such as a mount's volume (`validate`).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, KeyToPath, PodSpec};

use super::objects::Kind;
use super::path::Path;
use super::problem::Faults;
use super::suggest::nearest;
use crate::spec::Data;

/// The objects of one namespace that others refer to: by kind and name, what is in them.
#[derive(Debug, Default)]
pub(super) struct There(BTreeMap<Kind, BTreeMap<String, Data>>);

impl There {
    pub(super) fn add(&mut self, kind: Kind, name: &str, data: Data) {
        self.0
            .entry(kind)
            .or_default()
            .insert(name.to_owned(), data);
    }

    fn get(&self, kind: Kind, name: &str) -> Option<&Data> {
        self.0.get(&kind)?.get(name)
    }
}

/// What is said of an object that is not in the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// It may be on the cluster.
    Warned,
    /// It is to be here.
    Refused,
    /// A document could not be read: it may be in that.
    Unsaid,
}

/// Checks that what a pod names is there.
pub(super) fn check(
    spec: &PodSpec,
    there: &There,
    missing: Missing,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    let mut check = Check {
        there,
        missing,
        faults,
    };
    let list = path.field("volumes");
    for (i, volume) in spec.volumes.iter().flatten().enumerate() {
        let here = list.index(i);
        if let Some(source) = &volume.config_map {
            let at = here.field("configMap");
            let optional = source.optional == Some(true);
            check.object(Kind::ConfigMap, &source.name, optional, &at.field("name"));
            let items = source.items.as_deref().unwrap_or_default();
            check.items(Kind::ConfigMap, &source.name, optional, items, &at);
        }
        if let Some(source) = &volume.secret {
            let at = here.field("secret");
            let optional = source.optional == Some(true);
            let name = source.secret_name.as_deref().unwrap_or_default();
            check.object(Kind::Secret, name, optional, &at.field("secretName"));
            let items = source.items.as_deref().unwrap_or_default();
            check.items(Kind::Secret, name, optional, items, &at);
        }
        if let Some(source) = &volume.persistent_volume_claim {
            let at = here.field("persistentVolumeClaim");
            let (kind, name) = (Kind::PersistentVolumeClaim, &source.claim_name);
            check.object(kind, name, false, &at.field("claimName"));
        }
        let at = here.field("projected");
        let at = at.field("sources");
        let sources = volume.projected.as_ref().and_then(|p| p.sources.as_ref());
        for (j, source) in sources.into_iter().flatten().enumerate() {
            let at = at.index(j);
            if let Some(source) = &source.config_map {
                let at = at.field("configMap");
                let optional = source.optional == Some(true);
                check.object(Kind::ConfigMap, &source.name, optional, &at.field("name"));
                let items = source.items.as_deref().unwrap_or_default();
                check.items(Kind::ConfigMap, &source.name, optional, items, &at);
            }
            if let Some(source) = &source.secret {
                let at = at.field("secret");
                let optional = source.optional == Some(true);
                check.object(Kind::Secret, &source.name, optional, &at.field("name"));
                let items = source.items.as_deref().unwrap_or_default();
                check.items(Kind::Secret, &source.name, optional, items, &at);
            }
        }
    }
    let list = path.field("imagePullSecrets");
    for (i, secret) in spec.image_pull_secrets.iter().flatten().enumerate() {
        check.pull_secret(&secret.name, &list.index(i).field("name"));
    }
    let inits = spec.init_containers.as_deref().unwrap_or_default();
    for (field, containers) in [("initContainers", inits), ("containers", &spec.containers)] {
        let list = path.field(field);
        for (i, container) in containers.iter().enumerate() {
            check.container(container, &list.index(i));
        }
    }
}

/// Whether a variable can hold it.
fn is_text(value: &[u8]) -> bool {
    !value.contains(&0) && std::str::from_utf8(value).is_ok()
}

fn no_text(kind: Kind, name: &str, key: &str) -> String {
    let kind = kind.name();
    format!("invalid value: {key:?} of the {kind} {name:?} is no text, and makes no variable")
}

struct Check<'a> {
    there: &'a There,
    missing: Missing,
    faults: &'a mut Faults,
}

impl Check<'_> {
    fn container(&mut self, container: &Container, path: &Path<'_>) {
        let list = path.field("env");
        for (i, variable) in container.env.iter().flatten().enumerate() {
            let Some(from) = &variable.value_from else {
                continue;
            };
            let here = list.index(i);
            let here = here.field("valueFrom");
            if let Some(source) = &from.config_map_key_ref {
                let at = here.field("configMapKeyRef");
                let optional = source.optional == Some(true);
                self.object(Kind::ConfigMap, &source.name, optional, &at.field("name"));
                self.variable(
                    Kind::ConfigMap,
                    &source.name,
                    optional,
                    &source.key,
                    &at.field("key"),
                );
            }
            if let Some(source) = &from.secret_key_ref {
                let at = here.field("secretKeyRef");
                let optional = source.optional == Some(true);
                self.object(Kind::Secret, &source.name, optional, &at.field("name"));
                self.variable(
                    Kind::Secret,
                    &source.name,
                    optional,
                    &source.key,
                    &at.field("key"),
                );
            }
        }
        let list = path.field("envFrom");
        for (i, from) in container.env_from.iter().flatten().enumerate() {
            let here = list.index(i);
            if let Some(source) = &from.config_map_ref {
                let at = here.field("configMapRef");
                let optional = source.optional == Some(true);
                self.object(Kind::ConfigMap, &source.name, optional, &at.field("name"));
                self.all_variables(Kind::ConfigMap, &source.name, &at.field("name"));
            }
            if let Some(source) = &from.secret_ref {
                let at = here.field("secretRef");
                let optional = source.optional == Some(true);
                self.object(Kind::Secret, &source.name, optional, &at.field("name"));
                self.all_variables(Kind::Secret, &source.name, &at.field("name"));
            }
        }
    }

    /// The API server takes it, and the kubelet makes no container of which a variable is no text.
    fn all_variables(&mut self, kind: Kind, name: &str, path: &Path<'_>) {
        let data = self.there.get(kind, name).into_iter();
        let mut variables = data.flat_map(Data::variables);
        if let Some((key, _)) = variables.find(|(_, value)| !is_text(value)) {
            let fault = self.faults.unsupported(path, no_text(kind, name, key));
            fault.hint("name the others one by one, by `valueFrom`, and mount this one as a file");
        }
    }

    /// One that is missing, or of another form, is no fault (kubelet: it goes on without).
    fn pull_secret(&mut self, name: &str, path: &Path<'_>) {
        const HINT: &str = "without it, images are pulled by the login of whoever runs podctl";
        let data = self.there.get(Kind::Secret, name);
        let is_usable = data.is_some_and(|data| data.login);
        if name.is_empty() || is_usable || (data.is_none() && self.missing == Missing::Unsaid) {
            return;
        }
        if data.is_some() {
            let message = format!(
                "the Secret {name:?} holds no login: its type is not `kubernetes.io/dockerconfigjson`"
            );
            self.faults.warning(path, message).hint(HINT);
        } else {
            let message = format!("not found: no Secret {name:?} in the files given");
            self.faults.warning(path, message).hint(HINT).missing();
        }
    }

    fn object(&mut self, kind: Kind, name: &str, optional: bool, path: &Path<'_>) {
        if optional || name.is_empty() || self.there.get(kind, name).is_some() {
            return;
        }
        let message = format!("not found: no {} {name:?} in the files given", kind.name());
        let fault = match self.missing {
            Missing::Unsaid => return,
            Missing::Warned => self.faults.warning(path, message),
            Missing::Refused => self.faults.error(path, message),
        };
        fault.missing();
        let known = self.there.0.get(&kind).into_iter().flatten();
        match nearest(name, known.map(|(name, _)| name.as_str())) {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None if kind == Kind::PersistentVolumeClaim => fault.hint("give its file too"),
            None => fault.hint("give its file too, or set `optional: true`"),
        };
    }

    fn items(
        &mut self,
        kind: Kind,
        name: &str,
        optional: bool,
        items: &[KeyToPath],
        path: &Path<'_>,
    ) {
        let list = path.field("items");
        for (i, item) in items.iter().enumerate() {
            let here = list.index(i);
            self.key(kind, name, optional, &item.key, &here.field("key"));
        }
    }

    fn key(&mut self, kind: Kind, name: &str, optional: bool, key: &str, path: &Path<'_>) {
        let Some(data) = self.there.get(kind, name) else {
            return;
        };
        if optional || key.is_empty() || data.values.contains_key(key) {
            return;
        }
        let message = format!("not found: the {} {name:?} has no key {key:?}", kind.name());
        let fault = self.faults.error(path, message);
        if let Some(near) = nearest(key, data.values.keys().map(String::as_str)) {
            fault.hint(format!("did you mean `{near}`?"));
        }
    }

    /// kubelet: looks for it in `data` alone.
    fn variable(&mut self, kind: Kind, name: &str, optional: bool, key: &str, path: &Path<'_>) {
        self.key(kind, name, optional, key, path);
        let data = self.there.get(kind, name);
        let value = data.and_then(|data| data.variable(key));
        if value.is_some_and(|value| !is_text(value)) {
            let fault = self.faults.unsupported(path, no_text(kind, name, key));
            fault.hint("mount it as a file, in a volume");
        } else if !optional && data.is_some_and(|data| data.binary.contains(key)) {
            let message = format!(
                "not found: {key:?} is in the `binaryData` of the ConfigMap {name:?}, and makes no variable"
            );
            self.faults.error(path, message);
        }
    }
}
