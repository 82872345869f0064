//! Pages for supporters of a petition: what it is about, the letter, “I have done it”. Only
//! what was launched is shown, as it was launched.

use super::subscribing::Message;
use super::{Layout, State, WebError, html, no_store, page, private_page};
use crate::language::Language;
use crate::petition::{self, Filled, PublicMission, PublicPage, Signature};
use crate::vault::Purpose;
use askama::Template;
use axum::Router;
use axum::extract::{Form, FromRequestParts, Query, RawPathParams};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use std::collections::BTreeMap;

type Shared = axum::extract::State<State>;

/// The addresses of this room, each with and without a language before it.
pub(super) fn router(state: &State) -> Router<State> {
    page::prefixes(state).into_iter().fold(Router::new(), |router, prefix| {
        router
            .route(&format!("{prefix}/petitions/{{slug}}"), get(with_slash))
            .route(&format!("{prefix}/petitions/{{slug}}/"), get(show))
            .route(&format!("{prefix}/petitions/{{slug}}/{{year}}/"), get(show))
            .route(&format!("{prefix}/petitions/{{slug}}/letter/{{mission}}"), get(letter).post(fill))
            .route(&format!("{prefix}/petitions/{{slug}}/done/{{token}}"), get(ask_done).post(record_done))
    })
}

/// What the address of a page says.
pub(super) struct Visit {
    pub(super) language: Language,
    params: BTreeMap<String, String>,
}

impl Visit {
    pub(super) fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }
}

impl FromRequestParts<State> for Visit {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, WebError> {
        let params = RawPathParams::from_request_parts(parts, state).await?;
        let params: BTreeMap<String, String> = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let language = page::language_of(state, parts.uri.path());
        Ok(Self { language, params })
    }
}

/// An edition as the public sees it.
struct Edition {
    year: String,
    page: PublicPage,
    /// The other editions, the newest first.
    others: Vec<String>,
    acted: i64,
}

/// The edition asked for, or the newest.
async fn edition(state: &State, slug: &str, year: &str) -> Result<Edition, WebError> {
    let mut connection = state.db.reader().acquire().await?;
    let mut editions = petition::published(&mut connection, slug).await?;
    let at = if year.is_empty() { Some(0) } else { editions.iter().position(|(known, _)| known == year) };
    let at = at.filter(|at| *at < editions.len()).ok_or(WebError::NotFound)?;
    let (year, page) = editions.remove(at);
    let acted = petition::acted_count(&mut connection, slug, &year).await?;
    Ok(Edition { others: editions.into_iter().map(|(year, _)| year).collect(), year, page, acted })
}

async fn with_slash(visit: Visit, axum::extract::State(state): Shared) -> Redirect {
    Redirect::permanent(&state.site.page_path(&visit.language, &["petitions", visit.param("slug")]))
}

/// A link to the letter to one addressee.
struct MissionView {
    name: String,
    place: String,
    href: String,
}

#[derive(Template)]
#[template(path = "web/petition.html")]
struct PetitionPage {
    layout: Layout,
    /// The language of the text, where it is not the page's.
    language: String,
    title: String,
    day: String,
    body: String,
    missions: Vec<MissionView>,
    signatories: Vec<petition::Signatory>,
    acted: i64,
    others: Vec<(String, String)>,
}

/// The petition's page.
async fn show(axum::extract::State(state): Shared, visit: Visit) -> Result<Response, WebError> {
    let slug = visit.param("slug");
    let edition = edition(&state, slug, visit.param("year")).await?;
    let path = if visit.param("year").is_empty() { format!("/petitions/{slug}/") } else { format!("/petitions/{slug}/{}/", edition.year) };
    let layout = Layout::new(&state, &visit.language, &path);
    let Some((tag, text)) = edition.page.text(&layout.language) else { return Err(WebError::NotFound) };
    let day = edition.page.day.parse().map_or_else(|_| edition.page.day.clone(), |day| layout.voice.date(day));
    let others = edition.others.iter().map(|year| (year.clone(), layout.path(&format!("/petitions/{slug}/{year}/")))).collect();
    let page = PetitionPage {
        language: tag.to_owned(),
        title: text.title.clone(),
        day,
        body: text.html(&state.site.base_url),
        // The letter belongs to the newest edition; an earlier one asks nothing any more.
        missions: if visit.param("year").is_empty() { missions(&layout, slug, &edition.page) } else { Vec::new() },
        signatories: edition.page.signatories.clone(),
        acted: edition.acted,
        others,
        layout,
    };
    Ok(html(StatusCode::OK, &page))
}

/// Addressees by country and city, so that one finds one's own.
fn missions(layout: &Layout, slug: &str, page: &PublicPage) -> Vec<MissionView> {
    let place = |mission: &PublicMission| format!("{} ({})", mission.city_in(&layout.language), mission.country);
    let view = |mission: &PublicMission| MissionView {
        name: mission.name_in(&layout.language).to_owned(),
        place: place(mission),
        href: layout.path(&format!("/petitions/{slug}/letter/{}", mission.id)),
    };
    let mut missions: Vec<&PublicMission> = page.missions.iter().collect();
    missions.sort_by_key(|mission| mission.country.clone());
    missions.into_iter().filter(|_| !page.letters.is_empty()).map(view).collect()
}

#[derive(Deserialize)]
struct LetterQuery {
    lang: Option<String>,
}

/// What the supporter sends to have the letter filled; nothing of it is kept.
#[derive(Deserialize)]
struct LetterForm {
    #[serde(default)]
    lang: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    town: String,
    #[serde(default)]
    form: String,
}

/// A language the letter is in.
struct LetterChoice {
    tag: String,
    name: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "web/letter.html")]
struct LetterPage {
    layout: Layout,
    title: String,
    action: String,
    petition: String,
    /// The addressee, as the reader calls it.
    heading: String,
    /// The addressee, as the letter calls it.
    mission: String,
    address: Vec<String>,
    contacts: Vec<(String, String)>,
    choices: Vec<LetterChoice>,
    /// The letter in the reader's language, where that is another than the addressee's.
    own: Option<(String, petition::LetterText)>,
    filled: Filled,
    signature: Signature,
    today: String,
    /// Whether the form was sent.
    done: bool,
}

/// GET: the letter beside the addressee's language, and a small form.
async fn letter(axum::extract::State(state): Shared, visit: Visit, Query(query): Query<LetterQuery>) -> Result<Response, WebError> {
    let page = letter_page(&state, &visit, query.lang.as_deref(), Signature::default(), false).await?;
    Ok(html(StatusCode::OK, &page))
}

/// POST: the letter filled, as a page or a mail file. Nothing is kept.
async fn fill(axum::extract::State(state): Shared, visit: Visit, Form(form): Form<LetterForm>) -> Result<Response, WebError> {
    let page = letter_page(&state, &visit, Some(&form.lang), Signature::new(&form.name, &form.town), true).await?;
    let Some(eml) = page.filled.eml.as_ref().filter(|_| form.form == "eml") else { return Ok(private_page(StatusCode::OK, &page)) };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("message/rfc822")),
        (CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"letter.eml\"")),
    ];
    Ok(no_store((headers, eml.clone()).into_response()))
}

async fn letter_page(state: &State, visit: &Visit, lang: Option<&str>, signature: Signature, done: bool) -> Result<LetterPage, WebError> {
    let slug = visit.param("slug");
    let Edition { page, .. } = edition(state, slug, "").await?;
    let mission = page.mission(visit.param("mission")).ok_or(WebError::NotFound)?;
    let path = format!("/petitions/{slug}/letter/{}", mission.id);
    let layout = Layout::new(state, &visit.language, &path).private();
    let tag = lang.filter(|tag| page.letter(tag).is_some()).or_else(|| page.letter_for(mission)).ok_or(WebError::NotFound)?;
    let filled = Filled::new(&page, mission, tag, &signature).ok_or(WebError::NotFound)?;
    let own_tag = layout.language.to_string();
    let letter_language = Language::parse(tag).unwrap_or_else(|_| layout.language.clone());
    let choices = page.letters.keys().map(|known| LetterChoice {
        name: Language::parse(known).map_or_else(|_| known.clone(), |language| language.own_name()),
        chosen: known == tag,
        tag: known.clone(),
    });
    let today = state.clock.now().in_zone(&state.site.time_zone).date();
    Ok(LetterPage {
        title: page.text(&layout.language).map_or_else(String::new, |(_, text)| text.title.clone()),
        action: layout.path(&path),
        petition: layout.path(&format!("/petitions/{slug}/")),
        heading: mission.name_in(&layout.language).to_owned(),
        mission: mission.name_in(&letter_language).to_owned(),
        address: mission.address_in(&letter_language).into_iter().map(str::to_owned).collect(),
        contacts: contacts(&layout, mission),
        choices: choices.collect(),
        own: page.letter(&own_tag).filter(|_| own_tag != tag).map(|letter| (own_tag.clone(), letter.clone())),
        today: state.catalogue.voice(&letter_language).date(today),
        filled,
        signature,
        done,
        layout,
    })
}

fn contacts(layout: &Layout, mission: &PublicMission) -> Vec<(String, String)> {
    let known = [("letter-phone", &mission.phone), ("letter-fax", &mission.fax), ("letter-email", &mission.email)];
    known.into_iter().filter_map(|(key, value)| Some((layout.voice.say(key), value.clone()?))).collect()
}

#[derive(Template)]
#[template(path = "web/act.html")]
struct ActPage {
    layout: Layout,
    title: String,
    action: String,
}

/// GET: asks whether it was done.
async fn ask_done(axum::extract::State(state): Shared, visit: Visit) -> Result<Response, WebError> {
    let Some((_, year)) = read_act(&state, &visit) else { return Ok(broken(&state, &visit)) };
    let slug = visit.param("slug");
    let edition = edition(&state, slug, &year).await?;
    let path = format!("/petitions/{slug}/done/{}", visit.param("token"));
    let layout = Layout::new(&state, &visit.language, &path).private();
    let title = edition.page.text(&layout.language).map_or_else(String::new, |(_, text)| text.title.clone());
    Ok(private_page(StatusCode::OK, &ActPage { title, action: layout.path(&path), layout }))
}

/// POST: counts it.
async fn record_done(axum::extract::State(state): Shared, visit: Visit) -> Result<Response, WebError> {
    let Some((person, year)) = read_act(&state, &visit) else { return Ok(broken(&state, &visit)) };
    let mut tx = state.db.begin().await?;
    petition::record_act(&mut tx, visit.param("slug"), &year, person, state.clock.now()).await?;
    tx.commit().await?;
    Ok(Message::new(&state, &visit.language, "act-done").respond(StatusCode::OK))
}

/// The person and the edition of a link “I have done it”.
fn read_act(state: &State, visit: &Visit) -> Option<(i64, String)> {
    let claims = state.vault.read_token(Purpose::Act, visit.param("token"), state.clock.now()).ok()?;
    let (slug, year) = claims.note.split_once('/')?;
    (slug == visit.param("slug")).then(|| (claims.subject, year.to_owned()))
}

fn broken(state: &State, visit: &Visit) -> Response {
    Message::new(state, &visit.language, "petition-link-broken").respond(StatusCode::NOT_FOUND)
}
