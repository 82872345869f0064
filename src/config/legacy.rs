//! `[[site.legacy]]`: an old site's host, and what its categories and authors are here.

use super::sections::parsed;
use crate::problem::{Reason, Table};
use crate::site::{Category, LegacyHost};
use std::collections::BTreeMap;
use url::Url;

/// Reads every old site. A category that is none of ours is told and left out.
pub(super) fn read(table: &mut Table<'_>, ours: &[Category]) -> Vec<LegacyHost> {
    table.tables("legacy", |table| one(table, ours)).into_iter().flatten().collect()
}

fn one(table: &mut Table<'_>, ours: &[Category]) -> Option<LegacyHost> {
    let host: Option<String> = table.required("host");
    let language = table.required("language");
    let atom_id = parsed(table, "atom_id", |text| match Url::parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(Reason::new(
            format!("“{text}” is not an id"),
            "copy what stands between <id> and </id> at the head of the old site's Atom feed, like http://old.example.org/feed/atom/",
        )),
    });
    let categories = table.table("categories", |table| categories(table, ours)).unwrap_or_default();
    let authors = table.table("authors", authors).unwrap_or_default();
    Some(LegacyHost { atom_id, categories, authors, ..LegacyHost::new(&host?, language?) })
}

/// `7 = "defectors"`, by the number it had, or `"お知らせ" = "news"`, by its name in addresses.
fn categories(table: &mut Table<'_>, ours: &[Category]) -> BTreeMap<String, String> {
    let mut known = BTreeMap::new();
    for (old, _, node) in table.rest() {
        let Some(slug) = table.read::<String>(&old, &node) else { continue };
        if ours.iter().any(|category| category.slug == slug) {
            known.insert(LegacyHost::spelling(&old), slug);
            continue;
        }
        let slugs: Vec<&str> = ours.iter().map(|category| category.slug.as_str()).collect();
        let reason = Reason::new(
            format!("the old site's category `{old}` is to be “{slug}” here, which no [[category]] declares"),
            format!("add a [[category]] with slug = \"{slug}\", or use one of {}", slugs.join(", ")),
        );
        table.reading().tell(&node.place, reason);
    }
    known
}

/// `hana = "Hana Mori"`
fn authors(table: &mut Table<'_>) -> BTreeMap<String, String> {
    let rest = table.rest();
    rest.into_iter().filter_map(|(old, _, node)| Some((LegacyHost::spelling(&old), table.read(&old, &node)?))).collect()
}
