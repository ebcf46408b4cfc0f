//! Which images are there, and pulling those that are not: before anything is made, but for what a pod lacks later.
//!
//! Not here: how a pull goes (`engine::images`), credentials (`engine::credentials`).

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow};
use futures_util::future::try_join_all;

use super::{Event, Events};
use crate::engine::images::Logins;
use crate::engine::{Engine, EngineError};
use crate::oci::Image;
use crate::spec::{
    Architecture, Data, DataKind, DataRef, Desired, EngineFacts, ImageFacts, Pod, PullPolicy,
};

/// `--pull`: what it says goes for every container; nothing said leaves it to each one's `imagePullPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pull {
    /// `imagePullPolicy`.
    #[default]
    AsTheManifestSays,
    /// Pull what is missing.
    Missing,
    /// Ask the registry each time.
    Always,
    /// Never ask.
    Never,
}

/// The images that a pod names, each once.
#[must_use]
pub fn references(pod: &Pod) -> Vec<String> {
    let mut references: Vec<String> = pod.members().map(|c| c.image.clone()).collect();
    references.sort();
    references.dedup();
    references
}

/// What the engine has of them. Asked for together.
///
/// # Errors
/// When the engine does not answer.
pub async fn find(
    engine: &Engine,
    references: &[String],
) -> Result<BTreeMap<String, Option<ImageFacts>>, EngineError> {
    let one = |reference: &String| {
        let reference = reference.clone();
        async move { Ok((reference.clone(), engine.image_facts(&reference).await?)) }
    };
    Ok(try_join_all(references.iter().map(one))
        .await?
        .into_iter()
        .collect())
}

/// Pulls what is to be pulled, each image once, all together, and gives the facts about all.
///
/// # Errors
/// When an image cannot be had; the first is named with the container that wants it.
pub async fn ensure(
    engine: &Engine,
    desired: &Desired,
    found: BTreeMap<String, Option<ImageFacts>>,
    pull: Pull,
    events: &Events,
) -> anyhow::Result<BTreeMap<String, ImageFacts>> {
    let pod = &desired.pod;
    let one = |(reference, facts): (String, Option<ImageFacts>)| async move {
        let facts = match facts {
            facts if is_pulled(pod, &reference, facts.as_ref(), pull) => {
                let is_there = facts.is_some();
                fetch(engine, desired, &reference, is_there, events).await?
            }
            Some(facts) => facts,
            None => return Err(never(pod, &reference)),
        };
        Ok((reference, facts))
    };
    Ok(try_join_all(found.into_iter().map(one))
        .await?
        .into_iter()
        .collect())
}

/// Whether the image is to be pulled, given what the engine has of it.
#[must_use]
pub fn is_pulled(pod: &Pod, reference: &str, facts: Option<&ImageFacts>, pull: Pull) -> bool {
    match policy(pod, reference, pull) {
        PullPolicy::Always => true,
        PullPolicy::IfNotPresent => facts.is_none(),
        PullPolicy::Never => false,
    }
}

/// Of several containers with one image, the keenest decides.
fn policy(pod: &Pod, reference: &str, pull: Pull) -> PullPolicy {
    match pull {
        Pull::Missing => return PullPolicy::IfNotPresent,
        Pull::Always => return PullPolicy::Always,
        Pull::Never => return PullPolicy::Never,
        Pull::AsTheManifestSays => {}
    }
    let of_image = pod
        .members()
        .filter(|c| c.image == reference)
        .map(|c| c.pull);
    of_image.fold(PullPolicy::Never, |keenest, pull| match (keenest, pull) {
        (PullPolicy::Always, _) | (_, PullPolicy::Always) => PullPolicy::Always,
        (PullPolicy::IfNotPresent, _) | (_, PullPolicy::IfNotPresent) => PullPolicy::IfNotPresent,
        _ => PullPolicy::Never,
    })
}

/// An image that a pod which is kept alive lacks: nothing is pulled but with the pod's own login.
///
/// # Errors
/// When it cannot be had.
pub async fn late(
    engine: &Engine,
    desired: &Desired,
    reference: &str,
) -> Result<ImageFacts, EngineError> {
    if let Some(facts) = engine.image_facts(reference).await? {
        return Ok(facts);
    }
    if !is_pulled(&desired.pod, reference, None, Pull::AsTheManifestSays) {
        return Err(EngineError::no_image(reference));
    }
    let logins = Logins {
        secrets: pull_secrets(desired),
        own: false,
    };
    engine.pull(reference, &logins, |_| {}).await?;
    let vanished = || EngineError::Pull {
        image: reference.to_owned(),
        message: "it is not there after its pull".to_owned(),
    };
    engine.image_facts(reference).await?.ok_or_else(vanished)
}

fn pull_secrets(desired: &Desired) -> Vec<&Data> {
    let names = desired.pod.image_pull_secrets.iter();
    let secret = |name| desired.payload.get(&DataRef::new(DataKind::Secret, name));
    names.filter_map(secret).collect()
}

async fn fetch(
    engine: &Engine,
    desired: &Desired,
    reference: &str,
    is_there: bool,
    events: &Events,
) -> anyhow::Result<ImageFacts> {
    let image = reference.to_owned();
    events.tell(Event::Pulling {
        image: image.clone(),
    });
    let tell = |progress| {
        events.tell(Event::Pull {
            image: image.clone(),
            progress,
        });
    };
    let logins = Logins {
        secrets: pull_secrets(desired),
        own: true,
    };
    let pulled = engine.pull(reference, &logins, tell).await;
    pulled.with_context(|| {
        let remedy = if is_there {
            " (the engine has an image of that name: `--pull missing` uses it)"
        } else {
            ""
        };
        let wanted_by = wanted_by(&desired.pod, reference);
        format!("failed to pull the image `{reference}` of {wanted_by}{remedy}")
    })?;
    events.tell(Event::Pulled {
        image: image.clone(),
    });
    engine
        .image_facts(reference)
        .await?
        .ok_or_else(|| anyhow!("the image `{reference}` is not there after its pull"))
}

fn never(pod: &Pod, reference: &str) -> anyhow::Error {
    anyhow!(
        "the image `{reference}` of {} is not on the engine, and its pull policy is Never: load it, or allow the pull",
        wanted_by(pod, reference)
    )
}

fn wanted_by(pod: &Pod, reference: &str) -> String {
    let names = pod.members().filter(|c| c.image == reference);
    let names: Vec<String> = names.map(|c| format!("`{}`", c.name)).collect();
    format!("container {} of pod `{}`", names.join(", "), pod.key)
}

/// The ids that a pause image may have: its engine's processor is not known yet when they are looked for.
#[must_use]
pub fn pause_images() -> Vec<String> {
    [Architecture::X86_64, Architecture::Aarch64]
        .into_iter()
        .flat_map(|architecture| crate::pause::ids(architecture).clone())
        .collect()
}

/// Loads the pause image into an engine that was found to lack it, and gives the id by which the engine knows it.
///
/// # Errors
/// When the engine cannot take it.
pub async fn ensure_pause_image(
    engine: &Engine,
    facts: &EngineFacts,
    found: &BTreeMap<String, Option<ImageFacts>>,
) -> Result<String, EngineError> {
    let ids = crate::pause::ids(facts.architecture);
    let is_found = |id: &&String| found.get(*id).is_some_and(Option::is_some);
    if let Some(id) = ids.iter().find(is_found) {
        return Ok(id.clone());
    }
    let Image { archive, .. } = crate::pause::image(facts.architecture);
    engine.load_image(archive).await?;
    for id in ids {
        if engine.image_facts(id).await?.is_some() {
            return Ok(id.clone());
        }
    }
    Err(EngineError::Refused {
        status: 404,
        message: "the engine has loaded the image, and does not know it by its id".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::hash::tests::pod;

    fn check(pull: Pull, policies: [PullPolicy; 2], expected: PullPolicy) {
        let mut pod = pod(&["a", "b"]);
        pod.containers[0].pull = policies[0];
        pod.containers[1].pull = policies[1];
        assert_eq!(policy(&pod, "busybox", pull), expected);
    }

    #[test]
    fn the_keenest_policy_of_an_images_containers_decides_unless_the_flag_does() {
        use PullPolicy::{Always, IfNotPresent, Never};
        check(Pull::AsTheManifestSays, [Never, Never], Never);
        check(Pull::AsTheManifestSays, [Never, IfNotPresent], IfNotPresent);
        check(Pull::AsTheManifestSays, [Always, IfNotPresent], Always);
        check(Pull::Never, [Always, Always], Never);
        check(Pull::Missing, [Always, Always], IfNotPresent);
        check(Pull::Always, [Never, Never], Always);
    }
}
