//! A site that answers as WordPress does, from memory.

use crate::support::host::{Asked, Host, Reply};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use url::Url;

/// A post as its author sees it.
#[derive(Clone, Debug)]
pub struct Post {
    pub title: String,
    pub html: String,
    /// In UTC, `2027-09-01T00:00:00`.
    pub date: String,
    pub modified: String,
    pub guid: String,
    pub link: String,
    pub categories: Vec<i64>,
    pub protected: bool,
    /// What plugins add.
    pub more: Value,
}

/// What a site answers instead, if it wants to.
type Mood = Box<dyn Fn(&Asked) -> Option<Reply> + Send>;

/// All that a site has.
#[derive(Default)]
pub struct Shelf {
    pub posts: BTreeMap<i64, Post>,
    pub categories: Vec<Value>,
    /// Answers instead, if it wants to.
    pub mood: Option<Mood>,
    /// Said instead of the true total.
    pub total: Option<String>,
}

/// A running site.
pub struct Blog {
    pub host: Host,
    shelf: Arc<Mutex<Shelf>>,
}

impl Blog {
    pub async fn begin() -> Self {
        let shelf = Arc::new(Mutex::new(Shelf::default()));
        let answering = Arc::clone(&shelf);
        let host = Host::begin(move |asked| answer(&answering.lock().unwrap(), asked)).await;
        Self { host, shelf }
    }

    pub fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap()
    }

    /// Writes a post of a day in September 2027.
    pub fn write(&self, id: i64, title: &str, day: u32) {
        let date = format!("2027-09-{day:02}T00:00:00");
        let post = Post {
            title: title.to_owned(),
            html: format!("<p>Text of {title}.</p>"),
            modified: date.clone(),
            date,
            guid: format!("http://old.example.org/?p={id}"),
            link: format!("https://www.example.org/2027/{id}/"),
            categories: Vec::new(),
            protected: false,
            more: json!({}),
        };
        self.shelf().posts.insert(id, post);
    }

    /// Changes a post at a time in September 2027, such as `21T10:00:00`.
    pub fn edit(&self, id: i64, at: &str, change: impl FnOnce(&mut Post)) {
        let mut kept = self.shelf();
        let post = kept.posts.get_mut(&id).unwrap();
        post.modified = format!("2027-09-{at}");
        change(post);
    }

    /// Answers otherwise where the function says so.
    pub fn mood(&self, mood: impl Fn(&Asked) -> Option<Reply> + Send + 'static) {
        self.shelf().mood = Some(Box::new(mood));
    }

    /// Answers as it should again.
    pub fn calm(&self) {
        self.shelf().mood = None;
    }

    pub fn url(&self) -> Url {
        self.host.url("/")
    }

    /// How many requests there were since this was last called.
    pub fn asked(&self) -> usize {
        self.host.take_asked().len()
    }
}

fn answer(shelf: &Shelf, asked: &Asked) -> Reply {
    if let Some(reply) = shelf.mood.as_ref().and_then(|mood| mood(asked)) {
        return reply;
    }
    let link = "</feed/>; rel=\"alternate\", <http://HOST/wp-json/>; rel=\"https://api.w.org/\"".replace("HOST", &asked.headers["host"]);
    match asked.path() {
        "/" => Reply::page("text/html", "<p>Welcome</p>").with("Link", link),
        "/wp-json/wp/v2/posts" => posts(shelf, asked),
        "/wp-json/wp/v2/categories" => Reply::page("application/json", Value::from(shelf.categories.clone()).to_string()),
        _ => Reply::status(404),
    }
}

fn posts(shelf: &Shelf, asked: &Asked) -> Reply {
    let number = |name: &str, default: usize| asked.parameter(name).map_or(default, |text| text.parse().unwrap());
    let (per_page, page) = (number("per_page", 10), number("page", 1));
    assert!((1..=100).contains(&per_page), "WordPress gives at most a hundred");
    let mut found: Vec<(&i64, &Post)> = shelf.posts.iter().collect();
    if let Some(include) = asked.parameter("include") {
        let ids: Vec<i64> = include.split(',').map(|id| id.parse().unwrap()).collect();
        found.retain(|(id, _)| ids.contains(id));
    }
    if let Some(after) = asked.parameter("modified_after") {
        found.retain(|(_, post)| format!("{}Z", post.modified) > after);
    }
    match asked.parameter("orderby").as_deref() {
        Some("id") => {}
        Some("modified") => found.sort_by_key(|(_, post)| post.modified.clone()),
        _ => found.sort_by_key(|(_, post)| post.date.clone()),
    }
    if asked.parameter("order").as_deref() != Some("asc") {
        found.reverse();
    }
    let total = found.len();
    let pages = total.div_ceil(per_page);
    if page > pages.max(1) {
        let body = json!({"code": "rest_post_invalid_page_number", "message": "The page number requested is larger than the number of pages available."});
        return Reply::Whole {
            status: 400,
            headers: vec![("Content-Type", "application/json".into())],
            body: body.to_string().into_bytes(),
        };
    }
    let listed: Vec<Value> =
        found.into_iter().skip((page - 1) * per_page).take(per_page).map(|(id, post)| rendered(*id, post, asked)).collect();
    let said = shelf.total.clone().unwrap_or_else(|| total.to_string());
    let reply = Reply::page("application/json; charset=UTF-8", Value::from(listed).to_string()).with("X-WP-TotalPages", pages.to_string());
    if said.is_empty() { reply } else { reply.with("X-WP-Total", said) }
}

fn rendered(id: i64, post: &Post, asked: &Asked) -> Value {
    if asked.parameter("_fields").is_some() {
        return json!({"id": id, "modified_gmt": post.modified});
    }
    let mut value = json!({
        "id": id, "date_gmt": post.date, "modified_gmt": post.modified, "slug": format!("post-{id}"), "status": "publish", "type": "post",
        "guid": {"rendered": post.guid}, "link": post.link, "title": {"rendered": post.title},
        "content": {"rendered": if post.protected { "" } else { &post.html }, "protected": post.protected},
        "excerpt": {"rendered": "", "protected": post.protected}, "categories": post.categories,
        "_embedded": {"author": [{"id": 1, "name": "Hana &amp; Mori", "url": "", "link": "https://www.example.org/author/hana/"}]},
    });
    for (key, more) in post.more.as_object().unwrap() {
        value[key] = more.clone();
    }
    value
}
