//! The petition that comes with Clarion, and the one that `petition new` makes.

use super::bench::{Bench, subscribers};
use crate::support::{World, on_each_engine};
use clarion::petition::{self, check, preview, scaffold};
use clarion::problem::Severity;
use std::path::Path;

#[tokio::test]
async fn the_sample_petition_has_no_mistakes() {
    on_each_engine(async |world: World| {
        let bench = Bench::with(&world, |_| {});
        let mut settings = bench.office.settings.clone();
        settings.dir = Path::new("config/petitions").to_owned();
        settings.missions_file = Path::new("config/missions.toml").to_owned();
        let early = clarion::clock::parse_instant("2027-08-01T09:00:00+09:00").unwrap();
        let problems: Vec<String> = check(&settings, &world.site, true, early).iter().map(ToString::to_string).collect();
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(petition::slugs(&settings.dir).unwrap(), ["save-north-korean-refugees-day"]);
    })
    .await;
}

#[tokio::test]
async fn a_new_petition_is_a_draft_whose_placeholders_are_told() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        std::fs::remove_dir_all(&bench.dir).unwrap();
        let dir = &bench.office.settings.dir;
        let day = jiff::civil::date(2028, 2, 1);
        let folder = scaffold(dir, "spring", day).unwrap();
        assert!(std::fs::read_to_string(folder.join("petition.toml")).unwrap().contains("day = \"2028-02-01\""));
        let problems = check(&bench.office.settings, &world.site, true, world.clock.now());
        assert!(
            problems.iter().all(|problem| problem.message.contains("placeholder") || problem.severity == Severity::Warning),
            "{problems:?}"
        );
        assert!(scaffold(dir, "spring", day).is_err(), "nothing is overwritten");
        assert!(scaffold(dir, "../spring", day).is_err());
    })
    .await;
}

#[tokio::test]
async fn a_preview_shows_the_mail_and_its_readers_and_sends_nothing() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        subscribers(&world).await;
        let texts = preview(&bench.office, "day", "call", None).await.unwrap();
        let counts: Vec<(String, u64)> = texts.iter().map(|text| (text.language.to_string(), text.readers)).collect();
        assert_eq!(counts, [("en".to_owned(), 2), ("ja".to_owned(), 1)]);
        assert_eq!(texts[0].subject, "Write today");
        let text = &texts[0].body_text;
        assert!(text.starts_with("Please write to them.") && !text.contains("slot:"), "{text}");
        assert!(preview(&bench.office, "day", "none", None).await.is_err());
        let mailings: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM mailing").fetch_one(world.db.reader()).await.unwrap();
        assert_eq!(mailings, 0);
    })
    .await;
}
