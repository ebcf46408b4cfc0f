//! `grpc`: the health service of a server says that it serves (kubelet: `pkg/probe/grpc`).
//!
//! The message is small enough to be written and read by hand: a request has one text, an answer one number.
//!
//! Not here: TLS, which the kubelet does not ask for either.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2;
use hyper::header::{CONTENT_TYPE, HeaderMap, TE, USER_AGENT};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::{Answer, MOST_TEXT, authority, tcp};

const METHOD: &str = "/grpc.health.v1.Health/Check";
const AGENT: &str = concat!("kube-probe/podctl-", env!("CARGO_PKG_VERSION"));
/// gRPC: `OK`, `UNIMPLEMENTED`, `DEADLINE_EXCEEDED`.
const OK: &str = "0";
const UNIMPLEMENTED: &str = "12";

/// Asks once.
pub(super) async fn ask(ip: &str, port: u16, service: &str, timeout: Duration) -> Answer {
    let address = authority(ip, port);
    let seconds = timeout.as_secs();
    match tokio::time::timeout(timeout, check(ip, port, &address, service)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(reason)) => {
            Answer::failure(format!("failed to connect service {address:?}: {reason}"))
        }
        Err(_) => Answer::failure(format!(
            "timeout: failed to connect service {address:?} within {seconds}s: context deadline exceeded"
        )),
    }
}

async fn check(ip: &str, port: u16, address: &str, service: &str) -> Result<Answer, String> {
    let stream = tcp::connect(ip, port).await?;
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    let request = Request::post(format!("http://{address}{METHOD}"))
        .header(CONTENT_TYPE, "application/grpc")
        .header(TE, "trailers")
        .header(USER_AGENT, AGENT)
        .body(Full::new(Bytes::from(request(service))))
        .map_err(|error| error.to_string())?;
    let response = sender.send_request(request).await;
    let response = response.map_err(|error| error.to_string())?;
    // An answer without a message has its status in the head.
    let head = response.headers().clone();
    let (body, trailers) = read(response.into_body()).await;
    let code = status(&trailers).or_else(|| status(&head));
    Ok(match code.as_deref() {
        Some(OK) | None => serving(&body),
        Some(UNIMPLEMENTED) => Answer::failure(
            "this server does not implement the grpc health protocol (grpc.health.v1.Health)",
        ),
        Some(code) => {
            let message = text(&trailers).or_else(|| text(&head)).unwrap_or_default();
            Answer::failure(format!(
                "health rpc failed with the status {code}: {message}"
            ))
        }
    })
}

fn status(headers: &HeaderMap) -> Option<String> {
    Some(headers.get("grpc-status")?.to_str().ok()?.to_owned())
}

fn text(headers: &HeaderMap) -> Option<String> {
    Some(headers.get("grpc-message")?.to_str().ok()?.to_owned())
}

/// A `HealthCheckRequest` in its frame: not compressed, its length, the field 1 as text.
fn request(service: &str) -> Vec<u8> {
    let mut message = Vec::new();
    if !service.is_empty() {
        message.push(0x0a);
        let mut length = service.len();
        while length >= 0x80 {
            message.push(0x80 | seven_bits(length));
            length >>= 7;
        }
        message.push(seven_bits(length));
        message.extend_from_slice(service.as_bytes());
    }
    let length = u32::try_from(message.len()).unwrap_or_default();
    let mut frame = vec![0];
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&message);
    frame
}

fn seven_bits(number: usize) -> u8 {
    u8::try_from(number & 0x7f).unwrap_or_default()
}

/// A `HealthCheckResponse` in its frame: the field 1 is a number, 0 where it is left out.
fn serving(frame: &[u8]) -> Answer {
    const NAMES: [&str; 4] = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
    let status = match frame.get(5..) {
        Some([0x08, status, ..]) => usize::from(*status),
        Some(_) if frame.first() == Some(&0) => 0,
        _ => return Answer::failure("the health service gave an answer that cannot be read"),
    };
    match NAMES.get(status) {
        Some(&"SERVING") => Answer::success("service healthy"),
        name => Answer::failure(format!(
            "service unhealthy (responded with {:?})",
            name.unwrap_or(&"UNKNOWN")
        )),
    }
}

async fn read(mut body: Incoming) -> (Vec<u8>, HeaderMap) {
    let (mut bytes, mut trailers) = (Vec::new(), HeaderMap::new());
    while bytes.len() < MOST_TEXT {
        let Some(Ok(frame)) = body.frame().await else {
            break;
        };
        match frame.into_data() {
            Ok(data) => bytes.extend_from_slice(&data),
            Err(frame) => trailers.extend(frame.into_trailers().unwrap_or_default()),
        }
    }
    (bytes, trailers)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use http_body_util::StreamBody;
    use hyper::body::Frame;
    use hyper::server::conn::http2 as server;
    use hyper::service::service_fn;
    use hyper::{HeaderMap, Response};
    use tokio::net::TcpListener;

    /// A health service that answers this number to this service, and `NOT_FOUND` to others; its port.
    async fn health(service: &'static str, answer: u8) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serve = service_fn(move |request: Request<Incoming>| async move {
                    let (asked, _) = read(request.into_body()).await;
                    let known = asked == super::request(service);
                    let mut trailers = HeaderMap::new();
                    let status = if known { "0" } else { "5" };
                    trailers.insert("grpc-status", status.parse().expect("a value"));
                    let data = Bytes::from(vec![0, 0, 0, 0, 2, 8, answer]);
                    let data = known.then(|| Ok::<_, std::convert::Infallible>(Frame::data(data)));
                    let frames = data.into_iter().chain([Ok(Frame::trailers(trailers))]);
                    let frames = futures_util::stream::iter(frames.collect::<Vec<_>>());
                    Ok::<_, std::convert::Infallible>(Response::new(StreamBody::new(frames)))
                });
                let connection = server::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), serve);
                tokio::spawn(connection);
            }
        });
        port
    }

    const SECOND: Duration = Duration::from_secs(1);

    /// kubelet: NB-SCPROBE-20.
    #[tokio::test]
    async fn a_server_that_serves_is_well() {
        let port = health("", 1).await;
        assert_eq!(
            ask("127.0.0.1", port, "", SECOND).await.verdict,
            Verdict::Success
        );
        let answer = ask("127.0.0.1", port, "other", SECOND).await;
        assert_eq!(answer.verdict, Verdict::Failure);
        assert!(answer.message.contains("status 5"), "{}", answer.message);
        let port = health("db", 2).await;
        let answer = ask("127.0.0.1", port, "db", SECOND).await;
        assert_eq!(
            answer.message,
            "service unhealthy (responded with \"NOT_SERVING\")"
        );
    }

    #[tokio::test]
    async fn a_port_without_such_a_server_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let answer = ask("127.0.0.1", port, "", Duration::from_millis(100)).await;
        assert_eq!(answer.verdict, Verdict::Failure);
        assert!(answer.message.contains("context deadline exceeded"));
        drop(listener);
        assert_eq!(
            ask("127.0.0.1", port, "", SECOND).await.verdict,
            Verdict::Failure
        );
    }

    #[test]
    fn a_long_name_has_its_length_in_two_bytes() {
        let frame = request(&"s".repeat(200));
        assert_eq!(frame[..8], [0, 0, 0, 0, 203, 0x0a, 0xc8, 0x01]);
    }
}
