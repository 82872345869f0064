//! Everything that is wrong in the folder, found without a database: what `clarion check` says.

use super::Settings;
use super::folder::Folder;
use super::manuscript::{self, Manuscript};
use super::media::Known;
use super::scan::{Finding, read_file};
use crate::problem::{Problem, Reason};
use crate::site::Site;
use std::collections::{BTreeMap, HashMap};

/// Reads the whole folder and returns every problem, in the order of the files.
pub fn check(settings: &Settings, site: &Site) -> Vec<Problem> {
    let unopened = |error: &std::io::Error| {
        let reason = Reason::new(
            format!("the content folder cannot be read: {error}"),
            "make the folder, or correct `content.dir` in the configuration",
        );
        vec![Problem::of_file(&settings.dir, reason)]
    };
    let folder = match Folder::open(&settings.dir) {
        Ok(folder) => folder,
        Err(error) => return unopened(&error),
    };
    let sight = match folder.walk() {
        Ok(sight) => sight,
        Err(error) => return unopened(&error),
    };
    let mut problems: Vec<Problem> =
        sight.odd.into_iter().map(|problem| Problem { file: settings.dir.join(&problem.file), ..problem }).collect();
    let mut good = Vec::new();
    let made_from = manuscript::settings(site);
    for (path, stat) in sight.files {
        match read_file(&folder, &path, stat, &settings.dir.join(&path), (site, &made_from), &Known::default(), |_| false) {
            Finding::Good(manuscript) => good.push(*manuscript),
            Finding::Broken { problems: found, .. } => problems.extend(found),
            // Somebody is writing it now; it is checked when it is done.
            Finding::Moving | Finding::Known(_) => {}
        }
    }
    problems.extend(good.iter().flat_map(|manuscript| manuscript.warnings.iter().cloned()));
    problems.extend(twins(&good));
    problems.extend(found_categories(&good));
    problems.sort_by(|one, other| (&one.file, one.line, one.column).cmp(&(&other.file, other.line, other.column)));
    problems
}

/// Articles that name one id, each but the first.
fn twins(manuscripts: &[Manuscript]) -> Vec<Problem> {
    let mut first: HashMap<&str, &str> = HashMap::new();
    let mut problems = Vec::new();
    for manuscript in manuscripts {
        let Some((uid, _)) = &manuscript.head.uid else { continue };
        match first.get(uid.as_str()) {
            Some(other) => problems.push(manuscript.twin_of(uid, other)),
            None => {
                first.insert(uid, &manuscript.path);
            }
        }
    }
    problems
}

/// Each category that the configuration does not declare, once, at the first article under it.
fn found_categories(manuscripts: &[Manuscript]) -> Vec<Problem> {
    let mut first: BTreeMap<&str, Problem> = BTreeMap::new();
    for manuscript in manuscripts {
        for found in &manuscript.head.found_categories {
            first.entry(&found.slug).or_insert_with(|| {
                let reason = Reason::new(
                    format!("the category “{}” is not in the configuration; a page and feeds are made for it", found.title),
                    format!("correct the name, or add a [[category]] with slug = \"{}\"", found.slug),
                );
                manuscript.problem_of_categories(reason).as_warning()
            });
        }
    }
    first.into_values().collect()
}
