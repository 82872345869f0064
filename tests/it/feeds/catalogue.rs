//! The catalogue of feeds, and the links by which programs find them.

use super::published;
use crate::support::articles::{Draft, draft};
use crate::support::on_each_engine;
use crate::support::web::header;
use clarion::content::{Credit, Role};

#[tokio::test]
async fn the_catalogue_is_where_programs_look_for_it() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &["defectors"]).save(&world).await;
        let (site, _) = published(&world).await;
        let opml = site.page("/feeds.opml").await.1;
        let response = site.get("/.well-known/feeds").await;
        assert_eq!((response.status().as_u16(), header(&response, "content-type")), (200, "text/x-opml; charset=utf-8"));
        assert_eq!(header(&response, "access-control-allow-origin"), "*");
        let tag = header(&response, "etag").to_owned();
        assert_eq!(response.text().await.unwrap(), opml);
        let again = site.request(reqwest::Method::GET, "/feeds.opml").header("if-none-match", tag).send().await.unwrap();
        assert_eq!(again.status(), 304);
        let mut reader = quick_xml::Reader::from_str(&opml);
        let (mut outlines, mut nested) = (Vec::new(), 0);
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Eof => break,
                quick_xml::events::Event::Start(element) if element.name().as_ref() == b"outline" => nested += 1,
                quick_xml::events::Event::Empty(element) => {
                    let attribute = |name: &str| {
                        let value = element.try_get_attribute(name).unwrap().unwrap_or_else(|| panic!("{name} is missing"));
                        value.decoded_and_normalized_value(quick_xml::XmlVersion::Implicit1_0, reader.decoder()).unwrap().into_owned()
                    };
                    // What OPML 2.0 asks of a subscription.
                    assert_eq!(attribute("type"), "rss");
                    assert!(!attribute("text").is_empty() && !attribute("version").is_empty());
                    outlines.push(attribute("xmlUrl"));
                }
                _ => {}
            }
        }
        assert_eq!(nested, 2, "a group for each language");
        // The site, two categories, and the mails, in two languages.
        assert_eq!(outlines.len(), 8, "{outlines:?}");
        for address in &outlines {
            let path = address.strip_prefix("http://news.example.org").unwrap();
            assert_eq!(site.page(path).await.0, 200, "{path}");
        }
        assert!(opml.contains("<docs>") && opml.contains("<dateModified>"), "{opml}");
    })
    .await;
}

#[tokio::test]
async fn every_list_names_its_own_feeds_in_its_head() {
    on_each_engine(async |world| {
        let credit = Credit { role: Role::Author, name: "Kim Writer".to_owned(), url: None };
        let article = Draft { tags: vec!["Family".to_owned()], credits: vec![credit], ..draft("en", "one", 1, &["defectors"]) };
        article.save(&world).await;
        let (site, _) = published(&world).await;
        for (page, own) in [
            ("/tag/family/", "/tag/family/"),
            ("/author/kim-writer/", "/author/kim-writer/"),
            ("/2027/", "/2027/"),
            ("/2027/09/", "/2027/09/"),
            ("/category/defectors/", "/category/defectors/"),
            ("/archive/", "/archive/"),
            ("/ja/category/defectors/", "/ja/category/defectors/"),
            ("/", "/"),
        ] {
            let text = site.page(page).await.1;
            let links: Vec<&str> = text.lines().filter(|line| line.contains("rel=\"alternate\"") && line.contains("title=")).collect();
            for (name, media_type) in
                [("feed.xml", "application/rss+xml"), ("atom.xml", "application/atom+xml"), ("feed.json", "application/feed+json")]
            {
                let href = format!("href=\"http://news.example.org{own}{name}\"");
                let found =
                    links.iter().find(|line| line.contains(&href)).unwrap_or_else(|| panic!("{page} does not name {own}{name}: {links:?}"));
                assert!(found.contains(&format!("type=\"{media_type}\"")), "{found}");
                assert_eq!(site.page(&format!("{own}{name}")).await.0, 200, "{own}{name}");
            }
            assert!(links[0].contains(own), "its own come first: {links:?}");
        }
    })
    .await;
}
