//! The real program through its commands: exit codes, JSON that can be read, errors that say what
//! to do.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A copy of the example site, with its database beside it.
struct Site(TempDir);

impl Site {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        copy(Path::new("config"), &folder.path().join("config"));
        copy(Path::new("content"), &folder.path().join("content"));
        Self(folder)
    }

    fn run(&self, line: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_clarion"));
        command.current_dir(self.0.path()).env("CLARION_CLOCK", "2027-08-20T09:00:00+09:00");
        command.args(line.split_whitespace()).output().unwrap()
    }

    /// Runs a line that must end so, and returns what it said on standard output.
    fn says(&self, line: &str, code: i32) -> String {
        let output = self.run(line);
        assert_eq!(output.status.code(), Some(code), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, line: &str, code: i32) -> Value {
        let text = self.says(&format!("{line} --json"), code);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{line}: {error}: {text}"))
    }

    /// Runs a line that must fail, and returns what it said on standard error. Nothing may be on
    /// standard output, where a program would take it for JSON.
    fn refuses(&self, line: &str, code: i32) -> String {
        let output = self.run(&format!("{line} --json"));
        assert_eq!(output.status.code(), Some(code), "{line}: {output:?}");
        assert!(output.stdout.is_empty(), "{line}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Runs the daemon until approvers have been asked.
    fn ask_approvers(&self) {
        let clock = self.0.path().join("clock");
        let tell_time = |minutes: u32| std::fs::write(&clock, format!("2027-08-20T08:{minutes:02}:00+09:00")).unwrap();
        tell_time(0);
        let mut command = Command::new(env!("CARGO_BIN_EXE_clarion"));
        command
            .current_dir(self.0.path())
            .env("CLARION_CLOCK", format!("file:{}", clock.display()))
            .env("CLARION_WEB__LISTEN", "127.0.0.1:0");
        let mut daemon = command.stdout(std::process::Stdio::null()).spawn().unwrap();
        let asked = (1..59).any(|minute| {
            tell_time(minute);
            std::thread::sleep(std::time::Duration::from_secs(1));
            self.json(&format!("petition plan {PETITION}"), 0)["steps"][0]["state"] == "proposed"
        });
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        assert!(asked, "nobody was asked");
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

const PETITION: &str = "save-north-korean-refugees-day";

#[test]
fn the_example_site_answers_every_listing_in_words_and_in_json() {
    let site = Site::new();
    site.json("keys init", 0);
    site.json("subscriber add hana@example.org --language ja --confirmed paper", 0);
    for listing in [
        "check",
        "digest list",
        "petition list",
        "mailing list",
        "content list",
        "content problems",
        "translations",
        "subscriber show hana@example.org",
    ] {
        site.json(listing, 0);
        assert!(!site.says(listing, 0).is_empty(), "{listing}");
    }
    let plan = site.json(&format!("petition plan {PETITION}"), 0);
    assert_eq!(plan["plan"][0]["counts"]["by_language"], serde_json::json!({ "ja": 1 }));
    assert!(site.says(&format!("petition plan {PETITION}"), 0).contains("2027-09-10 09:00 JST"));
    let mails = site.json(&format!("preview petition {PETITION} call --lang ja"), 0);
    assert_eq!((&mails[0]["readers"], mails[0]["files"].as_array().unwrap().len()), (&1.into(), 3));
    assert!(site.0.path().join("preview/call.ja.eml").exists());
    site.json("preview digest weekly", 0);
    assert_eq!(site.json("digest hold weekly", 0)["held_since"], "2027-08-20T09:00:00+09:00");
    assert_eq!(site.json("mail test office@example.org", 0)["state"], "sent");
    assert_eq!(site.json("mailing report 1", 0)[0]["state"], "sent");
}

#[test]
fn what_is_not_there_is_refused_with_what_there_is_and_nothing_is_changed() {
    let site = Site::new();
    for (line, words) in [
        ("petition plan nope", PETITION),
        ("petition stop nope --edition 2027", PETITION),
        ("petition resume nope --edition 2027", PETITION),
        ("petition approve nope call --as chair@example.org", PETITION),
        ("preview petition nope call", PETITION),
        ("digest hold nope", "weekly, monthly"),
        ("preview digest nope", "weekly, monthly"),
        ("mailing show 99", "clarion mailing list"),
        ("mailing cancel 99", "clarion mailing list"),
        ("subscriber show nobody@example.org", "nobody"),
        ("subscriber add hana@example.org --topic nope", "petitions"),
        ("--config nope.toml petition list", "--config"),
    ] {
        let said = site.refuses(line, 1);
        assert!(said.contains(words), "{line}: {said}");
    }
    assert!(site.refuses(&format!("petition stop {PETITION} --edition 2026"), 1).contains("no edition 2026"));
    for wrong in ["nonsense", "mailing show x", "petition approve day", "subscriber show", "serve --role nobody"] {
        assert!(site.refuses(wrong, 2).contains("--help"), "{wrong}");
    }
}

#[test]
fn a_petition_that_cannot_be_read_any_more_can_still_be_stopped() {
    let site = Site::new();
    assert_eq!(site.json(&format!("petition stop {PETITION}"), 0)["newly"], true);
    assert_eq!(site.json(&format!("petition resume {PETITION}"), 0)["resumed"], true);
    std::fs::write(site.0.path().join(format!("config/petitions/{PETITION}/petition.toml")), "state = “ready”").unwrap();
    assert_eq!(site.json(&format!("petition stop {PETITION}"), 0)["newly"], true);
    assert_eq!(site.json("petition list", 0)[0]["state"], "unreadable");
}

#[test]
fn freezing_stops_all_sending_until_it_is_thawed() {
    let site = Site::new();
    assert_eq!(site.json("freeze", 0)["newly"], true);
    assert_eq!(site.json("freeze", 0)["newly"], false);
    assert!(site.refuses("mail test office@example.org", 1).contains("clarion thaw"));
    assert!(site.says("mailing list", 0).contains("clarion thaw"));
    assert_eq!(site.json("thaw", 0)["newly"], true);
    assert_eq!(site.json("thaw", 0)["newly"], false);
    assert_eq!(site.json("mail test office@example.org", 0)["state"], "sent");
}

#[test]
fn help_teaches_every_command() {
    let site = Site::new();
    let help = site.says("--help", 0);
    for command in [
        "serve",
        "demo",
        "check",
        "preview",
        "digest",
        "petition",
        "mailing",
        "subscriber",
        "content",
        "translations",
        "freeze",
        "thaw",
        "keys",
        "mail",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}");
        assert!(site.says(&format!("{command} --help"), 0).contains("Usage: clarion"), "{command}");
    }
}

#[test]
fn a_database_that_cannot_be_written_is_told_at_once() {
    let site = Site::new();
    // A folder in its place cannot be written by anybody, not even by root.
    std::fs::create_dir_all(site.0.path().join("var/clarion.db")).unwrap();
    let begun = std::time::Instant::now();
    let said = site.refuses("petition list", 1);
    assert!(said.contains("cannot be written") && said.lines().count() == 1, "{said}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(10));
}

#[test]
fn one_approval_of_two_is_not_called_enough() {
    let site = Site::new();
    let folder = site.0.path().join("config");
    let edit = |path: &str, from: &str, to: &str| {
        let text = std::fs::read_to_string(folder.join(path)).unwrap();
        assert!(text.contains(from), "{path}: {from}");
        std::fs::write(folder.join(path), text.replace(from, to)).unwrap();
    };
    edit("clarion.toml", "approvals_required = 1", "approvals_required = 2");
    edit(&format!("petitions/{PETITION}/petition.toml"), "state = \"draft\"", "state = \"ready\"");
    site.ask_approvers();
    let approve = |who: &str| site.json(&format!("petition approve {PETITION} call --as {who}@example.org"), 0)["enough"].clone();
    assert_eq!(approve("chair"), false);
    assert_eq!(approve("chair"), false, "the same person counts once");
    assert_eq!(approve("secretary"), true);
}
