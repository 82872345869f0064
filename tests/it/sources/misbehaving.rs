//! A site that answers badly: what is there stays, nothing is half applied, staff are told once.

use super::blog::Blog;
use super::{Follower, source};
use crate::support::host::{Asked, Reply};
use crate::support::{World, on_each_engine};
use clarion::content::SourceKind;
use serde_json::json;
use std::time::Duration;

type Mood = fn(&Asked) -> Reply;

/// A site with some posts, read once.
async fn read_once(world: &World) -> (Blog, Follower<'_>) {
    let blog = Blog::begin().await;
    (1..=3).for_each(|id| blog.write(id, &format!("Post {id}"), 5));
    let follower = Follower::new(world, vec![source("main", SourceKind::WordPress, blog.url())]);
    follower.poll().await;
    assert_eq!(follower.articles().await.len(), 3);
    (blog, follower)
}

#[tokio::test]
async fn whatever_a_site_answers_what_was_published_stays() {
    let moods: [(&str, Mood, &str); 10] = [
        ("endless", |_| Reply::Endless, "longer than"),
        ("slow", |_| Reply::Drip, "no whole answer"),
        ("cut off", |_| Reply::Cut, "could not be asked"),
        ("a page", |_| Reply::page("text/html", "<h1>Down for repairs</h1>"), "answers with a page instead of data"),
        ("half JSON", |_| Reply::page("application/json", "[{\"id\": 1,"), "what is not JSON"),
        ("other JSON", |_| Reply::page("application/json", "{\"id\": 1}"), "JSON that is not WordPress's"),
        (
            "a refusal in JSON",
            |_| Reply::page("application/json", "{\"code\":\"x\",\"message\":\"Only for members.\"}"),
            "says: Only for members.",
        ),
        ("forbidden", |_| Reply::status(403), "refuses to be read (status 403)"),
        ("broken", |_| Reply::status(500), "is broken (status 500)"),
        ("cloud secrets", |_| Reply::redirect("http://169.254.169.254/latest/meta-data/"), "not on the public internet"),
    ];
    on_each_engine(async |world| {
        let (blog, follower) = read_once(&world).await;
        let before = follower.articles().await;
        for (name, mood, told) in moods {
            blog.mood(move |asked| Some(mood(asked)));
            blog.write(4, "New", 20);
            follower.poll_later().await;
            let problems = follower.problems().await;
            assert!(
                problems.len() == 1 && problems[0].starts_with("source main: error: ") && problems[0].contains(told),
                "{name}: {problems:?}"
            );
            assert_eq!(follower.articles().await, before, "{name}");
            assert_eq!(follower.metrics.source_problems.get(), 1, "{name}");
            blog.shelf().posts.remove(&4);
            blog.calm();
            follower.poll_later().await;
            assert!(follower.problems().await.is_empty(), "{name} has passed");
        }
        assert!(follower.notices().await.is_empty(), "what passes at once is not mailed");
    })
    .await;
}

#[tokio::test]
async fn trouble_that_lasts_is_mailed_once_and_its_end_once() {
    on_each_engine(async |world| {
        let (blog, follower) = read_once(&world).await;
        blog.mood(|_| Some(Reply::status(500)));
        let mut pauses = vec![follower.poll_later().await];
        for _ in 0..9 {
            world.pass(*pauses.last().unwrap());
            pauses.push(follower.poll().await);
        }
        assert!(pauses.windows(2).take(5).all(|pair| pair[1] > pair[0]), "less and less often: {pauses:?}");
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_mins(66)), "but never given up: {pauses:?}");
        assert_eq!(follower.notices().await, ["A site cannot be read: main"]);
        blog.calm();
        world.pass(Duration::from_hours(2));
        follower.poll().await;
        assert_eq!(follower.notices().await, ["A site can be read again: main"]);
        assert!(follower.problems().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_wrong_address_is_told_at_once_and_a_busy_site_is_left_alone_as_long_as_it_asks() {
    on_each_engine(async |world| {
        let blog = Blog::begin().await;
        blog.mood(|_| Some(Reply::status(503).with("Retry-After", "7200")));
        let follower = Follower::new(&world, vec![source("main", SourceKind::WordPress, blog.url())]);
        let pause = follower.poll().await;
        assert!(pause >= Duration::from_hours(2), "{pause:?}");
        assert_eq!(follower.notices().await, ["A site cannot be read: main"], "it never could be: somebody waits for it");
        blog.asked();
        follower.poll_later().await;
        assert_eq!(blog.asked(), 0);
        blog.mood(|_| Some(Reply::status(429).with("Retry-After", "Mon, 20 Sep 2027 03:00:00 GMT")));
        world.pass(Duration::from_hours(2));
        let pause = follower.poll().await;
        assert!((Duration::from_mins(107)..Duration::from_hours(2)).contains(&pause), "{pause:?}");
    })
    .await;
}

#[tokio::test]
async fn a_poll_that_breaks_off_goes_on_where_it_was() {
    on_each_engine(async |world| {
        let blog = Blog::begin().await;
        (1..=180).for_each(|id| blog.write(id, &format!("Post {id}"), 5));
        blog.mood(|asked| {
            let later = asked.parameter("include").is_some_and(|ids| ids.split(',').any(|id| id == "120"));
            later.then(|| Reply::status(500))
        });
        let follower = Follower::new(&world, vec![source("main", SourceKind::WordPress, blog.url())]);
        follower.poll().await;
        assert_eq!(follower.articles().await.len(), 100, "what had come is there, a page whole");
        blog.calm();
        blog.asked();
        follower.poll_later().await;
        let whole = |asked: &Asked| asked.parameter("_embed").is_some();
        assert_eq!(blog.host.take_asked().iter().filter(|asked| whole(asked)).count(), 2, "and is not fetched again");
        assert_eq!(follower.articles().await.len(), 180);
        assert!(follower.announced().await.is_empty(), "the first poll was not done until now");
    })
    .await;
}

#[tokio::test]
async fn nobody_believes_what_a_site_says_of_its_pages() {
    on_each_engine(async |world| {
        let (blog, follower) = read_once(&world).await;
        (4..=250).for_each(|id| blog.write(id, &format!("Post {id}"), 5));
        for total in ["1", "100000", "", "many"] {
            blog.shelf().total = Some(total.to_owned());
            blog.asked();
            follower.poll_later().await;
            assert!(blog.asked() < 25, "total {total:?}");
            assert_eq!(
                follower.articles().await.len(),
                if total == "1" { follower.articles().await.len() } else { 250 },
                "total {total:?}"
            );
        }
        // The same page for ever.
        blog.mood(|asked| {
            let page = asked.parameter("page")?.parse::<usize>().ok()?;
            (page > 1).then(|| {
                Reply::page("application/json", "[{\"id\":1,\"modified_gmt\":\"2027-09-05T00:00:00\"}]").with("X-WP-Total", "100000")
            })
        });
        world.pass(Duration::from_hours(7));
        blog.asked();
        follower.poll().await;
        assert!(blog.asked() < 25);
        assert_eq!(follower.articles().await.len(), 250, "what a listing leaves out is asked for before it goes");
    })
    .await;
}

#[tokio::test]
async fn a_post_too_large_or_not_understood_does_not_keep_the_others_away() {
    on_each_engine(async |world| {
        let blog = Blog::begin().await;
        (1..=8).for_each(|id| blog.write(id, &format!("Post {id}"), 5));
        blog.edit(3, "05T00:00:00", |post| post.html = "a".repeat(400_000));
        blog.edit(5, "05T00:00:00", |post| post.more = json!({"title": 7}));
        blog.edit(6, "05T00:00:00", |post| post.guid = String::new());
        let follower = Follower::new(&world, vec![source("main", SourceKind::WordPress, blog.url())]);
        follower.poll().await;
        let mut titles = follower.titles().await;
        titles.sort();
        assert_eq!(titles, ["Post 1", "Post 2", "Post 4", "Post 7", "Post 8"]);
        let problems = follower.problems().await;
        assert_eq!(problems.len(), 3, "{problems:#?}");
        assert!(
            problems.iter().all(|problem| problem.starts_with("source main: posts/") && problem.contains(": warning: ")),
            "{problems:#?}"
        );
        blog.edit(3, "20T00:00:00", |post| post.html = "<p>Short.</p>".into());
        follower.poll_later().await;
        follower.article("Post 3").await;
        assert_eq!(follower.problems().await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn nothing_that_a_post_carries_runs_anywhere() {
    on_each_engine(async |world| {
        let blog = Blog::begin().await;
        blog.write(1, "<script>alert(1)</script>A &amp; <b>B</b> &#8211; C", 5);
        blog.edit(1, "05T00:00:00", |post| {
            post.html = include_str!("../../fixtures/content/hostile.txt").to_owned();
            post.link = "javascript:alert(1)".into();
        });
        blog.write(2, "Two", 6);
        blog.edit(2, "06T00:00:00", |post| {
            post.html = "<p onclick=x()>Hi</p><script>x()</script><a href=\"javascript:x()\">y</a><img src=x onerror=x()>".into();
        });
        let follower = Follower::new(&world, vec![source("main", SourceKind::WordPress, blog.url())]);
        follower.poll().await;
        let two = follower.article("Two").await;
        for word in ["onclick", "script", "onerror"] {
            assert!(!two.body_html.contains(word), "{}", two.body_html);
        }
        assert_eq!(follower.titles().await, ["Two"], "a post whose link is no web address is not taken in");
        assert!(follower.problems().await[0].contains("no address at which it can be read"));
        blog.edit(1, "20T00:00:00", |post| post.link = "https://www.example.org/1/".into());
        follower.poll_later().await;
        follower.article("A & B – C").await;
    })
    .await;
}

#[tokio::test]
async fn a_cache_that_answers_another_question_removes_nothing() {
    on_each_engine(async |world| {
        let blog = Blog::begin().await;
        (1..=300).for_each(|id| blog.write(id, &format!("Post {id}"), 5));
        let follower = Follower::new(&world, vec![source("main", SourceKind::WordPress, blog.url())]);
        follower.poll().await;
        let page: Vec<_> = (1..=100).map(|id| json!({"id": id, "modified_gmt": "2027-09-05T00:00:00"})).collect();
        blog.mood(move |asked| {
            asked.path().ends_with("/posts").then(|| Reply::page("application/json", serde_json::Value::from(page.clone()).to_string()))
        });
        world.pass(Duration::from_hours(7));
        follower.poll().await;
        assert_eq!(follower.articles().await.len(), 300);
        assert!(follower.problems().await[0].contains("other posts than it was asked for"), "{:?}", follower.problems().await);
    })
    .await;
}
