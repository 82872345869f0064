//! Lists of articles: by language, category, tag, author, year and month.

use crate::support::articles::{Draft, draft, save_all};
use crate::support::web::{header, serve};
use crate::support::{local, on_each_engine};
use clarion::content::{Credit, Role};
use clarion::site::Category;

/// The titles of a page's entries in their order.
fn titles(page: &str) -> Vec<&str> {
    page.split("<h2><a href=").skip(1).filter_map(|part| part.split("</a>").next()?.rsplit('>').next()).collect()
}

#[tokio::test]
async fn every_article_is_shown_once_in_the_readers_language_or_marked_with_its_own() {
    on_each_engine(async |world| {
        let both = [draft("en", "both", 3, &["defectors"]), draft("ja", "both", 2, &["defectors"])];
        let japanese = Draft { title: "両方".to_owned(), ..both[1].clone() };
        save_all(&world.db, &world.site, &[both[0].clone(), japanese, draft("en", "only", 1, &["defectors"])]).await;
        draft("ko", "hangul", 4, &["defectors"]).save(&world).await;
        let site = serve(&world).await;
        for path in ["", "category/defectors/", "2027/09/"] {
            let (_, page) = site.page(&format!("/ja/{path}")).await;
            assert_eq!(titles(&page), ["Title of only", "両方", "Title of hangul"], "{path}");
            let only = page.split("<article").nth(1).unwrap();
            assert!(only.starts_with(" lang=\"en\" dir=\"ltr\">") && only.contains("<span class=\"tongue\">English</span>"), "{only}");
            assert!(only.contains("<p class=\"topics\" lang=\"ja\">"), "what we say is in the page's language");
            assert!(page.split("<article").nth(2).unwrap().starts_with(">\n"), "one's own language is not marked");
            let (_, page) = site.page(&format!("/{path}")).await;
            assert_eq!(titles(&page), ["Title of only", "Title of both", "Title of hangul"], "{path}");
        }
        let (_, year) = site.page("/ja/2027/").await;
        assert!(year.contains("lang=\"en\" dir=\"ltr\" hreflang=\"en\">Title of only</a>") && year.contains(">両方</a>"), "{year}");
        assert!(!year.contains("Title of both"));
    })
    .await;
}

#[tokio::test]
async fn a_category_shows_what_is_filed_below_it() {
    on_each_engine(async |mut world| {
        let child = |slug: &str, parent: &str| Category {
            slug: slug.to_owned(),
            title: local(&format!("The {slug}"), "子"),
            description: Some(local("About it.", "について。")),
            wp_id: None,
            parent: Some(parent.to_owned()),
            retired: None,
        };
        world.site.categories.extend([child("camps", "human-rights-abuses"), child("kwanliso", "camps")]);
        draft("en", "deep", 1, &["kwanliso"]).save(&world).await;
        draft("en", "top", 2, &["human-rights-abuses"]).save(&world).await;
        draft("en", "other", 3, &["defectors"]).save(&world).await;
        let site = serve(&world).await;
        let (_, top) = site.page("/category/human-rights-abuses/").await;
        assert_eq!(titles(&top), ["Title of deep", "Title of top"]);
        assert!(top.contains("<li><a href=\"/category/camps/\">The camps</a></li>"), "{top}");
        assert!(!top.contains("<li><a href=\"/category/kwanliso/\">"), "only what is just below");
        let (_, deep) = site.page("/category/kwanliso/").await;
        assert_eq!(titles(&deep), ["Title of deep"]);
        let trail = deep.split("class=\"trail\"").nth(1).unwrap().split("</nav>").next().unwrap();
        assert!(trail.find("Human Rights Abuses") < trail.find("The camps") && trail.contains("The camps"), "{trail}");
        assert!(deep.contains("<p class=\"lede\">About it.</p>") && deep.contains("<meta name=\"description\" content=\"About it.\">"));
        for feed in ["feed.xml", "atom.xml", "feed.json"] {
            assert!(deep.contains(&format!("<a href=\"/category/kwanliso/{feed}\">")), "{feed}");
        }
    })
    .await;
}

#[tokio::test]
async fn tags_and_authors_have_pages_of_their_own() {
    on_each_engine(async |world| {
        let credit = Credit { role: Role::Author, name: "A. Writer".to_owned(), url: None };
        let tags = vec!["Letter Writing".to_owned(), "手紙".to_owned()];
        Draft { tags, credits: vec![credit], ..draft("en", "one", 1, &[]) }.save(&world).await;
        Draft { tags: vec!["letter writing".to_owned()], ..draft("en", "two", 2, &[]) }.save(&world).await;
        let site = serve(&world).await;
        let (_, article) = site.page("/2027/09/one/").await;
        for link in ["/tag/letter-writing/", "/tag/%E6%89%8B%E7%B4%99/", "/author/a-writer/"] {
            assert!(article.contains(&format!("href=\"{link}\"")), "{link} in {article}");
            assert_eq!(site.page(link).await.0, 200, "{link}");
        }
        let (_, tag) = site.page("/tag/letter-writing/").await;
        assert_eq!(titles(&tag), ["Title of one", "Title of two"]);
        assert!(tag.contains("<h1>Articles tagged “Letter Writing”</h1>"), "{tag}");
        Draft { tags: vec!["手紙".to_owned()], group: "one".to_owned(), ..draft("ja", "ichi", 1, &[]) }.save(&world).await;
        let (_, japanese) = site.page("/ja/tag/%E6%89%8B%E7%B4%99/").await;
        assert!(japanese.contains("hreflang=\"en\">English</a>") && titles(&japanese) == ["Title of ichi"], "{japanese}");
        Draft { tags: vec!["Letter Writing".to_owned()], ..draft("en", "one", 1, &[]) }.save(&world).await;
        let (_, japanese) = site.page("/ja/tag/%E6%89%8B%E7%B4%99/").await;
        assert!(!japanese.contains("hreflang=\"en\""), "no way to a page that is not there:\n{japanese}");
        let credit = Credit { role: Role::Author, name: "A. Writer".to_owned(), url: None };
        Draft { credits: vec![credit], ..draft("en", "three", 1, &[]) }.save(&world).await;
        let (_, author) = site.page("/ja/author/a-writer/").await;
        assert_eq!(titles(&author), ["Title of three"]);
        assert!(author.contains("<h1>A. Writerの記事</h1>"), "{author}");
        for path in ["/tag/nothing/", "/author/nobody/", "/tag/letter-writing/?page=2", "/tag/%00/", "/tag/", "/author/"] {
            assert_eq!(site.page(path).await.0, 404, "{path}");
        }
        draft("en", "three", 1, &[]).save(&world).await;
        assert_eq!(site.page("/author/a-writer/").await.0, 404, "nothing of theirs is left");
    })
    .await;
}

#[tokio::test]
async fn a_year_lists_its_titles_by_month_and_leads_to_the_others() {
    on_each_engine(async |world| {
        let drafts = [
            draft("en", "now", 0, &[]),
            draft("en", "today", 5, &[]),
            draft("en", "before", 24 * 40, &[]),
            draft("en", "old", 24 * 365, &[]),
        ];
        save_all(&world.db, &world.site, &drafts).await;
        let site = serve(&world).await;
        let (status, year) = site.page("/2027/").await;
        assert_eq!(status, 200);
        let at = |text: &str| year.find(text).unwrap_or_else(|| panic!("{text} is missing:\n{year}"));
        assert!(at("<h1>2027</h1>") < at(">September 2027</a>") && at(">September 2027</a>") < at(">Title of now</a>"));
        assert!(at(">Title of now</a>") < at(">Title of today</a>") && at(">Title of today</a>") < at(">August 2027</a>"));
        assert!(at(">August 2027</a>") < at(">Title of before</a>") && !year.contains("Title of old"));
        at("<time datetime=\"2027-09-20\">20</time>");
        at("3 articles");
        at("<a href=\"/2027/\" aria-current=\"page\">2027</a>");
        at("<a href=\"/2026/\">2026</a>");
        let (_, japanese) = site.page("/ja/2026/").await;
        assert!(japanese.contains("<h1>2026年</h1>") && japanese.contains("1件の記事"), "{japanese}");
        let (_, month) = site.page("/2027/08/").await;
        assert!(month.contains("rel=\"prev\" href=\"/2027/09/\"") && month.contains("rel=\"next\" href=\"/2026/09/\""), "{month}");
        assert!(month.contains("<a href=\"/2027/\">2027</a>"));
        let (_, home) = site.page("/").await;
        assert!(home.contains("<a href=\"/2026/\">All titles of 2026</a>") && home.contains("href=\"/#archive\""), "{home}");
        for path in ["/2028/", "/1999/", "/2027/?page=2", "/20277/"] {
            assert_eq!(site.page(path).await.0, 404, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_addresses_of_lists_in_wordpress_lead_to_ours() {
    on_each_engine(async |world| {
        let many: Vec<Draft> =
            (0..20).map(|age| Draft { tags: vec!["t".to_owned()], ..draft("en", &format!("n{age:02}"), age, &["defectors"]) }).collect();
        save_all(&world.db, &world.site, &many).await;
        let site = serve(&world).await;
        for (path, location) in [
            ("/page/2/", "/?page=2"),
            ("/page/1/", "/"),
            ("/ja/page/2/", "/ja/?page=2"),
            ("/category/defectors/page/2/", "/category/defectors/?page=2"),
            ("/category/stories/defectors/", "/category/defectors/"),
            ("/ja/category/stories/defectors/page/2", "/ja/category/defectors/?page=2"),
            ("/tag/t/page/2/", "/tag/t/?page=2"),
            ("/2027/09/page/2/", "/2027/09/?page=2"),
            ("/?cat=7", "/category/defectors/"),
            ("/?category_name=defectors", "/category/defectors/"),
            ("/2027", "/2027/"),
            ("/tag/t", "/tag/t/"),
        ] {
            let response = site.get(path).await;
            assert_eq!((response.status().as_u16(), header(&response, "location")), (301, location), "{path}");
            assert_eq!(site.get(location).await.status(), 200, "{location}");
        }
        for path in ["/page/0/", "/page/x/", "/page/", "/?cat=8", "/?page=3", "/category/defectors/?page=3"] {
            assert_eq!(site.page(path).await.0, 404, "{path}");
        }
    })
    .await;
}
