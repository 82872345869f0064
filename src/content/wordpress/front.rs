//! The head of an article's file, written.

use std::fmt::Write as _;

/// What front matter is made of; see `docs/articles.md` for the keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Front {
    pub(super) title: String,
    /// As TOML writes dates.
    pub(super) date: String,
    pub(super) updated: Option<String>,
    pub(super) id: Option<String>,
    pub(super) slug: Option<String>,
    pub(super) lang: Option<String>,
    pub(super) translation: Option<String>,
    pub(super) categories: Vec<String>,
    pub(super) tags: Vec<String>,
    pub(super) authors: Vec<String>,
    pub(super) summary: Option<String>,
    pub(super) image: Option<String>,
    pub(super) aliases: Vec<String>,
    pub(super) draft: bool,
    pub(super) enclosures: Vec<Enclosed>,
}

/// A file that comes with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Enclosed {
    pub(super) url: String,
    pub(super) media_type: Option<String>,
    pub(super) length: Option<u64>,
    pub(super) title: Option<String>,
}

impl Front {
    /// The head between its fences, and a line break.
    pub(super) fn toml(&self) -> String {
        let mut text = format!("+++\ntitle = {}\ndate = {}\n", quoted(&self.title), self.date);
        let mut key = |name: &str, value: &Option<String>| {
            if let Some(value) = value {
                let _ = writeln!(text, "{name} = {value}");
            }
        };
        let string = |value: &Option<String>| value.as_deref().map(quoted);
        let list = |values: &Vec<String>| {
            let quoted: Vec<String> = values.iter().map(|value| quoted(value)).collect();
            (!quoted.is_empty()).then(|| format!("[{}]", quoted.join(", ")))
        };
        key("updated", &self.updated);
        key("id", &string(&self.id));
        key("slug", &string(&self.slug));
        key("lang", &string(&self.lang));
        key("translation", &string(&self.translation));
        key("categories", &list(&self.categories));
        key("tags", &list(&self.tags));
        key("authors", &list(&self.authors));
        key("summary", &string(&self.summary));
        key("image", &string(&self.image));
        key("aliases", &list(&self.aliases));
        key("draft", &self.draft.then(|| "true".to_owned()));
        // Whoever subscribed before the move has read it.
        key("announce", &Some(quoted("no")));
        for Enclosed { url, media_type, length, title } in &self.enclosures {
            let _ = write!(text, "\n[[enclosure]]\nurl = {}\n", quoted(url));
            if let Some(media_type) = media_type {
                let _ = writeln!(text, "type = {}", quoted(media_type));
            }
            if let Some(length) = length {
                let _ = writeln!(text, "length = {length}");
            }
            if let Some(title) = title {
                let _ = writeln!(text, "title = {}", quoted(title));
            }
        }
        text.push_str("+++\n");
        text
    }
}

/// A TOML basic string.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
