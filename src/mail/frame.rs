//! What surrounds the text of every mail: sender, postal address, ways out (S19, M4).

use crate::language::{Language, Voice};
use crate::site::Site;

/// What `mail/layout.html` and [`Frame::footer_text`] show.
#[derive(Clone)]
pub struct Frame {
    /// Speaks the mail's language.
    pub voice: Voice,
    /// The mail's language.
    pub language: Language,
    /// The site's title.
    pub site_title: String,
    /// The site, as an absolute link.
    pub home: String,
    /// The organisation's postal address.
    pub postal_address: String,
    /// The personal way out: usually a slot. Only in mails that can be refused.
    pub unsubscribe: Option<String>,
    /// Where choices are changed: the page that mails a fresh link (S3).
    pub preferences: Option<String>,
}

impl Frame {
    /// The frame of a mail that a person asked for, or that goes to staff.
    pub fn plain(site: &Site, voice: Voice, language: &Language) -> Self {
        Self {
            home: site.link(&site.page_path(language, &[])),
            site_title: site.title.get(language).to_owned(),
            postal_address: site.postal_address.clone(),
            language: language.clone(),
            voice,
            unsubscribe: None,
            preferences: None,
        }
    }

    /// The frame of a mail that can be refused; `unsubscribe` is the link or its slot.
    pub fn with_way_out(site: &Site, voice: Voice, language: &Language, unsubscribe: String) -> Self {
        Self {
            unsubscribe: Some(unsubscribe),
            preferences: Some(site.link(&site.path_in(language, "/preferences"))),
            ..Self::plain(site, voice, language)
        }
    }

    /// The end of the plain text, after a line of the signature kind (RFC 3676 §4.3).
    pub fn footer_text(&self) -> String {
        let mut lines = vec!["-- ".to_owned(), self.voice.say_with("mail-sender", "site", self.site_title.as_str())];
        if !self.postal_address.is_empty() {
            lines.push(self.postal_address.clone());
        }
        lines.push(self.home.clone());
        if let Some(preferences) = &self.preferences {
            lines.push(format!("{}: {preferences}", self.voice.say("mail-preferences")));
        }
        if let Some(unsubscribe) = &self.unsubscribe {
            lines.push(format!("{}: {unsubscribe}", self.voice.say("mail-unsubscribe")));
        }
        lines.join("\n")
    }
}
