//! What can be chosen: topics, languages in order, a rhythm.

use super::super::{Layout, State};
use super::fields::Fields;
use crate::language::Language;
use crate::subscription::{Choices, PETITIONS};
use std::collections::BTreeSet;

/// One thing to choose.
pub(super) struct Item {
    pub(super) value: String,
    pub(super) text: String,
    pub(super) chosen: bool,
}

/// A place in the order of languages.
pub(super) struct Place {
    pub(super) label: String,
    pub(super) items: Vec<Item>,
}

/// What `choices.html` shows. A list with nothing to choose between is empty.
pub(super) struct Choosing {
    pub(super) topics: Vec<Item>,
    pub(super) languages: Vec<Place>,
    pub(super) rhythms: Vec<Item>,
}

impl Choosing {
    /// The form with these choices made. A category that has ended is there for those who chose it.
    pub(super) fn new(state: &State, layout: &Layout, chosen: &Choices) -> Self {
        let goes_on = |item: &Item| item.chosen || !state.site.has_ended(&item.value, state.clock.now());
        let topic = |(value, text): (String, String)| Item { chosen: chosen.topics.contains(&value), value, text };
        let rhythm = |name: &String| Item { chosen: chosen.rhythm == *name, text: rhythm_title(layout, name), value: name.clone() };
        let names = rhythms(state);
        let places = if state.site.languages.len() > 1 { state.site.languages.len() } else { 0 };
        Self {
            topics: topics(state, layout).into_iter().map(topic).filter(goes_on).collect(),
            languages: (0..places).map(|position| place(state, layout, chosen, position)).collect(),
            rhythms: if names.len() > 1 { names.iter().map(rhythm).collect() } else { Vec::new() },
        }
    }
}

fn place(state: &State, layout: &Layout, chosen: &Choices, position: usize) -> Place {
    let here = chosen.languages.get(position);
    let item = |language: &Language| Item { value: language.to_string(), text: language.own_name(), chosen: here == Some(language) };
    let none = Item { value: String::new(), text: layout.voice.say("languages-none"), chosen: here.is_none() };
    let skippable = (position > 0).then_some(none);
    let label = layout.voice.say(if position == 0 { "languages-first" } else { "languages-next" });
    Place { label, items: skippable.into_iter().chain(state.site.languages.iter().map(item)).collect() }
}

/// Topics and their titles: the categories, and petitions where there are any.
fn topics(state: &State, layout: &Layout) -> Vec<(String, String)> {
    let categories = state.site.categories.iter().filter(|category| category.slug != PETITIONS);
    let mut topics: Vec<_> = categories.map(|category| (category.slug.clone(), category.title.get(&layout.language).to_owned())).collect();
    if state.petitions.is_some() {
        topics.push((PETITIONS.to_owned(), layout.voice.say("topic-petitions")));
    }
    topics
}

fn rhythms(state: &State) -> Vec<String> {
    state.digests.iter().map(|digest| digest.name.clone()).collect()
}

/// What a rhythm is called; staff may have named one as we do not foresee.
fn rhythm_title(layout: &Layout, name: &str) -> String {
    match name {
        "each" | "daily" | "weekly" | "monthly" => layout.voice.say(&format!("rhythm-{name}")),
        own => own.to_owned(),
    }
}

/// What is chosen before anybody chose: everything, in the language of the page.
pub(super) fn initial(state: &State, language: &Language) -> Choices {
    let rhythm = rhythms(state).into_iter().next().unwrap_or_default();
    Choices { topics: BTreeSet::new(), languages: vec![state.site.nearest_language(language).clone()], rhythm }
}

/// What a form chose. `None` where it names topics and we know none of them: taking that for
/// “everything” would send more than was asked for.
pub(super) fn read(state: &State, layout: &Layout, fields: &Fields) -> Option<Choices> {
    let known: BTreeSet<String> = topics(state, layout).into_iter().map(|(slug, _)| slug).collect();
    let named: BTreeSet<String> = fields.all("topic").filter(|topic| !topic.is_empty()).map(str::to_owned).collect();
    let topics: BTreeSet<String> = named.intersection(&known).cloned().collect();
    if topics.is_empty() && !named.is_empty() {
        return None;
    }
    let mut languages: Vec<Language> = Vec::new();
    for tag in fields.all("language") {
        let language = state.site.languages.iter().find(|language| language.to_string() == tag);
        languages.extend(language.filter(|language| !languages.contains(language)).cloned().into_iter().collect::<Vec<_>>());
    }
    let initial = initial(state, &layout.language);
    if languages.is_empty() {
        languages = initial.languages;
    }
    let rhythm = rhythms(state).into_iter().find(|name| name == fields.first("rhythm")).unwrap_or(initial.rhythm);
    Some(Choices { topics, languages, rhythm })
}

/// Choices in words.
pub(super) struct Summary {
    pub(super) topics: Vec<String>,
    pub(super) languages: Vec<String>,
    pub(super) rhythm: String,
}

impl Summary {
    pub(super) fn new(state: &State, layout: &Layout, choices: &Choices) -> Self {
        let chosen = topics(state, layout).into_iter().filter(|(slug, _)| choices.topics.contains(slug)).map(|(_, title)| title);
        let mut chosen: Vec<_> = chosen.collect();
        if choices.topics.is_empty() {
            chosen.push(layout.voice.say("topics-everything"));
        }
        Self {
            topics: chosen,
            languages: choices.languages.iter().map(Language::own_name).collect(),
            rhythm: if choices.rhythm.is_empty() { String::new() } else { rhythm_title(layout, &choices.rhythm) },
        }
    }
}
