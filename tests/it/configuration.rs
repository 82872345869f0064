//! The configuration file and its overrides.

use clarion::config::Config;
use clarion::db::DatabaseUrl;
use clarion::mail::{Tls, TransportSettings};
use clarion::problem::{Severity, Source};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

fn example() -> String {
    std::fs::read_to_string("config/clarion.toml").unwrap()
}

fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let source = Source::new("clarion.toml", text);
    let environment: Vec<_> = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    match Config::parse(&source, Path::new("/etc/clarion"), &environment) {
        Ok((config, warnings)) => {
            assert!(warnings.iter().all(|warning| warning.severity == Severity::Warning));
            Ok(config)
        }
        Err(refused) => Err(refused.problems.iter().map(ToString::to_string).collect()),
    }
}

#[test]
fn the_example_is_a_whole_configuration_with_paths_seen_from_its_folder() {
    let config = parse(&example(), &[]).unwrap();
    assert_eq!(config.site.languages.len(), 2);
    assert_eq!(config.content.dir, Path::new("/etc/content"));
    assert_eq!(config.database, DatabaseUrl::Sqlite("/etc/var/clarion.db".into()));
    assert_eq!(config.digests[0].schedule.as_str(), "0 8 * * Mon");
    assert!(matches!(config.mail.transport, TransportSettings::File { .. }));
    assert!(config.petitions.is_some());
}

#[test]
fn the_environment_overrides_keys_and_is_told_when_it_is_wrong() {
    let config = parse(
        &example(),
        &[
            ("CLARION_WEB__LISTEN", "127.0.0.1:0"),
            ("CLARION_DELIVERY__CONNECTIONS", "3"),
            ("CLARION_SITE__LANGUAGES", "[\"ja\"]"),
            ("CLARION_LOG", "debug"),
            ("CLARION_CLOCK", "file:x"),
            ("CLARION_TEST_POSTGRES", "x"),
        ],
    )
    .unwrap();
    assert_eq!(config.web.listen.port(), 0);
    assert_eq!(config.delivery.connections, 3);
    assert_eq!(config.site.default_language().to_string(), "ja");

    let told = parse(&example(), &[("CLARION_WEB__LISTN", "x"), ("CLARION_DELIVERY__CONNECTIONS", "many")]).unwrap_err();
    assert!(told.iter().any(|line| line.contains("environment variable CLARION_WEB__LISTN") && line.contains("`listen`")), "{told:?}");
    assert!(told.iter().any(|line| line.contains("CLARION_DELIVERY__CONNECTIONS") && line.contains("whole number")), "{told:?}");
}

#[test]
fn a_relay_keeps_its_password_in_a_file_and_out_of_debug_output() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("password"), "hunter2\n").unwrap();
    let relay = format!(
        "{{ kind = \"smtp\", host = \"smtp.example.org\", port = 465, tls = \"implicit\", user = \"news\", password_file = \"{}\" }}",
        folder.path().join("password").display()
    );
    let text = example().replace("{ kind = \"file\", dir = \"../var/mail\" }", &relay);
    let config = parse(&text, &[]).unwrap();
    let TransportSettings::Smtp(settings) = &config.mail.transport else { panic!("a relay") };
    assert_eq!((settings.port, settings.tls), (465, Tls::Implicit));
    assert!(settings.credentials.is_some());
    assert!(!format!("{config:?}").contains("hunter2"));

    // Others on the machine may not read it either.
    let warned = |mode| {
        std::fs::set_permissions(folder.path().join("password"), std::fs::Permissions::from_mode(mode)).unwrap();
        let (_, warnings) = Config::parse(&Source::new("clarion.toml", text.clone()), Path::new("/etc/clarion"), &[]).unwrap();
        warnings.iter().any(|warning| warning.message.contains("can be read by other users") && warning.remedy.contains("chmod 400"))
    };
    assert!(warned(0o644) && warned(0o440) && !warned(0o600) && !warned(0o400));
}

#[test]
fn a_database_password_is_never_shown() {
    let config = parse(&example(), &[("CLARION_DATABASE__URL", "postgres://clarion:hunter2@db.example.org/clarion")]).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    let told = parse(&example(), &[("CLARION_DATABASE__URL", "mysql://clarion:hunter2@db.example.org/clarion")]).unwrap_err();
    assert!(!told.concat().contains("hunter2"), "{told:?}");
}

#[test]
fn categories_stand_in_their_order_and_below_their_parents() {
    let category = |slug: &str, more: &str| format!("\n[[category]]\nslug = \"{slug}\"\ntitle = \"{slug}\"\n{more}\n");
    let with = |more: String| parse(&(example() + &more), &[]);
    let text = category("camps", "parent = \"statements\"") + &category("first", "order = -1") + &category("deep", "parent = \"camps\"");
    let site = with(text).unwrap().site;
    let slugs: Vec<&str> = site.children(None).map(|category| category.slug.as_str()).collect();
    assert_eq!(slugs[..2], ["first", "defectors"]);
    assert!(!slugs.contains(&"camps") && !slugs.contains(&"deep"));
    assert_eq!(site.with_descendants("statements"), ["statements", "camps", "deep"]);
    assert_eq!(site.ancestors("deep").map(|category| category.slug.as_str()).collect::<Vec<_>>(), ["camps", "statements"]);

    let told = with(category("camps", "parent = \"nothing\"")).unwrap_err();
    assert!(told.len() == 1 && told[0].contains("no [[category]] has the slug “nothing”") && told[0].contains("statements"), "{told:?}");
    let told = with(category("a", "parent = \"b\"") + &category("b", "parent = \"a\"")).unwrap_err();
    assert!(told.iter().any(|line| line.contains("“a” would be above itself")), "{told:?}");
    let told = with(category("a", "parent = \"a\"")).unwrap_err();
    assert!(told.iter().any(|line| line.contains("“a” would be above itself")), "{told:?}");
}

#[test]
fn an_old_site_names_its_categories_and_authors() {
    let legacy = |more: &str| format!("\n[[site.legacy]]\nhost = \"www.Old.example.org\"\nlanguage = \"ja\"\n{more}\n");
    let with = |more: &str| parse(&(example() + &legacy(more)), &[]);
    let site = with("categories = { 7 = \"defectors\", \"%e5%a3%b0%e6%98%8e\" = \"statements\" }\nauthors = { hana = \"Hana Mori\" }")
        .unwrap()
        .site;
    assert_eq!(site.category_numbered("old.example.org:8080", "7"), Some("defectors"));
    assert_eq!(site.category_numbered("other.example.org", "7"), None);
    assert_eq!(site.category_called("www.old.example.org", "声明"), "statements");
    assert_eq!(site.author_called("old.example.org", "hana"), "hana-mori");

    let told = with("categories = { 7 = \"defector\" }").unwrap_err();
    assert!(told.len() == 1 && told[0].contains("`7`") && told[0].contains("“defector”") && told[0].contains("defectors"), "{told:?}");
    assert!(with("categories = { 7 = 7 }").unwrap_err()[0].contains("`site.legacy.categories.7`"));
    assert!(with("authors = { hana = [] }").unwrap_err()[0].contains("`site.legacy.authors.hana`"));
    assert!(with("atom_id = \"no address\"").unwrap_err()[0].contains("is not an id"));
}

#[test]
fn one_number_for_two_categories_is_told() {
    let category = |slug: &str| format!("\n[[category]]\nslug = \"{slug}\"\ntitle = \"{slug}\"\nwp_id = 7\n");
    let source = Source::new("clarion.toml", example() + &category("one") + &category("two"));
    let (config, warnings) = Config::parse(&source, Path::new("/etc/clarion"), &[]).unwrap();
    assert_eq!(config.site.category_numbered("anywhere", "7"), Some("one"));
    let told = warnings.iter().map(ToString::to_string).find(|warning| warning.contains("`wp_id`")).expect("a warning");
    assert!(told.contains("“one”") && told.contains("[[site.legacy]]") && told.contains("7 = \"two\""), "{told}");
}

#[test]
fn a_category_ends_on_a_day_and_names_one_that_goes_on() {
    let category = |slug: &str, more: &str| format!("\n[[category]]\nslug = \"{slug}\"\ntitle = \"{slug}\"\n{more}\n");
    let with = |more: String| parse(&(example() + &more), &[]);
    let site = with(category("camps", "retired = \"2027-01-31\"\nsuccessor = \"statements\"")).unwrap().site;
    let retired = site.category("camps").unwrap().retired.clone().unwrap();
    assert_eq!((retired.on.to_string().as_str(), retired.successor.as_deref()), ("2027-01-31", Some("statements")));
    for (more, told) in [
        ("retired = \"soon\"", "“soon” is not a day"),
        ("successor = \"statements\"", "`successor` without `retired`"),
        ("retired = \"2027-01-31\"\nsuccessor = \"nothing\"", "“nothing” is no category that goes on"),
        ("retired = \"2027-01-31\"\nsuccessor = \"camps\"", "“camps” is no category that goes on"),
    ] {
        let mistakes = with(category("camps", more)).unwrap_err();
        assert!(mistakes.len() == 1 && mistakes[0].contains(told), "{more}: {mistakes:?}");
    }
}

#[test]
fn the_id_of_an_old_feed_is_kept_byte_for_byte() {
    let with = |id: &str| {
        let legacy = format!("[[site.legacy]]\nhost = \"www.old.example.org\"\nlanguage = \"ja\"\natom_id = \"{id}\"\n\n[staff]");
        parse(&example().replacen("[staff]", &legacy, 1), &[])
    };
    for id in ["http://old.example.org", "http://Old.example.org/feed/atom/", "http://old.example.org/%e5%8c%97/?feed=atom"] {
        assert_eq!(with(id).unwrap().site.legacy[0].atom_id.as_deref(), Some(id));
    }
    let mistakes = with("feed/atom").unwrap_err();
    assert!(mistakes.len() == 1 && mistakes[0].contains("“feed/atom” is not an id"), "{mistakes:?}");
}

#[test]
fn relays_and_limits_are_read_as_written_and_mistakes_are_told() {
    let relays = "{ kind = \"smtp\", host = \"one.example.org\" }\n[[mail.relay]]\nhost = \"127.0.0.1\"\nport = 25\ntls = \"none\"\n";
    let limits = "[delivery]\nper_hour = 2000\nwarm_up = { first_day = 500, growth = 50, since = \"2027-09-01\" }\n";
    let group = "[[delivery.group]]\nname = \"big\"\ndomains = [\"Big.example\", \"bücher.example\"]\nper_second = 20\nconnections = 4\n[[digest]]\n";
    let text = example().replace("{ kind = \"file\", dir = \"../var/mail\" }", relays).replace("[delivery]\n", limits).replacen(
        "[[digest]]\n",
        group,
        1,
    );
    let config = parse(&text, &[]).unwrap();
    let TransportSettings::Relays(relays) = &config.mail.transport else { panic!("{:?}", config.mail.transport) };
    let names: Vec<_> = relays.iter().map(|relay| (relay.host.as_str(), relay.port, relay.tls)).collect();
    assert_eq!(names, [("one.example.org", 587, Tls::Required), ("127.0.0.1", 25, Tls::None)]);
    assert!(config.mail.transport.leaves_the_machine());
    assert_eq!((config.rates.per_hour, config.rates.mails_per_connection), (2000, 200));
    assert_eq!(config.rates.groups[0].domains, ["big.example", "xn--bcher-kva.example"]);
    assert_eq!((config.rates.groups[0].per_second, config.rates.groups[0].connections), (20, 4));
    assert_eq!(config.rates.warm_up.unwrap().cap(1), 750);
    for (wrong, told) in [
        ("name = \"Big One\"", "is not a name"),
        ("domains = [\"a b\"]", "is not a domain"),
        ("domains = [\"big.example\", \"big.example\"]", "named twice"),
    ] {
        let (key, _) = wrong.split_once(' ').unwrap();
        let line = text.lines().find(|line| line.starts_with(&format!("{key} = ")) && line.to_lowercase().contains("big")).unwrap();
        let problems = parse(&text.replace(line, wrong), &[]).unwrap_err().concat();
        assert!(problems.contains(told), "{problems}");
    }
    let files = example().replace("[delivery]\n", "[[mail.relay]]\nhost = \"smtp.example.org\"\n[delivery]\n");
    assert!(parse(&files, &[]).unwrap_err().concat().contains("mail goes to files"));
    let none = text.replace("first_day = 500, ", "");
    assert!(parse(&none, &[]).unwrap_err().concat().contains("first_day"));
}
