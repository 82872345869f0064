//! The mail of a digest, as people see it.

use super::{WEEK, choices, digests, drain, number, publish, publish_with, started, subscribe};
use crate::support::{World, on_each_engine};
use clarion::digest::preview;
use clarion::language::Catalogue;

struct Mail {
    language: String,
    subject: String,
    text: String,
    html: String,
}

async fn mails(world: &World) -> Vec<Mail> {
    let rows: Vec<(String, String, String, String)> =
        sqlx::query_as("SELECT language, subject, body_text, body_html FROM variant ORDER BY language, id")
            .fetch_all(world.db.reader())
            .await
            .unwrap();
    rows.into_iter().map(|(language, subject, text, html)| Mail { language, subject, text, html }).collect()
}

#[tokio::test]
async fn a_mail_names_its_articles_in_the_readers_language_with_links_and_a_way_out() {
    on_each_engine(async |world: World| {
        let step = started(&world).await;
        subscribe(&world, "a", &choices("en", "", "weekly")).await;
        subscribe(&world, "b", &choices("ja en", "", "weekly")).await;
        publish(&world, "summit", "en", "defectors").await;
        publish(&world, "summit", "ja", "defectors").await;
        publish(&world, "visit & talk", "en", "human-rights-abuses").await;
        world.pass(WEEK);
        drain(&step).await;
        let mails = mails(&world).await;
        let [english, japanese] = &mails[..] else { panic!("{} mails", mails.len()) };

        assert_eq!(english.subject, "Life Funds for North Korean Refugees: visit & talk en (and 1 more)");
        assert_eq!(japanese.subject, "【Life Funds for North Korean Refugees】visit & talk en（ほか1件）");
        let mark = |mail: &Mail| mail.text.split("{{slot:").nth(1).unwrap().split(':').next().unwrap().to_owned();
        let shown = |mail: &Mail| mail.text.replace(&mark(mail), "MARK");
        insta::assert_snapshot!("digest_in_english", shown(english));
        insta::assert_snapshot!("digest_in_japanese", shown(japanese));
        for mail in &mails {
            let body = mail.html.split("<div class=\"sheet\"").nth(1).unwrap();
            assert_eq!(body.matches("{{slot:").count(), 1, "one way out");
            assert!(mail.html.contains("/preferences\""));
            assert!(mail.html.contains("visit &#38; talk en"));
            assert!(!mail.html.contains("<img") && !mail.html.contains("src="), "nothing is loaded from anywhere");
            for link in mail.html.split("href=\"").skip(1) {
                assert!(link.starts_with("http://news.example.org/") || link.starts_with("{{slot:"), "{link}");
            }
        }
        assert!(
            japanese.html.contains("<html lang=\"ja\">") && japanese.html.contains("<div lang=\"en\">"),
            "the English article is marked"
        );
        assert!(!english.html.contains("<div lang="));
        assert_eq!((english.language.as_str(), japanese.language.as_str()), ("en", "ja"));
    })
    .await;
}

#[tokio::test]
async fn who_returns_after_years_gets_a_mail_that_mail_programs_show_whole() {
    on_each_engine(async |world: World| {
        let step = started(&world).await;
        subscribe(&world, "a", &choices("ja", "", "weekly")).await;
        let summary = "北朝鮮から逃れてきた人びとについて、".repeat(20);
        for number in 0..40 {
            publish_with(&world, &format!("記事{number}"), "ja", "defectors", &summary).await;
        }
        world.pass(WEEK);
        drain(&step).await;
        for number in 40..700 {
            publish_with(&world, &format!("記事{number}"), "ja", "defectors", &summary).await;
        }
        world.pass(WEEK);
        drain(&step).await;
        let mails = mails(&world).await;
        assert!(mails.iter().all(|mail| mail.html.len() < 100_000));
        assert!(mails[0].html.contains("記事0 ja") && mails[0].html.contains('…'), "forty are told shortly");
        assert!(mails[1].html.contains("記事699 ja") && !mails[1].html.contains("記事40 ja"), "of 660 the newest are named");
        assert!(mails[1].html.contains("ほかに") && mails[1].text.contains("ほかに"));
        assert!(mails.iter().all(|mail| mail.text.lines().all(|line| line.chars().count() <= 72 || line.contains("http"))));
        assert_eq!(number(&world, "SELECT COUNT(*) FROM delivery").await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_preview_shows_what_would_be_sent_and_moves_nothing() {
    on_each_engine(async |world: World| {
        let step = started(&world).await;
        for (name, languages) in [("a", "en"), ("b", "ja"), ("c", "ja en"), ("d", "ja"), ("e", "ko")] {
            subscribe(&world, name, &choices(languages, "", "weekly")).await;
        }
        publish(&world, "summit", "en", "defectors").await;
        publish(&world, "summit", "ja", "defectors").await;
        let seen = {
            let mut connection = world.db.reader().acquire().await.unwrap();
            preview(&mut connection, &digests(&world)[0], &world.site, &Catalogue::shipped()).await.unwrap()
        };
        let counts: Vec<(String, usize, usize)> =
            seen.groups.iter().map(|group| (group.language.to_string(), group.articles, group.readers)).collect();
        assert_eq!(counts, [("ja".to_owned(), 1, 3), ("en".to_owned(), 1, 1)]);
        assert_eq!((seen.waiting, seen.nothing), (0, 1));
        assert_eq!(number(&world, "SELECT COUNT(*) FROM subscription WHERE watermark > 0").await, 0);
        assert_eq!(number(&world, "SELECT COUNT(*) FROM mailing").await, 0);

        world.pass(WEEK);
        drain(&step).await;
        let sent = mails(&world).await;
        assert_eq!(sent[1].subject, seen.groups[0].rendered.subject);
        let personal =
            sent[1].html.split("href=\"").find(|link| link.starts_with("{{slot:")).unwrap().split('"').next().unwrap().to_owned();
        let shown = sent[1].html.replace(&personal, "http://news.example.org/ja/preferences");
        assert_eq!(shown, seen.groups[0].rendered.body_html, "the same but for the way out");
    })
    .await;
}
