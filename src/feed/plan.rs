//! What goes into a feed that is made when asked for, decided from the register: little enough to
//! be done anew after every change, so that what has not changed need not be made again.

use super::heading::Heading;
use super::history::Document;
use super::model::Note;
use super::topic::{FeedKey, Part, Post, Subject, Topic};
use super::{step, store};
use crate::content::{self, ArticleState, Line, Lines};
use crate::delivery;
use crate::language::Voice;
use crate::site::Site;
use crate::vault::content_hash;
use anyhow::Context as _;
use sqlx::AnyConnection;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a feed is to be made from.
pub(super) struct Plan {
    /// The same as long as the bytes are.
    pub(super) stamp: String,
    pub(super) contents: Contents,
    /// Where the topic does not name itself.
    pub(super) heading: Option<Heading>,
    /// The documents before and after it, by relation (RFC 5005 §3 and §4).
    pub(super) beside: Vec<(&'static str, Part)>,
}

/// What its entries are.
pub(super) enum Contents {
    /// These articles, by row number, in this order.
    Articles(Vec<i64>),
    /// Entries that are no articles.
    Notes(Vec<Note>),
}

/// Plans feeds of a site. Clones are cheap.
#[derive(Clone)]
pub(super) struct Planner {
    pub(super) site: Arc<Site>,
    /// Entries on a page.
    pub(super) items: usize,
    pub(super) voice: Voice,
    /// Titles of categories that are not configured.
    pub(super) titles: Arc<BTreeMap<String, String>>,
}

impl Planner {
    /// What a feed is to be made from; nothing where there is no such feed.
    pub(super) async fn plan(&self, connection: &mut AnyConnection, key: &FeedKey, lines: &Arc<Lines>) -> anyhow::Result<Option<Plan>> {
        match (&key.topic.subject, key.part) {
            (Subject::Articles(_), Part::Archive(number)) if key.topic.is_common() => {
                let document = store::document(connection, &key.topic.page(&self.site), i64::from(number)).await?;
                let Some(document) = document else { return Ok(None) };
                self.aside(key, lines, move |planner, key, lines| Some(planner.document(key, lines, number, document))).await
            }
            (Subject::Articles(_), Part::Current | Part::Page(_)) => self.aside(key, lines, Self::page).await,
            (Subject::Mailings, Part::Current) => Ok(Some(self.mailings(connection, &key.topic).await?)),
            (Subject::Comments(post), Part::Current) => self.comments(connection, &key.topic, post.as_ref()).await,
            _ => Ok(None),
        }
    }

    /// Decides off the threads that answer: it walks over every line.
    async fn aside(
        &self,
        key: &FeedKey,
        lines: &Arc<Lines>,
        decide: impl FnOnce(&Self, &FeedKey, &Lines) -> Option<Plan> + Send + 'static,
    ) -> anyhow::Result<Option<Plan>> {
        let (planner, key, lines) = (self.clone(), key.clone(), Arc::clone(lines));
        tokio::task::spawn_blocking(move || decide(&planner, &key, &lines)).await.context("a feed could not be planned")
    }

    /// The newest articles, or those of a later page: what is not there is no feed.
    fn page(&self, key: &FeedKey, lines: &Lines) -> Option<Plan> {
        let number = if let Part::Page(number) = key.part { number } else { 1 };
        let before = usize::try_from(number.checked_sub(1)?).ok()?.checked_mul(self.items)?;
        let mut rest = self.members(&key.topic, lines).skip(before);
        let members: Vec<&Arc<Line>> = rest.by_ref().take(self.items).collect();
        if number > 1 && members.is_empty() {
            return None;
        }
        let mut beside = Vec::new();
        if number > 1 {
            beside.push(("previous", if number == 2 { Part::Current } else { Part::Page(number - 1) }));
        }
        if rest.next().is_some() {
            beside.push(("next", Part::Page(number + 1)));
        }
        Some(self.of_articles(key, lines, &members, beside))
    }

    /// A document of the archive, which may be empty: what was in it may have gone.
    fn document(&self, key: &FeedKey, lines: &Lines, number: u32, document: Document) -> Plan {
        let within = |line: &&Arc<Line>| (document.above + 1..=document.upper).contains(&line.published_seq);
        let members: Vec<&Arc<Line>> = self.members(&key.topic, lines).filter(within).collect();
        let mut beside = vec![("current", Part::Current)];
        if number > 1 {
            beside.push(("prev-archive", Part::Archive(number - 1)));
        }
        if document.has_next {
            beside.push(("next-archive", Part::Archive(number + 1)));
        }
        self.of_articles(key, lines, &members, beside)
    }

    /// The articles of a topic, the newest first.
    fn members<'l>(&self, topic: &'l Topic, lines: &'l Lines) -> impl Iterator<Item = &'l Arc<Line>> + use<'l> {
        let filter = match &topic.subject {
            Subject::Articles(filter) => Some(filter.matcher(&self.site)),
            _ => None,
        };
        let fits = move |line: &&Arc<Line>| line.language == topic.language && filter.as_ref().is_some_and(|fits| fits(line));
        lines.all().iter().filter(fits)
    }

    fn of_articles(&self, key: &FeedKey, lines: &Lines, members: &[&Arc<Line>], beside: Vec<(&'static str, Part)>) -> Plan {
        let title_of = |slug: &str| step::title_of(&self.site, &self.titles, &key.topic, slug);
        let heading = Heading::of_articles(&self.site, &self.voice, &key.topic, lines, &title_of);
        // Every version of a member, since entries link their translations.
        let versions = members.iter().flat_map(|line| lines.in_group(&line.group)).chain(members.iter().copied());
        let numbers: Vec<u8> = versions.flat_map(|line| [line.id.to_le_bytes(), line.changed_seq.to_le_bytes()]).flatten().collect();
        let stamp = content_hash(&[&numbers, format!("{heading:?} {beside:?}").as_bytes()]);
        Plan { stamp, contents: Contents::Articles(members.iter().map(|line| line.id).collect()), heading, beside }
    }

    /// The mailings marked public that there are in the topic's language.
    async fn mailings(&self, connection: &mut AnyConnection, topic: &Topic) -> anyhow::Result<Plan> {
        let language = &topic.language;
        let found = delivery::public_mailings(connection, language, i64::MAX, i64::try_from(self.items)?).await?;
        let note = |mailing: delivery::PublicMailing| Note {
            name: self.site.path_in(language, &format!("/archive/{}", mailing.id)),
            link: self.site.link(&self.site.path_in(language, &format!("/archive/{}", mailing.id))),
            title: mailing.subject,
            text: self.voice.say("feed-mailing-text"),
            language: language.clone(),
            at: mailing.made_at,
        };
        let notes = found.into_iter().filter(|mailing| mailing.language == *language).map(note).collect();
        Ok(Plan::of_notes(notes, Heading::of_mailings(&self.site, &self.voice, language)))
    }

    /// Comments are closed, and the feed says so; a post that is not there has none.
    async fn comments(&self, connection: &mut AnyConnection, topic: &Topic, post: Option<&Post>) -> anyhow::Result<Option<Plan>> {
        let title = match post {
            None => None,
            Some(post) => {
                let article = content::at_address(connection, &topic.language, &post.month, &post.slug).await?;
                let Some(article) = article.filter(|article| article.state == ArticleState::Published) else { return Ok(None) };
                Some(article.title)
            }
        };
        Ok(Some(Plan::of_notes(Vec::new(), Heading::of_comments(&self.site, &self.voice, &topic.language, title.as_deref()))))
    }
}

impl Plan {
    fn of_notes(notes: Vec<Note>, heading: Heading) -> Self {
        let stamp = content_hash(&[format!("{notes:?} {heading:?}").as_bytes()]);
        Self { stamp, contents: Contents::Notes(notes), heading: Some(heading), beside: Vec::new() }
    }
}
