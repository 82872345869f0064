//! The dialogue with a relay (RFC 5321), phase by phase, so that the caller can write down what
//! a phase means before it begins (M8, M11).

mod dial;
mod wire;

use super::lines::{has_stray_end, stuffed};
use super::reply::{CLOSES, Reply, scrub};
use super::{RelaySettings, Tls};
use crate::address::Address;
use anyhow::Context as _;
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
            asked: None,
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
    /// The envelope that was asked for with the last body, and is not answered yet.
    asked: Option<String>,
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

    /// Whether the envelope of the mail after the next can be asked for with the next one's body.
    pub fn takes_groups(&self) -> bool {
        self.pipelining && self.left > 1
    }

    /// Whether the next envelope has been asked for with the last body.
    pub fn has_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// Says who a mail is from and for, and asks to send it. If another was asked for ahead, the
    /// connection is lost.
    pub async fn envelope(&mut self, from: &Address, to: &Address) -> Envelope<'_> {
        let international = !to.local().is_ascii();
        if international && !self.international {
            return Envelope::NotCarried;
        }
        let Some(wire) = self.wire.take() else { return Envelope::Lost("the connection had been lost".to_owned()) };
        self.carried += 1;
        self.left = self.left.saturating_sub(1);
        let mut talk = Talk { wire, limit: self.timeouts.command, to };
        let asked = match self.asked.take() {
            Some(group) if group == self.group(from, to) => talk.hear_of_all().await,
            Some(_) => Err(Silence("another envelope had been asked for".to_owned())),
            None if self.pipelining => talk.ask_at_once(&self.group(from, to)).await,
            None => {
                let [mail, rcpt] = self.commands(from, to);
                talk.ask_in_turn(&mail, &rcpt).await
            }
        };
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
    fn commands(&self, from: &Address, to: &Address) -> [String; 2] {
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
        [mail, rcpt]
    }

    /// A whole envelope as one group (RFC 2920 §3.1).
    fn group(&self, from: &Address, to: &Address) -> String {
        self.commands(from, to).concat() + DATA
    }

    /// Takes leave, shortly. Of a relay that waits for a body, by hanging up.
    pub async fn quit(mut self) {
        if let Some(mut wire) = self.wire.take().filter(|_| self.asked.is_none()) {
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
    /// Sends the body, whose line ends are CRLF. Where the relay takes groups, the envelope that
    /// comes `next`, sender and recipient, is asked for in the same breath (RFC 2920 §3.1: a body
    /// may be the first of a group), which spares a way there and back: for a relay that is far
    /// away, half of the time.
    pub async fn send_body(mut self, bytes: &[u8], next: Option<(&Address, &Address)>) -> Answer {
        // Until something of it has left, dropping the connection ends it, and there is no doubt.
        if has_stray_end(bytes) {
            return Answer::Refused(Reply { code: 554, text: "5.6.0 the mail has a CR or LF that stands alone".to_owned() });
        }
        if let Err(error) = self.wire.ensure_quiet().await {
            return Answer::Refused(Reply { code: 451, text: format!("4.4.2 before the mail: {error}") });
        }
        let mut talk = Talk { wire: self.wire, limit: self.connection.timeouts.dot, to: &self.to };
        let last_dot = if bytes.ends_with(b"\r\n") { ".\r\n" } else { "\r\n.\r\n" };
        let next = next.filter(|(_, to)| self.connection.pipelining && self.connection.left > 0 && to.local().is_ascii());
        let group = next.map(|(from, to)| self.connection.group(from, to));
        let end = format!("{last_dot}{}", group.as_deref().unwrap_or_default());
        let heard = match talk.ask_both(&stuffed(bytes), end.as_bytes()).await {
            Ok(heard) => heard,
            Err(Silence(why)) => return Answer::InDoubt(why),
        };
        let reply = talk.reply(&heard);
        match reply.code {
            250 => {
                (self.connection.wire, self.connection.asked) = (Some(talk.wire), group);
                Answer::Accepted(reply)
            }
            400.. => {
                if !reply.closes() {
                    (self.connection.wire, self.connection.asked) = (Some(talk.wire), group);
                }
                Answer::Refused(reply)
            }
            _ => Answer::InDoubt(format!("the relay answered “{reply}” to a whole mail")),
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
        let heard = self.ask(mail.as_bytes()).await?;
        if !self.is_yes(&heard)? {
            return Ok(self.refused(&heard, true));
        }
        let heard = self.ask(rcpt.as_bytes()).await?;
        if !self.is_yes(&heard)? {
            return Ok(self.refused(&heard, false));
        }
        let heard = self.ask(DATA.as_bytes()).await?;
        if self.is_go(&heard)? { Ok(Asked::Go) } else { Ok(self.refused(&heard, false)) }
    }

    /// Three commands in one write, three answers (RFC 2920 §3.1).
    async fn ask_at_once(&mut self, group: &str) -> Result<Asked, Silence> {
        let mail = self.ask(group.as_bytes()).await?;
        self.hear_of_rest(mail).await
    }

    /// The answers to a group that was asked before.
    async fn hear_of_all(&mut self) -> Result<Asked, Silence> {
        let mail = self.listen().await?;
        let asked = self.hear_of_rest(mail).await?;
        // One answer too many to the body would make each of these an answer to something else.
        if matches!(&asked, Asked::No { reply, .. } if !reply.closes()) && self.wire.ensure_quiet().await.is_err() {
            return Err(Silence("the relay gave more answers than it was asked for".to_owned()));
        }
        Ok(asked)
    }

    async fn hear_of_rest(&mut self, mail: Heard) -> Result<Asked, Silence> {
        if mail.code == CLOSES {
            return Ok(self.refused(&mail, false));
        }
        let rcpt = self.listen().await?;
        if rcpt.code == CLOSES {
            return Ok(self.refused(&rcpt, false));
        }
        let data = self.listen().await?;
        let refusal = if !self.is_yes(&mail)? {
            Some(self.refused(&mail, true))
        } else if !self.is_yes(&rcpt)? {
            Some(self.refused(&rcpt, false))
        } else {
            None
        };
        match (refusal, self.is_go(&data)?) {
            (None, true) => Ok(Asked::Go),
            (None, false) => Ok(self.refused(&data, false)),
            (Some(refusal), true) => {
                // RFC 2920 §3.1: the relay waits for a mail to nobody, and gets an empty one.
                let heard = self.ask(b".\r\n").await?;
                if heard.code < 400 {
                    return Err(Silence(format!("the relay answered “{}” to a mail for nobody", self.reply(&heard))));
                }
                Ok(refusal)
            }
            (Some(refusal), false) => Ok(refusal),
        }
    }

    /// Whether a plain mail from this sender is refused for good.
    async fn is_refused_sender(&mut self, from: &Address) -> bool {
        matches!(self.ask(format!("MAIL FROM:<{}>\r\n", from.expose()).as_bytes()).await, Ok(heard) if heard.code >= 500)
    }

    async fn reset(&mut self) -> bool {
        matches!(self.ask(b"RSET\r\n").await, Ok(heard) if heard.code == 250)
    }

    async fn ask(&mut self, words: &[u8]) -> Result<Heard, Silence> {
        self.ask_both(words, b"").await
    }

    /// Says one thing and at once another, and waits for the answer to both.
    async fn ask_both(&mut self, words: &[u8], more: &[u8]) -> Result<Heard, Silence> {
        let asking = async {
            self.wire.say_both(words, more).await?;
            self.wire.hear().await
        };
        let answer = tokio::time::timeout(self.limit, asking).await;
        self.understand(answer)
    }

    async fn listen(&mut self) -> Result<Heard, Silence> {
        let answer = tokio::time::timeout(self.limit, self.wire.hear()).await;
        self.understand(answer)
    }

    fn understand(&self, answer: Result<io::Result<Heard>, tokio::time::error::Elapsed>) -> Result<Heard, Silence> {
        match answer {
            Ok(heard) => heard.map_err(|error| Silence(scrub(&format!("the connection was lost: {error}"), Some(self.to)))),
            Err(_) => Err(Silence(format!("no answer from the relay within {} seconds", self.limit.as_secs()))),
        }
    }

    /// What was heard, as it may be kept. It takes its time, so not what nobody keeps.
    fn reply(&self, heard: &Heard) -> Reply {
        Reply::new(heard.code, &heard.lines.join(" "), self.to)
    }

    fn refused(&self, heard: &Heard, of_sender: bool) -> Asked {
        Asked::No { reply: self.reply(heard), of_sender }
    }

    /// MAIL is answered 250, RCPT 250 or 251 (RFC 5321 §4.3.2); a refusal is 400 or more. After
    /// anything else nobody knows what the relay is talking of.
    fn is_yes(&self, heard: &Heard) -> Result<bool, Silence> {
        match heard.code {
            250 | 251 => Ok(true),
            400.. => Ok(false),
            _ => Err(Silence(format!("the relay answered “{}” to an envelope", self.reply(heard)))),
        }
    }

    /// DATA is answered 354.
    fn is_go(&self, heard: &Heard) -> Result<bool, Silence> {
        match heard.code {
            354 => Ok(true),
            400.. => Ok(false),
            _ => Err(Silence(format!("the relay answered “{}” to DATA", self.reply(heard)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_id_is_written_as_xtext() {
        assert_eq!(xtext("bounces+a=b"), "bounces+2Ba+3Db");
        assert_eq!(xtext("é x"), "+C3+A9+20x");
    }
}
