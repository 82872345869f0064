//! What each fuzzer does with an input. `tests/it/fuzzed.rs` does the same with a few, so that they
//! keep compiling and what they have found stays mended.

use clarion::address::{Address, Mailbox};
use clarion::clock::{Timestamp, parse_zone};
use clarion::delivery::{ClaimedToken, Diagnosis, Subject, bounce_token};
use clarion::digest::Schedule;
use clarion::inbound::{Doors, Letter, Sorted, sort};
use clarion::mail::{EnvelopePattern, Reply};
use clarion::vault::{Claims, Keyring, Purpose, Vault};
use std::sync::LazyLock;

/// 2027-01-15.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

static VAULT: LazyLock<Vault> = LazyLock::new(|| Vault::from_keyring(&Keyring::generate()));
static KIM: LazyLock<Address> = LazyLock::new(|| Address::parse("kim.lee+news@feather.example.org").unwrap());
static PATTERN: LazyLock<EnvelopePattern> = LazyLock::new(|| EnvelopePattern::parse("Bounces+{token}@example.org").unwrap());
static DOORS: LazyLock<Doors> = LazyLock::new(|| Doors {
    envelope: PATTERN.clone(),
    own: Address::parse("news@example.org").unwrap(),
    join: Address::parse("join@example.org").ok(),
    leave: Address::parse("leave@example.org").ok(),
});

/// Messages that come in: as they are, and as the machine's part of a delivery report. None may be
/// taken for a wish of a person, and what is read of a report is bounded.
pub fn dsn(data: &[u8]) {
    const HEAD: &[u8] = b"To: bounces+abcdefghijklmnopqrstuvwx@example.org\r\nContent-Type: multipart/report; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n";
    sort(data, &DOORS);
    Letter::read(data);
    if let Sorted::Bounce { tokens, diagnosis, .. } = sort(&[HEAD, data].concat(), &DOORS) {
        assert!(tokens.iter().flatten().all(|token| token.len() <= 64) && tokens.iter().flatten().count() <= 60);
        assert!(diagnosis.status.len() <= 11);
    }
}

/// Complaints: the machine's part, and the head of the mail complained of.
pub fn arf(data: &[u8]) {
    const HEAD: &[u8] =
        b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n";
    const BETWEEN: &[u8] = b"\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n";
    let (machine, original) = data.split_at(data.len() / 2);
    match sort(&[HEAD, machine, BETWEEN, original].concat(), &DOORS) {
        Sorted::Complaint { tokens } => assert!(tokens.iter().flatten().all(|token| token.len() == 24)),
        Sorted::Join { .. } | Sorted::Leave { .. } | Sorted::Confirm { .. } | Sorted::AskToLeave { .. } => panic!("a report wants nothing"),
        _ => {}
    }
}

/// Tokens of envelope senders: whatever is believed was made by us, letter for letter.
pub fn verp(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(ours) = believed(&text) {
        assert_eq!(ours, text.to_lowercase());
    }
    if let Some(inner) = PATTERN.token_in(&text) {
        assert_eq!(text.to_lowercase(), format!("bounces+{inner}@example.org"));
    }
    // A genuine one with the input laid over it.
    let genuine = bounce_token(&VAULT, subject(42));
    assert_eq!(believed(&genuine).as_ref(), Some(&genuine));
    let mut changed = genuine.clone().into_bytes();
    changed.iter_mut().zip(data).for_each(|(letter, octet)| *letter ^= octet & 0x1f);
    if let Ok(changed) = String::from_utf8(changed)
        && changed.to_lowercase() != genuine
    {
        assert_eq!(believed(&changed), None);
    }
}

fn subject(delivery: i64) -> Subject<'static> {
    Subject { delivery, mailing_key: "digest:weekly:1", recipient: "p:7" }
}

/// Of a token that is believed, what we would have written.
fn believed(token: &str) -> Option<String> {
    let claimed = ClaimedToken::read(token)?;
    claimed.is_for(&VAULT, subject(claimed.delivery)).then(|| bounce_token(&VAULT, subject(claimed.delivery)))
}

/// What a relay answers: kept in one line, without the recipient, and classified.
pub fn smtp_reply(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let reply = Reply::new(550, &text, &KIM);
    assert!(!reply.text.contains(char::is_control) && !reply.text.contains('@') && reply.text.chars().count() <= 300);
    assert!(!reply.text.to_lowercase().contains("feather.example.org"));
    assert!(Diagnosis::of_reply(&reply.to_string()).is_some());
    Diagnosis::of_reply(&text);
    let (status, diagnostic) = text.split_once('\n').unwrap_or((&text, ""));
    Diagnosis::of_report(status, Some(diagnostic));
}

/// Tokens of links: none that we did not make is accepted.
pub fn token(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    assert!(VAULT.read_token(Purpose::Unsubscribe, &text, NOW).is_err());
    let note: String = text.chars().take(100).collect();
    let claims = Claims::lasting(Purpose::Confirm, i64::try_from(data.len()).unwrap()).with_note(note);
    let token = VAULT.token(&claims);
    assert!(VAULT.read_token(Purpose::Unsubscribe, &token, NOW).is_err());
    if token.len() <= 512 {
        assert_eq!(VAULT.read_token(Purpose::Confirm, &token, NOW), Ok(claims));
    }
}

/// Mail addresses: what is accepted is one line, short, and accepted again as it is.
pub fn address(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(address) = Address::parse(&text) {
        let kept = address.expose();
        assert!(kept.len() <= 254 && !kept.contains(|c: char| c.is_control() || c.is_whitespace() || "<>\"".contains(c)));
        assert_eq!(Address::parse(kept).unwrap().expose(), kept);
    }
    if let Ok(mailbox) = Mailbox::parse(&text) {
        assert!(!mailbox.name.contains(char::is_control));
    }
}

/// Schedules: the next run is after now, in every zone.
pub fn cron(data: &[u8]) {
    let Ok(schedule) = Schedule::parse(&String::from_utf8_lossy(data)) else { return };
    for zone in ["Asia/Tokyo", "Europe/Berlin"] {
        let zone = parse_zone(zone).unwrap();
        if let Some(next) = schedule.next_after(NOW, &zone) {
            assert!(next > NOW);
            assert_eq!(schedule.last_between(NOW, next, &zone), Some(next));
        }
    }
}
