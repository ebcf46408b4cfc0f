//! Docker's configuration, as far as it names an engine: the current context, and what a context says.
//!
//! Not here: credentials (`credentials`), connecting (`connect`).

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::record::hash::hex;
use sha2::{Digest, Sha256};

/// The context that means: as if there were no contexts.
pub const DEFAULT: &str = "default";

/// Where an engine is, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `unix://`, `tcp://` or `ssh://`.
    pub host: String,
    /// The folder with `ca.pem`, `cert.pem` and `key.pem`; `None`: no TLS.
    pub certificates: Option<PathBuf>,
}

#[derive(Deserialize)]
struct ConfigFile {
    #[serde(rename = "currentContext", default)]
    current_context: String,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Endpoints")]
    endpoints: Endpoints,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: Option<DockerEndpoint>,
}

#[derive(Deserialize)]
struct DockerEndpoint {
    #[serde(rename = "Host", default)]
    host: String,
}

/// `currentContext` of the configuration; `None`: none is chosen, or there is no configuration.
///
/// # Errors
/// A configuration that does not read: it may choose another engine than the default one.
pub fn current(config: &Path) -> Result<Option<String>, String> {
    let path = config.join("config.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        return Ok(None);
    };
    let file: ConfigFile = serde_json::from_str(&text).map_err(|error| {
        let path = path.display();
        format!("Docker's configuration {path}, which may choose an engine, does not read: {error}")
    })?;
    Ok(Some(file.current_context).filter(|name| !name.is_empty()))
}

/// What a context says.
///
/// # Errors
/// One that is not there; the message lists those that are.
pub fn endpoint(config: &Path, name: &str) -> Result<Endpoint, String> {
    let id = hex(&Sha256::digest(name.as_bytes()));
    let meta = config.join("contexts/meta").join(&id).join("meta.json");
    let text = std::fs::read_to_string(&meta).map_err(|_| unknown(config, name))?;
    let meta: Meta = serde_json::from_str(&text)
        .map_err(|error| format!("the context `{name}` of Docker does not read: {error}"))?;
    let host = meta
        .endpoints
        .docker
        .map(|docker| docker.host)
        .unwrap_or_default();
    if host.is_empty() {
        return Err(format!("the context `{name}` of Docker names no engine"));
    }
    let certificates = config.join("contexts/tls").join(&id).join("docker");
    Ok(Endpoint {
        host,
        certificates: certificates.is_dir().then_some(certificates),
    })
}

fn unknown(config: &Path, name: &str) -> String {
    let mut names = known(config);
    names.insert(0, DEFAULT.to_owned());
    format!(
        "there is no context `{name}`; there are: {}",
        names.join(", ")
    )
}

/// The contexts that there are, but for `default`.
#[must_use]
pub fn known(config: &Path) -> Vec<String> {
    let Ok(folders) = std::fs::read_dir(config.join("contexts/meta")) else {
        return Vec::new();
    };
    let mut names: Vec<String> = folders
        .flatten()
        .filter_map(|folder| std::fs::read_to_string(folder.path().join("meta.json")).ok())
        .filter_map(|text| Some(serde_json::from_str::<Meta>(&text).ok()?.name))
        .collect();
    names.sort();
    names
}
