//! The web server of a world, spoken to over real HTTP.

use super::World;
use clarion::address::{Address, Mailbox};
use clarion::digest::Schedule;
use clarion::feed::Shelf;
use clarion::language::Catalogue;
use clarion::mail::{self, EnvelopePattern, TransportSettings};
use clarion::web::{self, Kicks, Server, Shared, State};
use clarion::{content, delivery, digest, feed, notice, petition};
use reqwest::{Client, Method, RequestBuilder, Response, redirect};
use std::net::SocketAddr;
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A running server; it stops when this is dropped.
pub struct Site {
    /// Where it listens.
    pub address: SocketAddr,
    /// What its handlers share.
    pub state: State,
    client: Client,
    _running: DropGuard,
}

/// What a world's handlers share, with sensible settings. Change it before it is served.
pub fn shared(world: &World) -> Shared {
    let folder = world.folder.path();
    Shared {
        site: world.site.clone(),
        db: world.db.clone(),
        vault: world.vault.clone(),
        clock: world.clock.clone(),
        catalogue: Catalogue::shipped(),
        shelf: Shelf::default(),
        register: content::Register::default(),
        metrics: clarion::metrics::Metrics::default(),
        digests: vec![rhythm("daily", "0 8 * * *", world), rhythm("weekly", "0 8 * * Mon", world)],
        petitions: Some(petition::Settings {
            dir: folder.join("petitions"),
            missions_file: folder.join("missions.toml"),
            approvers: vec![Address::parse("chair@example.org").unwrap(), Address::parse("secretary@example.org").unwrap()],
            approvals_required: 1,
            stop_window: Duration::from_mins(10),
            late_limit: Duration::from_hours(12),
        }),
        feed: feed::Settings { items: 50, ttl: Duration::from_mins(30), hubs: Vec::new() },
        content: content::Settings { dir: folder.join("content"), announce_within: Duration::from_hours(14 * 24), sources: Vec::new() },
        mail: mail::Settings {
            from: Mailbox::parse("LFNKR <news@example.org>").unwrap(),
            reply_to: Some(Address::parse("office@example.org").unwrap()),
            envelope: EnvelopePattern::parse("bounces+{token}@example.org").unwrap(),
            transport: TransportSettings::File { dir: folder.join("mail") },
            dkim: None,
        },
        delivery: delivery::Settings { connections: 2, per_second: 0, on_doubt: delivery::OnDoubt::Retry },
        staff: vec![Address::parse("office@example.org").unwrap()],
        notices: notice::Settings { translations: true, draft_previews: true },
        web: web::Settings { listen: "127.0.0.1:0".parse().unwrap(), trusted_proxies: Vec::new(), metrics_listen: None },
        kicks: Kicks::default(),
    }
}

fn rhythm(name: &str, cron: &str, world: &World) -> digest::Settings {
    digest::Settings {
        name: name.to_owned(),
        schedule: Schedule::parse(cron).unwrap(),
        time_zone: world.site.time_zone.clone(),
        categories: Vec::new(),
        minimum_items: 1,
    }
}

/// Serves a world's pages and feeds.
pub async fn serve(world: &World) -> Site {
    serve_shared(shared(world)).await
}

/// Serves what was prepared with [`shared`].
pub async fn serve_shared(shared: Shared) -> Site {
    let state = State::new(shared);
    let server = Server::bind(state.web.listen, web::answers(state.clone())).await.unwrap();
    let address = server.address().unwrap();
    let shutdown = CancellationToken::new();
    tokio::spawn(server.run(shutdown.clone()));
    let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().no_gzip().build().unwrap();
    Site { address, state, client, _running: shutdown.drop_guard() }
}

impl Site {
    /// The URL of a path on this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A request; redirects are not followed.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// The answer to a GET.
    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// The status and the text of a page.
    pub async fn page(&self, path: &str) -> (u16, String) {
        let response = self.get(path).await;
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// The answer to a form sent with POST.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.request(Method::POST, path).form(fields).send().await.unwrap()
    }
}

/// A header of an answer, or nothing.
pub fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}
