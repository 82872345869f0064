//! The form `/subscribe`. Whoever sends it is answered the same (S2); what their address means
//! to us is found out later, and told to the mailbox alone.

use super::super::client::{self, NetworkLimit};
use super::super::{Layout, State, WebError, private_page};
use super::choosing::{self, Choosing};
use super::fields::{Fields, form_token, within_limit};
use super::{Message, Visit};
use crate::address::Address;
use crate::language::Catalogue;
use crate::subscription::{self, CONSENT_TEXT_VERSION, Choices, Method, NewSignup, Wish};
use crate::vault::content_hash;
use askama::Template;
use axum::Extension;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::net::SocketAddr;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "web/subscribe.html")]
struct Form {
    layout: Layout,
    choosing: Choosing,
    address: String,
    /// What is wrong with the address.
    mistake: Option<&'static str>,
    /// What is left to do.
    advice: Option<&'static str>,
    token: String,
}

impl Form {
    fn new(state: &State, visit: &Visit, chosen: &Choices) -> Self {
        let layout = Layout::new(state, &visit.language, "/subscribe");
        let choosing = Choosing::new(state, &layout, chosen);
        let token = form_token(&state.vault, state.clock.now());
        Self { layout, choosing, address: String::new(), mistake: None, advice: None, token }
    }
}

/// GET: the empty form.
pub(super) async fn show(axum::extract::State(state): axum::extract::State<State>, visit: Visit) -> Response {
    let form = Form::new(&state, &visit, &choosing::initial(&state, &visit.language));
    private_page(StatusCode::OK, &form)
}

/// POST: takes it in, or shows it again with what is missing.
pub(super) async fn take(
    axum::extract::State(state): axum::extract::State<State>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(limit): Extension<Arc<NetworkLimit>>,
    visit: Visit,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, WebError> {
    let sent = Message::new(&state, &visit.language, "subscribe-sent");
    if fields.fell_into_the_trap() {
        return Ok(sent.respond(StatusCode::OK));
    }
    let (address, choices) = match complete(&state, &visit, &fields) {
        Ok(complete) => complete,
        Err(form) => {
            let status = if form.mistake.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
            return Ok(private_page(status, &*form));
        }
    };
    let now = state.clock.now();
    within_limit(limit.admit(client::network(&state.web, peer, (&headers).into()), now))?;
    let signup = NewSignup {
        wish: Wish::Subscribe,
        address: &address,
        language: &visit.language,
        choices: &choices,
        method: Method::Page,
        text_version: &consent_version(&state, &visit),
    };
    let mut tx = state.db.begin().await?;
    subscription::sign_up(&mut tx, &state.vault, &signup, now).await?;
    tx.commit().await?;
    state.kicks.signup.kick();
    Ok(sent.respond(StatusCode::OK))
}

/// Which text the form asked consent to: ours by its version; one of the site's own (`[site]
/// locales_dir`) by its hash, which proves it as long as the site keeps the text.
fn consent_version(state: &State, visit: &Visit) -> String {
    let title = state.site.title.get(&visit.language);
    let said = |catalogue: &Catalogue| catalogue.voice(&visit.language).say_with("consent-text", "site", title);
    let (text, ours) = (said(&state.catalogue), said(&Catalogue::shipped()));
    if text == ours { CONSENT_TEXT_VERSION.to_owned() } else { format!("own:{}", &content_hash(&[text.as_bytes()])[..16]) }
}

/// What the form says, or the form to show again: filled as it was, with what is missing. A form
/// embedded in another site has no age, so that it ends here too, one button from the end.
fn complete(state: &State, visit: &Visit, fields: &Fields) -> Result<(Address, Choices), Box<Form>> {
    let layout = Layout::new(state, &visit.language, "/subscribe");
    let choices = choosing::read(state, &layout, fields);
    let again = |mistake, advice| {
        let chosen = choices.clone().unwrap_or_else(|| choosing::initial(state, &visit.language));
        let typed = fields.first("address").chars().take(254).collect();
        Err(Box::new(Form { address: typed, mistake, advice, ..Form::new(state, visit, &chosen) }))
    };
    let Ok(address) = Address::parse(fields.first("address")) else { return again(Some("address-mistake"), None) };
    let Some(choices) = &choices else { return again(None, Some("topics-unknown")) };
    if !fields.is_of_our_making(&state.vault, state.clock.now()) {
        return again(None, Some("one-button-more"));
    }
    Ok((address, choices.clone()))
}
