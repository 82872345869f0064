//! `clarion mailing` and `clarion mail test`, in a folder of their own.

use super::office::{digest_to, enter_people, state_of};
use crate::support::relay::Relay;
use crate::support::{World, is_sqlite, on_each_engine};
use clarion::cli::mail::MailCommand;
use clarion::cli::mailing::MailingCommand;
use clarion::cli::{Context, Outcome, mail, mailing};
use clarion::config::Config;
use clarion::problem::Source;

const CONFIG: &str = r#"
[site]
title = "Life Funds for North Korean Refugees"
base_url = "http://news.example.org"
languages = ["ja", "en"]
time_zone = "Asia/Tokyo"
postal_address = "1-1 Example, Tokyo"
[staff]
mail = ["office@example.org"]
[content]
dir = "content"
[web]
listen = "127.0.0.1:0"
[database]
url = "sqlite:clarion.db"
[vault]
key_file = "clarion.key"
[mail]
from = "LFNKR <news@example.org>"
envelope = "bounces+{token}@example.org"
transport = TRANSPORT
[[digest]]
name = "weekly"
cron = "0 8 * * Mon"
"#;

/// The configuration names a file, so only the engine that lives in one serves.
fn context(world: &World, transport: &str) -> Context {
    let folder = world.folder.path();
    let config_path = folder.join("clarion.toml");
    let text = CONFIG.replace("TRANSPORT", transport);
    let (config, _) = Config::parse(&Source::new(config_path.clone(), text), folder, &[]).unwrap();
    Context { config, config_path, clock: world.clock.clone(), json: true }
}

fn to_port(port: u16) -> String {
    format!("{{ kind = \"smtp\", host = \"127.0.0.1\", port = {port}, tls = \"none\" }}")
}

fn test() -> MailCommand {
    MailCommand::Test { address: "chair@example.org".to_owned() }
}

#[tokio::test]
async fn a_test_mail_leaves_at_once_where_no_daemon_runs_and_takes_nothing_else_along() {
    on_each_engine(async |world: World| {
        if !is_sqlite(&world.db) {
            return;
        }
        let people = enter_people(&world, 2).await;
        let waiting = digest_to(&world, &people).await;
        let relay = Relay::start().await;
        assert_eq!(mail::run(test(), &context(&world, &to_port(relay.port()))).await.unwrap(), Outcome::Done);
        assert_eq!(relay.received().len(), 1);
        assert_eq!(relay.received()[0].to, "chair@example.org");
        assert_eq!(state_of(&world, waiting).await, "ready");
    })
    .await;
}

#[tokio::test]
async fn a_test_without_a_relay_says_so_and_leaves_nothing_behind() {
    on_each_engine(async |world: World| {
        if !is_sqlite(&world.db) {
            return;
        }
        let mut relay = Relay::start().await;
        relay.go_down();
        assert_eq!(mail::run(test(), &context(&world, &to_port(relay.port()))).await.unwrap(), Outcome::ProblemFound);
        let deliveries: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM delivery").fetch_one(world.db.reader()).await.unwrap();
        assert_eq!(deliveries, 0);
    })
    .await;
}

#[tokio::test]
async fn staff_stop_resume_and_end_mailings_by_their_number() {
    on_each_engine(async |world: World| {
        if !is_sqlite(&world.db) {
            return;
        }
        let people = enter_people(&world, 2).await;
        let id = digest_to(&world, &people).await;
        let context = context(&world, "{ kind = \"file\", dir = \"mail\" }");
        let run = async |command| mailing::run(command, &context).await.unwrap();
        assert_eq!(run(MailingCommand::List).await, Outcome::Done);
        assert_eq!(run(MailingCommand::Show { id }).await, Outcome::Done);
        assert_eq!(run(MailingCommand::Show { id: 99 }).await, Outcome::ProblemFound);
        assert_eq!(run(MailingCommand::Pause { id }).await, Outcome::Done);
        assert_eq!(state_of(&world, id).await, "paused");
        assert_eq!(run(MailingCommand::Resume { id }).await, Outcome::Done);
        assert_eq!(run(MailingCommand::Resume { id }).await, Outcome::ProblemFound, "it is running already");
        assert_eq!(run(MailingCommand::Retry { id }).await, Outcome::ProblemFound, "nothing failed");
        assert_eq!(run(MailingCommand::Cancel { id }).await, Outcome::Done);
        assert_eq!(state_of(&world, id).await, "cancelled");
        assert_eq!(run(MailingCommand::Report { id, csv: true }).await, Outcome::Done);
        assert_eq!(run(MailingCommand::Report { id: 99, csv: false }).await, Outcome::ProblemFound);
    })
    .await;
}
