//! Files and videos of an entry, for all formats.

use super::clean::{Clean, Link, Scrub};
use super::extension::{Element, Namespace};
use super::remark::LeftOut;
use crate::content::{Article, Video};
use crate::site::Site;
use url::Url;

/// What comes with an entry.
#[derive(Default)]
pub(super) struct Media {
    /// Files, in the order of the article; its own video, if that is a file of ours, last.
    pub(super) attachments: Vec<Attachment>,
    /// The page on which its video is watched.
    page: Option<Link>,
    /// A picture of it that a reader's program gets from nobody but us.
    thumbnail: Option<Link>,
}

pub(super) struct Attachment {
    pub(super) url: Link,
    pub(super) media_type: Clean,
    /// In octets, never 0: that would say that it is not known.
    pub(super) length: Option<i64>,
    pub(super) title: Option<Clean>,
}

impl Attachment {
    /// `audio` or `video`, if it is one.
    fn medium(&self) -> Option<&'static str> {
        ["audio", "video"].into_iter().find(|medium| self.media_type.as_str().starts_with(&format!("{medium}/")))
    }
}

impl Media {
    /// What comes with an article, and what of it is left out.
    pub(super) fn of(article: &Article, site: &Site, scrub: &mut Scrub) -> (Self, Vec<LeftOut>) {
        let mut media = Self { thumbnail: picture(article, site), ..Self::default() };
        let mut left_out = Vec::new();
        for file in &article.enclosures {
            match Link::parse(&file.url) {
                Some(url) => media.attachments.push(Attachment {
                    url,
                    media_type: media_type(&file.media_type),
                    length: file.length.filter(|length| *length > 0),
                    title: file.title.as_ref().map(|title| scrub.text(title)).filter(|title| !title.is_empty()),
                }),
                None => left_out.push(LeftOut::Link(file.url.clone())),
            }
        }
        match Video::of(article, site) {
            Some(Video::Page { url, .. }) => media.page = Link::parse(&url),
            Some(Video::File { url, media_type }) => media.add_video(article, &url, media_type),
            None => {}
        }
        (media, left_out)
    }

    fn add_video(&mut self, article: &Article, url: &str, media_type: &str) {
        let Some(url) = Link::parse(url).filter(|url| !self.attachments.iter().any(|file| file.url == *url)) else { return };
        let length = article.video_length.filter(|length| *length > 0);
        self.attachments.push(Attachment { url, media_type: Clean::new(media_type), length, title: None });
    }

    /// In Media RSS, which RSS and Atom share. `media:content` is left out beside a document:
    /// newsboat 2.21 lets it replace the enclosure (F13).
    pub(super) fn elements(&self) -> Vec<Element> {
        let thumbnail = || self.thumbnail.as_ref().map(|picture| Element::new(Namespace::Media, "thumbnail").with("url", picture));
        if self.attachments.iter().any(|file| file.medium().is_none()) {
            let player = self.page.as_ref().map(Element::from);
            return player.into_iter().flat_map(|player| [Some(player), thumbnail()]).flatten().collect();
        }
        let played = self.attachments.iter().filter_map(|file| Some((file, file.medium()?)));
        let files = played.map(|(file, medium)| {
            let length = file.length.map(|length| Clean::new(length.to_string()));
            let content = content(medium).with("url", &file.url).with("type", file.media_type.clone()).with_some("fileSize", length);
            content.around(thumbnail().filter(|_| medium == "video"))
        });
        let page = self.page.as_ref().map(|page| content("video").around(std::iter::once(Element::from(page)).chain(thumbnail())));
        files.chain(page).collect()
    }
}

fn content(medium: &'static str) -> Element {
    Element::new(Namespace::Media, "content").with("medium", Clean::new(medium))
}

/// The article's picture, if it is ours, or the site's on which the article is kept. Programs
/// fetch thumbnails unasked: one at `YouTube` would tell `YouTube` who reads what.
pub(super) fn picture(article: &Article, site: &Site) -> Option<Link> {
    let picture = Url::parse(article.image.as_ref()?).ok()?;
    let original = article.canonical_url.as_ref().filter(|_| article.living).and_then(|url| Url::parse(url).ok());
    let ours = picture.origin() == site.base_url.origin();
    let theirs = original.is_some_and(|original| original.host() == picture.host());
    Link::parse(picture.as_str()).filter(|_| ours || theirs)
}

/// A media type without parameters (RFC 9110 §8.3.1); what is none is bytes.
fn media_type(text: &str) -> Clean {
    let token = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&c));
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_type = essence.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype));
    Clean::new(if is_type { &essence } else { "application/octet-stream" })
}

#[cfg(test)]
mod tests {
    use super::media_type;

    #[test]
    fn a_media_type_is_one_or_says_that_nobody_knows() {
        for (text, expected) in [
            ("Text/Plain; charset=utf-8", "text/plain"),
            ("application/vnd.ms-excel", "application/vnd.ms-excel"),
            ("pdf", "application/octet-stream"),
            ("a/b\"><x", "application/octet-stream"),
            ("", "application/octet-stream"),
        ] {
            assert_eq!(media_type(text).as_str(), expected, "{text}");
        }
    }
}
