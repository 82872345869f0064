//! Lists of tags, `v=DKIM1; k=rsa; p=…` (RFC 6376 §3.2), as records and signatures are written.

/// The tags of a list in their order, names as written, values without the white space that
/// folding brought. What is no list is told.
pub fn parse(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').ok_or_else(|| format!("“{}” is not written name=value", shortened(part)))?;
        let name = name.trim();
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name {
            return Err(format!("“{}” is not the name of a tag", shortened(name)));
        }
        if tags.iter().any(|(known, _)| known == name) {
            return Err(format!("the tag “{name}” is there twice"));
        }
        tags.push((name.to_owned(), value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")));
    }
    Ok(tags)
}

/// A tag's value.
pub fn value<'t>(tags: &'t [(String, String)], name: &str) -> Option<&'t str> {
    tags.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// What is shown of somebody else's text.
fn shortened(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_with_its_folds_and_its_last_semicolon() {
        let tags = parse("v=DKIM1 ; k = rsa;\r\n\tp=AB\r\n CD= ; ").unwrap();
        assert_eq!(value(&tags, "v"), Some("DKIM1"));
        assert_eq!(value(&tags, "p"), Some("AB CD="));
        assert_eq!(value(&tags, "P"), None);
        assert_eq!(parse("").unwrap(), []);
        for wrong in ["v", "=x", "1=x", "a b=x", "a=1; a=2"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
