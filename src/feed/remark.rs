//! What a feed leaves out of an article, and why: for staff.

use crate::problem::Reason;

/// Something that an article says and a feed cannot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Remark {
    /// The article's row number.
    pub(super) article: i64,
    pub(super) left_out: LeftOut,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LeftOut {
    /// So many characters that XML cannot carry.
    Characters(usize),
    /// What is no address on the web.
    Link(String),
    /// The whole article, because of this.
    Entry(String),
}

impl Remark {
    /// Whether the article is not in the feeds because of it.
    pub(super) const fn is_error(&self) -> bool {
        matches!(self.left_out, LeftOut::Entry(_))
    }

    /// In words.
    pub(super) fn reason(&self) -> Reason {
        match &self.left_out {
            LeftOut::Characters(count) => Reason::new(
                format!("{count} invisible control characters are left out of feeds, which cannot carry them"),
                "look for &#…; in the text and for what was pasted from another program, and type it again",
            ),
            LeftOut::Link(link) => Reason::new(
                format!("“{link}” is no address on the web, and is left out of feeds"),
                "write it with https://, or name a file of the content folder",
            ),
            LeftOut::Entry(why) => Reason::new(
                format!("the article is in no feed: {why}"),
                "correct it and save the file again; all other articles are in the feeds",
            ),
        }
    }
}
