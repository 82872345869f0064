//! Reading typed values out of a table, collecting every mistake on the way.

use super::{Node, Place, Problem, Reason, Severity, Source, Value, toml, yaml};
use std::cell::RefCell;
use std::ops::Range;

/// One file being read: its source, and the problems found so far.
pub struct Reading<'s> {
    source: &'s Source,
    problems: RefCell<Vec<Problem>>,
    /// Lines and columns that could not be parsed: what is wrong with the value there is told
    /// once, by the parser, and what seems to be missing may only be unreadable.
    unparsed: RefCell<Vec<(usize, usize)>>,
}

impl<'s> Reading<'s> {
    /// Begins to read a file.
    pub fn new(source: &'s Source) -> Self {
        Self { source, problems: RefCell::default(), unparsed: RefCell::default() }
    }

    /// Parses the whole file as TOML.
    pub fn toml(&self) -> Node {
        self.toml_in(0..self.source.text().len())
    }

    /// Parses a byte range of the file as TOML.
    pub fn toml_in(&self, range: Range<usize>) -> Node {
        self.parsed(|problems| toml::parse(self.source, range, problems))
    }

    /// Parses a byte range of the file as YAML.
    pub fn yaml_in(&self, range: Range<usize>) -> Node {
        self.parsed(|problems| yaml::parse(self.source, range, problems))
    }

    fn parsed(&self, parse: impl FnOnce(&mut Vec<Problem>) -> Node) -> Node {
        let mut problems = self.problems.borrow_mut();
        let before = problems.len();
        let node = parse(&mut problems);
        self.unparsed.borrow_mut().extend(problems[before..].iter().map(|problem| (problem.line, problem.column)));
        node
    }

    /// Tells that something is missing at a place, unless the file could not be parsed.
    pub fn tell_missing(&self, place: &Place, reason: Reason) {
        if self.unparsed.borrow().is_empty() {
            self.tell(place, reason);
        }
    }

    /// The table at the root of a parsed file; [`Table::finish`] it when all keys are read.
    pub fn root(&self, node: Node) -> Table<'_> {
        Table::new(self, node, String::new())
    }

    /// Tells a mistake at a place.
    pub fn tell(&self, place: &Place, reason: Reason) {
        self.push(place, reason, Severity::Error);
    }

    fn push(&self, place: &Place, reason: Reason, severity: Severity) {
        let problem = match place {
            Place::Span(span) => self.source.problem(span.clone(), reason),
            Place::Named(name) => Problem::of_file(name, reason),
        };
        if !self.unparsed.borrow().contains(&(problem.line, problem.column)) {
            self.problems.borrow_mut().push(Problem { severity, ..problem });
        }
    }

    /// Tells something worth knowing at a place, which does not stop the file from being used.
    pub fn warn(&self, place: &Place, reason: Reason) {
        self.push(place, reason, Severity::Warning);
    }

    /// Ends the reading: everything told, in the order of the file.
    pub fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| (problem.line, problem.column));
        problems
    }
}

/// A type that can be read from a single value.
pub trait FromNode: Sized {
    /// What to write, as the end of "write …": `text in quotes, like "Defectors"`.
    const EXPECTED: &'static str;

    /// The value, or why it is refused. `None` means that the kind of value is wrong.
    fn from_value(value: &Value) -> Option<Result<Self, Reason>>;
}

/// A table whose keys are taken one by one; what is left at [`Table::finish`] is unknown.
pub struct Table<'r> {
    reading: &'r Reading<'r>,
    place: Place,
    entries: Vec<(String, Place, Node)>,
    /// Every key asked for, to suggest the near name of an unknown one.
    known: Vec<&'static str>,
    /// The dotted name of this table with a final dot, or nothing at the root.
    path: String,
}

impl<'r> Table<'r> {
    fn new(reading: &'r Reading<'r>, node: Node, path: String) -> Self {
        let Node { value, place } = node;
        let entries = if let Value::Table(entries) = value {
            entries
        } else {
            let found = value.kind();
            let name = path.trim_end_matches('.');
            reading.tell(
                &place,
                Reason::new(
                    format!("`{name}` should be a table, but is {found}"),
                    format!("write  [{name}]  on a line of its own and its keys below"),
                ),
            );
            Vec::new()
        };
        Self { reading, place, entries, known: Vec::new(), path }
    }

    /// Where the table stands.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The reading this table belongs to, to tell problems that concern several keys.
    pub fn reading(&self) -> &'r Reading<'r> {
        self.reading
    }

    /// Takes a key's raw value.
    pub fn node(&mut self, key: &'static str) -> Option<Node> {
        self.known.push(key);
        let at = self.entries.iter().position(|(name, ..)| name == key)?;
        let (_, _, node) = self.entries.remove(at);
        // YAML writes `summary:` for "none".
        (!matches!(node.value, Value::Nothing)).then_some(node)
    }

    /// Takes a key that may be missing.
    pub fn optional<T: FromNode>(&mut self, key: &'static str) -> Option<T> {
        self.placed(key).map(|(value, _)| value)
    }

    /// Takes a key that may be missing, with its place for later checks.
    pub fn placed<T: FromNode>(&mut self, key: &'static str) -> Option<(T, Place)> {
        let node = self.node(key)?;
        let value = self.read(key, &node)?;
        Some((value, node.place))
    }

    /// Takes a key, or the default where it is missing (or wrong, which is told).
    pub fn or<T: FromNode>(&mut self, key: &'static str, default: T) -> T {
        self.optional(key).unwrap_or(default)
    }

    /// Takes a key that must be there. `None` only after telling why.
    pub fn required<T: FromNode>(&mut self, key: &'static str) -> Option<T> {
        self.required_placed(key).map(|(value, _)| value)
    }

    /// [`Table::required`], with the place.
    pub fn required_placed<T: FromNode>(&mut self, key: &'static str) -> Option<(T, Place)> {
        let Some(node) = self.node(key) else {
            let reason = Reason::new(format!("`{}{key}` is missing", self.path), format!("add  {key} =  and {}", T::EXPECTED));
            self.reading.tell_missing(&self.place, reason);
            return None;
        };
        let value = self.read(key, &node)?;
        Some((value, node.place))
    }

    /// Takes a sub-table and reads it; unknown keys in it are told.
    pub fn table<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Table<'r>) -> T) -> Option<T> {
        let node = self.node(key)?;
        Some(self.descend(key, node, read))
    }

    /// Takes a sub-table that may be missing, in which case it is read as an empty one, so that
    /// defaults stand in one place.
    pub fn section<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Table<'r>) -> T) -> T {
        let node = self.node(key).unwrap_or_else(|| Node { value: Value::Table(Vec::new()), place: self.place.clone() });
        self.descend(key, node, read)
    }

    /// Takes a list of tables (`[[name]]`) and reads each.
    pub fn tables<T>(&mut self, key: &'static str, mut read: impl FnMut(&mut Table<'r>) -> T) -> Vec<T> {
        let Some(node) = self.node(key) else { return Vec::new() };
        let Value::List(items) = node.value else {
            let reason = Reason::new(
                format!("`{}{key}` should be a list of tables", self.path),
                format!("write  [[{key}]]  with two brackets above each"),
            );
            self.reading.tell(&node.place, reason);
            return Vec::new();
        };
        items.into_iter().map(|item| self.descend(key, item, &mut read)).collect()
    }

    /// Takes every entry that is left: for tables whose keys are names of the user's choosing.
    pub fn rest(&mut self) -> Vec<(String, Place, Node)> {
        std::mem::take(&mut self.entries)
    }

    /// Reads one value, telling the mistake under the key's full name.
    pub fn read<T: FromNode>(&self, key: &str, node: &Node) -> Option<T> {
        let name = format!("{}{key}", self.path);
        let reason = match T::from_value(&node.value) {
            Some(Ok(value)) => return Some(value),
            Some(Err(reason)) => Reason::new(format!("`{name}`: {}", reason.message), reason.remedy),
            None => Reason::new(format!("`{name}` cannot be {}", node.value.kind()), T::EXPECTED),
        };
        self.reading.tell(&node.place, reason);
        None
    }

    fn descend<T>(&self, key: &str, node: Node, read: impl FnOnce(&mut Table<'r>) -> T) -> T {
        let mut table = Table::new(self.reading, node, format!("{}{key}.", self.path));
        let value = read(&mut table);
        table.finish();
        value
    }

    /// Tells every key that was not taken, with the nearest known name.
    pub fn finish(self) {
        for (name, place, _) in &self.entries {
            let nearest = self
                .known
                .iter()
                .map(|known| (strsim::damerau_levenshtein(known, name), *known))
                .filter(|(distance, known)| *distance <= known.len().max(name.len()).div_ceil(3))
                .min();
            let remedy = match nearest {
                Some((_, known)) => format!("did you mean `{known}`?"),
                None => format!("remove it; known here are {}", list(&self.known)),
            };
            self.reading.tell(place, Reason::new(format!("`{}{name}` is not a known key", self.path), remedy));
        }
    }
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl FromNode for String {
    const EXPECTED: &'static str = "write text in straight quotes, like \"text\"";

    fn from_value(value: &Value) -> Option<Result<Self, Reason>> {
        let Value::Text(text) = value else { return None };
        Some(Ok(text.clone()))
    }
}

impl FromNode for bool {
    const EXPECTED: &'static str = "write true or false, without quotes";

    fn from_value(value: &Value) -> Option<Result<Self, Reason>> {
        let Value::Boolean(flag) = value else { return None };
        Some(Ok(*flag))
    }
}

impl FromNode for i64 {
    const EXPECTED: &'static str = "write a whole number, without quotes";

    fn from_value(value: &Value) -> Option<Result<Self, Reason>> {
        let Value::Integer(number) = value else { return None };
        Some(Ok(*number))
    }
}

impl FromNode for u32 {
    const EXPECTED: &'static str = "write a whole number from 0 to 4294967295, without quotes";

    fn from_value(value: &Value) -> Option<Result<Self, Reason>> {
        let number = match i64::from_value(value)? {
            Ok(number) => number,
            Err(reason) => return Some(Err(reason)),
        };
        Some(u32::try_from(number).map_err(|_| Reason::new(format!("{number} is out of range"), Self::EXPECTED)))
    }
}

impl<T: FromNode> FromNode for Vec<T> {
    const EXPECTED: &'static str = "write a list in brackets, like [\"one\", \"two\"]";

    fn from_value(value: &Value) -> Option<Result<Self, Reason>> {
        let Value::List(items) = value else { return None };
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match T::from_value(&item.value) {
                Some(Ok(value)) => list.push(value),
                Some(Err(reason)) => return Some(Err(reason)),
                None => {
                    let message = format!("item {} of the list cannot be {}", index + 1, item.value.kind());
                    return Some(Err(Reason::new(message, T::EXPECTED)));
                }
            }
        }
        Some(Ok(list))
    }
}
