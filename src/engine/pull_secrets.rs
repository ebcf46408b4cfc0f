//! The logins that a pod brings for a registry: Secrets in the form of Docker's configuration (kubelet: `credentialprovider`).
//!
//! Not here: the client's own (`credentials`), pulling (`images`).

use std::cmp::Reverse;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use bollard::auth::DockerCredentials;
use serde::Deserialize;
use wildmatch::WildMatch;

use crate::spec::data::{DOCKER_CONFIG, DOCKER_CONFIG_JSON};
use crate::spec::{Data, image};

/// The host of Docker Hub's logins.
const INDEX: &str = "index.docker.io";

#[derive(Deserialize)]
struct ConfigJson {
    #[serde(default)]
    auths: Auths,
}

/// By address.
type Auths = BTreeMap<String, Login>;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Login {
    /// User and password in Base64; it comes before the other two.
    auth: String,
    username: String,
    password: String,
}

/// The logins that are meant for an image, of Secrets of the types that hold some. Of two addresses the later one in the alphabet comes first,
/// so that one with a path comes before its host (kubelet: the same).
pub(super) fn find(reference: &str, secrets: &[&Data]) -> Vec<DockerCredentials> {
    let repository = image::repository(reference);
    let mut found: Vec<(Reverse<String>, DockerCredentials)> = Vec::new();
    for (address, login) in secrets.iter().flat_map(|secret| read(secret)) {
        let address = bare(&address);
        if is_meant(&address, &repository)
            && let Some(credentials) = login.to_credentials(image::registry(reference))
        {
            found.push((Reverse(address), credentials));
        }
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found.into_iter().map(|(_, login)| login).collect()
}

fn read(secret: &Data) -> Auths {
    let key = |(_, key): (&str, &str)| secret.values.get(key).filter(|_| secret.login);
    let nested = key(DOCKER_CONFIG_JSON).and_then(|text| serde_json::from_slice(text).ok());
    let nested = nested.map(|ConfigJson { auths }| auths);
    let flat = key(DOCKER_CONFIG).and_then(|text| serde_json::from_slice(text).ok());
    nested.or(flat).unwrap_or_default()
}

impl Login {
    fn to_credentials(&self, registry: &str) -> Option<DockerCredentials> {
        let (username, password) = if self.auth.is_empty() {
            (self.username.clone(), self.password.clone())
        } else {
            let text = BASE64.decode(self.auth.trim_end_matches('=')).ok()?;
            let text = String::from_utf8(text).ok()?;
            let (username, password) = text.split_once(':')?;
            // Docker fills it up with zeros.
            let password = password.trim_end_matches('\0');
            (username.to_owned(), password.to_owned())
        };
        Some(DockerCredentials {
            username: Some(username),
            password: Some(password),
            serveraddress: Some(registry.to_owned()),
            ..Default::default()
        })
    }
}

/// `127.0.0.1:5000/shop` of `https://127.0.0.1:5000/v2/shop/`.
fn bare(address: &str) -> String {
    let address = address
        .strip_prefix("https://")
        .or_else(|| address.strip_prefix("http://"))
        .unwrap_or(address);
    let (host, path) = address.split_once('/').unwrap_or((address, ""));
    let of_api = |prefix: &str| path.strip_prefix(prefix);
    let path = of_api("v2/").or_else(|| of_api("v1/")).unwrap_or(path);
    let path = if matches!(path, "v1" | "v2") {
        ""
    } else {
        path
    };
    format!("{host}/{path}").trim_end_matches('/').to_owned()
}

/// Whether a login for this address is one for the repository: each part of its host may hold wildcards, and the path begins alike.
fn is_meant(address: &str, repository: &str) -> bool {
    let (host, path) = address.split_once('/').unwrap_or((address, ""));
    let (registry, rest) = repository.split_once('/').unwrap_or((repository, ""));
    if registry == image::DOCKER_HUB && host == INDEX {
        return rest.starts_with(path);
    }
    let (host, port) = host.split_once(':').unwrap_or((host, ""));
    let (name, of_registry) = registry.split_once(':').unwrap_or((registry, ""));
    let (patterns, parts) = (host.split('.'), name.split('.'));
    port == of_registry
        && patterns.clone().count() == parts.clone().count()
        && patterns
            .zip(parts)
            .all(|(pattern, part)| WildMatch::new(pattern).matches(part))
        && rest.starts_with(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret((_, key): (&str, &str), text: &str) -> Data {
        Data {
            login: true,
            ..Data::new([(key.to_owned(), text.as_bytes().to_vec())])
        }
    }

    fn users(reference: &str, secrets: &[&Data]) -> Vec<String> {
        let found = find(reference, secrets).into_iter();
        found
            .map(|login| {
                let (name, password) = (login.username, login.password);
                format!(
                    "{}:{}",
                    name.unwrap_or_default(),
                    password.unwrap_or_default()
                )
            })
            .collect()
    }

    #[test]
    fn a_login_is_read_in_each_of_its_forms() {
        // dGVzdGVyOnM6dA== is `tester:s:t`.
        for auth in [
            r#""auth":"dGVzdGVyOnM6dA==""#,
            r#""auth":"dGVzdGVyOnM6dA""#,
            r#""username":"tester","password":"s:t""#,
        ] {
            let nested = secret(
                DOCKER_CONFIG_JSON,
                &format!(r#"{{"auths":{{"r.example:5000":{{{auth}}}}}}}"#),
            );
            let flat = secret(
                DOCKER_CONFIG,
                &format!(r#"{{"r.example:5000":{{{auth}}}}}"#),
            );
            for secret in [nested, flat] {
                assert_eq!(users("r.example:5000/a/b:1", &[&secret]), ["tester:s:t"]);
            }
        }
        for broken in ["", "{}", "[]", r#"{"auths":{"r.example":{"auth":"!"}}}"#] {
            assert!(users("r.example/a", &[&secret(DOCKER_CONFIG_JSON, broken)]).is_empty());
        }
        let of_another_type = Data {
            login: false,
            ..secret(DOCKER_CONFIG, r#"{"r.example":{"username":"tester"}}"#)
        };
        assert!(users("r.example/a", &[&of_another_type]).is_empty());
    }

    #[test]
    fn the_login_for_a_path_comes_before_that_for_its_host() {
        let login = |name: &str| format!(r#"{{"username":"{name}","password":""}}"#);
        let (a, b, c) = (login("a"), login("b"), login("c"));
        let text =
            format!(r#"{{"r.example":{a},"https://r.example/v2/team":{b},"r.example/other":{c}}}"#);
        let secret = secret(DOCKER_CONFIG, &text);
        assert_eq!(users("r.example/team/web", &[&secret]), ["b:", "a:"]);
        assert_eq!(users("r.example/web", &[&secret]), ["a:"]);
    }

    #[test]
    fn an_address_may_hold_wildcards_and_means_its_own_port() {
        for (address, reference, meant) in [
            ("r.example", "r.example/a", true),
            ("r.example", "r.example:5000/a", false),
            ("r.example:5000", "r.example:5000/a@sha256:00", true),
            ("*.example", "r.example/a", true),
            ("*.example", "a.r.example/a", false),
            ("*.*.example", "a.r.example/a", true),
            ("r*.example", "r1.example/a", true),
            ("https://index.docker.io/v1/", "busybox", true),
            ("https://index.docker.io/v1/", "shop/web:1", true),
            ("docker.io", "docker.io/shop/web", true),
            ("docker.io/shop", "shop/web", true),
            ("docker.io/shop", "other/web", false),
            ("index.docker.io", "r.example/a", false),
            ("http://r.example/v1", "r.example/a", true),
        ] {
            let found = is_meant(&bare(address), &image::repository(reference));
            assert_eq!(found, meant, "{address} for {reference}");
        }
    }
}
