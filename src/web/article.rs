//! The page of one article.

use super::excerpt::{Day, Tongue, category_links, page_of};
use super::layout::{LanguageLink, Layout, NavLink};
use super::reading::{Visit, moved};
use super::{State, WebError, page};
use crate::content::{self, Article, ArticleState, Credit, Line, Lines, Role, Signpost, Video};
use crate::feed::{direction, link_of};
use crate::language::{Language, Voice};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use sqlx::AnyConnection;
use std::collections::HashMap;
use std::sync::Arc;

/// A longer list of a series' parts is folded.
const MANY_PARTS: usize = 8;

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

/// The video, played here or on a page elsewhere.
struct Player {
    href: String,
    /// The type of a file of ours; `None`: a page elsewhere.
    media_type: Option<&'static str>,
    text: String,
    /// Where the link leads.
    detail: String,
}

/// Another article.
struct TitleLink {
    href: String,
    text: String,
    tongue: Option<Tongue>,
}

/// The series an article is part of.
struct Series {
    heading: String,
    /// The oldest first; none where this is the only one.
    parts: Vec<TitleLink>,
    /// The place of this article among them, from 0.
    here: usize,
    is_long: bool,
}

#[derive(Template)]
#[template(path = "web/article.html")]
struct ArticlePage {
    layout: Layout,
    /// What is said above a page that is not public.
    banner: Vec<String>,
    title: String,
    summary: String,
    /// Its own address.
    own: String,
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
    video: Option<Player>,
    /// What stands for it where it is linked.
    preview: Option<String>,
    body: String,
    downloads: Vec<Download>,
    tags: Vec<NavLink>,
    series: Option<Series>,
    older: Option<TitleLink>,
    newer: Option<TitleLink>,
    original: Option<NavLink>,
}

/// The article at an address, in the language the address names; where it is not there, the
/// way to its translation into that language, or else the article as it was written.
pub(super) async fn show(connection: &mut AnyConnection, visit: &Visit<'_>, month: &str, slug: &str) -> Result<Option<Response>, WebError> {
    let Visit { state, lines, language, number } = *visit;
    let found = if number == 1 { find(connection, state, language, month, slug).await? } else { None };
    let Some(article) = found else { return Ok(None) };
    if article.state != ArticleState::Published {
        return Err(WebError::Gone);
    }
    let own = state.site.link(&state.site.article_path(&article.language, &article.month, &article.slug));
    let link = link_of(&state.site, &article);
    // Another room shows it: a petition has a page of its own.
    if link != own && !article.living {
        return Ok(Some(Redirect::temporary(&link).into_response()));
    }
    let around = Around::load(connection, state, lines, &article).await?;
    // An old address means the article that had it, whatever language it is in.
    if article.language != *language {
        for spelling in content::alias_spellings(&state.site.article_path(language, month, slug)) {
            if content::at_alias(connection, &spelling).await?.is_some_and(|known| known.id == article.id) {
                return Ok(Some(moved(&own)));
            }
        }
    }
    if article.language != *language
        && let Some(translation) = around.translations.iter().find(|post| post.language == *language)
    {
        return Ok(Some(Redirect::temporary(&page_of(&state.site, translation)).into_response()));
    }
    let page = compose(state, language, &article, &around, own);
    let plays = page.video.as_ref().is_some_and(|video| video.media_type.is_some());
    let html = page::html(StatusCode::OK, &page);
    Ok(Some(if plays { page::with_media(html) } else { html }))
}

/// The page of an article that is not public, as it will look, below a banner.
pub(super) async fn preview(
    connection: &mut AnyConnection,
    state: &State,
    article: &Article,
    layout: Layout,
    banner: Vec<String>,
) -> Result<Response, WebError> {
    let lines = state.register.lines(&state.db, &state.site).await?;
    let around = Around::load(connection, state, &lines, article).await?;
    let own = state.site.link(&state.site.article_path(&article.language, &article.month, &article.slug));
    let composed = compose(state, &layout.language, article, &around, own);
    let page = ArticlePage { layout, banner, ..composed };
    let plays = page.video.as_ref().is_some_and(|video| video.media_type.is_some());
    let html = page::private_page(StatusCode::OK, &page);
    Ok(if plays { page::with_media(html) } else { html })
}

/// Other articles that the page leads to.
struct Around {
    /// In the order of the site's languages.
    translations: Vec<Signpost>,
    older: Option<Signpost>,
    newer: Option<Signpost>,
    /// Every part of its series, the oldest first, where there are more than this one.
    parts: Vec<Signpost>,
}

impl Around {
    async fn load(connection: &mut AnyConnection, state: &State, lines: &Lines, article: &Article) -> anyhow::Result<Self> {
        let of = |lines: &[&Arc<Line>]| lines.iter().map(|line| line.id).collect::<Vec<_>>();
        let line = lines.line(article.published_at, article.id);
        let versions = lines.in_group(&article.translation_group).iter().filter(|other| other.language != article.language);
        let translations = of(&versions.collect::<Vec<_>>());
        let (older, newer) = line.map_or((None, None), |line| lines.neighbours(&article.language, line));
        let (older, newer) = (older.map(|line| line.id), newer.map(|line| line.id));
        let parts = of(&line.map_or_else(Vec::new, |line| lines.series(line)));
        let parts = if parts.len() > 1 { parts } else { Vec::new() };
        let ids: Vec<i64> = translations.iter().copied().chain(older).chain(newer).chain(parts.iter().copied()).collect();
        let posts: HashMap<i64, Signpost> = content::signposts(connection, &ids).await?.into_iter().map(|post| (post.id, post)).collect();
        let posts_of = |ids: Vec<i64>| ids.iter().filter_map(|id| posts.get(id).cloned()).collect::<Vec<_>>();
        let mut translations = posts_of(translations);
        let rank = |post: &Signpost| state.site.languages.iter().position(|known| *known == post.language).unwrap_or(usize::MAX);
        translations.sort_by_key(|post| (rank(post), post.language.to_string(), post.id));
        translations.dedup_by(|next, kept| next.language == kept.language);
        let one = |id: Option<i64>| id.and_then(|id| posts.get(&id).cloned());
        Ok(Self { translations, older: one(older), newer: one(newer), parts: posts_of(parts) })
    }
}

async fn find(
    connection: &mut AnyConnection,
    state: &State,
    wanted: &Language,
    month: &str,
    slug: &str,
) -> anyhow::Result<Option<Article>> {
    let others = state.site.languages.iter().filter(|other| *other != wanted);
    for language in std::iter::once(wanted).chain(others) {
        let found = content::at_address(connection, language, month, slug).await?;
        if found.is_some() {
            return Ok(found);
        }
        // No translation stands in for what was withdrawn.
        if language == wanted && content::was_withdrawn_at(connection, &state.site.article_path(wanted, month, slug)).await? {
            return Ok(None);
        }
    }
    Ok(None)
}

fn compose(state: &State, language: &Language, article: &Article, around: &Around, own: String) -> ArticlePage {
    let path = state.site.article_path(state.site.default_language(), &article.month, &article.slug);
    let mut layout = Layout::new(state, language, &path).with_category_feeds(state, &article.categories);
    let link = |language: &Language, href: String| LanguageLink { tag: language.to_string(), name: language.own_name(), href };
    let translations: Vec<LanguageLink> = around.translations.iter().map(|post| link(&post.language, page_of(&state.site, post))).collect();
    layout.languages = translations.iter().filter(|link| link.tag != layout.language.to_string()).cloned().collect();
    layout.alternates = match translations.len() {
        0 => Vec::new(),
        _ => std::iter::once(link(&article.language, own.clone())).chain(translations.iter().cloned()).collect(),
    };
    layout.canonical = Some(article.canonical_url.clone().unwrap_or_else(|| own.clone()));
    // The original is what search engines shall find.
    layout.noindex = article.living;
    let voice = layout.voice.clone();
    let (published, updated) = (Day::of(state, &layout, article.published_at), Day::of(state, &layout, article.updated_at));
    let tongue = Tongue::of(&layout, &article.language);
    // Pages load nothing from elsewhere.
    let image = article.image.clone().filter(|image| image.starts_with(state.site.base_url.as_str()));
    let title_link = |post: &Signpost| TitleLink {
        href: page_of(&state.site, post),
        text: post.title.clone(),
        tongue: Tongue::of(&layout, &post.language),
    };
    ArticlePage {
        banner: Vec::new(),
        title: article.title.clone(),
        summary: article.summary.clone(),
        own,
        language: article.language.to_string(),
        direction: direction(&article.language),
        other_language: tongue.map(|tongue| voice.say_with("shown-in-language", "language", tongue.name)),
        categories: category_links(state, &layout, article),
        updated: (updated.machine > published.machine).then_some(updated),
        published,
        bylines: [authors(state, &layout, article), credits(&voice, article, Role::Translator)].into_iter().flatten().collect(),
        signatories: credits(&voice, article, Role::Signatory),
        translations,
        preview: image.clone(),
        // An image in the text is not shown twice.
        image: image.filter(|image| !article.body_html.contains(image.as_str())),
        video: Video::of(article, &state.site).map(|video| player(&voice, video)),
        body: article.body_html.clone(),
        downloads: article.enclosures.iter().map(|file| download(&voice, file)).collect(),
        tags: article.tags.iter().map(|tag| tag_link(state, &layout, tag)).collect(),
        series: series(&layout, article, around, &title_link),
        older: around.older.as_ref().map(title_link),
        newer: around.newer.as_ref().map(title_link),
        original: article.canonical_url.as_ref().filter(|_| article.living).map(|href| NavLink { text: host_of(href), href: href.clone() }),
        layout,
    }
}

fn tag_link(state: &State, layout: &Layout, tag: &str) -> NavLink {
    NavLink { href: state.site.page_path(&layout.language, &["tag", &crate::site::slug(tag)]), text: tag.to_owned() }
}

fn series(layout: &Layout, article: &Article, around: &Around, title_link: &dyn Fn(&Signpost) -> TitleLink) -> Option<Series> {
    let name = article.series.clone()?;
    let Some(here) = around.parts.iter().position(|part| part.id == article.id) else {
        let heading = layout.voice.say_with("part-of-series", "series", name);
        return Some(Series { heading, parts: Vec::new(), here: 0, is_long: false });
    };
    let variables = [("series", name.into()), ("part", (here + 1).into()), ("parts", around.parts.len().into())];
    Some(Series {
        heading: layout.voice.say_all("part-in-series", &variables),
        parts: around.parts.iter().map(title_link).collect(),
        here,
        is_long: around.parts.len() > MANY_PARTS,
    })
}

/// The authors, each with their own page or with what they wrote here.
fn authors(state: &State, layout: &Layout, article: &Article) -> Option<Credits> {
    let mut credits = credits(&layout.voice, article, Role::Author)?;
    for person in credits.people.iter_mut().filter(|person| person.url.is_none()) {
        person.url = Some(state.site.page_path(&layout.language, &["author", &crate::site::slug(&person.name)]));
    }
    Some(credits)
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

fn player(voice: &Voice, video: Video) -> Player {
    match video {
        Video::File { url, media_type } => {
            Player { href: url, media_type: Some(media_type), text: voice.say("video-watch"), detail: String::new() }
        }
        Video::Page { url, site } => {
            Player { href: url, media_type: None, text: voice.say("video-watch"), detail: voice.say_with("video-elsewhere", "site", site) }
        }
    }
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
