//! `clarion content preview`: a link to an article that is not public yet.

use super::output;
use super::{Context, Outcome};
use crate::address::Address;
use crate::content::{self, Unpublished};
use crate::db::Db;
use crate::notice::preview;
use crate::vault::Vault;
use std::path::Path;

/// Mails a link to a draft, or prints it where nobody is named.
pub(super) async fn preview(db: &Db, vault: &Vault, context: &Context, article: &str, to: &[String]) -> anyhow::Result<Outcome> {
    let to: Vec<Address> = to.iter().map(|address| Address::parse(address)).collect::<Result<_, _>>()?;
    let drafts = content::unpublished(&mut *db.reader().acquire().await?).await?;
    let matching: Vec<&Unpublished> = drafts.iter().filter(|draft| is_meant(draft, article, &context.config.content.dir)).collect();
    let draft = match matching[..] {
        [draft] => draft,
        [] => return Ok(output::refuse(format_args!("no draft is called “{article}”. {}", list(&drafts.iter().collect::<Vec<_>>())))),
        _ => return Ok(output::refuse(format_args!("“{article}” is more than one draft. {}", list(&matching)))),
    };
    let (config, now) = (&context.config, context.clock.now());
    if to.is_empty() {
        let link = preview::link(vault, &config.site, draft.id, &draft.language, now);
        output::answer(context.json, &link, &serde_json::json!({ "path": draft.path, "link": link }))?;
        return Ok(Outcome::Done);
    }
    let mut tx = db.begin().await?;
    let writer = preview::Writer { vault, site: &config.site, catalogue: &config.catalogue, to: &to };
    writer.post(&mut tx, std::slice::from_ref(draft), 0, now).await?;
    tx.commit().await?;
    let words = format!("A link to {} is in the ledger; the daemon sends it within seconds.", draft.path);
    output::answer(context.json, words, &serde_json::json!({ "path": draft.path, "mails": to.len() }))?;
    Ok(Outcome::Done)
}

/// Whether somebody who writes this means the draft: its file, seen from the content folder or
/// from here; its id; its name in addresses, or an address that ends with it.
fn is_meant(draft: &Unpublished, wanted: &str, folder: &Path) -> bool {
    let path = Path::new(wanted);
    let below = path.strip_prefix(folder).unwrap_or(path);
    let name = wanted.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/').rsplit('/').next();
    below == Path::new(&draft.path) || draft.uid == wanted || name == Some(&draft.slug)
}

fn list(drafts: &[&Unpublished]) -> String {
    if drafts.is_empty() {
        return "There is no draft now; an article is one with  draft = true  or a date in the future".to_owned();
    }
    let paths: Vec<&str> = drafts.iter().map(|draft| draft.path.as_str()).collect();
    format!("Name one by its file: {}", paths.join(", "))
}
