//! `[delivery]` beyond connections and pace: an hour's limit, a warm-up, groups of recipient
//! domains.

use super::sections::{in_range, parsed, parsed_required, tell_twins};
use crate::address::Address;
use crate::delivery::{Group, Rates, WarmUp};
use crate::problem::{Reason, Table};

/// No limit needs to be larger.
const MOST: u32 = 100_000_000;

/// Reads the limits of the section.
pub(super) fn read(table: &mut Table<'_>) -> Rates {
    let groups: Vec<Group> = table.tables("group", group).into_iter().flatten().collect();
    tell_twins(table, "delivery.group", groups.iter().map(|group| group.name.as_str()));
    let mut seen = std::collections::BTreeSet::new();
    for domain in groups.iter().flat_map(|group| &group.domains).filter(|domain| !seen.insert(domain.as_str())) {
        let reason = Reason::new(format!("the domain {domain} is named twice in [[delivery.group]]"), "leave it in one group");
        table.reading().tell(table.place(), reason);
    }
    Rates {
        per_hour: in_range(table, "per_hour", 0, MOST, 0),
        mails_per_connection: in_range(table, "mails_per_connection", 1, MOST, Rates::default().mails_per_connection),
        warm_up: table.table("warm_up", warm_up).flatten(),
        groups,
    }
}

fn group(table: &mut Table<'_>) -> Option<Group> {
    let name = parsed_required(table, "name", |text| match text {
        text if !text.is_empty() && text.is_ascii() && text == crate::site::slug(text) => Ok(text.to_owned()),
        _ => Err(Reason::new(format!("“{text}” is not a name"), "use lower-case letters a–z, digits and hyphens, like google")),
    });
    let domains = table.required_placed::<Vec<String>>("domains");
    let domains = domains.map(|(list, place)| {
        let parse = |text: &String| {
            let address = Address::parse(&format!("x@{text}"));
            if address.is_err() {
                let reason = Reason::new(format!("“{text}” is not a domain"), "write it like \"example.org\"");
                table.reading().tell(&place, reason);
            }
            // As the address book has it: A-labels in lower case.
            address.ok().map(|address| address.domain().to_lowercase())
        };
        list.iter().filter_map(parse).collect::<Vec<String>>()
    });
    let per_second = in_range(table, "per_second", 0, 100_000, 0);
    let per_hour = in_range(table, "per_hour", 0, MOST, 0);
    let connections = in_range(table, "connections", 0, 200, 0);
    Some(Group { name: name?, domains: domains?, per_second, per_hour, connections })
}

fn warm_up(table: &mut Table<'_>) -> Option<WarmUp> {
    let first_day: Option<u32> = table.required("first_day");
    let growth = in_range(table, "growth", 0, 1000, 50);
    let since = parsed(table, "since", |text| {
        text.parse::<jiff::civil::Date>().map_err(|_| Reason::new(format!("“{text}” is not a day"), "write it like \"2027-01-31\""))
    });
    let first_day = first_day.filter(|mails| *mails > 0);
    if first_day.is_none() {
        let reason = Reason::new("a warm-up begins with at least one mail a day", "write first_day = 500, or remove [delivery.warm_up]");
        table.reading().tell(table.place(), reason);
    }
    Some(WarmUp { first_day: first_day?, growth: 1.0 + f64::from(growth) / 100.0, since })
}
