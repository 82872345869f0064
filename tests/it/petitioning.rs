//! Pages of petitions over HTTP.

use crate::petition::Bench;
use crate::petition::{links, subscribers};
use crate::support::web::{Site, header, serve};
use crate::support::{World, on_each_engine};
use std::time::Duration;

async fn launched(world: &World) -> (Bench, Site) {
    let bench = Bench::new(world);
    subscribers(world).await;
    bench.settle(world).await;
    bench.approve("call").await.unwrap();
    bench.at(world, "2027-09-22T09:00:00+09:00").await;
    (bench, serve(world).await)
}

/// Everything a page could change, in one line.
async fn everything(world: &World) -> String {
    let mut state: Vec<String> = Vec::new();
    for sql in [
        "SELECT CAST(COUNT(*) AS BIGINT) FROM petition_approval",
        "SELECT CAST(COUNT(*) AS BIGINT) FROM petition_act",
        "SELECT CAST(COUNT(stopped_at) AS BIGINT) FROM petition_edition",
        "SELECT CAST(COUNT(approved_at) AS BIGINT) FROM petition_step",
        "SELECT CAST(COUNT(*) AS BIGINT) FROM delivery WHERE state = 'queued'",
        "SELECT value FROM counter WHERE name = 'notice'",
    ] {
        let count: i64 = sqlx::query_scalar(sql).fetch_one(world.db.reader()).await.unwrap();
        state.push(count.to_string());
    }
    state.join(" ")
}

#[tokio::test]
async fn a_petition_is_seen_only_from_its_launch_on_and_as_it_was_launched() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        subscribers(&world).await;
        let site = serve(&world).await;
        bench.settle(&world).await;
        bench.approve("call").await.unwrap();
        for path in ["/petitions/day/", "/petitions/day/2027/", "/petitions/day/letter/cn-tokyo", "/petitions/none/"] {
            assert_eq!(site.page(path).await.0, 404, "{path}");
        }
        bench.at(&world, "2027-09-22T09:00:00+09:00").await;
        bench.write("call.en.md", "# A draft\n\nNot for the public.\n");
        bench.settle(&world).await;
        let (status, page) = site.page("/petitions/day/").await;
        assert_eq!(status, 200);
        assert!(page.contains("<strong>write</strong>") && page.contains("Embassy in Tokyo") && !page.contains("Not for the public"), "{page}");
        let (status, page) = site.page("/ja/petitions/day/2027/").await;
        assert!(status == 200 && page.contains("お手紙をお書きください。") && page.contains("難民の日"), "{page}");
        assert_eq!(header(&site.get("/petitions/day").await, "location"), "/petitions/day/");
        assert_eq!(site.page("/xx/petitions/day/").await.0, 404);
        let in_feeds: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM article a JOIN article_category c ON c.article_id = a.id WHERE a.source = 'petition' AND c.slug = 'petitions'")
            .fetch_one(world.db.reader())
            .await
            .unwrap();
        assert_eq!(in_feeds, 2, "one entry in each language");
    })
    .await;
}

#[tokio::test]
async fn a_letter_is_filled_and_nothing_kept() {
    on_each_engine(async |world: World| {
        let (_bench, site) = launched(&world).await;
        let (status, page) = site.page("/petitions/day/letter/cn-tokyo").await;
        assert_eq!(status, 200);
        assert!(page.contains("大使閣下") && page.contains("Excellency,"), "the addressee's language beside the reader's: {page}");
        assert!(page.contains("The embassy will read what you write here."), "{page}");
        let before = everything(&world).await;
        let fields = [("lang", "ja"), ("name", "金 <b>"), ("town", "Osaka"), ("form", "page")];
        let response = site.post("/petitions/day/letter/cn-tokyo", &fields).await;
        assert_eq!(header(&response, "cache-control"), "no-store");
        let page = response.text().await.unwrap();
        assert!(page.contains("金 &#60;b&#62;\nOsaka"), "{page}");
        assert!(page.contains("mailto:embassy@example.org?subject=%E4%BF%9D"), "{page}");
        let response = site.post("/petitions/day/letter/cn-tokyo", &[("lang", "ja"), ("name", "金"), ("form", "eml")]).await;
        assert_eq!(header(&response, "content-type"), "message/rfc822");
        assert!(response.text().await.unwrap().starts_with("To: embassy@example.org\r\nSubject: =?UTF-8?B?"));
        assert_eq!(everything(&world).await, before);
        assert_eq!(site.page("/petitions/day/letter/nobody").await.0, 404);
    })
    .await;
}

#[tokio::test]
async fn links_act_on_post_and_never_on_get() {
    on_each_engine(async |world: World| {
        let (bench, site) = launched(&world).await;
        let done = &links(&world, "done").await[1];
        let done = format!("{}{}", done.path, world.vault.token(&done.claims));
        assert!(done.starts_with("/ja/petitions/day/done/"), "{done}");
        let approve = format!("/approve/{}", bench.tokens(&world, "approve").await[0]);
        let stop = format!("/stop/{}", bench.tokens(&world, "stop").await[0]);
        let before = everything(&world).await;
        for path in [&done, &approve, &stop] {
            for _ in 0..3 {
                assert_eq!(site.page(path).await.0, 200, "{path}");
                site.request(reqwest::Method::HEAD, path).send().await.unwrap();
            }
        }
        assert_eq!(everything(&world).await, before);
        assert!(site.page(&stop).await.1.contains("petition “Refugees Day” (2027)"), "by its name, not its slug");
        assert_eq!(site.post(&done, &[]).await.status(), 200);
        assert_eq!(site.post(&done, &[]).await.status(), 200);
        let acted: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM petition_act").fetch_one(world.db.reader()).await.unwrap();
        assert_eq!(acted, 1);
        let (_, page) = site.page("/petitions/day/").await;
        assert!(page.contains("One supporter has done it already."), "{page}");
    })
    .await;
}

#[tokio::test]
async fn an_approver_sees_each_text_and_approves_with_a_button() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        subscribers(&world).await;
        bench.settle(&world).await;
        let site = serve(&world).await;
        let path = format!("/approve/{}", bench.tokens(&world, "approve").await[0]);
        let (status, page) = site.page(&path).await;
        assert_eq!(status, 200);
        for words in [
            "Wednesday, 22 September 2027, 09:00 (Asia/Tokyo)",
            "<strong>write</strong>",
            "お手紙をお書きください。",
            "2 people",
            "Approve “call”",
        ] {
            assert!(page.contains(words), "{words:?} is not in {page}");
        }
        assert!(!page.contains("slot:"), "{page}");
        let answer = site.post(&path, &[("step", "call")]).await;
        assert_eq!(answer.status(), 200);
        let page = answer.text().await.unwrap();
        assert!(page.contains("You approved: call") && !page.contains("Approve “call”") && page.contains("Approve “thanks”"), "{page}");
        assert_eq!(site.post(&path, &[("step", "call")]).await.status(), 409, "it does not wait any more");
        assert_eq!(site.post(&path, &[]).await.status(), 200, "all that waits");
        bench.at(&world, "2027-09-22T09:00:00+09:00").await;
        assert_eq!(crate::petition::deliveries(&world, "petition:day:2027:call").await.len(), 2);
        for path in ["/approve/nonsense", "/stop/nonsense", "/petitions/day/done/nonsense"] {
            assert_eq!(site.page(path).await.0, 404, "{path}");
            assert_eq!(site.post(path, &[]).await.status(), 404, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_stop_link_stops() {
    on_each_engine(async |world: World| {
        let bench = Bench::new(&world);
        subscribers(&world).await;
        bench.settle(&world).await;
        let site = serve(&world).await;
        let approve = format!("/approve/{}", bench.tokens(&world, "approve").await[0]);
        site.post(&approve, &[("step", "call")]).await;
        let stop = format!("/stop/{}", bench.tokens(&world, "stop").await[0]);
        assert_eq!(site.post(&stop, &[]).await.status(), 200);
        let (_, page) = site.page(&stop).await;
        assert!(page.contains("The petition is stopped"), "{page}");
        bench.at(&world, "2027-09-22T09:00:00+09:00").await;
        bench.pass(&world, Duration::from_mins(20)).await;
        assert!(crate::petition::deliveries(&world, "petition:day:2027:call").await.is_empty());
        assert_eq!(site.post(&approve, &[("step", "thanks")]).await.status(), 409);
    })
    .await;
}
