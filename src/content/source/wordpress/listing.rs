//! What WordPress answers to a question for posts.

use super::post::Listed;
use crate::clock::Timestamp;
use crate::content::source::poll::{Failure, expected};
use crate::fetch::Response;
use serde_json::Value;
use std::collections::BTreeMap;

/// A page of a listing.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Revisions by number.
    pub(super) posts: BTreeMap<i64, String>,
    /// How many posts WordPress says the whole listing has.
    pub(super) total: Option<usize>,
}

/// Reads a page of a listing. Beyond the last page WordPress answers 400.
pub(super) fn page_of(response: Response, number: usize, now: Timestamp) -> Result<Page, Failure> {
    if response.status == 400 && number > 1 {
        return Ok(Page::default());
    }
    let response = expected(response, now)?;
    let total = response.header("x-wp-total").and_then(|total| total.parse().ok());
    let listed = array(&response)?.into_iter().filter_map(|value| serde_json::from_value::<Listed>(value).ok());
    Ok(Page { posts: listed.map(|post| (post.id, post.modified_gmt.unwrap_or_default())).collect(), total })
}

/// The list in an answer.
pub(super) fn array(response: &Response) -> Result<Vec<Value>, Failure> {
    let said = match serde_json::from_slice(&response.body) {
        Ok(Value::Array(values)) => return Ok(values),
        Ok(Value::Object(object)) => match object.get("message").and_then(Value::as_str) {
            Some(message) => format!("says: {}", crate::content::text::line(&message.chars().take(200).collect::<String>())),
            None => "answers with JSON that is not WordPress's".to_owned(),
        },
        Ok(_) => "answers with JSON that is not WordPress's".to_owned(),
        Err(_) if response.media_type().contains("html") => "answers with a page instead of data".to_owned(),
        Err(error) => format!("answers with what is not JSON ({error})"),
    };
    Err(Failure::site(
        format!("{} {said}", response.url),
        "open the address in a browser: it must show data; a security or caching plugin may be in the way. Or follow the site's feed with  kind = \"feed\"",
    ))
}

/// Numbers as `include` takes them.
pub(super) fn numbers(ids: &[i64]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
