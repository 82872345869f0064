//! The answer to each save: one mail to staff with the mistakes, or with the plan.

use super::file::FileState;
use super::folder::Folder;
use super::office::Office;
use super::plan::plan;
use super::step::Case;
use super::store::{self, FolderRow, StepState};
use super::tell::{self, Links, Sheet};
use crate::language::Voice;
use crate::problem::{Problem, Severity};
use std::path::Path;

/// Mails staff what their save means.
pub(super) async fn answer(
    office: &Office,
    folder: &Folder,
    row: &FolderRow,
    problems: &[Problem],
    case: Option<&Case<'_>>,
) -> anyhow::Result<()> {
    let sheet = sheet(office, folder, problems, case).await?;
    let links = case.map_or(Links::Nothing, |case| Links::Stop { slug: &folder.slug, edition: case.edition });
    let key = format!("petition-plan:{}:{}:{}", folder.slug, tell::prefix(&folder.hash), row.changed_at);
    let mut tx = office.db.begin().await?;
    if store::set_told(&mut tx, &folder.slug, &folder.hash, office.clock.now()).await? {
        tell::post(office, &mut tx, &key, sheet, &office.staff, links).await?;
        tx.commit().await?;
        office.delivery.kick();
    }
    Ok(())
}

async fn sheet(office: &Office, folder: &Folder, problems: &[Problem], case: Option<&Case<'_>>) -> anyhow::Result<Sheet> {
    let voice = office.voice();
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    let title = case.map_or(folder.slug.as_str(), |case| case.file.title.get(office.site.default_language()));
    let mut sheet = Sheet { problems: problems.iter().map(|problem| shown(problem, &office.settings.dir)).collect(), ..Sheet::default() };
    if errors > 0 {
        let variables = [("title", title.into()), ("count", errors.into())];
        sheet.heading = voice.say_all("petition-mistakes-subject", &variables);
        sheet.paragraphs.push(voice.say_all("petition-mistakes-intro", &variables));
        sheet.paragraphs.extend(case.iter().flat_map(|case| notes(&voice, case)));
        return Ok(sheet);
    }
    let Some(case) = case else { return Ok(sheet) };
    sheet.heading = voice.say_all("petition-plan-subject", &[("title", title.into()), ("edition", case.edition.into())]);
    if !case.stopped {
        sheet.paragraphs.push(voice.say(&format!("petition-plan-{}", case.file.state)));
    }
    sheet.paragraphs.extend(notes(&voice, case));
    if let Some(deadline) = case.file.edition.deadline {
        let when = tell::local_time(&voice, deadline, &case.file.edition.time_zone);
        sheet.paragraphs.push(voice.say_with("petition-plan-deadline", "time", when));
    }
    let mut connection = office.db.reader().acquire().await?;
    let steps = plan(&mut connection, folder, case.file, &office.site.languages).await?;
    sheet.steps = steps.iter().map(|step| tell::planned(&voice, step, &case.file.edition.time_zone)).collect();
    Ok(sheet)
}

/// What the save means for what was approved or sent before.
fn notes(voice: &Voice, case: &Case<'_>) -> Vec<String> {
    let begun: Vec<&str> = case.steps.iter().filter(|step| step.state.has_begun()).map(|step| step.name.as_str()).collect();
    let void = !case.stopped && case.file.state == FileState::Ready && case.steps.iter().any(|step| step.state == StepState::Proposed);
    let mut notes = Vec::new();
    if case.stopped {
        notes.push(voice.say_with("petition-plan-halted", "slug", case.folder.slug.as_str()));
    }
    if !begun.is_empty() {
        notes.push(voice.say_with("petition-plan-begun", "steps", voice.list(&begun)));
    }
    if void {
        notes.push(voice.say("petition-plan-void"));
    }
    notes
}

/// A problem with its file named as staff know it: from the folder of petitions on.
fn shown(problem: &Problem, dir: &Path) -> String {
    let mut problem = problem.clone();
    if let Ok(short) = problem.file.strip_prefix(dir) {
        problem.file = short.to_owned();
    }
    problem.to_string()
}
