//! Exports that somebody broke, or made to break something.

use super::{Desk, collect, post, whole};
use crate::support::{World, on_each_engine};
use clarion::content::wordpress::Options;
use std::time::Instant;

#[tokio::test]
async fn entities_are_not_declared_and_nothing_is_fetched() {
    on_each_engine(async |world: World| {
        let desk = Desk::new(&world);
        let laughs = (1..10).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect::<Vec<_>>().concat();
        for doctype in [
            format!("<!DOCTYPE rss [<!ENTITY l0 \"lol\">{laughs}]>"),
            "<!DOCTYPE rss SYSTEM \"http://127.0.0.1:1/x.dtd\">".to_owned(),
            "<!DOCTYPE rss [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>".to_owned(),
        ] {
            let text = whole(&post(1, "a", "b", "<title>&l9;&x;</title>")).replace("<rss ", &format!("{doctype}<rss "));
            let error = desk.import(&desk.write_export(text), &Options::default()).await.unwrap_err();
            assert!(format!("{error:#}").contains("declares a document type"), "{error:#}");
            assert!(!desk.into.exists(), "nothing was written");
        }
        // Without a declaration, an entity is only a word.
        desk.import_items(&post(1, "a", "b", "<title>&l9; &amp;amp; it</title>"), &Options::default()).await.unwrap();
        assert!(desk.text("2011/2011-07-05-a.html").contains("title = \"&l9; & it\""), "{}", desk.text("2011/2011-07-05-a.html"));
    })
    .await;
}

#[tokio::test]
async fn no_name_leads_out_of_the_folder() {
    on_each_engine(async |world: World| {
        let desk = Desk::new(&world);
        let outside = world.folder.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::create_dir(&desk.into).unwrap();
        // A link where the year's folder would be.
        std::os::unix::fs::symlink(&outside, desk.into.join("2010")).unwrap();
        let names = ["../../../etc/passwd", "%2e%2e%2f%2e%2e%2fx", "/absolute", "..", "a\\..\\b", "%00", "C:x", "con", &"長".repeat(300)];
        let items: String = names.iter().zip(1..).map(|(name, id)| post(id, name, "Text.", "")).collect();
        let report = desk.import_items(&items, &Options::default()).await.unwrap();
        assert_eq!(report.new, names.len() as u64);
        for file in desk.files() {
            assert!(file.starts_with("2011/2011-07-05-") && file.matches('/').count() == 1 && file.len() < 255, "{file}");
        }
        assert_eq!(desk.mistakes(), Vec::<String>::new());
        let escaping = post(50, "x", "Text.", "").replace("2011-07-05", "2010-07-05");
        let error = desk.import_items(&escaping, &Options::default()).await.unwrap_err();
        assert!(format!("{error:#}").contains("could not be written"), "{error:#}");
        let mut found = Vec::new();
        collect(&outside, &outside, &mut found);
        assert_eq!(found, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_status_nobody_knows_is_a_draft() {
    on_each_engine(async |world: World| {
        let desk = Desk::new(&world);
        let item = post(1, "a", "b", "").replace(">publish<", ">approved-by-plugin<");
        let report = desk.import_items(&item, &Options::default()).await.unwrap();
        assert_eq!((report.articles(), report.left_out.values().sum::<u64>()), (0, 1));
        desk.import_items(&item, &Options { drafts: true, ..Options::default() }).await.unwrap();
        assert!(desk.text("2011/2011-07-05-a.html").contains("\ndraft = true\n"));
    })
    .await;
}

#[tokio::test]
async fn what_is_no_export_is_refused_with_a_reason() {
    on_each_engine(async |world: World| {
        let desk = Desk::new(&world);
        for (text, reason) in [
            ("<html><body>Log in</body></html>".to_owned(), "not an export of WordPress"),
            ("{}".to_owned(), "not an export of WordPress"),
            (String::new(), "not an export of WordPress"),
            ("<rss><channel><title>A feed</title><item><title>x</title></item></channel></rss>".to_owned(), "not an export of WordPress"),
            (whole("").replace("UTF-8", "EUC-JP"), "iconv -f EUC-JP"),
        ] {
            let error = desk.import(&desk.write_export(&text), &Options::default()).await.unwrap_err();
            assert!(format!("{error:#}").contains(reason), "{text}: {error:#}");
        }
        let error = desk.import(&world.folder.path().join("none.xml"), &Options::default()).await.unwrap_err();
        assert!(format!("{error:#}").contains("cannot be read"), "{error:#}");
    })
    .await;
}

#[tokio::test]
async fn a_file_cut_off_or_damaged_gives_what_was_before_and_says_so() {
    on_each_engine(async |world: World| {
        let desk = Desk::new(&world);
        let items: String = (1..=3).map(|id| post(id, &format!("n{id}"), "Text.", "")).collect();
        let text = whole(&items);
        let third = text.rfind("<item>").unwrap();
        for (text, line) in [
            (text[..third + 60].to_owned(), "ends in the middle"),
            (format!("{}</oops>{}", &text[..third], &text[third..]), "line "),
            (format!("{}{}", &text[..third], "<a>".repeat(100)), "deeper in each other"),
        ] {
            let report = desk.import(&desk.write_export(&text), &Options::default()).await.unwrap();
            assert_eq!(report.articles(), 2, "{line}");
            assert!(report.cut_off.as_deref().unwrap_or_default().contains(line), "{:?}", report.cut_off);
            assert!(report.wants_attention() && report.vanished.is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn broken_characters_are_left_out_and_counted() {
    on_each_engine(async |world: World| {
        let desk = Desk::new(&world);
        let mut text = b"PHP Warning: something\n".to_vec();
        text.extend(whole(&post(1, "a", "x\u{b}y&#1;\u{0}z", "")).replace("x\u{b}", "\u{1}x&\u{b}").into_bytes());
        let at = text.windows(2).position(|pair| pair == b"yz").unwrap_or_else(|| text.windows(2).position(|pair| pair == b"\0z").unwrap());
        text.splice(at..at, [0xff, 0xe3, 0x81]);
        let report = desk.import(&desk.write_export(&text), &Options::default()).await.unwrap();
        assert!(report.characters_left_out >= 4, "{report:#?}");
        assert_eq!(desk.mistakes(), Vec::<String>::new());
        let file = desk.text("2011/2011-07-05-a.html");
        assert!(file.contains("z</p>") && !file.contains(|c: char| c.is_control() && c != '\n'), "{file:?}");
    })
    .await;
}

#[tokio::test]
async fn sizes_are_bounded() {
    on_each_engine(async |world: World| {
        let desk = Desk::new(&world);
        let began = Instant::now();
        let huge = "x".repeat(2 << 20);
        let tags =
            (0..10_000).map(|n| format!("<category domain=\"post_tag\" nicename=\"t{n}\">t{n}</category>")).collect::<Vec<_>>().concat();
        let items = post(1, "long", &huge, "") + &post(2, "many", "Text.", &tags) + &post(3, "good", "Text.", "");
        let report = desk.import_items(&items, &Options::default()).await.unwrap();
        assert!(report.doubts.iter().any(|doubt| doubt.post == 1 && doubt.reason.contains("at most 1 MB")), "{:?}", report.doubts);
        assert_eq!(report.articles(), 2);
        let endless = whole(&post(1, "a", &"x".repeat(40 << 20), ""));
        let report = desk.import(&desk.write_export(endless), &Options::default()).await.unwrap();
        assert!(report.cut_off.unwrap().contains("longer than 32 MB"));
        assert!(began.elapsed().as_secs() < 60);
    })
    .await;
}

#[tokio::test]
async fn one_id_is_given_once_and_one_address_too() {
    on_each_engine(async |world: World| {
        let desk = Desk::new(&world);
        let twin = post(2, "same", "Two.", "").replace("?p=2", "?p=1");
        let spaced = post(3, "other", "Three.", "").replace("<guid>http://old.example.org/?p=3", "<guid>not an id");
        let report = desk.import_items(&(post(1, "same", "One.", "") + &twin + &spaced), &Options::default()).await.unwrap();
        assert_eq!(desk.mistakes(), Vec::<String>::new());
        assert_eq!(report.doubts.len(), 2, "{:?}", report.doubts);
        assert_eq!(desk.files(), ["2011/2011-07-05-other.html", "2011/2011-07-05-same-2.html", "2011/2011-07-05-same.html"]);
    })
    .await;
}
