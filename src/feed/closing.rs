//! The last entry of a category that ends: readers are told in the feed itself, since a feed that
//! one day answers 410 tells them nothing.

use super::model::Note;
use crate::clock::Timestamp;
use crate::language::{Language, Voice};
use crate::site::{Category, Retirement, Site};

/// Under which the first telling is remembered. Another day is another telling.
pub(super) fn name(category: &Category, retired: &Retirement) -> String {
    format!("{}:{}", category.slug, retired.on)
}

/// The closing entry of a category, in a language.
pub(super) fn note(site: &Site, voice: &Voice, language: &Language, slug: &str, told_at: Timestamp) -> Option<Note> {
    let category = site.category(slug)?;
    let retired = category.retired.as_ref()?;
    let successor = retired.successor.as_ref().or(category.parent.as_ref()).and_then(|slug| site.category(slug));
    let (name, segments) = match successor {
        Some(next) => (next.title.get(language), vec!["category", next.slug.as_str()]),
        None => (site.title.get(language), Vec::new()),
    };
    let link = site.link(&site.page_path(language, &segments));
    let own = category.title.get(language).to_owned();
    let variables = [
        ("name", own.into()),
        ("day", voice.date(retired.on).into()),
        ("successor", name.to_owned().into()),
        ("link", link.clone().into()),
    ];
    Some(Note {
        name: site.path_in(language, &format!("/closing/{slug}/{}", retired.on)),
        link,
        title: voice.say_all("feed-closing-title", &variables),
        text: voice.say_all("feed-closing-text", &variables),
        language: language.clone(),
        at: told_at,
    })
}
