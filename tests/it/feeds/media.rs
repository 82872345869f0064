//! Files and videos: enclosures and Media RSS, and no third party that is asked unasked.

use super::judge::assert_well_formed;
use super::published;
use super::tree::Node;
use crate::support::articles::{Draft, draft};
use crate::support::on_each_engine;
use crate::support::web::Site;
use clarion::content::Enclosure;

fn file(url: &str, media_type: &str, length: Option<i64>) -> Enclosure {
    Enclosure { url: url.to_owned(), media_type: media_type.to_owned(), length, title: None }
}

/// The items of a feed in RSS, or its entries in Atom.
async fn entries(site: &Site, path: &str) -> Vec<Node> {
    let (_, text) = site.page(path).await;
    assert_well_formed(path, &text);
    let root = Node::parse(&text);
    let parent = root.child("channel").unwrap_or(&root);
    parent.children.iter().filter(|child| matches!(child.name.as_str(), "item" | "entry")).cloned().collect()
}

async fn json(site: &Site) -> serde_json::Value {
    serde_json::from_str(&site.page("/feed.json").await.1).unwrap()
}

/// The addresses of an item's elements of a name, at any depth.
fn urls(item: &Node, name: &str) -> Vec<String> {
    item.everything().into_iter().filter(|node| node.name == name).map(|node| node.get("url").to_owned()).collect()
}

fn enclosure_links(entry: &Node) -> Vec<(&str, &str, &str)> {
    let links = entry.all("link").filter(|link| link.get("rel") == "enclosure");
    links.map(|link| (link.get("href"), link.get("type"), link.get("length"))).collect()
}

#[tokio::test]
async fn a_file_is_an_enclosure_with_its_type_and_length() {
    on_each_engine(async |world| {
        let files = vec![
            file("https://example.org/unknown.mp3", "audio/mpeg", None),
            file("https://example.org/empty.mp3", "audio/mpeg", Some(0)),
            file("https://example.org/talk.mp3?a=1&b=2", "audio/mpeg", Some(2528)),
            file("https://example.org/second.mp3", "audio/mpeg; rate=44100", Some(7)),
        ];
        Draft { enclosures: files, ..draft("en", "one", 1, &[]) }.save(&world).await;
        let (site, _) = published(&world).await;
        let item = &entries(&site, "/feed.xml").await[0];
        let enclosure: Vec<_> = item.all("enclosure").map(|file| (file.get("url"), file.get("type"), file.get("length"))).collect();
        assert_eq!(enclosure, [("https://example.org/talk.mp3?a=1&b=2", "audio/mpeg", "2528")], "one, the first of known length");
        let played: Vec<_> = item.all("media:content").map(|file| (file.get("medium"), file.get("fileSize"))).collect();
        assert_eq!(played, [("audio", ""), ("audio", ""), ("audio", "2528"), ("audio", "7")]);
        let entry = &entries(&site, "/atom.xml").await[0];
        let links = enclosure_links(entry);
        assert_eq!(links.len(), 4);
        assert_eq!((links[1].2, links[2]), ("", ("https://example.org/talk.mp3?a=1&b=2", "audio/mpeg", "2528")), "0 says nothing");
        let json = json(&site).await;
        let attachments = &json["items"][0]["attachments"];
        assert_eq!(attachments[2]["size_in_bytes"], 2528);
        assert_eq!((&attachments[3]["mime_type"], &attachments[0]["size_in_bytes"]), (&"audio/mpeg".into(), &serde_json::Value::Null));
    })
    .await;
}

#[tokio::test]
async fn a_video_elsewhere_is_a_player_and_no_picture_of_others_is_fetched() {
    on_each_engine(async |world| {
        let video = Some("https://www.youtube.com/watch?v=abc&t=1".to_owned());
        let ours = Some("http://news.example.org/files/still.jpg".to_owned());
        let theirs = Some("https://i.ytimg.com/vi/abc/hq.jpg".to_owned());
        let article = |name: &str, age, image| Draft { video: video.clone(), image, ..draft("en", name, age, &[]) };
        article("ours", 1, ours).save(&world).await;
        article("theirs", 2, theirs).save(&world).await;
        let (site, _) = published(&world).await;
        for path in ["/feed.xml", "/atom.xml"] {
            let found = entries(&site, path).await;
            let content = found[0].child("media:content").unwrap();
            assert_eq!((content.get("medium"), content.get("url")), ("video", ""), "its file is not ours to name");
            assert_eq!(content.child("media:player").unwrap().get("url"), "https://www.youtube.com/watch?v=abc&t=1");
            assert_eq!(urls(&found[0], "media:thumbnail"), ["http://news.example.org/files/still.jpg"]);
            assert_eq!(urls(&found[1], "media:thumbnail"), Vec::<String>::new(), "programs would tell YouTube who reads");
            assert_eq!(found[0].child("enclosure").map(|file| file.get("url")), None);
        }
        let json = json(&site).await;
        assert_eq!(json["items"][0]["image"], "http://news.example.org/files/still.jpg");
        assert_eq!(json["items"][1]["image"], serde_json::Value::Null);
    })
    .await;
}

#[tokio::test]
async fn a_document_and_a_video_stand_beside_each_other() {
    on_each_engine(async |world| {
        let video = Some("https://www.youtube.com/watch?v=abc".to_owned());
        let image = Some("http://news.example.org/files/still.jpg".to_owned());
        let enclosures = vec![file("http://news.example.org/files/report.pdf", "application/pdf", Some(99))];
        Draft { enclosures, image, video, ..draft("en", "one", 1, &[]) }.save(&world).await;
        let (site, _) = published(&world).await;
        for path in ["/feed.xml", "/atom.xml"] {
            let found = entries(&site, path).await;
            assert_eq!(urls(&found[0], "media:content"), Vec::<String>::new(), "newsboat would play it in place of the PDF");
            assert_eq!(urls(&found[0], "media:player"), ["https://www.youtube.com/watch?v=abc"]);
            assert_eq!(urls(&found[0], "media:thumbnail"), ["http://news.example.org/files/still.jpg"]);
        }
        let found = entries(&site, "/feed.xml").await;
        assert_eq!(found[0].child("enclosure").unwrap().get("type"), "application/pdf");
    })
    .await;
}

#[tokio::test]
async fn a_video_of_ours_is_an_enclosure_of_its_exact_length() {
    on_each_engine(async |world| {
        let video = Some("http://news.example.org/files/films/a%20walk.mp4".to_owned());
        let id = Draft { video, ..draft("en", "one", 1, &[]) }.save(&world).await;
        sqlx::query("INSERT INTO article_file (article_id, path, stamp, media_type, length) VALUES ($1, $2, 'x', 'video/mp4', 4321)")
            .bind(id)
            .bind("films/a walk.mp4")
            .execute(world.db.reader())
            .await
            .unwrap();
        let (site, _) = published(&world).await;
        let found = entries(&site, "/feed.xml").await;
        let enclosure = found[0].child("enclosure").unwrap();
        let expected = ("http://news.example.org/files/films/a%20walk.mp4", "video/mp4", "4321");
        assert_eq!((enclosure.get("url"), enclosure.get("type"), enclosure.get("length")), expected);
        assert_eq!(enclosure_links(&entries(&site, "/atom.xml").await[0]), [expected]);
        let content = found[0].child("media:content").unwrap();
        assert_eq!((content.get("url"), content.get("medium"), content.get("fileSize")), (expected.0, "video", "4321"));
    })
    .await;
}
