//! `--publish`, as docker has it: `[[ADDRESS:]HOST:]POD[/PROTOCOL]`.
//!
//! Not here: `hostPort` of a manifest.

use crate::spec::{Protocol, Publish};

/// Reads one.
///
/// # Errors
/// When it is none.
pub fn parse(text: &str) -> Result<Publish, String> {
    let wrong = || format!("`{text}` is no port: write 8080:80, 127.0.0.1:8080:80/udp or 80");
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (rest, container) = match ports.rsplit_once(':') {
        Some((rest, container)) => (Some(rest), container),
        None => (None, ports),
    };
    let (host_ip, host) = match rest {
        None => ("", ""),
        Some(rest) => match rest.rsplit_once(':') {
            Some((ip, host)) => (ip.trim_start_matches('[').trim_end_matches(']'), host),
            None => ("", rest),
        },
    };
    if !host_ip.is_empty() && host_ip.parse::<std::net::IpAddr>().is_err() {
        return Err(wrong());
    }
    let port = |text: &str| text.parse::<u16>().map_err(|_| wrong());
    Ok(Publish {
        host_ip: host_ip.to_owned(),
        host_port: if host.is_empty() { 0 } else { port(host)? },
        container_port: port(container)
            .ok()
            .filter(|port| *port != 0)
            .ok_or_else(wrong)?,
        protocol: Protocol::parse(protocol).ok_or_else(wrong)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_as_docker_does() {
        let read =
            |text| parse(text).map(|p| (p.host_ip, p.host_port, p.container_port, p.protocol));
        assert_eq!(read("80"), Ok((String::new(), 0, 80, Protocol::Tcp)));
        assert_eq!(
            read("8080:80"),
            Ok((String::new(), 8080, 80, Protocol::Tcp))
        );
        assert_eq!(
            read("127.0.0.1:8080:80/udp"),
            Ok(("127.0.0.1".into(), 8080, 80, Protocol::Udp))
        );
        assert_eq!(
            read("127.0.0.1::80"),
            Ok(("127.0.0.1".into(), 0, 80, Protocol::Tcp))
        );
        assert_eq!(
            read("[::1]:8080:80"),
            Ok(("::1".into(), 8080, 80, Protocol::Tcp))
        );
        for bad in [
            "",
            "a",
            "80:",
            "80:0",
            "8080:80/icmp",
            "localhost:80:80",
            "70000:80",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
