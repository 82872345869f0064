//! What arrived at the relay, read as a mail program reads it, each mail once.

use crate::support::relay::Relay;
use mail_parser::MessageParser;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

/// Long enough for a slow machine under load, short enough to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// All mailboxes behind a relay.
pub struct Inbox {
    pub relay: Relay,
    /// Mails read already, by the order in which they arrived.
    read: Mutex<BTreeSet<usize>>,
}

/// A mail as its reader sees it.
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
    raw: String,
}

impl Mail {
    fn parse(data: &[u8]) -> Self {
        let message = MessageParser::default().parse(data).expect("a mail");
        let to = message.to().and_then(|to| to.first()).and_then(|to| to.address()).expect("a visible recipient");
        Self {
            to: to.to_owned(),
            subject: message.subject().expect("a subject").to_owned(),
            text: message.body_text(0).expect("a text").into_owned(),
            raw: String::from_utf8_lossy(data).into_owned(),
        }
    }

    /// A header as it stands, unfolded.
    pub fn header(&self, name: &str) -> String {
        let unfolded = self.raw.replace("\r\n ", " ");
        let line = unfolded.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no header {name}")).trim().to_owned()
    }

    /// The link to the site in the text whose path begins so.
    pub fn link(&self, path: &str) -> String {
        let at = self.text.find(path).unwrap_or_else(|| panic!("no link to {path} in:\n{}", self.text));
        let start = self.text[..at].rfind("http").expect("an absolute link");
        self.text[start..].split_whitespace().next().unwrap().to_owned()
    }
}

impl Inbox {
    pub async fn open() -> Self {
        Self { relay: Relay::start().await, read: Mutex::default() }
    }

    fn unread(&self) -> Vec<(usize, Mail)> {
        let read = self.read.lock().unwrap();
        let received = self.relay.received();
        received.iter().enumerate().filter(|(at, _)| !read.contains(at)).map(|(at, mail)| (at, Mail::parse(&mail.data))).collect()
    }

    /// Waits for an unread mail to somebody with this text in it, and reads it.
    pub async fn wait_for(&self, address: &str, text: &str) -> Mail {
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let found = self.unread().into_iter().find(|(_, mail)| mail.to == address && mail.text.contains(text));
                if let Some((at, mail)) = found {
                    self.read.lock().unwrap().insert(at);
                    return mail;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let subjects = || self.unread().into_iter().map(|(_, mail)| format!("{}: {}", mail.to, mail.subject)).collect::<Vec<_>>();
        waited.await.unwrap_or_else(|_| panic!("no mail to {address} with “{text}”; unread are {:?}", subjects()))
    }

    /// Every address of the site that a mail scanner would find, in the texts, the pages and the
    /// headers of all mails.
    pub fn links(&self, base: &str) -> BTreeSet<String> {
        let end = |c: char| c.is_whitespace() || "\"<>()".contains(c);
        let mut links = BTreeSet::new();
        for mail in self.relay.received() {
            let message = MessageParser::default().parse(&mail.data).expect("a mail");
            let raw = String::from_utf8_lossy(&mail.data).replace("\r\n ", "");
            let html = message.body_html(0).unwrap_or_default().replace("&amp;", "&");
            for text in [message.body_text(0).unwrap_or_default().as_ref(), &html, &raw] {
                let starts = text.match_indices(base).map(|(at, _)| &text[at..]);
                links.extend(starts.map(|link| link.split(end).next().unwrap_or_default().to_owned()));
            }
        }
        links
    }

    /// Fails if somebody has unread mail.
    pub fn assert_nothing_for(&self, address: &str) {
        let unread: Vec<_> = self.unread().into_iter().filter(|(_, mail)| mail.to == address).map(|(_, mail)| mail.subject).collect();
        assert!(unread.is_empty(), "unexpected mail to {address}: {unread:?}");
    }
}
