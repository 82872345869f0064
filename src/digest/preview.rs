//! What a digest would send now, without sending it: no watermark moves.

use super::Settings;
use super::cut::{Group, Press, articles, groups, verdicts};
use super::email::Rendered;
use super::selection::Verdict;
use crate::content;
use crate::language::{Catalogue, Language};
use crate::site::Site;
use crate::subscription;
use sqlx::AnyConnection;
use std::collections::BTreeMap;

/// Readers looked at in one query.
const CHUNK: i64 = 500;

/// What a digest would send now.
#[derive(Clone, Debug)]
pub struct Preview {
    /// One for each mail that differs; those with the most readers first.
    pub groups: Vec<PreviewGroup>,
    /// Readers for whom there is something, but less than the minimum.
    pub waiting: usize,
    /// Readers for whom there is nothing new.
    pub nothing: usize,
}

/// People who would get the same mail.
#[derive(Clone, Debug)]
pub struct PreviewGroup {
    /// The mail's language.
    pub language: Language,
    /// How many articles it carries.
    pub articles: usize,
    /// How many people would get it.
    pub readers: usize,
    /// The mail. Its way out leads to the page of choices, since it belongs to nobody.
    pub rendered: Rendered,
}

/// What a digest would send if it ran now.
pub async fn preview(connection: &mut AnyConnection, settings: &Settings, site: &Site, catalogue: &Catalogue) -> anyhow::Result<Preview> {
    let upper = content::high_water(connection).await?;
    let mut preview = Preview { groups: Vec::new(), waiting: 0, nothing: 0 };
    let mut counts: BTreeMap<Group, usize> = BTreeMap::new();
    let mut after = 0;
    loop {
        let readers = subscription::readers(connection, Some(&settings.name), after, CHUNK).await?;
        let Some(last) = readers.last() else { break };
        after = last.person;
        let verdicts = verdicts(connection, settings, site, &readers, upper).await?;
        preview.waiting += verdicts.iter().filter(|verdict| **verdict == Verdict::Waits).count();
        preview.nothing += verdicts.iter().filter(|verdict| **verdict == Verdict::Nothing).count();
        for (group, people) in groups(site, &readers, &verdicts) {
            *counts.entry(group).or_default() += people.len();
        }
    }
    let articles = articles(connection, counts.keys()).await?;
    let press = Press { settings, site, catalogue };
    for (group, readers) in counts {
        let way_out = site.link(&site.path_in(&group.1, "/preferences"));
        if let Some((rendered, carried)) = press.print(&group, &articles, way_out)? {
            preview.groups.push(PreviewGroup { articles: carried.len(), language: group.1, readers, rendered });
        }
    }
    preview.groups.sort_by_key(|group| std::cmp::Reverse(group.readers));
    Ok(preview)
}
