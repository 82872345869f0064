//! JSON Feed 1.1, read again.

use super::web;
use serde_json::Value;

/// The ids of its items, in order, if it is a JSON Feed.
pub(super) fn ids(bytes: &[u8]) -> Result<Vec<String>, String> {
    let document: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if document["version"] != "https://jsonfeed.org/version/1.1" || !document["title"].is_string() {
        return Err("its version or its title is missing".to_owned());
    }
    for key in ["home_page_url", "feed_url"] {
        web(document[key].as_str().unwrap_or_default())?;
    }
    let items = document["items"].as_array().ok_or("it has no items")?;
    items.iter().map(id).collect()
}

fn id(item: &Value) -> Result<String, String> {
    web(item["url"].as_str().unwrap_or_default())?;
    if item["content_html"].is_string() == item["content_text"].is_string() {
        return Err("an item has no text, or two".to_owned());
    }
    for key in ["date_published", "date_modified"] {
        let date = item[key].as_str().unwrap_or_default();
        date.parse::<jiff::Timestamp>().map_err(|_| format!("“{date}” is no date"))?;
    }
    for file in item["attachments"].as_array().into_iter().flatten() {
        web(file["url"].as_str().unwrap_or_default())?;
        let size = &file["size_in_bytes"];
        if !file["mime_type"].is_string() || !(size.is_null() || size.is_u64()) {
            return Err("an attachment has no type, or no length".to_owned());
        }
    }
    item["id"].as_str().map(str::to_owned).ok_or_else(|| "an item has no id".to_owned())
}
