//! Each section of the file, in the order of the example.

use super::{Config, category, inbound, legacy, rates};
use crate::address::{Address, Mailbox};
use crate::clock::parse_duration;
use crate::db::DatabaseUrl;
use crate::digest::Schedule;
use crate::language::{Catalogue, Language, LocalText};
use crate::mail::{EnvelopePattern, RelaySettings, Tls, TransportSettings};
use crate::problem::{Place, Problem, Reason, Table};
use crate::site::{Category, Imprint, Site};
use crate::{content, delivery, digest, feed, mail, notice, petition, web};
use jiff::tz::TimeZone;
use secrecy::SecretString;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use url::Url;

/// Reads every section, so that every mistake is told; `None` if something necessary is wrong.
/// Mistakes in other files that belong to the configuration are told `elsewhere`.
pub(super) fn read(root: &mut Table<'_>, folder: &Path, elsewhere: &mut Vec<Problem>) -> Option<Config> {
    let categories = category::read(root);
    tell_twins(root, "category", categories.iter().map(|category| category.slug.as_str()));
    let mut catalogue = Catalogue::shipped();
    let site = root.section("site", |table| {
        catalogue = self::catalogue(table, folder, elsewhere);
        site(table, categories, &catalogue)
    });
    let zone = site.as_ref().map_or(TimeZone::UTC, |site| site.time_zone.clone());
    let (staff, notices) = root.section("staff", staff).unzip();
    let content = root.section("content", |table| content(table, folder));
    let feed = root.section("feed", feed);
    let web = root.section("web", web);
    let database = root.section("database", |table| database(table, folder));
    let key_file = root.section("vault", |table| Some(beside(folder, &table.required::<String>("key_file")?)));
    let mail = root.section("mail", |table| mail(table, folder));
    let inbound = root.section("inbound", |table| inbound::read(table, folder));
    let (delivery, rates) = root.section("delivery", |table| (delivery(table), rates::read(table)));
    let digests = root.tables("digest", |table| digest(table, &zone)).into_iter().flatten().collect::<Vec<_>>();
    tell_twins(root, "digest", digests.iter().map(|digest| digest.name.as_str()));
    let petitions = root.table("petitions", |table| petitions(table, folder));
    let site = site?;
    tell_unknown_categories(root, &site, &digests);
    tell_unknown_languages(root, &site, content.as_ref());
    Some(Config {
        staff: staff?,
        notices: notices?,
        content: content?,
        feed,
        web: web?,
        database: database?,
        key_file: key_file?,
        mail: if inbound.is_open() { heard(mail?) } else { mail? },
        inbound,
        delivery,
        rates,
        digests,
        petitions: petitions.flatten(),
        site,
        catalogue,
    })
}

/// Mails may offer addresses that are read.
fn heard(mail: mail::Settings) -> mail::Settings {
    mail::Settings { envelope: mail.envelope.heard(), ..mail }
}

/// The shipped texts, and those of a folder beside the configuration.
fn catalogue(table: &mut Table<'_>, folder: &Path, elsewhere: &mut Vec<Problem>) -> Catalogue {
    let Some(dir) = table.optional::<String>("locales_dir") else { return Catalogue::shipped() };
    let (catalogue, problems) = Catalogue::with_overlay(&beside(folder, &dir));
    elsewhere.extend(problems);
    catalogue
}

/// Tells of a language in which Clarion says nothing.
fn tell_unspoken(table: &Table<'_>, languages: &[Language], place: &Place, catalogue: &Catalogue) {
    for language in languages.iter().filter(|language| !catalogue.speaks(language)) {
        let reason = Reason::new(
            format!("Clarion has no texts in {language}; the pages and mails of that language say in English what is not yours"),
            format!(
                "translate what  clarion texts {language}  prints, into {language}/texts.ftl of a folder, and name the folder here: locales_dir = \"locales\""
            ),
        );
        table.reading().warn(place, reason);
    }
}

fn site(table: &mut Table<'_>, categories: Vec<Category>, catalogue: &Catalogue) -> Option<Site> {
    let title = LocalText::take_required(table, "title");
    let description = LocalText::take(table, "description");
    let base_url = parsed_required(table, "base_url", base_url);
    let languages = table.required_placed::<Vec<Language>>("languages");
    if let Some((list, place)) = &languages
        && list.is_empty()
    {
        table.reading().tell(place, Reason::new("`site.languages` is empty", "name at least one language, like [\"en\"]"));
    }
    if let Some((list, place)) = &languages {
        tell_unspoken(table, list, place, catalogue);
    }
    let time_zone = table.or("time_zone", TimeZone::UTC);
    let postal_address = table.required("postal_address");
    let id_authority = parsed(table, "id_authority", id_authority);
    let donate_url = parsed(table, "donate_url", web_address);
    let contact_url = parsed(table, "contact_url", contact_address);
    let imprint =
        Imprint { rights: LocalText::take(table, "rights"), logo: parsed(table, "logo", picture), icon: parsed(table, "icon", picture) };
    let legacy = legacy::read(table, &categories);
    Some(Site {
        title: title?,
        description,
        base_url: base_url?,
        languages: languages.map(|(list, _)| list).filter(|list| !list.is_empty())?,
        time_zone,
        postal_address: postal_address?,
        id_authority,
        donate_url,
        contact_url,
        categories,
        legacy,
        imprint,
    })
}

/// A picture that stands for the site: the path of a file in the content folder.
fn picture(text: &str) -> Result<String, Reason> {
    let path = text.trim().trim_start_matches('/');
    let hidden = |part: &str| part.is_empty() || part.starts_with(['.', '#', '~']) || part.contains(['\\', ':']);
    let extension = path.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default();
    if path.split('/').any(hidden) || !["png", "jpg", "jpeg", "gif"].contains(&extension.as_str()) {
        let message = format!("“{text}” is not the path of a picture in the content folder");
        return Err(Reason::new(message, "write it like images/logo.png; feed readers show PNG, JPEG and GIF"));
    }
    Ok(path.to_owned())
}

/// Who is told, and of what.
fn staff(table: &mut Table<'_>) -> Option<(Vec<Address>, notice::Settings)> {
    let mail = table.required("mail");
    let translations = table.or("translations_notice", true);
    let draft_previews = table.or("draft_previews", true);
    Some((mail?, notice::Settings { translations, draft_previews }))
}

fn content(table: &mut Table<'_>, folder: &Path) -> Option<content::Settings> {
    let dir: Option<String> = table.required("dir");
    let announce_within = table.or("announce_within", Duration::from_hours(336));
    let sources: Vec<_> = table.tables("source", source).into_iter().flatten().collect();
    tell_twins(table, "content.source", sources.iter().map(|source| source.name.as_str()));
    Some(content::Settings { dir: beside(folder, &dir?), announce_within, sources })
}

/// A site that is followed.
fn source(table: &mut Table<'_>) -> Option<content::SourceSettings> {
    let name = parsed_required(table, "name", |text| match text {
        text if !text.is_empty() && text.is_ascii() && text == crate::site::slug(text) => Ok(text.to_owned()),
        _ => Err(Reason::new(
            format!("“{text}” is not a name"),
            "use lower-case letters a–z, digits and hyphens, like main; it never changes",
        )),
    });
    let kind = parsed_required(table, "kind", |text| {
        content::SourceKind::from_stored(text).map_err(|_| {
            Reason::new(format!("“{text}” is not a kind of site"), "write \"wordpress\" or, for a site that offers RSS or Atom, \"feed\"")
        })
    });
    let url = parsed_required(table, "url", |text| {
        let url = web_address(text)?;
        if url.username().is_empty() && url.password().is_none() {
            Ok(url)
        } else {
            // The text may hold a password, so it is not repeated.
            Err(Reason::new("there is a user name in the address", "follow a site that can be read without a password"))
        }
    });
    let language = table.optional("language");
    let every = parsed(table, "every", |text| {
        let every = parse_duration(text)?;
        if (Duration::from_mins(1)..=Duration::from_hours(24 * 7)).contains(&every) {
            Ok(every)
        } else {
            Err(Reason::new("out of range", "write 1m to 7d; 10m is usual"))
        }
    });
    let allow_private = table.or("allow_private", false);
    Some(content::SourceSettings {
        name: name?,
        kind: kind?,
        url: url?,
        language,
        every: every.unwrap_or(Duration::from_mins(10)),
        allow_private,
    })
}

fn feed(table: &mut Table<'_>) -> feed::Settings {
    let items = in_range(table, "items", 1, 500, 50);
    let ttl = parsed(table, "ttl", |text| {
        let ttl = parse_duration(text)?;
        if (Duration::from_mins(1)..=Duration::from_hours(24)).contains(&ttl) {
            Ok(ttl)
        } else {
            Err(Reason::new("out of range", "write 1m to 24h; 15m to 60m is usual"))
        }
    });
    let hubs = parsed_list(table, "hubs", |text| {
        let url =
            Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty());
        url.ok_or_else(|| Reason::new(format!("“{text}” is not the address of a hub"), "write it like https://hub.example.org/"))
    });
    feed::Settings { items, ttl: ttl.unwrap_or(Duration::from_mins(30)), hubs }
}

fn web(table: &mut Table<'_>) -> Option<web::Settings> {
    let listen = parsed_required(table, "listen", socket_address);
    let trusted_proxies = parsed_list(table, "trusted_proxies", |text| {
        let single = text.parse::<IpAddr>().map(ipnet::IpNet::from).ok();
        single
            .or_else(|| text.parse().ok())
            .ok_or_else(|| Reason::new(format!("“{text}” is not an IP address or network"), "write it like 127.0.0.1 or 10.0.0.0/8"))
    });
    let metrics_listen = parsed(table, "metrics_listen", socket_address);
    Some(web::Settings { listen: listen?, trusted_proxies, metrics_listen })
}

fn database(table: &mut Table<'_>, folder: &Path) -> Option<DatabaseUrl> {
    parsed_required(table, "url", |text| match text.split_once(':') {
        Some(("sqlite", path)) if !path.trim_start_matches('/').is_empty() => {
            let path = path.strip_prefix("//").unwrap_or(path);
            Ok(DatabaseUrl::Sqlite(beside(folder, path)))
        }
        Some(("postgres" | "postgresql", _)) if Url::parse(text).is_ok() => Ok(DatabaseUrl::Postgres(text.to_owned())),
        // The text may hold a password, so it is not repeated.
        _ => Err(Reason::new("this is not a database", "write sqlite:PATH or postgres://user:password@host/name")),
    })
}

fn mail(table: &mut Table<'_>, folder: &Path) -> Option<mail::Settings> {
    let from: Option<Mailbox> = table.required("from");
    let reply_to: Option<Address> = table.optional("reply_to");
    let envelope = parsed_required(table, "envelope", EnvelopePattern::parse);
    let transport = table.section("transport", |table| transport(table, folder));
    let further: Vec<RelaySettings> = table.tables("relay", |table| relay(table, folder)).into_iter().flatten().collect();
    let transport = transport.map(|first| with_further(table, first, further));
    let dkim = table.table("dkim", |table| super::dkim::read(table, folder, from.as_ref()));
    let dkim = match dkim {
        Some(signer) => Some(signer?),
        None => None,
    };
    Some(mail::Settings { from: from?, reply_to, envelope: envelope?, transport: transport?, dkim })
}

fn transport(table: &mut Table<'_>, folder: &Path) -> Option<TransportSettings> {
    let (kind, place) = table.required_placed::<String>("kind")?;
    match kind.as_str() {
        "file" => Some(TransportSettings::File { dir: beside(folder, &table.required::<String>("dir")?) }),
        "smtp" => relay(table, folder).map(TransportSettings::Smtp),
        _ => {
            table
                .reading()
                .tell(&place, Reason::new(format!("“{kind}” is not a way to send mail"), "write kind = \"file\" or kind = \"smtp\""));
            None
        }
    }
}

/// The relay of `transport`, and those that stand in for it.
fn with_further(table: &Table<'_>, first: TransportSettings, further: Vec<RelaySettings>) -> TransportSettings {
    match first {
        first if further.is_empty() => first,
        TransportSettings::Smtp(relay) => TransportSettings::Relays(std::iter::once(relay).chain(further).collect()),
        other => {
            let reason = Reason::new("[[mail.relay]] stands in for a relay, and mail goes to files", "remove it, or write kind = \"smtp\"");
            table.reading().tell(table.place(), reason);
            other
        }
    }
}

fn relay(table: &mut Table<'_>, folder: &Path) -> Option<RelaySettings> {
    server(table, folder, 587, Tls::Required, "mail")
}

/// A mail server of which we are the client. `what` would travel unencrypted.
pub(super) fn server(table: &mut Table<'_>, folder: &Path, port: u32, tls: Tls, what: &str) -> Option<RelaySettings> {
    let host: Option<String> = table.required("host");
    let port = in_range(table, "port", 1, 65_535, port);
    let tls = parsed(table, "tls", |text| match text {
        "required" => Ok(Tls::Required),
        "implicit" => Ok(Tls::Implicit),
        "none" => Ok(Tls::None),
        _ => Err(Reason::new(
            format!("“{text}” is not known"),
            "write \"required\" (STARTTLS), \"implicit\" or, on this machine only, \"none\"",
        )),
    })
    .unwrap_or(tls);
    let user: Option<String> = table.optional("user");
    let password = table.placed::<String>("password_file").and_then(|(path, place)| {
        let path = beside(folder, &path);
        warn_of_open_file(table, &place, &path);
        told(table, "password_file", &place, read_password(&path))
    });
    let ca_file = table.optional::<String>("ca_file").map(|path| beside(folder, &path));
    let credentials = match (user, password) {
        (Some(user), Some(password)) => Some((user, password)),
        (None, None) => None,
        _ => {
            table
                .reading()
                .tell(table.place(), Reason::new("`user` and `password_file` go together", "add the one that is missing, or remove both"));
            return None;
        }
    };
    let relay = RelaySettings { host: host?, port: u16::try_from(port).ok()?, tls, credentials, ca_file };
    if tls == Tls::None && !relay.is_loopback() {
        let reason = Reason::new(
            format!("{what} to {} would travel unencrypted", relay.host),
            "write tls = \"required\" or \"implicit\"; \"none\" is for a server on this machine",
        );
        table.reading().tell(table.place(), reason);
        return None;
    }
    Some(relay)
}

/// Tells of a secret that other users of the machine can read.
fn warn_of_open_file(table: &Table<'_>, place: &Place, path: &Path) {
    let mode = std::fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        let shown = path.display();
        let reason = Reason::new(format!("{shown} can be read by other users (mode {mode:03o})"), format!("run: chmod 400 {shown}"));
        table.reading().warn(place, reason);
    }
}

fn read_password(path: &Path) -> Result<SecretString, Reason> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Reason::new(
            format!("{} cannot be read: {error}", path.display()),
            "write the password into that file, readable by Clarion's user only",
        )
    })?;
    Ok(SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn delivery(table: &mut Table<'_>) -> delivery::Settings {
    delivery::Settings {
        connections: in_range(table, "connections", 1, 200, 8),
        per_second: in_range(table, "per_second", 0, 100_000, 100),
        on_doubt: parsed(table, "on_doubt", |text| {
            delivery::OnDoubt::from_stored(text).map_err(|_| Reason::new(format!("“{text}” is not known"), "write \"retry\" or \"hold\""))
        })
        .unwrap_or(delivery::OnDoubt::Retry),
    }
}

fn digest(table: &mut Table<'_>, zone: &TimeZone) -> Option<digest::Settings> {
    let name: Option<String> = table.required("name");
    let schedule: Option<Schedule> = table.required("cron");
    let time_zone = table.or("time_zone", zone.clone());
    let categories = table.or("categories", Vec::new());
    let minimum_items = in_range(table, "minimum_items", 1, 1000, 1);
    Some(digest::Settings { name: name?, schedule: schedule?, time_zone, categories, minimum_items })
}

fn petitions(table: &mut Table<'_>, folder: &Path) -> Option<petition::Settings> {
    let dir = table.required::<String>("dir");
    let missions_file = table.or("missions_file", "missions.toml".to_owned());
    let (approvers, place) = table.required_placed::<Vec<Address>>("approvers").unzip();
    let approvals_required = in_range(table, "approvals_required", 1, 20, 1);
    let stop_window = table.or("stop_window", Duration::from_mins(10));
    let late_limit = table.or("late_limit", Duration::from_hours(12));
    let approvers = approvers?;
    if approvers.len() < approvals_required as usize {
        let reason = Reason::new(
            format!("{approvals_required} approvals are required, but there are {} approvers", approvers.len()),
            "name more approvers, or require fewer approvals",
        );
        table.reading().tell(&place?, reason);
    }
    Some(petition::Settings {
        dir: beside(folder, &dir?),
        missions_file: beside(folder, &missions_file),
        approvers,
        approvals_required,
        stop_window,
        late_limit,
    })
}

fn base_url(text: &str) -> Result<Url, Reason> {
    let url = web_address(text)?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(Reason::new(format!("“{text}” has a path"), "name only scheme, host and port, like https://news.example.org"));
    }
    Ok(url)
}

fn web_address(text: &str) -> Result<Url, Reason> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| {
        Reason::new(format!("“{text}” is not a web address"), "write it with http:// or https://, like https://news.example.org")
    })
}

fn contact_address(text: &str) -> Result<Url, Reason> {
    match Url::parse(text) {
        Ok(url) if url.scheme() == "mailto" => Ok(url),
        _ => web_address(text),
    }
}

/// RFC 4151 §2.1: a domain or mail address, a comma, and a date.
fn id_authority(text: &str) -> Result<String, Reason> {
    let valid = text.split_once(',').is_some_and(|(name, date)| {
        let name_is_fine = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._@".contains(c)) && name.contains('.');
        let parts: Vec<&str> = date.split('-').collect();
        let date_is_fine = parts.len() <= 3
            && parts[0].len() == 4
            && parts[1..].iter().all(|part| part.len() == 2)
            && parts.iter().all(|part| part.chars().all(|c| c.is_ascii_digit()));
        name_is_fine && date_is_fine
    });
    if valid {
        Ok(text.to_owned())
    } else {
        Err(Reason::new(
            format!("“{text}” is not an authority of tag: addresses (RFC 4151)"),
            "write a domain you own and a year in which you owned it, like example.org,2026",
        ))
    }
}

fn socket_address(text: &str) -> Result<SocketAddr, Reason> {
    SocketAddr::from_str(text)
        .map_err(|_| Reason::new(format!("“{text}” is not an address to listen on"), "write an IP address and a port, like 127.0.0.1:8080"))
}

/// A path as written in the file, seen from where the program runs: `../content` beside
/// `config/clarion.toml` is `content`, which is how people know it.
pub(super) fn beside(folder: &Path, path: &str) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in folder.join(path).components() {
        match (part, plain.components().next_back()) {
            (Component::ParentDir, Some(Component::Normal(_))) => {
                plain.pop();
            }
            (Component::CurDir, _) | (Component::ParentDir, Some(Component::RootDir)) => {}
            _ => plain.push(part),
        }
    }
    plain
}

/// Takes a key that is text with a form of its own.
pub(super) fn parsed<T>(table: &mut Table<'_>, key: &'static str, parse: impl FnOnce(&str) -> Result<T, Reason>) -> Option<T> {
    let (text, place) = table.placed::<String>(key)?;
    told(table, key, &place, parse(&text))
}

/// [`parsed`], telling when the key is missing.
pub(super) fn parsed_required<T>(table: &mut Table<'_>, key: &'static str, parse: impl FnOnce(&str) -> Result<T, Reason>) -> Option<T> {
    let (text, place) = table.required_placed::<String>(key)?;
    told(table, key, &place, parse(&text))
}

fn parsed_list<T>(table: &mut Table<'_>, key: &'static str, parse: impl Fn(&str) -> Result<T, Reason>) -> Vec<T> {
    let Some((texts, place)) = table.placed::<Vec<String>>(key) else { return Vec::new() };
    texts.iter().filter_map(|text| told(table, key, &place, parse(text))).collect()
}

fn told<T>(table: &Table<'_>, key: &str, place: &Place, result: Result<T, Reason>) -> Option<T> {
    result.map_err(|reason| table.reading().tell(place, Reason::new(format!("`{key}`: {}", reason.message), reason.remedy))).ok()
}

pub(super) fn in_range(table: &mut Table<'_>, key: &'static str, least: u32, most: u32, default: u32) -> u32 {
    let Some((number, place)) = table.placed::<u32>(key) else { return default };
    if (least..=most).contains(&number) {
        return number;
    }
    table.reading().tell(&place, Reason::new(format!("`{key}` is {number}"), format!("write a number from {least} to {most}")));
    default
}

pub(super) fn tell_twins<'a>(root: &Table<'_>, what: &str, names: impl Iterator<Item = &'a str>) {
    let mut seen = std::collections::BTreeSet::new();
    for name in names.filter(|name| !seen.insert(*name)) {
        root.reading().tell(root.place(), Reason::new(format!("two [[{what}]] are called “{name}”"), "rename or remove one"));
    }
}

fn tell_unknown_languages(root: &Table<'_>, site: &Site, content: Option<&content::Settings>) {
    for source in content.iter().flat_map(|content| &content.sources) {
        let Some(language) = source.language.as_ref().filter(|language| !site.languages.contains(language)) else { continue };
        let known: Vec<String> = site.languages.iter().map(ToString::to_string).collect();
        let reason = Reason::new(
            format!("the source “{}” is in the language {language}, which `site.languages` does not name", source.name),
            format!("use one of {}, or add it there", known.join(", ")),
        );
        root.reading().tell(root.place(), reason);
    }
}

fn tell_unknown_categories(root: &Table<'_>, site: &Site, digests: &[digest::Settings]) {
    for digest in digests {
        for slug in digest.categories.iter().filter(|slug| site.category(slug).is_none()) {
            let known: Vec<&str> = site.categories.iter().map(|category| category.slug.as_str()).collect();
            let reason = Reason::new(
                format!("the digest “{}” names the category “{slug}”, which no [[category]] declares", digest.name),
                format!("use one of {}", known.join(", ")),
            );
            root.reading().tell(root.place(), reason);
        }
    }
}
