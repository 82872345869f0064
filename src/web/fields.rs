//! The header fields of a request (RFC 9110 §5), where they lie: in hyper's map, or in the octets
//! of a connection, where nothing has been copied or counted yet.

use axum::http::header::HeaderValue;
use axum::http::{HeaderMap, HeaderName};

/// Header fields by name, each with all its lines.
#[derive(Clone, Copy)]
pub(super) enum Fields<'r> {
    /// As hyper gives them.
    Map(&'r HeaderMap),
    /// As httparse found them.
    Lines(&'r [httparse::Header<'r>]),
}

impl<'r> From<&'r HeaderMap> for Fields<'r> {
    fn from(map: &'r HeaderMap) -> Self {
        Self::Map(map)
    }
}

impl<'r> Fields<'r> {
    /// The values of all lines with this name, in their order.
    pub(super) fn all(self, name: HeaderName) -> impl DoubleEndedIterator<Item = &'r [u8]> {
        let (map, lines) = match self {
            Self::Map(map) => (Some(map.get_all(&name)), &[][..]),
            Self::Lines(lines) => (None, lines),
        };
        let of_lines = lines.iter().filter(move |line| line.name.eq_ignore_ascii_case(name.as_str())).map(|line| line.value);
        map.into_iter().flatten().map(HeaderValue::as_bytes).chain(of_lines)
    }

    /// The value of the first line with this name.
    pub(super) fn get(self, name: HeaderName) -> Option<&'r [u8]> {
        self.all(name).next()
    }

    /// Whether there is a line with this name.
    pub(super) fn has(self, name: HeaderName) -> bool {
        self.get(name).is_some()
    }
}

/// A value as text, if it is ASCII, as every value that means something here is.
pub(super) fn text(value: &[u8]) -> Option<&str> {
    str::from_utf8(value).ok().filter(|text| text.is_ascii())
}
