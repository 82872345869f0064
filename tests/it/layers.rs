//! Imports point one way.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// From the top down; the modules of one layer do not import each other.
const LAYERS: &[&[&str]] = &[
    &["main"],
    &["cli"],
    &["app", "doctor"],
    &["config", "web", "inbound"],
    &["digest", "petition", "notice"],
    &["subscription", "feed"],
    &["delivery"],
    &["addressbook", "mail", "content"],
    &["vault", "fetch", "noticeboard"],
    &["db"],
    &["task", "metrics"],
    &["site"],
    &["language", "clock", "address"],
    &["problem"],
];

/// `config` only gathers the settings that the rooms beside it define.
const EXCEPTIONS: &[(&str, &str)] = &[("config", "web"), ("config", "inbound")];

fn layer(module: &str) -> usize {
    LAYERS
        .iter()
        .position(|layer| layer.contains(&module))
        .unwrap_or_else(|| panic!("the module {module} has no layer; give it one in {}", file!()))
}

#[test]
fn imports_point_one_way() {
    let mut files = Vec::new();
    collect(Path::new("src"), &mut files);
    assert!(files.len() > 20, "the sources were found");
    let mut wrong = Vec::new();
    for file in files {
        let module = module_of(&file);
        if module == "lib" {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        for used in used_modules(&text) {
            let downward = layer(&module) < layer(&used) || module == used;
            if !downward && !EXCEPTIONS.contains(&(&module, &used)) {
                wrong.push(format!("{} imports {used}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "imports against the order of the layers:\n{}", wrong.join("\n"));
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn module_of(file: &Path) -> String {
    let first = file.strip_prefix("src").unwrap().components().next().unwrap();
    first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The modules named after `crate::` (or `clarion::` in main), in imports and in paths.
fn used_modules(text: &str) -> Vec<String> {
    let mut used = BTreeSet::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
        for (at, matched) in line.match_indices("crate::") {
            let rest = &line[at + matched.len()..];
            let names: Vec<&str> = match rest.strip_prefix('{') {
                Some(list) => list.split(',').map(|name| name.trim().trim_end_matches(['}', ';'])).collect(),
                None => vec![rest],
            };
            for name in names {
                let name: String = name.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                if !name.is_empty() && name != "text_enum" && name != "self" {
                    used.insert(name);
                }
            }
        }
    }
    used.into_iter().collect()
}
