//! Pages for people who read: home, categories, months, articles; and old addresses.

use super::excerpt::{ArchiveYear, Listing, archive, month_heading};
use super::place::{Address, Place};
use super::{Layout, State, WebError, article, feeds, page};
use crate::content::{self, Selection};
use crate::feed::link_of;
use crate::language::Language;
use askama::Template;
use axum::Router;
use axum::extract::Request;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use sqlx::AnyConnection;

#[derive(Template)]
#[template(path = "web/home.html")]
struct HomePage {
    layout: Layout,
    description: Option<String>,
    listing: Listing,
    archive: Vec<ArchiveYear>,
}

#[derive(Template)]
#[template(path = "web/category.html")]
struct CategoryPage {
    layout: Layout,
    title: String,
    description: Option<String>,
    listing: Listing,
    feed: String,
}

#[derive(Template)]
#[template(path = "web/month.html")]
struct MonthPage {
    layout: Layout,
    title: String,
    listing: Listing,
}

/// Every address that no other room claims: a feed, a page, or an old address of an article.
pub(super) fn router() -> Router<State> {
    Router::new().route("/robots.txt", get(robots)).fallback(answer)
}

/// Search engines may read everything but what belongs to one person.
async fn robots() -> Response {
    const RULES: &str =
        "User-agent: *\nDisallow: /confirm/\nDisallow: /preferences/\nDisallow: /unsubscribe/\nDisallow: /approve/\nDisallow: /stop/\n";
    ([(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "public, max-age=86400")], RULES).into_response()
}

async fn answer(axum::extract::State(state): axum::extract::State<State>, request: Request) -> Result<Response, WebError> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok((StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response());
    }
    let (path, query) = (request.uri().path().to_owned(), request.uri().query().map(str::to_owned));
    let address = Address::of(&state.site, &path, query.as_deref());
    if let Some(feed) = feeds::answer(&state, &address, request.headers()) {
        return feed;
    }
    let place = address.place();
    if place.is_some() && !address.ends_with_slash() {
        // One slash in front: two would name another host.
        let query = query.map_or_else(String::new, |query| format!("?{query}"));
        return Ok(moved(&format!("/{}/{query}", path.trim_matches('/'))));
    }
    let mut connection = state.db.reader().acquire().await?;
    // WordPress's `/?p=123` is a query of the home page.
    if let Some(alias) = content::numbered_alias(&path, query.as_deref())
        && let Some(article) = content::at_alias(&mut connection, &alias).await?
    {
        return Ok(moved(&link_of(&state.site, &article)));
    }
    if let Some(place) = place
        && let Some(page) = show(&mut connection, &state, &address, &place).await?
    {
        return Ok(page);
    }
    old_address(&mut connection, &state, &path).await
}

async fn show(connection: &mut AnyConnection, state: &State, address: &Address, place: &Place) -> Result<Option<Response>, WebError> {
    let language = address.language.as_ref().unwrap_or_else(|| state.site.default_language());
    let Some(number) = address.page() else { return Ok(None) };
    match place {
        Place::Home => home(connection, state, language, number).await,
        Place::Category(slug) => category(connection, state, language, slug, number).await,
        Place::Month(month) => self::month(connection, state, language, month, number).await,
        Place::Article { month, slug } => article::show(connection, state, language, month, slug).await,
    }
}

async fn home(connection: &mut AnyConnection, state: &State, language: &Language, number: i64) -> Result<Option<Response>, WebError> {
    let layout = Layout::new(state, language, "/").at_page(number);
    let selection = Selection { language: Some(&layout.language), ..Selection::default() };
    let mut listing = Listing::load(connection, state, &layout, &selection, &layout.home, number).await?;
    if listing.as_ref().is_none_or(|listing| listing.entries.is_empty()) {
        // Better an article in another language, marked as such, than an empty page.
        listing = Listing::load(connection, state, &layout, &Selection::default(), &layout.home, number).await?;
    }
    let Some(listing) = listing else { return Ok(None) };
    let archive = archive(connection, state, &layout).await?;
    let description = state.site.description.as_ref().map(|text| text.get(&layout.language).to_owned());
    let description = description.filter(|_| number == 1);
    Ok(Some(page::html(StatusCode::OK, &HomePage { layout, description, listing, archive })))
}

async fn category(
    connection: &mut AnyConnection,
    state: &State,
    language: &Language,
    slug: &str,
    number: i64,
) -> Result<Option<Response>, WebError> {
    let site = &state.site;
    let path = site.page_path(site.default_language(), &["category", slug]);
    let layout = Layout::new(state, language, &path).with_category_feeds(state, &[slug.to_owned()]).at_page(number);
    let selection = Selection { language: Some(&layout.language), category: Some(slug), ..Selection::default() };
    let base = site.page_path(&layout.language, &["category", slug]);
    let configured = site.category(slug);
    let Some(listing) = Listing::load(connection, state, &layout, &selection, &base, number).await? else { return Ok(None) };
    if configured.is_none() && listing.entries.is_empty() {
        return Ok(None);
    }
    let description = configured.and_then(|category| category.description.as_ref());
    let page = CategoryPage {
        title: layout.category_title(state, slug),
        description: description.map(|text| text.get(&layout.language).to_owned()),
        feed: site.feed_path(&layout.language, Some(slug), crate::site::FeedFormat::Rss),
        listing,
        layout,
    };
    Ok(Some(page::html(StatusCode::OK, &page)))
}

async fn month(
    connection: &mut AnyConnection,
    state: &State,
    language: &Language,
    month: &str,
    number: i64,
) -> Result<Option<Response>, WebError> {
    let layout = Layout::new(state, language, &format!("/{month}/")).at_page(number);
    let selection = Selection { language: Some(&layout.language), month: Some(month), ..Selection::default() };
    let base = layout.path(&format!("/{month}/"));
    let listing = Listing::load(connection, state, &layout, &selection, &base, number).await?;
    let Some(listing) = listing.filter(|listing| !listing.entries.is_empty()) else { return Ok(None) };
    let page = MonthPage { title: month_heading(&layout, month), listing, layout };
    Ok(Some(page::html(StatusCode::OK, &page)))
}

/// Where an article that once had this address is now.
async fn old_address(connection: &mut AnyConnection, state: &State, path: &str) -> Result<Response, WebError> {
    for path in content::alias_spellings(path) {
        if let Some(article) = content::at_alias(connection, &path).await? {
            return Ok(moved(&link_of(&state.site, &article)));
        }
    }
    Err(WebError::NotFound)
}

/// 301, which feed readers and search engines remember.
fn moved(to: &str) -> Response {
    (StatusCode::MOVED_PERMANENTLY, [(LOCATION, to)]).into_response()
}
