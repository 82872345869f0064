//! `missions.toml`: embassies, consulates, any office that can be addressed (P5).

use crate::address::Address;
use crate::language::{Language, LocalText};
use crate::problem::{Place, Problem, Reading, Reason, Source, Table};
use std::path::Path;

/// An office that letters can be addressed to.
#[derive(Clone, Debug)]
pub struct Mission {
    /// Its name in petition files: `cn-tokyo`.
    pub id: String,
    /// Its name for people.
    pub name: LocalText,
    /// Where it stands.
    pub city: LocalText,
    /// The country it stands in, as two letters (ISO 3166-1).
    pub country: String,
    /// Lines separated by line feeds.
    pub postal_address: Option<LocalText>,
    /// Its telephone number.
    pub phone: Option<String>,
    /// Its fax number.
    pub fax: Option<String>,
    /// Its mail address.
    pub email: Option<Address>,
    /// The languages it reads, the best first.
    pub languages: Vec<Language>,
}

/// Every addressee, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Missions(Vec<Mission>);

impl Missions {
    /// Reads the file. A missing file is an empty list: a petition may have no addressee.
    pub fn load(path: &Path) -> (Self, Vec<Problem>) {
        match std::fs::read(path) {
            Ok(bytes) => match Source::from_bytes(path, &bytes) {
                Ok(source) => Self::parse(&source),
                Err(problem) => (Self::default(), vec![*problem]),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (Self::default(), Vec::new()),
            Err(error) => {
                let reason = Reason::new(format!("the file cannot be read: {error}"), "give the daemon the right to read it");
                (Self::default(), vec![Problem::of_file(path, reason)])
            }
        }
    }

    /// Reads every `[[mission]]`, telling every mistake.
    pub fn parse(source: &Source) -> (Self, Vec<Problem>) {
        let reading = Reading::new(source);
        let node = reading.toml();
        let mut root = reading.root(node);
        let mut missions: Vec<Mission> = Vec::new();
        let read = root.tables("mission", |table| {
            let place = table.place().clone();
            mission(table).map(|mission| (mission, place))
        });
        for (mission, place) in read.into_iter().flatten() {
            if missions.iter().any(|known| known.id == mission.id) {
                reading.tell(&place, Reason::new(format!("two missions have the id “{}”", mission.id), "give each an id of its own"));
            } else {
                missions.push(mission);
            }
        }
        root.finish();
        (Self(missions), reading.into_problems())
    }

    /// The mission with an id.
    pub fn get(&self, id: &str) -> Option<&Mission> {
        self.0.iter().find(|mission| mission.id == id)
    }

    /// Every mission.
    pub fn iter(&self) -> impl Iterator<Item = &Mission> {
        self.0.iter()
    }

    /// The id nearest to one that is not there.
    pub(super) fn nearest(&self, id: &str) -> Option<&str> {
        let near = self.0.iter().map(|mission| (strsim::damerau_levenshtein(&mission.id, id), mission.id.as_str()));
        near.filter(|(distance, known)| *distance <= known.len().max(id.len()).div_ceil(3)).min().map(|(_, known)| known)
    }
}

fn mission(table: &mut Table<'_>) -> Option<Mission> {
    let id = table.required_placed::<String>("id");
    if let Some((id, place)) = &id
        && (id.is_empty() || !id.is_ascii() || *id != crate::site::slug(id))
    {
        let reason =
            Reason::new(format!("“{id}” cannot stand in an address"), "use lower-case letters a–z, digits and hyphens, like cn-tokyo");
        table.reading().tell(place, reason);
    }
    let name = LocalText::take_required(table, "name");
    let city = LocalText::take_required(table, "city");
    let country = table.required_placed::<String>("country");
    if let Some((country, place)) = &country {
        tell_country(table, country, place);
    }
    let postal_address = LocalText::take(table, "postal_address");
    let phone = table.optional("phone");
    let fax = table.optional("fax");
    let email = table.optional("email");
    let languages = table.or("languages", Vec::new());
    Some(Mission { id: id?.0, name: name?, city: city?, country: country?.0, postal_address, phone, fax, email, languages })
}

fn tell_country(table: &Table<'_>, country: &str, place: &Place) {
    if country.len() != 2 || !country.bytes().all(|b| b.is_ascii_uppercase()) {
        let reason = Reason::new(format!("“{country}” is not a country code"), "write two capital letters, like \"JP\" or \"US\"");
        table.reading().tell(place, reason);
    }
}
