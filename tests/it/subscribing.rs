//! What supporters do on the pages: subscribe, confirm, choose, leave. Over real HTTP.

use crate::support::web::{self, Site, header};
use crate::support::{World, language, on_each_engine};
use clarion::address::Address;
use clarion::addressbook::{self, Stream};
use clarion::content::{self, Page};
use clarion::delivery::PersonalLink;
use clarion::language::Catalogue;
use clarion::site::Retirement;
use clarion::subscription::{self, ConsentKind, Method as Way, SignupStep, Subscription, SubscriptionState};
use clarion::task::{Kick, Step as _, Wake};
use clarion::vault::{Claims, Purpose};
use reqwest::{Method, Response};
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// A world whose pages are served, and whose sign-ups are handled when the test says so.
struct House {
    world: World,
    site: Site,
    step: SignupStep,
}

impl House {
    async fn open(world: World) -> Self {
        let mut shared = web::shared(&world);
        shared.web.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        let digests = shared.digests.iter().map(|digest| digest.name.clone()).collect();
        let (db, vault, clock) = (world.db.clone(), world.vault.clone(), world.clock.clone());
        let step = SignupStep::new(db, vault, clock, world.site.clone(), Catalogue::shipped(), digests, Kick::default());
        Self { site: web::serve_shared(shared).await, world, step }
    }

    /// Sends a form from a client's address.
    async fn send(&self, from: &str, path: &str, fields: &[(&str, &str)]) -> Response {
        self.site.request(Method::POST, path).header("x-forwarded-for", from).form(fields).send().await.unwrap()
    }

    /// Fills the form as a person does: reads the page, takes a while, presses the button.
    async fn subscribe(&self, from: &str, address: &str, more: &[(&str, &str)]) -> Response {
        self.fill(from, "/subscribe", address, more).await
    }

    async fn fill(&self, from: &str, path: &str, address: &str, more: &[(&str, &str)]) -> Response {
        let (_, page) = self.site.page(path).await;
        let token = form_token(&page);
        self.world.pass(Duration::from_secs(5));
        let fields: Vec<_> = [("address", address), ("form", &token)].into_iter().chain(more.iter().copied()).collect();
        self.send(from, path, &fields).await
    }

    /// Lets the step handle everything that waits.
    async fn settle(&self) {
        while self.step.step().await.unwrap() == Wake::Now {}
    }

    async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.world.db.reader()).await.unwrap()
    }

    /// The paths of all personal links in the ledger, in order, as a mail program would find them.
    async fn links(&self) -> Vec<String> {
        let stored: Vec<String> = sqlx::query_scalar("SELECT personal FROM delivery WHERE personal IS NOT NULL ORDER BY id")
            .fetch_all(self.world.db.reader())
            .await
            .unwrap();
        let links = stored.iter().flat_map(|text| serde_json::from_str::<Vec<PersonalLink>>(text).unwrap());
        links.map(|link| format!("{}{}", link.path, self.world.vault.token(&link.claims))).collect()
    }

    async fn last_link(&self) -> String {
        self.links().await.pop().expect("a mail with a link")
    }

    async fn person(&self, address: &str) -> Option<i64> {
        let mut connection = self.world.db.reader().acquire().await.unwrap();
        addressbook::find(&mut connection, &self.world.vault, &Address::parse(address).unwrap()).await.unwrap()
    }

    async fn subscription(&self, person: i64) -> Option<Subscription> {
        subscription::subscription(&mut self.world.db.reader().acquire().await.unwrap(), person).await.unwrap()
    }

    async fn history(&self, person: i64) -> Vec<(ConsentKind, Way)> {
        let mut connection = self.world.db.reader().acquire().await.unwrap();
        let events = subscription::consent_events(&mut connection, person).await.unwrap();
        events.iter().map(|event| (event.kind, event.method)).collect()
    }

    /// Subscribes and confirms.
    async fn member(&self, from: &str, address: &str, more: &[(&str, &str)]) -> i64 {
        assert_eq!(self.subscribe(from, address, more).await.status(), 200);
        self.settle().await;
        assert_eq!(self.site.post(&self.last_link().await, &[]).await.status(), 200);
        self.person(address).await.unwrap()
    }

    fn way_out(&self, person: i64) -> String {
        format!("/unsubscribe/{}", self.world.vault.token(&Claims::lasting(Purpose::Unsubscribe, person)))
    }

    /// Everything the database holds, to see whether anything changed.
    async fn contents(&self) -> String {
        let mut all = String::new();
        for sql in [
            "SELECT CAST(id AS TEXT) || state || COALESCE(CAST(settled_at AS TEXT), '') FROM signup ORDER BY id",
            "SELECT CAST(person_id AS TEXT) || state || rhythm || CAST(watermark AS TEXT) FROM subscription ORDER BY person_id",
            "SELECT CAST(person_id AS TEXT) || stream FROM refusal ORDER BY person_id, stream",
            "SELECT CAST(id AS TEXT) || kind FROM consent_event ORDER BY id",
            "SELECT CAST(id AS TEXT) || state FROM delivery ORDER BY id",
            "SELECT CAST(id AS TEXT) || COALESCE(address_index, 'erased') FROM person ORDER BY id",
            "SELECT name || CAST(value AS TEXT) FROM counter ORDER BY name",
        ] {
            let rows: Vec<String> = sqlx::query_scalar(sql).fetch_all(self.world.db.reader()).await.unwrap();
            all.push_str(&rows.join("\n"));
        }
        all
    }
}

fn form_token(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"form\" value=\"").expect("the form has a token");
    rest.split('"').next().unwrap().to_owned()
}

async fn text(response: Response) -> String {
    response.text().await.unwrap()
}

#[tokio::test]
async fn a_person_subscribes_confirms_changes_leaves_and_comes_back() {
    on_each_engine(async |world: World| {
        let house = House::open(world).await;
        publish(&house.world).await;
        let chosen = [("topic", "defectors"), ("topic", "petitions"), ("language", "ja"), ("language", "en"), ("rhythm", "weekly")];
        let sent = house.subscribe("192.0.2.1", "kim@example.org", &chosen).await;
        assert!(text(sent).await.contains("Please check your mail"));
        assert_eq!(house.links().await, Vec::<String>::new(), "the page itself mails nothing");
        house.settle().await;
        assert_eq!(house.count("SELECT COUNT(*) FROM signup WHERE address_sealed IS NOT NULL").await, 0);

        let link = house.last_link().await;
        let (status, page) = house.site.page(&link).await;
        assert_eq!(status, 200);
        assert!(page.contains("Defectors") && page.contains("日本語") && page.contains("Once a week"), "{page}");
        let person = house.person("kim@example.org").await.unwrap();
        assert_eq!(house.subscription(person).await.unwrap().state, SubscriptionState::Pending);

        assert!(text(house.site.post(&link, &[]).await).await.contains("Welcome"));
        let found = house.subscription(person).await.unwrap();
        assert_eq!(found.state, SubscriptionState::Active);
        assert_eq!(found.choices.topics.iter().map(String::as_str).collect::<Vec<_>>(), ["defectors", "petitions"]);
        assert_eq!(found.choices.languages, [language("ja"), language("en")]);
        assert_eq!(found.choices.rhythm, "weekly");
        assert!(text(house.site.post(&link, &[]).await).await.contains("confirmed already"));
        let readers = subscription::readers(&mut house.world.db.reader().acquire().await.unwrap(), None, 0, 10).await.unwrap();
        assert_eq!(readers[0].watermark, 1, "what was published before is not mailed");

        house.world.pass(DAY);
        assert_eq!(house.fill("192.0.2.1", "/preferences", "kim@example.org", &[]).await.status(), 200);
        house.settle().await;
        let preferences = house.last_link().await;
        assert!(preferences.starts_with("/preferences/"), "{preferences}");
        let (_, page) = house.site.page(&preferences).await;
        assert!(page.contains("value=\"defectors\" checked") && page.contains("value=\"weekly\" checked"), "{page}");
        let changed = [("act", "save"), ("language", "en"), ("rhythm", "daily"), ("streams", "news")];
        assert!(text(house.site.post(&preferences, &changed).await).await.contains("Saved"));
        let found = house.subscription(person).await.unwrap();
        assert_eq!((found.choices.topics.len(), found.choices.rhythm.as_str()), (0, "daily"));
        assert_eq!(found.refused, [Stream::Petitions]);
        let readers = subscription::readers(&mut house.world.db.reader().acquire().await.unwrap(), Some("daily"), 0, 10).await.unwrap();
        assert_eq!(readers[0].watermark, 1, "a change of rhythm keeps the place");

        assert!(text(house.site.post(&house.way_out(person), &[("what", "everything")]).await).await.contains("You have left"));
        assert_eq!(house.subscription(person).await.unwrap().refused, [Stream::News, Stream::Petitions]);
        assert_eq!(subscription::count_active(&mut house.world.db.reader().acquire().await.unwrap()).await.unwrap(), 0);

        house.world.pass(DAY);
        assert_eq!(house.member("192.0.2.1", "Kim@example.org", &[]).await, person);
        let found = house.subscription(person).await.unwrap();
        assert_eq!((found.state, found.refused), (SubscriptionState::Active, vec![]));
        let kinds: Vec<_> = house.history(person).await.into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(
            kinds,
            [
                ConsentKind::Asked,
                ConsentKind::Confirmed,
                ConsentKind::Changed,
                ConsentKind::Left,
                ConsentKind::Asked,
                ConsentKind::Confirmed
            ]
        );
    })
    .await;
}

async fn publish(world: &World) {
    let english = language("en");
    let page = Page {
        source: "test",
        path: "old",
        language: &english,
        translation_group: "old",
        title: "Old",
        summary: "",
        markdown: "Old",
        categories: &[],
        canonical_url: "http://news.example.org/old/",
    };
    let mut tx = world.db.begin().await.unwrap();
    content::publish_page(&mut tx, &world.site, &page, world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_category_that_has_ended_is_offered_only_to_those_who_chose_it() {
    on_each_engine(async |world: World| {
        let mut house = House::open(world).await;
        house.member("192.0.2.1", "kim@example.org", &[("topic", "defectors")]).await;
        house.member("192.0.2.2", "lee@example.org", &[("topic", "human-rights-abuses")]).await;
        let field = "value=\"defectors\"";
        assert!(house.site.page("/subscribe").await.1.contains(field));
        house.world.site.categories[0].retired = Some(Retirement { on: "2027-01-31".parse().unwrap(), successor: None });
        house.site = web::serve_shared(web::shared(&house.world)).await;
        let form = house.site.page("/subscribe").await.1;
        assert!(!form.contains(field) && form.contains("value=\"human-rights-abuses\""), "{form}");
        house.world.pass(DAY);
        for (address, is_offered) in [("kim@example.org", true), ("lee@example.org", false)] {
            house.fill("127.0.0.1", "/preferences", address, &[]).await;
            house.settle().await;
            let page = house.site.page(&house.last_link().await).await.1;
            assert_eq!(page.contains(field), is_offered, "{page}");
        }
    })
    .await;
}

#[tokio::test]
async fn looking_changes_nothing() {
    on_each_engine(async |world: World| {
        let house = House::open(world).await;
        let person = house.member("192.0.2.1", "kim@example.org", &[]).await;
        house.subscribe("192.0.2.1", "lee@example.org", &[]).await;
        house.fill("192.0.2.1", "/preferences", "kim@example.org", &[]).await;
        house.settle().await;
        let mut links = house.links().await;
        assert_eq!(links.len(), 3);
        links.extend([house.way_out(person), "/subscribe".to_owned(), "/ja/subscribe".to_owned(), "/preferences".to_owned()]);
        let before = house.contents().await;
        for _ in 0..3 {
            for link in &links {
                for method in [Method::GET, Method::HEAD] {
                    let response = house.site.request(method, link).send().await.unwrap();
                    assert_eq!(response.status(), 200, "{link}");
                    assert_eq!(header(&response, "cache-control"), "no-store");
                    assert_eq!(header(&response, "referrer-policy"), "no-referrer");
                    let body = text(response).await;
                    assert!(!body.contains("@example.org</"), "no page shows an address");
                    assert!(!body.contains("kim@") && !body.contains("lee@"));
                    assert!(body.is_empty() || link.len() < 20 || body.contains("noindex"), "{link}");
                }
            }
        }
        assert_eq!(house.contents().await, before);
    })
    .await;
}

#[tokio::test]
async fn the_same_is_answered_whoever_has_the_address() {
    on_each_engine(async |world: World| {
        let house = House::open(world).await;
        house.member("192.0.2.1", "active@example.org", &[]).await;
        house.subscribe("192.0.2.1", "pending@example.org", &[]).await;
        house.settle().await;
        let mut tx = house.world.db.begin().await.unwrap();
        let complained = Address::parse("suppressed@example.org").unwrap();
        addressbook::suppress(&mut tx, &house.world.vault, &complained, "complaint", house.world.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        house.world.pass(DAY);

        let mails = house.count("SELECT COUNT(*) FROM delivery").await;
        for path in ["/subscribe", "/preferences", "/ja/subscribe"] {
            let mut answers = Vec::new();
            for (network, class) in ["new", "pending", "active", "suppressed"].into_iter().enumerate() {
                let from = format!("198.51.{network}.1");
                let response = house.fill(&from, path, &format!("{class}@example.org"), &[]).await;
                let mut headers: Vec<_> = response.headers().iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
                headers.retain(|line| !line.starts_with("date:"));
                answers.push((response.status(), headers, text(response).await));
            }
            assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{path}");
        }
        house.settle().await;
        // Confirmations for the new and the pending, two links for the active; the second
        // subscribing of the day brought nothing.
        assert_eq!(house.count("SELECT COUNT(*) FROM delivery").await - mails, 4);
        assert_eq!(house.person("suppressed@example.org").await, None, "the suppressed are not entered again");
    })
    .await;
}

#[tokio::test]
async fn robots_and_forms_of_other_sites_are_stopped_kindly() {
    on_each_engine(async |world: World| {
        let house = House::open(world).await;
        let trapped = house.subscribe("192.0.2.1", "kim@example.org", &[("website", "http://spam.example.org")]).await;
        assert!(text(trapped).await.contains("check your mail"));

        let embedded = [("address", "kim@example.org"), ("topic", "defectors"), ("language", "ja")];
        let response = house.send("192.0.2.1", "/subscribe", &embedded).await;
        assert_eq!(response.status(), 200);
        let page = text(response).await;
        assert!(page.contains("once more") && page.contains("value=\"kim@example.org\""), "{page}");
        assert!(page.contains("value=\"defectors\" checked") && page.contains("lang=\"ja\" selected"), "{page}");

        let token = form_token(&page);
        let quick = house.send("192.0.2.1", "/subscribe", &[("address", "kim@example.org"), ("form", &token)]).await;
        assert!(text(quick).await.contains("once more"), "no person is so quick");
        house.world.pass(DAY + HOUR);
        let stale = house.send("192.0.2.1", "/subscribe", &[("address", "kim@example.org"), ("form", &token)]).await;
        assert!(text(stale).await.contains("once more"));
        let foreign = house.world.vault.token(&Claims::lasting(Purpose::Unsubscribe, 1));
        let forged = house.send("192.0.2.1", "/subscribe", &[("address", "kim@example.org"), ("form", &foreign)]).await;
        assert!(text(forged).await.contains("once more"));

        let wrong = house.subscribe("192.0.2.1", "kim at example.org", &[("topic", "defectors")]).await;
        assert_eq!(wrong.status(), 422);
        let page = text(wrong).await;
        assert!(page.contains("does not look like a mail address") && page.contains("value=\"kim at example.org\""), "{page}");
        assert!(page.contains("value=\"defectors\" checked"));
        let retired = house.subscribe("192.0.2.1", "kim@example.org", &[("topic", "retired")]).await;
        assert!(text(retired).await.contains("no longer exist"));
        assert_eq!(house.count("SELECT COUNT(*) FROM signup").await, 0);
    })
    .await;
}

#[tokio::test]
async fn an_attack_brings_each_victim_one_mail_a_day_and_each_network_five_forms_an_hour() {
    on_each_engine(async |world: World| {
        let house = House::open(world).await;
        let (_, page) = house.site.page("/subscribe").await;
        let token = form_token(&page);
        house.world.pass(Duration::from_secs(5));
        for round in 0..60 {
            let victim = format!("victim{}@example.org", round % 3);
            let response = house.send(&format!("198.51.{round}.1"), "/subscribe", &[("address", &victim), ("form", &token)]).await;
            assert_eq!(response.status(), 200);
        }
        house.settle().await;
        assert_eq!(house.count("SELECT COUNT(*) FROM delivery").await, 3);

        for (sent, host) in (1..=7).enumerate() {
            let from = format!("203.0.113.{host}");
            let response = house.subscribe(&from, &format!("friend{host}@example.org"), &[]).await;
            assert_eq!(response.status(), if sent < 5 { 200 } else { 429 }, "{sent}");
        }
        house.world.pass(HOUR);
        assert_eq!(house.subscribe("203.0.113.9", "friend9@example.org", &[]).await.status(), 200);

        for day in 1..=5 {
            house.world.pass(DAY);
            house.subscribe(&format!("192.0.{day}.1"), "victim0@example.org", &[]).await;
            house.settle().await;
        }
        let three = "SELECT COUNT(*) FROM delivery d JOIN signup s ON s.person_id = d.person_id WHERE s.person_id = 1 AND s.id = 1";
        assert_eq!(house.count(three).await, 3, "three a month");
    })
    .await;
}

#[tokio::test]
async fn forged_foreign_and_old_links_open_nothing() {
    on_each_engine(async |world: World| {
        let house = House::open(world).await;
        let person = house.member("192.0.2.1", "kim@example.org", &[]).await;
        house.subscribe("192.0.2.1", "lee@example.org", &[]).await;
        house.fill("192.0.2.1", "/preferences", "kim@example.org", &[]).await;
        house.settle().await;
        let links = house.links().await;
        let tokens: Vec<_> = links.iter().chain([&house.way_out(person)]).map(|link| link.rsplit('/').next().unwrap().to_owned()).collect();
        let before = house.contents().await;
        for page in ["confirm", "preferences", "unsubscribe"] {
            for (link, token) in links.iter().chain([&house.way_out(person)]).zip(&tokens) {
                let cut = &token[..token.len() - 1];
                let mut candidates = vec![format!("/{page}/{cut}"), format!("/{page}/1"), format!("/{page}/{}A", cut.replace('A', "B"))];
                if !link.starts_with(&format!("/{page}/")) {
                    candidates.push(format!("/{page}/{token}"));
                }
                for path in candidates.iter().filter(|path| !links.contains(path)) {
                    assert_eq!(house.site.get(path).await.status(), 404, "{path}");
                    assert_eq!(house.site.post(path, &[("act", "erase")]).await.status(), 404, "{path}");
                }
            }
        }
        house.world.pass(Duration::from_mins(31));
        let old = house.site.post(&links[2], &[("act", "erase")]).await;
        assert_eq!(old.status(), 410);
        assert!(text(old).await.contains("href=\"/preferences\""));
        house.world.pass(3 * DAY);
        assert_eq!(house.site.get(&links[1]).await.status(), 410);
        assert_eq!(house.site.post(&links[1], &[]).await.status(), 410);
        assert_eq!(house.contents().await, before);
        house.world.pass(3650 * DAY);
        assert_eq!(house.site.get(&house.way_out(person)).await.status(), 200, "the way out never closes");
        assert_eq!(house.site.get("/xx/subscribe").await.status(), 404);
    })
    .await;
}

#[tokio::test]
async fn one_click_leaves_in_both_encodings_and_again_changes_nothing() {
    on_each_engine(async |world: World| {
        let house = House::open(world).await;
        let form = house.member("192.0.2.1", "kim@example.org", &[]).await;
        let multipart = house.member("192.0.2.1", "lee@example.org", &[]).await;
        for _ in 0..2 {
            let response = house.site.post(&house.way_out(form), &[("List-Unsubscribe", "One-Click")]).await;
            assert_eq!((response.status().as_u16(), header(&response, "set-cookie")), (200, ""));
            let body = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
            let request = house.site.request(Method::POST, &house.way_out(multipart));
            let response = request.header("content-type", "multipart/form-data; boundary=x").body(body).send().await.unwrap();
            assert_eq!(response.status(), 200);
        }
        for person in [form, multipart] {
            let found = house.subscription(person).await.unwrap();
            assert_eq!((found.state, found.refused), (SubscriptionState::Left, Stream::REFUSABLE.to_vec()));
            let history = house.history(person).await;
            assert_eq!(history[2..], [(ConsentKind::Left, Way::OneClick)]);
        }
    })
    .await;
}

#[tokio::test]
async fn one_stream_can_be_left_by_itself_and_the_last_ends_the_subscription() {
    on_each_engine(async |world: World| {
        let house = House::open(world).await;
        let person = house.member("192.0.2.1", "kim@example.org", &[]).await;
        house.site.post(&house.way_out(person), &[("what", "petitions")]).await;
        let found = house.subscription(person).await.unwrap();
        assert_eq!((found.state, found.refused), (SubscriptionState::Active, vec![Stream::Petitions]));
        house.site.post(&house.way_out(person), &[("what", "news")]).await;
        assert_eq!(house.subscription(person).await.unwrap().state, SubscriptionState::Left);
        let kinds: Vec<_> = house.history(person).await.into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds[2..], [ConsentKind::Changed, ConsentKind::Left]);
    })
    .await;
}

#[tokio::test]
async fn who_asks_to_be_forgotten_is_forgotten_and_may_come_back_as_a_stranger() {
    on_each_engine(async |world: World| {
        let house = House::open(world).await;
        let person = house.member("192.0.2.1", "kim@example.org", &[]).await;
        house.fill("192.0.2.1", "/preferences", "kim@example.org", &[]).await;
        house.settle().await;
        let link = house.last_link().await;
        assert!(text(house.site.post(&link, &[("act", "erase")]).await).await.contains("Forgotten"));
        assert_eq!(house.person("kim@example.org").await, None);
        assert_eq!(house.subscription(person).await, None);
        assert_eq!(house.count("SELECT COUNT(*) FROM person WHERE address_sealed IS NOT NULL OR address_index IS NOT NULL").await, 0);
        assert_eq!(house.count("SELECT COUNT(*) FROM signup").await, 0);
        assert_eq!(house.history(person).await.last(), Some(&(ConsentKind::Erased, Way::Page)));
        assert_eq!(house.site.get(&link).await.status(), 410);
        assert_eq!(house.site.post(&link, &[("act", "save"), ("language", "en")]).await.status(), 410);
        assert_eq!(house.site.post(&house.way_out(person), &[]).await.status(), 200);
        let again = house.member("192.0.2.1", "kim@example.org", &[]).await;
        assert_ne!(again, person);
    })
    .await;
}

#[tokio::test]
async fn a_japanese_visitor_is_answered_in_japanese_to_the_end() {
    on_each_engine(async |world: World| {
        let house = House::open(world).await;
        let sent = house.fill("192.0.2.1", "/ja/subscribe", "kim@example.org", &[]).await;
        assert!(text(sent).await.contains("メールをご確認ください"));
        house.settle().await;
        let link = house.last_link().await;
        assert!(link.starts_with("/ja/confirm/"), "{link}");
        let subject: String = sqlx::query_scalar("SELECT subject FROM variant").fetch_one(house.world.db.reader()).await.unwrap();
        assert_eq!(subject, "【ご確認ください】Life Funds for North Korean Refugeesのメール登録");
        assert!(text(house.site.post(&link, &[]).await).await.contains("ご登録ありがとうございます"));
        let person = house.person("kim@example.org").await.unwrap();
        assert_eq!(house.subscription(person).await.unwrap().choices.languages, [language("ja")]);
    })
    .await;
}

#[tokio::test]
async fn what_may_come_and_what_is_read_about_never_contradict_each_other() {
    on_each_engine(async |world: World| {
        let house = House::open(world).await;
        let person = house.member("192.0.2.1", "kim@example.org", &[("topic", "defectors")]).await;
        house.fill("192.0.2.1", "/preferences", "kim@example.org", &[]).await;
        house.settle().await;
        let link = house.last_link().await;
        let (_, page) = house.site.page(&link).await;
        assert!(page.contains("value=\"news\" checked") && !page.contains("value=\"petitions\"> Petitions<"), "{page}");
        house.site.post(&link, &[("act", "save"), ("topic", "defectors"), ("streams", "both")]).await;
        let found = house.subscription(person).await.unwrap();
        assert_eq!(found.choices.topics.iter().map(String::as_str).collect::<Vec<_>>(), ["defectors", "petitions"]);
        assert!(house.site.page(&link).await.1.contains("value=\"both\" checked"));
        house.site.post(&link, &[("act", "save"), ("topic", "defectors"), ("streams", "petitions")]).await;
        assert!(house.site.page(&link).await.1.contains("value=\"petitions\" checked"));
        assert_eq!(house.subscription(person).await.unwrap().refused, [Stream::News]);
        let nowhere = house.site.post(&link, &[("act", "save"), ("topic", "retired")]).await;
        assert!(text(nowhere).await.contains("Your choices"), "an unknown topic is not taken for everything");
        assert!(text(house.site.post(&link, &[("act", "leave")]).await).await.contains("You have left"));
        assert!(house.site.page(&link).await.1.contains("not subscribed at present"));
    })
    .await;
}
