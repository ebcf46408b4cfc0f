//! The client's own credentials for a registry, as `docker login` left them; helpers included.
//!
//! Not here: asking a registry; the engine does.

use std::path::Path;

use bollard::auth::DockerCredentials;
use docker_credential::{CredentialRetrievalError, DockerCredential};
use serde::Deserialize;
use std::collections::HashMap;

use super::connect::Environment;
use crate::spec::image;

/// The key of Docker Hub in Docker's configuration.
const INDEX: &str = "https://index.docker.io/v1/";

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// `None`: go on without.
    pub credentials: Option<DockerCredentials>,
    /// Why there are none, where that is no ordinary thing: to be told when the pull fails.
    pub complaint: Option<String>,
}

#[derive(Deserialize, Default)]
struct ConfigFile {
    #[serde(rename = "credsStore", default)]
    store: String,
    #[serde(rename = "credHelpers", default)]
    helpers: HashMap<String, String>,
}

/// Credentials for a registry (`docker.io`, `127.0.0.1:5000`). A helper is a program, and is waited for.
pub async fn find(registry: &str) -> Found {
    let server = if registry == image::DOCKER_HUB {
        INDEX
    } else {
        registry
    }
    .to_owned();
    let found = tokio::task::spawn_blocking(move || read(&server)).await;
    found.unwrap_or_default()
}

fn read(server: &str) -> Found {
    let credentials = |credentials| Found {
        credentials: Some(credentials),
        complaint: None,
    };
    match docker_credential::get_credential(server) {
        Ok(DockerCredential::UsernamePassword(username, password)) => {
            credentials(DockerCredentials {
                username: Some(username),
                password: Some(password),
                serveraddress: Some(server.to_owned()),
                ..Default::default()
            })
        }
        Ok(DockerCredential::IdentityToken(token)) => credentials(DockerCredentials {
            identitytoken: Some(token),
            serveraddress: Some(server.to_owned()),
            ..Default::default()
        }),
        Err(
            CredentialRetrievalError::ConfigNotFound
            | CredentialRetrievalError::NoCredentialConfigured
            // A helper answers so when it has none for this registry.
            | CredentialRetrievalError::HelperFailure { .. },
        ) => Found::default(),
        Err(_) if is_without_config(&Environment::of_process().config) => Found::default(),
        Err(error) => Found { credentials: None, complaint: Some(complaint(server, &error)) },
    }
}

/// Nobody has ever logged in.
fn is_without_config(config: &Path) -> bool {
    !config.join("config.json").exists()
}

fn complaint(server: &str, error: &CredentialRetrievalError) -> String {
    let config = helper(&Environment::of_process().config, server);
    match (error, config) {
        (CredentialRetrievalError::HelperCommunicationError, Some(helper)) => format!(
            "docker-credential-{helper}, which Docker's configuration names, was not found in PATH or did not run; \
             went on without credentials"
        ),
        _ => format!(
            "Docker's credentials for {server} could not be read ({error}); went on without"
        ),
    }
}

fn helper(config: &Path, server: &str) -> Option<String> {
    let text = std::fs::read_to_string(config.join("config.json")).ok()?;
    let file: ConfigFile = serde_json::from_str(&text).ok()?;
    let helper = file.helpers.get(server).cloned().unwrap_or(file.store);
    Some(helper).filter(|helper| !helper.is_empty())
}
