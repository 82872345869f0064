//! What another room finds in articles and staff should know, beside what their files say.

use super::attachments::with_list;
use super::{FOLDER, text};
use crate::clock::Timestamp;
use crate::problem::{Problem, Reason, Severity};
use sqlx::AnyConnection;
use std::collections::HashMap;

/// Something found in an article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its row number.
    pub article: i64,
    /// How much it matters.
    pub severity: Severity,
    /// What was found, and what to do.
    pub reason: Reason,
}

/// Puts what a room finds now in the place of what it found before, in the caller's transaction.
/// Each comes back with the article's number as staff are told it, with the article's file; those
/// of articles that are withdrawn do not.
pub async fn note(connection: &mut AnyConnection, room: &str, findings: &[Finding], now: Timestamp) -> anyhow::Result<Vec<(i64, Problem)>> {
    sqlx::query("DELETE FROM content_problem WHERE source = $1").bind(room).execute(&mut *connection).await?;
    let places = places(connection, findings).await?;
    let mut told = Vec::with_capacity(findings.len());
    for (position, finding) in (0_i64..).zip(findings) {
        let Some(path) = places.get(&finding.article) else { continue };
        let mut problem = Problem::of_file(path, finding.reason.clone());
        problem.severity = finding.severity;
        sqlx::query(
            "INSERT INTO content_problem (source, path, position, line, column_number, severity, message, remedy, hash, since)
             VALUES ($1, $2, $3, 0, 0, $4, $5, $6, '', $7)",
        )
        .bind(room)
        .bind(path)
        .bind(position)
        .bind(if finding.severity == Severity::Warning { "warning" } else { "error" })
        .bind(text::clean(&problem.message))
        .bind(text::clean(&problem.remedy))
        .bind(now.as_millis())
        .execute(&mut *connection)
        .await?;
        told.push((finding.article, problem));
    }
    Ok(told)
}

/// Whether anything is noted that a room found.
pub async fn has_noted(connection: &mut AnyConnection, room: &str) -> anyhow::Result<bool> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM content_problem WHERE source = $1").bind(room).fetch_one(connection).await?;
    Ok(count > 0)
}

/// Where these articles are kept: the file, or the site or room with the key there.
async fn places(connection: &mut AnyConnection, findings: &[Finding]) -> anyhow::Result<HashMap<i64, String>> {
    let ids: Vec<i64> = findings.iter().map(|finding| finding.article).collect();
    let sql = with_list!(connection, ["SELECT id, source, path FROM article WHERE withdrawn_at IS NULL AND id IN "], "BIGINT", "");
    let rows: Vec<(i64, String, String)> = sqlx::query_as(sql).bind(serde_json::to_string(&ids)?).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(id, source, path)| (id, if source == FOLDER { path } else { place_of(&source, &path) })).collect())
}

/// Of an article that has no file in the folder.
pub(super) fn place_of(source: &str, path: &str) -> String {
    format!("{source}: {path}")
}
