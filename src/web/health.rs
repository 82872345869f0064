//! For whoever watches over the daemon.

use super::State;
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
    if !state.shelf.is_complete() {
        return told(StatusCode::SERVICE_UNAVAILABLE, "the feeds are being made\n");
    }
    match tokio::time::timeout(PATIENCE, sqlx::query("SELECT 1").execute(state.db.reader())).await {
        Ok(Ok(_)) => told(StatusCode::OK, "ready\n"),
        _ => told(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"),
    }
}

fn told(status: StatusCode, text: &'static str) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], text).into_response()
}
