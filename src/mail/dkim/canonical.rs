//! The relaxed forms in which a signature sees a mail (RFC 6376 §3.4): what relays change on the
//! way, white space and folding, is not in them.

/// A header field of a mail: its name, and what stands behind the colon, folded as it is, without
/// the last line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field<'m> {
    pub(super) name: &'m str,
    pub(super) value: &'m str,
}

/// Takes a mail apart: its fields in order, and its body behind the empty line (RFC 5322 §2.1).
/// `None` where a line of the head is no field.
pub(super) fn split(mail: &str) -> Option<(Vec<Field<'_>>, &str)> {
    let (head, body) = match mail.split_once("\r\n\r\n") {
        Some((head, body)) => (head, body),
        None => (mail.strip_suffix("\r\n").unwrap_or(mail), ""),
    };
    let mut fields = Vec::new();
    let mut rest = head;
    while !rest.is_empty() {
        let end = field_end(rest);
        let (name, value) = rest[..end].split_once(':')?;
        let name = name.trim_end_matches([' ', '\t']);
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        fields.push(Field { name, value });
        rest = rest[end..].strip_prefix("\r\n").unwrap_or_default();
    }
    Some((fields, body))
}

/// Where the first field ends: at a line end that no white space follows (RFC 5322 §2.2.3).
fn field_end(head: &str) -> usize {
    let ends = head.match_indices("\r\n").map(|(at, _)| at);
    ends.into_iter().find(|at| !head[at + 2..].starts_with([' ', '\t'])).unwrap_or(head.len())
}

/// A field in relaxed form, without a line end (§3.4.2).
pub(super) fn relaxed_field(field: Field<'_>) -> String {
    let mut line = field.name.to_ascii_lowercase();
    line.push(':');
    let words = field.value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
    for (at, word) in words.enumerate() {
        if at > 0 {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// A body in relaxed form (§3.4.4): no white space at the end of lines, one space for several,
/// no empty lines at the end, and nothing at all for a body of nothing else.
pub(super) fn relaxed_body(body: &str) -> String {
    let mut relaxed = String::with_capacity(body.len());
    let mut empty_lines = 0;
    for line in body.split_inclusive("\r\n") {
        let line = line.strip_suffix("\r\n").unwrap_or(line).trim_end_matches([' ', '\t']);
        if line.is_empty() {
            empty_lines += 1;
            continue;
        }
        for _ in 0..std::mem::take(&mut empty_lines) {
            relaxed.push_str("\r\n");
        }
        push_relaxed_line(&mut relaxed, line);
        relaxed.push_str("\r\n");
    }
    relaxed
}

fn push_relaxed_line(relaxed: &mut String, line: &str) {
    // Nearly every line of an encoded mail is one of these.
    if !line.contains("  ") && !line.contains('\t') {
        return relaxed.push_str(line);
    }
    let mut in_space = false;
    for c in line.chars() {
        let space = matches!(c, ' ' | '\t');
        if !space {
            relaxed.push(c);
        } else if !in_space {
            relaxed.push(' ');
        }
        in_space = space;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_gives_its_result() {
        // RFC 6376 §3.4.5.
        let mail = "A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n";
        let (fields, body) = split(mail).unwrap();
        let head: Vec<String> = fields.into_iter().map(relaxed_field).collect();
        assert_eq!(head, ["a:X", "b:Y Z"]);
        assert_eq!(relaxed_body(body), " C\r\nD E\r\n");
    }

    #[test]
    fn bodies_of_nothing_are_nothing_and_a_missing_line_end_is_added() {
        for nothing in ["", "\r\n", " \t\r\n\r\n", "   "] {
            assert_eq!(relaxed_body(nothing), "", "{nothing:?}");
        }
        assert_eq!(relaxed_body("a"), "a\r\n");
        assert_eq!(relaxed_body("a\r\n \r\nb\r\n\t\r\n"), "a\r\n\r\nb\r\n");
        assert_eq!(relaxed_body("\r\na\r\n"), "\r\na\r\n");
    }

    #[test]
    fn a_mail_is_taken_apart_at_its_folds_and_what_is_no_field_is_refused() {
        let (fields, body) = split("Subject: a\r\n b\r\n\tc\r\nX:\r\n\r\nbody: x\r\n\r\ny").unwrap();
        assert_eq!(fields[0], Field { name: "Subject", value: " a\r\n b\r\n\tc" });
        assert_eq!((fields[1].name, fields[1].value, fields.len()), ("X", "", 2));
        assert_eq!(body, "body: x\r\n\r\ny");
        assert_eq!(split("X: 1\r\n").unwrap().1, "");
        for wrong in ["no field\r\n\r\n", ": nameless\r\n\r\n", "two words: x\r\n\r\n", " folded: x\r\n\r\n"] {
            assert!(split(wrong).is_none(), "{wrong:?}");
        }
    }
}
