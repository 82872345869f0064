//! Relays that keep to no rule: whatever they do, no mail is lost, and one that may have been
//! taken is sent once more at most.

use super::office::{digest_to, drain, enter_people, mail_settings, state_of, step_with};
use crate::support::rogue::Turn::{Body, Drip, Flood, HalfClose, Hear, Say, Silence};
use crate::support::rogue::{Rogue, Turn};
use crate::support::{World, on_sqlite};
use clarion::delivery::{DeliveryStep, OnDoubt, Settings};
use clarion::mail::{RelaySettings, RelayTimeouts, Tls, TransportSettings};
use std::time::Duration;

/// How long relays are waited for here.
const BRIEF: Duration = Duration::from_millis(300);
/// Slower than that for any whole answer.
const SLOW: Duration = Duration::from_millis(60);
const LATER: Duration = Duration::from_mins(30);

const GREETING: Turn = Say(b"220 relay.example.org ESMTP\r\n");
const OFFERS: Turn = Say(b"250-relay.example.org\r\n250 PIPELINING\r\n");
/// Answers to MAIL, RCPT and DATA.
const GO: Turn = Say(b"250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go ahead\r\n");
/// A quarter of a line that ends some day.
const LETTERS: &[u8] = &[b'a'; 1024 * 1024 / 4];

/// What becomes of the one mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The relay counts as down: the mail has not been tried.
    Untried,
    /// It was tried, and waits; there is no doubt.
    Deferred,
    /// It may have been taken.
    InDoubt,
    /// One or the other, as the two sides happen to meet.
    DeferredOrInDoubt,
    /// It was taken.
    Sent,
}

/// What the ledger says of it.
async fn fate(world: &World) -> Fate {
    let (state, attempts, doubts): (String, i64, i64) =
        sqlx::query_as("SELECT state, attempts, doubts FROM delivery").fetch_one(world.db.reader()).await.unwrap();
    match (state.as_str(), attempts, doubts) {
        ("queued", 0, 0) => Fate::Untried,
        ("deferred", 1, 0) => Fate::Deferred,
        ("deferred", 1, 1) => Fate::InDoubt,
        ("sent", 1, 0) => Fate::Sent,
        other => panic!("{other:?}"),
    }
}

fn step_to(world: &World, rogue: &Rogue) -> DeliveryStep {
    let relay = RelaySettings { host: "127.0.0.1".into(), port: rogue.port(), tls: Tls::None, credentials: None, ca_file: None };
    let settings = Settings { connections: 1, per_second: 0, on_doubt: OnDoubt::Retry };
    let brief = RelayTimeouts { connect: BRIEF, greeting: BRIEF, command: BRIEF, dot: BRIEF };
    step_with(world, mail_settings(TransportSettings::Smtp(relay)), settings).with_timeouts(brief)
}

/// Lets a rogue play its part with one mail, and then behave.
async fn meets(part: &[Turn], expected: Fate) {
    on_sqlite(async |world: World| {
        let rogue = Rogue::start(part.to_vec()).await;
        let people = enter_people(&world, 1).await;
        let mailing = digest_to(&world, &people).await;
        let step = step_to(&world, &rogue);
        drain(&step).await;
        let found = fate(&world).await;
        let is_expected = match expected {
            Fate::DeferredOrInDoubt => matches!(found, Fate::Deferred | Fate::InDoubt),
            expected => found == expected,
        };
        assert!(is_expected, "{found:?} instead of {expected:?} after {part:?}");
        assert!(rogue.connections() <= 2, "{} connections in a minute after {part:?}", rogue.connections());
        rogue.behave();
        world.pass(LATER);
        drain(&step).await;
        assert_eq!(state_of(&world, mailing).await, "done", "{part:?}");
        let state: String = sqlx::query_scalar("SELECT state FROM delivery").fetch_one(world.db.reader()).await.unwrap();
        let taken = rogue.polite().received().len();
        assert_eq!((state.as_str(), taken), ("sent", usize::from(found != Fate::Sent)), "{part:?}");
        let in_doubt = matches!(found, Fate::InDoubt | Fate::Sent);
        assert!(rogue.mails() == usize::from(in_doubt) || expected == Fate::DeferredOrInDoubt, "{} mails after {part:?}", rogue.mails());
    })
    .await;
}

async fn before_the_envelope(part: &[Turn]) {
    meets(part, Fate::Untried).await;
}

async fn in_the_envelope(part: &[Turn], expected: Fate) {
    meets(&[&[GREETING, Hear("EHLO"), OFFERS], part].concat(), expected).await;
}

async fn after_the_body(part: &[Turn], expected: Fate) {
    in_the_envelope(&[&[Hear("DATA"), GO, Body], part].concat(), expected).await;
}

#[tokio::test]
async fn one_that_greets_wrongly_or_not_at_all_costs_nothing() {
    before_the_envelope(&[]).await;
    before_the_envelope(&[Silence]).await;
    before_the_envelope(&[HalfClose]).await;
    before_the_envelope(&[Drip(b"220 relay.example.org\r\n", SLOW)]).await;
    before_the_envelope(&[Say(b"554 5.7.1 not you\r\n")]).await;
    before_the_envelope(&[Say(b"999 relay.example.org\r\n"), Silence]).await;
    before_the_envelope(&[Say(b"220 relay\r\n220 relay\r\n"), Silence]).await;
    before_the_envelope(&[Say(b"\0\0\0\0\r\n"), Silence]).await;
    before_the_envelope(&[Say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Silence]).await;
}

#[tokio::test]
async fn one_that_greets_without_end_is_left() {
    before_the_envelope(&[Flood(b"220-welcome\r\n")]).await;
    before_the_envelope(&[Say(b"220 "), Flood(LETTERS)]).await;
    before_the_envelope(&[GREETING, Hear("EHLO"), Flood(b"250-AUTH\r\n")]).await;
}

#[tokio::test]
async fn one_that_does_not_introduce_itself_costs_nothing() {
    before_the_envelope(&[GREETING, Hear("EHLO")]).await;
    before_the_envelope(&[GREETING, Hear("EHLO"), Silence]).await;
    before_the_envelope(&[GREETING, Hear("EHLO"), Say(b"502 5.5.1 what?\r\n"), Silence]).await;
    before_the_envelope(&[GREETING, Hear("EHLO"), Say(b"250-relay\r\n550 no\r\n"), Silence]).await;
}

#[tokio::test]
async fn one_that_breaks_off_in_the_envelope_leaves_no_doubt() {
    in_the_envelope(&[], Fate::Deferred).await;
    in_the_envelope(&[HalfClose], Fate::Deferred).await;
    in_the_envelope(&[Hear("MAIL")], Fate::Deferred).await;
    in_the_envelope(&[Hear("DATA"), Say(b"250 ok\r\n")], Fate::Deferred).await;
    in_the_envelope(&[Hear("DATA"), Say(b"250 ok\r\n250 o")], Fate::Deferred).await;
    in_the_envelope(&[Hear("DATA"), Say(b"250 ok\r\n250 ok\r\n")], Fate::Deferred).await;
    in_the_envelope(&[Hear("DATA"), Silence], Fate::Deferred).await;
    in_the_envelope(&[Hear("DATA"), Drip(b"250 ok\r\n250 ok\r\n354 go\r\n", SLOW)], Fate::Deferred).await;
    in_the_envelope(&[Hear("DATA"), GO], Fate::DeferredOrInDoubt).await;
    in_the_envelope(&[Hear("DATA"), GO, HalfClose], Fate::DeferredOrInDoubt).await;
}

#[tokio::test]
async fn one_that_answers_an_envelope_with_nonsense_gets_no_mail() {
    for nonsense in [
        &b"999 ok\r\n250 ok\r\n354 go\r\n"[..],
        b"250-a\r\n550 b\r\n250 ok\r\n354 go\r\n",
        b"250 ok\r\n220 ok\r\n354 go\r\n",
        b"250 ok\r\n250 ok\r\n250 ok\r\n",
        b"2\x0050 ok\r\n",
        b"\xff\xfe\xfd\r\n",
        b"ok\r\nok\r\nok\r\n",
        b"354 go\r\n354 go\r\n354 go\r\n",
    ] {
        in_the_envelope(&[Hear("DATA"), Say(nonsense), Silence], Fate::Deferred).await;
    }
    in_the_envelope(&[Hear("DATA"), Flood(b"250-a\r\n")], Fate::Deferred).await;
    in_the_envelope(&[Hear("DATA"), Say(b"250 "), Flood(LETTERS)], Fate::Deferred).await;
}

/// What it says too early would be taken for its answer to the mail.
#[tokio::test]
async fn one_that_accepts_a_mail_before_it_has_come_does_not_get_it() {
    let early = Say(b"250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go ahead\r\n250 2.0.0 queued\r\n");
    in_the_envelope(&[Hear("DATA"), early, Silence], Fate::Deferred).await;
}

#[tokio::test]
async fn one_that_does_not_answer_a_whole_mail_leaves_it_in_doubt() {
    after_the_body(&[], Fate::InDoubt).await;
    after_the_body(&[Silence], Fate::InDoubt).await;
    after_the_body(&[HalfClose], Fate::InDoubt).await;
    after_the_body(&[Say(b"25")], Fate::InDoubt).await;
    after_the_body(&[Drip(b"250 2.0.0 queued as 4F\r\n", SLOW)], Fate::InDoubt).await;
}

#[tokio::test]
async fn one_that_answers_a_whole_mail_with_nonsense_leaves_it_in_doubt() {
    for nonsense in [&b"999 ok\r\n"[..], b"250-ok\r\n550 no\r\n", b"354 more\r\n", b"\xff\0\r\n", b"ok\r\n", b"221 bye\r\n"] {
        after_the_body(&[Say(nonsense), Silence], Fate::InDoubt).await;
    }
    after_the_body(&[Flood(b"250-ok\r\n")], Fate::InDoubt).await;
    after_the_body(&[Say(b"250 "), Flood(LETTERS)], Fate::InDoubt).await;
}

#[tokio::test]
async fn one_that_speaks_strangely_but_clearly_is_understood() {
    let go = Say(b"250 \xff\0\xe3\x81 ok\r\n251\r\n354\r\n");
    in_the_envelope(&[Hear("DATA"), go, Body, Say(b"250-2.0.0 \xfe\n250\n"), Silence], Fate::Sent).await;
    // The first answer is the answer; after the second nothing more is said to it.
    after_the_body(&[Say(b"250 ok\r\n554 5.7.1 no\r\n"), Silence], Fate::Sent).await;
}
