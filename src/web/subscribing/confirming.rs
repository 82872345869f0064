//! `/confirm/{token}`: shows what was chosen, never the address; the button begins it, once.

use super::super::{Layout, State, WebError, private_page};
use super::choosing::Summary;
use super::{Door, Message, Visit};
use crate::subscription::{self, Confirmation, Method, Occasion, SignupState, Wish};
use crate::vault::Purpose;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

const DOOR: Door = Door { purpose: Purpose::Confirm, expired: "confirm-expired", fresh: ("/subscribe", "to-subscribe") };

#[derive(Template)]
#[template(path = "web/confirm.html")]
struct Page {
    layout: Layout,
    summary: Summary,
    action: String,
}

/// GET: what was chosen, and the button.
pub(super) async fn show(axum::extract::State(state): axum::extract::State<State>, visit: Visit) -> Result<Response, WebError> {
    let id = match DOOR.open(&state, &visit) {
        Ok(id) => id,
        Err(closed) => return Ok(closed.page(&state, &visit)),
    };
    let signup = subscription::signup(&mut *state.db.reader().acquire().await?, id).await?;
    match signup.filter(|signup| signup.wish == Wish::Subscribe) {
        Some(signup) if signup.state == SignupState::Mailed => {
            let layout = Layout::new(&state, &visit.language, &path(&visit)).private();
            let summary = Summary::new(&state, &layout, &signup.choices);
            Ok(private_page(StatusCode::OK, &Page { action: layout.path(&path(&visit)), summary, layout }))
        }
        Some(signup) if signup.state == SignupState::Confirmed => Ok(told(&state, &visit, Confirmation::Already)),
        _ => Ok(told(&state, &visit, Confirmation::Gone)),
    }
}

/// POST: confirms.
pub(super) async fn act(axum::extract::State(state): axum::extract::State<State>, visit: Visit) -> Result<Response, WebError> {
    let id = match DOOR.open(&state, &visit) {
        Ok(id) => id,
        Err(closed) => return Ok(closed.page(&state, &visit)),
    };
    let mut tx = state.db.begin().await?;
    let done = subscription::confirm(&mut tx, id, Occasion::by(Method::Page), state.clock.now()).await?;
    tx.commit().await?;
    Ok(told(&state, &visit, done))
}

fn path(visit: &Visit) -> String {
    format!("/confirm/{}", visit.token)
}

fn told(state: &State, visit: &Visit, confirmation: Confirmation) -> Response {
    let message = |key| Message::new(state, &visit.language, key);
    match confirmation {
        Confirmation::Done => message("confirmed").with_link("/", "to-articles").respond(StatusCode::OK),
        Confirmation::Already => message("confirmed-already").with_link("/preferences", "to-preferences").respond(StatusCode::OK),
        Confirmation::Gone => DOOR.gone(DOOR.expired).page(state, visit),
    }
}
