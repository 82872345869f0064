//! Where a message ends up: read, acted on once, counted, and kept for staff where it is not
//! understood, all in one transaction.

use super::sort::{Sorted, sort};
use super::{Doors, Kind, Settings, store};
use crate::address::Address;
use crate::addressbook::{self, Stream};
use crate::clock::{Clock, Timestamp};
use crate::db::Db;
use crate::delivery::{self, Diagnosis, Heard, delivery_of_token};
use crate::mail::{self, Reply};
use crate::noticeboard::{self, Notice};
use crate::site::Site;
use crate::subscription::{self, CONSENT_TEXT_VERSION, Choices, Confirmation, Method, NewSignup, Occasion, Wish};
use crate::task::Kick;
use crate::vault::{Purpose, Vault, content_hash};
use sqlx::AnyConnection;
use std::collections::BTreeSet;
use std::time::Duration;

/// Octets of a message that are read. What matters in a report comes first.
pub const LONGEST_MESSAGE: usize = 1024 * 1024;
/// Octets of a message that are kept.
const LONGEST_KEPT: usize = 256 * 1024;
/// Messages of a kind that are kept; what comes in addition is counted and nothing else, so that
/// a flood fills no disk.
const MOST_KEPT: i64 = 500;
/// Reports that prove nothing are mostly the echo of spam in our name: a few are enough to see
/// whether one's own relay spoils the envelope sender.
const MOST_UNPROVEN: i64 = 20;
/// Wishes by mail in an hour; more are not people's.
const MOST_WISHES: i64 = 100;
const HOUR: Duration = Duration::from_hours(1);

/// Takes messages in.
#[derive(Clone)]
pub struct Desk {
    db: Db,
    vault: Vault,
    clock: Clock,
    site: Site,
    doors: Doors,
    /// The rhythm of who chose none.
    rhythm: String,
    signup: Kick,
}

/// What was decided about a message.
struct Decision {
    kind: Kind,
    /// Whether staff should see it.
    keep: bool,
}

impl Decision {
    fn done(kind: Kind) -> Self {
        Self { kind, keep: false }
    }

    fn kept(kind: Kind) -> Self {
        Self { kind, keep: true }
    }
}

impl Desk {
    /// A desk; `rhythms` are the names of the digests, and `signup` is kicked when somebody asked
    /// for something.
    pub fn new(db: Db, vault: Vault, clock: Clock, site: Site, mail: &mail::Settings, settings: &Settings, rhythms: &[String]) -> Self {
        let doors = Doors {
            envelope: mail.envelope.clone(),
            own: mail.from.address.clone(),
            join: settings.join.clone(),
            leave: settings.leave.clone(),
        };
        Self { db, vault, clock, site, doors, rhythm: rhythms.first().cloned().unwrap_or_default(), signup: Kick::default() }
    }

    /// The same desk, which wakes the step that answers wishes.
    #[must_use]
    pub fn kicking(self, signup: Kick) -> Self {
        Self { signup, ..self }
    }

    /// Takes a message in, of which at most [`LONGEST_MESSAGE`] octets are read. When this returns
    /// well, it is durable; the same message again does nothing. An error means that the database
    /// cannot take it now.
    pub async fn receive(&self, message: &[u8]) -> anyhow::Result<Kind> {
        let message = &message[..message.len().min(LONGEST_MESSAGE)];
        let (now, sorted) = (self.clock.now(), sort(message, &self.doors));
        let hash = self.vault.identity("inbound", &[&content_hash(&[message])]);
        let mut tx = self.db.begin().await?;
        let Some(id) = store::enter(&mut tx, &hash, now).await? else { return Ok(Kind::Known) };
        let decision = self.act(&mut tx, sorted, now).await?;
        if decision.keep {
            self.keep(&mut tx, id, decision.kind, message, now).await?;
        }
        store::settle(&mut tx, id, decision.kind).await?;
        tx.commit().await?;
        if matches!(decision.kind, Kind::Join | Kind::Leave) {
            self.signup.kick();
        }
        tracing::info!(kind = decision.kind.as_str(), kept = decision.keep, "a message came in");
        Ok(decision.kind)
    }

    async fn act(&self, connection: &mut AnyConnection, sorted: Sorted, now: Timestamp) -> anyhow::Result<Decision> {
        match sorted {
            Sorted::Bounce { tokens, diagnosis, words, names } => {
                let Some(delivery) = self.proven(connection, &tokens).await? else { return Ok(Decision::kept(Kind::Unproven)) };
                self.bounce(connection, delivery, &diagnosis, &words, &names, now).await
            }
            Sorted::Complaint { tokens } => {
                let Some(delivery) = self.proven(connection, &tokens).await? else { return Ok(Decision::kept(Kind::Unproven)) };
                complaint(connection, delivery, now).await
            }
            Sorted::Delay => Ok(Decision::done(Kind::Delay)),
            Sorted::AutoReply => Ok(Decision::done(Kind::AutoReply)),
            Sorted::Join { from, words } => self.wish(connection, Wish::Subscribe, &from, &words, now).await,
            Sorted::AskToLeave { from, words } => self.wish(connection, Wish::Preferences, &from, &words, now).await,
            Sorted::Leave { token } => self.leave(connection, &token, now).await,
            Sorted::Confirm { token } => self.confirm(connection, &token, now).await,
            Sorted::Unclear => Ok(Decision::kept(Kind::Unclear)),
        }
    }

    /// The delivery whose token we signed, of the first place that shows one. Two in one place
    /// prove nothing.
    async fn proven(&self, connection: &mut AnyConnection, tokens: &[Vec<String>]) -> anyhow::Result<Option<i64>> {
        for place in tokens {
            let mut found = BTreeSet::new();
            for token in place {
                found.extend(delivery_of_token(connection, &self.vault, token).await?);
            }
            if let Some(first) = found.first() {
                return Ok((found.len() == 1).then_some(*first));
            }
        }
        Ok(None)
    }

    async fn bounce(
        &self,
        connection: &mut AnyConnection,
        delivery: i64,
        diagnosis: &Diagnosis,
        words: &str,
        names: &[Address],
        now: Timestamp,
    ) -> anyhow::Result<Decision> {
        let mut kept = words.split_once(';').map_or(words, |(_, said)| said).trim().to_owned();
        let recipient = match delivery::recipient_of(connection, delivery).await? {
            Some(person) => addressbook::address_of(connection, &self.vault, person).await?,
            None => None,
        };
        for name in names.iter().chain(recipient.as_ref()).chain([&self.doors.own]) {
            kept = Reply::new(0, &kept, name).text;
        }
        Ok(match delivery::bounced(connection, delivery, diagnosis, &kept, now).await? {
            Heard::Ignored => Decision::done(Kind::Unproven),
            Heard::Counted | Heard::Paused | Heard::Suppressed => Decision::done(Kind::Bounce),
        })
    }

    /// A wish by mail, which anybody can send in anybody's name: it does what the page does, and
    /// the mailbox decides.
    async fn wish(
        &self,
        connection: &mut AnyConnection,
        wish: Wish,
        from: &Address,
        words: &str,
        now: Timestamp,
    ) -> anyhow::Result<Decision> {
        let kind = if wish == Wish::Subscribe { Kind::Join } else { Kind::Leave };
        // Who leaves by a token takes nobody's turn.
        if subscription::asked_by_mail_since(connection, wish, now - HOUR).await? >= MOST_WISHES {
            return Ok(Decision::kept(Kind::Unclear));
        }
        let language = self.site.language_of_words(words);
        let choices = Choices { topics: BTreeSet::new(), languages: vec![language.clone()], rhythm: self.rhythm.clone() };
        let signup =
            NewSignup { wish, address: from, language, choices: &choices, method: Method::Mail, text_version: CONSENT_TEXT_VERSION };
        subscription::sign_up(connection, &self.vault, &signup, now).await?;
        Ok(Decision::done(kind))
    }

    /// The way out that stands in our mails (RFC 2369): it never expires.
    async fn leave(&self, connection: &mut AnyConnection, token: &str, now: Timestamp) -> anyhow::Result<Decision> {
        let Some(delivery) = delivery_of_token(connection, &self.vault, token).await? else { return Ok(Decision::kept(Kind::Unclear)) };
        let Some(person) = delivery::recipient_of(connection, delivery).await? else { return Ok(Decision::kept(Kind::Unclear)) };
        subscription::leave(connection, person, &Stream::REFUSABLE, Occasion::by(Method::Mail), now).await?;
        Ok(Decision::done(Kind::Leave))
    }

    /// What the button of the page does, for who was sent the link to it.
    async fn confirm(&self, connection: &mut AnyConnection, token: &str, now: Timestamp) -> anyhow::Result<Decision> {
        let Some(delivery) = delivery_of_token(connection, &self.vault, token).await? else { return Ok(Decision::kept(Kind::Unclear)) };
        let links = delivery::personal_links(connection, delivery).await?;
        let holds = |expires: Option<i64>| expires.is_none_or(|expires| expires >= now.as_millis());
        let link = links.iter().find(|link| link.claims.purpose == Purpose::Confirm && holds(link.claims.expires));
        let Some(link) = link else { return Ok(Decision::kept(Kind::Unclear)) };
        Ok(match subscription::confirm(connection, link.claims.subject, Occasion::by(Method::Mail), now).await? {
            Confirmation::Done | Confirmation::Already => Decision::done(Kind::Confirm),
            Confirmation::Gone => Decision::kept(Kind::Unclear),
        })
    }

    async fn keep(&self, connection: &mut AnyConnection, id: i64, kind: Kind, message: &[u8], now: Timestamp) -> anyhow::Result<()> {
        // The day of the site: once a day at most.
        let day = now.in_zone(&self.site.time_zone).date();
        let most = if kind == Kind::Unproven { MOST_UNPROVEN } else { MOST_KEPT };
        let waiting = store::count_kept(connection, kind).await?;
        if waiting < most {
            store::keep(connection, &self.vault, id, &message[..message.len().min(LONGEST_KEPT)]).await?;
            let notice = Notice {
                key: &format!("inbound:{day}"),
                subject: "A mail came in that Clarion does not understand",
                body: "A mail came in that is no bounce, no complaint and no wish that Clarion knows, or one that proves nothing. It is \
                       kept, sealed; nothing was done because of it. There may be more today; this is told once a day.\n\n\
                       To see them: clarion inbound list\nTo read one: clarion inbound show NUMBER\nTo be rid of it: clarion inbound \
                       drop NUMBER\n\nWhat nobody drops is forgotten after ninety days.",
            };
            noticeboard::record(connection, &notice, now).await?;
        } else if kind != Kind::Unproven {
            let body = format!(
                "{waiting} mails that Clarion does not understand wait for you; further ones are not kept. Somebody who wants to leave \
                 may be among them. This is told once a day.\n\n\
                 To see them: clarion inbound list\nTo read one: clarion inbound show NUMBER\nTo make room: clarion inbound drop NUMBER \
                 NUMBER …, or, once you have seen them all: clarion inbound drop --all"
            );
            let notice = Notice { key: &format!("inbound-full:{day}"), subject: "Mail that came in is not kept any more", body: &body };
            noticeboard::record(connection, &notice, now).await?;
        }
        Ok(())
    }
}

/// A complaint ends everything at once (M13).
async fn complaint(connection: &mut AnyConnection, delivery: i64, now: Timestamp) -> anyhow::Result<Decision> {
    let Some(person) = delivery::complained(connection, delivery, now).await? else { return Ok(Decision::done(Kind::Unproven)) };
    let occasion = Occasion { note: Some("complaint"), ..Occasion::by(Method::Mail) };
    subscription::leave(connection, person, &Stream::REFUSABLE, occasion, now).await?;
    Ok(Decision::done(Kind::Complaint))
}
