//! The command itself: its words, its JSON, its exit codes.

use super::{EXPORT, post, whole};
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Runs it with the example's configuration; an import opens no database.
fn import(export: &Path, into: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clarion"));
    command.args(["--config", "config/clarion.toml", "import", "wordpress"]).arg(export).arg("--into").arg(into).args(more);
    command.output().unwrap()
}

#[test]
fn it_says_what_came_what_stayed_and_what_to_paste() {
    let folder = TempDir::new().unwrap();
    let into = folder.path().join("new");
    let output = import(Path::new(EXPORT), &into, &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "no progress but on a terminal: {output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    for words in [
        "“The Harbour”, http://www.example.org (en-US)",
        "38 articles in ",
        "38 new, 0 changed, 0 as they were.",
        "Left out: 1 private posts (import them as drafts with --private).",
        "9 comments stayed behind: Clarion has no comments.",
        "Fetch them with --media",
        "the shortcode [contact-form-7]",
        "[[category]]\nslug = \"news\"\n",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }
    let output = import(Path::new(EXPORT), &into, &["--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["new"], &report["unchanged"]), (&0.into(), &38.into()));
}

#[test]
fn what_wants_attention_ends_with_1_and_what_is_no_export_is_refused() {
    let folder = TempDir::new().unwrap();
    let (export, into) = (folder.path().join("export.xml"), folder.path().join("new"));
    std::fs::write(&export, whole(&post(1, "a", "b", "")).replace("</channel>", "")).unwrap();
    let output = import(&export, &into, &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("The file is not whole"), "{output:?}");
    std::fs::write(&export, "<html></html>").unwrap();
    let output = import(&export, &into, &["--json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty() && String::from_utf8_lossy(&output.stderr).contains("not an export of WordPress"), "{output:?}");
    assert_eq!(import(&export, &into, &["--no-such"]).status.code(), Some(2));
}
