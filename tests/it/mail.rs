//! Mail as bytes, and the dialogue with a relay.

use crate::support::relay::{Fault, Manner, Relay as Sink};
use crate::support::rogue::{Rogue, Turn};
use clarion::address::{Address, Mailbox};
use clarion::clock::Timestamp;
use clarion::mail::{Answer, Connection, Draft, Envelope, Folder, Relay, RelaySettings, RelayTimeouts, Reply, Tls};
use mail_parser::{Message, MessageParser, MimeHeaders as _, PartType};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;

const IDENTITY: &str = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE";

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

/// A draft's owned parts.
struct Parts {
    from: Mailbox,
    to: Address,
    subject: String,
    text: String,
    html: String,
}

impl Parts {
    fn new(subject: &str, text: &str) -> Self {
        Self {
            from: Mailbox::parse("人権ニュース編集部 <news@example.org>").unwrap(),
            to: address("kim@example.org"),
            subject: subject.to_owned(),
            text: text.to_owned(),
            html: format!("<!doctype html><html lang=\"en\"><body><p>{text}</p></body></html>"),
        }
    }

    fn draft(&self) -> Draft<'_> {
        Draft {
            from: &self.from,
            to: &self.to,
            reply_to: None,
            subject: &self.subject,
            text: &self.text,
            html: &self.html,
            date: Timestamp::from_millis(1_821_398_400_123),
            identity: IDENTITY,
            list_id: "news.news.example.org",
            unsubscribe: Some("https://news.example.org/unsubscribe/AAAA"),
            unsubscribe_mail: None,
            feedback_id: "12:news:ja:exampleorg",
        }
    }

    fn build(&self) -> Vec<u8> {
        self.draft().build().unwrap()
    }
}

fn header<'m>(message: &'m Message<'_>, name: &str) -> Vec<&'m str> {
    message.headers_raw().filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
}

#[test]
fn a_mail_has_each_header_once_and_both_texts_as_written() {
    let text = "日本語の本文です。\n.\nFrom here on: “quotes”, 한국어.\n";
    let subject = "【週刊ダイジェスト】人権ニュースと署名のお願い：今週の重要な五つの話題について、そして来週の予定";
    let parts = Parts::new(subject, text);
    let reply_to = address("office@example.org");
    let bytes = Draft { reply_to: Some(&reply_to), ..parts.draft() }.build().unwrap();
    let message = MessageParser::default().parse(&bytes).unwrap();
    for name in [
        "From",
        "To",
        "Reply-To",
        "Subject",
        "Date",
        "Message-ID",
        "MIME-Version",
        "Content-Type",
        "Auto-Submitted",
        "List-Id",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "Feedback-ID",
    ] {
        assert_eq!(header(&message, name).len(), 1, "{name}");
    }
    assert_eq!(message.subject(), Some(subject));
    let from = message.from().unwrap().first().unwrap();
    assert_eq!((from.name(), from.address()), (Some("人権ニュース編集部"), Some("news@example.org")));
    assert_eq!(message.to().unwrap().first().unwrap().address(), Some("kim@example.org"));
    assert_eq!(message.message_id(), Some(format!("{IDENTITY}@example.org").as_str()));
    assert_eq!(message.date().unwrap().to_timestamp(), 1_821_398_400);
    assert_eq!(header(&message, "List-Id"), ["<news.news.example.org>"]);
    assert_eq!(header(&message, "List-Unsubscribe"), ["<https://news.example.org/unsubscribe/AAAA>"]);
    assert_eq!(header(&message, "List-Unsubscribe-Post"), ["List-Unsubscribe=One-Click"]);
    assert_eq!(header(&message, "Auto-Submitted"), ["auto-generated"]);
    let kinds: Vec<_> = message.parts[1..].iter().map(|part| part.content_type().unwrap().subtype().unwrap()).collect();
    assert_eq!(kinds, ["plain", "html"]);
    let PartType::Text(found) = &message.parts[1].body else { panic!("not a text") };
    assert_eq!(found.replace("\r\n", "\n"), text);
    let longest = bytes.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap();
    assert!(longest <= 78, "{longest}");
}

#[test]
fn a_mail_that_nobody_can_leave_says_no_way_out() {
    let parts = Parts::new("Confirm", "Hello");
    let bytes = Draft { unsubscribe: None, ..parts.draft() }.build().unwrap();
    let message = MessageParser::default().parse(&bytes).unwrap();
    assert!(header(&message, "List-Unsubscribe").is_empty() && header(&message, "List-Unsubscribe-Post").is_empty());
}

#[test]
fn the_same_draft_gives_the_same_bytes() {
    let parts = Parts::new("Subject", "Hello\n-- \nUs");
    assert_eq!(parts.build(), parts.build());
}

#[test]
fn a_control_character_in_a_header_is_refused_and_never_a_panic() {
    for evil in ["a\r\nBcc: b@example.org", "a\nb", "a\rb", "a\0b", "a\tb", "a\u{7f}b", "a\u{85}b"] {
        assert!(Parts::new(evil, "x").draft().build().is_err(), "{evil:?}");
        let from = Mailbox { name: evil.to_owned(), address: address("news@example.org") };
        let parts = Parts::new("s", "x");
        assert!(Draft { from: &from, ..parts.draft() }.build().is_err(), "{evil:?}");
        assert!(Draft { unsubscribe: Some(evil), ..parts.draft() }.build().is_err(), "{evil:?}");
    }
    for odd in ["😀", "a\"b\\c", "\u{200b}", &"長".repeat(300), &"very long ".repeat(60)] {
        let bytes = Parts::new(odd, "x").build();
        let message = MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(message.subject().map(str::trim_end), Some(odd.trim_end()), "{odd}");
    }
}

/// Bodies with which RUSTSEC-2026-0561 cut one mail in two.
fn smuggling_corpus() -> Vec<String> {
    let second = "MAIL FROM:<a@example.org>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\nSubject: forged\r\n\r\nx";
    let ends = [
        "\n.\n",
        "\n.\r\n",
        "\r\n.\n",
        "\r\n.\r\n",
        "\r.\r",
        "\r.\r\n",
        "\r\n.\r",
        "\n\n.\n\n",
        "\r\n\x00.\r\n",
        "\n..\n",
        "\u{85}.\u{85}",
    ];
    let mut corpus: Vec<String> = ends.iter().map(|end| format!("hello{end}{second}\r\n.\r\n")).collect();
    // With a letter beyond ASCII the parts are base64.
    corpus.extend(ends.iter().map(|end| format!("日本{end}{second}\r\n.\r\n")));
    corpus.push(".".to_owned());
    corpus.push("x".repeat(5000));
    corpus.push(format!("--=_{}--\r\n", &IDENTITY[..32]));
    corpus
}

#[tokio::test]
async fn every_text_that_tries_to_smuggle_a_second_mail_arrives_as_one() {
    let sink = Sink::start().await;
    let mut connection = relay(&sink).connect().await.unwrap();
    let corpus = smuggling_corpus();
    for text in &corpus {
        let bytes = Parts::new("s", text).build();
        assert!(matches!(send(&mut connection, "kim@example.org", &bytes).await, Answer::Accepted(_)), "{text:?}");
        assert_eq!(sink.received().last().unwrap().data, bytes, "{text:?}");
    }
    assert_eq!(sink.received().len(), corpus.len());
    assert!(sink.received_by("victim@example.org").is_empty());
}

fn settings(sink: &Sink, tls: Tls) -> RelaySettings {
    RelaySettings { host: "127.0.0.1".to_owned(), port: sink.port(), tls, credentials: None, ca_file: None }
}

fn relay(sink: &Sink) -> Relay {
    Relay::new(&settings(sink, Tls::None), "example.org").unwrap()
}

async fn send(connection: &mut Connection, to: &str, bytes: &[u8]) -> Answer {
    send_before(connection, to, bytes, None).await
}

/// Sends, and asks for the next envelope in the same breath.
async fn send_before(connection: &mut Connection, to: &str, bytes: &[u8], next: Option<&str>) -> Answer {
    let from = address("bounces+abc@example.org");
    let next = next.map(address);
    match connection.envelope(&from, &address(to)).await {
        Envelope::Ready(ready) => ready.send_body(bytes, next.as_ref().map(|next| (&from, next))).await,
        Envelope::Refused(reply) | Envelope::SenderRefused(reply) => Answer::Refused(reply),
        Envelope::NotCarried => panic!("not carried"),
        Envelope::Lost(why) => panic!("lost: {why}"),
    }
}

fn refused(answer: Answer) -> Reply {
    match answer {
        Answer::Refused(reply) => reply,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refused_recipient_leaves_the_connection_fit_for_the_next() {
    for offers in [&["PIPELINING"][..], &[]] {
        let sink = Sink::start_with(Manner { offers, ..Manner::default() }).await;
        sink.always("gone@example.org", Fault::Rcpt("550 5.1.1 <gone@example.org>: no such user"));
        sink.always("odd@example.org", Fault::RcptThenData("550 5.1.1 no such user odd"));
        sink.always("full@example.org", Fault::Rcpt("452 4.2.2 full"));
        sink.always("spam@example.org", Fault::Dot("554 5.7.1 rejected"));
        sink.always("busy@example.org", Fault::Data("451 4.3.0 later"));
        let mut connection = relay(&sink).connect().await.unwrap();
        let bytes = Parts::new("s", "x").build();
        assert_eq!(refused(send(&mut connection, "gone@example.org", &bytes).await).to_string(), "550 5.1.1 <…>: no such user");
        assert_eq!(refused(send(&mut connection, "odd@example.org", &bytes).await).to_string(), "550 5.1.1 no such user …");
        assert!(refused(send(&mut connection, "full@example.org", &bytes).await).is_transient());
        assert_eq!(refused(send(&mut connection, "spam@example.org", &bytes).await).code, 554);
        assert_eq!(refused(send(&mut connection, "busy@example.org", &bytes).await).code, 451);
        assert!(matches!(send(&mut connection, "kim@example.org", &bytes).await, Answer::Accepted(_)));
        assert_eq!((sink.received().len(), sink.connections()), (1, 1));
    }
}

#[tokio::test]
async fn what_becomes_of_a_mail_is_the_same_when_the_next_is_asked_for_with_it() {
    for offers in [&["PIPELINING", "SMTPUTF8"][..], &[]] {
        let sink = Sink::start_with(Manner { offers, ..Manner::default() }).await;
        sink.always("gone@example.org", Fault::Rcpt("550 5.1.1 no such user"));
        sink.always("odd@example.org", Fault::RcptThenData("550 5.1.1 no such user"));
        sink.always("spam@example.org", Fault::Dot("554 5.7.1 rejected"));
        sink.always("busy@example.org", Fault::Data("451 4.3.0 later"));
        let mut connection = relay(&sink).connect().await.unwrap();
        let bytes = Parts::new("s", "x").build();
        let people = ["kim", "gone", "lee", "spam", "park", "busy", "choi", "odd", "han"];
        let mut codes = Vec::new();
        for (at, name) in people.iter().enumerate() {
            let next = people.get(at + 1).map(|name| format!("{name}@example.org"));
            codes.push(match send_before(&mut connection, &format!("{name}@example.org"), &bytes, next.as_deref()).await {
                Answer::Accepted(reply) | Answer::Refused(reply) => reply.code,
                Answer::InDoubt(why) => panic!("{name}: {why}"),
            });
        }
        assert_eq!(codes, [250, 550, 250, 554, 250, 451, 250, 550, 250]);
        let received: Vec<String> = sink.received().into_iter().map(|received| received.to).collect();
        assert_eq!(received, ["kim", "lee", "park", "choi", "han"].map(|name| format!("{name}@example.org")));
        assert_eq!(sink.connections(), 1);
    }
}

const HELLO: [Turn; 3] =
    [Turn::Say(b"220 relay.example.org\r\n"), Turn::Hear("EHLO"), Turn::Say(b"250-relay.example.org\r\n250 PIPELINING\r\n")];
const GO: &[u8] = b"250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go ahead\r\n";

/// A connection to a relay that plays this part after its greeting, and through which one mail was
/// sent, with the envelope of the next.
async fn sent_before_lee(part: &[Turn]) -> (Rogue, Connection, Answer) {
    let rogue = Rogue::start([&HELLO, &[Turn::Hear("DATA"), Turn::Say(GO), Turn::Body][..], part].concat()).await;
    let settings = RelaySettings { host: "127.0.0.1".into(), port: rogue.port(), tls: Tls::None, credentials: None, ca_file: None };
    let mut connection = Relay::new(&settings, "example.org").unwrap().connect().await.unwrap();
    let answer = send_before(&mut connection, "kim@example.org", &Parts::new("s", "x").build(), Some("lee@example.org")).await;
    (rogue, connection, answer)
}

#[tokio::test]
async fn the_next_envelope_leaves_with_a_body_and_not_after_its_answer() {
    let bytes = Parts::new("s", "x").build();
    // It answers nothing before it has heard of both.
    let part = [Turn::Hear("DATA"), Turn::Say(b"250 2.0.0 queued\r\n"), Turn::Say(GO), Turn::Body, Turn::Say(b"250 2.0.0 queued\r\n")];
    let (rogue, mut connection, answer) = sent_before_lee(&part).await;
    assert!(matches!(answer, Answer::Accepted(_)), "{answer:?}");
    let answer = send(&mut connection, "lee@example.org", &bytes).await;
    assert!(matches!(answer, Answer::Accepted(_)), "{answer:?}");
    assert_eq!((rogue.mails(), rogue.connections()), (2, 1));
}

#[tokio::test]
async fn an_envelope_that_was_asked_for_is_used_for_nobody_else() {
    let (rogue, mut connection, _) = sent_before_lee(&[Turn::Say(b"250 2.0.0 queued\r\n"), Turn::Say(GO), Turn::Body]).await;
    let envelope = connection.envelope(&address("bounces+abc@example.org"), &address("park@example.org")).await;
    assert!(matches!(envelope, Envelope::Lost(_)));
    drop(envelope);
    assert!(!connection.is_usable());
    drop(connection);
    // Nor is anything said to a relay that waits for a body.
    assert_eq!(rogue.mails(), 1);
    let (_rogue, connection, _) = sent_before_lee(&[Turn::Say(b"250 2.0.0 queued\r\n"), Turn::Say(GO), Turn::Silence]).await;
    let left = tokio::time::timeout(Duration::from_secs(1), connection.quit()).await;
    assert!(left.is_ok(), "it said QUIT and waited for an answer");
}

#[tokio::test]
async fn no_answer_to_a_mail_is_taken_for_one_to_the_next_envelope() {
    let from = address("bounces+abc@example.org");
    for (words, is_accepted) in [
        (&b"250 2.0.0 queued\r\n250 2.0.0 queued\r\n250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go ahead\r\n"[..], true),
        (b"250 2.0.0 queued\r\n354 go ahead\r\n250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go ahead\r\n", true),
        (b"250 2.0.0 queued\r\n250 2.0.0 queued\r\n550 5.7.1 not you\r\n503 5.5.1 MAIL first\r\n503 5.5.1 RCPT first\r\n", true),
        (b"250 2.0.0 queued\r\n421 4.3.2 closing\r\n", true),
        (b"250 2.0.0 queued\r\n", true),
        (b"451 4.3.0 later\r\n421 4.3.2 closing\r\n", false),
        (b"421 4.3.2 closing\r\n250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go ahead\r\n", false),
    ] {
        let (rogue, mut connection, answer) = sent_before_lee(&[Turn::Say(words)]).await;
        assert_eq!(matches!(answer, Answer::Accepted(_)), is_accepted, "{answer:?}");
        assert!(!matches!(answer, Answer::InDoubt(_)), "{answer:?}");
        let envelope = connection.envelope(&from, &address("lee@example.org")).await;
        assert!(matches!(envelope, Envelope::Lost(_) | Envelope::Refused(_)), "{}", words.escape_ascii());
        drop(envelope);
        assert!(!connection.is_usable(), "{}", words.escape_ascii());
        assert_eq!(rogue.mails(), 1);
    }
}

#[tokio::test]
async fn a_connection_that_broke_is_not_used_again() {
    let bytes = Parts::new("s", "x").build();
    for (fault, delivered) in [(Fault::CloseAfterDot, 1), (Fault::CloseInBody, 0)] {
        let sink = Sink::start().await;
        sink.next(fault);
        let mut connection = relay(&sink).connect().await.unwrap();
        assert!(matches!(send(&mut connection, "kim@example.org", &bytes).await, Answer::InDoubt(_)), "{fault:?}");
        assert!(!connection.is_usable());
        assert_eq!(sink.received().len(), delivered);
    }
    for fault in [Fault::CloseAtData, Fault::Mail("421 4.3.2 closing")] {
        let sink = Sink::start().await;
        sink.next(fault);
        let mut connection = relay(&sink).connect().await.unwrap();
        let envelope = connection.envelope(&address("b@example.org"), &address("kim@example.org")).await;
        assert!(matches!(envelope, Envelope::Lost(_) | Envelope::Refused(_)), "{fault:?}");
        assert!(!connection.is_usable());
    }
}

#[tokio::test]
async fn an_envelope_dropped_before_its_body_takes_the_connection_with_it() {
    let sink = Sink::start().await;
    let mut connection = relay(&sink).connect().await.unwrap();
    drop(connection.envelope(&address("b@example.org"), &address("kim@example.org")).await);
    assert!(!connection.is_usable());
    assert!(sink.received().is_empty());
}

#[tokio::test]
async fn a_silent_relay_is_left_in_every_phase() {
    let brief = Duration::from_millis(300);
    let timeouts = RelayTimeouts { connect: brief, greeting: brief, command: brief, dot: brief };
    let bytes = Parts::new("s", "x").build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = RelaySettings {
        host: "127.0.0.1".into(),
        port: listener.local_addr().unwrap().port(),
        tls: Tls::None,
        credentials: None,
        ca_file: None,
    };
    let told = Relay::new(&silent, "example.org").unwrap().with_timeouts(timeouts).connect().await.err().unwrap();
    assert!(format!("{told:#}").contains("greeting"), "{told:#}");
    let sink = Sink::start().await;
    sink.next(Fault::SilentAtMail);
    sink.next(Fault::SilentAtDot);
    let relay = relay(&sink).with_timeouts(timeouts);
    let mut connection = relay.connect().await.unwrap();
    assert!(matches!(connection.envelope(&address("b@example.org"), &address("kim@example.org")).await, Envelope::Lost(_)));
    let mut connection = relay.connect().await.unwrap();
    assert!(matches!(send(&mut connection, "kim@example.org", &bytes).await, Answer::InDoubt(_)));
    assert!(!connection.is_usable());
}

#[tokio::test]
async fn an_international_local_part_goes_only_where_it_is_offered() {
    let bytes = Parts::new("s", "x").build();
    let plain = Sink::start_with(Manner { offers: &["PIPELINING"], ..Manner::default() }).await;
    let mut connection = relay(&plain).connect().await.unwrap();
    let envelope = connection.envelope(&address("b@example.org"), &address("김@example.org")).await;
    assert!(matches!(envelope, Envelope::NotCarried));
    drop(envelope);
    assert!(matches!(send(&mut connection, "kim@example.org", &bytes).await, Answer::Accepted(_)), "that delivery failed alone");
    let sink = Sink::start().await;
    let mut connection = relay(&sink).connect().await.unwrap();
    assert!(matches!(send(&mut connection, "김@example.org", &bytes).await, Answer::Accepted(_)));
    assert!(sink.commands().iter().any(|command| command.ends_with("SMTPUTF8")));
}

#[tokio::test]
async fn user_and_password_are_given_when_configured() {
    let sink = Sink::start_with(Manner { offers: &["PIPELINING", "AUTH PLAIN LOGIN"], ..Manner::default() }).await;
    let credentials = Some(("us".to_owned(), "secret".into()));
    let relay = Relay::new(&RelaySettings { credentials, ..settings(&sink, Tls::None) }, "example.org").unwrap();
    relay.connect().await.unwrap();
    assert!(sink.commands().iter().any(|command| command.starts_with("AUTH PLAIN ")));
}

/// A server's side of TLS for 127.0.0.1, its certificate written into a folder.
fn certified(folder: &Path) -> TlsAcceptor {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.join("ca.pem"), cert.pem()).unwrap();
    let key = signing_key.serialize_der().try_into().unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn mail_leaves_encrypted_to_a_relay_whose_certificate_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = Parts::new("s", "x").build();
    for (tls, implicit) in [(Tls::Required, false), (Tls::Implicit, true)] {
        let manner = Manner { tls: Some(certified(folder.path())), implicit, ..Manner::default() };
        let sink = Sink::start_with(manner).await;
        let stranger = Relay::new(&settings(&sink, tls), "example.org").unwrap().connect().await;
        assert!(stranger.is_err(), "no public authority signed it");
        let trusting = RelaySettings { ca_file: Some(folder.path().join("ca.pem")), ..settings(&sink, tls) };
        let mut connection = Relay::new(&trusting, "example.org").unwrap().connect().await.unwrap();
        assert!(matches!(send(&mut connection, "kim@example.org", &bytes).await, Answer::Accepted(_)));
        assert_eq!(sink.received()[0].data, bytes);
    }
}

#[tokio::test]
async fn no_mail_leaves_where_starttls_is_missing_or_tampered_with() {
    let sink = Sink::start().await;
    let told = Relay::new(&settings(&sink, Tls::Required), "example.org").unwrap().connect().await.err().unwrap();
    assert!(format!("{told:#}").contains("does not offer STARTTLS"), "{told:#}");
    let folder = tempfile::tempdir().unwrap();
    let manner = Manner { tls: Some(certified(folder.path())), injected: "\r\n250 injected", ..Manner::default() };
    let sink = Sink::start_with(manner).await;
    let trusting = RelaySettings { ca_file: Some(folder.path().join("ca.pem")), ..settings(&sink, Tls::Required) };
    let told = Relay::new(&trusting, "example.org").unwrap().connect().await.err().unwrap();
    assert!(format!("{told:#}").contains("injected"), "{told:#}");
}

#[tokio::test]
async fn a_mail_becomes_one_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let mail = Folder::new(folder.path().join("mail"));
    mail.write("20270920T080000Z-digest-000000001", b"Subject: a\r\n\r\n".to_vec()).await.unwrap();
    mail.write("20270920T080000Z-digest-000000001", b"Subject: a\r\n\r\n".to_vec()).await.unwrap();
    let names: Vec<_> =
        std::fs::read_dir(folder.path().join("mail")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names, ["20270920T080000Z-digest-000000001.eml"]);
}

#[tokio::test]
async fn an_answer_to_starttls_that_comes_before_the_question_is_not_believed() {
    use crate::support::rogue::Turn::{Hear, Say, Silence};
    for (part, words) in [
        (vec![Say(b"220 x\r\n"), Hear("EHLO"), Say(b"250-x\r\n250 STARTTLS\r\n220 go ahead\r\n"), Silence], "not asked for"),
        (vec![Say(b"220 x\r\n250 STARTTLS\r\n"), Silence], "not asked for"),
        (vec![Say(b"220 x\r\n"), Hear("EHLO"), Say(b"250-x\r\n250 STARTTLS\r\n"), Hear("STARTTLS"), Say(b"454 4.7.0 no\r\n")], "454"),
        (vec![Say(b"220 x\r\n"), Hear("EHLO"), Say(b"250-x STARTTLS\r\n250-XSTARTTLS\r\n250 X STARTTLS\r\n"), Silence], "does not offer"),
    ] {
        let rogue = crate::support::rogue::Rogue::start(part).await;
        let settings = RelaySettings { host: "127.0.0.1".into(), port: rogue.port(), tls: Tls::Required, credentials: None, ca_file: None };
        let told = Relay::new(&settings, "example.org").unwrap().connect().await.err().unwrap();
        assert!(format!("{told:#}").contains(words), "{told:#}");
    }
}

#[tokio::test]
async fn a_mail_with_a_line_end_that_stands_alone_does_not_leave() {
    let sink = Sink::start().await;
    let relay = relay(&sink);
    for smuggled in ["Subject: x\r\n\r\na\n.\r\nMAIL FROM:<a@example.org>\r\n", "Subject: x\r\n\r\na\r.\r\n", "Subject: x\r\n\r\na\r\n.\n"]
    {
        let mut connection = relay.connect().await.unwrap();
        let reply = refused(send(&mut connection, "kim@example.org", smuggled.as_bytes()).await);
        assert!(reply.code == 554 && !connection.is_usable());
    }
    assert!(sink.received().is_empty());
}

#[tokio::test]
async fn reports_are_asked_for_where_they_are_offered() {
    let sink = Sink::start_with(Manner { offers: &["PIPELINING", "DSN"], ..Manner::default() }).await;
    let mut connection = relay(&sink).connect().await.unwrap();
    let bytes = Parts::new("s", "x").build();
    assert!(matches!(send(&mut connection, "kim+a@example.org", &bytes).await, Answer::Accepted(_)));
    let commands = sink.commands();
    assert!(commands.contains(&"MAIL FROM:<bounces+abc@example.org> RET=HDRS ENVID=bounces+2Babc".to_owned()), "{commands:?}");
    let rcpt = "RCPT TO:<kim+a@example.org> NOTIFY=FAILURE ORCPT=rfc822;kim+2Ba@example.org";
    assert!(commands.contains(&rcpt.to_owned()), "{commands:?}");
}
