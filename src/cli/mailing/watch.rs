//! `clarion mailing watch`: how far a mailing is, how fast it goes, how long it will take.

use super::super::output::line;
use super::super::{Context, Outcome};
use super::{sums, unknown};
use crate::db::Db;
use crate::delivery::{self, DeliveryState, MailingState, Summary};
use serde::Serialize;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _, stdout};
use std::time::Duration;
use tokio::time::Instant;

/// In a terminal the line is written anew so often; where it is kept, in a file say, less often.
const LIVE: Duration = Duration::from_secs(1);
const KEPT: Duration = Duration::from_secs(10);
/// The rate is that of the last moments.
const WINDOW: Duration = Duration::from_secs(20);
/// Counting a large mailing may take this part of the time.
const SHARE: u32 = 10;

/// Follows a mailing until nothing of it leaves any more, or Ctrl-C.
pub(super) async fn run(db: &Db, id: i64, context: &Context) -> anyhow::Result<Outcome> {
    let is_live = stdout().is_terminal() && !context.json;
    let mut pace = Pace::default();
    loop {
        let start = Instant::now();
        let mut connection = db.reader().acquire().await?;
        let Some(mailing) = delivery::mailing_summary(&mut connection, id).await? else { return Ok(unknown(id)) };
        drop(connection);
        let progress = pace.progress(&mailing, start);
        let words = if context.json { serde_json::to_string(&progress)? } else { progress.words(&mailing) };
        if is_live {
            // The rest of the line may be of a longer one.
            if write!(stdout(), "\r{words}\x1b[K").and_then(|()| stdout().flush()).is_err() {
                return Ok(Outcome::Done);
            }
        } else {
            line(words);
        }
        if !matches!(mailing.state, MailingState::Cutting | MailingState::Ready | MailingState::Running) {
            break;
        }
        let pause = if is_live { LIVE } else { KEPT };
        tokio::time::sleep(pause.max(start.elapsed() * SHARE)).await;
    }
    if is_live {
        line("");
    }
    Ok(Outcome::Done)
}

/// What was settled when, lately.
#[derive(Default)]
struct Pace(VecDeque<(Instant, i64)>);

/// How far a mailing is.
#[derive(Debug, PartialEq, Serialize)]
struct Progress {
    state: MailingState,
    /// Mails in it.
    all: i64,
    /// Of them nothing more will come.
    settled: i64,
    /// Settled a second, lately.
    per_second: f64,
    /// Until all are settled, if it goes on like this.
    seconds_left: Option<u64>,
}

impl Pace {
    fn progress(&mut self, mailing: &Summary, now: Instant) -> Progress {
        let all = mailing.deliveries.values().sum();
        let waiting = [DeliveryState::Queued, DeliveryState::Leased, DeliveryState::InDoubt, DeliveryState::Deferred];
        let settled = all - waiting.iter().filter_map(|state| mailing.deliveries.get(state)).sum::<i64>();
        self.0.push_back((now, settled));
        while self.0.len() > 2 && now - self.0[1].0 >= WINDOW {
            self.0.pop_front();
        }
        let (since, before) = self.0[0];
        let seconds = (now - since).as_secs_f64();
        let count = u32::try_from(settled - before).map_or(0.0, f64::from);
        let per_second = if seconds > 0.0 { count / seconds } else { 0.0 };
        let left = u32::try_from(all - settled).map_or(0.0, f64::from);
        let seconds_left =
            (per_second > 0.0).then(|| Duration::try_from_secs_f64(left / per_second).map_or(u64::MAX, |left| left.as_secs()));
        Progress { state: mailing.state, all, settled, per_second, seconds_left }
    }
}

impl Progress {
    fn words(&self, mailing: &Summary) -> String {
        let mut words = format!("{}: {} of {} settled ({})", self.state, self.settled, self.all, sums(mailing));
        if self.per_second > 0.0 {
            let _ = write!(words, ", {:.1} a second", self.per_second);
        }
        if let Some(left) = self.seconds_left.filter(|_| self.settled < self.all) {
            let _ = write!(words, ", about {} left", duration(left));
        }
        words
    }
}

/// “3 h 20 min”, “2 min 5 s”.
fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::delivery::Kind;

    fn mailing(counts: &[(DeliveryState, i64)]) -> Summary {
        Summary {
            id: 1,
            key: "k".into(),
            kind: Kind::Digest,
            title: "t".into(),
            state: MailingState::Running,
            reason: None,
            made_at: Timestamp::from_millis(0),
            not_before: Timestamp::from_millis(0),
            deadline: None,
            finished_at: None,
            deliveries: counts.iter().copied().collect(),
        }
    }

    #[test]
    fn the_rate_is_of_the_last_moments_and_tells_how_long_it_takes() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let sent = |count| mailing(&[(DeliveryState::Sent, count), (DeliveryState::Queued, 10_000 - count)]);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(pace.progress(&sent(0), start).seconds_left, None);
        assert_eq!(pace.progress(&sent(100), at(10)).seconds_left, Some(990));
        // What was slow long ago does not count.
        pace.progress(&sent(200), at(20));
        let progress = pace.progress(&sent(6_200), at(40));
        assert_eq!((progress.settled, progress.all, progress.per_second, progress.seconds_left), (6_200, 10_000, 300.0, Some(12)));
        assert_eq!(
            progress.words(&sent(6_200)),
            "running: 6200 of 10000 settled (3800 queued, 6200 sent), 300.0 a second, about 12 s left"
        );
        let doubtful = mailing(&[(DeliveryState::Held, 1), (DeliveryState::Failed, 2), (DeliveryState::InDoubt, 3)]);
        assert_eq!(Pace::default().progress(&doubtful, start).settled, 3);
    }

    #[test]
    fn a_duration_is_told_in_two_units_at_most() {
        assert_eq!([5, 125, 12_000].map(duration), ["5 s", "2 min 5 s", "3 h 20 min"]);
    }
}
