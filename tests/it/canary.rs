//! Nobody's address is found anywhere but in the mail they get (S17), and looking at what stands
//! in their mails changes nothing (S1): the real program, everything logged, everything searched.

use crate::support::inbox::Inbox;
use crate::support::program::Daemon;
use crate::support::relay::Fault;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use clarion::address::Address;
use clarion::db::{DatabaseUrl, Db};
use reqwest::{Method, Response, StatusCode};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

const BASE: &str = "http://news.example.org";

/// Subscribers. Every local part and every domain is unique.
const READER: &str = "canaryreader@feather0.example.org";
const LEAVER: &str = "CanaryLeaver@Feather1.example.org";
const CHANGER: &str = "canarychanger+tag1@feather2.example.org";
const ERASED: &str = "canary.erased@feather3.example.org";
const BOUNCED: &str = "canarybounced@feather4.example.org";
const DELAYED: &str = "canarydelayed@feather5.example.org";
const FOREIGN: &str = "カナリア鳥@羽毛六.example.org";
const SILENT: &str = "canarysilent@feather7.example.org";
const SUBSCRIBERS: [&str; 8] = [READER, LEAVER, CHANGER, ERASED, BOUNCED, DELAYED, FOREIGN, SILENT];
/// What only comes in wrongly.
const STRANGER: &str = "canarystranger@feather8.example.org";
const MISTYPED: &str = "canarymistyped@@feather9.example.org";

/// Relays repeat what they were told.
const REJECTION: &str = "550 5.1.1 <canarybounced@feather4.example.org>: no mailbox canarybounced at feather4.example.org";
const DELAY: &str = "451 4.4.3 name service error for name=feather5.example.org; to=<CANARYDELAYED@FEATHER5.EXAMPLE.ORG>";

const ARTICLE: &str = "+++
title = \"TITLE\"
date = 2027-09-18T10:00:00+09:00
categories = [\"Defectors\"]
+++
After eleven weeks a family of four is safe.
";

/// What the program says about itself, kept outside of its folder.
struct Ears {
    log: tempfile::NamedTempFile,
    metrics: String,
}

async fn start(inbox: &Inbox) -> (Daemon, Ears) {
    let log = tempfile::NamedTempFile::new().unwrap();
    let stderr = log.reopen().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let daemon = Daemon::start_with("2027-09-18T12:00:00+09:00", inbox.relay.port(), |command| {
        command
            .env("CLARION_LOG", "trace")
            .env("CLARION_WEB__METRICS_LISTEN", free.to_string())
            .env("CLARION_WEB__TRUSTED_PROXIES", "[\"127.0.0.0/8\"]")
            .stderr(stderr);
    });
    (daemon.await, Ears { log, metrics: format!("http://{free}/metrics") })
}

/// Sends a form from a network of its own.
async fn send(daemon: &Daemon, path: &str, network: usize, form: &[(&str, &str)]) -> Response {
    let from = format!("198.51.{network}.7");
    daemon.send(Method::POST, path, |request| request.header("x-forwarded-for", from).form(form)).await
}

async fn form_token(daemon: &Daemon, path: &str) -> String {
    let page = daemon.get(path).await.text().await.unwrap();
    let (_, rest) = page.split_once("name=\"form\" value=\"").expect("the form has a token");
    rest.split('"').next().unwrap().to_owned()
}

/// As the relay sees it.
fn envelope(address: &str) -> String {
    Address::parse(address).unwrap().expose().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_address_is_found_anywhere_and_looking_changes_nothing() {
    let inbox = Inbox::open().await;
    let (mut daemon, ears) = start(&inbox).await;
    let token = form_token(&daemon, "/subscribe").await;
    daemon.set_clock("2027-09-18T12:00:30+09:00");
    for (network, address) in SUBSCRIBERS.into_iter().enumerate() {
        let form = [("address", address), ("form", &token), ("rhythm", "weekly"), ("language", "en")];
        assert!(send(&daemon, "/subscribe", network, &form).await.status().is_success());
    }
    for address in SUBSCRIBERS.into_iter().filter(|address| *address != SILENT) {
        let link = inbox.wait_for(&envelope(address), "/confirm/").await.link("/confirm/");
        assert_eq!(daemon.post(&link, &[]).await.status(), StatusCode::OK);
    }
    send_nonsense(&daemon, &token).await;

    // One changes their mind, one is forgotten, and at two mailboxes the relay complains.
    for address in [CHANGER, ERASED] {
        send(&daemon, "/preferences", 100, &[("address", address), ("form", &token)]).await;
        let link = inbox.wait_for(&envelope(address), "/preferences/").await.link("/preferences/");
        let act = if address == ERASED { "erase" } else { "save" };
        let answer = send(&daemon, &link, 100, &[("act", act), ("streams", "both"), ("rhythm", "weekly")]).await;
        assert_eq!(answer.status(), StatusCode::OK);
    }
    inbox.relay.always(&envelope(BOUNCED), Fault::Rcpt(REJECTION));
    inbox.relay.always(&envelope(DELAYED), Fault::Rcpt(DELAY));

    // A digest, a petition, and somebody leaves.
    daemon.write("content/family.md", &ARTICLE.replace("TITLE", "A family reaches Seoul"));
    daemon.wait_for("/feed.json", "A family reaches Seoul").await;
    daemon.set_clock("2027-09-20T08:00:30+09:00");
    let digest = inbox.wait_for(&envelope(LEAVER), "A family reaches Seoul").await;
    for address in [READER, CHANGER, FOREIGN] {
        inbox.wait_for(&envelope(address), "A family reaches Seoul").await;
    }
    launch_petition(&daemon, &inbox).await;
    let leave = digest.header("List-Unsubscribe").trim_matches(['<', '>']).to_owned();
    assert_eq!(daemon.post(&leave, &[("List-Unsubscribe", "One-Click")]).await.status(), StatusCode::OK);
    daemon.settle().await;

    look_at_every_link(&daemon, &inbox).await;

    let metrics = reqwest::get(&ears.metrics).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("# EOF"), "{metrics}");
    let mut places = BTreeMap::from([("the metrics".to_owned(), metrics.into_bytes())]);
    // While it runs, its write-ahead log is there too; after it stopped, its last words.
    read_all(daemon.folder(), "running", &mut places);
    assert!(places.keys().any(|name| name.ends_with("-wal")), "{:?}", places.keys());
    assert_eq!(daemon.terminate().await, Some(0));
    read_all(daemon.folder(), "stopped", &mut places);
    let log = std::fs::read(ears.log.path()).unwrap();
    let text = String::from_utf8_lossy(&log);
    assert!(text.contains("TRACE"), "everything is logged");
    for secret in inbox.links(BASE).iter().filter_map(|link| link.split('/').find(|part| part.len() > 40)).chain([token.as_str()]) {
        assert!(!text.contains(secret), "a token is in the log: {}", lines_with(&text, secret));
    }
    places.insert("the log".to_owned(), log);
    search(&places);
}

/// What goes wrong must not be told with the address either.
async fn send_nonsense(daemon: &Daemon, token: &str) {
    send(daemon, "/subscribe", 200, &[("address", MISTYPED), ("form", token)]).await;
    send(daemon, "/subscribe", 200, &[("address", STRANGER)]).await;
    send(daemon, "/subscribe", 200, &[("address", STRANGER), ("website", STRANGER), ("form", token)]).await;
    send(daemon, "/subscribe", 200, &[("address", "nobody"), ("topic", STRANGER), ("language", STRANGER), ("form", STRANGER)]).await;
    send(daemon, "/preferences", 200, &[("address", STRANGER), ("form", token)]).await;
    send(daemon, "/preferences", 200, &[("address", MISTYPED), ("form", token)]).await;
    for path in ["/subscribe?address=", "/confirm/", "/unsubscribe/", "/archive/?before=", "/ja/preferences/", "/?feed=", "/"] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            daemon.send(method, &format!("{path}{STRANGER}"), |request| request.header("referer", STRANGER).body(STRANGER)).await;
        }
    }
    let large = STRANGER.repeat(1000);
    let answer = send(daemon, "/subscribe", 200, &[("address", &large), ("form", token)]).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

async fn launch_petition(daemon: &Daemon, inbox: &Inbox) {
    daemon.write_petition();
    for instant in ["2027-09-27T09:00:00+09:00", "2027-09-27T09:01:00+09:00"] {
        daemon.set_clock(instant);
        daemon.settle().await;
    }
    inbox.wait_for("office@example.org", "/stop/").await;
    daemon.set_clock("2027-09-27T09:04:00+09:00");
    let link = inbox.wait_for("chair@example.org", "/approve/").await.link("/approve/");
    assert_eq!(daemon.post(&link, &[("step", "call")]).await.status(), StatusCode::OK);
    daemon.set_clock("2027-09-27T09:20:00+09:00");
    inbox.wait_for(&envelope(READER), "Please write to the embassy.").await;
    let letter = [("lang", "en"), ("name", "canaryreader"), ("town", "feather0"), ("form", "page")];
    let filled = daemon.post("/petitions/autumn/letter/cn-tokyo", &letter).await.text().await.unwrap();
    assert!(filled.contains("canaryreader"), "the letter is filled");
}

/// Mail scanners follow every link, some more than once.
async fn look_at_every_link(daemon: &Daemon, inbox: &Inbox) {
    let links = inbox.links(BASE);
    for kind in ["/confirm/", "/preferences/", "/unsubscribe/", "/approve/", "/stop/", "/done/"] {
        assert!(links.iter().any(|link| link.contains(kind)), "no mail has a link to {kind}: {links:#?}");
    }
    let db = Db::open(&DatabaseUrl::Sqlite(daemon.folder().join("var/clarion.db"))).await.unwrap();
    let before = dump(&db).await;
    assert!(before.contains("consent_event") && before.contains("petition_approval"), "{before}");
    for _ in 0..3 {
        for link in &links {
            for method in [Method::GET, Method::HEAD] {
                let answer = daemon.send(method.clone(), link, |request| request).await;
                assert!(!answer.status().is_server_error(), "{method} {link}: {}", answer.status());
            }
        }
    }
    daemon.settle().await;
    let after = dump(&db).await;
    for (before, after) in before.lines().zip(after.lines()) {
        assert_eq!(before, after);
    }
    assert_eq!(before.len(), after.len());
    db.close().await;
}

/// Every row of every table, but for who does which work just now.
async fn dump(db: &Db) -> String {
    let sql = "SELECT m.name, group_concat('\"' || c.name || '\"') FROM sqlite_master m, pragma_table_info(m.name) c
               WHERE m.type = 'table' AND m.name <> 'lease' GROUP BY m.name ORDER BY m.name";
    let tables: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(db.reader()).await.unwrap();
    let mut all = String::new();
    for (table, columns) in tables {
        let sql = format!("SELECT CAST(json_array({columns}) AS TEXT) AS line FROM \"{table}\" ORDER BY line");
        let Ok(rows) = sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(sql)).fetch_all(db.reader()).await else {
            assert_eq!(table, "_sqlx_migrations", "only its checksums are no text");
            continue;
        };
        for row in rows {
            writeln!(all, "{table} {row}").unwrap();
        }
    }
    all
}

/// Every file below a folder, as far as it is still there.
fn read_all(folder: &Path, when: &str, places: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, when, places);
        } else if let Ok(bytes) = std::fs::read(&path) {
            places.insert(format!("{when}: {}", path.display()), bytes);
        }
    }
}

/// Fails with the first trace of anybody's local part or domain.
fn search(places: &BTreeMap<String, Vec<u8>>) {
    for address in SUBSCRIBERS.into_iter().chain([STRANGER, MISTYPED]) {
        let (local, domain) = address.split_once('@').unwrap();
        let label = domain.trim_start_matches('@').split('.').next().unwrap().to_lowercase();
        let ascii = idna::domain_to_ascii(&label).unwrap();
        for word in [local.split('+').next().unwrap().to_lowercase(), label, ascii] {
            for (place, bytes) in places {
                let text = String::from_utf8_lossy(bytes);
                let folded = text.to_lowercase();
                for needle in folded_forms(&word) {
                    assert!(!folded.contains(&needle), "{word} is in {place}: {}", lines_with(&folded, &needle));
                }
                for needle in base64_forms(&word) {
                    assert!(!text.contains(&needle), "{word} is in {place} as base64: {}", lines_with(&text, &needle));
                }
            }
        }
    }
}

/// A word as it is, in hexadecimal, percent-encoded, and as debug output escapes it.
fn folded_forms(word: &str) -> Vec<String> {
    let hex: String = word.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let percent: String = word.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02x}"));
    let spaced: String = word.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    let list: String = word.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ");
    let escaped: String = word.bytes().map(|byte| std::ascii::escape_default(byte).to_string()).collect();
    vec![word.to_owned(), hex, percent, spaced, list, escaped, word.escape_unicode().to_string()]
}

/// A word in base64 wherever it begins, without the characters that its neighbours share. The
/// case of what was encoded is not known: as it is, and in capitals.
fn base64_forms(word: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for word in [word.to_owned(), word.to_uppercase()] {
        for before in 0..3 {
            let padded = [&vec![0; before][..], word.as_bytes()].concat();
            let (from, to) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
            forms.extend([STANDARD, URL_SAFE].map(|engine| engine.encode(&padded)[from..to].to_owned()));
        }
    }
    forms
}

fn lines_with(text: &str, needle: &str) -> String {
    let shown = text.lines().filter(|line| line.contains(needle)).take(3);
    shown.map(|line| line.chars().take(400).collect::<String>()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_search_finds_what_is_hidden() {
    let word = "canaryreader";
    for hidden in ["xCanaryReader@", "x63616E61727972656164657278", "%63%61%6e%61%72%79%72%65%61%64%65%72"] {
        assert!(folded_forms(word).iter().any(|form| hidden.to_lowercase().contains(form)), "{hidden}");
    }
    for before in ["", "a", "ab", "abc"] {
        let hidden = STANDARD.encode(format!("{before}canaryreader@feather"));
        assert!(base64_forms(word).iter().any(|form| hidden.contains(form)), "{before}");
    }
}
