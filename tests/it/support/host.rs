//! Another site on this machine, which answers as a test says, also badly.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

/// A running host; it stops when this is dropped.
pub struct Host {
    /// Where it listens.
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    _running: DropGuard,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    /// As long as `Content-Length` says.
    pub body: Vec<u8>,
}

impl Asked {
    /// The path alone.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// A parameter of the query, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let url = Url::parse(&format!("http://host{}", self.target)).unwrap();
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A whole answer.
    Whole { status: u16, headers: Vec<(&'static str, String)>, body: Vec<u8> },
    /// A body that never ends.
    Endless,
    /// An octet every now and then, for ever.
    Drip,
    /// Nothing, though the connection stands.
    Silence,
    /// A body that breaks off.
    Cut,
}

impl Reply {
    /// A page of a media type.
    pub fn page(media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::Whole { status: 200, headers: vec![("Content-Type", media_type.to_owned())], body: body.into() }
    }

    /// A short page with a status.
    pub fn status(status: u16) -> Self {
        Self::Whole { status, headers: vec![("Content-Type", "text/html".into())], body: b"<p>no</p>".to_vec() }
    }

    /// The way to another place.
    pub fn redirect(to: &str) -> Self {
        Self::Whole { status: 302, headers: vec![("Location", to.to_owned())], body: Vec::new() }
    }

    /// The same with another header field.
    pub fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        match self {
            Self::Whole { status, mut headers, body } => {
                headers.push((name, value.into()));
                Self::Whole { status, headers, body }
            }
            other => other,
        }
    }
}

impl Host {
    /// Begins to answer every request with what the function says.
    pub async fn begin(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
        let stop = CancellationToken::new();
        let (log, stopped) = (Arc::clone(&asked), stop.clone());
        tokio::spawn(stopped.run_until_cancelled_owned(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                tokio::spawn(async move {
                    // A client that has read enough goes away.
                    let _ = converse(stream, &log, &*answer).await;
                });
            }
        }));
        Self { address, asked, _running: stop.drop_guard() }
    }

    /// An address on this host.
    pub fn url(&self, target: &str) -> Url {
        Url::parse(&format!("http://{}{target}", self.address)).unwrap()
    }

    /// What was asked since this was last called.
    pub fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

async fn converse(mut stream: TcpStream, log: &Mutex<Vec<Asked>>, answer: &(impl Fn(&Asked) -> Reply + Sync)) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let target = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let headers: HashMap<String, String> =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let mut body = vec![0; headers.get("content-length").map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await?;
    let asked = Asked { target, headers, body };
    let reply = answer(&asked);
    log.lock().unwrap().push(asked);
    match reply {
        Reply::Whole { status, headers, body } => {
            let mut head = format!("HTTP/1.1 {status} Status\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
            for (name, value) in headers {
                head = format!("{head}{name}: {value}\r\n");
            }
            stream.write_all(format!("{head}\r\n").as_bytes()).await?;
            stream.write_all(&body).await?;
        }
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n[").await?;
            loop {
                stream.write_all(&[b' '; 8192]).await?;
            }
        }
        Reply::Drip => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n[").await?;
            loop {
                stream.write_all(b" ").await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Reply::Silence => std::future::pending().await,
        Reply::Cut => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nContent-Type: application/json\r\n\r\n[{").await?;
        }
    }
    stream.shutdown().await
}
