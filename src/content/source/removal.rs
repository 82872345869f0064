//! What becomes of articles that a source no longer has.

use super::{row_source, store};
use crate::clock::Timestamp;
use crate::content::removal::{self, looks_like_an_accident};
use sqlx::AnyConnection;
use std::collections::{HashMap, HashSet};

/// Turns articles that have vanished into tombstones, or holds them if it looks like an accident.
/// Returns which were not held: those need not be looked for again.
pub(super) async fn let_go(connection: &mut AnyConnection, name: &str, vanished: &[String], now: Timestamp) -> anyhow::Result<Vec<String>> {
    let source = row_source(name);
    let articles: HashSet<String> = store::paths(connection, name).await?.into_iter().collect();
    let known: HashMap<String, bool> = removal::known(connection, &source).await?.into_iter().collect();
    let is_held = |path: &String| known.get(path) == Some(&false);
    let recent = removal::recently_gone(connection, &source, now).await?;
    let waiting = known.iter().filter(|(path, accepted)| !**accepted && articles.contains(*path)).count();
    let new: Vec<String> = vanished.iter().filter(|path| articles.contains(*path) && !is_held(path)).cloned().collect();
    let mut done: Vec<String> = vanished.iter().filter(|path| !articles.contains(*path)).cloned().collect();
    if new.is_empty() {
        return Ok(done);
    }
    let nothing_is_left = articles.iter().all(|path| vanished.contains(path));
    if looks_like_an_accident(new.len(), recent + waiting, articles.len() + recent, nothing_is_left) {
        removal::hold(connection, &source, &new, now).await?;
    } else {
        removal::remove(connection, &source, &new, now).await?;
        done.extend(new);
    }
    Ok(done)
}

/// Lifts the hold of articles that are back. Returns those that staff had let go meanwhile: they
/// are to be fetched again.
pub(super) async fn welcome_back(connection: &mut AnyConnection, name: &str, there: impl Fn(&str) -> bool) -> anyhow::Result<Vec<String>> {
    let source = row_source(name);
    let mut revived = Vec::new();
    for (path, accepted) in removal::known(connection, &source).await? {
        if there(&path) {
            removal::lift(connection, &source, &path, accepted).await?;
            if accepted {
                revived.push(path);
            }
        }
    }
    Ok(revived)
}
