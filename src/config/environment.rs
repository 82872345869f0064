//! `CLARION_WEB__LISTEN=127.0.0.1:0` overrides `listen` of `[web]`: two underscores go one
//! table down.

use crate::problem::{Node, Place, Reading, Reason, Source, Value};

/// Variables of this prefix that mean something else.
const NOT_KEYS: [&str; 3] = ["CLARION_CONFIG", "CLARION_CLOCK", "CLARION_LOG"];
const PREFIX: &str = "CLARION_";
/// Variables that only the tests read.
const TEST_PREFIX: &str = "CLARION_TEST_";

/// Sets the values that the environment gives. Returns the variables that name no table.
pub(super) fn apply(root: &mut Node, environment: &[(String, String)]) -> Vec<(String, Reason)> {
    let mut refused = Vec::new();
    for (variable, text) in environment {
        let Some(path) = variable.strip_prefix(PREFIX) else { continue };
        if NOT_KEYS.contains(&variable.as_str()) || variable.starts_with(TEST_PREFIX) {
            continue;
        }
        let path = path.to_lowercase();
        let keys: Vec<&str> = path.split("__").collect();
        if !set(root, &keys, variable, text) {
            let reason = Reason::new(
                "the variable names no key",
                "write the section and the key with two underscores between, like CLARION_WEB__LISTEN",
            );
            refused.push((format!("environment variable {variable}"), reason));
        }
    }
    refused
}

fn set(node: &mut Node, keys: &[&str], variable: &str, text: &str) -> bool {
    let Value::Table(entries) = &mut node.value else { return false };
    let place = Place::Named(format!("environment variable {variable}"));
    match keys {
        [] => false,
        [key] => {
            let value = Node { value: value(text), place: place.clone() };
            entries.retain(|(name, ..)| name != key);
            entries.push(((*key).to_owned(), place, value));
            true
        }
        [key, rest @ ..] => {
            let at = entries.iter().position(|(name, ..)| name == key).unwrap_or_else(|| {
                let table = Node { value: Value::Table(Vec::new()), place: place.clone() };
                entries.push(((*key).to_owned(), place.clone(), table));
                entries.len() - 1
            });
            set(&mut entries[at].2, rest, variable, text)
        }
    }
}

/// Numbers, flags, lists and tables as in the file; everything else is text without quotes.
fn value(text: &str) -> Value {
    let source = Source::new("environment", format!("value = {text}"));
    let reading = Reading::new(&source);
    let node = reading.toml();
    if let (true, Value::Table(mut entries)) = (reading.into_problems().is_empty(), node.value)
        && let [(_, _, Node { value, .. })] = entries.as_mut_slice()
        && !matches!(value, Value::Datetime(_))
    {
        return std::mem::replace(value, Value::Nothing);
    }
    Value::Text(text.to_owned())
}
