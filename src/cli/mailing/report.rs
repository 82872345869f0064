//! `clarion mailing report`: every mail of a mailing, for people, spreadsheets, and programs.

use super::super::output::{line, table};
use super::super::{Context, Outcome};
use super::unknown;
use crate::db::Db;
use crate::delivery::{self, Line};

/// Lines held at once: a mailing may have a million.
const PAGE: i64 = 1000;

pub(super) async fn run(db: &Db, id: i64, csv: bool, context: &Context) -> anyhow::Result<Outcome> {
    let mut connection = db.reader().acquire().await?;
    if delivery::mailing_summary(&mut connection, id).await?.is_none() {
        return Ok(unknown(id));
    }
    let form = match (csv, context.json) {
        (true, _) => Form::Csv,
        (false, true) => Form::Json,
        (false, false) => Form::Table,
    };
    form.begin();
    if let Some(numbers) = delivery::delivery_numbers(&mut connection, id).await? {
        let (mut next, end) = numbers.clone().into_inner();
        while next <= end {
            let lines = delivery::delivery_lines(&mut connection, id, next..=end, PAGE).await?;
            form.write(&lines, next == *numbers.start())?;
            next = lines.last().map_or(end, |line| line.id) + 1;
        }
    }
    form.end();
    Ok(Outcome::Done)
}

#[derive(Clone, Copy)]
enum Form {
    Table,
    /// RFC 4180.
    Csv,
    /// An array, a line for each mail.
    Json,
}

impl Form {
    fn begin(self) {
        match self {
            Self::Table => {}
            Self::Csv => line("delivery,person,language,state,reason,attempts,settled_at,reply"),
            Self::Json => line("["),
        }
    }

    fn write(self, lines: &[Line], is_first: bool) -> anyhow::Result<()> {
        match self {
            Self::Table => {
                let rows: Vec<_> = lines.iter().map(cells).collect();
                table(["DELIVERY", "PERSON", "LANGUAGE", "STATE", "REASON", "ATTEMPTS", "SETTLED", "REPLY"], &rows);
            }
            Self::Csv => lines.iter().for_each(|one| line(cells(one).map(|cell| quoted(&cell)).join(","))),
            Self::Json => {
                for (place, one) in lines.iter().enumerate() {
                    let comma = if is_first && place == 0 { " " } else { "," };
                    line(format_args!("{comma} {}", serde_json::to_string(one)?));
                }
            }
        }
        Ok(())
    }

    fn end(self) {
        if let Self::Json = self {
            line("]");
        }
    }
}

fn cells(one: &Line) -> [String; 8] {
    [
        one.id.to_string(),
        one.person.map_or_else(|| "staff".to_owned(), |person| person.to_string()),
        one.language.clone(),
        one.state.to_string(),
        one.reason.clone().unwrap_or_default(),
        one.attempts.to_string(),
        one.settled_at.map(|at| at.to_string()).unwrap_or_default(),
        one.reply.clone().unwrap_or_default(),
    ]
}

/// A cell of comma-separated values (RFC 4180 §2). A relay's words that a spreadsheet would take
/// for a formula get an apostrophe before them.
fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    if cell.contains([',', '"', '\n', '\r']) || !guard.is_empty() {
        format!("\"{guard}{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_never_a_formula() {
        for (cell, shown) in [("a", "a"), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), ("=1+1", "\"'=1+1\"")] {
            assert_eq!(quoted(cell), shown);
        }
    }
}
