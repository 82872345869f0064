//! The rules of the W3C's feed validator hold, whatever is published.

use super::judge::assert_well_formed;
use super::rules::{findings, json_findings};
use super::{publish, published, step};
use crate::support::articles::{Draft, draft};
use crate::support::web::{Site, serve};
use crate::support::{World, language, on_each_engine};
use clarion::content::{self, ArticleState, ContentStep, Credit, Enclosure, Role};
use clarion::language::LocalText;
use clarion::metrics::Metrics;
use clarion::site::{FeedFormat, Imprint};
use clarion::task::{Kick, Step as _, Wake};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Judges every feed that a site offers.
async fn judge_all(site: &Site) -> Vec<String> {
    let mut found = Vec::new();
    let catalogue = site.state.shelf.catalogue();
    assert!(catalogue.len() > 10, "there are feeds");
    for (key, _) in catalogue {
        let path = key.path(&site.state.site);
        let (status, text) = site.page(&path).await;
        assert_eq!(status, 200, "{path}");
        let address = site.state.site.link(&path);
        let told = if key.format == FeedFormat::Json {
            json_findings(&text, &address)
        } else {
            assert_well_formed(&path, &text);
            findings(&text, &address)
        };
        found.extend(told.into_iter().map(|told| format!("{path}: {told}")));
    }
    found
}

/// Articles of every kind that was trouble somewhere.
async fn hard_cases(world: &World) {
    let nasty = "a\u{8}\u{b} <b>&amp; ]]> \"'\u{202e} 脱北者 \u{1f54a}\u{92}";
    let url = "https://example.org/名?a=1&b=<2>|[]^`{}\"'".to_owned();
    let credit = |role| Credit { role, name: nasty.to_owned(), url: Some(url.clone()) };
    let file =
        |media_type: &str, length| Enclosure { url: url.clone(), media_type: media_type.to_owned(), length, title: Some(nasty.to_owned()) };
    let image = Some("http://news.example.org/files/a b.jpg".to_owned());
    let video = Some("https://vimeo.com/1?a&b".to_owned());
    let full = Draft {
        title: nasty.to_owned(),
        summary: nasty.to_owned(),
        body: "<p><a href=\"https://example.org/\">x</a><img src=\"data:image/png;base64,AA\"></p>".to_owned(),
        tags: vec![nasty.to_owned(), "tag".to_owned()],
        credits: vec![credit(Role::Author), credit(Role::Author), credit(Role::Translator), credit(Role::Signatory)],
        image,
        ..draft("en", "full", 1, &["defectors", "human-rights-abuses"])
    };
    full.save(world).await;
    let named = |name: &str, age| Draft { uid: format!("http://old.example.org/?p={age}"), slug: name.to_owned(), ..full.clone() };
    let files = vec![file("application/pdf", None), file("video/mp4", Some(12)), file("audio/mpeg", Some(0)), file("no type", Some(3))];
    Draft { enclosures: files, video: video.clone(), ..named("files", 11) }.save(world).await;
    Draft { enclosures: vec![file("audio/mpeg", Some(5)), file("video/mp4", None)], ..named("sound", 12) }.save(world).await;
    Draft { video, ..named("film", 13) }.save(world).await;
    Draft { canonical_url: Some(url.clone()), ..named("copy", 14) }.save(world).await;
    Draft { summary: String::new(), body: String::new(), tags: Vec::new(), credits: Vec::new(), ..named("bare", 15) }.save(world).await;
    for number in 0..8 {
        draft("en", &format!("one-date-{number}"), 9, &["defectors"]).save(world).await;
    }
    let mut old = draft("en", "old", 0, &["defectors"]);
    (old.date, old.updated) = (clarion::clock::Timestamp::from_millis(-2_208_988_800_123), draft("en", "x", 5, &[]).updated);
    old.save(world).await;
    draft("ja", "full", 2, &["defectors"]).save(world).await;
    draft("ja", "full-again", 3, &["defectors"]).save(world).await;
    let mut gone = draft("en", "gone", 4, &["defectors"]);
    gone.state = ArticleState::Gone;
    let id = gone.save(world).await;
    sqlx::query("UPDATE article SET gone_at = 1821400000000 WHERE id = $1").bind(id).execute(world.db.reader()).await.unwrap();
    sqlx::query("UPDATE article SET translation_group = 'full' WHERE language = 'ja'").execute(world.db.reader()).await.unwrap();
}

#[tokio::test]
async fn feeds_of_hard_cases_are_valid() {
    on_each_engine(async |mut world| {
        world.site.imprint = Imprint {
            rights: Some(LocalText::Same("© & <us>".to_owned())),
            logo: Some("logo.png".to_owned()),
            icon: Some("icon.png".to_owned()),
        };
        hard_cases(&world).await;
        let (site, _) = published(&world).await;
        let found = judge_all(&site).await;
        assert!(found.is_empty(), "{}", found.join("\n"));
    })
    .await;
}

#[tokio::test]
async fn feeds_of_the_folder_of_hard_cases_are_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hard/content");
    on_each_engine(async |mut world| {
        world.site.languages = ["en", "ja", "ko", "zh-Hans", "zh-Hant"].map(language).to_vec();
        let settings = content::Settings { dir: folder.clone(), announce_within: Duration::ZERO, sources: Vec::new() };
        let (db, clock, site) = (world.db.clone(), world.clock.clone(), Arc::new(world.site.clone()));
        let taking = ContentStep::new(db, clock, site, settings, Metrics::default(), Kick::default(), Kick::default());
        let taking = taking.with_stillness(Duration::ZERO);
        while taking.step().await.unwrap() == Wake::Now {}
        let site = serve(&world).await;
        publish(&world, &step(&world, &site)).await;
        let mut found = judge_all(&site).await;
        // Imported ids stay as they are, whatever they are (F1).
        let kept = ["NotSufficientlyUnique", "InvalidTAG", "UnexpectedWhitespace"];
        found.retain(|told| !kept.iter().any(|message| told.contains(message)));
        assert!(found.is_empty(), "{}", found.join("\n"));
    })
    .await;
}

#[test]
fn each_rule_finds_what_it_is_for() {
    let rss = concat!(
        "<rss version='2.0' xmlns:atom='http://www.w3.org/2005/Atom' xmlns:sy='http://purl.org/rss/1.0/modules/syndication/' ",
        "xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel><title>T</title><link>http://e.org/</link><description>D</description>",
        "<language>en</language><docs>http://e.org/d</docs><ttl>30</ttl><atom:link href='http://e.org/f' rel='self' type='application/rss+xml'/>",
        "<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>",
        "<item><title>I</title><link>http://e.org/1</link><description>d</description><enclosure url='http://e.org/a' length='5' type='a/b'/>",
        "<guid isPermaLink='false'>tag:e.org,2026:x</guid><pubDate>Mon, 20 Sep 2027 08:00:00 +0900</pubDate>",
        "<content:encoded>&lt;a href=\"http://e.org/\"&gt;</content:encoded></item></channel></rss>"
    );
    assert_eq!(findings(rss, "http://e.org/f"), Vec::<String>::new());
    for (from, to, told) in [
        ("<title>T</title>", "<title> </title>", "MissingTitle"),
        ("<language>en</language>", "", "MissingDCLanguage"),
        ("<language>en</language>", "<language>en</language><language>en</language>", "DuplicateElement"),
        ("<language>", "<blink/><language>", "UndefinedElement"),
        ("http://e.org/f'", "http://e.org/g'", "SelfDoesntMatchLocation"),
        ("rel='self'", "rel='nonsense'", "UnregisteredAtomLinkRel"),
        ("<link>http://e.org/1", "<link>/1", "InvalidFullLink"),
        ("<link>http://e.org/1", "<link>http://e.org/名", "InvalidFullLink"),
        ("length='5'", "length='0'", "InvalidIntegerAttribute"),
        ("type='a/b'", "type='ab'", "InvalidMIMEAttribute"),
        ("isPermaLink='false'", "", "MissingGuid"),
        ("tag:e.org,2026:x", "tag:e.org:名", "InvalidTAG"),
        ("tag:e.org,2026:x", "123", "NotSufficientlyUnique"),
        ("Mon, 20", "Tue, 20", "IncorrectDOW"),
        ("+0900", "JST", "ProblematicalRFC822Date"),
        ("<description>d</description>", "", "NeedDescriptionBeforeContent"),
        ("href=\"http://e.org/\"", "href=\"page\"", "ContainsRelRef"),
        ("&lt;a href", "&lt;script href", "SecurityRisk"),
        ("&lt;a href", "&lt;a onclick=\"x\" href", "SecurityRiskAttr"),
        ("modules/content/", "modules/contents/", "UnknownNamespace"),
        ("<ttl>30", "<ttl>0", "InvalidPositiveInteger"),
        ("hourly", "often", "InvalidUpdatePeriod"),
        ("<title>I", "<title>I\u{92}", "BadCharacters"),
    ] {
        assert!(rss.contains(from), "{from}");
        let found = findings(&rss.replacen(from, to, 1), "http://e.org/f");
        assert!(found.iter().any(|line| line.contains(told)), "{to}: {found:?}");
    }
    let atom = concat!(
        "<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='en'><title>T</title><id>tag:e.org,2026:f</id><updated>2027-09-20T08:00:00Z</updated>",
        "<author><name>A</name></author><link rel='self' href='http://e.org/f'/><entry><title>I</title><id>tag:e.org,2026:1</id>",
        "<updated>2027-09-20T08:00:00Z</updated><link rel='alternate' type='text/html' hreflang='en' href='http://e.org/1'/>",
        "<published>2027-09-20T08:00:00Z</published><summary>S</summary></entry></feed>"
    );
    assert_eq!(findings(atom, "http://e.org/f"), Vec::<String>::new());
    for (from, to, told) in [
        ("<author><name>A</name></author>", "", "MissingElement"),
        ("</entry>", "</entry><logo>http://e.org/l</logo>", "MisplacedMetadata"),
        ("<summary>S</summary>", "", "MissingTextualContent"),
        ("<published>2027", "<published>2028", "ImplausibleDate"),
        ("<published>2027-09-20T", "<published>2027-09-20 ", "InvalidRFC3339Date"),
        ("<summary>", "<link rel='alternate' type='text/html' hreflang='en' href='http://e.org/2'/><summary>", "DuplicateAtomLink"),
        ("<summary>", "<link rel='enclosure' href='http://e.org/2'/><summary>", "MissingTypeAttr"),
        ("rel='self'", "rel='related'", "MissingSelf"),
    ] {
        assert!(atom.contains(from), "{from}");
        let found = findings(&atom.replacen(from, to, 1), "http://e.org/f");
        assert!(found.iter().any(|line| line.contains(told)), "{to}: {found:?}");
    }
    let (head, entry) = atom.split_at(atom.find("<entry>").unwrap());
    let twice = format!("{head}{}{entry}", entry.trim_end_matches("</feed>"));
    let found = findings(&twice, "http://e.org/f");
    assert!(found.iter().any(|line| line.contains("DuplicateEntries")) && found.iter().any(|line| line.contains("DuplicateUpdated")));
}
