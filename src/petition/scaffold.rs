//! A new petition's folder: a draft that says what each part is for.

use anyhow::{Context as _, bail};
use jiff::civil::Date;
use std::path::{Path, PathBuf};

const FILES: [(&str, &str); 5] = [
    ("petition.toml", include_str!("scaffold/petition.toml")),
    ("call.en.md", include_str!("scaffold/call.en.md")),
    ("thanks.en.md", include_str!("scaffold/thanks.en.md")),
    ("letter.en.md", include_str!("scaffold/letter.en.md")),
    ("letter_short.en.md", include_str!("scaffold/letter_short.en.md")),
];

/// Makes a petition's folder with a draft whose day is `day`. Its texts are placeholders, which
/// are told as mistakes until somebody writes them. Returns the folder.
pub fn scaffold(dir: &Path, slug: &str, day: Date) -> anyhow::Result<PathBuf> {
    if slug.is_empty() || !slug.is_ascii() || slug != crate::site::slug(slug) {
        bail!("“{slug}” cannot name a petition; use lower-case letters a–z, digits and hyphens, like refugees-day");
    }
    let folder = dir.join(slug);
    if folder.exists() {
        bail!("there is a petition in {} already; copy that folder, or choose another name", folder.display());
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    for (name, text) in FILES {
        let path = folder.join(name);
        std::fs::write(&path, text.replace("2027-09-24", &day.to_string()))
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(folder)
}
