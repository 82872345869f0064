//! Many rows in one statement: a statement costs more than the rows in it.

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe};
use std::fmt::Write as _;

/// A query that values are bound to.
pub(super) type Binding<'q> = Query<'q, Any, AnyArguments>;

/// Values a statement. For each value sqlx looks through the names of all of them (SQLite), so
/// that twice as many take four times as long.
const MOST_VALUES: usize = 240;

/// `INSERT` of as many rows as there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Insert {
    /// Up to `VALUES`, which is left out.
    pub(super) head: &'static str,
    /// How many values a row has.
    pub(super) columns: usize,
    /// What follows the rows, such as `ON CONFLICT (path) DO NOTHING`.
    pub(super) tail: &'static str,
}

impl Insert {
    /// Writes the rows in their order; `bind` binds the values of one.
    pub(super) async fn all<'q, R>(
        self,
        connection: &mut AnyConnection,
        rows: &'q [R],
        bind: impl Fn(Binding<'q>, &'q R) -> Binding<'q>,
    ) -> anyhow::Result<()> {
        let mut rest = rows;
        // Two sizes only: few statements for the engine to prepare and remember.
        for size in [(MOST_VALUES / self.columns).max(1), 1] {
            while rest.len() >= size {
                let (chunk, after) = rest.split_at(size);
                rest = after;
                // Made of the statement's own text and numbers only.
                let query = sqlx::query(AssertSqlSafe(self.text(size)));
                chunk.iter().fold(query, &bind).execute(&mut *connection).await?;
            }
        }
        Ok(())
    }

    fn text(self, rows: usize) -> String {
        let mut text = format!("{} VALUES ", self.head);
        for row in 0..rows {
            let separator = if row == 0 { "(" } else { ", (" };
            text.push_str(separator);
            for column in 0..self.columns {
                let comma = if column == 0 { "" } else { ", " };
                let _ = write!(text, "{comma}${}", row * self.columns + column + 1);
            }
            text.push(')');
        }
        text.push(' ');
        text.push_str(self.tail);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Insert;

    #[test]
    fn every_value_has_a_number_of_its_own() {
        let insert = Insert { head: "INSERT INTO a (b, c)", columns: 2, tail: "ON CONFLICT DO NOTHING" };
        assert_eq!(insert.text(2), "INSERT INTO a (b, c) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING");
    }
}
