//! How fast mail may leave (M14): so many an hour through the relays, so many a second, an hour
//! and at once to each group of recipient domains, so many a day while a new sender warms up.
//!
//! A recipient's domain is looked at when the mail is made and is kept nowhere: what is counted
//! is the configured group, or nothing (S19).

mod bucket;
mod gate;
mod store;

pub(super) use gate::{Admitted, Allowance, Gate};
pub use store::{Warmth, warmth};

use crate::address::Address;
use jiff::civil::Date;

/// Limits beyond [`Settings`](super::Settings). The default: none.
#[derive(Clone, Debug)]
pub struct Rates {
    /// Mails an hour over all relays and daemons; 0: no limit.
    pub per_hour: u32,
    /// A connection is closed after so many mails: some relays insist.
    pub mails_per_connection: u32,
    /// How a sender that nobody knows begins.
    pub warm_up: Option<WarmUp>,
    /// Recipient domains with limits of their own.
    pub groups: Vec<Group>,
}

impl Default for Rates {
    fn default() -> Self {
        Self { per_hour: 0, mails_per_connection: 200, warm_up: None, groups: Vec::new() }
    }
}

impl Rates {
    /// The group of an address, by its place in the list.
    pub(super) fn group_of(&self, address: &Address) -> Option<usize> {
        let domain = address.domain();
        self.groups.iter().position(|group| group.domains.iter().any(|known| known.eq_ignore_ascii_case(domain)))
    }
}

/// Recipient domains that share their mail servers, such as all of one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What it is called in the database and in metrics.
    pub name: String,
    /// Its domains, as A-labels.
    pub domains: Vec<String>,
    /// Mails a second over all daemons; 0: no limit.
    pub per_second: u32,
    /// Mails an hour over all daemons; 0: no limit.
    pub per_hour: u32,
    /// Mails on their way at the same time, of one daemon; 0: no limit.
    pub connections: u32,
}

/// How a sender that nobody knows begins: providers distrust an address that sends a hundred
/// thousand mails on its first day.
#[derive(Clone, Debug, PartialEq)]
pub struct WarmUp {
    /// Mails on the first day of sending.
    pub first_day: u32,
    /// How many times more after each day on which at least half of what may leave has left.
    pub growth: f64,
    /// Days before this one do not count, as after a change of the sending address.
    pub since: Option<Date>,
}

impl WarmUp {
    /// Mails that may leave on a day before which so many left, day by day. A day on which a few
    /// confirmations left has made nobody known: it does not count.
    fn cap_after(&self, days: &[i64]) -> i64 {
        let used = days.iter().fold(0, |used, mails| used + u32::from(mails.saturating_mul(2) >= self.cap(used)));
        self.cap(used)
    }

    /// Mails that may leave after so many days that count.
    pub fn cap(&self, days: u32) -> i64 {
        let grown = f64::from(self.first_day) * self.growth.powf(f64::from(days.min(10_000)));
        // Beyond this it is no cap any more.
        #[expect(clippy::cast_possible_truncation, reason = "bounded before")]
        let cap = grown.min(1e12) as i64;
        cap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_sender_begins_slowly_and_grows() {
        let warm_up = WarmUp { first_day: 500, growth: 1.5, since: None };
        assert_eq!([0, 1, 2, 10].map(|days| warm_up.cap(days)), [500, 750, 1125, 28_832]);
        assert_eq!(warm_up.cap(u32::MAX), 1_000_000_000_000);
        assert_eq!(warm_up.cap_after(&[]), 500);
        assert_eq!(warm_up.cap_after(&[500, 750]), 1125);
    }

    #[test]
    fn a_day_counts_if_at_least_half_of_what_may_leave_has_left() {
        let warm_up = WarmUp { first_day: 500, growth: 1.5, since: None };
        assert_eq!(warm_up.cap_after(&[3, 1, 0, 249]), 500, "confirmations");
        assert_eq!(warm_up.cap_after(&[3, 250]), 750);
        assert_eq!(warm_up.cap_after(&[500, 374, 2]), 750, "less than half of 750");
        assert_eq!(warm_up.cap_after(&[500, 374, 375]), 1125);
    }

    #[test]
    fn an_address_belongs_to_the_group_that_names_its_domain() {
        let group = |name: &str, domain: &str| Group {
            name: name.to_owned(),
            domains: vec![domain.to_owned()],
            per_second: 0,
            per_hour: 0,
            connections: 0,
        };
        let rates = Rates { groups: vec![group("one", "one.example"), group("two", "xn--bcher-kva.example")], ..Rates::default() };
        let group_of = |text: &str| rates.group_of(&Address::parse(text).unwrap());
        assert_eq!(group_of("kim@One.example"), Some(0));
        assert_eq!(group_of("kim@bücher.example"), Some(1));
        assert_eq!(group_of("kim@sub.one.example"), None);
    }
}
