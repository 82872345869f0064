//! `clarion subscriber`, beside a daemon that uses the same database.

use crate::support::command::context;
use crate::support::{World, is_sqlite, language, on_each_engine};
use clap::Parser as _;
use clarion::address::Address;
use clarion::addressbook;
use clarion::cli::subscriber::{SubscriberCommand, run};
use clarion::cli::{Context, Outcome};
use clarion::subscription::{self, ConsentKind, Method, SubscriptionState};

#[derive(clap::Parser)]
struct Line {
    #[command(subcommand)]
    command: SubscriberCommand,
}

async fn clarion(context: &Context, line: &str) -> anyhow::Result<Outcome> {
    let words = line.split(' ').map(|word| word.replace('_', " "));
    run(Line::try_parse_from(["clarion".to_owned()].into_iter().chain(words)).unwrap().command, context).await
}

#[tokio::test]
async fn staff_enter_show_end_and_forget_a_subscriber() {
    on_each_engine(async |world: World| {
        if !is_sqlite(&world.db) {
            return;
        }
        let mut context = context(&world);
        assert_eq!(clarion(&context, "show kim@example.org").await.unwrap(), Outcome::ProblemFound);
        let add = "add kim@example.org --language ja --language en --topic defectors --confirmed a_signed_card";
        assert_eq!(clarion(&context, add).await.unwrap(), Outcome::Done);
        let kim = Address::parse("kim@example.org").unwrap();
        let mut connection = world.db.reader().acquire().await.unwrap();
        let person = addressbook::find(&mut connection, &world.vault, &kim).await.unwrap().unwrap();
        let found = subscription::subscription(&mut connection, person).await.unwrap().unwrap();
        assert_eq!((found.state, found.choices.rhythm.as_str()), (SubscriptionState::Active, "weekly"));
        assert_eq!(found.choices.languages, [language("ja"), language("en")]);
        assert_eq!(clarion(&context, "show Kim@example.org").await.unwrap(), Outcome::Done);
        context.json = true;
        assert_eq!(clarion(&context, "show kim@example.org").await.unwrap(), Outcome::Done);

        assert_eq!(clarion(&context, "leave kim@example.org").await.unwrap(), Outcome::Done);
        let found = subscription::subscription(&mut connection, person).await.unwrap().unwrap();
        assert_eq!(found.state, SubscriptionState::Left);
        assert_eq!(clarion(&context, "erase kim@example.org").await.unwrap(), Outcome::Done);
        assert_eq!(addressbook::find(&mut connection, &world.vault, &kim).await.unwrap(), None);
        let events = subscription::consent_events(&mut connection, person).await.unwrap();
        let kinds: Vec<_> = events.iter().map(|event| (event.kind, event.method)).collect();
        assert_eq!(kinds, [ConsentKind::Confirmed, ConsentKind::Left, ConsentKind::Erased].map(|kind| (kind, Method::Staff)));
        assert_eq!(events[0].note.as_deref(), Some("a signed card"));
    })
    .await;
}

#[tokio::test]
async fn without_proof_of_consent_the_person_is_asked_and_mistakes_name_what_there_is() {
    on_each_engine(async |world: World| {
        if !is_sqlite(&world.db) {
            return;
        }
        let context = context(&world);
        assert_eq!(clarion(&context, "add lee@example.org").await.unwrap(), Outcome::Done);
        let waiting: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM signup WHERE state = 'new' AND method = 'staff'")
            .fetch_one(world.db.reader())
            .await
            .unwrap();
        assert_eq!(waiting, 1);
        for (line, word) in [
            ("add lee@example.org --language ko", "en, ja"),
            ("add lee@example.org --topic weather", "defectors, petitions"),
            ("add lee@example.org --rhythm hourly", "weekly"),
            ("show lee", "needs an @"),
        ] {
            let error = clarion(&context, line).await.unwrap_err().to_string();
            assert!(error.contains(word) && !error.contains("lee@"), "{error}");
        }
        let mut tx = world.db.begin().await.unwrap();
        let lee = Address::parse("lee@example.org").unwrap();
        addressbook::suppress(&mut tx, &world.vault, &lee, "complaint", world.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(clarion(&context, "add lee@example.org").await.unwrap(), Outcome::ProblemFound);
        assert_eq!(clarion(&context, "add lee@example.org --confirmed by_letter").await.unwrap(), Outcome::Done);
        let mut tx = world.db.begin().await.unwrap();
        assert!(!addressbook::is_suppressed(&mut tx, &world.vault.index(&lee)).await.unwrap());
        let person = addressbook::find(&mut tx, &world.vault, &lee).await.unwrap().unwrap();
        let events = subscription::consent_events(&mut tx, person).await.unwrap();
        assert_eq!(events.last().unwrap().note.as_deref(), Some("by letter (after a complaint)"));
        // Any other reason stays.
        addressbook::suppress(&mut tx, &world.vault, &lee, "asked", world.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(clarion(&context, "add lee@example.org --confirmed by_letter").await.unwrap(), Outcome::ProblemFound);
    })
    .await;
}
