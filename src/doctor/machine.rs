//! The machine: database, keys, clock, disk.

use super::Finding;
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::db::{DatabaseUrl, Db, Engine};
use crate::mail::TransportSettings;
use crate::mail::dkim::Signer;
use crate::vault::Vault;
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

const DATABASE: &str = "database";
const KEYS: &str = "keys";
const CLOCK: &str = "clock";
const DISK: &str = "disk";

/// A clock that is off by more leases and schedules nothing (DESIGN, Promises).
const MOST_SKEW: Duration = Duration::from_secs(5);
const MEBIBYTE: u64 = 1024 * 1024;
/// Below this a mailing of some size does not fit into the ledger.
const LITTLE: u64 = 1024 * MEBIBYTE;
/// Below this nothing can be relied on.
const NOTHING: u64 = 100 * MEBIBYTE;

/// What was found, and the database if it opened.
pub(super) async fn examine(config: &Config, clock: &Clock) -> (Vec<Finding>, Option<Db>) {
    let mut findings = Vec::new();
    let db = database(config, &mut findings).await;
    findings.push(address_key(config, db.as_ref(), clock.now()).await);
    findings.extend(signing_keys(config));
    findings.push(time(config, clock, db.as_ref()).await);
    findings.extend(disks(config));
    (findings, db)
}

async fn database(config: &Config, findings: &mut Vec<Finding>) -> Option<Db> {
    let shown = match &config.database {
        DatabaseUrl::Sqlite(path) if !path.exists() => {
            let message = format!("there is no database at {} yet", path.display());
            findings.push(Finding::warning(DATABASE, message, "start the daemon once, which makes it: clarion"));
            return None;
        }
        DatabaseUrl::Sqlite(path) => path.display().to_string(),
        // The address may hold a password.
        DatabaseUrl::Postgres(_) => "PostgreSQL".to_owned(),
    };
    match Db::open(&config.database).await {
        Ok(db) => {
            findings.push(Finding::ok(DATABASE, format!("{shown} opens")));
            Some(db)
        }
        Err(error) => {
            let remedy = "look whether it is there and may be written by the user that Clarion runs as; else put it back from your backup";
            findings.push(Finding::failure(DATABASE, format!("{shown} cannot be opened: {error:#}"), remedy));
            None
        }
    }
}

/// The key that seals addresses: there, private, and the right one. It is never made here.
async fn address_key(config: &Config, db: Option<&Db>, now: Timestamp) -> Finding {
    let path = &config.key_file;
    let shown = path.display();
    let Ok(metadata) = std::fs::metadata(path) else {
        return match db {
            None => {
                Finding::warning(KEYS, format!("there is no key file at {shown} yet"), "start the daemon once, which makes it: clarion")
            }
            Some(_) => Finding::failure(
                KEYS,
                format!("the key file {shown} is missing or cannot be read: no address can be opened"),
                "put it back from the copy that you keep elsewhere",
            ),
        };
    };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Finding::failure(
            KEYS,
            format!("the key file {shown} can be read by other users (mode {mode:03o})"),
            format!("run: chmod 400 {shown}"),
        );
    }
    let Some(db) = db else { return Finding::ok(KEYS, format!("{shown} is private (mode {mode:03o})")) };
    match Vault::open(db, path, now).await {
        Ok(_) => Finding::ok(KEYS, format!("{shown} is private (mode {mode:03o}) and belongs to this database")),
        Err(error) => {
            Finding::failure(KEYS, format!("{shown} cannot be used: {error:#}"), "put it back from the copy that you keep elsewhere")
        }
    }
}

/// The keys that sign; the configuration was refused if one could be read by others.
fn signing_keys(config: &Config) -> Vec<Finding> {
    let keys = config.mail.dkim.iter().flat_map(Signer::keys);
    keys.map(|selected| Finding::ok(KEYS, format!("{} is private", selected.key_file.display()))).collect()
}

async fn time(config: &Config, clock: &Clock, db: Option<&Db>) -> Finding {
    if !clock.is_real() {
        return Finding::warning(CLOCK, format!("CLARION_CLOCK says that it is {}", clock.now()), "take CLARION_CLOCK away, in earnest");
    }
    let remedy = "let the machine set its clock by the network: timedatectl set-ntp true";
    match db {
        Some(db) if db.engine() == Engine::Postgres => match skew(clock, db).await {
            Ok(skew) if skew <= MOST_SKEW => Finding::ok(CLOCK, "agrees with the database server's"),
            Ok(skew) => {
                Finding::failure(CLOCK, format!("{} seconds apart from the database server's: nothing is sent", skew.as_secs()), remedy)
            }
            Err(error) => Finding::warning(CLOCK, format!("the database server's could not be read: {error:#}"), remedy),
        },
        _ => match last_write(&config.database) {
            Some(written) if written > clock.now() + MOST_SKEW => {
                Finding::failure(CLOCK, format!("it is {} here, but the database was written at {written}", clock.now()), remedy)
            }
            _ => Finding::ok(CLOCK, format!("it is {}; there is nothing to compare it with: see that it is right", clock.now())),
        },
    }
}

/// When the database file was last written: a clock that was set back is behind it.
fn last_write(database: &DatabaseUrl) -> Option<Timestamp> {
    let DatabaseUrl::Sqlite(path) = database else { return None };
    let metadata = std::fs::metadata(path).ok()?;
    Some(Timestamp::from_millis(metadata.mtime().saturating_mul(1000)))
}

async fn skew(clock: &Clock, db: &Db) -> anyhow::Result<Duration> {
    let mut connection = db.reader().acquire().await?;
    let theirs = db.lease_time(&mut connection).await?;
    let ours = clock.now();
    Ok(ours.since(theirs).max(theirs.since(ours)))
}

/// Room on each disk that is written to.
fn disks(config: &Config) -> Vec<Finding> {
    let mut folders: Vec<(&str, PathBuf)> = vec![("keys", folder_of(&config.key_file))];
    if let DatabaseUrl::Sqlite(path) = &config.database {
        folders.push(("the database", folder_of(path)));
    }
    if let TransportSettings::File { dir } = &config.mail.transport {
        folders.push(("mail", dir.clone()));
    }
    // One line for each disk, not for each folder.
    let mut disks: BTreeMap<u64, (PathBuf, Vec<&str>)> = BTreeMap::new();
    for (what, folder) in folders {
        if let Some((device, folder)) = existing(&folder) {
            disks.entry(device).or_insert_with(|| (folder, Vec::new())).1.push(what);
        }
    }
    disks.into_values().map(|(folder, what)| room(&folder, &what.join(", "))).collect()
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// The folder, or the nearest above it that is there, with its device.
fn existing(folder: &Path) -> Option<(u64, PathBuf)> {
    folder.ancestors().find_map(|folder| {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        std::fs::metadata(folder).ok().map(|metadata| (metadata.dev(), folder.to_owned()))
    })
}

fn room(folder: &Path, what: &str) -> Finding {
    let shown = folder.display();
    let free = match rustix::fs::statvfs(folder) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => {
            return Finding::warning(DISK, format!("how much room there is at {shown} cannot be told: {error}"), "look with: df -h");
        }
    };
    judge_room(free, &format!("{} MiB are free at {shown} (for {what})", free / MEBIBYTE))
}

fn judge_room(free: u64, words: &str) -> Finding {
    let remedy = "make room, or move it to a larger disk: when the disk is full, nothing is sent";
    match free {
        _ if free < NOTHING => Finding::failure(DISK, words, remedy),
        _ if free < LITTLE => Finding::warning(DISK, words, remedy),
        _ => Finding::ok(DISK, words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn little_room_is_a_warning_and_none_a_failure() {
        let level = |mebibytes: u64| judge_room(mebibytes * MEBIBYTE, "x").level;
        assert_eq!((level(99), level(100), level(1023), level(1024)), (Level::Failure, Level::Warning, Level::Warning, Level::Ok));
    }

    #[test]
    fn a_folder_that_is_not_made_yet_is_on_the_disk_of_the_one_above() {
        let folder = tempfile::tempdir().unwrap();
        let (device, found) = existing(&folder.path().join("a/b")).unwrap();
        assert_eq!((device, found), (std::fs::metadata(folder.path()).unwrap().dev(), folder.path().to_owned()));
        assert_eq!(room(folder.path(), "x").about, DISK);
    }
}
