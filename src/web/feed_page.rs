//! A feed opened in a browser (F25): what it is, how to use it, what is in it. Browsers show the
//! markup of a feed, or save it to a file; nobody learns anything from either.

use super::excerpt::{Day, Tongue};
use super::feeds::VARIES;
use super::fields::Fields;
use super::layout::NavLink;
use super::{Layout, State, WebError, page};
use crate::feed::{FeedKey, Headline, Published, Topic};
use crate::site::FeedFormat;
use askama::Template;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderValue, VARY};
use axum::response::Response;

#[derive(Template)]
#[template(path = "web/feed.html")]
struct FeedPage {
    layout: Layout,
    /// What the feed is about.
    topic: String,
    /// Absolute, to be copied.
    address: String,
    /// The same feed as programs see it.
    raw: String,
    /// The same articles in the other formats.
    others: Vec<NavLink>,
    entries: Vec<Entry>,
}

struct Entry {
    href: String,
    title: String,
    tongue: Option<Tongue>,
    day: Day,
}

/// The page of a feed. Only the browser that asked keeps it: a cache that others share must never
/// hand it to a reader.
pub(super) async fn show(state: &State, feed: &Published, asked: Fields<'_>) -> Result<Response, WebError> {
    let mut response = page::unless_held(page::html(StatusCode::OK, &page_of(state, feed)), asked).await?;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response.headers_mut().insert(VARY, VARIES);
    Ok(response)
}

fn page_of(state: &State, feed: &Published) -> FeedPage {
    let (site, key) = (&state.site, &feed.key);
    let language = &key.topic.language;
    let in_default = Topic { language: site.default_language().clone(), ..key.topic.clone() };
    let layout = Layout::new(state, language, &in_default.part(key.part, key.format).path(site)).private();
    let other = |format| {
        let path = FeedKey { format, ..key.clone() }.path(site);
        NavLink { href: path, text: FeedFormat::name(format).to_owned() }
    };
    let entry = |headline: &Headline| Entry {
        href: headline.link.clone(),
        title: headline.title.clone(),
        tongue: Tongue::of(&layout, &headline.language),
        day: Day::of(state, &layout, headline.published),
    };
    FeedPage {
        topic: feed.topic.clone(),
        address: site.link(&feed.path),
        raw: format!("{}?raw", feed.path),
        others: FeedFormat::ALL.into_iter().filter(|format| *format != key.format).map(other).collect(),
        entries: feed.headlines.iter().map(entry).collect(),
        layout,
    }
}
