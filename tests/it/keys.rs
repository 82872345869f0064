//! `clarion keys dkim` and `[mail.dkim]`: from no key to signed mail, and every way to go wrong.

use crate::support::dkim::{Zone, verify};
use clarion::config::Config;
use clarion::problem::Source;
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};
use tempfile::TempDir;

const CONFIG: &str = r#"
[site]
title = "The Harbour"
base_url = "http://news.example.org"
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
key_file = "var/clarion.key"
[mail]
from = "Harbour <news@news.example.org>"
envelope = "bounces+{token}@example.org"
transport = { kind = "file", dir = "mail" }
"#;

/// A folder with a configuration.
struct Site(TempDir);

impl Site {
    fn new(more: &str) -> Self {
        let site = Self(TempDir::new().unwrap());
        fs::create_dir(site.0.path().join("content")).unwrap();
        site.configure(more);
        site
    }

    fn configure(&self, more: &str) {
        fs::write(self.0.path().join("clarion.toml"), format!("{CONFIG}{more}")).unwrap();
    }

    fn run(&self, line: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_clarion"));
        command.current_dir(self.0.path()).arg("--config").arg("clarion.toml").args(line.split_whitespace()).output().unwrap()
    }

    fn says(&self, line: &str) -> String {
        let output = self.run(line);
        assert_eq!(output.status.code(), Some(0), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.says(&format!("{line} --json"))).unwrap()
    }

    fn refuses(&self, line: &str) -> String {
        let output = self.run(line);
        assert_eq!(output.status.code(), Some(1), "{line}: {output:?}");
        assert!(output.stdout.is_empty(), "{line}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn mode(&self, path: &str) -> u32 {
        fs::metadata(self.0.path().join(path)).unwrap().permissions().mode() & 0o777
    }

    /// What a configuration with this at its end is refused for.
    fn told(&self, more: &str) -> Vec<String> {
        let source = Source::new("clarion.toml", format!("{CONFIG}{more}"));
        match Config::parse(&source, self.0.path(), &[]) {
            Ok(_) => Vec::new(),
            Err(refused) => refused.problems.iter().map(ToString::to_string).collect(),
        }
    }
}

fn section(more: &str) -> String {
    format!("[mail.dkim]\n{more}\n")
}

#[test]
fn a_key_is_made_published_configured_and_signs() {
    let site = Site::new("");
    let said = site.says("keys dkim");
    assert_eq!(site.mode("var/dkim-c1.pem"), 0o400);
    assert!(said.contains("name   c1._domainkey.news.example.org\n") && said.contains("(mode 400)"), "{said}");
    let second = site.json("keys dkim --ed25519");
    assert_eq!((second["name"].as_str(), second["made"].as_bool()), (Some("e1._domainkey.news.example.org"), Some(true)));
    let first = site.json("keys dkim");
    assert_eq!(first["made"], false, "it is there already, and its record is told again");
    let strings: Vec<&str> = first["strings"].as_array().unwrap().iter().map(|string| string.as_str().unwrap()).collect();
    assert!(strings.len() > 1 && strings.iter().all(|string| string.len() <= 255));
    assert_eq!(strings.concat(), first["value"].as_str().unwrap());
    for string in strings {
        assert!(said.contains(&format!("\"{string}\"")), "in pieces for a zone file: {said}");
    }

    // What it says to write is what works.
    let wanted: String = said
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[mail.dkim]")
        .take_while(|line| !line.is_empty())
        .fold(String::new(), |text, line| text + line + "\n");
    site.configure(&format!("{wanted}[mail.dkim.ed25519]\nselector = \"e1\"\nkey_file = \"var/dkim-e1.pem\"\n"));
    assert!(site.says("check").contains("No mistakes"), "{wanted}");
    site.says("mail test kim@example.net");
    let mail = fs::read_dir(site.0.path().join("mail")).unwrap().next().unwrap().unwrap();
    let zone: Zone = [first, second].iter().map(|key| (text(&key["name"]), text(&key["value"]))).collect();
    let results = verify(&fs::read(mail.path()).unwrap(), &zone);
    assert_eq!(results, [Ok("rsa-sha256".to_owned()), Ok("ed25519-sha256".to_owned())]);
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn a_new_selector_makes_a_new_key_beside_the_old() {
    let site = Site::new("");
    let (one, two) = (site.json("keys dkim"), site.json("keys dkim --selector C2"));
    assert_eq!(two["name"], "c2._domainkey.news.example.org");
    assert_ne!(one["value"], two["value"]);
    assert!(site.0.path().join("var/dkim-c1.pem").exists() && site.0.path().join("var/dkim-c2.pem").exists());
    assert!(site.refuses("keys dkim --selector c2 --ed25519").contains("another selector"), "a key of the other kind is there");
    assert!(site.refuses("keys dkim --selector no.such_thing").contains("not a selector"));
    assert!(site.refuses("keys dkim --domain nothing").contains("not a domain"));
}

#[test]
fn a_key_can_be_made_while_the_configuration_already_asks_for_it() {
    let site = Site::new(&section("selector = \"c1\"\nkey_file = \"var/dkim-c1.pem\""));
    let told = site.refuses("keys dkim");
    assert!(told.contains("clarion.toml:") && told.contains("--domain"), "{told}");
    site.says("keys dkim --domain news.example.org --out var/dkim-c1.pem");
    assert!(site.says("check").contains("No mistakes"));
    assert_eq!(site.json("keys dkim")["made"], false);
}

#[test]
fn every_mistake_in_the_section_is_told_with_its_line_and_what_to_do() {
    let site = Site::new("");
    site.says("keys dkim");
    site.says("keys dkim --ed25519");
    let path = |name: &str| site.0.path().join(name);
    fs::write(path("open.pem"), fs::read(path("var/dkim-c1.pem")).unwrap()).unwrap();
    fs::set_permissions(path("open.pem"), Permissions::from_mode(0o644)).unwrap();
    fs::write(path("none.pem"), "hello").unwrap();
    fs::set_permissions(path("none.pem"), Permissions::from_mode(0o400)).unwrap();
    let good = "selector = \"c1\"\nkey_file = \"var/dkim-c1.pem\"\n";
    assert_eq!(site.told(&section(good)), [""; 0]);
    assert_eq!(site.told(&section(&format!("{good}domain = \"Example.ORG\""))), [""; 0], "a domain above the sender's");
    let first_line = CONFIG.lines().count() + 1;
    for (more, line, words, remedy) in [
        ("key_file = \"var/dkim-c1.pem\"", 0, "`mail.dkim.selector` is missing", "selector"),
        ("selector = \"c1\"", 0, "`mail.dkim.key_file` is missing", "key_file"),
        ("selector = \"c1\"\nkey_file = \"gone.pem\"", 2, "cannot be read", "clarion keys dkim"),
        ("selector = \"c1\"\nkey_file = \"open.pem\"", 2, "mode 644", "chmod 400"),
        ("selector = \"c1\"\nkey_file = \"none.pem\"", 2, "no private key", "clarion keys dkim"),
        ("selector = \"c1\"\nkey_file = \"var/dkim-e1.pem\"", 2, "Ed25519", "mail.dkim.ed25519"),
        ("selector = \"c 1\"\nkey_file = \"var/dkim-c1.pem\"", 1, "not a selector", "c1"),
        (&format!("domain = \"example.com\"\n{good}"), 1, "comes from news.example.org", "domain = \"news.example.org\""),
        (&format!("domain = \"ws.example.org\"\n{good}"), 1, "comes from news.example.org", "leave it out"),
        (&format!("domain = \"x\"\n{good}"), 1, "not a domain", "example.org"),
        (&format!("{good}slector = \"c2\""), 3, "`mail.dkim.slector`", "`selector`"),
        (&format!("{good}[mail.dkim.ed25519]\nselector = \"e1\"\nkey_file = \"var/dkim-c1.pem\""), 5, "RSA key", "--ed25519"),
        (&format!("{good}[mail.dkim.ed25519]\nselector = \"c1\"\nkey_file = \"var/dkim-e1.pem\""), 0, "two keys", "of its own"),
    ] {
        let told = site.told(&section(more));
        assert_eq!(told.len(), 1, "{more}: {told:?}");
        assert!(told[0].contains(words) && told[0].contains(remedy), "{more}: {told:?}");
        assert!(told[0].contains(&format!("clarion.toml:{}:", first_line + line)), "{more}: {told:?}");
    }
}

#[test]
fn a_key_of_openssl_serves_and_one_that_is_too_short_does_not() {
    let site = Site::new("");
    let make = |name: &str, arguments: &[&str]| {
        let path = site.0.path().join(name);
        let made = Command::new("openssl").args(arguments).arg("-out").arg(&path).stderr(std::process::Stdio::null()).status();
        if made.is_err() {
            return false;
        }
        fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
        true
    };
    let told = |name: &str| site.told(&section(&format!("selector = \"c1\"\nkey_file = \"{name}\"")));
    if !make("pkcs8.pem", &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]) {
        return; // no openssl on this machine
    }
    assert_eq!(told("pkcs8.pem"), [""; 0]);
    let pkcs8 = site.0.path().join("pkcs8.pem");
    assert!(make("pkcs1.pem", &["rsa", "-traditional", "-in", pkcs8.to_str().unwrap()]));
    assert!(fs::read_to_string(site.0.path().join("pkcs1.pem")).unwrap().contains("BEGIN RSA PRIVATE KEY"));
    assert_eq!(told("pkcs1.pem"), [""; 0]);
    assert!(make("short.pem", &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]));
    assert!(told("short.pem")[0].contains("fewer than 2048 bits"));
    assert!(make("curve.pem", &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]));
    assert!(told("curve.pem")[0].contains("no private key"));
}

#[test]
fn no_key_is_ever_shown() {
    let site = Site::new("");
    site.says("keys dkim");
    let source = Source::new("clarion.toml", CONFIG.to_owned() + &section("selector = \"c1\"\nkey_file = \"var/dkim-c1.pem\""));
    let (config, _) = Config::parse(&source, site.0.path(), &[]).unwrap();
    let pem = fs::read_to_string(site.0.path().join("var/dkim-c1.pem")).unwrap();
    let secret = pem.lines().nth(8).unwrap();
    assert!(!format!("{config:?}").contains(secret) && format!("{config:?}").contains("Key(rsa, …)"));
}
