//! Texts as people write them, from a file to every format.

use super::judge::assert_well_formed;
use super::published;
use super::tree::Node;
use crate::support::articles::{Draft, draft};
use crate::support::{World, local, on_each_engine};
use clarion::content::{self, ContentStep, Credit, Enclosure, Role};
use clarion::metrics::Metrics;
use clarion::site::Imprint;
use clarion::task::{Kick, Step as _, Wake};
use std::sync::Arc;
use std::time::Duration;

/// Takes the files of the world's content folder into the store.
async fn take_in(world: &World) {
    let dir = world.folder.path().join("content");
    let settings = content::Settings { dir, announce_within: Duration::ZERO, sources: Vec::new() };
    let site = Arc::new(world.site.clone());
    let step =
        ContentStep::new(world.db.clone(), world.clock.clone(), site, settings, Metrics::default(), Kick::default(), Kick::default())
            .with_stillness(Duration::ZERO);
    while step.step().await.unwrap() == Wake::Now {}
}

fn write(world: &World, name: &str, text: &str) {
    let folder = world.folder.path().join("content");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), text).unwrap();
}

#[tokio::test]
async fn a_title_is_composed_balanced_and_whole() {
    on_each_engine(async |world| {
        let long = "長い題&".repeat(750);
        write(&world, "a.md", &format!("+++\ntitle = \"か\u{3099} \\u202Eleft open {long}\"\ndate = 2027-09-19\n+++\nText\n"));
        take_in(&world).await;
        let (site, _) = published(&world).await;
        let expected = format!("が \u{202e}left open {long}\u{202c}");
        let (_, rss) = site.page("/feed.xml").await;
        let (_, atom) = site.page("/atom.xml").await;
        assert_well_formed("RSS", &rss);
        assert_well_formed("Atom", &atom);
        assert_eq!(Node::parse(&rss).child("channel").unwrap().child("item").unwrap().text_of("title"), expected);
        let atom = Node::parse(&atom);
        let title = atom.child("entry").unwrap().child("title").unwrap();
        assert_eq!((title.text.as_str(), title.get("type")), (expected.as_str(), ""), "plain text");
        let json: serde_json::Value = serde_json::from_str(&site.page("/feed.json").await.1).unwrap();
        assert_eq!(json["items"][0]["title"], expected);
    })
    .await;
}

#[tokio::test]
async fn what_the_configuration_says_is_as_clean_as_what_articles_say() {
    on_each_engine(async |mut world| {
        world.site.title = local("Ne\u{1}ws &\n <b> \u{202e}left", "ニュース");
        world.site.categories[0].title = local("A\u{fffe} \u{2067}category ]]>", "分類");
        draft("en", "one", 1, &["defectors"]).save(&world).await;
        let (site, _) = published(&world).await;
        for path in ["/category/defectors/feed.xml", "/category/defectors/atom.xml"] {
            let (_, text) = site.page(path).await;
            assert_well_formed(path, &text);
            let root = Node::parse(&text);
            let title = root.child("channel").unwrap_or(&root).text_of("title").to_owned();
            assert_eq!(title, "A \u{2067}category ]]> – News & <b> \u{202e}left\u{202c}\u{2069}", "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_file_says_and_a_feed_cannot_is_told_at_the_file() {
    on_each_engine(async |world| {
        write(&world, "a.md", "+++\ntitle = \"Bell\"\ndate = 2027-09-19\n+++\nA \u{7}bell and\u{92}s quote.\n");
        take_in(&world).await;
        let (site, _) = published(&world).await;
        let mut connection = world.db.reader().acquire().await.unwrap();
        let told: Vec<String> = content::problems(&mut connection).await.unwrap().iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|line| line.starts_with("a.md:5:3: warning: an invisible control character was left out")), "{told:?}");
        assert!(told.iter().any(|line| line.starts_with("a.md: warning: ") && line.contains("left out of feeds")), "{told:?}");
        let (_, text) = site.page("/feed.xml").await;
        assert_well_formed("RSS", &text);
        assert!(text.contains("A bell ands quote."), "{text}");
    })
    .await;
}

/// Everything that a format could take for its own.
const NASTY: &str = "&amp; & < > \" ' ]]> <![CDATA[ <!-- --> <?x ?> &#8; %20 脱北者 \u{1f54a}\u{8}\u{b}\u{1f}\u{85}\u{fffe}\u{ffff}";

#[tokio::test]
async fn no_field_of_any_format_can_be_broken_by_what_it_says() {
    on_each_engine(async |mut world| {
        let url = format!("https://example.org/?q={NASTY}");
        let title = || Some(NASTY.to_owned());
        world.site.title = local(NASTY, NASTY);
        world.site.description = Some(local(NASTY, NASTY));
        world.site.categories[0].title = local(NASTY, NASTY);
        world.site.imprint = Imprint { rights: Some(local(NASTY, NASTY)), logo: Some(NASTY.to_owned()), icon: Some(NASTY.to_owned()) };
        let credit = |role| Credit { role, name: NASTY.to_owned(), url: Some(url.clone()) };
        let file = |media_type: &str| Enclosure { url: url.clone(), media_type: media_type.to_owned(), length: Some(1), title: title() };
        let article = Draft {
            uid: NASTY.to_owned(),
            title: NASTY.to_owned(),
            summary: NASTY.to_owned(),
            body: NASTY.to_owned(),
            tags: vec![NASTY.to_owned()],
            credits: vec![credit(Role::Author), credit(Role::Translator)],
            canonical_url: Some(url.clone()),
            image: Some(format!("http://news.example.org/{NASTY}")),
            ..draft("en", "one", 2, &["defectors"])
        };
        let watched = Draft { uid: "film".to_owned(), slug: "film".to_owned(), video: Some(url.clone()), ..article.clone() };
        let played = Draft { uid: format!("{NASTY}2"), slug: "played".to_owned(), enclosures: vec![file("video/mp4")], ..article.clone() };
        let read = Draft { uid: "read".to_owned(), slug: "read".to_owned(), enclosures: vec![file(NASTY)], ..watched.clone() };
        for article in [&article, &watched, &played, &read] {
            article.save(&world).await;
        }
        draft("ja", "one", 1, &["defectors"]).save(&world).await;
        let mut gone = Draft { uid: format!("{NASTY}3"), slug: "gone".to_owned(), ..article.clone() };
        gone.state = content::ArticleState::Gone;
        let id = gone.save(&world).await;
        sqlx::query("UPDATE article SET gone_at = 1820000000000 WHERE id = $1").bind(id).execute(world.db.reader()).await.unwrap();
        let (site, _) = published(&world).await;
        for path in ["/feed.xml", "/atom.xml", "/category/defectors/feed.xml", "/category/defectors/atom.xml", "/ja/atom.xml"] {
            let (status, text) = site.page(path).await;
            assert_eq!(status, 200, "{path}");
            assert_well_formed(path, &text);
        }
        // A round trip by another reader: what was said is what is read, but for what nobody can say.
        let said: String =
            NASTY.chars().filter(|c| !matches!(c, '\u{8}' | '\u{b}' | '\u{1f}' | '\u{85}' | '\u{fffe}' | '\u{ffff}')).collect();
        let atom = Node::parse(&site.page("/atom.xml").await.1);
        for name in ["title", "summary"] {
            assert_eq!(atom.child("entry").unwrap().text_of(name), said, "{name}");
        }
        // What is no address is one in Atom.
        let gone = percent_encoding::utf8_percent_encode(&format!("{said}3"), percent_encoding::NON_ALPHANUMERIC).to_string();
        assert_eq!(atom.child("at:deleted-entry").unwrap().get("ref"), format!("tag:example.org,2026:id/{gone}"));
        assert_eq!(atom.all("entry").count(), 4);
        let rss = Node::parse(&site.page("/feed.xml").await.1);
        assert_eq!(rss.child("channel").unwrap().all("item").filter(|item| item.child("media:content").is_some()).count(), 2);
        let json: serde_json::Value = serde_json::from_str(&site.page("/feed.json").await.1).unwrap();
        assert_eq!(json["items"][0]["title"], said);
    })
    .await;
}
