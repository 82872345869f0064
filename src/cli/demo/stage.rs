//! Where the tour takes place: a temporary folder, a daemon in this process, a clock set by
//! hand, mails read from files as a mail program would.

use crate::app::{App, Role};
use crate::clock::{Clock, parse_instant};
use crate::config::Config;
use crate::problem::Source;
use anyhow::{Context as _, bail, ensure};
use axum::body::Body;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use mail_parser::MessageParser;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const CONFIGURATION: &str = include_str!("../../../config/clarion.toml");
const MISSIONS: &str = include_str!("../../../config/missions.toml");
/// The sample petition.
const PETITION: [(&str, &str); 11] = [
    ("call.en.md", include_str!("../../../config/petitions/save-north-korean-refugees-day/call.en.md")),
    ("call.ja.md", include_str!("../../../config/petitions/save-north-korean-refugees-day/call.ja.md")),
    ("letter.en.md", include_str!("../../../config/petitions/save-north-korean-refugees-day/letter.en.md")),
    ("letter.ja.md", include_str!("../../../config/petitions/save-north-korean-refugees-day/letter.ja.md")),
    ("letter_short.en.md", include_str!("../../../config/petitions/save-north-korean-refugees-day/letter_short.en.md")),
    ("letter_short.ja.md", include_str!("../../../config/petitions/save-north-korean-refugees-day/letter_short.ja.md")),
    ("reminder.en.md", include_str!("../../../config/petitions/save-north-korean-refugees-day/reminder.en.md")),
    ("reminder.ja.md", include_str!("../../../config/petitions/save-north-korean-refugees-day/reminder.ja.md")),
    ("thanks.en.md", include_str!("../../../config/petitions/save-north-korean-refugees-day/thanks.en.md")),
    ("thanks.ja.md", include_str!("../../../config/petitions/save-north-korean-refugees-day/thanks.ja.md")),
    // Last, so that the texts are there when it is read.
    ("petition.toml", include_str!("../../../config/petitions/save-north-korean-refugees-day/petition.toml")),
];
/// How long a step of the tour may take before it is called broken.
const PATIENCE: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(50);
/// The longest a background step sleeps, and a little more.
const QUIET: Duration = Duration::from_secs(6);

/// A running daemon in a folder of its own.
pub(super) struct Stage {
    folder: PathBuf,
    address: SocketAddr,
    clock: Clock,
    shutdown: CancellationToken,
    daemon: JoinHandle<anyhow::Result<()>>,
    /// Mails shown already.
    seen: Mutex<BTreeSet<PathBuf>>,
}

impl Stage {
    /// Makes the folder and starts a daemon in it.
    pub(super) async fn open(instant: &str) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("clarion-demo-{}", crate::vault::random_name()));
        for name in ["config/petitions", "content", "mail", "var"] {
            std::fs::create_dir_all(folder.join(name)).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let address = free_address().await?;
        let text = CONFIGURATION.replace("127.0.0.1:8080", &address.to_string()).replace("\"../var/mail\"", "\"../mail\"");
        std::fs::write(folder.join("config/clarion.toml"), &text)?;
        std::fs::write(folder.join("config/missions.toml"), MISSIONS)?;
        let source = Source::new(folder.join("config/clarion.toml"), text);
        let (config, _) = Config::parse(&source, &folder.join("config"), &[])?;
        let clock = Clock::manual(parse_instant(instant)?);
        let app = App::build(config, clock.clone(), Role::All).await?;
        let shutdown = CancellationToken::new();
        let daemon = tokio::spawn(app.run(shutdown.clone()));
        Ok(Self { folder, address, clock, shutdown, daemon, seen: Mutex::default() })
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of mails.
    pub(super) fn mail_folder(&self) -> PathBuf {
        self.folder.join("mail")
    }

    /// Where the site is.
    pub(super) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The link to a path.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base())
    }

    /// Stops the daemon; the folder stays.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        self.daemon.await?
    }

    /// Saves a file as a good editor does: whole, then renamed into place.
    pub(super) fn write(&self, path: &str, text: &str) -> anyhow::Result<()> {
        let path = self.folder.join(path);
        let draft = path.with_file_name(".draft");
        std::fs::write(&draft, text)?;
        Ok(std::fs::rename(draft, path)?)
    }

    /// Saves the sample petition, marked ready. Returns its file.
    pub(super) fn write_petition(&self) -> anyhow::Result<String> {
        let folder = "config/petitions/save-north-korean-refugees-day";
        std::fs::create_dir_all(self.folder.join(folder))?;
        for (name, text) in PETITION {
            self.write(&format!("{folder}/{name}"), &text.replace("state = \"draft\"", "state = \"ready\""))?;
        }
        Ok(self.folder.join(folder).join("petition.toml").display().to_string())
    }

    /// Sets the clock.
    pub(super) fn set_clock(&self, instant: &str) -> anyhow::Result<()> {
        self.clock.set(parse_instant(instant)?);
        Ok(())
    }

    /// Sets the clock to one instant after the other, letting every step look in between.
    pub(super) async fn advance(&self, instants: &[&str]) -> anyhow::Result<()> {
        for instant in instants {
            self.set_clock(instant)?;
            tokio::time::sleep(QUIET).await;
        }
        Ok(())
    }

    /// Waits until the answer at a path contains a text.
    pub(super) async fn wait_for(&self, path: &str, text: &str) -> anyhow::Result<()> {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !self.request(Method::GET, path, String::new()).await?.1.contains(text) {
                tokio::time::sleep(GLANCE).await;
            }
            anyhow::Ok(())
        });
        waited.await.with_context(|| format!("{path} did not show “{text}” in time"))?
    }

    /// Sends the form of the subscribe page for an address, in English, weekly, every topic.
    pub(super) async fn subscribe(&self, address: &str) -> anyhow::Result<()> {
        let (_, page) = self.request(Method::GET, "/subscribe", String::new()).await?;
        // The form carries a token that says when it was shown; robots answer at once.
        self.advance_by_seconds(5);
        let token = page.split("name=\"form\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).context("the form has no token")?;
        self.post("/subscribe", &[("form", token), ("address", address), ("language", "en"), ("rhythm", "weekly")]).await
    }

    fn advance_by_seconds(&self, seconds: u64) {
        self.clock.set(self.clock.now() + Duration::from_secs(seconds));
    }

    /// Sends a form to a path or link of the site.
    pub(super) async fn post(&self, link: &str, form: &[(&str, &str)]) -> anyhow::Result<()> {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let base = self.base();
        let path = link.strip_prefix(base.as_str()).unwrap_or(link);
        let (status, _) = self.request(Method::POST, path, body.finish()).await?;
        ensure!(status < 400, "{path} answered {status}");
        Ok(())
    }

    async fn request(&self, method: Method, path: &str, body: String) -> anyhow::Result<(u16, String)> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.to_string())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))?;
        let response = sender.send_request(request).await?;
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(Body::new(response.into_body()), 4 << 20).await?;
        Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Waits for a mail not seen before, to this address and with this text in it.
    pub(super) async fn mail_to(&self, address: &str, text: &str) -> anyhow::Result<Mail> {
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Some(mail) = self.find_mail(address, text)? {
                    return anyhow::Ok(mail);
                }
                tokio::time::sleep(GLANCE).await;
            }
        });
        waited.await.with_context(|| format!("no mail to {address} with “{text}” came in time"))?
    }

    fn find_mail(&self, address: &str, text: &str) -> anyhow::Result<Option<Mail>> {
        let Ok(mut seen) = self.seen.lock() else { bail!("the tour broke off") };
        for path in self.mails()? {
            if seen.contains(&path) {
                continue;
            }
            let mail = Mail::read(path)?;
            if mail.to == address && mail.text.contains(text) {
                seen.insert(mail.path.clone());
                return Ok(Some(mail));
            }
        }
        Ok(None)
    }

    /// How many mails somebody got so far.
    pub(super) fn count_mails_to(&self, address: &str) -> anyhow::Result<usize> {
        let mails = self.mails()?.into_iter().map(Mail::read).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(mails.iter().filter(|mail| mail.to == address).count())
    }

    fn mails(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(self.mail_folder())?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
        paths.sort();
        Ok(paths)
    }
}

/// A port that was free a moment ago: the configuration's links need it before the daemon
/// takes it.
async fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?)
}

/// A mail as its reader sees it.
pub(super) struct Mail {
    path: PathBuf,
    to: String,
    subject: String,
    text: String,
}

impl Mail {
    fn read(path: PathBuf) -> anyhow::Result<Self> {
        let bytes = std::fs::read(&path)?;
        let message = MessageParser::default().parse(&bytes).with_context(|| format!("{} is not a mail", path.display()))?;
        let to = message.to().and_then(|to| to.first()).and_then(|to| to.address()).unwrap_or_default().to_owned();
        let subject = message.subject().unwrap_or_default().to_owned();
        let text = message.body_text(0).unwrap_or_default().into_owned();
        Ok(Self { path, to, subject, text })
    }

    /// Its file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its subject.
    pub(super) fn subject(&self) -> &str {
        &self.subject
    }

    /// The link in it whose path begins so.
    pub(super) fn link(&self, path: &str) -> anyhow::Result<String> {
        let at = self.text.find(path).with_context(|| format!("the mail has no link to {path}"))?;
        let start = self.text[..at].rfind("http").context("the link is not absolute")?;
        let link = self.text[start..].split_whitespace().next().unwrap_or_default();
        Ok(link.to_owned())
    }
}
