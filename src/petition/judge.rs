//! What is wrong with a petition beyond single values: texts that lack, dates gone by, targets
//! nobody knows (P2). Everything is told at once.

use super::Settings;
use super::file::{PetitionFile, StepPlan};
use super::folder::{Folder, read_folder, slugs};
use super::letter;
use super::missions::Missions;
use super::public::{PublicMission, PublicPage};
use super::texts::{placeholder_reason, placeholders};
use super::years::{other_years, year_reason, years_in_text};
use crate::address::Address;
use crate::clock::Timestamp;
use crate::content::{stray_stars, stray_stars_reason};
use crate::language::{Language, LocalText};
use crate::problem::{Place, Problem, Reason, Source};
use crate::site::Site;
use std::collections::{BTreeSet, HashSet};

/// Texts that the letter kit uses, and the page.
const KIT: [&str; 3] = ["letter", "letter_short", "page"];

/// What a petition is judged by, beside its folder.
#[derive(Clone, Debug)]
pub struct Circumstances<'a> {
    /// How petitions are run.
    pub settings: &'a Settings,
    /// The site.
    pub site: &'a Site,
    /// The present.
    pub now: Timestamp,
    /// Steps whose time may be past: they were asked about or sent. `None`: not known.
    pub known_steps: Option<&'a BTreeSet<String>>,
    /// Whether mail leaves the machine.
    pub mail_leaves: bool,
}

/// Judges every petition without a database, for `clarion check`.
pub fn check(settings: &Settings, site: &Site, mail_leaves: bool, now: Timestamp) -> Vec<Problem> {
    let (missions, mut problems) = Missions::load(&settings.missions_file);
    let circumstances = Circumstances { settings, site, now, known_steps: None, mail_leaves };
    match slugs(&settings.dir) {
        Ok(slugs) => {
            for slug in slugs {
                problems.extend(judge(&read_folder(&settings.dir, &slug, &missions), &missions, &circumstances));
            }
        }
        Err(error) => {
            let reason = Reason::new(format!("the folder of petitions cannot be read: {error}"), "make it, or mend petitions.dir");
            problems.push(Problem::of_file(&settings.dir, reason));
        }
    }
    problems
}

/// Every mistake in a petition, those found while reading first.
pub(super) fn judge(folder: &Folder, missions: &Missions, circumstances: &Circumstances<'_>) -> Vec<Problem> {
    let mut problems = folder.problems.clone();
    let Some((source, file)) = &folder.file else { return problems };
    let judge = Judge { folder, source, file, circumstances };
    problems.extend(judge.title());
    problems.extend(judge.targets(missions));
    for step in &file.steps {
        problems.extend(judge.step_text(step));
        problems.extend(judge.step_time(step));
    }
    problems.extend(judge.letters());
    problems.extend(judge.years());
    // A step that cannot be read may name a text that seems unused.
    if folder.problems.is_empty() {
        problems.extend(judge.unused());
    }
    problems.extend(judge.mistagged());
    problems.extend(judge.stray_stars());
    problems.extend(judge.quorum());
    problems.extend(judge.pointless());
    problems
}

struct Judge<'a> {
    folder: &'a Folder,
    source: &'a Source,
    file: &'a PetitionFile,
    circumstances: &'a Circumstances<'a>,
}

impl Judge<'_> {
    fn at(&self, place: &Place, reason: Reason) -> Problem {
        match place {
            Place::Span(span) => self.source.problem(span.clone(), reason),
            Place::Named(name) => Problem::of_file(name, reason),
        }
    }

    /// Titles are few and short: their place is found by their words.
    fn at_words(&self, words: &str, reason: Reason) -> Problem {
        match self.source.text().find(words) {
            Some(at) => self.source.problem(at..at + words.len(), reason),
            None => Problem::of_file(self.source.path(), reason),
        }
    }

    fn titles(&self) -> Vec<&str> {
        match &self.file.title {
            LocalText::Same(text) => vec![text],
            LocalText::By(texts) => texts.values().map(String::as_str).collect(),
        }
    }

    fn title(&self) -> Vec<Problem> {
        let left = self.titles().into_iter().flat_map(placeholders);
        left.map(|(_, found)| self.at_words(found, placeholder_reason(found))).collect()
    }

    fn targets(&self, missions: &Missions) -> Vec<Problem> {
        let place = |place: &Option<Place>| place.clone().unwrap_or_else(|| Place::Named(self.source.path().display().to_string()));
        let unknown = self.file.targets.iter().filter(|id| missions.get(id).is_none()).map(|id| {
            let remedy = missions
                .nearest(id)
                .map_or_else(|| "add it to missions.toml, or remove it here".to_owned(), |near| format!("did you mean “{near}”?"));
            let reason = Reason::new(format!("missions.toml has no “{id}”"), remedy);
            let quoted = format!("\"{id}\"");
            if self.source.text().contains(&quoted) {
                self.at_words(&quoted, reason)
            } else {
                self.at(&place(&self.file.targets_place), reason)
            }
        });
        let empty =
            self.file.countries.iter().filter(|country| missions.iter().all(|mission| mission.country != **country)).map(|country| {
                let reason = Reason::new(
                    format!("missions.toml has no mission in “{country}”"),
                    "write a country code like \"JP\" that missions.toml uses, or remove it",
                );
                self.at(&place(&self.file.countries_place), reason)
            });
        unknown.chain(empty).collect()
    }

    /// Languages in which a step is needed: the audience's, else the site's.
    fn wanted(&self) -> &[Language] {
        let named = &self.file.audience.languages;
        if named.is_empty() { &self.circumstances.site.languages } else { named }
    }

    fn step_text(&self, step: &StepPlan) -> Vec<Problem> {
        let texts = &self.folder.texts;
        let text = &step.text;
        if !texts.has(text) {
            let first = self.circumstances.site.default_language();
            let reason = Reason::new(
                format!("the step “{}” has no text: there is no {text}.{first}.md", step.name),
                format!("write {text}.{first}.md, or name a text that is there"),
            );
            return vec![self.at(&step.text_place, reason)];
        }
        let has = |language: &Language| texts.of(text).any(|(known, _)| known == language);
        if self.file.audience.fallback.iter().any(has) {
            return Vec::new();
        }
        let missing = self.wanted().iter().filter(|language| !language.fallbacks().any(|language| has(&language)));
        missing
            .map(|language| {
                let remedy =
                    format!("write {text}.{language}.md, or name a language that stands in:  fallback = [\"…\"]  below [audience]");
                self.at(
                    &step.text_place,
                    Reason::new(format!("the step “{}” has no text in {language} and no fallback", step.name), remedy),
                )
            })
            .collect()
    }

    fn step_time(&self, step: &StepPlan) -> Option<Problem> {
        let due = step.due.filter(|due| *due <= self.circumstances.now)?;
        let local = due.in_zone(&self.file.edition.time_zone);
        let when = local.strftime("%Y-%m-%d %H:%M");
        let reason =
            Reason::new(format!("the time of the step “{}” is past: {when}", step.name), "write a time to come, or remove the step");
        match self.circumstances.known_steps {
            Some(known) if known.contains(&step.name) => None,
            Some(_) => Some(self.at(&step.at_place, reason)),
            // Without the database nobody knows whether it was sent in time.
            None => Some(self.at(&step.at_place, reason).as_warning()),
        }
    }

    fn letters(&self) -> Vec<Problem> {
        let place = self.file.targets_place.clone().or_else(|| self.file.countries_place.clone());
        let (Some(place), false) = (place, self.folder.targets.is_empty()) else { return Vec::new() };
        let first = self.circumstances.site.default_language();
        if !self.folder.texts.has("letter") {
            let reason = Reason::new("there are addressees but no letter", format!("write letter.{first}.md, or remove the targets"));
            return vec![self.at(&place, reason)];
        }
        let mut problems: Vec<Problem> = self
            .folder
            .targets
            .iter()
            .filter(|mission| {
                !mission.languages.is_empty()
                    && !mission.languages.iter().any(|own| self.folder.texts.of("letter").any(|(known, _)| known == own))
            })
            .map(|mission| {
                let own = &mission.languages[0];
                let reason =
                    Reason::new(format!("the letter is in no language that {} reads", mission.id), format!("write letter.{own}.md"));
                self.at(&place, reason).as_warning()
            })
            .collect();
        problems.extend(self.short_letters());
        problems
    }

    /// A `mailto:` link has a limit that Japanese reaches soon.
    fn short_letters(&self) -> Vec<Problem> {
        let page = PublicPage::of(self.file, self.folder, &self.circumstances.site.languages);
        let mission = self.folder.targets.iter().find(|mission| mission.email.is_some());
        let Some(mission) = mission.map(|mission| PublicMission::of(mission, &[])) else { return Vec::new() };
        let too_long = |tag: &String| {
            let length = letter::mailto(&mission, page.short_letters.get(tag)?, &letter::Signature::default()).map_or(0, |link| link.len());
            (length > letter::SAFE_MAILTO).then_some(length)
        };
        let texts = self.folder.texts.of("letter_short");
        texts
            .filter_map(|(language, text)| Some((too_long(&language.to_string())?, text)))
            .map(|(length, text)| {
                let reason = Reason::new(
                    format!("the short letter makes a mail link of {length} characters; mail programs take {}", letter::SAFE_MAILTO),
                    "shorten it (a Japanese character counts nine), or readers can only copy and print",
                );
                text.source.problem(0..0, reason).as_warning()
            })
            .collect()
    }

    /// A year left over from last time.
    fn years(&self) -> Vec<Problem> {
        let edition = &self.file.edition;
        let mut problems = Vec::new();
        for title in self.titles() {
            problems.extend(
                other_years(title, edition.day.year()).into_iter().map(|(_, year)| self.at_words(title, year_reason(year, edition))),
            );
        }
        for (_, _, text) in self.folder.texts.iter() {
            problems.extend(years_in_text(text, edition));
        }
        problems
    }

    fn unused(&self) -> Vec<Problem> {
        let used: BTreeSet<&str> = self.file.steps.iter().map(|step| step.text.as_str()).chain(KIT).collect();
        let unused = self.folder.texts.iter().filter(|(name, ..)| !used.contains(name));
        unused
            .map(|(name, _, text)| {
                let reason = Reason::new(format!("no step uses the text “{name}”"), "name it in a step with  text = , or remove the file");
                Problem::of_file(text.source.path(), reason).as_warning()
            })
            .collect()
    }

    /// Texts that nobody gets, since the site calls their language otherwise.
    fn mistagged(&self) -> Vec<Problem> {
        let sent: BTreeSet<&str> = self.file.steps.iter().map(|step| step.text.as_str()).collect();
        let texts = self.folder.texts.iter().filter(|(name, ..)| sent.contains(name));
        texts
            .filter_map(|(name, language, text)| {
                let own = self.circumstances.site.language_of(language).filter(|own| *own != language)?;
                let message = format!("nobody gets this text: the site's language is {own}, not {language}");
                Some(Problem::of_file(text.source.path(), Reason::new(message, format!("rename the file to {name}.{own}.md"))))
            })
            .collect()
    }

    /// Marks of bold type that Markdown does not take for such, usually beside a Japanese bracket.
    fn stray_stars(&self) -> Vec<Problem> {
        let texts = self.folder.texts.iter();
        texts
            .filter_map(|(_, _, text)| {
                let body = text.body();
                let at = stray_stars(body)? + text.source.text().rfind(body).unwrap_or(0);
                Some(text.source.problem(at..at + 2, stray_stars_reason()).as_warning())
            })
            .collect()
    }

    /// More approvals required than there are people who may give one.
    fn quorum(&self) -> Option<Problem> {
        let Settings { approvers, approvals_required, .. } = self.circumstances.settings;
        let may = |address: &&Address| *approvals_required < 2 || self.file.prepared_by.as_ref() != Some(*address);
        let count = approvers.iter().filter(may).collect::<HashSet<_>>().len();
        (count < *approvals_required as usize).then(|| {
            let reason = Reason::new(
                format!("{approvals_required} approvals are required, but only {count} of the approvers may approve this petition"),
                "name somebody else in prepared_by (who prepared it does not count), or add an approver in clarion.toml",
            );
            Problem::of_file(self.source.path(), reason)
        })
    }

    /// What makes the whole petition pointless.
    fn pointless(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.circumstances.mail_leaves {
            problems.push(Reason::new(
                "mail goes to files or stays on this machine: nobody will receive this",
                "set [mail] transport to your relay before the petition is ready",
            ));
        }
        if self.circumstances.site.is_loopback() {
            problems.push(Reason::new(
                "the links in its mails lead to this machine: nobody can follow them",
                "set [site] base_url to the public address",
            ));
        }
        problems.into_iter().map(|reason| Problem::of_file(self.source.path(), reason).as_warning()).collect()
    }
}
