//! One person's subscription: begun, changed, ended, forgotten, and the proof of each.

use super::super::{Choices, ConsentEvent, ConsentKind, Method, Occasion, Subscription, SubscriptionState};
use super::signups::forget_signups;
use crate::addressbook::{self, Deliverability, Stream};
use crate::clock::Timestamp;
use crate::content;
use crate::db::{Counter, take_number};
use crate::delivery;
use crate::language::Language;
use sqlx::AnyConnection;

/// Notes that somebody asked with a person's address: pending, unless they are known already.
/// Asking changes nothing for who is subscribed or has left; anybody can ask.
pub(in super::super) async fn begin(connection: &mut AnyConnection, person: i64, rhythm: &str) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO subscription (person_id, state, rhythm, watermark) VALUES ($1, 'pending', $2, 0) ON CONFLICT (person_id) DO NOTHING",
    )
    .bind(person)
    .bind(rhythm)
    .execute(connection)
    .await?;
    Ok(())
}

/// Begins a subscription, or gives an active one new choices. Who begins is told nothing that
/// was published before; who is active keeps their place.
pub(super) async fn activate(connection: &mut AnyConnection, person: i64, choices: &Choices, now: Timestamp) -> anyhow::Result<()> {
    let watermark = content::high_water(connection).await?;
    begin(connection, person, &choices.rhythm).await?;
    sqlx::query(
        "UPDATE subscription SET watermark = $1, state = 'active', confirmed_at = $2, left_at = NULL
         WHERE person_id = $3 AND state <> 'active'",
    )
    .bind(watermark)
    .bind(now.as_millis())
    .bind(person)
    .execute(&mut *connection)
    .await?;
    store_choices(connection, person, choices).await?;
    for stream in Stream::REFUSABLE {
        addressbook::accept(connection, person, stream).await?;
    }
    is_heard_of(connection, person, now).await
}

/// Mail reaches a person, as what they did with it shows: what came back before counts no more.
async fn is_heard_of(connection: &mut AnyConnection, person: i64, now: Timestamp) -> anyhow::Result<()> {
    delivery::forgive_bounces(connection, person, now).await?;
    addressbook::set_deliverability(connection, person, Deliverability::Good).await
}

/// Subscribes a person whose consent staff hold on paper or in a letter: no mail is sent.
pub async fn subscribe_confirmed(
    connection: &mut AnyConnection,
    person: i64,
    choices: &Choices,
    how: &str,
    now: Timestamp,
) -> anyhow::Result<()> {
    activate(connection, person, choices, now).await?;
    let occasion = Occasion { note: Some(how), ..Occasion::by(Method::Staff) };
    record_consent(connection, person, ConsentKind::Confirmed, occasion, now).await
}

/// Changes what an active subscriber gets; `refused` replaces what they refuse, if given. Their
/// watermark stays: a change of rhythm loses and repeats nothing (D6). Returns false for who is
/// not subscribed.
pub async fn change(
    connection: &mut AnyConnection,
    person: i64,
    choices: &Choices,
    refused: Option<&[Stream]>,
    occasion: Occasion<'_>,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let active = sqlx::query("UPDATE subscription SET rhythm = $1 WHERE person_id = $2 AND state = 'active'");
    if active.bind(&choices.rhythm).bind(person).execute(&mut *connection).await?.rows_affected() == 0 {
        return Ok(false);
    }
    store_choices(connection, person, choices).await?;
    // They came by a link that was mailed to them half an hour ago at most.
    if occasion.method == Method::Page {
        is_heard_of(connection, person, now).await?;
    }
    for stream in refused.map_or(&[][..], |_| &Stream::REFUSABLE) {
        if refused.is_some_and(|refused| refused.contains(stream)) {
            addressbook::refuse(connection, person, *stream, now).await?;
        } else {
            addressbook::accept(connection, person, *stream).await?;
        }
    }
    record_consent(connection, person, ConsentKind::Changed, occasion, now).await?;
    Ok(true)
}

/// Ends some streams for a person, in one transaction with the proof of it; with the last of
/// them the subscription ends. Again, nothing changes.
pub async fn leave(
    connection: &mut AnyConnection,
    person: i64,
    streams: &[Stream],
    occasion: Occasion<'_>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let known: Option<i64> =
        sqlx::query_scalar("SELECT id FROM person WHERE id = $1").bind(person).fetch_optional(&mut *connection).await?;
    if known.is_none() {
        return Ok(());
    }
    let before = addressbook::refused(connection, person).await?;
    for stream in streams {
        addressbook::refuse(connection, person, *stream, now).await?;
    }
    let refused = |stream: &Stream| before.contains(stream) || streams.contains(stream);
    let ended = Stream::REFUSABLE.iter().all(refused) && end(connection, person, now).await?;
    let kind = match streams.iter().any(|stream| !before.contains(stream)) {
        _ if ended => ConsentKind::Left,
        true => ConsentKind::Changed,
        false => return Ok(()),
    };
    record_consent(connection, person, kind, occasion, now).await
}

async fn end(connection: &mut AnyConnection, person: i64, now: Timestamp) -> anyhow::Result<bool> {
    let done = sqlx::query("UPDATE subscription SET state = 'left', left_at = $1 WHERE person_id = $2 AND state <> 'left'")
        .bind(now.as_millis())
        .bind(person)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets a person: address, choices, sign-ups. What is not sent yet is skipped when it is
/// claimed, since there is no address. The proof of consent stays, without a name. Returns
/// whether there was an address to forget.
pub async fn erase(connection: &mut AnyConnection, person: i64, occasion: Occasion<'_>, now: Timestamp) -> anyhow::Result<bool> {
    forget_signups(connection, person).await?;
    for sql in [
        "DELETE FROM subscription_topic WHERE person_id = $1",
        "DELETE FROM subscription_language WHERE person_id = $1",
        "DELETE FROM subscription WHERE person_id = $1",
        "DELETE FROM refusal WHERE person_id = $1",
    ] {
        sqlx::query(sql).bind(person).execute(&mut *connection).await?;
    }
    let erased = addressbook::erase(connection, person, now).await?;
    if erased {
        record_consent(connection, person, ConsentKind::Erased, occasion, now).await?;
    }
    Ok(erased)
}

/// A person's subscription; `None` where there is none, or the person was erased.
pub async fn subscription(connection: &mut AnyConnection, person: i64) -> anyhow::Result<Option<Subscription>> {
    let row: Option<(String, String)> =
        sqlx::query_as("SELECT state, rhythm FROM subscription WHERE person_id = $1").bind(person).fetch_optional(&mut *connection).await?;
    let Some((state, rhythm)) = row else { return Ok(None) };
    let topics: Vec<String> =
        sqlx::query_scalar("SELECT topic FROM subscription_topic WHERE person_id = $1").bind(person).fetch_all(&mut *connection).await?;
    let tags: Vec<String> = sqlx::query_scalar("SELECT language FROM subscription_language WHERE person_id = $1 ORDER BY position")
        .bind(person)
        .fetch_all(&mut *connection)
        .await?;
    let languages = tags.iter().map(|tag| Language::parse(tag)).collect::<Result<_, _>>()?;
    Ok(Some(Subscription {
        state: SubscriptionState::from_stored(&state)?,
        choices: Choices { topics: topics.into_iter().collect(), languages, rhythm },
        refused: addressbook::refused(connection, person).await?,
    }))
}

async fn store_choices(connection: &mut AnyConnection, person: i64, choices: &Choices) -> anyhow::Result<()> {
    anyhow::ensure!(!choices.languages.is_empty(), "a subscription needs a language");
    for sql in ["DELETE FROM subscription_topic WHERE person_id = $1", "DELETE FROM subscription_language WHERE person_id = $1"] {
        sqlx::query(sql).bind(person).execute(&mut *connection).await?;
    }
    sqlx::query("UPDATE subscription SET rhythm = $1 WHERE person_id = $2")
        .bind(&choices.rhythm)
        .bind(person)
        .execute(&mut *connection)
        .await?;
    for topic in &choices.topics {
        let insert = sqlx::query("INSERT INTO subscription_topic (person_id, topic) VALUES ($1, $2)");
        insert.bind(person).bind(topic).execute(&mut *connection).await?;
    }
    for (position, language) in (0_i64..).zip(&choices.languages) {
        let insert = sqlx::query("INSERT INTO subscription_language (person_id, position, language) VALUES ($1, $2, $3)");
        insert.bind(person).bind(position).bind(language.to_string()).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Writes the proof of what happened to somebody's consent.
pub(in super::super) async fn record_consent(
    connection: &mut AnyConnection,
    person: i64,
    kind: ConsentKind,
    occasion: Occasion<'_>,
    at: Timestamp,
) -> anyhow::Result<()> {
    let id = take_number(connection, Counter::Consent).await?;
    sqlx::query("INSERT INTO consent_event (id, person_id, at, kind, text_version, method, note) VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(id)
        .bind(person)
        .bind(at.as_millis())
        .bind(kind.as_str())
        .bind(occasion.text_version)
        .bind(occasion.method.as_str())
        .bind(occasion.note)
        .execute(connection)
        .await?;
    Ok(())
}

/// What happened to a person's consent, in order.
pub async fn consent_events(connection: &mut AnyConnection, person: i64) -> anyhow::Result<Vec<ConsentEvent>> {
    let rows: Vec<(i64, String, String, String, Option<String>)> =
        sqlx::query_as("SELECT at, kind, text_version, method, note FROM consent_event WHERE person_id = $1 ORDER BY id")
            .bind(person)
            .fetch_all(connection)
            .await?;
    let event = |(at, kind, text_version, method, note): (i64, String, String, String, Option<String>)| {
        Ok(ConsentEvent {
            at: Timestamp::from_millis(at),
            kind: ConsentKind::from_stored(&kind)?,
            text_version,
            method: Method::from_stored(&method)?,
            note,
        })
    };
    rows.into_iter().map(event).collect()
}
