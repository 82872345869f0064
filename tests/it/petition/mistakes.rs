//! Every mistake is told with its file, its line and what to do.

use super::bench::{Bench, PETITION};
use crate::support::{World, on_each_engine};
use clarion::petition::check;
use clarion::problem::Severity;

/// What is written where, and the message it must bring: file, line, words.
const CASES: &[(&str, &str, &str, usize, &str)] = &[
    ("petition.toml", "title = { en = \"Day [YEAR]\" }", "petition.toml", 3, "a placeholder was left in: [YEAR]"),
    ("petition.toml", "title = { en = \"Day 2026\" }", "petition.toml", 3, "it says 2026, but this edition's day is 2027-09-24"),
    ("petition.toml", "targets = [\"cn-tokio\"]", "petition.toml", 5, "missions.toml has no “cn-tokio” — did you mean “cn-tokyo”?"),
    ("petition.toml", "countries = [\"FR\"]", "petition.toml", 5, "missions.toml has no mission in “FR”"),
    ("petition.toml", "state = \"redy\"", "petition.toml", 2, "`state` cannot be “redy” — write \"draft\" or \"ready\" or \"stopped\""),
    ("petition.toml", "day = \"２０２７-09-24\"", "petition.toml", 7, "full-width digits"),
    ("petition.toml", "deadline = \"2027-09-20T18:00\"", "petition.toml", 9, "the deadline is before the day"),
    ("petition.toml", "state = “ready”", "petition.toml", 2, "straight quotes"),
    ("petition.toml", "stat = \"ready\"", "petition.toml", 2, "did you mean `state`?"),
    ("petition.toml", "at = \"+9d 09:00\"", "petition.toml", 14, "the step “call” is after the edition's deadline"),
    ("petition.toml", "at = \"two weeks before\"", "petition.toml", 14, "is not a time of a step"),
    ("petition.toml", "text = \"kall\"", "petition.toml", 14, "there is no kall.en.md"),
    ("call.en.md", "", "call.en.md", 1, "the file is empty"),
    ("call.en.md", "Write today.\n", "call.en.md", 1, "the first line is not the subject"),
    ("call.en.md", "# Write\n", "call.en.md", 1, "there is no text below the subject"),
    ("call.en.md", "# Write\n\nDear {name},\nTODO\n", "call.en.md", 4, "a placeholder was left in: TODO"),
    ("call.ja.md", "# お願い\n\n○○様\n", "call.ja.md", 3, "a placeholder was left in: ○○"),
    ("call.ja.md", "# お願い\n\n2026年9月24日に\n", "call.ja.md", 3, "it says 2026"),
    ("call.en.md", "# Write on 24 September 2026\n\nNow.\n", "call.en.md", 1, "it says 2026"),
    ("call.ja.md", "# お願い\n\n中国は**1951年の「条約」**に加入\n", "call.ja.md", 3, "the stars ** do not make bold type"),
    ("call.en.md.txt", "# Write\n\nNow.\n", "call.en.md.txt", 0, "rename it to call.en.md"),
    ("petition.toml.txt", "x", "petition.toml.txt", 0, "rename it to petition.toml"),
    ("call.md", "# Write\n\nNow.\n", "call.md", 0, "the file name does not say its language"),
    ("note.en.md", "# Note\n\nNow.\n", "note.en.md", 0, "no step uses the text “note”"),
];

/// Puts a case's line into the petition in place of the line with the same key, or adds it below
/// its neighbours.
fn edited(line: &str) -> String {
    let key = line.split('=').next().unwrap().trim();
    let place = match key {
        "stat" => "state",
        "countries" => "targets",
        "text" => "at",
        key => key,
    };
    let mut done = false;
    let lines = PETITION.lines().map(|known| {
        if !done && known.starts_with(&format!("{place} =")) {
            done = true;
            if key == "text" { format!("{line}\n{known}") } else { line.to_owned() }
        } else {
            known.to_owned()
        }
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

#[tokio::test]
async fn every_mistake_is_told_with_its_line_and_remedy() {
    on_each_engine(async |world: World| {
        for (file, text, told_in, line, words) in CASES {
            let bench = Bench::new(&world);
            bench.write(file, if *file == "petition.toml" { edited(text) } else { (*text).to_owned() });
            let problems = check(&bench.office.settings, &world.site, true, world.clock.now());
            let found = problems
                .iter()
                .find(|problem| problem.file.ends_with(told_in) && problem.line == *line && problem.to_string().contains(words));
            let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
            assert!(found.is_some(), "{text:?} should bring {told_in}:{line} {words:?}, but brought\n{}", all.join("\n"));
            std::fs::remove_dir_all(&bench.dir).unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn old_encodings_missing_texts_past_times_and_a_pointless_transport_are_told() {
    on_each_engine(async |world: World| {
        let told = |bench: &Bench, leaves: bool| -> Vec<String> {
            check(&bench.office.settings, &world.site, leaves, world.clock.now()).iter().map(ToString::to_string).collect()
        };
        let has = |told: &[String], words: &str| {
            assert!(told.iter().any(|line| line.contains(words)), "{words:?} is not in\n{}", told.join("\n"));
        };
        let bench = Bench::new(&world);
        assert_eq!(told(&bench, true), Vec::<String>::new(), "the petition of the tests is sound");
        has(&told(&bench, false), "nobody will receive this");
        let utf16: Vec<u8> = "# お願い\n\n本文\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        bench.write("call.ja.md", utf16);
        has(&told(&bench, true), "saved as UTF-16");
        bench.write("call.ja.md", b"# \x82\xa8\x8a\xe8\x82\xa2\n\n\x96{\x95\xb6\n");
        has(&told(&bench, true), "Shift_JIS");
        std::fs::remove_file(bench.dir.join("call.ja.md")).unwrap();
        assert_eq!(told(&bench, true), Vec::<String>::new(), "the fallback stands in");
        bench.write("call.ja-JP.md", "# お願い\n\n本文\n");
        has(
            &told(&bench, true),
            "call.ja-JP.md: error: nobody gets this text: the site's language is ja, not ja-JP — rename the file to call.ja.md",
        );
        std::fs::remove_file(bench.dir.join("call.ja-JP.md")).unwrap();
        bench.write("petition.toml", PETITION.replace("fallback = [\"en\"]", ""));
        has(&told(&bench, true), "the step “call” has no text in ja and no fallback — write call.ja.md");
        bench.write("petition.toml", PETITION.replace("-2d", "-30d"));
        has(&told(&bench, true), "the time of the step “call” is past: 2027-08-25 09:00");
        let outlook = bench.office.outlook("day").await.unwrap();
        assert!(outlook.problems.iter().any(|problem| problem.severity == Severity::Error && problem.message.contains("is past")));
        std::fs::remove_file(bench.dir.join("petition.toml")).unwrap();
        has(&told(&bench, true), "there is no petition.toml");
    })
    .await;
}

#[tokio::test]
async fn one_line_that_cannot_be_read_hides_no_other_mistake() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        let text = PETITION.replace("at = \"-2d 09:00\"", "at = \"ー２d 09:00\"").replace("cn-tokyo", "cn-tokio");
        bench.write("petition.toml", text);
        bench.write("call.ja.md", "# お願い\n\n2026年9月24日に\n");
        let problems = check(&bench.office.settings, &world.site, true, world.clock.now());
        let has = |words: &str| problems.iter().any(|problem| problem.message.contains(words));
        assert!(has("full-width") && has("cn-tokio") && has("it says 2026"), "{problems:?}");
        assert!(!has("no step uses"), "the step that cannot be read may use it: {problems:?}");
    })
    .await;
}

#[tokio::test]
async fn more_approvals_than_people_who_may_give_one_are_told() {
    on_each_engine(async |world: World| {
        let bench = Bench::with(&world, |settings| settings.approvals_required = 2);
        let errors = || {
            let problems = check(&bench.office.settings, &world.site, true, world.clock.now());
            problems.iter().filter(|problem| problem.severity == Severity::Error).map(|problem| problem.message.clone()).collect::<Vec<_>>()
        };
        assert_eq!(errors(), ["2 approvals are required, but only 1 of the approvers may approve this petition"]);
        bench.write("petition.toml", PETITION.replace("secretary@", "office@"));
        assert_eq!(errors(), [""; 0]);
    })
    .await;
}
