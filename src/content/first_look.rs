//! Whether the folder was ever looked at as a whole. A new database has no article before that,
//! and a feed made of nothing would be published, and kept by readers, for no reason.

use sqlx::AnyConnection;

crate::text_enum! {
    /// What came of the first look at the folder.
    pub enum FirstLook {
        /// Everything in it was read.
        Done = "done",
        /// There was no folder, and nothing waits for it any longer.
        NoFolder = "no-folder",
    }
}

/// What came of the first look at the folder; `None` if it is still to come, or under way.
pub async fn first_look(connection: &mut AnyConnection) -> anyhow::Result<Option<FirstLook>> {
    let stored: Option<String> =
        sqlx::query_scalar("SELECT value FROM fact WHERE name = 'content_first_look'").fetch_optional(connection).await?;
    stored.map(|word| FirstLook::from_stored(&word)).transpose()
}

/// Notes what came of it.
pub(super) async fn note(connection: &mut AnyConnection, look: FirstLook) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO fact (name, value) VALUES ('content_first_look', $1)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(look.as_str())
    .execute(connection)
    .await?;
    Ok(())
}
