//! Pages for approvers and staff: what would be sent, with a button; the stop.

use super::petitioning::Visit;
use super::subscribing::Message;
use super::{Layout, State, WebError, page, private_page};
use crate::petition::{self, Approval, ApprovalRefused, ApprovalStep, ApprovalText, StepState};
use askama::Template;
use axum::Router;
use axum::extract::Form;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

type Shared = axum::extract::State<State>;

/// The addresses of this room, each with and without a language before it.
pub(super) fn router(state: &State) -> Router<State> {
    page::prefixes(state).into_iter().fold(Router::new(), |router, prefix| {
        router
            .route(&format!("{prefix}/approve/{{token}}"), get(show).post(approve))
            .route(&format!("{prefix}/stop/{{token}}"), get(ask_stop).post(stop))
    })
}

#[derive(Template)]
#[template(path = "web/approve.html")]
struct ApprovePage {
    layout: Layout,
    action: String,
    approval: Approval,
    /// Steps that this visit approved.
    done: Vec<String>,
    /// Why the button did nothing.
    refused: Option<String>,
}

impl ApprovePage {
    fn state_of(&self, state: StepState) -> String {
        self.layout.voice.say(&format!("petition-state-{state}"))
    }

    fn readers(&self, text: &ApprovalText) -> String {
        self.layout.voice.say_with("petition-people", "count", text.readers)
    }

    fn progress(&self, step: &ApprovalStep) -> String {
        let required = self.approval.required;
        self.layout.voice.say_all("approve-progress", &[("count", step.approvals.into()), ("required", required.into())])
    }
}

/// GET: each step's exact texts, and buttons.
async fn show(axum::extract::State(state): Shared, visit: Visit) -> Result<Response, WebError> {
    respond(&state, &visit, Vec::new(), None).await
}

/// Which step was approved; empty: all that wait.
#[derive(Deserialize)]
struct ApproveForm {
    #[serde(default)]
    step: String,
}

/// POST: records the approval of exactly what GET showed.
async fn approve(axum::extract::State(state): Shared, visit: Visit, Form(form): Form<ApproveForm>) -> Result<Response, WebError> {
    let settings = state.petitions.as_ref().ok_or(WebError::NotFound)?;
    let voice = state.catalogue.voice(&visit.language);
    let mut tx = state.db.begin().await?;
    let token = visit.param("token");
    let approval = match petition::read_approval(&mut tx, &state.vault, settings, token, &voice, state.clock.now()).await? {
        Ok(approval) => approval,
        Err(refused) => return Ok(refusal(&state, &visit, refused)),
    };
    let step = Some(form.step.as_str()).filter(|step| !step.is_empty());
    let approved = petition::approve(&mut tx, settings, &approval, step, &state.clock).await?;
    match approved {
        Ok(steps) => {
            tx.commit().await?;
            state.kicks.petition.kick();
            respond(&state, &visit, steps, None).await
        }
        Err(refused) => {
            drop(tx);
            respond(&state, &visit, Vec::new(), Some(refused)).await
        }
    }
}

async fn respond(state: &State, visit: &Visit, done: Vec<String>, refused: Option<ApprovalRefused>) -> Result<Response, WebError> {
    let settings = state.petitions.as_ref().ok_or(WebError::NotFound)?;
    let token = visit.param("token");
    let path = format!("/approve/{token}");
    let layout = Layout::new(state, &visit.language, &path).private();
    let mut connection = state.db.reader().acquire().await?;
    let approval = match petition::read_approval(&mut connection, &state.vault, settings, token, &layout.voice, state.clock.now()).await? {
        Ok(approval) => approval,
        Err(refused) => return Ok(refusal(state, visit, refused)),
    };
    let status = if refused.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    let refused = refused.map(|refused| layout.voice.say(refused_key(refused)));
    Ok(private_page(status, &ApprovePage { action: layout.path(&path), layout, approval, done, refused }))
}

fn refused_key(refused: ApprovalRefused) -> &'static str {
    match refused {
        ApprovalRefused::Invalid | ApprovalRefused::Expired => "petition-link-broken-text",
        ApprovalRefused::NotApprover => "approve-not-approver",
        ApprovalRefused::Changed => "approve-changed",
        ApprovalRefused::Stopped => "approve-stopped",
        ApprovalRefused::Preparer => "approve-preparer",
        ApprovalRefused::NotWaiting => "approve-nothing",
        ApprovalRefused::TooLate => "approve-too-late",
    }
}

fn refusal(state: &State, visit: &Visit, refused: ApprovalRefused) -> Response {
    let (key, status) = match refused {
        ApprovalRefused::NotApprover => ("approve-refused", StatusCode::FORBIDDEN),
        _ => ("petition-link-broken", StatusCode::NOT_FOUND),
    };
    Message::new(state, &visit.language, key).respond(status)
}

#[derive(Template)]
#[template(path = "web/stop.html")]
struct StopPage {
    layout: Layout,
    action: String,
    title: String,
    edition: String,
}

/// GET: the button.
async fn ask_stop(axum::extract::State(state): Shared, visit: Visit) -> Result<Response, WebError> {
    let mut connection = state.db.reader().acquire().await?;
    let token = visit.param("token");
    let Ok(standing) = petition::read_stop(&mut connection, &state.vault, token, state.clock.now()).await? else {
        return Ok(Message::new(&state, &visit.language, "petition-link-broken").respond(StatusCode::NOT_FOUND));
    };
    if standing.stopped {
        return Ok(Message::new(&state, &visit.language, "stopped").respond(StatusCode::OK));
    }
    let path = format!("/stop/{token}");
    let layout = Layout::new(&state, &visit.language, &path).private();
    Ok(private_page(StatusCode::OK, &StopPage { action: layout.path(&path), layout, title: standing.title, edition: standing.edition }))
}

/// POST: stops.
async fn stop(axum::extract::State(state): Shared, visit: Visit) -> Result<Response, WebError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let Ok(standing) = petition::read_stop(&mut tx, &state.vault, visit.param("token"), now).await? else {
        return Ok(Message::new(&state, &visit.language, "petition-link-broken").respond(StatusCode::NOT_FOUND));
    };
    let voice = state.catalogue.voice(state.site.default_language());
    petition::stop(&mut tx, &standing.slug, &standing.edition, "link", &voice, now).await?;
    tx.commit().await?;
    state.kicks.petition.kick();
    Ok(Message::new(&state, &visit.language, "stopped").respond(StatusCode::OK))
}
