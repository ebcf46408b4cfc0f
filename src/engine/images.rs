//! Images: what one says of itself, loading one, pulling one.
//!
//! Not here: when to pull (`driver::images`).

use std::collections::HashMap;

use bollard::auth::DockerCredentials;
use bollard::query_parameters::{
    CreateImageOptionsBuilder, ImportImageOptions, ListImagesOptionsBuilder, RemoveImageOptions,
};
use futures_util::StreamExt;

use super::{Engine, EngineError, credentials, pull_secrets};
use crate::spec::{Data, ImageFacts, image};

/// How far a pull is: one layer of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullProgress {
    /// The layer; empty: the image.
    pub layer: String,
    /// `Downloading`, `Extracting`, `Pull complete`.
    pub status: String,
    /// Bytes done, where the engine says.
    pub current: Option<u64>,
    /// Bytes in all, where the engine says.
    pub total: Option<u64>,
}

/// Why nobody pulls an image for a pod that is kept alive.
const NO_LOGIN: &str = "it is not on the engine any more, and the pod has no imagePullSecrets for it; `podctl up` pulls it with your own login";

/// By whose login an image is pulled.
#[derive(Debug, Clone)]
pub struct Logins<'a> {
    /// The Secrets that the pod brings for that. They are tried first, one after the other.
    pub secrets: Vec<&'a Data>,
    /// The client's own is tried after them; or none, where it has none.
    pub own: bool,
}

impl Engine {
    /// Removes the images with this label that have no name and no container. What cannot be removed stays.
    pub async fn remove_unnamed_images(&self, label: &str) {
        let filters = HashMap::from([
            ("label".to_owned(), vec![label.to_owned()]),
            ("dangling".to_owned(), vec!["true".to_owned()]),
        ]);
        let options = ListImagesOptionsBuilder::default()
            .filters(&filters)
            .build();
        let list = self.ask(self.docker.list_images(Some(options))).await;
        for image in list.unwrap_or_default() {
            let removed = self
                .docker
                .remove_image(&image.id, None::<RemoveImageOptions>, None);
            let _ = self.ask(removed).await;
        }
    }

    /// Facts about an image; `None`: the engine does not have it.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn image_facts(&self, reference: &str) -> Result<Option<ImageFacts>, EngineError> {
        let image = match self
            .docker
            .inspect_image(reference)
            .await
            .map_err(|e| self.error(e))
        {
            Ok(image) => image,
            Err(error) if error.status() == Some(404) => return Ok(None),
            Err(error) => return Err(error),
        };
        let config = image.config.unwrap_or_default();
        Ok(Some(ImageFacts {
            id: super::look::image_id(&image.id.unwrap_or_default()),
            entrypoint: config.entrypoint.unwrap_or_default(),
            cmd: config.cmd.unwrap_or_default(),
            stop_signal: config.stop_signal.unwrap_or_default(),
        }))
    }

    /// Loads images from an archive as `docker save` makes it.
    ///
    /// # Errors
    /// When the engine refuses it.
    pub async fn load_image(&self, archive: Vec<u8>) -> Result<(), EngineError> {
        let body = bollard::body_full(archive.into());
        let mut answers = self
            .docker
            .import_image(ImportImageOptions::default(), body, None);
        while let Some(answer) = answers.next().await {
            let answer = answer.map_err(|error| self.error(error))?;
            if let Some(message) = answer.error_detail.and_then(|detail| detail.message) {
                return Err(EngineError::Refused {
                    status: 500,
                    message,
                });
            }
        }
        Ok(())
    }

    /// Pulls an image, and tells how far it is. Nothing is tried twice with one login: a registry that refuses is quoted.
    ///
    /// # Errors
    /// When the registry, or the engine, refuses; and when there is no login to try: [`EngineError::Pull`].
    pub async fn pull(
        &self,
        reference: &str,
        logins: &Logins<'_>,
        mut tell: impl FnMut(PullProgress),
    ) -> Result<(), EngineError> {
        let mut refused = None;
        for login in pull_secrets::find(reference, &logins.secrets) {
            match self.pull_as(reference, Some(login), &mut tell).await {
                Err(EngineError::Refused { message, .. }) => refused = Some(message),
                end => return end,
            }
        }
        let quoted = |message| format!("with the pod's own imagePullSecrets: {message}");
        if !logins.own {
            let image = reference.to_owned();
            let message = refused.map_or_else(|| NO_LOGIN.to_owned(), quoted);
            return Err(EngineError::Pull { image, message });
        }
        let found = credentials::find(image::registry(reference)).await;
        let pulled = self.pull_as(reference, found.credentials, &mut tell).await;
        let complaints = refused.map(quoted).into_iter().chain(found.complaint);
        let complaints: Vec<String> = complaints.collect();
        pulled.map_err(|error| with_complaints(error, &complaints))
    }

    async fn pull_as(
        &self,
        reference: &str,
        login: Option<DockerCredentials>,
        tell: &mut impl FnMut(PullProgress),
    ) -> Result<(), EngineError> {
        let tagged = image::with_tag(reference);
        let options = CreateImageOptionsBuilder::default()
            .from_image(&tagged)
            .build();
        let mut answers = self.docker.create_image(Some(options), None, login);
        while let Some(answer) = answers.next().await {
            let answer = answer.map_err(|error| self.error(error))?;
            let detail = answer.progress_detail.unwrap_or_default();
            tell(PullProgress {
                layer: answer.id.unwrap_or_default(),
                status: answer.status.unwrap_or_default(),
                current: detail.current.and_then(|bytes| u64::try_from(bytes).ok()),
                total: detail.total.and_then(|bytes| u64::try_from(bytes).ok()),
            });
        }
        Ok(())
    }
}

fn with_complaints(error: EngineError, complaints: &[String]) -> EngineError {
    match error {
        EngineError::Refused { status, message } if !complaints.is_empty() => {
            EngineError::Refused {
                status,
                message: format!("{message} ({})", complaints.join("; ")),
            }
        }
        error => error,
    }
}
