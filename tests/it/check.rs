//! `clarion check` on broken files: each mistake is told with file, line, column and remedy, in
//! words that somebody who is no programmer can act on.

use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A broken file: where it is written, what is in it, where the mistake is told, and words that
/// the message or its remedy must have.
struct Broken {
    name: &'static str,
    path: &'static str,
    bytes: Vec<u8>,
    place: &'static str,
    words: &'static [&'static str],
}

const CONFIG: &str = "config/clarion.toml";
const ARTICLE: &str = "content/new.md";
const PETITION: &str = "config/petitions/day/petition.toml";

const GOOD_PETITION: &str = r#"state = "draft"
title = "Save North Korean Refugees Day"
prepared_by = "office@example.org"
targets = []
[edition]
day = "2027-09-24"
time_zone = "Asia/Tokyo"
deadline = "2027-09-30T18:00"
[audience]
topics = ["petitions"]
fallback = ["en"]
[[step]]
name = "call"
text = "call"
at = "-14d 09:00"
"#;

fn config(from: &str, to: &str) -> Vec<u8> {
    let example = std::fs::read_to_string(CONFIG).unwrap();
    assert!(example.contains(from), "the example has “{from}”");
    example.replacen(from, to, 1).into_bytes()
}

fn article(front: &str) -> Vec<u8> {
    format!("+++\n{front}\n+++\nText.\n").into_bytes()
}

fn petition(from: &str, to: &str) -> Vec<u8> {
    assert!(GOOD_PETITION.contains(from), "the petition has “{from}”");
    GOOD_PETITION.replacen(from, to, 1).into_bytes()
}

fn utf16(text: &str) -> Vec<u8> {
    [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

#[rustfmt::skip]
fn cases() -> Vec<Broken> {
    let case = |name, path, bytes, place, words| Broken { name, path, bytes, place, words };
    vec![
        case("a misspelt key", CONFIG, config("base_url =", "base_ulr ="), "clarion.toml:", &["`site.base_ulr` is not a known key", "did you mean `base_url`?"]),
        case("a missing section", CONFIG, config("[staff]\nmail = [\"office@example.org\"]", "[staff]"), "clarion.toml:", &["`staff.mail` is missing", "add  mail ="]),
        case("curly quotes", CONFIG, config("\"Asia/Tokyo\"\npostal", "“Asia/Tokyo”\npostal"), "clarion.toml:10:13:", &["not valid TOML", "straight quotes"]),
        case("a wrong time zone", CONFIG, config("time_zone = \"Asia/Tokyo\"", "time_zone = \"Tokyo\""), "clarion.toml:10:13:", &["“Tokyo” is not a time zone", "Asia/Tokyo"]),
        case("a bad language", CONFIG, config("[\"en\", \"ja\"]", "[\"en\", \"japanese\"]"), "clarion.toml:", &["“japanese” is not a language"]),
        case("a bad address", CONFIG, config("reply_to = \"office@example.org\"", "reply_to = \"office\""), "clarion.toml:", &["`mail.reply_to`", "needs an @", "name@example.org"]),
        case("a logo that no reader shows", CONFIG, config("time_zone = \"Asia/Tokyo\"\npostal", "time_zone = \"Asia/Tokyo\"\nlogo = \"../logo.svg\"\npostal"), "clarion.toml:11:8:", &["is not the path of a picture in the content folder", "images/logo.png"]),
        case("six fields of cron", CONFIG, config("0 8 * * Mon", "0 0 8 * * Mon"), "clarion.toml:", &["has 6 fields", "minute, hour"]),
        case("a numbered weekday", CONFIG, config("0 8 * * Mon", "0 8 * * 1"), "clarion.toml:", &["weekday", "write its name"]),
        case("mail unencrypted over the network", CONFIG, config("{ kind = \"file\", dir = \"../var/mail\" }", "{ kind = \"smtp\", host = \"smtp.example.org\", tls = \"none\" }"), "clarion.toml:", &["would travel unencrypted", "required"]),
        case("more approvals than approvers", CONFIG, config("approvals_required = 1", "approvals_required = 3"), "clarion.toml:", &["3 approvals are required", "2 approvers"]),
        case("a number out of range", CONFIG, config("connections = 8", "connections = 0"), "clarion.toml:", &["`connections` is 0", "from 1 to 200"]),
        case("two digests of one name", CONFIG, config("name = \"monthly\"", "name = \"weekly\""), "clarion.toml", &["two [[digest]] are called “weekly”"]),
        case("a source of an unknown kind", CONFIG, config("[feed]", "[[content.source]]\nname = \"main\"\nkind = \"blog\"\nurl = \"https://www.example.org\"\n[feed]"), "clarion.toml:", &["`kind`", "“blog” is not a kind of site", "wordpress"]),
        case("a source with a password", CONFIG, config("[feed]", "[[content.source]]\nname = \"main\"\nkind = \"feed\"\nurl = \"https://a:secret@www.example.org/feed\"\n[feed]"), "clarion.toml:", &["`url`: there is a user name in the address"]),
        case("a source asked too often", CONFIG, config("[feed]", "[[content.source]]\nname = \"main\"\nkind = \"feed\"\nurl = \"https://www.example.org/feed\"\nevery = \"1s\"\n[feed]"), "clarion.toml:", &["`every`: out of range", "10m is usual"]),
        case("a source in a language of its own", CONFIG, config("[feed]", "[[content.source]]\nname = \"main\"\nkind = \"feed\"\nurl = \"https://www.example.org/feed\"\nlanguage = \"ko\"\n[feed]"), "clarion.toml", &["is in the language ko", "use one of en, ja"]),
        case("two sources of one name", CONFIG, config("[feed]", "[[content.source]]\nname = \"a\"\nkind = \"feed\"\nurl = \"https://www.example.org/1\"\n[[content.source]]\nname = \"a\"\nkind = \"feed\"\nurl = \"https://www.example.org/2\"\n[feed]"), "clarion.toml", &["two [[content.source]] are called “a”"]),
        case("an article saved as Shift_JIS", ARTICLE, b"+++\ntitle = \"\x93\xfa\x96\x7b\"\n+++\n".to_vec(), "new.md", &["Shift_JIS", "UTF-8"]),
        case("an article saved as UTF-16", ARTICLE, utf16("+++\ntitle = \"x\"\n+++\n"), "new.md", &["UTF-16", "UTF-8"]),
        case("an article without a title", ARTICLE, article("date = 2026-01-05"), "new.md:", &["`title` is missing"]),
        case("a date in words", ARTICLE, article("title = \"x\"\ndate = \"5 January\""), "new.md:3:", &["`date`", "is not a date", "2027-09-24"]),
        case("a misspelt key of an article", ARTICLE, article("title = \"x\"\ndate = 2026-01-05\ncategorys = [\"Defectors\"]"), "new.md:4:", &["`categorys` is not a known key", "`categories`"]),
        case("front matter that never ends", ARTICLE, b"+++\ntitle = \"x\"\ndate = 2026-01-05\nText.\n".to_vec(), "new.md", &["+++"]),
        case("YAML with a loose colon", ARTICLE, b"---\ntitle: Report: the river\ndate: 2026-01-05\n---\nText.\n".to_vec(), "new.md:", &["YAML", "quotes"]),
        case("an unknown announce", ARTICLE, article("title = \"x\"\ndate = 2026-01-05\nannounce = \"maybe\""), "new.md:4:", &["announce", "auto"]),
        case("a petition in UTF-16", PETITION, utf16(GOOD_PETITION), "petition.toml", &["UTF-16", "UTF-8"]),
        case("an unknown embassy", PETITION, petition("targets = []", "targets = [\"cn-kyoto\"]"), "petition.toml:4:", &["cn-kyoto", "missions.toml"]),
        case("a text that is not there", PETITION, petition("text = \"call\"", "text = \"cal\""), "petition.toml:", &["cal"]),
        case("a step after the deadline", PETITION, petition("\"-14d 09:00\"", "\"+14d 09:00\""), "petition.toml:", &["deadline"]),
        case("a step time in words", PETITION, petition("\"-14d 09:00\"", "\"two weeks before\""), "petition.toml:15:", &["two weeks before", "-14d 09:00"]),
        case("a petition saved as text", "config/petitions/day/petition.toml.txt", GOOD_PETITION.into(), "petition.toml.txt", &["petition.toml"]),
    ]
}

/// A copy of the example with one broken file in it.
fn example_with(broken: &Broken) -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |path: &str, bytes: &[u8]| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    write(CONFIG, &std::fs::read(CONFIG).unwrap());
    write("config/missions.toml", &std::fs::read("config/missions.toml").unwrap());
    write("content/good.md", b"+++\ntitle = \"Good\"\ndate = 2026-01-05\n+++\nText.\n");
    if broken.path.contains("petitions/") {
        write("config/petitions/day/call.en.md", b"# Write to the embassy\n\nPlease write.\n");
    }
    write(broken.path, &broken.bytes);
    folder
}

fn check(folder: &Path, json: bool) -> (i32, String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_clarion"));
    program.arg("check").arg("--config").arg(folder.join(CONFIG));
    if json {
        program.arg("--json");
    }
    let output = program.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn every_broken_file_is_told_with_its_place_and_remedy() {
    assert!(cases().len() >= 20);
    let mut wrong = Vec::new();
    for broken in cases() {
        let folder = example_with(&broken);
        let (code, out, _) = check(folder.path(), true);
        let problems: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap_or_default();
        let told: Vec<String> = problems
            .iter()
            .filter(|problem| problem["severity"] == "error")
            .map(|problem| {
                format!(
                    "{}:{}:{}: {} — {}",
                    problem["file"].as_str().unwrap(),
                    problem["line"],
                    problem["column"],
                    problem["message"].as_str().unwrap(),
                    problem["remedy"].as_str().unwrap()
                )
            })
            .collect();
        let found = told.iter().any(|line| line.contains(broken.place) && broken.words.iter().all(|word| line.contains(word)));
        if !found || code != 1 {
            wrong.push(format!(
                "{} (exit {code}): wanted {} {:?}, told:\n    {}",
                broken.name,
                broken.place,
                broken.words,
                told.join("\n    ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn several_mistakes_in_one_file_are_all_told_at_once() {
    let text = std::fs::read_to_string(CONFIG).unwrap();
    let text = text.replace("base_url =", "base_ulr =").replace("connections = 8", "connections = 0").replace("0 8 * * Mon", "0 8 * * 1");
    let broken = Broken { name: "", path: CONFIG, bytes: text.into(), place: "", words: &[] };
    let folder = example_with(&broken);
    let (code, _, told) = check(folder.path(), false);
    assert_eq!(code, 1);
    for words in ["base_ulr", "`connections` is 0", "weekday"] {
        assert!(told.contains(words), "{words} in:\n{told}");
    }
}

#[test]
fn the_example_has_no_mistakes() {
    let (code, out, err) = check(Path::new("."), false);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("No mistakes found"), "{out}");
}
