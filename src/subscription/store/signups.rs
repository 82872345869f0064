//! Sign-ups: what the form took in, and what became of it.

use super::super::{Choices, Confirmation, ConsentKind, Method, Occasion, Signup, SignupState, Wish};
use super::states::{activate, record_consent};
use crate::address::Address;
use crate::addressbook;
use crate::clock::Timestamp;
use crate::db::{Counter, take_number};
use crate::language::Language;
use crate::vault::{Cell, Sealed, Vault};
use sqlx::{AnyConnection, FromRow};
use std::collections::BTreeSet;

/// Where the address of a sign-up is sealed.
fn cell(signup: i64) -> Cell<'static> {
    Cell { table: "signup", column: "address_sealed", row: signup }
}

/// What the form took in.
#[derive(Clone, Debug)]
pub struct NewSignup<'a> {
    /// What is asked for.
    pub wish: Wish,
    /// With which address.
    pub address: &'a Address,
    /// The language of the page.
    pub language: &'a Language,
    /// What was chosen.
    pub choices: &'a Choices,
    /// How it came in.
    pub method: Method,
    /// The text that was read.
    pub text_version: &'a str,
}

/// Takes a sign-up in. The same statements whoever has the address (S2): what it means is
/// found out later, by the step.
pub async fn sign_up(connection: &mut AnyConnection, vault: &Vault, signup: &NewSignup<'_>, now: Timestamp) -> anyhow::Result<i64> {
    let id = take_number(connection, Counter::Signup).await?;
    sqlx::query(
        "INSERT INTO signup (id, wish, address_sealed, address_index, language, topics, languages, rhythm, text_version, method, asked_at, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(id)
    .bind(signup.wish.as_str())
    .bind(vault.seal(signup.address, cell(id)).0)
    .bind(vault.index(signup.address))
    .bind(signup.language.to_string())
    .bind(serde_json::to_string(&signup.choices.topics)?)
    .bind(serde_json::to_string(&signup.choices.languages)?)
    .bind(&signup.choices.rhythm)
    .bind(signup.text_version)
    .bind(signup.method.as_str())
    .bind(now.as_millis())
    .bind(SignupState::New.as_str())
    .execute(connection)
    .await?;
    Ok(id)
}

#[derive(FromRow)]
struct Row {
    id: i64,
    wish: String,
    language: String,
    topics: String,
    languages: String,
    rhythm: String,
    text_version: String,
    method: String,
    asked_at: i64,
    state: String,
    person_id: Option<i64>,
}

impl TryFrom<Row> for Signup {
    type Error = anyhow::Error;

    fn try_from(row: Row) -> anyhow::Result<Self> {
        let tags: Vec<String> = serde_json::from_str(&row.languages)?;
        let topics: BTreeSet<String> = serde_json::from_str(&row.topics)?;
        let languages = tags.iter().map(|tag| Language::parse(tag)).collect::<Result<_, _>>()?;
        Ok(Self {
            id: row.id,
            wish: Wish::from_stored(&row.wish)?,
            language: Language::parse(&row.language)?,
            choices: Choices { topics, languages, rhythm: row.rhythm },
            text_version: row.text_version,
            method: Method::from_stored(&row.method)?,
            asked_at: Timestamp::from_millis(row.asked_at),
            state: SignupState::from_stored(&row.state)?,
            person: row.person_id,
        })
    }
}

/// A sign-up by its number.
pub async fn signup(connection: &mut AnyConnection, id: i64) -> anyhow::Result<Option<Signup>> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, wish, language, topics, languages, rhythm, text_version, method, asked_at, state, person_id FROM signup WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(connection)
    .await?;
    row.map(Signup::try_from).transpose()
}

/// Whether a sign-up waits.
pub(in super::super) async fn any_new(connection: &mut AnyConnection) -> anyhow::Result<bool> {
    let id: Option<i64> = sqlx::query_scalar("SELECT id FROM signup WHERE state = $1 ORDER BY id LIMIT 1")
        .bind(SignupState::New.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(id.is_some())
}

/// The sign-up that has waited longest, locked: another daemon waits, so that it counts the
/// mail of this one before it decides about the next.
pub(in super::super) async fn next_new(connection: &mut AnyConnection) -> anyhow::Result<Option<Signup>> {
    let sql = match connection.backend_name() {
        "PostgreSQL" => "SELECT id FROM signup WHERE state = $1 ORDER BY id LIMIT 1 FOR UPDATE",
        _ => "SELECT id FROM signup WHERE state = $1 ORDER BY id LIMIT 1",
    };
    let id: Option<i64> = sqlx::query_scalar(sql).bind(SignupState::New.as_str()).fetch_optional(&mut *connection).await?;
    match id {
        Some(id) => signup(connection, id).await,
        None => Ok(None),
    }
}

/// The address of a sign-up that is not settled yet, with its index.
pub(in super::super) async fn address_of_signup(
    connection: &mut AnyConnection,
    vault: &Vault,
    id: i64,
) -> anyhow::Result<(Address, String)> {
    let (sealed, index): (String, String) =
        sqlx::query_as("SELECT address_sealed, address_index FROM signup WHERE id = $1").bind(id).fetch_one(connection).await?;
    Ok((vault.open_address(&Sealed(sealed), cell(id))?, index))
}

/// Settles a sign-up and forgets its copy of the address.
pub(in super::super) async fn settle(
    connection: &mut AnyConnection,
    id: i64,
    state: SignupState,
    person: Option<i64>,
    now: Timestamp,
) -> anyhow::Result<()> {
    sqlx::query("UPDATE signup SET state = $1, person_id = $2, settled_at = $3, address_sealed = NULL WHERE id = $4")
        .bind(state.as_str())
        .bind(person)
        .bind(now.as_millis())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Gives a sign-up a rhythm that exists.
pub(in super::super) async fn set_rhythm(connection: &mut AnyConnection, id: i64, rhythm: &str) -> anyhow::Result<()> {
    sqlx::query("UPDATE signup SET rhythm = $1 WHERE id = $2").bind(rhythm).bind(id).execute(connection).await?;
    Ok(())
}

/// How many mails a wish has brought to an address since an instant.
pub(in super::super) async fn mailed_to(
    connection: &mut AnyConnection,
    address_index: &str,
    wish: Wish,
    since: Timestamp,
) -> anyhow::Result<i64> {
    let count = sqlx::query_scalar(
        "SELECT COUNT(*) FROM signup WHERE address_index = $1 AND settled_at > $2 AND wish = $3 AND state IN ('mailed', 'confirmed')",
    )
    .bind(address_index)
    .bind(since.as_millis())
    .bind(wish.as_str());
    Ok(count.fetch_one(connection).await?)
}

/// How many mails sign-ups have brought to anybody since an instant.
pub(in super::super) async fn mailed_since(connection: &mut AnyConnection, since: Timestamp) -> anyhow::Result<i64> {
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM signup WHERE settled_at > $1 AND state IN ('mailed', 'confirmed')");
    Ok(count.bind(since.as_millis()).fetch_one(connection).await?)
}

/// How many came in by mail with a wish since an instant.
pub async fn asked_by_mail_since(connection: &mut AnyConnection, wish: Wish, since: Timestamp) -> anyhow::Result<i64> {
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM signup WHERE method = $1 AND wish = $2 AND asked_at > $3")
        .bind(Method::Mail.as_str())
        .bind(wish.as_str())
        .bind(since.as_millis());
    Ok(count.fetch_one(connection).await?)
}

/// Confirms a sign-up, once: the subscription begins with these choices, and nothing published
/// before is mailed. Who must not be written to again confirms nothing: they would be told that
/// they are subscribed, and get nothing.
pub async fn confirm(connection: &mut AnyConnection, id: i64, occasion: Occasion<'_>, now: Timestamp) -> anyhow::Result<Confirmation> {
    if is_suppressed(connection, id).await? {
        return Ok(Confirmation::Gone);
    }
    let taken = sqlx::query("UPDATE signup SET state = 'confirmed' WHERE id = $1 AND state = 'mailed' AND wish = 'subscribe'");
    let taken = taken.bind(id).execute(&mut *connection).await?.rows_affected() == 1;
    let Some(signup) = signup(connection, id).await? else { return Ok(Confirmation::Gone) };
    let Some(person) = signup.person.filter(|_| signup.wish == Wish::Subscribe) else { return Ok(Confirmation::Gone) };
    if !taken {
        return Ok(if signup.state == SignupState::Confirmed { Confirmation::Already } else { Confirmation::Gone });
    }
    activate(connection, person, &signup.choices, now).await?;
    record_consent(connection, person, ConsentKind::Confirmed, Occasion { text_version: &signup.text_version, ..occasion }, now).await?;
    Ok(Confirmation::Done)
}

async fn is_suppressed(connection: &mut AnyConnection, id: i64) -> anyhow::Result<bool> {
    let index: Option<String> =
        sqlx::query_scalar("SELECT address_index FROM signup WHERE id = $1").bind(id).fetch_optional(&mut *connection).await?;
    match index {
        Some(index) => addressbook::is_suppressed(connection, &index).await,
        None => Ok(false),
    }
}

/// Deletes sign-ups settled before an instant, and forgets people who never confirmed one: at
/// most `limit` of each. Returns how many rows it touched.
pub(in super::super) async fn prune(connection: &mut AnyConnection, before: Timestamp, limit: i64, now: Timestamp) -> anyhow::Result<u64> {
    let deleted = sqlx::query("DELETE FROM signup WHERE id IN (SELECT id FROM signup WHERE settled_at < $1 ORDER BY settled_at LIMIT $2)")
        .bind(before.as_millis())
        .bind(limit)
        .execute(&mut *connection)
        .await?
        .rows_affected();
    let lapsed: Vec<i64> = sqlx::query_scalar(
        "SELECT s.person_id FROM subscription s JOIN person p ON p.id = s.person_id
         WHERE (s.state = 'pending' OR (s.state = 'left' AND s.confirmed_at IS NULL)) AND p.made_at < $1 AND NOT EXISTS (SELECT 1 FROM signup u WHERE u.address_index = p.address_index)
         ORDER BY s.person_id LIMIT $2",
    )
    .bind(before.as_millis())
    .bind(limit)
    .fetch_all(&mut *connection)
    .await?;
    for person in &lapsed {
        super::states::erase(connection, *person, Occasion::by(Method::Lapse), now).await?;
    }
    Ok(deleted + u64::try_from(lapsed.len())?)
}

/// Forgets every sign-up of a person, also those that wait.
pub(super) async fn forget_signups(connection: &mut AnyConnection, person: i64) -> anyhow::Result<()> {
    sqlx::query("DELETE FROM signup WHERE address_index = (SELECT address_index FROM person WHERE id = $1)")
        .bind(person)
        .execute(connection)
        .await?;
    Ok(())
}
