//! What others make up about our mails. `CLARION_TEST_FORGERIES` says how many are tried,
//! `CLARION_TEST_SEED` from where.

use super::office::{count, desk, letter, mailing, sample, token};
use crate::delivery::office::{enter_people, run_sql};
use crate::support::{World, on_each_engine, option};
use clarion::delivery::{self, Kind as For, Subject};
use clarion::inbound::Kind;
use clarion::vault::{Keyring, Vault};

const SAMPLES: [&str; 7] = ["postfix", "exim", "exchange", "gmail", "sendmail", "qmail", "complaint"];

/// Numbers without a pattern, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % bound
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// A token that looks like one and is none of ours.
fn forge(dice: &mut Dice, genuine: &[String], stranger: &Vault) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut letters = dice.of(genuine).clone().into_bytes();
    match dice.below(6) {
        // Another letter.
        0 => {
            let at = dice.below(letters.len());
            let other = *dice.of(LETTERS);
            letters[at] = if other == letters[at] { if other == b'a' { b'b' } else { b'a' } } else { other };
        }
        // The number of one mail with the signature of another.
        1 => {
            let mut other = dice.of(genuine);
            while other.as_bytes()[..8] == letters[..8] {
                other = dice.of(genuine);
            }
            letters[..8].copy_from_slice(&other.as_bytes()[..8]);
        }
        // Cut short, or with something hung on.
        2 => letters.truncate(23 - dice.below(20)),
        3 => letters.push(*dice.of(LETTERS)),
        // Signed by somebody else.
        4 => {
            let delivery = 1 + i64::try_from(dice.below(20)).unwrap();
            return delivery::bounce_token(stranger, Subject { delivery, mailing_key: "digest:1", recipient: &format!("p:{delivery}") });
        }
        _ => letters.iter_mut().for_each(|letter| *letter = *dice.of(LETTERS)),
    }
    String::from_utf8(letters).unwrap()
}

/// Cuts, doubles and changes pieces of a message.
fn mangle(dice: &mut Dice, message: &mut Vec<u8>) {
    for _ in 0..dice.below(6) {
        let (from, to) = (dice.below(message.len()), dice.below(message.len()));
        let (from, to) = (from.min(to), from.max(to).min(from.min(to) + 200));
        match dice.below(4) {
            0 => drop(message.drain(from..to)),
            1 => {
                let piece = message[from..to].to_vec();
                message.splice(from..from, piece);
            }
            2 => message[from] = u8::try_from(dice.below(256)).unwrap(),
            _ => message.truncate(to.max(1)),
        }
        if message.is_empty() {
            message.push(b'x');
        }
    }
}

/// Everything that a report could change.
async fn picture(world: &World) -> Vec<String> {
    let mut rows = Vec::new();
    for sql in [
        "SELECT CAST(id AS TEXT) || deliverability || COALESCE(address_index, '-') || COALESCE(CAST(paused_at AS TEXT), '-') FROM person ORDER BY id",
        "SELECT CAST(id AS TEXT) || state || COALESCE(reason, '-') || COALESCE(reply, '-') || CAST(fence AS TEXT) FROM delivery ORDER BY id",
        "SELECT CAST(id AS TEXT) || state || COALESCE(reason, '-') || CAST(refusals_seen AS TEXT) FROM mailing ORDER BY id",
        "SELECT CAST(delivery_id AS TEXT) || cause FROM bounce ORDER BY delivery_id",
        "SELECT address_index || reason FROM suppression ORDER BY address_index",
        "SELECT CAST(person_id AS TEXT) || stream FROM refusal ORDER BY person_id, stream",
        "SELECT CAST(person_id AS TEXT) || state FROM subscription ORDER BY person_id",
        "SELECT CAST(id AS TEXT) || state FROM signup ORDER BY id",
        "SELECT CAST(id AS TEXT) || kind FROM consent_event ORDER BY id",
    ] {
        rows.extend(sqlx::query_scalar::<_, String>(sql).fetch_all(world.db.reader()).await.unwrap());
        rows.push(String::new());
    }
    rows
}

/// Whether what was cut off has left a token of ours, as where one with something hung on ends.
fn holds_one_of(message: &[u8], genuine: &[String]) -> bool {
    let text = String::from_utf8_lossy(message).to_lowercase();
    let is_whole = |(at, token): (usize, &str)| !text[at + token.len()..].starts_with(|c: char| c.is_ascii_alphanumeric());
    genuine.iter().any(|token| text.match_indices(token.as_str()).any(is_whole))
}

#[tokio::test]
async fn no_forged_report_changes_anything() {
    let tries = option("CLARION_TEST_FORGERIES").unwrap_or(1500);
    let seed = option("CLARION_TEST_SEED").unwrap_or(20_270_920).max(1);
    on_each_engine(async |world: World| {
        let people = enter_people(&world, 20).await;
        let deliveries = mailing(&world, "digest:1", For::Digest, &people).await;
        let mut genuine = Vec::new();
        for delivery in deliveries {
            genuine.push(token(&world, delivery).await);
        }
        let stranger = Vault::from_keyring(&Keyring::generate());
        let before = picture(&world).await;
        let (mut dice, desk, mut unproven) = (Dice(seed), desk(&world), 0);
        for number in 0..tries {
            let forged = forge(&mut dice, &genuine, &stranger);
            let mut message = sample(SAMPLES[dice.below(SAMPLES.len())], &forged);
            mangle(&mut dice, &mut message);
            if holds_one_of(&message, &genuine) {
                continue;
            }
            let kind = desk.receive(&message).await.unwrap();
            assert!(
                matches!(kind, Kind::Unproven | Kind::Unclear | Kind::AutoReply | Kind::Delay | Kind::Known),
                "try {number} of seed {seed} was taken for {kind}:\n{}",
                String::from_utf8_lossy(&message)
            );
            unproven += u64::from(kind == Kind::Unproven);
        }
        assert_eq!(picture(&world).await, before);
        assert!(unproven > tries / 4, "{unproven} of {tries} were reports with a token to be doubted");
        // The test can fail.
        assert_eq!(desk.receive(&sample("postfix", &genuine[0])).await.unwrap(), Kind::Bounce);
        assert_ne!(picture(&world).await, before);
    })
    .await;
}

#[tokio::test]
async fn what_was_sent_before_a_backup_was_restored_speaks_for_nobody_who_has_its_number_now() {
    on_each_engine(async |world: World| {
        let people = enter_people(&world, 2).await;
        let delivery = mailing(&world, "digest:1", For::Digest, &people[..1]).await[0];
        let before = token(&world, delivery).await;
        // After the restore the number went to a mail of another mailing.
        run_sql(&world, "UPDATE mailing SET key = 'digest:2'").await;
        for name in ["postfix", "complaint"] {
            assert_eq!(desk(&world).receive(&sample(name, &before)).await.unwrap(), Kind::Unproven, "{name}");
        }
        for door in ["leave", "confirm"] {
            let message = letter(&format!("bounces+{door}-{before}@example.org"), "hello");
            assert_eq!(desk(&world).receive(&message).await.unwrap(), Kind::Unclear, "{door}");
        }
        // Or to a mail of the same mailing to somebody else.
        run_sql(&world, "UPDATE mailing SET key = 'digest:1'").await;
        run_sql(&world, "UPDATE delivery SET recipient = 'p:2', person_id = 2").await;
        let message = letter(&format!("bounces+leave-{before}@example.org"), "hello again");
        assert_eq!(desk(&world).receive(&message).await.unwrap(), Kind::Unclear);
        for nothing in ["SELECT COUNT(*) FROM bounce", "SELECT COUNT(*) FROM refusal", "SELECT COUNT(*) FROM suppression"] {
            assert_eq!(count(&world, nothing).await, 0, "{nothing}");
        }
    })
    .await;
}
