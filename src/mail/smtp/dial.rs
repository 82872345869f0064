//! Reaching the relay: a socket without delay, the greeting, TLS, who we are.

use super::RelayTimeouts;
use super::wire::{Heard, Stream, Wire};
use crate::mail::reply::scrub;
use crate::mail::{RelaySettings, Tls, tls_connector};
use anyhow::{Context as _, anyhow, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret as _, SecretString};
use std::future::Future;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use zeroize::Zeroizing;

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

    async fn begin(&self, stream: TcpStream) -> anyhow::Result<Wire> {
        let stream = self.connector.connect(self.name.clone(), stream).await.context("TLS could not be agreed with the relay")?;
        Ok(Wire::new(Stream::Encrypted(Box::new(stream))))
    }
}

/// Waits for a phase of the dialogue, but not for ever (S13).
pub(super) async fn within<T>(limit: Duration, what: &str, phase: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    match tokio::time::timeout(limit, phase).await {
        Ok(result) => result,
        Err(_) => Err(anyhow!("no {what} from the relay within {} seconds", limit.as_secs())),
    }
}

/// A connection, encrypted if it must be, on which the relay has been greeted and has said what
/// it offers.
pub(super) async fn dial(
    settings: &RelaySettings,
    encryption: Option<&Encryption>,
    hello: &str,
    timeouts: &RelayTimeouts,
) -> anyhow::Result<(Wire, Offers)> {
    let host = settings.host.trim_start_matches('[').trim_end_matches(']');
    let stream = within(timeouts.connect, "connection", async {
        TcpStream::connect((host, settings.port)).await.with_context(|| format!("the relay {host}:{} cannot be reached", settings.port))
    })
    .await?;
    // With Nagle's algorithm a connection carries 23 mails a second (M7).
    stream.set_nodelay(true)?;
    let mut wire = match (settings.tls, encryption) {
        (Tls::None | Tls::Required, _) => Wire::new(Stream::Plain(stream)),
        (Tls::Implicit, Some(encryption)) => within(timeouts.connect, "TLS", encryption.begin(stream)).await?,
        (Tls::Implicit, None) => bail!("TLS is not set up"),
    };
    let mut offers = within(timeouts.greeting, "greeting", async {
        expect(&mut wire, &[220]).await.context("the relay does not take mail now")?;
        introduce(&mut wire, hello).await
    })
    .await?;
    if settings.tls == Tls::Required {
        ensure!(offers.has("STARTTLS"), "the relay does not offer STARTTLS, and no mail leaves without it");
        let encryption = encryption.context("TLS is not set up")?;
        within(timeouts.greeting, "answer to STARTTLS", async {
            wire.say(b"STARTTLS\r\n").await?;
            expect(&mut wire, &[220]).await.context("the relay does not begin with TLS")
        })
        .await?;
        let stream = wire.into_plain().await.context("something was injected behind the relay's answer to STARTTLS")?;
        wire = within(timeouts.connect, "TLS", encryption.begin(stream)).await?;
        // RFC 3207 §4.2: what was offered in the clear counts for nothing.
        offers = within(timeouts.greeting, "answer to EHLO", introduce(&mut wire, hello)).await?;
    }
    Ok((wire, offers))
}

async fn introduce(wire: &mut Wire, hello: &str) -> anyhow::Result<Offers> {
    wire.say(format!("EHLO {hello}\r\n").as_bytes()).await?;
    Ok(Offers(expect(wire, &[250]).await.context("the relay does not take EHLO")?.lines))
}

/// Gives user and password: by PLAIN (RFC 4616) where it is offered, else by LOGIN.
pub(super) async fn log_in(wire: &mut Wire, offers: &Offers, user: &str, password: &SecretString) -> anyhow::Result<()> {
    let secret = password.expose_secret();
    if offers.has_mechanism("PLAIN") {
        let response = Zeroizing::new(BASE64.encode(Zeroizing::new(format!("\0{user}\0{secret}")).as_bytes()));
        wire.say(Zeroizing::new(format!("AUTH PLAIN {}\r\n", *response)).as_bytes()).await?;
    } else if offers.has_mechanism("LOGIN") {
        wire.say(b"AUTH LOGIN\r\n").await?;
        expect(wire, &[334]).await?;
        wire.say(format!("{}\r\n", BASE64.encode(user)).as_bytes()).await?;
        expect(wire, &[334]).await?;
        wire.say(Zeroizing::new(format!("{}\r\n", BASE64.encode(secret))).as_bytes()).await?;
    } else {
        bail!("the relay offers neither AUTH PLAIN nor AUTH LOGIN");
    }
    expect(wire, &[235]).await.map(|_| ())
}

/// The next reply, if it has one of these codes.
async fn expect(wire: &mut Wire, codes: &[u16]) -> anyhow::Result<Heard> {
    let heard = wire.hear().await?;
    ensure!(codes.contains(&heard.code), "it says “{} {}”", heard.code, scrub(&heard.lines.join(" "), None));
    Ok(heard)
}

/// The lines of an EHLO answer (RFC 5321 §4.1.1.1).
pub(super) struct Offers(Vec<String>);

impl Offers {
    /// Whether an extension is offered.
    pub(super) fn has(&self, extension: &str) -> bool {
        self.keywords().any(|mut words| words.next().is_some_and(|word| word.eq_ignore_ascii_case(extension)))
    }

    fn has_mechanism(&self, mechanism: &str) -> bool {
        self.keywords().any(|mut words| {
            words.next().is_some_and(|word| word.eq_ignore_ascii_case("AUTH")) && words.any(|word| word.eq_ignore_ascii_case(mechanism))
        })
    }

    /// The words of each line but the first, which names the relay.
    fn keywords(&self) -> impl Iterator<Item = impl Iterator<Item = &str>> {
        self.0.iter().skip(1).map(|line| line.split_ascii_whitespace())
    }
}
