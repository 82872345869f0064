//! Every mail that leaves is signed, and ahead of its turn.

use super::office::{address, digest_to, drain, enter_people, mail_out, mail_settings, plan, step_with, to_relay};
use crate::support::dkim::{both_are_good, signer, verify};
use crate::support::relay::{Fault, Relay};
use crate::support::{World, on_each_engine};
use clarion::delivery::{self, DeliveryStep, Kind, OnDoubt, Settings};
use clarion::language::Catalogue;
use clarion::mail::dkim::Signer;
use clarion::mail::{self, TransportSettings};
use std::time::Duration;

fn signing(relay: &Relay, signer: &Signer) -> mail::Settings {
    mail::Settings { dkim: Some(signer.clone()), ..to_relay(relay) }
}

fn step(world: &World, mail: mail::Settings, connections: u32) -> DeliveryStep {
    step_with(world, mail, Settings { connections, per_second: 0, on_doubt: OnDoubt::Retry })
}

#[tokio::test]
async fn mailings_letters_and_tests_leave_signed() {
    on_each_engine(async |world: World| {
        let (relay, (signer, zone)) = (Relay::start().await, signer());
        let people = enter_people(&world, 3).await;
        for (key, kind) in [
            ("digest:weekly:1", Kind::Digest),
            ("petition:a:2027:call", Kind::Petition),
            ("confirm:1", Kind::Account),
            ("plan:1", Kind::Staff),
        ] {
            mail_out(&world, &plan(&world, key, kind), &people, &[]).await;
        }
        let mut tx = world.db.begin().await.unwrap();
        let now = world.clock.now();
        delivery::post_test(&mut tx, &world.vault, &world.site, &Catalogue::shipped(), &address("office@example.org"), now).await.unwrap();
        tx.commit().await.unwrap();
        drain(&step(&world, signing(&relay, &signer), 3)).await;
        let received = relay.received();
        assert_eq!(received.len(), 4 * 3 + 1);
        for message in &received {
            assert!(both_are_good(&message.data, &zone), "{:?}", verify(&message.data, &zone));
        }
    })
    .await;
}

#[tokio::test]
async fn mail_written_to_files_is_signed_too() {
    on_each_engine(async |world: World| {
        let (signer, zone) = signer();
        let people = enter_people(&world, 1).await;
        digest_to(&world, &people).await;
        let dir = world.folder.path().join("mail");
        let settings = mail::Settings { dkim: Some(signer), ..mail_settings(TransportSettings::File { dir: dir.clone() }) };
        drain(&step(&world, settings, 1)).await;
        let files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect();
        assert_eq!(files.len(), 1);
        assert!(both_are_good(&files[0], &zone));
    })
    .await;
}

#[tokio::test]
async fn a_mail_sent_again_hours_later_has_the_same_signature() {
    on_each_engine(async |world: World| {
        let (relay, (signer, zone)) = (Relay::start().await, signer());
        relay.next(Fault::CloseAfterDot);
        let people = enter_people(&world, 1).await;
        digest_to(&world, &people).await;
        drain(&step(&world, signing(&relay, &signer), 1)).await;
        world.pass(Duration::from_hours(5));
        // As after a restart.
        drain(&step(&world, signing(&relay, &signer), 1)).await;
        let received = relay.received();
        assert_eq!(received.len(), 2);
        assert_eq!(received[0].data, received[1].data, "the same mail, byte for byte");
        assert!(both_are_good(&received[1].data, &zone));
    })
    .await;
}

/// More than are made ahead, with refusals between, over connections that break.
#[tokio::test]
async fn what_is_made_ahead_reaches_the_right_people_whatever_happens_meanwhile() {
    on_each_engine(async |world: World| {
        let (relay, (signer, zone)) = (Relay::start().await, signer());
        relay.always("person7@example.org", Fault::Rcpt("550 5.1.1 no such user"));
        relay.always("person70@example.org", Fault::CloseAtData);
        let people = enter_people(&world, 120).await;
        digest_to(&world, &people).await;
        drain(&step(&world, signing(&relay, &signer), 5)).await;
        let received = relay.received();
        let mut reached: Vec<&str> = received.iter().map(|message| message.to.as_str()).collect();
        reached.sort_unstable();
        reached.dedup();
        assert_eq!((reached.len(), received.len()), (118, 118));
        for message in &received {
            let to = format!("\r\nTo: {}\r\n", message.to);
            assert!(String::from_utf8_lossy(&message.data).contains(&to), "{to}");
            assert!(both_are_good(&message.data, &zone));
        }
    })
    .await;
}
