//! Reads feeds with feed-rs, as one more reader for `.ci/peers`: `feed_rs URL FILE …`, the bytes
//! that were served at each address in a file. Prints one JSON object: address → entries.

use serde_json::json;
use std::collections::BTreeMap;

#[expect(clippy::disallowed_macros, reason = "an example answers on standard output like any program")]
fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut read = BTreeMap::new();
    for pair in arguments.chunks_exact(2) {
        let (address, file) = (&pair[0], &pair[1]);
        let feed = feed_rs::parser::parse(std::fs::read(file)?.as_slice())?;
        let entries: Vec<_> = feed
            .entries
            .into_iter()
            .map(|entry| {
                json!({
                    "id": entry.id,
                    "title": entry.title.map(|title| title.content),
                    "link": entry.links.into_iter().find(|link| link.rel.as_deref().is_none_or(|rel| rel == "alternate")).map(|link| link.href),
                    "published": entry.published.map(|date| date.timestamp()),
                    "updated": entry.updated.map(|date| date.timestamp()),
                })
            })
            .collect();
        read.insert(address.clone(), entries);
    }
    println!("{}", serde_json::to_string(&read)?);
    Ok(())
}
