//! From a save to a mailing.

use super::bench::{Bench, PETITION, bodies, deliveries, drain, links, notices, subjects, subscribers};
use crate::support::{World, on_each_engine};
use clarion::petition::{self, ApprovalRefused, StepState};
use clarion::vault::Purpose;
use std::time::Duration;

const CALL: &str = "petition:day:2027:call";

#[tokio::test]
async fn a_draft_is_answered_with_the_plan_and_asks_nobody() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        subscribers(&world).await;
        bench.write("petition.toml", PETITION.replace("ready", "draft"));
        bench.run().await;
        assert!(subjects(&world, "petition").await.is_empty(), "the folder is not still yet");
        bench.settle(&world).await;
        bench.pass(&world, Duration::from_hours(1)).await;
        assert_eq!(subjects(&world, "petition").await, ["Refugees Day 2027: the plan"]);
        let plan = &bodies(&world, "petition-plan").await[0];
        assert!(plan.contains("as a draft") && plan.contains("Wednesday, 22 September 2027, 09:00 (Asia/Tokyo)"), "{plan}");
        assert!(plan.contains("3 people (English 2, 日本語 1)"), "{plan}");
        assert!(plan.contains("No text yet in: 日本語"), "{plan}");
        assert_eq!(links(&world, "stop").await.len(), 1);
        assert!(links(&world, "approve").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn mistakes_are_mailed_once_for_each_content() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        bench.write("call.en.md", "# Write to XXX\n\nPlease.\n");
        bench.settle(&world).await;
        bench.write("call.en.md", "# Write to XXX\n\nPlease.\n");
        bench.pass(&world, Duration::from_hours(1)).await;
        drain(&bench.another()).await;
        assert_eq!(subjects(&world, "petition").await, ["Refugees Day: 1 mistake to mend"]);
        let mail = &bodies(&world, "petition-plan").await[0];
        assert!(mail.contains("day/call.en.md:1:12: error: a placeholder was left in: XXX"), "{mail}");
        bench.write("call.en.md", "# Write to [NAME]\n\nPlease.\n");
        bench.settle(&world).await;
        assert_eq!(subjects(&world, "petition").await.len(), 2);
        assert!(links(&world, "approve").await.is_empty(), "with mistakes nobody is asked");
    })
    .await;
}

#[tokio::test]
async fn what_is_approved_goes_out_at_its_time_byte_for_byte_as_stored_and_once() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        let [ann, jun, kim, _] = subscribers(&world).await;
        bench.settle(&world).await;
        assert_eq!(subjects(&world, "petition-approval").await, ["Please approve: Refugees Day 2027"]);
        assert_eq!(bench.tokens(&world, "approve").await.len(), 2, "one for each approver");
        let stored = stored_texts(&world, "call").await;
        assert_eq!(bench.approve("call").await.unwrap(), ["call"]);
        bench.at(&world, "2027-09-22T08:59:55+09:00").await;
        assert!(deliveries(&world, CALL).await.is_empty(), "not before its time");
        bench.at(&world, "2027-09-22T09:00:00+09:00").await;
        assert_eq!(deliveries(&world, CALL).await, [("en".to_owned(), 2), ("ja".to_owned(), 1)]);
        assert_eq!(sent_texts(&world).await, stored);
        let acts: Vec<i64> = links(&world, "done").await.iter().map(|link| link.claims.subject).collect();
        assert_eq!(acts, [ann, jun, kim]);
        // Nothing repeats it: not a touch, not a restart, not a second daemon.
        bench.write("petition.toml", PETITION);
        bench.pass(&world, Duration::from_mins(10)).await;
        drain(&bench.another()).await;
        assert_eq!(deliveries(&world, CALL).await, [("en".to_owned(), 2), ("ja".to_owned(), 1)]);
        let notices = notices(&world).await;
        assert_eq!(notices, ["sent:petition:day:2027:call"]);
        let mailings: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM mailing WHERE kind = 'petition'").fetch_one(world.db.reader()).await.unwrap();
        assert_eq!(mailings, 1);
    })
    .await;
}

#[tokio::test]
async fn a_late_approval_still_waits_for_the_stop_window() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        subscribers(&world).await;
        bench.settle(&world).await;
        bench.at(&world, "2027-09-22T10:00:00+09:00").await;
        bench.approve("call").await.unwrap();
        bench.at(&world, "2027-09-22T10:09:59+09:00").await;
        assert!(deliveries(&world, CALL).await.is_empty());
        bench.at(&world, "2027-09-22T10:10:00+09:00").await;
        assert!(!deliveries(&world, CALL).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_step_on_approval_goes_out_after_the_stop_window() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        subscribers(&world).await;
        bench.write("petition.toml", PETITION.replace("-2d 09:00", "approval"));
        bench.settle(&world).await;
        bench.approve("call").await.unwrap();
        bench.pass(&world, Duration::from_mins(9)).await;
        assert!(deliveries(&world, CALL).await.is_empty());
        bench.pass(&world, Duration::from_mins(1)).await;
        assert!(!deliveries(&world, CALL).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_edit_voids_the_approval_and_old_links() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        subscribers(&world).await;
        bench.settle(&world).await;
        let old = bench.tokens(&world, "approve").await.remove(0);
        bench.approve("call").await.unwrap();
        bench.write("call.ja.md", "# お手紙を\n\nぜひお手紙をお書きください。\n");
        bench.pass(&world, Duration::from_secs(5)).await;
        assert_eq!(bench.approve("call").await, Err(ApprovalRefused::Changed));
        bench.pass(&world, Duration::from_secs(20)).await;
        let plan = bodies(&world, "petition-plan").await.pop().unwrap();
        assert!(plan.contains("Approvals given before no longer hold"), "{plan}");
        bench.settle(&world).await;
        let mut connection = world.db.reader().acquire().await.unwrap();
        let voice = clarion::language::Catalogue::shipped().voice(world.site.default_language());
        let now = world.clock.now();
        let approval = petition::read_approval(&mut connection, &world.vault, &bench.office.settings, &old, &voice, now).await.unwrap();
        assert!(approval.unwrap().changed, "the old link approves nothing");
        drop(connection);
        bench.at(&world, "2027-09-22T09:30:00+09:00").await;
        assert!(deliveries(&world, CALL).await.is_empty());
        assert_eq!(subjects(&world, "petition-approval").await.len(), 2, "asked again");
        bench.approve("call").await.unwrap();
        bench.pass(&world, Duration::from_mins(10)).await;
        let texts = sent_texts(&world).await;
        assert!(texts.iter().any(|(_, _, text, _)| text.contains("ぜひ")), "{texts:?}");
    })
    .await;
}

#[tokio::test]
async fn an_edit_after_the_start_changes_nothing_sent_and_says_so() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        subscribers(&world).await;
        bench.settle(&world).await;
        bench.approve("call").await.unwrap();
        bench.at(&world, "2027-09-22T09:00:00+09:00").await;
        let sent = sent_texts(&world).await;
        bench.write("call.en.md", "# Something else\n\nEntirely.\n");
        bench.settle(&world).await;
        bench.approve("thanks").await.unwrap();
        assert_eq!(bench.approve("call").await, Err(ApprovalRefused::NotWaiting));
        assert_eq!(sent_texts(&world).await, sent);
        let plan = bodies(&world, "petition-plan").await.pop().unwrap();
        assert!(plan.contains("Sent already, or being sent: call."), "{plan}");
    })
    .await;
}

#[tokio::test]
async fn two_daemons_at_once_make_one_mailing() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        subscribers(&world).await;
        bench.settle(&world).await;
        bench.approve("call").await.unwrap();
        bench.run().await;
        world.pass(Duration::from_hours(50));
        let other = bench.another();
        tokio::join!(Box::pin(drain(&bench.step)), Box::pin(drain(&other)), Box::pin(drain(&bench.step)));
        drain(&other).await;
        assert_eq!(deliveries(&world, CALL).await, [("en".to_owned(), 2), ("ja".to_owned(), 1)]);
    })
    .await;
}

#[tokio::test]
async fn a_mailing_larger_than_a_chunk_reaches_everybody_once() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        for number in 0..503 {
            super::bench::subscriber(&world, &format!("reader{number}"), &[], &["en"]).await;
        }
        bench.settle(&world).await;
        bench.approve("call").await.unwrap();
        bench.at(&world, "2027-09-22T09:00:00+09:00").await;
        assert_eq!(deliveries(&world, CALL).await, [("en".to_owned(), 503)]);
        let state: String =
            sqlx::query_scalar("SELECT state FROM mailing WHERE key = $1").bind(CALL).fetch_one(world.db.reader()).await.unwrap();
        assert_eq!(state, "ready");
    })
    .await;
}

#[tokio::test]
async fn what_is_late_is_held_and_told() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        subscribers(&world).await;
        bench.settle(&world).await;
        bench.approve("call").await.unwrap();
        bench.at(&world, "2027-09-22T21:00:01+09:00").await;
        assert!(deliveries(&world, CALL).await.is_empty());
        let notices = notices(&world).await;
        assert!(notices.len() == 1 && notices[0].starts_with("petition-held:day:2027:call"), "{notices:?}");
        bench.pass(&world, Duration::from_hours(1)).await;
        assert!(deliveries(&world, CALL).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn approvers_are_reminded_and_staff_told_when_time_runs_out() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        subscribers(&world).await;
        bench.settle(&world).await;
        bench.at(&world, "2027-09-21T09:00:00+09:00").await;
        bench.pass(&world, Duration::from_hours(1)).await;
        assert_eq!(subjects(&world, "petition-reminder").await, ["Still to be approved: Refugees Day, call"]);
        bench.at(&world, "2027-09-22T07:00:00+09:00").await;
        drain(&bench.another()).await;
        assert_eq!(subjects(&world, "petition-reminder").await.len(), 2);
        bench.at(&world, "2027-09-22T09:00:00+09:00").await;
        bench.at(&world, "2027-09-22T21:30:00+09:00").await;
        drain(&bench.another()).await;
        let stems: Vec<String> = notices(&world).await.iter().map(|key| key.split(':').next().unwrap().to_owned()).collect();
        assert_eq!(stems, ["petition-overdue", "petition-missed"]);
        assert_eq!(bench.approve("call").await, Err(ApprovalRefused::NotWaiting));
    })
    .await;
}

#[tokio::test]
async fn where_two_are_required_two_others_than_the_preparer_must_approve() {
    on_each_engine(async |world: World| {
        let bench = Bench::with(&world, |settings| {
            settings.approvals_required = 2;
            settings.approvers.push(clarion::address::Address::parse("board@example.org").unwrap());
        });
        subscribers(&world).await;
        bench.settle(&world).await;
        assert_eq!(bench.approve_as("call", "stranger@example.org").await, Err(ApprovalRefused::NotApprover));
        assert_eq!(bench.approve_as("call", "secretary@example.org").await, Err(ApprovalRefused::Preparer));
        bench.approve("call").await.unwrap();
        bench.approve("call").await.unwrap();
        assert_eq!(state_of(&world, "call").await, StepState::Proposed, "one person twice is one");
        bench.approve_as("call", "Board@example.org").await.unwrap();
        assert_eq!(state_of(&world, "call").await, StepState::Approved);
    })
    .await;
}

#[tokio::test]
async fn thanks_go_to_those_who_acted_and_a_reminder_to_those_who_did_not() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        let [ann, jun, kim, _] = subscribers(&world).await;
        bench.write(
            "petition.toml",
            format!("{PETITION}[[step]]\nname = \"last_call\"\ntext = \"call\"\nat = \"0d 09:00\"\nto = \"not_acted\"\n"),
        );
        bench.settle(&world).await;
        bench.approve("last_call").await.unwrap();
        bench.approve("thanks").await.unwrap();
        let mut tx = world.db.begin().await.unwrap();
        assert!(petition::record_act(&mut tx, "day", "2027", jun, world.clock.now()).await.unwrap());
        assert!(!petition::record_act(&mut tx, "day", "2027", jun, world.clock.now()).await.unwrap());
        tx.commit().await.unwrap();
        bench.at(&world, "2027-09-24T09:00:00+09:00").await;
        assert_eq!(recipients(&world, "petition:day:2027:last_call").await, [ann, kim]);
        bench.at(&world, "2027-09-26T09:00:00+09:00").await;
        assert_eq!(recipients(&world, "petition:day:2027:thanks").await, [jun]);
        assert!(links(&world, "done").await.iter().all(|link| link.claims.purpose == Purpose::Act));
        assert!(
            !bodies(&world, "petition:day:2027:thanks").await[0].contains("slot:")
                || !bodies(&world, "petition:day:2027:thanks").await[0].contains(":act}}")
        );
    })
    .await;
}

async fn recipients(world: &World, key: &str) -> Vec<i64> {
    let sql = "SELECT d.person_id FROM delivery d JOIN mailing m ON m.id = d.mailing_id WHERE m.key = $1 ORDER BY d.person_id";
    sqlx::query_scalar(sql).bind(key).fetch_all(world.db.reader()).await.unwrap()
}

async fn state_of(world: &World, name: &str) -> StepState {
    let mut connection = world.db.reader().acquire().await.unwrap();
    let steps = petition::steps_of(&mut connection, "day", "2027").await.unwrap();
    steps.into_iter().find(|step| step.name == name).unwrap().state
}

type Text = (String, String, String, String);

async fn stored_texts(world: &World, step: &str) -> Vec<Text> {
    let sql = "SELECT t.language, t.subject, t.body_text, t.body_html FROM petition_text t JOIN petition_step s ON s.id = t.step_id
               WHERE s.name = $1 ORDER BY t.language";
    sqlx::query_as(sql).bind(step).fetch_all(world.db.reader()).await.unwrap()
}

async fn sent_texts(world: &World) -> Vec<Text> {
    let sql = "SELECT v.language, v.subject, v.body_text, v.body_html FROM variant v JOIN mailing m ON m.id = v.mailing_id
               WHERE m.key = $1 ORDER BY v.language";
    sqlx::query_as(sql).bind(CALL).fetch_all(world.db.reader()).await.unwrap()
}
