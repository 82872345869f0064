//! Files that have changed since their articles were read.

use super::super::folder::Folder;
use super::{File, Files};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// Every file that an article of the folder refers to, as it was when the article was read.
#[derive(Clone, Debug, Default)]
pub(in crate::content) struct Known {
    files: HashMap<String, (File, BTreeSet<String>)>,
    /// By article.
    of_articles: HashMap<String, Vec<String>>,
}

/// What a look at the files has shown.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::content) struct Changes {
    /// Articles to be read anew.
    pub(in crate::content) articles: BTreeSet<String>,
    /// Files that somebody is writing.
    pub(in crate::content) moving: BTreeSet<String>,
}

impl Known {
    /// What is known of a file.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path).map(|(file, _)| file)
    }

    /// Follows an article that was read.
    pub(in crate::content) fn follow(&mut self, article: &str, files: &Files) {
        self.follow_each(article, files.iter().map(|(path, file)| (path.clone(), file.clone())));
    }

    pub(super) fn follow_each(&mut self, article: &str, files: impl IntoIterator<Item = (String, File)>) {
        self.forget(article);
        let mut paths = Vec::new();
        for (path, file) in files {
            let (known, articles) = self.files.entry(path.clone()).or_insert_with(|| (file.clone(), BTreeSet::new()));
            *known = file;
            articles.insert(article.to_owned());
            paths.push(path);
        }
        if !paths.is_empty() {
            self.of_articles.insert(article.to_owned(), paths);
        }
    }

    /// Forgets an article that is gone.
    pub(in crate::content) fn forget(&mut self, article: &str) {
        for path in self.of_articles.remove(article).unwrap_or_default() {
            if let Some((_, articles)) = self.files.get_mut(&path) {
                articles.remove(article);
                if articles.is_empty() {
                    self.files.remove(&path);
                }
            }
        }
    }

    /// Whether any of these files is one that an article refers to.
    pub(in crate::content) fn concerns(&self, paths: &BTreeSet<String>) -> bool {
        paths.iter().any(|path| self.files.contains_key(path))
    }

    /// Looks at all files, or at some. One that was written just now counts when it is still.
    pub(in crate::content) fn changes(&self, folder: &Folder, only: Option<&BTreeSet<String>>, stillness: Duration) -> Changes {
        let mut changes = Changes::default();
        let mut look = |path: &String, file: &File, articles: &BTreeSet<String>| {
            let stat = folder.stat(path);
            let stamp = stat.as_ref().map(super::super::folder::Stat::stamp).unwrap_or_default();
            if stamp == file.stamp {
                return;
            }
            if stat.is_some_and(|stat| stat.quiet() < stillness) {
                changes.moving.insert(path.clone());
            } else {
                changes.articles.extend(articles.iter().cloned());
            }
        };
        match only {
            Some(paths) => {
                for path in paths {
                    if let Some((file, articles)) = self.files.get(path) {
                        look(path, file, articles);
                    }
                }
            }
            None => {
                for (path, (file, articles)) in &self.files {
                    look(path, file, articles);
                }
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File as Written};
    use std::time::{Instant, SystemTime};

    fn known(folder: &std::path::Path, count: usize) -> (Folder, Known) {
        let mut known = Known::default();
        let opened = Folder::open(folder).unwrap();
        for number in 0..count {
            let path = format!("{number}.png");
            fs::write(folder.join(&path), "x").unwrap();
            Written::options()
                .write(true)
                .open(folder.join(&path))
                .unwrap()
                .set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000))
                .unwrap();
            let stamp = opened.stat(&path).unwrap().stamp();
            let file = File { stamp, media_type: "image/png".to_owned(), length: Some(1), size: None };
            known.follow_each(&format!("{number}.md"), [(path, file)]);
        }
        (opened, known)
    }

    #[test]
    fn many_files_are_looked_at_in_a_moment() {
        let folder = tempfile::tempdir().unwrap();
        let (opened, known) = known(folder.path(), 5000);
        let began = Instant::now();
        assert_eq!(known.changes(&opened, None, Duration::from_secs(2)), Changes::default());
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }

    #[test]
    fn a_file_of_next_year_is_seen_when_it_is_still() {
        let folder = tempfile::tempdir().unwrap();
        let (opened, known) = known(folder.path(), 2);
        let path = folder.path().join("0.png");
        fs::write(&path, "xy").unwrap();
        // 2096
        let next_year = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
        Written::options().write(true).open(&path).unwrap().set_modified(next_year).unwrap();
        let stillness = Duration::from_millis(300);
        assert_eq!(known.changes(&opened, None, stillness).moving, BTreeSet::from(["0.png".to_owned()]));
        let began = Instant::now();
        while known.changes(&opened, None, stillness).articles != BTreeSet::from(["0.md".to_owned()]) {
            assert!(began.elapsed() < Duration::from_secs(10), "never seen");
            std::thread::yield_now();
        }
    }
}
