//! A draft can be seen before it is public: each version that is saved is told to staff, with a
//! link that shows the newest. The link is the key: whoever has it sees the draft.

mod email;
mod step;
mod store;

pub use email::Writer;
pub use step::PreviewStep;

use crate::clock::Timestamp;
use crate::language::Language;
use crate::site::Site;
use crate::vault::{Claims, Purpose, TokenRefused, Vault};
use std::time::Duration;

/// How long a link opens.
const LIFETIME: Duration = Duration::from_hours(30 * 24);
/// A draft that is being written is told when nothing was saved for so long.
const QUIET: Duration = Duration::from_secs(20);
/// But no draft that is still waits longer for the others.
const LONGEST_WAIT: Duration = Duration::from_secs(45);
/// Drafts that one mail tells, at most: after an import there may be hundreds.
const MANY: usize = 20;

/// What a link to an article's preview says.
fn claims(article: i64, now: Timestamp) -> Claims {
    Claims::until(Purpose::Preview, article, now + LIFETIME)
}

/// The path of a preview before the token, in the language of the article: it shows how the page
/// will look.
fn path(site: &Site, language: &Language) -> String {
    site.path_in(site.nearest_language(language), "/preview/")
}

/// A link to an article's preview.
pub fn link(vault: &Vault, site: &Site, article: i64, language: &Language, now: Timestamp) -> String {
    site.link(&format!("{}{}", path(site, language), vault.token(&claims(article, now))))
}

/// The row of the article that a token shows, and until when.
pub fn read(vault: &Vault, token: &str, now: Timestamp) -> Result<(i64, Timestamp), TokenRefused> {
    let claims = vault.read_token(Purpose::Preview, token, now)?;
    Ok((claims.subject, claims.expires.map_or(now, Timestamp::from_millis)))
}

/// When versions first seen at these instants are told; `None` when there are none.
fn told_at(seen: &[Timestamp]) -> Option<Timestamp> {
    let (first, last) = (seen.iter().min()?, seen.iter().max()?);
    Some((*last + QUIET).min(*first + LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_together_when_it_is_quiet_and_none_waits_long() {
        let at = |seconds: i64| Timestamp::from_millis(1_800_000_000_000 + seconds * 1000);
        assert_eq!(told_at(&[]), None);
        assert_eq!(told_at(&[at(0)]), Some(at(20)));
        assert_eq!(told_at(&[at(10), at(0)]), Some(at(30)));
        assert_eq!(told_at(&[at(0), at(40)]), Some(at(45)));
    }
}
