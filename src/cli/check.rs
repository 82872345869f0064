//! `clarion check`: every mistake in everything that people write, with its line and remedy.

use super::{Outcome, clock, count_errors, output};
use crate::config::{Config, Refused};
use crate::problem::{Problem, Severity};
use crate::{content, petition};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::io::IsTerminal as _;

/// Checks the configuration and, where that can be read, the articles and petitions.
pub(super) fn run(loaded: Result<(Config, Vec<Problem>), Refused>, wanted_clock: Option<&str>, json: bool) -> anyhow::Result<Outcome> {
    let problems = match loaded {
        Err(Refused { problems }) => problems,
        Ok((config, mut problems)) => {
            problems.extend(config.catalogue.gaps());
            problems.extend(content::check(&config.content, &config.site));
            if let Some(petitions) = &config.petitions {
                problems.extend(petition::check(
                    petitions,
                    &config.site,
                    config.mail.transport.leaves_the_machine(),
                    clock(&config, wanted_clock)?.now(),
                ));
            }
            problems
        }
    };
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    if json {
        output::json(&problems)?;
    } else {
        problems.iter().for_each(print);
        output::line(match errors {
            0 => "No mistakes found.".to_owned(),
            _ => format!("{} to mend.", capitalised(&count_errors(errors))),
        });
    }
    Ok(if errors == 0 { Outcome::Done } else { Outcome::ProblemFound })
}

/// Prints a problem to standard error, with the line it is in.
pub(super) fn print(problem: &Problem) {
    let renderer = if std::io::stderr().is_terminal() { Renderer::styled().decor_style(DecorStyle::Unicode) } else { Renderer::plain() };
    let level = match problem.severity {
        Severity::Warning => Level::WARNING,
        Severity::Error => Level::ERROR,
    };
    let path = problem.file.to_string_lossy();
    let title = level.primary_title(problem.message.as_str());
    let report = match &problem.excerpt {
        Some((line, range)) => title
            .element(
                Snippet::source(line.as_str())
                    .line_start(problem.line)
                    .path(path.as_ref())
                    .annotation(AnnotationKind::Primary.span(range.clone())),
            )
            .element(Level::HELP.message(problem.remedy.as_str())),
        None => title.element(annotate_snippets::Origin::path(path.as_ref())).element(Level::HELP.message(problem.remedy.as_str())),
    };
    eprintln!("{}\n", renderer.render(&[report]));
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
