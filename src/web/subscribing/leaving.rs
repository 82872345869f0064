//! `/unsubscribe/{token}`: one button to leave, and the one click of mail programs (RFC 8058).

use super::super::{Layout, State, WebError, private_page};
use super::fields::Fields;
use super::{Door, Message, Visit};
use crate::addressbook::Stream;
use crate::subscription::{self, Method, Occasion};
use crate::vault::Purpose;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

/// It never expires.
const DOOR: Door = Door { purpose: Purpose::Unsubscribe, expired: "link-broken", fresh: ("/preferences", "to-preferences") };

#[derive(Template)]
#[template(path = "web/unsubscribe.html")]
struct Page {
    layout: Layout,
    action: String,
    /// Whether there are petitions to leave by themselves.
    petitions: bool,
}

/// GET: the button.
pub(super) async fn show(axum::extract::State(state): axum::extract::State<State>, visit: Visit) -> Response {
    if let Err(closed) = DOOR.open(&state, &visit) {
        return closed.page(&state, &visit);
    }
    let path = format!("/unsubscribe/{}", visit.token);
    let layout = Layout::new(&state, &visit.language, &path).private();
    private_page(StatusCode::OK, &Page { action: layout.path(&path), petitions: state.petitions.is_some(), layout })
}

/// POST: leaves. No cookie is asked for and nothing redirected (RFC 8058 §3.1); everything is
/// left unless the page's own form names one stream.
pub(super) async fn act(
    axum::extract::State(state): axum::extract::State<State>,
    visit: Visit,
    fields: Fields,
) -> Result<Response, WebError> {
    let person = match DOOR.open(&state, &visit) {
        Ok(person) => person,
        Err(closed) => return Ok(closed.page(&state, &visit)),
    };
    let (streams, key): (&[Stream], _) = match fields.first("what") {
        "news" => (&[Stream::News], "left-news"),
        "petitions" => (&[Stream::Petitions], "left-petitions"),
        _ => (&Stream::REFUSABLE, "left"),
    };
    let method = if fields.first("List-Unsubscribe") == "One-Click" { Method::OneClick } else { Method::Page };
    let mut tx = state.db.begin().await?;
    subscription::leave(&mut tx, person, streams, Occasion::by(method), state.clock.now()).await?;
    tx.commit().await?;
    Ok(Message::new(&state, &visit.language, key).with_link("/subscribe", "to-subscribe-again").respond(StatusCode::OK))
}
