//! Mails that somebody asked for with an address. Nothing that was typed into the form appears
//! in them (S4): a list bomber has no say in what the victim reads.

use super::{CONFIRM_WITHIN, PREFERENCES_WITHIN, Signup};
use crate::clock::Timestamp;
use crate::delivery::{self, CONFIRM_BY_MAIL, Kind, Letter, PersonalLink, To};
use crate::language::{Catalogue, Language};
use crate::mail::Frame;
use crate::site::Site;
use crate::vault::{Claims, Purpose, Vault};
use askama::Template;
use sqlx::AnyConnection;

/// What is answered to somebody who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Confirm first.
    Confirm,
    /// They are subscribed already; here is the link to their choices.
    Already,
    /// The link to their choices that they asked for.
    Preferences,
}

impl Answer {
    /// What its texts are called in the catalogue.
    fn texts(self) -> &'static str {
        match self {
            Self::Confirm => "mail-confirm",
            Self::Already => "mail-already",
            Self::Preferences => "mail-choices",
        }
    }

    /// The page it leads to, and the slot of the link.
    fn page(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Already | Self::Preferences => "preferences",
        }
    }

    fn claims(self, signup: &Signup, person: i64, now: Timestamp) -> Claims {
        match self {
            Self::Confirm => Claims::until(Purpose::Confirm, signup.id, now + CONFIRM_WITHIN),
            Self::Already | Self::Preferences => Claims::until(Purpose::Preferences, person, now + PREFERENCES_WITHIN),
        }
    }
}

#[derive(Template)]
#[template(path = "mail/account/body.txt")]
struct Text<'a> {
    frame: &'a Frame,
    words: &'a Words,
}

#[derive(Template)]
#[template(path = "mail/account/body.html")]
struct Html<'a> {
    frame: &'a Frame,
    words: &'a Words,
}

struct Words {
    heading: String,
    opening: String,
    button: String,
    closing: String,
    link: String,
    /// How to do it without a browser, and the address.
    by_mail: Option<(String, String)>,
}

/// What writes the answers.
pub(super) struct Desk {
    pub(super) vault: Vault,
    pub(super) site: Site,
    pub(super) catalogue: Catalogue,
    /// Whether what is mailed to our addresses is read, so that they can be offered.
    pub(super) reads_mail: bool,
}

impl Desk {
    /// Puts the answer to a sign-up into the ledger, once for each sign-up.
    pub(super) async fn answer(
        &self,
        connection: &mut AnyConnection,
        signup: &Signup,
        person: i64,
        answer: Answer,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let key = format!("{}:{}", answer.page(), signup.id);
        let mark = delivery::mark(&self.vault, &key);
        let language = self.site.nearest_language(&signup.language).clone();
        let (subject, frame, words) = self.words(answer, &language, &mark);
        let link = PersonalLink {
            slot: answer.page().to_owned(),
            path: self.site.path_in(&language, &format!("/{}/", answer.page())),
            claims: answer.claims(signup, person, now),
        };
        let letter = Letter {
            key: &key,
            kind: Kind::Account,
            language: &language,
            subject: &subject,
            body_text: &Text { frame: &frame, words: &words }.render()?,
            body_html: &Html { frame: &frame, words: &words }.render()?,
            mark: &mark,
            to: vec![(To::Person(person), vec![link])],
        };
        delivery::post(connection, &self.vault, &letter, now).await?;
        Ok(())
    }

    fn words(&self, answer: Answer, language: &Language, mark: &str) -> (String, Frame, Words) {
        let voice = self.catalogue.voice(language);
        let site = self.site.title.get(language);
        let say = |part: &str| voice.say_with(&format!("{}-{part}", answer.texts()), "site", site);
        let words = Words {
            heading: say("heading"),
            opening: say("opening"),
            button: say("button"),
            closing: say("closing"),
            link: delivery::slot(mark, answer.page()),
            by_mail: (self.reads_mail && answer == Answer::Confirm).then(|| (say("by-mail"), delivery::slot(mark, CONFIRM_BY_MAIL))),
        };
        let subject = say("subject");
        (subject, Frame::plain(&self.site, voice, language), words)
    }
}
