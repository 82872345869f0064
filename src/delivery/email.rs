//! The mail by which staff see that mail arrives.

use super::{Kind, Letter, To, find_mailing, mark, post};
use crate::address::Address;
use crate::clock::Timestamp;
use crate::language::Catalogue;
use crate::mail::Frame;
use crate::site::Site;
use crate::vault::{Vault, random_name};
use anyhow::Context as _;
use askama::Template;
use sqlx::AnyConnection;

#[derive(Template)]
#[template(path = "mail/test/body.txt")]
struct Text<'a> {
    frame: &'a Frame,
    heading: &'a str,
    opening: &'a str,
}

#[derive(Template)]
#[template(path = "mail/test/body.html")]
struct Html<'a> {
    frame: &'a Frame,
    heading: &'a str,
    opening: &'a str,
}

/// Puts a test mail to somebody of the staff into the ledger, in the site's first language.
/// Returns the number of its mailing.
pub async fn post_test(
    connection: &mut AnyConnection,
    vault: &Vault,
    site: &Site,
    catalogue: &Catalogue,
    to: &Address,
    now: Timestamp,
) -> anyhow::Result<i64> {
    let key = format!("mail-test:{}", random_name());
    let language = site.default_language();
    let voice = catalogue.voice(language);
    let say = |part: &str| voice.say_with(&format!("mail-test-{part}"), "site", site.title.get(language));
    let (subject, heading, opening) = (say("subject"), say("heading"), say("opening"));
    let frame = Frame::plain(site, voice.clone(), language);
    let letter = Letter {
        key: &key,
        kind: Kind::Staff,
        language,
        subject: &subject,
        body_text: &Text { frame: &frame, heading: &heading, opening: &opening }.render()?,
        body_html: &Html { frame: &frame, heading: &heading, opening: &opening }.render()?,
        mark: &mark(vault, &key),
        to: vec![(To::Staff(to.clone()), Vec::new())],
    };
    post(connection, vault, &letter, now).await?;
    Ok(find_mailing(connection, &key).await?.context("a mailing just posted is not found")?.id)
}
