//! Mistakes in files that people write: where they are, what is wrong, and what to do about it.
//!
//! Configuration, petitions, missions and the front matter of articles are all read through
//! [`table::Table`], so that every mistake in a file is told at once and in the same words.

mod node;
mod table;
mod toml;
mod yaml;

pub use node::{Node, Place, Value};
pub use table::{FromNode, Reading, Table};

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; the file is used as it is.
    Warning,
    /// The file is not used until this is mended.
    Error,
}

/// Why a value is refused, and what to write instead. The parsers of single values return it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}; {remedy}")]
pub struct Reason {
    /// What is wrong, beginning in lower case and without a full stop.
    pub message: String,
    /// What to do, as an instruction.
    pub remedy: String,
}

impl Reason {
    /// A reason from its two halves.
    pub fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { message: message.into(), remedy: remedy.into() }
    }
}

/// One mistake, with its place.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The file, as the reader of the message should see it.
    pub file: PathBuf,
    /// Line, counted from 1; 0 when the mistake has no line (a missing file).
    pub line: usize,
    /// Column in characters, counted from 1; 0 when there is none.
    pub column: usize,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// The line itself and the byte range in it that the mistake covers.
    #[serde(skip)]
    pub excerpt: Option<(String, Range<usize>)>,
}

impl Problem {
    /// A problem of a whole file: missing, unreadable, wrongly named.
    pub fn of_file(file: impl Into<PathBuf>, reason: Reason) -> Self {
        Self {
            file: file.into(),
            line: 0,
            column: 0,
            severity: Severity::Error,
            message: reason.message,
            remedy: reason.remedy,
            excerpt: None,
        }
    }

    /// Whether the file is not used until this is mended.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The same problem, told as a warning.
    #[must_use]
    pub fn as_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }
}

/// `file:line:column: error: what — remedy`, on one line.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, ": {severity}: {} — {}", self.message, self.remedy)
    }
}

/// The text of a file, which can tell the line of any byte in it.
#[derive(Clone, Debug)]
pub struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// A source from its name and text.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// A source from the bytes of a file. Anything but UTF-8 is refused with the encoding it
    /// seems to have, since editors in Tokyo still save UTF-16 and `Shift_JIS`.
    pub fn from_bytes(path: impl Into<PathBuf>, bytes: &[u8]) -> Result<Self, Box<Problem>> {
        let path = path.into();
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => Ok(Self::new(path, text)),
            _ => Err(Box::new(Problem::of_file(
                path,
                Reason::new(
                    format!("the file is saved as {}, not as UTF-8", guess_encoding(bytes)),
                    "in the editor choose “Save as”, encoding UTF-8, and save it again",
                ),
            ))),
        }
    }

    /// The file's name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A problem at a byte range of this text.
    pub fn problem(&self, span: Range<usize>, reason: Reason) -> Problem {
        let start = floor_char(&self.text, span.start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at);
        let line_text = self.text[line_start..line_end].trim_end_matches('\r');
        let from = (start - line_start).min(line_text.len());
        let to = floor_char(line_text, span.end.saturating_sub(line_start)).clamp(from, line_text.len());
        Problem {
            file: self.path.clone(),
            line: self.text[..start].matches('\n').count() + 1,
            column: self.text[line_start..line_start + from].chars().count() + 1,
            severity: Severity::Error,
            message: reason.message,
            remedy: reason.remedy,
            excerpt: Some((line_text.to_owned(), from..to)),
        }
    }
}

/// The greatest character boundary of `text` at or below `at`.
fn floor_char(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|&index| text.is_char_boundary(index)).unwrap_or(0)
}

/// The likely name of an encoding that is not UTF-8, for a message to a person.
fn guess_encoding(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.contains(&0) {
        "UTF-16 (“Unicode”)"
    } else if bytes.windows(2).any(|pair| matches!(pair, [0x81..=0x9f | 0xe0..=0xef, 0x40..=0x7e | 0x80..=0xfc])) {
        "Shift_JIS, or another older encoding"
    } else {
        "an older encoding such as Latin-1"
    }
}
