//! Files that have changed since their articles were read.

use super::super::folder::{Folder, Stat, is_below_any};
use super::{File, Files};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// Every file that an article of the folder refers to, as it was when the article was read.
/// Clones share it: a batch is read while the one before it is recorded.
#[derive(Clone, Debug, Default)]
pub(in crate::content) struct Known(Arc<RwLock<Index>>);

#[derive(Debug, Default)]
struct Index {
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

impl Changes {
    /// Adds what another look has shown.
    pub(in crate::content) fn extend(&mut self, other: Self) {
        self.articles.extend(other.articles);
        self.moving.extend(other.moving);
    }
}

impl Known {
    fn read(&self) -> RwLockReadGuard<'_, Index> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Index> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a file.
    pub(super) fn file(&self, path: &str) -> Option<File> {
        self.read().files.get(path).map(|(file, _)| file.clone())
    }

    /// Follows an article that was read.
    pub(in crate::content) fn follow(&self, article: &str, files: &Files) {
        self.follow_each(article, files.iter().map(|(path, file)| (path.clone(), file.clone())));
    }

    pub(super) fn follow_each(&self, article: &str, files: impl IntoIterator<Item = (String, File)>) {
        let mut index = self.write();
        index.forget(article);
        let mut paths = Vec::new();
        for (path, file) in files {
            let (known, articles) = index.files.entry(path.clone()).or_insert_with(|| (file.clone(), BTreeSet::new()));
            *known = file;
            articles.insert(article.to_owned());
            paths.push(path);
        }
        if !paths.is_empty() {
            index.of_articles.insert(article.to_owned(), paths);
        }
    }

    /// Forgets an article that is gone.
    pub(in crate::content) fn forget(&self, article: &str) {
        self.write().forget(article);
    }

    /// Whether any of these files is one that an article refers to.
    pub(in crate::content) fn concerns(&self, paths: &BTreeSet<String>) -> bool {
        let index = self.read();
        paths.iter().any(|path| index.files.contains_key(path))
    }

    /// The files below any of these folders.
    pub(in crate::content) fn below(&self, folders: &BTreeSet<String>) -> Vec<String> {
        self.read().files.keys().filter(|path| is_below_any(folders, path)).cloned().collect()
    }

    /// Looks at all files, or at some. One that was written just now counts when it is still.
    pub(in crate::content) fn changes(&self, folder: &Folder, only: Option<&BTreeSet<String>>, stillness: Duration) -> Changes {
        let mut changes = Changes::default();
        for (path, stamp) in self.stamps(only) {
            let stat = folder.stat(&path);
            if stat.as_ref().map(Stat::stamp).unwrap_or_default() == stamp {
                continue;
            }
            if stat.is_some_and(|stat| stat.quiet() < stillness) {
                changes.moving.insert(path);
            } else {
                changes.articles.extend(self.read().files.get(&path).iter().flat_map(|(_, articles)| articles).cloned());
            }
        }
        changes
    }

    /// By which changes are noticed: nobody waits for the disk while it is asked.
    fn stamps(&self, only: Option<&BTreeSet<String>>) -> Vec<(String, String)> {
        let index = self.read();
        let stamp = |(path, (file, _)): (&String, &(File, BTreeSet<String>))| (path.clone(), file.stamp.clone());
        match only {
            Some(paths) => paths.iter().filter_map(|path| index.files.get_key_value(path)).map(stamp).collect(),
            None => index.files.iter().map(stamp).collect(),
        }
    }
}

impl Index {
    fn forget(&mut self, article: &str) {
        for path in self.of_articles.remove(article).unwrap_or_default() {
            if let Some((_, articles)) = self.files.get_mut(&path) {
                articles.remove(article);
                if articles.is_empty() {
                    self.files.remove(&path);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File as Written};
    use std::time::{Instant, SystemTime};

    fn known(folder: &std::path::Path, count: usize) -> (Folder, Known) {
        let known = Known::default();
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
