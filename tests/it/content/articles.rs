//! What becomes of an article in its life.

use super::{Room, file};
use crate::support::{World, language, on_each_engine};
use clarion::content::{self, Role, Selection, Tombstone};
use clarion::task::Step as _;
use clarion::task::Wake;
use std::time::Duration;

#[tokio::test]
async fn a_file_becomes_an_article_with_everything_it_says() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        let more = "categories = [\"人権侵害\", \"defectors\"]\ntags = [\"border\"]\nauthors = [\"Office\"]\nimage = \"/img/a.jpg\"\naliases = [\"/2011-07-center.htm\"]\n[[signatory]]\nname = \"Group\"\nurl = \"https://example.org/group\"\n[[enclosure]]\nurl = \"https://example.org/a.pdf\"\nlength = 12\n";
        room.save("2027/2027-09-18-winter.md", &file("Winter", "2027-09-18T10:00:00", more, "Cold **nights**. See https://example.org/x."));
        room.save("2027/2027-09-18-winter.ja.md", &file("冬", "2027-09-18T10:00:00", "", "寒い夜。"));
        room.scan().await;
        let articles = room.articles().await;
        let (winter, fuyu) = (articles.iter().find(|a| a.title == "Winter").unwrap(), articles.iter().find(|a| a.title == "冬").unwrap());
        assert_eq!(winter.uid, "tag:example.org,2026:2027-09-18:2027/2027-09-18-winter");
        assert_eq!(winter.categories, ["defectors", "human-rights-abuses"]);
        assert_eq!((winter.slug.as_str(), winter.month.as_str()), ("winter", "2027/09"));
        assert_eq!(winter.published_at.to_string(), "2027-09-18T01:00:00Z");
        assert_eq!(winter.summary, "Cold nights. See https://example.org/x.");
        assert_eq!(winter.image.as_deref(), Some("http://news.example.org/img/a.jpg"));
        assert_eq!(winter.credits.iter().map(|credit| credit.role).collect::<Vec<_>>(), [Role::Author, Role::Signatory]);
        assert_eq!((winter.enclosures[0].media_type.as_str(), winter.enclosures[0].length), ("application/pdf", Some(12)));
        assert_eq!(fuyu.language, language("ja"));
        assert_eq!(fuyu.translation_group, winter.translation_group);
        assert!(winter.announced && fuyu.announced);
        let mut connection = world.db.reader().acquire().await.unwrap();
        let aliased = content::at_alias(&mut connection, "/2011-07-center.htm").await.unwrap().unwrap();
        assert_eq!(aliased.id, winter.id);
        assert_eq!(room.metrics.articles.get(), 2);
        let problems = room.problems().await;
        assert!(problems.len() == 1 && problems[0].contains("warning: there is no file “a.jpg”"), "{problems:?}");
    })
    .await;
}

#[tokio::test]
async fn an_edit_keeps_the_place_in_the_order_and_moves_what_feeds_follow() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        room.save("a.md", &file("A", "2027-09-18", "", "One."));
        room.scan().await;
        let first = room.article().await;
        world.pass(Duration::from_hours(1));

        room.save("a.md", &file("A", "2027-09-18", "tags = [\"new\"]", "One."));
        room.scan().await;
        let tagged = room.article().await;
        assert!(tagged.changed_seq > first.changed_seq);
        assert_eq!((tagged.updated_at, tagged.published_seq), (first.updated_at, first.published_seq), "a tag is no significant change");

        room.save("a.md", &file("A", "2026-01-01", "tags = [\"new\"]\nslug = \"other\"", "Two."));
        room.scan().await;
        let edited = room.article().await;
        assert!(edited.changed_seq > tagged.changed_seq);
        assert_eq!(edited.updated_at, world.clock.now());
        assert_eq!((edited.published_at, edited.published_seq, edited.id), (first.published_at, first.published_seq, first.id));
        assert_eq!((edited.month.as_str(), edited.slug.as_str()), ("2027/09", "other"));
        assert!(room.problems().await[0].starts_with("a.md:3:8: warning: the article is public already, and its date no longer moves"));
        let mut connection = world.db.reader().acquire().await.unwrap();
        assert!(content::at_alias(&mut connection, "/2027/09/a/").await.unwrap().is_some(), "the old address leads on");

        let before = room.article().await;
        room.save("a.md", &(file("A", "2026-01-01", "tags = [\"new\"]\nslug = \"other\"", "Two.") + "\n\n"));
        room.scan().await;
        assert_eq!(room.article().await, before, "white space changes nothing");
    })
    .await;
}

#[tokio::test]
async fn a_broken_file_keeps_its_last_good_version_and_is_told_once() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        room.save("a.md", &file("A", "2027-09-18", "", "One."));
        room.scan().await;
        let good = room.article().await;

        room.save("a.md", "+++\ntitle = “A”\ndate = 2027-09-18\n+++\nTwo.");
        room.scan().await;
        room.scan().await;
        assert_eq!(room.article().await, good);
        let problems = room.problems().await;
        assert!(
            problems.iter().any(|problem| problem.starts_with("a.md:2:9: error") && problem.contains("straight quotes")),
            "{problems:?}"
        );
        assert_eq!(room.notices().await, ["An article is not understood: a.md"]);
        assert_eq!(room.metrics.content_problems.get(), 1);
        room.tell().await;

        // A new daemon finds the same and says nothing new.
        room.step.end().await.unwrap();
        let again = Room::new(&world);
        again.scan().await;
        assert_eq!(again.metrics.content_problems.get(), 1);
        assert_eq!((again.article().await, again.notices().await.len()), (good.clone(), 1));

        again.save("a.md", &file("A", "2027-09-18", "", "Three."));
        again.scan().await;
        assert!(again.article().await.body_html.contains("Three."));
        assert_eq!(again.article().await.published_seq, good.published_seq);
        assert_eq!((again.problems().await, again.notices().await), (vec![], vec!["An article is understood again: a.md".to_owned()]));
        assert_eq!(again.metrics.content_problems.get(), 0);
    })
    .await;
}

#[tokio::test]
async fn what_is_mended_before_staff_were_told_is_not_told_at_all() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        room.save("a.md", &file("A", "2027-09-18", "", "One."));
        room.scan().await;
        room.save("a.md", "+++\ntitle = “A”\n+++\n");
        room.scan().await;
        room.save("a.md", &file("A", "2027-09-18", "", "Two."));
        room.scan().await;
        assert_eq!(room.notices().await, Vec::<String>::new());

        // Told of one mistake, staff make another and mend that before they are told of it.
        room.save("a.md", "+++\ntitle = “A”\n+++\n");
        room.scan().await;
        room.tell().await;
        room.save("a.md", "+++\ntitle = “A\n+++\n");
        room.scan().await;
        room.save("a.md", &file("A", "2027-09-18", "", "Three."));
        room.scan().await;
        assert_eq!(room.notices().await, ["An article is understood again: a.md"]);
    })
    .await;
}

#[tokio::test]
async fn a_file_renamed_and_edited_at_once_is_new_and_staff_are_told_how_to_join_the_two() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        room.save("a.md", &file("A house", "2027-09-18", "", "One."));
        room.save("other.md", &file("Other", "2027-09-18", "", "x"));
        room.scan().await;
        let before = room.articles().await.into_iter().find(|article| article.title == "A house").unwrap();
        room.delete("a.md");
        room.save("b.md", &file("A house", "2027-09-18", "", "One, corrected."));
        room.scan_when_still().await;
        room.scan().await;
        assert_eq!(room.notices().await, ["Was a.md renamed to b.md? Readers see a new article"]);
        let body: String = sqlx::query_scalar("SELECT body FROM notice").fetch_one(world.db.reader()).await.unwrap();
        let line = format!("id = \"{}\"", before.uid);
        assert!(body.contains(&line), "{body}");

        // They do as they are told.
        room.save("b.md", &file("A house", "2027-09-18", &line, "One, corrected."));
        room.scan_when_still().await;
        room.scan_when_still().await;
        let after: Vec<_> = room.articles().await.into_iter().filter(|article| article.title == "A house").collect();
        assert_eq!(after.iter().map(|article| (article.id, &article.uid)).collect::<Vec<_>>(), [(before.id, &before.uid)]);
        assert_eq!(room.notices().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_file_that_names_its_id_may_be_moved_and_edited_and_keeps_its_old_addresses() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        let more = "id = \"urn:a\"\naliases = [\"/old.htm\"]\n";
        room.save("a.md", &file("A", "2027-09-18", more, "One."));
        room.scan().await;
        let before = room.article().await;
        room.delete("a.md");
        room.save("2027/b.md", &file("A", "2027-09-18", &format!("{more}slug = \"b\""), "Two."));
        room.scan_when_still().await;
        room.scan().await;
        let after = room.article().await;
        assert_eq!((after.id, after.slug.as_str(), room.notices().await.len()), (before.id, "b", 0));
        let mut connection = world.db.reader().acquire().await.unwrap();
        for old in ["/old.htm", "/2027/09/a/"] {
            assert_eq!(content::at_alias(&mut connection, old).await.unwrap().map(|article| article.id), Some(before.id), "{old}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_first_look_at_the_folder_is_noted_when_everything_is_read() {
    on_each_engine(async |world: World| {
        let first_look = async || content::first_look(&mut world.db.reader().acquire().await.unwrap()).await.unwrap();
        let room = Room::new(&world);
        let away = world.folder.path().join("away");
        std::fs::rename(&room.root, &away).unwrap();
        assert_eq!(first_look().await, None);
        room.scan().await;
        assert_eq!(first_look().await, Some(content::FirstLook::NoFolder), "nothing waits for a folder that is not there");
        std::fs::rename(&away, &room.root).unwrap();
        std::fs::write(room.root.join("a.md"), file("A", "2027-09-18", "", "x")).unwrap();
        room.scan().await;
        assert_eq!(first_look().await, Some(content::FirstLook::NoFolder), "somebody is writing it");
        room.scan_when_still().await;
        assert_eq!((first_look().await, room.titles().await), (Some(content::FirstLook::Done), vec!["A".to_owned()]));
    })
    .await;
}

#[tokio::test]
async fn a_renamed_file_is_the_same_article() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        room.save("a.md", &file("A", "2027-09-18", "", "One."));
        room.scan().await;
        let before = room.article().await;
        std::fs::rename(room.root.join("a.md"), room.root.join("b.md")).unwrap();
        room.scan_when_still().await;
        assert_eq!(room.article().await, before, "nothing that readers see has changed");
        // A file that takes the old name is another article.
        room.save("a.md", &file("Other", "2027-09-18", "", "Two."));
        room.scan_when_still().await;
        let articles = room.articles().await;
        assert_eq!(articles.len(), 2);
        assert_ne!(articles[0].uid, articles[1].uid);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_file_leaves_a_tombstone_and_comes_back_as_itself() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        room.save("a.md", &file("A", "2027-09-18", "", "One."));
        room.save("b.md", &file("B", "2027-09-18", "", "Two."));
        room.scan().await;
        let before = room.articles().await.into_iter().find(|article| article.title == "A").unwrap();
        room.delete("a.md");
        room.scan().await;
        assert_eq!(room.titles().await.len(), 2, "an editor may be about to put it back");
        room.scan_when_still().await;
        assert_eq!(room.titles().await, ["B"]);
        let mut connection = world.db.reader().acquire().await.unwrap();
        let gone = content::at_address(&mut connection, &before.language, &before.month, &before.slug).await.unwrap().unwrap();
        assert_eq!(gone.state, content::ArticleState::Gone);
        let changes = content::changed_since(&mut connection, before.changed_seq).await.unwrap();
        assert!(changes.iter().any(|change| change.id == before.id && change.changed_seq == gone.changed_seq));

        room.save("a.md", &file("A", "2027-09-18", "", "One."));
        room.scan().await;
        let back = room.articles().await.into_iter().find(|article| article.title == "A").unwrap();
        assert_eq!((back.uid, back.published_seq), (before.uid, before.published_seq));
    })
    .await;
}

#[tokio::test]
async fn what_is_old_when_first_seen_is_not_announced_unless_it_asks() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        room.save("old.md", &file("Old", "2011-07-05", "", "x"));
        room.save("new.md", &file("New", "2027-09-18", "", "x"));
        room.save("silent.md", &file("Silent", "2027-09-18", "announce = \"no\"", "x"));
        room.scan().await;
        let articles = room.articles().await;
        let id = |title: &str| articles.iter().find(|article| article.title == title).unwrap().id;
        assert_eq!(room.announced().await, [id("New")]);

        // Once per edit that sets it, not once per edit.
        room.save("old.md", &file("Old", "2011-07-05", "announce = \"again\"", "x"));
        room.scan().await;
        assert_eq!(room.announced().await, [id("New"), id("Old")]);
        let announced = room.articles().await.into_iter().find(|article| article.title == "Old").unwrap();
        room.save("old.md", &file("Old", "2011-07-05", "announce = \"again\"", "x, corrected"));
        room.scan().await;
        let corrected = room.articles().await.into_iter().find(|article| article.title == "Old").unwrap();
        assert_eq!(corrected.published_seq, announced.published_seq);
        assert!(corrected.changed_seq > announced.changed_seq);
    })
    .await;
}

#[tokio::test]
async fn a_public_article_that_becomes_a_draft_is_told_as_gone_until_it_is_back() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        let version = |more: &str, text: &str| file("By the river", "2027-09-18", more, text);
        let gone = async || {
            let mut connection = world.db.reader().acquire().await.unwrap();
            content::gone(&mut connection, &Selection::default(), 10).await.unwrap()
        };
        room.save("river.md", &version("", "x"));
        room.save("never.md", &file("Never public", "2027-09-18", "draft = true", "x"));
        room.scan().await;
        let uid = room.article().await.uid;
        assert_eq!(gone().await, []);
        room.save("river.md", &version("draft = true", "x"));
        room.scan().await;
        let told = [Tombstone { uid, at: world.clock.now() }];
        assert_eq!(gone().await, told);
        world.pass(Duration::from_hours(1));
        room.save("river.md", &version("draft = true", "xy"));
        room.scan().await;
        assert_eq!(gone().await, told, "it went when it went");
        room.save("river.md", &version("", "xyz"));
        room.scan().await;
        assert_eq!(gone().await, []);
    })
    .await;
}

#[tokio::test]
async fn a_scheduled_article_appears_at_its_time_and_a_draft_never() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        room.save("soon.md", &file("Soon", "2027-09-20T09:00:00", "", "x"));
        room.save("draft.md", &file("Draft", "2027-09-01", "draft = true", "x"));
        let wake = room.scan().await;
        assert_eq!(room.titles().await, Vec::<String>::new());
        let mut connection = world.db.reader().acquire().await.unwrap();
        let listed = content::listing(&mut connection).await.unwrap();
        drop(connection);
        let states: Vec<_> = listed.iter().map(|listed| (listed.path.as_str(), listed.state.as_str())).collect();
        assert_eq!(states, [("soon.md", "scheduled"), ("draft.md", "draft")]);
        assert_eq!(wake, Wake::At(world.clock.now() + Duration::from_hours(1)));
        world.pass(Duration::from_secs(3599));
        room.scan().await;
        assert_eq!(room.titles().await, Vec::<String>::new());
        world.pass(Duration::from_secs(1));
        room.scan().await;
        let article = room.article().await;
        assert_eq!((article.title.as_str(), article.published_at), ("Soon", world.clock.now()));
        assert_eq!(room.announced().await, [article.id]);

        // What was public and is a draft again is a change that feeds see.
        room.save("soon.md", &file("Soon", "2027-09-20T09:00:00", "draft = true", "x"));
        room.scan().await;
        assert_eq!(room.titles().await, Vec::<String>::new());
        let mut connection = world.db.reader().acquire().await.unwrap();
        assert_eq!(content::changed_since(&mut connection, article.changed_seq).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn two_files_with_one_id_are_told_apart_by_name() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        room.save("a.md", &file("A", "2027-09-18", "id = \"http://www.example.org/?p=7\"", "x"));
        room.save("b.md", &file("B", "2027-09-18", "id = \"http://www.example.org/?p=7\"", "y"));
        room.scan().await;
        assert_eq!(room.titles().await, ["A"]);
        let problems = room.problems().await;
        assert!(problems[0].starts_with("b.md:4:6: error: this file and a.md have the same id"), "{problems:?}");
        room.scan_when_still().await;
        let wake = room.scan().await;
        assert_eq!(wake, clarion::task::Wake::WhenKicked, "what only another file can mend is not read again and again");
        assert_eq!(room.notices().await.len(), 1);
        // The first one goes: its id is free, and the second takes the article over.
        room.delete("a.md");
        room.scan_when_still().await;
        room.scan_when_still().await;
        assert_eq!((room.titles().await, room.problems().await), (vec!["B".to_owned()], vec![]));
        // A public article's id cannot change under its readers.
        room.save("b.md", &file("B", "2027-09-18", "id = \"urn:other\"", "y"));
        room.scan().await;
        assert_eq!(room.article().await.uid, "http://www.example.org/?p=7");
        assert!(room.problems().await[0].contains("its id cannot change"), "{:?}", room.problems().await);
    })
    .await;
}

#[tokio::test]
async fn files_that_change_places_keep_the_ids_they_name() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        room.save("a.md", &file("A", "2027-09-18", "id = \"urn:a\"", "x"));
        room.save("b.md", &file("B", "2027-09-18", "id = \"urn:b\"", "y"));
        room.scan().await;
        let before = room.articles().await;
        let rename = |from: &str, to: &str| std::fs::rename(room.root.join(from), room.root.join(to)).unwrap();
        rename("a.md", "c");
        rename("b.md", "a.md");
        rename("c", "b.md");
        room.scan_when_still().await;
        room.scan_when_still().await;
        let after = room.articles().await;
        let pairs = |articles: &[content::Article]| articles.iter().map(|a| (a.id, a.uid.clone(), a.title.clone())).collect::<Vec<_>>();
        assert_eq!(pairs(&after), pairs(&before), "{:?}", room.problems().await);
    })
    .await;
}

#[tokio::test]
async fn a_category_that_nobody_declared_is_made_and_told_once() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        room.save("a.md", &file("A", "2027-09-18", "categories = [\"Annual Reports\", \"Defectors\"]", "x"));
        room.save("b.md", &file("B", "2027-09-18", "categories = [\"annual reports\"]", "y"));
        room.scan().await;
        let mut connection = world.db.reader().acquire().await.unwrap();
        let found = content::found_categories(&mut connection).await.unwrap();
        assert_eq!(
            found.iter().map(|found| (found.slug.as_str(), found.title.as_str())).collect::<Vec<_>>(),
            [("annual-reports", "Annual Reports")]
        );
        assert_eq!(room.notices().await, ["A new category: Annual Reports"]);
    })
    .await;
}

#[tokio::test]
async fn two_articles_of_one_month_and_name_have_two_addresses() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        room.save("x/name.md", &file("A", "2027-09-18", "", "x"));
        room.save("y/name.md", &file("B", "2027-09-19", "", "y"));
        room.save("name.html", &file("C", "2027-09-19", "lang = \"ja\"", "<p>z<script>alert(1)</script></p>"));
        room.scan().await;
        let mut addresses: Vec<_> =
            room.articles().await.into_iter().map(|article| format!("{} {}", article.language, article.slug)).collect();
        addresses.sort();
        assert_eq!(addresses, ["en name", "en name-2", "ja name"]);
        assert!(room.articles().await.iter().all(|article| !article.body_html.contains("script")));
    })
    .await;
}
