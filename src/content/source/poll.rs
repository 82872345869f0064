//! A poll in progress: one request at a time, so that no step takes long.

use super::intake::Intake;
use super::item::Item;
use super::store::Followed;
use super::{Kind, Settings, feed, wordpress};
use crate::clock::{Clock, Timestamp};
use crate::content::Announce;
use crate::content::lease::Lease;
use crate::content::look::blocking;
use crate::content::record::Moment;
use crate::db::Db;
use crate::fetch::{Fetch, FetchError, Request, Response};
use crate::problem::Reason;
use crate::site::Site;
use std::time::Duration;

/// Articles recorded in one transaction.
const BATCH: usize = 100;

/// What a poll works with.
pub(super) struct Context<'c> {
    pub(super) db: &'c Db,
    pub(super) lease: &'c Lease,
    pub(super) clock: &'c Clock,
    pub(super) site: &'c Site,
    pub(super) settings: &'c Settings,
    pub(super) names: &'c [String],
    pub(super) announce_within: Duration,
    pub(super) fetch: &'c Fetch,
}

/// Why a poll came to an end before it was done.
#[derive(Debug)]
pub(super) enum Failure {
    /// The site did not answer as it should.
    Site {
        /// For staff.
        reason: Reason,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The answer is longer than is read; a smaller piece may be asked for.
    TooLarge(Reason),
    /// Something is wrong on this side.
    Own(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Own(error.into())
    }
}

impl Failure {
    /// The site did not answer as it should.
    pub(super) fn site(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Site { reason: Reason::new(message, remedy), retry_after: None }
    }
}

/// A poll in progress.
pub(super) enum Poll {
    WordPress(Box<wordpress::Poll>),
    Feed(Box<Followed>),
}

/// How far a call came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// Whether anything public may have changed.
    pub(super) changed: bool,
    /// Whether the poll is done.
    pub(super) done: bool,
}

impl Poll {
    pub(super) async fn begin(context: &Context<'_>, followed: Followed) -> anyhow::Result<Self> {
        Ok(match context.settings.kind {
            Kind::WordPress => Self::WordPress(Box::new(wordpress::Poll::begin(context, followed).await?)),
            Kind::Feed => Self::Feed(Box::new(followed)),
        })
    }

    /// Makes one request and takes in what it brings.
    pub(super) async fn advance(&mut self, context: &Context<'_>) -> Result<Progress, Failure> {
        match self {
            Self::WordPress(poll) => poll.advance(context).await,
            Self::Feed(followed) => read_feed(context, followed).await,
        }
    }

    /// What is known of the source after the poll.
    pub(super) fn into_followed(self) -> Followed {
        match self {
            Self::WordPress(poll) => poll.into_followed(),
            Self::Feed(followed) => *followed,
        }
    }
}

async fn read_feed(context: &Context<'_>, followed: &mut Followed) -> Result<Progress, Failure> {
    let request = Request {
        etag: followed.etag.clone(),
        last_modified: followed.last_modified.clone(),
        accept: Some("application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"),
        ..Request::new(context.settings.url.clone())
    };
    let response = expected(context.ask(request).await?, context.clock.now())?;
    let mut progress = Progress { done: true, changed: false };
    if response.status == 304 {
        return Ok(progress);
    }
    (followed.etag, followed.last_modified) = validators(&response);
    let url = response.url.clone();
    let read = blocking(move || Ok(feed::read(&response.body, &url))).await?;
    let mut items = read.map_err(|reason| Failure::Site { reason, retry_after: None })?;
    // What appears together is published in the order of its dates.
    items.sort_by_key(|item| item.date);
    let announce = followed.announce();
    while !items.is_empty() {
        let rest = items.split_off(items.len().min(BATCH));
        progress.changed |= context.take_in(&mut items, announce).await?;
        items = rest;
    }
    Ok(progress)
}

impl Context<'_> {
    /// Asks, whatever the status of the answer.
    pub(super) async fn ask(&self, request: Request) -> Result<Response, Failure> {
        self.fetch.get(request).await.map_err(|error| match error {
            FetchError::TooLarge { .. } => Failure::TooLarge(error.reason()),
            error => Failure::Site { reason: error.reason(), retry_after: None },
        })
    }

    /// How an article is taken in.
    pub(super) fn intake<'i>(&'i self, making: &'i str, announce: Announce) -> Intake<'i> {
        let moment = Moment { now: self.clock.now(), announce_within: self.announce_within };
        Intake { settings: self.settings, site: self.site, names: self.names, making, announce, moment }
    }

    /// Takes in articles in one transaction. Returns whether anything public changed.
    async fn take_in(&self, items: &mut [Item], announce: Announce) -> anyhow::Result<bool> {
        let making = self.settings.making(self.site);
        let intake = self.intake(&making, announce);
        let mut changed = false;
        let mut tx = self.db.begin().await?;
        self.lease.renew(&mut tx).await?;
        for item in items {
            changed |= intake.take_in(&mut tx, item).await?;
        }
        tx.commit().await?;
        Ok(changed)
    }
}

/// The validators of an answer.
pub(super) fn validators(response: &Response) -> (Option<String>, Option<String>) {
    (response.header("etag").map(str::to_owned), response.header("last-modified").map(str::to_owned))
}

/// An answer with what was asked for, or that it has not changed.
pub(super) fn expected(response: Response, now: Timestamp) -> Result<Response, Failure> {
    let (status, url) = (response.status, &response.url);
    let (what, remedy) = match status {
        200 | 304 => return Ok(response),
        401 | 403 => {
            ("refuses to be read", "have whoever keeps the site let it be read without a password; security plugins often forbid it")
        }
        404 | 410 => ("is not there", "open the address in a browser, and correct it in the configuration"),
        429 | 503 => ("is busy", "nothing, if it passes: it is asked again later"),
        500.. => ("is broken", "tell whoever keeps the site; it is asked again later"),
        _ => ("gives no answer that is understood", "open the address in a browser, and correct it in the configuration"),
    };
    let reason = Reason::new(format!("{url} {what} (status {status})"), remedy);
    Err(Failure::Site { reason, retry_after: retry_after(&response, now) })
}

/// `Retry-After` in seconds or as a date (RFC 9110 §10.2.3).
fn retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    let value = response.header("retry-after")?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_millis(i64::try_from(date.as_millis()).ok()?).since(now))
}
