//! Who fetches whole feeds without end waits (F22); nobody else does.

use super::{etag, publish, step};
use crate::support::articles::draft;
use crate::support::on_each_engine;
use crate::support::web::{Site, header, serve_shared, shared};
use reqwest::{Method, Response};

async fn fetch(site: &Site, network: &str, more: &[(&str, &str)]) -> Response {
    let request = site.request(Method::GET, "/feed.xml").header("x-forwarded-for", network);
    more.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

#[tokio::test]
async fn a_flood_of_whole_feeds_is_told_to_wait_and_a_reader_that_asks_well_never() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &[]).save(&world).await;
        let mut shared = shared(&world);
        shared.web.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        let site = serve_shared(shared).await;
        publish(&world, &step(&world, &site)).await;
        let mut served = 0;
        let refused = loop {
            let response = fetch(&site, "203.0.113.7", &[]).await;
            if response.status() != 200 {
                break response;
            }
            served += 1;
            assert!(served < 2_000, "nobody stops it");
        };
        assert!(served >= 500, "somebody who adds every feed of a site is no flood: {served}");
        assert_eq!(refused.status(), 429);
        assert_eq!((header(&refused, "retry-after"), header(&refused, "cache-control")), ("60", "no-store"));
        assert_eq!(header(&refused, "etag"), "");
        assert_eq!(fetch(&site, "203.0.113.99", &[]).await.status(), 429, "a neighbour in the same network");

        let tag = etag(&site, "/feed.xml").await;
        assert_eq!(fetch(&site, "203.0.113.7", &[("if-none-match", &tag)]).await.status(), 304);
        assert_eq!(fetch(&site, "203.0.113.7", &[("if-none-match", "\"old\"")]).await.status(), 200, "it asks well and gets the news");
        assert_eq!(fetch(&site, "198.51.100.7", &[]).await.status(), 200, "others notice nothing");
        world.pass(std::time::Duration::from_secs(60));
        assert_eq!(fetch(&site, "203.0.113.7", &[]).await.status(), 200, "after the time it was told");
        for _ in 0..1_200 {
            assert_eq!(site.get("/feed.xml").await.status(), 200, "who comes from here may be a proxy for everybody");
        }
    })
    .await;
}
