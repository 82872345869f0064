//! Categories as staff name them, and those that articles bring up themselves.

use super::FoundCategory;
use crate::clock::Timestamp;
use crate::noticeboard::{self, Notice};
use crate::problem::Reason;
use crate::site::{self, Site};
use sqlx::AnyConnection;

/// What a name stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// A category of the configuration, by its slug.
    Declared(String),
    /// One that only articles know.
    Found(FoundCategory),
}

/// Finds the category that an article names: by its slug, or by its title in any language.
pub(super) fn resolve(name: &str, site: &Site) -> Result<Named, Reason> {
    let slug: String = site::slug(name).chars().take(100).collect();
    if slug.is_empty() {
        return Err(Reason::new(
            format!("`categories`: “{name}” is not a name"),
            "write a category as the site calls it, like \"Defectors\"",
        ));
    }
    Ok(match site.category_named(&slug) {
        Some(category) => Named::Declared(category.slug.clone()),
        None => Named::Found(FoundCategory { slug, title: super::text::line(name) }),
    })
}

/// Remembers a category that the configuration does not declare; staff are told the first time.
pub(super) async fn record(connection: &mut AnyConnection, category: &FoundCategory, path: &str, now: Timestamp) -> anyhow::Result<()> {
    let done = sqlx::query("INSERT INTO found_category (slug, title, found_at) VALUES ($1, $2, $3) ON CONFLICT (slug) DO NOTHING")
        .bind(&category.slug)
        .bind(&category.title)
        .bind(now.as_millis())
        .execute(&mut *connection)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(());
    }
    let FoundCategory { slug, title } = category;
    let notice = Notice {
        key: &format!("content-category:{slug}"),
        subject: &format!("A new category: {title}"),
        body: &format!(
            "The article {path} is filed under “{title}”, which the configuration does not declare. A category “{slug}” was made for it, with its own page and feeds.\n\nIf that is meant, add a [[category]] with slug = \"{slug}\" to the configuration, with its name in each language. If it is a slip of the pen, correct `categories` in the article.\n"
        ),
    };
    noticeboard::record(connection, &notice, now).await?;
    Ok(())
}
