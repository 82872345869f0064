//! `/preferences` mails a link; the link shows one's choices for half an hour (S3).

use super::super::client::{self, NetworkLimit};
use super::super::{Layout, State, WebError, private_page};
use super::choosing::{self, Choosing};
use super::fields::{Fields, form_token, within_limit};
use super::{Door, Message, Visit};
use crate::address::Address;
use crate::addressbook::Stream;
use crate::subscription::{
    self, CONSENT_TEXT_VERSION, Choices, Method, NewSignup, Occasion, PETITIONS, Subscription, SubscriptionState, Wish,
};
use crate::vault::Purpose;
use askama::Template;
use axum::Extension;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::net::SocketAddr;
use std::sync::Arc;

const DOOR: Door = Door { purpose: Purpose::Preferences, expired: "preferences-expired", fresh: ("/preferences", "to-preferences") };

#[derive(Template)]
#[template(path = "web/preferences_ask.html")]
struct AskPage {
    layout: Layout,
    address: String,
    /// What is wrong with the address.
    mistake: Option<&'static str>,
    /// What is left to do.
    advice: Option<&'static str>,
    token: String,
}

impl AskPage {
    fn new(state: &State, visit: &Visit) -> Self {
        let layout = Layout::new(state, &visit.language, "/preferences");
        Self { layout, address: String::new(), mistake: None, advice: None, token: form_token(&state.vault, state.clock.now()) }
    }
}

/// GET: asks for the address.
pub(super) async fn ask(axum::extract::State(state): axum::extract::State<State>, visit: Visit) -> Response {
    private_page(StatusCode::OK, &AskPage::new(&state, &visit))
}

/// POST: takes the wish in; the same answer for everybody (S2).
pub(super) async fn send_link(
    axum::extract::State(state): axum::extract::State<State>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(limit): Extension<Arc<NetworkLimit>>,
    visit: Visit,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, WebError> {
    let sent = Message::new(&state, &visit.language, "preferences-sent");
    if fields.fell_into_the_trap() {
        return Ok(sent.respond(StatusCode::OK));
    }
    let typed: String = fields.first("address").chars().take(254).collect();
    let Ok(address) = Address::parse(&typed) else {
        let page = AskPage { address: typed, mistake: Some("address-mistake"), ..AskPage::new(&state, &visit) };
        return Ok(private_page(StatusCode::UNPROCESSABLE_ENTITY, &page));
    };
    let now = state.clock.now();
    if !fields.is_of_our_making(&state.vault, now) {
        let page = AskPage { address: typed, advice: Some("one-button-more"), ..AskPage::new(&state, &visit) };
        return Ok(private_page(StatusCode::OK, &page));
    }
    within_limit(limit.admit(client::network(&state.web, peer, (&headers).into()), now))?;
    let signup = NewSignup {
        wish: Wish::Preferences,
        address: &address,
        language: &visit.language,
        choices: &choosing::initial(&state, &visit.language),
        method: Method::Page,
        text_version: CONSENT_TEXT_VERSION,
    };
    let mut tx = state.db.begin().await?;
    subscription::sign_up(&mut tx, &state.vault, &signup, now).await?;
    tx.commit().await?;
    state.kicks.signup.kick();
    Ok(sent.respond(StatusCode::OK))
}

#[derive(Template)]
#[template(path = "web/preferences.html")]
struct ChoicesPage {
    layout: Layout,
    action: String,
    /// Nothing to choose for who is not subscribed; they can still be forgotten.
    choosing: Option<Choosing>,
    /// Which streams come, where there are two.
    streams: Option<&'static str>,
}

/// GET: the choices, as they are.
pub(super) async fn show(axum::extract::State(state): axum::extract::State<State>, visit: Visit) -> Result<Response, WebError> {
    let person = match DOOR.open(&state, &visit) {
        Ok(person) => person,
        Err(closed) => return Ok(closed.page(&state, &visit)),
    };
    let found = subscription::subscription(&mut *state.db.reader().acquire().await?, person).await?;
    let Some(found) = found else { return Ok(gone(&state, &visit)) };
    let path = format!("/preferences/{}", visit.token);
    let layout = Layout::new(&state, &visit.language, &path).private();
    let mut choosing = (found.state == SubscriptionState::Active).then(|| Choosing::new(&state, &layout, &found.choices));
    let streams = choosing.as_mut().filter(|_| state.petitions.is_some()).map(|choosing| {
        choosing.topics.retain(|topic| topic.value != PETITIONS);
        streams_of(&found)
    });
    let page = ChoicesPage { action: layout.path(&path), choosing, streams, layout };
    Ok(private_page(StatusCode::OK, &page))
}

/// POST: saves, leaves, or forgets, by the button pressed.
pub(super) async fn act(
    axum::extract::State(state): axum::extract::State<State>,
    visit: Visit,
    fields: Fields,
) -> Result<Response, WebError> {
    let person = match DOOR.open(&state, &visit) {
        Ok(person) => person,
        Err(closed) => return Ok(closed.page(&state, &visit)),
    };
    let now = state.clock.now();
    let occasion = Occasion::by(Method::Page);
    let message = |key: &str| Message::new(&state, &visit.language, key);
    let mut tx = state.db.begin().await?;
    let page = match fields.first("act") {
        "leave" => {
            subscription::leave(&mut tx, person, &Stream::REFUSABLE, occasion, now).await?;
            message("left").with_link("/subscribe", "to-subscribe-again")
        }
        "erase" => {
            subscription::erase(&mut tx, person, occasion, now).await?;
            message("erased").with_link("/", "to-articles")
        }
        _ => {
            let layout = Layout::new(&state, &visit.language, "/");
            let Some(choices) = chosen(&state, &layout, &fields) else {
                drop(tx);
                return show(axum::extract::State(state), visit).await;
            };
            if !subscription::change(&mut tx, person, &choices, refused_by(&fields), occasion, now).await? {
                return Ok(gone(&state, &visit));
            }
            message("saved").with_link(&format!("/preferences/{}", visit.token), "to-choices")
        }
    };
    tx.commit().await?;
    Ok(page.respond(StatusCode::OK))
}

/// Which streams come, as the form says it: by what is refused, and by what is read about.
fn streams_of(Subscription { choices: Choices { topics, .. }, refused, .. }: &Subscription) -> &'static str {
    let comes = |stream, topic: fn(&String) -> bool| !refused.contains(&stream) && (topics.is_empty() || topics.iter().any(topic));
    let news = comes(Stream::News, |topic| topic != PETITIONS);
    let petitions = comes(Stream::Petitions, |topic| topic == PETITIONS);
    match (news, petitions) {
        (true, false) => "news",
        (false, true) => "petitions",
        _ => "both",
    }
}

/// What the form chose. It asks about petitions once, as a stream and not as a topic.
fn chosen(state: &State, layout: &Layout, fields: &Fields) -> Option<Choices> {
    let mut choices = choosing::read(state, layout, fields)?;
    if matches!(fields.first("streams"), "both" | "petitions") && !choices.topics.is_empty() {
        choices.topics.insert(PETITIONS.to_owned());
    }
    Some(choices)
}

/// What the form refuses; `None` where it did not ask.
fn refused_by(fields: &Fields) -> Option<&'static [Stream]> {
    match fields.first("streams") {
        "both" => Some(&[]),
        "news" => Some(&[Stream::Petitions]),
        "petitions" => Some(&[Stream::News]),
        _ => None,
    }
}

fn gone(state: &State, visit: &Visit) -> Response {
    DOOR.gone("choices-gone").page(state, visit)
}
