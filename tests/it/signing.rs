//! Signatures on what leaves (RFC 6376): good for what was written, bad for anything else.

use crate::support::dkim::{Zone, both_are_good, none_is_good, signer, verify};
use clarion::address::{Address, Mailbox};
use clarion::clock::Timestamp;
use clarion::mail::Draft;
use clarion::mail::dkim::Signer;

const DATE: Timestamp = Timestamp::from_millis(1_821_398_400_123);

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn signed(signer: &Signer, mail: &str) -> String {
    String::from_utf8(signer.sign(mail.as_bytes()).unwrap()).unwrap()
}

/// A mail of a mailing, with this subject and text.
fn mail(subject: &str, text: &str, unsubscribe: Option<&str>) -> String {
    let from = Mailbox::parse("人権ニュース編集部, \"office\" <news@example.org>").unwrap();
    let draft = Draft {
        from: &from,
        to: &address("kim@example.net"),
        reply_to: Some(&address("office@example.org")),
        subject,
        text,
        html: &format!("<!doctype html><html lang=\"en\"><body><p>{text}</p></body></html>"),
        date: DATE,
        identity: "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE",
        list_id: "news.news.example.org",
        unsubscribe,
        unsubscribe_mail: None,
        feedback_id: "12:news:ja:exampleorg",
    };
    String::from_utf8(draft.build().unwrap()).unwrap()
}

#[test]
fn the_verifier_of_these_tests_passes_the_example_of_rfc_8463() {
    let example = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=football.example.com; i=@football.example.com;\r\n \
        q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n subject : date : message-id : from : subject : date;\r\n \
        bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n \
        b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n\
        From: Joe SixPack <joe@football.example.com>\r\nTo: Suzie Q <suzie@shopping.example.net>\r\nSubject: Is dinner ready?\r\n\
        Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\nMessage-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\n\
        Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
    let record = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let zone = Zone::from([("brisbane._domainkey.football.example.com".to_owned(), record.to_owned())]);
    assert_eq!(verify(example.as_bytes(), &zone), [Ok("ed25519-sha256".to_owned())]);
    assert!(none_is_good(example.replace("hungry", "angry").as_bytes(), &zone));
    assert!(none_is_good(example.replace("dinner", "lunch").as_bytes(), &zone));
}

#[test]
fn mails_of_every_shape_are_signed_twice_and_the_same_again() {
    let (signer, zone) = signer();
    let long = "A very long subject that is folded over many lines, with “quotes” and 漢字 ".repeat(6);
    let link = "https://news.example.org/unsubscribe/AAAA";
    for (subject, text, unsubscribe) in [
        ("Plain", "ASCII alone.\n", None),
        ("Plain", "ASCII alone.\n", Some(link)),
        ("人権ニュース", "日本語の本文です。\n.\nFrom here on\n", Some(link)),
        (long.trim_end(), "x  y\t\tz   \n\n\n", Some(link)),
        ("", "", Some(link)),
    ] {
        let mail = mail(subject, text, unsubscribe);
        let whole = signed(&signer, &mail);
        assert!(both_are_good(whole.as_bytes(), &zone), "{subject}: {:?}", verify(whole.as_bytes(), &zone));
        assert!(whole.ends_with(&mail), "the mail itself is untouched");
        assert_eq!(whole, self::signed(&signer, &mail), "no random number, no clock");
        let longest = whole[..whole.find("From:").unwrap()].split("\r\n").map(str::len).max().unwrap();
        assert!(longest <= 78, "{longest}");
    }
}

#[test]
fn a_signature_covers_what_programs_act_upon_and_bounds_nothing() {
    let (signer, _) = signer();
    let whole = signed(&signer, &mail("s", "x", Some("https://news.example.org/u")));
    let own: String = whole.split("\r\n").take_while(|line| !line.starts_with("From:")).collect::<Vec<_>>().join("");
    let own = own.to_lowercase().replace('\t', "");
    let names: Vec<&str> = own.split("h=").nth(2).unwrap().split(';').next().unwrap().split(':').collect();
    let count = |name: &str| names.iter().filter(|found| **found == name).count();
    for twice in ["from", "to", "subject", "date", "reply-to", "message-id", "list-id", "list-unsubscribe", "list-unsubscribe-post"] {
        assert_eq!(count(twice), 2, "{twice} is signed, and none may be added: {names:?}");
    }
    for once in ["auto-submitted", "feedback-id", "cc", "list-help"] {
        assert_eq!(count(once), 1, "{once}");
    }
    assert_eq!((count("content-type"), count("mime-version")), (2, 2));
    assert!(own.contains("c=relaxed/relaxed") && own.contains("d=example.org"));
    // A cheap machine's clock may be fast, and a signature from the future is refused.
    for left_out in ["l=", "t=", "x="] {
        assert!(!own.contains(&format!(";{left_out}")) && !own.contains(&format!("; {left_out}")), "{left_out}");
    }
}

#[test]
fn what_relays_do_to_white_space_leaves_a_signature_good() {
    let (signer, zone) = signer();
    let head = "From: a@example.org\r\nSubject: one two\r\nX-Odd :  value \r\n\tfolded  \r\n";
    for body in
        ["", "\r\n", "\r\n\r\n\r\n", "text", "text\r\n", "text \t\r\n\r\n \r\n", " leading\r\n\r\n\r\nmore  spaces\r\n", ".\r\n..\r\n"]
    {
        let whole = signed(&signer, &format!("{head}\r\n{body}"));
        assert!(both_are_good(whole.as_bytes(), &zone), "{body:?}: {:?}", verify(whole.as_bytes(), &zone));
        for (from, to) in [
            ("Subject: one two\r\n", "Subject:   one\r\n\ttwo  \r\n"),
            ("From: a@", "FROM:a@"),
            ("text\r\n", "text \r\n\r\n"),
            ("more  spaces", "more \t spaces \t"),
        ] {
            let changed = whole.replace(from, to);
            assert!(both_are_good(changed.as_bytes(), &zone), "{body:?}, {to:?}");
        }
        let received = format!("Received: from x by y;\r\n\tMon, 20 Sep 2027 08:00:00 +0900\r\n{whole}");
        assert!(both_are_good(received.as_bytes(), &zone));
    }
}

#[test]
fn whatever_is_changed_added_or_taken_away_makes_it_bad() {
    let (signer, zone) = signer();
    let whole = signed(&signer, &mail("Subject", "The text.\n", Some("https://news.example.org/unsubscribe/AAAA")));
    let (head, body) = whole.split_once("\r\n\r\n").unwrap();
    let mut tampered = vec![
        whole.replace("The text.", "The test."),
        whole.replace("Subject: Subject", "Subject: subject"),
        whole.replace("unsubscribe/AAAA", "unsubscribe/AAAB"),
        whole.replace("One-Click", "Two-Clicks"),
        whole.replace("exampleorg", "elsewhere"),
        whole.replace("d=example.org", "d=example.com"),
        whole.replace("v=1;", "v=1; l=100;"),
        format!("{whole}more\r\n"),
        format!("{head}\r\n\r\n\r\n{body}"),
    ];
    for name in ["From", "To", "Cc", "Subject", "Date", "Reply-To", "Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"] {
        let another = format!("{name}: <x@example.com>\r\n");
        tampered.push(format!("{another}{whole}"));
        tampered.push(format!("{head}\r\n{another}\r\n{body}"));
    }
    for name in ["Reply-To", "List-Id", "List-Unsubscribe-Post", "Feedback-ID", "MIME-Version"] {
        let kept: Vec<&str> = head.split("\r\n").filter(|line| !line.starts_with(&format!("{name}:"))).collect();
        tampered.push(format!("{}\r\n\r\n{body}", kept.join("\r\n")));
    }
    for tampered in tampered {
        assert_ne!(tampered, whole);
        assert!(none_is_good(tampered.as_bytes(), &zone), "{tampered}");
    }
    // Every octet of the signatures counts too.
    for at in (0..whole.find("From:").unwrap()).step_by(7) {
        let mut octets = whole.clone().into_bytes();
        if octets[at].is_ascii_alphanumeric() {
            octets[at] = if octets[at] == b'A' { b'B' } else { b'A' };
            let good = std::panic::catch_unwind(|| both_are_good(&octets, &zone)).unwrap_or(false);
            assert!(!good, "{at}");
        }
    }
}

#[test]
fn hostile_values_cannot_put_anything_into_a_signature() {
    let (signer, zone) = signer();
    for hostile in [
        "x; b=AAAA; h=from",
        "x\u{200b}; d=evil.example",
        "=?utf-8?q?x=0D=0ABcc:_y?=",
        "DKIM-Signature: v=1",
        &"長".repeat(300),
        &"a".repeat(900),
        "x:y:z",
        "  x  ",
        "😀\u{202e}x",
    ] {
        let whole = signed(&signer, &mail(hostile, hostile, Some("https://news.example.org/u?b=1;d=x")));
        assert!(both_are_good(whole.as_bytes(), &zone), "{hostile}: {:?}", verify(whole.as_bytes(), &zone));
        assert_eq!(verify(whole.as_bytes(), &zone).len(), 2);
    }
    for wrong in ["no field\r\n\r\nx", ": x\r\n\r\nx", "a b: x\r\n\r\nx"] {
        assert!(signer.sign(wrong.as_bytes()).is_err(), "{wrong:?}");
    }
    assert!(signer.sign(b"From: \xff\r\n\r\n").is_err());
}
