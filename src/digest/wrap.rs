//! Lines of plain text that fit a narrow window, in scripts with and without spaces.

use unicode_segmentation::UnicodeSegmentation as _;

/// The columns of a line (RFC 3676 §4.2 asks for 78 or fewer).
const COLUMNS: usize = 72;

/// Breaks each paragraph into lines of at most 72 columns. A word longer than a line stays
/// whole: it may be an address.
pub(super) fn wrap(text: &str) -> String {
    text.lines().map(wrap_line).collect::<Vec<_>>().join("\n")
}

fn wrap_line(line: &str) -> String {
    let mut wrapped = String::with_capacity(line.len() + line.len() / COLUMNS);
    let mut column = 0;
    for piece in pieces(line) {
        let full = width(piece.trim_end());
        if column > 0 && column + full > COLUMNS {
            wrapped.truncate(wrapped.trim_end().len());
            wrapped.push('\n');
            column = 0;
        }
        wrapped.push_str(piece);
        column += width(piece);
    }
    wrapped.truncate(wrapped.trim_end().len());
    wrapped
}

/// What must stay together: words with the space after them; a wide character with what may
/// not begin or end a line beside it (JIS X 4051: 行頭禁則, 行末禁則).
fn pieces(line: &str) -> Vec<&str> {
    let mut starts = vec![0];
    let mut before: Option<&str> = None;
    for (at, grapheme) in line.grapheme_indices(true) {
        let breaks = before.is_some_and(|before| {
            let after_space = before.trim().is_empty() && !grapheme.trim().is_empty();
            let beside_wide = breaks_freely(before) || breaks_freely(grapheme);
            after_space || (beside_wide && !before.trim().is_empty() && !grapheme.trim().is_empty() && !clings(before, grapheme))
        });
        if breaks {
            starts.push(at);
        }
        before = Some(grapheme);
    }
    let ends = starts.iter().skip(1).copied().chain([line.len()]);
    starts.iter().zip(ends).map(|(start, end)| &line[*start..end]).filter(|piece| !piece.is_empty()).collect()
}

/// Korean is wide too, but has spaces between its words.
fn breaks_freely(grapheme: &str) -> bool {
    is_wide(grapheme) && !grapheme.starts_with(|c: char| matches!(c, '\u{1100}'..='\u{115f}' | '\u{ac00}'..='\u{d7a3}'))
}

fn clings(before: &str, after: &str) -> bool {
    const NEVER_FIRST: &str = "、。，．・：；？！ー々ゝゞ’”）〕］｝〉》」』】ぁぃぅぇぉっゃゅょァィゥェォッャュョ,.:;?!)]}%";
    const NEVER_LAST: &str = "‘“（〔［｛〈《「『【([{";
    NEVER_FIRST.contains(after) || NEVER_LAST.contains(before)
}

/// The columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.graphemes(true).map(|grapheme| if is_wide(grapheme) { 2 } else { 1 }).sum()
}

/// East Asian Wide and Fullwidth, near enough (Unicode Standard Annex 11).
fn is_wide(grapheme: &str) -> bool {
    grapheme.chars().next().is_some_and(|c| {
        matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
            | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{20000}'..='\u{3fffd}')
    })
}

/// A text of at most `most` characters as people count them, with an ellipsis where it was cut:
/// between words where there is one near, never within a character.
pub(super) fn shorten(text: &str, most: usize) -> String {
    let graphemes: Vec<&str> = text.graphemes(true).collect();
    if graphemes.len() <= most {
        return text.to_owned();
    }
    let kept = &graphemes[..most.saturating_sub(1)];
    let at_a_space = kept.iter().rposition(|grapheme| grapheme.trim().is_empty()).filter(|at| at * 2 > kept.len());
    let kept: String = kept[..at_a_space.unwrap_or(kept.len())].concat();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_lose_nothing() {
        let english = "North Korean refugees who cross into China are treated as illegal economic migrants and sent back. ".repeat(4);
        let japanese = "中国に逃れた北朝鮮の人びとは、不法な経済移民として扱われ、強制的に送り返されています（「強制送還」）。".repeat(4);
        for text in [english.trim(), japanese.as_str()] {
            let wrapped = wrap(text);
            assert!(wrapped.lines().all(|line| width(line) <= COLUMNS && !line.is_empty()), "{wrapped}");
            assert!(wrapped.lines().count() > 4);
            let joint = if text.is_ascii() { " " } else { "" };
            assert_eq!(wrapped.lines().collect::<Vec<_>>().join(joint), text);
        }
    }

    #[test]
    fn no_line_begins_with_a_full_stop_and_no_address_is_broken() {
        let text = format!("{}。「次」", "字".repeat(36));
        assert_eq!(wrap(&text), format!("{}\n字。「次」", "字".repeat(35)));
        let address = format!("See https://news.example.org/{}/ now", "a".repeat(90));
        assert_eq!(wrap(&address), format!("See\nhttps://news.example.org/{}/\nnow", "a".repeat(90)));
    }

    #[test]
    fn a_cut_falls_between_characters() {
        assert_eq!(shorten("short", 10), "short");
        assert_eq!(shorten("one two three four", 12), "one two…");
        assert_eq!(shorten("か\u{3099}か\u{3099}か\u{3099}か\u{3099}", 3), "か\u{3099}か\u{3099}…");
        assert_eq!(shorten("👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", 2), "👩‍👩‍👧…");
    }
}
