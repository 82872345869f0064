//! A folder of texts beside the configuration adds a language or says something otherwise.

use super::configure;
use crate::support::inbox::Inbox;
use crate::support::language;
use crate::support::program::Daemon;
use crate::support::{on_each_engine, web};
use clarion::language::Catalogue;
use clarion::problem::Problem;
use clarion::subscription::CONSENT_TEXT_VERSION;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

const THAI: &str = "\
subscribe-heading = รับข่าวทางอีเมล
subscribe-button = สมัคร
mail-confirm-subject = โปรดยืนยันการสมัคร: { $site }
petition-people = { $count } คน
";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        write(folder.path(), name, text.as_bytes());
    }
    folder
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn told(folder: &TempDir) -> Vec<String> {
    let (_, problems) = Catalogue::with_overlay(folder.path());
    let root = format!("{}/", folder.path().display());
    problems.iter().map(|problem| problem.to_string().replace(&root, "")).collect()
}

#[test]
fn a_folder_adds_a_language_and_changes_single_texts() {
    let folder =
        folder(&[("th/common.ftl", THAI), ("ja/ours.ftl", "subscribe-button = 申し込む\n"), ("README.md", "Ours."), (".git/x.ftl", "?")]);
    let (catalogue, problems) = Catalogue::with_overlay(folder.path());
    assert_eq!(problems, []);
    let voice = |tag: &str| catalogue.voice(&language(tag));
    assert_eq!(voice("th").say("subscribe-button"), "สมัคร");
    assert_eq!(voice("th-TH").language(), &language("th"));
    assert_eq!(voice("th").say_with("petition-people", "count", 1000), "1000 คน");
    assert_eq!(voice("th").say("contact"), "Contact", "what is not said is said in English");
    assert_eq!(voice("ja").say("subscribe-button"), "申し込む");
    assert_eq!(voice("ja").say("contact"), "お問い合わせ");
    assert_eq!(Catalogue::shipped().voice(&language("ja")).say("subscribe-button"), "登録する");
}

#[test]
fn a_missing_text_is_said_in_the_wider_language_before_english() {
    let folder = folder(&[("pt/a.ftl", "contact = Contacto\ndonate = Donativos\n"), ("pt-BR/a.ftl", "contact = Contato\n")]);
    let (catalogue, _) = Catalogue::with_overlay(folder.path());
    let brazil = catalogue.voice(&language("pt-BR"));
    assert_eq!((brazil.say("contact"), brazil.say("donate"), brazil.say("feeds")), ("Contato".into(), "Donativos".into(), "Feeds".into()));
    let gaps: Vec<String> = catalogue.gaps().iter().map(ToString::to_string).collect();
    let common = gaps.iter().find(|gap| gap.contains("pt-BR/common.ftl: warning: ")).unwrap_or_else(|| panic!("{gaps:#?}"));
    assert!(
        common.contains(" texts are not said in pt-BR, but in English: ")
            && common.contains(" date-long, ")
            && common.contains("clarion texts pt-BR"),
        "{common}"
    );
    assert!(!common.contains("donate") && !common.contains("contact"), "{common}");
}

#[test]
fn every_mistake_is_told_with_file_line_and_remedy() {
    for (name, text, place, words) in [
        ("th/a.ftl", "contact = x\ndonate x\n", "th/a.ftl:2:8: error: ", "key = text"),
        ("th/a.ftl", "contact = { $site }\n", "th/a.ftl:1:14: error: ", "`contact` is not given $site — write it without variables"),
        ("th/a.ftl", "\n\npage-of = { $page }/{ $pags }\n", "th/a.ftl:3:24: error: ", "use $page, $pages"),
        ("th/a.ftl", "petition-text-label = { petition-people }\n", "th/a.ftl:1:25: error: ", "no text `petition-people` in this language"),
        ("th/a.ftl", "contact = { -brand }\n", "th/a.ftl:1:14: error: ", "add  -brand ="),
        ("th/a.ftl", "contact = { NUMBER(1) }\n", "th/a.ftl:1:13: error: ", "there is no function NUMBER"),
        ("th/a.ftl", "contact = a\ncontact = b\n", "th/a.ftl:2:1: error: ", "`contact` is said twice in th"),
        ("th/a.ftl", "contact =\n    .label = a\n", "th/a.ftl:1:1: error: ", "`contact` has no text"),
        ("th/a.ftl", "mail-confirm-subject = a\n    b\n", "th/a.ftl:1:1: error: ", "the subject of a mail is one line"),
        ("th/a.ftl", "donate = { $x ->\n    [one] a\n  }\n", "th/a.ftl:", "*[other]"),
        ("th/a.ftl", "contct = a\n", "th/a.ftl:1:1: warning: ", "did you mean `contact`?"),
        ("th/a.ftl", "something-else-entirely = a\n", "th/a.ftl:1:1: warning: ", "remove it"),
        ("thai/a.ftl", "contact = a\n", "thai: error: ", "name the folder after its language"),
        ("th.ftl", "contact = a\n", "th.ftl: error: ", "move it into a folder"),
    ] {
        let problems = told(&folder(&[(name, text)]));
        let found = problems.iter().any(|problem| problem.starts_with(place) && problem.contains(words));
        assert!(found, "wanted {place} {words}, told:\n{}", problems.join("\n"));
    }
    let utf16 = folder(&[]);
    write(utf16.path(), "th/a.ftl", b"\xff\xfec\0o\0");
    assert!(told(&utf16)[0].contains("UTF-16"), "{:?}", told(&utf16));
    let (catalogue, problems) = Catalogue::with_overlay(&utf16.path().join("nowhere"));
    assert!(problems[0].is_error() && problems[0].remedy.contains("make the folder"), "{problems:?}");
    assert!(!catalogue.speaks(&language("th")));
}

#[test]
fn texts_may_share_words_of_their_own() {
    let folder = folder(&[("th/a.ftl", "-name = พวกเรา\nours = { -name }\ncontact = { ours } { -name }\n")]);
    let (catalogue, problems) = Catalogue::with_overlay(folder.path());
    assert_eq!(problems, Vec::<Problem>::new());
    assert_eq!(catalogue.voice(&language("th")).say("contact"), "พวกเรา พวกเรา");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_speaks_a_language_that_its_folder_adds() {
    let inbox = Inbox::open().await;
    let mut daemon = Daemon::start_with("2027-09-18T12:00:00+09:00", inbox.relay.port(), |command| {
        configure(command, "languages = [\"en\", \"ja\"]", "languages = [\"en\", \"th\"]\nlocales_dir = \"../locales\"");
        let root = command.as_std().get_current_dir().unwrap().to_owned();
        write(&root, "locales/th/subscription.ftl", THAI.as_bytes());
    })
    .await;
    let page = daemon.get("/th/subscribe").await.text().await.unwrap();
    assert!(
        page.contains("<html lang=\"th\">") && page.contains("<h1>รับข่าวทางอีเมล</h1>") && page.contains("<button>สมัคร</button>"),
        "{page}"
    );
    assert!(page.contains("What you would like to read"), "what is not translated is said in English:\n{page}");
    assert!(daemon.get("/").await.text().await.unwrap().contains(">ไทย</a>"));
    daemon.subscribe("th", "malee@example.org").await;
    let mail = inbox.wait_for("malee@example.org", "/th/confirm/").await;
    assert!(mail.subject.starts_with("โปรดยืนยันการสมัคร: "), "{}", mail.subject);

    let check = |config: &str| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_clarion"));
        let output = program.args(["check", "--config", config]).current_dir(daemon.folder()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = check("config/clarion.toml");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("texts are not said in th, but in English: ") && said.contains("locales/th/petition.ftl"), "{said}");
    daemon.write("locales/th/rest.ftl", &to_translate(daemon.folder()));
    let (code, said) = check("config/clarion.toml");
    assert_eq!((code, said.contains("not said in th")), (Some(0), false), "what is printed is all that was missing: {said}");
    assert!(to_translate(daemon.folder()).contains("Nothing is left to translate into th."));
    daemon.write("locales/th/broken.ftl", "contact\n");
    let (code, said) = check("config/clarion.toml");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("locales/th/broken.ftl:1"), "{said}");
    assert_eq!(daemon.terminate().await, Some(0));
}

#[tokio::test]
async fn consent_to_a_text_of_the_sites_own_is_recorded_with_its_hash() {
    on_each_engine(async |world| {
        let folder = folder(&[("ja/texts.ftl", "consent-text = { $site }からのメールに同意します。\n")]);
        let mut shared = web::shared(&world);
        shared.catalogue = Catalogue::with_overlay(folder.path()).0;
        let site = web::serve_shared(shared).await;
        for (path, address) in [("/subscribe", "kim@example.org"), ("/ja/subscribe", "hana@example.org")] {
            let (_, page) = site.page(path).await;
            let token = page.split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap();
            world.pass(Duration::from_secs(5));
            assert_eq!(site.post(path, &[("address", address), ("form", token)]).await.status(), 200);
        }
        let versions: Vec<String> =
            sqlx::query_scalar("SELECT text_version FROM signup ORDER BY id").fetch_all(world.db.reader()).await.unwrap();
        assert_eq!(versions[0], CONSENT_TEXT_VERSION);
        assert!(versions[1].len() == 20 && versions[1].starts_with("own:"), "{versions:?}");
    })
    .await;
}

/// What `clarion texts th` prints.
fn to_translate(folder: &Path) -> String {
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_clarion"));
    let output = program.args(["texts", "th"]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_language_without_texts_is_told_with_its_place() {
    let example = std::fs::read_to_string("config/clarion.toml").unwrap();
    let text = example.replace("languages = [\"en\", \"ja\"]", "languages = [\"en\", \"th\", \"zh-TW\"]");
    let source = clarion::problem::Source::new("clarion.toml", text);
    let (_, warnings) = clarion::config::Config::parse(&source, Path::new("/etc/clarion"), &[]).unwrap();
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("clarion.toml:9:13: warning: Clarion has no texts in th; "), "{warnings:?}");
    assert!(warnings[0].contains("locales_dir = \"locales\""), "{warnings:?}");
}
