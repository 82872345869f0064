//! The catalogue of feeds: a page for people, OPML 2.0 for programs. It names what many follow;
//! feeds of tags, authors and times are named by the pages of these.

use super::conditional::http_date;
use super::{Layout, State, WebError, page};
use crate::feed::{self, Subject, direction};
use crate::language::Language;
use crate::site::FeedFormat;
use askama::Template;
use axum::Router;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

/// The feeds of one language.
struct Shelf {
    language: String,
    direction: &'static str,
    name: String,
    topics: Vec<Topic>,
}

/// One topic in every format.
struct Topic {
    name: String,
    title: String,
    page: String,
    rss: String,
    atom: String,
    json: String,
}

#[derive(Template)]
#[template(path = "web/feeds.html")]
struct FeedsPage {
    layout: Layout,
    shelves: Vec<Shelf>,
}

#[derive(Template)]
#[template(path = "web/feeds.opml", escape = "html")]
struct Opml {
    title: String,
    /// When the newest of the feeds changed.
    modified: Option<String>,
    shelves: Vec<Shelf>,
}

/// `/feeds` and `/feeds.opml`, with and without a language, and where programs look for the
/// same: `/.well-known/feeds`, registered provisionally (RFC 8615) for an OPML document with the
/// feeds of a site.
pub(super) fn router(state: &State) -> Router<State> {
    let router = Router::new().route("/.well-known/feeds", get(opml));
    page::prefixes(state).into_iter().fold(router, |router, prefix| {
        router.route(&format!("{prefix}/feeds"), get(feeds)).route(&format!("{prefix}/feeds.opml"), get(opml))
    })
}

async fn feeds(axum::extract::State(state): axum::extract::State<State>, uri: Uri) -> Response {
    let language = page::language_of(&state, uri.path());
    let layout = Layout::new(&state, &language, "/feeds");
    page::html(StatusCode::OK, &FeedsPage { shelves: shelves(&state, &language), layout })
}

async fn opml(axum::extract::State(state): axum::extract::State<State>, uri: Uri, headers: HeaderMap) -> Result<Response, WebError> {
    let language = page::language_of(&state, uri.path());
    let newest = state.shelf.catalogue().into_iter().filter_map(|(_, feed)| feed.last_modified).max();
    let opml =
        Opml { title: state.site.title.get(&language).to_owned(), modified: newest.map(http_date), shelves: shelves(&state, &language) };
    let kind = [(CONTENT_TYPE, "text/x-opml; charset=utf-8"), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    page::unless_held((kind, opml.render()?).into_response(), (&headers).into()).await
}

/// Every feed there is, the reader's language first.
fn shelves(state: &State, first: &Language) -> Vec<Shelf> {
    let catalogue = state.shelf.catalogue();
    let others = state.site.languages.iter().filter(|language| *language != first);
    std::iter::once(first)
        .chain(others)
        .map(|language| Shelf {
            language: language.to_string(),
            direction: direction(language),
            name: language.own_name(),
            topics: catalogue
                .iter()
                .filter(|(key, _)| key.topic.language == *language && key.format == FeedFormat::Rss)
                .filter(|(key, _)| !key.topic.category().is_some_and(|slug| state.site.has_ended(slug, state.clock.now())))
                .map(|(key, feed)| topic(state, &key.topic, feed.topic.clone(), feed.title.clone()))
                .chain([mailings(state, language)])
                .collect(),
        })
        .collect()
}

/// The mails sent so far, as a feed.
fn mailings(state: &State, language: &Language) -> Topic {
    let subject = feed::Topic { language: language.clone(), subject: Subject::Mailings };
    let name = state.catalogue.voice(language).say("archive-title");
    let title = format!("{name} – {}", state.site.title.get(language));
    topic(state, &subject, name, title)
}

fn topic(state: &State, topic: &feed::Topic, name: String, title: String) -> Topic {
    let site = &state.site;
    let address = |format| site.link(&topic.key(format).path(site));
    Topic {
        name,
        title,
        page: site.link(&topic.page(site)),
        rss: address(FeedFormat::Rss),
        atom: address(FeedFormat::Atom),
        json: address(FeedFormat::Json),
    }
}
