//! Where WordPress's REST interface is, and the addresses in it.

use crate::fetch::Response;
use url::Url;

/// The relation by which every page of a WordPress names its interface.
const RELATION: &str = "https://api.w.org/";

/// Where a page says that the interface is (`Link`, RFC 8288).
pub(super) fn discovered(response: &Response) -> Option<Url> {
    let fields = response.headers.get_all("link").iter().filter_map(|value| value.to_str().ok());
    fields.flat_map(|field| field.split(',')).find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let named = parameters.split(';').any(|parameter| {
            parameter.trim().strip_prefix("rel=").is_some_and(|rel| rel.trim_matches('"').split(' ').any(|rel| rel == RELATION))
        });
        if named { response.url.join(target).ok() } else { None }
    })
}

/// Where it is on most sites; `None` if the address cannot have it.
pub(super) fn usual(site: &Url) -> Option<Url> {
    folder(site).join("wp-json/").ok()
}

fn folder(site: &Url) -> Url {
    let mut folder = site.clone();
    folder.set_query(None);
    folder.set_fragment(None);
    if !folder.path().ends_with('/') {
        let path = format!("{}/", folder.path());
        folder.set_path(&path);
    }
    folder
}

/// The address of a route such as `wp/v2/posts`. On sites without permalinks the route stands in
/// the query: `/?rest_route=/`.
pub(super) fn route(api: &Url, route: &str, parameters: &[(&str, &str)]) -> Url {
    let mut url = api.clone();
    let plain = api.query_pairs().any(|(name, _)| name == "rest_route");
    if plain {
        let kept: Vec<(String, String)> = api.query_pairs().into_owned().collect();
        url.query_pairs_mut().clear().extend_pairs(kept.iter().map(|(name, value)| match name.as_str() {
            "rest_route" => (name.as_str(), format!("{}/{route}", value.trim_end_matches('/'))),
            _ => (name.as_str(), value.clone()),
        }));
    } else {
        let path = format!("{}/{route}", api.path().trim_end_matches('/'));
        url.set_path(&path);
        url.set_query(None);
    }
    url.query_pairs_mut().extend_pairs(parameters);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(api: &str) -> String {
        route(&api.parse().unwrap(), "wp/v2/posts", &[("page", "2"), ("_fields", "id,guid")]).into()
    }

    #[test]
    fn the_route_stands_in_the_path_or_in_the_query() {
        assert_eq!(address("https://example.org/wp-json/"), "https://example.org/wp-json/wp/v2/posts?page=2&_fields=id%2Cguid");
        assert_eq!(
            address("https://example.org/blog/index.php?rest_route=/"),
            "https://example.org/blog/index.php?rest_route=%2Fwp%2Fv2%2Fposts&page=2&_fields=id%2Cguid"
        );
        assert_eq!(usual(&"https://example.org/blog?x#y".parse().unwrap()).unwrap().as_str(), "https://example.org/blog/wp-json/");
    }
}
