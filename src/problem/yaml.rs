//! YAML front matter to nodes. Aliases are limited by the parser, so that no text explodes.

use super::{Node, Place, Problem, Reason, Source, Value};
use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use std::ops::Range;

/// Parses the YAML in a byte range of `source`. An empty text is an empty table.
pub(super) fn parse(source: &Source, range: Range<usize>, problems: &mut Vec<Problem>) -> Node {
    let text = &source.text()[range.clone()];
    let offsets = Offsets::new(text, range.start);
    let empty = Node { value: Value::Table(Vec::new()), place: Place::Span(range.clone()) };
    match MarkedYaml::load_from_str(text) {
        Ok(mut documents) if documents.len() == 1 => node(documents.remove(0), &offsets),
        Ok(documents) if documents.is_empty() => empty,
        Ok(_) => {
            let reason = Reason::new("the front matter holds several YAML documents", "keep one, between two lines ---");
            problems.push(source.problem(range, reason));
            empty
        }
        Err(error) => {
            let at = offsets.byte(error.marker().index());
            let reason = Reason::new(
                format!("not valid YAML: {}", error.info()),
                "put quotes round text that contains a colon, and indent with spaces",
            );
            problems.push(source.problem(at..at, reason));
            empty
        }
    }
}

/// The parser counts characters; the rest of Clarion counts bytes.
struct Offsets {
    bytes: Vec<usize>,
}

impl Offsets {
    fn new(text: &str, start: usize) -> Self {
        let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        Self { bytes: ends.map(|at| at + start).collect() }
    }

    fn byte(&self, character: usize) -> usize {
        let last = self.bytes.len() - 1;
        self.bytes[character.min(last)]
    }
}

fn node(yaml: MarkedYaml<'_>, offsets: &Offsets) -> Node {
    let place = Place::Span(offsets.byte(yaml.span.start.index())..offsets.byte(yaml.span.end.index()));
    let value = match yaml.data {
        YamlData::Value(scalar) => scalar_value(&scalar),
        YamlData::Sequence(items) => Value::List(items.into_iter().map(|item| node(item, offsets)).collect()),
        YamlData::Mapping(entries) => Value::Table(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let key = node(key, offsets);
                    (plain_text(&key.value), key.place, node(value, offsets))
                })
                .collect(),
        ),
        YamlData::Tagged(_, inner) => return node(*inner, offsets),
        YamlData::Representation(text, ..) => Value::Text(text.into_owned()),
        YamlData::Alias(_) | YamlData::BadValue => Value::Nothing,
    };
    Node { value, place }
}

fn scalar_value(scalar: &Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Nothing,
        Scalar::Boolean(flag) => Value::Boolean(*flag),
        Scalar::Integer(number) => Value::Integer(*number),
        Scalar::FloatingPoint(number) => Value::Float(number.into_inner()),
        // YAML 1.2 has no dates; readers of values decide whether a text is one.
        Scalar::String(text) => Value::Text(text.to_string()),
    }
}

fn plain_text(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Datetime(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Nothing | Value::List(_) | Value::Table(_) => String::new(),
    }
}
