//! Who gets a mail, and what it looks like.

use super::office::{address, digest_to, drain, enter_people, mail_out, mail_settings, plan, run_sql, state_of, states, step, step_with};
use crate::support::relay::{Fault, Manner, Received, Relay};
use crate::support::{World, on_each_engine};
use clarion::addressbook::{self, Deliverability, Stream};
use clarion::delivery::{self, Kind, NewMailing, OnDoubt, PersonalLink, Settings};
use clarion::mail::TransportSettings;
use clarion::task::{Step as _, Wake};
use clarion::vault::{Claims, Purpose};
use mail_parser::MessageParser;
use std::collections::HashSet;
use std::time::Duration;

fn sent() -> (String, String) {
    ("sent".to_owned(), String::new())
}

fn skipped(reason: &str) -> (String, String) {
    ("skipped".to_owned(), reason.to_owned())
}

#[tokio::test]
async fn everybody_gets_it_once_and_the_mailing_is_done() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 250).await;
        let mailing = digest_to(&world, &people).await;
        let step = step(&world, &relay);
        assert_eq!(drain(&step).await, Wake::WhenKicked);
        assert_eq!(drain(&step).await, Wake::WhenKicked);
        let reached: HashSet<String> = relay.received().into_iter().map(|message| message.to).collect();
        assert_eq!((relay.received().len(), reached.len()), (250, 250));
        assert!(relay.connections() <= 8, "connections are kept: {}", relay.connections());
        assert!(states(&world, mailing).await.iter().all(|state| *state == sent()));
        assert_eq!(state_of(&world, mailing).await, "done");
    })
    .await;
}

#[tokio::test]
async fn each_mail_carries_the_persons_own_way_out_and_a_signed_envelope() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 2).await;
        digest_to(&world, &people).await;
        drain(&step(&world, &relay)).await;
        let mut identities = HashSet::new();
        for (number, person) in people.iter().enumerate() {
            let mail = &relay.received_by(&format!("person{number}@example.org"))[0];
            let token = mail.from.strip_prefix("bounces+").and_then(|rest| rest.strip_suffix("@example.org")).unwrap();
            let mut connection = world.db.reader().acquire().await.unwrap();
            let named = delivery::delivery_of_token(&mut connection, &world.vault, &token.to_uppercase()).await.unwrap().unwrap();
            assert_eq!(delivery::recipient_of(&mut connection, named).await.unwrap(), Some(*person));
            let message = MessageParser::default().parse(&mail.data).unwrap();
            assert_eq!(message.subject(), Some("人権ニュース"));
            let token = world.vault.token(&Claims::lasting(Purpose::Unsubscribe, *person));
            let link = format!("http://news.example.org/unsubscribe/{token}");
            let header = message.header_raw("List-Unsubscribe").unwrap().split_whitespace().collect::<String>();
            assert_eq!(header, format!("<{link}>"));
            assert!(message.body_text(0).unwrap().contains(&format!("http://news.example.org/ja/unsubscribe/{token}")));
            assert!(message.body_html(0).unwrap().contains(&token));
            assert!(!String::from_utf8_lossy(&mail.data).contains("slot:"));
            assert!(identities.insert(message.message_id().unwrap().to_owned()));
        }
    })
    .await;
}

#[tokio::test]
async fn a_link_asked_for_has_its_token_and_no_way_out() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 1).await;
        let claims = Claims::until(Purpose::Confirm, 7, world.clock.now() + Duration::from_hours(1));
        let link = PersonalLink { slot: "confirm".to_owned(), path: "/confirm/".to_owned(), claims: claims.clone() };
        mail_out(&world, &plan(&world, "confirm:7", Kind::Account), &people, &[link]).await;
        drain(&step(&world, &relay)).await;
        let received = relay.received();
        let message = MessageParser::default().parse(&received[0].data).unwrap();
        assert!(message.body_text(0).unwrap().contains(&format!("http://news.example.org/confirm/{}", world.vault.token(&claims))));
        assert!(message.header_raw("List-Unsubscribe").is_none());
    })
    .await;
}

#[tokio::test]
async fn a_text_with_a_hole_is_not_sent_and_staff_are_told() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 1).await;
        let mailing = digest_to(&world, &people).await;
        run_sql(&world, "UPDATE variant SET body_text = body_text || '{{slot:' || mark || ':nothing}}'").await;
        drain(&step(&world, &relay)).await;
        assert!(relay.received().is_empty());
        let (state, reason) = states(&world, mailing).await.remove(0);
        assert!(state == "failed" && reason.contains("nothing"), "{state} {reason}");
        let notices: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM notice").fetch_one(world.db.reader()).await.unwrap();
        assert_eq!(notices, 1);
    })
    .await;
}

#[tokio::test]
async fn who_left_is_suppressed_erased_or_unreachable_is_skipped_when_it_comes_to_sending() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 6).await;
        let mailing = digest_to(&world, &people).await;
        let now = world.clock.now();
        let mut tx = world.db.begin().await.unwrap();
        addressbook::refuse(&mut tx, people[0], Stream::News, now).await.unwrap();
        addressbook::suppress(&mut tx, &world.vault, &address("person1@example.org"), "complaint", now).await.unwrap();
        addressbook::erase(&mut tx, people[2], now).await.unwrap();
        addressbook::set_deliverability(&mut tx, people[3], Deliverability::Paused).await.unwrap();
        addressbook::refuse(&mut tx, people[4], Stream::Petitions, now).await.unwrap();
        sqlx::query("INSERT INTO subscription (person_id, state, rhythm, watermark) VALUES ($1, 'left', 'weekly', 0)")
            .bind(people[5])
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        drain(&step(&world, &relay)).await;
        let expected = [skipped("left"), skipped("suppressed"), skipped("erased"), skipped("bounced"), sent(), skipped("left")];
        assert_eq!(states(&world, mailing).await, expected);
        assert_eq!(relay.received().len(), 1);
        assert_eq!(state_of(&world, mailing).await, "done");
    })
    .await;
}

/// A cut that is being written while an article is withdrawn may still carry it.
#[tokio::test]
async fn what_carries_a_withdrawn_article_is_skipped_when_it_comes_to_sending() {
    on_each_engine(async |world: World| {
        let digest = crate::digest::started(&world).await;
        crate::digest::subscribe(&world, "a", &crate::digest::choices("en", "", "weekly")).await;
        crate::digest::publish(&world, "name", "en", "defectors").await;
        world.pass(Duration::from_hours(7 * 24));
        crate::digest::drain(&digest).await;
        let mut tx = world.db.begin().await.unwrap();
        let article: i64 = sqlx::query_scalar("SELECT id FROM article WHERE path = 'name.en'").fetch_one(&mut *tx).await.unwrap();
        clarion::content::withdraw(&mut tx, &world.site, &[article], world.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        let relay = Relay::start().await;
        drain(&step(&world, &relay)).await;
        assert!(relay.received().is_empty());
        let skipped = "SELECT COUNT(*) FROM delivery WHERE state = 'skipped' AND reason = 'withdrawn'";
        assert_eq!(crate::digest::number(&world, skipped).await, 1);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_sent_early_or_after_the_deadline() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 2).await;
        let (hour, now) = (Duration::from_hours(1), world.clock.now());
        let early = NewMailing { not_before: now + hour, ..plan(&world, "early", Kind::Petition) };
        let early = mail_out(&world, &early, &people, &[]).await;
        let late = NewMailing { not_before: now + hour, deadline: Some(now + hour / 2), ..plan(&world, "late", Kind::Petition) };
        let late = mail_out(&world, &late, &people, &[]).await;
        let step = step(&world, &relay);
        drain(&step).await;
        assert!(relay.received().is_empty());
        world.pass(hour);
        drain(&step).await;
        assert_eq!(states(&world, early).await, [sent(), sent()]);
        assert_eq!(states(&world, late).await, [skipped("deadline"), skipped("deadline")]);
        assert_eq!(state_of(&world, late).await, "done");
    })
    .await;
}

#[tokio::test]
async fn a_confirmation_overtakes_a_digest() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        let people = enter_people(&world, 3).await;
        digest_to(&world, &people).await;
        let account = mail_out(&world, &plan(&world, "confirm:1", Kind::Account), &people[..1], &[]).await;
        let single = Settings { connections: 1, per_second: 0, on_doubt: OnDoubt::Retry };
        drain(&step_with(&world, super::office::to_relay(&relay), single)).await;
        assert_eq!(states(&world, account).await, [sent()]);
        assert_eq!(relay.received().len(), 4);
        assert_eq!(relay.received()[0].to, "person0@example.org");
        let first = relay.received().remove(0).data;
        assert!(String::from_utf8(first).unwrap().contains("List-Id: <account."));
    })
    .await;
}

#[tokio::test]
async fn a_round_claims_more_while_it_goes_on_and_what_somebody_waits_for_first() {
    on_each_engine(async |world: World| {
        let relay = Relay::start_with(Manner { hesitation: Duration::from_millis(5), ..Manner::default() }).await;
        let people = enter_people(&world, 1200).await;
        let digest = digest_to(&world, &people).await;
        let step = step(&world, &relay);
        let asking = async {
            while relay.received().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            mail_out(&world, &plan(&world, "confirm:1", Kind::Account), &people[..1], &[]).await
        };
        let (wake, account) = tokio::join!(step.step(), asking);
        assert_eq!(wake.unwrap(), Wake::Now);
        let received = relay.received();
        let is_confirmation = |message: &Received| String::from_utf8_lossy(&message.data).contains("List-Id: <account.");
        let place = received.iter().position(is_confirmation).expect("it is sent in the same round");
        assert!(place < 1000, "{place}");
        assert_eq!(drain(&step).await, Wake::WhenKicked);
        assert_eq!(relay.received().len(), 1201);
        assert_eq!(states(&world, account).await, [sent()]);
        assert!(states(&world, digest).await.iter().all(|state| *state == sent()));
    })
    .await;
}

#[tokio::test]
async fn a_refused_recipient_fails_alone_and_the_connection_goes_on() {
    on_each_engine(async |world: World| {
        let relay = Relay::start().await;
        relay.always("person1@example.org", Fault::Rcpt("550 5.1.1 <person1@example.org> unknown"));
        let people = enter_people(&world, 3).await;
        let mailing = digest_to(&world, &people).await;
        drain(&super::office::single_step(&world, &relay)).await;
        let states = states(&world, mailing).await;
        assert_eq!(states, [sent(), ("failed".to_owned(), "refused by the relay".to_owned()), sent()]);
        assert_eq!(relay.connections(), 1);
        let reply: String =
            sqlx::query_scalar("SELECT reply FROM delivery WHERE state = 'failed'").fetch_one(world.db.reader()).await.unwrap();
        assert_eq!(reply, "550 5.1.1 <…> unknown");
    })
    .await;
}

#[tokio::test]
async fn mail_to_a_folder_is_one_file_each_and_no_name_tells_an_address() {
    on_each_engine(async |world: World| {
        let people = enter_people(&world, 3).await;
        digest_to(&world, &people).await;
        let dir = world.folder.path().join("mail");
        let settings = Settings { connections: 4, per_second: 0, on_doubt: OnDoubt::Retry };
        drain(&step_with(&world, mail_settings(TransportSettings::File { dir: dir.clone() }), settings)).await;
        let mut names: Vec<String> =
            std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        let expected: Vec<String> = (1..=3).map(|number| format!("20270919T230000Z-digest-{number:09}.eml")).collect();
        assert_eq!(names, expected);
        let bytes = std::fs::read(dir.join(&names[0])).unwrap();
        assert_eq!(MessageParser::default().parse(&bytes).unwrap().subject(), Some("人権ニュース"));
    })
    .await;
}
