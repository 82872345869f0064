//! Digests: what is new to whom, once, whatever happens to the daemon.

mod command;
mod hand;
mod mail;
mod many;

use crate::support::{World, language, on_each_engine};
use clarion::address::Address;
use clarion::addressbook;
use clarion::content::{self, Page};
use clarion::delivery::OnDoubt;
use clarion::digest::{DigestStep, Schedule, Settings};
use clarion::language::Catalogue;
use clarion::subscription::{self, Choices, Method, Occasion};
use clarion::task::{Kick, Step as _, Wake};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);
const WEEK: Duration = Duration::from_hours(7 * 24);

/// Digests every Monday and every day at eight in Tokyo.
pub fn digests(world: &World) -> Vec<Settings> {
    let digest = |name: &str, cron: &str| Settings {
        name: name.to_owned(),
        schedule: Schedule::parse(cron).unwrap(),
        time_zone: world.site.time_zone.clone(),
        categories: Vec::new(),
        minimum_items: 1,
    };
    vec![digest("weekly", "0 8 * * Mon"), digest("daily", "0 8 * * *")]
}

pub fn step_with(world: &World, digests: Vec<Settings>) -> DigestStep {
    DigestStep {
        db: world.db.clone(),
        vault: world.vault.clone(),
        clock: world.clock.clone(),
        site: world.site.clone(),
        catalogue: Catalogue::shipped(),
        digests,
        on_doubt: OnDoubt::Retry,
        delivery: Kick::default(),
    }
}

/// The step of a daemon that has just seen its digests for the first time.
pub async fn started(world: &World) -> DigestStep {
    let step = step_with(world, digests(world));
    drain(&step).await;
    step
}

/// Steps until there is nothing left to do now.
pub async fn drain(step: &DigestStep) -> Wake {
    loop {
        let wake = step.step().await.unwrap();
        if wake != Wake::Now {
            return wake;
        }
    }
}

pub fn choices(languages: &str, topics: &str, rhythm: &str) -> Choices {
    Choices {
        topics: topics.split_whitespace().map(str::to_owned).collect(),
        languages: languages.split_whitespace().map(language).collect(),
        rhythm: rhythm.to_owned(),
    }
}

/// Subscribes somebody and returns their number.
pub async fn subscribe(world: &World, name: &str, choices: &Choices) -> i64 {
    let address = Address::parse(&format!("{name}@example.org")).unwrap();
    let mut tx = world.db.begin().await.unwrap();
    let person = addressbook::find_or_enter(&mut tx, &world.vault, &address, world.clock.now()).await.unwrap();
    subscription::subscribe_confirmed(&mut tx, person, choices, "a test", world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    person
}

/// Publishes an article that digests may carry: its title is group and language, `summit en`.
pub async fn publish(world: &World, group: &str, tag: &str, category: &str) {
    publish_with(world, group, tag, category, "What happened, in a sentence.").await;
}

pub async fn publish_with(world: &World, group: &str, tag: &str, category: &str, summary: &str) {
    let path = format!("{group}.{tag}");
    let page = Page {
        source: "test",
        path: &path,
        language: &language(tag),
        translation_group: group,
        title: &format!("{group} {tag}"),
        summary,
        markdown: "Text.",
        categories: &[category],
        canonical_url: "https://elsewhere.example.org/",
    };
    let mut tx = world.db.begin().await.unwrap();
    content::publish_page(&mut tx, &world.site, &page, world.clock.now()).await.unwrap();
    sqlx::query("UPDATE article SET announced = 'yes' WHERE path = $1").bind(&path).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// Everything in the ledger, in the order of its making: `1: summit en, visit en`.
pub async fn ledger(world: &World) -> Vec<String> {
    let rows: Vec<(i64, i64, String)> = sqlx::query_as(
        "SELECT d.id, d.person_id, a.title FROM delivery d JOIN variant_item i ON i.variant_id = d.variant_id JOIN article a ON a.id = i.article_id
         ORDER BY d.mailing_id, d.person_id, a.published_seq DESC",
    )
    .fetch_all(world.db.reader())
    .await
    .unwrap();
    let mut lines: Vec<(i64, String)> = Vec::new();
    for (delivery, person, title) in rows {
        match lines.last_mut() {
            Some((last, line)) if *last == delivery => line.extend([", ", &title]),
            _ => lines.push((delivery, format!("{person}: {title}"))),
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

pub async fn number(world: &World, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(world.db.reader()).await.unwrap()
}

pub async fn watermark(world: &World, person: i64) -> i64 {
    sqlx::query_scalar("SELECT watermark FROM subscription WHERE person_id = $1").bind(person).fetch_one(world.db.reader()).await.unwrap()
}

#[tokio::test]
async fn each_reader_gets_a_new_article_once_in_the_first_of_their_languages() {
    on_each_engine(async |world: World| {
        let step = started(&world).await;
        for (name, languages) in [("a", "en"), ("b", "ja"), ("c", "ja en"), ("d", "en ja"), ("e", "ko"), ("f", "ko en")] {
            subscribe(&world, name, &choices(languages, "", "weekly")).await;
        }
        publish(&world, "summit", "en", "defectors").await;
        publish(&world, "summit", "ja", "defectors").await;
        publish(&world, "visit", "en", "defectors").await;
        world.pass(DAY);
        drain(&step).await;
        assert_eq!(ledger(&world).await, [""; 0], "not before Monday");

        world.pass(WEEK);
        drain(&step).await;
        let first =
            ["1: visit en, summit en", "2: summit ja", "3: visit en, summit ja", "4: visit en, summit en", "6: visit en, summit en"];
        assert_eq!(ledger(&world).await, first);

        for _ in 0..3 {
            world.pass(WEEK);
            drain(&step).await;
        }
        assert_eq!(ledger(&world).await, first, "nothing new, nothing sent");
        assert_eq!(number(&world, "SELECT COUNT(*) FROM mailing").await, 1, "and no empty mailing made");
        assert_eq!(number(&world, "SELECT COUNT(*) FROM mailing WHERE state = 'ready'").await, 1);
        assert_eq!(number(&world, "SELECT COUNT(*) FROM run WHERE state = 'cutting'").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_translation_that_comes_later_reaches_those_who_waited_for_it_and_nobody_twice() {
    on_each_engine(async |world: World| {
        let step = started(&world).await;
        let japanese = subscribe(&world, "a", &choices("ja", "", "weekly")).await;
        subscribe(&world, "b", &choices("ja en", "", "weekly")).await;
        subscribe(&world, "c", &choices("en ja", "", "weekly")).await;
        publish(&world, "summit", "en", "defectors").await;
        world.pass(WEEK);
        drain(&step).await;
        assert_eq!(ledger(&world).await, ["2: summit en", "3: summit en"]);
        assert_eq!(watermark(&world, japanese).await, 1, "considered, though nothing matched");

        publish(&world, "summit", "ja", "defectors").await;
        world.pass(WEEK);
        drain(&step).await;
        assert_eq!(ledger(&world).await, ["2: summit en", "3: summit en", "1: summit ja"]);
    })
    .await;
}

#[tokio::test]
async fn topics_of_people_and_categories_of_digests_are_kept_to() {
    on_each_engine(async |world: World| {
        let mut digests = digests(&world);
        digests[1].categories = vec!["defectors".to_owned()];
        let step = step_with(&world, digests);
        drain(&step).await;
        subscribe(&world, "a", &choices("en", "defectors", "weekly")).await;
        subscribe(&world, "b", &choices("en", "human-rights-abuses petitions", "weekly")).await;
        subscribe(&world, "c", &choices("en", "petitions", "weekly")).await;
        subscribe(&world, "d", &choices("en", "", "daily")).await;
        publish(&world, "summit", "en", "defectors").await;
        publish(&world, "camp", "en", "human-rights-abuses").await;
        world.pass(WEEK);
        drain(&step).await;
        let mut lines = ledger(&world).await;
        lines.sort();
        assert_eq!(lines, ["1: summit en", "2: camp en", "4: summit en"]);
    })
    .await;
}

#[tokio::test]
async fn what_was_before_a_person_came_is_not_new_and_a_change_of_rhythm_loses_and_repeats_nothing() {
    on_each_engine(async |world: World| {
        let step = started(&world).await;
        publish(&world, "old", "en", "defectors").await;
        let person = subscribe(&world, "a", &choices("en", "", "weekly")).await;
        publish(&world, "first", "en", "defectors").await;
        world.pass(WEEK);
        drain(&step).await;
        publish(&world, "second", "en", "defectors").await;
        let mut tx = world.db.begin().await.unwrap();
        let daily = choices("en", "", "daily");
        subscription::change(&mut tx, person, &daily, None, Occasion::by(Method::Page), world.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        world.pass(WEEK);
        drain(&step).await;
        assert_eq!(ledger(&world).await, ["1: first en", "1: second en"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_announced_again_comes_again_once() {
    on_each_engine(async |world: World| {
        let step = started(&world).await;
        subscribe(&world, "a", &choices("en", "", "weekly")).await;
        publish(&world, "appeal", "en", "defectors").await;
        world.pass(WEEK);
        drain(&step).await;
        publish(&world, "other", "ja", "defectors").await;
        let mut tx = world.db.begin().await.unwrap();
        let sequence = clarion::db::take_number(&mut tx, clarion::db::Counter::Sequence).await.unwrap();
        let again = "UPDATE article SET announced = 'again', published_seq = $1 WHERE path = 'appeal.en'";
        sqlx::query(again).bind(sequence).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        for _ in 0..3 {
            world.pass(WEEK);
            drain(&step).await;
        }
        assert_eq!(ledger(&world).await, ["1: appeal en", "1: appeal en"]);
    })
    .await;
}

#[tokio::test]
async fn fewer_than_the_minimum_wait_and_come_with_the_rest() {
    on_each_engine(async |world: World| {
        let mut digests = digests(&world);
        digests[0].minimum_items = 2;
        let step = step_with(&world, digests);
        drain(&step).await;
        let one = subscribe(&world, "a", &choices("en", "", "weekly")).await;
        let other = subscribe(&world, "b", &choices("ja", "", "weekly")).await;
        publish(&world, "first", "en", "defectors").await;
        world.pass(WEEK);
        drain(&step).await;
        assert_eq!(ledger(&world).await, [""; 0]);
        assert_eq!((watermark(&world, one).await, watermark(&world, other).await), (0, 1));
        publish(&world, "second", "en", "defectors").await;
        world.pass(WEEK);
        drain(&step).await;
        assert_eq!(ledger(&world).await, ["1: second en, first en"]);
    })
    .await;
}

#[tokio::test]
async fn who_wants_a_topic_gets_what_is_filed_below_it() {
    on_each_engine(async |mut world: World| {
        world.site.categories[0].parent = Some("human-rights-abuses".to_owned());
        let step = started(&world).await;
        subscribe(&world, "above", &choices("en", "human-rights-abuses", "weekly")).await;
        subscribe(&world, "below", &choices("en", "defectors", "weekly")).await;
        publish(&world, "river", "en", "defectors").await;
        publish(&world, "camp", "en", "human-rights-abuses").await;
        world.pass(Duration::from_hours(7 * 24));
        drain(&step).await;
        let items = "SELECT COUNT(*) FROM delivery d JOIN variant_item i ON i.variant_id = d.variant_id";
        assert_eq!(number(&world, items).await, 3, "two for the one, one for the other");
    })
    .await;
}
