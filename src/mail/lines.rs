//! The lines of a mail on its way: each ends with CRLF, and nothing else in it can be taken for a
//! line end by any relay (RFC 5321 §2.3.8).

use std::borrow::Cow;

/// The text with CRLF at the end of each line (RFC 2046 §4.1.1), whatever was there, and of the last.
pub(super) fn with_line_ends(text: &str) -> Vec<u8> {
    let mut lines = Vec::with_capacity(text.len() + text.len() / 16 + 2);
    let mut rest = text.as_bytes();
    while let Some(end) = memchr::memchr2(b'\r', b'\n', rest) {
        lines.extend_from_slice(&rest[..end]);
        lines.extend_from_slice(b"\r\n");
        rest = &rest[end + if rest[end..].starts_with(b"\r\n") { 2 } else { 1 }..];
    }
    if !rest.is_empty() || lines.is_empty() {
        lines.extend_from_slice(rest);
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

/// Whether a CR or an LF stands alone somewhere. Some relays take it for a line end, and what
/// follows for another mail (S8, RUSTSEC-2026-0561).
pub(super) fn has_stray_end(bytes: &[u8]) -> bool {
    // It does not stop at the first, so that many octets are compared at once.
    let is_torn = |(here, next): (&u8, &u8)| (*here == b'\r') != (*next == b'\n');
    let torn = bytes.iter().zip(bytes.iter().skip(1)).fold(false, |torn, pair| torn | is_torn(pair));
    torn || bytes.first() == Some(&b'\n') || bytes.last() == Some(&b'\r')
}

/// The longest line, without its end.
pub(super) fn longest_line(bytes: &[u8]) -> usize {
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]);
    let lines = ends.map(|end| {
        let line = end - start;
        start = end + 1;
        line.saturating_sub(usize::from(end < bytes.len()))
    });
    lines.max().unwrap_or(0)
}

/// The body with the dot at the start of a line doubled (RFC 5321 §4.5.2).
pub(super) fn stuffed(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut dots = memchr::memmem::find_iter(bytes, b"\r\n.").map(|at| at + 2).peekable();
    if !bytes.starts_with(b".") && dots.peek().is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut body = Vec::with_capacity(bytes.len() + 64);
    let mut start = 0;
    for dot in bytes.starts_with(b".").then_some(0).into_iter().chain(dots) {
        body.extend_from_slice(&bytes[start..dot]);
        body.push(b'.');
        start = dot;
    }
    body.extend_from_slice(&bytes[start..]);
    Cow::Owned(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_ends_with_crlf_whatever_ended_it() {
        for text in ["a\nb", "a\r\nb\n", "a\rb\r", "a\r\nb\r\n"] {
            assert_eq!(with_line_ends(text), b"a\r\nb\r\n", "{text:?}");
        }
        assert_eq!(with_line_ends("a\n\r\r\n川"), "a\r\n\r\n\r\n川\r\n".as_bytes());
        assert_eq!(with_line_ends(""), b"\r\n");
    }

    #[test]
    fn a_cr_or_lf_that_stands_alone_is_seen_wherever_it_stands() {
        for whole in [&b""[..], b"a", b"\r\n", b"a\r\n\r\n.b\r\n", b"\r\n\r\n"] {
            assert!(!has_stray_end(whole), "{whole:?}");
        }
        for stray in [&b"\n"[..], b"\r", b"a\n.\r\n", b"a\r\n.\n", b"a\r.\r\n", b"a\r\r\n", b"a\r\n\n", b"\n\r", b"\r\n\r"] {
            assert!(has_stray_end(stray), "{stray:?}");
        }
        let long = [vec![b'a'; 5000], b"\r\n".to_vec(), vec![b'b'; 5000]].concat();
        for at in [0, 1, 4999, 5002, 9000, 10_001] {
            for end in [b'\r', b'\n'] {
                let mut torn = long.clone();
                torn[at] = end;
                assert!(has_stray_end(&torn), "{at}");
            }
        }
        assert!(!has_stray_end(&long));
    }

    #[test]
    fn the_longest_line_is_counted_without_its_end() {
        for (lines, longest) in [(&b""[..], 0), (b"\r\n", 0), (b"abc", 3), (b"abc\r\n", 3), (b"a\r\nabcd\r\nab\r\n", 4), (b"a\r\nabcd", 4)]
        {
            assert_eq!(longest_line(lines), longest, "{lines:?}");
        }
    }

    #[test]
    fn dots_at_the_start_of_a_line_are_doubled_and_nothing_is_copied_without_one() {
        assert_eq!(&*stuffed(b"a\r\n.b\r\n..\r\nc.d\r\n"), b"a\r\n..b\r\n...\r\nc.d\r\n");
        assert_eq!(&*stuffed(b".\r\n.\r\n.\r\n"), b"..\r\n..\r\n..\r\n");
        assert_eq!(&*stuffed(b"."), b"..");
        assert!(matches!(stuffed(b"a.b\r\nc.\r\n"), Cow::Borrowed(_)));
        assert!(matches!(stuffed(b""), Cow::Borrowed(_)));
    }
}
