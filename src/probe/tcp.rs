//! `tcpSocket`: a connection is taken (kubelet: `pkg/probe/tcp`).
//!
//! Not here: the time that it may take (`mod`).

use tokio::net::TcpStream;

use super::{Answer, authority};

/// Connects, and leaves.
pub(super) async fn ask(host: &str, port: u16) -> Answer {
    match connect(host, port).await {
        Ok(_) => Answer::success(""),
        Err(reason) => Answer::failure(reason),
    }
}

/// A connection; or why there is none, as the kubelet says it.
pub(super) async fn connect(host: &str, port: u16) -> Result<TcpStream, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((bare, port)).await;
    stream.map_err(|error| {
        let reason = match error.kind() {
            std::io::ErrorKind::ConnectionRefused => "connect: connection refused".to_owned(),
            _ => error.to_string(),
        };
        format!("dial tcp {}: {reason}", authority(bare, port))
    })
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_port_that_takes_connections_is_well() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        assert_eq!(ask("127.0.0.1", port).await, Answer::success(""));
        drop(listener);
        let answer = ask("127.0.0.1", port).await;
        assert_eq!(answer.verdict, Verdict::Failure);
        let expected = format!("dial tcp 127.0.0.1:{port}: connect: connection refused");
        assert_eq!(answer.message, expected);
    }
}
