//! Names and helps of all metrics, in one place, so that no label ever names a person.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::Arc;

/// How a delivery ended, as a label.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Outcome {
    /// A state of a delivery.
    pub state: String,
}

/// A relay, as a label: what the configuration calls it.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct RelayName {
    /// `host:port`.
    pub relay: String,
}

/// Whose readers, as labels.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Readership {
    /// The path of the feed.
    pub feed: String,
    /// The aggregator, by one of a few names.
    pub aggregator: String,
}

/// What came in, as a label.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Arrival {
    /// A kind of message.
    pub kind: String,
}

/// All metrics. Clones count together.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// Deliveries settled, by state.
    pub deliveries: Family<Outcome, Counter>,
    /// Whether each relay takes mail: 1 or 0.
    pub relay_up: Family<RelayName, Gauge>,
    /// Files of the content store that are not understood now.
    pub content_problems: Gauge,
    /// Sites that are followed and cannot be read now.
    pub source_problems: Gauge,
    /// Articles that are public now.
    pub articles: Gauge,
    /// Feeds published since the start.
    pub feeds_published: Counter,
    /// Feeds of which the last good bytes stay, because the new ones are not fit to be published.
    pub feeds_kept_back: Gauge,
    /// Articles that are in no feed because they would spoil it.
    pub feed_entries_left_out: Gauge,
    /// Characters of the articles in feeds that XML cannot carry, and that are left out.
    pub feed_characters_removed: Gauge,
    /// Hubs told of a change, since the start.
    pub hub_pings: Counter,
    /// Requests answered.
    pub requests: Counter,
    /// What aggregators said last of their subscribers.
    pub feed_readers: Family<Readership, Gauge>,
    /// Mails that came in, ever, by what they were.
    pub inbound: Family<Arrival, Gauge>,
    /// Mails that came in and wait for staff.
    pub inbound_waiting: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("clarion");
        let deliveries = Family::default();
        registry.register("deliveries", "Deliveries settled, by state", deliveries.clone());
        let relay_up = Family::default();
        registry.register("relay_up", "Whether a relay takes mail", relay_up.clone());
        let content_problems = Gauge::default();
        registry.register("content_problems", "Files of the content store that are not understood now", content_problems.clone());
        let source_problems = Gauge::default();
        registry.register("source_problems", "Sites that are followed and cannot be read now", source_problems.clone());
        let articles = Gauge::default();
        registry.register("articles", "Articles that are public now", articles.clone());
        let feeds_published = Counter::default();
        registry.register("feeds_published", "Feeds published since the start", feeds_published.clone());
        let feeds_kept_back = Gauge::default();
        registry.register("feeds_kept_back", "Feeds whose last good version stays because the new one is not fit", feeds_kept_back.clone());
        let feed_entries_left_out = Gauge::default();
        registry.register(
            "feed_entries_left_out",
            "Articles that are in no feed because they would spoil it",
            feed_entries_left_out.clone(),
        );
        let feed_characters_removed = Gauge::default();
        registry.register(
            "feed_characters_removed",
            "Characters left out of the articles in feeds, since XML cannot carry them",
            feed_characters_removed.clone(),
        );
        let hub_pings = Counter::default();
        registry.register("hub_pings", "Hubs told of a change since the start", hub_pings.clone());
        let requests = Counter::default();
        registry.register("http_requests", "HTTP requests answered", requests.clone());
        let feed_readers = Family::default();
        registry.register("feed_readers", "Subscribers that aggregators say they have, by feed", feed_readers.clone());
        let inbound = Family::default();
        registry.register("inbound", "Mails that came in, ever, by what they were", inbound.clone());
        let inbound_waiting = Gauge::default();
        registry.register("inbound_waiting", "Mails that came in, are not understood and wait for staff", inbound_waiting.clone());
        Self {
            registry: Arc::new(registry),
            deliveries,
            relay_up,
            content_problems,
            source_problems,
            articles,
            feeds_published,
            feeds_kept_back,
            feed_entries_left_out,
            feed_characters_removed,
            hub_pings,
            requests,
            feed_readers,
            inbound,
            inbound_waiting,
        }
    }
}

impl Metrics {
    /// The OpenMetrics text of all metrics.
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
