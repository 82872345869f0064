//! For whoever watches over the daemon.

use super::State;
use crate::content::{self, FirstLook};
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::time::Duration;

/// A database slower than this does not answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// `/healthz`: alive. `/readyz`: every feed is published and the database answers.
pub(super) fn router() -> Router<State> {
    Router::new().route("/healthz", get(|| async { told(StatusCode::OK, "alive\n") })).route("/readyz", get(ready))
}

async fn ready(axum::extract::State(state): axum::extract::State<State>) -> Response {
    let asked = async { content::first_look(&mut *state.db.reader().acquire().await?).await };
    let Ok(Ok(first_look)) = tokio::time::timeout(PATIENCE, asked).await else {
        return told(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n");
    };
    match (state.shelf.is_complete(), first_look) {
        (false, None) => told(StatusCode::SERVICE_UNAVAILABLE, "the content folder is read for the first time; the feeds follow\n"),
        (false, Some(_)) => told(StatusCode::SERVICE_UNAVAILABLE, "the feeds are being made\n"),
        (true, Some(FirstLook::NoFolder)) => told(StatusCode::OK, "ready, but there is no content folder: no article was ever read\n"),
        (true, _) => told(StatusCode::OK, "ready\n"),
    }
}

fn told(status: StatusCode, text: &'static str) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], text).into_response()
}
