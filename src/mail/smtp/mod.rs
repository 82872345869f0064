//! The dialogue with a relay (RFC 5321), phase by phase, so that the caller can write down what
//! a phase means before it begins (M8, M11).

mod dial;
mod wire;

use super::message::spoken;
use super::reply::{Reply, scrub};
use super::{RelaySettings, Tls};
use crate::address::Address;
use anyhow::{Context as _, ensure};
use dial::{Encryption, dial, log_in, within};
use std::fmt::Write as _;
use std::io;
use std::time::Duration;
use wire::{Heard, Wire};

/// How long each phase may take (S13; RFC 5321 §4.5.3.2).
#[derive(Clone, Copy, Debug)]
pub struct RelayTimeouts {
    /// Connecting, and agreeing on TLS.
    pub connect: Duration,
    /// The greeting, EHLO, AUTH.
    pub greeting: Duration,
    /// The answers to MAIL, RCPT, DATA, RSET.
    pub command: Duration,
    /// The body and the answer to its final dot.
    pub dot: Duration,
}

impl Default for RelayTimeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            greeting: Duration::from_mins(1),
            command: Duration::from_mins(1),
            dot: Duration::from_mins(10),
        }
    }
}

/// A relay that connections can be made to.
#[derive(Clone)]
pub struct Relay {
    settings: RelaySettings,
    hello: String,
    encryption: Option<Encryption>,
    timeouts: RelayTimeouts,
    mails_per_connection: u32,
}

impl Relay {
    /// A relay; `host` is our own name for EHLO.
    pub fn new(settings: &RelaySettings, host: &str) -> anyhow::Result<Self> {
        let encryption = match settings.tls {
            Tls::None => None,
            Tls::Required | Tls::Implicit => Some(Encryption::new(settings)?),
        };
        let (settings, hello) = (settings.clone(), host.to_owned());
        Ok(Self { settings, hello, encryption, timeouts: RelayTimeouts::default(), mails_per_connection: u32::MAX })
    }

    /// The same relay, each connection to which carries so many mails at most.
    #[must_use]
    pub fn with_mails_per_connection(self, mails_per_connection: u32) -> Self {
        Self { mails_per_connection, ..self }
    }

    /// The same relay with other patience.
    #[must_use]
    pub fn with_timeouts(self, timeouts: RelayTimeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// Connects, encrypts, introduces, authenticates. An error means that the relay takes no
    /// mail from us now.
    pub async fn connect(&self) -> anyhow::Result<Connection> {
        let (mut wire, offers) = dial(&self.settings, self.encryption.as_ref(), &self.hello, &self.timeouts).await?;
        if let Some((user, password)) = &self.settings.credentials {
            within(self.timeouts.greeting, "answer to AUTH", log_in(&mut wire, &offers, user, password))
                .await
                .context("the relay does not accept our user and password")?;
        }
        Ok(Connection {
            pipelining: offers.has("PIPELINING"),
            international: offers.has("SMTPUTF8"),
            reports: offers.has("DSN"),
            wire: Some(wire),
            timeouts: self.timeouts,
            left: self.mails_per_connection,
            carried: 0,
        })
    }
}

/// A connection to a relay.
pub struct Connection {
    /// None once something happened after which no answer can be told from the next.
    wire: Option<Wire>,
    pipelining: bool,
    international: bool,
    /// Whether it can be told which reports we want (RFC 3461).
    reports: bool,
    timeouts: RelayTimeouts,
    /// Mails that it may carry yet.
    left: u32,
    carried: u32,
}

/// What became of an envelope.
pub enum Envelope<'c> {
    /// The relay waits for the body.
    Ready(Ready<'c>),
    /// It does not want this recipient or mail: not now (4xx), or never (5xx).
    Refused(Reply),
    /// It does not want mail from our sender at all.
    SenderRefused(Reply),
    /// The address has letters beyond ASCII before the @, which this relay cannot carry.
    NotCarried,
    /// The connection was lost, and the body had not begun.
    Lost(String),
}

/// What became of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 250: the relay is responsible now.
    Accepted(Reply),
    /// Not now (4xx), or never (5xx).
    Refused(Reply),
    /// No answer came, so the mail may have been accepted.
    InDoubt(String),
}

/// A relay that waits for a body. Dropped, it takes the connection with it: a dialogue cannot
/// be left here any other way without sending something.
pub struct Ready<'c> {
    connection: &'c mut Connection,
    wire: Wire,
    to: Address,
}

/// No answer, or none that can be understood.
struct Silence(String);

impl Connection {
    /// Whether another mail can go this way.
    pub fn is_usable(&self) -> bool {
        self.wire.is_some() && self.left > 0
    }

    /// Whether a mail has gone this way.
    pub fn is_used(&self) -> bool {
        self.carried > 0
    }

    /// Says who a mail is from and for, and asks to send it.
    pub async fn envelope(&mut self, from: &Address, to: &Address) -> Envelope<'_> {
        let international = !to.local().is_ascii();
        if international && !self.international {
            return Envelope::NotCarried;
        }
        let Some(wire) = self.wire.take() else { return Envelope::Lost("the connection had been lost".to_owned()) };
        if spoken(from).is_err() || spoken(to).is_err() {
            self.wire = Some(wire);
            return Envelope::NotCarried;
        }
        self.carried += 1;
        self.left = self.left.saturating_sub(1);
        let (mail, rcpt) = self.commands(from, to);
        let mut talk = Talk { wire, limit: self.timeouts.command, to };
        let asked = if self.pipelining { talk.ask_at_once(&mail, &rcpt).await } else { talk.ask_in_turn(&mail, &rcpt).await };
        match asked {
            Ok(Asked::Go) => Envelope::Ready(Ready { to: to.clone(), wire: talk.wire, connection: self }),
            Ok(Asked::No { reply, of_sender }) => {
                let (mut of_sender, mut serves) = (of_sender && !reply.is_transient(), !reply.closes() && talk.reset().await);
                if of_sender && international {
                    // It may as well be SMTPUTF8 that it refuses, which is this delivery's matter alone (M5).
                    of_sender = serves && talk.is_refused_sender(from).await;
                    serves = serves && talk.reset().await;
                }
                self.wire = serves.then_some(talk.wire);
                if of_sender { Envelope::SenderRefused(reply) } else { Envelope::Refused(reply) }
            }
            Err(Silence(why)) => Envelope::Lost(why),
        }
    }

    /// MAIL and RCPT. Where it is offered, a report is asked for if the mail fails, with its head
    /// only, named by the local part of our envelope sender, which carries the token (RFC 3461
    /// §4). Nothing is asked of what arrives or waits.
    fn commands(&self, from: &Address, to: &Address) -> (String, String) {
        let (mut mail, mut rcpt) = (format!("MAIL FROM:<{}>", from.expose()), format!("RCPT TO:<{}>", to.expose()));
        if !to.local().is_ascii() {
            mail.push_str(" SMTPUTF8");
        }
        if self.reports {
            mail.push_str(" RET=HDRS ENVID=");
            mail.push_str(&xtext(from.local()));
            rcpt.push_str(" NOTIFY=FAILURE");
            if to.local().is_ascii() {
                rcpt.push_str(" ORCPT=rfc822;");
                rcpt.push_str(&xtext(to.expose()));
            }
        }
        mail.push_str("\r\n");
        rcpt.push_str("\r\n");
        (mail, rcpt)
    }

    /// Takes leave, shortly.
    pub async fn quit(mut self) {
        if let Some(mut wire) = self.wire.take() {
            let leaving = async {
                wire.say(b"QUIT\r\n").await?;
                wire.hear().await
            };
            let _ = tokio::time::timeout(Duration::from_secs(2), leaving).await;
        }
    }
}

/// RFC 3461 §4: what is not a visible ASCII character, `+` and `=` are written in hexadecimal.
fn xtext(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'+' | b'=') {
            written.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(written, "+{byte:02X}");
        }
    }
    written
}

impl Ready<'_> {
    /// Sends the body, whose line ends are CRLF.
    pub async fn send_body(mut self, bytes: &[u8]) -> Answer {
        // Until something of it has left, dropping the connection ends it, and there is no doubt.
        let body = match stuffed(bytes) {
            Ok(body) => body,
            Err(error) => return Answer::Refused(Reply { code: 554, text: format!("5.6.0 {error:#}") }),
        };
        if let Err(error) = self.wire.ensure_quiet().await {
            return Answer::Refused(Reply { code: 451, text: format!("4.4.2 before the mail: {error}") });
        }
        let mut talk = Talk { wire: self.wire, limit: self.connection.timeouts.dot, to: &self.to };
        match talk.ask(&body).await {
            Ok(reply) if reply.code == 250 => {
                self.connection.wire = Some(talk.wire);
                Answer::Accepted(reply)
            }
            Ok(reply) if reply.code >= 400 => {
                if !reply.closes() {
                    self.connection.wire = Some(talk.wire);
                }
                Answer::Refused(reply)
            }
            Ok(reply) => Answer::InDoubt(format!("the relay answered “{reply}” to a whole mail")),
            Err(Silence(why)) => Answer::InDoubt(why),
        }
    }
}

/// The answer to a whole envelope.
enum Asked {
    Go,
    No { reply: Reply, of_sender: bool },
}

/// Commands and their answers on one connection, about one recipient.
struct Talk<'t> {
    wire: Wire,
    limit: Duration,
    to: &'t Address,
}

const DATA: &str = "DATA\r\n";

impl Talk<'_> {
    /// One command at a time.
    async fn ask_in_turn(&mut self, mail: &str, rcpt: &str) -> Result<Asked, Silence> {
        let reply = self.ask(mail.as_bytes()).await?;
        if !is_yes(&reply)? {
            return Ok(Asked::No { reply, of_sender: true });
        }
        let reply = self.ask(rcpt.as_bytes()).await?;
        if !is_yes(&reply)? {
            return Ok(Asked::No { reply, of_sender: false });
        }
        let reply = self.ask(DATA.as_bytes()).await?;
        if is_go(&reply)? { Ok(Asked::Go) } else { Ok(Asked::No { reply, of_sender: false }) }
    }

    /// Three commands in one write, three answers (RFC 2920 §3.1).
    async fn ask_at_once(&mut self, mail: &str, rcpt: &str) -> Result<Asked, Silence> {
        let mail = self.ask(format!("{mail}{rcpt}{DATA}").as_bytes()).await?;
        if mail.closes() {
            return Ok(Asked::No { reply: mail, of_sender: false });
        }
        let rcpt = self.listen().await?;
        if rcpt.closes() {
            return Ok(Asked::No { reply: rcpt, of_sender: false });
        }
        let data = self.listen().await?;
        let refusal = if !is_yes(&mail)? {
            Some(Asked::No { reply: mail, of_sender: true })
        } else if !is_yes(&rcpt)? {
            Some(Asked::No { reply: rcpt, of_sender: false })
        } else {
            None
        };
        match (refusal, is_go(&data)?) {
            (None, true) => Ok(Asked::Go),
            (None, false) => Ok(Asked::No { reply: data, of_sender: false }),
            (Some(refusal), true) => {
                // RFC 2920 §3.1: the relay waits for a mail to nobody, and gets an empty one.
                let reply = self.ask(b".\r\n").await?;
                if reply.code < 400 {
                    return Err(Silence(format!("the relay answered “{reply}” to a mail for nobody")));
                }
                Ok(refusal)
            }
            (Some(refusal), false) => Ok(refusal),
        }
    }

    /// Whether a plain mail from this sender is refused for good.
    async fn is_refused_sender(&mut self, from: &Address) -> bool {
        matches!(self.ask(format!("MAIL FROM:<{}>\r\n", from.expose()).as_bytes()).await, Ok(reply) if reply.code >= 500)
    }

    async fn reset(&mut self) -> bool {
        matches!(self.ask(b"RSET\r\n").await, Ok(reply) if reply.code == 250)
    }

    async fn ask(&mut self, words: &[u8]) -> Result<Reply, Silence> {
        let asking = async {
            self.wire.say(words).await?;
            self.wire.hear().await
        };
        let answer = tokio::time::timeout(self.limit, asking).await;
        self.understand(answer)
    }

    async fn listen(&mut self) -> Result<Reply, Silence> {
        let answer = tokio::time::timeout(self.limit, self.wire.hear()).await;
        self.understand(answer)
    }

    fn understand(&self, answer: Result<io::Result<Heard>, tokio::time::error::Elapsed>) -> Result<Reply, Silence> {
        match answer {
            Ok(Ok(heard)) => Ok(Reply::new(heard.code, &heard.lines.join(" "), self.to)),
            Ok(Err(error)) => Err(Silence(scrub(&format!("the connection was lost: {error}"), Some(self.to)))),
            Err(_) => Err(Silence(format!("no answer from the relay within {} seconds", self.limit.as_secs()))),
        }
    }
}

/// MAIL is answered 250, RCPT 250 or 251 (RFC 5321 §4.3.2); a refusal is 400 or more. After
/// anything else nobody knows what the relay is talking of.
fn is_yes(reply: &Reply) -> Result<bool, Silence> {
    match reply.code {
        250 | 251 => Ok(true),
        400.. => Ok(false),
        _ => Err(Silence(format!("the relay answered “{reply}” to an envelope"))),
    }
}

/// DATA is answered 354.
fn is_go(reply: &Reply) -> Result<bool, Silence> {
    match reply.code {
        354 => Ok(true),
        400.. => Ok(false),
        _ => Err(Silence(format!("the relay answered “{reply}” to DATA"))),
    }
}

/// A whole body with its dots doubled (RFC 5321 §4.5.2) and the final dot, for one write. A CR or
/// LF that stands alone is refused: some relays take it for a line end, and what follows for
/// another mail (S8).
fn stuffed(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::with_capacity(bytes.len() + 64);
    let (mut start, mut ends) = (0, memchr::memchr2_iter(b'\r', b'\n', bytes));
    if bytes.starts_with(b".") {
        body.push(b'.');
    }
    while let Some(end) = ends.next() {
        let is_end = bytes[end] == b'\r' && ends.next() == Some(end + 1) && bytes[end + 1] == b'\n';
        ensure!(is_end, "the mail has a CR or LF that stands alone");
        if bytes.get(end + 2) == Some(&b'.') {
            body.extend_from_slice(&bytes[start..end + 2]);
            body.push(b'.');
            start = end + 2;
        }
    }
    body.extend_from_slice(&bytes[start..]);
    if !body.ends_with(b"\r\n") {
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b".\r\n");
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_at_the_start_of_a_line_are_doubled_and_one_ends_the_mail() {
        assert_eq!(stuffed(b"a\r\n.b\r\n..\r\nc.d\r\n").unwrap(), b"a\r\n..b\r\n...\r\nc.d\r\n.\r\n");
        assert_eq!(stuffed(b".").unwrap(), b"..\r\n.\r\n");
        assert_eq!(stuffed(b"").unwrap(), b"\r\n.\r\n");
    }

    #[test]
    fn what_could_end_a_mail_early_does_not_leave() {
        for smuggled in [&b"a\n.\r\n"[..], b"a\r\n.\n", b"a\r.\r\n", b"a\r\r\n", b"a\n", b"a\r"] {
            assert!(stuffed(smuggled).is_err(), "{smuggled:?}");
        }
    }

    #[test]
    fn an_envelope_id_is_written_as_xtext() {
        assert_eq!(xtext("bounces+a=b"), "bounces+2Ba+3Db");
        assert_eq!(xtext("é x"), "+C3+A9+20x");
    }
}
