//! Image references, as Docker normalises them.
//!
//! Not here: pulling.

/// The tag or digest that a reference means: `busybox` means `busybox:latest`.
#[must_use]
pub fn with_tag(reference: &str) -> String {
    let last = reference.rsplit('/').next().unwrap_or(reference);
    if last.contains(':') || last.contains('@') {
        reference.to_owned()
    } else {
        format!("{reference}:latest")
    }
}

/// Whether the reference means the tag `latest`, for which the API server's default pull policy is `Always`.
#[must_use]
pub fn is_latest(reference: &str) -> bool {
    let tagged = with_tag(reference);
    !tagged.contains('@') && tagged.ends_with(":latest")
}

/// The registry of references that name none.
pub const DOCKER_HUB: &str = "docker.io";

/// The registry that a reference is pulled from: `docker.io` when it names none
/// (Docker: the first part is a registry when it holds a dot or a colon, or is `localhost`).
#[must_use]
pub fn registry(reference: &str) -> &str {
    match reference.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => first,
        _ => DOCKER_HUB,
    }
}

/// Registry and path of a reference: `docker.io/library/busybox` of `busybox:1`.
#[must_use]
pub fn repository(reference: &str) -> String {
    let named = reference.split('@').next().unwrap_or(reference);
    let tag = named.rfind(':').filter(|at| !named[*at..].contains('/'));
    let named = tag.map_or(named, |at| &named[..at]);
    let registry = registry(reference);
    let path = named.strip_prefix(registry).unwrap_or(named);
    let path = path.trim_start_matches('/');
    if registry == DOCKER_HUB && !path.contains('/') {
        format!("{registry}/library/{path}")
    } else {
        format!("{registry}/{path}")
    }
}

/// Whether Docker reads it as the name of an image (distribution: `reference`): a registry, parts in lower case, a tag, a
/// digest.
#[must_use]
pub fn is_valid(reference: &str) -> bool {
    let (rest, digest) = match reference.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (reference, None),
    };
    let colon = rest.rfind(':').filter(|at| !rest[*at..].contains('/'));
    let (path, tag) = match colon {
        Some(at) if rest[..at].contains('/') || !rest[..at].is_empty() => {
            (&rest[..at], Some(&rest[at + 1..]))
        }
        _ => (rest, None),
    };
    let path = match path.split_once('/') {
        Some((first, path)) if is_registry(first) => {
            if !is_host(first) {
                return false;
            }
            path
        }
        _ => path,
    };
    path.split('/').all(is_part) && tag.is_none_or(is_tag) && digest.is_none_or(is_digest)
}

fn is_registry(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost" || first.to_lowercase() != first
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !name.is_empty() && !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    };
    let label = |label: &str| {
        let inner = label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-');
        inner && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    let address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let is_address = address.is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
    (is_address || name.split('.').all(label))
        && port.is_none_or(|port| port.bytes().all(|b| b.is_ascii_digit()) && !port.is_empty())
}

/// Letters and digits, with `.`, `_`, `__` or dashes between them.
fn is_part(part: &str) -> bool {
    let is_plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = part.as_bytes();
    let ends = bytes.first().is_some_and(is_plain) && bytes.last().is_some_and(is_plain);
    let mut separators = bytes.split(is_plain).filter(|between| !between.is_empty());
    ends && separators
        .all(|between| matches!(between, b"." | b"_" | b"__") || between.iter().all(|b| *b == b'-'))
}

fn is_tag(tag: &str) -> bool {
    const LONGEST: usize = 128;
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    (1..=LONGEST).contains(&tag.len()) && tag.bytes().all(inner) && !tag.starts_with(['.', '-'])
}

fn is_digest(digest: &str) -> bool {
    const SHORTEST: usize = 32;
    digest.split_once(':').is_some_and(|(kind, hash)| {
        let known_length = match kind {
            "sha256" => Some(64),
            "sha512" => Some(128),
            _ => None,
        };
        let kind = kind
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+._-".contains(&b));
        let is_hash = hash.bytes().all(|b| b.is_ascii_hexdigit()) && hash.len() >= SHORTEST;
        kind && is_hash && known_length.is_none_or(|length| hash.len() == length)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_images_are_those_that_docker_reads() {
        let digest = format!("a@sha256:{}", "0".repeat(64));
        for name in [
            "busybox",
            "busybox:1.36",
            "library/busybox",
            "127.0.0.1:5000/a/b__c:x_1",
            "localhost/a-b.c",
            "Registry.Example/a",
            "[::1]:5000/a",
            digest.as_str(),
        ] {
            assert!(is_valid(name), "{name}");
        }
        for name in [
            "",
            "Bad//Name",
            "UPPER",
            "a b",
            "busybox:",
            "busybox:latest:x",
            "busybox@sha256:zz",
            "http://x/y",
            "a/",
            "/a",
            "a___b",
            "-a",
            "a:.x",
        ] {
            assert!(!is_valid(name), "{name}");
        }
    }

    #[test]
    fn a_reference_without_tag_means_latest() {
        assert_eq!(with_tag("busybox"), "busybox:latest");
        assert_eq!(with_tag("localhost:5000/a"), "localhost:5000/a:latest");
        assert_eq!(with_tag("a:1"), "a:1");
        assert_eq!(with_tag("a@sha256:00"), "a@sha256:00");
        assert!(is_latest("busybox"));
        assert!(is_latest("busybox:latest"));
        assert!(!is_latest("busybox:1"));
        assert!(!is_latest("busybox@sha256:00"));
    }

    #[test]
    fn the_registry_is_docker_hub_unless_named() {
        assert_eq!(registry("busybox"), "docker.io");
        assert_eq!(registry("library/busybox"), "docker.io");
        assert_eq!(registry("localhost/busybox"), "localhost");
        assert_eq!(registry("127.0.0.1:5000/a:1"), "127.0.0.1:5000");
    }
}
