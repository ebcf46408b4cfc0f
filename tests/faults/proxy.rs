//! A proxy between podctl and the real engine, on a socket of its own: it counts API calls, and lets one of them fail.
//!
//! podctl makes a connection for each call, so that a connection is a call, and its first line names it.
//!
//! Not here: what is asserted.

use std::fmt;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::support::{Folder, run};

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It never reaches the engine.
    Cut,
    /// The engine carries it out, and its answer is lost.
    CutAfter,
    /// It never reaches the engine, and is answered with 500.
    Answer500,
    /// The engine goes away: no connection is left, events among them, and no new one is taken.
    Gone,
    /// It waits.
    Delay,
    /// podctl is killed when it arrives.
    Kill,
    /// podctl is killed when the engine has answered.
    KillAfter,
}

/// One call, as it went.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    method: String,
    path: String,
    begun: Instant,
    ended: Option<Instant>,
}

impl Call {
    /// The engine has answered.
    #[allow(dead_code, reason = "the benchmark does not")]
    pub(crate) fn is_over(&self) -> bool {
        self.ended.is_some()
    }
}

/// Ids and names are left out: `POST /containers/*/start`.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

struct Shared {
    delay: Duration,
    fault: Option<(Fault, usize)>,
    calls: Mutex<Vec<Call>>,
    podctl: AtomicU32,
    over: AtomicBool,
    gone: AtomicBool,
    open: Mutex<Vec<UnixStream>>,
    engine: PathBuf,
}

/// A proxy that runs. Dropping it ends it.
pub(crate) struct Proxy {
    shared: Arc<Shared>,
    socket: PathBuf,
    _folder: Folder,
}

impl Proxy {
    /// Starts one that lets the call of this number fail, counted from 1; events are not counted.
    pub(crate) fn start(fault: Option<(Fault, usize)>) -> Self {
        Self::with_delay(fault, Duration::ZERO)
    }

    /// Starts one that holds every call up for so long: calls that are made together are then under way together, and calls
    /// that wait for each other are not, on a busy machine too.
    pub(crate) fn with_delay(fault: Option<(Fault, usize)>, delay: Duration) -> Self {
        let folder = Folder::new();
        let socket = folder.0.join("proxy.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let host = std::env::var("DOCKER_HOST")
            .unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
        let engine = host
            .strip_prefix("unix://")
            .expect("an engine on a socket")
            .into();
        let shared = Arc::new(Shared {
            fault,
            delay,
            calls: Mutex::new(Vec::new()),
            podctl: AtomicU32::new(0),
            over: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            open: Mutex::new(Vec::new()),
            engine,
        });
        let of_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if of_thread.over.load(Ordering::Relaxed) {
                    break;
                }
                let shared = Arc::clone(&of_thread);
                if let Ok(stream) = stream {
                    std::thread::spawn(move || shared.serve(stream));
                }
            }
        });
        Self {
            shared,
            socket,
            _folder: folder,
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Tells which process to kill.
    pub(crate) fn watch(&self, podctl: u32) {
        self.shared.podctl.store(podctl, Ordering::Relaxed);
    }

    /// Ends every connection that there is; new ones are taken.
    #[allow(dead_code, reason = "the benchmark does not")]
    pub(crate) fn cut(&self) {
        self.shared.cut();
    }

    /// The engine goes away, until it comes back.
    #[allow(dead_code, reason = "the benchmark does not")]
    pub(crate) fn leave(&self) {
        self.shared.leave();
    }

    #[allow(dead_code, reason = "the benchmark does not")]
    pub(crate) fn come_back(&self) {
        self.shared.gone.store(false, Ordering::Relaxed);
    }

    /// The calls so far, but for events.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().expect("the calls").clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // The thread that accepts waits for one more.
        let _ = UnixStream::connect(&self.socket);
    }
}

impl Shared {
    /// Serves one connection, and closes it.
    fn serve(&self, client: UnixStream) {
        let Ok(open) = client.try_clone() else { return };
        let number = {
            let mut all = self.open.lock().expect("the connections");
            all.push(open);
            all.len() - 1
        };
        if !self.gone.load(Ordering::Relaxed) {
            self.answer(client);
        }
        self.close(number);
    }

    fn close(&self, number: usize) {
        let all = self.open.lock().expect("the connections");
        let _ = all[number].shutdown(Shutdown::Both);
    }

    /// Ends every connection that there is.
    fn cut(&self) {
        let all = self.open.lock().expect("the connections");
        all.iter()
            .for_each(|open| drop(open.shutdown(Shutdown::Both)));
    }

    /// The engine goes away.
    fn leave(&self) {
        self.gone.store(true, Ordering::Relaxed);
        self.cut();
    }

    fn answer(&self, mut client: UnixStream) {
        let mut head = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            match client.read(&mut buffer) {
                Ok(n) if n > 0 => head.extend_from_slice(&buffer[..n]),
                _ => return,
            }
        }
        let line = String::from_utf8_lossy(&head)
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        let (position, fault) = self.count(&line);
        if position.is_some() {
            std::thread::sleep(self.delay);
        }
        match fault {
            Some(Fault::Cut) => return,
            Some(Fault::Answer500) => {
                let body = r#"{"message":"a fault of the test"}"#;
                let answer = format!(
                    "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = client.write_all(answer.as_bytes());
                return;
            }
            Some(Fault::Kill) => return self.kill(),
            Some(Fault::Gone) => return self.leave(),
            Some(Fault::Delay) => std::thread::sleep(Duration::from_secs(1)),
            Some(Fault::CutAfter | Fault::KillAfter) | None => {}
        }
        let Ok(mut engine) = UnixStream::connect(&self.engine) else {
            return;
        };
        if engine.write_all(&head).is_err() {
            return;
        }
        let answered = if let Some(fault @ (Fault::CutAfter | Fault::KillAfter)) = fault {
            // The rest of the request, and the beginning of the answer, which says that it was carried out.
            pass_in_background(&client, &engine);
            let _ = engine.read(&mut buffer);
            if fault == Fault::KillAfter {
                self.kill();
            }
            let _ = client.shutdown(Shutdown::Both);
            false
        } else {
            pass_in_background(&client, &engine);
            pass(&mut engine, &mut client);
            true
        };
        if let (Some(position), true) = (position, answered) {
            self.calls.lock().expect("the calls")[position - 1].ended = Some(Instant::now());
        }
    }

    /// The number of a call, and what happens to it.
    fn count(&self, line: &str) -> (Option<usize>, Option<Fault>) {
        let mut words = line.split_whitespace();
        let (method, path) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        if path.starts_with("/events") {
            return (None, None);
        }
        let mut calls = self.calls.lock().expect("the calls");
        calls.push(Call {
            method: method.to_owned(),
            path: general(path),
            begun: Instant::now(),
            ended: None,
        });
        let position = calls.len();
        let fault = self
            .fault
            .filter(|(_, at)| *at == position)
            .map(|(fault, _)| fault);
        (Some(position), fault)
    }

    fn kill(&self) {
        // Its first call may come before it is told who it is. 0 would be this process, and all of its group.
        let podctl = loop {
            match self.podctl.load(Ordering::Relaxed) {
                0 => std::thread::sleep(Duration::from_millis(1)),
                podctl => break podctl.to_string(),
            }
        };
        run(std::process::Command::new("kill").args(["-9", &podctl]));
    }
}

fn pass_in_background(from: &UnixStream, to: &UnixStream) {
    let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else {
        return;
    };
    std::thread::spawn(move || pass(&mut from, &mut to));
}

fn pass(from: &mut UnixStream, to: &mut UnixStream) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(n) = from.read(&mut buffer) {
        if n == 0 || to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// The path without its query, an id or name as `*`.
fn general(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let known = [
        "containers",
        "images",
        "volumes",
        "networks",
        "json",
        "create",
        "start",
        "kill",
        "wait",
        "archive",
        "info",
        "version",
        "exec",
        "load",
        "resize",
    ];
    path.split('/')
        .map(|part| {
            if part.is_empty() || known.contains(&part) {
                part
            } else {
                "*"
            }
        })
        .collect::<Vec<_>>()
        .join("/")
}

/// The longest chain of calls each of which began after the one before it had ended.
pub(crate) fn critical_path(calls: &[Call]) -> usize {
    let mut lengths: Vec<usize> = Vec::new();
    for (i, call) in calls.iter().enumerate() {
        let before = calls[..i].iter().zip(&lengths);
        let ended =
            before.filter(|(earlier, _)| earlier.ended.is_some_and(|ended| ended <= call.begun));
        lengths.push(1 + ended.map(|(_, length)| *length).max().unwrap_or_default());
    }
    lengths.into_iter().max().unwrap_or_default()
}

/// The time in which at least one call is under way.
#[allow(dead_code, reason = "the benchmark uses it")]
pub(crate) fn waiting(calls: &[Call]) -> Duration {
    let mut spans: Vec<(Instant, Instant)> = calls
        .iter()
        .filter_map(|call| Some((call.begun, call.ended?)))
        .collect();
    spans.sort();
    let mut total = Duration::ZERO;
    let mut until: Option<Instant> = None;
    for (begun, ended) in spans {
        let begun = until.map_or(begun, |until| begun.max(until));
        if ended > begun {
            total += ended - begun;
            until = Some(ended);
        }
    }
    total
}
