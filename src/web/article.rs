//! The page of one article.

use super::excerpt::{Day, category_links};
use super::layout::{LanguageLink, Layout, NavLink};
use super::{State, WebError, page};
use crate::content::{self, Article, ArticleState, Credit, Role, Selection};
use crate::feed::{direction, link_of};
use crate::language::{Language, Voice};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use sqlx::AnyConnection;

/// Names under one heading: “By …”, “Translated by …”.
struct Credits {
    heading: String,
    people: Vec<Credit>,
}

/// A file to take home.
struct Download {
    href: String,
    text: String,
    detail: String,
}

#[derive(Template)]
#[template(path = "web/article.html")]
struct ArticlePage {
    layout: Layout,
    title: String,
    summary: String,
    language: String,
    direction: &'static str,
    /// Said where the article is not in the page's language.
    other_language: Option<String>,
    categories: Vec<NavLink>,
    published: Day,
    updated: Option<Day>,
    bylines: Vec<Credits>,
    signatories: Option<Credits>,
    translations: Vec<LanguageLink>,
    image: Option<String>,
    body: String,
    downloads: Vec<Download>,
    tags: Vec<String>,
    series: Option<String>,
    original: Option<NavLink>,
}

/// The article at an address, in the language the address names or, where it is not there, in
/// any other.
pub(super) async fn show(
    connection: &mut AnyConnection,
    state: &State,
    language: &Language,
    month: &str,
    slug: &str,
) -> Result<Option<Response>, WebError> {
    let Some(article) = find(connection, state, language, month, slug).await? else { return Ok(None) };
    if article.state != ArticleState::Published {
        return Err(WebError::Gone);
    }
    let own = state.site.link(&state.site.article_path(&article.language, &article.month, &article.slug));
    let link = link_of(&state.site, &article);
    // Another room shows it: a petition has a page of its own.
    if link != own && !article.living {
        return Ok(Some(Redirect::temporary(&link).into_response()));
    }
    let selection = Selection { translation_group: Some(&article.translation_group), ..Selection::default() };
    let group = content::latest(connection, &selection, 50, 0).await?;
    let page = compose(state, language, &article, &group, own);
    Ok(Some(page::html(StatusCode::OK, &page)))
}

async fn find(
    connection: &mut AnyConnection,
    state: &State,
    language: &Language,
    month: &str,
    slug: &str,
) -> anyhow::Result<Option<Article>> {
    let others = state.site.languages.iter().filter(|other| *other != language);
    for language in std::iter::once(language).chain(others) {
        let found = content::at_address(connection, language, month, slug).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn compose(state: &State, language: &Language, article: &Article, group: &[Article], own: String) -> ArticlePage {
    let path = state.site.article_path(state.site.default_language(), &article.month, &article.slug);
    let mut layout = Layout::new(state, language, &path).with_category_feeds(state, &article.categories);
    let translations: Vec<LanguageLink> = group
        .iter()
        .filter(|other| other.language != article.language)
        .map(|other| LanguageLink { tag: other.language.to_string(), name: other.language.own_name(), href: link_of(&state.site, other) })
        .collect();
    layout.languages = translations.iter().filter(|link| link.tag != layout.language.to_string()).cloned().collect();
    layout.canonical = Some(article.canonical_url.clone().unwrap_or(own));
    // The original is what search engines shall find.
    layout.noindex = article.living;
    let voice = layout.voice.clone();
    let (published, updated) = (Day::of(state, &layout, article.published_at), Day::of(state, &layout, article.updated_at));
    let differs = article.language != layout.language;
    ArticlePage {
        title: article.title.clone(),
        summary: article.summary.clone(),
        language: article.language.to_string(),
        direction: direction(&article.language),
        other_language: differs.then(|| voice.say_with("shown-in-language", "language", article.language.own_name())),
        categories: category_links(state, &layout, article),
        updated: (updated.machine > published.machine).then_some(updated),
        published,
        bylines: [credits(&voice, article, Role::Author), credits(&voice, article, Role::Translator)].into_iter().flatten().collect(),
        signatories: credits(&voice, article, Role::Signatory),
        translations,
        // Pages load nothing from elsewhere, and an image in the text is not shown twice.
        image: article
            .image
            .clone()
            .filter(|image| image.starts_with(state.site.base_url.as_str()) && !article.body_html.contains(image.as_str())),
        body: article.body_html.clone(),
        downloads: article.enclosures.iter().map(|file| download(&voice, file)).collect(),
        tags: article.tags.clone(),
        original: article.canonical_url.as_ref().filter(|_| article.living).map(|href| NavLink { text: host_of(href), href: href.clone() }),
        series: article.series.as_ref().map(|series| voice.say_with("part-of-series", "series", series.clone())),
        layout,
    }
}

/// A site as people name it: `www.example.org`.
fn host_of(link: &str) -> String {
    url::Url::parse(link).ok().and_then(|url| Some(url.host_str()?.to_owned())).unwrap_or_else(|| link.to_owned())
}

fn credits(voice: &Voice, article: &Article, role: Role) -> Option<Credits> {
    let people: Vec<Credit> = article.credits.iter().filter(|credit| credit.role == role).cloned().collect();
    let key = match role {
        Role::Author => "written-by",
        Role::Translator => "translated-by",
        Role::Signatory => "signed-by",
    };
    (!people.is_empty()).then(|| Credits { heading: voice.say(key), people })
}

fn download(voice: &Voice, file: &content::Enclosure) -> Download {
    let name = file.url.rsplit('/').next().unwrap_or(&file.url);
    let kind = file.media_type.rsplit('/').next().unwrap_or_default().to_uppercase();
    let detail = match file.length {
        Some(length) => voice.say_all("file-detail", &[("kind", kind.into()), ("size", size(length).into())]),
        None => kind,
    };
    Download { href: file.url.clone(), text: file.title.clone().unwrap_or_else(|| name.to_owned()), detail }
}

/// Octets as people say them.
fn size(octets: i64) -> String {
    const STEPS: [(i64, &str); 2] = [(1_000_000, "MB"), (1_000, "kB")];
    match STEPS.into_iter().find(|(step, _)| octets >= *step) {
        Some((step, unit)) => format!("{}.{} {unit}", octets / step, octets % step * 10 / step),
        None => format!("{octets} B"),
    }
}
