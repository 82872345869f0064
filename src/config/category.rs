//! `[[category]]`: what articles are filed under, one below another where it is said.

use super::sections::{parsed, parsed_required};
use crate::language::LocalText;
use crate::problem::{Place, Reason, Table};
use crate::site::{Category, Retirement};
use std::collections::BTreeMap;

/// A category as written.
struct Written {
    category: Category,
    /// Smaller stands earlier in menus; equal, as in the file.
    order: i64,
    parent_place: Option<Place>,
    number_place: Option<Place>,
    successor_place: Option<Place>,
}

/// Reads every category, in the order of menus. A parent that is none is told and left out.
pub(super) fn read(root: &mut Table<'_>) -> Vec<Category> {
    let mut written: Vec<Written> = root.tables("category", one).into_iter().flatten().collect();
    written.sort_by_key(|written| written.order);
    for (place, reason) in wrong_parents(&mut written) {
        root.reading().tell(&place, reason);
    }
    for (place, reason) in twin_numbers(&written) {
        root.reading().warn(&place, reason);
    }
    for (place, reason) in wrong_successors(&mut written) {
        root.reading().tell(&place, reason);
    }
    written.into_iter().map(|written| written.category).collect()
}

fn one(table: &mut Table<'_>) -> Option<Written> {
    let slug = parsed_required(table, "slug", |text| {
        if !text.is_empty() && text == crate::site::slug(text) && text.is_ascii() {
            Ok(text.to_owned())
        } else {
            Err(Reason::new(
                format!("“{text}” cannot stand in an address"),
                "use lower-case letters a–z, digits and hyphens, like human-rights",
            ))
        }
    });
    let title = LocalText::take_required(table, "title");
    let description = LocalText::take(table, "description");
    let (wp_id, number_place) = table.placed("wp_id").unzip();
    let (parent, parent_place) = table.placed::<String>("parent").unzip();
    let order = table.or("order", 0);
    let retired = parsed(table, "retired", |text| {
        text.parse::<jiff::civil::Date>().map_err(|_| Reason::new(format!("“{text}” is not a day"), "write it like \"2027-01-31\""))
    });
    let (successor, successor_place) = table.placed::<String>("successor").unzip();
    let retired = retired.map(|on| Retirement { on, successor });
    Some(Written {
        category: Category { slug: slug?, title: title?, description, wp_id, parent, retired },
        order,
        parent_place,
        number_place,
        successor_place,
    })
}

/// Takes away the parents that do not exist or that lead back to their own child.
fn wrong_parents(written: &mut [Written]) -> Vec<(Place, Reason)> {
    let parents: BTreeMap<String, Option<String>> =
        written.iter().map(|written| (written.category.slug.clone(), written.category.parent.clone())).collect();
    let mut wrong = Vec::new();
    for Written { category, parent_place, .. } in written {
        let (Some(parent), Some(place)) = (&category.parent, &parent_place) else { continue };
        if !parents.contains_key(parent) {
            let known: Vec<&str> = parents.keys().map(String::as_str).filter(|slug| *slug != category.slug).collect();
            let reason = Reason::new(
                format!("`parent`: no [[category]] has the slug “{parent}”"),
                format!("use the slug of another category: {}", known.join(", ")),
            );
            wrong.push((place.clone(), reason));
            category.parent = None;
        } else if is_above_itself(&category.slug, &parents) {
            let reason = Reason::new(
                format!("`parent`: “{}” would be above itself", category.slug),
                "remove `parent` from one of the categories of this circle",
            );
            wrong.push((place.clone(), reason));
            category.parent = None;
        }
    }
    wrong
}

/// The numbers that stand for two categories, of which only the first is found.
fn twin_numbers(written: &[Written]) -> Vec<(Place, Reason)> {
    let mut seen: BTreeMap<i64, &str> = BTreeMap::new();
    let mut twins = Vec::new();
    for Written { category, number_place, .. } in written {
        let (Some(number), Some(place)) = (category.wp_id, number_place) else { continue };
        if let Some(first) = seen.get(&number) {
            let reason = Reason::new(
                format!("`wp_id`: {number} is also the number of “{first}”, which answers in its place"),
                format!(
                    "if the two come from two old sites, remove this line, and write below the [[site.legacy]] of its site  categories = {{ {number} = \"{}\" }}",
                    category.slug
                ),
            );
            twins.push((place.clone(), reason));
        } else {
            seen.insert(number, &category.slug);
        }
    }
    twins
}

/// Takes away the successors that nobody can go to.
fn wrong_successors(written: &mut [Written]) -> Vec<(Place, Reason)> {
    let lasting: Vec<String> =
        written.iter().filter(|written| written.category.retired.is_none()).map(|written| written.category.slug.clone()).collect();
    let mut wrong = Vec::new();
    for Written { category, successor_place, .. } in written {
        let Some(place) = successor_place else { continue };
        let remedy = format!("use the slug of a category that goes on: {}", lasting.join(", "));
        match &mut category.retired {
            None => wrong.push((
                place.clone(),
                Reason::new(
                    "`successor` without `retired`: this category does not end",
                    "add retired = \"2027-01-31\", or remove `successor`",
                ),
            )),
            Some(retired) => {
                if let Some(slug) = retired.successor.take_if(|slug| !lasting.contains(slug)) {
                    wrong.push((place.clone(), Reason::new(format!("`successor`: “{slug}” is no category that goes on"), remedy)));
                }
            }
        }
    }
    wrong
}

fn is_above_itself(slug: &str, parents: &BTreeMap<String, Option<String>>) -> bool {
    let above = |slug: &String| parents.get(slug).cloned().flatten();
    std::iter::successors(above(&slug.to_owned()), above).take(parents.len()).any(|ancestor| ancestor == slug)
}
