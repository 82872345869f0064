//! What the documents say, and that nothing people write breaks them.

use super::tree::Node;
use super::{published, rss};
use crate::support::articles::{Draft, draft, save_all};
use crate::support::{language, on_each_engine};
use clarion::content::{Credit, Enclosure, Role};

/// Everything that has broken a feed somewhere.
fn hostile() -> Draft {
    // No NUL: PostgreSQL cannot hold one, so none ever comes from there.
    let nasty = "a\u{8}\u{b}\u{1f}\u{fffe}\u{ffff} <b>&amp; ]]> \"'\u{202e} 脱北者 \u{1f54a}";
    let url = "https://example.org/?a=1&b=<2>\"'\u{1}".to_owned();
    let credit = |role| Credit { role, name: nasty.to_owned(), url: Some(url.clone()) };
    Draft {
        uid: "http://old.example.org/?p=7&lang=%e5".to_owned(),
        slug: "a&b".to_owned(),
        title: nasty.to_owned(),
        summary: nasty.to_owned(),
        body: format!("<p title=\"&quot;&amp;\">{}</p>", nasty.replace('<', "&lt;")),
        tags: vec![nasty.to_owned()],
        credits: vec![credit(Role::Author), credit(Role::Translator), credit(Role::Signatory)],
        enclosures: vec![
            Enclosure { url: url.clone(), media_type: "application/pdf".to_owned(), length: None, title: Some(nasty.to_owned()) },
            Enclosure { url, media_type: "video/mp4".to_owned(), length: Some(1234), title: None },
        ],
        ..draft("en", "hostile", 1, &["a&b<c>"])
    }
}

#[tokio::test]
async fn nothing_that_people_write_breaks_a_feed() {
    on_each_engine(async |world| {
        hostile().save(&world).await;
        let (site, _) = published(&world).await;
        for path in ["/feed.xml", "/atom.xml", "/category/a%26b%3Cc%3E/feed.xml", "/category/a%26b%3Cc%3E/atom.xml", "/feeds.opml"] {
            let (status, text) = site.page(path).await;
            assert_eq!(status, 200, "{path}");
            assert_is_xml(path, &text);
        }
        let channel = rss(&site, "/feed.xml").await;
        let item = &channel.items[0];
        let guid = item.guid.as_ref().unwrap();
        assert_eq!((guid.value.as_str(), guid.permalink), ("http://old.example.org/?p=7&lang=%e5", false));
        assert_eq!(item.enclosure.as_ref().unwrap().length, "1234", "only a known length is told");
        assert!(item.content.as_ref().unwrap().starts_with("<div lang=\"en\" dir=\"ltr\"><p title="));
        assert!(item.title.as_ref().unwrap().contains("<b>&amp; ]]>"));
        let text = site.page("/feed.xml").await.1;
        let at = |name: &str| text.find(name).unwrap_or_else(|| panic!("{name} is missing"));
        assert!(at("<description><![CDATA[") < at("<content:encoded>"), "the summary comes first");
        for name in ["atom:link", "<ttl>30</ttl>", "<dc:creator>", "<language>en</language>", "<sy:updatePeriod>", "<lastBuildDate>"] {
            at(name);
        }
        let json: serde_json::Value = serde_json::from_str(&site.page("/feed.json").await.1).unwrap();
        assert_eq!(json["items"][0]["attachments"][1]["size_in_bytes"], 1234);
        assert_eq!(json["items"][0]["language"], "en");
    })
    .await;
}

/// Well-formed (XML 1.0 §2.1) as far as a strict reader in Rust tells, and, which those do not
/// look at, of allowed characters only (§2.2), also behind references.
fn assert_is_xml(path: &str, text: &str) {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    assert!(text.chars().all(allowed), "{path} holds a character that XML cannot");
    for reference in text.split("&#").skip(1) {
        let number = reference.split(';').next().unwrap();
        let code = number.strip_prefix('x').map_or_else(|| number.parse().unwrap(), |hex| u32::from_str_radix(hex, 16).unwrap());
        assert!(char::from_u32(code).is_some_and(allowed), "{path} refers to &#{number};");
    }
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().enable_all_checks(true);
    let mut declared = std::collections::BTreeSet::from(["xml".to_owned()]);
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{path}: {error}\n{text}")) {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(element) | quick_xml::events::Event::Empty(element) => {
                for attribute in element.attributes() {
                    let attribute = attribute.unwrap_or_else(|error| panic!("{path}: {error}"));
                    let value = std::str::from_utf8(&attribute.value).unwrap();
                    assert!(!value.contains('<'), "{path}: {value}");
                    quick_xml::escape::unescape(value).unwrap_or_else(|error| panic!("{path}: {value}: {error}"));
                    let key = std::str::from_utf8(attribute.key.as_ref()).unwrap().to_owned();
                    declared.extend(key.strip_prefix("xmlns:").map(str::to_owned));
                }
                let name = std::str::from_utf8(element.name().as_ref()).unwrap().to_owned();
                if let Some((prefix, _)) = name.split_once(':') {
                    assert!(declared.contains(prefix), "{path}: {name} is not declared");
                }
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn an_atom_feed_keeps_what_its_standard_asks_for() {
    on_each_engine(async |world| {
        let one_date: Vec<Draft> = (0..5).map(|number| draft("en", &format!("import-{number}"), 9, &["defectors"])).collect();
        save_all(&world.db, &world.site, &one_date).await;
        let (site, _) = published(&world).await;
        let feed: atom_syndication::Feed = site.page("/category/defectors/atom.xml").await.1.parse().unwrap();
        assert_eq!(feed.id, "tag:example.org,2026:feed/category/defectors");
        assert_eq!(feed.lang.as_deref(), Some("en"));
        let link = |rel: &str| feed.links.iter().find(|link| link.rel == rel).unwrap().href.clone();
        assert_eq!(link("self"), "http://news.example.org/category/defectors/atom.xml");
        assert_eq!(link("alternate"), "http://news.example.org/category/defectors/");
        let moments: std::collections::BTreeSet<_> = feed.entries.iter().map(|entry| entry.updated).collect();
        assert_eq!(moments.len(), 5, "no two entries share an updated");
        assert_eq!(Some(&feed.updated), moments.last());
        let category = &feed.entries[0].categories[0];
        assert_eq!((category.term.as_str(), category.label.as_deref()), ("defectors", Some("Defectors")));
        let content = feed.entries[0].content.as_ref().unwrap();
        assert_eq!((content.content_type.as_deref(), content.lang.as_deref()), (Some("html"), Some("en")));
    })
    .await;
}

#[tokio::test]
async fn an_article_has_one_id_in_every_feed_and_format() {
    on_each_engine(async |world| {
        let imported = "http://old.example.org/?p=7&lang=%e5%90%8d";
        for (tag, name) in [("en", "one"), ("ja", "one")] {
            let mut article = draft(tag, name, 1, &["defectors", "human-rights-abuses"]);
            if tag == "en" {
                imported.clone_into(&mut article.uid);
            }
            article.save(&world).await;
        }
        let (site, _) = published(&world).await;
        for folder in ["", "/category/defectors", "/category/human-rights-abuses"] {
            let rss = Node::parse(&site.page(&format!("{folder}/feed.xml")).await.1);
            let guid = rss.child("channel").unwrap().child("item").unwrap().child("guid").unwrap().clone();
            assert_eq!((guid.text.as_str(), guid.get("isPermaLink")), (imported, "false"), "{folder}");
            let atom = Node::parse(&site.page(&format!("{folder}/atom.xml")).await.1);
            assert_eq!(atom.child("entry").unwrap().text_of("id"), imported, "{folder}");
            let json: serde_json::Value = serde_json::from_str(&site.page(&format!("{folder}/feed.json")).await.1).unwrap();
            assert_eq!(json["items"][0]["id"], imported, "{folder}");
        }
        let ja = Node::parse(&site.page("/ja/atom.xml").await.1);
        assert_eq!(ja.child("entry").unwrap().text_of("id"), "tag:example.org,2026:one.ja", "a translation is an entry of its own");
    })
    .await;
}

#[tokio::test]
async fn each_entry_says_its_language_and_direction() {
    on_each_engine(async |mut world| {
        world.site.languages.push(language("ar"));
        draft("ar", "one", 1, &[]).save(&world).await;
        let (site, _) = published(&world).await;
        let html = "<div lang=\"ar\" dir=\"rtl\"><p>Body of one</p></div>";
        let rss = Node::parse(&site.page("/ar/feed.xml").await.1);
        let channel = rss.child("channel").unwrap();
        let item = channel.child("item").unwrap();
        assert_eq!((channel.text_of("language"), item.text_of("dc:language"), item.text_of("content:encoded")), ("ar", "ar", html));
        assert!(channel.child("dc:language").is_none(), "said twice, it is a fault to the validator");
        let atom = Node::parse(&site.page("/ar/atom.xml").await.1);
        let entry = atom.child("entry").unwrap();
        assert_eq!((atom.get("xml:lang"), entry.child("content").unwrap().get("xml:lang"), entry.text_of("content")), ("ar", "ar", html));
        assert_eq!((entry.child("title").unwrap().get("xml:lang"), entry.child("summary").unwrap().get("xml:lang")), ("ar", "ar"));
        let json: serde_json::Value = serde_json::from_str(&site.page("/ar/feed.json").await.1).unwrap();
        assert_eq!(
            (&json["language"], &json["items"][0]["language"], &json["items"][0]["content_html"]),
            (&"ar".into(), &"ar".into(), &html.into())
        );
    })
    .await;
}

#[tokio::test]
async fn published_never_moves_and_updated_is_never_before_it() {
    on_each_engine(async |world| {
        let mut article = draft("en", "one", 2, &[]);
        article.updated = article.date - std::time::Duration::from_hours(5);
        article.save(&world).await;
        let (site, step) = published(&world).await;
        let dates = async || {
            let atom = Node::parse(&site.page("/atom.xml").await.1);
            let entry = atom.child("entry").unwrap();
            let (published, updated): (jiff::Timestamp, jiff::Timestamp) =
                (entry.text_of("published").parse().unwrap(), entry.text_of("updated").parse().unwrap());
            let rss = Node::parse(&site.page("/feed.xml").await.1);
            let date = rss.child("channel").unwrap().child("item").unwrap().text_of("pubDate").to_owned();
            (published, updated, date)
        };
        let first = dates().await;
        assert!(first.1 >= first.0 && first.1 < first.0 + std::time::Duration::from_secs(1), "{first:?}");
        assert_eq!(first.2, "Mon, 20 Sep 2027 06:00:00 +0900");
        article.updated = article.date + std::time::Duration::from_hours(1);
        article.save(&world).await;
        super::publish(&world, &step).await;
        let second = dates().await;
        assert_eq!((second.0, second.2), (first.0, first.2));
        assert!(second.1 > first.1);
    })
    .await;
}

#[tokio::test]
async fn an_id_that_is_no_address_is_one_in_atom() {
    on_each_engine(async |world| {
        let ids = [
            "post 17 of ours",
            "http://old.example.org/?p=14&#038;lang=ja",
            "HTTP://Old.example.org/%e5%B3%A0",
            "urn:uuid:1",
            "17",
            "a<b>",
        ];
        for (age, id) in ids.iter().enumerate() {
            let mut draft = draft("en", &format!("name-{age}"), age as u64, &[]);
            (*id).clone_into(&mut draft.uid);
            draft.save(&world).await;
        }
        let (site, _) = published(&world).await;
        let rss = rss::Channel::read_from(site.page("/feed.xml").await.1.as_bytes()).unwrap();
        assert_eq!(rss.items.iter().map(|item| item.guid.as_ref().unwrap().value.as_str()).collect::<Vec<_>>(), ids);
        let atom: atom_syndication::Feed = site.page("/atom.xml").await.1.parse().unwrap();
        let made = |name: &str| format!("tag:example.org,2026:id/{name}");
        let found: Vec<String> = atom.entries.into_iter().map(|entry| entry.id).collect();
        assert_eq!(
            found,
            [made("post%2017%20of%20ours"), ids[1].to_owned(), ids[2].to_owned(), ids[3].to_owned(), made("17"), made("a%3Cb%3E")]
        );
    })
    .await;
}
