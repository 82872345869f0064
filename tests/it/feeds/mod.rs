//! Feeds as readers meet them: over HTTP, from articles in the store.

mod addresses;
mod browser;
mod catalogue;
mod conditional;
mod demand;
mod documents;
mod express;
mod floods;
mod gate;
mod history;
mod http;
mod hubs;
mod imprint;
mod judge;
mod media;
mod publication;
mod readers;
mod retirement;
mod rules;
mod selection;
mod size;
mod texts;
mod tombstones;
mod topics;
mod tree;
mod untouched;
mod validator;

use crate::support::World;
use crate::support::web::{Site, header, serve};
use clarion::feed::FeedStep;
use clarion::task::{Step as _, Wake};

/// The step that publishes to a site's shelf.
fn step(world: &World, site: &Site) -> FeedStep {
    let (state, settings) = (&site.state, site.state.feed.clone());
    FeedStep::new(world.db.clone(), world.clock.clone(), state.site.clone(), settings, state.shelf.clone(), state.metrics.clone())
}

/// Calls the step until nothing is left to do, also what waits for the next second.
async fn publish(world: &World, step: &FeedStep) {
    loop {
        match step.step().await.unwrap() {
            Wake::Now => {}
            Wake::At(instant) => tokio::time::sleep(instant.since(world.clock.now())).await,
            Wake::WhenKicked => break,
        }
    }
}

async fn published(world: &World) -> (Site, FeedStep) {
    let site = serve(world).await;
    let step = step(world, &site);
    publish(world, &step).await;
    (site, step)
}

async fn rss(site: &Site, path: &str) -> rss::Channel {
    let (status, text) = site.page(path).await;
    assert_eq!(status, 200, "{path}");
    text.parse().unwrap()
}

async fn titles(site: &Site, path: &str) -> Vec<String> {
    rss(site, path).await.items.into_iter().filter_map(|item| item.title).collect()
}

async fn etag(site: &Site, path: &str) -> String {
    header(&site.get(path).await, "etag").to_owned()
}
