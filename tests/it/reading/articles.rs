//! The page of one article and the ways from it.

use crate::support::articles::{Draft, draft};
use crate::support::on_each_engine;
use crate::support::web::{header, serve};

#[tokio::test]
async fn the_parts_of_a_series_lead_to_each_other() {
    on_each_engine(async |world| {
        let part = |tag: &str, name: &str, age, series: &str| Draft { series: Some(series.to_owned()), ..draft(tag, name, age, &[]) };
        part("en", "first", 30, "The road").save(&world).await;
        part("en", "second", 20, "The road").save(&world).await;
        part("en", "third", 10, "The road").save(&world).await;
        part("ja", "second", 19, "道").save(&world).await;
        let site = serve(&world).await;
        let (_, second) = site.page("/2027/09/second/").await;
        let series = second.split("class=\"series\"").nth(1).unwrap().split("</nav>").next().unwrap();
        assert!(series.contains("“The road”, part 2 of 3"), "{series}");
        let at = |text: &str| series.find(text).unwrap_or_else(|| panic!("{text} is missing:\n{series}"));
        assert!(at("/2027/09/first/\">Title of first</a>") < at("<span aria-current=\"page\">Title of second</span>"));
        assert!(at("<span aria-current") < at("/2027/09/third/\">Title of third</a>"));
        let (_, japanese) = site.page("/ja/2027/09/second/").await;
        assert!(japanese.contains("連載「道」") && !japanese.contains("class=\"series\""), "alone in its language:\n{japanese}");
    })
    .await;
}

#[tokio::test]
async fn the_articles_before_and_after_are_those_that_the_reader_is_shown() {
    on_each_engine(async |world| {
        for (tag, name, age) in [("en", "a", 9), ("ja", "a", 8), ("en", "b", 7), ("en", "c", 6), ("ja", "c", 5)] {
            draft(tag, name, age, &[]).save(&world).await;
        }
        let site = serve(&world).await;
        let beside = async |path: &str| {
            let (_, page) = site.page(path).await;
            page.split("class=\"beside noprint\"").nth(1).unwrap_or_default().split("</nav>").next().unwrap().to_owned()
        };
        let b = beside("/2027/09/b/").await;
        assert!(b.contains("http://news.example.org/2027/09/a/") && b.contains("http://news.example.org/2027/09/c/"), "{b}");
        let a = beside("/ja/2027/09/a/").await;
        assert!(a.contains("href=\"http://news.example.org/2027/09/b/\" lang=\"en\""), "{a}");
        assert!(!a.contains("前の記事") && a.contains("次の記事"), "{a}");
        let c = beside("/2027/09/c/").await;
        assert!(c.contains("Earlier") && !c.contains("Later"), "{c}");
    })
    .await;
}

#[tokio::test]
async fn an_address_in_another_language_leads_to_the_translation_there() {
    on_each_engine(async |world| {
        draft("en", "river", 9, &[]).save(&world).await;
        Draft { group: "river".to_owned(), ..draft("ja", "kawa", 8, &[]) }.save(&world).await;
        let site = serve(&world).await;
        for (path, to) in [
            ("/ja/2027/09/river/", "http://news.example.org/ja/2027/09/kawa/"),
            ("/2027/09/kawa/", "http://news.example.org/2027/09/river/"),
        ] {
            let response = site.get(path).await;
            assert_eq!((response.status().as_u16(), header(&response, "location")), (307, to), "{path}");
        }
        let (_, page) = site.page("/2027/09/river/").await;
        for part in [
            "<link rel=\"alternate\" hreflang=\"en\" href=\"http://news.example.org/2027/09/river/\">",
            "<link rel=\"alternate\" hreflang=\"ja\" href=\"http://news.example.org/ja/2027/09/kawa/\">",
            "<meta property=\"og:url\" content=\"http://news.example.org/2027/09/river/\">",
            "<meta name=\"description\" content=\"Summary of river\">",
            "lang=\"ja\" hreflang=\"ja\">日本語</a>",
        ] {
            assert!(page.contains(part), "{part} is missing:\n{page}");
        }
        assert_eq!(site.page("/2027/09/river/?page=2").await.0, 404);
    })
    .await;
}
