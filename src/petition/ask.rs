//! Asking approvers: every step not begun is rendered and stored, and each approver gets it by
//! mail with a link to the page where it is approved.

use super::approve;
use super::file::StepPlan;
use super::launch::is_too_late;
use super::office::Office;
use super::plan::{Counts, Reach, count};
use super::prose;
use super::public::{PageText, PublicPage};
use super::render::{mailing_key, render};
use super::step::Case;
use super::store::{self, Proposal, StoredText, Terms};
use super::tell::{self, Links, Sheet, StepView};
use super::{Whom, tell::text_view};
use crate::clock::Timestamp;
use std::collections::BTreeMap;

/// A step rendered for approval.
struct Rendered<'a> {
    step: &'a StepPlan,
    terms: Terms,
    counts: Counts,
    texts: Vec<StoredText>,
}

/// Stores what would be sent and asks every approver about it, once for this content.
pub(super) async fn ask(office: &Office, case: &Case<'_>) -> anyhow::Result<()> {
    let now = office.clock.now();
    let (slug, edition, hash) = (case.folder.slug.as_str(), case.edition, case.folder.hash.as_str());
    let rendered = render_all(office, case).await?;
    let sheet = sheet(office, case, &rendered);
    let key = format!("petition-approval:{slug}:{edition}:{}:{}", tell::prefix(hash), case.row.changed_at);
    let until = approve::until(&case.file.steps, case.file.edition.deadline, &office.settings, now);
    let mut tx = office.db.begin().await?;
    store::lock_edition(&mut tx, slug, edition).await?;
    let current = store::folder_row(&mut tx, slug).await?.is_some_and(|row| row.content_hash == hash);
    if !current || !store::set_asked(&mut tx, slug, edition, hash, now).await? {
        return Ok(());
    }
    for Rendered { step, terms, texts, .. } in &rendered {
        store::propose(&mut tx, &Proposal { slug, edition, name: &step.name, hash, due: step.due, terms, texts }).await?;
    }
    if !rendered.is_empty() {
        tell::post(office, &mut tx, &key, sheet, &office.settings.approvers, Links::Approve { slug, edition, hash, until }).await?;
    }
    tx.commit().await?;
    office.delivery.kick();
    Ok(())
}

/// Every step that can still be sent, rendered in each of its languages.
async fn render_all<'a>(office: &Office, case: &Case<'a>) -> anyhow::Result<Vec<Rendered<'a>>> {
    let now = office.clock.now();
    let begun = |step: &&StepPlan| case.steps.iter().any(|row| row.name == step.name && row.state.has_begun());
    let late = |step: &&StepPlan| step.due.is_some_and(|due| is_too_late(now, due, office.settings.late_limit, case.file.edition.deadline));
    let open: Vec<&StepPlan> = case.file.steps.iter().filter(|step| !begun(step) && !late(step)).collect();
    let reaches: Vec<Reach> = open.iter().map(|step| Reach::of(case.file, step, case.folder)).collect();
    let mut connection = office.db.reader().acquire().await?;
    let counts = count(&mut connection, &case.folder.slug, case.edition, &reaches).await?;
    let steps = open.into_iter().zip(counts);
    steps
        .map(|(step, counts)| Ok(Rendered { step, terms: terms(office, case, step), texts: texts(office, case, step, &counts)?, counts }))
        .collect()
}

fn texts(office: &Office, case: &Case<'_>, step: &StepPlan, counts: &Counts) -> anyhow::Result<Vec<StoredText>> {
    let slug = &case.folder.slug;
    let key = mailing_key(slug, case.edition, &step.name);
    let asks = step.to != Whom::Acted;
    let texts = case.folder.texts.of(&step.text);
    texts
        .map(|(language, text)| {
            let readers = counts.by_language.get(language).copied().unwrap_or(0);
            render(office, &key, slug, language, text, asks, readers)
        })
        .collect()
}

fn terms(office: &Office, case: &Case<'_>, step: &StepPlan) -> Terms {
    let file = case.file;
    let article = case.folder.texts.of(&step.text).filter(|_| step.publish).map(|(language, text)| {
        let markdown = text.body().to_owned();
        (language.to_string(), PageText { title: text.subject.clone(), summary: prose::summary(&markdown, 200), markdown })
    });
    Terms {
        title: file.title.get(office.site.default_language()).to_owned(),
        topics: file.audience.topics.clone(),
        languages: file.audience.languages.iter().map(ToString::to_string).collect(),
        fallback: file.audience.fallback.iter().map(ToString::to_string).collect(),
        to: step.to.as_str().to_owned(),
        deadline: file.edition.deadline.map(Timestamp::as_millis),
        time_zone: file.edition.time_zone.iana_name().unwrap_or("UTC").to_owned(),
        prepared_by: file.prepared_by.as_ref().map(|address| office.vault.index(address)),
        article: article.collect::<BTreeMap<_, _>>(),
        page: PublicPage::of(file, case.folder, &office.site.languages),
    }
}

fn sheet(office: &Office, case: &Case<'_>, rendered: &[Rendered<'_>]) -> Sheet {
    let voice = office.voice();
    let zone = &case.file.edition.time_zone;
    let title = case.file.title.get(office.site.default_language());
    let required = office.settings.approvals_required;
    let window = tell::span(&voice, office.settings.stop_window);
    let steps = rendered.iter().map(|one| StepView {
        name: one.step.name.clone(),
        lines: vec![tell::when(&voice, one.step.due, zone), tell::counts_line(&voice, &one.counts)],
    });
    Sheet {
        heading: voice.say_all("petition-approval-subject", &[("title", title.into()), ("edition", case.edition.into())]),
        paragraphs: vec![
            voice.say("petition-approval-intro"),
            voice.say_with("petition-approval-required", "count", required),
            voice.say_with("petition-approval-window", "span", window),
        ],
        problems: Vec::new(),
        steps: steps.collect(),
        texts: rendered.iter().flat_map(|one| one.texts.iter().map(|text| text_view(&voice, &one.step.name, text))).collect(),
        links: Vec::new(),
    }
}
