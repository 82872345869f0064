//! `clarion doctor`: what it says of a sound set-up, and of every way to get one wrong.

use crate::support::command::{FILES, context_with};
use crate::support::dns::Dns;
use crate::support::relay::{Manner, Relay};
use crate::support::{World, beginning, databases, on_each_engine, sqlite_in};
use clarion::cli::Context;
use clarion::clock::Clock;
use clarion::config::Config;
use clarion::db::{DatabaseUrl, Db};
use clarion::doctor::{self, Finding, Level, Wish};
use clarion::mail::dkim::{Algorithm, Key, record};
use clarion::problem::Source;
use clarion::vault::Vault;
use std::path::Path;
use tempfile::TempDir;

const SENDS_FROM: &str = "192.0.2.25";

fn configuration(relay: &Relay) -> String {
    format!(
        r#"
[site]
title = "The Harbour"
base_url = "https://news.example.org"
languages = ["en"]
postal_address = "1-1 Example, Tokyo"
[staff]
mail = ["office@example.net"]
[content]
dir = "content"
[web]
listen = "127.0.0.1:0"
[database]
url = "sqlite:clarion.db"
[vault]
key_file = "clarion.key"
[mail]
from = "Harbour <news@example.org>"
envelope = "bounces+{{token}}@example.org"
transport = {{ kind = "smtp", host = "127.0.0.1", port = {}, tls = "none" }}
[mail.dkim]
selector = "c1"
key_file = "dkim-c1.pem"
[petitions]
dir = "petitions"
approvers = ["chair@example.net"]
"#,
        relay.port()
    )
}

/// A set-up in which all is well, until a test changes it.
struct Office {
    relay: Relay,
    dns: Dns,
    config: Config,
    clock: Clock,
    wish: Wish,
    folder: TempDir,
}

impl Office {
    async fn new() -> Self {
        Self::on(None).await
    }

    async fn on(database: Option<DatabaseUrl>) -> Self {
        let folder = TempDir::new().unwrap();
        let key = Key::generate(Algorithm::Rsa).unwrap();
        key.create(&folder.path().join("dkim-c1.pem")).unwrap();
        let (relay, clock) = (Relay::start().await, Clock::system());
        let mut config = parse(&configuration(&relay), folder.path());
        config.database = database.unwrap_or_else(|| sqlite_in(folder.path()));
        let db = Db::open(&config.database).await.unwrap();
        Vault::open(&db, &config.key_file, clock.now()).await.unwrap();
        db.close().await;
        let published = record::text(&key).unwrap();
        let dns = Dns::start(&[
            ("example.org", "TXT", "some-verification=abc"),
            ("example.org", "TXT", "v=spf1 ip4:192.0.2.0/28 include:_spf.relay.example -all"),
            ("_spf.relay.example", "TXT", "v=spf1 a:out.relay.example/30 ?all"),
            ("out.relay.example", "A", "192.0.2.25"),
            ("c1._domainkey.example.org", "TXT", &published),
            ("_dmarc.example.org", "TXT", "v=DMARC1; p=reject; rua=mailto:dmarc@example.org"),
            ("example.org", "MX", "10 mx.example.org"),
            ("mx.example.org", "A", "192.0.2.1"),
            ("example.net", "MX", "20 gone.example.net"),
            ("example.net", "MX", "10 mx.example.net"),
            ("mx.example.net", "AAAA", "2001:db8::1"),
            ("25.2.0.192.in-addr.arpa", "PTR", "out.relay.example"),
        ])
        .await;
        let wish = Wish { dns: Some(dns.address()), sends_from: vec![SENDS_FROM.parse().unwrap()], accept_weak_dmarc: false };
        Self { relay, dns, config, clock, wish, folder }
    }

    async fn examine(&self) -> Vec<Finding> {
        doctor::examine(&self.config, &self.clock, &self.wish).await.unwrap()
    }

    /// What is found when this record is so; then it is as before.
    async fn with(&self, name: &str, kind: &'static str, text: Option<&str>) -> Vec<Finding> {
        let before = self.dns.get(name, kind);
        self.dns.set(name, kind, text);
        let findings = self.examine().await;
        self.dns.set(name, kind, None);
        for text in before {
            self.dns.add(name, kind, &text);
        }
        findings
    }

    async fn spf(&self, record: &str) -> Finding {
        worst(&self.with("example.org", "TXT", Some(record)).await, "SPF")
    }

    async fn dmarc(&self, record: &str) -> Finding {
        worst(&self.with("_dmarc.example.org", "TXT", Some(record)).await, "DMARC")
    }

    async fn dkim(&self, record: &str) -> Finding {
        worst(&self.with("c1._domainkey.example.org", "TXT", Some(record)).await, "DKIM")
    }
}

fn parse(text: &str, folder: &Path) -> Config {
    Config::parse(&Source::new("clarion.toml", text), folder, &[]).unwrap().0
}

/// The gravest of what was found about something.
fn worst(findings: &[Finding], about: &str) -> Finding {
    findings.iter().filter(|finding| finding.about == about).max_by_key(|finding| finding.level).unwrap().clone()
}

fn is(finding: &Finding, level: Level, words: &str) {
    assert!(finding.level == level && finding.message.contains(words), "{finding:?} is not {level}: {words}");
    assert_eq!(finding.remedy.is_none(), level == Level::Ok, "{finding:?}");
}

#[tokio::test]
async fn a_sound_set_up_has_nothing_to_mend_on_each_engine() {
    for database in databases().await {
        let office = Office::on(database).await;
        let findings = office.examine().await;
        let wrong: Vec<_> = findings.iter().filter(|finding| finding.level != Level::Ok && finding.about != "disk").collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        for about in ["SPF", "DKIM", "DMARC", "addresses", "relay", "PTR", "database", "keys", "clock", "disk"] {
            assert!(findings.iter().any(|finding| finding.about == about), "{about}");
        }
        let covers = findings.iter().any(|finding| finding.about == "DKIM" && finding.message.contains("List-Unsubscribe-Post"));
        assert!(covers, "{findings:#?}");
        assert!(
            office.relay.received().is_empty() && !office.relay.commands().iter().any(|command| command.starts_with("MAIL")),
            "nothing is sent"
        );
    }
}

#[tokio::test]
async fn spf_must_be_one_sound_record_that_lets_the_relay_send() {
    let office = Office::new().await;
    is(&worst(&office.with("example.org", "TXT", None).await, "SPF"), Level::Failure, "has no SPF record");
    is(&office.spf("v=spf1 ip4:192.0.2.25 -al").await, Level::Failure, "“-al”");
    is(&office.spf("v=spf1 ip4:198.51.100.1 -all").await, Level::Failure, "does not let 192.0.2.25 send");
    is(&office.spf("v=spf1 -ip4:192.0.2.25 +all").await, Level::Failure, "whole world");
    is(&office.spf("v=spf1 a:out.relay.example").await, Level::Warning, "does not say who may not send");
    is(&office.spf("v=spf1 a:out.relay.example ?all").await, Level::Warning, "does not say who may not send");
    is(&office.spf("v=spf1 a:out.relay.example ~all").await, Level::Ok, "lets 192.0.2.25 send");
    is(&office.spf("v=spf1 redirect=_spf.relay.example").await, Level::Ok, "lets 192.0.2.25 send");
    is(&office.spf("v=spf1 include:nowhere.example -all").await, Level::Failure, "nowhere.example, which it includes, has no SPF record");
    is(&office.spf("v=spf1 exists:%{i}.list.example -all").await, Level::Warning, "depends on the mail");
    is(&office.spf("v=spf1 ip4:192.0.2.25 a:x1.example a:x2.example a:x3.example -all").await, Level::Warning, "do not exist");
    office.dns.add("example.org", "TXT", "v=spf1 -all");
    is(&worst(&office.examine().await, "SPF"), Level::Failure, "several");
}

#[tokio::test]
async fn spf_may_cost_ten_questions_and_no_circle() {
    let office = Office::new().await;
    let mechanisms = |count: usize| (0..count).map(|_| "a:out.relay.example").collect::<Vec<_>>().join(" ");
    is(&office.spf(&format!("v=spf1 {} -all", mechanisms(10))).await, Level::Ok, "lets");
    is(&office.spf(&format!("v=spf1 {} -all", mechanisms(11))).await, Level::Failure, "more than 10 questions (11 of them)");
    office.dns.set("_spf.relay.example", "TXT", Some(&format!("v=spf1 {} -all", mechanisms(9))));
    is(&office.spf("v=spf1 include:_spf.relay.example -all").await, Level::Ok, "lets");
    is(&office.spf("v=spf1 include:_spf.relay.example mx -all").await, Level::Failure, "11 of them");
    office.dns.set("_spf.relay.example", "TXT", Some("v=spf1 include:example.org -all"));
    is(&office.spf("v=spf1 include:_spf.relay.example -all").await, Level::Failure, "without end");
}

#[tokio::test]
async fn what_nobody_said_of_the_relay_is_no_failure() {
    let mut office = Office::new().await;
    office.wish.sends_from = Vec::new();
    let findings = office.examine().await;
    is(&worst(&findings, "SPF"), Level::Ok, "--sends-from");
    assert!(!findings.iter().any(|finding| finding.about == "PTR"));
}

#[tokio::test]
async fn the_published_key_must_be_the_one_that_signs() {
    let office = Office::new().await;
    is(&worst(&office.with("c1._domainkey.example.org", "TXT", None).await, "DKIM"), Level::Failure, "there is no key");
    let other = record::text(&Key::generate(Algorithm::Rsa).unwrap()).unwrap();
    let finding = office.dkim(&other).await;
    is(&finding, Level::Failure, "is another");
    assert!(finding.remedy.unwrap().contains("v=DKIM1; k=rsa; p="), "what to publish is told");
    is(&office.dkim(&record::text(&Key::generate(Algorithm::Ed25519).unwrap()).unwrap()).await, Level::Failure, "is another");
    is(&office.dkim("v=DKIM1; p=").await, Level::Failure, "revoked");
    is(&office.dkim("v=DKIM1; k=rsa").await, Level::Failure, "no p=");
    let ours = office.dns.get("c1._domainkey.example.org", "TXT").remove(0);
    is(&office.dkim(&format!("{ours}; t=y")).await, Level::Warning, "marked as a test");
    is(&office.dkim(&format!("{ours}; h=sha1")).await, Level::Failure, "SHA-256");
    is(&office.dkim(&format!("{ours}; t=s")).await, Level::Ok, "");
    office.dns.add("c1._domainkey.example.org", "TXT", &other);
    is(&worst(&office.examine().await, "DKIM"), Level::Failure, "2 records");
}

#[tokio::test]
async fn without_a_signature_of_ours_nothing_is_known_of_what_it_covers() {
    let mut office = Office::new().await;
    office.config.mail.dkim = None;
    is(&worst(&office.examine().await, "DKIM"), Level::Warning, "cannot be seen from here");
    office.config.site.base_url = "http://news.example.org".parse().unwrap();
    is(&worst(&office.examine().await, "way out"), Level::Warning, "by one click");
}

#[tokio::test]
async fn dmarc_must_protect_the_sender() {
    let office = Office::new().await;
    is(&worst(&office.with("_dmarc.example.org", "TXT", None).await, "DMARC"), Level::Failure, "no DMARC record");
    is(&office.dmarc("v=DMARC1; p=none; rua=mailto:d@example.org").await, Level::Failure, "p=none");
    is(&office.dmarc("v=DMARC1; p=quarantine; pct=0").await, Level::Failure, "pct=0");
    is(&office.dmarc("v=DMARC1; p=reject; t=y; rua=mailto:d@example.org").await, Level::Failure, "only a test");
    is(&office.dmarc("v=DMARC1; p=reject").await, Level::Warning, "nobody is told");
    is(&office.dmarc("v=DMARC1; p=reject; pct=10; rua=mailto:d@example.org").await, Level::Warning, "only 10 %");
    is(&office.dmarc("v=DMARC1; p=quarantine; rua=mailto:d@example.org").await, Level::Ok, "");
    is(&office.dmarc("v=DMARC1").await, Level::Failure, "worthless");
    office.dns.add("_dmarc.example.org", "TXT", "v=DMARC1; p=none");
    is(&worst(&office.examine().await, "DMARC"), Level::Failure, "several");
}

#[tokio::test]
async fn the_policy_of_the_organisation_holds_below_it_and_sp_weakens_it() {
    let mut office = Office::new().await;
    let text = configuration(&office.relay).replace("news@example.org", "news@news.example.org");
    office.config = parse(&text, office.folder.path());
    // Signed by the sender's own domain, if nothing is said.
    assert_eq!(office.config.mail.dkim.as_ref().unwrap().domain(), "news.example.org");
    is(&worst(&office.examine().await, "DMARC"), Level::Ok, "");
    is(&office.dmarc("v=DMARC1; p=reject; sp=none; rua=mailto:d@example.org").await, Level::Failure, "p=none");
    office.dns.add("_dmarc.news.example.org", "TXT", "v=DMARC1; p=none");
    is(&worst(&office.examine().await, "DMARC"), Level::Failure, "_dmarc.news.example.org");
}

#[tokio::test]
async fn something_must_count_for_the_sender() {
    let mut office = Office::new().await;
    let strict = "v=DMARC1; p=reject; adkim=s; aspf=s; rua=mailto:d@example.org";
    let text = configuration(&office.relay)
        .replace("news@example.org", "news@news.example.org")
        .replace("[mail.dkim]", "[mail.dkim]\ndomain = \"example.org\"");
    office.config = parse(&text, office.folder.path());
    is(&worst(&office.examine().await, "DMARC"), Level::Ok, "");
    is(&office.dmarc(strict).await, Level::Failure, "adkim=s");
    office.config.mail.dkim = None;
    is(&office.dmarc(strict).await, Level::Failure, "neither");
    is(&worst(&office.examine().await, "DMARC"), Level::Ok, "");
}

#[tokio::test]
async fn a_weak_policy_can_be_accepted_is_told_once_and_forgotten_when_it_is_strong() {
    for database in databases().await {
        let mut office = Office::on(database).await;
        office.dns.set("_dmarc.example.org", "TXT", Some("v=DMARC1; p=none"));
        is(&worst(&office.examine().await, "DMARC"), Level::Failure, "p=none");
        office.wish.accept_weak_dmarc = true;
        is(&worst(&office.examine().await, "DMARC"), Level::Warning, "this was accepted on ");
        office.wish.accept_weak_dmarc = false;
        is(&worst(&office.examine().await, "DMARC"), Level::Warning, "this was accepted on ");
        assert_eq!(notices(&office).await, 1);
        // What was accepted was this, and not less.
        office.dns.set("_dmarc.example.org", "TXT", None);
        is(&worst(&office.examine().await, "DMARC"), Level::Failure, "no DMARC record");
        office.dns.set("_dmarc.example.org", "TXT", Some("v=DMARC1; p=reject; rua=mailto:d@example.org"));
        is(&worst(&office.examine().await, "DMARC"), Level::Ok, "");
        assert_eq!(notices(&office).await, 0);
        office.dns.set("_dmarc.example.org", "TXT", Some("v=DMARC1; p=none"));
        is(&worst(&office.examine().await, "DMARC"), Level::Failure, "p=none");
    }
}

async fn notices(office: &Office) -> i64 {
    let db = Db::open(&office.config.database).await.unwrap();
    let count =
        sqlx::query_scalar("SELECT COUNT(*) FROM notice WHERE key = 'weak-dmarc:example.org'").fetch_one(db.reader()).await.unwrap();
    db.close().await;
    count
}

#[tokio::test]
async fn an_acceptance_keeps_its_date() {
    on_each_engine(async |world: World| {
        let mut tx = world.db.begin().await.unwrap();
        assert_eq!(doctor::accepted(&mut tx).await.unwrap(), None);
        let first = doctor::accept(&mut tx, "example.org", "p=none", beginning()).await.unwrap();
        world.pass(std::time::Duration::from_hours(1));
        assert_eq!(doctor::accept(&mut tx, "example.org", "p=none", world.clock.now()).await.unwrap(), first);
        assert_eq!(doctor::accepted(&mut tx).await.unwrap(), Some(first.clone()));
        let other = doctor::accept(&mut tx, "example.org", "no record", world.clock.now()).await.unwrap();
        assert!(other.at > first.at && other.state == "no record");
        doctor::forget(&mut tx).await.unwrap();
        assert_eq!(doctor::accepted(&mut tx).await.unwrap(), None);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn every_address_of_the_configuration_needs_a_mail_server() {
    let office = Office::new().await;
    let about = async |name: &str, kind, text| worst(&office.with(name, kind, text).await, "addresses");
    is(&about("example.net", "MX", None).await, Level::Failure, "example.net (staff, approvers) has no mail server");
    is(&about("example.org", "MX", None).await, Level::Failure, "example.org (sender, bounces)");
    is(&about("example.net", "MX", Some("0 .")).await, Level::Failure, "takes no mail");
    is(&about("mx.example.net", "AAAA", None).await, Level::Failure, "do not exist");
    office.dns.add("example.net", "A", "192.0.2.7");
    is(&about("example.net", "MX", None).await, Level::Warning, "machine of that name");
}

#[tokio::test]
async fn a_promise_of_strict_transport_must_be_readable() {
    let office = Office::new().await;
    let about = async |text| worst(&office.with("_mta-sts.example.org", "TXT", Some(text)).await, "MTA-STS");
    is(&about("v=STSv1; id=20270920T08;").await, Level::Ok, "asks senders to encrypt");
    is(&about("v=STSv1; id=2027-09-20").await, Level::Warning, "not one that senders honour");
}

#[tokio::test]
async fn a_relay_that_does_not_take_mail_is_told_in_its_own_words() {
    let mut office = Office::new().await;
    office.relay = Relay::start_with(Manner { greeting: "554 5.7.1 you are not welcome", ..Manner::default() }).await;
    office.config = parse(&configuration(&office.relay), office.folder.path());
    is(&worst(&office.examine().await, "relay"), Level::Failure, "not welcome");
    office.relay.go_down();
    is(&worst(&office.examine().await, "relay"), Level::Failure, "does not take mail from us");
}

#[tokio::test]
async fn a_relay_without_starttls_is_refused_where_it_is_demanded() {
    let mut office = Office::new().await;
    let text = configuration(&office.relay).replace("tls = \"none\"", "tls = \"required\"");
    office.config = parse(&text, office.folder.path());
    is(&worst(&office.examine().await, "relay"), Level::Failure, "does not offer STARTTLS");
}

#[tokio::test]
async fn the_sending_address_needs_a_name_that_leads_back() {
    let office = Office::new().await;
    let about = async |text| worst(&office.with("25.2.0.192.in-addr.arpa", "PTR", text).await, "PTR");
    is(&about(None).await, Level::Failure, "has no name");
    is(&about(Some("mx.example.org")).await, Level::Failure, "leads elsewhere");
}

#[tokio::test]
async fn keys_that_others_can_read_or_that_are_gone_are_failures() {
    use std::os::unix::fs::PermissionsExt as _;
    let office = Office::new().await;
    let key = office.folder.path().join("clarion.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    is(&worst(&office.examine().await, "keys"), Level::Failure, "mode 644");
    std::fs::remove_file(&key).unwrap();
    is(&worst(&office.examine().await, "keys"), Level::Failure, "is missing");
    assert!(!key.exists(), "none is made");
    std::fs::remove_file(office.folder.path().join("clarion.db")).unwrap();
    is(&worst(&office.examine().await, "database"), Level::Warning, "no database");
    is(&worst(&office.examine().await, "keys"), Level::Warning, "no key file");
    assert!(!office.folder.path().join("clarion.db").exists(), "none is made");
}

#[tokio::test]
async fn a_clock_that_was_set_by_hand_or_back_is_told() {
    let mut office = Office::new().await;
    let later = u64::try_from(office.clock.now().as_seconds()).unwrap() + 3600;
    let later = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(later);
    std::fs::File::options().append(true).open(office.folder.path().join("clarion.db")).unwrap().set_modified(later).unwrap();
    is(&worst(&office.examine().await, "clock"), Level::Failure, "the database was written at");
    office.clock = Clock::manual(beginning());
    is(&worst(&office.examine().await, "clock"), Level::Warning, "CLARION_CLOCK");
}

#[tokio::test]
async fn a_silent_name_server_leaves_everything_open_and_fails_nothing() {
    let mut office = Office::new().await;
    // Nobody answers there.
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    office.wish.dns = Some(silent.local_addr().unwrap());
    let findings = office.examine().await;
    for about in ["SPF", "DKIM", "DMARC", "addresses", "PTR"] {
        is(&worst(&findings, about), Level::Warning, "nothing is known");
    }
}

#[tokio::test]
async fn mail_to_files_is_told_as_what_it_is() {
    on_each_engine(async |world: World| {
        let Context { config, clock, .. } = context_with(&world, FILES);
        let dns = Dns::start(&[]).await;
        let wish = Wish { dns: Some(dns.address()), ..Wish::default() };
        let findings = Box::pin(doctor::examine(&config, &clock, &wish)).await.unwrap();
        is(&worst(&findings, "relay"), Level::Warning, "nobody gets any");
    })
    .await;
}

#[tokio::test]
async fn the_command_exits_with_one_when_something_fails_and_speaks_json() {
    let office = Office::new().await;
    std::fs::write(office.folder.path().join("clarion.toml"), configuration(&office.relay)).unwrap();
    let run = async |more: &[&str]| {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_clarion"));
        let dns = office.dns.address().to_string();
        command.arg("--config").arg(office.folder.path().join("clarion.toml"));
        command.args(["doctor", "--dns", &dns, "--sends-from", SENDS_FROM]).args(more).output().await.unwrap()
    };
    let output = run(&[]).await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("ok       SPF        example.org lets 192.0.2.25 send\n"), "{said}");
    office.dns.set("_dmarc.example.org", "TXT", None);
    let output = run(&["--json"]).await;
    assert_eq!(output.status.code(), Some(1));
    let findings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let dmarc = findings.as_array().unwrap().iter().find(|finding| finding["about"] == "DMARC").unwrap();
    assert_eq!(dmarc["level"], "failure");
    assert!(dmarc["remedy"].as_str().unwrap().contains("news.example.org"), "a subdomain of one's own");
    let output = run(&["--accept-weak-dmarc"]).await;
    assert_eq!(output.status.code(), Some(0));
}
