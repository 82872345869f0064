//! Lines to and from a relay. What it says is bounded, and nothing it says is taken for the
//! answer to something else: a relay that speaks out of turn is not spoken to any more.
//!
//! lettre's connection is not used. It reads a reply of any length, parses it again from the
//! start with each line, and leaves what came behind a reply for the next command, so that one
//! answer too many makes it take a refused mail for an accepted one.

use bytes::Buf;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// The longest line of a reply. RFC 5321 §4.5.3.1.5 allows 512 octets; relays explain at length.
const LONGEST_LINE: usize = 4 * 1024;
/// The most lines of one reply: far more than any EHLO answer has.
const MOST_LINES: usize = 200;
/// Room for what is read at once, in octets.
const PORTION: usize = 2 * 1024;

/// A connection as lines.
pub(super) struct Wire {
    stream: Stream,
    /// What has been read and not understood yet.
    unread: Vec<u8>,
}

/// The stream below.
pub(super) enum Stream {
    /// In the clear.
    Plain(TcpStream),
    /// Encrypted.
    Encrypted(Box<TlsStream<TcpStream>>),
}

/// A whole reply (RFC 5321 §4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// Between 200 and 599.
    pub(super) code: u16,
    /// What follows the code on each line, as it came but for octets that are not UTF-8.
    pub(super) lines: Vec<String>,
}

impl Wire {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, unread: Vec::new() }
    }

    /// The stream in the clear, to be encrypted. `None`: it is encrypted, or something came that
    /// was not asked for and would be taken for encrypted speech (RFC 3207 §4.2).
    pub(super) async fn into_plain(mut self) -> Option<TcpStream> {
        if self.has_spoken().await.is_some() {
            return None;
        }
        match self.stream {
            Stream::Plain(stream) => Some(stream),
            Stream::Encrypted(_) => None,
        }
    }

    /// An error if the relay has gone, or has spoken out of turn: its words would be taken for
    /// the answer to what comes next.
    pub(super) async fn ensure_quiet(&mut self) -> io::Result<()> {
        match self.has_spoken().await {
            Some(Spoken::Left) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the relay closed the connection")),
            Some(Spoken::Words) => Err(nonsense("the relay said something that was not asked for")),
            None => Ok(()),
        }
    }

    /// Says something, if the relay waits for it.
    pub(super) async fn say(&mut self, words: &[u8]) -> io::Result<()> {
        self.say_both(words, b"").await
    }

    /// Says one thing and at once another, if the relay waits for them.
    pub(super) async fn say_both(&mut self, words: &[u8], more: &[u8]) -> io::Result<()> {
        self.ensure_quiet().await?;
        let mut all = Buf::chain(words, more);
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all_buf(&mut all).await,
            Stream::Encrypted(stream) => {
                stream.write_all_buf(&mut all).await?;
                stream.flush().await
            }
        }
    }

    /// Waits for one reply; what comes behind it stays for the next call.
    pub(super) async fn hear(&mut self) -> io::Result<Heard> {
        let (mut first, mut lines) = (None, Vec::new());
        for _ in 0..MOST_LINES {
            let line = self.line().await?;
            let (code, goes_on, text) = parse(&line).ok_or_else(|| nonsense("the relay's answer cannot be understood"))?;
            // RFC 5321 §4.2.1: the same code on every line.
            if *first.get_or_insert(code) != code {
                return Err(nonsense("the relay's answer has two codes"));
            }
            lines.push(text);
            if !goes_on {
                return Ok(Heard { code, lines });
            }
        }
        Err(nonsense("the relay's answer does not end"))
    }

    /// Whether a whole or half a reply waits that nobody asked for, or the relay has gone.
    async fn has_spoken(&mut self) -> Option<Spoken> {
        if !self.unread.is_empty() {
            return Some(Spoken::Words);
        }
        let mut portion = [0; 1];
        let mut buffer = ReadBuf::new(&mut portion);
        let glance = poll_fn(|context| {
            Poll::Ready(match self.stream.poll_read(context, &mut buffer) {
                Poll::Pending => None,
                Poll::Ready(read) => Some(read),
            })
        });
        match glance.await? {
            Ok(()) if !buffer.filled().is_empty() => Some(Spoken::Words),
            Ok(()) | Err(_) => Some(Spoken::Left),
        }
    }

    /// The next line without its end.
    async fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut searched = 0;
        loop {
            if let Some(end) = self.unread[searched..].iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.unread.drain(..=searched + end).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            searched = self.unread.len();
            if searched > LONGEST_LINE {
                return Err(nonsense("a line of the relay's answer does not end"));
            }
            self.read().await?;
        }
    }

    /// Reads what comes next. Where it is put is no part of the future, which is moved often.
    async fn read(&mut self) -> io::Result<()> {
        self.unread.reserve(PORTION);
        let count = match &mut self.stream {
            Stream::Plain(stream) => stream.read_buf(&mut self.unread).await?,
            Stream::Encrypted(stream) => stream.read_buf(&mut self.unread).await?,
        };
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the relay closed the connection"));
        }
        Ok(())
    }
}

/// What a relay did without being asked.
enum Spoken {
    Words,
    Left,
}

impl Stream {
    fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Encrypted(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

fn nonsense(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Code, whether more lines follow, and text of one line (RFC 5321 §4.2.1). A line of the code
/// alone is allowed there to end a reply.
fn parse(line: &[u8]) -> Option<(u16, bool, String)> {
    let (digits, rest) = line.split_at_checked(3)?;
    let [hundreds @ b'2'..=b'5', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = digits else { return None };
    let digit = |byte: &u8| u16::from(byte - b'0');
    let code = digit(hundreds) * 100 + digit(tens) * 10 + digit(ones);
    let (goes_on, text) = match rest {
        [] => (false, rest),
        [b' ', text @ ..] => (false, text),
        [b'-', text @ ..] => (true, text),
        _ => return None,
    };
    Some((code, goes_on, String::from_utf8_lossy(text).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_code_and_a_text_or_is_not_understood() {
        let line = |text: &str| parse(text.as_bytes());
        assert_eq!(line("250 fine"), Some((250, false, "fine".to_owned())));
        assert_eq!(line("250-PIPELINING"), Some((250, true, "PIPELINING".to_owned())));
        assert_eq!(line("354"), Some((354, false, String::new())));
        assert_eq!(parse(b"550 \xff\0no"), Some((550, false, "\u{fffd}\0no".to_owned())));
        for nonsense in ["", "25", "999 x", "199 x", "2 50", "250x", "250\tx", " 250 x", "+50 x"] {
            assert_eq!(line(nonsense), None, "{nonsense:?}");
        }
    }
}
