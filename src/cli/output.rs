//! Writing to standard output. A closed pipe (`clarion … | head`) ends quietly.

use super::Outcome;
use serde::Serialize;
use std::io::Write as _;
use unicode_segmentation::UnicodeSegmentation as _;

/// One line of text.
pub fn line(text: impl std::fmt::Display) {
    if writeln!(std::io::stdout(), "{text}").is_err() {
        std::process::exit(0);
    }
}

/// A value as JSON, indented.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// What a command did: words for people, or a value for programs.
pub fn answer(for_programs: bool, words: impl std::fmt::Display, value: &impl Serialize) -> anyhow::Result<()> {
    if for_programs {
        return json(value);
    }
    line(words);
    Ok(())
}

/// Why a command did nothing. It goes to standard error: what is on standard output with `--json`
/// is JSON or nothing.
pub fn refuse(words: impl std::fmt::Display) -> Outcome {
    eprintln!("clarion: {words}");
    Outcome::ProblemFound
}

/// Rows under a heading, in columns. East Asian characters count as two.
pub fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) {
    let mut widths = heading.map(width);
    for row in rows {
        for (most, cell) in widths.iter_mut().zip(row) {
            *most = (*most).max(width(cell));
        }
    }
    let show = |cells: [&str; N]| {
        let padded: Vec<String> =
            cells.iter().zip(widths).map(|(cell, most)| format!("{cell}{}", " ".repeat(most.saturating_sub(width(cell))))).collect();
        line(padded.join("  ").trim_end());
    };
    show(heading);
    for row in rows {
        show(row.each_ref().map(String::as_str));
    }
}

/// Columns that a text takes in a terminal, near enough for alignment.
fn width(text: &str) -> usize {
    text.graphemes(true).map(|grapheme| if grapheme.chars().next().is_some_and(|c| matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}')) { 2 } else { 1 }).sum()
}
