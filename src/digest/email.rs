//! One issue of a digest as a mail: rendered once for everybody who reads the same.

use super::wrap::{shorten, width, wrap};
use crate::content::Article;
use crate::feed::link_of;
use crate::language::{Catalogue, Language, Voice};
use crate::mail::Frame;
use crate::site::Site;
use askama::Template;
use jiff::tz::TimeZone;
use unicode_segmentation::UnicodeSegmentation as _;

/// Characters of a subject, as people count them: about what a phone shows in two lines.
const SUBJECT: usize = 70;
/// What a title keeps of a subject, however long the site's name is.
const TITLE_IN_SUBJECT: usize = 24;
/// Characters of the line that mail programs show beside the subject.
const PREHEADER: usize = 110;
/// Octets of the HTML before personal links are filled in; Gmail hides what is above 102 KB.
const LARGEST: usize = 96_000;

/// What an issue is made from.
pub(super) struct Issue<'a> {
    pub site: &'a Site,
    pub catalogue: &'a Catalogue,
    /// In which dates are told.
    pub time_zone: &'a TimeZone,
    /// The mail's own language, one of the site's.
    pub language: &'a Language,
    /// The newest first; at least one.
    pub articles: &'a [&'a Article],
    /// Where the personal way out goes: a slot.
    pub way_out: String,
}

/// A rendered issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// The plain text.
    pub body_text: String,
    /// A whole HTML document.
    pub body_html: String,
}

/// How much is told of each article; less, where all of it would be clipped.
#[derive(Clone, Copy)]
enum Detail {
    Summary(usize),
    Title,
}

struct Item {
    title: String,
    title_lines: String,
    /// Where it differs from the mail's.
    lang: Option<String>,
    href: String,
    /// Date and categories.
    meta: String,
    summary: Option<String>,
    summary_lines: Option<String>,
    read_more: String,
}

#[derive(Template)]
#[template(path = "mail/digest/subject.txt")]
struct Subject<'a> {
    subject: &'a str,
}

#[derive(Template)]
#[template(path = "mail/digest/body.txt")]
struct Text<'a> {
    frame: &'a Frame,
    heading: &'a str,
    rule: &'a str,
    items: &'a [Item],
    left_out: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "mail/digest/body.html")]
struct Html<'a> {
    frame: &'a Frame,
    subject: &'a str,
    preheader: &'a str,
    heading: &'a str,
    items: &'a [Item],
    left_out: Option<&'a str>,
}

impl Issue<'_> {
    /// Renders it with as much detail, and as many articles, as mail programs show.
    pub(super) fn render(&self) -> anyhow::Result<Rendered> {
        for detail in [Detail::Summary(1000), Detail::Summary(200), Detail::Title] {
            let rendered = self.render_with(detail, self.articles.len())?;
            if rendered.body_html.len() <= LARGEST {
                return Ok(rendered);
            }
        }
        // A person who returns after years: the newest are named, the rest is on the site.
        let mut shown = self.articles.len();
        loop {
            shown = shown * 3 / 4;
            let rendered = self.render_with(Detail::Title, shown)?;
            if rendered.body_html.len() <= LARGEST || shown == 0 {
                return Ok(rendered);
            }
        }
    }

    fn render_with(&self, detail: Detail, shown: usize) -> anyhow::Result<Rendered> {
        let voice = self.catalogue.voice(self.language);
        let items: Vec<Item> = self.articles[..shown].iter().map(|article| self.item(&voice, article, detail)).collect();
        let heading = voice.say("digest-heading");
        let subject = self.subject(&voice);
        let left_out = self.articles.len() - shown;
        let left_out = (left_out > 0).then(|| voice.say_with("digest-left-out", "count", whole(left_out)));
        let frame = Frame::with_way_out(self.site, voice, self.language, self.way_out.clone());
        let rule = "=".repeat(width(&frame.site_title).max(width(&heading)).min(72));
        let text = Text { frame: &frame, heading: &heading, rule: &rule, items: &items, left_out: left_out.as_deref() };
        let html = Html {
            frame: &frame,
            subject: &subject,
            preheader: &self.preheader(),
            heading: &heading,
            items: &items,
            left_out: left_out.as_deref(),
        };
        Ok(Rendered { subject: Subject { subject: &subject }.render()?, body_text: text.render()?, body_html: html.render()? })
    }

    fn item(&self, voice: &Voice, article: &Article, detail: Detail) -> Item {
        let date = voice.date(article.published_at.in_zone(self.time_zone).date());
        let categories: Vec<&str> = article.categories.iter().map(|slug| self.category(slug)).collect();
        let meta = if categories.is_empty() {
            date
        } else {
            let categories = categories.join(&voice.say("digest-category-separator"));
            voice.say_all("digest-meta", &[("date", date.into()), ("categories", categories.into())])
        };
        let summary = match detail {
            Detail::Summary(most) if !article.summary.is_empty() => Some(shorten(&article.summary, most)),
            _ => None,
        };
        Item {
            title_lines: wrap(&article.title),
            lang: (article.language != *self.language).then(|| article.language.to_string()),
            href: link_of(self.site, article),
            meta,
            summary_lines: summary.as_deref().map(wrap),
            summary,
            read_more: voice.say_with("digest-read-more-of", "title", article.title.as_str()),
            title: article.title.clone(),
        }
    }

    fn category<'s>(&'s self, slug: &'s str) -> &'s str {
        self.site.category(slug).map_or(slug, |category| category.title.get(self.language))
    }

    fn subject(&self, voice: &Voice) -> String {
        let others = self.articles.len().saturating_sub(1);
        let key = if others == 0 { "digest-subject" } else { "digest-subject-more" };
        let site = self.site.title.get(self.language);
        let with =
            |title: &str| voice.say_all(key, &[("site", site.into()), ("title", title.to_owned().into()), ("count", whole(others).into())]);
        let room = SUBJECT.saturating_sub(with("").graphemes(true).count()).max(TITLE_IN_SUBJECT);
        let subject = with(&shorten(self.articles.first().map_or("", |article| &article.title), room));
        // A title in the configuration can have a line break.
        subject.replace(char::is_control, " ")
    }

    /// What the subject does not say: the other titles, or what the only article is about.
    fn preheader(&self) -> String {
        let others: Vec<&str> = self.articles.iter().skip(1).map(|article| article.title.as_str()).collect();
        match (others.is_empty(), self.articles.first()) {
            (true, Some(article)) => shorten(&article.summary, PREHEADER),
            _ => shorten(&others.join(" · "), PREHEADER),
        }
    }
}

/// A number as Fluent takes it.
fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The language of a person's mails: the first of theirs that the site has, else the one nearest
/// to their first.
pub(super) fn mail_language<'a>(site: &'a Site, languages: &[Language]) -> &'a Language {
    let own = languages.iter().find_map(|wanted| site.languages.iter().find(|known| *known == wanted));
    own.or_else(|| languages.first().map(|first| site.nearest_language(first))).unwrap_or_else(|| site.default_language())
}
