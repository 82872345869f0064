//! The words by which articles can be asked for: what no line has, nobody needs to look for.

use super::Line;
use std::collections::HashSet;
use std::sync::Arc;

/// Slugs of categories, tags and authors, and times, that public articles have.
#[derive(Debug, Default)]
pub struct Words {
    categories: HashSet<Arc<str>>,
    tags: HashSet<Arc<str>>,
    authors: HashSet<Arc<str>>,
    /// `yyyy` and `yyyy/mm`.
    times: HashSet<Arc<str>>,
}

impl Words {
    pub(super) fn of(lines: &[Arc<Line>]) -> Self {
        let mut words = Self::default();
        for line in lines {
            words.categories.extend(line.categories.iter().cloned());
            words.tags.extend(line.tags.iter().map(|tag| Arc::clone(&tag.slug)));
            words.authors.extend(line.authors.iter().map(|author| Arc::clone(&author.slug)));
            if words.times.insert(Arc::clone(&line.month)) {
                words.times.extend(line.month.get(..4).map(Arc::from));
            }
        }
        words
    }

    /// Whether any article is in this category.
    pub fn has_category(&self, slug: &str) -> bool {
        self.categories.contains(slug)
    }

    /// Whether any article has this tag.
    pub fn has_tag(&self, slug: &str) -> bool {
        self.tags.contains(slug)
    }

    /// Whether anybody of this name wrote an article.
    pub fn has_author(&self, slug: &str) -> bool {
        self.authors.contains(slug)
    }

    /// Whether any article is of this year, `yyyy`, or month, `yyyy/mm`.
    pub fn has_time(&self, time: &str) -> bool {
        self.times.contains(time)
    }
}
