//! YAML front matter to nodes. The loader limits what aliases multiply; how deep a text nests is
//! looked at here first, since trees are taken down by recursion, and a stack that is too small
//! for that ends the whole program.

use super::{Node, Place, Problem, Reason, Source, Value};
use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use saphyr_parser::{Event, Parser, ScanError};
use std::ops::Range;

/// Nobody means more than this: TOML's parser has the same limit.
const DEEPEST: usize = 80;

/// Parses the YAML in a byte range of `source`. An empty text is an empty table.
pub(super) fn parse(source: &Source, range: Range<usize>, problems: &mut Vec<Problem>) -> Node {
    let text = &source.text()[range.clone()];
    let offsets = Offsets::new(text, range.start);
    let empty = Node { value: Value::Table(Vec::new()), place: Place::Span(range.clone()) };
    let loaded = match too_deep(text) {
        Ok(Some(character)) => {
            let at = offsets.byte(character);
            let reason = Reason::new("lists or tables are nested too deep here", "write each list on one line, without lists in it");
            problems.push(source.problem(at..at, reason));
            return empty;
        }
        Ok(None) => MarkedYaml::load_from_str(text),
        Err(error) => Err(error),
    };
    match loaded {
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

/// Where a text nests deeper than is understood, if it does.
fn too_deep(text: &str) -> Result<Option<usize>, ScanError> {
    let mut depth = 0_usize;
    for event in Parser::new_from_str(text) {
        let (event, span) = event?;
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Ok(Some(span.start.index()));
        }
    }
    Ok(None)
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
