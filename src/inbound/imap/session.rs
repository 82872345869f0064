//! The dialogue with the mailbox's server, in words that name nobody.

use super::super::desk::LONGEST_MESSAGE;
use super::{After, ImapSettings};
use crate::mail::{Tls, tls_connector};
use anyhow::{Context as _, anyhow, bail};
use async_imap::error::Error;
use async_imap::{Client, Session};
use futures_util::StreamExt as _;
use secrecy::ExposeSecret as _;
use std::future::Future;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;

/// How long each answer may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A connection, encrypted or not.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug> Wire for T {}

/// A mailbox that is open.
pub(super) struct Mailbox {
    session: Session<Box<dyn Wire>>,
    /// The numbers of messages mean the same as long as this does not change.
    pub(super) validity: i64,
    can_move: bool,
    can_expunge_one: bool,
}

impl Mailbox {
    /// Connects, encrypts, logs in, opens the folder.
    pub(super) async fn open(settings: &ImapSettings) -> anyhow::Result<Self> {
        let wire = in_time("TLS", dial(settings)).await?;
        let mut client = Client::new(wire);
        if settings.server.tls != Tls::Required {
            in_time("greeting", greeting(&mut client)).await?;
        }
        let (user, password) = settings.server.credentials.as_ref().context("no user is configured")?;
        let login = async { client.login(user, password.expose_secret()).await.map_err(|(error, _)| plain(&error)) };
        let mut session = in_time("answer to LOGIN", login).await.context("the server does not accept our user and password")?;
        let capabilities = told("capabilities", session.capabilities()).await?;
        let (can_move, can_expunge_one) = (capabilities.has_str("MOVE"), capabilities.has_str("UIDPLUS"));
        let folder = told("answer to SELECT", session.select(&settings.folder)).await;
        let folder = folder.with_context(|| format!("the folder “{}” cannot be opened", settings.folder))?;
        let validity = folder.uid_validity.context("the server does not number its messages")?;
        Ok(Self { session, validity: i64::from(validity), can_move, can_expunge_one })
    }

    /// The numbers of messages after `after`, in order.
    pub(super) async fn numbers_after(&mut self, after: u32) -> anyhow::Result<Vec<u32>> {
        let found = self.search(&format!("UID {}:* UNDELETED", after.saturating_add(1))).await?;
        // The last message is in every range that ends with it (RFC 3501 §9, seq-range).
        Ok(found.into_iter().filter(|number| *number > after).collect())
    }

    /// The highest number there is; 0 if there is no message.
    pub(super) async fn last_number(&mut self) -> anyhow::Result<u32> {
        Ok(self.search("ALL").await?.last().copied().unwrap_or(0))
    }

    /// The numbers of messages up to `last` that nobody has read, in order.
    pub(super) async fn unread_until(&mut self, last: u32) -> anyhow::Result<Vec<u32>> {
        let found = self.search("UNDELETED UNSEEN").await?;
        Ok(found.into_iter().filter(|number| *number <= last).collect())
    }

    async fn search(&mut self, query: &str) -> anyhow::Result<Vec<u32>> {
        let found = told("answer to SEARCH", self.session.uid_search(query)).await?;
        let mut numbers: Vec<u32> = found.into_iter().collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// As much of a message as is read, without marking it as read. `None`: it is gone.
    pub(super) async fn message(&mut self, number: u32) -> anyhow::Result<Option<Vec<u8>>> {
        let fetching = async {
            let query = format!("(UID BODY.PEEK[]<0.{LONGEST_MESSAGE}>)");
            let mut answers = self.session.uid_fetch(number.to_string(), query).await.map_err(|error| plain(&error))?;
            let mut body = None;
            while let Some(answer) = answers.next().await {
                let answer = answer.map_err(|error| plain(&error))?;
                body = body.or_else(|| answer.body().map(<[u8]>::to_vec));
            }
            Ok(body)
        };
        if let Some(body) = in_time("message", fetching).await? {
            return Ok(Some(body));
        }
        let there = self.search(&format!("UID {number}")).await?;
        if there.contains(&number) {
            bail!("the server lists a message and does not give it");
        }
        Ok(None)
    }

    /// Does with a message what is configured for those that were taken in.
    pub(super) async fn put_away(&mut self, number: u32, after: &After) -> anyhow::Result<()> {
        match after {
            After::Flag => self.command(&format!("UID STORE {number} +FLAGS.SILENT (\\Seen)")).await,
            After::Move(folder) if self.can_move => {
                told("answer to MOVE", self.session.uid_mv(number.to_string(), folder)).await.with_context(|| cannot_move(folder))
            }
            After::Move(folder) => {
                told("answer to COPY", self.session.uid_copy(number.to_string(), folder)).await.with_context(|| cannot_move(folder))?;
                self.delete(number).await
            }
            After::Delete => self.delete(number).await,
        }
    }

    /// Where the server cannot delete one message alone it is only marked: others may have been
    /// marked by somebody who wants to think about it.
    async fn delete(&mut self, number: u32) -> anyhow::Result<()> {
        self.command(&format!("UID STORE {number} +FLAGS.SILENT (\\Seen \\Deleted)")).await?;
        if self.can_expunge_one { self.command(&format!("UID EXPUNGE {number}")).await } else { Ok(()) }
    }

    async fn command(&mut self, command: &str) -> anyhow::Result<()> {
        told("answer", self.session.run_command_and_check_ok(command)).await
    }

    /// Takes leave, shortly.
    pub(super) async fn close(mut self) {
        let _ = tokio::time::timeout(Duration::from_secs(2), self.session.logout()).await;
    }
}

fn cannot_move(folder: &str) -> String {
    format!("a message cannot be moved to “{folder}”; make that folder in the mailbox, or change move_to in [inbound.imap]")
}

/// Connects and encrypts.
async fn dial(settings: &ImapSettings) -> anyhow::Result<Box<dyn Wire>> {
    let server = &settings.server;
    let host = server.host.trim_start_matches('[').trim_end_matches(']');
    let unreachable = || format!("the mailbox's server {host}:{} cannot be reached", server.port);
    let stream = TcpStream::connect((host, server.port)).await.with_context(unreachable)?;
    stream.set_nodelay(true)?;
    if server.tls == Tls::None {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(host.to_owned()).with_context(|| format!("“{host}” is not a name that a certificate can be for"))?;
    let connector = tls_connector(server.ca_file.as_deref())?;
    let stream = if server.tls == Tls::Required {
        let mut client = Client::new(stream);
        greeting(&mut client).await?;
        client
            .run_command_and_check_ok("STARTTLS", None)
            .await
            .map_err(|error| plain(&error))
            .context("the server does not take STARTTLS")?;
        // What was read too far is dropped with the client: nothing injected is believed later.
        client.into_inner()
    } else {
        stream
    };
    Ok(Box::new(connector.connect(name, stream).await.context("TLS could not be agreed with the mailbox's server")?))
}

async fn greeting<T: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug>(client: &mut Client<T>) -> anyhow::Result<()> {
    let greeting = client.read_response().await.map_err(|error| anyhow!("{}", error.kind()))?;
    greeting.map(drop).context("the server closed the connection")
}

async fn told<T>(what: &str, command: impl Future<Output = Result<T, Error>>) -> anyhow::Result<T> {
    in_time(what, async { command.await.map_err(|error| plain(&error)) }).await
}

async fn in_time<T>(what: &str, phase: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    match tokio::time::timeout(PATIENCE, phase).await {
        Ok(result) => result,
        Err(_) => Err(anyhow!("no {what} from the mailbox's server within {} seconds", PATIENCE.as_secs())),
    }
}

/// What went wrong. An error of the library may repeat the mail in which it got stuck.
fn plain(error: &Error) -> anyhow::Error {
    match error {
        Error::Io(error) => anyhow!("the connection failed: {}", error.kind()),
        Error::No(words) | Error::Bad(words) => anyhow!("the server refuses: {}", without_addresses(words)),
        Error::ConnectionLost => anyhow!("the server closed the connection"),
        Error::Validate(_) => anyhow!("the user, password or folder has a character that IMAP cannot carry"),
        _ => anyhow!("the server answers what cannot be understood"),
    }
}

fn without_addresses(words: &str) -> String {
    words.split_whitespace().filter(|word| !word.contains('@')).collect::<Vec<_>>().join(" ").chars().take(200).collect()
}
