//! Pages for people who read.

mod articles;
mod lists;
mod many;
mod sitemap;

use crate::support::articles::{Draft, draft, save_all};
use crate::support::on_each_engine;
use crate::support::web::{header, serve};
use clarion::content::{ArticleState, Credit, Enclosure, Role};
use reqwest::Method;

#[tokio::test]
async fn an_address_that_leads_nowhere_is_told_in_the_language_of_the_address() {
    on_each_engine(async |world| {
        let site = serve(&world).await;
        for path in [
            "/nothing-here",
            "/nothing/",
            "/2027/13/",
            "/2027/09/no-such-article/",
            "/?page=99",
            "/?page=-1",
            "/category/nothing/",
            "/category/%00/",
            "/2027/09/%00/",
            "/%00",
        ] {
            let (status, text) = site.page(path).await;
            assert_eq!(status, 404, "{path}");
            assert!(text.contains("There is no page at this address."), "{text}");
        }
        let (status, text) = site.page("/ja/nothing-here").await;
        assert_eq!(status, 404);
        assert!(text.contains("お探しのページは見つかりませんでした。"), "{text}");
    })
    .await;
}

#[tokio::test]
async fn the_first_page_shows_the_newest_in_its_language_with_the_way_to_older_ones() {
    on_each_engine(async |world| {
        let many: Vec<Draft> = (0..20).map(|age| draft("en", &format!("n{age:02}"), age, &["defectors"])).collect();
        save_all(&world.db, &world.site, &many).await;
        draft("ja", "nihongo", 100, &["defectors"]).save(&world).await;
        let site = serve(&world).await;
        let (status, first) = site.page("/").await;
        assert_eq!(status, 200);
        let at = |name: &str| first.find(&format!("Title of {name}<"));
        assert!(at("n00").is_some() && at("n00") < at("n01") && at("n14").is_some() && at("n15").is_none());
        assert!(first.contains("Summary of n00") && !first.contains("Body of n00") && !first.contains("nihongo"));
        assert!(first.contains("href=\"/?page=2\"") && first.contains("href=\"/2027/09/\""), "{first}");
        let (_, second) = site.page("/?page=2").await;
        assert!(second.contains("Title of n15") && second.contains("Title of n19") && !second.contains("Title of n14"));
        assert!(second.contains("<link rel=\"canonical\" href=\"http://news.example.org/?page=2\">"), "{second}");
        let (_, japanese) = site.page("/ja/?page=2").await;
        assert!(japanese.contains("<html lang=\"ja\">") && japanese.contains("Title of nihongo"), "{japanese}");
        assert!(japanese.contains("Title of n19"), "what has no translation is shown as it was written");
    })
    .await;
}

#[tokio::test]
async fn every_page_names_the_feeds_it_belongs_to() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &["defectors"]).save(&world).await;
        let site = serve(&world).await;
        let link =
            |path: &str, kind: &str| format!("<link rel=\"alternate\" type=\"application/{kind}\" href=\"http://news.example.org{path}\"");
        for (path, feed) in [
            ("/", "/feed.xml"),
            ("/category/defectors/", "/category/defectors/feed.xml"),
            ("/2027/09/one/", "/category/defectors/feed.xml"),
        ] {
            let (_, text) = site.page(path).await;
            assert!(text.contains(&link(feed, "rss+xml")) && text.contains(&link("/atom.xml", "atom+xml")), "{path}:\n{text}");
        }
        let (_, japanese) = site.page("/ja/category/defectors/").await;
        assert!(japanese.contains(&link("/ja/category/defectors/feed.json", "feed+json")), "{japanese}");
    })
    .await;
}

#[tokio::test]
async fn an_article_is_shown_with_its_people_files_and_translations() {
    on_each_engine(async |world| {
        let credit = |role, name: &str| Credit { role, name: name.to_owned(), url: Some("https://example.org/".to_owned()) };
        let pdf = Enclosure {
            url: "https://example.org/letter.pdf".to_owned(),
            media_type: "application/pdf".to_owned(),
            length: Some(184_320),
            title: None,
        };
        let article = Draft {
            title: "<Title> & more".to_owned(),
            credits: vec![credit(Role::Author, "Kim"), credit(Role::Translator, "Sato"), credit(Role::Signatory, "A Coalition")],
            enclosures: vec![pdf],
            tags: vec!["letters".to_owned()],
            ..draft("en", "one", 1, &["defectors"])
        };
        article.save(&world).await;
        draft("ja", "one", 0, &[]).save(&world).await;
        let site = serve(&world).await;
        let (status, text) = site.page("/2027/09/one/").await;
        assert_eq!(status, 200);
        for part in [
            "&#60;Title&#62; &#38; more</h1>",
            "<p>Body of one</p>",
            ">Kim</a>",
            ">Sato</a>",
            ">A Coalition</a>",
            "letter.pdf</a>",
            "PDF, 184.3 kB",
            "letters",
            "hreflang=\"ja\" href=\"http://news.example.org/ja/2027/09/one/\"",
            "<time datetime=\"2027-09-20\">Monday, 20 September 2027</time>",
            ">Defectors</a>",
        ] {
            assert!(text.contains(part), "{part} is missing:\n{text}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_article_without_translation_is_shown_and_marked_with_its_language() {
    on_each_engine(async |world| {
        draft("ja", "dake", 1, &[]).save(&world).await;
        draft("ko", "hangul", 1, &[]).save(&world).await;
        let site = serve(&world).await;
        let (status, text) = site.page("/2027/09/dake/").await;
        assert_eq!(status, 200);
        assert!(text.contains("<html lang=\"en\">") && text.contains("<div class=\"text\" lang=\"ja\" dir=\"ltr\">"), "{text}");
        assert!(text.contains("There is no translation of this article yet."));
        assert!(text.contains("<link rel=\"canonical\" href=\"http://news.example.org/ja/2027/09/dake/\">"), "{text}");
        let (status, text) = site.page("/ko/2027/09/hangul/").await;
        assert_eq!(status, 200, "articles come in languages that have no menu");
        assert!(text.contains("<html lang=\"en\">") && text.contains("<div class=\"text\" lang=\"ko\" dir=\"ltr\">"), "{text}");
        let (_, home) = site.page("/").await;
        assert!(home.contains("<article lang=\"ja\" dir=\"ltr\">"), "better than an empty page:\n{home}");
    })
    .await;
}

#[tokio::test]
async fn an_article_that_is_gone_says_so() {
    on_each_engine(async |world| {
        Draft { state: ArticleState::Gone, ..draft("en", "one", 1, &[]) }.save(&world).await;
        let site = serve(&world).await;
        let (status, text) = site.page("/2027/09/one/").await;
        assert_eq!(status, 410);
        assert!(text.contains("This page has been removed.") && !text.contains("Body of one"), "{text}");
    })
    .await;
}

#[tokio::test]
async fn old_addresses_and_forgotten_slashes_lead_to_the_page() {
    on_each_engine(async |world| {
        Draft { alias: Some("/2011-07-center.htm".to_owned()), ..draft("en", "one", 1, &["defectors"]) }.save(&world).await;
        let elsewhere = Some("http://news.example.org/petitions/day/".to_owned());
        Draft { canonical_url: elsewhere, ..draft("en", "petition", 1, &[]) }.save(&world).await;
        let site = serve(&world).await;
        for (path, status, location) in [
            ("/2011-07-center.htm", 301, "http://news.example.org/2027/09/one/"),
            ("/2027/09/one", 301, "/2027/09/one/"),
            ("/category/defectors?page=1", 301, "/category/defectors/?page=1"),
            ("/ja", 301, "/ja/"),
            ("//category/defectors", 301, "/category/defectors/"),
            ("/2027/09/petition/", 307, "http://news.example.org/petitions/day/"),
        ] {
            let response = site.get(path).await;
            assert_eq!((response.status().as_u16(), header(&response, "location")), (status, location), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn categories_and_months_list_their_articles() {
    on_each_engine(async |world| {
        draft("en", "now", 1, &["defectors"]).save(&world).await;
        draft("en", "before", 24 * 40, &["human-rights-abuses"]).save(&world).await;
        let site = serve(&world).await;
        let (_, category) = site.page("/category/defectors/").await;
        assert!(category.contains("<h1>Defectors</h1>") && category.contains("Title of now") && !category.contains("Title of before"));
        let (_, month) = site.page("/2027/08/").await;
        assert!(month.contains("<h1>August 2027</h1>") && month.contains("Title of before") && !month.contains("Title of now"));
        let (_, empty) = site.page("/ja/category/petitions/").await;
        assert!(empty.contains("お探しのページは見つかりませんでした。"), "no such category here");
        let (_, japanese) = site.page("/ja/category/defectors/").await;
        assert!(japanese.contains("<h1>脱北者</h1>") && japanese.contains("Title of now"), "{japanese}");
        draft("en", "now", 1, &["human-rights-abuses"]).save(&world).await;
        let (_, empty) = site.page("/ja/category/defectors/").await;
        assert!(empty.contains("<h1>脱北者</h1>") && empty.contains("まだ記事はありません。"), "{empty}");
    })
    .await;
}

#[tokio::test]
async fn pages_carry_no_script_and_forbid_any() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &["defectors"]).save(&world).await;
        let site = serve(&world).await;
        for path in ["/", "/category/defectors/", "/2027/", "/2027/09/", "/2027/09/one/", "/feeds", "/nothing"] {
            let response = site.get(path).await;
            assert!(header(&response, "content-security-policy").starts_with("default-src 'none'"), "{path}");
            assert_eq!(header(&response, "set-cookie"), "");
            let text = response.text().await.unwrap();
            assert!(!text.contains("<script") && !text.contains(" style="), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn who_holds_a_page_is_told_whether_it_changed() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &["defectors"]).save(&world).await;
        let site = serve(&world).await;
        for path in ["/", "/category/defectors/", "/2027/", "/2027/09/", "/2027/09/one/", "/ja/"] {
            let first = site.get(path).await;
            assert_eq!(header(&first, "cache-control"), "no-cache", "{path}");
            let tag = header(&first, "etag").to_owned();
            let again = async || site.request(Method::GET, path).header("if-none-match", &tag).send().await.unwrap();
            let held = again().await;
            assert_eq!((held.status().as_u16(), header(&held, "etag")), (304, tag.as_str()), "{path}");
            assert!(held.text().await.unwrap().is_empty());
            Draft { title: format!("New title of {path}"), ..draft("en", "one", 1, &["defectors"]) }.save(&world).await;
            let changed = again().await;
            assert_eq!(changed.status(), 200, "{path}");
            assert!(changed.text().await.unwrap().contains("New title of"), "{path}");
        }
        assert_eq!(site.request(Method::HEAD, "/2027/09/one/").send().await.unwrap().status(), 200);
    })
    .await;
}

#[tokio::test]
async fn what_the_server_refuses_is_told_on_a_page() {
    on_each_engine(async |world| {
        let site = serve(&world).await;
        let large = site.post("/ja/subscribe", &[("address", &"a".repeat(20_000))]).await;
        assert_eq!(large.status(), 413);
        assert!(large.text().await.unwrap().contains("送信された内容が大きすぎる"));
        let (status, odd) = site.page("/archive/?before=yesterday").await;
        assert!(status == 400 && odd.contains("This request could not be understood."), "{status} {odd}");
        let method = site.request(Method::DELETE, "/subscribe").send().await.unwrap();
        assert_eq!(method.status(), 405);
        assert!(header(&method, "allow").contains("POST"), "{:?}", method.headers());
        assert!(header(&method, "content-security-policy").starts_with("default-src 'none'"));
        assert!(method.text().await.unwrap().contains("<main id=\"main\">"));
        let page = site.request(Method::PUT, "/2027/").send().await.unwrap();
        assert_eq!((page.status().as_u16(), header(&page, "allow")), (405, "GET, HEAD"));
    })
    .await;
}
