//! Reaching the relay: a socket without delay, TLS, the greeting, who we are.
//!
//! TLS is done here and not by lettre: lettre 0.11.23 keeps what came in the clear behind the
//! answer to STARTTLS and takes it for answers given under encryption (RFC 3207 §4.2 has it
//! discarded).

use super::RelayTimeouts;
use crate::mail::reply::scrub;
use crate::mail::{RelaySettings, Tls, tls_connector};
use anyhow::{Context as _, anyhow, bail, ensure};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::extension::ClientId;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

/// The longest greeting or EHLO answer that is read before TLS.
const MAX_ANSWER: usize = 16 * 1024;

/// How TLS is begun with this relay.
#[derive(Clone)]
pub(super) struct Encryption {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Encryption {
    /// Trusts the public authorities, and the relay's own where one is configured.
    pub(super) fn new(settings: &RelaySettings) -> anyhow::Result<Self> {
        let name = ServerName::try_from(settings.host.clone())
            .with_context(|| format!("“{}” is not a name that a certificate can be for", settings.host))?;
        Ok(Self { connector: tls_connector(settings.ca_file.as_deref())?, name })
    }

    async fn begin(&self, stream: TcpStream) -> anyhow::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await.context("TLS could not be agreed with the relay")
    }
}

/// Waits for a phase of the dialogue, but not for ever: lettre has no timeout after connecting
/// (S13).
pub(super) async fn within<T>(limit: Duration, what: &str, phase: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    match tokio::time::timeout(limit, phase).await {
        Ok(result) => result,
        Err(_) => Err(anyhow!("no {what} from the relay within {} seconds", limit.as_secs())),
    }
}

/// A connection that has been greeted, encrypted if it must be, and introduced.
pub(super) async fn dial(
    settings: &RelaySettings,
    encryption: Option<&Encryption>,
    hello: &ClientId,
    timeouts: &RelayTimeouts,
) -> anyhow::Result<AsyncSmtpConnection> {
    let host = settings.host.trim_start_matches('[').trim_end_matches(']');
    let mut stream = within(timeouts.connect, "connection", async {
        TcpStream::connect((host, settings.port)).await.with_context(|| format!("the relay {host}:{} cannot be reached", settings.port))
    })
    .await?;
    // With Nagle's algorithm a connection carries 23 mails a second (M7).
    stream.set_nodelay(true)?;
    let stream: Box<dyn AsyncTokioStream> = match (settings.tls, encryption) {
        (Tls::None, _) => Box::new(stream),
        (Tls::Implicit, Some(encryption)) => {
            Box::new(Encrypted { tls: within(timeouts.connect, "TLS", encryption.begin(stream)).await?, greeting: b"" })
        }
        (Tls::Required, Some(encryption)) => {
            within(timeouts.greeting, "greeting", ask_for_tls(&mut stream, hello)).await?;
            // lettre waits for a greeting, which has been and gone.
            Box::new(Encrypted { tls: within(timeouts.connect, "TLS", encryption.begin(stream)).await?, greeting: b"220 ready\r\n" })
        }
        (_, None) => bail!("TLS is not set up"),
    };
    within(timeouts.greeting, "greeting", async {
        AsyncSmtpConnection::connect_with_transport(stream, hello).await.map_err(|error| anyhow!(scrub(&error.to_string(), None)))
    })
    .await
    .context("the relay does not take mail now")
}

/// Greeting, EHLO, STARTTLS in the clear (RFC 3207 §4), and nothing behind the last answer.
async fn ask_for_tls(stream: &mut TcpStream, hello: &ClientId) -> anyhow::Result<()> {
    let greeting = answer(stream).await?;
    ensure!(greeting.starts_with("220"), "the relay greets with “{}”", scrub(&greeting, None));
    stream.write_all(format!("EHLO {hello}\r\n").as_bytes()).await?;
    let offers = answer(stream).await?;
    let offered = offers.lines().any(|line| line.get(4..).is_some_and(|word| word.trim().eq_ignore_ascii_case("STARTTLS")));
    ensure!(offered, "the relay does not offer STARTTLS, and no mail leaves without it");
    stream.write_all(b"STARTTLS\r\n").await?;
    let go = answer(stream).await?;
    ensure!(go.starts_with("220"), "the relay answers STARTTLS with “{}”", scrub(&go, None));
    ensure!(go.lines().count() == 1, "something was injected behind the relay's answer to STARTTLS");
    Ok(())
}

/// Reads until a reply is complete; what came with it in the same packet is in the result.
async fn answer(stream: &mut TcpStream) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 1024];
        let read = stream.read(&mut chunk).await?;
        ensure!(read > 0, "the relay closed the connection");
        bytes.extend_from_slice(&chunk[..read]);
        ensure!(bytes.len() <= MAX_ANSWER, "the relay's answer does not end");
        let complete = bytes.ends_with(b"\r\n")
            && bytes.split_inclusive(|byte| *byte == b'\n').any(|line| line.get(3).is_some_and(|byte| *byte != b'-'));
        if complete {
            return Ok(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
}

/// An encrypted stream that may begin with a greeting of our own.
#[derive(Debug)]
struct Encrypted {
    tls: TlsStream<TcpStream>,
    greeting: &'static [u8],
}

impl AsyncTokioStream for Encrypted {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tls.get_ref().0.peer_addr()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.greeting.is_empty() {
            return Pin::new(&mut self.tls).poll_read(context, buffer);
        }
        let (now, later) = self.greeting.split_at(self.greeting.len().min(buffer.remaining()));
        buffer.put_slice(now);
        self.greeting = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(context)
    }
}
