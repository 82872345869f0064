//! SQL of what came back.

use super::super::rules::Settlement;
use super::super::verp::{ClaimedToken, Subject};
use super::super::{DeliveryState, PersonalLink};
use super::hold::tell_of_refused;
use super::{Cause, Diagnosis, Past, is_unreachable};
use crate::addressbook::{self, Deliverability, Stream};
use crate::clock::Timestamp;
use crate::noticeboard::{self, Notice};
use crate::vault::Vault;
use anyhow::Context as _;
use sqlx::{AnyConnection, FromRow};
use std::collections::BTreeMap;
use std::time::Duration;

/// A report comes within days: relays give up after five. What comes later was kept by somebody,
/// who may have the token from a mail that was passed on (S11).
const REPORTED_WITHIN: Duration = Duration::from_hours(30 * 24);
/// People complain of what they find weeks later.
const COMPLAINED_WITHIN: Duration = Duration::from_hours(90 * 24);
/// An address is given up when two trials failed that are at least so far apart.
const BETWEEN_TRIALS: Duration = Duration::from_hours(24);
/// Bounces that are looked at for one person.
const LOOKED_AT: i64 = 50;

/// What a report led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is counted.
    Counted,
    /// And mail to the person pauses: nothing is sent but what they ask for.
    Paused,
    /// What they asked for came back as well, twice: nothing is sent any more.
    Suppressed,
    /// It is about nothing that was sent, or about something too long ago.
    Ignored,
}

/// A bounce of a person's mail, for staff.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Bounced {
    /// Of which mailing.
    pub mailing: i64,
    /// Why.
    pub cause: Cause,
    /// The code.
    pub status: String,
    /// When the mail left.
    pub at: Timestamp,
    /// Whether it counts no more, since the person was heard of again.
    pub forgiven: bool,
}

/// A delivery that left.
#[derive(FromRow)]
struct Left {
    mailing_id: i64,
    person_id: Option<i64>,
    recipient: String,
    state: String,
    settled_at: Option<i64>,
    first_attempt_at: Option<i64>,
}

impl Left {
    async fn find(connection: &mut AnyConnection, delivery: i64) -> anyhow::Result<Option<Self>> {
        let row =
            sqlx::query_as("SELECT mailing_id, person_id, recipient, state, settled_at, first_attempt_at FROM delivery WHERE id = $1");
        let row: Option<Self> = row.bind(delivery).fetch_optional(connection).await?;
        Ok(row.filter(|left| left.first_attempt_at.is_some()))
    }

    /// When it left; `None` for what did not, such as what was skipped.
    fn left_at(&self) -> anyhow::Result<Option<Timestamp>> {
        let state = DeliveryState::from_stored(&self.state)?;
        // In doubt, too: a report is an answer. Failed, since a second report may say more.
        let left = matches!(state, DeliveryState::Sent | DeliveryState::Failed | DeliveryState::Held | DeliveryState::InDoubt);
        Ok(self.settled_at.or(self.first_attempt_at).filter(|_| left).map(Timestamp::from_millis))
    }
}

/// Why a delivery failed that was accepted at first.
pub(in super::super) fn came_back(cause: Cause) -> String {
    format!("came back: {cause}")
}

/// Records that a delivery came back, as a report says that carries our token, and what follows
/// for the person. `words` are what the remote system said, without anybody's address.
pub async fn bounced(
    connection: &mut AnyConnection,
    delivery: i64,
    diagnosis: &Diagnosis,
    words: &str,
    now: Timestamp,
) -> anyhow::Result<Heard> {
    let Some(left) = Left::find(connection, delivery).await? else { return Ok(Heard::Ignored) };
    let Some(left_at) = left.left_at()?.filter(|left_at| now.since(*left_at) <= REPORTED_WITHIN) else { return Ok(Heard::Ignored) };
    sqlx::query(
        "UPDATE delivery SET state = 'failed', reason = $1, reply = $2, settled_at = COALESCE(settled_at, $3), lease_owner = NULL,
                lease_until = NULL, fence = fence + 1
         WHERE id = $4 AND state IN ('sent', 'held', 'in_doubt')",
    )
    .bind(came_back(diagnosis.cause))
    .bind(words)
    .bind(now.as_millis())
    .bind(delivery)
    .execute(&mut *connection)
    .await?;
    write(connection, delivery, &left, diagnosis, left_at).await?;
    if diagnosis.cause == Cause::Policy {
        tell_of_refused(connection, left.mailing_id, now).await?;
    }
    match left.person_id {
        Some(person) => judge(connection, person, now).await,
        None => tell_of_staff(connection, &left, diagnosis, now).await.map(|()| Heard::Counted),
    }
}

/// The same for deliveries that were refused in the dialogue with the relay.
pub(in super::super) async fn note_refusals(connection: &mut AnyConnection, settlements: &[Settlement]) -> anyhow::Result<()> {
    for settlement in settlements.iter().filter(|settlement| settlement.state == DeliveryState::Failed) {
        let (Some(reply), Some(at)) = (&settlement.reply, settlement.settled_at) else { continue };
        let Some(diagnosis) = Diagnosis::of_reply(reply) else { continue };
        // Another fence: the result came too late to be written.
        let ours: Option<i64> = sqlx::query_scalar("SELECT id FROM delivery WHERE id = $1 AND fence = $2 AND state = 'failed'")
            .bind(settlement.id)
            .bind(settlement.fence)
            .fetch_optional(&mut *connection)
            .await?;
        if ours.is_none() {
            continue;
        }
        let (at, found) = (Timestamp::from_millis(at), Left::find(connection, settlement.id).await?);
        let Some(left) = found else { continue };
        write(connection, settlement.id, &left, &diagnosis, at).await?;
        match left.person_id {
            Some(person) => drop(judge(connection, person, at).await?),
            None => tell_of_staff(connection, &left, &diagnosis, at).await?,
        }
    }
    Ok(())
}

/// A second report of a delivery may say more about why; it says nothing new about when the mail
/// left, and undoes no forgiving.
async fn write(
    connection: &mut AnyConnection,
    delivery: i64,
    left: &Left,
    diagnosis: &Diagnosis,
    left_at: Timestamp,
) -> anyhow::Result<()> {
    // A complaint says more than whatever comes after it.
    sqlx::query(
        "INSERT INTO bounce (delivery_id, mailing_id, person_id, cause, status, bounced_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (delivery_id) DO UPDATE SET cause = $4, status = $5 WHERE bounce.cause <> 'complaint'",
    )
    .bind(delivery)
    .bind(left.mailing_id)
    .bind(left.person_id)
    .bind(diagnosis.cause.as_str())
    .bind(&diagnosis.status)
    .bind(left_at.as_millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// What follows for a person, one of whose mails came back.
async fn judge(connection: &mut AnyConnection, person: i64, now: Timestamp) -> anyhow::Result<Heard> {
    match addressbook::deliverability(connection, person).await? {
        Deliverability::Paused if trials_failed(connection, person).await? => {
            addressbook::set_deliverability(connection, person, Deliverability::Bad).await?;
            Ok(Heard::Suppressed)
        }
        Deliverability::Good if is_unreachable(&past(connection, person).await?, now) => {
            addressbook::pause(connection, person, now).await?;
            Ok(Heard::Paused)
        }
        Deliverability::Good | Deliverability::Paused | Deliverability::Bad => Ok(Heard::Counted),
    }
}

/// Whether mails that a person asked for while nothing else was sent to them came back, a day
/// apart at least. What was under way when their mail was paused is no trial: several mails in
/// one bad hour say no more than one.
async fn trials_failed(connection: &mut AnyConnection, person: i64) -> anyhow::Result<bool> {
    let (first, last): (Option<i64>, Option<i64>) = sqlx::query_as(
        "SELECT MIN(d.first_attempt_at), MAX(d.first_attempt_at)
         FROM bounce b JOIN delivery d ON d.id = b.delivery_id JOIN mailing m ON m.id = d.mailing_id JOIN person p ON p.id = b.person_id
         WHERE b.person_id = $1 AND b.forgiven_at IS NULL AND b.cause IN ($2, $3) AND m.stream = $4 AND d.first_attempt_at > p.paused_at",
    )
    .bind(person)
    .bind(Cause::BadAddress.as_str())
    .bind(Cause::UnknownUser.as_str())
    .bind(Stream::Account.as_str())
    .fetch_one(connection)
    .await?;
    let (first, last) = (first.map(Timestamp::from_millis), last.map(Timestamp::from_millis));
    Ok(first.zip(last).is_some_and(|(first, last)| last.since(first) >= BETWEEN_TRIALS))
}

async fn past(connection: &mut AnyConnection, person: i64) -> anyhow::Result<Vec<Past>> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT cause, bounced_at FROM bounce WHERE person_id = $1 AND forgiven_at IS NULL ORDER BY bounced_at DESC LIMIT $2",
    )
    .bind(person)
    .bind(LOOKED_AT)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|(cause, at)| Ok(Past { cause: Cause::from_stored(&cause)?, at: Timestamp::from_millis(at) })).collect()
}

/// Nobody of the staff is paused: who does not get the notices must be told by the others.
async fn tell_of_staff(connection: &mut AnyConnection, left: &Left, diagnosis: &Diagnosis, now: Timestamp) -> anyhow::Result<()> {
    if diagnosis.cause <= Cause::Full {
        return Ok(());
    }
    let Left { recipient, mailing_id, .. } = left;
    let notice = Notice {
        // Once for each of them: the notice of it may come back too.
        key: &format!("staff-bounce:{recipient}"),
        subject: "Mail to one of the staff comes back",
        body: &format!(
            "A mail to one of the addresses of the staff came back ({}: {}). Whoever that is misses what Clarion tells.\n\n\
             To see which mail it was: clarion mailing show {mailing_id}\n\
             The addresses are in the configuration: `mail` in [staff], `approvers` in [petitions].",
            diagnosis.status, diagnosis.cause
        ),
    };
    noticeboard::record(connection, &notice, now).await.map(drop)
}

/// Records that the recipient of a delivery called it unwanted (M13), and that their address is
/// never written to again. Returns the person; `None`: nothing that was sent of late, or to staff.
pub async fn complained(connection: &mut AnyConnection, delivery: i64, now: Timestamp) -> anyhow::Result<Option<i64>> {
    let Some(left) = Left::find(connection, delivery).await? else { return Ok(None) };
    let (Some(left_at), Some(person)) = (left.left_at()?, left.person_id) else { return Ok(None) };
    if now.since(left_at) > COMPLAINED_WITHIN {
        return Ok(None);
    }
    let diagnosis = Diagnosis { cause: Cause::Complaint, status: "abuse".to_owned() };
    write(connection, delivery, &left, &diagnosis, left_at).await?;
    addressbook::suppress_person(connection, person, addressbook::COMPLAINT, now).await?;
    Ok(Some(person))
}

/// Forgives a person's bounces: they were heard of again.
pub async fn forgive_bounces(connection: &mut AnyConnection, person: i64, now: Timestamp) -> anyhow::Result<()> {
    sqlx::query("UPDATE bounce SET forgiven_at = $1 WHERE person_id = $2 AND forgiven_at IS NULL")
        .bind(now.as_millis())
        .bind(person)
        .execute(connection)
        .await?;
    Ok(())
}

/// The delivery that a token was made for, if it is one of ours.
pub async fn delivery_of_token(connection: &mut AnyConnection, vault: &Vault, token: &str) -> anyhow::Result<Option<i64>> {
    let Some(claimed) = ClaimedToken::read(token) else { return Ok(None) };
    let row: Option<(String, String)> =
        sqlx::query_as("SELECT m.key, d.recipient FROM delivery d JOIN mailing m ON m.id = d.mailing_id WHERE d.id = $1")
            .bind(claimed.delivery)
            .fetch_optional(connection)
            .await?;
    let is_ours = |(mailing_key, recipient): (String, String)| {
        claimed.is_for(vault, Subject { delivery: claimed.delivery, mailing_key: &mailing_key, recipient: &recipient })
    };
    Ok(row.is_some_and(is_ours).then_some(claimed.delivery))
}

/// The person that a delivery was to; `None`: there is no such delivery, or it was to staff.
pub async fn recipient_of(connection: &mut AnyConnection, delivery: i64) -> anyhow::Result<Option<i64>> {
    let person: Option<Option<i64>> =
        sqlx::query_scalar("SELECT person_id FROM delivery WHERE id = $1").bind(delivery).fetch_optional(connection).await?;
    Ok(person.flatten())
}

/// The links that were made for the recipient of a delivery alone.
pub async fn personal_links(connection: &mut AnyConnection, delivery: i64) -> anyhow::Result<Vec<PersonalLink>> {
    let stored: Option<Option<String>> =
        sqlx::query_scalar("SELECT personal FROM delivery WHERE id = $1").bind(delivery).fetch_optional(connection).await?;
    match stored.flatten() {
        Some(json) => serde_json::from_str(&json).context("the personal links of a delivery cannot be read"),
        None => Ok(Vec::new()),
    }
}

/// The newest bounces of a person, the newest first.
pub async fn bounces_of(connection: &mut AnyConnection, person: i64, limit: i64) -> anyhow::Result<Vec<Bounced>> {
    let rows: Vec<(i64, String, String, i64, Option<i64>)> = sqlx::query_as(
        "SELECT mailing_id, cause, status, bounced_at, forgiven_at FROM bounce WHERE person_id = $1 ORDER BY bounced_at DESC LIMIT $2",
    )
    .bind(person)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let bounced = |(mailing, cause, status, at, forgiven): (i64, String, String, i64, Option<i64>)| {
        let cause = Cause::from_stored(&cause)?;
        Ok(Bounced { mailing, cause, status, at: Timestamp::from_millis(at), forgiven: forgiven.is_some() })
    };
    rows.into_iter().map(bounced).collect()
}

/// How many mails of a mailing came back, by cause.
pub async fn bounce_counts(connection: &mut AnyConnection, mailing: i64) -> anyhow::Result<BTreeMap<Cause, i64>> {
    let rows: Vec<(String, i64)> = sqlx::query_as("SELECT cause, COUNT(*) FROM bounce WHERE mailing_id = $1 GROUP BY cause")
        .bind(mailing)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(|(cause, count)| Ok((Cause::from_stored(&cause)?, count))).collect()
}
