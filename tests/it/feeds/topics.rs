//! Feeds of tags, authors, times, several categories, mailings and comments: every address that
//! WordPress had for them, and ours.

use super::{published, rss};
use crate::support::articles::{Draft, draft, save_all};
use crate::support::web::{Site, header};
use crate::support::{World, language, local, on_each_engine};
use clarion::content::{Credit, Role};
use clarion::site::LegacyHost;
use std::time::Duration;

/// A month and more before the others, which are of September 2027.
const AGO: u64 = 24 * 40;

fn by(name: &str, article: Draft) -> Draft {
    Draft { credits: vec![Credit { role: Role::Author, name: name.to_owned(), url: None }], ..article }
}

fn tagged(tags: &[&str], article: Draft) -> Draft {
    Draft { tags: tags.iter().map(|tag| (*tag).to_owned()).collect(), ..article }
}

/// `a` to `e`, in both categories, with tags and authors.
async fn library(world: &World) {
    let articles = [
        by("Kim Writer", tagged(&["Family", "北京"], draft("en", "a", 1, &["defectors"]))),
        by("Sato Writer", tagged(&["Family"], draft("en", "b", 2, &["human-rights-abuses"]))),
        by("Kim Writer", draft("en", "c", 3, &["defectors", "human-rights-abuses"])),
        tagged(&["Border"], draft("en", "d", AGO, &["events"])),
        by("Kim Writer", tagged(&["Family", "Border"], draft("ja", "e", 4, &["defectors", "human-rights-abuses"]))),
    ];
    save_all(&world.db, &world.site, &articles).await;
}

/// Short names of a feed's entries, in its order: `c.en` for `tag:example.org,2026:c.en`.
async fn names(site: &Site, path: &str) -> String {
    let response = site.get(path).await;
    let status = response.status();
    assert_eq!(status, 200, "{path}");
    let media_type = header(&response, "content-type").to_owned();
    let text = response.text().await.unwrap();
    let ids: Vec<String> = if media_type.starts_with("application/atom") {
        let feed: atom_syndication::Feed = text.parse().unwrap();
        feed.entries.into_iter().map(|entry| entry.id).collect()
    } else if media_type.starts_with("application/rss") {
        let channel: rss::Channel = text.parse().unwrap();
        channel.items.into_iter().map(|item| item.guid.unwrap().value).collect()
    } else {
        let feed: serde_json::Value = serde_json::from_str(&text).unwrap();
        feed["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    ids.iter().map(|id| id.rsplit(':').next().unwrap()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn every_address_of_every_topic_answers_in_place_with_its_articles() {
    on_each_engine(async |world| {
        library(&world).await;
        let (site, _) = published(&world).await;
        let table: &[(&str, &[&str])] = &[
            (
                "a.en b.en",
                &[
                    "/tag/family/feed.xml",
                    "/tag/family/atom.xml",
                    "/tag/family/feed.json",
                    "/tag/family/feed",
                    "/tag/family/feed/",
                    "/tag/family/feed/rss2/",
                    "/tag/family/feed/rdf/",
                    "/tag/family/feed/atom/",
                    "/tag/Family/feed/atom",
                    "/tag/family/?feed=atom",
                    "/?feed=rss2&tag=family",
                    "/index.php?tag=family&feed=rss",
                    "/feed/?tag=family",
                ],
            ),
            ("a.en", &["/tag/%e5%8c%97%e4%ba%ac/feed/", "/tag/%E5%8C%97%E4%BA%AC/feed.xml", "/tag/family+%E5%8C%97%E4%BA%AC/feed/"]),
            ("a.en b.en d.en", &["/tag/family,border/feed/", "/?feed=atom&tag=border,family", "/tag/border,family/feed.json"]),
            ("", &["/tag/family+border/feed/", "/?feed=rss2&tag=family+border", "/?feed=rss2&tag=family%2Bborder"]),
            (
                "e.ja",
                &["/ja/tag/family+border/feed/", "/ja/tag/family/feed.xml", "/ja/tag/family+border/atom.xml", "/ja/?feed=rss2&tag=family"],
            ),
            (
                "a.en c.en",
                &[
                    "/author/kim-writer/feed/",
                    "/author/kim-writer/feed/atom/",
                    "/author/kim-writer/feed.xml",
                    "/?feed=rss2&author_name=kim-writer",
                ],
            ),
            (
                "a.en b.en c.en",
                &[
                    "/2027/09/feed/",
                    "/2027/09/feed/atom/",
                    "/2027/09/atom.xml",
                    "/?feed=rss2&m=202709",
                    "/?feed=rss2&year=2027&monthnum=9",
                    "/category/defectors,human-rights-abuses/feed/",
                    "/category/defectors,human-rights-abuses/feed.json",
                    "/?feed=rss2&cat=7,9",
                    "/?feed=atom&cat=9,7",
                    "/?feed=rss2&category_name=defectors,human-rights-abuses",
                ],
            ),
            ("a.en b.en c.en d.en", &["/2027/feed/", "/2027/feed/rss/", "/2027/feed.json", "/?feed=rss2&m=2027", "/?feed=rss2&year=2027"]),
            ("d.en", &["/2027/08/feed/", "/category/events/feed/", "/?feed=rss2&category_name=events"]),
            (
                "c.en",
                &[
                    "/category/defectors+human-rights-abuses/feed/",
                    "/category/human-rights-abuses+defectors/feed/atom/",
                    "/category/defectors%20human-rights-abuses/feed.xml",
                    "/?feed=rss2&category_name=defectors+human-rights-abuses",
                ],
            ),
            ("e.ja", &["/ja/category/defectors+human-rights-abuses/feed/", "/ja/2027/feed/", "/ja/author/kim-writer/feed/"]),
            // What WordPress narrowed by several words is narrowed here.
            (
                "a.en",
                &["/?feed=rss2&cat=7&tag=family", "/author/kim-writer/feed/?tag=family", "/feed.xml?category_name=defectors&tag=family"],
            ),
        ];
        for (expected, paths) in table {
            for path in *paths {
                assert_eq!(names(&site, path).await, *expected, "{path}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_category_is_found_by_the_slug_that_wordpress_made_from_its_japanese_name() {
    on_each_engine(async |world| {
        library(&world).await;
        draft("ja", "made", 1, &["お知らせ"]).save(&world).await;
        let (site, _) = published(&world).await;
        // Configured: the slug is ours, the old one comes from its title.
        assert_eq!(names(&site, "/ja/category/%e8%84%b1%e5%8c%97%e8%80%85/feed/").await, "e.ja");
        assert_eq!(names(&site, "/ja/?feed=atom&category_name=%e8%84%b1%e5%8c%97%e8%80%85").await, "e.ja");
        // Found in an article.
        assert_eq!(names(&site, "/ja/category/%e3%81%8a%e7%9f%a5%e3%82%89%e3%81%9b/feed/").await, "made.ja");
        assert_eq!(names(&site, "/ja/category/%E3%81%8A%E7%9F%A5%E3%82%89%E3%81%9B/feed.xml").await, "made.ja");
        // Its page leads to ours.
        let page = site.get("/ja/category/%e8%84%b1%e5%8c%97%e8%80%85/").await;
        assert_eq!((page.status().as_u16(), header(&page, "location")), (301, "/ja/category/defectors/"));
    })
    .await;
}

#[tokio::test]
async fn what_nobody_knows_is_not_found_and_what_is_known_may_be_empty() {
    on_each_engine(async |world| {
        library(&world).await;
        let (site, _) = published(&world).await;
        for path in [
            "/tag/nothing/feed/",
            "/tag/family,nothing/feed/",
            "/author/nobody/feed.xml",
            "/2011/feed/",
            "/2027/07/feed/",
            "/2027/13/feed/",
            "/category/defectors,nothing/feed/",
            "/category/,/feed/",
            "/?feed=rss2&cat=7,99",
            "/?feed=rss2&cat=-7",
            "/?feed=rss2&m=20270920",
            "/tag/a,b,c,d,e,f,g/feed/",
            "/tag/family/feed/archive/1.rss",
            "/feed/archive/1.rss",
            "/feed/archive/0.rss",
            "/category/defectors/feed/?paged=2",
        ] {
            assert_eq!(site.get(path).await.status(), 404, "{path}");
        }
        for path in ["/ja/tag/%E5%8C%97%E4%BA%AC/feed/", "/category/defectors+events/feed.xml", "/ja/2027/08/feed.json"] {
            assert_eq!(names(&site, path).await, "", "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_feed_says_what_it_is_and_where_it_is() {
    on_each_engine(async |world| {
        library(&world).await;
        let (site, _) = published(&world).await;
        let table = [
            ("/tag/Family/feed/atom/", "/tag/family/atom.xml", "/tag/family/", "Articles tagged “Family”"),
            ("/author/kim-writer/feed/atom/", "/author/kim-writer/atom.xml", "/author/kim-writer/", "Articles by Kim Writer"),
            ("/2027/09/feed/atom/", "/2027/09/atom.xml", "/2027/09/", "September 2027"),
            (
                "/category/human-rights-abuses,defectors/feed/atom/",
                "/category/defectors,human-rights-abuses/atom.xml",
                "/",
                "Defectors, Human Rights Abuses",
            ),
            ("/?feed=atom&cat=7&tag=family", "/atom.xml?category_name=defectors&tag=family", "/", "Defectors · Articles tagged “Family”"),
        ];
        for (asked, own, home, title) in table {
            let feed: atom_syndication::Feed = site.page(asked).await.1.parse().unwrap();
            assert_eq!(feed.title.value, format!("{title} – Life Funds for North Korean Refugees"), "{asked}");
            let link = |rel: &str| feed.links.iter().find(|link| link.rel == rel).unwrap().href.clone();
            assert_eq!(link("self"), format!("http://news.example.org{own}"), "{asked}");
            assert_eq!(site.page(home).await.0, 200, "{home}");
            assert_eq!(link("alternate"), format!("http://news.example.org{home}"), "{asked}");
            assert_eq!(names(&site, own).await, names(&site, asked).await, "its own address answers the same");
            assert!(feed.id.starts_with("tag:example.org,2026:feed/"), "{}", feed.id);
        }
        let feed: atom_syndication::Feed = site.page("/ja/tag/family/atom.xml").await.1.parse().unwrap();
        assert_eq!((feed.id.as_str(), feed.lang.as_deref()), ("tag:example.org,2026:feed/ja/tag/family", Some("ja")));
    })
    .await;
}

#[tokio::test]
async fn later_pages_of_a_feed_follow_where_the_first_ends() {
    on_each_engine(async |world| {
        let many: Vec<Draft> = (0..120).map(|age| tagged(&["Long"], draft("en", &format!("n{age}"), age, &["defectors"]))).collect();
        save_all(&world.db, &world.site, &many).await;
        let (site, _) = published(&world).await;
        for base in ["/feed/", "/?feed=rss2", "/tag/long/feed/", "/category/defectors/feed/", "/2027/feed/", "/?feed=rss2&cat=7"] {
            let mut walked = Vec::new();
            let mut page = 1;
            loop {
                let address = format!("{base}{}paged={page}", if base.contains('?') { '&' } else { '?' });
                if site.get(&address).await.status() == 404 {
                    break;
                }
                walked.extend(names(&site, &address).await.split(' ').map(str::to_owned));
                page += 1;
            }
            let expected: Vec<String> = (0..120).map(|age| format!("n{age}.en")).collect();
            let of_2027 = expected.len();
            assert_eq!((page, walked.len()), (4, of_2027), "{base}");
            assert_eq!(walked, expected, "{base}");
        }
        let text = site.page("/tag/long/feed/?paged=2").await.1;
        for link in [r#"href="http://news.example.org/tag/long/feed.xml" rel="previous""#, r#"feed.xml?paged=3" rel="next""#] {
            assert!(text.contains(link), "{link} is missing in {}", &text[..1500]);
        }
        let json: serde_json::Value = serde_json::from_str(&site.page("/tag/long/feed.json").await.1).unwrap();
        assert_eq!(json["next_url"], "http://news.example.org/tag/long/feed.json?paged=2");
    })
    .await;
}

#[tokio::test]
async fn comments_are_closed_and_their_feeds_say_so() {
    on_each_engine(async |world| {
        library(&world).await;
        let (site, _) = published(&world).await;
        for path in [
            "/comments/feed/",
            "/comments/feed",
            "/comments/feed/rss2/",
            "/?feed=comments-rss2",
            "/wp-commentsrss2.php",
            "/2027/09/a/feed/",
            "/2027/09/a/?feed=rss2",
            "/?p=12&feed=rss2",
        ] {
            let channel = rss(&site, path).await;
            assert_eq!(
                (channel.items.len(), channel.description.as_str()),
                (0, "Comments are closed. Nothing new will come here."),
                "{path}"
            );
        }
        assert_eq!(rss(&site, "/2027/09/a/feed/").await.title, "Comments on “Title of a”");
        let feed: atom_syndication::Feed = site.page("/ja/2027/09/e/feed/atom/").await.1.parse().unwrap();
        assert_eq!(feed.title.value, "「Title of e」へのコメント");
        assert_eq!(feed.links.iter().find(|link| link.rel == "self").unwrap().href, "http://news.example.org/ja/2027/09/e/feed/atom/");
        assert_eq!(names(&site, "/comments/feed/atom/").await, "");
        assert_eq!(site.get("/2027/09/nothing/feed/").await.status(), 404);
    })
    .await;
}

#[tokio::test]
async fn public_mailings_have_a_feed() {
    on_each_engine(async |world: World| {
        let mailing = async |id: i64, public: &str, state: &str| {
            sqlx::query(
                "INSERT INTO mailing (id, key, kind, stream, title, state, on_doubt, priority, public, cursor, not_before, made_at)
                 VALUES ($1, $2, 'digest', 'news', '', $3, 'retry', 1, $4, 0, 0, $5)",
            )
            .bind(id)
            .bind(id.to_string())
            .bind(state)
            .bind(public)
            .bind(world.clock.now().as_millis() + id)
            .execute(world.db.reader())
            .await
            .unwrap();
            for (number, tag) in [(id * 2, "en"), (id * 2 + 1, "ja")] {
                let sql = "INSERT INTO variant (id, mailing_id, key, language, subject, body_text, body_html, mark)
                           VALUES ($1, $2, $3, $3, $4, '', '<p></p>', 'm')";
                let subject = format!("Mail {id} {tag}");
                sqlx::query(sql).bind(number).bind(id).bind(tag).bind(subject).execute(world.db.reader()).await.unwrap();
            }
        };
        mailing(1, "yes", "done").await;
        mailing(2, "no", "done").await;
        let (site, _) = published(&world).await;
        assert_eq!(names(&site, "/archive/feed.xml").await, "archive/1");
        mailing(3, "yes", "running").await;
        mailing(4, "yes", "ready").await;
        for path in
            ["/archive/feed.xml", "/archive/atom.xml", "/archive/feed.json", "/archive/feed/", "/archive/feed", "/archive/feed/atom/"]
        {
            assert_eq!(names(&site, path).await, "archive/3 archive/1", "{path}");
        }
        let channel = rss(&site, "/ja/archive/feed.xml").await;
        assert_eq!(channel.items[0].title.as_deref(), Some("Mail 3 ja"));
        assert_eq!(channel.items[0].link.as_deref(), Some("http://news.example.org/ja/archive/3"));
        assert_eq!(channel.items[0].guid.as_ref().unwrap().value, "tag:example.org,2026:ja/archive/3");
        let page = site.page("/archive/").await.1;
        assert!(page.contains("http://news.example.org/archive/feed.xml"), "{page}");
        assert_eq!(site.page("/archive/3").await.0, 200);
    })
    .await;
}

#[tokio::test]
async fn an_atom_feed_keeps_the_id_that_the_old_site_gave_it() {
    on_each_engine(async |mut world| {
        let old =
            |host: &str, tag: &str, id: Option<&str>| LegacyHost { atom_id: id.map(str::to_owned), ..LegacyHost::new(host, language(tag)) };
        world.site.legacy =
            vec![old("old.example.org", "ja", Some("http://old.example.org/feed/atom/")), old("en.example.org", "en", None)];
        draft("ja", "a", 1, &["defectors"]).save(&world).await;
        let (site, _) = published(&world).await;
        let id = async |path: &str| site.page(path).await.1.parse::<atom_syndication::Feed>().unwrap().id;
        assert_eq!(id("/ja/atom.xml").await, "http://old.example.org/feed/atom/");
        assert_eq!(id("/atom.xml").await, "tag:example.org,2026:feed/");
        assert_eq!(id("/ja/category/defectors/atom.xml").await, "tag:example.org,2026:feed/ja/category/defectors", "an id names one feed");
    })
    .await;
}

#[tokio::test]
async fn an_old_host_carries_its_language_to_every_topic() {
    on_each_engine(async |mut world| {
        world.site.legacy = vec![LegacyHost::new("old.example.org", language("ja"))];
        world.site.categories[0].title = local("Defectors", "脱北者");
        library(&world).await;
        let (site, _) = published(&world).await;
        for path in ["/tag/family/feed/", "/author/kim-writer/feed/", "/2027/09/feed/", "/?feed=rss2&cat=7", "/?feed=rss2&cat=7,9"] {
            let response = site.request(reqwest::Method::GET, path).header("host", "www.old.example.org").send().await.unwrap();
            let channel: rss::Channel = response.text().await.unwrap().parse().unwrap();
            assert_eq!(channel.items.len(), 1, "{path}");
            assert!(channel.items[0].guid.as_ref().unwrap().value.ends_with("e.ja"), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_hangs_below_a_category_counts_in_every_combination() {
    on_each_engine(async |mut world| {
        world.site.categories[0].parent = Some("human-rights-abuses".to_owned());
        world.pass(Duration::from_secs(1));
        library(&world).await;
        let (site, _) = published(&world).await;
        assert_eq!(names(&site, "/category/human-rights-abuses+defectors/feed/").await, "a.en c.en");
        assert_eq!(names(&site, "/category/human-rights-abuses,events/feed/").await, "a.en b.en c.en d.en");
        assert_eq!(names(&site, "/?feed=rss2&cat=9&author_name=kim-writer").await, "a.en c.en");
    })
    .await;
}
