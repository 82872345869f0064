//! `/preferences` mails a link; the link shows one's choices for half an hour (S3).

use super::super::client::{self, NetworkLimit};
use super::super::{Layout, State, WebError, private_page};
use super::choosing::{self, Choosing};
use super::fields::{Fields, form_token, within_limit};
use super::{Message, Visit};
use crate::address::Address;
use crate::addressbook::Stream;
use crate::subscription::{self, CONSENT_TEXT_VERSION, Method, NewSignup, Occasion, Subscription, SubscriptionState, Wish};
use crate::vault::{Purpose, TokenRefused};
use askama::Template;
use axum::Extension;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::net::SocketAddr;
use std::sync::Arc;

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
    within_limit(limit.admit(client::network(&state.web, peer, &headers), now))?;
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
    let person = match read(&state, &visit) {
        Ok(person) => person,
        Err(refusal) => return Ok(refusal),
    };
    let found = subscription::subscription(&mut *state.db.reader().acquire().await?, person).await?;
    let Some(found) = found else { return Ok(gone(&state, &visit)) };
    let path = format!("/preferences/{}", visit.token);
    let layout = Layout::new(&state, &visit.language, &path).private();
    let active = found.state == SubscriptionState::Active;
    let page = ChoicesPage {
        action: layout.path(&path),
        choosing: active.then(|| Choosing::new(&state, &layout, &found.choices)),
        streams: (active && state.petitions.is_some()).then(|| streams_of(&found)),
        layout,
    };
    Ok(private_page(StatusCode::OK, &page))
}

/// POST: saves, leaves, or forgets, by the button pressed.
pub(super) async fn act(
    axum::extract::State(state): axum::extract::State<State>,
    visit: Visit,
    fields: Fields,
) -> Result<Response, WebError> {
    let person = match read(&state, &visit) {
        Ok(person) => person,
        Err(refusal) => return Ok(refusal),
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
            let Some(choices) = choosing::read(&state, &layout, &fields) else {
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

/// Which streams come, as the form says it.
fn streams_of(subscription: &Subscription) -> &'static str {
    match (subscription.refused.contains(&Stream::News), subscription.refused.contains(&Stream::Petitions)) {
        (false, true) => "news",
        (true, false) => "petitions",
        _ => "both",
    }
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

fn read(state: &State, visit: &Visit) -> Result<i64, Response> {
    state.vault.read_token(Purpose::Preferences, &visit.token, state.clock.now()).map(|claims| claims.subject).map_err(|refused| {
        let (status, key) = match refused {
            TokenRefused::Invalid => (StatusCode::NOT_FOUND, "link-broken"),
            TokenRefused::Expired => (StatusCode::GONE, "preferences-expired"),
        };
        Message::new(state, &visit.language, key).with_link("/preferences", "to-preferences").respond(status)
    })
}

fn gone(state: &State, visit: &Visit) -> Response {
    Message::new(state, &visit.language, "choices-gone").with_link("/subscribe", "to-subscribe").respond(StatusCode::GONE)
}
