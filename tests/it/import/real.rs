//! The export of a real WordPress, all the way to pages.

use super::{Desk, EXPORT, everything};
use crate::support::web::{header, serve};
use crate::support::{World, language, on_each_engine};
use clarion::content::wordpress::Options;
use clarion::content::{self, Article, ContentStep, Selection, Settings};
use clarion::metrics::Metrics;
use clarion::task::{Kick, Step as _, Wake};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What a plain look into the export's text finds of each published post.
struct Known {
    id: String,
    guid: String,
    path: String,
    title: String,
    date_gmt: String,
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    text.split_once(start).and_then(|(_, rest)| rest.split_once(end)).map_or("", |(inner, _)| inner)
}

fn cdata<'t>(item: &'t str, element: &str) -> &'t str {
    between(item, &format!("<{element}><![CDATA["), &format!("]]></{element}>"))
}

/// Reads the export without an XML parser, so that the importer's is not its own judge.
fn published() -> Vec<Known> {
    let export = String::from_utf8_lossy(&std::fs::read(EXPORT).unwrap()).into_owned();
    let items = export.split("<item>").skip(1).filter(|item| {
        cdata(item, "wp:post_type") == "post"
            && matches!(cdata(item, "wp:status"), "publish" | "future")
            && cdata(item, "wp:post_password").is_empty()
    });
    let known = items.map(|item| Known {
        id: between(item, "<wp:post_id>", "<").to_owned(),
        guid: between(item, "<guid isPermaLink=\"false\">", "</guid>").replace("&#038;", "&"),
        path: between(item, "<link>http://www.example.org", "</link>").replace("&#038;", "&"),
        title: cdata(item, "title").replace("]]]]><![CDATA[>", "]]>"),
        date_gmt: cdata(item, "wp:post_date_gmt").replace(' ', "T") + "Z",
    });
    known.collect()
}

async fn scanned(world: &World, root: &Path) -> Vec<Article> {
    let settings = Settings { dir: root.to_owned(), announce_within: Duration::from_hours(14 * 24), sources: Vec::new() };
    let (wake, changed) = (Kick::default(), Kick::default());
    let step =
        ContentStep::new(world.db.clone(), world.clock.clone(), Arc::new(world.site.clone()), settings, Metrics::default(), wake, changed)
            .with_stillness(Duration::ZERO);
    while matches!(step.step().await.unwrap(), Wake::Now) {}
    let mut connection = world.db.reader().acquire().await.unwrap();
    content::latest(&mut connection, &Selection::default(), 1000, 0).await.unwrap()
}

#[tokio::test]
async fn every_published_post_is_there_with_its_id_date_title_and_old_addresses() {
    on_each_engine(async |world: World| {
        let desk = Desk::new(&world);
        let report = desk.import(Path::new(EXPORT), &Options::default()).await.unwrap();
        assert_eq!(desk.mistakes(), Vec::<String>::new());
        let known = published();
        assert!(known.len() > 30, "{}", known.len());
        let articles = scanned(&world, &desk.into).await;
        let by_id: BTreeMap<&str, &Article> = articles.iter().map(|article| (article.uid.as_str(), article)).collect();
        let site = serve(&world).await;
        for post in &known {
            let article = by_id.get(post.guid.as_str()).unwrap_or_else(|| panic!("no article has the id {}", post.guid));
            assert_eq!(article.published_at.to_string(), post.date_gmt);
            if !post.title.contains(['<', '&', '[']) {
                assert_eq!(article.title, post.title);
            }
            assert!(!article.announced, "{}: nothing imported is mailed", post.title);
            for path in [post.path.clone(), format!("/?p={}", post.id), format!("/archives/{}", post.id)] {
                let mut answer = site.get(&path).await;
                if answer.status() == 301 {
                    let to = header(&answer, "location").replace("http://news.example.org", "");
                    answer = site.get(&to).await;
                }
                assert_eq!(answer.status(), 200, "{path}");
                let page = answer.text().await.unwrap();
                let escapes = [('&', "&#38;"), ('<', "&#60;"), ('>', "&#62;"), ('"', "&#34;"), ('\'', "&#39;")];
                let title = escapes.iter().fold(article.title.clone(), |title, (c, escape)| title.replace(*c, escape));
                assert!(page.contains(&format!("{title}</h1>")), "{path} shows another article than “{title}”");
            }
        }
        // One post is written in two languages at once: its second half is an article of its own.
        assert_eq!(articles.len(), known.len() + 1);
        assert_eq!(report.articles(), articles.len() as u64);
        assert_eq!(report.comments, 9);
        assert!(report.characters_left_out > 0);
    })
    .await;
}

#[tokio::test]
async fn titles_languages_translations_and_categories_are_as_wordpress_had_them() {
    on_each_engine(async |world: World| {
        let desk = Desk::new(&world);
        desk.import(Path::new(EXPORT), &Options::default()).await.unwrap();
        let articles = scanned(&world, &desk.into).await;
        let titled = |title: &str| articles.iter().find(|article| article.title == title).unwrap_or_else(|| panic!("{title}"));
        assert_eq!(titled("R&D, \"quotes\" & 3 < 4 – it's 26").language, language("en"));
        assert_eq!(titled("「峠」& その先 ]]> 27").language, language("ja"));
        let (english, japanese) = (titled("Both at once"), titled("両方いっぺんに"));
        assert_eq!(english.translation_group, japanese.translation_group);
        assert_eq!((english.language.to_string(), japanese.language.to_string()), ("en".to_owned(), "ja".to_owned()));
        assert_eq!(japanese.body_html, "<p>日本語です。</p>\n<p>二段落。</p>\n");
        assert_eq!(titled("もう一つの海辺").translation_group, "wpml-77");
        let first = articles.iter().find(|article| article.uid == "http://old.example.org/2009/%e6%97%a5%e6%9c%ac-0/").unwrap();
        let second =
            articles.iter().find(|article| article.language == language("ja") && article.translation_group == first.translation_group);
        assert!(second.is_some(), "Polylang's pairs are one group");
        let groups: BTreeSet<&str> = articles.iter().map(|article| article.translation_group.as_str()).collect();
        assert!(groups.len() > articles.len() * 2 / 3, "posts that only lie near each other are no translations");
        assert!(articles.iter().all(|article| !article.categories.is_empty()));
        assert!(articles.iter().any(|article| article.categories.contains(&"people-places".to_owned())));
        assert!(articles.iter().any(|article| article.tags.contains(&"Food & fuel".to_owned())));
        assert!(articles.iter().all(|article| article.credits.len() == 1));
        assert!(articles.iter().any(|article| article.credits[0].name == "K. Lee & friends"));
        assert!(articles.iter().any(|article| article.enclosures.iter().any(|file| file.media_type == "audio/mpeg")));
        assert!(articles.iter().any(|article| article.enclosures.iter().any(|file| file.title.as_deref() == Some("Report 2011"))));
        for article in &articles {
            for left in ["wp:", "[caption", "[gallery ids", "[youtube", "class=\"wp-", "\u{b}"] {
                assert!(!article.body_html.contains(left), "{left} is left in {}", article.title);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_not_public_comes_only_when_asked_for_and_then_as_a_draft() {
    on_each_engine(async |world: World| {
        let desk = Desk::new(&world);
        let report = desk.import(Path::new(EXPORT), &everything()).await.unwrap();
        assert_eq!(desk.mistakes(), Vec::<String>::new());
        assert_eq!((report.pages, report.drafts), (3, 4), "{report:#?}");
        let articles = scanned(&world, &desk.into).await;
        let about = articles.iter().find(|article| article.title == "About us").unwrap();
        let mut connection = world.db.reader().acquire().await.unwrap();
        assert_eq!(content::at_alias(&mut connection, "/about/").await.unwrap().unwrap().id, about.id);
        assert_eq!(content::at_alias(&mut connection, "/about/team/").await.unwrap().unwrap().title, "The team");
        let public: BTreeSet<String> = articles.iter().map(|article| article.title.clone()).collect();
        let drafts: Vec<String> =
            desk.files().iter().map(|file| desk.text(file)).filter(|text| text.contains("\ndraft = true\n")).collect();
        assert_eq!(drafts.len(), 4);
        for draft in drafts {
            let title = between(&draft, "title = \"", "\"\n");
            assert!(!public.contains(title), "{title} leaked");
        }
    })
    .await;
}

#[tokio::test]
async fn a_second_old_site_takes_no_number_of_the_first() {
    on_each_engine(async |mut world: World| {
        // The first site had a category 2 as well, and one without Latin letters that became `category-8`.
        world.site.categories[0].wp_id = Some(2);
        world.site.categories[1].slug = "category-8".to_owned();
        let desk = Desk::new(&world);
        // Without the plugin that says which category is the translation of which.
        let export = desk.write_export(std::fs::read_to_string(EXPORT).unwrap().replace("term_translations", "nothing_known"));
        let report = desk.import(&export, &Options::default()).await.unwrap();
        let (tables, legacy) = (&report.categories_toml, &report.legacy_toml);
        assert!(tables.contains("slug = \"news\"") && !tables.contains("wp_id = 2\n"), "{tables}");
        assert!(legacy.contains("\n2 = \"news\"\n"), "{legacy}");
        assert!(tables.contains("slug = \"category-8-2\"") && legacy.contains("\n8 = \"category-8-2\"\n"), "{tables}\n{legacy}");
    })
    .await;
}

#[tokio::test]
async fn the_tables_for_the_configuration_can_be_pasted() {
    on_each_engine(async |world: World| {
        let desk = Desk::new(&world);
        let report = desk.import(Path::new(EXPORT), &Options::default()).await.unwrap();
        let tables = &report.categories_toml;
        assert!(tables.contains("slug = \"news\"\ntitle = { \"en\" = \"News\", \"ja\" = \"お知らせ\" }"), "{tables}");
        assert!(tables.contains("slug = \"far-villages\"\n") && tables.contains("parent = \"villages\"\n"), "{tables}");
        let legacy = &report.legacy_toml;
        assert!(legacy.starts_with("[[site.legacy]]\nhost = \"www.example.org\"\nlanguage = \"en\"\natom_id = \"http://www.example.org/feed/atom/\"\n\n[site.legacy.authors]"), "{legacy}");
        assert!(legacy.contains("\n\"hana\" = \"Hana Mori\"\n") && legacy.contains("\n\"k-lee\" = \"K. Lee & friends\"\n"), "{legacy}");
        // A translation leads where its original does, by its number and by its name.
        assert!(legacy.contains("\n2 = \"news\"\n") && legacy.contains("\n6 = \"news\"\n"), "{legacy}");
        assert!(legacy.contains("\n\"お知らせ\" = \"news\"") && legacy.contains("\n\"people-ja\" = \"people-places\""), "{legacy}");
        assert!(!legacy.contains("\"news\" ="), "what is called the same needs no line: {legacy}");
        assert!(report.doubts.iter().any(|doubt| doubt.reason.contains("[contact-form-7]") && doubt.title.contains(".html")));
    })
    .await;
}
