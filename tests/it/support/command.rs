//! What a command has when it runs beside a daemon on the database of a world.

use crate::support::World;
use clarion::cli::Context;
use clarion::config::Config;
use clarion::problem::Source;

/// Mail to files in the world's folder.
pub const FILES: &str = "{ kind = \"file\", dir = \"mail\" }";

const CONFIG: &str = r#"
[site]
title = "Life Funds for North Korean Refugees"
base_url = "http://news.example.org"
languages = ["en", "ja"]
time_zone = "Asia/Tokyo"
postal_address = "1-1 Example, Tokyo"
[staff]
mail = ["office@example.org"]
[content]
dir = "content"
[web]
listen = "127.0.0.1:0"
[database]
url = "sqlite:clarion.db"
[vault]
key_file = "clarion.key"
[mail]
from = "LFNKR <news@example.org>"
envelope = "bounces+{token}@example.org"
transport = TRANSPORT
[[digest]]
name = "weekly"
cron = "0 8 * * Mon"
[[digest]]
name = "daily"
cron = "0 8 * * *"
[[category]]
slug = "defectors"
title = "Defectors"
"#;

/// The context of a command in the world's folder, with mail to files. The configuration names
/// a file as its database, so only the engine that lives in a file serves.
pub fn context(world: &World) -> Context {
    context_with(world, FILES)
}

/// [`context`], with another way out for mail.
pub fn context_with(world: &World, transport: &str) -> Context {
    let folder = world.folder.path();
    let config_path = folder.join("clarion.toml");
    let source = Source::new(config_path.clone(), CONFIG.replace("TRANSPORT", transport));
    let (config, _) = Config::parse(&source, folder, &[]).unwrap();
    Context { config, config_path, clock: world.clock.clone(), json: false }
}
