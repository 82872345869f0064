//! `clarion mailing` and `clarion mail test`, in a folder of their own.

use super::office::{digest_to, enter_people, state_of};
use crate::support::command::{FILES, context_with};
use crate::support::relay::Relay;
use crate::support::{World, is_sqlite, on_each_engine};
use clarion::cli::mail::MailCommand;
use clarion::cli::mailing::MailingCommand;
use clarion::cli::{Outcome, mail, mailing};

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
        assert_eq!(mail::run(test(), &context_with(&world, &to_port(relay.port()))).await.unwrap(), Outcome::Done);
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
        assert_eq!(mail::run(test(), &context_with(&world, &to_port(relay.port()))).await.unwrap(), Outcome::ProblemFound);
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
        let context = context_with(&world, FILES);
        let run = async |command| mailing::run(command, &context).await.unwrap();
        assert_eq!(run(MailingCommand::List).await, Outcome::Done);
        assert_eq!(run(MailingCommand::Show { id }).await, Outcome::Done);
        assert_eq!(run(MailingCommand::Show { id: 99 }).await, Outcome::ProblemFound);
        assert_eq!(run(MailingCommand::Watch { id: 99 }).await, Outcome::ProblemFound);
        assert_eq!(run(MailingCommand::Pause { id }).await, Outcome::Done);
        assert_eq!(state_of(&world, id).await, "paused");
        assert_eq!(run(MailingCommand::Resume { id }).await, Outcome::Done);
        assert_eq!(run(MailingCommand::Resume { id }).await, Outcome::ProblemFound, "it is running already");
        assert_eq!(run(MailingCommand::Retry { id, failed: false, held: false }).await, Outcome::ProblemFound, "nothing failed");
        assert_eq!(run(MailingCommand::Cancel { id }).await, Outcome::Done);
        assert_eq!(state_of(&world, id).await, "cancelled");
        assert_eq!(run(MailingCommand::Watch { id }).await, Outcome::Done, "there is nothing left to watch");
        assert_eq!(run(MailingCommand::Report { id, csv: true }).await, Outcome::Done);
        assert_eq!(run(MailingCommand::Report { id: 99, csv: false }).await, Outcome::ProblemFound);
    })
    .await;
}
