//! What a feed that is made when asked for is called.

use super::topic::{Filter, Subject, Terms, Topic};
use crate::content::{Label, Lines};
use crate::language::{Language, Voice};
use crate::site::Site;

/// Name, title and description of a feed.
#[derive(Clone, Debug)]
pub(super) struct Heading {
    /// Of the topic alone.
    pub(super) name: String,
    /// With the site's.
    pub(super) title: String,
    pub(super) description: String,
}

impl Heading {
    /// Of a feed called so, which says nothing more about itself.
    fn plain(site: &Site, language: &Language, name: String) -> Self {
        let title = format!("{name} – {}", site.title.get(language));
        Self { description: title.clone(), title, name }
    }

    /// Of articles that a filter lets through. `title_of` names categories.
    pub(super) fn of_articles(site: &Site, voice: &Voice, topic: &Topic, lines: &Lines, title_of: &dyn Fn(&str) -> String) -> Option<Self> {
        let Subject::Articles(filter) = &topic.subject else { return None };
        // What lies ready too names itself.
        (!topic.is_common()).then(|| {
            let names = Names { lines, language: &topic.language };
            Self::plain(site, &topic.language, name_of(filter, voice, &names, title_of))
        })
    }

    /// Of the mailing archive.
    pub(super) fn of_mailings(site: &Site, voice: &Voice, language: &Language) -> Self {
        Self { description: voice.say("archive-intro"), ..Self::plain(site, language, voice.say("archive-title")) }
    }

    /// Of the comments on a post, or on everything.
    pub(super) fn of_comments(site: &Site, voice: &Voice, language: &Language, post: Option<&str>) -> Self {
        let on = post.unwrap_or_else(|| site.title.get(language));
        let name = voice.say_with("feed-comments", "title", on.to_owned());
        Self { description: voice.say("feed-comments-closed"), title: name.clone(), name }
    }
}

fn name_of(filter: &Filter, voice: &Voice, names: &Names<'_>, title_of: &dyn Fn(&str) -> String) -> String {
    let categories = filter.categories.as_ref().map(|terms| joined(terms, title_of));
    let tags = filter.tags.as_ref().map(|terms| joined(terms, |slug| names.of(slug, |line| &line.tags)));
    let author = filter.author.as_ref().map(|slug| names.of(slug, |line| &line.authors));
    let parts = [
        categories,
        tags.map(|name| voice.say_with("tag-heading", "name", name)),
        author.map(|name| voice.say_with("author-heading", "name", name)),
        filter.time.as_deref().map(|time| time_of(voice, time)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn joined(terms: &Terms, name: impl Fn(&str) -> String) -> String {
    let names: Vec<String> = terms.slugs().map(name).collect();
    names.join(if terms.joint() == "+" { " + " } else { ", " })
}

fn time_of(voice: &Voice, time: &str) -> String {
    match time.split_once('/') {
        None => voice.say_with("year-heading", "year", time.to_owned()),
        Some((year, month)) => {
            let month = voice.say_with("month-name", "month", month.parse::<i64>().unwrap_or(1));
            voice.say_all("month-heading", &[("month", month.into()), ("year", year.to_owned().into())])
        }
    }
}

/// Names of tags and authors, as the newest article in the feed's language writes them, or else
/// the newest of all.
struct Names<'n> {
    lines: &'n Lines,
    language: &'n Language,
}

impl Names<'_> {
    fn of(&self, slug: &str, labels: impl Fn(&crate::content::Line) -> &[Label]) -> String {
        let mut any = None;
        for line in self.lines.all() {
            let Some(label) = labels(line).iter().find(|label| *label.slug == *slug) else { continue };
            if line.language == *self.language {
                return label.name.to_string();
            }
            any = any.or(Some(label));
        }
        any.map_or_else(|| slug.to_owned(), |label| label.name.to_string())
    }
}
