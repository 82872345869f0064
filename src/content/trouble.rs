//! What is wrong in the folder, kept in the database and told to staff once.

use super::{FOLDER, text};
use crate::clock::Timestamp;
use crate::noticeboard::{self, Notice};
use crate::problem::{Problem, Severity};
use sqlx::AnyConnection;
use std::collections::HashMap;
use std::path::PathBuf;

/// What is wrong in the folder now, by file and line.
pub async fn problems(connection: &mut AnyConnection) -> anyhow::Result<Vec<Problem>> {
    let rows: Vec<(String, i64, i64, String, String, String)> =
        sqlx::query_as("SELECT path, line, column_number, severity, message, remedy FROM content_problem ORDER BY path, position")
            .fetch_all(connection)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(path, line, column, severity, message, remedy)| Problem {
            file: PathBuf::from(path),
            line: usize::try_from(line).unwrap_or(0),
            column: usize::try_from(column).unwrap_or(0),
            severity: if severity == "warning" { Severity::Warning } else { Severity::Error },
            message,
            remedy,
            excerpt: None,
        })
        .collect())
}

/// Each path with problems: the hash of the version that has them, and whether they are errors.
pub(super) async fn known(connection: &mut AnyConnection) -> anyhow::Result<HashMap<String, Known>> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT path, hash, MAX(CASE severity WHEN 'error' THEN 1 ELSE 0 END) FROM content_problem WHERE source = $1 GROUP BY path, hash",
    )
    .bind(FOLDER)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(path, hash, broken)| (path, Known { hash, broken: broken != 0 })).collect())
}

/// A file with problems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) hash: String,
    /// Whether the file is not used because of them.
    pub(super) broken: bool,
}

/// Records what is wrong with a version of a file. Staff are told of each broken version once,
/// and the log says so once.
pub(super) async fn record(
    connection: &mut AnyConnection,
    path: &str,
    hash: &str,
    problems: &[Problem],
    before: Option<&Known>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let broken = problems.iter().any(|problem| problem.severity == Severity::Error);
    if before.is_some() {
        clear_rows(connection, path).await?;
    }
    for (position, problem) in (0_i64..).zip(problems) {
        insert(connection, path, hash, position, problem, now).await?;
    }
    if broken {
        noticeboard::clear(connection, &mended_key(path)).await?;
        tell_broken(connection, path, hash, problems, now).await?;
    } else if before.is_some_and(|before| before.broken) {
        end(connection, path, Some(now)).await?;
    }
    Ok(())
}

/// Forgets what was wrong with a file: it is good again, or gone.
pub(super) async fn clear(connection: &mut AnyConnection, path: &str, before: &Known, now: Option<Timestamp>) -> anyhow::Result<()> {
    clear_rows(connection, path).await?;
    if before.broken {
        end(connection, path, now).await?;
    }
    Ok(())
}

/// A file is broken no longer: since `now` it is understood again, or it is gone. Staff who were
/// never told that it was broken need not hear that it is not.
async fn end(connection: &mut AnyConnection, path: &str, now: Option<Timestamp>) -> anyhow::Result<()> {
    let told = noticeboard::clear_all(connection, &broken_prefix(path)).await?;
    if let Some(now) = now {
        tracing::info!(path, "a file of the content folder is understood again");
        if told {
            tell_mended(connection, path, now).await?;
        }
    }
    Ok(())
}

async fn clear_rows(connection: &mut AnyConnection, path: &str) -> anyhow::Result<()> {
    sqlx::query("DELETE FROM content_problem WHERE source = $1 AND path = $2").bind(FOLDER).bind(path).execute(connection).await?;
    Ok(())
}

async fn insert(
    connection: &mut AnyConnection,
    path: &str,
    hash: &str,
    position: i64,
    problem: &Problem,
    now: Timestamp,
) -> anyhow::Result<()> {
    let severity = if problem.severity == Severity::Warning { "warning" } else { "error" };
    sqlx::query(
        "INSERT INTO content_problem (source, path, position, line, column_number, severity, message, remedy, hash, since)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(FOLDER)
    .bind(path)
    .bind(position)
    .bind(i64::try_from(problem.line)?)
    .bind(i64::try_from(problem.column)?)
    .bind(severity)
    .bind(text::clean(&problem.message))
    .bind(text::clean(&problem.remedy))
    .bind(hash)
    .bind(now.as_millis())
    .execute(connection)
    .await?;
    Ok(())
}

async fn tell_broken(connection: &mut AnyConnection, path: &str, hash: &str, problems: &[Problem], now: Timestamp) -> anyhow::Result<()> {
    let list = problems.iter().map(|problem| text::clean(&problem.to_string())).collect::<Vec<_>>().join("\n");
    let notice = Notice {
        key: &broken_key(path, hash),
        subject: &format!("An article is not understood: {path}"),
        body: &format!(
            "The file {path} was saved with a mistake. If it was published before, its last good version stays where it is; nothing is lost.\n\n{list}\n\nCorrect the file and save it again. You will be told when it is understood.\n"
        ),
    };
    if noticeboard::record(connection, &notice, now).await? {
        tracing::warn!(path, problems = list, "a file of the content folder is not understood; its last good version stays");
    }
    Ok(())
}

async fn tell_mended(connection: &mut AnyConnection, path: &str, now: Timestamp) -> anyhow::Result<()> {
    let notice = Notice {
        key: &mended_key(path),
        subject: &format!("An article is understood again: {path}"),
        body: &format!("The file {path} is in order now, and what it says is published.\n"),
    };
    noticeboard::record(connection, &notice, now).await?;
    Ok(())
}

fn broken_key(path: &str, hash: &str) -> String {
    format!("{}{}", broken_prefix(path), hash.get(..16).unwrap_or(hash))
}

fn broken_prefix(path: &str) -> String {
    format!("content-broken:{path}:")
}

fn mended_key(path: &str) -> String {
    format!("content-mended:{path}")
}
