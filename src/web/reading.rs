//! Pages for people who read: home, categories, tags, authors, years, months, articles; and old
//! addresses.

use super::annual::{ArchiveYear, archive, month_link, months_beside, year_link};
use super::client::Visitor;
use super::excerpt::{Listing, category_link};
use super::layout::NavLink;
use super::place::{Address, Place, Way, host, retagged};
use super::{Layout, State, WebError, annual, article, feeds, files, page};
use crate::content::{self, Label, Line, Lines, Wanted};
use crate::feed::{Filter, Topic, link_of};
use crate::language::{Language, LocalText};
use crate::site::FeedFormat;
use askama::Template;
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::header::{ALLOW, LOCATION};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use sqlx::AnyConnection;
use std::net::SocketAddr;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "web/home.html")]
struct HomePage {
    layout: Layout,
    description: Option<String>,
    listing: Listing,
    archive: Vec<ArchiveYear>,
}

/// The articles of a category, a tag, an author or a month.
#[derive(Template)]
#[template(path = "web/list.html")]
struct ListPage {
    layout: Layout,
    /// The pages above this one, the highest first.
    trail: Vec<NavLink>,
    title: String,
    description: Option<String>,
    /// The pages below it.
    below: Vec<NavLink>,
    /// Its feeds, where it has some.
    feeds: Vec<NavLink>,
    listing: Listing,
    /// The times before and after.
    beside: Option<(Option<NavLink>, Option<NavLink>)>,
}

/// A look at a reading page.
pub(super) struct Visit<'v> {
    pub(super) state: &'v State,
    pub(super) lines: &'v Lines,
    pub(super) language: &'v Language,
    /// The page of a long list, from 1.
    pub(super) number: i64,
}

/// Every address that no other room claims: a feed, a page, or an old address of an article.
pub(super) fn router() -> Router<State> {
    Router::new().fallback(answer)
}

async fn answer(
    axum::extract::State(state): axum::extract::State<State>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response, WebError> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok((StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response());
    }
    let (path, query) = (request.uri().path().to_owned(), request.uri().query().map(str::to_owned));
    let address = Address::of(&state.site, host(request.headers()), &path, query.as_deref());
    let visitor = Visitor { peer, headers: request.headers().into() };
    if let Some(feed) = feeds::answer(&state, &address, &visitor).await {
        return feed;
    }
    // Before pages: a picture may lie in a folder called 2027/09.
    if let Some(file) = files::answer(&state, request.method(), &path, request.headers()).await? {
        return Ok(file);
    }
    // WordPress's `/?p=123` is a query of the home page.
    if let Some(alias) = content::numbered_alias(&path, query.as_deref()) {
        let mut connection = state.db.reader().acquire().await?;
        if let Some(article) = content::at_alias(&mut connection, &alias).await? {
            return Ok(moved(&link_of(&state.site, &article)));
        }
        if content::was_withdrawn_at(&mut connection, &alias).await? {
            return Err(WebError::Gone);
        }
    }
    let retagged = retagged(&state.site, &path);
    match address.way(&state.site) {
        _ if retagged.is_some() => {}
        Some(Way::Elsewhere(to)) => return Ok(moved(&to)),
        Some(Way::Page(place, number)) => {
            let lines = state.register.lines(&state.db, &state.site).await?;
            let mut connection = state.db.reader().acquire().await?;
            let language = address.language.as_ref().unwrap_or_else(|| state.site.default_language());
            let visit = Visit { state: &state, lines: &lines, language, number };
            if let Some(shown) = show(&mut connection, &visit, &place).await? {
                drop(connection);
                return page::unless_held(shown, request.headers().into()).await;
            }
        }
        None => {}
    }
    let mut connection = state.db.reader().acquire().await?;
    match old_address(&mut connection, &state, &path).await? {
        Some(page) => Ok(page),
        None if content::was_withdrawn_at(&mut connection, &path).await? => Err(WebError::Gone),
        None => retagged.map(|path| moved(&with_query(&path, query.as_deref()))).ok_or(WebError::NotFound),
    }
}

async fn show(connection: &mut AnyConnection, visit: &Visit<'_>, place: &Place) -> Result<Option<Response>, WebError> {
    match place {
        Place::Home => Ok(home(connection, visit).await?),
        Place::Category(slug) => Ok(category(connection, visit, slug).await?),
        Place::Tag(slug) => {
            let wanted = Wanted { tag: Some(slug), ..Wanted::default() };
            Ok(labelled(connection, visit, ["tag", slug], wanted, |line| &line.tags).await?)
        }
        Place::Author(slug) => {
            let wanted = Wanted { author: Some(slug), ..Wanted::default() };
            Ok(labelled(connection, visit, ["author", slug], wanted, |line| &line.authors).await?)
        }
        Place::Year(year) => Ok(annual::show(connection, visit, year).await?),
        Place::Month(month) => Ok(self::month(connection, visit, month).await?),
        Place::Article { month, slug } => article::show(connection, visit, month, slug).await,
    }
}

async fn home(connection: &mut AnyConnection, visit: &Visit<'_>) -> anyhow::Result<Option<Response>> {
    let Visit { state, lines, language, number } = *visit;
    let layout = Layout::new(state, language, "/").at_page(number);
    let shown: Vec<&Arc<Line>> = lines.shown(&layout.language, Wanted::default()).collect();
    let Some(listing) = Listing::load(connection, state, &layout, &shown, &layout.home, number).await? else { return Ok(None) };
    let archive = archive(state, &layout, lines);
    let description = state.site.description.as_ref().map(|text| text.get(&layout.language).to_owned());
    let description = description.filter(|_| number == 1);
    Ok(Some(page::html(StatusCode::OK, &HomePage { layout, description, listing, archive })))
}

async fn category(connection: &mut AnyConnection, visit: &Visit<'_>, slug: &str) -> anyhow::Result<Option<Response>> {
    let Visit { state, lines, language, number } = *visit;
    let site = &state.site;
    let path = site.page_path(site.default_language(), &["category", slug]);
    let layout = Layout::new(state, language, &path).with_category_feeds(state, &[slug.to_owned()]).at_page(number);
    let slugs = site.with_descendants(slug);
    let shown: Vec<&Arc<Line>> = lines.shown(&layout.language, Wanted { categories: Some(&slugs), ..Wanted::default() }).collect();
    let configured = site.category(slug);
    if site.has_ended(slug, state.clock.now()) {
        return Ok(Some(WebError::Gone.page(state, language)));
    }
    if configured.is_none() && shown.is_empty() {
        return Ok(None);
    }
    let base = site.page_path(&layout.language, &["category", slug]);
    let Some(listing) = Listing::load(connection, state, &layout, &shown, &base, number).await? else { return Ok(None) };
    let mut trail: Vec<NavLink> = site.ancestors(slug).map(|above| category_link(state, &layout, &above.slug)).collect();
    trail.reverse();
    let page = ListPage {
        trail,
        title: layout.category_title(state, slug),
        description: configured
            .and_then(|category| category.description.as_ref())
            .map(|text: &LocalText| text.get(&layout.language).to_owned()),
        below: site
            .children(Some(slug))
            .filter(|child| !site.has_ended(&child.slug, state.clock.now()))
            .map(|child| category_link(state, &layout, &child.slug))
            .collect(),
        feeds: feeds_of(state, &Topic::of_category(&layout.language, slug)),
        listing,
        beside: None,
        layout,
    };
    Ok(Some(page::html(StatusCode::OK, &page)))
}

/// The articles of a tag or an author; nothing where there are none. It is called as the newest
/// of them calls it.
async fn labelled(
    connection: &mut AnyConnection,
    visit: &Visit<'_>,
    [kind, slug]: [&str; 2],
    wanted: Wanted<'_>,
    labels: impl Fn(&Line) -> &[Label],
) -> anyhow::Result<Option<Response>> {
    let Visit { state, lines, language, number } = *visit;
    let path = state.site.page_path(state.site.default_language(), &[kind, slug]);
    let layout = Layout::new(state, language, &path).at_page(number).only_in(&state.site, |other| lines.any_shown(other, wanted));
    let shown: Vec<&Arc<Line>> = lines.shown(&layout.language, wanted).collect();
    let Some(label) = shown.first().and_then(|line| labels(line).iter().find(|label| *label.slug == *slug)) else { return Ok(None) };
    let base = state.site.page_path(&layout.language, &[kind, slug]);
    let Some(listing) = Listing::load(connection, state, &layout, &shown, &base, number).await? else { return Ok(None) };
    let title = layout.voice.say_with(&format!("{kind}-heading"), "name", label.name.to_string());
    let filter = if kind == "tag" { Filter::tag(slug) } else { Filter::author(slug) };
    let topic = Topic::articles(&layout.language, filter);
    let layout = with_own_feeds(layout, state, &topic, &title);
    let feeds = feeds_of(state, &topic);
    let page = ListPage { layout, trail: Vec::new(), title, description: None, below: Vec::new(), feeds, listing, beside: None };
    Ok(Some(page::html(StatusCode::OK, &page)))
}

async fn month(connection: &mut AnyConnection, visit: &Visit<'_>, month: &str) -> anyhow::Result<Option<Response>> {
    let Visit { state, lines, language, number } = *visit;
    let wanted = Wanted { time: Some(month), ..Wanted::default() };
    let layout = Layout::new(state, language, &format!("/{month}/")).at_page(number);
    let layout = layout.only_in(&state.site, |other| lines.any_shown(other, wanted));
    let shown: Vec<&Arc<Line>> = lines.shown(&layout.language, wanted).collect();
    let base = layout.path(&format!("/{month}/"));
    let listing = Listing::load(connection, state, &layout, &shown, &base, number).await?;
    let Some(listing) = listing.filter(|listing| !listing.entries.is_empty()) else { return Ok(None) };
    let title = month_link(state, &layout, month).text;
    let topic = Topic::articles(&layout.language, Filter::time(month));
    let layout = with_own_feeds(layout, state, &topic, &title);
    let page = ListPage {
        trail: vec![year_link(state, &layout, &month[..4])],
        title,
        description: None,
        below: Vec::new(),
        // Nothing new comes in a month that is over: named for programs only.
        feeds: Vec::new(),
        listing,
        beside: Some(months_beside(state, &layout, lines, month)),
        layout,
    };
    Ok(Some(page::html(StatusCode::OK, &page)))
}

/// The feeds of what a list is about, for people.
fn feeds_of(state: &State, topic: &Topic) -> Vec<NavLink> {
    let link = |format: FeedFormat| NavLink { href: topic.key(format).path(&state.site), text: format.name().to_owned() };
    FeedFormat::ALL.into_iter().map(link).collect()
}

/// The same, for programs (autodiscovery).
pub(super) fn with_own_feeds(layout: Layout, state: &State, topic: &Topic, name: &str) -> Layout {
    let title = format!("{name} – {}", layout.site_title);
    layout.with_feeds(state, topic, &title)
}

/// Where an article that once had this address is now.
async fn old_address(connection: &mut AnyConnection, state: &State, path: &str) -> Result<Option<Response>, WebError> {
    for path in content::alias_spellings(path) {
        if let Some(article) = content::at_alias(connection, &path).await? {
            return Ok(Some(moved(&link_of(&state.site, &article))));
        }
    }
    Ok(None)
}

fn with_query(path: &str, query: Option<&str>) -> String {
    query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

/// 301, which feed readers and search engines remember.
pub(super) fn moved(to: &str) -> Response {
    (StatusCode::MOVED_PERMANENTLY, [(LOCATION, to)]).into_response()
}
