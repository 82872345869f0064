//! Private keys that sign, and the files they are in.

use crate::problem::Reason;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use zeroize::{Zeroize as _, Zeroizing};

/// The longest modulus that everybody verifies, in octets (RFC 8301 §3.2).
const LONGEST_MODULUS: usize = 4096 / 8;
/// What a key file may hold at most: a key of 4096 bits takes three kilobytes.
const MAX_OCTETS: u64 = 64 * 1024;

crate::text_enum! {
    /// The kind of a key, by its name in a record (RFC 6376 §3.6.1, RFC 8463 §4).
    pub enum Algorithm {
        /// RSA, which everybody verifies.
        Rsa = "rsa",
        /// Ed25519, which not everybody verifies yet.
        Ed25519 = "ed25519",
    }
}

impl Algorithm {
    /// The name in a signature (RFC 6376 §3.3, RFC 8463 §3).
    pub const fn signing_name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa-sha256",
            Self::Ed25519 => "ed25519-sha256",
        }
    }
}

/// A private key. It is never shown.
pub enum Key {
    /// 2048 to 4096 bits.
    Rsa(RsaKeyPair),
    /// The second key of those who want one.
    Ed25519(Ed25519KeyPair),
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, …)", self.algorithm())
    }
}

impl Key {
    /// A new random key; RSA with 2048 bits, which fit a record that every name server carries.
    pub fn generate(algorithm: Algorithm) -> anyhow::Result<Self> {
        let failed = |_| anyhow::anyhow!("no key could be made");
        Ok(match algorithm {
            Algorithm::Rsa => Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?),
            Algorithm::Ed25519 => Self::Ed25519(Ed25519KeyPair::generate().map_err(failed)?),
        })
    }

    /// Reads a key file (PEM; PKCS#8, or PKCS#1 for RSA) that nobody else may read.
    pub fn read(path: &Path) -> Result<Self, Reason> {
        let shown = path.display();
        let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let message = format!("{shown} can be read by other users (mode {mode:03o})");
            return Err(Reason::new(message, format!("whoever has it can sign in your name; run: chmod 400 {shown}")));
        }
        if !metadata.is_file() || metadata.len() > MAX_OCTETS {
            return Err(no_key(path));
        }
        let pem = Zeroizing::new(fs::read(path).map_err(|error| unreadable(path, &error))?);
        Self::from_pem(&pem, path)
    }

    fn from_pem(pem: &[u8], path: &Path) -> Result<Self, Reason> {
        let mut der = PrivateKeyDer::from_pem_slice(pem).map_err(|_| no_key(path))?;
        let key = match &der {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).map(Self::Rsa),
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                Ed25519KeyPair::from_pkcs8(der).map(Self::Ed25519).or_else(|_| RsaKeyPair::from_pkcs8(der).map(Self::Rsa))
            }
            _ => return Err(no_key(path)),
        };
        der.zeroize();
        let shown = path.display();
        match key {
            Ok(Self::Rsa(key)) if key.public_modulus_len() > LONGEST_MODULUS => Err(Reason::new(
                format!("the key in {shown} has over 4096 bits, which not everybody verifies"),
                "make one with: clarion keys dkim",
            )),
            Ok(key) => Ok(key),
            Err(refused) if refused.to_string() == "TooSmall" => {
                let message = format!("the key in {shown} has fewer than 2048 bits, which can be broken (RFC 8301)");
                Err(Reason::new(message, "make one with: clarion keys dkim"))
            }
            Err(_) => Err(no_key(path)),
        }
    }

    /// Its kind.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa(_) => Algorithm::Rsa,
            Self::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// The public key as a record carries it: for RSA a `SubjectPublicKeyInfo` in DER (RFC 6376
    /// §3.6.1), for Ed25519 its 32 octets (RFC 8463 §4).
    pub fn public(&self) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Rsa(key) => {
                let der: PublicKeyX509Der<'_> = key.public_key().as_der().map_err(|_| anyhow::anyhow!("a key has no public half"))?;
                Ok(der.as_ref().to_vec())
            }
            Self::Ed25519(key) => Ok(key.public_key().as_ref().to_vec()),
        }
    }

    /// Signs the SHA-256 of what is given: RSA by PKCS#1 v1.5 (RFC 8017 §8.2), Ed25519 the hash
    /// itself (RFC 8463 §3). The same octets give the same signature.
    pub(super) fn sign(&self, signed: &[u8]) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed, &mut signature)
                    .map_err(|_| anyhow::anyhow!("a mail could not be signed"))?;
                Ok(signature)
            }
            Self::Ed25519(key) => Ok(key.sign(super::sha256(signed).as_ref()).as_ref().to_vec()),
        }
    }

    /// Writes the key to a new file of mode 0400, complete on the disk or not at all. A file that
    /// is there is never touched.
    pub fn create(&self, path: &Path) -> std::io::Result<()> {
        let pem = self.pem()?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let draft = path.with_extension(format!("new-{}", crate::vault::random_name()));
        let written = (|| {
            let mut file = File::options().write(true).create_new(true).mode(0o400).open(&draft)?;
            file.write_all(pem.as_bytes())?;
            file.sync_all()?;
            // Unlike a renaming, a link fails where the name is taken.
            fs::hard_link(&draft, path)
        })();
        let _ = fs::remove_file(&draft);
        written?;
        File::open(folder)?.sync_all()
    }

    /// PKCS#8 in PEM (RFC 7468 §10).
    fn pem(&self) -> std::io::Result<Zeroizing<String>> {
        let failed = |_| std::io::Error::other("a key cannot be written");
        let der: Pkcs8V1Der<'_> = match self {
            Self::Rsa(key) => key.as_der(),
            Self::Ed25519(key) => key.as_der(),
        }
        .map_err(failed)?;
        let encoded = Zeroizing::new(STANDARD.encode(der.as_ref()));
        let mut pem = Zeroizing::new(String::with_capacity(encoded.len() + 128));
        pem.push_str("-----BEGIN PRIVATE KEY-----\n");
        let mut rest = encoded.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = after;
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        Ok(pem)
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Reason {
    let message = format!("{} cannot be read: {error}", path.display());
    if error.kind() == ErrorKind::NotFound {
        return Reason::new(message, "make the key, before it stands in the configuration, with: clarion keys dkim");
    }
    Reason::new(message, "make it readable for the user that Clarion runs as, and for nobody else")
}

fn no_key(path: &Path) -> Reason {
    let message = format!("{} holds no private key that can sign: it should begin with -----BEGIN PRIVATE KEY-----", path.display());
    Reason::new(message, "name a PEM file with an RSA key and no password, or make one with: clarion keys dkim")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_private_never_overwritten_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        for algorithm in [Algorithm::Rsa, Algorithm::Ed25519] {
            let path = folder.path().join("deep").join(algorithm.as_str());
            let key = Key::generate(algorithm).unwrap();
            key.create(&path).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o400);
            assert_eq!(Key::read(&path).unwrap().public().unwrap(), key.public().unwrap());
            let taken = Key::generate(algorithm).unwrap().create(&path).unwrap_err();
            assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
            assert_eq!(Key::read(&path).unwrap().public().unwrap(), key.public().unwrap());
        }
        assert_eq!(fs::read_dir(folder.path().join("deep")).unwrap().count(), 2, "no draft is left behind");
        assert_eq!(format!("{:?}", Key::generate(Algorithm::Ed25519).unwrap()), "Key(ed25519, …)");
    }

    #[test]
    fn a_file_that_others_read_or_that_is_no_key_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        assert!(Key::read(&path).unwrap_err().remedy.contains("clarion keys dkim"));
        for text in ["", "key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "-----BEGIN RSA PRIVATE KEY-----\n"] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(Key::read(&path).unwrap_err().message.contains("no private key"), "{text:?}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Key::read(&path).unwrap_err().message.contains("mode 640"));
    }
}
