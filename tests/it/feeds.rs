//! Feeds as readers meet them: over HTTP, from articles in the store.

use crate::support::articles::{Draft, draft, save_all};
use crate::support::web::{Site, header, serve, serve_shared, shared};
use crate::support::{World, language, on_each_engine};
use clarion::content::{ArticleState, Credit, Enclosure, Role};
use clarion::feed::FeedStep;
use clarion::site::LegacyHost;
use clarion::task::{Step as _, Wake};
use flate2::read::GzDecoder;
use reqwest::Method;
use std::io::Read as _;
use std::time::Duration;

/// The step that publishes to a site's shelf.
fn step(world: &World, site: &Site) -> FeedStep {
    let (state, settings) = (&site.state, site.state.feed.clone());
    FeedStep::new(world.db.clone(), world.clock.clone(), state.site.clone(), settings, state.shelf.clone(), state.metrics.clone())
}

/// Calls the step until nothing is left to do, also what waits for the next second.
async fn publish(world: &World, step: &FeedStep) {
    loop {
        match step.step().await.unwrap() {
            Wake::Now => {}
            Wake::At(instant) => tokio::time::sleep(instant.since(world.clock.now())).await,
            Wake::WhenKicked => break,
        }
    }
}

async fn published(world: &World) -> (Site, FeedStep) {
    let site = serve(world).await;
    let step = step(world, &site);
    publish(world, &step).await;
    (site, step)
}

async fn rss(site: &Site, path: &str) -> rss::Channel {
    let (status, text) = site.page(path).await;
    assert_eq!(status, 200, "{path}");
    text.parse().unwrap()
}

async fn titles(site: &Site, path: &str) -> Vec<String> {
    rss(site, path).await.items.into_iter().filter_map(|item| item.title).collect()
}

async fn etag(site: &Site, path: &str) -> String {
    header(&site.get(path).await, "etag").to_owned()
}

#[tokio::test]
async fn every_article_is_in_the_feeds_of_its_language_and_categories_newest_first() {
    on_each_engine(async |world| {
        draft("en", "old", 2, &["defectors"]).save(&world).await;
        draft("en", "new", 1, &["human-rights-abuses"]).save(&world).await;
        draft("ja", "other", 0, &["defectors"]).save(&world).await;
        let (site, _) = published(&world).await;
        assert_eq!(titles(&site, "/feed.xml").await, ["Title of new", "Title of old"]);
        assert_eq!(titles(&site, "/category/defectors/feed.xml").await, ["Title of old"]);
        assert_eq!(titles(&site, "/ja/feed.xml").await, ["Title of other"]);
        assert_eq!(titles(&site, "/ja/category/defectors/feed.xml").await, ["Title of other"]);
        assert_eq!(titles(&site, "/ja/category/human-rights-abuses/feed.xml").await, Vec::<String>::new());
        let (status, text) = site.page("/ja/category/defectors/atom.xml").await;
        assert_eq!((status, text.parse::<atom_syndication::Feed>().unwrap().entries.len()), (200, 1));
        let (status, text) = site.page("/feed.json").await;
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, json["items"].as_array().unwrap().len()), (200, 2));
        assert!(text.starts_with("{\"version\":\"https://jsonfeed.org/version/1.1\""), "{text}");
        for unknown in ["/category/nothing/feed.xml", "/ko/feed.xml", "/category/nothing/feed/", "/?feed=rss2&cat=99"] {
            assert_eq!(site.get(unknown).await.status(), 404, "{unknown}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_addresses_of_wordpress_are_answered_in_place() {
    on_each_engine(async |mut world| {
        world.site.legacy = vec![LegacyHost {
            host: "old.example.org".to_owned(),
            language: language("ja"),
            categories: std::collections::BTreeMap::default(),
        }];
        draft("en", "one", 1, &["defectors"]).save(&world).await;
        draft("ja", "two", 1, &["defectors"]).save(&world).await;
        let (site, _) = published(&world).await;
        let (rss, atom) = (etag(&site, "/feed.xml").await, etag(&site, "/atom.xml").await);
        for path in
            ["/feed", "/feed/", "/feed/rss2/", "/feed/rss", "/feed/rdf/", "/rss2", "/rss", "/wp-rss2.php", "/?feed=rss2", "/?feed=rdf"]
        {
            assert_eq!(etag(&site, path).await, rss, "{path}");
        }
        for path in ["/feed/atom", "/feed/atom/", "/atom", "/wp-atom.php", "/?feed=atom", "/index.php?feed=atom", "/atom.xml?utm_source=x"]
        {
            assert_eq!(etag(&site, path).await, atom, "{path}");
        }
        let category = etag(&site, "/category/defectors/feed.xml").await;
        for path in
            ["/category/defectors/feed/", "/category/news/defectors/feed", "/?feed=rss2&cat=7", "/?feed=rss2&category_name=defectors"]
        {
            assert_eq!(etag(&site, path).await, category, "{path}");
        }
        assert_eq!(etag(&site, "/category/defectors/feed/atom/").await, etag(&site, "/category/defectors/atom.xml").await);
        assert_eq!(etag(&site, "/ja/feed/").await, etag(&site, "/ja/feed.xml").await);
        for host in ["old.example.org", "www.old.example.org", "WWW.Old.example.org:8080"] {
            let response = site.request(Method::GET, "/feed/").header("host", host).send().await.unwrap();
            assert_eq!(header(&response, "etag"), etag(&site, "/ja/feed.xml").await, "{host}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_feed_is_served_with_all_that_caches_and_readers_need() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &[]).save(&world).await;
        let (site, _) = published(&world).await;
        let plain = site.get("/feed.xml").await;
        for (name, value) in [
            ("content-type", "application/rss+xml; charset=utf-8"),
            ("cache-control", "public, max-age=1800, stale-if-error=86400"),
            ("vary", "Accept-Encoding"),
            ("access-control-allow-origin", "*"),
            ("x-content-type-options", "nosniff"),
            ("content-encoding", ""),
            ("set-cookie", ""),
        ] {
            assert_eq!(header(&plain, name), value, "{name}");
        }
        let (stem, date) = (header(&plain, "etag").trim_matches('"').to_owned(), header(&plain, "last-modified").to_owned());
        let told = httpdate::parse_http_date(&date).unwrap();
        assert!(told <= httpdate::parse_http_date(header(&plain, "date")).unwrap() + Duration::from_secs(1), "never in the future");
        let bytes = plain.bytes().await.unwrap();

        let zipped = site.request(Method::GET, "/feed.xml").header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!(header(&zipped, "content-encoding"), "gzip");
        assert_eq!(header(&zipped, "etag"), format!("\"{stem}-gzip\""));
        assert_eq!(header(&zipped, "last-modified"), date);
        let zipped = zipped.bytes().await.unwrap();
        let mut text = Vec::new();
        GzDecoder::new(&zipped[..]).read_to_end(&mut text).unwrap();
        assert_eq!(text, bytes);

        let head = site.request(Method::HEAD, "/feed.xml").send().await.unwrap();
        assert_eq!(header(&head, "content-length"), bytes.len().to_string());
        assert_eq!(header(&head, "etag"), format!("\"{stem}\""));
        assert!(head.bytes().await.unwrap().is_empty());

        let delta = site.request(Method::GET, "/feed.xml").header("a-im", "feed").send().await.unwrap();
        assert_eq!(delta.status(), 200);
        assert_eq!(site.request(Method::POST, "/feed.xml").send().await.unwrap().status(), 405);
    })
    .await;
}

#[tokio::test]
async fn an_unchanged_feed_costs_a_304() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &[]).save(&world).await;
        let (site, _) = published(&world).await;
        let first = site.get("/atom.xml").await;
        let (tag, date) = (header(&first, "etag").to_owned(), header(&first, "last-modified").to_owned());
        let ask = async |name: &str, value: &str| site.request(Method::GET, "/atom.xml").header(name, value).send().await.unwrap();
        let weak = format!("\"x\", W/{tag}");
        for (name, value) in
            [("if-none-match", tag.as_str()), ("if-none-match", &weak), ("if-none-match", "*"), ("if-modified-since", &date)]
        {
            let response = ask(name, value).await;
            assert_eq!(response.status(), 304, "{name}: {value}");
            for name in ["etag", "cache-control", "vary"] {
                assert_eq!(header(&response, name), header(&first, name), "{name}");
            }
            assert!(response.bytes().await.unwrap().is_empty());
        }
        assert_eq!(ask("if-none-match", "\"other\"").await.status(), 200);
        let both = site.request(Method::GET, "/atom.xml").header("if-none-match", "\"other\"").header("if-modified-since", &date);
        assert_eq!(both.send().await.unwrap().status(), 200, "the tag outranks the date");
    })
    .await;
}

#[tokio::test]
async fn validators_survive_a_restart_and_change_together() {
    on_each_engine(async |world| {
        let mut article = draft("en", "one", 1, &["defectors"]);
        article.save(&world).await;
        let (before, step) = published(&world).await;
        let pair = async |site: &Site, path: &str| {
            let response = site.get(path).await;
            (header(&response, "etag").to_owned(), header(&response, "last-modified").to_owned())
        };
        let paths = ["/feed.xml", "/category/defectors/atom.xml", "/ja/feed.json"];
        let mut stored = Vec::new();
        for path in paths {
            stored.push(pair(&before, path).await);
        }
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let (restarted, _) = published(&world).await;
        for (path, expected) in paths.iter().zip(&stored) {
            assert_eq!(pair(&restarted, path).await, *expected, "{path}");
        }

        article.title = "A correction".to_owned();
        article.save(&world).await;
        publish(&world, &step).await;
        let (tag, date) = pair(&before, "/feed.xml").await;
        assert_ne!(tag, stored[0].0);
        assert!(httpdate::parse_http_date(&date).unwrap() > httpdate::parse_http_date(&stored[0].1).unwrap());
        assert_eq!(pair(&before, "/ja/feed.json").await, stored[2], "what is not touched keeps both");
    })
    .await;
}

#[tokio::test]
async fn quick_changes_are_joined_into_one_publication_a_second() {
    on_each_engine(async |world| {
        let (site, step) = published(&world).await;
        let mut seen = std::collections::BTreeMap::new();
        let mut article = draft("en", "one", 1, &[]);
        for number in 0..12 {
            article.title = format!("Version {number}");
            article.save(&world).await;
            step.step().await.unwrap();
            let response = site.get("/feed.xml").await;
            let date = header(&response, "last-modified").to_owned();
            let tags: &mut std::collections::BTreeSet<String> = seen.entry(date).or_default();
            tags.insert(header(&response, "etag").to_owned());
            tokio::time::sleep(Duration::from_millis(120)).await;
        }
        for (date, tags) in &seen {
            assert_eq!(tags.len(), 1, "two bodies share {date}");
        }
        publish(&world, &step).await;
        assert_eq!(titles(&site, "/feed.xml").await, ["Version 11"], "the last one is not lost");
    })
    .await;
}

#[tokio::test]
async fn an_article_that_moves_or_goes_leaves_its_old_feeds() {
    on_each_engine(async |world| {
        let mut article = draft("en", "one", 1, &["defectors"]);
        article.save(&world).await;
        let (site, step) = published(&world).await;
        article.categories = vec!["human-rights-abuses".to_owned()];
        article.save(&world).await;
        publish(&world, &step).await;
        assert_eq!(titles(&site, "/category/defectors/feed.xml").await, Vec::<String>::new());
        assert_eq!(titles(&site, "/category/human-rights-abuses/feed.xml").await, ["Title of one"]);
        article.state = ArticleState::Gone;
        article.save(&world).await;
        publish(&world, &step).await;
        for path in ["/feed.xml", "/category/human-rights-abuses/feed.xml"] {
            assert_eq!(titles(&site, path).await, Vec::<String>::new(), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_new_translation_is_linked_from_the_feeds_of_the_other_language() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &[]).save(&world).await;
        let (site, step) = published(&world).await;
        let alternates = async || {
            let feed: atom_syndication::Feed = site.page("/atom.xml").await.1.parse().unwrap();
            let links = feed.entries[0].links.iter().filter(|link| link.rel == "alternate");
            links.map(|link| (link.hreflang.clone().unwrap_or_default(), link.href.clone())).collect::<Vec<_>>()
        };
        let own = ("en".to_owned(), "http://news.example.org/2027/09/one/".to_owned());
        assert_eq!(alternates().await, std::slice::from_ref(&own));
        let mut translation = draft("ja", "one", 0, &[]);
        translation.save(&world).await;
        publish(&world, &step).await;
        assert_eq!(alternates().await, [own.clone(), ("ja".to_owned(), "http://news.example.org/ja/2027/09/one/".to_owned())]);
        translation.state = ArticleState::Gone;
        translation.save(&world).await;
        publish(&world, &step).await;
        assert_eq!(alternates().await, [own]);
    })
    .await;
}

#[tokio::test]
async fn a_category_that_only_an_article_names_has_feeds_too() {
    on_each_engine(async |world| {
        let (site, step) = published(&world).await;
        assert_eq!(site.get("/category/events/feed.xml").await.status(), 404);
        draft("en", "one", 1, &["events"]).save(&world).await;
        publish(&world, &step).await;
        assert_eq!(titles(&site, "/category/events/feed.xml").await, ["Title of one"]);
        let (restarted, _) = published(&world).await;
        assert_eq!(titles(&restarted, "/category/events/feed.xml").await, ["Title of one"]);
    })
    .await;
}

#[tokio::test]
async fn before_the_first_publication_readers_are_asked_to_come_back() {
    on_each_engine(async |world| {
        let site = serve(&world).await;
        let response = site.get("/feed.xml").await;
        assert_eq!(response.status(), 503);
        assert_eq!(header(&response, "retry-after"), "5");
        assert_eq!(site.get("/healthz").await.status(), 200);
        assert_eq!(site.get("/readyz").await.status(), 503);
        publish(&world, &step(&world, &site)).await;
        assert_eq!(site.get("/feed.xml").await.status(), 200);
        assert_eq!(site.get("/readyz").await.status(), 200);
    })
    .await;
}

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
async fn a_json_feed_stays_small_by_leaving_out_the_oldest() {
    on_each_engine(async |world| {
        let long: Vec<Draft> = (0..40)
            .map(|age| Draft { body: format!("<p>{}</p>", "長い文。".repeat(1000)), ..draft("en", &format!("n{age}"), age, &[]) })
            .collect();
        save_all(&world.db, &world.site, &long).await;
        let (site, _) = published(&world).await;
        let (_, text) = site.page("/feed.json").await;
        assert!((200_000..256_000).contains(&text.len()), "{} octets", text.len());
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["items"][0]["title"], "Title of n0");
    })
    .await;
}

#[tokio::test]
async fn a_feed_carries_so_many_entries_as_configured() {
    on_each_engine(async |world| {
        let many: Vec<Draft> = (0..12).map(|age| draft("en", &format!("n{age}"), age, &[])).collect();
        save_all(&world.db, &world.site, &many).await;
        let mut shared = shared(&world);
        shared.feed.items = 10;
        let site = serve_shared(shared).await;
        publish(&world, &step(&world, &site)).await;
        let titles = titles(&site, "/feed.xml").await;
        assert_eq!((titles.len(), titles[0].as_str(), titles[9].as_str()), (10, "Title of n0", "Title of n9"));
    })
    .await;
}

#[tokio::test]
async fn a_feed_of_very_long_articles_has_as_many_texts_of_the_newest_as_fit() {
    on_each_engine(async |world| {
        for age in 0..4 {
            Draft { body: format!("<p>{}</p>", "x".repeat(900_000)), ..draft("en", &format!("n{age}"), age, &[]) }.save(&world).await;
        }
        let (site, _) = published(&world).await;
        let channel = rss(&site, "/feed.xml").await;
        assert_eq!(channel.items.iter().map(|item| item.content().is_some()).collect::<Vec<_>>(), [true, true, false, false]);
    })
    .await;
}

#[tokio::test]
async fn a_category_may_have_the_name_of_a_room() {
    on_each_engine(async |world| {
        let rooms = ["petitions", "archive", "confirm", "preferences", "unsubscribe", "approve", "stop", "feeds", "subscribe"];
        draft("en", "one", 1, &rooms).save(&world).await;
        let (site, _) = published(&world).await;
        for room in rooms {
            for name in ["feed.xml", "atom.xml", "feed.json", "feed/", ""] {
                let path = format!("/category/{room}/{name}");
                assert_eq!(site.page(&path).await.0, 200, "{path}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_catalogue_names_every_feed() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &[]).save(&world).await;
        let (site, _) = published(&world).await;
        let (_, opml) = site.page("/feeds.opml").await;
        let (_, page) = site.page("/ja/feeds").await;
        for path in ["/feed.xml", "/ja/feed.xml", "/category/defectors/feed.xml", "/ja/category/human-rights-abuses/feed.xml"] {
            let address = format!("http://news.example.org{path}");
            assert!(opml.contains(&address), "{address} is missing:\n{opml}");
            assert!(page.contains(&address), "{address} is missing:\n{page}");
        }
        assert!(page.contains("脱北者") && opml.contains("Human Rights Abuses"));
    })
    .await;
}

#[tokio::test]
async fn a_category_has_in_its_feeds_what_is_filed_below_it() {
    on_each_engine(async |mut world| {
        world.site.categories[0].parent = Some("human-rights-abuses".to_owned());
        draft("en", "above", 2, &["human-rights-abuses"]).save(&world).await;
        let (site, step) = published(&world).await;
        let parent = "/category/human-rights-abuses/feed.xml";
        assert_eq!(titles(&site, parent).await, ["Title of above"]);
        draft("en", "below", 1, &["defectors"]).save(&world).await;
        publish(&world, &step).await;
        assert_eq!(titles(&site, parent).await, ["Title of below", "Title of above"]);
        assert_eq!(titles(&site, "/category/defectors/feed.xml").await, ["Title of below"]);
        draft("en", "below", 1, &[]).save(&world).await;
        publish(&world, &step).await;
        assert_eq!(titles(&site, parent).await, ["Title of above"]);
    })
    .await;
}

#[tokio::test]
async fn one_huge_article_hides_none_that_are_older() {
    on_each_engine(async |world| {
        draft("en", "new", 0, &[]).save(&world).await;
        Draft { body: format!("<p>{}</p>", "word ".repeat(500_000)), ..draft("en", "huge", 1, &[]) }.save(&world).await;
        draft("en", "old", 2, &[]).save(&world).await;
        let (site, _) = published(&world).await;
        let channel = rss(&site, "/feed.xml").await;
        let texts: Vec<_> = channel.items.iter().map(|item| (item.link().is_some(), item.content().is_some())).collect();
        assert_eq!(texts, [(true, true), (true, false), (true, true)]);
        assert_eq!(channel.items[1].description(), Some("Summary of huge"));
        let atom: atom_syndication::Feed = site.page("/atom.xml").await.1.parse().unwrap();
        assert_eq!(atom.entries.iter().map(|entry| entry.content().is_some()).collect::<Vec<_>>(), [true, false, true]);
        assert!(atom.entries[1].summary().is_some());
    })
    .await;
}

#[tokio::test]
async fn a_json_feed_stays_small_and_keeps_every_entry() {
    on_each_engine(async |world| {
        for age in 0..50 {
            let size = if age == 1 { 300_000 } else { 8_000 };
            Draft { body: format!("<p>{}</p>", "x".repeat(size)), ..draft("en", &format!("n{age}"), age, &[]) }.save(&world).await;
        }
        let (site, _) = published(&world).await;
        let (_, text) = site.page("/feed.json").await;
        assert!(text.len() <= 250_000, "{} octets", text.len());
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let items = json["items"].as_array().unwrap();
        assert_eq!(items.len(), 50);
        let whole = |item: &serde_json::Value| item["content_html"].is_string();
        assert!(whole(&items[0]) && !whole(&items[1]) && whole(&items[2]) && !whole(&items[49]));
        assert!(items.iter().all(|item| whole(item) != item["content_text"].is_string()), "each has a text, and one only");
    })
    .await;
}
