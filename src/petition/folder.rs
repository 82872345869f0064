//! One petition's folder, read whole: the file, the texts, and every mistake in them.

use super::file::{self, PetitionFile};
use super::missions::{Mission, Missions};
use super::public::PublicMission;
use super::texts::{self, Texts};
use crate::problem::{Problem, Reason, Source};
use crate::vault::content_hash;
use std::path::Path;

/// No file of a petition is larger, in octets.
const LARGEST: u64 = 512 * 1024;
/// No petition has more files.
const MOST: usize = 500;

/// A petition's folder as it is now.
pub struct Folder {
    /// The folder's name.
    pub slug: String,
    /// Mistakes found while reading.
    pub(super) problems: Vec<Problem>,
    /// `petition.toml`, with its text for messages; `None` if something necessary is wrong.
    pub(super) file: Option<(Source, PetitionFile)>,
    pub(super) texts: Texts,
    /// The addressees named, as far as they are known.
    pub(super) targets: Vec<Mission>,
    /// Of everything above: the same content, the same hash.
    pub hash: String,
}

impl Folder {
    /// The edition the folder speaks of, where it can be read.
    pub fn edition(&self) -> Option<String> {
        self.file.as_ref().map(|(_, file)| file.edition.name())
    }
}

/// The names of the petition folders, in order. Folders whose name begins with a dot or an
/// underscore are left alone.
pub fn slugs(dir: &Path) -> std::io::Result<Vec<String>> {
    let mut slugs = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && !name.starts_with(['.', '_']) {
            slugs.push(name);
        }
    }
    slugs.sort();
    Ok(slugs)
}

/// Reads a petition's folder.
pub fn read_folder(dir: &Path, slug: &str, missions: &Missions) -> Folder {
    let path = dir.join(slug);
    let mut reader = Reader { folder: empty(slug), hashed: Vec::new() };
    if !slug.is_ascii() || slug != crate::site::slug(slug) {
        let reason = Reason::new(
            format!("the folder's name “{slug}” cannot stand in an address"),
            "rename it with lower-case letters a–z, digits and hyphens, like refugees-day",
        );
        reader.folder.problems.push(Problem::of_file(&path, reason));
    }
    for name in file_names(&path) {
        reader.read(&path, &name);
    }
    let Reader { mut folder, mut hashed } = reader;
    if folder.file.is_none() && !hashed.iter().any(|(name, _)| name.starts_with("petition.toml")) {
        let reason =
            Reason::new("there is no petition.toml in the folder", "make one with: clarion petition new, or copy another petition's");
        folder.problems.push(Problem::of_file(&path, reason));
    }
    folder.targets = targets(folder.file.as_ref().map(|(_, file)| file), missions);
    for mission in &folder.targets {
        let public = PublicMission::of(mission, &mission.languages);
        hashed.push((format!("mission {}", mission.id), serde_json::to_vec(&public).unwrap_or_default()));
    }
    let parts: Vec<&[u8]> = hashed.iter().flat_map(|(name, bytes)| [name.as_bytes(), bytes.as_slice()]).collect();
    folder.hash = content_hash(&parts);
    folder
}

fn empty(slug: &str) -> Folder {
    Folder { slug: slug.to_owned(), problems: Vec::new(), file: None, texts: Texts::default(), targets: Vec::new(), hash: String::new() }
}

/// The files that belong to a petition. What editors keep beside them does not.
fn file_names(path: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let names = entries.filter(|entry| entry.path().is_file()).map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> =
        names.filter(|name| !name.starts_with(['.', '~', '#']) && [".md", ".toml", ".txt"].iter().any(|end| name.ends_with(end))).collect();
    names.sort();
    names.truncate(MOST);
    names
}

/// A folder being read.
struct Reader {
    folder: Folder,
    hashed: Vec<(String, Vec<u8>)>,
}

impl Reader {
    fn read(&mut self, path: &Path, name: &str) {
        let file = path.join(name);
        if std::fs::metadata(&file).is_ok_and(|about| about.len() > LARGEST) {
            let reason = Reason::new("the file is larger than half a megabyte", "keep pictures and documents elsewhere and link to them");
            return self.folder.problems.push(Problem::of_file(&file, reason));
        }
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) => {
                let reason = Reason::new(format!("the file cannot be read: {error}"), "give the daemon the right to read it");
                return self.folder.problems.push(Problem::of_file(&file, reason));
            }
        };
        let source = Source::from_bytes(&file, &bytes);
        self.hashed.push((name.to_owned(), bytes));
        if let Some(wanted) = misnamed(name) {
            let reason = Reason::new(format!("the file is called {name}, so it is not read"), format!("rename it to {wanted}"));
            return self.folder.problems.push(Problem::of_file(&file, reason));
        }
        match source {
            Ok(source) if name == "petition.toml" => self.read_petition(source),
            Ok(source) if is_text(name) => self.read_text(name, source),
            Ok(_) => {}
            Err(problem) => self.folder.problems.push(*problem),
        }
    }

    fn read_petition(&mut self, source: Source) {
        let (file, problems) = file::parse(&source);
        self.folder.problems.extend(problems);
        self.folder.file = file.map(|file| (source, file));
    }

    fn read_text(&mut self, name: &str, source: Source) {
        let (text, name_and_language) = match texts::split_name(name) {
            Ok(found) => (texts::parse(source), found),
            Err(reason) => return self.folder.problems.push(Problem::of_file(source.path(), reason)),
        };
        let (text, problems) = text;
        self.folder.problems.extend(problems);
        if let Some(text) = text {
            let (name, language) = name_and_language;
            self.folder.texts.insert(name, language, text);
        }
    }
}

/// What a file should be called that an editor gave a second ending.
fn misnamed(name: &str) -> Option<&str> {
    let plain = name.strip_suffix(".txt")?;
    if plain == "petition" {
        return Some("petition.toml");
    }
    (plain == "petition.toml" || is_text(plain)).then_some(plain)
}

fn is_text(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|ending| ending == "md")
}

/// The missions a file names, those of `targets` first, none twice.
fn targets(file: Option<&PetitionFile>, missions: &Missions) -> Vec<Mission> {
    let Some(file) = file else { return Vec::new() };
    let named = file.targets.iter().filter_map(|id| missions.get(id));
    let standing = missions.iter().filter(|mission| file.countries.contains(&mission.country));
    let mut found: Vec<Mission> = Vec::new();
    for mission in named.chain(standing) {
        if found.iter().all(|known| known.id != mission.id) {
            found.push(mission.clone());
        }
    }
    found
}
