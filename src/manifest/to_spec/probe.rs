//! Probes and hooks of a container, with the API server's defaults (`SetDefaults_Probe`, `SetDefaults_HTTPGetAction`).
//!
//! Not here: which containers may have them (`validate::container`).

use k8s_openapi::api::core::v1;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::spec::lifecycle::{Handler, Lifecycle};
use crate::spec::probe::{Check, HttpGet, Probe, Probes};

const DEFAULT_PERIOD: u32 = 10;
const DEFAULT_TIMEOUT: u32 = 1;
const DEFAULT_SUCCESS_THRESHOLD: u32 = 1;
const DEFAULT_FAILURE_THRESHOLD: u32 = 3;

/// The three probes of a container.
pub(super) fn probes(container: &v1::Container) -> Probes {
    let probe = |of: &Option<v1::Probe>| probe(of.as_ref()?, container);
    Probes {
        startup: probe(&container.startup_probe),
        liveness: probe(&container.liveness_probe),
        readiness: probe(&container.readiness_probe),
    }
}

/// The hooks of a container, and the signal that ends it.
pub(super) fn lifecycle(container: &v1::Container) -> Lifecycle {
    let Some(lifecycle) = &container.lifecycle else {
        return Lifecycle::default();
    };
    let hook = |of: &Option<v1::LifecycleHandler>| hook(of.as_ref()?, container);
    Lifecycle {
        post_start: hook(&lifecycle.post_start),
        pre_stop: hook(&lifecycle.pre_stop),
        // Docker knows every name that the API server knows.
        stop_signal: lifecycle.stop_signal.clone(),
    }
}

/// `None`: it asks nothing, which a rule has refused.
fn probe(probe: &v1::Probe, container: &v1::Container) -> Option<Probe> {
    Some(Probe {
        check: check(probe, container)?,
        initial_delay: or_default(probe.initial_delay_seconds, 0).into(),
        period: or_default(probe.period_seconds, DEFAULT_PERIOD).into(),
        timeout: or_default(probe.timeout_seconds, DEFAULT_TIMEOUT).into(),
        success_threshold: or_default(probe.success_threshold, DEFAULT_SUCCESS_THRESHOLD),
        failure_threshold: or_default(probe.failure_threshold, DEFAULT_FAILURE_THRESHOLD),
        grace_period: probe
            .termination_grace_period_seconds
            .and_then(|seconds| u64::try_from(seconds).ok()),
    })
}

/// API server: 0 says as little as nothing.
fn or_default(value: Option<i32>, default: u32) -> u32 {
    let value = value.and_then(|value| u32::try_from(value).ok());
    value.filter(|value| *value != 0).unwrap_or(default)
}

fn check(probe: &v1::Probe, container: &v1::Container) -> Option<Check> {
    if let Some(exec) = &probe.exec {
        Some(Check::Exec(command(exec)))
    } else if let Some(get) = &probe.http_get {
        Some(Check::Http(http_get(get, container)))
    } else if let Some(socket) = &probe.tcp_socket {
        Some(Check::Tcp {
            host: host(socket.host.as_ref()),
            port: port(&socket.port, container),
        })
    } else {
        let grpc = probe.grpc.as_ref()?;
        Some(Check::Grpc {
            port: number(grpc.port),
            service: grpc.service.clone().unwrap_or_default(),
        })
    }
}

/// `None`: it does nothing, which a rule has refused, or asks for a connection, which the table of fields refuses.
fn hook(hook: &v1::LifecycleHandler, container: &v1::Container) -> Option<Handler> {
    if let Some(exec) = &hook.exec {
        Some(Handler::Exec(command(exec)))
    } else if let Some(get) = &hook.http_get {
        Some(Handler::Http(http_get(get, container)))
    } else {
        let seconds = hook.sleep.as_ref()?.seconds;
        Some(Handler::Sleep(u64::try_from(seconds).unwrap_or_default()))
    }
}

fn command(exec: &v1::ExecAction) -> Vec<String> {
    exec.command.clone().unwrap_or_default()
}

fn http_get(get: &v1::HTTPGetAction, container: &v1::Container) -> HttpGet {
    let path = get.path.as_deref().unwrap_or_default();
    let headers = get.http_headers.iter().flatten();
    HttpGet {
        host: host(get.host.as_ref()),
        port: port(&get.port, container),
        // kubelet: `formatURL` puts one slash between the port and a path without any.
        path: if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        },
        https: get.scheme.as_deref() == Some("HTTPS"),
        headers: headers
            .map(|header| (header.name.clone(), header.value.clone()))
            .collect(),
    }
}

fn host(host: Option<&String>) -> Option<String> {
    host.filter(|host| !host.is_empty()).cloned()
}

/// kubelet: `findPortByName`: the container's own port of that name, whatever its protocol. A name that it does not have
/// has been refused (`named_ports`).
fn port(port: &IntOrString, container: &v1::Container) -> u16 {
    match port {
        IntOrString::Int(port) => number(*port),
        IntOrString::String(name) => {
            let mut ports = container.ports.iter().flatten();
            let port = ports.find(|port| port.name.as_ref() == Some(name));
            port.map_or(0, |port| number(port.container_port))
        }
    }
}

fn number(port: i32) -> u16 {
    u16::try_from(port).unwrap_or_default()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A container with these fields, whose port `web` is 8080.
    fn container(fields: Value) -> v1::Container {
        let mut all = json!({"name": "a", "ports": [
            {"name": "dns", "containerPort": 53, "protocol": "UDP"}, {"name": "web", "containerPort": 8080},
        ]});
        if let Value::Object(fields) = fields {
            all.as_object_mut().unwrap().extend(fields);
        }
        serde_json::from_value(all).unwrap()
    }

    /// Everything that is not said has its default.
    fn plain(check: Check) -> Probe {
        Probe {
            check,
            initial_delay: 0,
            period: 10,
            timeout: 1,
            success_threshold: 1,
            failure_threshold: 3,
            grace_period: None,
        }
    }

    fn get(port: u16) -> HttpGet {
        HttpGet {
            host: None,
            port,
            path: "/".into(),
            https: false,
            headers: vec![],
        }
    }

    fn tcp(host: Option<&str>, port: u16) -> Check {
        Check::Tcp {
            host: host.map(str::to_owned),
            port,
        }
    }

    fn read(written: &Value) -> Option<Probe> {
        probes(&container(json!({"livenessProbe": written}))).liveness
    }

    #[test]
    fn a_probe_asks_what_is_written() {
        let check = |written: Value, expected: Check| {
            assert_eq!(read(&written), Some(plain(expected)), "{written}");
        };
        check(
            json!({"exec": {"command": ["a", "b"]}}),
            Check::Exec(vec!["a".into(), "b".into()]),
        );
        check(json!({"httpGet": {"port": 80}}), Check::Http(get(80)));
        check(
            json!({"httpGet": {"port": "web", "path": "", "host": "", "scheme": ""}}),
            Check::Http(get(8080)),
        );
        check(
            json!({"httpGet": {"port": 1, "path": "x?y=z", "host": "h", "scheme": "HTTPS", "httpHeaders": [
                {"name": "B", "value": "1"}, {"name": "A", "value": ""}, {"name": "B", "value": "2"},
            ]}}),
            Check::Http(HttpGet {
                host: Some("h".into()),
                path: "/x?y=z".into(),
                https: true,
                headers: [("B", "1"), ("A", ""), ("B", "2")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .to_vec(),
                ..get(1)
            }),
        );
        check(json!({"tcpSocket": {"port": 80}}), tcp(None, 80));
        check(
            json!({"tcpSocket": {"port": "web", "host": ""}}),
            tcp(None, 8080),
        );
        check(
            json!({"tcpSocket": {"port": "dns", "host": "h"}}),
            tcp(Some("h"), 53),
        );
        for written in [
            json!({"grpc": {"port": 9}}),
            json!({"grpc": {"port": 9, "service": ""}}),
        ] {
            let service = String::new();
            check(written, Check::Grpc { port: 9, service });
        }
        check(
            json!({"grpc": {"port": 9, "service": "s"}}),
            Check::Grpc {
                port: 9,
                service: "s".into(),
            },
        );
        assert_eq!(read(&json!({})), None);
    }

    #[test]
    fn each_probe_is_the_one_that_it_is_called() {
        let probe = |port: u16| json!({"tcpSocket": {"port": port}});
        let container = container(
            json!({"startupProbe": probe(1), "livenessProbe": probe(2), "readinessProbe": probe(3)}),
        );
        let expected = |port| Some(plain(tcp(None, port)));
        assert_eq!(
            probes(&container),
            Probes {
                startup: expected(1),
                liveness: expected(2),
                readiness: expected(3),
            }
        );
    }

    #[test]
    fn hooks_do_what_is_written() {
        let check = |written: Value, expected: Option<Handler>| {
            let one = container(json!({"lifecycle": {"postStart": written}}));
            let other = container(json!({"lifecycle": {"preStop": written}}));
            let (one, other) = (lifecycle(&one), lifecycle(&other));
            assert_eq!(one.post_start, expected, "{written}");
            assert_eq!(other.pre_stop, expected, "{written}");
            assert_eq!((one.pre_stop, other.post_start), (None, None), "{written}");
        };
        check(
            json!({"exec": {"command": ["a"]}}),
            Some(Handler::Exec(vec!["a".into()])),
        );
        check(
            json!({"httpGet": {"port": "web"}}),
            Some(Handler::Http(get(8080))),
        );
        check(json!({"sleep": {"seconds": 5}}), Some(Handler::Sleep(5)));
        check(json!({"sleep": {"seconds": 0}}), Some(Handler::Sleep(0)));
        check(json!({"tcpSocket": {"port": 80}}), None);
        let signal = container(json!({"lifecycle": {"stopSignal": "SIGRTMIN+3"}}));
        assert_eq!(
            lifecycle(&signal).stop_signal.as_deref(),
            Some("SIGRTMIN+3")
        );
        assert_eq!(
            lifecycle(&container(json!({"lifecycle": {}}))),
            Lifecycle::default()
        );
    }

    proptest::proptest! {
        #[test]
        fn a_number_of_a_probe_is_the_one_written_unless_it_is_0(
            numbers in proptest::array::uniform5(0..=i32::MAX),
            zeros in proptest::array::uniform5(proptest::bool::ANY),
            grace_period in proptest::option::of(1..=i64::MAX),
        ) {
            const DEFAULTS: [u64; 5] = [0, 10, 1, 1, 3];
            let written: Vec<i32> =
                numbers.iter().zip(zeros).map(|(n, zero)| if zero { 0 } else { *n }).collect();
            let probe = read(&json!({
                "exec": {"command": ["a"]}, "initialDelaySeconds": written[0], "periodSeconds": written[1],
                "timeoutSeconds": written[2], "successThreshold": written[3], "failureThreshold": written[4],
                "terminationGracePeriodSeconds": grace_period,
            })).unwrap();
            let read = [
                probe.initial_delay, probe.period, probe.timeout,
                probe.success_threshold.into(), probe.failure_threshold.into(),
            ];
            for ((read, written), default) in read.into_iter().zip(written).zip(DEFAULTS) {
                let expected = if written == 0 { default } else { u64::try_from(written).unwrap() };
                proptest::prop_assert_eq!(read, expected);
            }
            proptest::prop_assert_eq!(probe.grace_period.map(|s| i64::try_from(s).unwrap()), grace_period);
        }
    }
}
