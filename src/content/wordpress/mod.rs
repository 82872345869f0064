//! WordPress, left behind: its texts as clean HTML, its export as a folder of articles.
//!
//! Bodies become `.html` files, never Markdown: what WordPress stores *is* HTML, with tables,
//! classes of figures and embedded players that Markdown has no words for, and whatever a
//! conversion lost would be lost for good. HTML is an article like any other here.

pub(in crate::content) mod autop;
mod html;
mod players;
pub(in crate::content) mod shortcode;
