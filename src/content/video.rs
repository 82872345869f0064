//! The video of an article: a file of ours, or a page elsewhere, of which nothing is loaded
//! before a reader asks.

use super::media::{Kind, path_of_address};
use super::{Article, embed};
use crate::site::Site;
use url::Url;

/// How an article's video is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Video {
    /// A file that this site serves.
    File {
        /// Absolute.
        url: String,
        /// Such as `video/mp4`.
        media_type: &'static str,
    },
    /// A page of another site.
    Page {
        /// Absolute.
        url: String,
        /// What people call that site: `YouTube`, or its host.
        site: String,
    },
}

impl Video {
    /// That of an article, if it has one.
    pub fn of(article: &Article, site: &Site) -> Option<Self> {
        let url = article.video.clone()?;
        let parsed = Url::parse(&url).ok()?;
        let kind = Kind::by_name(parsed.path()).filter(|kind| kind.is_video());
        if let Some(kind) = kind.filter(|_| parsed.origin() == site.base_url.origin()) {
            return Some(Self::File { url, media_type: kind.media_type });
        }
        let host = parsed.host_str().unwrap_or_default().trim_start_matches("www.");
        let name = match host {
            "youtube.com" | "youtu.be" | "m.youtube.com" => "YouTube",
            "vimeo.com" => "Vimeo",
            host => host,
        };
        Some(Self::Page { url, site: name.to_owned() })
    }
}

/// The path in the content folder of what an address serves, if that is a file of ours.
pub(super) fn file_of(address: &str) -> Option<String> {
    path_of_address(Url::parse(address).ok()?.path())
}

impl Article {
    /// The body for readers who see nothing but it, such as feed readers: with a link to the
    /// video at its end, on the article's picture where it has one (F11).
    pub fn body_with_video(&self) -> String {
        match &self.video {
            Some(video) => format!("{}{}", self.body_html, embed::linked_video(video, self.image.as_deref())),
            None => self.body_html.clone(),
        }
    }
}
