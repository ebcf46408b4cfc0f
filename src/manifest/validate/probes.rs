//! Rules for probes and lifecycle hooks, and for what both of them do.
//!
//! Not here: which containers may have them (`container`).

use k8s_openapi::api::core::v1::{
    Container, ExecAction, HTTPGetAction, Lifecycle, LifecycleHandler, Probe, SleepAction,
    TCPSocketAction,
};

use super::ports::{PORTS, number_or_name};
use super::{
    forbidden, format, invalid, must_be_one_of, names, not_negative, one_of, required, within,
};
use crate::manifest::path::Path;
use crate::manifest::problem::Faults;

/// What a pod says that hooks depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct OfPod<'a> {
    pub(super) grace_period: i64,
    /// `spec.os.name`.
    pub(super) os: &'a str,
}

/// The probes of a container, with what each kind of them forbids.
pub(super) fn probes(container: &Container, path: &Path<'_>, faults: &mut Faults) {
    let kinds = [
        ("livenessProbe", &container.liveness_probe),
        ("readinessProbe", &container.readiness_probe),
        ("startupProbe", &container.startup_probe),
    ];
    for (field, one) in kinds {
        let Some(one) = one else { continue };
        let here = path.field(field);
        probe(one, &here, faults);
        if field == "readinessProbe" {
            if let Some(seconds) = one.termination_grace_period_seconds {
                let rule = "must not be set: a readiness probe ends nothing";
                let here = here.field("terminationGracePeriodSeconds");
                invalid(faults, &here, seconds, rule);
            }
        } else if let Some(threshold) = one.success_threshold.filter(|n| !matches!(n, 0 | 1)) {
            let here = here.field("successThreshold");
            invalid(faults, &here, threshold, "must be 1");
        }
    }
}

/// API server: `validateProbe`.
fn probe(probe: &Probe, path: &Path<'_>, faults: &mut Faults) {
    let handler = Handler {
        exec: probe.exec.as_ref(),
        http_get: probe.http_get.as_ref(),
        tcp_socket: probe.tcp_socket.as_ref(),
        grpc: probe.grpc.as_ref().map(|grpc| grpc.port),
        sleep: None,
    };
    handle(&handler, 0, path, faults);
    for (field, value) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ] {
        not_negative(faults, &path.field(field), value);
    }
    if let Some(seconds) = probe.termination_grace_period_seconds.filter(|s| *s <= 0) {
        let here = path.field("terminationGracePeriodSeconds");
        invalid(faults, &here, seconds, "must be greater than 0");
    }
}

/// API server: `validateLifecycle`.
pub(super) fn lifecycle(
    lifecycle: &Lifecycle,
    pod: OfPod<'_>,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    for (field, hook) in [
        ("postStart", &lifecycle.post_start),
        ("preStop", &lifecycle.pre_stop),
    ] {
        if let Some(hook) = hook {
            handle(&of_hook(hook), pod.grace_period, &path.field(field), faults);
        }
    }
    let Some(signal) = &lifecycle.stop_signal else {
        return;
    };
    let here = path.field("stopSignal");
    match pod.os {
        "" => {
            forbidden(faults, &here, "`spec.os.name` must be set with it");
        }
        "windows" => must_be_one_of(faults, &here, signal, &["SIGKILL", "SIGTERM"]),
        _ if is_signal(signal) => {}
        _ => must_be_one_of(faults, &here, signal, &["SIGTERM", "SIGQUIT", "SIGINT"]),
    }
}

/// API server: `supportedStopSignalsLinux`.
fn is_signal(name: &str) -> bool {
    const NAMES: [&str; 33] = [
        "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT",
        "KILL", "PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM",
        "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU",
    ];
    let Some(name) = name.strip_prefix("SIG") else {
        return false;
    };
    let real_time = |prefix: &str, most: u32| {
        let n = name.strip_prefix(prefix).map(str::parse::<u32>);
        matches!(n, Some(Ok(n)) if (1..=most).contains(&n))
    };
    matches!(name, "XFSZ" | "RTMIN" | "RTMAX")
        || NAMES.contains(&name)
        || real_time("RTMIN+", 15)
        || real_time("RTMAX-", 14)
}

/// What a probe or a hook does.
struct Handler<'a> {
    exec: Option<&'a ExecAction>,
    http_get: Option<&'a HTTPGetAction>,
    tcp_socket: Option<&'a TCPSocketAction>,
    /// Its port.
    grpc: Option<i32>,
    sleep: Option<&'a SleepAction>,
}

fn of_hook(hook: &LifecycleHandler) -> Handler<'_> {
    Handler {
        exec: hook.exec.as_ref(),
        http_get: hook.http_get.as_ref(),
        tcp_socket: hook.tcp_socket.as_ref(),
        grpc: None,
        sleep: hook.sleep.as_ref(),
    }
}

/// API server: `validateHandler`: one of them; the second and those after it are named.
fn handle(handler: &Handler<'_>, grace_period: i64, path: &Path<'_>, faults: &mut Faults) {
    let mut n_handlers = 0;
    let mut is_first = |field: &str, faults: &mut Faults| {
        n_handlers += 1;
        if n_handlers > 1 {
            let why = "there is one handler, and this is another";
            forbidden(faults, &path.field(field), why);
        }
        n_handlers == 1
    };
    if let Some(exec) = handler.exec
        && is_first("exec", faults)
        && exec.command.as_ref().is_none_or(Vec::is_empty)
    {
        let here = path.field("exec");
        required(faults, &here.field("command"), "a command to run");
    }
    if let Some(get) = handler.http_get
        && is_first("httpGet", faults)
    {
        http_get(get, &path.field("httpGet"), faults);
    }
    if let Some(socket) = handler.tcp_socket
        && is_first("tcpSocket", faults)
    {
        let here = path.field("tcpSocket");
        number_or_name(&socket.port, &here.field("port"), faults);
    }
    if let Some(port) = handler.grpc
        && is_first("grpc", faults)
    {
        let here = path.field("grpc");
        within(faults, &here.field("port"), port.into(), PORTS);
    }
    if let Some(sleep) = handler.sleep
        && is_first("sleep", faults)
        && (sleep.seconds < 0 || sleep.seconds > grace_period)
    {
        let rule = format!("must be between 0 and terminationGracePeriodSeconds ({grace_period})");
        invalid(faults, &path.field("sleep"), sleep.seconds, &rule);
    }
    if n_handlers == 0 {
        required(faults, path, "what to do, such as httpGet or exec");
    }
}

fn http_get(get: &HTTPGetAction, path: &Path<'_>, faults: &mut Faults) {
    number_or_name(&get.port, &path.field("port"), faults);
    one_of(
        faults,
        &path.field("scheme"),
        get.scheme.as_ref(),
        &["HTTP", "HTTPS"],
    );
    let list = path.field("httpHeaders");
    for (i, header) in get.http_headers.iter().flatten().enumerate() {
        let n_before = faults.count();
        let here = list.index(i);
        format(
            faults,
            &here.field("name"),
            &header.name,
            names::header_name,
        );
        faults.call_since(n_before, &list.trail().to_string());
    }
}
