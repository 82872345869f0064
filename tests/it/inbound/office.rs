//! What these tests share: a desk, mails that were sent, samples of what comes back.

use crate::delivery::office::{mail_out, mail_settings, plan};
use crate::support::World;
use clarion::address::Address;
use clarion::addressbook;
use clarion::delivery::{self, DeliveryStep, Kind, OnDoubt, Subject};
use clarion::inbound::{Desk, Settings};
use clarion::mail::{self, EnvelopePattern, TransportSettings};
use clarion::metrics::Metrics;
use clarion::task::{Step as _, Wake};

/// Where mails can be answered to.
pub fn settings() -> Settings {
    let address = |text| Some(Address::parse(text).unwrap());
    Settings { pipe: true, join: address("join@example.org"), leave: address("leave@example.org"), ..Settings::default() }
}

/// Mail goes to files, and what is sent to our addresses is read.
pub fn mail_to_files(world: &World) -> mail::Settings {
    let settings = mail_settings(TransportSettings::File { dir: world.folder.path().join("mail") });
    mail::Settings { envelope: EnvelopePattern::parse("bounces+{token}@example.org").unwrap().heard(), ..settings }
}

pub fn desk(world: &World) -> Desk {
    let (db, vault, clock, site) = (world.db.clone(), world.vault.clone(), world.clock.clone(), world.site.clone());
    Desk::new(db, vault, clock, site, &mail_to_files(world), &settings(), &["weekly".to_owned()])
}

/// Sends what is due.
pub async fn send(world: &World) {
    let (db, vault, clock, site) = (world.db.clone(), world.vault.clone(), world.clock.clone(), world.site.clone());
    let settings = delivery::Settings { connections: 1, per_second: 0, on_doubt: OnDoubt::Retry };
    let step = DeliveryStep::new(db, vault, clock, site, mail_to_files(world), settings, Metrics::default()).unwrap();
    while step.step().await.unwrap() == Wake::Now {}
}

/// Sends a mailing to people and returns its deliveries, in order.
pub async fn mailing(world: &World, key: &str, kind: Kind, people: &[i64]) -> Vec<i64> {
    let mailing = mail_out(world, &plan(world, key, kind), people, &[]).await;
    send(world).await;
    let mut connection = world.db.reader().acquire().await.unwrap();
    let lines = delivery::delivery_lines(&mut connection, mailing, 0..=i64::MAX, 1000).await.unwrap();
    lines.iter().map(|line| line.id).collect()
}

/// State and reason of a delivery.
pub async fn state(world: &World, delivery: i64) -> (String, String) {
    let row = sqlx::query_as("SELECT state, COALESCE(reason, '') FROM delivery WHERE id = $1");
    row.bind(delivery).fetch_one(world.db.reader()).await.unwrap()
}

pub async fn deliverability(world: &World, person: i64) -> String {
    addressbook::deliverability(&mut world.db.reader().acquire().await.unwrap(), person).await.unwrap().to_string()
}

pub async fn count(world: &World, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(world.db.reader()).await.unwrap()
}

/// The token of a delivery.
pub async fn token(world: &World, delivery: i64) -> String {
    let row = sqlx::query_as("SELECT m.key, d.recipient FROM delivery d JOIN mailing m ON m.id = d.mailing_id WHERE d.id = $1");
    let (mailing_key, recipient): (String, String) = row.bind(delivery).fetch_one(world.db.reader()).await.unwrap();
    delivery::bounce_token(&world.vault, Subject { delivery, mailing_key: &mailing_key, recipient: &recipient })
}

/// A sample with a token in it.
pub fn sample(name: &str, token: &str) -> Vec<u8> {
    let path = format!("tests/fixtures/inbound/{name}.eml");
    std::fs::read_to_string(path).unwrap().replace("TOKEN", token).into_bytes()
}

/// A mail that a person writes.
pub fn letter(to: &str, subject: &str) -> Vec<u8> {
    format!("From: Person Nought <person0@example.org>\r\nTo: {to}\r\nSubject: {subject}\r\n\r\nHello.\r\n").into_bytes()
}
