//! Turns sign-ups into mail, off the request that took them in: how long a page takes to
//! answer tells nothing about who is known here (S2).

use super::email::{Answer, Desk};
use super::store::{
    address_of_signup, any_new, begin, mailed_since, mailed_to, next_new, prune, record_consent, set_rhythm, settle, subscription,
};
use super::{ConsentKind, Occasion, Signup, SignupState, SubscriptionState, Wish};
use crate::addressbook;
use crate::clock::{Clock, Timestamp};
use crate::db::Db;
use crate::language::Catalogue;
use crate::noticeboard::{self, Notice};
use crate::site::Site;
use crate::task::{Kick, Step, Wake};
use crate::vault::Vault;
use sqlx::AnyConnection;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const MONTH: Duration = Duration::from_hours(30 * 24);
/// Sign-ups are kept a little longer than the limits look back.
const KEPT: Duration = Duration::from_hours(31 * 24);
/// Rows pruned at once.
const PRUNED: i64 = 200;
/// Mails an hour to everybody together; more is an attack, or a day to be looked at by people.
const BREAKER: i64 = 500;
/// While the breaker is open, one look a minute.
const BREAKER_PAUSE: Duration = Duration::from_mins(1);

/// Handles what the page took in, in order, one at a time.
pub struct SignupStep {
    db: Db,
    clock: Clock,
    desk: Desk,
    /// Names of the rhythms there are; the first is the one for who chose none.
    digests: Vec<String>,
    delivery: Kick,
    /// When sign-ups were last pruned, in Unix milliseconds.
    pruned_at: AtomicI64,
}

impl SignupStep {
    /// The step; `delivery` is kicked when there is a mail to send.
    pub fn new(db: Db, vault: Vault, clock: Clock, site: Site, catalogue: Catalogue, digests: Vec<String>, delivery: Kick) -> Self {
        let desk = Desk { vault, site, catalogue, reads_mail: false };
        Self { db, clock, desk, digests, delivery, pruned_at: AtomicI64::new(i64::MIN) }
    }

    /// The same step where what is mailed to our addresses is read: people may confirm by mail.
    #[must_use]
    pub fn reading_mail(self, reads_mail: bool) -> Self {
        Self { desk: Desk { reads_mail, ..self.desk }, ..self }
    }

    async fn take(&self, now: Timestamp) -> anyhow::Result<Wake> {
        let mut tx = self.db.begin().await?;
        if mailed_since(&mut tx, now - HOUR).await? >= BREAKER {
            noticeboard::record(&mut tx, &breaker_notice(&format!("signup-breaker:{}", now.as_seconds() / 86_400)), now).await?;
            tx.commit().await?;
            return Ok(Wake::At(now + BREAKER_PAUSE));
        }
        if let Some(signup) = next_new(&mut tx).await? {
            self.handle(&mut tx, &signup, now).await?;
            tx.commit().await?;
            self.delivery.kick();
        }
        Ok(Wake::Now)
    }

    async fn handle(&self, connection: &mut AnyConnection, signup: &Signup, now: Timestamp) -> anyhow::Result<()> {
        let vault = &self.desk.vault;
        let (address, index) = match address_of_signup(connection, vault, signup.id).await {
            Ok(found) => found,
            // It would stop all those who wait behind it.
            Err(error) => {
                tracing::error!(signup = signup.id, error = format!("{error:#}"), "a sign-up cannot be opened and is dropped");
                return settle(connection, signup.id, SignupState::Dropped, None, now).await;
            }
        };
        let person = addressbook::find(connection, vault, &address).await?;
        let facts = Facts {
            wish: signup.wish,
            suppressed: addressbook::is_suppressed(connection, &index).await?,
            today: mailed_to(connection, &index, signup.wish, now - DAY).await?,
            this_month: mailed_to(connection, &index, signup.wish, now - MONTH).await?,
            standing: match person {
                Some(person) => subscription(connection, person).await?.map(|found| found.state),
                None => None,
            },
        };
        let Some(answer) = answer_to(&facts) else {
            return settle(connection, signup.id, SignupState::Dropped, None, now).await;
        };
        let person = addressbook::find_or_enter(connection, vault, &address, now).await?;
        if answer == Answer::Confirm {
            let rhythm = self.rhythm_of(connection, signup).await?;
            begin(connection, person, rhythm).await?;
            let occasion = Occasion { method: signup.method, text_version: &signup.text_version, note: None };
            record_consent(connection, person, ConsentKind::Asked, occasion, signup.asked_at).await?;
        }
        self.desk.answer(connection, signup, person, answer, now).await?;
        settle(connection, signup.id, SignupState::Mailed, Some(person), now).await
    }

    /// The rhythm of a sign-up; the first there is for one that chose none, or that staff have
    /// taken away since.
    async fn rhythm_of<'a>(&'a self, connection: &mut AnyConnection, signup: &'a Signup) -> anyhow::Result<&'a str> {
        let chosen = &signup.choices.rhythm;
        match self.digests.first() {
            Some(first) if !self.digests.contains(chosen) => {
                set_rhythm(connection, signup.id, first).await?;
                Ok(first)
            }
            _ => Ok(chosen),
        }
    }

    /// Forgets old sign-ups, and people who never confirmed, once an hour.
    async fn tidy(&self, now: Timestamp) -> anyhow::Result<Wake> {
        let last = Timestamp::from_millis(self.pruned_at.load(Ordering::Relaxed));
        if last <= now && now.since(last) < HOUR {
            return Ok(Wake::WhenKicked);
        }
        let mut tx = self.db.begin().await?;
        let pruned = prune(&mut tx, now - KEPT, PRUNED, now).await?;
        tx.commit().await?;
        if pruned > 0 {
            return Ok(Wake::Now);
        }
        self.pruned_at.store(now.as_millis(), Ordering::Relaxed);
        Ok(Wake::WhenKicked)
    }
}

impl Step for SignupStep {
    const NAME: &'static str = "signup";

    async fn step(&self) -> anyhow::Result<Wake> {
        let now = self.clock.now();
        let waiting = any_new(&mut *self.db.reader().acquire().await?).await?;
        if waiting { self.take(now).await } else { self.tidy(now).await }
    }
}

/// What decides about a sign-up.
struct Facts {
    wish: Wish,
    suppressed: bool,
    /// Mails this wish brought to the address in the last day.
    today: i64,
    /// And in the last thirty.
    this_month: i64,
    standing: Option<SubscriptionState>,
}

/// The mail that answers a sign-up, if any.
fn answer_to(facts: &Facts) -> Option<Answer> {
    // Anybody can type anybody's address; a link to one's choices is asked for more often.
    let (a_day, a_month) = match facts.wish {
        Wish::Subscribe => (1, 3),
        Wish::Preferences => (3, 10),
    };
    if facts.suppressed || facts.today >= a_day || facts.this_month >= a_month {
        return None;
    }
    match (facts.wish, facts.standing) {
        (Wish::Subscribe, Some(SubscriptionState::Active)) => Some(Answer::Already),
        (Wish::Subscribe, _) => Some(Answer::Confirm),
        // Also who left may look, and have their address forgotten.
        (Wish::Preferences, Some(SubscriptionState::Active | SubscriptionState::Left)) => Some(Answer::Preferences),
        // Who never confirmed is written to for that alone.
        (Wish::Preferences, _) => None,
    }
}

fn breaker_notice(key: &str) -> Notice<'_> {
    Notice {
        key,
        subject: "Very many sign-ups: confirmation mails wait",
        body: "More than 500 confirmation mails were sent within one hour. Somebody may be abusing the form to flood other people's \
               mailboxes, or you had a very good day.\n\n\
               Nothing is lost: the others wait, and go out as the hour passes.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(wish: Wish, standing: Option<SubscriptionState>) -> Facts {
        Facts { wish, suppressed: false, today: 0, this_month: 0, standing }
    }

    #[test]
    fn a_stranger_gets_one_confirmation_a_day_and_three_a_month() {
        let stranger = facts(Wish::Subscribe, None);
        assert_eq!(answer_to(&stranger), Some(Answer::Confirm));
        assert_eq!(answer_to(&Facts { today: 1, this_month: 1, ..stranger }), None);
        let stranger = facts(Wish::Subscribe, None);
        assert_eq!(answer_to(&Facts { this_month: 2, ..stranger }), Some(Answer::Confirm));
        let stranger = facts(Wish::Subscribe, None);
        assert_eq!(answer_to(&Facts { this_month: 3, ..stranger }), None);
    }

    #[test]
    fn each_is_answered_by_how_they_stand() {
        use SubscriptionState::{Active, Left, Pending};
        for (wish, standing, answer) in [
            (Wish::Subscribe, Some(Active), Some(Answer::Already)),
            (Wish::Subscribe, Some(Pending), Some(Answer::Confirm)),
            (Wish::Subscribe, Some(Left), Some(Answer::Confirm)),
            (Wish::Preferences, Some(Active), Some(Answer::Preferences)),
            (Wish::Preferences, Some(Left), Some(Answer::Preferences)),
            (Wish::Preferences, Some(Pending), None),
            (Wish::Preferences, None, None),
        ] {
            assert_eq!(answer_to(&facts(wish, standing)), answer, "{wish} {standing:?}");
            assert_eq!(answer_to(&Facts { suppressed: true, ..facts(wish, standing) }), None);
        }
    }
}
