//! The web server's rooms, one per audience. What all share: state, errors, security headers.

mod annual;
mod approving;
mod archive;
mod article;
mod catalogue;
mod client;
mod conditional;
mod error;
mod excerpt;
mod express;
mod feed_address;
mod feed_page;
mod feeds;
mod fields;
mod files;
mod floods;
mod health;
mod impatient;
mod lanes;
mod layout;
mod page;
mod petitioning;
mod place;
mod previewing;
mod range;
mod reading;
mod server;
mod sitemap;
mod subscribing;

pub use error::WebError;
pub use layout::Layout;
pub use page::{html, no_store, private_page};
pub use server::{Answers, Server};

use crate::address::Address;
use crate::clock::Clock;
use crate::db::Db;
use crate::feed::{Readers, Shelf};
use crate::language::Catalogue;
use crate::metrics::Metrics;
use crate::site::Site;
use crate::task::Kick;
use crate::vault::Vault;
use crate::{content, delivery, digest, feed, mail, notice, petition};
use axum::Router;
use axum::middleware::from_fn;
use floods::Floods;
use ipnet::IpNet;
use std::net::SocketAddr;
use std::sync::Arc;

/// How the web server listens.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where pages and feeds are served.
    pub listen: SocketAddr,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Where metrics are served; `None`: nowhere.
    pub metrics_listen: Option<SocketAddr>,
}

/// What handlers share. Clones are cheap.
#[derive(Clone)]
pub struct State(Arc<Held>);

struct Held {
    shared: Shared,
    demand: feed::Demand,
    /// What every answer with a feed says.
    feed_head: feeds::Head,
    floods: Floods,
    readers: Readers,
}

/// The contents of [`State`].
pub struct Shared {
    /// The site.
    pub site: Site,
    /// The database.
    pub db: Db,
    /// Keys.
    pub vault: Vault,
    /// Time.
    pub clock: Clock,
    /// What Clarion says.
    pub catalogue: Catalogue,
    /// The feeds served now.
    pub shelf: Shelf,
    /// One line for each public article.
    pub register: content::Register,
    /// Counters.
    pub metrics: Metrics,
    /// Rhythms to choose from.
    pub digests: Vec<digest::Settings>,
    /// How petitions are run.
    pub petitions: Option<petition::Settings>,
    /// How feeds are made.
    pub feed: feed::Settings,
    /// Where files beside articles are.
    pub content: content::Settings,
    /// Who mail comes from.
    pub mail: mail::Settings,
    /// How mail is sent.
    pub delivery: delivery::Settings,
    /// Who is told of problems.
    pub staff: Vec<Address>,
    /// What they are told without their asking.
    pub notices: notice::Settings,
    /// How the server listens.
    pub web: Settings,
    /// Wakes the steps that a request gives work to.
    pub kicks: Kicks,
}

/// Hints to the steps that a request gives work to.
#[derive(Clone, Default)]
pub struct Kicks {
    /// Files of the content folder may have changed.
    pub content: Kick,
    /// Articles have changed.
    pub feed: Kick,
    /// Sign-ups are waiting.
    pub signup: Kick,
    /// Deliveries are waiting.
    pub delivery: Kick,
    /// A petition was approved or stopped.
    pub petition: Kick,
}

impl std::ops::Deref for State {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0.shared
    }
}

impl State {
    /// Shares what handlers need.
    pub fn new(shared: Shared) -> Self {
        let (clock, site, settings) = (shared.clock.clone(), shared.site.clone(), shared.feed.clone());
        let demand = feed::Demand::new(shared.db.clone(), clock, site, settings, shared.catalogue.clone(), shared.register.clone());
        let feed_head = feeds::Head::new(&shared.feed);
        Self(Arc::new(Held { shared, demand, feed_head, floods: Floods::default(), readers: Readers::default() }))
    }

    /// What aggregators say of their subscribers.
    pub fn readers(&self) -> &Readers {
        &self.0.readers
    }
}

/// Every address of the metrics listener.
pub fn metrics_router(state: State) -> Router {
    let render = |axum::extract::State(state): axum::extract::State<State>| async move {
        let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        ([(axum::http::header::CONTENT_TYPE, media_type)], state.metrics.render())
    };
    Router::new().route("/metrics", axum::routing::get(render)).layer(from_fn(server::in_time)).with_state(state)
}

/// Everything that the public server answers with.
pub fn answers(state: State) -> Answers {
    let router = Router::new()
        .merge(page::assets())
        .merge(archive::router(&state))
        .merge(health::router())
        .merge(catalogue::router(&state))
        .merge(files::router())
        .merge(previewing::router(&state))
        .merge(reading::router())
        .merge(sitemap::router())
        .merge(subscribing::router(&state))
        .merge(petitioning::router(&state))
        .merge(approving::router(&state))
        .layer(from_fn(server::in_time));
    Answers::with_feeds(state.clone(), page::with_common_headers(router, &state).with_state(state))
}
