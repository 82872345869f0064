//! Serving HTTP/1 with limits (S7): a bare `axum::serve` holds half-sent headers for ever.

use super::impatient::Impatient;
use super::lanes::Lanes;
use super::{State, express};
use anyhow::Context as _;
use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::io::Cursor;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Time for a client to send its request line and headers.
const HEADERS: Duration = Duration::from_secs(10);
/// Time for a whole request, body included, to be read and answered.
const REQUEST: Duration = Duration::from_secs(15);
/// Time for a client to take the next piece of an answer.
const ANSWER: Duration = Duration::from_secs(15);
/// Time for open requests when the daemon stops.
const GOODBYE: Duration = Duration::from_secs(5);
/// Connections at once, where the system allows so many.
const CONNECTIONS: usize = 4096;
/// File descriptors that are left for the database, articles, relays and large feeds, however many connect.
const RESERVED: u64 = 320;
/// The largest body: forms are small.
const BODY: usize = 16 * 1024;

/// What a server answers with.
#[derive(Clone)]
pub struct Answers {
    router: Router,
    /// Whose feeds are answered before the router is asked.
    feeds: Option<State>,
}

impl From<Router> for Answers {
    fn from(router: Router) -> Self {
        Self { router, feeds: None }
    }
}

impl Answers {
    /// Feeds of this state first, then a router.
    pub(super) fn with_feeds(state: State, router: Router) -> Self {
        Self { router, feeds: Some(state) }
    }
}

/// A listening server.
pub struct Server {
    listener: TcpListener,
    answers: Answers,
}

impl Server {
    /// Binds the address; port 0 takes any.
    pub async fn bind(listen: SocketAddr, answers: impl Into<Answers>) -> anyhow::Result<Self> {
        let listener =
            TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}; is another program using it?"))?;
        let Answers { router, feeds } = answers.into();
        let router = router.layer(DefaultBodyLimit::max(BODY));
        Ok(Self { listener, answers: Answers { router, feeds } })
    }

    /// The address taken.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Serves until shutdown, then lets open requests end.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let graceful = GracefulShutdown::new();
        let slots = Arc::new(Semaphore::new(places()));
        let mut lanes = Lanes::start().context("the operating system gives no threads")?;
        loop {
            let slot = tokio::select! {
                () = shutdown.cancelled() => break,
                slot = Arc::clone(&slots).acquire_owned() => slot?,
            };
            tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = self.listener.accept() => match accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, peer))) {
                    Ok((stream, peer)) => {
                        let connection = Connection { stream, peer, graceful: graceful.watcher(), slot };
                        match &self.answers.feeds {
                            Some(feeds) => {
                                let (answers, feeds, main) = (self.answers.clone(), feeds.clone(), Handle::current());
                                drop(lanes.next().spawn(connection.begin(feeds, answers.router, main, shutdown.clone())));
                            }
                            None => drop(tokio::spawn(connection.go_on(Vec::new(), self.answers.router.clone()))),
                        }
                    }
                    // Out of file descriptors, or the client left already: neither is the end.
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
            }
        }
        let _ = tokio::time::timeout(GOODBYE, graceful.shutdown()).await;
        Ok(())
    }
}

/// How many connections there may be. The usual limit of file descriptors is low for the sake of
/// programs that are older than poll(2), and may be raised: a flood of connections must never keep
/// mail from leaving.
fn places() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where it is refused, the old one holds.
    let _ = setrlimit(Resource::Nofile, limit);
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(files.saturating_sub(RESERVED)).map_or(CONNECTIONS, |files| files.clamp(1, CONNECTIONS))
}

/// A connection, between two runtimes or at one.
struct Connection {
    stream: std::net::TcpStream,
    peer: SocketAddr,
    graceful: Watcher,
    slot: OwnedSemaphorePermit,
}

impl Connection {
    /// Answers for feeds here; at the first other request, the rest is for the main runtime.
    async fn begin(mut self, feeds: State, router: Router, main: Handle, shutdown: CancellationToken) {
        let Ok(stream) = TcpStream::from_std(self.stream) else { return };
        let _ = stream.set_nodelay(true);
        let mut stream = Impatient::new(stream, ANSWER);
        // A client that breaks off is no error of ours.
        let Ok(Some(read)) = express::serve(&feeds, &mut stream, self.peer, &shutdown).await else { return };
        let Ok(stream) = stream.into_inner().into_std() else { return };
        self.stream = stream;
        main.spawn(self.go_on(read, router));
    }

    /// Answers what the router answers, first to what was read already.
    async fn go_on(self, read: Vec<u8>, router: Router) {
        let Self { stream, peer, graceful, slot } = self;
        let Ok(stream) = TcpStream::from_std(stream) else { return };
        let _ = stream.set_nodelay(true);
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = router.clone().oneshot(request);
            async move { answer.await.map(without_length_of_nothing) }
        });
        let (reader, writer) = stream.into_split();
        let stream = tokio::io::join(Cursor::new(read).chain(reader), Impatient::new(writer, ANSWER));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .max_buf_size(64 * 1024)
            .serve_connection(TokioIo::new(stream), service);
        let _ = graceful.watch(connection).await;
        drop(slot);
    }
}

/// The router says that an empty body has no octets: of an answer that stands for another (304)
/// that would be wrong (RFC 9110 §8.6).
fn without_length_of_nothing(mut response: axum::response::Response) -> axum::response::Response {
    if response.status() == hyper::StatusCode::NOT_MODIFIED {
        response.headers_mut().remove(hyper::header::CONTENT_LENGTH);
    }
    response
}

/// Answers 408 where a request is not read and answered in time.
pub(super) async fn in_time(request: axum::extract::Request, next: axum::middleware::Next) -> axum::response::Response {
    use axum::response::IntoResponse as _;
    match tokio::time::timeout(REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => (axum::http::StatusCode::REQUEST_TIMEOUT, [(axum::http::header::CONNECTION, "close")]).into_response(),
    }
}
