//! Files beside articles: found, described, served, and followed when they change.

use super::{Room, STILLNESS, file};
use crate::support::web::{header, serve, serve_shared, shared};
use crate::support::{World, on_each_engine};
use clarion::clock::Clock;
use clarion::content::{self, ContentStep, Settings};
use clarion::metrics::Metrics;
use clarion::task::{self, Kick, Step as _};
use reqwest::Method;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

const DATE: &str = "2027-09-18";

/// The beginning of a PNG picture of a size, with so many octets after it.
fn png(width: u32, height: u32, more: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend((0..more).map(|at| u8::try_from(at % 251).unwrap()));
    bytes
}

/// Puts a file into the folder that was written a while ago.
fn put(room: &Room<'_>, path: &str, bytes: &[u8]) {
    let target = room.root.join(path);
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    let aside = room.world.folder.path().join("aside");
    fs::write(&aside, bytes).unwrap();
    File::options().write(true).open(&aside).unwrap().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)).unwrap();
    fs::rename(aside, target).unwrap();
}

#[tokio::test]
async fn a_picture_beside_an_article_is_shown_with_its_size_and_served() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        put(&room, "stories/a photo.png", &png(640, 480, 1000));
        put(&room, "shared/写真.png", &png(30, 20, 0));
        let text = "![A river](<a photo.png>)\n\n![Again](../shared/写真.png \"The bank\")\n\n[same](a%20photo.png#part)";
        room.save("stories/a.md", &file("A", DATE, "image = \"../shared/写真.png\"", text));
        room.scan().await;
        let article = room.article().await;
        let link = "http://news.example.org/files/stories/a%20photo.png";
        let other = "http://news.example.org/files/shared/%E5%86%99%E7%9C%9F.png";
        for part in [
            format!("<img src=\"{link}\" alt=\"A river\" width=\"640\" height=\"480\">"),
            format!("<figure><img src=\"{other}\" alt=\"Again\" width=\"30\" height=\"20\" loading=\"lazy\"><figcaption>The bank</figcaption></figure>"),
            format!("<a href=\"{link}#part\""),
        ] {
            assert!(article.body_html.contains(&part), "{part} in {}", article.body_html);
        }
        assert_eq!((article.image.as_deref(), room.problems().await), (Some(other), vec![]));

        let site = serve(&world).await;
        let answer = site.get("/files/stories/a%20photo.png").await;
        assert_eq!(answer.status(), 200);
        let expected = [
            ("content-type", "image/png"),
            ("content-length", "1033"),
            ("x-content-type-options", "nosniff"),
            ("accept-ranges", "bytes"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
            ("cache-control", "public, max-age=600"),
            ("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT"),
            ("content-disposition", ""),
        ];
        for (name, value) in expected {
            assert_eq!(header(&answer, name), value, "{name}");
        }
        assert_eq!(answer.bytes().await.unwrap(), png(640, 480, 1000));
        assert_eq!(site.get("/files/shared/写真.png").await.status(), 200);
    })
    .await;
}

#[tokio::test]
async fn a_file_is_served_whole_in_part_or_not_again() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        put(&room, "a.png", &png(1, 1, 967));
        room.save("a.md", &file("A", DATE, "", "![x](a.png)"));
        room.scan().await;
        let site = serve(&world).await;
        let whole = png(1, 1, 967);
        let ask = async |method: Method, headers: &[(&str, &str)]| {
            let request = headers.iter().fold(site.request(method, "/files/a.png"), |request, (name, value)| request.header(*name, *value));
            request.send().await.unwrap()
        };
        let answer = ask(Method::HEAD, &[("range", "bytes=0-1")]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "content-length")), (200, "1000"));
        let (etag, date) = (header(&answer, "etag").to_owned(), header(&answer, "last-modified").to_owned());
        assert!(etag.starts_with('"') && etag.len() > 20, "{etag}");
        assert!(answer.bytes().await.unwrap().is_empty());

        for unchanged in [("if-none-match", etag.as_str()), ("if-none-match", "*"), ("if-modified-since", &date)] {
            let answer = ask(Method::GET, &[unchanged]).await;
            assert_eq!((answer.status().as_u16(), header(&answer, "etag")), (304, etag.as_str()), "{unchanged:?}");
            assert_eq!(header(&answer, "cache-control"), "public, max-age=600");
            assert!(answer.bytes().await.unwrap().is_empty());
        }
        for (range, first, last) in [("bytes=0-9", 0, 9), ("bytes=990-", 990, 999), ("bytes=-10", 990, 999), ("bytes=5-99999", 5, 999)] {
            let answer = ask(Method::GET, &[("range", range), ("if-range", &etag)]).await;
            assert_eq!(answer.status(), 206, "{range}");
            assert_eq!(header(&answer, "content-range"), format!("bytes {first}-{last}/1000"));
            assert_eq!(header(&answer, "content-length"), (last - first + 1).to_string());
            assert_eq!(answer.bytes().await.unwrap(), whole[first..=last], "{range}");
        }
        for headers in [
            [("range", "bytes=0-9"), ("if-range", "\"other\"")],
            [("range", "bytes=0-9,20-29"), ("if-range", &etag)],
            [("range", "lines=0-9"), ("if-range", &date)],
        ] {
            let answer = ask(Method::GET, &headers).await;
            assert_eq!((answer.status().as_u16(), answer.bytes().await.unwrap().len()), (200, 1000), "{headers:?}");
        }
        let answer = ask(Method::GET, &[("range", "bytes=1000-")]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "content-range")), (416, "bytes */1000"));
        assert_eq!(ask(Method::GET, &[("if-match", "\"other\"")]).await.status(), 412);
        assert_eq!(ask(Method::POST, &[]).await.status(), 405);

        // Another picture of the same length and time is another file to caches.
        let mut other = whole.clone();
        other[999] ^= 1;
        put(&room, "a.png", &other);
        let answer = ask(Method::GET, &[("if-none-match", &etag)]).await;
        assert_eq!(answer.status(), 200);
        assert_ne!(header(&answer, "etag"), etag);
    })
    .await;
}

#[tokio::test]
async fn only_what_a_public_article_refers_to_is_served() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        let site = serve(&world).await;
        let status = async |path: &str| site.get(path).await.status().as_u16();
        for path in ["draft.png", "later.png", "both.png", "own.png", "nobody.png", ".hidden.png"] {
            put(&room, path, &png(1, 1, 0));
        }
        room.save("draft.md", &file("Draft", DATE, "draft = true", "![x](draft.png) ![y](both.png)"));
        room.save("later.md", &file("Later", "2027-12-01", "", "![x](later.png)"));
        room.save("own.md", &file("Own", DATE, "", "![x](own.png) ![y](both.png) ![z](.hidden.png) [d](draft.md)"));
        room.save("other.md", &file("Other", DATE, "", "![y](both.png)"));
        room.scan().await;
        let expected = [
            ("draft.png", 404),
            ("later.png", 404),
            ("nobody.png", 404),
            (".hidden.png", 404),
            ("own.md", 404),
            ("draft.md", 404),
            ("%2e%2e/clarion.key", 404),
            ("..%2fclarion.key", 404),
            ("%00.png", 404),
            ("own.png", 200),
            ("both.png", 200),
        ];
        for (path, expected) in expected {
            assert_eq!(status(&format!("/files/{path}")).await, expected, "{path}");
            assert_eq!(status(&format!("/{path}")).await, expected, "{path} at the root");
        }
        let problems = room.problems().await;
        assert!(problems.iter().any(|problem| problem.contains("“draft.md” is the file of an article")), "{problems:?}");

        // What is public becomes a draft, what was a draft public, and one article goes.
        room.save("draft.md", &file("Draft", DATE, "", "![x](draft.png)"));
        room.delete("own.md");
        world.pass(Duration::from_hours(24 * 100));
        room.scan_when_still().await;
        for (path, expected) in [("draft.png", 200), ("later.png", 200), ("own.png", 410), ("both.png", 200)] {
            assert_eq!(status(&format!("/files/{path}")).await, expected, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn files_of_the_old_site_keep_their_addresses() {
    on_each_engine(async |mut world: World| {
        world.site.legacy.push(clarion::site::LegacyHost::new("old.example.org", crate::support::language("en")));
        let room = Room::new(&world);
        put(&room, "wp-content/uploads/2011/07/x.png", &png(3, 2, 0));
        put(&room, "img/logo.png", &png(3, 2, 0));
        put(&room, "2011/07/y.png", &png(3, 2, 0));
        let text = "<img src='http://www.old.example.org/wp-content/uploads/2011/07/x.png'><a href=/img/logo.png>l</a><img src='y.png'>";
        room.save("2011/07/a.html", &file("A", DATE, "", text));
        room.scan().await;
        let body = room.article().await.body_html;
        assert!(body.contains("<img src=\"http://news.example.org/wp-content/uploads/2011/07/x.png\" width=\"3\" height=\"2\">"), "{body}");
        assert!(body.contains("href=\"http://news.example.org/files/img/logo.png\""), "{body}");
        let site = serve(&world).await;
        for path in ["/wp-content/uploads/2011/07/x.png", "/img/logo.png", "/2011/07/y.png", "/files/2011/07/y.png"] {
            assert_eq!(site.get(path).await.status(), 200, "{path}");
        }
        assert_eq!(room.problems().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn what_is_missing_is_a_warning_until_it_is_there() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        let site = serve(&world).await;
        put(&room, "Other.PNG", &png(1, 1, 0));
        let more = "[[enclosure]]\nurl = \"report.pdf\"";
        let text = "Text.\n\nSee ![x](photo.png), ![y](other.png), ![z](../../up.png),\n[page](../other/) and [t](/subscribe) and [p](notes.pdf).";
        room.save("a.md", &file("A", DATE, more, text));
        room.scan().await;
        let problems = room.problems().await;
        let expected = [
            "a.md:5:8: warning: there is no file “report.pdf” — put the file there (report.pdf in the content folder), or correct the link",
            "a.md:9:10: warning: there is no file “photo.png” — put the file there (photo.png in the content folder), or correct the link",
            "a.md:9:27: warning: there is no file “other.png” — the folder holds “Other.PNG”: write the name in exactly these letters, capitals included",
            "a.md:9:44: warning: “../../up.png” would be outside the content folder — put the file into the content folder and correct the link",
            "a.md:10:47: warning: there is no file “notes.pdf” — put the file there (notes.pdf in the content folder), or correct the link",
        ];
        assert_eq!(problems, expected);
        let settings = Settings { dir: room.root.clone(), announce_within: STILLNESS, sources: Vec::new() };
        let checked: Vec<String> = content::check(&settings, &world.site).iter().map(ToString::to_string).collect();
        assert_eq!(checked.len(), 5, "{checked:#?}");
        let before = room.article().await;
        assert!(before.body_html.contains("src=\"http://news.example.org/files/photo.png\" alt"), "{}", before.body_html);
        assert_eq!(site.get("/files/photo.png").await.status(), 404);

        // Only what programs see changes when they come: readers hold the same article.
        world.pass(Duration::from_mins(1));
        put(&room, "photo.png", &png(7, 5, 0));
        put(&room, "other.png", &png(7, 5, 0));
        put(&room, "notes.pdf", b"%PDF-1.7");
        room.scan().await;
        assert_eq!(room.problems().await.len(), 2, "{:?}", room.problems().await);
        let after = room.article().await;
        assert!(after.body_html.contains("alt=\"x\" width=\"7\" height=\"5\""), "{}", after.body_html);
        assert_eq!((after.updated_at, after.published_seq), (before.updated_at, before.published_seq));
        assert!(after.changed_seq > before.changed_seq);
        assert_eq!(site.get("/files/photo.png").await.status(), 200);
    })
    .await;
}

#[tokio::test]
async fn a_changed_file_changes_its_articles_and_a_vanished_one_does_not() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        put(&room, "a.png", &png(100, 50, 0));
        put(&room, "talk.mp3", b"ID3 short");
        let more = "[[enclosure]]\nurl = \"talk.mp3\"\nlength = 5";
        room.save("a.md", &file("A", DATE, more, "![x](a.png)"));
        room.save("b.ja.md", &file("B", DATE, "", "![x](a.png)"));
        room.scan().await;
        let enclosure = |articles: &[content::Article]| articles.iter().flat_map(|article| article.enclosures.clone()).next().unwrap();
        let first = enclosure(&room.articles().await);
        assert_eq!(
            (first.length, first.media_type.as_str(), first.url.as_str()),
            (Some(9), "audio/mpeg", "http://news.example.org/files/talk.mp3")
        );

        put(&room, "a.png", &png(200, 50, 0));
        put(&room, "talk.mp3", b"ID3 much longer");
        // Another step knows what was recorded: the daemon was not running when they changed.
        room.step.end().await.unwrap();
        let step = super::step(&world, &room.root, &Metrics::default());
        step.step().await.unwrap();
        let articles = room.articles().await;
        assert!(articles.iter().all(|article| article.body_html.contains("width=\"200\"")), "{articles:#?}");
        assert_eq!(enclosure(&articles).length, Some(15));

        // The disk of the pictures is not there for a while.
        fs::remove_file(room.root.join("a.png")).unwrap();
        step.look_at_everything();
        step.step().await.unwrap();
        let later = room.articles().await;
        assert_eq!(later, articles);
        let problems = room.problems().await;
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems.iter().all(|problem| problem.contains("there is no file “a.png”")), "{problems:?}");
        assert_eq!(serve(&world).await.get("/files/a.png").await.status(), 404);
    })
    .await;
}

#[tokio::test]
async fn nothing_served_can_run_in_our_name() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        put(&room, "page.jpg", b"<html><script>alert(1)</script>");
        put(&room, "drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>");
        put(&room, "data.xml", b"<?xml version='1.0'?><x/>");
        put(&room, "名 \"x\".docx", b"PK\x03\x04");
        put(&room, "report.pdf", b"%PDF-1.7");
        put(&room, "notes.txt", "日本語".as_bytes());
        let text = "![a](page.jpg) ![b](drawing.svg) [c](data.xml) [d](<名 \"x\".docx>) [e](report.pdf) [f](notes.txt)";
        room.save("a.md", &file("A", DATE, "", text));
        room.scan().await;
        let site = serve(&world).await;
        for (path, media_type, disposition) in [
            ("page.jpg", "application/octet-stream", "attachment; filename*=UTF-8''page.jpg"),
            ("drawing.svg", "image/svg+xml", "attachment; filename*=UTF-8''drawing.svg"),
            ("data.xml", "application/octet-stream", "attachment; filename*=UTF-8''data.xml"),
            (
                "%E5%90%8D%20%22x%22.docx",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "attachment; filename*=UTF-8''%E5%90%8D%20%22x%22.docx",
            ),
            ("report.pdf", "application/pdf", ""),
            ("notes.txt", "text/plain; charset=utf-8", ""),
        ] {
            let answer = site.get(&format!("/files/{path}")).await;
            assert_eq!(answer.status(), 200, "{path}");
            assert_eq!((header(&answer, "content-type"), header(&answer, "content-disposition")), (media_type, disposition), "{path}");
            assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
            assert!(header(&answer, "content-security-policy").starts_with("default-src 'none'"));
        }
        let problems = room.problems().await;
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("“page.jpg” is not what its name says (image/jpeg)"), "{problems:?}");
    })
    .await;
}

#[tokio::test]
async fn no_link_of_the_folder_leads_readers_out_of_it() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        let secret = world.folder.path().join("secret.png");
        fs::write(&secret, png(1, 1, 0)).unwrap();
        put(&room, "real.png", &png(1, 1, 0));
        put(&room, "swapped.png", &png(1, 1, 0));
        symlink(&secret, room.root.join("absolute.png")).unwrap();
        symlink("../secret.png", room.root.join("relative.png")).unwrap();
        symlink("real.png", room.root.join("alias.png")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(room.root.join("pipe.png")).status().unwrap().success());
        room.save("a.md", &file("A", DATE, "", "![a](absolute.png) ![b](relative.png) ![c](alias.png) ![d](swapped.png) ![e](pipe.png)"));
        room.scan().await;
        assert_eq!(room.problems().await.len(), 3, "{:?}", room.problems().await);
        // After it was seen, a file becomes a way out.
        fs::remove_file(room.root.join("swapped.png")).unwrap();
        symlink(&secret, room.root.join("swapped.png")).unwrap();
        let site = serve(&world).await;
        for (path, expected) in [("absolute", 404), ("relative", 404), ("swapped", 404), ("pipe", 404), ("alias", 200)] {
            assert_eq!(site.get(&format!("/files/{path}.png")).await.status(), expected, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_folder_that_is_not_there_now_is_asked_for_again() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        put(&room, "a.png", &png(1, 1, 0));
        room.save("a.md", &file("A", DATE, "", "![a](a.png)"));
        room.scan().await;
        let site = serve(&world).await;
        let away = world.folder.path().join("away");
        fs::rename(&room.root, &away).unwrap();
        let answer = site.get("/files/a.png").await;
        assert_eq!((answer.status().as_u16(), header(&answer, "retry-after")), (503, "30"));
        // An empty mount point.
        fs::create_dir(&room.root).unwrap();
        room.scan_when_still().await;
        assert_eq!(site.get("/files/a.png").await.status(), 503);
        fs::remove_dir(&room.root).unwrap();
        fs::rename(&away, &room.root).unwrap();
        assert_eq!(site.get("/files/a.png").await.status(), 200);
    })
    .await;
}

#[tokio::test]
async fn a_long_recording_is_sent_from_where_it_is_asked_for() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        put(&room, "talk.mp4", b"\0\0\0\x18ftypmp42");
        let length = 3 << 30;
        let recording = File::options().write(true).open(room.root.join("talk.mp4")).unwrap();
        recording.set_len(length).unwrap();
        recording.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)).unwrap();
        put(&room, "still.png", &png(16, 9, 0));
        room.save("a.md", &file("A", DATE, "video = \"talk.mp4\"\nimage = \"still.png\"", "Text."));
        room.scan().await;
        let site = serve(&world).await;
        let answer = site.request(Method::GET, "/files/talk.mp4").header("range", format!("bytes={}-", length - 5)).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (206, "video/mp4"));
        assert_eq!(answer.bytes().await.unwrap().len(), 5);
        let answer = site.get("/files/talk.mp4").await;
        assert_eq!(header(&answer, "content-length"), length.to_string());
        drop(answer);

        let page = site.get("/2027/09/a/").await;
        assert!(header(&page, "content-security-policy").contains("media-src 'self'"), "{page:?}");
        let page = page.text().await.unwrap();
        assert!(
            page.contains("<video controls preload=\"none\" playsinline poster=\"http://news.example.org/files/still.png\">"),
            "{page}"
        );
        assert!(page.contains("<source src=\"http://news.example.org/files/talk.mp4\" type=\"video/mp4\">"), "{page}");
    })
    .await;
}

#[tokio::test]
async fn a_video_elsewhere_is_a_card_on_the_page_and_a_link_in_feeds() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        put(&room, "still.png", &png(16, 9, 0));
        room.save("a.md", &file("A", DATE, "video = \"https://www.youtube.com/embed/abc123?rel=0\"\nimage = \"still.png\"", "Text."));
        room.save("b.md", &file("B", DATE, "video = \"https://vimeo.com/123\"", "Text."));
        room.scan().await;
        let articles = room.articles().await;
        let a = articles.iter().find(|article| article.title == "A").unwrap();
        assert_eq!((a.video.as_deref(), a.summary.as_str()), (Some("https://www.youtube.com/watch?v=abc123"), "Text."));
        assert_eq!(a.body_html, "<p>Text.</p>\n");
        let still = "http://news.example.org/files/still.png";
        assert!(a.body_with_video().contains(&format!("<a href=\"https://www.youtube.com/watch?v=abc123\"><img src=\"{still}\"")));
        let site = serve(&world).await;
        let page = site.get("/2027/09/a/").await;
        assert!(!header(&page, "content-security-policy").contains("media-src"));
        let page = page.text().await.unwrap();
        assert!(page.contains("<p class=\"video\"><a href=\"https://www.youtube.com/watch?v=abc123\""), "{page}");
        assert!(page.contains("on YouTube, which learns of your visit only if you follow this link"), "{page}");
        assert_eq!(page.matches(&format!("src=\"{still}\"")).count(), 1, "{page}");
        assert!(!page.contains("src=\"https://") && !page.contains("<iframe"), "{page}");
        let (_, page) = site.page("/2027/09/b/").await;
        assert!(page.contains("<p class=\"video\"><a href=\"https://vimeo.com/123\"") && page.contains("on Vimeo,"), "{page}");
    })
    .await;
}

#[tokio::test]
async fn a_picture_that_tells_where_it_was_taken_is_told() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        // A JPEG, turned by a quarter, of 40 by 30 as stored, with a GPS directory.
        let mut jpeg =
            b"\xff\xd8\xff\xe1\0\x2aExif\0\0II*\0\x08\0\0\0\x02\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\x25\x88\x04\0\x01\0\0\0\x1a\0\0\0"
                .to_vec();
        jpeg.extend(b"\xff\xc0\0\x11\x08\0\x1e\0\x28\x03\x01\x22\0\x02\x11\x01\x03\x11\x01");
        put(&room, "a.jpg", &jpeg);
        room.save("a.md", &file("A", DATE, "", "![a](a.jpg)"));
        room.scan().await;
        let problems = room.problems().await;
        assert!(problems.len() == 1 && problems[0].contains("says in its hidden data where it was taken"), "{problems:?}");
        assert!(room.article().await.body_html.contains("width=\"30\" height=\"40\""), "{}", room.article().await.body_html);
    })
    .await;
}

#[tokio::test]
async fn stars_that_readers_would_see_are_told() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        room.save("a.ja.md", &file("A", DATE, "", "一行目。\n彼は**「帰る」**と言った。"));
        room.scan().await;
        let problems = room.problems().await;
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("a.ja.md:7:3: warning: the stars ** do not make bold type here"), "{problems:?}");
    })
    .await;
}

#[tokio::test]
async fn a_picture_written_in_place_is_seen_when_it_is_still() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        put(&room, "a.png", &png(1, 1, 0));
        room.save("a.md", &file("A", DATE, "", "![a](a.png)"));
        let settings = Settings { dir: room.root.clone(), announce_within: Duration::from_hours(14 * 24), sources: Vec::new() };
        let (wake, changed) = (Kick::default(), Kick::default());
        let site = Arc::new(world.site.clone());
        let step = ContentStep::new(world.db.clone(), Clock::system(), site, settings, Metrics::default(), wake.clone(), changed)
            .with_stillness(STILLNESS)
            .watching();
        step.step().await.unwrap();
        let shutdown = tokio_util::sync::CancellationToken::new();
        let running = tokio::spawn(task::run(Arc::new(step), Clock::system(), wake, shutdown.clone()));
        assert_eq!(room.titles().await, Vec::<String>::new(), "by the machine's clock its day has not come");
        let told = async || {
            sqlx::query_scalar::<_, Option<i64>>("SELECT MAX(width) FROM article_file").fetch_one(world.db.reader()).await.unwrap()
        };
        assert_eq!(told().await, Some(1));
        fs::write(room.root.join("a.png"), png(9, 9, 5)).unwrap();
        let began = Instant::now();
        while told().await != Some(9) {
            assert!(began.elapsed() < Duration::from_secs(20), "the new picture was never seen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        shutdown.cancel();
        running.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_page_of_another_room_serves_no_files() {
    on_each_engine(async |world: World| {
        let room = Room::new(&world);
        put(&room, "a.png", &png(1, 1, 0));
        let site = serve_shared(shared(&world)).await;
        let language = crate::support::language("en");
        let page = content::Page {
            source: "petition",
            path: "x",
            language: &language,
            translation_group: "x",
            title: "X",
            summary: "X",
            markdown: "![x](/files/a.png)",
            categories: &[],
            canonical_url: "http://news.example.org/petitions/x/",
        };
        let mut tx = world.db.begin().await.unwrap();
        content::publish_page(&mut tx, &world.site, &page, world.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(site.get("/files/a.png").await.status(), 404);
    })
    .await;
}
