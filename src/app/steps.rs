//! What each step is given.

use crate::content::{ContentStep, SourceStep};
use crate::delivery::DeliveryStep;
use crate::digest::DigestStep;
use crate::feed::{CodingStep, FeedStep, HubStep, ReadersStep};
use crate::inbound::{self, Desk, ImapStep, InboundStep, MaildirStep};
use crate::notice::{NoticeStep, PreviewStep, TranslationsStep};
use crate::petition::{Office, PetitionStep};
use crate::subscription::SignupStep;
use crate::web::State;
use std::sync::Arc;

pub(super) fn feed(state: &State) -> FeedStep {
    FeedStep::new(state.db.clone(), state.clock.clone(), state.site.clone(), state.feed.clone(), state.shelf.clone(), state.metrics.clone())
        .saying(state.catalogue.clone())
        .awaiting_content()
}

pub(super) fn coding(state: &State) -> CodingStep {
    CodingStep::new(state.shelf.clone(), state.clock.clone())
}

pub(super) fn readers(state: &State) -> ReadersStep {
    let zone = state.site.time_zone.clone();
    ReadersStep::new(state.db.clone(), state.clock.clone(), zone, state.readers().clone(), state.metrics.clone())
}

pub(super) fn hub(state: &State) -> anyhow::Result<HubStep> {
    HubStep::new(state.db.clone(), state.clock.clone(), state.site.clone(), state.feed.hubs.clone(), state.metrics.clone())
}

pub(super) fn content(state: &State) -> ContentStep {
    let (wake, changed) = (state.kicks.content.clone(), state.kicks.feed.clone());
    let site = Arc::new(state.site.clone());
    ContentStep::new(state.db.clone(), state.clock.clone(), site, state.content.clone(), state.metrics.clone(), wake, changed).watching()
}

pub(super) fn sources(state: &State) -> anyhow::Result<SourceStep> {
    let (site, changed) = (Arc::new(state.site.clone()), state.kicks.feed.clone());
    SourceStep::new(state.db.clone(), state.clock.clone(), site, &state.content, state.metrics.clone(), changed)
}

pub(super) fn signup(state: &State) -> SignupStep {
    let rhythms = state.digests.iter().map(|digest| digest.name.clone()).collect();
    let delivery = state.kicks.delivery.clone();
    SignupStep::new(
        state.db.clone(),
        state.vault.clone(),
        state.clock.clone(),
        state.site.clone(),
        state.catalogue.clone(),
        rhythms,
        delivery,
    )
    .reading_mail(state.mail.envelope.is_heard())
}

/// What takes in mail, by whatever way.
fn desk(state: &State, settings: &inbound::Settings) -> Desk {
    let rhythms: Vec<String> = state.digests.iter().map(|digest| digest.name.clone()).collect();
    let (db, vault, clock, site) = (state.db.clone(), state.vault.clone(), state.clock.clone(), state.site.clone());
    Desk::new(db, vault, clock, site, &state.mail, settings, &rhythms).kicking(state.kicks.signup.clone())
}

pub(super) fn inbound(state: &State) -> InboundStep {
    InboundStep::new(state.db.clone(), state.clock.clone(), state.metrics.clone())
}

pub(super) fn maildir(state: &State, settings: &inbound::Settings) -> Option<MaildirStep> {
    Some(MaildirStep::new(desk(state, settings), settings.maildir.clone()?))
}

pub(super) fn imap(state: &State, settings: &inbound::Settings) -> Option<ImapStep> {
    Some(ImapStep::new(state.db.clone(), desk(state, settings), state.clock.clone(), settings.imap.clone()?))
}

pub(super) fn digest(state: &State) -> DigestStep {
    DigestStep {
        db: state.db.clone(),
        vault: state.vault.clone(),
        clock: state.clock.clone(),
        site: state.site.clone(),
        catalogue: state.catalogue.clone(),
        digests: state.digests.clone(),
        on_doubt: state.delivery.on_doubt,
        delivery: state.kicks.delivery.clone(),
    }
}

pub(super) fn petition(state: &State) -> Option<PetitionStep> {
    Some(PetitionStep::new(Office {
        db: state.db.clone(),
        vault: state.vault.clone(),
        clock: state.clock.clone(),
        site: state.site.clone(),
        catalogue: state.catalogue.clone(),
        settings: state.petitions.clone()?,
        staff: state.staff.clone(),
        mail_leaves: state.mail.transport.leaves_the_machine(),
        on_doubt: state.delivery.on_doubt,
        delivery: state.kicks.delivery.clone(),
    }))
}

pub(super) fn notice(state: &State) -> NoticeStep {
    let (staff, delivery) = (state.staff.clone(), state.kicks.delivery.clone());
    NoticeStep::new(
        state.db.clone(),
        state.vault.clone(),
        state.clock.clone(),
        state.site.clone(),
        state.catalogue.clone(),
        staff,
        delivery,
    )
}

pub(super) fn translations(state: &State) -> TranslationsStep {
    TranslationsStep {
        db: state.db.clone(),
        clock: state.clock.clone(),
        site: state.site.clone(),
        catalogue: state.catalogue.clone(),
        wanted: state.notices.translations,
    }
}

pub(super) fn preview(state: &State) -> PreviewStep {
    PreviewStep {
        db: state.db.clone(),
        vault: state.vault.clone(),
        clock: state.clock.clone(),
        site: state.site.clone(),
        catalogue: state.catalogue.clone(),
        staff: state.staff.clone(),
        wanted: state.notices.draft_previews,
        delivery: state.kicks.delivery.clone(),
    }
}

pub(super) fn delivery(state: &State) -> anyhow::Result<DeliveryStep> {
    let (site, mail) = (state.site.clone(), state.mail.clone());
    DeliveryStep::new(state.db.clone(), state.vault.clone(), state.clock.clone(), site, mail, state.delivery.clone(), state.metrics.clone())
}
