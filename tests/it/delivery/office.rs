//! What the tests of deliveries share: a relay, a step, people, mailings.

use crate::support::relay::Relay;
use crate::support::{World, language};
use clarion::address::{Address, Mailbox};
use clarion::addressbook;
use clarion::delivery::{
    self, DeliveryStep, Kind, NewDelivery, NewMailing, NewVariant, OnDoubt, PersonalLink, Settings, To, UNSUBSCRIBE, slot,
};
use clarion::mail::{self, EnvelopePattern, RelaySettings, Tls, TransportSettings};
use clarion::metrics::Metrics;
use clarion::task::{Step as _, Wake};

pub fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub fn mail_settings(transport: TransportSettings) -> mail::Settings {
    mail::Settings {
        from: Mailbox::parse("LFNKR <news@example.org>").unwrap(),
        reply_to: Some(address("office@example.org")),
        envelope: EnvelopePattern::parse("bounces+{token}@example.org").unwrap(),
        transport,
        dkim: None,
    }
}

pub fn to_relay(relay: &Relay) -> mail::Settings {
    to_port(relay.port())
}

fn to_port(port: u16) -> mail::Settings {
    mail_settings(TransportSettings::Smtp(RelaySettings {
        host: "127.0.0.1".to_owned(),
        port,
        tls: Tls::None,
        credentials: None,
        ca_file: None,
    }))
}

pub fn step_with(world: &World, mail: mail::Settings, settings: Settings) -> DeliveryStep {
    let (db, vault, clock, site) = (world.db.clone(), world.vault.clone(), world.clock.clone(), world.site.clone());
    DeliveryStep::new(db, vault, clock, site, mail, settings, Metrics::default()).unwrap()
}

pub fn step(world: &World, relay: &Relay) -> DeliveryStep {
    step_with(world, to_relay(relay), Settings { connections: 4, per_second: 0, on_doubt: OnDoubt::Retry })
}

/// Through whatever listens at a port of this machine, on one connection.
pub fn step_to_port(world: &World, port: u16) -> DeliveryStep {
    step_with(world, to_port(port), Settings { connections: 1, per_second: 0, on_doubt: OnDoubt::Retry })
}

/// One connection only, so that faults meet deliveries in order.
pub fn single_step(world: &World, relay: &Relay) -> DeliveryStep {
    step_with(world, to_relay(relay), Settings { connections: 1, per_second: 0, on_doubt: OnDoubt::Retry })
}

/// Steps until there is nothing to do now.
pub async fn drain(step: &DeliveryStep) -> Wake {
    for _ in 0..100 {
        let wake = step.step().await.unwrap();
        if wake != Wake::Now {
            return wake;
        }
    }
    panic!("there is no end to it");
}

/// `person0@example.org` and so on.
pub async fn enter_people(world: &World, count: usize) -> Vec<i64> {
    let mut tx = world.db.begin().await.unwrap();
    let mut people = Vec::new();
    for number in 0..count {
        let address = address(&format!("person{number}@example.org"));
        people.push(addressbook::find_or_enter(&mut tx, &world.vault, &address, world.clock.now()).await.unwrap());
    }
    tx.commit().await.unwrap();
    people
}

pub fn plan<'a>(world: &World, key: &'a str, kind: Kind) -> NewMailing<'a> {
    NewMailing {
        key,
        kind,
        stream: kind.stream(),
        title: "週刊",
        on_doubt: OnDoubt::Retry,
        public: false,
        upper_seq: None,
        not_before: world.clock.now(),
        deadline: None,
    }
}

/// A mailing to these people, ready to be sent.
pub async fn mail_out(world: &World, mailing: &NewMailing<'_>, people: &[i64], personal: &[PersonalLink]) -> i64 {
    let now = world.clock.now();
    let mark = delivery::mark(&world.vault, mailing.key);
    let way_out = if mailing.kind.stream() == mailing.stream && matches!(mailing.kind, Kind::Digest | Kind::Petition) {
        slot(&mark, UNSUBSCRIBE)
    } else {
        String::new()
    };
    let links: Vec<String> = personal.iter().map(|link| slot(&mark, &link.slot)).collect();
    let links = links.join("\n");
    let (text, html) = (format!("こんにちは\n{way_out}\n{links}"), format!("<p>こんにちは <a href=\"{way_out}\">x</a> {links}</p>"));
    let japanese = language("ja");
    let variant =
        NewVariant {
            key: "ja", language: &japanese, subject: "人権ニュース", body_text: &text, body_html: &html, mark: &mark, items: &[]
        };
    let mut tx = world.db.begin().await.unwrap();
    let made = delivery::open_mailing(&mut tx, mailing, now).await.unwrap();
    let variant = delivery::add_variant(&mut tx, made.id, &variant).await.unwrap();
    let deliveries: Vec<_> =
        people.iter().map(|person| NewDelivery { to: To::Person(*person), variant, personal: personal.to_vec() }).collect();
    delivery::add_deliveries(&mut tx, &world.vault, made.id, &deliveries, now).await.unwrap();
    delivery::release(&mut tx, made.id, now).await.unwrap();
    tx.commit().await.unwrap();
    made.id
}

pub async fn digest_to(world: &World, people: &[i64]) -> i64 {
    mail_out(world, &plan(world, "digest:weekly:1", Kind::Digest), people, &[]).await
}

/// Deliveries of a mailing in order: state and reason.
pub async fn states(world: &World, mailing: i64) -> Vec<(String, String)> {
    let mut connection = world.db.reader().acquire().await.unwrap();
    let lines = delivery::delivery_lines(&mut connection, mailing, 0..=i64::MAX, 10_000).await.unwrap();
    lines.into_iter().map(|line| (line.state.to_string(), line.reason.unwrap_or_default())).collect()
}

pub async fn state_of(world: &World, mailing: i64) -> String {
    let mut connection = world.db.reader().acquire().await.unwrap();
    delivery::mailing_summary(&mut connection, mailing).await.unwrap().unwrap().state.to_string()
}

pub async fn run_sql(world: &World, sql: &'static str) {
    let mut tx = world.db.begin().await.unwrap();
    sqlx::query(sql).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}
