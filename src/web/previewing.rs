//! Previews: an article that is not public yet, as its page will look, for who holds the link.

use super::petitioning::Visit;
use super::subscribing::Message;
use super::{Layout, State, WebError, article, files, no_store, page};
use crate::content::{self, Article, ArticleState, Unopened};
use crate::feed::link_of;
use crate::language::Voice;
use crate::notice::preview;
use crate::site::Site;
use crate::vault::TokenRefused;
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;

type Shared = axum::extract::State<State>;

/// Also for pictures, which cannot say it in their head.
const ROBOTS: (HeaderName, HeaderValue) = (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow"));

/// The addresses of this room, each with and without a language before it.
pub(super) fn router(state: &State) -> Router<State> {
    page::prefixes(state).into_iter().fold(Router::new(), |router, prefix| {
        router
            .route(&format!("{prefix}/preview/{{token}}"), get(show))
            .route(&format!("{prefix}/preview/{{token}}/files/{{*path}}"), get(file))
    })
}

/// GET: the newest version that was saved.
async fn show(axum::extract::State(state): Shared, visit: Visit) -> Result<Response, WebError> {
    let token = visit.param("token");
    let (id, until) = match preview::read(&state.vault, token, state.clock.now()) {
        Ok(read) => read,
        Err(refused) => return Ok(refusal(&state, &visit, refused)),
    };
    let mut connection = state.db.reader().acquire().await?;
    let Some(mut article) = content::by_id(&mut connection, id).await? else {
        return Ok(told(&state, &visit, "preview-gone", StatusCode::GONE));
    };
    match article.state {
        ArticleState::Draft | ArticleState::Scheduled => {}
        ArticleState::Published => return Ok(no_store(Redirect::to(&link_of(&state.site, &article)).into_response())),
        ArticleState::Gone => return Ok(told(&state, &visit, "preview-gone", StatusCode::GONE)),
    }
    let path = format!("/preview/{token}");
    for (file, public) in content::files_of(&mut connection, &state.site, id).await? {
        redirect_links(&mut article, &public, &file_link(&state.site, &path, &file));
    }
    let layout = Layout::new(&state, &visit.language, &path).private();
    let banner = banner(&layout.voice, &state.site, &article, until);
    let shown = article::preview(&mut connection, &state, &article, layout, banner).await?;
    Ok(([ROBOTS], shown).into_response())
}

/// What stands above the page: what it is, who sees it, when it becomes public.
fn banner(voice: &Voice, site: &Site, article: &Article, until: crate::clock::Timestamp) -> Vec<String> {
    let time = |instant: crate::clock::Timestamp| voice.time(&instant.in_zone(&site.time_zone));
    let standing = match article.state {
        ArticleState::Scheduled => voice.say_with("preview-scheduled", "time", time(article.published_at)),
        _ => voice.say("preview-draft"),
    };
    vec![standing, voice.say_with("preview-who", "date", voice.date(until.in_zone(&site.time_zone).date()))]
}

/// A file that the article refers to.
async fn file(axum::extract::State(state): Shared, visit: Visit, request: Request) -> Result<Response, WebError> {
    let (id, _) = preview::read(&state.vault, visit.param("token"), state.clock.now()).map_err(|_| WebError::NotFound)?;
    let mut connection = state.db.reader().acquire().await?;
    let article = content::by_id(&mut connection, id).await?.filter(|article| article.state != ArticleState::Gone);
    let article = article.ok_or(WebError::NotFound)?;
    let Ok(path) = percent_encoding::percent_decode_str(visit.param("path")).decode_utf8() else { return Err(WebError::NotFound) };
    let opened = content::open_file_of(&mut connection, &state.content, article.id, &path).await?;
    drop(connection);
    match opened {
        Ok(opened) => {
            let answer = files::respond(&state, request.method(), &path, request.headers(), opened).await?;
            Ok(([ROBOTS], no_store(answer)).into_response())
        }
        Err(Unopened::Missing) => Err(WebError::NotFound),
        Err(Unopened::Unavailable(error)) => Err(WebError::Internal(error.into())),
    }
}

fn refusal(state: &State, visit: &Visit, refused: TokenRefused) -> Response {
    match refused {
        TokenRefused::Invalid => told(state, visit, "preview-broken", StatusCode::NOT_FOUND),
        TokenRefused::Expired => told(state, visit, "preview-expired", StatusCode::GONE),
    }
}

fn told(state: &State, visit: &Visit, key: &str, status: StatusCode) -> Response {
    Message::new(state, &visit.language, key).respond(status)
}

/// Where a preview serves a file: its public address opens only when the article is public.
fn file_link(site: &Site, preview: &str, file: &str) -> String {
    let segments: Vec<&str> = file.split('/').collect();
    let path = site.page_path(site.default_language(), &segments);
    site.link(&format!("{preview}/files{}", path.trim_end_matches('/')))
}

/// Makes every link to a file lead elsewhere.
fn redirect_links(article: &mut Article, from: &str, to: &str) {
    article.body_html = redirected(&article.body_html, from, to);
    for link in [&mut article.image, &mut article.video].into_iter().flatten() {
        *link = redirected(link, from, to);
    }
    for enclosure in &mut article.enclosures {
        enclosure.url = redirected(&enclosure.url, from, to);
    }
}

/// The text with one link replaced wherever it stands whole: `a.jpg` is no part of `a.jpg.png`.
fn redirected(text: &str, from: &str, to: &str) -> String {
    let ends_here = |rest: &str| rest.chars().next().is_none_or(|c| "\"' ,#?&<".contains(c));
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let (before, after) = (&rest[..at], &rest[at + from.len()..]);
        done.push_str(before);
        done.push_str(if ends_here(after) { to } else { from });
        rest = after;
    }
    done.push_str(rest);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_replaced_where_it_stands_whole() {
        let text = "<img src=\"/f/a.jpg\" srcset=\"/f/a.jpg 1x, /f/a.jpg.png 2x\"> <a href=\"/f/a.jpg#x\">/f/a.jpg";
        let expected = "<img src=\"/p/1\" srcset=\"/p/1 1x, /f/a.jpg.png 2x\"> <a href=\"/p/1#x\">/p/1";
        assert_eq!(redirected(text, "/f/a.jpg", "/p/1"), expected);
    }
}
