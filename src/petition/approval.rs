//! What an approver sees: the texts exactly as stored, and whether they can still be approved.

use super::Settings;
use super::office::Office;
use super::render::without_slots;
use super::store::{self, StepRow, StepState, StoredText, Terms};
use super::tell::{self, prefix};
use crate::address::Address;
use crate::clock::{Timestamp, parse_zone};
use crate::language::{Language, Voice};
use crate::vault::{Purpose, TokenRefused, Vault};
use jiff::tz::TimeZone;
use sqlx::AnyConnection;

/// Why an approval cannot be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalRefused {
    /// The link is not ours or cut short.
    #[error("the link is not complete or not ours")]
    Invalid,
    /// The link was ours, but its time is over.
    #[error("the link is too old")]
    Expired,
    /// The address is not among the approvers (any more).
    #[error("this address is not among the approvers; the configuration names them under [petitions]")]
    NotApprover,
    /// The petition was edited since: there is, or will be, a newer mail.
    #[error("the petition was edited after this was rendered; wait for the new mail to approvers")]
    Changed,
    /// The petition is stopped.
    #[error("the petition is stopped")]
    Stopped,
    /// Who prepared it does not count where two are required.
    #[error("who prepared the petition does not count where more than one approval is required")]
    Preparer,
    /// No step of this name waits for approval.
    #[error("no such step waits for approval")]
    NotWaiting,
    /// It would go out later than the late limit or the deadline allow.
    #[error("it is too late to approve this step")]
    TooLate,
}

impl From<TokenRefused> for ApprovalRefused {
    fn from(refused: TokenRefused) -> Self {
        match refused {
            TokenRefused::Invalid => Self::Invalid,
            TokenRefused::Expired => Self::Expired,
        }
    }
}

/// What an approver is asked, as they see it.
pub struct Approval {
    /// The petition.
    pub slug: String,
    /// The edition.
    pub edition: String,
    /// Its title in the default language.
    pub title: String,
    /// How many must approve.
    pub required: u32,
    /// Whether this approver prepared it, and so does not count.
    pub preparer: bool,
    /// Whether it is stopped.
    pub stopped: bool,
    /// Whether the folder says something else by now.
    pub changed: bool,
    /// Each step, in the order of time.
    pub steps: Vec<ApprovalStep>,
    /// The zone in which times are meant.
    pub time_zone: TimeZone,
    pub(super) approver: String,
    pub(super) hash: String,
}

/// One step of it.
pub struct ApprovalStep {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: StepState,
    /// When it goes out; `None`: once approved.
    pub due: Option<Timestamp>,
    /// How many approved.
    pub approvals: usize,
    /// Whether this approver did.
    pub mine: bool,
    /// What is sent.
    pub texts: Vec<ApprovalText>,
}

/// A text of a step, exactly as it is sent, but for the personal links.
pub struct ApprovalText {
    /// Its language.
    pub language: Language,
    /// How many get it.
    pub readers: u64,
    /// Its subject.
    pub subject: String,
    /// The plain text.
    pub body_text: String,
    /// The part of the HTML between the frame; sanitised.
    pub body_html: String,
}

impl Approval {
    /// When a step goes out, in words.
    pub fn when(&self, voice: &Voice, step: &ApprovalStep) -> String {
        tell::when(voice, step.due, &self.time_zone)
    }

    /// Whether the approver can still approve a step.
    pub fn can_approve(&self, step: &ApprovalStep) -> bool {
        step.state == StepState::Proposed && !step.mine && !self.preparer && !self.stopped && !self.changed
    }

    /// Takes over what the terms say of the whole petition.
    fn take(&mut self, terms: Terms) {
        self.preparer = self.required > 1 && terms.prepared_by.as_ref() == Some(&self.approver);
        self.time_zone = parse_zone(&terms.time_zone).unwrap_or(TimeZone::UTC);
        self.title = terms.title;
    }

    /// Whether there is anything left to approve.
    pub fn waits(&self) -> bool {
        self.steps.iter().any(|step| self.can_approve(step))
    }
}

/// Reads what a token lets its holder approve. Changes nothing.
pub async fn read_approval(
    connection: &mut AnyConnection,
    vault: &Vault,
    settings: &Settings,
    token: &str,
    voice: &Voice,
    now: Timestamp,
) -> anyhow::Result<Result<Approval, ApprovalRefused>> {
    let claims = match vault.read_token(Purpose::Approve, token, now) {
        Ok(claims) => claims,
        Err(refused) => return Ok(Err(refused.into())),
    };
    let [slug, edition, hash, approver] = claims.note.split('/').collect::<Vec<_>>()[..] else {
        return Ok(Err(ApprovalRefused::Invalid));
    };
    let known = settings.approvers.iter().map(|address| vault.index(address)).find(|index| prefix(index) == approver);
    let Some(approver) = known else { return Ok(Err(ApprovalRefused::NotApprover)) };
    load(connection, settings, slug, edition, Some(hash), approver, voice).await
}

/// What an approver named by address is asked now, for the command line.
pub(super) async fn approval_of(
    connection: &mut AnyConnection,
    office: &Office,
    slug: &str,
    edition: &str,
    approver: &Address,
) -> anyhow::Result<Result<Approval, ApprovalRefused>> {
    let index = office.vault.index(approver);
    if !office.settings.approvers.iter().any(|address| office.vault.index(address) == index) {
        return Ok(Err(ApprovalRefused::NotApprover));
    }
    load(connection, &office.settings, slug, edition, None, index, &office.voice()).await
}

async fn load(
    connection: &mut AnyConnection,
    settings: &Settings,
    slug: &str,
    edition: &str,
    hash: Option<&str>,
    approver: String,
    voice: &Voice,
) -> anyhow::Result<Result<Approval, ApprovalRefused>> {
    let Some(row) = store::edition(connection, slug, edition).await? else { return Ok(Err(ApprovalRefused::Invalid)) };
    let folder = store::folder_row(connection, slug).await?;
    let asked = row.asked_hash.unwrap_or_default();
    let changed = folder.is_none_or(|folder| folder.content_hash != asked) || hash.is_some_and(|hash| hash != prefix(&asked));
    let mut approval = Approval {
        slug: slug.to_owned(),
        edition: edition.to_owned(),
        title: slug.to_owned(),
        required: settings.approvals_required,
        preparer: false,
        stopped: row.stopped_at.is_some(),
        changed,
        steps: Vec::new(),
        time_zone: TimeZone::UTC,
        approver,
        hash: asked,
    };
    for step in store::steps_of(connection, slug, edition).await? {
        // What was rendered from other content is not what this approver is asked about.
        if !changed || step.state.has_begun() {
            let (step, terms) = store::step(connection, step.id).await?;
            approval.steps.push(view(connection, &step, &approval.approver, voice).await?);
            approval.take(terms);
        }
    }
    Ok(Ok(approval))
}

async fn view(connection: &mut AnyConnection, step: &StepRow, approver: &str, voice: &Voice) -> anyhow::Result<ApprovalStep> {
    let approvals = store::approvals_of(connection, step.id, &step.content_hash).await?;
    let texts = store::texts_of(connection, step.id).await?;
    let instead = voice.say("petition-personal-link");
    Ok(ApprovalStep {
        name: step.name.clone(),
        state: step.state,
        due: step.due,
        mine: approvals.iter().any(|known| known == approver),
        approvals: approvals.len(),
        texts: texts.iter().map(|text| shown(text, &instead)).collect(),
    })
}

fn shown(text: &StoredText, instead: &str) -> ApprovalText {
    let html = without_slots(&text.body_html, &text.mark, "#");
    // The template puts the text between these two; what surrounds it brings styles of its own.
    let from = html.find("<article>").unwrap_or(0);
    let to = html.rfind("</article>").map_or(html.len(), |at| at + "</article>".len());
    ApprovalText {
        language: text.language.clone(),
        readers: text.readers,
        subject: text.subject.clone(),
        body_text: without_slots(&text.body_text, &text.mark, instead),
        body_html: html.get(from..to).unwrap_or_default().to_owned(),
    }
}
