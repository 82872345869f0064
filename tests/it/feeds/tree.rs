//! A document as a tree, as its readers see it.

use quick_xml::Reader;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesStart, Event};
use std::collections::BTreeMap;

/// An element.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// With its prefix.
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    /// Without that of its children.
    pub text: String,
    pub children: Vec<Node>,
}

impl Node {
    /// The root of a document.
    pub fn parse(document: &str) -> Self {
        let mut reader = Reader::from_str(document);
        let mut open = vec![Self::default()];
        loop {
            let last = open.len() - 1;
            match reader.read_event().unwrap() {
                Event::Start(element) => open.push(Self::of(&element)),
                Event::Empty(element) => open[last].children.push(Self::of(&element)),
                Event::End(_) => {
                    let done = open.pop().unwrap();
                    open[last - 1].children.push(done);
                }
                Event::Text(text) => open[last].text.push_str(&text.decode().unwrap()),
                Event::CData(text) => open[last].text.push_str(&text.decode().unwrap()),
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref().unwrap().map(String::from);
                    let text = character.unwrap_or_else(|| resolve_predefined_entity(&reference.decode().unwrap()).unwrap().to_owned());
                    open[last].text.push_str(&text);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        open.remove(0).children.remove(0)
    }

    fn of(element: &BytesStart<'_>) -> Self {
        let attribute = |attribute: quick_xml::events::attributes::Attribute<'_>| {
            let value = unescape(std::str::from_utf8(&attribute.value).unwrap()).unwrap().into_owned();
            (std::str::from_utf8(attribute.key.as_ref()).unwrap().to_owned(), value)
        };
        Self {
            name: std::str::from_utf8(element.name().as_ref()).unwrap().to_owned(),
            attributes: element.attributes().map(|found| attribute(found.unwrap())).collect(),
            ..Self::default()
        }
    }

    /// The children of a name.
    pub fn all<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child of a name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of a name, or nothing.
    pub fn text_of(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| &child.text)
    }

    /// An attribute, or nothing.
    pub fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// This and all below it.
    pub fn everything(&self) -> Vec<&Self> {
        std::iter::once(self).chain(self.children.iter().flat_map(Self::everything)).collect()
    }
}
