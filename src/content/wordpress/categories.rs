//! WordPress's categories: how articles name them, and the `[[category]]` tables that declare
//! them, ready to be pasted into the configuration.

use super::html::plain;
use super::links::decoded;
use super::tongues;
use super::wxr::{Declared, Filed, Header};
use crate::content::category::{self, Named};
use crate::language::Language;
use crate::site::{self, LegacyHost, Site};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

/// A category of the export, or one and its translations.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Category {
    slug: String,
    /// One without a language, or one for each.
    titles: Vec<(Option<Language>, String)>,
    description: String,
    parent: Option<String>,
    ids: Vec<u64>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Categories {
    list: Vec<Category>,
    /// Those that have translations: articles name them by title, which finds the right one.
    by_title: Vec<String>,
}

impl Categories {
    pub(super) fn of(header: &Header, site: &Site) -> Self {
        let declared: Vec<&Declared> = header.terms.iter().filter(|term| term.taxonomy == "category").collect();
        let by_id: HashMap<u64, &Declared> = declared.iter().filter_map(|term| Some((term.id?, *term))).collect();
        // The number of a term → that of the one which speaks for its group.
        let mut head: HashMap<u64, u64> = HashMap::new();
        let mut titles: HashMap<u64, Vec<(Option<Language>, u64)>> = HashMap::new();
        for group in tongues::term_groups(header) {
            let members: Vec<(Option<Language>, u64)> =
                group.iter().filter(|(_, id)| by_id.contains_key(id)).map(|(tag, id)| (tongues::known(tag, site), *id)).collect();
            let first = members.iter().find(|(language, _)| language.as_ref() == Some(site.default_language())).or(members.first());
            let Some((_, first)) = first.cloned() else { continue };
            if members.len() > 1 && members.iter().all(|(language, id)| language.is_some() && !head.contains_key(id)) {
                head.extend(members.iter().map(|(_, id)| (*id, first)));
                titles.insert(first, members);
            }
        }
        let speaks_for = |term: &Declared| term.id.and_then(|id| head.get(&id)).and_then(|id| by_id.get(id)).copied();
        let slug = |term: &Declared| free_slug(speaks_for(term).unwrap_or(term), site);
        let mut categories = Self::default();
        for term in &declared {
            if speaks_for(term).is_some_and(|first| first.id != term.id) {
                categories.by_title.push(term.slug.clone());
                continue;
            }
            let members = term.id.and_then(|id| titles.get(&id));
            let named = |(language, id): &(Option<Language>, u64)| Some((language.clone(), plain(&by_id.get(id)?.name)));
            if members.is_some() {
                categories.by_title.push(term.slug.clone());
            }
            categories.list.push(Category {
                slug: slug(term),
                titles: members.map_or_else(|| vec![(None, plain(&term.name))], |members| members.iter().filter_map(named).collect()),
                description: plain(&term.description),
                parent: declared.iter().find(|parent| !term.parent.is_empty() && parent.slug == term.parent).map(|parent| slug(parent)),
                ids: members.map_or_else(|| term.id.into_iter().collect(), |members| members.iter().map(|(_, id)| *id).collect()),
            });
        }
        categories
    }

    /// How an article names a category, so that it is found with and without a declaration: by its
    /// title where that gives the same address, else by its name in addresses.
    pub(super) fn word(&self, filed: &Filed) -> Option<String> {
        let title = plain(&filed.name);
        let nicename = decoded(&filed.nicename);
        let by_title = self.by_title.contains(&filed.nicename) || !nicename.is_ascii() || site::slug(&title) == nicename;
        let word = if by_title { title } else { nicename };
        (!site::slug(&word).is_empty()).then_some(word)
    }

    /// What the old site's addresses called each of them, as lines of TOML: its number, and its
    /// name where it has another one here.
    pub(super) fn old_names(&self, header: &Header, site: &Site) -> String {
        let declared = header.terms.iter().filter(|term| term.taxonomy == "category");
        let here: Vec<(&Declared, String)> = declared.filter_map(|term| Some((term, self.slug_here(term, site)?))).collect();
        let mut numbers: Vec<(u64, &str)> = here.iter().filter_map(|(term, slug)| Some((term.id?, slug.as_str()))).collect();
        numbers.sort_unstable();
        let names = here.iter().map(|(term, slug)| (LegacyHost::spelling(&term.slug), slug.as_str()));
        let others = names.filter(|(name, slug)| name != slug && !name.is_empty());
        let quoted = super::front::quoted;
        let numbered = numbers.iter().map(|(id, slug)| format!("{id} = {}", quoted(slug)));
        let by_name = others.map(|(name, slug)| format!("{} = {}", quoted(&name), quoted(slug)));
        numbered.chain(by_name).collect::<Vec<_>>().join("\n")
    }

    /// Its slug: in the configuration as it is, or in the tables that are proposed.
    fn slug_here(&self, term: &Declared, site: &Site) -> Option<String> {
        if let Ok(Named::Declared(slug)) = category::resolve(&plain(&term.name), site) {
            return Some(slug);
        }
        let proposed = self.list.iter().find(|category| term.id.is_some_and(|id| category.ids.contains(&id)));
        proposed.map(|category| category.slug.clone())
    }

    /// The tables of those that the configuration does not declare yet, as TOML.
    pub(super) fn toml(&self, site: &Site) -> String {
        let mut text = String::new();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for category in &self.list {
            if !seen.insert(&category.slug) || site.category(&category.slug).is_some() {
                continue;
            }
            let quoted = super::front::quoted;
            let title = match &category.titles[..] {
                [(None, title)] => quoted(title),
                titles => {
                    let by: Vec<String> = titles
                        .iter()
                        .filter_map(|(language, title)| Some(format!("\"{}\" = {}", language.as_ref()?, quoted(title))))
                        .collect();
                    format!("{{ {} }}", by.join(", "))
                }
            };
            let _ = writeln!(text, "[[category]]\nslug = {}\ntitle = {title}", quoted(&category.slug));
            if !category.description.is_empty() {
                let _ = writeln!(text, "description = {}", quoted(&category.description));
            }
            if let Some(parent) = &category.parent {
                let _ = writeln!(text, "parent = {}", quoted(parent));
            }
            // A number that another category has is another site's.
            let taken = |id: &u64| site.categories.iter().any(|known| known.wp_id.is_some_and(|known| u64::try_from(known) == Ok(*id)));
            if let Some((first, others)) = category.ids.split_first().filter(|(first, _)| !taken(first)) {
                let others: Vec<String> = others.iter().map(u64::to_string).collect();
                let note = if others.is_empty() { String::new() } else { format!("  # its translations were {}", others.join(", ")) };
                let _ = writeln!(text, "wp_id = {first}{note}");
            }
            text.push('\n');
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// [`ascii_slug`], unless that was made from a number and another old site had the number too.
fn free_slug(term: &Declared, site: &Site) -> String {
    let slug = ascii_slug(term);
    let is_same =
        |known: &site::Category| matches!(category::resolve(&plain(&term.name), site), Ok(Named::Declared(slug)) if slug == known.slug);
    let taken = slug != site::slug(&decoded(&term.slug)) && site.category(&slug).is_some_and(|known| !is_same(known));
    if taken { format!("{slug}-2") } else { slug }
}

/// The name in addresses, which the configuration wants in ASCII.
fn ascii_slug(term: &Declared) -> String {
    let slug = site::slug(&decoded(&term.slug));
    if slug.is_ascii() && !slug.is_empty() { slug } else { format!("category-{}", term.id.unwrap_or(0)) }
}
