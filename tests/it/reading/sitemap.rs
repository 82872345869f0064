//! The site map and robots.txt.

use crate::support::articles::{Draft, draft, save_all};
use crate::support::on_each_engine;
use crate::support::web::{Site, header, serve};
use clarion::content::ArticleState;
use reqwest::Method;

/// The addresses in a file, in order.
fn addresses(xml: &str) -> Vec<&str> {
    xml.split("<loc>").skip(1).map(|part| part.split("</loc>").next().unwrap()).collect()
}

async fn stamp(site: &Site, path: &str) -> String {
    header(&site.get(path).await, "etag").to_owned()
}

#[tokio::test]
async fn every_page_of_ours_is_in_the_site_map_with_its_translations() {
    on_each_engine(async |world| {
        let elsewhere = Some("https://elsewhere.example.net/a".to_owned());
        let petition = Some("http://news.example.org/petitions/day/".to_owned());
        let drafts = [
            draft("en", "one", 3, &["defectors"]),
            draft("ja", "one", 2, &["defectors"]),
            Draft { slug: "a&b".to_owned(), ..draft("en", "odd", 1, &[]) },
            draft("en", "old", 24 * 365, &[]),
            Draft { canonical_url: elsewhere, ..draft("en", "copy", 1, &[]) },
            Draft { canonical_url: petition, ..draft("en", "petition", 0, &[]) },
            Draft { state: ArticleState::Gone, ..draft("en", "gone", 1, &[]) },
            Draft { state: ArticleState::Draft, ..draft("en", "draft", 1, &[]) },
        ];
        save_all(&world.db, &world.site, &drafts).await;
        let site = serve(&world).await;
        let (_, robots) = site.page("/robots.txt").await;
        assert!(robots.contains("\nSitemap: http://news.example.org/sitemap.xml\n"), "{robots}");
        let response = site.get("/sitemap.xml").await;
        assert!(header(&response, "content-type").starts_with("application/xml"));
        let index = response.text().await.unwrap();
        let base = "http://news.example.org";
        assert_eq!(addresses(&index), ["lists", "2026", "2027"].map(|name| format!("{base}/sitemap/{name}.xml")));
        let (_, year) = site.page("/sitemap/2027.xml").await;
        let expected = ["/2027/09/one/", "/ja/2027/09/one/", "/2027/09/a%26b/", "/petitions/day/"].map(|path| format!("{base}{path}"));
        assert_eq!(addresses(&year), expected);
        let alternate = format!("<xhtml:link rel=\"alternate\" hreflang=\"ja\" href=\"{base}/ja/2027/09/one/\"/>");
        assert_eq!(year.matches(&alternate).count(), 2, "{year}");
        assert_eq!(year.matches("<xhtml:link").count(), 4, "who stands alone has no alternates");
        assert!(year.contains("<lastmod>2027-09-19T20:00:00Z</lastmod>"), "{year}");
        let (_, lists) = site.page("/sitemap/lists.xml").await;
        assert_eq!(addresses(&lists).len(), 6, "the first page and two categories in two languages");
        for path in ["/", "/ja/", "/category/defectors/", "/ja/category/defectors/", "/2027/09/one/", "/ja/2027/09/one/"] {
            assert_eq!(site.page(path).await.0, 200, "{path}");
        }
        for path in ["/sitemap/2025.xml", "/sitemap/2027-2.xml", "/sitemap/", "/sitemap/nothing"] {
            assert_eq!(site.page(path).await.0, 404, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_edit_changes_the_files_that_name_it_and_no_other() {
    on_each_engine(async |world| {
        draft("en", "new", 1, &[]).save(&world).await;
        draft("en", "old", 24 * 365, &[]).save(&world).await;
        draft("en", "other", 24 * 800, &[]).save(&world).await;
        let site = serve(&world).await;
        let files = ["/sitemap/2027.xml", "/sitemap/2026.xml", "/sitemap/2025.xml", "/sitemap.xml"];
        let before =
            [stamp(&site, files[0]).await, stamp(&site, files[1]).await, stamp(&site, files[2]).await, stamp(&site, files[3]).await];
        let held = site.request(Method::GET, files[0]).header("if-none-match", &before[0]).send().await.unwrap();
        assert_eq!(held.status(), 304);
        // A translation, this year, of an article of last year.
        draft("ja", "old", 0, &[]).save(&world).await;
        assert_ne!(stamp(&site, files[0]).await, before[0]);
        assert_ne!(stamp(&site, files[1]).await, before[1], "it names the translation now");
        assert_eq!(stamp(&site, files[2]).await, before[2]);
        assert_ne!(stamp(&site, files[3]).await, before[3]);
    })
    .await;
}
