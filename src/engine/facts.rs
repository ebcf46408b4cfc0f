//! What the engine says of itself.
//!
//! Not here: what follows from it (`translate`).

use super::{Engine, EngineError};
use crate::spec::{ApiVersion, Architecture, EngineFacts};

/// What `podctl version` shows of an engine.
#[derive(Debug, Clone)]
pub struct EngineVersion {
    /// `Docker Engine`, `Podman Engine`.
    pub name: String,
    /// `20.10.24`.
    pub version: String,
    /// `1.41`.
    pub api: String,
    /// `linux/amd64`.
    pub platform: String,
}

impl Engine {
    /// Facts that decide how requests are written. Two calls, made together.
    ///
    /// # Errors
    /// When it does not answer; or when podctl cannot work with it: an API that is too old, a processor without a pause
    /// program.
    pub async fn facts(&self) -> Result<EngineFacts, EngineError> {
        let refuse = |what: String| EngineError::Choice {
            message: format!(
                "podctl cannot work with the engine at {}: {what}",
                self.chosen.endpoint.host
            ),
        };
        let answers = tokio::try_join!(
            self.ask(self.docker.info()),
            self.ask(self.docker.version())
        );
        let (info, version) = match answers {
            Err(EngineError::Refused { status, .. }) if (400..500).contains(&status) => {
                return Err(refuse(format!(
                    "it answers with {status} when it is asked for its version, as no container engine does"
                )));
            }
            answers => answers?,
        };
        let api = version.api_version.unwrap_or_default();
        let api = ApiVersion::parse(&api)
            .ok_or_else(|| refuse(format!("it speaks the API `{api}`, which is no version")))?;
        if api < ApiVersion::OLDEST {
            let oldest = ApiVersion::OLDEST;
            return Err(refuse(format!(
                "it speaks the API {api}, and {oldest} (Docker 20.10) is the oldest"
            )));
        }
        let architecture = info.architecture.or(version.arch).unwrap_or_default();
        let architecture = Architecture::parse(&architecture).ok_or_else(|| {
            refuse(format!("its processor is `{architecture}`, and there are pause programs for x86_64 and aarch64"))
        })?;
        let components = version.components.unwrap_or_default();
        let podman = components
            .iter()
            .any(|component| component.name.contains("Podman"));
        let is_own = cfg!(target_os = "linux") && self.chosen.endpoint.host.starts_with("unix://");
        let options = info.security_options.unwrap_or_default();
        let is_rootless = options.iter().any(|option| option.contains("rootless"));
        let is_virtual = info.operating_system.as_deref() == Some("Docker Desktop");
        Ok(EngineFacts {
            // Podman makes up another each time that it is asked.
            id: if podman { info.name } else { info.id }.unwrap_or_default(),
            api,
            architecture,
            root_dir: info.docker_root_dir.unwrap_or_default(),
            reaches_pods: is_own && !is_rootless && !is_virtual,
            podman,
            log_driver: info.logging_driver.unwrap_or_default(),
        })
    }

    /// Whether it answers. One call.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), EngineError> {
        self.ask(self.docker.ping()).await.map(drop)
    }

    /// What it says of its version. One call.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn version(&self) -> Result<EngineVersion, EngineError> {
        let version = self
            .docker
            .version()
            .await
            .map_err(|error| self.error(error))?;
        let component = version.components.unwrap_or_default().into_iter().next();
        Ok(EngineVersion {
            name: component
                .map(|component| component.name)
                .unwrap_or_default(),
            version: version.version.unwrap_or_default(),
            api: version.api_version.unwrap_or_default(),
            platform: format!(
                "{}/{}",
                version.os.unwrap_or_default(),
                version.arch.unwrap_or_default()
            ),
        })
    }
}
