//! Serving HTTP/1 with limits (S7): a bare `axum::serve` holds half-sent headers for ever.

use super::impatient::Impatient;
use anyhow::Context as _;
use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
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
/// Connections at once.
const CONNECTIONS: usize = 4096;
/// The largest body: forms are small.
const BODY: usize = 16 * 1024;

/// A listening server.
pub struct Server {
    listener: TcpListener,
    router: Router,
}

impl Server {
    /// Binds the address; port 0 takes any.
    pub async fn bind(listen: SocketAddr, router: Router) -> anyhow::Result<Self> {
        let listener =
            TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}; is another program using it?"))?;
        let router = router.layer(DefaultBodyLimit::max(BODY));
        Ok(Self { listener, router })
    }

    /// The address taken.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Serves until shutdown, then lets open requests end.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let graceful = GracefulShutdown::new();
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let slot = tokio::select! {
                () = shutdown.cancelled() => break,
                slot = Arc::clone(&slots).acquire_owned() => slot?,
            };
            tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => serve_connection(self.router.clone(), stream, peer, &graceful, slot),
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

fn serve_connection(router: Router, stream: TcpStream, peer: SocketAddr, graceful: &GracefulShutdown, slot: OwnedSemaphorePermit) {
    let _ = stream.set_nodelay(true);
    let service = router.map_request(move |mut request: hyper::Request<_>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(Impatient::new(stream, ANSWER)), TowerToHyperService::new(service));
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        // A client that breaks off is no error of ours.
        let _ = connection.await;
        drop(slot);
    });
}

/// Answers 408 where a request is not read and answered in time.
pub(super) async fn in_time(request: axum::extract::Request, next: axum::middleware::Next) -> axum::response::Response {
    use axum::response::IntoResponse as _;
    match tokio::time::timeout(REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => (axum::http::StatusCode::REQUEST_TIMEOUT, [(axum::http::header::CONNECTION, "close")]).into_response(),
    }
}
