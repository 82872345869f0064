//! A file of the folder, read whole: front matter, what its name says, and its text.

use super::front_matter::{self, FrontMatter};
use super::identity::{PathName, dated_name, slug_of};
use super::markup::{self, Body};
use super::media::{self, Files, Wanted};
use super::record::{self, Entry, Rendered};
use super::{folder::Folder, markdown, text};
use crate::clock::{Timestamp, instant_of};
use crate::language::Language;
use crate::problem::{Place, Problem, Reading, Reason, Severity, Source};
use crate::site::Site;
use crate::vault::content_hash;
use std::ops::Range;

/// A good version of an article's file.
#[derive(Debug)]
pub(super) struct Manuscript {
    pub(super) path: String,
    pub(super) hash: String,
    pub(super) head: FrontMatter,
    pub(super) date: Timestamp,
    /// What is worth knowing though the file is used.
    pub(super) warnings: Vec<Problem>,
    stem: String,
    language: Language,
    slug: String,
    source: Source,
    body: Range<usize>,
    /// What its links mean; nothing before [`Manuscript::find_files`].
    pub(super) files: Files,
    rendered: Option<Rendered>,
}

impl Manuscript {
    /// Reads the bytes of a file. Everything that is wrong with it is told at once.
    pub(super) fn read(path: &str, source: Source, hash: String, site: &Site) -> Result<Self, Vec<Problem>> {
        let parts = front_matter::part(&source)?;
        let reading = Reading::new(&source);
        let head = front_matter::read(&reading, &parts, site);
        let name = PathName::of(path, site);
        let language = head.as_ref().and_then(|head| language(&reading, head, &name, site));
        let date = head.as_ref().and_then(|head| date(&reading, head, &name, site));
        tell_unprintable(&reading, source.text());
        if !is_html(path) {
            tell_stray_stars(&reading, source.text(), &parts.body);
        }
        let problems = reading.into_problems();
        let (Some(head), Some(language), Some(date)) = (head, language, date) else { return Err(problems) };
        if problems.iter().any(|problem| problem.severity == Severity::Error) {
            return Err(problems);
        }
        Ok(Self {
            path: path.to_owned(),
            hash,
            stem: name.stem.to_owned(),
            slug: slug_of(head.slug.as_deref(), name.stem, &head.title),
            date,
            language,
            head,
            warnings: problems,
            body: parts.body,
            source,
            files: Files::default(),
            rendered: None,
        })
    }

    /// Looks for the files that its links mean; what is missing is a warning.
    pub(super) fn find_files(&mut self, folder: &Folder, site: &Site, known: &media::Known) {
        let FrontMatter { image, video, attachments, .. } = &self.head;
        let head = &self.source.text()[..self.body.start];
        let named = |link: &'_ str| head.find(link).map_or(0..0, |at| at..at + link.len());
        let always = [image, video].into_iter().flatten().chain(attachments.enclosures.iter().map(|file| &file.url));
        let mut wanted: Vec<(String, Range<usize>, bool)> = always.map(|link| (link.clone(), named(link), true)).collect();
        wanted.extend(media::links_of(self.text(), self.body.start));
        let wanted = wanted.iter().map(|(link, at, is_picture)| Wanted { link, at: at.clone(), is_picture: *is_picture });
        let (files, remarks) = Files::find(folder, site, &self.path, known, wanted);
        self.files = files;
        let told = remarks.into_iter().take(MOST_REMARKS);
        self.warnings.extend(told.map(|(at, reason)| self.source.problem(at, reason).as_warning()));
    }

    /// Its text, as it is written.
    fn text(&self) -> Body<'_> {
        let body = &self.source.text()[self.body.clone()];
        if is_html(&self.path) { Body::Html(body) } else { Body::Markdown(body) }
    }

    /// Renders it for the address that it will most likely have.
    pub(super) fn render_ahead(&mut self, site: &Site) {
        self.rendered = record::render_ahead(site, &self.entry());
    }

    /// What is to be recorded.
    pub(super) fn entry(&self) -> Entry<'_> {
        let FrontMatter { title, updated, uid, slug, aliases, translation, attachments, .. } = &self.head;
        Entry {
            source: super::FOLDER,
            path: &self.path,
            stem: &self.stem,
            hash: self.hash.clone(),
            uid: uid.as_ref().map(|(uid, _)| uid.clone()),
            draft: self.head.draft,
            announce: self.head.announce,
            date: self.date,
            updated: *updated,
            language: self.language.clone(),
            translation: translation.clone(),
            slug: self.slug.clone(),
            slug_is_wished: slug.is_some(),
            title: title.clone(),
            summary: self.head.summary.clone(),
            body: self.text(),
            rendered: self.rendered.as_ref(),
            video: self.head.video.clone(),
            files: &self.files,
            attachments: attachments.clone(),
            canonical_url: self.head.canonical_url.clone(),
            image: self.head.image.clone(),
            series: self.head.series.clone(),
            aliases: aliases.clone(),
        }
    }

    /// A problem where the file names its id.
    pub(super) fn problem_of_id(&self, reason: Reason) -> Problem {
        self.problem_at(self.head.uid.as_ref().map(|(_, place)| place), reason)
    }

    /// Says that another file has the same id.
    pub(super) fn twin_of(&self, uid: &str, other: &str) -> Problem {
        self.problem_of_id(Reason::new(
            format!("this file and {other} have the same id, {uid}"),
            "remove `id` from the one that is new, and it gets an id of its own",
        ))
    }

    /// A problem where the file names its categories.
    pub(super) fn problem_of_categories(&self, reason: Reason) -> Problem {
        self.problem_at(self.head.categories_place.as_ref(), reason)
    }

    /// A problem where the file names its date.
    pub(super) fn problem_of_date(&self, reason: Reason) -> Problem {
        self.problem_at(self.head.date.as_ref().map(|(_, place)| place), reason)
    }

    fn problem_at(&self, place: Option<&Place>, reason: Reason) -> Problem {
        match place {
            Some(Place::Span(span)) => self.source.problem(span.clone(), reason),
            _ => self.source.problem(0..0, reason),
        }
    }
}

/// Of one file; more help nobody.
const MOST_REMARKS: usize = 20;

fn is_html(path: &str) -> bool {
    path.rsplit('.').next().is_some_and(|extension| extension.to_ascii_lowercase().starts_with("htm"))
}

/// Everything that articles are made from besides their files.
pub(super) fn settings(site: &Site) -> String {
    let zone = site.time_zone.iana_name().unwrap_or_default();
    format!("{} {} {zone} {:?} {:?}", markup::VERSION, site.base_url, site.languages, site.categories)
}

/// The hash of a file's bytes and of the [`settings`], so that a new configuration renders all
/// anew.
pub(super) fn hash(bytes: &[u8], settings: &str) -> String {
    content_hash(&[settings.as_bytes(), bytes])
}

/// The language: of the name and of `lang`, which must agree, else the site's first. What is
/// written in `zh-TW` or `en-GB` is of the site's `zh-Hant` or `en`, in whose feeds and mails it
/// belongs.
fn language(reading: &Reading<'_>, head: &FrontMatter, name: &PathName<'_>, site: &Site) -> Option<Language> {
    let language = match (&head.language, &name.language) {
        (Some((written, place)), Some(named)) if written != named => {
            let reason = Reason::new(
                format!("`lang` says {written}, but the file name says {named}"),
                format!("remove `lang`, or name the file ….{written}.md"),
            );
            reading.tell(place, reason);
            return None;
        }
        (Some((written, _)), _) => written.clone(),
        (None, Some(named)) => named.clone(),
        (None, None) => site.default_language().clone(),
    };
    if let Some(own) = site.language_of(&language) {
        return Some(own.clone());
    }
    let place = head.language.as_ref().map_or(Place::Span(0..0), |(_, place)| place.clone());
    let remedy = format!("add \"{language}\" to `languages` in the configuration; until then the article is in no feed");
    reading.warn(&place, Reason::new(format!("the site has no language {language}"), remedy));
    Some(language)
}

/// The date: as written, else the one with which the file's name begins.
fn date(reading: &Reading<'_>, head: &FrontMatter, name: &PathName<'_>, site: &Site) -> Option<Timestamp> {
    if let Some((date, _)) = &head.date {
        return Some(*date);
    }
    if let (Some(date), _) = dated_name(name.stem) {
        return Some(instant_of(date.into(), &site.time_zone));
    }
    let remedy = "add  date = 2027-09-24  or begin the file's name with the date, like 2027-09-24-name.md";
    reading.tell_missing(&Place::Span(0..0), Reason::new("`date` is missing", remedy));
    None
}

/// Tells of characters that XML 1.0 §2.2 cannot carry; they are left out everywhere.
fn tell_unprintable(reading: &Reading<'_>, whole: &str) {
    let mut unprintable = whole.char_indices().filter(|(_, c)| !text::is_xml_char(*c));
    let Some((at, _)) = unprintable.next() else { return };
    let message = match unprintable.count() {
        0 => "an invisible control character was left out, since feeds cannot carry it".to_owned(),
        more => format!("{} invisible control characters were left out, since feeds cannot carry them; the first is here", more + 1),
    };
    reading.warn(&Place::Span(at..at + 1), Reason::new(message, "delete it and type the words on both sides again"));
}

/// Tells of bold type that Markdown does not take for such, usually beside a Japanese bracket.
fn tell_stray_stars(reading: &Reading<'_>, whole: &str, body: &Range<usize>) {
    let Some(at) = markdown::stray_stars(&whole[body.clone()]).map(|at| body.start + at) else { return };
    reading.warn(&Place::Span(at..at + 2), markdown::stray_stars_reason());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::LocalText;

    fn site() -> Site {
        Site {
            title: LocalText::Same("Site".into()),
            description: None,
            base_url: "https://example.org".parse().unwrap(),
            languages: ["en", "ja", "zh-Hant"].map(|tag| Language::parse(tag).unwrap()).to_vec(),
            time_zone: crate::clock::parse_zone("Asia/Tokyo").unwrap(),
            postal_address: String::new(),
            id_authority: None,
            donate_url: None,
            contact_url: None,
            categories: Vec::new(),
            legacy: Vec::new(),
            imprint: crate::site::Imprint::default(),
        }
    }

    fn read(path: &str, text: &str) -> Result<Manuscript, Vec<String>> {
        let problems = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect();
        Manuscript::read(path, Source::new(path, text), String::new(), &site()).map_err(problems)
    }

    #[test]
    fn toml_and_yaml_say_the_same() {
        let toml = "+++\ntitle = \"A: b\"\ndate = 2027-09-24T09:00:00\ncategories = [\"Food\"]\nauthors = [\"Kim\", { name = \"Lee\", url = \"https://example.org/lee\" }]\ndraft = true\n+++\nText";
        let yaml = "---\r\ntitle: \"A: b\"\r\ndate: 2027-09-24T09:00:00\r\ncategories: Food\r\nauthors:\r\n  - Kim\r\n  - name: Lee\r\n    url: https://example.org/lee\r\ndraft: true\r\n---\r\nText";
        let (toml, yaml) = (read("a.md", toml).unwrap(), read("a.md", yaml).unwrap());
        assert_eq!(toml.date.to_string(), "2027-09-24T00:00:00Z");
        assert_eq!(toml.date, yaml.date);
        assert_eq!(toml.head.attachments, yaml.head.attachments);
        assert_eq!(toml.head.attachments.credits[1].url.as_deref(), Some("https://example.org/lee"));
        assert_eq!(toml.head.found_categories[0].slug, "food");
        assert_eq!((toml.head.draft, yaml.head.draft), (true, true));
    }

    #[test]
    fn every_mistake_is_told_with_its_place_and_a_remedy() {
        let problems = read(
            "a.ja.md",
            "\n+++\ntitel = \"x\"\ndate = \"next week\"\nlang = \"en\"\nannounce = \"maybe\"\ncanonical_url = \"/x\"\naliases = [\"old.htm\"]\n[[enclosure]]\nurl = \"javascript:alert(1)\"\n+++\n",
        )
        .unwrap_err();
        let told = |start: &str, words: &str| {
            assert!(
                problems.iter().any(|problem| problem.starts_with(start) && problem.contains(words)),
                "{start} {words} in {problems:#?}"
            );
        };
        told("a.ja.md:3:1: error: ", "did you mean `title`?");
        told("a.ja.md:", "`title` is missing");
        told("a.ja.md:4:8: error: ", "“next week” is not a date");
        told("a.ja.md:6:12: error: ", "“maybe” is not understood");
        told("a.ja.md:7:17: error: ", "`canonical_url` is not a link");
        told("a.ja.md:8:11: error: ", "“old.htm” is not an old address");
        told("a.ja.md:10:7: error: ", "`enclosure.url` is not a link");
        let problems = read("a.ja.md", "+++\ntitle = \"x\"\ndate = 2027-01-01\nlang = \"en\"\n+++\n").unwrap_err();
        assert!(problems[0].starts_with("a.ja.md:4:8: error: `lang` says en, but the file name says ja"), "{problems:?}");
    }

    #[test]
    fn a_file_without_front_matter_is_told_how_to_begin() {
        assert!(read("a.md", "# Title\n").unwrap_err()[0].starts_with("a.md:1:1: error: the file does not begin with its title"));
        let problem = &read("a.md", "+++\ntitle = \"x\"\n").unwrap_err()[0];
        assert!(problem.contains("a second line +++ is missing"), "{problem}");
        let problems = read("a.md", "+++\ntitle = “x”\ndate = 2027-01-01\n+++\n").unwrap_err();
        assert!(problems.iter().any(|problem| problem.starts_with("a.md:2:9") && problem.contains("straight quotes")), "{problems:?}");
        let problems = read("a.md", "---\ntitle: a: b\n---\n").unwrap_err();
        assert!(problems.iter().any(|problem| problem.contains("a.md:2:") && problem.contains("colon")), "{problems:?}");
    }

    #[test]
    fn a_date_may_stand_in_the_name_alone() {
        let article = read("x/2011-07-05-center.md", "+++\ntitle = \"x\"\n+++\n").unwrap();
        assert_eq!((article.date.to_string().as_str(), article.slug.as_str()), ("2011-07-04T15:00:00Z", "center"));
        assert!(read("x/center.md", "+++\ntitle = \"x\"\n+++\n").unwrap_err()[0].contains("`date` is missing"));
    }

    #[test]
    fn languages_are_told_from_names_and_other_dots_are_not() {
        let head = "+++\ntitle = \"x\"\ndate = 2027-01-01\n+++\n";
        for (path, language, stem) in [
            ("a/b.ja.md", "ja", "a/b"),
            ("a/b.md", "en", "a/b"),
            ("a/b.v2.md", "en", "a/b.v2"),
            ("a/b.jan.md", "en", "a/b.jan"),
            ("a.ja/b.md", "en", "a.ja/b"),
            ("a/b.en-GB.md", "en", "a/b"),
            ("a/b.zh-TW.md", "zh-Hant", "a/b"),
            ("a/b.zh-hant-hk.md", "zh-Hant", "a/b"),
            ("a/b.zh-Hans.md", "zh-Hans", "a/b"),
        ] {
            let article = read(path, head).unwrap();
            assert_eq!((article.language.to_string().as_str(), article.stem.as_str()), (language, stem), "{path}");
        }
        let korean = read("a.ko.md", head).unwrap();
        assert!(korean.warnings[0].to_string().contains("warning: the site has no language ko"));
    }

    #[test]
    fn control_characters_are_counted_once() {
        let article = read("a.md", "+++\ntitle = \"x\"\ndate = 2027-01-01\n+++\nA\u{b}B\u{1}C").unwrap();
        assert!(article.warnings[0].to_string().starts_with("a.md:5:2: warning: 2 invisible control characters"), "{:?}", article.warnings);
    }

    #[test]
    fn no_front_matter_is_too_much_for_the_program() {
        let nested = format!("---\ntitle: x\nx:\n  {}1\n---\n", "- ".repeat(30_000));
        assert!(read("a.md", &nested).unwrap_err()[0].contains("nested too deep"));
        let nested = format!("+++\ntitle = \"x\"\nx = {}\n+++\n", "[".repeat(30_000));
        assert!(read("a.md", &nested).unwrap_err().iter().any(|problem| problem.contains("recurs")));
        let laugh = |c: u8| format!("{0}: &{0} [{1}]", c as char, vec![format!("*{}", (c - 1) as char); 9].join(","));
        let laughs = (b'b'..=b'm').map(laugh).collect::<Vec<_>>().join("\n") + "\n";
        let problems = read("a.md", &format!("---\ntitle: x\na: &a [x]\n{laughs}---\n")).unwrap_err();
        assert!(problems[0].contains("not valid YAML"), "{problems:?}");
        let long = format!("+++\ntitle = \"x\"\n{} = 1\n+++\n", "k".repeat(70_000));
        assert!(read("a.md", &long).unwrap_err()[0].contains("longer than 64 kB"));
    }
}
