use super::*;
use crate::content::{Article, ArticleState};
use crate::feed::{Settings, Topic, render};
use crate::language::{Language, LocalText};
use crate::site::{Imprint, Site};
use std::time::Duration;

fn site() -> Site {
    Site {
        title: LocalText::Same("News".to_owned()),
        description: None,
        base_url: "http://news.example.org".parse().unwrap(),
        languages: vec![Language::parse("en").unwrap()],
        time_zone: crate::clock::parse_zone("Asia/Tokyo").unwrap(),
        postal_address: String::new(),
        id_authority: None,
        donate_url: None,
        contact_url: None,
        categories: Vec::new(),
        legacy: Vec::new(),
        imprint: Imprint::default(),
    }
}

/// The higher the number, the newer.
fn article(id: i64, title: &str) -> Article {
    Article {
        id,
        uid: format!("tag:example.org,2026:{id}"),
        state: ArticleState::Published,
        published_seq: Some(id),
        changed_seq: id,
        announced: true,
        language: Language::parse("en").unwrap(),
        translation_group: id.to_string(),
        slug: format!("article-{id}"),
        month: "2027/09".to_owned(),
        title: title.to_owned(),
        summary: "Summary".to_owned(),
        body_html: "<p>Text</p>".to_owned(),
        published_at: Timestamp::from_millis(1_800_000_000_000 + id * 1000),
        updated_at: Timestamp::from_millis(1_800_000_000_000 + id * 1000),
        categories: Vec::new(),
        tags: Vec::new(),
        credits: Vec::new(),
        enclosures: Vec::new(),
        canonical_url: None,
        living: false,
        image: None,
        video: None,
        video_length: None,
        series: None,
    }
}

/// What becomes of articles, the newest first, if feeds are made so.
fn passed(articles: &[Article], render: &Render) -> Passed {
    let (site, settings) = (site(), Settings { items: 50, ttl: Duration::from_mins(30), hubs: Vec::new() });
    let topic = Topic::site(&Language::parse("en").unwrap());
    let mut feed = Feed::new(&site, &settings, "example.org,2026", &topic, articles, &[], &str::to_owned);
    pass(&mut feed, &FeedFormat::ALL, render)
}

fn text(passed: &Passed, wanted: FeedFormat) -> &str {
    let (_, bytes) = passed.documents.iter().find(|(format, _)| *format == wanted).unwrap();
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn what_xml_and_its_readers_forbid_is_found() {
    let good = concat!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\" xmlns:m=\"http://example.org/m\"><channel>",
        "<link>http://example.org/</link><item><guid>a &amp; b</guid><pubDate>Mon, 20 Sep 2027 08:00:00 +0900</pubDate>",
        "<m:content url=\"http://example.org/?a&amp;b\" fileSize=\"12\"/><description><![CDATA[<b>&]]></description></item></channel></rss>"
    );
    assert_eq!(xml::ids(good.as_bytes()), Ok(vec!["a & b".to_owned()]));
    for (from, to, told) in [
        ("a &amp; b", "a \u{8} b", "U+0008"),
        ("a &amp; b", "a &#8; b", "U+0008"),
        ("a &amp; b", "a \u{fffe} b", "U+FFFE"),
        ("a &amp; b", "a & b", "octet"),
        ("a &amp; b", "a &nbsp; b", "&nbsp;"),
        ("a &amp; b", "a ]]> b", "]]>"),
        ("a &amp; b", "a <b> b", "octet"),
        ("?a&amp;b", "?a&b", "octet"),
        ("?a&amp;b", "?a<b", "octet"),
        ("?a&amp;b", "?a&#11;b", "escaped"),
        (" xmlns:m=\"http://example.org/m\"", "", "m:content"),
        ("fileSize=", "n:fileSize=", "n:fileSize"),
        ("fileSize=\"12\"", "fileSize=\"12\" fileSize=\"13\"", "octet"),
        ("fileSize=\"12\"", "fileSize=\"a few\"", "“a few” is no number"),
        ("url=\"http:", "url=\"javascript:", "is no link"),
        ("<link>http://example.org/</link>", "<link>/</link>", "“/” is no link"),
        ("Mon, 20 Sep", "Tue, 31 Sep", "is no date"),
        ("</rss>", "</rss><rss/>", "two roots"),
        ("</rss>", "</rss>tail", "outside"),
        ("</rss>", "", "no end"),
        ("</item>", "", "octet"),
        ("<rss", "<!DOCTYPE rss><rss", "no feed needs"),
    ] {
        assert!(good.contains(from), "{from}");
        let why = xml::ids(good.replacen(from, to, 1).as_bytes()).expect_err(to);
        assert!(why.contains(told), "{to}: {why}");
    }
    assert!(xml::ids(b"<rss>\xff</rss>").is_err());
}

#[test]
fn what_is_no_json_feed_is_found() {
    let good = r#"{"version":"https://jsonfeed.org/version/1.1","title":"t","home_page_url":"http://example.org/","feed_url":"http://example.org/f","items":[{"id":"1","url":"http://example.org/1","content_text":"x","date_published":"2027-09-20T00:00:00Z","date_modified":"2027-09-20T00:00:00Z","attachments":[{"url":"http://example.org/a","mime_type":"audio/mpeg","size_in_bytes":3}]}]}"#;
    assert_eq!(json::ids(good.as_bytes()), Ok(vec!["1".to_owned()]));
    for (from, to) in [
        ("version/1.1", "version/9"),
        ("\"id\":\"1\"", "\"id\":1"),
        ("http://example.org/1", "/1"),
        ("\"content_text\":\"x\",", ""),
        ("2027-09-20T00:00:00Z", "soon"),
        ("\"size_in_bytes\":3", "\"size_in_bytes\":-3"),
        ("]}", ""),
    ] {
        assert!(good.contains(from), "{from}");
        assert!(json::ids(good.replacen(from, to, 1).as_bytes()).is_err(), "{to}");
    }
}

#[test]
fn an_entry_that_spoils_a_format_is_left_out_of_all_and_the_others_stay() {
    let spoilt = |feed: &Feed<'_>, format: FeedFormat| {
        let bytes = render(feed, format)?;
        let text = String::from_utf8(bytes)?;
        Ok(if format == FeedFormat::Atom { text.replace("SPOIL", "\u{1}") } else { text }.into_bytes())
    };
    let passed = passed(&[article(4, "Four"), article(3, "SPOIL"), article(2, "SPOIL"), article(1, "One")], &spoilt);
    assert!(passed.refused.is_empty(), "{:?}", passed.refused);
    let left_out: Vec<i64> = passed.remarks.iter().filter(|remark| remark.is_error()).map(|remark| remark.article).collect();
    assert_eq!(left_out, [3, 2]);
    assert!(passed.remarks[0].reason().message.contains("U+0001"), "{:?}", passed.remarks);
    for format in FeedFormat::ALL {
        let text = text(&passed, format);
        assert!(text.contains("Four") && text.contains("One") && !text.contains("SPOIL"), "{format:?}");
    }
}

#[test]
fn a_feed_that_is_bad_without_any_entry_is_refused_and_loses_none() {
    let spoilt = |feed: &Feed<'_>, format: FeedFormat| {
        let text = String::from_utf8(render(feed, format)?)?;
        Ok(if format == FeedFormat::Rss { text.replacen("News", "\u{1}", 1) } else { text }.into_bytes())
    };
    let passed = passed(&[article(2, "Two"), article(1, "One")], &spoilt);
    assert_eq!(passed.refused.iter().map(|(format, _)| *format).collect::<Vec<_>>(), [FeedFormat::Rss]);
    assert_eq!((passed.documents.len(), passed.remarks.len()), (2, 0));
    assert!(text(&passed, FeedFormat::Atom).contains("Two"));
}

#[test]
fn a_document_that_lost_an_entry_or_its_order_is_refused() {
    let lossy = |feed: &Feed<'_>, format: FeedFormat| {
        let text = String::from_utf8(render(feed, format)?)?;
        Ok(text.replacen("tag:example.org,2026:2<", "tag:example.org,2026:9<", 1).into_bytes())
    };
    let found = passed(&[article(3, "Three"), article(2, "Two")], &lossy);
    assert_eq!(found.remarks.iter().map(|remark| remark.article).collect::<Vec<_>>(), [2]);
    let found = passed(&[article(1, "One"), article(2, "Two")], &render);
    assert_eq!((found.refused.len(), found.documents.len()), (3, 0), "the newest comes first");
}

#[test]
fn an_article_without_an_id_or_a_date_takes_no_other_with_it() {
    let mut articles = vec![article(5, "Five"), article(4, "Four"), article(3, "Three"), article(2, "Two"), article(1, "One")];
    articles[0].published_at = Timestamp::from_millis(400_000_000_000_000);
    articles[1].uid = " \u{1}".to_owned();
    articles[3].uid = articles[2].uid.clone();
    let passed = passed(&articles, &render);
    assert!(passed.refused.is_empty(), "{:?}", passed.refused);
    let told: Vec<(i64, String)> = passed.remarks.iter().map(|remark| (remark.article, remark.reason().message)).collect();
    assert_eq!(told.iter().map(|(article, _)| *article).collect::<Vec<_>>(), [5, 4, 2]);
    assert!(told[0].1.ends_with("its date is not in the years 1 to 9998"), "{told:?}");
    for format in FeedFormat::ALL {
        let text = text(&passed, format);
        assert!(text.contains("Three") && text.contains("One") && !text.contains("Two") && !text.contains("Five"), "{format:?}");
    }
}
