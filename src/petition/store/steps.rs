//! Steps and the texts approvers see.

use crate::clock::Timestamp;
use crate::db::{Counter, take_number};
use crate::language::Language;
use crate::petition::public::{PageText, PublicPage};
use crate::problem::Reason;
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, FromRow};
use std::collections::{BTreeMap, BTreeSet};

crate::text_enum! {
    /// Where a step stands.
    pub enum StepState {
        /// Rendered; approvers are asked.
        Proposed = "proposed",
        /// Approved by as many as are required.
        Approved = "approved",
        /// Its mailing is being cut.
        Sending = "sending",
        /// Its mailing is with the ledger.
        Sent = "sent",
        /// Approved, but too late to be sent.
        Held = "held",
        /// Not approved in time.
        Missed = "missed",
        /// Its mailing was ended by a stop.
        Stopped = "stopped",
    }
}

impl StepState {
    /// Whether its mailing was made: nothing about it can be edited any more.
    pub const fn has_begun(self) -> bool {
        matches!(self, Self::Sending | Self::Sent | Self::Stopped)
    }
}

/// A step as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRow {
    /// Row number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The content its texts were rendered from.
    pub content_hash: String,
    /// Where it stands.
    pub state: StepState,
    /// When it goes out; `None` before an approval that decides it.
    pub due: Option<Timestamp>,
    /// When it was approved.
    pub approved_at: Option<Timestamp>,
    /// Its mailing.
    pub mailing: Option<i64>,
}

/// What approval binds beside the texts. Languages are their tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::petition) struct Terms {
    /// The petition's title in the default language.
    pub(in crate::petition) title: String,
    pub(in crate::petition) topics: BTreeSet<String>,
    pub(in crate::petition) languages: Vec<String>,
    pub(in crate::petition) fallback: Vec<String>,
    /// A word of `Whom`.
    pub(in crate::petition) to: String,
    /// In Unix milliseconds.
    pub(in crate::petition) deadline: Option<i64>,
    pub(in crate::petition) time_zone: String,
    /// The blind index of who prepared it.
    pub(in crate::petition) prepared_by: Option<String>,
    /// What this step adds to the feeds when it launches, by language; usually nothing.
    pub(in crate::petition) article: BTreeMap<String, PageText>,
    /// What the public sees from the launch on.
    pub(in crate::petition) page: PublicPage,
}

/// A rendered text in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::petition) struct StoredText {
    pub(in crate::petition) language: Language,
    pub(in crate::petition) subject: String,
    pub(in crate::petition) body_text: String,
    pub(in crate::petition) body_html: String,
    pub(in crate::petition) mark: String,
    pub(in crate::petition) readers: u64,
}

#[derive(FromRow)]
struct Row {
    id: i64,
    name: String,
    content_hash: String,
    state: String,
    due_at: Option<i64>,
    approved_at: Option<i64>,
    mailing_id: Option<i64>,
}

impl TryFrom<Row> for StepRow {
    type Error = anyhow::Error;

    fn try_from(row: Row) -> anyhow::Result<Self> {
        Ok(Self {
            id: row.id,
            name: row.name,
            content_hash: row.content_hash,
            state: StepState::from_stored(&row.state)?,
            due: row.due_at.map(Timestamp::from_millis),
            approved_at: row.approved_at.map(Timestamp::from_millis),
            mailing: row.mailing_id,
        })
    }
}

/// The steps of an edition that approvers were ever asked about, in the order of time.
pub async fn steps_of(connection: &mut AnyConnection, slug: &str, edition: &str) -> anyhow::Result<Vec<StepRow>> {
    let sql = "SELECT id, name, content_hash, state, due_at, approved_at, mailing_id FROM petition_step
               WHERE slug = $1 AND edition = $2 ORDER BY COALESCE(due_at, 0), id";
    let rows: Vec<Row> = sqlx::query_as(sql).bind(slug).bind(edition).fetch_all(connection).await?;
    rows.into_iter().map(StepRow::try_from).collect()
}

/// One step and its terms.
pub(in crate::petition) async fn step(connection: &mut AnyConnection, id: i64) -> anyhow::Result<(StepRow, Terms)> {
    let sql = "SELECT id, name, content_hash, state, due_at, approved_at, mailing_id FROM petition_step WHERE id = $1";
    let row: Row = sqlx::query_as(sql).bind(id).fetch_one(&mut *connection).await?;
    let terms: String = sqlx::query_scalar("SELECT terms FROM petition_step WHERE id = $1").bind(id).fetch_one(connection).await?;
    Ok((row.try_into()?, serde_json::from_str(&terms).context("the stored terms of a step cannot be read")?))
}

/// What approvers are asked about.
pub(in crate::petition) struct Proposal<'a> {
    pub(in crate::petition) slug: &'a str,
    pub(in crate::petition) edition: &'a str,
    pub(in crate::petition) name: &'a str,
    pub(in crate::petition) hash: &'a str,
    pub(in crate::petition) due: Option<Timestamp>,
    pub(in crate::petition) terms: &'a Terms,
    pub(in crate::petition) texts: &'a [StoredText],
}

/// Stores what approvers are asked about, in place of what they were asked before.
pub(in crate::petition) async fn propose(connection: &mut AnyConnection, proposal: &Proposal<'_>) -> anyhow::Result<()> {
    let number = take_number(connection, Counter::Petition).await?;
    let id: Option<i64> = sqlx::query_scalar(
        "INSERT INTO petition_step (id, slug, edition, name, content_hash, state, due_at, terms)
         VALUES ($1, $2, $3, $4, $5, 'proposed', $6, $7)
         ON CONFLICT (slug, edition, name) DO UPDATE SET content_hash = $5, state = 'proposed', due_at = $6, approved_at = NULL, terms = $7
         WHERE petition_step.state NOT IN ('sending', 'sent', 'stopped')
         RETURNING id",
    )
    .bind(number)
    .bind(proposal.slug)
    .bind(proposal.edition)
    .bind(proposal.name)
    .bind(proposal.hash)
    .bind(proposal.due.map(Timestamp::as_millis))
    .bind(serde_json::to_string(proposal.terms)?)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(id) = id else { return Ok(()) };
    sqlx::query("DELETE FROM petition_text WHERE step_id = $1").bind(id).execute(&mut *connection).await?;
    for text in proposal.texts {
        sqlx::query(
            "INSERT INTO petition_text (step_id, language, subject, body_text, body_html, mark, readers) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id)
        .bind(text.language.to_string())
        .bind(&text.subject)
        .bind(&text.body_text)
        .bind(&text.body_html)
        .bind(&text.mark)
        .bind(i64::try_from(text.readers)?)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// A step's stored texts, by language.
pub(in crate::petition) async fn texts_of(connection: &mut AnyConnection, step: i64) -> anyhow::Result<Vec<StoredText>> {
    let sql = "SELECT language, subject, body_text, body_html, mark, readers FROM petition_text WHERE step_id = $1 ORDER BY language";
    let rows: Vec<(String, String, String, String, String, i64)> = sqlx::query_as(sql).bind(step).fetch_all(connection).await?;
    rows.into_iter()
        .map(|(language, subject, body_text, body_html, mark, readers)| {
            let language = Language::parse(&language).map_err(|reason: Reason| anyhow::anyhow!("{reason}"))?;
            Ok(StoredText { language, subject, body_text, body_html, mark, readers: u64::try_from(readers).unwrap_or(0) })
        })
        .collect()
}

/// Records that enough approved.
pub(in crate::petition) async fn set_approved(
    connection: &mut AnyConnection,
    step: i64,
    due: Timestamp,
    now: Timestamp,
) -> anyhow::Result<()> {
    sqlx::query("UPDATE petition_step SET state = 'approved', approved_at = $1, due_at = $2 WHERE id = $3 AND state = 'proposed'")
        .bind(now.as_millis())
        .bind(due.as_millis())
        .bind(step)
        .execute(connection)
        .await?;
    Ok(())
}

/// Records the mailing of a step that is launched.
pub(in crate::petition) async fn set_launched(connection: &mut AnyConnection, step: i64, mailing: i64) -> anyhow::Result<()> {
    sqlx::query("UPDATE petition_step SET state = 'sending', mailing_id = $1 WHERE id = $2")
        .bind(mailing)
        .bind(step)
        .execute(connection)
        .await?;
    Ok(())
}

/// Moves a step on, if it still stands where it stood. Returns whether it did.
pub(in crate::petition) async fn set_state(
    connection: &mut AnyConnection,
    step: i64,
    from: StepState,
    to: StepState,
) -> anyhow::Result<bool> {
    let sql = "UPDATE petition_step SET state = $1 WHERE id = $2 AND state = $3";
    let done = sqlx::query(sql).bind(to.as_str()).bind(step).bind(from.as_str()).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}

/// After a stop was taken back, what is approved waits a whole stop window again.
pub(in crate::petition) async fn restart_stop_window(
    connection: &mut AnyConnection,
    slug: &str,
    edition: &str,
    now: Timestamp,
) -> anyhow::Result<()> {
    sqlx::query("UPDATE petition_step SET approved_at = $1 WHERE slug = $2 AND edition = $3 AND state = 'approved'")
        .bind(now.as_millis())
        .bind(slug)
        .bind(edition)
        .execute(connection)
        .await?;
    Ok(())
}

/// Steps whose mailings are being cut: petition, edition, step.
pub(in crate::petition) async fn sending(connection: &mut AnyConnection) -> anyhow::Result<Vec<(String, String, i64)>> {
    Ok(sqlx::query_as("SELECT slug, edition, id FROM petition_step WHERE state = 'sending' ORDER BY id").fetch_all(connection).await?)
}

/// How many people a mailing was cut for.
pub(in crate::petition) async fn deliveries_of(connection: &mut AnyConnection, mailing: i64) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar("SELECT COUNT(*) FROM delivery WHERE mailing_id = $1").bind(mailing).fetch_one(connection).await?)
}

/// Petition, edition and name of a step.
pub(in crate::petition) type StepName = (String, String, String);

/// Every step approvers were ever asked about.
pub(in crate::petition) async fn known_steps(connection: &mut AnyConnection) -> anyhow::Result<Vec<StepName>> {
    Ok(sqlx::query_as("SELECT slug, edition, name FROM petition_step ORDER BY id").fetch_all(connection).await?)
}

/// Petitions that have approved steps waiting for their time.
pub(in crate::petition) async fn awaited(connection: &mut AnyConnection) -> anyhow::Result<Vec<String>> {
    Ok(sqlx::query_scalar("SELECT DISTINCT slug FROM petition_step WHERE state = 'approved' ORDER BY slug").fetch_all(connection).await?)
}
