//! Five languages are shipped, others come by a folder of texts: what people see in each.

mod overlay;
mod tags;

use crate::support::inbox::{Inbox, Mail};
use crate::support::language;
use crate::support::program::Daemon;
use clarion::language::{Catalogue, Voice};
use reqwest::StatusCode;
use tokio::process::Command;

const TITLES: [(&str, &str); 5] = [
    ("en", "A family reaches Seoul"),
    ("ja", "ある家族、ソウルに到着しました"),
    ("ko", "한 가족이 열한 주 만에 서울에 도착했습니다"),
    ("zh-Hans", "一家四口历经十一周抵达首尔"),
    ("zh-Hant", "一家四口歷經十一週抵達首爾"),
];

/// Changes the configuration of a daemon that is about to start.
pub fn configure(command: &mut Command, from: &str, to: &str) {
    let path = command.as_std().get_current_dir().unwrap().join("config/clarion.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "the example has “{from}”");
    std::fs::write(path, text.replace(from, to)).unwrap();
}

fn voice(tag: &str) -> Voice {
    Catalogue::shipped().voice(&language(tag))
}

fn in_language(tag: &str, path: &str) -> String {
    if tag == "en" { path.to_owned() } else { format!("/{tag}{path}") }
}

/// RFC 2047 §2: encoded words of at most 75 characters, each whole, on lines of at most 76.
fn assert_encoded_subject(mail: &Mail) {
    let words = mail.header("Subject");
    if mail.subject.is_ascii() {
        return;
    }
    for word in words.split_whitespace().filter(|word| word.starts_with("=?")) {
        assert!(word.len() <= 75 && word.to_ascii_lowercase().starts_with("=?utf-8?b?") && word.ends_with("?="), "{word}");
        let one = format!("Subject: {word}\r\n\r\n");
        let decoded = mail_parser::MessageParser::default().parse(one.as_bytes()).unwrap().subject().unwrap().to_owned();
        assert!(!decoded.contains('\u{fffd}'), "a character is cut in two: {word}");
    }
    assert!(words.is_ascii(), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_of_five_languages_are_spoken_to_in_theirs_from_the_first_page_to_the_last() {
    let inbox = Inbox::open().await;
    let five = |command: &mut Command| {
        configure(command, "languages = [\"en\", \"ja\"]", "languages = [\"en\", \"ja\", \"ko\", \"zh-Hans\", \"zh-Hant\"]");
    };
    let mut daemon = Daemon::start_with("2027-09-18T12:00:00+09:00", inbox.relay.port(), five).await;
    for (minute, (tag, _)) in TITLES.iter().enumerate() {
        joins(&daemon, &inbox, tag, minute + 1).await;
    }
    for (tag, title) in TITLES {
        // What is written for Taiwan belongs to the site's Traditional Chinese.
        let suffix = if tag == "zh-Hant" { "zh-TW" } else { tag };
        let article = format!("+++\ntitle = \"{title}\"\ndate = 2027-09-18T10:00:00+09:00\ncategories = [\"defectors\"]\n+++\n{title}。\n");
        daemon.write(&format!("content/family.{suffix}.md"), &article);
    }
    for (tag, title) in TITLES {
        daemon.wait_for(&in_language(tag, "/feed.xml"), title).await;
    }
    daemon.set_clock("2027-09-20T08:00:30+09:00");
    for (tag, title) in TITLES {
        reads_and_leaves(&daemon, &inbox, tag, title).await;
    }
    assert_eq!(daemon.terminate().await, Some(0));
}

/// Subscribes on the page of a language, minutes after noon, and confirms by the mail.
async fn joins(daemon: &Daemon, inbox: &Inbox, tag: &str, minute: usize) {
    let voice = voice(tag);
    let page = daemon.get(&in_language(tag, "/subscribe")).await.text().await.unwrap();
    assert!(page.contains(&format!("<html lang=\"{tag}\">")), "{page}");
    for key in ["subscribe-heading", "address-label", "topics-hint", "languages-hint", "rhythm-weekly", "subscribe-button"] {
        assert!(page.contains(&voice.say(key)), "{tag} {key}:\n{page}");
    }
    let address = format!("{}@example.org", tag.to_lowercase());
    let token = page.split("name=\"form\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("the form has a token");
    // A form sent at once is a robot's; the daemon's clock stands still, so it is moved.
    daemon.set_clock(&format!("2027-09-18T12:{minute:02}:00+09:00"));
    let form = [("form", token), ("address", &address), ("language", tag), ("rhythm", "weekly")];
    let answer = daemon.post(&in_language(tag, "/subscribe"), &form).await;
    assert!(answer.text().await.unwrap().contains(&voice.say("subscribe-sent-heading")), "{tag}");
    let mail = inbox.wait_for(&address, "/confirm/").await;
    assert!(mail.text.contains(&voice.say("mail-confirm-closing")), "{}", mail.text);
    assert_encoded_subject(&mail);
    let link = mail.link("/confirm/");
    let page = daemon.get(&link).await.text().await.unwrap();
    assert!(page.contains(&voice.say("confirm-button")) && page.contains(&language(tag).own_name()), "{page}");
    let page = daemon.post(&link, &[]).await.text().await.unwrap();
    assert!(page.contains(&voice.say("confirmed-heading")), "{page}");
}

/// Gets the digest, reads the article's page, opens the choices and the way out.
async fn reads_and_leaves(daemon: &Daemon, inbox: &Inbox, tag: &str, title: &str) {
    let voice = voice(tag);
    let address = format!("{}@example.org", tag.to_lowercase());
    let digest = inbox.wait_for(&address, title).await;
    let date = voice.date(jiff::civil::date(2027, 9, 18));
    for text in [voice.say("digest-heading"), voice.say("mail-unsubscribe"), date.clone()] {
        assert!(digest.text.contains(&text), "{tag} {text}:\n{}", digest.text);
    }
    assert_encoded_subject(&digest);
    let page = daemon.get(&digest.link("/2027/09/")).await.text().await.unwrap();
    assert!(page.contains(&format!("<html lang=\"{tag}\">")) && page.contains(&date) && page.contains(title), "{page}");
    assert!(page.contains(&voice.say("also-in")) && page.contains("繁體中文") == (tag != "zh-Hant"), "{page}");
    let home = daemon.get(&in_language(tag, "/")).await.text().await.unwrap();
    assert!(home.contains(&voice.say("newest")) && home.contains(title) && home.contains(&date), "{home}");
    let page = daemon.get(&digest.link("/preferences")).await.text().await.unwrap();
    assert!(page.contains(&voice.say("preferences-send")), "{page}");
    let leave = digest.link("/unsubscribe/");
    let page = daemon.get(&leave).await.text().await.unwrap();
    assert!(page.contains(&voice.say("leave-heading")), "{page}");
    let left = daemon.post(&leave, &[("what", "everything")]).await;
    assert_eq!(left.status(), StatusCode::OK);
    assert!(left.text().await.unwrap().contains(&voice.say("left-heading")));
}
