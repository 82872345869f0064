//! The uploaded files of the old site, fetched into the folder at the paths they had, so that
//! pages and mails need no other host.

use super::folder::Target;
use super::report::{FailedFile, MediaReport};
use super::survey::Survey;
use crate::fetch::{Fetch, Request};
use url::Url;

/// Fetches what is not there yet; `progress` is told how many files are done.
pub(super) async fn fetch(survey: &Survey, target: &Target, client: &Fetch, report: &mut MediaReport, progress: &mut dyn FnMut(u64)) {
    for (number, (path, address)) in survey.uploads.iter().enumerate() {
        progress(number as u64);
        if target.length(path).is_some_and(|length| length > 0) {
            continue;
        }
        match one(path, address, target, client).await {
            Ok(()) => report.fetched += 1,
            Err(reason) => report.failed.push(FailedFile { url: address.clone(), reason }),
        }
    }
}

/// Counts what there is, after fetching or without it.
pub(super) fn count(survey: &Survey, target: &Target, report: &mut MediaReport) {
    report.used = survey.uploads.len() as u64;
    report.present = survey.uploads.keys().filter(|path| target.holds(path)).count() as u64;
}

async fn one(path: &str, address: &str, target: &Target, client: &Fetch) -> Result<(), String> {
    let url = Url::parse(address).map_err(|error| error.to_string())?;
    let answer = client.get(Request::new(url)).await.map_err(|error| error.to_string())?;
    if answer.status != 200 {
        return Err(format!("the old site answered {}", answer.status));
    }
    // A page in place of a picture: a site that says "not found" with 200, or wants a password.
    if answer.media_type() == "text/html" {
        return Err("the old site answered with a page instead of the file".to_owned());
    }
    target.write(path, &answer.body).map_err(|error| format!("{error:#}"))
}
