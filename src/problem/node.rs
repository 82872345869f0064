//! A parsed value with its place: what TOML and YAML have in common.

use std::ops::Range;

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A byte range of the source.
    Span(Range<usize>),
    /// Outside the file, for example `the environment variable CLARION_WEB__LISTEN`.
    Named(String),
}

/// A value and where it was written.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Its place.
    pub place: Place,
}

/// What a configuration file or front matter can say.
#[derive(Clone, Debug)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A date, a time or both, as written.
    Datetime(String),
    /// YAML's empty value.
    Nothing,
    /// A list.
    List(Vec<Node>),
    /// A table: each key with the place where it stands.
    Table(Vec<(String, Place, Node)>),
}

impl Value {
    /// The kind of value in words for a message: "found a list".
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number with a fraction",
            Self::Boolean(_) => "true or false",
            Self::Datetime(_) => "a date",
            Self::Nothing => "nothing",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}
