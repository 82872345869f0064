//! The requests that come most often, a feed at its own path, answered from the octets of a
//! connection: building a general request and a general response costs more than such an answer.
//!
//! What is not plainly such a request, whole and without a body, is left as it came to hyper, and
//! the rest of its connection with it.

use super::State;
use super::client::Visitor;
use super::conditional::http_date;
use super::feeds::{self, Reply};
use super::fields::Fields;
use super::impatient::{Alarm, Impatient};
use crate::clock::Timestamp;
use axum::http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING, UPGRADE};
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
    let (mut buffer, mut head, mut date) = (vec![0; REQUEST], Vec::new(), DateLine::default());
    let (mut start, mut end) = (0, 0);
    loop {
        if start == end {
            (start, end) = (0, fill(stream, &mut buffer, &mut alarm, stop.as_mut()).await?);
        }
        if end == 0 {
            return Ok(None);
        }
        let input = &buffer[start..end];
        let mut lines = [httparse::EMPTY_HEADER; FIELDS];
        let Some(asked) = Asked::read(input, &mut lines) else { return Ok(Some(input.to_vec())) };
        let Some(reply) = feeds::at_its_path(state, asked.path, &Visitor { peer, headers: asked.headers }) else {
            return Ok(Some(input.to_vec()));
        };
        write_head(&mut head, &reply, asked.is_last, date.at(state.clock.now()));
        let body = reply.body().filter(|_| asked.wants_body);
        let pages = body.and_then(|_| reply.pages());
        match (pages.and_then(|pages| pages.behind(&head)), body) {
            (Some(mut sending), _) => stream.send_all(|socket| sending.send(socket)).await?,
            (None, Some(body)) => send(stream, &head, body).await?,
            (None, None) => stream.write_all(&head).await?,
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
    headers: Fields<'i>,
    /// `GET`, not `HEAD`.
    wants_body: bool,
    /// The client closes the connection after it.
    is_last: bool,
    /// In octets.
    length: usize,
}

impl<'i> Asked<'i> {
    /// Reads a whole request without a body; `lines` has room for its header fields.
    fn read(input: &'i [u8], lines: &'i mut [httparse::Header<'i>]) -> Option<Self> {
        let mut request = httparse::Request::new(lines);
        let Ok(httparse::Status::Complete(length)) = request.parse(input) else { return None };
        let wants_body = match (request.method, request.version) {
            (Some("GET"), Some(1)) => true,
            (Some("HEAD"), Some(1)) => false,
            _ => return None,
        };
        let headers = Fields::Lines(request.headers);
        let is_plain = ![CONTENT_LENGTH, TRANSFER_ENCODING, EXPECT, UPGRADE].into_iter().any(|name| headers.has(name));
        let is_last = match headers.get(CONNECTION) {
            None => false,
            Some(said) if said.eq_ignore_ascii_case(b"keep-alive") => false,
            Some(said) if said.eq_ignore_ascii_case(b"close") => true,
            Some(_) => return None,
        };
        let is_clear = headers.all(HOST).count() == 1 && headers.all(CONNECTION).count() <= 1;
        (is_plain && is_clear).then_some(Self { path: request.path?, headers, wants_body, is_last, length })
    }
}

/// The status line and the header fields (RFC 9112 §4, §5).
fn write_head(head: &mut Vec<u8>, reply: &Reply<'_>, is_last: bool, date: &str) {
    head.clear();
    let mut say = |pieces: [&[u8]; 4]| pieces.iter().for_each(|piece| head.extend_from_slice(piece));
    let status = reply.status();
    say([b"HTTP/1.1 ", status.as_str().as_bytes(), b" ", status.canonical_reason().unwrap_or_default().as_bytes()]);
    reply.fields(|name, value| say([b"\r\n", name.as_str().as_bytes(), b": ", value.as_bytes()]));
    if is_last {
        say([b"\r\n", b"connection", b": ", b"close"]);
    }
    say([b"\r\ndate: ", date.as_bytes(), b"\r\n", b"\r\n"]);
}

/// The time as answers say it (RFC 9110 §6.6.1), written once a second.
#[derive(Default)]
struct DateLine {
    second: i64,
    text: String,
}

impl DateLine {
    fn at(&mut self, now: Timestamp) -> &str {
        if self.text.is_empty() || self.second != now.as_seconds() {
            *self = Self { second: now.as_seconds(), text: http_date(now) };
        }
        &self.text
    }
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
