//! A site that offers only a feed is followed by it.

use super::blog::Blog;
use super::{Follower, source};
use crate::support::host::{Host, Reply};
use crate::support::{language, on_each_engine};
use clarion::content::{SourceKind, SourceSettings};
use clarion::task::Step as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const RSS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom">
<channel><title>Field notes</title><link>https://www.example.org</link><language>en-US</language>
<item><title>Blankets &#38; &lt;b&gt;boots&lt;/b&gt; &#8211; again</title><link>https://www.example.org/2027/09/blankets/</link>
<dc:creator><![CDATA[Hana Mori]]></dc:creator><pubDate>Fri, 10 Sep 2027 01:00:00 +0000</pubDate>
<category><![CDATA[Defectors]]></category><category><![CDATA[Field work]]></category>
<guid isPermaLink="false">http://Old.example.org/%e5%b3%a0/?p=1&#038;lang=ja</guid>
<description><![CDATA[Cut by a machine [&#8230;]]]></description>
<content:encoded><![CDATA[<p>Text with <script>alert(1)</script><a href="/about">a link</a>.</p>]]></content:encoded>
<enclosure url="https://www.example.org/a.mp3" length="1234" type="audio/mpeg"/></item>
<item><title>No id, no date</title><link>https://www.example.org/2027/09/plain.html</link><description>Only a &lt;i&gt;summary&lt;/i&gt;.</description></item>
<item><title>Again</title><link>https://www.example.org/again/</link><guid>http://Old.example.org/%e5%b3%a0/?p=1&#038;lang=ja</guid></item>
</channel></rss>"#;

const ATOM: &str = r#"<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ja"><title>T</title><id>urn:feed</id><updated>2027-09-12T00:00:00Z</updated>
<entry><title type="html">A &amp;amp; B</title><id>tag:example.org,2027:One/%C3%A9?a&amp;b</id><link rel="alternate" href="/one/"/>
<link rel="enclosure" type="application/pdf" length="99" href="/one.pdf" title="The report"/>
<published>2027-09-11T00:00:00Z</published><updated>2027-09-12T00:00:00Z</updated><author><name>Lee</name><uri>https://example.org/lee</uri></author>
<summary>Somebody wrote this.</summary><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Hello <b>there</b></p></div></content></entry></feed>"#;

const JSON: &str = r#"{"version": "https://jsonfeed.org/version/1.1", "title": "T", "items": [
{"id": "urn:uuid:1 é", "url": "https://www.example.org/j/", "title": "Jay", "content_html": "<p>J</p>", "date_published": "2027-09-11T00:00:00Z",
 "tags": ["Defectors"], "attachments": [{"url": "https://www.example.org/j.pdf", "mime_type": "application/pdf", "size_in_bytes": 5}]}]}"#;

/// A host with one feed that can be replaced, and answers 304 to whoever has it.
struct Feed {
    host: Host,
    text: Arc<Mutex<String>>,
}

impl Feed {
    async fn begin(text: &str) -> Self {
        let text = Arc::new(Mutex::new(text.to_owned()));
        let served = Arc::clone(&text);
        let host = Host::begin(move |asked| {
            let text = served.lock().unwrap().clone();
            let etag = format!("\"{}\"", text.len());
            match asked.headers.get("if-none-match") {
                Some(known) if *known == etag => Reply::Whole { status: 304, headers: vec![("ETag", etag)], body: Vec::new() },
                _ => Reply::page("text/xml", text).with("ETag", etag),
            }
        })
        .await;
        Self { host, text }
    }

    fn replace(&self, text: impl Into<String>) {
        *self.text.lock().unwrap() = text.into();
    }

    fn source(&self) -> SourceSettings {
        source("notes", SourceKind::Feed, self.host.url("/feed/"))
    }
}

#[tokio::test]
async fn an_rss_feed_gives_articles_with_ids_byte_for_byte() {
    on_each_engine(async |world| {
        let feed = Feed::begin(RSS).await;
        let follower = Follower::new(&world, vec![feed.source()]);
        follower.poll().await;
        assert_eq!(follower.uids().await, ["http://Old.example.org/%e5%b3%a0/?p=1&lang=ja", "https://www.example.org/2027/09/plain.html"]);
        let article = follower.article("Blankets & boots – again").await;
        assert!(article.body_html.starts_with("<p>Text with <a href=\"https://www.example.org/about\""), "{}", article.body_html);
        assert!(!article.body_html.contains("script"));
        assert_eq!(article.categories, ["defectors", "field-work"]);
        assert_eq!((article.credits[0].name.as_str(), article.slug.as_str()), ("Hana Mori", "blankets"));
        assert_eq!((article.enclosures[0].media_type.as_str(), article.enclosures[0].length), ("audio/mpeg", Some(1234)));
        assert_eq!(article.published_at.to_string(), "2027-09-10T01:00:00Z");
        assert_eq!(article.summary, "Text with a link.");
        let undated = follower.article("No id, no date").await;
        assert_eq!(undated.published_at, world.clock.now());
        assert!(follower.announced().await.is_empty());

        let first = follower.articles().await;
        follower.poll_later().await;
        assert_eq!(follower.articles().await, first, "304: nothing has changed");
        let newer = RSS.replace("No id, no date", "Its title was changed");
        feed.replace(newer + "<!-- -->");
        follower.poll_later().await;
        let retitled = follower.article("Its title was changed").await;
        assert_eq!((retitled.id, retitled.published_at), (undated.id, undated.published_at));
    })
    .await;
}

#[tokio::test]
async fn what_falls_out_of_a_feed_stays_and_what_comes_is_announced() {
    on_each_engine(async |world| {
        let item = |number: u32| {
            format!("<item><title>Item {number}</title><link>https://www.example.org/{number}/</link><guid>{number}</guid><pubDate>{number} Sep 2027 01:00:00 +0000</pubDate></item>")
        };
        let rss = |numbers: std::ops::Range<u32>| format!("<rss version=\"2.0\"><channel><title>T</title>{}</channel></rss>", numbers.map(item).collect::<String>());
        let feed = Feed::begin(&rss(1..5)).await;
        let follower = Follower::new(&world, vec![feed.source()]);
        follower.poll().await;
        feed.replace(rss(4..12));
        follower.poll_later().await;
        assert_eq!(follower.articles().await.len(), 11);
        assert_eq!(follower.announced().await.len(), 6, "but not what is older than two weeks");
    })
    .await;
}

#[tokio::test]
async fn a_site_that_was_followed_by_its_feed_and_then_by_rest_keeps_its_articles() {
    on_each_engine(async |world| {
        let feed = Feed::begin(RSS).await;
        let follower = Follower::new(&world, vec![feed.source()]);
        follower.poll().await;
        let before = follower.article("Blankets & boots – again").await;
        follower.step.end().await.unwrap();
        let blog = Blog::begin().await;
        (1..=6).for_each(|id| blog.write(id, &format!("Post {id}"), 5));
        blog.edit(1, "19T00:00:00", |post| {
            post.guid = "http://Old.example.org/%e5%b3%a0/?p=1&#038;lang=ja".into();
            post.title = "Blankets".into();
        });
        let by_rest = Follower::new(&world, vec![source("notes", SourceKind::WordPress, blog.url())]);
        by_rest.poll().await;
        let after = by_rest.article("Blankets").await;
        assert_eq!((after.id, after.published_at, after.slug), (before.id, before.published_at, before.slug));
        assert_eq!(by_rest.articles().await.len(), 7);
        assert!(by_rest.announced().await.is_empty());
        world.pass(Duration::from_hours(7));
        by_rest.poll().await;
        assert_eq!(by_rest.articles().await.len(), 7, "nothing has vanished");
    })
    .await;
}

#[tokio::test]
async fn atom_and_json_feeds_are_understood() {
    on_each_engine(async |world| {
        let feed = Feed::begin(ATOM).await;
        let mut settings = feed.source();
        settings.language = None;
        let follower = Follower::new(&world, vec![settings.clone()]);
        follower.poll().await;
        let article = follower.article("A & B").await;
        assert_eq!(article.uid, "tag:example.org,2027:One/%C3%A9?a&b");
        assert_eq!(article.canonical_url.as_deref(), Some(feed.host.url("/one/").as_str()));
        assert_eq!((article.summary.as_str(), article.language), ("Somebody wrote this.", language("ja")));
        assert!(article.body_html.contains("<p>Hello <b>there</b></p>"), "{}", article.body_html);
        assert_eq!(article.enclosures[0].url, feed.host.url("/one.pdf").as_str());
        assert_eq!(article.enclosures[0].title.as_deref(), Some("The report"));
        assert_eq!(
            (article.updated_at.to_string().as_str(), article.credits[0].url.as_deref()),
            ("2027-09-12T00:00:00Z", Some("https://example.org/lee"))
        );
        feed.replace(JSON);
        follower.poll_later().await;
        let jay = follower.article("Jay").await;
        assert_eq!((jay.uid.as_str(), jay.enclosures[0].length), ("urn:uuid:1 é", Some(5)));
    })
    .await;
}

#[tokio::test]
async fn no_feed_is_too_much_for_the_program() {
    on_each_engine(async |world| {
        let feed = Feed::begin(RSS).await;
        let follower = Follower::new(&world, vec![feed.source()]);
        follower.poll().await;
        let before = follower.articles().await;
        let deep = format!("<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><id>x</id><content type=\"xhtml\">{}</content></entry></feed>", "<b>".repeat(60_000));
        let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><rss version=\"2.0\"><channel><title>T</title></channel></rss>";
        let json = format!("{{\"version\":{}", "[".repeat(100_000));
        let page = "<!doctype html><title>Not a feed</title><p>Sorry";
        for (number, text) in [&deep, laughs, &json, page, "", "\u{feff}<rss", "<rss version=\"2.0\"><channel><item>"].into_iter().enumerate() {
            feed.replace(text);
            follower.poll_later().await;
            assert_eq!(follower.articles().await, before, "number {number}");
        }
        assert!(!follower.problems().await.is_empty());
        world.pass(Duration::from_hours(3));
        feed.replace(RSS);
        follower.poll().await;
        assert!(follower.problems().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_feed_in_another_encoding_is_read_as_it_says() {
    on_each_engine(async |world| {
        let (encoded, ..) = ("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><rss version=\"2.0\"><channel><title>T</title><item><title>Caf\u{e9}</title><link>https://www.example.org/c/</link></item></channel></rss>", ());
        let latin: Vec<u8> = encoded.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let host = Host::begin(move |_| Reply::page("text/xml", latin.clone())).await;
        let follower = Follower::new(&world, vec![source("notes", SourceKind::Feed, host.url("/"))]);
        follower.poll().await;
        assert_eq!(follower.titles().await, ["Café"]);
    })
    .await;
}
