//! What staff are told of feeds: articles that are not in them as they are written, and feeds that
//! stay as they were.

use super::remark::{LeftOut, Remark};
use super::{FeedKey, Shelf, Topic};
use crate::clock::Timestamp;
use crate::content::{self, Finding};
use crate::db::Db;
use crate::metrics::Metrics;
use crate::noticeboard::{self, Notice};
use crate::problem::Severity;
use crate::site::{FeedFormat, Site};
use sqlx::AnyConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// By which `content problems` knows who found it.
const ROOM: &str = "feed";
/// Before the keys of notices about articles, and about feeds.
const LEFT_OUT: &str = "feed-left-out:";
const KEPT_BACK: &str = "feed-kept-back:";

/// What was found when feeds were made, and what staff know of it.
#[derive(Default)]
pub(super) struct Board {
    found: HashMap<Topic, Found>,
    told: Option<Report>,
}

/// What was found when the feeds of a topic were made last.
pub(super) struct Found {
    /// What of the articles is not in them.
    pub(super) remarks: Vec<Remark>,
    /// Formats of which the last good bytes stay, and why.
    pub(super) refused: Vec<(FeedFormat, String)>,
}

impl Board {
    pub(super) fn note(&mut self, topic: &Topic, found: Found) {
        self.found.insert(topic.clone(), found);
    }

    /// All there is to tell: of each article once, whichever feeds show it.
    pub(super) fn report(&self) -> Report {
        let mut report = Report::default();
        for (topic, found) in &self.found {
            report.remarks.extend(found.remarks.iter().cloned());
            report.refused.extend(found.refused.iter().map(|(format, why)| (topic.key(*format), why.clone())));
        }
        report
    }

    /// Tells staff, if there is news.
    pub(super) async fn tell(&mut self, db: &Db, site: &Site, report: Report, now: Timestamp) -> anyhow::Result<()> {
        if self.told.as_ref() == Some(&report) {
            return Ok(());
        }
        let mut connection = db.reader().acquire().await?;
        let is_told = report.is_told(&mut connection).await?;
        drop(connection);
        if !is_told {
            let mut tx = db.begin().await?;
            report.tell(&mut tx, site, now).await?;
            tx.commit().await?;
        }
        self.told = Some(report);
        Ok(())
    }
}

/// All there is to tell now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    remarks: BTreeSet<Remark>,
    /// Feeds of which the last good bytes stay, and why.
    refused: BTreeMap<FeedKey, String>,
}

impl Report {
    /// Counts it where the operator looks, and has readers of a feed that was never made come
    /// again instead of being told that it does not exist.
    pub(super) fn show(&self, metrics: &Metrics, served: &Shelf) {
        let mut removed = 0;
        let mut left_out = 0;
        for remark in &self.remarks {
            match remark.left_out {
                LeftOut::Characters(count) => removed += i64::try_from(count).unwrap_or(i64::MAX),
                LeftOut::Entry(_) => left_out += 1,
                LeftOut::Link(_) => {}
            }
        }
        metrics.feed_characters_removed.set(removed);
        metrics.feed_entries_left_out.set(left_out);
        metrics.feeds_kept_back.set(i64::try_from(self.refused.len()).unwrap_or(i64::MAX));
        served.withhold(&self.refused.keys().cloned().collect());
    }

    /// Whether there is nothing to tell, and nothing told that is over.
    async fn is_told(&self, connection: &mut AnyConnection) -> anyhow::Result<bool> {
        Ok(*self == Self::default()
            && !content::has_noted(connection, ROOM).await?
            && noticeboard::keys(connection, LEFT_OUT).await?.is_empty()
            && noticeboard::keys(connection, KEPT_BACK).await?.is_empty())
    }

    /// Tells staff in the caller's transaction: each thing once, until it is over.
    async fn tell(&self, connection: &mut AnyConnection, site: &Site, now: Timestamp) -> anyhow::Result<()> {
        let findings: Vec<Finding> = self.remarks.iter().map(finding).collect();
        let problems = content::note(connection, ROOM, &findings, now).await?;
        let mut wanted = BTreeSet::new();
        for (article, problem) in problems.iter().filter(|(_, problem)| problem.is_error()) {
            let key = format!("{LEFT_OUT}{article}");
            let notice = Notice {
                key: &key,
                subject: &format!("An article is in no feed: {}", problem.file.display()),
                body: &format!(
                    "One article would have spoiled the feeds, so they are made without it. All others are there.\n\n{problem}\n"
                ),
            };
            if noticeboard::record(connection, &notice, now).await? {
                tracing::warn!(file = %problem.file.display(), why = problem.message, "an article is left out of the feeds");
            }
            wanted.insert(key);
        }
        for (key, why) in &self.refused {
            wanted.insert(tell_refused(connection, &key.path(site), why, now).await?);
        }
        for prefix in [LEFT_OUT, KEPT_BACK] {
            for over in noticeboard::keys(connection, prefix).await?.iter().filter(|key| !wanted.contains(*key)) {
                noticeboard::clear(connection, over).await?;
            }
        }
        Ok(())
    }
}

fn finding(remark: &Remark) -> Finding {
    let severity = if remark.is_error() { Severity::Error } else { Severity::Warning };
    Finding { article: remark.article, severity, reason: remark.reason() }
}

async fn tell_refused(connection: &mut AnyConnection, path: &str, why: &str, now: Timestamp) -> anyhow::Result<String> {
    let key = format!("{KEPT_BACK}{path}");
    let notice = Notice {
        key: &key,
        subject: &format!("A feed stays as it was: {path}"),
        body: &format!(
            "What Clarion made of the feed {path} is not fit to be published ({why}), and no single article is the cause. Its last good version stays where it is.\n\nPlease tell whoever looks after the machine: this is a mistake in Clarion or in its configuration, not in an article.\n"
        ),
    };
    if noticeboard::record(connection, &notice, now).await? {
        tracing::error!(path, why, "a feed is not fit to be published; its last good version stays");
    }
    Ok(key)
}
