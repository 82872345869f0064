//! The first reading of an export: what there is, where each article will be, and which files it
//! uses. Only names are kept, so that memory does not grow with the texts; these are read again.

use super::Options;
use super::blocks::Shared;
use super::categories::Categories;
use super::choice::{Choice, choose};
use super::dates::{self, Written};
use super::html::plain;
use super::links::{Addresses, OldSite, decoded};
use super::report::{Doubt, ExportedSite, Report};
use super::tidy;
use super::tongues;
use super::wxr::{Export, Header, Item, Part};
use crate::content::identity::slug_of;
use crate::language::Language;
use crate::site::{self, Site};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;

/// Shared blocks are short; a book is none.
const LONGEST_SHARED: usize = 200 << 10;
/// In octets, so that the name of a file fits into every file system.
const LONGEST_NAME: usize = 150;

/// An uploaded file, as the export describes it.
#[derive(Clone, Debug, Default)]
pub(super) struct Attachment {
    pub(super) url: String,
    pub(super) alt: String,
    /// HTML.
    pub(super) caption: String,
}

/// An article to be: a post, or its part in one language.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The post's number, with its language where it is written in several.
    pub(super) key: String,
    /// The mark of its language in the text, where it is written in several.
    pub(super) tongue: Option<String>,
    /// Whether it is the one that keeps the id and the old addresses.
    pub(super) is_first: bool,
    pub(super) language: Language,
    pub(super) group: Option<String>,
    pub(super) slug: String,
    /// `2011/2011-07-05-name`
    pub(super) stem: String,
    /// The path of its page here.
    pub(super) address: String,
    pub(super) draft: bool,
}

/// The authors whose name in the old addresses is not made of the name they have here, as TOML.
fn authors_of_old(header: &Header) -> String {
    let names = header.authors.iter().map(|(login, name)| (login.as_str(), plain(name)));
    let mut others: Vec<_> = names.filter(|(login, name)| !name.is_empty() && site::slug(login) != site::slug(name)).collect();
    others.sort();
    let quoted = super::front::quoted;
    others.iter().map(|(login, name)| format!("{} = {}", quoted(&site::slug(login)), quoted(name))).collect::<Vec<_>>().join("\n")
}

/// All that the first reading found.
#[derive(Default)]
pub(super) struct Survey {
    pub(super) header: Header,
    pub(super) categories: Categories,
    pub(super) old: OldSite,
    pub(super) plans: HashMap<u64, Vec<Plan>>,
    pub(super) addresses: Addresses,
    pub(super) attachments: HashMap<u64, Attachment>,
    /// By the post they were uploaded to, in order.
    pub(super) attached: HashMap<u64, Vec<u64>>,
    /// Titles of uploaded files, by address.
    pub(super) titles: HashMap<String, String>,
    /// Path below the folder → address on the old site.
    pub(super) uploads: BTreeMap<String, String>,
    shared: HashMap<u64, String>,
    stems: HashMap<String, String>,
    slugs: HashMap<(String, String, String), u64>,
    duplicates: Vec<(u64, u64)>,
    fallback: Option<Language>,
    /// How the feed's address would be written, by how many links say so.
    forms: BTreeMap<&'static str, u64>,
}

/// How a site that links a post so writes the address of its Atom feed.
fn feed_form(link: &str) -> &'static str {
    match link {
        link if link.contains('?') => "/?feed=atom",
        link if link.ends_with('/') => "/feed/atom/",
        _ => "/feed/atom",
    }
}

impl Shared for Survey {
    fn shared(&self, id: u64) -> Option<&str> {
        self.shared.get(&id).map(String::as_str)
    }
}

impl Survey {
    /// Reads the whole file once. `progress` is told the octets read.
    pub(super) fn read(
        path: &Path,
        site: &Site,
        options: &Options,
        report: &mut Report,
        progress: &mut dyn FnMut(u64),
    ) -> anyhow::Result<Self> {
        let mut export = Export::open(path)?;
        let mut survey = Self::default();
        loop {
            match export.next()? {
                Part::Header(header) => survey.begin(*header, site, options, report),
                Part::Item(item) => {
                    survey.item(&item, site, options, report);
                    progress(export.octets());
                }
                Part::End(cut_off) => {
                    report.cut_off = cut_off;
                    break;
                }
            }
        }
        survey.join_duplicates();
        survey.tell_feed_id(report);
        survey.tell_old_names(site, report);
        Ok(survey)
    }

    fn begin(&mut self, header: Header, site: &Site, options: &Options, report: &mut Report) {
        self.old = OldSite::new(&header.home, &options.old_hosts.iter().chain([&header.site]).cloned().collect::<Vec<_>>());
        self.fallback = options.language.clone().or_else(|| tongues::known(&header.language, site));
        self.categories = Categories::of(&header, site);
        report.categories_toml = self.categories.toml(site);
        report.site = ExportedSite { title: plain(&header.title), url: header.home.clone(), language: header.language.clone() };
        if let Some(host) = url::Url::parse(&header.home).ok().as_ref().and_then(url::Url::host_str) {
            let language = self.fallback.as_ref().unwrap_or_else(|| site.default_language());
            report.legacy_toml = format!("[[site.legacy]]\nhost = {}\nlanguage = \"{language}\"", super::front::quoted(host));
        }
        self.header = header;
    }

    /// The tables of the old names, which stand below all else of `[[site.legacy]]`.
    fn tell_old_names(&self, site: &Site, report: &mut Report) {
        let tables = [
            ("[site.legacy.authors]  # their names in old addresses", authors_of_old(&self.header)),
            ("[site.legacy.categories]  # what the old addresses call them", self.categories.old_names(&self.header, site)),
        ];
        if !report.legacy_toml.is_empty() {
            let tables = tables.iter().filter(|(_, lines)| !lines.is_empty());
            report.legacy_toml.extend(tables.map(|(head, lines)| format!("\n\n{head}\n{lines}")));
        }
    }

    fn item(&mut self, item: &Item, site: &Site, options: &Options, report: &mut Report) {
        report.comments += item.comments;
        report.characters_left_out += item.repaired;
        match choose(item, options) {
            Choice::Part if item.kind == "wp_block" => {
                if item.content.len() <= LONGEST_SHARED {
                    self.shared.insert(item.id, item.content.clone());
                }
            }
            Choice::Part => self.attachment(item),
            Choice::Leave(what) => report.leave_out(what),
            Choice::Take { .. } if item.id == 0 => report.leave_out("posts without a number"),
            Choice::Take { draft } => {
                let Some(date) = dates::date(item, &site.time_zone) else {
                    report.leave_out("posts without any date");
                    report.doubts.push(Doubt {
                        post: item.id,
                        title: plain(&item.title),
                        reason: "it has no date, so it is not imported".to_owned(),
                    });
                    return;
                };
                if item.status == "publish" && !item.link.is_empty() {
                    *self.forms.entry(feed_form(&item.link)).or_default() += 1;
                }
                self.plan(item, &date, draft, site);
                for address in tidy::addresses(&item.content) {
                    self.upload(&address);
                }
                let enclosed = item.meta.iter().filter(|(key, _)| key == "enclosure").filter_map(|(_, value)| value.lines().next());
                enclosed.for_each(|address| self.upload(address.trim()));
            }
        }
    }

    /// WordPress's Atom feed has its own address as its id, and that is written as most links of
    /// the site are.
    fn tell_feed_id(&self, report: &mut Report) {
        let home = report.site.url.trim_end_matches('/');
        let Some((form, _)) = self.forms.iter().max_by_key(|(_, count)| **count) else { return };
        if !report.legacy_toml.is_empty() {
            let _ = write!(report.legacy_toml, "\natom_id = {}", super::front::quoted(&format!("{home}{form}")));
        }
    }

    fn attachment(&mut self, item: &Item) {
        self.upload(&item.attachment_url);
        if item.parent != 0 {
            self.attached.entry(item.parent).or_default().push(item.id);
        }
        let alt = item.meta("_wp_attachment_image_alt").map(plain).unwrap_or_default();
        let title = plain(&item.title);
        self.titles.insert(item.attachment_url.clone(), title);
        let attachment = Attachment { url: item.attachment_url.clone(), alt, caption: item.excerpt.clone() };
        self.attachments.insert(item.id, attachment);
    }

    fn upload(&mut self, address: &str) {
        if let Some(url) = self.old.own(address)
            && let Some(Ok(path)) = OldSite::upload(&url)
        {
            self.uploads.entry(path).or_insert_with(|| url.into());
        }
    }

    fn plan(&mut self, item: &Item, date: &Written, draft: bool, site: &Site) {
        let tongues = tongues::languages_within(&item.title);
        let tongues = if tongues.is_empty() { tongues::languages_within(&item.content) } else { tongues };
        let mut tongues: Vec<(Option<String>, Language)> =
            tongues.into_iter().filter_map(|tag| Some((Some(tag.clone()), tongues::known(&tag, site)?))).collect();
        let several = tongues.len() > 1;
        if tongues.is_empty() {
            let own = tongues::language(item, site).or_else(|| self.fallback.clone());
            tongues.push((None, own.unwrap_or_else(|| site.default_language().clone())));
        }
        // The site's own language keeps the id that readers know.
        tongues.sort_by_key(|(_, language)| language != site.default_language());
        let own_group = tongues::group(item).or_else(|| several.then(|| format!("wp-{}", item.id)));
        if let Some(original) = tongues::duplicate_of(item) {
            self.duplicates.push((item.id, original));
        }
        let mut plans: Vec<Plan> = Vec::new();
        for (tongue, language) in tongues {
            let is_first = plans.is_empty();
            let key = if is_first { item.id.to_string() } else { format!("{}.{language}", item.id) };
            let title = plain(&tongue.as_ref().map_or_else(|| item.title.clone(), |tag| tongues::part_in(&item.title, tag)));
            let month = site.month_of(date.instant);
            let slug = self.free_slug(item, &title, &month, &language);
            let address = site.article_path(&language, &month, &slug);
            let stem = self.free_stem(&date.text, &slug, own_group.as_deref().unwrap_or(&key), item.id);
            plans.push(Plan { key, tongue, is_first, language, group: own_group.clone(), slug, stem, address, draft });
        }
        if let (Some(first), false) = (plans.first(), draft) {
            self.addresses.insert(super::links::Key::Number(item.id), first.address.clone());
            if let Some(key) = self.old.own(&item.link).and_then(|url| self.old.key(&url)) {
                self.addresses.entry(key).or_insert_with(|| first.address.clone());
            }
        }
        self.plans.insert(item.id, plans);
    }

    /// The name in addresses, as WordPress has it where that can stand in one here; with the
    /// post's number where another of the month has it.
    fn free_slug(&mut self, item: &Item, title: &str, month: &str, language: &Language) -> String {
        let wished = slug_of(Some(&decoded(&item.name)), "", title);
        // Cut at its longest, a name may end in a hyphen, which is no name's end.
        let wished = slug_of(Some(&wished), "", "");
        let free = (language.to_string(), month.to_owned(), wished.clone());
        let holder = *self.slugs.entry(free).or_insert(item.id);
        if holder == item.id { wished } else { slug_of(Some(&format!("{}-{}", cut(&wished, 90), item.id)), "", "") }
    }

    fn free_stem(&mut self, date: &str, slug: &str, holder: &str, id: u64) -> String {
        let day = date.get(..10).unwrap_or("0000-00-00");
        let stem = format!("{}/{day}-{}", &day[..4], cut(slug, LONGEST_NAME).trim_end_matches('-'));
        let first = self.stems.entry(stem.clone()).or_insert_with(|| holder.to_owned());
        if first == holder { stem } else { format!("{stem}-{id}") }
    }

    /// WPML's copies in other languages share the group of their original.
    fn join_duplicates(&mut self) {
        for (copy, original) in std::mem::take(&mut self.duplicates) {
            for id in [copy, original] {
                for plan in self.plans.get_mut(&id).into_iter().flatten() {
                    plan.group.get_or_insert_with(|| format!("wp-{original}"));
                }
            }
        }
    }
}

/// The beginning of a name, whole characters.
fn cut(name: &str, most: usize) -> &str {
    &name[..name.floor_char_boundary(most)]
}
