//! TOML to nodes, with every syntax error told.

use super::{Node, Place, Problem, Reason, Source, Value};
use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue, Error};
use std::ops::Range;

/// Parses a TOML text that begins at byte `offset` of `source` (front matter begins later than
/// the file). What cannot be parsed is told in `problems`; what can is returned all the same.
pub(super) fn parse(source: &Source, range: Range<usize>, problems: &mut Vec<Problem>) -> Node {
    let (table, errors) = DeTable::parse_recoverable(&source.text()[range.clone()]);
    problems.extend(errors.iter().map(|error| syntax_problem(source, range.start, error)));
    let place = span(&table.span(), range.start);
    Node { value: table_value(table.into_inner(), range.start), place }
}

fn syntax_problem(source: &Source, offset: usize, error: &Error) -> Problem {
    let span = error.span().unwrap_or(0..0);
    let span = span.start + offset..span.end + offset;
    let text = source.text();
    let line_start = text[..span.start.min(text.len())].rfind('\n').map_or(0, |at| at + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    source.problem(span, Reason::new(first_line(error.message()), syntax_remedy(line)))
}

/// The parser's own sentence, without what follows its first line.
fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or("this is not understood").trim_end_matches('.');
    format!("not valid TOML: {line}")
}

/// What usually went wrong on a line that TOML refuses, in the words of somebody who does not
/// know TOML.
fn syntax_remedy(line: &str) -> &'static str {
    if line.contains(['“', '”', '„', '＂', '「', '」']) {
        "use straight quotes \" typed on a plain keyboard, not curly or full-width ones"
    } else if line.contains(['＝', '［', '］', '，', '　']) {
        "a full-width sign stands where a plain one belongs: type = [ ] , and the space in half-width"
    } else if line.contains('=') {
        "write it as  name = \"text\"  with quotes round the text; repeat no name; close every bracket and quote"
    } else {
        "write one  name = \"text\"  a line; lines of explanation begin with #"
    }
}

fn table_value(table: DeTable<'_>, offset: usize) -> Value {
    let mut entries: Vec<_> = table
        .into_iter()
        .map(|(key, value)| {
            let place = span(&key.span(), offset);
            (key.into_inner().into_owned(), place, node(value, offset))
        })
        .collect();
    // The parser sorts by key; people expect the order they wrote.
    entries.sort_by_key(|(_, place, _)| match place {
        Place::Span(span) => span.start,
        Place::Named(_) => usize::MAX,
    });
    Value::Table(entries)
}

fn node(value: Spanned<DeValue<'_>>, offset: usize) -> Node {
    let place = span(&value.span(), offset);
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Text(number.to_string()),
        },
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Value::Boolean(flag),
        DeValue::Datetime(date) => Value::Datetime(date.to_string()),
        DeValue::Array(items) => Value::List(items.into_iter().map(|item| node(item, offset)).collect()),
        DeValue::Table(table) => table_value(table, offset),
    };
    Node { value, place }
}

fn span(span: &Range<usize>, offset: usize) -> Place {
    Place::Span(span.start + offset..span.end + offset)
}
