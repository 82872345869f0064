//! The catalogue of feeds: a page for people, OPML 2.0 for programs.

use super::{Layout, State, WebError, page};
use crate::feed::{FeedKey, Published, direction};
use crate::language::Language;
use crate::site::FeedFormat;
use askama::Template;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
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
    shelves: Vec<Shelf>,
}

/// `/feeds` and `/feeds.opml`, with and without a language.
pub(super) fn router(state: &State) -> Router<State> {
    page::prefixes(state).into_iter().fold(Router::new(), |router, prefix| {
        router.route(&format!("{prefix}/feeds"), get(feeds)).route(&format!("{prefix}/feeds.opml"), get(opml))
    })
}

async fn feeds(axum::extract::State(state): axum::extract::State<State>, uri: Uri) -> Response {
    let language = page::language_of(&state, uri.path());
    let layout = Layout::new(&state, &language, "/feeds");
    page::html(StatusCode::OK, &FeedsPage { shelves: shelves(&state, &language), layout })
}

async fn opml(axum::extract::State(state): axum::extract::State<State>, uri: Uri) -> Result<Response, WebError> {
    let language = page::language_of(&state, uri.path());
    let opml = Opml { title: state.site.title.get(&language).to_owned(), shelves: shelves(&state, &language) };
    Ok(([(CONTENT_TYPE, "text/x-opml; charset=utf-8")], opml.render()?).into_response())
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
                .map(|(key, feed)| topic(state, key, feed))
                .collect(),
        })
        .filter(|shelf| !shelf.topics.is_empty())
        .collect()
}

fn topic(state: &State, key: &FeedKey, feed: &Published) -> Topic {
    let site = &state.site;
    let address = |format| site.link(&key.topic.key(format).path(site));
    Topic {
        name: feed.topic.clone(),
        title: feed.title.clone(),
        page: site.link(&key.topic.page(site)),
        rss: address(FeedFormat::Rss),
        atom: address(FeedFormat::Atom),
        json: address(FeedFormat::Json),
    }
}
