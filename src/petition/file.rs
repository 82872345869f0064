//! `petition.toml`: what staff decide about a petition.

use super::TOPIC;
use super::dates::{At, Day, Moment};
use super::public::Signatory;
use crate::address::Address;
use crate::clock::{Timestamp, parse_local};
use crate::language::{Language, LocalText};
use crate::problem::{Place, Problem, Reading, Reason, Source, Table};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

crate::text_enum! {
    /// What the file says of the petition's state.
    pub enum FileState {
        /// Being written: nothing goes out.
        Draft = "draft",
        /// Approvers may be asked.
        Ready = "ready",
        /// Nothing more goes out.
        Stopped = "stopped",
    }
}

crate::text_enum! {
    /// Whom of the audience a step goes to.
    pub enum Whom {
        /// All.
        Everyone = "everyone",
        /// Those who said “I have done it”.
        Acted = "acted",
        /// Those who did not.
        NotActed = "not_acted",
    }
}

/// A petition as its file has it.
#[derive(Clone, Debug)]
pub(super) struct PetitionFile {
    pub(super) state: FileState,
    pub(super) title: LocalText,
    /// Never counts as an approver where two are required.
    pub(super) prepared_by: Option<Address>,
    /// Ids of missions, each with its place.
    pub(super) targets: Vec<String>,
    pub(super) targets_place: Option<Place>,
    /// All missions that stand in these countries.
    pub(super) countries: Vec<String>,
    pub(super) countries_place: Option<Place>,
    pub(super) edition: EditionPlan,
    pub(super) audience: Audience,
    pub(super) steps: Vec<StepPlan>,
    pub(super) signatories: Vec<Signatory>,
}

/// The day, and when it is too late.
#[derive(Clone, Debug)]
pub(super) struct EditionPlan {
    pub(super) day: Date,
    pub(super) time_zone: TimeZone,
    /// What has not gone out by then does not.
    pub(super) deadline: Option<Timestamp>,
}

impl EditionPlan {
    /// The edition's name: its year.
    pub(super) fn name(&self) -> String {
        self.day.year().to_string()
    }
}

/// Who is written to.
#[derive(Clone, Debug)]
pub(super) struct Audience {
    pub(super) topics: BTreeSet<String>,
    /// Empty: all.
    pub(super) languages: Vec<Language>,
    /// For those whose language has no text.
    pub(super) fallback: Vec<Language>,
}

/// One mail of the petition.
#[derive(Clone, Debug)]
pub(super) struct StepPlan {
    pub(super) name: String,
    /// The text's name: `call` of `call.en.md`.
    pub(super) text: String,
    pub(super) text_place: Place,
    pub(super) due: Option<Timestamp>,
    pub(super) at_place: Place,
    pub(super) to: Whom,
    /// Whether its text becomes an entry of the feeds when it goes out, like an outcome.
    pub(super) publish: bool,
}

/// Reads a petition file; `None` where something necessary is wrong, which is told.
pub(super) fn parse(source: &Source) -> (Option<PetitionFile>, Vec<Problem>) {
    let reading = Reading::new(source);
    let node = reading.toml();
    let mut root = reading.root(node);
    let file = read(&mut root);
    root.finish();
    (file, reading.into_problems())
}

fn read(root: &mut Table<'_>) -> Option<PetitionFile> {
    let state = word(root, "state", FileState::ALL, FileState::as_str).unwrap_or(FileState::Draft);
    let title = LocalText::take_required(root, "title");
    let prepared_by = root.optional("prepared_by");
    let (targets, targets_place) = root.placed::<Vec<String>>("targets").unzip();
    let (countries, countries_place) = root.placed::<Vec<String>>("countries").unzip();
    let edition = root.table("edition", edition);
    if edition.is_none() {
        let reason = Reason::new("`edition` is missing", "write  [edition]  on a line of its own and below it  day = \"2027-09-24\"");
        root.reading().tell(root.place(), reason);
    }
    let edition = edition.flatten();
    let audience = root.section("audience", audience);
    let steps: Vec<_> = root.tables("step", |table| step(table, edition.as_ref()));
    if steps.is_empty() {
        let reason = Reason::new("there is no step, so nothing would be sent", "write  [[step]]  and below it  name, text and at");
        root.reading().tell(root.place(), reason);
    }
    let signatories = root.tables("signatory", signatory).into_iter().flatten().collect();
    // The others are judged although one cannot be read, so that all mistakes are told at once.
    let steps: Vec<StepPlan> = steps.into_iter().flatten().collect();
    tell_twins(root, &steps);
    Some(PetitionFile {
        state,
        title: title?,
        prepared_by,
        targets: targets.unwrap_or_default(),
        targets_place,
        countries: countries.unwrap_or_default(),
        countries_place,
        edition: edition?,
        audience,
        steps,
        signatories,
    })
}

fn edition(table: &mut Table<'_>) -> Option<EditionPlan> {
    let day = table.required::<Day>("day");
    let time_zone = table.or("time_zone", TimeZone::UTC);
    let deadline = table.placed::<Moment>("deadline");
    let Day(day) = day?;
    let deadline = deadline.and_then(|(Moment(text), place)| {
        let instant = parse_local(&text, &time_zone).ok()?;
        if instant.in_zone(&time_zone).date() < day {
            let reason = Reason::new(format!("the deadline is before the day, {day}"), "write a deadline on the day or after it");
            table.reading().tell(&place, reason);
        }
        Some(instant)
    });
    Some(EditionPlan { day, time_zone, deadline })
}

fn audience(table: &mut Table<'_>) -> Audience {
    Audience {
        topics: table.or("topics", vec![TOPIC.to_owned()]).into_iter().collect(),
        languages: table.or("languages", Vec::new()),
        fallback: table.or("fallback", Vec::new()),
    }
}

fn step(table: &mut Table<'_>, edition: Option<&EditionPlan>) -> Option<StepPlan> {
    let name = table.required_placed::<String>("name");
    if let Some((name, place)) = &name
        && (name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_')))
    {
        let reason = Reason::new(format!("“{name}” cannot name a step"), "use lower-case letters a–z, digits, - and _, like last_call");
        table.reading().tell(place, reason);
    }
    let text = table.placed::<String>("text");
    let at = table.required_placed::<At>("at");
    let to = word(table, "to", Whom::ALL, Whom::as_str).unwrap_or(Whom::Everyone);
    let publish = table.or("publish", false);
    let (name, name_place) = name?;
    let (text, text_place) = text.unwrap_or_else(|| (name.clone(), name_place));
    let (at, at_place) = at?;
    let due = edition.and_then(|edition| at.instant(edition.day, &edition.time_zone));
    if let (Some(due), Some(deadline)) = (due, edition.and_then(|edition| edition.deadline))
        && due >= deadline
    {
        let reason = Reason::new(
            format!("the step “{name}” is after the edition's deadline, so it would never be sent"),
            "make the step earlier or the deadline later",
        );
        table.reading().tell(&at_place, reason);
    }
    Some(StepPlan { name, text, text_place, due, at_place, to, publish })
}

fn signatory(table: &mut Table<'_>) -> Option<Signatory> {
    let name: Option<String> = table.required("name");
    let url = table.placed::<String>("url");
    if let Some((url, place)) = &url
        && !url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
    {
        table.reading().tell(place, Reason::new(format!("“{url}” is not a web address"), "write it like https://www.example.org"));
    }
    Some(Signatory { name: name?, url: url.map(|(url, _)| url) })
}

/// Takes one of a few words.
fn word<T: Copy>(table: &mut Table<'_>, key: &'static str, all: &[T], text_of: impl Fn(T) -> &'static str) -> Option<T> {
    let (text, place) = table.placed::<String>(key)?;
    let found = all.iter().copied().find(|value| text_of(*value) == text);
    if found.is_none() {
        let words: Vec<String> = all.iter().map(|value| format!("\"{}\"", text_of(*value))).collect();
        table.reading().tell(&place, Reason::new(format!("`{key}` cannot be “{text}”"), format!("write {}", words.join(" or "))));
    }
    found
}

fn tell_twins(root: &Table<'_>, steps: &[StepPlan]) {
    let mut seen = BTreeSet::new();
    for step in steps.iter().filter(|step| !seen.insert(step.name.as_str())) {
        let reason = Reason::new(format!("two steps are called “{}”", step.name), "give each step a name of its own");
        root.reading().tell(&step.at_place, reason);
    }
}
