//! The dialogue with a relay (RFC 5321), phase by phase, so that the caller can write down what
//! a phase means before it begins.
//!
//! lettre's low level carries the words; its pool and its `send` are not used, because they
//! cannot tell a mail that was lost from one that was accepted (M7, M8, M11).

mod dial;

use super::message::spoken;
use super::reply::Reply;
use super::{RelaySettings, Tls};
use crate::address::Address;
use anyhow::{Context as _, anyhow};
use dial::{Encryption, dial, within};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Ehlo, Mail, Quit, Rcpt};
use lettre::transport::smtp::extension::{ClientId, MailParameter, RcptParameter};
use lettre::transport::smtp::{Error, response::Response};
use secrecy::ExposeSecret as _;
use std::fmt;
use std::time::Duration;

/// A connection that has carried so many mails is replaced: some relays insist.
const MAILS_A_CONNECTION: u32 = 200;

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
    hello: ClientId,
    encryption: Option<Encryption>,
    timeouts: RelayTimeouts,
}

impl Relay {
    /// A relay; `host` is our own name for EHLO.
    pub fn new(settings: &RelaySettings, host: &str) -> anyhow::Result<Self> {
        let encryption = match settings.tls {
            Tls::None => None,
            Tls::Required | Tls::Implicit => Some(Encryption::new(settings)?),
        };
        Ok(Self { settings: settings.clone(), hello: ClientId::Domain(host.to_owned()), encryption, timeouts: RelayTimeouts::default() })
    }

    /// The same relay with other patience.
    #[must_use]
    pub fn with_timeouts(self, timeouts: RelayTimeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// Connects, encrypts, introduces, authenticates. An error means that the relay takes no
    /// mail from us now.
    pub async fn connect(&self) -> anyhow::Result<Connection> {
        let mut wire = dial(&self.settings, self.encryption.as_ref(), &self.hello, &self.timeouts).await?;
        // lettre keeps only four keywords of its own EHLO (L7).
        let offers = within(self.timeouts.greeting, "answer to EHLO", async { Ok(wire.command(Ehlo::new(self.hello.clone())).await?) })
            .await
            .context("the relay does not take EHLO")?;
        if let Some((user, password)) = &self.settings.credentials {
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            within(self.timeouts.greeting, "answer to AUTH", async {
                Ok(wire.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await?)
            })
            .await
            .context("the relay does not accept our user and password")?;
        }
        let offers = |wanted: &str| offers.message().skip(1).any(|line| line.split(' ').any(|word| word.eq_ignore_ascii_case(wanted)));
        Ok(Connection {
            pipelining: offers("PIPELINING"),
            international: offers("SMTPUTF8"),
            reports: offers("DSN"),
            wire: Some(Box::new(wire)),
            timeouts: self.timeouts,
            carried: 0,
        })
    }
}

/// A connection to a relay.
pub struct Connection {
    /// None once something happened after which no answer can be told from the next.
    wire: Option<Box<AsyncSmtpConnection>>,
    pipelining: bool,
    international: bool,
    /// Whether reports of failure can be asked for.
    reports: bool,
    timeouts: RelayTimeouts,
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
    wire: Box<AsyncSmtpConnection>,
    to: Address,
}

/// No answer, or none that can be understood.
struct Silence(String);

impl Connection {
    /// Whether another mail can go this way.
    pub fn is_usable(&self) -> bool {
        self.wire.is_some() && self.carried < MAILS_A_CONNECTION
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
        let (Ok(from), Ok(spoken_to)) = (spoken(from), spoken(to)) else {
            self.wire = Some(wire);
            return Envelope::NotCarried;
        };
        self.carried += 1;
        let (mut of_mail, mut of_rcpt) = if self.reports { ask_for_reports(from.user(), to) } else { (Vec::new(), Vec::new()) };
        if international {
            of_mail.push(MailParameter::SmtpUtfEight);
            of_rcpt.retain(|parameter| !matches!(parameter, RcptParameter::Other { keyword, .. } if keyword == "ORCPT"));
        }
        let mail = Mail::new(Some(from), of_mail).to_string();
        let rcpt = Rcpt::new(spoken_to, of_rcpt).to_string();
        let mut talk = Talk { wire, limit: self.timeouts.command, to };
        let asked = if self.pipelining { talk.ask_at_once(&mail, &rcpt).await } else { talk.ask_in_turn(&mail, &rcpt).await };
        match asked {
            Ok(Asked::Go) => Envelope::Ready(Ready { to: to.clone(), wire: talk.wire, connection: self }),
            Ok(Asked::No { reply, of_sender }) => {
                if !reply.closes() && talk.reset().await {
                    self.wire = Some(talk.wire);
                }
                if of_sender && !reply.is_transient() { Envelope::SenderRefused(reply) } else { Envelope::Refused(reply) }
            }
            Err(Silence(why)) => Envelope::Lost(why),
        }
    }

    /// Takes leave, shortly.
    pub async fn quit(mut self) {
        if let Some(mut wire) = self.wire.take() {
            let _ = tokio::time::timeout(Duration::from_secs(2), wire.command(Quit)).await;
        }
    }
}

impl Ready<'_> {
    /// Sends the body, whose line ends are CRLF.
    pub async fn send_body(self, bytes: &[u8]) -> Answer {
        let body = match stuffed(bytes) {
            Ok(body) => body,
            Err(error) => return Answer::InDoubt(format!("{error:#}")),
        };
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

/// Asks for a report if the mail fails, with its head only, named by the local part of our envelope
/// sender, which carries the token (RFC 3461 §4). Nothing is asked of what arrives or waits.
fn ask_for_reports(name: &str, to: &Address) -> (Vec<MailParameter>, Vec<RcptParameter>) {
    let of_mail = |keyword: &str, value: String| MailParameter::Other { keyword: keyword.to_owned(), value: Some(value) };
    let of_rcpt = |keyword: &str, value: String| RcptParameter::Other { keyword: keyword.to_owned(), value: Some(value) };
    // lettre writes values as xtext (RFC 3461 §4).
    let mail = vec![of_mail("RET", "HDRS".to_owned()), of_mail("ENVID", name.to_owned())];
    let rcpt = vec![of_rcpt("NOTIFY", "FAILURE".to_owned()), of_rcpt("ORCPT", format!("rfc822;{}", to.expose()))];
    (mail, rcpt)
}

/// The answer to a whole envelope.
enum Asked {
    Go,
    No { reply: Reply, of_sender: bool },
}

/// Commands and their answers on one connection, about one recipient.
struct Talk<'t> {
    wire: Box<AsyncSmtpConnection>,
    limit: Duration,
    to: &'t Address,
}

impl Talk<'_> {
    /// One command at a time.
    async fn ask_in_turn(&mut self, mail: &str, rcpt: &str) -> Result<Asked, Silence> {
        let reply = self.ask(mail).await?;
        if !is_yes(&reply) {
            return Ok(Asked::No { reply, of_sender: true });
        }
        let reply = self.ask(rcpt).await?;
        if !is_yes(&reply) {
            return Ok(Asked::No { reply, of_sender: false });
        }
        let reply = self.ask(&Data.to_string()).await?;
        if reply.code == 354 { Ok(Asked::Go) } else { Ok(Asked::No { reply, of_sender: false }) }
    }

    /// Three commands in one write, three answers (RFC 2920 §3.1).
    async fn ask_at_once(&mut self, mail: &str, rcpt: &str) -> Result<Asked, Silence> {
        let mail = self.ask(&format!("{mail}{rcpt}{Data}")).await?;
        if mail.closes() {
            return Ok(Asked::No { reply: mail, of_sender: false });
        }
        let rcpt = self.listen().await?;
        if rcpt.closes() {
            return Ok(Asked::No { reply: rcpt, of_sender: false });
        }
        let data = self.listen().await?;
        let refusal = if !is_yes(&mail) {
            Some(Asked::No { reply: mail, of_sender: true })
        } else if !is_yes(&rcpt) {
            Some(Asked::No { reply: rcpt, of_sender: false })
        } else {
            None
        };
        match (refusal, data.code) {
            (None, 354) => Ok(Asked::Go),
            (None, _) => Ok(Asked::No { reply: data, of_sender: false }),
            (Some(refusal), 354) => {
                // RFC 2920 §3.1: the relay waits for a mail to nobody, and gets an empty one.
                let reply = self.ask(".\r\n").await?;
                if reply.code < 400 {
                    return Err(Silence(format!("the relay answered “{reply}” to a mail for nobody")));
                }
                Ok(refusal)
            }
            (Some(refusal), _) => Ok(refusal),
        }
    }

    async fn reset(&mut self) -> bool {
        matches!(self.ask("RSET\r\n").await, Ok(reply) if reply.code == 250)
    }

    async fn ask(&mut self, text: &str) -> Result<Reply, Silence> {
        let said = tokio::time::timeout(self.limit, self.wire.command(Verbatim(text))).await;
        self.understand(said)
    }

    async fn listen(&mut self) -> Result<Reply, Silence> {
        let heard = tokio::time::timeout(self.limit, self.wire.read_response()).await;
        self.understand(heard)
    }

    fn understand(&self, answer: Result<Result<Response, Error>, tokio::time::error::Elapsed>) -> Result<Reply, Silence> {
        match answer {
            Ok(Ok(response)) => {
                let text: Vec<&str> = response.message().collect();
                Ok(Reply::new(response.code().into(), &text.join(" "), self.to))
            }
            Ok(Err(error)) => match error.status() {
                Some(code) => Ok(Reply::new(code.into(), &reason(&error), self.to)),
                None => Err(Silence(super::reply::scrub(&format!("the connection was lost: {error}"), Some(self.to)))),
            },
            Err(_) => Err(Silence(format!("no answer from the relay within {} seconds", self.limit.as_secs()))),
        }
    }
}

/// The relay's words in lettre's error.
fn reason(error: &Error) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

/// MAIL is answered 250, RCPT 250 or 251 (RFC 5321 §4.3.2).
fn is_yes(reply: &Reply) -> bool {
    matches!(reply.code, 250 | 251)
}

/// Text that lettre sends as it is.
struct Verbatim<'t>(&'t str);

impl fmt::Display for Verbatim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A whole body with its dots doubled (RFC 5321 §4.5.2) and the final dot, for one write.
fn stuffed(bytes: &[u8]) -> anyhow::Result<String> {
    let text = std::str::from_utf8(bytes).map_err(|_| anyhow!("a mail holds octets that are not text"))?;
    let mut body = String::with_capacity(text.len() + 64);
    for line in text.split_inclusive("\r\n") {
        if line.starts_with('.') {
            body.push('.');
        }
        body.push_str(line);
    }
    if !body.ends_with("\r\n") {
        body.push_str("\r\n");
    }
    body.push_str(".\r\n");
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_at_the_start_of_a_line_are_doubled_and_one_ends_the_mail() {
        assert_eq!(stuffed(b"a\r\n.b\r\n..\r\nc.d\r\n").unwrap(), "a\r\n..b\r\n...\r\nc.d\r\n.\r\n");
        assert_eq!(stuffed(b".").unwrap(), "..\r\n.\r\n");
        assert_eq!(stuffed(b"").unwrap(), "\r\n.\r\n");
    }
}
