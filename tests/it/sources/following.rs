//! What a WordPress does is followed: posts, edits, removals, languages, categories.

use super::blog::Blog;
use super::{Follower, source};
use crate::support::host::Reply;
use crate::support::{is_sqlite, language, on_each_engine, web};
use clarion::content::{self, ContentStep, SourceKind};
use clarion::feed::link_of;
use clarion::metrics::Metrics;
use clarion::task::{Kick, Step as _, Wake};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn every_post_arrives_once_with_its_guid_and_permalink_and_none_is_mailed() {
    on_each_engine(async |world| {
        let blog = Blog::begin().await;
        for id in 1..=230 {
            blog.write(id, &format!("Post {id}"), 1 + u32::try_from(id % 18).unwrap());
        }
        blog.edit(7, "19T00:00:00", |post| post.guid = "http://old.example.org/%e5%b3%a0/?p=7&#038;lang=ja".into());
        let follower = Follower::new(&world, vec![source("main", SourceKind::WordPress, blog.url())]);
        let next = follower.poll().await;
        assert!((Duration::from_mins(10)..Duration::from_mins(12)).contains(&next), "{next:?}");
        assert_eq!(follower.articles().await.len(), 230);
        let seventh = follower.article("Post 7").await;
        assert_eq!(seventh.uid, "http://old.example.org/%e5%b3%a0/?p=7&lang=ja", "as readers of its feed know it");
        assert_eq!((seventh.living, seventh.slug.as_str()), (true, "post-7"));
        assert_eq!(link_of(&world.site, &seventh), "https://www.example.org/2027/7/");
        assert_eq!(seventh.credits[0].name, "Hana & Mori");
        assert_eq!(seventh.body_html, "<p>Text of Post 7.</p>");
        assert!(follower.announced().await.is_empty(), "the first poll is never mailed");
        assert_eq!(follower.metrics.source_problems.get(), 0);
        assert!(follower.problems().await.is_empty());

        blog.write(231, "News", 19);
        follower.poll_later().await;
        assert_eq!(follower.announced().await, ["News"], "what comes later is");
        assert_eq!(follower.articles().await.len(), 231);
    })
    .await;
}

#[tokio::test]
async fn a_quiet_site_is_asked_two_short_questions() {
    on_each_engine(async |world| {
        let blog = Blog::begin().await;
        (1..=150).for_each(|id| blog.write(id, &format!("Post {id}"), 5));
        let follower = Follower::new(&world, vec![source("main", SourceKind::WordPress, blog.url())]);
        follower.poll().await;
        blog.asked();
        let before = follower.articles().await;
        follower.poll_later().await;
        let asked = blog.host.take_asked();
        assert_eq!(asked.len(), 2, "{asked:?}");
        assert!(asked.iter().all(|asked| asked.parameter("_fields").is_some()));
        assert!(asked[1].parameter("modified_after").is_some());
        assert_eq!(follower.articles().await, before);
    })
    .await;
}

#[tokio::test]
async fn an_edit_is_followed_and_a_post_that_comes_due_appears() {
    on_each_engine(async |world| {
        let blog = Blog::begin().await;
        (1..=120).for_each(|id| blog.write(id, &format!("Post {id}"), 5));
        let follower = Follower::new(&world, vec![source("main", SourceKind::WordPress, blog.url())]);
        follower.poll().await;
        blog.edit(3, "19T22:00:00", |post| post.title = "Post 3, revised".into());
        // Written long before: WordPress does not call it modified when its time has come.
        blog.write(400, "Scheduled", 19);
        blog.edit(400, "01T00:00:00", |_| {});
        follower.poll_later().await;
        let revised = follower.article("Post 3, revised").await;
        assert_eq!(revised.published_at.to_string(), "2027-09-05T00:00:00Z");
        assert_eq!(revised.updated_at.to_string(), "2027-09-19T22:00:00Z");
        follower.article("Scheduled").await;
        assert_eq!(follower.articles().await.len(), 121);
    })
    .await;
}

#[tokio::test]
async fn what_is_deleted_hidden_or_locked_at_the_site_goes_and_may_come_back() {
    on_each_engine(async |world| {
        let blog = Blog::begin().await;
        (1..=60).for_each(|id| blog.write(id, &format!("Post {id}"), 5));
        blog.edit(60, "05T00:00:00", |post| post.protected = true);
        let follower = Follower::new(&world, vec![source("main", SourceKind::WordPress, blog.url())]);
        follower.poll().await;
        assert_eq!(follower.articles().await.len(), 59, "what needs a password is not published");

        let deleted = blog.shelf().posts.remove(&5).unwrap();
        blog.edit(6, "20T00:00:00", |post| post.protected = true);
        follower.poll_later().await;
        let titles = follower.titles().await;
        assert_eq!((titles.len(), titles.contains(&"Post 5".to_owned()), titles.contains(&"Post 6".to_owned())), (57, false, false));
        assert!(follower.notices().await.is_empty());

        // One goes and another comes: the number of posts is the same.
        blog.shelf().posts.remove(&9);
        blog.shelf().posts.insert(5, deleted);
        blog.edit(6, "20T01:00:00", |post| post.protected = false);
        follower.poll_later().await;
        let titles = follower.titles().await;
        assert_eq!((titles.len(), titles.contains(&"Post 5".to_owned()), titles.contains(&"Post 9".to_owned())), (58, true, false));
        assert!(titles.contains(&"Post 6".to_owned()));
        assert!(follower.announced().await.is_empty(), "it is no news");
    })
    .await;
}

#[tokio::test]
async fn a_site_that_loses_many_posts_at_once_keeps_them_here_until_staff_decide() {
    on_each_engine(async |world| {
        let blog = Blog::begin().await;
        (1..=40).for_each(|id| blog.write(id, &format!("Post {id}"), 5));
        let follower = Follower::new(&world, vec![source("main", SourceKind::WordPress, blog.url())]);
        follower.poll().await;
        let all = std::mem::take(&mut blog.shelf().posts);
        follower.poll_later().await;
        assert_eq!(follower.articles().await.len(), 40, "an empty database looks like an accident");
        assert_eq!(follower.notices().await, ["40 articles have vanished from the site that the source main follows; they stay published"]);
        follower.poll_later().await;
        assert_eq!(follower.notices().await.len(), 1);

        blog.shelf().posts = all;
        follower.poll_later().await;
        assert!(follower.notices().await.is_empty(), "they are back");

        (1..=20).for_each(|id| drop(blog.shelf().posts.remove(&id)));
        follower.poll_later().await;
        assert_eq!(follower.articles().await.len(), 40);
        let mut tx = world.db.begin().await.unwrap();
        assert_eq!(content::accept_removals(&mut tx, world.clock.now()).await.unwrap(), 20);
        tx.commit().await.unwrap();
        follower.poll_later().await;
        assert_eq!(follower.articles().await.len(), 20);
        blog.write(3, "Post 3", 5);
        follower.poll_later().await;
        follower.article("Post 3").await;
        assert_eq!(follower.articles().await.len(), 21);
    })
    .await;
}

#[tokio::test]
async fn categories_are_found_by_number_slug_and_title_with_all_that_they_are_part_of() {
    on_each_engine(async |world| {
        let blog = Blog::begin().await;
        blog.shelf().categories = vec![
            json!({"id": 7, "name": "Renamed there", "slug": "renamed", "parent": 0}),
            json!({"id": 20, "name": "人権侵害", "slug": "%e4%ba%ba", "parent": 0}),
            json!({"id": 21, "name": "Camps &amp; prisons", "slug": "camps", "parent": 20}),
            json!({"id": 1, "name": "Uncategorized", "slug": "uncategorized", "parent": 0}),
        ];
        blog.write(1, "Filed", 5);
        blog.edit(1, "05T00:00:00", |post| post.categories = vec![7, 21, 1]);
        blog.edit(1, "05T00:00:00", |post| {
            post.more = json!({"_embedded": {"wp:term": [[{"id": 7, "name": "x", "slug": "x", "taxonomy": "category"}], [{"id": 9, "name": "tag &#8217;s", "slug": "t", "taxonomy": "post_tag"}]],
                "wp:featuredmedia": [{"source_url": "https://www.example.org/uploads/a.jpg"}]}});
        });
        let follower = Follower::new(&world, vec![source("main", SourceKind::WordPress, blog.url())]);
        follower.poll().await;
        let article = follower.article("Filed").await;
        assert_eq!(article.categories, ["camps-prisons", "defectors", "human-rights-abuses"]);
        assert_eq!(article.tags, ["tag ’s"]);
        assert_eq!(article.image.as_deref(), Some("https://www.example.org/uploads/a.jpg"));
        assert_eq!(follower.notices().await, ["A new category: Camps & prisons"]);
    })
    .await;
}

#[tokio::test]
async fn languages_and_translations_are_as_the_posts_say_or_as_they_are_written() {
    on_each_engine(async |world| {
        let blog = Blog::begin().await;
        blog.write(1, "Winter", 5);
        blog.write(2, "冬の支度", 6);
        blog.edit(1, "05T00:00:00", |post| post.more = json!({"lang": "en", "translations": {"en": 1, "ja": 2}}));
        blog.edit(2, "06T00:00:00", |post| post.more = json!({"lang": "ja_JP", "translations": {"en": 1, "ja": 2}}));
        blog.write(3, "お知らせ", 7);
        blog.edit(3, "07T00:00:00", |post| post.html = "<p>彼女は手紙を床下の缶にしまっていました。</p>".into());
        blog.write(4, "A visit to 東京 and the くに", 8);
        let mut settings = source("main", SourceKind::WordPress, blog.url());
        settings.language = None;
        let follower = Follower::new(&world, vec![settings]);
        follower.poll().await;
        let (winter, fuyu) = (follower.article("Winter").await, follower.article("冬の支度").await);
        assert_eq!((winter.language, fuyu.language), (language("en"), language("ja")));
        assert_eq!(winter.translation_group, fuyu.translation_group);
        assert_eq!(follower.article("お知らせ").await.language, language("ja"));
        assert_eq!(follower.article("A visit to 東京 and the くに").await.language, language("en"));
    })
    .await;
}

#[tokio::test]
async fn a_site_that_moves_and_one_that_rewrites_its_guids_keep_their_ids_here() {
    on_each_engine(async |world| {
        let (old, new) = (Blog::begin().await, Blog::begin().await);
        for id in 1..=8 {
            old.write(id, &format!("Post {id}"), 5);
            new.write(id, &format!("Post {id}"), 5);
            new.edit(id, "19T00:00:00", |post| post.link = format!("https://new.example.org/{id}/"));
        }
        let follower = Follower::new(&world, vec![source("main", SourceKind::WordPress, old.url())]);
        follower.poll().await;
        let before = follower.uids().await;
        new.write(9, "Post 9", 19);
        let moved = Follower::new(&world, vec![source("main", SourceKind::WordPress, new.url())]);
        follower.step.end().await.unwrap();
        moved.poll().await;
        assert_eq!(moved.uids().await[..8], before[..]);
        assert_eq!(link_of(&world.site, &moved.article("Post 3").await), "https://new.example.org/3/");
        assert!(moved.announced().await.is_empty(), "a new address counts as a first poll");

        for id in 1..=8 {
            new.edit(id, "20T00:00:00", |post| post.guid = format!("https://new.example.org/?p={id}"));
        }
        moved.poll_later().await;
        assert_eq!(moved.uids().await[..8], before[..], "readers have these ids already");
    })
    .await;
}

#[tokio::test]
async fn two_sources_with_one_slug_have_two_pages_and_one_id_belongs_to_one() {
    on_each_engine(async |world| {
        let (one, two) = (Blog::begin().await, Blog::begin().await);
        one.write(1, "One", 5);
        two.write(1, "Two", 5);
        two.edit(1, "05T00:00:00", |post| post.guid = "http://two.example.org/?p=1".into());
        two.write(2, "Copied", 6);
        one.write(2, "Copied", 6);
        let sources =
            |names: [&str; 2]| vec![source(names[0], SourceKind::WordPress, one.url()), source(names[1], SourceKind::WordPress, two.url())];
        let follower = Follower::new(&world, sources(["one", "two"]));
        follower.poll().await;
        let mut slugs: Vec<String> = follower.articles().await.into_iter().map(|article| article.slug).collect();
        slugs.sort();
        assert_eq!(slugs, ["post-1", "post-1-2", "post-2"]);
        let problems = follower.problems().await;
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("posts/2 has the same id, http://old.example.org/?p=2"), "{problems:?}");
        follower.step.end().await.unwrap();

        // Called otherwise, it goes on with what it had.
        let renamed = Follower::new(&world, sources(["first", "second"]));
        renamed.poll().await;
        assert_eq!(renamed.articles().await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_longer_followed_stays_until_it_is_released() {
    on_each_engine(async |world| {
        let blog = Blog::begin().await;
        (1..=3).for_each(|id| blog.write(id, &format!("Post {id}"), 5));
        let follower = Follower::new(&world, vec![source("main", SourceKind::WordPress, blog.url())]);
        follower.poll().await;
        let none = Follower::new(&world, Vec::new());
        assert_eq!(none.step.step().await.unwrap(), Wake::WhenKicked);
        assert_eq!(none.articles().await.len(), 3);
        let mut tx = world.db.begin().await.unwrap();
        let states = content::sources(&mut tx, &[]).await.unwrap();
        assert_eq!((states[0].name.as_str(), states[0].articles, states[0].configured), ("main", 3, false));
        assert_eq!(content::release_source(&mut tx, "main", world.clock.now()).await.unwrap(), 3);
        tx.commit().await.unwrap();
        assert!(none.articles().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_article_that_moves_into_the_folder_stays_the_same_article() {
    on_each_engine(async |world| {
        let blog = Blog::begin().await;
        (1..=2).for_each(|id| blog.write(id, &format!("Post {id}"), 5));
        let follower = Follower::new(&world, vec![source("main", SourceKind::WordPress, blog.url())]);
        follower.poll().await;
        let before = follower.article("Post 1").await;
        let dir = world.folder.path().join("content");
        std::fs::create_dir(&dir).unwrap();
        let text =
            "+++\ntitle = \"Post 1\"\ndate = 2027-09-05T09:00:00\nid = \"http://old.example.org/?p=1\"\n+++\nText of Post 1, here.\n";
        std::fs::write(dir.join("post-1.md"), text).unwrap();
        let settings = content::Settings { dir, announce_within: Duration::from_hours(14 * 24), sources: Vec::new() };
        let (site, kick) = (Arc::new(world.site.clone()), Kick::default());
        let step = ContentStep::new(world.db.clone(), world.clock.clone(), site, settings, Metrics::default(), kick.clone(), kick);
        let step = step.with_stillness(Duration::ZERO);
        step.step().await.unwrap();
        let after = follower.article("Post 1").await;
        assert_eq!((after.id, after.living, after.body_html.as_str()), (before.id, false, "<p>Text of Post 1, here.</p>\n"));
        assert!(link_of(&world.site, &after).starts_with("http://news.example.org/"));

        // The site goes on having it, and is not asked again what it says.
        blog.edit(1, "19T00:00:00", |post| post.html = "<p>Edited at the old place.</p>".into());
        follower.poll_later().await;
        assert_eq!(follower.article("Post 1").await, after);
        assert!(follower.problems().await[0].contains("post-1.md has the same id"), "{:?}", follower.problems().await);
        assert_eq!(follower.articles().await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn our_copy_names_the_original_and_asks_not_to_be_found() {
    on_each_engine(async |world| {
        let blog = Blog::begin().await;
        blog.write(1, "Winter", 5);
        let follower = Follower::new(&world, vec![source("main", SourceKind::WordPress, blog.url())]);
        follower.poll().await;
        let site = web::serve(&world).await;
        let (status, page) = site.page("/2027/09/post-1/").await;
        assert_eq!(status, 200);
        for part in [
            "<meta name=\"robots\" content=\"noindex\">",
            "<link rel=\"canonical\" href=\"https://www.example.org/2027/1/\">",
            "First published at <a href=\"https://www.example.org/2027/1/\">www.example.org</a>",
        ] {
            assert!(page.contains(part), "{part} is missing in {page}");
        }
        let (_, home) = site.page("/").await;
        assert!(home.contains("href=\"https://www.example.org/2027/1/\""), "{home}");
    })
    .await;
}

#[tokio::test]
async fn a_new_mapping_of_categories_is_applied_to_all_and_mails_nothing() {
    on_each_engine(async |world| {
        let blog = Blog::begin().await;
        blog.shelf().categories = vec![json!({"id": 70, "name": "Voices", "slug": "voices", "parent": 0})];
        blog.write(1, "Filed", 5);
        blog.edit(1, "05T00:00:00", |post| post.categories = vec![70]);
        let follower = Follower::new(&world, vec![source("main", SourceKind::WordPress, blog.url())]);
        follower.poll().await;
        assert_eq!(follower.article("Filed").await.categories, ["voices"]);
        follower.step.end().await.unwrap();
        let mut world = world;
        world.site.categories[0].wp_id = Some(70);
        let follower = Follower::new(&world, vec![source("main", SourceKind::WordPress, blog.url())]);
        follower.poll().await;
        assert_eq!(follower.article("Filed").await.categories, ["defectors"]);
        assert!(follower.announced().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn of_several_daemons_one_polls() {
    on_each_engine(async |world| {
        if is_sqlite(&world.db) {
            return;
        }
        let blog = Blog::begin().await;
        blog.write(1, "Post 1", 5);
        let sources = vec![source("main", SourceKind::WordPress, blog.url())];
        let (one, two) = (Follower::new(&world, sources.clone()), Follower::new(&world, sources));
        assert_eq!(one.step.step().await.unwrap(), Wake::Now);
        assert_eq!(two.step.step().await.unwrap(), Wake::WhenKicked);
        assert_eq!(blog.asked(), 1);
        one.step.end().await.unwrap();
        two.poll().await;
        assert_eq!(two.titles().await, ["Post 1"]);
    })
    .await;
}

#[tokio::test]
async fn a_site_without_permalinks_answers_in_the_query() {
    on_each_engine(async |world| {
        let blog = Blog::begin().await;
        blog.write(1, "Post 1", 5);
        let host = blog.host.address;
        blog.mood(move |asked| match (asked.path(), asked.parameter("rest_route").as_deref()) {
            ("/", None) => {
                let link = format!("<http://{host}/index.php?rest_route=/>; rel=\"https://api.w.org/\"");
                Some(Reply::page("text/html", "").with("Link", link))
            }
            ("/index.php", Some(route)) => Some(Reply::redirect(&format!("/wp-json{route}?{}", asked.target.split_once('&').unwrap().1))),
            (path, _) if path.starts_with("/wp-json") => None,
            _ => Some(Reply::status(404)),
        });
        let follower = Follower::new(&world, vec![source("main", SourceKind::WordPress, blog.url())]);
        follower.poll().await;
        assert_eq!(follower.titles().await, ["Post 1"]);
    })
    .await;
}
