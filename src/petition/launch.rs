//! Launching: an approved step becomes a mailing of its stored texts, cut in chunks.

use super::file::Whom;
use super::office::Office;
use super::plan::{CHUNK, Reach};
use super::render::{ACT, mailing_key};
use super::store::{self, StepRow, StepState, StoredText, Terms};
use super::{TOPIC, tell};
use crate::addressbook::Stream;
use crate::clock::Timestamp;
use crate::content;
use crate::db::Tx;
use crate::delivery::{self, Kind, MailingState, NewDelivery, NewMailing, NewVariant, PersonalLink, To};
use crate::language::Language;
use crate::noticeboard::{self, Notice};
use crate::vault::{Claims, Purpose};
use std::time::Duration;

/// What is to be done with an approved step now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing before this instant.
    Wait(Timestamp),
    /// It goes out.
    Launch,
    /// It is too late: held, never sent late without a word.
    TooLate,
}

/// Judges an approved step. The late limit counts from the due time, however late the approval
/// was: readers see only that.
pub(super) fn verdict(
    now: Timestamp,
    due: Timestamp,
    approved_at: Timestamp,
    windows: (Duration, Duration),
    deadline: Option<Timestamp>,
) -> Verdict {
    let (stop_window, late_limit) = windows;
    let from = due.max(approved_at + stop_window);
    if is_too_late(now.max(from), due, late_limit, deadline) {
        Verdict::TooLate
    } else if now < from {
        Verdict::Wait(from)
    } else {
        Verdict::Launch
    }
}

/// Whether a step's time is so long past that it is not sent any more.
pub(super) fn is_too_late(now: Timestamp, due: Timestamp, late_limit: Duration, deadline: Option<Timestamp>) -> bool {
    now > due + late_limit || deadline.is_some_and(|deadline| now >= deadline)
}

/// Makes the mailing of an approved step, and shows the petition to the public. Everything is
/// looked at again under the edition's lock: a stop or an edit that came first wins.
pub(super) async fn launch(office: &Office, slug: &str, edition: &str, step: i64) -> anyhow::Result<bool> {
    let now = office.clock.now();
    let mut tx = office.db.begin().await?;
    store::lock_edition(&mut tx, slug, edition).await?;
    let (row, terms) = store::step(&mut tx, step).await?;
    let stopped = store::edition(&mut tx, slug, edition).await?.is_none_or(|edition| edition.stopped_at.is_some());
    let current = store::folder_row(&mut tx, slug).await?.is_some_and(|folder| folder.content_hash == row.content_hash);
    if row.state != StepState::Approved || stopped || !current {
        return Ok(false);
    }
    let key = mailing_key(slug, edition, &row.name);
    let mailing = NewMailing {
        key: &key,
        kind: Kind::Petition,
        stream: Stream::Petitions,
        title: &format!("{} {edition}: {}", terms.title, row.name),
        on_doubt: office.on_doubt,
        public: true,
        upper_seq: None,
        not_before: now,
        deadline: terms.deadline.map(Timestamp::from_millis),
    };
    let mailing = delivery::open_mailing(&mut tx, &mailing, now).await?;
    delivery::hold_after(&mut tx, mailing.id, row.due.unwrap_or(now) + office.settings.late_limit).await?;
    store::set_launched(&mut tx, step, mailing.id).await?;
    store::publish(&mut tx, slug, edition, &terms.page, now).await?;
    publish_in_feeds(office, &mut tx, slug, edition, &row, &terms).await?;
    tx.commit().await?;
    Ok(true)
}

/// The petition in the feeds: its page, and the step's own text where the file says `publish`.
async fn publish_in_feeds(office: &Office, tx: &mut Tx, slug: &str, edition: &str, row: &StepRow, terms: &Terms) -> anyhow::Result<()> {
    let site = &office.site;
    let now = office.clock.now();
    let own = format!("/{}", row.name);
    for (suffix, texts) in [("", &terms.page.texts), (own.as_str(), &terms.article)] {
        for (tag, text) in texts {
            let language = parse(tag)?;
            if !site.languages.contains(&language) {
                continue;
            }
            let anchor = suffix.replace('/', "#");
            let page = content::Page {
                source: "petition",
                path: &format!("{slug}/{edition}/{tag}{suffix}"),
                language: &language,
                translation_group: &format!("petition:{slug}:{edition}{suffix}"),
                title: &text.title,
                summary: &text.summary,
                markdown: &text.markdown,
                categories: &[TOPIC],
                canonical_url: &site.link(&format!("{}{anchor}", site.page_path(&language, &["petitions", slug, edition]))),
            };
            content::publish_page(tx, site, &page, now).await?;
        }
    }
    Ok(())
}

/// Writes the deliveries of one chunk of people. Returns whether there are more.
pub(super) async fn cut(office: &Office, slug: &str, edition: &str, step: i64) -> anyhow::Result<bool> {
    let now = office.clock.now();
    let mut tx = office.db.begin().await?;
    // Locks the row, so that two daemons do not cut the same chunk.
    if !store::set_state(&mut tx, step, StepState::Sending, StepState::Sending).await? {
        return Ok(false);
    }
    let (row, terms) = store::step(&mut tx, step).await?;
    let key = mailing_key(slug, edition, &row.name);
    let Some(mailing) = delivery::find_mailing(&mut tx, &key).await? else {
        anyhow::bail!("the mailing of the petition step {key} is missing");
    };
    if mailing.state != MailingState::Cutting {
        let ended = if mailing.state == MailingState::Cancelled { StepState::Stopped } else { StepState::Sent };
        store::set_state(&mut tx, step, StepState::Sending, ended).await?;
        tx.commit().await?;
        return Ok(false);
    }
    let texts = store::texts_of(&mut tx, step).await?;
    let readers = crate::subscription::readers(&mut tx, None, mailing.cursor, CHUNK).await?;
    let last = readers.last().map_or(mailing.cursor, |reader| reader.person);
    let acted = store::acted_between(&mut tx, slug, edition, mailing.cursor, last).await?;
    let reach = reach(&terms, &texts)?;
    let variants = variants(&mut tx, mailing.id, &texts).await?;
    let addressed = readers.iter().filter(|reader| reach.includes(&reader.choices, acted.contains(&reader.person)));
    let deliveries: Vec<NewDelivery> = addressed
        .filter_map(|reader| {
            let language = reach.language_for(&reader.choices)?;
            let (_, variant) = variants.iter().find(|(known, _)| known == language)?;
            Some(NewDelivery {
                to: To::Person(reader.person),
                variant: *variant,
                personal: personal(office, slug, edition, reader.person, language, reach.to),
            })
        })
        .collect();
    delivery::add_deliveries(&mut tx, &office.vault, mailing.id, &deliveries, now).await?;
    delivery::set_cursor(&mut tx, mailing.id, last).await?;
    let more = i64::try_from(readers.len())? == CHUNK;
    if !more {
        delivery::release(&mut tx, mailing.id, now).await?;
        store::set_state(&mut tx, step, StepState::Sending, StepState::Sent).await?;
        record_sent(office, &mut tx, &key, &row, &terms, &texts, mailing.id).await?;
    }
    tx.commit().await?;
    office.delivery.kick();
    Ok(more)
}

/// The numbers of the mailing's variants, made at the first chunk.
async fn variants(tx: &mut Tx, mailing: i64, texts: &[StoredText]) -> anyhow::Result<Vec<(Language, i64)>> {
    let mut variants = Vec::with_capacity(texts.len());
    for text in texts {
        let key = text.language.to_string();
        let variant = NewVariant {
            key: &key,
            language: &text.language,
            subject: &text.subject,
            body_text: &text.body_text,
            body_html: &text.body_html,
            mark: &text.mark,
            items: &[],
        };
        variants.push((text.language.clone(), delivery::add_variant(tx, mailing, &variant).await?));
    }
    Ok(variants)
}

/// The link “I have done it”, in mails that ask for something.
fn personal(office: &Office, slug: &str, edition: &str, person: i64, language: &Language, to: Whom) -> Vec<PersonalLink> {
    if to == Whom::Acted {
        return Vec::new();
    }
    let site = &office.site;
    vec![PersonalLink {
        slot: ACT.to_owned(),
        path: site.page_path(site.nearest_language(language), &["petitions", slug, "done"]),
        claims: Claims::lasting(Purpose::Act, person).with_note(format!("{slug}/{edition}")),
    }]
}

fn reach(terms: &Terms, texts: &[StoredText]) -> anyhow::Result<Reach> {
    Ok(Reach {
        topics: terms.topics.clone(),
        languages: terms.languages.iter().map(|tag| parse(tag)).collect::<anyhow::Result<_>>()?,
        fallback: terms.fallback.iter().map(|tag| parse(tag)).collect::<anyhow::Result<_>>()?,
        to: Whom::from_stored(&terms.to)?,
        available: texts.iter().map(|text| text.language.clone()).collect(),
    })
}

fn parse(tag: &str) -> anyhow::Result<Language> {
    Language::parse(tag).map_err(|reason| anyhow::anyhow!("{reason}"))
}

/// Tells staff how the numbers compare with those told before (P4).
async fn record_sent(
    office: &Office,
    tx: &mut Tx,
    key: &str,
    row: &StepRow,
    terms: &Terms,
    texts: &[StoredText],
    mailing: i64,
) -> anyhow::Result<()> {
    let voice = office.voice();
    let told: u64 = texts.iter().map(|text| text.readers).sum();
    let cut = store::deliveries_of(tx, mailing).await?;
    let variables = [
        ("title", terms.title.as_str().into()),
        ("step", row.name.as_str().into()),
        ("told", told.into()),
        ("count", cut.into()),
        ("time", tell::local_time(&voice, office.clock.now(), &office.site.time_zone).into()),
    ];
    let mut body = voice.say_all("petition-sent-body", &variables);
    if u64::try_from(cut)? != told {
        body = format!("{body}\n\n{}", voice.say_all("petition-sent-difference", &variables));
    }
    let subject = voice.say_all("petition-sent-subject", &variables);
    noticeboard::record(tx, &Notice { key: &format!("sent:{key}"), subject: &subject, body: &body }, office.clock.now()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + hours * HOUR)
    }

    #[test]
    fn a_step_goes_out_when_due_and_not_within_the_stop_window_and_never_late() {
        let windows = (Duration::from_hours(1), Duration::from_hours(12));
        let judge = |now, due, approved, deadline| verdict(at(now), at(due), at(approved), windows, deadline);
        assert_eq!(judge(0, 10, -5, None), Verdict::Wait(at(10)));
        assert_eq!(judge(10, 10, -5, None), Verdict::Launch);
        assert_eq!(judge(10, 10, 10, None), Verdict::Wait(at(11)));
        assert_eq!(judge(11, 10, 10, None), Verdict::Launch);
        assert_eq!(judge(22, 10, -5, None), Verdict::Launch);
        assert_eq!(judge(23, 10, -5, None), Verdict::TooLate);
        assert_eq!(judge(22, 10, 22, None), Verdict::TooLate);
        assert_eq!(judge(11, 10, -5, Some(at(11))), Verdict::TooLate);
    }
}
