//! Files of the old site, fetched on request to where they were.

use super::{Desk, post, whole};
use crate::support::host::{Host, Reply};
use crate::support::{World, on_each_engine};
use clarion::content::wordpress::{self, Options, Report};
use clarion::fetch::{Fetch, Rules};
use std::time::Duration;

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\nnot really";

async fn import(desk: &Desk<'_>, text: &str) -> Report {
    let rules = Rules { allow_private: true, most_octets: 1000, timeout: Duration::from_secs(20) };
    let client = Fetch::new(rules, &desk.world.site.base_url).unwrap();
    let path = desk.write_export(text);
    let now = desk.world.clock.now();
    wordpress::import(&path, &desk.into, &desk.world.site, &Options::default(), Some(&client), now, &mut |_| {}).await.unwrap()
}

#[tokio::test]
async fn files_lie_where_they_lay_and_links_lead_to_them() {
    on_each_engine(async |world: World| {
        let host = Host::begin(|asked| match asked.path() {
            "/wp-content/uploads/2011/07/%E5%86%99%E7%9C%9F.png" | "/wp-content/uploads/2011/07/a.png" => Reply::page("image/png", PICTURE),
            "/wp-content/uploads/2011/07/login.png" => Reply::page("text/html", "Log in"),
            "/wp-content/uploads/2011/07/large.png" => Reply::page("image/png", vec![0; 2000]),
            _ => Reply::Whole { status: 404, headers: Vec::new(), body: Vec::new() },
        })
        .await;
        let desk = Desk::new(&world);
        let old = format!("http://{}", host.address);
        let uploads = format!("{old}/wp-content/uploads/2011/07");
        let attachment = format!(
            "<item><title>A</title><wp:post_id>9</wp:post_id><wp:post_type>attachment</wp:post_type><wp:status>inherit</wp:status>\
             <wp:attachment_url>{uploads}/a.png</wp:attachment_url></item>"
        );
        let thumbnail = "<wp:postmeta><wp:meta_key>_thumbnail_id</wp:meta_key><wp:meta_value>9</wp:meta_value></wp:postmeta>";
        let text = format!(
            "<img src=\"{uploads}/%E5%86%99%E7%9C%9F.png\"> <img src=\"{uploads}/gone.png\"> <img src=\"{uploads}/login.png\"> <img src=\"{uploads}/large.png\"> <a href=\"{uploads}/x.php\">x</a> <a href=\"{old}/archives/2\">two</a>"
        );
        let export = whole(&(post(1, "one", &text, thumbnail) + &post(2, "two", "Two.", "") + &attachment)).replace("http://old.example.org", &old);
        let report = import(&desk, &export).await;
        assert_eq!((report.media.used, report.media.fetched, report.media.present), (5, 2, 2));
        let failed: Vec<&str> = report.media.failed.iter().map(|file| file.reason.as_str()).collect();
        assert_eq!(failed.len(), 3);
        assert!(failed.contains(&"the old site answered 404"), "{failed:?}");
        assert_eq!(std::fs::read(desk.into.join("wp-content/uploads/2011/07/写真.png")).unwrap(), PICTURE);
        let article = desk.text("2011/2011-07-05-one.html");
        for part in [
            "image = \"/wp-content/uploads/2011/07/a.png\"",
            "<img src=\"/wp-content/uploads/2011/07/%E5%86%99%E7%9C%9F.png\">",
            &format!("<img src=\"{uploads}/gone.png\">"),
            "<a href=\"/2011/07/two/\">two</a>",
        ] {
            assert!(article.contains(part), "{part} in {article}");
        }
        assert_eq!(desk.mistakes(), Vec::<String>::new());

        // What is here is not asked for again.
        host.take_asked();
        let report = import(&desk, &export).await;
        assert_eq!((report.media.fetched, report.media.present, report.unchanged), (0, 2, 2));
        assert_eq!(host.take_asked().len(), 3, "only what failed");
    })
    .await;
}
