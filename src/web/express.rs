//! The requests that come most often, a feed at its own path, answered from the octets of a
//! connection: building a general request and a general response costs more than such an answer.
//!
//! What is not plainly such a request, whole and without a body, is left as it came to hyper, and
//! the rest of its connection with it.

use super::State;
use super::client::Visitor;
use super::conditional::http_date;
use super::feeds::{self, Reply};
use super::impatient::{Alarm, Impatient};
use crate::clock::Timestamp;
use axum::http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, TRANSFER_ENCODING, UPGRADE};
use axum::http::{HeaderMap, HeaderValue};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Time for a client to begin its next request.
const IDLE: Duration = Duration::from_secs(5);
/// Octets read at once; a request of more is left to hyper.
const REQUEST: usize = 4096;
/// Header fields of a request; one with more is left to hyper.
const FIELDS: usize = 48;

/// Answers request after request. Returns what was read of the first that is for others; nothing
/// once the connection has ended.
pub(super) async fn serve(
    state: &State,
    stream: &mut Impatient<TcpStream>,
    peer: SocketAddr,
    shutdown: &CancellationToken,
) -> io::Result<Option<Vec<u8>>> {
    let mut stop = pin!(shutdown.cancelled());
    let mut alarm = Alarm::default();
    let (mut buffer, mut headers, mut head) = (vec![0; REQUEST], HeaderMap::new(), Vec::new());
    let (mut start, mut end) = (0, 0);
    loop {
        if start == end {
            (start, end) = (0, fill(stream, &mut buffer, &mut alarm, stop.as_mut()).await?);
        }
        if end == 0 {
            return Ok(None);
        }
        let input = &buffer[start..end];
        let Some(asked) = Asked::read(input, &mut headers) else { return Ok(Some(input.to_vec())) };
        let Some(reply) = feeds::at_its_path(state, asked.path, &Visitor { peer, headers: &headers }) else {
            return Ok(Some(input.to_vec()));
        };
        write_head(&mut head, &reply, asked.is_last, state.clock.now());
        match (reply.pages(), reply.body()) {
            (Some(pages), _) if asked.wants_body => stream.send_all(|done, socket| pages.send_after(&head, done, socket)).await?,
            (None, Some(body)) if asked.wants_body => send(stream, &head, body).await?,
            _ => send(stream, &head, &[]).await?,
        }
        if asked.is_last {
            stream.shutdown().await?;
            return Ok(None);
        }
        start += asked.length;
    }
}

/// Reads what there is, and returns how much: nothing where the client has gone, begins no request, or the daemon stops.
async fn fill(
    stream: &mut Impatient<TcpStream>,
    buffer: &mut [u8],
    alarm: &mut Alarm,
    mut stop: Pin<&mut impl Future<Output = ()>>,
) -> io::Result<usize> {
    let end = Instant::now() + IDLE;
    let mut buffer = ReadBuf::new(buffer);
    poll_fn(|context| match Pin::new(&mut *stream).poll_read(context, &mut buffer) {
        Poll::Ready(read) => Poll::Ready(read.map(|()| buffer.filled().len())),
        Poll::Pending if alarm.poll(end, context).is_ready() || stop.as_mut().poll(context).is_ready() => Poll::Ready(Ok(0)),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// A request for a feed, perhaps.
struct Asked<'i> {
    path: &'i str,
    /// `GET`, not `HEAD`.
    wants_body: bool,
    /// The client closes the connection after it.
    is_last: bool,
    /// In octets.
    length: usize,
}

impl<'i> Asked<'i> {
    /// Reads a whole request without a body, and its header fields.
    fn read(input: &'i [u8], headers: &mut HeaderMap) -> Option<Self> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let mut request = httparse::Request::new(&mut fields);
        let Ok(httparse::Status::Complete(length)) = request.parse(input) else { return None };
        let wants_body = match (request.method, request.version) {
            (Some("GET"), Some(1)) => true,
            (Some("HEAD"), Some(1)) => false,
            _ => return None,
        };
        headers.clear();
        for field in request.headers {
            headers.append(HeaderName::from_bytes(field.name.as_bytes()).ok()?, HeaderValue::from_bytes(field.value).ok()?);
        }
        let is_plain = ![CONTENT_LENGTH, TRANSFER_ENCODING, EXPECT, UPGRADE].iter().any(|name| headers.contains_key(name));
        let is_last = match headers.get(CONNECTION).map(HeaderValue::as_bytes) {
            None => false,
            Some(said) if said.eq_ignore_ascii_case(b"keep-alive") => false,
            Some(said) if said.eq_ignore_ascii_case(b"close") => true,
            Some(_) => return None,
        };
        let is_clear = headers.get_all(HOST).iter().count() == 1 && headers.get_all(CONNECTION).iter().count() <= 1;
        (is_plain && is_clear).then_some(Self { path: request.path?, wants_body, is_last, length })
    }
}

/// The status line and the header fields (RFC 9112 §4, §5).
fn write_head(head: &mut Vec<u8>, reply: &Reply<'_>, is_last: bool, now: Timestamp) {
    head.clear();
    let mut say = |pieces: [&[u8]; 4]| pieces.iter().for_each(|piece| head.extend_from_slice(piece));
    let status = reply.status();
    say([b"HTTP/1.1 ", status.as_str().as_bytes(), b" ", status.canonical_reason().unwrap_or_default().as_bytes()]);
    reply.fields(|name, value| say([b"\r\n", name.as_str().as_bytes(), b": ", value.as_bytes()]));
    if is_last {
        say([b"\r\n", b"connection", b": ", b"close"]);
    }
    let date = http_date(now);
    say([b"\r\ndate: ", date.as_bytes(), b"\r\n", b"\r\n"]);
}

async fn send(stream: &mut Impatient<TcpStream>, head: &[u8], body: &[u8]) -> io::Result<()> {
    let mut pieces = [IoSlice::new(head), IoSlice::new(body)];
    let mut pieces = &mut pieces[..];
    while !pieces.is_empty() {
        match stream.write_vectored(pieces).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => IoSlice::advance_slices(&mut pieces, written),
        }
    }
    Ok(())
}
