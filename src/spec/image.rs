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

/// The registry that a reference is pulled from: `docker.io` when it names none
/// (Docker: the first part is a registry when it holds a dot or a colon, or is `localhost`).
#[must_use]
pub fn registry(reference: &str) -> &str {
    match reference.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => first,
        _ => "docker.io",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
