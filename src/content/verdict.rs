//! What becomes of articles whose files are not there.

use super::intake::Mirror;
use super::look::Look;
use super::removal::looks_like_an_accident;
use std::collections::HashMap;
use std::path::Path;

/// What is to be done, by path.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// To be turned into tombstones.
    pub(super) remove: Vec<String>,
    /// To be held until staff decide.
    pub(super) hold: Vec<String>,
    /// Held or accepted, and back.
    pub(super) back: Vec<String>,
    /// Of those, the ones that staff had removed meanwhile.
    pub(super) revived: Vec<String>,
    /// Removed by staff.
    pub(super) accepted: Vec<String>,
    /// Files whose problems went with them.
    pub(super) mended: Vec<String>,
}

impl Verdict {
    /// Judges after a look at everything. `held` are removals with whether staff accepted
    /// them; `recent` is how many articles went shortly before.
    pub(super) fn of(mirror: &Mirror, look: &Look, vanished: &[String], held: &[(String, bool)], recent: usize) -> Self {
        let mut verdict = Self::default();
        let is_back = |path: &str| look.folder.as_ref().is_some_and(|folder| folder.holds(path));
        for (path, accepted) in held {
            match (is_back(path), accepted) {
                (true, accepted) => {
                    verdict.back.push(path.clone());
                    verdict.revived.extend(accepted.then(|| path.clone()));
                }
                (false, true) if mirror.articles.contains_key(path) => verdict.accepted.push(path.clone()),
                (false, _) => {}
            }
        }
        // What follows a crowd belongs to it.
        let crowd = recent + held.iter().filter(|(path, accepted)| !accepted && !is_back(path)).count();
        let held: HashMap<&str, bool> = held.iter().map(|(path, accepted)| (path.as_str(), *accepted)).collect();
        // A file that cannot be reached has not vanished.
        let odd = |path: &str| look.sight.odd.iter().any(|problem| problem.file == Path::new(path));
        let vanished = vanished.iter().filter(|path| !odd(path) && !is_back(path));
        let (articles, others): (Vec<&String>, Vec<&String>) = vanished.partition(|path| mirror.articles.contains_key(*path));
        verdict.mended.extend(others.into_iter().filter(|path| mirror.troubles.contains_key(*path)).cloned());
        let unheld: Vec<String> = articles.into_iter().filter(|path| !held.contains_key(path.as_str())).cloned().collect();
        if !unheld.is_empty() && looks_like_an_accident(unheld.len(), crowd, mirror.articles.len() + recent, look.sight.files.is_empty()) {
            verdict.hold = unheld;
        } else {
            // Problems of a removed file go with it.
            verdict.mended.extend(unheld.iter().filter(|path| mirror.troubles.contains_key(*path)).cloned());
            verdict.remove = unheld;
        }
        verdict
    }
}
