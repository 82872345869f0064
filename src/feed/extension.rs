//! Elements of other namespaces, for RSS and Atom alike.
//!
//! `atom_syndication` 0.12 writes the attributes of extensions and the addresses of namespaces as
//! they are; `rss` 2.1 escapes them, and writes prefixes that nobody declared (F7). So names are
//! constants of ours, values are [`Clean`] or a [`Link`], and who writes an element gets its
//! namespace with it.

use super::clean::{Clean, Link};
use std::collections::BTreeMap;

/// A namespace beyond the format's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Namespace {
    /// Media RSS.
    Media,
    /// Deleted entries (RFC 6721).
    Tombstones,
    /// Archives of feeds (RFC 5005).
    History,
}

impl Namespace {
    /// The prefix that everybody knows it by.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Media => "media",
            Self::Tombstones => "at",
            Self::History => "fh",
        }
    }

    /// Nothing here needs escaping.
    const fn uri(self) -> &'static str {
        match self {
            // With the slash: without it, it is another.
            Self::Media => "http://search.yahoo.com/mrss/",
            Self::Tombstones => "http://purl.org/atompub/tombstones/1.0",
            Self::History => "http://purl.org/syndication/history/1.0",
        }
    }
}

/// An element of a namespace.
#[derive(Clone, Debug)]
pub(super) struct Element {
    namespace: Namespace,
    name: &'static str,
    attributes: Vec<(&'static str, Clean)>,
    children: Vec<Element>,
}

impl Element {
    pub(super) const fn new(namespace: Namespace, name: &'static str) -> Self {
        Self { namespace, name, attributes: Vec::new(), children: Vec::new() }
    }

    /// With an attribute; of two with one name the last counts.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Clean>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// With an attribute if there is a value.
    pub(super) fn with_some(self, name: &'static str, value: Option<impl Into<Clean>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(super) fn around(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// Such as `media:player`.
    fn qualified(&self) -> String {
        format!("{}:{}", self.namespace.prefix(), self.name)
    }

    fn to_rss(&self) -> rss::extension::Extension {
        rss::extension::Extension {
            name: self.qualified(),
            value: None,
            attrs: self.attributes.iter().map(|(name, value)| ((*name).to_owned(), String::from(value))).collect(),
            children: by_name(&self.children, Self::to_rss),
        }
    }

    fn to_atom(&self) -> atom_syndication::extension::Extension {
        atom_syndication::extension::Extension {
            name: self.qualified(),
            value: None,
            attrs: self.attributes.iter().map(|(name, value)| ((*name).to_owned(), escaped(value.as_str()))).collect(),
            children: by_name(&self.children, Self::to_atom),
        }
    }
}

impl From<&Link> for Element {
    /// A player, which readers open when they are asked to.
    fn from(page: &Link) -> Self {
        Self::new(Namespace::Media, "player").with("url", page)
    }
}

/// Elements for an RSS channel or item.
pub(super) fn rss(elements: &[Element]) -> rss::extension::ExtensionMap {
    by_prefix(elements, Element::to_rss)
}

/// Elements for an Atom feed or entry.
pub(super) fn atom(elements: &[Element]) -> atom_syndication::extension::ExtensionMap {
    by_prefix(elements, Element::to_atom)
}

/// What a document with these elements must declare: prefixes and addresses.
pub(super) fn namespaces<'e>(elements: impl IntoIterator<Item = &'e Element>) -> BTreeMap<String, String> {
    let mut declared = BTreeMap::new();
    for element in elements {
        declared.insert(element.namespace.prefix().to_owned(), element.namespace.uri().to_owned());
        declared.extend(namespaces(&element.children));
    }
    declared
}

fn by_prefix<T>(elements: &[Element], made: impl Fn(&Element) -> T) -> BTreeMap<String, BTreeMap<String, Vec<T>>> {
    let mut map: BTreeMap<String, BTreeMap<String, Vec<T>>> = BTreeMap::new();
    for element in elements {
        let names = map.entry(element.namespace.prefix().to_owned()).or_default();
        names.entry(element.name.to_owned()).or_default().push(made(element));
    }
    map
}

fn by_name<T>(elements: &[Element], made: impl Fn(&Element) -> T) -> BTreeMap<String, Vec<T>> {
    let mut map: BTreeMap<String, Vec<T>> = BTreeMap::new();
    for element in elements {
        map.entry(element.name.to_owned()).or_default().push(made(element));
    }
    map
}

/// The value of an attribute as it is written (XML 1.0 §2.3).
fn escaped(value: &str) -> String {
    value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
