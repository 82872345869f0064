//! Which items of an export become articles.

use super::Options;
use super::wxr::Item;

/// What becomes of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// An article.
    Take { draft: bool },
    /// Nothing; counted under these words.
    Leave(String),
    /// Nothing by itself: it is a part of others.
    Part,
}

/// Decides by type and status. What nobody asked for stays out; a status that nobody knows is a
/// draft's (S14), and what was private or behind a password is at most a draft.
pub(super) fn choose(item: &Item, options: &Options) -> Choice {
    let pages = match item.kind.as_str() {
        "post" => "posts",
        "page" if options.pages => "pages",
        "page" => return Choice::Leave("pages (import them with --pages)".to_owned()),
        "attachment" | "wp_block" => return Choice::Part,
        "nav_menu_item" | "wp_navigation" => return Choice::Leave("entries of menus".to_owned()),
        "custom_css" | "customize_changeset" | "wp_template" | "wp_template_part" | "wp_global_styles" | "oembed_cache" | "revision" => {
            return Choice::Leave("parts of WordPress's design".to_owned());
        }
        kind => return Choice::Leave(format!("items of the type “{}”, which a plugin made", crate::content::text::line(kind))),
    };
    let asked = |asked: bool, how: &str, what: &str| {
        if asked {
            return Choice::Take { draft: true };
        }
        Choice::Leave(format!("{what} {pages} (import them as drafts with {how})"))
    };
    match item.status.as_str() {
        "trash" | "auto-draft" | "inherit" => Choice::Leave(format!("{pages} in the trash")),
        "private" => asked(options.private, "--private", "private"),
        _ if !item.password.is_empty() => asked(options.private, "--private", "password-protected"),
        "publish" | "future" => Choice::Take { draft: false },
        _ => asked(options.drafts, "--drafts", "unpublished"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_asked_for_stays_out() {
        let item = |kind: &str, status: &str, password: &str| Item {
            kind: kind.into(),
            status: status.into(),
            password: password.into(),
            ..Item::default()
        };
        let none = Options::default();
        let all = Options { pages: true, drafts: true, private: true, ..Options::default() };
        assert_eq!(choose(&item("post", "publish", ""), &none), Choice::Take { draft: false });
        for (kind, status, password) in
            [("post", "draft", ""), ("post", "private", ""), ("post", "publish", "x"), ("post", "private", "x"), ("post", "no-such", "")]
        {
            assert!(matches!(choose(&item(kind, status, password), &none), Choice::Leave(_)), "{status}");
            assert_eq!(choose(&item(kind, status, password), &all), Choice::Take { draft: true }, "{status}");
        }
        assert!(matches!(choose(&item("page", "publish", ""), &none), Choice::Leave(_)));
        assert_eq!(choose(&item("page", "publish", ""), &all), Choice::Take { draft: false });
        assert!(matches!(choose(&item("post", "trash", ""), &all), Choice::Leave(_)));
        assert!(matches!(choose(&item("product", "publish", ""), &all), Choice::Leave(_)));
    }
}
