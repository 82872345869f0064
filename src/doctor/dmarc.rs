//! The record that says what becomes of mail in a domain's name that it did not send (DMARC, RFC
//! 7489): reading it.

use crate::mail::dkim::tags;

/// What receivers are asked to do with forged mail (RFC 7489 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// Nothing.
    None,
    /// Into the junk folder.
    Quarantine,
    /// Refuse it.
    Reject,
}

impl Policy {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "none" => Some(Self::None),
            "quarantine" => Some(Self::Quarantine),
            "reject" => Some(Self::Reject),
            _ => None,
        }
    }
}

/// How near a domain must be to that of the sender to count for it (§3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alignment {
    /// Of the same organisation.
    Relaxed,
    /// The same.
    Strict,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    policy: Policy,
    /// For domains below the one that has the record.
    subdomains: Option<Policy>,
    /// Per cent of forged mail that the policy is for.
    pub(super) share: u32,
    /// Whether the policy is only tried out: `t=y`.
    pub(super) testing: bool,
    /// Of the domain that signs.
    pub(super) dkim: Alignment,
    /// Of the domain of the envelope.
    pub(super) spf: Alignment,
    /// Whether reports are wanted.
    pub(super) reports: bool,
    /// Whether the record is for a public suffix, below which everybody has a domain (RFC 9091).
    pub(super) public_suffix: bool,
}

impl Record {
    /// Whether a text is meant as one.
    pub(super) fn is_meant(text: &str) -> bool {
        text.split(';').next().is_some_and(|first| first.split_whitespace().collect::<String>().eq_ignore_ascii_case("v=dmarc1"))
    }

    /// Reads a record; one without a policy is worthless.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let list = tags::parse(text)?;
        let value = |name: &str| tags::value(&list, name).map(str::to_ascii_lowercase);
        let policy = |name: &str| match value(name) {
            Some(word) => Policy::parse(&word).map(Some).ok_or_else(|| format!("“{name}={word}” is not a policy")),
            None => Ok(None),
        };
        let share = match value("pct") {
            Some(number) => number.parse().ok().filter(|share| *share <= 100).ok_or("“pct” is not a number from 0 to 100")?,
            None => 100,
        };
        let alignment = |name: &str| if value(name).is_some_and(|word| word == "s") { Alignment::Strict } else { Alignment::Relaxed };
        Ok(Self {
            policy: policy("p")?.ok_or("it has no policy (p=)")?,
            subdomains: policy("sp")?,
            share,
            testing: value("t").is_some_and(|word| word == "y"),
            dkim: alignment("adkim"),
            spf: alignment("aspf"),
            reports: value("rua").is_some(),
            public_suffix: value("psd").is_some_and(|word| word == "y"),
        })
    }

    /// The policy for a domain: the one that has the record, or one below it.
    pub(super) fn policy_for(&self, below: bool) -> Policy {
        if below { self.subdomains.unwrap_or(self.policy) } else { self.policy }
    }
}

/// Where the record of a domain is looked for: there, and at each domain above it that can be
/// somebody's. So the organisation's own is found without a list of public suffixes.
pub(super) fn places(domain: &str) -> Vec<&str> {
    let mut places = vec![domain];
    let mut rest = domain;
    while let Some((_, above)) = rest.split_once('.').filter(|(_, above)| above.contains('.')) {
        places.push(above);
        rest = above;
    }
    places
}

/// Whether one domain counts for the other (§3.1): the same or, if that is not demanded, one
/// above the other, or both below the one that has the record.
pub(super) fn is_aligned(one: &str, other: &str, alignment: Alignment, organisation: &str) -> bool {
    let below = |domain: &str, above: &str| domain == above || domain.ends_with(&format!(".{above}"));
    one == other
        || (alignment == Alignment::Relaxed
            && (below(one, other) || below(other, one) || (below(one, organisation) && below(other, organisation))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_with_its_defaults() {
        let text = "v=DMARC1; p=Reject; rua=mailto:dmarc@example.org";
        assert!(Record::is_meant(text) && Record::is_meant("v = DMARC1 ;p=none") && !Record::is_meant("v=DMARC10; p=none"));
        let record = Record::parse(text).unwrap();
        assert_eq!((record.policy_for(false), record.policy_for(true), record.share), (Policy::Reject, Policy::Reject, 100));
        assert!(record.reports && !record.testing);
        assert_eq!((record.dkim, record.spf), (Alignment::Relaxed, Alignment::Relaxed));
        let record = Record::parse("v=DMARC1; p=reject; sp=none; adkim=s; aspf=s; pct=20; t=y; psd=y").unwrap();
        assert_eq!((record.policy_for(true), record.share), (Policy::None, 20));
        assert!(record.testing && record.public_suffix && !record.reports);
        assert_eq!((record.dkim, record.spf), (Alignment::Strict, Alignment::Strict));
        for wrong in ["v=DMARC1", "v=DMARC1; p=", "v=DMARC1; p=block", "v=DMARC1; p=none; pct=101", "v=DMARC1; p"] {
            assert!(Record::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_record_is_looked_for_upwards_and_never_at_a_top_level_domain() {
        assert_eq!(places("mail.news.example.org"), ["mail.news.example.org", "news.example.org", "example.org"]);
        assert_eq!(places("example.org"), ["example.org"]);
    }

    #[test]
    fn alignment_is_strict_only_where_that_is_asked_for() {
        let aligned = |one, other, strict: bool| {
            let alignment = if strict { Alignment::Strict } else { Alignment::Relaxed };
            is_aligned(one, other, alignment, "example.org")
        };
        assert!(aligned("example.org", "example.org", true));
        assert!(aligned("bounces.example.org", "example.org", false) && !aligned("bounces.example.org", "example.org", true));
        assert!(aligned("bounces.example.org", "news.example.org", false));
        assert!(!aligned("example.net", "example.org", false) && !aligned("badexample.org", "example.org", false));
    }
}
