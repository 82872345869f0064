//! Where claims pass: what may leave now goes on, what must wait is put off to a time of its own.

use super::bucket::Filling;
use super::store::{self, warmth};
use super::{Group, Rates};
use crate::clock::Timestamp;
use crate::delivery::filling::Filler;
use crate::delivery::ledger::Claim;
use crate::delivery::rules::{Settlement, postpone};
use jiff::ToSpan as _;
use jiff::tz::TimeZone;
use sqlx::AnyConnection;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The bucket of all relays together.
const RELAY_HOUR: &str = "relay/hour";
/// What is put off comes in handfuls, so that not every mail costs a claim of its own.
const HANDFUL: Duration = Duration::from_millis(250);
/// No further ahead is mail put off one by one: what lies beyond is due together and claimed by
/// priority again, so that a petition does not wait behind a digest, nor anything behind what was
/// cancelled.
const HORIZON: Duration = Duration::from_mins(30);

/// The limits, and how far ahead mail has been put off.
pub(in crate::delivery) struct Gate {
    rates: Rates,
    zone: TimeZone,
    /// The last time given out, by group.
    put_off: Mutex<HashMap<usize, Timestamp>>,
}

/// How many mails may be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::delivery) enum Allowance {
    /// So many.
    Mails(i64),
    /// None before this time, but for those that somebody waits for.
    UrgentBefore(Timestamp),
}

/// Claims that passed, and those that were put off.
#[derive(Default)]
pub(in crate::delivery) struct Admitted {
    pub(in crate::delivery) claims: Vec<Claim>,
    /// Groups of claims by delivery, where they have one.
    pub(in crate::delivery) groups: HashMap<i64, usize>,
    pub(in crate::delivery) put_off: Vec<Settlement>,
}

impl Gate {
    pub(in crate::delivery) fn new(rates: Rates, zone: TimeZone) -> Self {
        Self { rates, zone, put_off: Mutex::default() }
    }

    /// Mails of a group on their way at once, at most.
    pub(in crate::delivery) fn connections(&self, group: usize) -> u32 {
        match self.rates.groups.get(group).map(|group| group.connections) {
            None | Some(0) => u32::MAX,
            Some(connections) => connections,
        }
    }

    /// How many mails may leave through the relays now. What it counts stays locked until the
    /// transaction ends, so that two daemons do not both use what is left.
    ///
    /// Rows are locked in one order wherever mail is counted: the day, the relays' hour, groups.
    pub(in crate::delivery) async fn allowance(&self, connection: &mut AnyConnection, now: Timestamp) -> anyhow::Result<Allowance> {
        let (mut mails, mut full_until) = (i64::MAX, None);
        if let Some(warm_up) = &self.rates.warm_up {
            store::count_day(connection, &self.today(now), 0).await?;
            mails = warmth(connection, warm_up, &self.zone, now).await?.left();
            full_until = (mails == 0).then(|| self.tomorrow(now));
        }
        // Also where nothing is left of the day: urgent mail counts here too.
        if let Some(filling) = hourly(self.rates.per_hour) {
            let mut level = store::level(connection, RELAY_HOUR, filling, now).await?;
            let next = level.next(filling);
            mails = mails.min(i64::try_from(level.take(usize::try_from(mails).unwrap_or(usize::MAX)))?);
            full_until = full_until.or((mails == 0).then_some(next));
        }
        Ok(full_until.map_or(Allowance::Mails(mails), Allowance::UrgentBefore))
    }

    fn today(&self, now: Timestamp) -> String {
        now.in_zone(&self.zone).date().to_string()
    }

    /// The first instant of the next day.
    fn tomorrow(&self, now: Timestamp) -> Timestamp {
        let next = now.in_zone(&self.zone).date().checked_add(1.day()).and_then(|day| day.to_zoned(self.zone.clone()));
        next.map_or(now + Duration::from_hours(24), |day| Timestamp::from(&day))
    }

    /// Counts claims against every limit, in the transaction that wrote them. Those of a group
    /// that is at its limit are put off.
    pub(in crate::delivery) async fn admit(
        &self,
        connection: &mut AnyConnection,
        filler: &Filler,
        claims: Vec<Claim>,
        now: Timestamp,
    ) -> anyhow::Result<Admitted> {
        let mut admitted = Admitted::default();
        let mut grouped: BTreeMap<usize, Vec<Claim>> = BTreeMap::new();
        for claim in claims {
            match self.group_of(filler, &claim) {
                Some(group) => {
                    admitted.groups.insert(claim.attempt.id, group);
                    grouped.entry(group).or_default().push(claim);
                }
                None => admitted.claims.push(claim),
            }
        }
        for (group, claims) in grouped {
            let room = self.take(connection, &self.rates.groups[group], &claims, now).await?;
            let (pass, wait) = split(claims, room.mails);
            admitted.claims.extend(pass);
            let times = self.times(group, &room, wait.len(), now);
            admitted.put_off.extend(wait.iter().zip(times).map(|(claim, at)| postpone(&claim.attempt, at)));
        }
        // The most urgent first again, as they were claimed.
        admitted.claims.sort_by_key(|claim| claim.kind.priority());
        self.count(connection, i64::try_from(admitted.claims.len())?, now).await?;
        Ok(admitted)
    }

    /// Only where there are groups is an address opened for it.
    fn group_of(&self, filler: &Filler, claim: &Claim) -> Option<usize> {
        if self.rates.groups.is_empty() {
            return None;
        }
        filler.recipient(claim).ok().and_then(|address| self.rates.group_of(&address))
    }

    /// Takes tokens of a group for these claims: as many as there are, but for urgent ones all.
    async fn take(&self, connection: &mut AnyConnection, group: &Group, claims: &[Claim], now: Timestamp) -> anyhow::Result<Room> {
        let urgent = claims.iter().filter(|claim| claim.kind.is_urgent()).count();
        let mut room = Room { mails: claims.len() - urgent, next: now, spacing: Duration::ZERO };
        let mut levels = Vec::new();
        for (name, filling) in buckets(group) {
            let level = store::level(connection, &name, filling, now).await?;
            let mut there = level;
            room.mails = room.mails.min(there.take(room.mails));
            room.spacing = room.spacing.max(filling.spacing());
            levels.push((name, filling, level));
        }
        for (name, filling, mut level) in levels {
            level.take_all_the_same(room.mails + urgent);
            room.next = room.next.max(level.next(filling));
            store::set_level(connection, &name, level).await?;
        }
        Ok(room)
    }

    /// Times for so many that wait: one after another, behind those put off before.
    fn times(&self, group: usize, room: &Room, count: usize, now: Timestamp) -> Vec<Timestamp> {
        let mut put_off = self.put_off.lock().unwrap_or_else(PoisonError::into_inner);
        let last = put_off.entry(group).or_insert(room.next);
        // Before the next may leave, looking again is of no use.
        let horizon = (now + HORIZON).max(room.next);
        *last = (*last).max(room.next);
        (0..count)
            .map(|_| {
                *last = (*last + room.spacing).min(horizon);
                let handful = i64::try_from(HANDFUL.as_millis()).unwrap_or(1);
                Timestamp::from_millis((last.as_millis() / handful + 1) * handful)
            })
            .collect()
    }

    async fn count(&self, connection: &mut AnyConnection, mails: i64, now: Timestamp) -> anyhow::Result<()> {
        if mails == 0 {
            return Ok(());
        }
        if self.rates.warm_up.is_some() {
            store::count_day(connection, &self.today(now), mails).await?;
        }
        if let Some(filling) = hourly(self.rates.per_hour) {
            let mut level = store::level(connection, RELAY_HOUR, filling, now).await?;
            level.take_all_the_same(usize::try_from(mails)?);
            store::set_level(connection, RELAY_HOUR, level).await?;
        }
        Ok(())
    }

    /// Whether anything is counted, so that it can be given back.
    pub(in crate::delivery) fn counts(&self) -> bool {
        self.rates.per_hour > 0 || self.rates.warm_up.is_some() || !self.rates.groups.is_empty()
    }

    /// Gives back what admitted claims took that were not tried.
    pub(in crate::delivery) async fn refund(
        &self,
        connection: &mut AnyConnection,
        groups: impl IntoIterator<Item = Option<usize>>,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let (mut all, mut of_groups) = (0, BTreeMap::<usize, usize>::new());
        for group in groups {
            all += 1;
            if let Some(group) = group {
                *of_groups.entry(group).or_default() += 1;
            }
        }
        // In the order that `allowance` tells.
        if all > 0 && self.rates.warm_up.is_some() {
            store::count_day(connection, &self.today(now), -i64::try_from(all)?).await?;
        }
        if all > 0 && self.rates.per_hour > 0 {
            store::refund(connection, RELAY_HOUR, all).await?;
        }
        for (group, count) in of_groups {
            for (name, _) in buckets(&self.rates.groups[group]) {
                store::refund(connection, &name, count).await?;
            }
        }
        Ok(())
    }

    /// When what was put off is due next, if anything is.
    pub(in crate::delivery) async fn next_due(&self, connection: &mut AnyConnection, now: Timestamp) -> anyhow::Result<Option<Timestamp>> {
        let waits = self.put_off.lock().unwrap_or_else(PoisonError::into_inner).values().any(|last| *last + HANDFUL > now);
        if waits { store::next_due(connection, now).await } else { Ok(None) }
    }
}

/// How many of a group may leave, and how those are spaced that may not.
struct Room {
    mails: usize,
    next: Timestamp,
    spacing: Duration,
}

fn hourly(mails: u32) -> Option<Filling> {
    (mails > 0).then(|| Filling::per_hour(mails))
}

/// A group's buckets, always in the same order, in which their rows are locked.
fn buckets(group: &Group) -> Vec<(String, Filling)> {
    let second = (group.per_second > 0).then(|| (format!("group:{}/second", group.name), Filling::per_second(group.per_second)));
    let hour = hourly(group.per_hour).map(|filling| (format!("group:{}/hour", group.name), filling));
    hour.into_iter().chain(second).collect()
}

/// Urgent claims and so many others, and the rest.
fn split(claims: Vec<Claim>, mails: usize) -> (Vec<Claim>, Vec<Claim>) {
    let mut left = mails;
    claims.into_iter().partition(|claim| {
        let passes = claim.kind.is_urgent() || left > 0;
        if passes && !claim.kind.is_urgent() {
            left -= 1;
        }
        passes
    })
}
