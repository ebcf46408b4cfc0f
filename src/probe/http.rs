//! `httpGet`, of probes and hooks (kubelet: `pkg/probe/http`, `pkg/kubelet/lifecycle`).
//!
//! Each request has a connection of its own. Redirects are followed on the same host; one to another counts as a good answer.
//!
//! Not here: the time that it may take (`mod`).

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, HOST, HeaderName, HeaderValue, LOCATION, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use url::Url;

use super::{Answer, MOST_TEXT, authority, tcp, text, tls};
use crate::spec::probe::HttpGet;

/// Go's client, and so the kubelet, follows no more.
const MOST_REDIRECTS: usize = 10;
const AGENT: &str = concat!("kube-probe/podctl-", env!("CARGO_PKG_VERSION"));

/// Asks once.
pub(super) async fn ask(get: &HttpGet, host: &str) -> Answer {
    let first = address(get, host);
    let failed = |url: &str, reason: &str| Answer::failure(format!("Get {url:?}: {reason}"));
    let Ok(mut url) = Url::parse(&first) else {
        return failed(&first, "this is no address");
    };
    for _ in 0..=MOST_REDIRECTS {
        let response = match send(get, &url).await {
            Ok(response) => response,
            Err(reason) => return failed(url.as_str(), &reason),
        };
        let status = response.status();
        let location = response.headers().get(LOCATION);
        let location = location.and_then(|location| location.to_str().ok());
        let next = location.and_then(|location| url.join(location).ok());
        match next.filter(|_| is_redirect(status.as_u16())) {
            Some(next) if next.host() == url.host() && next.scheme().starts_with("http") => {
                url = next;
            }
            Some(next) => {
                return Answer::success(format!(
                    "the answer is a redirect to another host, which is not followed: {next}"
                ));
            }
            None if (200..400).contains(&status.as_u16()) => {
                return Answer::success(text(&body(response).await));
            }
            None => {
                let code = status.as_u16();
                return Answer::failure(format!("HTTP probe failed with statuscode: {code}"));
            }
        }
    }
    failed(
        url.as_str(),
        &format!("stopped after {MOST_REDIRECTS} redirects"),
    )
}

/// What is said of a probe that got no answer in time.
pub(super) fn late(get: &HttpGet, host: &str) -> String {
    format!(
        "Get {:?}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
        address(get, host)
    )
}

/// Sends the request of a hook.
pub(super) async fn hook(get: &HttpGet, host: &str) -> Result<(), String> {
    let first = address(get, host);
    let url = Url::parse(&first).map_err(|_| format!("Get {first:?}: this is no address"))?;
    let mut sent = send(get, &url).await;
    if sent.is_err() && get.https {
        // kubelet: a hook over HTTPS whose server speaks plain HTTP is sent as that.
        let mut plain = url.clone();
        if plain.set_scheme("http").is_ok() {
            sent = send(get, &plain).await.or(sent);
        }
    }
    let response = sent.map_err(|reason| format!("Get {first:?}: {reason}"))?;
    if response.status().as_u16() >= 400 {
        return Err(format!(
            "HTTP lifecycle hook ({}) failed: {}",
            get.path,
            response.status()
        ));
    }
    Ok(())
}

fn address(get: &HttpGet, host: &str) -> String {
    let scheme = if get.https { "https" } else { "http" };
    let path = get.path.trim_start_matches('/');
    format!("{scheme}://{}/{path}", authority(host, get.port))
}

fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// One request on a connection of its own.
async fn send(get: &HttpGet, url: &Url) -> Result<Response<Incoming>, String> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let stream = tcp::connect(host, port).await?;
    let request = request(get, url)?;
    if url.scheme() == "https" {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let stream = tls::wrap(stream, bare).await;
        exchange(stream.map_err(|error| error.to_string())?, request).await
    } else {
        exchange(stream, request).await
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Empty<Bytes>>,
) -> Result<Response<Incoming>, String> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    // It ends with the response, or with whoever waited for it.
    tokio::spawn(connection);
    let response = sender.send_request(request).await;
    response.map_err(|error| error.to_string())
}

fn request(get: &HttpGet, url: &Url) -> Result<Request<Empty<Bytes>>, String> {
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let mut request = Request::get(target)
        .body(Empty::new())
        .map_err(|error| error.to_string())?;
    let headers = request.headers_mut();
    for (name, value) in &get.headers {
        let name: HeaderName = name
            .parse()
            .map_err(|_| format!("{name:?} is no name of a header"))?;
        let value: HeaderValue = value
            .parse()
            .map_err(|_| format!("the value of the header {name} cannot be sent"))?;
        headers.append(name, value);
    }
    // kubelet: an empty one is left out.
    match headers.get(USER_AGENT).map(HeaderValue::is_empty) {
        None => drop(headers.insert(USER_AGENT, HeaderValue::from_static(AGENT))),
        Some(true) => drop(headers.remove(USER_AGENT)),
        Some(false) => {}
    }
    match headers.get(ACCEPT).map(HeaderValue::is_empty) {
        None => drop(headers.insert(ACCEPT, HeaderValue::from_static("*/*"))),
        Some(true) => drop(headers.remove(ACCEPT)),
        Some(false) => {}
    }
    if !headers.contains_key(HOST) {
        let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let host = HeaderValue::from_str(host).map_err(|error| error.to_string())?;
        headers.insert(HOST, host);
    }
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(request)
}

/// As much of a body as is kept.
async fn body(response: Response<Incoming>) -> Vec<u8> {
    let mut body = response.into_body();
    let mut kept = Vec::new();
    while kept.len() < MOST_TEXT {
        match body.frame().await {
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    kept.extend_from_slice(&data);
                }
            }
            Some(Err(_)) | None => break,
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Verdict;
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// A server on loopback that answers each request with what is made of its head; its port.
    async fn server(answer: impl Fn(&str) -> String + Send + 'static) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                // Who speaks TLS is told off at once, as servers do.
                while !head.ends_with(b"\r\n\r\n") && head.first() != Some(&0x16) {
                    match stream.read_u8().await {
                        Ok(byte) => head.push(byte),
                        Err(_) => break,
                    }
                }
                let answer = answer(&String::from_utf8_lossy(&head));
                // A client that has gone is not waited for.
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        port
    }

    fn get(port: u16, path: &str) -> HttpGet {
        HttpGet {
            host: None,
            port,
            path: path.into(),
            https: false,
            headers: vec![],
        }
    }

    fn status(code: u16, more: &str) -> String {
        format!("HTTP/1.1 {code} x\r\nContent-Length: 2\r\n{more}\r\nok")
    }

    #[tokio::test]
    async fn a_status_from_200_to_399_is_well() {
        for (code, verdict) in [
            (200, Verdict::Success),
            (204, Verdict::Success),
            (304, Verdict::Success),
            (399, Verdict::Success),
            (400, Verdict::Failure),
            (500, Verdict::Failure),
        ] {
            let port = server(move |_| status(code, "")).await;
            let answer = ask(&get(port, "/"), "127.0.0.1").await;
            assert_eq!(answer.verdict, verdict, "{code}: {}", answer.message);
        }
        let port = server(|_| status(500, "")).await;
        let answer = ask(&get(port, "/"), "127.0.0.1").await;
        assert_eq!(answer.message, "HTTP probe failed with statuscode: 500");
    }

    #[tokio::test]
    async fn path_query_and_headers_are_sent_as_written() {
        let port = server(|head| {
            let expected = ["GET /a%20b?x=1&y HTTP/1.1", "host: example.com", "x-one: 1"];
            let head = head.to_ascii_lowercase();
            let all = expected
                .iter()
                .all(|line| head.contains(&line.to_ascii_lowercase()));
            status(
                if all && !head.contains("user-agent") {
                    200
                } else {
                    500
                },
                "",
            )
        })
        .await;
        let mut get = get(port, "/a%20b?x=1&y");
        for (name, value) in [("Host", "example.com"), ("X-One", "1"), ("User-Agent", "")] {
            get.headers.push((name.into(), value.into()));
        }
        assert_eq!(ask(&get, "127.0.0.1").await.verdict, Verdict::Success);
        get.headers.push(("X-Two".into(), "a\nb".into()));
        let answer = ask(&get, "127.0.0.1").await;
        assert_eq!(answer.verdict, Verdict::Failure);
        assert!(
            answer.message.contains("cannot be sent"),
            "{}",
            answer.message
        );
    }

    /// kubelet: NB-SCPROBE-12, NB-SCPROBE-13.
    #[tokio::test]
    async fn a_redirect_is_followed_on_its_own_host_alone() {
        let port = server(|head| {
            let to = |location: &str| status(302, &format!("Location: {location}\r\n"));
            match head.split(' ').nth(1) {
                Some("/bad") => to("/gone"),
                Some("/far") => to("http://example.invalid/"),
                Some("/loop") => to("/loop"),
                _ => status(404, ""),
            }
        })
        .await;
        let verdict = async |path| ask(&get(port, path), "127.0.0.1").await.verdict;
        assert_eq!(verdict("/bad").await, Verdict::Failure);
        assert_eq!(verdict("/far").await, Verdict::Success);
        assert_eq!(verdict("/loop").await, Verdict::Failure);
    }

    #[tokio::test]
    async fn a_body_without_end_is_cut() {
        let port = server(|_| {
            let body = "x".repeat(10_000_000);
            format!("HTTP/1.1 200 x\r\n\r\n{body}")
        })
        .await;
        let answer = ask(&get(port, "/"), "127.0.0.1").await;
        assert_eq!(answer.message.len(), MOST_TEXT);
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_late() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let get = get(listener.local_addr().expect("an address").port(), "/");
        let asked = tokio::time::timeout(Duration::from_millis(50), ask(&get, "127.0.0.1"));
        assert!(asked.await.is_err());
        assert!(late(&get, "127.0.0.1").contains("context deadline exceeded"));
    }

    #[tokio::test]
    async fn nobody_there_is_told_as_the_kubelet_does() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let answer = ask(&get(port, "/x"), "127.0.0.1").await;
        let url = format!("http://127.0.0.1:{port}/x");
        let expected =
            format!("Get \"{url}\": dial tcp 127.0.0.1:{port}: connect: connection refused");
        assert_eq!(
            (answer.verdict, answer.message),
            (Verdict::Failure, expected)
        );
    }

    /// kubelet: NB-HOOK-04, NB-HOOK-05, NB-HOOK-06, NB-SCHOOK-03, NB-SCHOOK-04, NB-SCHOOK-05, NB-SCHOOK-06.
    #[tokio::test]
    async fn a_hook_over_https_falls_back_to_plain_http() {
        let port =
            server(|head| status(if head.starts_with("GET /x") { 200 } else { 500 }, "")).await;
        let mut get = get(port, "/x");
        get.https = true;
        assert_eq!(hook(&get, "127.0.0.1").await, Ok(()));
        assert_eq!(ask(&get, "127.0.0.1").await.verdict, Verdict::Failure);
    }
}
