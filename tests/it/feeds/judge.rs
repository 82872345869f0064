//! Readers of XML that are not written in Rust judge what is well-formed: those let pass what
//! XML 1.0 forbids.

use std::process::Command;
use tempfile::TempDir;

/// libxml2, and expat as Python has it: each is asked with the path of a file.
const JUDGES: [(&str, &[&str]); 2] = [
    ("xmllint", &["--noout", "--nonet", "--huge"]),
    ("python3", &["-c", "import sys, xml.parsers.expat as e; e.ParserCreate(namespace_separator=' ').ParseFile(open(sys.argv[1], 'rb'))"]),
];

/// Fails if one of them finds fault with a document.
pub fn assert_well_formed(name: &str, document: &str) {
    let verdicts = verdicts(document);
    for (judge, verdict) in &verdicts {
        assert!(verdict.is_ok(), "{judge} on {name}: {}\n{document}", verdict.as_ref().unwrap_err());
    }
    if verdicts.is_empty() {
        let required = std::env::var_os("CLARION_TEST_REQUIRE_XML").is_some();
        assert!(!required, "a judge of XML is required here, but neither xmllint nor python3 is installed");
        eprintln!("NOT RUN by libxml2 or expat, which are not installed: {name} was read by Rust only");
    }
}

/// What each judge that is installed says.
pub fn verdicts(document: &str) -> Vec<(&'static str, Result<(), String>)> {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("document.xml");
    std::fs::write(&file, document).unwrap();
    let ask = |(judge, arguments): (&'static str, &'static [&'static str])| {
        let output = Command::new(judge).args(arguments).arg(&file).output().ok()?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        // libxml2 only warns of prefixes that nobody declared.
        let good = output.status.success() && !told.contains("namespace error");
        Some((judge, if good { Ok(()) } else { Err(told) }))
    };
    JUDGES.into_iter().filter_map(ask).collect()
}

#[test]
fn the_judges_are_strict() {
    for bad in ["<a>\u{8}</a>", "<a>&#8;</a>", "<a b='&'/>", "<a><b></a>", "<m:a/>", "<a>\u{ffff}</a>", "<a b='1' b='2'/>", "<a>]]></a>"] {
        for (judge, verdict) in verdicts(bad) {
            assert!(verdict.is_err(), "{judge} lets pass {bad}");
        }
    }
    for (judge, verdict) in verdicts("<a xmlns:m='urn:x'><m:b c='&amp;'>\u{1f54a}</m:b></a>") {
        assert!(verdict.is_ok(), "{judge}: {verdict:?}");
    }
}
