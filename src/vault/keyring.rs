//! The keyring file: root keys, oldest first, readable by the daemon's user only.

use super::{Key, encode, random};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use zeroize::Zeroizing;

/// The first line of the file.
const HEADER: &str = "clarion-keyring-1";

/// Why a keyring cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// There is no file.
    #[error("is missing")]
    Missing,
    /// There is one already, and it is never overwritten.
    #[error("exists already; a key file is never overwritten")]
    Exists,
    /// Others can read it.
    #[error("can be read by other users (mode {mode:03o}); run: chmod 400 FILE")]
    TooOpen {
        /// The permission bits found.
        mode: u32,
    },
    /// It is not a keyring, or was cut short.
    #[error("line {line} is not a key; the file is damaged: put it back from your backup")]
    Damaged {
        /// Counted from 1.
        line: usize,
    },
    /// It could not be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Root keys with their ids, oldest first; never empty.
pub struct Keyring {
    roots: Vec<(String, Key)>,
}

impl Keyring {
    /// A keyring with one new random key.
    pub fn generate() -> Self {
        Self { roots: vec![("k1".to_owned(), Zeroizing::new(random()))] }
    }

    /// Reads a key file.
    pub fn load(path: &Path) -> Result<Self, KeyringError> {
        let metadata = match fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(KeyringError::Missing),
            metadata => metadata?,
        };
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyringError::TooOpen { mode });
        }
        Self::parse(&SecretString::from(fs::read_to_string(path)?))
    }

    fn parse(text: &SecretString) -> Result<Self, KeyringError> {
        let mut lines = text.expose_secret().lines().enumerate();
        if lines.next().is_none_or(|(_, line)| line != HEADER) {
            return Err(KeyringError::Damaged { line: 1 });
        }
        let roots = lines
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(at, line)| parse_root(line).ok_or(KeyringError::Damaged { line: at + 1 }))
            .collect::<Result<Vec<_>, _>>()?;
        if roots.is_empty() { Err(KeyringError::Damaged { line: 2 }) } else { Ok(Self { roots }) }
    }

    /// Writes the keyring to a new file of mode 0400, complete on the disk or not at all.
    pub fn create(&self, path: &Path) -> Result<(), KeyringError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let draft = path.with_extension(format!("new-{}", super::random_name()));
        let written = self.write(&draft).and_then(|()| match fs::hard_link(&draft, path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(KeyringError::Exists),
            linked => Ok(linked?),
        });
        let _ = fs::remove_file(&draft);
        written?;
        File::open(folder)?.sync_all()?;
        Ok(())
    }

    fn write(&self, path: &Path) -> Result<(), KeyringError> {
        let mut file = File::options().write(true).create_new(true).mode(0o400).open(path)?;
        writeln!(file, "{HEADER}")?;
        for (id, root) in &self.roots {
            let root = Zeroizing::new(encode(root.as_slice()));
            writeln!(file, "{id} {}", root.as_str())?;
        }
        Ok(file.sync_all()?)
    }

    /// Ids and keys, oldest first.
    pub(super) fn roots(&self) -> impl Iterator<Item = (&str, &Key)> {
        self.roots.iter().map(|(id, root)| (id.as_str(), root))
    }

    /// The oldest key.
    pub(super) fn first(&self) -> &Key {
        &self.roots[0].1
    }
}

fn parse_root(line: &str) -> Option<(String, Key)> {
    let (id, root) = line.split_once(' ')?;
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(root.trim()).ok()?);
    let root = Zeroizing::new(bytes.as_slice().try_into().ok()?);
    (!id.is_empty()).then(|| (id.to_owned(), root))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_private_never_overwritten_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/clarion.key");
        let keyring = Keyring::generate();
        keyring.create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o400);
        assert_eq!(Keyring::load(&path).unwrap().first(), keyring.first());
        assert!(matches!(Keyring::generate().create(&path), Err(KeyringError::Exists)));
        assert_eq!(Keyring::load(&path).unwrap().first(), keyring.first());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn an_open_damaged_or_missing_key_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clarion.key");
        assert!(matches!(Keyring::load(&path), Err(KeyringError::Missing)));
        for (text, line) in [("", 1), ("key", 1), ("clarion-keyring-1\n", 2), ("clarion-keyring-1\nk1 AAAA\n", 2)] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
            assert!(matches!(Keyring::load(&path), Err(KeyringError::Damaged { line: found }) if found == line), "{text:?}");
            fs::remove_file(&path).unwrap();
        }
        fs::write(&path, "clarion-keyring-1\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Keyring::load(&path), Err(KeyringError::TooOpen { mode: 0o644 })));
    }
}
